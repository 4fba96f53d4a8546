"""Chapter 8 on seeds that neither its page nor its choice of learning rates used, and what it says beside the claims."""

import math
from functools import cache

import numpy as np
import pytest

from claims import CLAIMS
from fumoto.experiments import initialization as module
from fumoto.experiments import saturation
from fumoto.experiments.initialization import COMPARED, DEPTH, NODES, RUNGS, SIZES, STEPS
from fumoto.network import MLP

FRESH = (101, 102, 103)
TRAINED = (
    "init-mnist-",
    "init-swing",
    "residual-trained",
    "signal-dying",
    "signal-half",
    "signal-leaky",
    "signal-biased",
)
SAME = ("init-mnist-summary",)  # the function of another claim


@cache
def run(experiment, *arguments):
    """Run an experiment once per session."""
    return experiment(*arguments)


@pytest.mark.parametrize("name", [name for name in CLAIMS if name.startswith(TRAINED) and name not in SAME])
def test_a_claim_on_mnist_holds_on_seeds_that_nobody_used(name):
    assert not {*FRESH} & {seed for rung in RUNGS for seed in rung.seeds}
    for seed in FRESH:
        found = CLAIMS[name].function(seed=seed)
        for one in found if isinstance(found, list) else [found]:
            assert one.margin > 0, f"{name}, seed {seed}: {one.said}"


# --- the normal distribution ------------------------------------------------------------------------------


def test_shares_within_one_and_two_standard_deviations():
    shares = run(module.shares_within)
    exact = [math.erf(k / math.sqrt(2)) for k in shares.k]
    np.testing.assert_allclose(shares.integral, exact, rtol=1e-6)
    assert [round(100 * share, 2) for share in shares.integral[:2]] == [68.27, 95.45]
    error = np.sqrt(shares.integral * (1 - shares.integral) / 1_000_000)
    assert np.all(np.abs(shares.sample - shares.integral) < 5 * error)


def test_density_integrates_to_one_and_is_a_stretched_copy():
    w = np.linspace(-20, 20, 200_001)
    for std in (0.1, 0.7, 2.0):
        assert np.trapezoid(module.density(w, std), w) == pytest.approx(1, abs=1e-9)
        np.testing.assert_allclose(module.density(std * w, std) * std, module.density(w, 1.0), atol=1e-15)


def test_the_right_n_is_one_hundred_and_the_notes_n_a_hundred_thousand():
    (xavier, notes_xavier), (he, notes_he) = module.widths().values()
    assert NODES == 100
    assert xavier == pytest.approx(0.1)
    assert he == pytest.approx(0.141, abs=5e-4)
    assert notes_xavier == pytest.approx(0.003, abs=5e-4)
    assert notes_he == pytest.approx(0.006, abs=5e-4)


# --- five layers ------------------------------------------------------------------------------------------


def test_the_figures_show_what_the_claims_are_about():
    distributions = run(module.activation_distributions)
    assert DEPTH == 5
    for (initial, activation), found in distributions.items():
        assert found.outputs.shape == (DEPTH, module.SAMPLES, NODES)
        assert found.mean.shape == (DEPTH,)
        if activation == "ReLU":  # half of the gradients are exactly zero: a median would say nothing
            assert np.all(np.abs(np.mean(found.outputs == 0, axis=(1, 2)) - 0.5) < 0.06), initial


# --- fifty layers -----------------------------------------------------------------------------------------


def test_he_keeps_the_mean_square_the_notes_form_doubles_it_and_xavier_halves_it():
    for name, factor in {"He": 1, "Xavier": 1 / 2, "原ノート": 2}.items():
        squares = run(module.propagation).squares[name]
        ratios = squares[:, 1:] / squares[:, :-1]
        error = ratios.std() / np.sqrt(ratios.size)
        assert abs(ratios.mean() - factor) < 5 * error
        assert error < 0.006 * factor
        assert 1 / 4 < squares[:, -1].mean() / factor**50 < 4


def test_single_he_networks_spread():
    last = run(module.propagation).squares["He"][:, -1]
    assert np.quantile(last, 0.1) < 0.2
    assert np.quantile(last, 0.9) > 1


# --- MNIST ------------------------------------------------------------------------------------------------


def test_runs_are_complete_and_every_initial_value_tries_the_same_rates():
    runs = run(module.mnist_by_initial_value)
    assert SIZES == [784, 100, 100, 100, 100, 10]
    assert list(runs.tuned) == [(a, i) for a, initials in COMPARED.items() for i in initials] + [
        *module.LEAKY
    ]
    for key, found in runs.tuned.items():
        lr, loss = runs.by_rate(key)
        np.testing.assert_allclose(lr, [0.015, 0.0564, 0.212, 0.798, 3.0])
        assert len(loss) == len(lr)
        assert runs.rate(key) in lr
        assert {trial.steps for trial in found.trials} == {STEPS}
        assert runs.reports[key].losses.shape == (len(runs.seeds), STEPS)
        assert not set(runs.seeds) & {seed for rung in RUNGS for seed in rung.seeds}


COMPARISONS = (module.mnist_by_initial_value, module.deep_networks, module.biased_networks)


@pytest.mark.parametrize("comparison", COMPARISONS, ids=lambda comparison: comparison.__name__)
def test_the_range_of_rates_contains_the_best_one_of_all_that_learn(comparison):
    runs = run(comparison)
    for key in runs.tuned:
        lr, loss = runs.by_rate(key)
        if np.min(loss) < 1.5:
            assert lr[0] < runs.rate(key) < lr[-1], key


def test_a_silent_node_is_one_that_no_sample_wakes():
    network = MLP([3, 4, 2], rng=np.random.default_rng(0))
    network.params["b1"][...] = (-100.0, 100.0, -100.0, 100.0)
    x = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
    np.testing.assert_array_equal(saturation.silent(network, x), [[True, False, True, False]])


def test_a_training_that_diverges_has_no_count_of_dead_nodes():
    assert saturation.newly_dead(50.0, 1, 20) == -1


def test_the_slope_of_the_sigmoid_is_largest_in_the_middle():
    curves = saturation.activation_curves()
    for name, top in {"シグモイド": 0.25, "tanh": 1.0}.items():
        assert curves[name].slope.max() == top
        assert curves[name].a[curves[name].slope.argmax()] == pytest.approx(0, abs=1e-12)
