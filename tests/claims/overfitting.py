"""Chapter 7: what degrees and validation points do, what dropout keeps, and what stopping, decay and dropout gain.

A claim about trained networks is also tried on seeds of its own (``test_claims_overfitting.py``).
"""

from functools import cache
from itertools import product

import numpy as np

from claims.registry import claim, close, less
from fumoto.dropout import Dropout
from fumoto.experiments import overfitting
from fumoto.experiments.overfitting import (
    CHOSEN,
    DROPOUT,
    FIXED,
    METHODS,
    NONE,
    STEPS,
    STOP,
    course,
    fit_polynomial,
    learn_few,
    learn_stopped,
    noisy_line,
    polynomial,
    polynomial_overfitting,
    squared_error,
    tuned_methods,
)

# --- polynomials ------------------------------------------------------------------------------------------


@claim("overfit-train-falls", samples=40, searched=20)
def a_higher_degree_fits_the_training_points_better_and_the_highest_all_of_them(N, seed):
    u = np.linspace(-1, 1, N)
    s = noisy_line(np.random.default_rng(seed), u)
    errors = np.array([squared_error(polynomial(fit_polynomial(u, s, k), u), s) for k in range(N)])
    return [less(errors[1:], errors[:-1]), less(errors[-1], 1e-12 * s.var())]


@cache
def redrawn(seed):
    return polynomial_overfitting(seed=seed)


@claim("overfit-curve", samples=0, searched=0)
def the_curve_of_degree_ten_passes_through_its_points_and_strays_between_them(seed):
    fits = redrawn(seed)
    u, s = fits.points
    line, curve = fits.curves.values()

    def largest(part):
        return np.abs(curve - fits.grid)[part].max()

    return [
        less(np.abs(np.interp(u, fits.grid, curve) - s).max(), 0.1),
        less(0.2, np.abs(np.interp(u, fits.grid, line) - s).max()),
        less(fits.test_errors[0, 0], fits.test_errors[0, -1]),
        less(largest(np.abs(fits.grid) < 0.5), largest(np.abs(fits.grid) > 0.8)),  # near the ends
    ]


def new_points(seed):
    """On new points the line is the best and every degree worse than the one before; nearly every time, the last."""
    fits = redrawn(seed)
    median = np.median(fits.test_errors, axis=0)
    return [
        less(median[:-1], median[1:]),
        less(4 * median[0], median[-1]),
        less(0.95, np.mean(fits.test_errors[:, -1] > fits.test_errors[:, 0])),
    ]


@claim("overfit-degrees", samples=0, searched=0)
def new_points_and_validation_points_prefer_low_degrees(seed):
    shares = [np.mean(redrawn(seed).chosen == degree) for degree in redrawn(seed).degrees]
    return [*new_points(seed), less(1.3 * max(shares[1:]), shares[0]), less(shares[-1], 0.05)]


@claim("overfit-chosen", samples=0, searched=0)
def the_chosen_degree_is_far_better_than_ten_and_worse_than_its_validation_error_says(seed):
    fits = redrawn(seed)
    chosen, seen = (fits.of_chosen(each).mean() for each in (fits.test_errors, fits.validation_errors))
    return [less(2 * chosen, fits.test_errors[:, -1].mean()), less(seen, chosen)]


@claim("overfit-twice", samples=0, searched=0)
def what_chose_looks_better_than_it_is(seed):
    return the_chosen_degree_is_far_better_than_ten_and_worse_than_its_validation_error_says(seed)


@claim("overfit-summary", samples=0, searched=0)
def only_other_points_show_it(seed):
    fits = redrawn(seed)
    training = np.median(fits.train_errors, axis=0)
    return [*new_points(seed), less(training[1:], training[:-1])]


# --- dropout ----------------------------------------------------------------------------------------------


class Given:
    """In place of a generator: the numbers that are given."""

    def __init__(self, numbers):
        self.numbers = numbers

    def random(self, shape):
        return self.numbers.reshape(shape)


@claim("dropout-mean", samples=60, searched=30)
def over_all_masks_the_mean_is_the_value_without_dropout(omega, seed):
    y = np.random.default_rng(seed).normal(size=(1, 4))
    layer, mean, square = Dropout(omega, rng=np.random.default_rng(0)), 0.0, 0.0
    for kept in product((0.0, 1.0), repeat=4):
        mask = np.array(kept)
        layer.rng = Given(np.where(mask, omega, omega - 1))
        probability = np.prod(np.where(mask, 1 - omega, omega))
        h = layer.forward(y)
        mean, square = mean + probability * h, square + probability * h**2
    return [
        close(mean, y),
        close(square - mean**2, omega / (1 - omega) * y**2, rel=1e-6),
        close(layer.forward(y, training=False), y),
    ]


# --- trained networks -------------------------------------------------------------------------------------


@claim("stop-course", samples=0, searched=0)
def the_validation_loss_turns_while_wrong_answers_are_still_to_be_learned(seed):
    found = course(seed=seed)
    return [
        less(found.stop, len(found.steps) / 2),
        less(1.1 * found.validation_loss[found.stop], found.validation_loss[-1]),
        less(found.training_loss[-1], 0.05),
        less(found.memorized[found.stop], 0.8),
        less(0.95, found.memorized[-1]),
    ]


@cache
def tuned():
    return tuned_methods(processes=1)


def trained(key, seed):
    learning = learn_stopped if key[1] == STOP else learn_few
    return learning(*tuned()[key].setting.job(seed, STEPS, test=True))


def means(rate, seed):
    """Method -> (loss, accuracy) on test images, over the five seeds from ``seed`` on."""
    found = {}
    for method in METHODS:
        runs = [trained((rate, method), one) for one in range(seed, seed + 5)]
        found[method] = np.mean([(run.test_loss, run.test_accuracy) for run in runs], axis=0)
    return found


def others(found):
    """Those that do something, and nothing."""
    return {method: value for method, value in found.items() if method != NONE}, found[NONE]


@claim("methods-fixed", samples=0, searched=0)
def at_the_default_rate_every_method_gains(seed):
    each, none = others(means(FIXED, seed))
    return less([loss for loss, _ in each.values()], none[0] - 0.01)


@claim("methods-rate", samples=0, searched=0)
def choosing_the_rate_gains_without_any_method(seed):
    default, chosen = (means(rate, seed)[NONE] for rate in (FIXED, CHOSEN))
    rate = dict(tuned()[CHOSEN, NONE].setting.values)["lr"]
    fits = [trained((each, NONE), seed).training_loss for each in (FIXED, CHOSEN)]
    return [
        less(chosen[0], default[0] - 0.02),
        less(default[1] + 0.01, chosen[1]),
        less(rate, overfitting.DEFAULT_RATE),  # less of the training images is learned
        less(*fits),
    ]


@claim("methods-near", samples=0, searched=0)
def with_the_rate_chosen_only_dropout_is_ahead(seed):
    each, none = others(means(CHOSEN, seed))
    dropout, dropout_accuracy = each.pop(DROPOUT)
    return [
        less(dropout, [loss for loss, _ in each.values()]),
        less([abs(loss - none[0]) for loss, _ in each.values()], 0.06),
        less([abs(accuracy - none[1]) for _, accuracy in each.values()], 0.03),
        less(dropout, none[0] - 0.005),
        less(none[1] - 0.005, dropout_accuracy),
    ]


@claim("methods-summary", samples=0, searched=0)
def most_of_the_gain_at_the_default_rate_is_the_rate(seed):
    each, none = others(means(FIXED, seed))
    gain = none[0] - means(CHOSEN, seed)[NONE][0]
    return [
        at_the_default_rate_every_method_gains(seed),
        *choosing_the_rate_gains_without_any_method(seed),
        less([0.4 * (none[0] - loss) for loss, _ in each.values()], gain),
    ]


def scale_losses(seed):
    return {scale: trained((CHOSEN, scale), seed).test_loss for scale in overfitting.SCALES}


@claim("scale-both", samples=0, searched=0)
def a_scale_far_below_he_and_one_above_end_with_a_larger_loss(seed):
    """In the mean of five seeds; of one seed, the small scale may end with the smaller loss."""
    seeds = range(seed, seed + 5)
    losses = [scale_losses(one) for one in seeds]
    found = {scale: np.mean([each[scale] for each in losses]) for scale in overfitting.SCALES}
    right = {
        scale: np.mean([trained((CHOSEN, scale), one).test_accuracy for one in seeds]) for scale in (1.0, 4.0)
    }
    return [
        less(found[1.0] + 0.02, found[0.1]),
        less(1.5 * found[1.0], found[4.0]),
        less(right[4.0] + 0.1, right[1.0]),
    ]


@claim("scale-between", samples=0, searched=0)
def slightly_smaller_than_he_is_slightly_better_at_the_rate_chosen_for_he(seed):
    chosen = tuned()[CHOSEN, 1.0].setting
    found = {}
    for scale in (overfitting.SLIGHTLY, 1.0):
        setting = overfitting.plain(scale=scale, **dict(chosen.values))
        runs = [learn_few(*setting.job(one, STEPS, test=True)) for one in range(seed, seed + 5)]
        found[scale] = np.mean([run.test_loss for run in runs])
    return less(found[overfitting.SLIGHTLY], found[1.0])


@claim("scale-correction", samples=0, searched=0)
def both_ends_are_worse(seed):
    return a_scale_far_below_he_and_one_above_end_with_a_larger_loss(seed)


@claim("scale-summary", samples=0, searched=0)
def both_ends_are_worse_than_he(seed):
    return a_scale_far_below_he_and_one_above_end_with_a_larger_loss(seed)
