"""check(): names a learner's mistake, accepts every correct style, and never lets an error through."""

import sys
import time
from dataclasses import dataclass, field
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest

from fumoto import check, mistakes, optimizers
from fumoto.checking.optimizer import _RTOL, _close
from fumoto.checking.problems import PROBLEMS, make_problem
from fumoto.equations import read
from fumoto.methods import METHODS, PrintedOptimizer
from fumoto.variants import variants

BOOK = read()
SETTINGS = {
    "SGD": {"lr": 0.1},
    "Momentum": {"lr": 0.1, "momentum": 0.9},
    "Nesterov": {"lr": 0.1, "momentum": 0.9},
    "AdaGrad": {"lr": 0.1, "eps": 1e-7},
    "RMSProp": {"lr": 0.1, "decay_rate": 0.9, "eps": 1e-7},
    "AdaDelta": {"lr": 1.0, "decay_rate": 0.9, "eps": 1e-6},
    "Adam": {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
}


def learner(body, before=""):
    """A learner's optimizer: `body` is what stands inside the loop over the keys."""
    source = (
        "class Learner:\n"
        "    def __init__(self, **hyperparameters):\n"
        "        self.__dict__.update(hyperparameters)\n"
        "        self.iter = 0\n"
        "        self.h, self.u, self.v, self.m = {}, {}, {}, {}\n"
        "    def update(self, params, grads):\n"
        f"        {before or 'pass'}\n"
        "        for key in params:\n"
        "            for state in (self.h, self.u, self.v, self.m):\n"
        "                state.setdefault(key, np.zeros_like(params[key]))\n"
        "            g = grads[key]\n" + "".join(f"            {line}\n" for line in body.split("\n"))
    )
    namespace = {"np": np}
    exec(source, namespace)
    return namespace["Learner"]


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
    "ours": [(name, getattr(optimizers, name)) for name in METHODS],
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


# --- wrong, as learners write it --------------------------------------------------------------------------

ADAM_M = "self.m[key] = self.beta1 * self.m[key] + (1 - self.beta1) * g\n"
ADAM_V = "self.v[key] = self.beta2 * self.v[key] + (1 - self.beta2) * g**2\n"
ADAM_HATS = "mh = self.m[key] / (1 - self.beta1**self.iter)\nvh = self.v[key] / (1 - self.beta2**self.iter)\n"
ADAM_W = "params[key] -= self.lr * mh / (np.sqrt(vh) + self.eps)"
RMS_H = "self.h[key] = self.decay_rate * self.h[key] + (1 - self.decay_rate) * g**2\n"
COUNT = "self.iter += 1"

PLANTED = [  # method, what stands in the loop, what stands before it, the equation that should be named
    ("SGD", "params[key] += self.lr * g", "", "eq-sgd-w"),
    ("SGD", "params[key] -= self.lr - g", "", "eq-sgd-w"),
    ("SGD", "params[key] -= g", "", "eq-sgd-w"),
    ("SGD", "params[key] -= self.lr", "", "eq-sgd-w"),
    ("SGD", "params[key] -= self.lr + g", "", "eq-sgd-w"),
    ("SGD", "params[key][...] = -self.lr * g", "", "eq-sgd-w"),
    ("Momentum", "self.v[key] = self.momentum * self.v[key] - self.lr * g\nparams[key] -= self.v[key]", "", "eq-momentum-w"),
    ("Momentum", "self.v[key] = self.momentum * self.v[key] + self.lr * g\nparams[key] += self.v[key]", "", "eq-momentum-v"),
    ("Momentum", "params[key] += self.v[key]\nself.v[key] = self.momentum * self.v[key] - self.lr * g", "", "eq-momentum-w"),
    ("Momentum", "self.v[key] = -self.lr * g\nparams[key] += self.v[key]", "", "eq-momentum-v"),
    ("Momentum", "self.v[key] = self.v[key] - self.lr * g\nparams[key] += self.v[key]", "", "eq-momentum-v"),
    ("Momentum", "self.v[key] = self.momentum * self.v[key] - g\nparams[key] += self.v[key]", "", "eq-momentum-v"),
    ("Momentum", "self.v[key] = self.lr * self.v[key] - self.momentum * g\nparams[key] += self.v[key]", "", "eq-momentum-v"),
    ("Nesterov", "self.v[key] = self.momentum * self.v[key] - self.lr * g\nparams[key] += self.v[key]", "", None),
    ("Nesterov", "self.v[key] = self.momentum * self.v[key] - self.lr * g\nparams[key] += self.momentum * self.v[key] + self.lr * g", "", "eq-nesterov-w"),
    ("Nesterov", "self.v[key] = self.momentum * self.v[key] - self.lr * g\nparams[key] += self.v[key] - self.lr * g", "", "eq-nesterov-w"),
    ("Nesterov", "self.v[key] = self.momentum * self.v[key] - self.lr * g\nparams[key] += self.momentum * self.v[key]", "", "eq-nesterov-w"),
    ("Nesterov", "self.v[key] = self.momentum * self.v[key] - self.lr * g\nparams[key] += self.momentum**2 * self.v[key] - (1 + self.momentum) * self.lr * g", "", "eq-nesterov-expanded"),
    ("AdaGrad", "self.h[key] += g**2\nparams[key] -= self.lr / (np.sqrt(self.h[key]) + self.eps)", "", "eq-adagrad-w"),
    ("AdaGrad", "self.h[key] += g**2\nparams[key] -= self.lr * g / np.sqrt(self.h[key] + self.eps)", "", "eq-adagrad-w"),
    ("AdaGrad", "self.h[key] += g**2\nparams[key] -= self.lr * g / np.sqrt(self.h[key])", "", "eq-adagrad-w"),
    ("AdaGrad", "self.h[key] += g\nparams[key] -= self.lr * g / (np.sqrt(np.abs(self.h[key])) + self.eps)", "", None),
    ("AdaGrad", "self.h[key] = g**2\nparams[key] -= self.lr * g / (np.sqrt(self.h[key]) + self.eps)", "", "eq-adagrad-h"),
    ("AdaGrad", "self.h[key] += g**2\nparams[key] -= self.lr * g / (self.h[key] + self.eps)", "", "eq-adagrad-w"),
    ("AdaGrad", "self.h[key] += g**2\nparams[key] += self.lr * g / (np.sqrt(self.h[key]) + self.eps)", "", "eq-adagrad-w"),
    ("AdaGrad", "params[key] -= self.lr * g / (np.sqrt(self.h[key]) + self.eps)\nself.h[key] += g**2", "", "eq-adagrad-w"),
    ("RMSProp", "self.h[key] = self.decay_rate * self.h[key] + g**2\nparams[key] -= self.lr * g / (np.sqrt(self.h[key]) + self.eps)", "", "eq-rmsprop-h"),
    ("RMSProp", "self.h[key] = (1 - self.decay_rate) * g**2\nparams[key] -= self.lr * g / (np.sqrt(self.h[key]) + self.eps)", "", "eq-rmsprop-h"),
    ("RMSProp", "self.h[key] += (1 - self.decay_rate) * g**2\nparams[key] -= self.lr * g / (np.sqrt(self.h[key]) + self.eps)", "", "eq-rmsprop-h"),
    ("RMSProp", RMS_H + "params[key] -= self.lr * g / np.sqrt(self.h[key] + self.eps)", "", "eq-rmsprop-w"),
    ("RMSProp", RMS_H + "params[key] -= self.lr * g / (self.h[key] + self.eps)", "", "eq-rmsprop-w"),
    ("RMSProp", RMS_H + "params[key] -= self.lr * g / np.sqrt(self.h[key]) + self.eps", "", "eq-rmsprop-w"),
    ("RMSProp", RMS_H + "params[key] -= self.lr / (np.sqrt(self.h[key]) + self.eps)", "", "eq-rmsprop-w"),
    ("Adam", ADAM_M + ADAM_V + "params[key] -= self.lr * self.m[key] / (np.sqrt(self.v[key]) + self.eps)", COUNT, "eq-adam-mhat"),
    ("Adam", ADAM_M + ADAM_V + ADAM_HATS + "params[key] -= self.lr * mh / np.sqrt(vh + self.eps)", COUNT, "eq-adam-w"),
    ("Adam", ADAM_M + ADAM_V + ADAM_HATS + "params[key] -= self.lr * mh / (np.sqrt(self.v[key]) + self.eps)", COUNT, "eq-adam-w"),
    ("Adam", ADAM_M + ADAM_V + ADAM_HATS + "params[key] -= self.lr * self.m[key] / (np.sqrt(vh) + self.eps)", COUNT, "eq-adam-w"),
    ("Adam", ADAM_M + ADAM_V + ADAM_HATS + "params[key] -= self.lr * mh / (vh + self.eps)", COUNT, "eq-adam-w"),
    ("Adam", ADAM_M + ADAM_V + ADAM_HATS + "params[key] += self.lr * mh / (np.sqrt(vh) + self.eps)", COUNT, "eq-adam-w"),
    ("Adam", ADAM_M + ADAM_V + ADAM_HATS + "params[key] += -self.lr * mh / np.sqrt(vh) + self.eps", COUNT, "eq-adam-w"),
    ("Adam", ADAM_M + ADAM_V + ADAM_HATS + "params[key] -= self.lr * mh / np.sqrt(vh) + self.eps", COUNT, "eq-adam-w"),
    ("Adam", ADAM_M + "self.v[key] = self.beta2 * self.v[key] + (1 - self.beta2) * g\n" + ADAM_HATS + ADAM_W, COUNT, "eq-adam-v"),
    ("Adam", "self.m[key] = self.beta1 * self.m[key] + g\n" + ADAM_V + ADAM_HATS + ADAM_W, COUNT, "eq-adam-m"),
    ("Adam", "self.m[key] = self.beta1 * self.m[key] - (1 - self.beta1) * g\n" + ADAM_V + ADAM_HATS + ADAM_W, COUNT, "eq-adam-m"),
    ("Adam", ADAM_M + ADAM_V + "mh = self.m[key] / (1 - self.beta1)\nvh = self.v[key] / (1 - self.beta2**self.iter)\n" + ADAM_W, COUNT, "eq-adam-mhat"),
    ("Adam", "self.iter += 1\n" + ADAM_M + ADAM_V + ADAM_HATS + ADAM_W, "", "loop"),
    ("Adam", ADAM_M + ADAM_V + ADAM_HATS + ADAM_W + "\nbreak", COUNT, "loop"),
    ("Momentum", "self.shared = getattr(self, 'shared', 0) * self.momentum - self.lr * g\nparams[key] += self.shared", "", "loop"),
    ("SGD", "if key == list(params)[-1]: params[key] -= self.lr * g", "", "loop"),
]  # fmt: skip


def named_right(report, expected):
    if expected is None:
        return False
    return report.equation == expected or (expected == "loop" and str(report.variant).startswith("loop/"))


@pytest.mark.parametrize(("name", "body", "before", "expected"), PLANTED)
def test_a_planted_mistake_is_rejected(name, body, before, expected):
    report = check(learner(body, before), name, **SETTINGS[name])
    assert not report
    assert str(report).splitlines()[0].startswith(("既知の間違い", "不一致"))
    assert expected is None or named_right(report, expected), str(report)


def test_there_are_enough_planted_mistakes_and_most_are_expected_by_name():
    assert len(PLANTED) >= 40
    assert sum(expected is not None for *_, expected in PLANTED) >= 36


@pytest.mark.parametrize(
    ("make", "name", "equation", "variant"),
    [
        (mistakes.NotesMomentum, "Momentum", "eq-momentum-w", "eq-momentum-w/sign-2"),
        (lambda lr, eps: optimizers.AdaGrad(lr=lr, eps=0.0), "AdaGrad", "eq-adagrad-w", None),
        (mistakes.UncorrectedAdam, "Adam", "eq-notes-adam-w", "eq-notes-adam-w"),
        (mistakes.DedentedAdam, "Adam", None, "loop/last-key"),
    ],
)
def test_the_mistakes_of_the_notes_are_named(make, name, equation, variant):
    report = check(make, name, **SETTINGS[name])
    assert not report.ok
    assert report.equation == equation
    assert variant is None or report.variant == variant
    assert report.step == 1


def test_a_report_shows_both_equations_and_where_they_differ():
    report = check(mistakes.NotesMomentum, "Momentum", **SETTINGS["Momentum"])
    lines = str(report).splitlines()
    assert "符号が逆" in lines[0]
    assert lines[1].endswith(r"w_{t+1} = w_t + v_{t+1}")
    assert lines[2].endswith(r"w_{t+1} = w_t - v_{t+1}")
    assert lines[3] == "違い: v_{t+1} が - v_{t+1} になっています"
    assert lines[4] == "読むページ: 03-momentum.html#equation-eq-momentum-w"
    assert lines[-1].startswith("(重みの組 3 通り、それぞれ 60 ステップ")


def test_a_notebook_shows_a_report_as_mathematics():
    text = check(mistakes.NotesMomentum, "Momentum", **SETTINGS["Momentum"])._repr_markdown_()
    assert text.startswith("**既知の間違い: 符号が逆")
    assert r"$$w_{t+1} = w_t + v_{t+1}$$" in text
    assert r"$$w_{t+1} = w_t - \underline{v_{t+1}}$$" in text
    assert '<a href="03-momentum.html#equation-eq-momentum-w">eq-momentum-w</a>' in text
    assert check(optimizers.SGD, "SGD", lr=0.1)._repr_markdown_().startswith("**一致")


def test_settings_that_hide_a_mistake_are_said_to():
    no_lr = learner(
        "r = self.decay_rate\n"
        "self.h[key] = r * self.h[key] + (1 - r) * g**2\n"
        "d = g * np.sqrt((self.u[key] + self.eps) / (self.h[key] + self.eps))\n"
        "self.u[key] = r * self.u[key] + (1 - r) * d * d\n"
        "params[key] -= d"
    )
    report = check(no_lr, "AdaDelta", **SETTINGS["AdaDelta"])  # with lr = 1 nobody can tell
    assert report.ok
    assert "見分けられない間違いがあります: eq-adadelta-w の因子が抜けている" in str(report)
    assert not check(no_lr, "AdaDelta", **{**SETTINGS["AdaDelta"], "lr": 0.5})
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
    return all(_close(a, b, _RTOL[str(np.asarray(a).dtype)]) for a, b in pairs)


# --- code that does not run -------------------------------------------------------------------------------


def with_update(function):
    return lambda lr: type("Learner", (), {"update": function})()


BROKEN = {
    "raises": (lambda self, p, g: 1 / 0, "1 ステップ目の update で ZeroDivisionError が起きました"),
    "returns": (lambda self, p, g: {k: p[k] - 0.1 * g[k] for k in p}, "値を返しましたが"),
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


@pytest.mark.parametrize(
    "state", ["None", "3", "{'v': 'text'}", "{'v': {'W': object(), 'only': np.ones(9)}}"]
)
def test_whatever_a_reader_keeps_as_state_is_no_error(state):
    def make(**hyperparameters):
        inner, odd = mistakes.NotesMomentum(**hyperparameters), SimpleNamespace()
        odd.state = odd.v = eval(state)
        odd.update = inner.update
        return odd

    assert check(make, "Momentum", **SETTINGS["Momentum"]).equation == "eq-momentum-w"


def test_a_method_without_state_shares_none():
    def update(self, params, grads):
        for key, w in params.items():
            for i in range(len(w)):  # fails on a parameter without axes
                w[i] -= 0.1 * grads[key][i]

    report = check(with_update(update), "SGD", lr=0.1)
    assert (report.ok, report.variant) == (False, None)
    assert "1 ステップ目の update で TypeError" in str(report)


def test_arguments_that_are_no_finite_numbers_are_misuse():
    with pytest.raises(ValueError, match="lr は有限の数"):
        check(optimizers.SGD, "SGD", lr=float("nan"))


@pytest.mark.parametrize("name", ["lr", "eps", "momentum"])
def test_arguments_out_of_their_range_are_misuse(name):
    method = {"lr": "SGD", "eps": "Adam", "momentum": "Momentum"}[name]
    with pytest.raises(ValueError, match=f"{name} は"):
        check(getattr(optimizers, method), method, **{**SETTINGS[method], name: -0.1})


@pytest.mark.parametrize("name", [["SGD"], {"SGD": 1}, None])
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
    assert "作る で TypeError" in str(check(lambda: None, "SGD", lr=0.1))
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
    monkeypatch.setattr("fumoto.checking.reader.SECONDS", 0.3)
    report = check(with_update(lambda self, p, g: time.sleep(2)), "SGD", lr=0.1)
    assert "待っても終わりません" in str(report)


def test_misuse_is_an_error():
    with pytest.raises(ValueError, match=r"name は .*'adam'"):
        check(optimizers.Adam, "adam", lr=0.1)
    with pytest.raises(TypeError, match=r"SGD の引数は \['lr'\].*'rate'"):
        check(optimizers.SGD, "SGD", rate=0.1)


def test_a_check_takes_less_than_two_seconds():
    check(optimizers.SGD, "SGD", lr=0.1)
    for body, before in [(b, s) for n, b, s, _ in PLANTED if n == "Adam"][:3]:
        start = time.perf_counter()
        check(learner(body, before), "Adam", **SETTINGS["Adam"])
        assert time.perf_counter() - start < 2


# --- from the command line --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "arguments", "status", "said"),
    [
        ("params[key] -= self.lr * grads[key]", ["--lr", "0.1"], 0, "一致"),
        ("params[key] += self.lr * grads[key]", ["--lr", "0.1"], 1, "既知の間違い: 符号が逆"),
        ("params[key] -= self.lr * grads[key]", [], 2, r"SGD には引数 ['lr'] が要ります"),
        ("params[key] -= (", ["--lr", "0.1"], 2, "読み込めません: SyntaxError"),
    ],
)
def test_command_line(tmp_path, capsys, body, arguments, status, said):
    from fumoto.__main__ import main

    path = tmp_path / "mine.py"
    path.write_text(
        "class Mine:\n    def __init__(self, lr): self.lr = lr\n"
        f"    def update(self, params, grads):\n        for key in params: {body}\n",
        encoding="utf-8",
    )
    try:
        code = main(["check", f"{path}:Mine", "--like", "SGD", *arguments])
    except SystemExit as exit_:
        code = exit_.code
    captured = capsys.readouterr()
    assert code == status
    assert said in captured.out + captured.err
    assert "Traceback" not in captured.out + captured.err


@pytest.mark.parametrize("target", ["nowhere.py:Mine", "mine.py"])
def test_command_line_names_a_missing_file_or_class(tmp_path, capsys, target):
    from fumoto.__main__ import main

    with pytest.raises(SystemExit, match="2"):
        main(["check", target, "--like", "SGD", "--lr", "0.1"])
    assert "がありません" in capsys.readouterr().err


def run_command(path, capsys, *arguments, like="SGD"):
    from fumoto.__main__ import main

    try:
        code = main(["check", f"{path}:Mine", "--like", like, "--lr", "0.1", *arguments])
    except SystemExit as exit_:
        code = exit_.code
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def test_command_line_names_an_error_inside_the_file(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = tmp_path / "mine.py"
    path.write_text("class Mine: pass\n{}['鍵']\n", encoding="utf-8")
    code, said = run_command(path, capsys)
    assert (code, "読み込めません: KeyError: '鍵'" in said) == (2, True), said
    path.write_text("class Other: pass\n", encoding="utf-8")
    code, said = run_command(path, capsys)
    assert (code, "mine.py に Mine がありません" in said) == (2, True), said


def test_command_line_finds_the_modules_beside_the_file(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "beside_mine.py").write_text("from fumoto.optimizers import SGD\n", encoding="utf-8")
    path = tmp_path / "mine.py"
    path.write_text("from beside_mine import SGD as Mine\n", encoding="utf-8")
    code, said = run_command(path, capsys)
    monkeypatch.delitem(sys.modules, "beside_mine", raising=False)
    assert code == 0, said


def test_command_line_refuses_an_argument_the_method_does_not_have(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text("from fumoto.optimizers import SGD as Mine\n", encoding="utf-8")
    code, said = run_command(path, capsys, "--beta1", "0.9", "--decay-rate", "0.9")
    assert (code, "SGD に引数 --beta1, --decay-rate はありません" in said) == (2, True), said
    code, said = run_command(path, capsys, "--lr", "-0.1")
    assert (code, "lr は正の数" in said) == (2, True), said


# --- mistakes reported against well-known teaching material -----------------------------------------------

REPORTED = [  # where, method, the loop, what must be named
    ("d2l-zh pull 502", "Adam", ADAM_M + ADAM_V + ADAM_HATS + "params[key] -= self.lr * mh / np.sqrt(vh + self.eps)", "eq-adam-w/inside"),
    ("d2l-en pull 2691", "Adam", ADAM_M + ADAM_V + ADAM_HATS + "params[key] -= self.lr * mh / np.sqrt(vh) + self.eps", "eq-adam-w/outside"),
    ("uvadlc_notebooks issue 35", "Adam", ADAM_M + ADAM_V + ADAM_HATS + "params[key] -= self.lr * mh / (np.sqrt(self.v[key]) + self.eps)", "eq-adam-w/hat"),
    ("nndl issue 95", "Adam", ADAM_M + ADAM_V + ADAM_HATS + "params[key] -= self.lr * self.m[key] / (np.sqrt(vh) + self.eps)", "eq-adam-w/hat"),
    ("early copies of optimizer.py", "Nesterov", "self.v[key] = self.momentum * self.v[key] - self.lr * g\nparams[key] += self.momentum**2 * self.v[key] - (1 + self.momentum) * self.lr * g", "eq-nesterov-expanded/time"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "name", "body", "variant"), REPORTED)
def test_a_reported_mistake_is_named_in_code(where, name, body, variant):
    report = check(learner(body, COUNT), name, **SETTINGS[name])
    assert not report.ok
    assert report.variant.startswith(variant), (where, str(report))
