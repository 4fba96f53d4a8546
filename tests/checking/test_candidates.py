"""check() names a learner's mistake: planted ones, those of the notes, and those reported against teaching material."""

import time

import pytest

from checking.learners import (
    ADAM_HATS,
    ADAM_M,
    ADAM_V,
    ADAM_W,
    COUNT,
    LION_C,
    LION_M,
    MUON,
    RMS_H,
    SETTINGS,
    learner,
)
from fumoto import check, mistakes, optimizers

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
    ("AdaGrad", "self.h[key] += g**2\nparams[key] -= self.lr * g / np.sqrt(self.h[key])", "", "eq-adagrad-w"),
    ("AdaGrad", "self.h[key] += g\nparams[key] -= self.lr * g / (np.sqrt(np.abs(self.h[key])) + self.eps)", "", None),
    ("AdaGrad", "self.h[key] = g**2\nparams[key] -= self.lr * g / (np.sqrt(self.h[key]) + self.eps)", "", "eq-adagrad-h"),
    ("AdaGrad", "self.h[key] += g**2\nparams[key] -= self.lr * g / (self.h[key] + self.eps)", "", "eq-adagrad-w"),
    ("AdaGrad", "self.h[key] += g**2\nparams[key] += self.lr * g / (np.sqrt(self.h[key]) + self.eps)", "", "eq-adagrad-w"),
    ("AdaGrad", "params[key] -= self.lr * g / (np.sqrt(self.h[key]) + self.eps)\nself.h[key] += g**2", "", "eq-adagrad-w"),
    ("RMSProp", "self.h[key] = self.decay_rate * self.h[key] + g**2\nparams[key] -= self.lr * g / (np.sqrt(self.h[key]) + self.eps)", "", "eq-rmsprop-h"),
    ("RMSProp", "self.h[key] = (1 - self.decay_rate) * g**2\nparams[key] -= self.lr * g / (np.sqrt(self.h[key]) + self.eps)", "", "eq-rmsprop-h"),
    ("RMSProp", "self.h[key] += (1 - self.decay_rate) * g**2\nparams[key] -= self.lr * g / (np.sqrt(self.h[key]) + self.eps)", "", "eq-rmsprop-h"),
    ("RMSProp", RMS_H + "params[key] -= self.lr * g / (self.h[key] + self.eps)", "", "eq-rmsprop-w"),
    ("RMSProp", RMS_H + "params[key] -= self.lr * g / np.sqrt(self.h[key]) + self.eps", "", "eq-rmsprop-w"),
    ("RMSProp", RMS_H + "params[key] -= self.lr / (np.sqrt(self.h[key]) + self.eps)", "", "eq-rmsprop-w"),
    ("Muon", MUON + "params[key][...] = (1 - self.lr * self.weight_decay) * params[key] - self.lr * max(1, m / n) * newton_schulz(u)", "", "eq-muon-w"),
    ("Muon", MUON + "params[key][...] = (1 - self.lr * self.weight_decay) * params[key] + self.lr * max(1, m / n)**0.5 * newton_schulz(u)", "", "eq-muon-w"),
    ("Muon", MUON + "params[key][...] = (1 - self.lr * self.weight_decay) * params[key] - self.lr * max(1, m / n)**0.5 * newton_schulz(g)", "", "eq-muon-u"),
    ("Adam", ADAM_M + ADAM_V + "params[key] -= self.lr * self.m[key] / (np.sqrt(self.v[key]) + self.eps)", COUNT, "eq-adam-mhat"),
    ("Adam", ADAM_M + ADAM_V + "mh, vh = (s[key] / (1 - b * self.iter) for s, b in ((self.m, self.beta1), (self.v, self.beta2)))\n" + ADAM_W, COUNT, "eq-adam-mhat"),
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
    ("AdamW", "g = g + self.weight_decay * params[key]\n" + ADAM_M + ADAM_V + ADAM_HATS + ADAM_W, COUNT, "loop"),
    ("AdamW", ADAM_M + ADAM_V + ADAM_HATS + ADAM_W, COUNT, "eq-adamw-w"),
    ("AdamW", "params[key] *= 1 - self.weight_decay\n" + ADAM_M + ADAM_V + ADAM_HATS + ADAM_W, COUNT, "eq-adamw-w"),
    ("AdamW", "params[key] *= 1 + self.lr * self.weight_decay\n" + ADAM_M + ADAM_V + ADAM_HATS + ADAM_W, COUNT, "eq-adamw-w"),
    ("Lion", LION_C + LION_M + "params[key] -= self.lr * (c + self.weight_decay * params[key])", "", "eq-lion-w"),
    ("Lion", LION_M + LION_C + "params[key] -= self.lr * (np.sign(c) + self.weight_decay * params[key])", "", "eq-lion-c"),
    ("Lion", LION_C + LION_M + "params[key] -= self.lr * np.sign(c)", "", "eq-lion-w"),
    ("Lion", "g = g + self.weight_decay * params[key]\n" + LION_C + LION_M + "params[key] -= self.lr * np.sign(c)", "", "loop"),
    ("Lion", LION_C + "self.m[key] = self.beta1 * self.m[key] + (1 - self.beta1) * g\nparams[key] -= self.lr * (np.sign(c) + self.weight_decay * params[key])", "", None),
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
    assert str(report).splitlines()[0].startswith(("既知の間違い", "不一致", "別の手法"))
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


@pytest.mark.alone
def test_a_check_takes_less_than_two_seconds():
    check(optimizers.SGD, "SGD", lr=0.1)
    for body, before in [(b, s) for n, b, s, _ in PLANTED if n == "Adam"][:3]:
        start = time.perf_counter()
        check(learner(body, before), "Adam", **SETTINGS["Adam"])
        assert time.perf_counter() - start < 2


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
