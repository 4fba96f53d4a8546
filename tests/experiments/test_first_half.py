"""What the experiments of chapters 1 to 5 return at the settings of their figures; the claims go beyond them."""

import numpy as np
import pytest

from fumoto.experiments import adagrad, adam, descent, momentum, sgd
from fumoto.mistakes import NotesMomentum
from fumoto.surfaces import bowl
from fumoto.training import descend

# --- chapter 1 ----------------------------------------------------------------------------------------------


def test_careful_walker_stops_in_the_hollow_and_running_one_reaches_camp():
    night = descent.night_walk()
    assert -3.1 < night.careful.stops < -2.8
    assert abs(night.careful.slope) < 1e-6
    assert abs(night.running.stops) < 1e-6


def test_first_training_starts_at_chance_and_learns():
    first = descent.first_descent()
    assert abs(first.losses[0] - first.chance) < 0.4
    assert 0.02 < first.accuracy_before < 0.25
    assert first.losses[-50:].mean() < 0.5
    assert first.accuracy_after > 0.85
    assert first.parameters == 784 * 100 + 3 * 100 * 100 + 100 * 10 + 4 * 100 + 10


# --- chapter 2 ----------------------------------------------------------------------------------------------


def test_learning_rates_behave_as_their_titles_say():
    slow, good, wavering, diverging = sgd.learning_rates().paths.values()
    assert bowl(slow[-1]) > 1
    assert bowl(good[-1]) < 0.1
    assert np.all(wavering[1:, 1] * wavering[:-1, 1] < 0)
    assert abs(wavering[-1, 1]) < abs(wavering[0, 1])
    assert np.all(np.diff(np.abs(diverging[:, 1])) > 0)


def test_the_limit_separates_convergence_from_divergence():
    result = sgd.convergence_limit()
    assert result.limit == 1.0
    np.testing.assert_array_equal(result.measured < 1, result.rates < result.limit)
    np.testing.assert_allclose(result.measured, result.exact, rtol=1e-6)
    best = result.rates[result.measured.argmin()]
    assert 0.9 * result.limit < best < result.limit


def test_gradient_noise_follows_both_formulas():
    noise = sgd.gradient_noise()
    # The mean of 400 squared lengths; three standard errors of such a mean are well below 8 %.
    np.testing.assert_allclose(noise.with_replacement, noise.exact_with, rtol=0.08)
    partial = noise.batch_sizes < noise.samples
    np.testing.assert_allclose(noise.without_replacement[partial], noise.exact_without[partial], rtol=0.08)
    assert noise.without_replacement[-1] < 1e-6
    assert noise.with_replacement[-1] > 0.1 * noise.with_replacement[6]
    assert (noise.without_replacement / noise.with_replacement)[8] < 0.8


# --- chapter 3 ----------------------------------------------------------------------------------------------


def test_notes_momentum_climbs_at_every_step_and_the_right_one_descends():
    signs = momentum.wrong_sign()
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
    zigzag = momentum.zigzag()
    plain, same, fair = (zigzag.travel[name] for name in ("GD", "同じ η", "同じ η/(1−α)"))
    rates = zigzag.rates
    assert np.all(same[rates < 0.94] > plain[rates < 0.94])
    np.testing.assert_array_equal(fair < plain, rates > 0.85)
    assert np.all(plain[rates < 0.5] < 2.001)  # straight to the bottom: nothing to damp


def test_momentum_leaves_the_saddle_sooner_at_equal_rate_and_later_at_equal_speed():
    escape = momentum.saddle_escape()
    assert np.all(escape.equal_rate * 2 < escape.sgd)
    assert np.all(escape.equal_speed > escape.sgd)
    assert np.all(
        np.diff(escape.equal_speed - escape.sgd) > 0
    )  # not a fixed delay: a smaller factor per step


def test_deeper_hollows_need_more_momentum():
    hollows = momentum.hollow_escape()
    deepest = hollows.deepest
    assert deepest[0.0] == deepest[0.5] == deepest[0.8] == 0.2
    assert deepest[0.8] < deepest[0.9] < deepest[0.95] == hollows.depths[-1]
    fair = momentum.hollow_escape(speed=0.1).deepest
    assert fair[0.0] == fair[0.5] < fair[0.8] < fair[0.9] < fair[0.95]
    for stops in hollows.stops.values():
        assert np.all((np.abs(stops) < 0.1) | (np.abs(stops + 3) < 0.3))


# --- chapter 4 ----------------------------------------------------------------------------------------------


def test_zero_gradient_breaks_only_the_version_without_eps():
    zero = adagrad.zero_gradient()
    np.testing.assert_allclose(zero.with_eps, [0.0, -0.1])
    np.testing.assert_allclose(zero.without_eps, [np.nan, -0.1])


def test_rare_feature_steps_further_each_time_but_less_in_total():
    frequency = adagrad.frequent_and_rare()
    often, rarely = frequency.last_step["AdaGrad"]
    assert rarely > 3 * often
    assert frequency.last_step["SGD"][0] == pytest.approx(frequency.last_step["SGD"][1])
    often, rarely = frequency.moved["AdaGrad"][-1]
    assert 3 < often / rarely < 4
    often, rarely = frequency.moved["SGD"][-1]
    assert often / rarely == pytest.approx(10)


def test_constant_gradient_slows_down_and_never_stops():
    constant = adagrad.constant_gradient()
    np.testing.assert_allclose(constant.rate, constant.lr / np.sqrt(constant.t), rtol=1e-7)
    bound = 2 * constant.lr * np.sqrt(constant.t)
    assert np.all(constant.distance < bound)
    assert np.all(constant.distance > bound - 2 * constant.lr)


def test_on_a_bowl_h_levels_off_and_w_arrives():
    result = adagrad.adagrad_on_bowl()
    assert result.h[-1] - result.h[10] < 1e-3 * result.h[-1]
    assert abs(result.w[60]) < 1e-12


def test_one_outlier_hurts_adagrad_far_more_than_rmsprop():
    outlier = adagrad.one_outlier()
    slow, forgetful = outlier.steps["AdaGrad"], outlier.steps["RMSProp"]
    assert np.all(slow < 60_000)
    assert np.all(np.diff(slow) > 0)
    assert np.all(slow > forgetful)
    assert slow[-1] / slow[-2] > 2.5  # in proportion to the factor of three
    assert forgetful[-1] / forgetful[-2] < 2
    growth = np.diff(np.log(forgetful))
    assert np.all(np.diff(growth[1:]) < 0)


# --- chapter 5 ----------------------------------------------------------------------------------------------


def test_weights_of_the_moving_average():
    average = adam.moving_average()
    k = np.arange(len(average.weights))
    np.testing.assert_allclose(average.weights, 0.01 * 0.99**k)
    np.testing.assert_allclose(average.totals, 1 - 0.99 ** (k + 1))
    assert average.window == pytest.approx(100)
    assert average.weights[100] / average.weights[0] == pytest.approx(np.exp(-1), rel=0.01)


def test_first_step_of_rmsprop_is_ten_times_the_learning_rate():
    average = adam.moving_average()
    assert average.steps[0] == pytest.approx(10)
    assert np.all(np.diff(average.steps) < 0)
    assert average.steps[-1] == pytest.approx(1, abs=0.01)


def test_mean_of_first_moment_shrinks_by_one_minus_beta_to_the_t():
    moments = adam.bias()
    expected = 1 - moments.beta1**moments.t
    assert np.all(np.abs(moments.mean - expected) < 5 * moments.standard_error)
    correction = 1 - moments.beta1**moments.t
    assert np.all(np.abs(moments.corrected - 1) < 5 * moments.standard_error / correction)


def test_uncorrected_adam_steps_too_far_and_for_how_long():
    over = adam.uncorrected_overshoot()
    assert np.all(over.ratio[:-1] > 1)
    assert over.ratio[0] == pytest.approx(0.1 / np.sqrt(0.001))
    assert over.worst_ratio == over.ratio.max() > 6
    assert 10 < over.worst_t < 15
    assert 1000 < over.recovered_t < 10_000
    assert np.all(over.ratio[over.recovered_t - 1 :] <= 1.01)
    assert over.ratio[over.recovered_t - 2] > 1.01


def test_dedented_adam_moves_only_the_last_array_and_does_not_learn():
    dedented = adam.dedented_adam()
    assert dedented.right_moved == dedented.names
    assert dedented.notes_moved == [dedented.names[-1]] == ["b5"]
    assert dedented.right_losses[-50:].mean() < 0.5
    assert abs(dedented.notes_losses[-50:].mean() - np.log(10)) < 0.15
