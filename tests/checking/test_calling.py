"""check() takes every correct style, and never lets an error of a learner's code through."""

import sys
import time
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

from checking.learners import SETTINGS, learner
from fumoto import check, mistakes, optimizers
from fumoto.printed.methods import EVERY_METHOD

# --- correct, in many styles ------------------------------------------------------------------------------


@dataclass
class DataclassMomentum:
    lr: float
    momentum: float
    v: dict = field(default_factory=dict)

    def update(self, params, grads):
        for key, g in grads.items():
            self.v[key] = self.momentum * self.v.get(key, 0) - self.lr * g
            params[key] += self.v[key]


def closure_sgd(lr):
    class Closure:
        def update(self, params, grads):
            for key in params:
                params[key] -= lr * grads[key]

    return Closure()


class OutAdaGrad:
    def __init__(self, lr, eps):
        self.lr, self.eps, self.h = lr, eps, None

    def update(self, params, grads):
        if self.h is None:
            self.h = {key: np.zeros_like(w) for key, w in params.items()}
        for key, w in params.items():
            np.add(self.h[key], grads[key] ** 2, out=self.h[key])
            np.subtract(w, self.lr * grads[key] / (np.sqrt(self.h[key]) + self.eps), out=w)


class FlatMomentum:
    """Vectorised over one flat array."""

    def __init__(self, lr, momentum):
        self.lr, self.momentum, self.flat = lr, momentum, 0.0

    def update(self, params, grads):
        g = np.concatenate([np.ravel(grads[key]) for key in params])
        self.flat = self.momentum * self.flat - self.lr * g
        position = 0
        for w in params.values():
            w += self.flat[position : position + w.size].reshape(w.shape)
            position += w.size


DLFS_ADAM = learner(
    "self.m[key] += (1 - self.beta1) * (g - self.m[key])\n"
    "self.v[key] += (1 - self.beta2) * (g**2 - self.v[key])\n"
    "params[key] -= lr_t * self.m[key] / (np.sqrt(self.v[key]) + self.eps)",
    before="self.iter += 1; lr_t = self.lr * np.sqrt(1 - self.beta2**self.iter) / (1 - self.beta1**self.iter)",
)
CORRECT = {
    "ours": [(name, getattr(optimizers, name)) for name in EVERY_METHOD],
    "styles": [
        ("SGD", closure_sgd),
        ("SGD", lambda lr: optimizers.SGD(lr=lr)),
        ("SGD", learner("params[key] = params[key] - self.lr * g")),
        ("Momentum", DataclassMomentum),
        ("Momentum", FlatMomentum),
        ("Momentum", learner("self.v[key] = self.momentum * self.v[key] + g\nparams[key] -= self.lr * self.v[key]")),
        ("Nesterov", learner(
            "old = self.v[key].copy()\n"
            "self.v[key] = self.momentum * old - self.lr * g\n"
            "params[key] += -self.momentum * old + (1 + self.momentum) * self.v[key]"
        )),
        ("Nesterov", learner(
            "params[key] += self.momentum**2 * self.v[key] - (1 + self.momentum) * self.lr * g\n"
            "self.v[key] = self.momentum * self.v[key] - self.lr * g"
        )),
        ("AdaGrad", OutAdaGrad),
        ("RMSProp", learner(
            "self.h[key] += (1 - self.decay_rate) * (g * g - self.h[key])\n"
            "params[key] -= self.lr / (self.h[key] ** 0.5 + self.eps) * g"
        )),
        ("AdaDelta", learner(
            "r = self.decay_rate\n"
            "self.h[key] = r * self.h[key] + (1 - r) * g**2\n"
            "d = g * np.sqrt((self.u[key] + self.eps) / (self.h[key] + self.eps))\n"
            "self.u[key] = r * self.u[key] + (1 - r) * d * d\n"
            "params[key] -= self.lr * d"
        )),
        ("Muon", learner(
            "self.m[key] = self.momentum * self.m[key] + g\n"
            "step = newton_schulz(g + self.momentum * self.m[key]) * max(1, g.shape[0] / g.shape[1]) ** 0.5\n"
            "params[key] = (1 - self.lr * self.weight_decay) * params[key] - self.lr * step"
        )),
        ("Adam", DLFS_ADAM),
        ("Adam", learner(
            "self.m[key] = self.beta1 * self.m[key] + (1 - self.beta1) * g\n"
            "self.v[key] = self.beta2 * self.v[key] + (1 - self.beta2) * np.square(g)\n"
            "c1, c2 = 1 - self.beta1**self.iter, 1 - self.beta2**self.iter\n"
            "params[key] -= self.lr / c1 * self.m[key] / (np.sqrt(self.v[key]) / np.sqrt(c2) + self.eps)",
            before="self.iter += 1",
        )),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("name", "make"), CORRECT["ours"] + CORRECT["styles"])
def test_a_correct_implementation_is_accepted(name, make):
    report = check(make, name, **SETTINGS[name])
    assert report.ok, str(report)
    assert str(report).startswith("一致")
    assert f"{len(SETTINGS[name])}" and "60 ステップ" in str(report)
    assert (report.equation, report.step) == (None, None)


def test_the_lr_t_form_of_adam_is_named_as_a_convention():
    assert "学習率にまとめた形" in str(check(DLFS_ADAM, "Adam", **SETTINGS["Adam"]))


# --- code that does not run -------------------------------------------------------------------------------


def with_update(function):
    return lambda lr: type("Learner", (), {"update": function})()


BROKEN = {
    "raises": (lambda self, p, g: 1 / 0, "1 ステップ目の update で ZeroDivisionError が起きました"),
    "writes to grads": (
        lambda self, p, g: [g[k].__imul__(0.1) for k in p],
        "1 ステップ目に grads を書き換えました",
    ),
    "adds a key": (lambda self, p, g: p.update(extra=np.ones(1)), "params のキーが変わりました"),
    "changes a shape": (lambda self, p, g: p.update({k: np.ones((7, 7)) for k in p}), "形が変わりました"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_code_that_does_not_run_gets_its_own_sentence(kind):
    function, sentence = BROKEN[kind]
    report = check(with_update(function), "SGD", lr=0.1)
    assert not report.ok
    assert sentence in str(report)
    assert "Traceback" not in str(report)


@pytest.mark.parametrize(
    "state", ["None", "3", "{'v': 'text'}", "{'v': {'W': object(), 'only': np.ones(9)}}"]
)
def test_whatever_a_reader_keeps_as_state_is_no_error(state):
    kept = eval(state)

    def make(**hyperparameters):
        inner, odd = mistakes.NotesMomentum(**hyperparameters), SimpleNamespace()
        odd.state = odd.v = kept
        odd.update = inner.update
        return odd

    assert check(make, "Momentum", **SETTINGS["Momentum"]).equation == "eq-momentum-w"


def test_arguments_that_are_no_finite_numbers_are_misuse():
    with pytest.raises(ValueError, match="lr は有限の数"):
        check(optimizers.SGD, "SGD", lr=float("nan"))


@pytest.mark.parametrize("name", ["lr", "eps", "momentum"])
def test_arguments_out_of_their_range_are_misuse(name):
    method = {"lr": "SGD", "eps": "Adam", "momentum": "Momentum"}[name]
    with pytest.raises(ValueError, match=f"{name} は"):
        check(getattr(optimizers, method), method, **{**SETTINGS[method], name: -0.1})


@pytest.mark.parametrize("name", [["SGD"], {"SGD": 1}, 3])
def test_a_name_that_is_no_string_is_misuse(name):
    with pytest.raises(ValueError, match=r"name は .*のどれか"):
        check(optimizers.SGD, name, lr=0.1)


class RaisingProperty:
    def __init__(self, lr):
        pass

    @property
    def update(self):
        raise RuntimeError("まだ")


def test_an_update_that_cannot_be_looked_up_gets_its_own_sentence():
    report = check(RaisingProperty, "SGD", lr=0.1)
    assert "update を調べるとき で RuntimeError が起きました: まだ" in str(report)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (lambda w: w + 0j, "dtype=complex128"),
        (lambda w: w.astype(object), "dtype=object"),
        (lambda w: [[1.0], [1.0, 2.0]], "list"),
        (lambda w: None, "dtype=object"),
        (lambda w: w > 0, "dtype=bool"),
    ],
)
def test_a_parameter_replaced_by_no_real_array_gets_its_own_sentence(value, said):
    report = check(with_update(lambda self, p, g: p.update({k: value(p[k]) for k in p})), "SGD", lr=0.1)
    assert not report.ok
    assert f"1 ステップ目に params['W'] が実数の配列でなくなりました({said})。" in str(report)


def test_other_ways_not_to_run():
    assert "update(params, grads) というメソッドがありません" in str(check(lambda: None, "SGD", lr=0.1))
    assert "update(params, grads) というメソッドがありません" in str(
        check(lambda lr: object(), "SGD", lr=0.1)
    )
    once = optimizers.SGD(lr=0.1)
    assert "呼ばれるたびに新しく作ってください" in str(check(lambda lr: once, "SGD", lr=0.1))
    quits = with_update(lambda self, p, g: sys.exit("さようなら"))
    assert "SystemExit で Python を終わらせようとしました" in str(check(quits, "SGD", lr=0.1))
    nan = learner("params[key] -= self.lr * g / 0.0")
    assert "1 ステップ目に nan か inf" in str(check(nan, "SGD", lr=0.1))


def test_replacing_arrays_is_accepted_and_mentioned():
    report = check(learner("params[key] = params[key] - self.lr * g"), "SGD", lr=0.1)
    assert report.ok
    assert "差し替えています" in str(report)


def test_code_that_hangs_is_stopped(monkeypatch):
    monkeypatch.setattr("fumoto.checking.calling.safety.SECONDS", 0.3)
    report = check(with_update(lambda self, p, g: time.sleep(2)), "SGD", lr=0.1)
    assert "待っても終わりません" in str(report)


def test_misuse_is_an_error():
    with pytest.raises(ValueError, match=r"name は .*'adagrado'"):
        check(optimizers.Adam, "adagrado", lr=0.1)
    with pytest.raises(TypeError, match=r"SGD の引数は \['lr'\].*'rate'"):
        check(optimizers.SGD, "SGD", rate=0.1)


def test_a_shared_state_and_a_mutated_gradient_have_names():
    class Shared:
        def __init__(self, lr, momentum):
            self.lr, self.momentum, self.v = lr, momentum, 0.0

        def update(self, params, grads):
            for key in params:
                self.v = self.momentum * self.v - self.lr * grads[key]
                params[key] += self.v

    report = check(Shared, "Momentum", **SETTINGS["Momentum"])
    assert (report.ok, report.variant) == (False, "loop/shared-state")
    assert "使い回しています" in str(report)
    mutated = check(learner("g *= self.lr\nparams[key] -= g"), "SGD", lr=0.1)
    assert (mutated.ok, mutated.variant) == (False, "loop/gradient-mutated")


def test_code_that_cannot_walk_a_scalar_is_checked_without_it_and_told_so():
    def update(self, params, grads):
        for key, w in params.items():
            for i in range(len(w)):  # fails on a parameter without axes
                w[i] -= 0.1 * grads[key][i]

    report = check(with_update(update), "SGD", lr=0.1)
    assert report.ok
    assert "0 次元の配列では走らなかった" in str(report)
    assert "1 ステップ目の update で TypeError" in str(report)
