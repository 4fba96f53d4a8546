"""Chapter 2: when gradient descent arrives, and what mini-batches leave behind."""

import itertools
from functools import cache

import numpy as np

from claims.registry import claim, close, equal, less
from claims.walking import walk
from fumoto.experiments.sgd import gradient_noise
from fumoto.optimizers import SGD
from fumoto.surfaces import bowl, hollow, ravine, valleys

RUNS = 2000  # walks at once


def quadratic(curvatures, angle=0.0):
    """The gradient of a quadratic function with these curvatures along its axes, turned by ``angle``; its bottom is 0."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    hessian = turn @ np.diag(curvatures) @ turn.T
    return lambda w: hessian @ w


def line(eta, curvature, steps):
    """The places along one direction, from 1."""
    return walk(SGD(eta), lambda w: curvature * w, 1.0, steps)


def towards(angle):
    return np.array([np.cos(angle), np.sin(angle)])


# --- the limit of the learning rate -----------------------------------------------------------------------


@claim("sgd-same-side")
def it_comes_nearer_from_the_same_side(c, t):
    last = line(c, 1.0, t)[-1]
    return [less(0.0, last), less(last, 1.0)]


@claim("sgd-crosses")
def it_comes_nearer_and_crosses_at_every_step(c, t):
    places = line(c, 1.0, t)
    return [
        equal(np.sign(places[1:]), -np.sign(places[:-1])),
        less(np.abs(places[1:]), np.abs(places[:-1])),
    ]


@claim("sgd-to-and-fro")
def at_the_limit_it_goes_to_and_fro(lambda_, t):
    return close(line(2 / lambda_, lambda_, t), (-1.0) ** np.arange(t + 1))


@claim("sgd-recedes")
def beyond_the_limit_it_recedes(c, t):
    return less(1.0, abs(line(c, 1.0, t)[-1]))


@claim("sgd-converges")
def below_the_limit_it_comes_nearer_in_every_direction(c, k, phi, theta, t):
    path = walk(SGD(c), quadratic([k, 1.0], phi), towards(theta), t)
    return less(np.linalg.norm(path[-1]), 1.0)


@claim("sgd-saddle")
def a_negative_curvature_drives_it_away_at_every_rate(c, k, t):
    path = walk(SGD(c), quadratic([1.0, k]), (0.0, 1.0), t)
    return less(1.0, path[-1, 1])


@claim("sgd-limit-nearby")
def near_the_bottom_of_other_functions_the_limit_holds(surface, c, theta, t):
    surface = {"ravine": ravine, "valleys": valleys, "hollow": hollow()}[surface]
    bottom = np.array(surface.minimum)
    h = 1e-5
    slopes = [
        surface.gradient(bottom + step) - surface.gradient(bottom - step) for step in h * np.eye(len(bottom))
    ]
    steepest = np.linalg.eigvalsh(np.array(slopes) / (2 * h)).max()
    start = 1e-4 * towards(theta)[: len(bottom)]
    path = walk(SGD(c / steepest), surface.gradient, bottom + start, t)
    return less(np.linalg.norm(path[-1] - bottom), np.linalg.norm(start))


def factor(eta, curvatures):
    """By how much the slower of the directions comes nearer in a step."""
    return np.abs(walk(SGD(eta), quadratic(curvatures), (1.0, 1.0), 1)[-1]).max()


@claim("sgd-best-rate")
def the_best_rate_balances_the_two_ends(c, k):
    return less(factor(2 / (1 + k), [k, 1.0]), factor(c, [k, 1.0]) * (1 + 1e-9))


@claim("sgd-factor-measured")
def the_measured_factor_is_the_larger_of_the_two(eta):
    lengths = np.abs(walk(SGD(eta), bowl.gradient, (1.0, 1.0), 200)).max(axis=1)
    return close((lengths[200] / lengths[100]) ** 0.01, max(abs(1 - eta / 10), abs(1 - 2 * eta)))


@claim("sgd-swinging-is-nearer")
def swinging_ends_nearer_than_settling_across_the_valley(eta):
    ends = [np.linalg.norm(walk(SGD(rate), bowl.gradient, bowl.start, 40)[-1]) for rate in (eta, 0.6)]
    return less(*ends)


@claim("play-learning-rate")
def farther_to_the_right_ends_nearer_to_the_bottom(eta):
    ends = [np.linalg.norm(walk(SGD(rate), bowl.gradient, bowl.start, 40)[-1]) for rate in (eta, 0.99 * eta)]
    return less(*ends)


# --- mini-batches: the error of one gradient --------------------------------------------------------------


def errors(batches):
    """(The root mean square, the mean) of the means of these batches of deviations of gradients."""
    means = np.array([np.sum(batch, axis=0) / len(batch) for batch in batches])
    return np.sqrt(np.mean(np.sum(means**2, axis=1))), means.mean(axis=0)


def deviations(samples, seed):
    gradients = np.random.default_rng(seed).normal(size=(samples, 3))
    gradients -= gradients.mean(axis=0)
    return gradients, np.sqrt(np.mean(np.sum(gradients**2, axis=1)))


@claim("minibatch-error-with")
def every_batch_with_replacement(B, N, seed):
    gradients, one = deviations(N, seed)
    error, mean = errors([gradients[list(drawn)] for drawn in itertools.product(range(N), repeat=B)])
    return [close(error, one / np.sqrt(B)), close(1 + mean, np.ones(3))]


@claim("minibatch-error-without")
def every_batch_without_replacement(B, N, seed):
    gradients, one = deviations(N, seed)
    error, mean = errors([gradients[list(drawn)] for drawn in itertools.combinations(range(N), B)])
    exact = one / np.sqrt(B) * np.sqrt((N - B) / (N - 1))
    return [close(one + error, one + exact), close(1 + mean, np.ones(3))]


@claim("minibatch-of-mnist")
def replacement_makes_no_difference_for_few_of_many(B):
    return less(1 - np.sqrt((60000 - B) / (60000 - 1)), 0.002)


@claim("gradient-noise-measured", samples=0, searched=0)
def the_measured_errors_lie_on_the_lines(seed):
    noise = gradient_noise(repeats=200, seed=seed)
    partial = noise.batch_sizes < noise.samples
    return [
        close((noise.with_replacement / noise.exact_with), 1.0, rel=0.08),
        close((noise.without_replacement / noise.exact_without)[partial], 1.0, rel=0.08),
        less(noise.without_replacement[~partial], 1e-6),
    ]


# --- mini-batches: what a fixed rate leaves, and what schedules do ------------------------------------------


def scheduled_walk(rates, gradient, start):
    """The last place of SGD from ``start``, with a rate of its own for every step."""
    optimizer, w = SGD(np.min(rates, initial=1.0)), start  # refuses rates that are not positive
    for optimizer.lr in rates:
        (w,) = optimizer.rule(w, gradient(w))
    return w


def one_by_one(rates, curvatures, seed):
    """The last place from 1, every step with one sample drawn from two; both have their bottom at 0."""
    drawn = iter(np.take(curvatures, np.random.default_rng(seed).integers(0, 2, len(rates))))
    return scheduled_walk(rates, lambda w: next(drawn) * w, 1.0)


@claim("minibatch-common-bottom")
def with_a_common_bottom_no_jitter_is_left(c, k, t, seed):
    return less(abs(one_by_one(np.full(t, c), [k, 1.0], seed)), 1.0)


@claim("minibatch-diverges-below-the-limit")
def with_different_curvatures_it_diverges_below_the_limit(c, t, seed):
    return less(1.0, abs(one_by_one(np.full(t, c), [0.0, 2.0], seed)))


@cache
def drawn_bottoms(seed, steps, batch=1):
    """(the mean of a batch of bottoms for every step and walk, their mean square). The mean of all bottoms is 0.

    In every step each of the 50 samples is drawn by as many walks, so that the mean square is met exactly.
    """
    rng = np.random.default_rng(seed)
    bottoms = rng.normal(size=50)
    bottoms -= bottoms.mean()
    shares = np.tile(np.arange(50), (steps, batch, RUNS // 50))
    return bottoms[rng.permuted(shares, axis=2)].sum(axis=1) / batch, np.mean(bottoms**2)


def walks(rates, bottoms, curvature):
    """The last places of ``RUNS`` walks from 0; the samples have one curvature and different bottoms."""
    drawn = iter(bottoms)
    return scheduled_walk(rates, lambda w: curvature * (w - next(drawn)), np.zeros(bottoms.shape[1]))


@claim("minibatch-jitter", samples=60, searched=40)
def a_fixed_rate_leaves_a_jitter(c, B, t, seed):
    bottoms, square = drawn_bottoms(seed, 64, B)
    left = np.mean(walks(np.full(t, c), bottoms[:t], 1.0) ** 2)
    limit = c * (square / B) / (2 - c)
    return [close(left, limit * (1 - (1 - c) ** (2 * t)), rel=0.1), less(left, 1.1 * limit)]


@claim("minibatch-jitter-shrinks", samples=60, searched=40)
def half_the_rate_leaves_less(c, seed):
    bottoms, _ = drawn_bottoms(seed, 64)
    return less(*(np.mean(walks(np.full(60, rate), bottoms, 1.0) ** 2) for rate in (c / 2, c)))


@claim("minibatch-fades", samples=3, searched=2)
def with_falling_rates_the_jitter_dies_out_also_when_curvatures_differ(p, k, seed):
    rng = np.random.default_rng(seed)
    curvatures, bottoms = np.array([1 - k, 1 + k]), np.array([-1.0, 1.0])
    w, seen = np.zeros(400), {}
    for t in range(2000):
        drawn = rng.integers(0, 2, len(w))
        w = w - 0.5 / (t + 1) ** p * curvatures[drawn] * (w - bottoms[drawn])
        seen[t] = w
    floor = np.mean(curvatures * bottoms) / np.mean(curvatures)
    early, late = (np.mean((seen[t] - floor) ** 2) for t in (99, 1999))
    return less(2 * late, early)


def scheduled(eta, p, steps):
    """The rates eta / (t + 1)**p. There must be some, and they must not grow."""
    if p < 0 or steps < 1:
        raise ValueError("p" if p < 0 else "steps")
    return eta * (np.arange(steps) + 1.0) ** -p


def along(rates):
    """The last place from 1 with these rates and the whole gradient of a curvature of 1."""
    return scheduled_walk(rates, lambda w: w, 1.0)


@claim("schedule-arrives")
def rates_with_an_infinite_sum_arrive(c, p, t):
    return less(along(scheduled(c, p, t)), (t + 1) ** -c)


@claim("schedule-stops-short")
def rates_with_a_finite_sum_stop_short(c, p, t):
    return less(np.exp(-c * p / (p - 1) / (1 - c)), along(scheduled(c, p, t)))


@claim("schedule-noise", samples=60, searched=40)
def the_noise_of_a_schedule_is_bounded(p, t, seed):
    """On flat ground there is noise only."""
    bottoms, square = drawn_bottoms(seed, 64)
    drawn = iter(bottoms)
    left = scheduled_walk(scheduled(1.0, p, t), lambda w: next(drawn), np.zeros(RUNS))
    return less(np.mean(left**2), square * (1 + 1 / (2 * p - 1)))


@claim("schedule-mean")
def the_harmonic_schedule_is_the_mean_of_the_bottoms(lambda_, t, seed):
    bottoms, _ = drawn_bottoms(seed, 204)
    last = walks(scheduled(1 / lambda_, 1.0, t), bottoms[:t, :5], lambda_)
    return close(last, bottoms[:t, :5].sum(axis=0) / t)


@claim("schedule-jitter", samples=60, searched=40)
def the_jitter_follows_the_rate(p, t, seed):
    bottoms, square = drawn_bottoms(seed, 64)
    rates = scheduled(1.0, p, t)
    return less(np.mean(walks(rates, bottoms[:t], 1.0) ** 2), 1.15 * rates[-1] * square)
