"""The registry of claims, and the comparisons a claim is made of.

A claim function takes one sample of its domain, by name, and returns a ``Comparison`` or a list of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

CLAIMS = {}


@dataclass(frozen=True)
class Registered:
    """A claim function; how many random samples it gets and how many steps the search for a counterexample."""

    function: Callable[..., Any]
    samples: int
    searched: int


def claim(name, samples=200, searched=100):
    """Register a function as the check of the claim ``name`` of a page.

    A function that trains networks says ``samples=0, searched=0``: its corners and seeds are enough work.
    """

    def register(function):
        if name in CLAIMS:
            raise ValueError(f"two functions check the claim {name}")
        CLAIMS[name] = Registered(function, samples, searched)
        return function

    return register


@dataclass(frozen=True)
class Comparison:
    """One comparison. ``margin``: positive if it holds, and the larger the further from failing.

    ``spoiled``: the margin after one deliberate mistake, which must not be positive. ``sides``: what is compared, by
    ``signs``; they are put into words only where a claim fails.
    """

    signs: str
    sides: tuple[Any, ...]
    margin: float
    spoiled: float

    @property
    def said(self):
        return f" {self.signs} ".join(
            np.array2string(np.asarray(side), precision=4, threshold=6, edgeitems=2) for side in self.sides
        )


def less(small, large):
    """``small < large``, everywhere. The margin is a part of the larger of the two. Spoiled: the other way round."""
    return Comparison("<", (small, large), _lead(small, large), _lead(large, small))


def between(value, low, high):
    """``low < value < high``, everywhere. Spoiled: both bounds are moved by their distance."""
    width = np.subtract(high, low)
    return Comparison(
        "<",
        (low, value, high),
        _inside(value, low, high),
        _inside(value, np.add(low, width), np.add(high, width)),
    )


def close(actual, expected, rel=1e-9):
    """``actual`` is ``expected``, up to ``rel`` of its largest value. Spoiled: ``expected`` is wrong by a tenth of it."""
    scale = np.max(np.abs(expected)) or 1.0
    return Comparison(
        "=",
        (actual, expected),
        _inside(actual, expected - rel * scale, expected + rel * scale),
        _inside(actual, expected + (0.1 - rel) * scale, expected + (0.1 + rel) * scale),
    )


def equal(actual, expected):
    """``actual`` is exactly ``expected``. Spoiled: ``expected`` is one more."""
    same, other = (np.array_equal(actual, np.add(expected, more)) for more in (0, 1))
    return Comparison("==", (actual, expected), 1.0 if same else -1.0, 1.0 if other else -1.0)


def _lead(small, large):
    small, large = np.asarray(small, float), np.asarray(large, float)
    scale = np.maximum(np.abs(small), np.abs(large))
    with np.errstate(all="ignore"):
        lead = np.where(
            np.isinf(scale), np.sign(large - small), (large - small) / np.where(scale == 0, 1, scale)
        )
    return _smallest(lead)


def _inside(value, low, high):
    with np.errstate(all="ignore"):
        half = np.subtract(high, low) / 2
        return _smallest(1 - np.abs(np.subtract(value, low) - half) / half)


def _smallest(margins):
    smallest = np.min(margins)
    return -np.inf if np.isnan(smallest) else float(smallest)
