"""check() without a name recognises the method, and with the wrong name says which one it is."""

import numpy as np
import pytest

from checking.learners import SETTINGS, learner
from fumoto import check, optimizers
from fumoto.checking.calling.safety import workplace
from fumoto.checking.candidates.recognition import hinted
from fumoto.printed.methods import EVERY_METHOD


@pytest.fixture(autouse=True, scope="module")
def one_process():
    with workplace():
        yield


def anonymous(name):
    """The book's optimizer with nothing in its name that tells which it is, and all its values at hand."""
    settings = SETTINGS[name]

    class Mine:
        def __init__(self):
            self.inner = getattr(optimizers, name)(**settings)
            self.__dict__.update(settings)

        def update(self, params, grads):
            self.inner.update(params, grads)

    return Mine


@pytest.mark.parametrize("name", EVERY_METHOD)
def test_every_method_is_recognised_from_what_it_does(name):
    report = check(anonymous(name))
    assert report.ok, str(report)
    assert report.name == name
    assert f"{name} の式と同じ動き" in report.verdict


@pytest.mark.parametrize(
    ("asked", "is_one"),
    [("Adam", "RMSProp"), ("RMSProp", "AdaGrad"), ("Nesterov", "Momentum"), ("Lion", "Adam")],
)
def test_another_method_is_a_verdict_of_its_own(asked, is_one):
    for thing in (anonymous(is_one), getattr(optimizers, is_one)):
        report = check(thing, asked)
        assert not report.ok
        assert report.verdict == f"別の手法: {asked} ではなく、{is_one} の式と同じ動きをします。"
        assert (report.variant, report.name) == (f"method/{is_one}", is_one)


def test_a_wrong_one_without_a_name_is_compared_with_the_nearest():
    wrong = learner(
        "self.h[key] = self.h[key] + g**2\nparams[key] += self.lr * g / (np.sqrt(self.h[key]) + self.eps)"
    )
    report = check(wrong, lr=0.1, eps=1e-7)
    assert not report.ok
    assert report.name == "AdaGrad"
    assert "最も近い AdaGrad と比べました" in str(report)


def test_the_name_of_a_class_is_a_hint():
    assert hinted("MyAdaGradV2").name == "AdaGrad"
    assert hinted("my_adam_w").name == "AdamW"
    assert hinted("Optimizer") is None

    def rmsprop(w, g, h, lr=0.01, rho=0.9):
        h = rho * h + (1 - rho) * g
        return w - lr * g / (np.sqrt(np.abs(h)) + 1e-8), h

    report = check(rmsprop)
    assert (report.ok, report.name) == (False, "RMSProp")
