"""The registry of checks, and what every check needs."""

import numpy as np

CHECKS = {}


def close(actual, expected, rtol=1e-12, atol=1e-13):
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol)


def check(*labels):
    """Register a function as the check of these labels."""

    def register(function):
        for label in labels:
            assert label not in CHECKS, label
            CHECKS[label] = function
        return function

    return register


def draw(equation, rng, shape=(4,), **fixed):
    """Random values for the declared symbols of an equation, each from its domain."""
    values = {}
    for name, domain in equation.domain.items():
        if not domain.is_index:
            values[name] = fixed.get(name, domain.sample(rng, () if domain.integer else shape))
    return values


def difference(function, point, h=1e-6):
    """Central differences of a scalar function of an array."""
    slopes = np.zeros_like(point)
    for index in np.ndindex(point.shape):
        step = np.zeros_like(point)
        step[index] = h
        slopes[index] = (function(point + step) - function(point - step)) / (2 * h)
    return slopes
