"""The walks of the claims: the rule of an optimizer and nothing around it, since a claim takes hundreds of them."""

import numpy as np


def walk(optimizer, gradient, start, steps):
    """The ``steps + 1`` places of ``optimizer`` from ``start`` (a number or an array) along ``gradient(w)``.

    As ``fumoto.training.descend``, without the checks of ``update`` (the tests compare them).
    """
    w = np.float64(start) if np.ndim(start) == 0 else np.array(start, float)
    state, places = [0 * w for _ in optimizer.state_names], [w]
    for _ in range(steps):
        w, *state = optimizer.rule(w, gradient(w), *state)
        optimizer.t += 1
        places.append(w)
    optimizer.state = dict(zip(optimizer.state_names, state, strict=True))
    return np.array(places)


def along(optimizer, gradients):
    """The places from 0 along these gradients, one after the other."""
    given = iter(gradients)
    return walk(optimizer, lambda w: next(given), np.zeros(np.shape(gradients)[1:]), len(gradients))
