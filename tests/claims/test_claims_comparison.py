"""What the captions and sentences of chapter 6 claim. Each experiment is that of the page, run here or kept."""

from functools import cache

import numpy as np
import pytest

from fumoto.experiments import comparison
from fumoto.optimizers import SGD, AdaGrad, Adam
from fumoto.surfaces import bowl, ravine, saddle
from fumoto.training import descend

MNIST_STEPS = 2000


def run(experiment, *arguments, **options):
    """Run an experiment once per session."""
    return _run(experiment, arguments, tuple(options.items()))


@cache
def _run(experiment, arguments, options):
    return experiment(*arguments, **dict(options))


# --- small surfaces -----------------------------------------------------------------------------------------


def test_who_overshoots_and_who_is_slow_on_the_bowl():
    race = run(comparison.race, bowl)
    over = {name: runner.overshoot for name, runner in race.items()}
    steps = {name: runner.arrival for name, runner in race.items()}
    assert over["Momentum"] > 0.5
    assert over["NAG"] > 0.5
    assert over["SGD"] > 0.5  # the sentence says it takes the right path
    assert over["AdaGrad"] == max(over.values()) > 1  # and that this one avoids it
    assert over["RMSProp"] < 1e-3
    assert steps["SGD"] < min(steps["Momentum"], steps["Adam"])
    assert steps["AdaDelta"] == max(steps.values()) <= 400


def test_who_overshoots_and_who_is_slow_in_the_ravine():
    race = run(comparison.race, ravine)
    over = {name: runner.overshoot for name, runner in race.items()}
    steps = {name: runner.arrival for name, runner in race.items()}
    assert max(over["Momentum"], over["NAG"]) < 0.1
    assert over["RMSProp"] < 1e-3
    assert over["AdaGrad"] == max(over.values())
    assert steps["SGD"] < steps["RMSProp"] < steps["AdaDelta"] == max(steps.values())


@pytest.mark.parametrize("surface", [bowl, ravine], ids=lambda s: s.name)
def test_who_arrives_stays(surface):
    for name, runner in run(comparison.race, surface).items():
        assert runner.arrival <= 400, name
        assert runner.leaves == (name in ("RMSProp", "AdaDelta")), name
        if runner.leaves:
            continue
        path = descend(comparison.METHODS[name](lr=runner.lr), surface, surface.start, comparison.LONG)
        inside = np.abs(path[runner.arrival :] - surface.minimum).max(axis=1)
        assert np.all(inside < comparison.ARRIVED), name


def test_leaving_the_saddle_takes_the_logarithm_for_sgd_and_a_constant_for_adaptive_methods():
    saddles = run(comparison.saddle_race, saddle)
    expected = np.ceil(np.log(1 / saddles.offsets) / np.log(1 + saddles.lr))
    np.testing.assert_array_equal(saddles.steps["SGD"], expected)
    for name in ("Momentum", "NAG"):
        assert saddles.steps[name][-1] > 5 * saddles.steps[name][0]
    for name in ("AdaGrad", "RMSProp", "Adam"):
        assert saddles.steps[name][-1] - saddles.steps[name][0] <= 5
    far_below_eps = saddles.steps["AdaDelta"][3:]
    assert np.all((np.diff(far_below_eps) >= 2) & (np.diff(far_below_eps) <= 5))
    for name in ("AdaGrad", "RMSProp", "AdaDelta", "Adam"):
        assert saddles.steps[name][-1] < saddles.steps["SGD"][-1] / 5
    for name in ("AdaGrad", "AdaDelta"):
        assert saddles.steps[name][0] > saddles.steps["SGD"][0]


def test_adadelta_starts_with_a_step_that_eps_decides():
    params = {"w": np.array(0.0)}
    comparison.METHODS["AdaDelta"](eps=1e-6, decay_rate=0.9).update(params, {"w": np.array(5.0)})
    assert -params["w"] == pytest.approx(np.sqrt(1e-6 / 0.1), rel=1e-3)


# --- MNIST --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mnist_runs():
    return run(comparison.mnist_comparison, steps=MNIST_STEPS)


def test_mnist_runs_are_complete(mnist_runs):
    assert list(mnist_runs) == list(comparison.METHODS)
    assert comparison.SWEEP_SEED not in comparison.SEEDS
    for name, result in mnist_runs.items():
        assert result.losses.shape == (3, MNIST_STEPS)
        assert np.all(np.isfinite(result.losses))
        assert list(result.sweep) == list(comparison.MNIST_RATES[name])
        assert result.sweep[result.lr] == min(result.sweep.values())


def test_every_best_learning_rate_is_inside_its_sweep(mnist_runs):
    for name, result in mnist_runs.items():
        rates = comparison.MNIST_RATES[name]
        assert rates[0] < result.lr < rates[-1], name


def test_at_its_default_rate_sgd_is_far_behind_and_at_its_best_close(mnist_runs):
    plain, best = mnist_runs["SGD"], mnist_runs["Adam"].final_losses.mean()
    assert plain.final_losses.max() < plain.sweep[0.01] / 2
    assert plain.final_losses.mean() > best
    assert plain.sweep[0.01] - best > 5 * (plain.final_losses.mean() - best)


def test_rmsprop_needs_its_rate_chosen_too(mnist_runs):
    result = mnist_runs["RMSProp"]
    assert result.sweep[0.01] > 2 * result.final_losses.mean()


def test_only_sgd_stands_apart_in_the_first_steps(mnist_runs):
    early = {name: result.losses[:, 50:300].mean(axis=1) for name, result in mnist_runs.items()}
    others = [losses for name, losses in early.items() if name != "SGD"]
    assert early["SGD"].min() > max(losses.max() for losses in others)
    assert early["SGD"].mean() - np.max(np.mean(others, axis=1)) > np.ptp(np.mean(others, axis=1))


def test_differences_shrink_during_training(mnist_runs):
    means = np.array([result.losses.mean(axis=0) for result in mnist_runs.values()])
    early, late = means[:, 50:150].mean(axis=1), means[:, -200:].mean(axis=1)
    assert np.ptp(late) < np.ptp(early) / 3


def test_test_accuracy_does_not_tell_the_methods_apart(mnist_runs):
    means = np.array([result.accuracy.mean() for result in mnist_runs.values()])
    assert means.min() > 0.96
    assert means.max() - means.min() < 0.01


def test_result_does_not_depend_on_the_number_of_processes(nothing_kept):
    jobs = [(SGD, 0.1, 0, 20), (Adam, 0.001, 1, 20), (AdaGrad, 0.01, 2, 20)]
    one = comparison.run_parallel(comparison.train_mnist, jobs, "", processes=1)
    two = comparison.run_parallel(comparison.train_mnist, jobs, "", processes=2)
    for (first, accuracy), (second, other) in zip(one, two, strict=True):
        np.testing.assert_array_equal(first, second)
        assert accuracy == other
