"""What the captions and sentences of the book claim, chapter by chapter. Each experiment is that of the page, run here or kept."""

from functools import cache

import numpy as np
import pytest

from fumoto.experiments import adagrad, adam, comparison, descent, momentum, sgd
from fumoto.mistakes import NotesMomentum
from fumoto.optimizers import SGD, AdaGrad, Adam, Momentum, RMSProp
from fumoto.surfaces import Surface, bowl, hollow, ravine, saddle, valleys
from fumoto.training import descend

MNIST_STEPS = 2000


def run(experiment, *arguments, **options):
    """Run an experiment once per session."""
    return _run(experiment, arguments, tuple(options.items()))


@cache
def _run(experiment, arguments, options):
    return experiment(*arguments, **dict(options))


# --- surfaces ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "surface", [bowl, saddle, ravine, valleys, hollow(), hollow(1.5)], ids=lambda s: s.name
)
def test_surface_gradient_matches_central_differences(surface: Surface, rng):
    h = 1e-6
    for _ in range(20):
        w = rng.uniform(-2, 2, len(surface.start))
        for axis in range(len(w)):
            step = np.eye(len(w))[axis] * h
            slope = (surface(w + step) - surface(w - step)) / (2 * h)
            np.testing.assert_allclose(surface.gradient(w)[axis], slope, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("surface", [bowl, ravine, valleys], ids=lambda s: s.name)
def test_minimum_of_a_surface_is_where_it_says(surface):
    np.testing.assert_allclose(surface.gradient(np.array(surface.minimum)), 0, atol=1e-12)
    x, y = np.meshgrid(np.linspace(-2, 2, 81), np.linspace(-2, 2, 81))
    assert surface(np.array([x, y])).min() >= surface(np.array(surface.minimum))


# --- chapter 1 --------------------------------------------------------------------------------------------


def test_careful_walker_stops_in_the_hollow_and_running_one_reaches_camp():
    night = run(descent.night_walk)
    assert -3.1 < night.careful.stops < -2.8
    assert abs(night.careful.slope) < 1e-6
    assert abs(night.running.stops) < 1e-6


def test_a_small_step_descends_all_the_way():
    night = run(descent.night_walk)
    heights = night.surface(night.careful.path[None])
    assert np.all(np.diff(heights) <= 1e-12)


def test_first_training_starts_at_chance_and_learns():
    first = run(descent.first_descent)
    assert abs(first.losses[0] - first.chance) < 0.4
    assert 0.02 < first.accuracy_before < 0.25
    assert first.losses[-50:].mean() < 0.5
    assert first.accuracy_after > 0.85
    assert first.parameters == 784 * 100 + 3 * 100 * 100 + 100 * 10 + 4 * 100 + 10


# --- chapter 2 --------------------------------------------------------------------------------------------


def test_learning_rates_behave_as_their_titles_say():
    slow, good, wavering, diverging = run(sgd.learning_rates).paths.values()
    assert bowl(slow[-1]) > 1
    assert bowl(good[-1]) < 0.1
    assert np.all(wavering[1:, 1] * wavering[:-1, 1] < 0)
    assert abs(wavering[-1, 1]) < abs(wavering[0, 1])
    assert np.all(np.diff(np.abs(diverging[:, 1])) > 0)


def test_the_limit_separates_convergence_from_divergence():
    result = run(sgd.convergence_limit)
    assert result.limit == 1.0
    np.testing.assert_array_equal(result.measured < 1, result.rates < result.limit)
    np.testing.assert_allclose(result.measured, result.exact, rtol=1e-6)
    best = result.rates[result.measured.argmin()]
    assert 0.9 * result.limit < best < result.limit


def test_exactly_at_the_limit_the_swing_never_changes():
    path = descend(SGD(lr=1.0), bowl, bowl.start, 1000)
    np.testing.assert_array_equal(np.abs(path[:, 1]), 2.0)


def test_minibatch_noise_leaves_a_jitter_that_shrinks_with_the_rate(rng):
    """On w**2 / 2 with noise of variance 1 the variance settles at lr / (2 - lr)."""
    spreads = []
    for lr in (0.5, 0.05):
        optimizer, w, squares = SGD(lr=lr), np.zeros(200), []
        for step in range(2000):
            optimizer.update({"w": w}, {"w": w + rng.normal(size=200)})
            if step >= 500:
                squares.append(np.mean(w**2))
        spreads.append(np.mean(squares))
        assert spreads[-1] == pytest.approx(lr / (2 - lr), rel=0.1)
    assert spreads[1] < spreads[0] / 5


def test_gradient_noise_follows_both_formulas():
    noise = run(sgd.gradient_noise)
    # The mean of 400 squared lengths; three standard errors of such a mean are well below 8 %.
    np.testing.assert_allclose(noise.with_replacement, noise.exact_with, rtol=0.08)
    partial = noise.batch_sizes < noise.samples
    np.testing.assert_allclose(noise.without_replacement[partial], noise.exact_without[partial], rtol=0.08)
    assert noise.without_replacement[-1] < 1e-6
    assert noise.with_replacement[-1] > 0.1 * noise.with_replacement[6]
    assert (noise.without_replacement / noise.with_replacement)[8] < 0.8


def test_for_mnist_batches_replacement_makes_no_difference():
    assert np.sqrt((60000 - 128) / (60000 - 1)) > 0.998


# --- chapter 3 --------------------------------------------------------------------------------------------


def test_notes_momentum_climbs_at_every_step_and_the_right_one_descends():
    signs = run(momentum.wrong_sign)
    assert np.all(np.diff(signs.notes_height) > 0)
    assert signs.notes_height[-1] > 1000 * signs.notes_height[0]
    assert signs.right_height[-1] < signs.right_height[0] / 3


def test_notes_momentum_gathers_speed_uphill():
    notes = descend(NotesMomentum(lr=0.05, momentum=0.9), bowl, bowl.start, 10)
    w, u = np.array(bowl.start), np.zeros(2)
    for position in notes[1:]:
        u = 0.9 * u + 0.05 * bowl.gradient(w)
        w = w + u
        np.testing.assert_allclose(position, w)


def test_zigzag_grows_at_equal_rate_and_shrinks_only_near_the_limit_at_equal_speed():
    zigzag = run(momentum.zigzag)
    plain, same, fair = (zigzag.travel[name] for name in ("GD", "同じ η", "同じ η/(1−α)"))
    rates = zigzag.rates
    assert np.all(same[rates < 0.94] > plain[rates < 0.94])
    np.testing.assert_array_equal(fair < plain, rates > 0.85)
    assert np.all(plain[rates < 0.5] < 2.001)  # straight to the bottom: nothing to damp


def test_momentum_leaves_the_saddle_sooner_at_equal_rate_and_later_at_equal_speed():
    escape = run(momentum.saddle_escape)
    assert np.all(escape.equal_rate * 2 < escape.sgd)
    assert np.all(escape.equal_speed > escape.sgd)
    assert np.all(
        np.diff(escape.equal_speed - escape.sgd) > 0
    )  # not a fixed delay: a smaller factor per step


@pytest.mark.parametrize("make", comparison.METHODS.values(), ids=comparison.METHODS)
def test_on_the_axis_of_the_saddle_every_method_stays_for_ever(make):
    path = descend(make(lr=0.05), saddle, (1.5, 0.0), 2000)
    assert np.all(path[:, 1] == 0)


def test_deeper_hollows_need_more_momentum():
    hollows = run(momentum.hollow_escape)
    deepest = hollows.deepest
    assert deepest[0.0] == deepest[0.5] == deepest[0.8] == 0.2
    assert deepest[0.8] < deepest[0.9] < deepest[0.95] == hollows.depths[-1]
    fair = run(momentum.hollow_escape, speed=0.1).deepest
    assert fair[0.0] == fair[0.5] < fair[0.8] < fair[0.9] < fair[0.95]
    for stops in hollows.stops.values():
        assert np.all((np.abs(stops) < 0.1) | (np.abs(stops + 3) < 0.3))


# --- chapter 4 --------------------------------------------------------------------------------------------


def test_scaling_the_gradient_changes_the_rate_but_not_the_step():
    scaled = run(adagrad.rate_and_step)
    np.testing.assert_allclose(scaled.steps, scaled.steps[:, :1] * np.ones(3), rtol=1e-6)
    np.testing.assert_allclose(scaled.rates[:, 0] / scaled.rates[:, 2], 1e4)


def test_zero_gradient_breaks_only_the_version_without_eps():
    zero = run(adagrad.zero_gradient)
    np.testing.assert_allclose(zero.with_eps, [0.0, -0.1])
    np.testing.assert_allclose(zero.without_eps, [np.nan, -0.1])


def test_rare_feature_steps_further_each_time_but_less_in_total():
    frequency = run(adagrad.frequent_and_rare)
    often, rarely = frequency.last_step["AdaGrad"]
    assert rarely > 3 * often
    assert frequency.last_step["SGD"][0] == pytest.approx(frequency.last_step["SGD"][1])
    often, rarely = frequency.moved["AdaGrad"][-1]
    assert 3 < often / rarely < 4
    often, rarely = frequency.moved["SGD"][-1]
    assert often / rarely == pytest.approx(10)


def test_constant_gradient_slows_down_and_never_stops():
    constant = run(adagrad.constant_gradient)
    np.testing.assert_allclose(constant.rate, constant.lr / np.sqrt(constant.t), rtol=1e-7)
    bound = 2 * constant.lr * np.sqrt(constant.t)
    assert np.all(constant.distance < bound)
    assert np.all(constant.distance > bound - 2 * constant.lr)


def test_on_a_bowl_h_levels_off_and_w_arrives():
    result = run(adagrad.adagrad_on_bowl)
    assert result.h[-1] - result.h[10] < 1e-3 * result.h[-1]
    assert abs(result.w[60]) < 1e-12


def test_one_outlier_hurts_adagrad_far_more_than_rmsprop():
    outlier = run(adagrad.one_outlier)
    slow, forgetful = outlier.steps["AdaGrad"], outlier.steps["RMSProp"]
    assert np.all(slow < 60_000)
    assert np.all(np.diff(slow) > 0)
    assert np.all(slow > forgetful)
    assert slow[-1] / slow[-2] > 2.5  # in proportion to the factor of three
    assert forgetful[-1] / forgetful[-2] < 2
    growth = np.diff(np.log(forgetful))
    assert np.all(np.diff(growth[1:]) < 0)


# --- chapter 5 --------------------------------------------------------------------------------------------


def test_weights_of_the_moving_average():
    average = run(adam.moving_average)
    k = np.arange(len(average.weights))
    np.testing.assert_allclose(average.weights, 0.01 * 0.99**k)
    np.testing.assert_allclose(average.totals, 1 - 0.99 ** (k + 1))
    assert average.window == pytest.approx(100)
    assert average.weights[100] / average.weights[0] == pytest.approx(np.exp(-1), rel=0.01)


def test_first_step_of_rmsprop_is_ten_times_the_learning_rate():
    average = run(adam.moving_average)
    assert average.steps[0] == pytest.approx(10)
    assert np.all(np.diff(average.steps) < 0)
    assert average.steps[-1] == pytest.approx(1, abs=0.01)


def test_mean_of_first_moment_shrinks_by_one_minus_beta_to_the_t():
    moments = run(adam.bias)
    expected = 1 - moments.beta1**moments.t
    assert np.all(np.abs(moments.mean - expected) < 5 * moments.standard_error)
    correction = 1 - moments.beta1**moments.t
    assert np.all(np.abs(moments.corrected - 1) < 5 * moments.standard_error / correction)


def test_uncorrected_adam_steps_too_far_and_for_how_long():
    over = run(adam.uncorrected_overshoot)
    assert np.all(over.ratio[:-1] > 1)
    assert over.ratio[0] == pytest.approx(0.1 / np.sqrt(0.001))
    assert over.worst_ratio == over.ratio.max() > 6
    assert 10 < over.worst_t < 15
    assert 1000 < over.recovered_t < 10_000
    assert np.all(over.ratio[over.recovered_t - 1 :] <= 1.01)
    assert over.ratio[over.recovered_t - 2] > 1.01


@pytest.mark.parametrize("g", [1e-4, -1.0, 1e4])
def test_first_step_of_adam_is_the_learning_rate(g):
    params = {"w": np.array(0.0)}
    Adam(lr=0.001).update(params, {"w": np.array(g)})
    assert params["w"] == pytest.approx(-0.001 * np.sign(g), rel=1e-3)


def test_dedented_adam_moves_only_the_last_array_and_does_not_learn():
    dedented = run(adam.dedented_adam)
    assert dedented.right_moved == dedented.names
    assert dedented.notes_moved == [dedented.names[-1]] == ["b5"]
    assert dedented.right_losses[-50:].mean() < 0.5
    assert abs(dedented.notes_losses[-50:].mean() - np.log(10)) < 0.15


def test_the_two_forms_of_adam_part_only_for_tiny_gradients():
    forms = run(adam.two_forms)
    large = forms.gradients >= 1e-3
    np.testing.assert_allclose(forms.algorithm1[large], forms.lr_t_form[large], rtol=1e-3)
    small = (forms.gradients >= 1e-12) & (forms.gradients <= 1e-6)
    assert np.all(forms.lr_t_form[small] < 0.9 * forms.algorithm1[small])


# --- chapter 6: small surfaces ----------------------------------------------------------------------------


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


# --- chapter 6: MNIST -------------------------------------------------------------------------------------


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


# --- every chapter: limiting cases of the methods ---------------------------------------------------------


def test_momentum_without_momentum_is_sgd():
    np.testing.assert_array_equal(
        descend(Momentum(lr=0.1, momentum=0.0), bowl, bowl.start, 50),
        descend(SGD(lr=0.1), bowl, bowl.start, 50),
    )


def test_adam_without_averaging_moves_by_the_sign_of_the_gradient():
    path = descend(Adam(lr=0.3, beta1=0.0, beta2=0.0, eps=0.0), bowl, bowl.start, 10)
    np.testing.assert_allclose(np.abs(np.diff(path, axis=0)), 0.3)


def test_rmsprop_forgets_what_adagrad_remembers():
    gradients = np.concatenate([[100.0], np.ones(2000)])
    slow = np.diff(adagrad.follow(AdaGrad(lr=0.1), gradients))[-1]
    fast = np.diff(adagrad.follow(RMSProp(lr=0.1), gradients))[-1]
    assert -slow < 0.01 * -fast + 1e-2
    assert -fast == pytest.approx(0.1, rel=1e-3)
