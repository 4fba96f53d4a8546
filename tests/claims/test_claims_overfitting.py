"""Chapter 7 on seeds that neither its page nor its choices used; and saturation, zero weights, dead ReLU."""

from functools import cache

import numpy as np
import pytest

from claims import CLAIMS
from claims.overfitting import tuned
from fumoto.experiments import overfitting, saturation
from fumoto.experiments.overfitting import CHOSEN, NONE, SEEDS, few_images
from fumoto.experiments.protocol import split
from fumoto.layers import Sigmoid
from fumoto.network import MLP

CHANCE = np.log(10)
FRESH = (101, 102, 103)


@cache
def run(experiment, *arguments):
    """Run an experiment once per session."""
    return experiment(*arguments)


# --- trained networks -------------------------------------------------------------------------------------

TRAINED = ("overfit-", "stop-", "methods-", "scale-")


@pytest.mark.parametrize("name", [n for n in CLAIMS if n.startswith(TRAINED) and not CLAIMS[n].samples])
def test_a_claim_of_chapter_7_holds_on_seeds_that_nobody_used(name):
    assert not {*FRESH} & {*SEEDS, *(seed for rung in overfitting.RUNGS for seed in rung.seeds)}
    for seed in FRESH:
        found = CLAIMS[name].function(seed=seed)
        for one in found if isinstance(found, list) else [found]:
            assert one.margin > 0, f"{name}, seed {seed}: {one.said}"


def test_everything_tries_the_same_number_of_settings_and_contains_doing_nothing():
    groups = overfitting.candidates()
    for (rate, method), settings in groups.items():
        if rate == CHOSEN or overfitting.METHODS[method][1]:
            assert len(set(settings)) == overfitting.TRIALS, (rate, method)
        if rate == CHOSEN and method in ("L2", "AdamW", overfitting.DROPOUT):
            plain = [dict(each.network.keywords) | dict(each.values) for each in settings]
            nothing = [v for v in plain if not v["weight_decay"] and not v["dropout"]]
            assert len(nothing) == overfitting.TRIALS // 4
    assert groups[CHOSEN, 1.0] == groups[CHOSEN, NONE]


def test_the_chosen_rate_is_neither_the_first_nor_the_last():
    for (rate, method), found in tuned().items():
        if rate == CHOSEN and method != 4.0:
            rates = sorted(dict(trial.setting.values)["lr"] for trial in found.trials)
            assert rates[0] < dict(found.setting.values)["lr"] < rates[-1], method


def test_a_fifth_of_the_answers_is_wrong():
    """The images are training images; after the wrong ones, every answer is the true one."""
    x, t = few_images(np.random.default_rng(3))
    images, labels = split().training
    truth = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    true = np.array([truth[image.tobytes()] for image in x])
    assert np.all(t[: overfitting.WRONG] != true[: overfitting.WRONG])
    np.testing.assert_array_equal(t[overfitting.WRONG :], true[overfitting.WRONG :])
    assert set(t) == set(range(10))


def test_stopping_goes_back_to_the_smallest_validation_loss():
    """Twelve checks of the same training, here one after another."""
    setting = tuned()[CHOSEN, NONE].setting
    network, optimizer, _, steps, _ = setting.job(5, overfitting.STEPS)
    losses = [
        overfitting.judge(trained, *overfitting.judging())[0]
        for _, trained, _ in overfitting._course(network, optimizer, 5, steps, overfitting.CHECKS)
    ]
    stopped = overfitting.learn_stopped(network, optimizer, 5, steps)
    assert stopped.validation_loss == min(losses)


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
