"""Mistakes no table has: check() edits the learner's code in one place, runs it, and says where it went wrong."""

import inspect

import numpy as np
import pytest

from fumoto import check
from fumoto.checking.repairing.sources import editable, text_of


class Adam:
    """Right, but for what the methods below it change."""

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m, self.v, self.t = {}, {}, 0

    def start(self, params):
        self.m = {key: np.zeros_like(w) for key, w in params.items()}
        self.v = {key: np.zeros_like(w) for key, w in params.items()}

    def hats(self, key):
        return self.m[key] / (1 - self.beta1**self.t), self.v[key] / (1 - self.beta2**self.t)

    def moments(self, key, g):
        self.m[key] = self.beta1 * self.m[key] + (1 - self.beta1) * g
        self.v[key] = self.beta2 * self.v[key] + (1 - self.beta2) * g**2
        return self.hats(key)

    def update(self, params, grads):
        if not self.m:
            self.start(params)
        self.t += 1
        for key, g in grads.items():
            params[key] -= self.step(*self.moments(key, g))

    def step(self, mh, vh):
        return self.lr * mh / (np.sqrt(vh) + self.eps)


class AnotherVariable(Adam):
    def moments(self, key, g):
        self.m[key] = self.beta1 * self.m[key] + (1 - self.beta1) * g
        self.v[key] = self.beta2 * self.v[key] + (1 - self.beta2) * self.m[key] * g  # here
        return self.hats(key)

    def step(self, mh, vh):
        return super().step(mh, np.abs(vh))


class LostBracket(Adam):
    def step(self, mh, vh):
        return self.lr / (1 + mh) / (np.sqrt(vh) + self.eps)  # here


class Helped(Adam):
    """The mistake is in a function of its own."""

    def moments(self, key, g):
        self.m[key] = averaged(self.m[key], g, self.beta1)
        self.v[key] = averaged(self.v[key], g**2, self.beta2)
        return self.hats(key)


def averaged(old, new, beta):
    return beta * old + (1 - beta) * new / (1 + beta)  # here


def loops_forever_when_edited(gradient, x, learning_rate=0.1, n_iter=50):
    x, i = np.array(x, float), 0
    while i < n_iter:
        x = x - learning_rate * gradient(x) * np.exp(learning_rate)  # here
        i += 1
    return x


@pytest.mark.parametrize(
    ("thing", "method", "kind"),
    [
        (AnotherVariable, "Adam", "variable"),
        pytest.param(Helped, "Adam", "superfluous", marks=pytest.mark.build),
        (loops_forever_when_edited, "SGD", "superfluous"),
    ],
)
def test_the_place_of_the_mistake_is_said(thing, method, kind):
    report = check(thing, method)
    line = next(
        n
        for n, text in enumerate(inspect.getsource(inspect.getmodule(thing)).splitlines(), 1)
        if "# here" in text and n > inspect.getsourcelines(thing)[1]
    )
    assert (report.ok, report.variant, f"{line} 行目" in report.verdict) == (
        False,
        f"repair/{kind}",
        True,
    ), report


@pytest.mark.build
@pytest.mark.parametrize("thing", [LostBracket])
def test_what_no_single_edit_mends_stays_unknown(thing):
    report = check(thing, "Adam")
    assert (report.ok, report.variant) == (False, None), report


class WritesAFile(Adam):
    def update(self, params, grads):
        self.t += 1
        for key, g in grads.items():
            params[key] -= self.lr * g * np.exp(self.lr)
        np.save("weights.npy", g)


def test_code_that_does_more_than_compute_is_not_edited():
    assert editable(WritesAFile, text_of(WritesAFile)) == []
    assert editable(Helped, text_of(Helped)) != []
    assert {each.function.__qualname__ for each in editable(Helped, text_of(Helped))} >= {
        "Helped.moments",
        "averaged",
    }


def test_the_learners_functions_are_left_as_they_were():
    before = {f: f.__code__ for f in (Helped.moments, Helped.update, averaged)}
    check(Helped, "Adam")
    assert {f: f.__code__ for f in before} == before


def test_without_its_text_nothing_is_edited():
    names = {}
    exec(inspect.getsource(Adam) + inspect.getsource(averaged) + inspect.getsource(Helped), {"np": np}, names)
    names["Helped"].update.__globals__.update(names)
    assert check(names["Helped"], "Adam").variant is None
