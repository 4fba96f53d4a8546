"""Chapter 10: what came after Adam: decoupled decay, schedules, clipping, Lion and Muon."""

import numpy as np

from claims.registry import between, claim, close, less
from claims.walking import walk
from fumoto.optimizers import SGD, Adam, AdamW

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
