"""Chapter 10: what came after Adam: decoupled decay, schedules, clipping, Lion and Muon."""

from functools import cache

import numpy as np

from claims.registry import between, claim, close, less
from claims.walking import along, walk
from fumoto.clipping import clip
from fumoto.experiments import after_adam
from fumoto.experiments.protocol import learn
from fumoto.optimizers import SGD, Adam, AdamW, Lion, Muon, newton_schulz
from fumoto.schedules import Cosine, StepDecay
from fumoto.surfaces import ravine

# --- decoupled weight decay ---------------------------------------------------------------------------------


def swings(size, steps):
    """A gradient that changes its sign at every step."""
    return size * (-1.0) ** np.arange(steps)


def coupled(optimizer, decay, gradients, start=1.0):
    """The walk of an optimizer whose gradients have decay * w added."""
    given = iter(gradients)
    return walk(optimizer, lambda w: next(given) + decay * w, start, len(gradients))


def decoupled(optimizer, gradients, start=1.0):
    given = iter(gradients)
    return walk(optimizer, lambda w: next(given), start, len(gradients))


@claim("decay-sgd-same")
def for_sgd_both_decays_are_the_same(eta, lambda_, seed):
    gradients = np.random.default_rng(seed).normal(size=30)
    w, places = 1.0, [1.0]
    for g in gradients:
        w = (1 - eta * lambda_) * w - eta * g
        places.append(w)
    return close(coupled(SGD(eta), lambda_, gradients), places)


@claim("adam-l2-rate", samples=40, searched=30)
def what_adam_makes_of_l2_is_the_printed_rate(lambda_, q, w, beta_1, beta_2):
    eta = 1e-6 * w  # the weight stays where it is
    places = coupled(Adam(eta, beta_1, beta_2, eps=0.0), lambda_, swings(q, 500), w)
    shrunk = (places[300] - places[500]) / 200 / w
    return between(shrunk * np.hypot(q, lambda_ * w) / (eta * lambda_), 0.9738, 1.0262)


@claim("adam-l2-alone")
def without_a_gradient_the_strength_of_l2_does_not_matter(lambda_, eta, beta_1, beta_2):
    paths = [coupled(Adam(eta, beta_1, beta_2, eps=0.0), decay, np.zeros(20)) for decay in (lambda_, 1.0)]
    return close(*paths)


@claim("adamw-shrinks")
def of_adamw_the_distance_of_two_starts_shrinks_by_the_same_factor(eta, lambda_, beta_1, beta_2, q, seed):
    gradients = q * np.random.default_rng(seed).normal(size=30)
    first, second = (
        decoupled(AdamW(eta, beta_1, beta_2, weight_decay=lambda_), gradients, start) for start in (1.0, -0.5)
    )
    return close(first - second, 1.5 * (1 - eta * lambda_) ** np.arange(31))


@claim("decay-order", samples=40, searched=30)
def a_larger_gradient_is_decayed_less_by_l2(q, lambda_, eta):
    small, large = (coupled(Adam(eta), lambda_, swings(size, 300))[-1] for size in (1.0, q))
    return less(small, large)


@claim("adamw-any-size")
def the_decay_of_adamw_does_not_see_the_size_of_the_gradient(q, lambda_, eta, beta_1, beta_2):
    paths = [decoupled(AdamW(eta, beta_1, beta_2, 0.0, lambda_), swings(size, 30)) for size in (q, 1.0)]
    return close(*paths)


# --- schedules ----------------------------------------------------------------------------------------------


@claim("rate-step-sum")
def the_steps_of_a_falling_staircase_have_a_finite_sum(phi, eta, S, n):
    schedule = StepDecay(eta, S, phi)
    return close(sum(schedule(t) for t in range(n * S)), eta * S * (1 - phi**n) / (1 - phi))


@claim("rate-cosine-sum")
def half_a_period_of_the_cosine_is_half_of_the_constant(eta, T):
    return close(sum(map(Cosine(eta, T), range(T))), eta * (T + 1) / 2)


def spread(rates):
    """The mean square distance from the floor after these steps, from the floor, in a noise of 1; curvature 1."""
    square = 0.0
    for rate in rates:
        square = (1 - rate) ** 2 * square + rate**2
    return square


def cosine(c, steps):
    return c / 2 * (1 + np.cos(np.pi * np.arange(steps) / steps))


@claim("rate-noise")
def a_falling_rate_ends_nearer_to_the_floor(c, T):
    if c <= 0:
        raise ValueError("a rate")
    return less(spread(cosine(c, T)), spread(np.full(T, c)))


@claim("rate-longer", samples=100)
def twice_as_many_steps_end_nearer_to_the_floor(c, n):
    if c <= 0:
        raise ValueError("a rate")
    steps = int(np.ceil(n / c))
    return less(spread(cosine(c, 2 * steps)), spread(cosine(c, steps)))


@claim("rate-without-noise")
def without_noise_the_constant_rate_ends_nearer(c, T):
    if c <= 0:
        raise ValueError("a rate")
    # as logarithms: what is left after many steps is too small for a number
    constant, falling = (np.log(np.abs(1 - rates)).sum() for rates in (np.full(T, c), cosine(c, T)))
    return less(constant, falling)


@claim("adam-noise-rms", samples=60, searched=40)
def in_mere_noise_the_first_steps_of_adam_are_the_longest(beta_1, beta_2, sigma, eta, t, seed):
    if t < 1 or sigma <= 0:
        raise ValueError("a step, or a noise")
    noise = sigma * np.random.default_rng(seed).standard_normal((t, 1500))
    places = along(Adam(eta, beta_1, beta_2), noise)
    step = np.sqrt(np.mean((places[-1] - places[-2]) ** 2))
    expected = eta * np.sqrt((1 - beta_1) / (1 + beta_1) * (1 + beta_1**t) / (1 - beta_1**t))
    return between(step / expected, 0.92, 1.08)


# --- clipping -----------------------------------------------------------------------------------------------


def between_walls(eta, start, steps, limit=None):
    """The distances from the floor of cosh w."""

    def gradient(w):
        g = np.sinh(w)
        return g if limit is None else clip({"w": g}, limit)["w"]

    return np.abs(walk(SGD(eta), gradient, start, steps))


@claim("clip-explodes")
def beyond_the_limit_every_step_jumps_further(b, x):
    if x <= 0:
        raise ValueError("a start beside the floor")
    distances = between_walls(2 * b * x / np.sinh(x), x, 2)
    return less(distances[:-1], distances[1:])


@claim("clip-arrives", samples=100)
def clipped_steps_come_nearer_and_nearer(b, G, x):
    distances = between_walls(2 * b * np.arcsinh(G) / G, x, 40, limit=G)
    away = distances[:-1] > 1e-9
    if not away.any():  # it starts on the floor
        return close(distances, np.zeros(41))
    return less(distances[1:][away], distances[:-1][away])


@claim("clip-jumps")
def with_a_limit_too_large_the_floor_is_jumped_over_for_ever(b, G):
    eta = 2 * b * np.arcsinh(G) / G
    distances = between_walls(eta, eta * G / 2, 20, limit=G)
    return [less(np.arcsinh(G), distances), close(distances, np.full(21, eta * G / 2))]


# --- Lion ---------------------------------------------------------------------------------------------------


@claim("lion-step")
def every_weight_moves_by_the_rate(eta, beta_1, beta_2, seed):
    gradients = np.random.default_rng(seed).normal(size=(30, 4))
    return close(np.abs(np.diff(along(Lion(eta, beta_1, beta_2), gradients), axis=0)), np.full((30, 4), eta))


@claim("lion-scale")
def the_size_of_all_gradients_does_not_matter_to_lion(q, eta, beta_1, beta_2, seed):
    gradients = np.random.default_rng(seed).normal(size=(30, 4))
    return close(*(along(Lion(eta, beta_1, beta_2), scale * gradients) for scale in (q, 1.0)))


@claim("lion-box")
def the_decay_of_lion_bounds_the_weights(b, lambda_, beta_1, beta_2, seed):
    rng = np.random.default_rng(seed)
    given = iter(rng.normal(size=(60, 50)))
    optimizer = Lion(b / lambda_, beta_1, beta_2, lambda_)
    places = walk(optimizer, lambda w: next(given), rng.uniform(-1, 1, 50) / lambda_, 60)
    return less(np.abs(places) * lambda_, 1 + 1e-9)


@claim("adamw-off-the-floor", samples=20, searched=20)
def decay_keeps_adamw_from_the_floor_of_the_ravine(lambda_, eta):
    places = (
        walk(AdamW(eta, weight_decay=decay), ravine.gradient, ravine.start, 300) for decay in (0, lambda_)
    )
    return less(*(np.linalg.norm(path[-1] - ravine.minimum) for path in places))


# --- Muon ---------------------------------------------------------------------------------------------------


def quintic(sigma):
    """eq-muon-sigma."""
    return 3.4445 * sigma - 4.7750 * sigma**3 + 2.0315 * sigma**5


@claim("muon-singular", samples=100, searched=50)
def the_iteration_changes_the_singular_values_only(n, m, k, seed):
    if n < 1 or m < 1 or k < 0:
        raise ValueError("a matrix and a number of iterations")
    u = np.random.default_rng(seed).normal(size=(n, m))
    left, sigma, right = np.linalg.svd(u, full_matrices=False)
    sigma = sigma / np.linalg.norm(u)
    for _ in range(k):
        sigma = quintic(sigma)
    return close(newton_schulz(u, k), left @ np.diag(sigma) @ right)


@claim("muon-range")
def five_iterations_bring_singular_values_near_1(sigma):
    if sigma > 1:
        raise ValueError("no singular value is larger than the length")
    after = newton_schulz(np.diag([sigma, np.sqrt(1 - sigma**2)]))[0, 0]  # a matrix of length 1
    return between(after, 0.68, 1.21)


@claim("muon-scale", samples=100, searched=50)
def the_size_of_all_gradients_does_not_matter_to_muon(q, alpha, eta, seed):
    if q <= 0:
        raise ValueError("a positive factor")
    gradients = np.random.default_rng(seed).normal(size=(8, 3, 2))
    return close(*(along(Muon(eta, alpha), scale * gradients) for scale in (q, 1.0)))


# --- MNIST --------------------------------------------------------------------------------------------------


@cache
def chosen():
    return {name: found.setting for name, found in after_adam.tuned_methods(processes=1).items()}


def losses(name, seed):
    return learn(*chosen()[name].job(seed, after_adam.STEPS, test=True)).losses


def at_the_same_step(seed):
    return less(*(after_adam.loss_after(losses(name, seed), after_adam.STEPS) for name in ("Muon", "Adam")))


def after_half_the_steps(seed):
    """The mean losses of Adam, and of Muon after half the steps, over the five seeds from ``seed`` on."""
    seeds = range(seed, seed + 5)
    muon, adam = (np.array([losses(name, one) for one in seeds]) for name in ("Muon", "Adam"))
    half = after_adam.loss_after(muon, after_adam.STEPS // 2)
    return less(after_adam.loss_after(adam, after_adam.STEPS).mean(), half.mean())


@claim("new-muon", samples=0, searched=0)
def at_the_same_step_the_loss_of_muon_is_below_that_of_adam(seed):
    return at_the_same_step(seed)


@claim("new-half", samples=0, searched=0)
def after_half_the_steps_the_mean_loss_of_muon_is_above_that_of_adam(seed):
    return after_half_the_steps(seed)


@claim("new-summary", samples=0, searched=0)
def muon_leads_at_the_same_step_and_not_at_the_same_work(seed):
    return [*map(at_the_same_step, range(seed, seed + 5)), after_half_the_steps(seed)]
