"""The problems of check() tell every two mistakes apart, and settings that hide one are said to."""

from itertools import combinations

import numpy as np
import pytest

from checking.learners import SETTINGS, learner
from fumoto import check, optimizers
from fumoto.checking.computing.comparison import close
from fumoto.checking.computing.problems import PROBLEMS, make_problem
from fumoto.printed import METHODS, PrintedOptimizer, read, variants

BOOK = read()


def test_a_mistake_that_these_settings_hide_is_found_with_others():
    no_lr = learner(
        "r = self.decay_rate\n"
        "self.h[key] = r * self.h[key] + (1 - r) * g**2\n"
        "d = g * np.sqrt((self.u[key] + self.eps) / (self.h[key] + self.eps))\n"
        "self.u[key] = r * self.u[key] + (1 - r) * d * d\n"
        "params[key] -= d"
    )
    report = check(no_lr, "AdaDelta", **SETTINGS["AdaDelta"])  # with lr = 1 alone nobody could tell
    assert (report.ok, report.equation) == (False, "eq-adadelta-w")
    assert "渡された引数ではたまたま式と同じ動きです" in str(report)
    assert not check(no_lr, "AdaDelta", **{**SETTINGS["AdaDelta"], "lr": 0.5})


def test_settings_that_hide_a_mistake_are_said_to():
    class Fixed(optimizers.Momentum):  # runs with these values only
        def __init__(self, lr, momentum):
            if (lr, momentum) != (1.0, 0.5):
                raise ValueError(lr, momentum)
            super().__init__(lr=lr, momentum=momentum)

    report = check(Fixed, "Momentum", lr=1.0, momentum=0.5)
    assert report.ok
    assert "見分けられない間違いがあります: eq-momentum-v の" in str(report)
    assert "見分けられない" not in str(check(optimizers.Momentum, "Momentum", lr=1.0, momentum=0.5))
    assert "見分けられない" not in str(check(optimizers.Adam, "Adam", **SETTINGS["Adam"]))


@pytest.mark.parametrize("name", METHODS)
def test_the_problems_of_check_separate_every_pair_of_mistakes(name):
    """Two mistakes that no problem of check() tells apart are the same mistake: equal on other problems too."""
    settings = {**SETTINGS[name], "lr": 0.03}
    found = {v.id: v for label in METHODS[name].labels for v in variants(BOOK[label])}
    paths = {key: trajectory(name, settings, v, PROBLEMS) for key, v in found.items()}
    paths = {key: path for key, path in paths.items() if path is not None}
    assert len(paths) >= len(found) - 4  # a few need values the method does not have
    twins = [pair for pair in combinations(paths, 2) if same(paths[pair[0]], paths[pair[1]])]
    others = [make_problem({"a": (3,), "b": (3,)}, np.float64, seed) for seed in (10, 11)]
    for first, second in twins:
        a, b = (trajectory(name, settings, found[key], others) for key in (first, second))
        assert same(a, b), (first, second)


def trajectory(name, settings, variant, problems):
    """Parameters and state after every step, or None when the mistake uses a value the method has not."""
    optimizer, path = None, []
    with np.errstate(all="ignore"):
        for problem in problems:
            equations = {**BOOK, variant.equation.label: variant.equation}
            optimizer = PrintedOptimizer(METHODS[name], equations, **settings)
            params = {key: w.copy() for key, w in problem.start.items()}
            for grads in problem.gradients:
                try:
                    optimizer.update(params, grads)
                except KeyError:
                    return None
                path.extend(w.copy() for w in params.values())
                path.extend(optimizer.state[s][k].copy() for s in optimizer.state for k in params)
    return path


def same(first, second):
    """Whether check() itself would take the two for the same."""
    pairs = zip(first, second, strict=True) if len(first) == len(second) else [(0.0, 1.0)]
    return all(close(a, b, 1e-4 if np.asarray(a).dtype == np.float32 else 1e-9) for a, b in pairs)
