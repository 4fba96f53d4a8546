"""Chapter 3: what Momentum does, beside gradient descent, on one direction of a quadratic function."""

import numpy as np

from claims.registry import claim, close, less
from fumoto.optimizers import SGD, Momentum


def velocities(optimizer, gradients):
    """The steps that the optimizer takes along these gradients."""
    params, places = {"w": np.zeros(1)}, [0.0]
    for gradient in gradients:
        optimizer.update(params, {"w": np.array([gradient])})
        places.append(params["w"].item())
    return np.diff(places)


def travel(optimizer, curvature=1.0, limit=4000):
    """The length of the way from 1 towards 0; infinite if it does not end."""
    params, length = {"w": np.ones(1)}, 0.0
    for _ in range(limit):
        before = params["w"].item()
        optimizer.update(params, {"w": curvature * params["w"]})
        length += abs(params["w"].item() - before)
        if abs(before) + abs(params["w"].item()) < 1e-9 * length or length > 1e9:
            break
    return length if length < 1e9 else np.inf


@claim("momentum-constant")
def a_constant_gradient_is_followed_faster(alpha, eta, g):
    steps = velocities(Momentum(eta, alpha), np.full(400, g))
    return close(steps[-1], -eta / (1 - alpha) * g, rel=1e-6)


@claim("momentum-alternating")
def an_alternating_gradient_is_followed_less(alpha, eta, g):
    steps = velocities(Momentum(eta, alpha), g * (-1.0) ** np.arange(401))
    return close(steps[-1], -eta / (1 + alpha) * g, rel=1e-6)


@claim("momentum-less-zigzag", samples=100, searched=60)
def the_way_is_shorter_above(alpha, c):
    eta = c * (1 + alpha)
    return less(travel(Momentum(eta, alpha)), travel(SGD(eta)))


@claim("momentum-more-zigzag", samples=100, searched=60)
def the_way_is_no_shorter_below(alpha, c):
    eta = c * (1 + alpha)
    return less(travel(SGD(eta)), travel(Momentum(eta, alpha)) * (1 + 1e-6))


def after(optimizer, steps, start=1e-9):
    """How far from the axis of the saddle, in parts of the start."""
    params = {"y": np.array([start])}
    for _ in range(steps):
        optimizer.update(params, {"y": -params["y"]})
    return params["y"].item() / start


@claim("saddle-sooner")
def momentum_leaves_the_saddle_faster_at_equal_rate(alpha, eta, t):
    return less(after(SGD(eta), t), after(Momentum(eta, alpha), t))


@claim("saddle-later")
def momentum_leaves_the_saddle_slower_at_equal_speed(alpha, eta, t):
    return less(after(Momentum(eta * (1 - alpha), alpha), t), after(SGD(eta), t))
