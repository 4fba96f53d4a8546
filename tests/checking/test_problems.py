"""What each problem of check() is there to show: shared state, kept gradients, widened weights, odd shapes, rounding."""

from typing import ClassVar

import numpy as np
import pytest

from checking.learners import SETTINGS, learner
from fumoto import check
from fumoto.checking.computing.measurements import last_move, response
from fumoto.checking.computing.problems import LATE, MEASURED, STEPS, Trajectory

MOMENTUM = "self.v[key] = self.momentum * self.v[key] - self.lr * g\nparams[key] += self.v[key]"
RIGHT = {  # correct forms, each of which rounds in its own way
    ("Momentum", "as printed"): MOMENTUM,
    ("Momentum", "no velocity"): (
        "old = self.m.get(('old', key), params[key].copy())\n"
        "self.m['old', key] = params[key].copy()\n"
        "params[key] += self.momentum * (params[key] - old) - self.lr * g"
    ),
    ("Momentum", "velocity in float32"): (
        "self.v[key] = (self.momentum * self.v[key] - self.lr * g).astype(np.float32)\nparams[key] += self.v[key]"
    ),
    ("Nesterov", "step, then extrapolate"): (
        "before = self.m.get(('x', key), params[key].copy())\n"
        "after = params[key] - self.lr * g\n"
        "params[key][...] = after + self.momentum * (after - before)\n"
        "self.m['x', key] = after"
    ),
}


@pytest.mark.parametrize("momentum", [0.0, 0.9, 0.999])
@pytest.mark.parametrize("lr", [1e-6, 1e-3, 0.3, 10.0])
@pytest.mark.parametrize("form", RIGHT, ids=str)
def test_no_rate_makes_a_correct_form_look_wrong(form, lr, momentum):
    report = check(learner(RIGHT[form]), form[0], lr=lr, momentum=momentum)
    assert report.ok, str(report)


@pytest.mark.parametrize("lr", [1e-5, 1e-2, 1.0])
def test_a_slip_of_one_in_a_hundred_thousand_is_not_rounding(lr):
    body = MOMENTUM.replace("self.lr * g", "self.lr * (1 + 1e-5) * g")
    report = check(learner(body), "Momentum", lr=lr, momentum=0.9)
    assert not report.ok
    assert "1.00001 倍" in report.verdict


class Shared:
    v: ClassVar[dict] = {}

    def __init__(self, lr, momentum):
        self.lr, self.momentum = lr, momentum

    def update(self, params, grads):
        for key in params:
            self.v[key] = self.momentum * self.v.get(key, 0.0) - self.lr * grads[key]
            params[key] += self.v[key]


def test_a_state_of_the_class_is_named():
    report = check(Shared, "Momentum", lr=0.1, momentum=0.9)
    assert (report.ok, report.variant) == (False, "loop/shared-between-instances")


class Kept(Shared):
    def __init__(self, lr, momentum):
        super().__init__(lr, momentum)
        self.v = {}

    def update(self, params, grads):
        for key in params:
            old = self.v.get(key)
            velocity = -self.lr * grads[key] if old is None else self.momentum * old - self.lr * grads[key]
            params[key] += velocity
            self.v[key] = velocity if old is not None else np.multiply(grads[key], -self.lr, out=None)


class KeepsGradients(Kept):
    """Averages the last two gradients, and keeps the array instead of a copy."""

    def update(self, params, grads):
        for key in params:
            last = self.v.get(key, grads[key])
            params[key] -= self.lr * (last + grads[key]) / 2
            self.v[key] = grads[key]


def test_a_gradient_that_is_kept_instead_of_copied_is_named_and_a_copy_is_not():
    assert check(Kept, "Momentum", lr=0.1, momentum=0.9).ok
    report = check(KeepsGradients, "Momentum", lr=0.1, momentum=0.9)
    assert (report.ok, report.variant) == (False, "loop/gradient-kept")

    class Copies(KeepsGradients):
        def update(self, params, grads):
            super().update(params, {key: g.copy() for key, g in grads.items()})

    assert check(Copies, "Momentum", lr=0.1, momentum=0.9).variant != "loop/gradient-kept"


def test_weights_that_become_float64_are_named_unless_the_step_is_float64_too():
    widened = learner("params[key] = params[key].astype(np.float64) - self.lr * g")
    report = check(widened, "SGD", lr=0.1)
    assert (report.ok, report.variant) == (False, "loop/float64")
    computed = learner("params[key] = params[key] - np.float64(self.lr) * g")
    report = check(computed, "SGD", lr=0.1)
    assert report.ok
    assert "float64 になりました" in str(report)


def test_a_transposed_matrix_that_ravel_copies_is_named():
    body = "flat = params[key].ravel()\nflat -= self.lr * g.ravel()"
    report = check(learner(body), "SGD", lr=0.1)
    assert (report.ok, report.variant) == (False, "keys/still")
    assert "メモリーに続けて並んでいない重み" in report.verdict
    assert check(learner("params[key].flat = params[key].ravel() - self.lr * g.ravel()"), "SGD", lr=0.1).ok


def test_nan_everywhere_is_no_evidence():
    report = check(learner("params[key] -= self.lr * g * np.nan"), "SGD", lr=0.1)
    assert (report.ok, report.variant) == (False, None)
    assert str(report).startswith("不一致: 原因は分かりませんでした")


def test_what_is_written_in_is_said_and_accepted_but_a_factor_that_is_missing_is_not():
    body = "self.h[key] += g**2\nparams[key] -= self.lr * g / (np.sqrt(self.h[key]) + 1e-7)"
    report = check(learner(body), "AdaGrad", **SETTINGS["AdaGrad"])
    assert report.ok
    assert "eps は、渡しても使われず" in report.verdict
    report = check(learner("params[key] -= g"), "SGD", lr=1.0)
    assert (report.ok, report.equation) == (False, "eq-sgd-w")


def walked(step):
    """The path of a rule ``step(g, t) -> change`` on the measuring problem."""
    params, history = {key: w.copy() for key, w in MEASURED.start.items()}, []
    state = {key: np.zeros(2) for key in params}
    for t, grads in enumerate(MEASURED.gradients):
        for key in params:
            state[key] = step(state[key], grads[key], t)
            params[key] = params[key] + state[key]
        history.append(params.copy())
    return Trajectory(MEASURED, history, {}, ())


def test_an_impulse_shows_the_momentum_and_the_dampening():
    found = response([walked(lambda v, g, t: 0.5 * v - 0.1 * g * (1.0 if t == 0 else 0.75))])
    assert found.ratio == pytest.approx(0.5)
    assert found.dampening == pytest.approx(0.25)
    assert found.scaling == pytest.approx(10.0)
    assert response([walked(lambda v, g, t: -0.1 * np.sign(g))]).scaling == pytest.approx(1.0)


def test_the_last_step_that_moves_is_found():
    assert last_move([walked(lambda v, g, t: -0.1 * g if t < 30 else 0 * g)]) == 30
    assert last_move([walked(lambda v, g, t: -0.1 * g)]) == 0
    assert last_move([walked(lambda v, g, t: 0 * g)]) == -1
    assert LATE < STEPS
