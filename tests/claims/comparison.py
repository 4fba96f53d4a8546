"""The claims of chapter 6. A claim about the surfaces is tried on settings drawn anew, one on MNIST on seeds of its own."""

from functools import cache

import numpy as np

from claims.registry import claim, less
from fumoto.experiments.comparison import FEW, LONG, METHODS, SURFACE_SPACES, TUNED, descents, tuned_on_mnist
from fumoto.experiments.momentum import escape_steps
from fumoto.experiments.protocol import PILOT, STEPS, learn
from fumoto.surfaces import bowl, ravine

CAREFUL = 0.1  # as the table of the page
SURFACES = {"bowl": bowl, "ravine": ravine}
DEFAULT, RATE, ALL = TUNED


# --- the small surfaces -------------------------------------------------------------------------------------


@cache
def tried(place, seed):
    """``{method: what became of its settings}``, the settings drawn with ``seed``."""
    return {
        name: descents(method, SURFACE_SPACES[name], SURFACES[place], seed=seed)
        for name, method in METHODS.items()
    }


INERTIA, OWN_RATES = "Momentum NAG", "AdaGrad RMSProp AdaDelta"


def steps(place, seed, names, limit=np.inf):
    """The fewest steps of each of the methods that go no further than ``limit`` beyond the minimum, at most ``LONG``."""
    found = [(one.arrivals, one.fastest(limit)) for one in (tried(place, seed)[name] for name in names.split())]
    return np.array([LONG if fastest is None else arrivals[fastest] for arrivals, fastest in found])


def overshoots(place, seed, names):
    """How far the fastest setting of each of the methods goes beyond the minimum."""
    return np.array([one.overshoots[one.fastest()] for one in (tried(place, seed)[n] for n in names.split())])


@claim("race-ravine", samples=0, searched=0)
def in_the_ravine_one_with_inertia_arrives_before_all_without(seed):
    without = steps("ravine", seed, f"SGD {OWN_RATES}").min()
    return less(steps("ravine", seed, f"{INERTIA} Adam").min(), without)


@claim("race-bowl", samples=0, searched=0)
def the_fastest_gd_and_adagrad_go_far_beyond_the_minimum_of_the_bowl(seed):
    return [
        less(0.5, overshoots("bowl", seed, "SGD").min()),
        less(1.0, overshoots("bowl", seed, "AdaGrad").min()),
        less(1.0, overshoots("bowl", seed, "RMSProp").min()),
    ]


def on_the_bowl(seed):
    """A rate for each coordinate arrives first, and inertia gains little on GD where it may not go far."""
    plain = steps("bowl", seed, "SGD", CAREFUL).max()
    return [
        less(steps("bowl", seed, OWN_RATES, CAREFUL).max(), 0.5 * plain),
        less(0.8 * plain, steps("bowl", seed, INERTIA, CAREFUL).min()),
        less(steps("bowl", seed, f"{INERTIA} {OWN_RATES} Adam").max(), steps("bowl", seed, "SGD").min()),
    ]


def in_the_ravine(seed):
    """Inertia arrives first."""
    fast = steps("ravine", seed, INERTIA, CAREFUL).max()
    return [
        less(fast, 0.7 * steps("ravine", seed, "SGD", CAREFUL).max()),
        less(fast, steps("ravine", seed, OWN_RATES, CAREFUL).min()),
    ]


@claim("race-fronts", samples=0, searched=0)
def rates_of_their_own_win_on_the_bowl_and_inertia_in_the_ravine(seed):
    return [*on_the_bowl(seed), *in_the_ravine(seed)]


@claim("race-both", samples=0, searched=0)
def the_sentence_of_the_film_holds_on_the_bowl_and_not_in_the_ravine(seed):
    return [on_the_bowl(seed)[0], in_the_ravine(seed)[1]]


@claim("race-adam", samples=0, searched=0)
def adam_arrives_before_gd_unless_it_may_not_go_beyond_the_minimum_at_all(seed):
    before = [
        less(steps(place, seed, "Adam", limit).max(), steps(place, seed, "SGD", limit).min())
        for place in SURFACES
        for limit in (np.inf, CAREFUL)
    ]
    return [*before, less(steps("bowl", seed, "SGD", 0.0).max(), steps("bowl", seed, "Adam", 0.0).min())]


@claim("race-summary", samples=0, searched=0)
def what_helps_on_the_bowl_and_what_in_the_ravine(seed):
    helped = less(steps("bowl", seed, INERTIA).max(), 0.7 * steps("bowl", seed, "SGD").min())
    return [on_the_bowl(seed)[0], in_the_ravine(seed)[0], helped]


# --- the saddle ---------------------------------------------------------------------------------------------


@claim("saddle-little", samples=20, searched=10)
def adaptive_methods_hardly_notice_how_near_the_axis_is(method, delta, eta):
    far, near = (escape_steps(METHODS[method](lr=eta), offset) for offset in (delta, 1e-12))
    return less(near - far, 5)


@claim("saddle-turned", samples=20, searched=10)
def in_a_turned_saddle_adaptive_methods_notice(method, delta, eta):
    far, near = (
        escape_steps(METHODS[method](lr=eta), offset, angle=np.pi / 4) for offset in (delta, delta / 100)
    )
    return less(far + 3, near)


@claim("saddle-adagrad", samples=20, searched=10)
def at_a_small_rate_gd_leaves_the_saddle_before_adagrad(eta):
    return less(*(escape_steps(METHODS[name](lr=eta), 1e-3) for name in ("SGD", "AdaGrad")))


# --- MNIST --------------------------------------------------------------------------------------------------


@cache
def chosen():
    return {key: found.setting for key, found in tuned_on_mnist(processes=1).items()}


def trained(tuned, name, seed):
    return learn(*chosen()[tuned, name].job(seed, STEPS, test=True))


def accuracies(tuned, seed):
    return np.array([trained(tuned, name, seed).test_accuracy for name in METHODS])


@claim("mnist-defaults", samples=0, searched=0)
def with_the_defaults_sgd_and_rmsprop_are_far_behind(seed):
    """In the means that the figure draws: with one seed, and on another machine, one method may end far from its mean."""
    default, rate = mean_accuracies(DEFAULT, seed), mean_accuracies(RATE, seed)
    names = list(METHODS)
    behind = [names.index("SGD"), names.index("RMSProp")]
    return [
        less(default[behind].max(), np.delete(default, behind).min()),
        less(3 * np.ptp(rate), np.ptp(default)),
    ]


@claim("mnist-sgd-behind", samples=0, searched=0)
def tuned_sgd_ends_above_the_others(seed):
    """In the mean of five seeds; of one seed, Momentum may end with the larger loss."""
    losses = {
        name: np.mean([trained(ALL, name, one).training_loss for one in range(seed, seed + 5)])
        for name in METHODS
    }
    plain = losses.pop("SGD")
    return less(max(losses.values()), plain)


@claim("mnist-sgd-near", samples=0, searched=0)
def tuning_takes_away_most_of_what_sgd_is_behind(seed):
    default, best, adam = (
        trained(tuned, name, seed).training_loss
        for tuned, name in ((DEFAULT, "SGD"), (ALL, "SGD"), (ALL, "Adam"))
    )
    return less(3 * (best - adam), default - adam)


def mean_accuracies(tuned, seed):
    """Of each method, over the seeds from ``seed`` on: five, or as many as the page has."""
    number = PILOT if tuned == ALL else FEW
    return np.mean([accuracies(tuned, one) for one in range(seed, seed + number)], axis=0)


@claim("mnist-accuracy", samples=0, searched=0)
def tuned_the_methods_are_near_each_other(seed):
    return less(np.ptp(mean_accuracies(ALL, seed)), 0.02)


@claim("mnist-summary", samples=0, searched=0)
def tuning_takes_points_of_difference_to_less_than_two(seed):
    return [
        less(0.03, np.ptp(mean_accuracies(DEFAULT, seed))),
        less(np.ptp(mean_accuracies(ALL, seed)), 0.02),
    ]
