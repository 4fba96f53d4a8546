"""The tests can fail: every mistake in every equation is put in place of the page's and must be caught."""

import warnings

import numpy as np

from equation_checks.registry import CHECKS
from fumoto.printed import variants
from fumoto.printed.equation import replaced
from fumoto.printed.pages import book


class Spoiled:
    """An equation that ignores symbols it has lost, so that numbers decide and not a TypeError."""

    def __init__(self, equation):
        self.equation = equation

    def __getattr__(self, name):
        return getattr(self.equation, name)

    def evaluate(self, **values):
        return self.equation.evaluate(**{name: values[name] for name in self.symbols})


def survives(variant):
    """Whether the book with this mistake in it would still pass."""
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        try:
            CHECKS[variant.equation.label](replaced(book(), Spoiled(variant.equation)))
        except (AssertionError, ValueError, OverflowError, KeyError):  # KeyError: a value not yet computed
            return False
    return True


def survivors(label):
    """(the mistakes in this equation that are not caught, how many there are in all)."""
    found = variants(book()[label])
    return [v for v in found if survives(v)], len(found)
