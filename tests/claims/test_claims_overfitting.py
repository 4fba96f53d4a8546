"""What chapter 7 claims: overfitting, the size of the initial weights, weight decay."""

from functools import cache

import numpy as np
import pytest

from fumoto.experiments import overfitting
from fumoto.experiments.overfitting import SCALES, SEEDS, values
from fumoto.network import MLP


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
