"""What chapter 7 claims: overfitting, the size of the initial weights, saturation, zero weights, dead ReLU."""

from functools import cache

import numpy as np
import pytest

from fumoto.experiments import overfitting, saturation
from fumoto.experiments.overfitting import SCALES, SEEDS, values
from fumoto.layers import Sigmoid
from fumoto.network import MLP

CHANCE = np.log(10)


@cache
def run(experiment, *arguments):
    """Run an experiment once per session."""
    return experiment(*arguments)


# --- polynomials ------------------------------------------------------------------------------------------


def test_training_error_falls_to_zero_and_test_error_grows():
    fits = run(overfitting.polynomial_overfitting)
    assert np.all(np.diff(fits.train_errors, axis=1) < 1e-12)  # never grows: nested models
    assert fits.train_errors[:, -1].max() < 1e-20
    median = np.median(fits.test_errors, axis=0)
    assert median.argmin() == 0
    assert np.all(np.diff(median) > 0)
    assert median[-1] > 4 * median[0]
    assert np.mean(fits.test_errors[:, -1] > fits.test_errors[:, 0]) > 0.95


def test_the_curve_drawn_passes_through_its_points_and_strays_between_them():
    fits = run(overfitting.polynomial_overfitting)
    u, s = fits.points
    line, wiggly = fits.curves.values()
    np.testing.assert_allclose(np.interp(u, fits.grid, wiggly), s, atol=0.05)
    assert np.abs(np.interp(u, fits.grid, line) - s).max() > 0.2
    assert np.abs(wiggly - fits.grid).max() > 2  # it leaves the frame on the left
    assert fits.grid[np.abs(wiggly - fits.grid).argmax()] < -0.8


# --- size of the initial weights --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scales():
    return run(overfitting.scale_and_generalization)


@pytest.fixture(scope="module")
def decays(scales):
    return overfitting.weight_decay(scales["Momentum"])


def test_every_network_fits_its_300_images(scales):
    for runs in scales.values():
        for group in runs.values():
            assert len(group) == len(SEEDS) >= 5
            assert values(group, "train_accuracy").min() == 1
            assert values(group, "train_loss").max() < 0.015


@pytest.mark.parametrize("method", overfitting.OPTIMIZERS)
def test_accuracy_falls_on_both_sides_of_he(scales, method):
    runs = scales[method]
    accuracy = {scale: values(runs[scale], "test_accuracy") for scale in SCALES}
    for scale in (0.1, 2.0, 3.0, 4.0):
        assert np.all(accuracy[scale] < accuracy[1.0]), scale  # for every seed
        assert accuracy[scale].mean() < accuracy[1.0].mean() - 0.015, scale
    assert accuracy[2.0].mean() > accuracy[3.0].mean() > accuracy[4.0].mean()
    assert abs(accuracy[0.5].mean() - accuracy[1.0].mean()) < 0.01  # not to be told apart
    loss = [values(runs[scale], "test_loss").mean() for scale in SCALES]
    assert SCALES[int(np.argmin(loss))] == 1.0
    assert loss[-1] == max(loss)
    worst = min(accuracy, key=lambda scale: accuracy[scale].mean())
    assert worst == 4.0


@pytest.mark.parametrize("method", overfitting.OPTIMIZERS)
def test_small_starts_move_far_and_use_few_directions_and_large_ones_the_reverse(scales, method):
    runs = scales[method]
    moved = {scale: values(runs[scale], "moved").mean() for scale in SCALES}
    directions = {scale: values(runs[scale], "directions").mean() for scale in SCALES}
    assert moved[0.1] > 4
    assert moved[4.0] < 0.25 < moved[1.0] < 1
    assert directions[0.1] < directions[1.0] - 1
    assert directions[4.0] > directions[1.0] + 1


def test_directions_are_counted():
    rng = np.random.default_rng(0)
    assert overfitting.direction_count(rng.normal(size=(5000, 10))) == pytest.approx(10, rel=0.02)
    assert overfitting.direction_count(rng.normal(size=(100, 1)) * np.ones(4)) == pytest.approx(1)


def test_weight_decay_repairs_a_large_start(decays):
    plain, decayed = decays[3.0][0.0], decays[3.0][0.01]
    assert np.all(values(decayed, "test_accuracy") > values(plain, "test_accuracy") + 0.04)
    assert np.all(values(decayed, "test_loss") < 0.6 * values(plain, "test_loss"))
    he = values(decays[1.0][0.0], "test_accuracy").mean()
    assert values(decayed, "test_accuracy").mean() > he - 0.02


def test_weight_decay_from_he_lowers_the_loss_and_leaves_the_accuracy(decays):
    plain, decayed = decays[1.0][0.0], decays[1.0][0.01]
    assert np.all(values(decayed, "test_loss") < values(plain, "test_loss"))
    change = values(decayed, "test_accuracy").mean() - values(plain, "test_accuracy").mean()
    assert abs(change) < values(plain, "test_accuracy").std(ddof=1)


def test_too_much_weight_decay_underfits(decays):
    for runs in decays.values():
        assert np.all(values(runs[0.1], "test_accuracy") < values(runs[0.01], "test_accuracy") - 0.03)
        assert values(runs[0.1], "train_loss").min() > 0.5
        assert values(runs[0.01], "train_loss").min() > 0.02  # no longer zero
        loss = [values(runs[decay], "test_loss").mean() for decay in overfitting.DECAYS]
        assert overfitting.DECAYS[int(np.argmin(loss))] == 0.01


def test_scaling_every_weight_of_a_relu_network_changes_no_answer():
    network = MLP([20, 30, 30, 5], rng=np.random.default_rng(0), dtype=np.float64)
    x = np.random.default_rng(1).normal(size=(50, 20))
    before = network.predict(x)
    for name in ("W1", "W2", "W3"):
        network.params[name] *= 10
    np.testing.assert_allclose(network.predict(x), 1000 * before)


# --- sigmoid ----------------------------------------------------------------------------------------------


def test_derivative_of_the_sigmoid_is_largest_in_the_middle_and_vanishes_on_both_sides():
    curve = saturation.sigmoid_curve()
    assert curve.d.max() == 0.25
    assert curve.x[curve.d.argmax()] == pytest.approx(0, abs=1e-12)
    low, high = curve.d[curve.x < -6], curve.d[curve.x > 6]
    assert max(low.max(), high.max()) < 0.0025
    assert curve.y[0] < 1e-4
    assert curve.y[-1] > 1 - 1e-4
    np.testing.assert_allclose(curve.d, curve.y * (1 - curve.y), atol=1e-15)


def test_the_gradient_of_the_notes_goes_to_zero_whatever_the_answer():
    neuron = saturation.one_neuron()
    for target, outputs in neuron.right.items():
        assert np.all(np.diff(np.abs(outputs - target)) < 0)
        assert abs(outputs[-1] - target) < 0.05
    first, second = neuron.notes.values()
    np.testing.assert_array_equal(first, second)
    assert np.all(np.diff(first) < 0)
    assert first[-1] < 0.05


def test_relu_is_flat_on_the_left_and_leaky_relu_is_not():
    curves = saturation.relu_curves(slope=0.1)
    for name, slope in {"ReLU": 0.0, "Leaky ReLU": 0.1}.items():
        x, d = curves[name].x, curves[name].d
        assert np.all(d[x > 1e-9] == 1)
        assert np.all(d[x < -1e-9] == slope)


# --- gradients through layers -----------------------------------------------------------------------------


def test_saturation_is_not_vanishing():
    layers = run(saturation.all_layer_gradients)
    small, one = layers["シグモイド σ=0.01"], layers["シグモイド σ=1"]
    tanh, relu = layers["tanh σ=1"], layers["ReLU σ=1"]

    assert small.flat.max() == 0
    assert 1 / 43 < small.measured_factor < 1 / 37  # about forty-fold a layer
    assert np.all(small.mean[:, 0] / small.mean[:, -1] < 1e-13)

    assert 0.3 < one.flat.mean() < 0.5
    assert 0.9 < one.measured_factor < 1
    second = one.mean[:, 1] / one.mean[:, -1]
    assert np.all((second > 0.5) & (second < 1.1))
    second = one.median[:, 1] / one.median[:, -1]
    assert np.all((second > 0.25) & (second < 1.3))
    assert np.all(one.median[:, 0] / one.median[:, -1] < 0.15)  # only the lowest layer
    assert one.flat[:, 0].min() > one.flat[:, 1:].max()
    assert 6 < (one.mean / one.median)[:, 1:].mean() < 13

    assert 0.7 < tanh.flat.mean() < 0.8
    assert 2.2 < tanh.measured_factor < 2.5
    assert np.all(tanh.mean[:, 0] > 500 * tanh.mean[:, -1])
    assert np.all(tanh.median[:, 0] > 100 * tanh.median[:, -1])
    assert relu.measured_factor > tanh.measured_factor


def test_the_factor_per_layer_is_the_one_of_the_equation():
    for name, result in run(saturation.all_layer_gradients).items():
        assert result.measured_factor == pytest.approx(result.factor[:, :-1].mean(), rel=0.05), name


# --- zero weights -----------------------------------------------------------------------------------------


def test_with_zero_weights_nothing_below_the_top_gets_a_gradient():
    for sizes in run(saturation.zero_start).values():
        for name in ("W1", "b1", "W2", "b2", "W3", "b3"):
            assert sizes[name][0] == 0, name


def test_sigmoid_layers_wake_one_per_step():
    sizes = run(saturation.zero_start)["シグモイド"]
    for step, layer in enumerate((4, 3, 2, 1)):
        for kind in "Wb":
            assert np.all(sizes[f"{kind}{layer}"][:step] == 0)
            assert np.all(sizes[f"{kind}{layer}"][step:] > 0)


@pytest.mark.parametrize("activation", ["ReLU", "tanh"])
def test_relu_and_tanh_only_ever_learn_the_last_bias(activation):
    sizes = run(saturation.zero_start)[activation]
    for name, size in sizes.items():
        assert np.all(size > 0) if name == "b4" else np.all(size == 0), name


def test_hidden_values_are_one_half_with_zero_weights():
    network = MLP([6, 5, 4, 3], Sigmoid, saturation.zeros, rng=np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(7, 6)).astype(np.float32)
    network.predict(x)
    for _, layer in network.layers:
        if isinstance(layer, Sigmoid):
            np.testing.assert_array_equal(layer.y, 0.5)


def test_a_difference_of_rounding_size_grows_until_units_differ():
    twins = run(saturation.twins)
    noise = twins.spread["1e-6 の乱数から"]
    assert noise[0] < 0.01
    assert noise[-1] > 0.5
    exact = twins.spread["0 から(float64)"]
    assert np.all(exact[: len(exact) // 2] < 1e-6)  # how far rounding gets depends on the machine
    assert np.all(twins.spread["0 から(float32)"][:2] < 1e-3)


def test_fewer_units_do_the_same_and_fewer_layers_do_not():
    fewer = run(saturation.fewer_units)
    assert fewer.difference < 1e-9
    assert fewer.losses[3] > 2.25
    assert fewer.losses[1] < fewer.losses[3] - 0.3


# --- dead ReLU --------------------------------------------------------------------------------------------


def test_large_rates_kill_relu_units_during_training():
    rates, _ = run(saturation.dead_relu)
    newly = {lr: np.array([result.newly for result in runs]) for lr, runs in rates.items()}
    for lr in (0.1, 0.3):
        assert newly[lr][:, -1].max() <= 5
    for lr in (0.6, 0.8):
        assert newly[lr][:, -1].min() >= 8
        early, late = newly[lr][:, :2].max(axis=1), newly[lr][:, -1]
        assert np.all(late < early + 5)  # they die in the first hundred steps
    assert newly[0.8][:, -1].mean() > newly[0.6][:, -1].mean()
    assert newly[0.8].mean(axis=0).max() > newly[0.8].mean(axis=0)[-1]  # some come back
    accuracy = {lr: [result.accuracy for result in runs] for lr, runs in rates.items()}
    assert max(accuracy[0.8]) < min(accuracy[0.3])


def test_a_layer_learns_until_nearly_all_of_its_units_are_dead():
    accuracy = {killed: result.mean() for killed, result in run(saturation.dead_layer).items()}
    assert accuracy[50] > accuracy[0] - 0.02
    assert accuracy[90] > accuracy[0] - 0.06
    assert accuracy[99] < 0.5
    assert accuracy[100] < 0.12


def test_a_negative_bias_is_cured_by_leaky_relu_only_if_the_slope_is_large_enough():
    cure = run(saturation.dead_relu)[1]["b = −0.5"]
    for result in cure[0.0]:
        assert result.start[2] >= 95  # dead from the start, not killed
        assert result.newly[-1] <= 5
    for slope in (0.0, 0.01):
        for result in cure[slope]:
            assert result.loss == pytest.approx(CHANCE, abs=0.02)
            assert result.accuracy < 0.15
    for result in cure[0.1]:
        assert result.accuracy > 0.85
        assert result.end.sum() < 0.4 * result.start.sum()


def test_leaky_relu_helps_at_a_large_rate_and_diverges_at_a_larger_one():
    cures = run(saturation.dead_relu)[1]
    relu, leaky = cures["η = 0.6"][0.0], cures["η = 0.6"][0.1]
    assert max(result.newly[-1] for result in leaky) < min(result.newly[-1] for result in relu)
    assert np.mean([r.accuracy for r in leaky]) > np.mean([r.accuracy for r in relu])
    assert all(np.isnan(result.loss) for result in cures["η = 0.8"][0.1])
    assert all(np.isfinite(result.loss) for result in cures["η = 0.8"][0.0])
    dead = {slope: np.mean([r.newly[-1] for r in cures["η = 0.8"][slope]]) for slope in (0.0, 0.01)}
    assert dead[0.01] > dead[0.0]  # the usual slope does not help there


def test_a_silent_unit_is_one_that_no_sample_wakes():
    network = MLP([3, 4, 2], rng=np.random.default_rng(0))
    network.params["b1"][...] = (-100.0, 100.0, -100.0, 100.0)
    x = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
    np.testing.assert_array_equal(saturation.silent(network, x), [[True, False, True, False]])


def test_relu_does_not_cure_a_small_start():
    losses = run(saturation.relu_with_small_weights)
    assert losses["標準偏差 0.01"][-50:].mean() == pytest.approx(CHANCE, abs=0.01)
    assert losses["He"][-50:].mean() < 0.35
