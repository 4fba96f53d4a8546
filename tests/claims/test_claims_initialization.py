"""What the captions and sentences of chapter 8 claim. Each experiment is that of the page, run here or kept."""

import math
from functools import cache

import numpy as np
import pytest

from fumoto.datasets import mnist
from fumoto.experiments import initialization as module
from fumoto.experiments.initialization import DEPTH, LARGE_LR, LR, NODES, SIZES, STEPS
from fumoto.initializers import gaussian, he, xavier
from fumoto.layers import ReLU, Tanh
from fumoto.network import MLP

WEIGHTED = ("1", "0.01", "Xavier", "He")


@cache
def run(experiment, *arguments):
    """Run an experiment once per session."""
    return experiment(*arguments)


@pytest.fixture(scope="module")
def distributions():
    return run(module.activation_distributions)


@pytest.fixture(scope="module")
def runs():
    return run(module.mnist_by_initial_value)


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
    widths = run(module.widths)
    assert widths.right["Xavier"] == pytest.approx(0.1)
    assert widths.right["He"] == pytest.approx(0.141, abs=5e-4)
    assert widths.notes["Xavier"] == pytest.approx(0.003, abs=5e-4)
    assert widths.notes["He"] == pytest.approx(0.006, abs=5e-4)
    assert max(widths.notes["Xavier"], widths.notes["He"]) < widths.notes["0.01"]
    for name, weights in widths.weights.items():
        assert weights.shape == (NODES, NODES)
        assert weights.std() == pytest.approx(widths.right[name], rel=5 / np.sqrt(2 * weights.size))


def test_the_notes_widths_collapse_where_the_right_ones_do_not():
    for name, (right, notes) in run(module.wrong_n).spreads.items():
        assert right[-1] > 0.2, name
        assert notes[-1] < 1e-6
        assert np.all((notes[:-1] / notes[1:] > 15) & (notes[:-1] / notes[1:] < 40))


# --- five layers ------------------------------------------------------------------------------------------


def test_sizes_explode_vanish_or_stay():
    assert NODES == 100
    assert DEPTH == 5
    distributions = run(module.activation_distributions)
    last = {i: np.sqrt(np.mean(distributions[i, "ReLU"].outputs[-1] ** 2)) for i in WEIGHTED}
    assert last["1"] > 1e4
    assert last["0.01"] < 1e-5
    assert 0.6 < last["He"] < 1.7
    assert last["Xavier"] == pytest.approx(last["He"] / np.sqrt(2) ** 5)


def test_at_std_one_outputs_saturate_and_gradients_do_not_vanish(distributions):
    sigmoid, relu, tanh = (distributions["1", name] for name in module.ACTIVATIONS)
    assert np.all(tanh.flat > 0.8)
    assert np.all(sigmoid.flat > 0.5)
    assert tanh.mean[0] > 10 * tanh.mean[-1]
    assert 2 < 1 / tanh.shrink < 2.5
    assert 1 / relu.shrink == pytest.approx(np.sqrt(NODES / 2), rel=0.1)
    assert sigmoid.mean[-1] / sigmoid.mean[0] < 2
    assert sigmoid.median[-1] / sigmoid.median[0] > 5
    for result in (sigmoid, tanh):
        assert np.all(result.median < result.mean / 5)  # a few units carry most of the gradient
    sizes = np.sqrt(np.mean(relu.outputs**2, axis=(1, 2)))
    assert np.all(sizes[1:] > 5 * sizes[:-1])


def test_median_of_the_relu_gradient_says_nothing(distributions):
    """About half of the outputs are zero, so that half of the gradients are exactly zero."""
    for initial in WEIGHTED:
        assert np.all(np.abs(distributions[initial, "ReLU"].flat - 0.5) < 0.06)


def test_at_std_one_hundredth_gradients_shrink_as_computed(distributions):
    for name, expected in (("シグモイド", 40), ("ReLU", np.sqrt(2) * 10), ("tanh", 10)):
        assert distributions["0.01", name].shrink == pytest.approx(expected, rel=0.05)
        assert np.all(distributions["0.01", name].dead < 0.1)
    for name in ("シグモイド", "tanh"):
        assert np.all(distributions["0.01", name].flat == 0)  # small without any saturation
    assert np.all(np.abs(distributions["0.01", "シグモイド"].outputs[1:] - 0.5) < 0.1)
    assert np.all(np.abs(distributions["0.01", "tanh"].outputs[1:]) < 0.1)


def test_units_differ_and_inputs_are_forgotten():
    spread = run(module.unit_spread)
    between, within = spread.between["シグモイド"], spread.within["シグモイド"]
    assert np.all(between[1:] > 0.009)
    assert 5e-9 < within[-1] < 2e-8
    np.testing.assert_allclose(within[:-1] / within[1:], 40, rtol=0.1)
    ratio = spread.within["tanh"] / spread.between["tanh"]
    assert np.all((ratio > 25) & (ratio < 40))
    assert spread.between["tanh"][-1] < 1e-6


def test_xavier_keeps_tanh_best_but_not_exactly(distributions):
    sigmoid, relu, tanh = (distributions["Xavier", name] for name in module.ACTIVATIONS)
    assert 1.15 < tanh.shrink < 1.4
    assert relu.shrink == pytest.approx(np.sqrt(2), rel=0.03)
    assert 4 < sigmoid.shrink < 5
    assert np.all(sigmoid.mean[1:] > 4 * sigmoid.mean[:-1])
    spreads = tanh.outputs.std(axis=(1, 2))
    assert np.all(np.diff(spreads) < 0)
    assert 0.5 < spreads[0] < 0.7
    assert 0.25 < spreads[-1] < 0.4
    nodes = sigmoid.outputs.mean(axis=1).std(axis=1)
    assert np.all(nodes[2:] > 5 * sigmoid.outputs.std(axis=1).mean(axis=1)[2:])  # narrow peaks: one a unit


def test_he_keeps_relu_and_shrinks_tanh_less_than_xavier_does(distributions):
    assert distributions["He", "ReLU"].shrink == pytest.approx(1, abs=0.05)
    assert 1 < distributions["He", "tanh"].shrink < distributions["Xavier", "tanh"].shrink - 0.1
    assert 0.15 < distributions["He", "tanh"].flat[0] < 0.25
    assert distributions["He", "tanh"].flat[0] > 2 * distributions["Xavier", "tanh"].flat[0]
    assert distributions["He", "シグモイド"].shrink > 3  # not enough for the sigmoid either


def test_with_zero_weights_every_gradient_below_the_top_is_exactly_zero(distributions):
    for name in module.ACTIVATIONS:
        result = distributions["0", name]
        assert np.all(result.outputs == (0.5 if name == "シグモイド" else 0.0))
        assert np.all(result.mean[:-1] == 0)
        assert (result.mean[-1] == 0) == (name == "ReLU")


# --- fifty layers -----------------------------------------------------------------------------------------


def test_he_keeps_the_mean_square_the_notes_form_doubles_it_and_xavier_halves_it():
    for name, factor in {"He": 1, "Xavier": 1 / 2, "原ノート": 2}.items():
        squares = run(module.propagation).squares[name]
        ratios = squares[:, 1:] / squares[:, :-1]
        error = ratios.std() / np.sqrt(ratios.size)
        assert abs(ratios.mean() - factor) < 5 * error
        assert error < 0.006 * factor
        assert 1 / 4 < squares[:, -1].mean() / factor**50 < 4


def test_single_he_networks_wander():
    last = run(module.propagation).squares["He"][:, -1]
    assert np.quantile(last, 0.1) < 0.2
    assert np.quantile(last, 0.9) > 1


# --- MNIST ------------------------------------------------------------------------------------------------


def test_runs_are_complete(runs):
    assert SIZES == [784, 100, 100, 100, 100, 10]
    assert set(runs.small) == {(a, i) for a in ("ReLU", "tanh") for i in ("0.01", "0.1", "Xavier", "He")}
    assert all(result.losses.shape == (3, STEPS) for result in runs.small.values())
    assert all(np.isfinite(result.losses).all() for result in runs.small.values())
    assert (LR, LARGE_LR, list(runs.sigmoid)) == (0.01, 0.1, [0.01, 0.1, 1.0])


def test_std_one_hundredth_learns_only_how_frequent_the_digits_are(runs):
    shares = np.bincount(mnist()[1]) / 60_000
    entropy = -np.sum(shares * np.log(shares))
    for activation in ("ReLU", "tanh"):
        final = runs.small[activation, "0.01"].mean(-200, None)
        np.testing.assert_allclose(final, entropy, atol=0.001)
        assert np.all(final < np.log(10))


@pytest.mark.parametrize("activation", ["ReLU", "tanh"])
def test_he_is_fastest_at_equal_step_and_at_equal_loss(runs, activation):
    he = runs.small[activation, "He"]
    for other in ("0.01", "0.1", "Xavier"):
        result = runs.small[activation, other]
        assert he.mean(200, 400).max() < result.mean(200, 400).min()
        assert he.mean(-200, None).max() < result.mean(-200, None).min()
        assert other == "0.01" or he.reaches(0.5).max() < result.reaches(0.5).min()
    assert np.isnan(runs.small[activation, "0.01"].reaches(2.0)).all()


def test_he_is_fastest_at_the_larger_rate_too_and_there_xavier_is_ahead_of_a_tenth(runs):
    finals = {name: result.mean(-200, None) for name, result in runs.large.items()}
    assert finals["He"].max() < finals["Xavier"].min()
    assert finals["Xavier"].max() < finals["0.1"].min()


def test_a_tenth_is_xavier_in_every_matrix_but_the_first():
    first, second = (
        MLP(SIZES, ReLU, initializer, rng=np.random.default_rng(0)) for initializer in (gaussian(0.1), xavier)
    )
    for name, array in first.params.items():
        if name == "W1":
            np.testing.assert_allclose(array, 2.8 * second.params[name], rtol=1e-5)
        else:
            np.testing.assert_array_equal(array, second.params[name])
    stds = run(module.first_stds)
    np.testing.assert_array_equal(stds["0.1"][1:], stds["Xavier"][1:])
    assert stds["0.1"][0] / stds["Xavier"][0] == pytest.approx(2.8, rel=1e-4)


def test_with_relu_a_first_matrix_scaled_up_scales_every_layer():
    x = mnist()[0][:100]
    first, second = (
        MLP(SIZES, ReLU, initializer, rng=np.random.default_rng(0)) for initializer in (gaussian(0.1), xavier)
    )
    np.testing.assert_allclose(first.predict(x), 2.8 * second.predict(x), rtol=1e-3, atol=1e-5)


def test_xavier_is_ahead_of_a_tenth_with_tanh_and_at_first_behind_with_relu(runs):
    tanh, relu = ([runs.small[a, i] for i in ("Xavier", "0.1")] for a in ("tanh", "ReLU"))
    for span in ((200, 400), (-200, None)):
        assert tanh[0].mean(*span).max() < tanh[1].mean(*span).min()
    assert relu[0].mean(200, 400).min() > relu[1].mean(200, 400).max()
    difference = relu[1].mean(-200, None) - relu[0].mean(-200, None)  # same seed, same batches
    assert np.all(difference > 0)
    spread = max(result.mean(-200, None).std(ddof=1) for result in relu)
    assert difference.mean() < 2 * spread
    assert relu[0].mean(-200, None).max() > relu[1].mean(-200, None).min()


def test_he_swings_most_at_first_and_least_at_the_end(runs):
    for activation in ("ReLU", "tanh"):
        he = runs.small[activation, "He"]
        for other in ("0.1", "Xavier"):
            result = runs.small[activation, other]
            assert he.swing(100, 300).min() > result.swing(100, 300).max()
            assert np.all(he.swing(-500, None) < result.swing(-500, None))  # seed by seed
            relative = [r.swing(-500, None) / r.mean(-500, None) for r in (he, result)]
            assert np.all(relative[0] > relative[1])
    early = {name: runs.large[name].swing(100, 300).mean() for name in ("0.1", "Xavier", "He")}
    assert early["He"] < min(early["0.1"], early["Xavier"])  # at ten times the rate: the other way round
    relu = runs.small["ReLU", "He"].swing(-500, None)
    assert relu.max() < runs.small["ReLU", "Xavier"].swing(-500, None).min()


def test_at_equal_loss_the_swing_does_not_depend_on_the_initial_value(runs):
    for activation in ("ReLU", "tanh"):
        results = [runs.small[activation, i] for i in ("0.1", "Xavier", "He")]
        swings = np.array([result.swing_between(0.35, 0.5).mean() for result in results])
        assert swings.max() / swings.min() < 1.1
        assert swings[2] < swings[:2].max()
    xavier_large, he_large = (runs.large[i].swing_between(0.35, 0.5) for i in ("Xavier", "He"))
    assert he_large.mean() > xavier_large.mean()
    assert he_large.min() < xavier_large.max()


def test_what_has_not_learned_does_not_swing(runs):
    assert np.all(runs.small["ReLU", "0.01"].swing(-500, None) < 0.006)


def test_deep_sigmoid_network_waits_and_then_learns_at_a_large_rate(runs):
    for lr in (0.01, 0.1):
        assert np.all(runs.sigmoid[lr].mean(-200, None) > 2.29)
        assert np.isnan(runs.sigmoid[lr].reaches(2.0)).all()
    assert runs.sigmoid[1.0].mean(-200, None) < 0.6
    assert 400 < runs.sigmoid[1.0].reaches(2.0) < 1500
    assert runs.small["tanh", "Xavier"].mean(-200, None).max() < 0.4


# --- how the swing is measured ----------------------------------------------------------------------------


def test_swing_is_the_spread_around_a_slow_trend(rng):
    noise = rng.normal(scale=0.2, size=(2, 4000))
    result = module.InitialRun(3 - np.arange(4000) / 4000 + noise)
    np.testing.assert_allclose(result.swing(0, 4000), 0.2, rtol=0.05)
    np.testing.assert_allclose(result.swing_between(2.2, 2.8), 0.2, rtol=0.08)
    assert np.isnan(result.swing_between(0.0, 0.1)).all()


def test_reaches_is_the_first_block_below_the_level():
    losses = np.concatenate([np.full(100, 2.0), np.full(100, 0.4)])[None]
    assert module.InitialRun(losses).reaches(0.5) == 150
    assert np.isnan(module.InitialRun(losses).reaches(0.3))


def test_result_does_not_depend_on_the_number_of_processes(nothing_kept):
    jobs = [(ReLU, he, 0.01, 1, 20), (Tanh, gaussian(0.1), 0.01, 2, 20)]
    one, two = (module.run_parallel(module.train_mnist, jobs, "", processes=count) for count in (1, 2))
    np.testing.assert_array_equal(one, two)
