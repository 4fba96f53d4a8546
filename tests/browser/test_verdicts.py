"""What the page says of a learner's class is what Python's ``check`` says of the same source.

Every right learner and every candidate of every method is written as a class (``checking.planted``) and run in both.
One in 40 belongs to every run; ``pytest -m build tests/browser/test_verdicts.py`` runs them all (two hours).
"""

import itertools

import pytest

from checking.learners import SETTINGS
from checking.planted import can_be_written, source
from checking.shared_cases import page_cases
from fumoto import check
from fumoto.checking.candidates.candidate import Candidate
from fumoto.checking.candidates.conventions import conventions
from fumoto.checking.candidates.equations import mistakes_in
from fumoto.checking.candidates.sight import REBOUND
from fumoto.checking.candidates.table import mistakes
from fumoto.printed.methods import EVERY_METHOD
from fumoto.printed.pages import book

from .asking import learner

# alone: the page has a time limit, which a busy machine would reach
pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("in_this_python")]
QUICK = {"lr": 0.03, "momentum": 0.8, "decay_rate": 0.85, "eps": 1e-6, "beta1": 0.8, "beta2": 0.95}
OTHERS = {  # neither QUICK nor the values of an exercise
    "large": {"lr": 0.4, "momentum": 0.55, "decay_rate": 0.6, "eps": 1e-3, "beta1": 0.6, "beta2": 0.8, "weight_decay": 0.3},
    "small": {"lr": 2e-3, "momentum": 0.97, "decay_rate": 0.98, "eps": 1e-10, "beta1": 0.95, "beta2": 0.9995, "weight_decay": 3e-3},
}
EVERY = 40


def settings(name, values=QUICK):
    return {key: values.get(key, value) for key, value in SETTINGS[name].items()}


def planted(name):
    """(name of the candidate, source) of one method: the printed one, the other ways of writing it, the mistakes."""
    method = EVERY_METHOD[name]
    for candidate in (Candidate("printed", ""), *conventions(name), *mistakes(method, book())):
        if can_be_written(candidate):
            yield candidate.id, source(candidate, name)
    for label in dict.fromkeys(method.labels):
        for v in mistakes_in(label):
            yield v.id, source(Candidate("", ""), name, v.equation)


def parts(every):
    """A part for every run, the others for the long one."""
    return [pytest.param(part, marks=pytest.mark.build if part else ()) for part in range(every)]


#: Whether check, which computes in another order than the page, recognises them is decided by rounding: a difference of equal numbers under
#: a root, and weights that grow to 10⁷ in six steps.
ROUNDED = {"eq-adadelta-h/difference-1", "eq-muon-q/elementwise-both"}
ALIKE = {"loop/shared-state", "loop/shared-by-size"}  # the same on arrays of one size, on which such a learner is run


def assert_the_same(identifier, answer, expected):
    if answer.get("error", {}).get("variant", "").startswith("error/"):  # neither can run it
        assert not expected.ok and "を確かめられませんでした" in expected.verdict, (identifier, answer, expected)
        return
    assert "report" in answer, (identifier, answer)
    report = answer["report"]
    said = [report["ok"], report["equation"], report["step"], None if report["ok"] else report["variant"]]
    told = [expected.ok, expected.equation, expected.step, None if expected.ok else expected.variant]
    if identifier in ROUNDED:
        said, told = said[:1], told[:1]
    if {said[-1], told[-1]} == ALIKE:
        said[-1] = told[-1]
    assert said == told, (identifier, report["verdict"], expected.verdict)
    if report["ok"]:
        assert report["verdict"] == expected.verdict, identifier


@pytest.mark.parametrize("part", parts(EVERY))
@pytest.mark.parametrize("name", EVERY_METHOD)
def test_the_page_says_what_python_says(ask, name, part):
    for identifier, code in itertools.islice(planted(name), part, None, EVERY):
        expected = check(learner(code), name, **settings(name))
        assert_the_same(identifier, ask(code, method=name, **settings(name)), expected)


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.build) for part in (1, 2))])
@pytest.mark.parametrize("values", OTHERS)
@pytest.mark.parametrize("name", EVERY_METHOD)
def test_the_page_says_what_python_says_with_other_values(ask, name, values, part):
    """The printed one, and two mistakes (the first two, others in the long run)."""
    given = settings(name, OTHERS[values])
    every = list(planted(name))
    for identifier, code in every[:: max(1, len(every) // 9)][3 * part : 3 * part + 3]:
        assert_the_same(identifier, ask(code, method=name, **given), check(learner(code), name, **given))


CANNOT = {("wrong", "float16")}  # what the stand-in has not: the page says that it cannot judge


@pytest.mark.parametrize("part", parts(5))
def test_the_page_says_what_python_says_of_what_people_write(ask, part):
    for kind, label, name, code, hyperparameters in itertools.islice(page_cases(), part, None, 5):
        answer = ask(code, method=name, **hyperparameters)
        if (kind, label) in CANNOT:
            assert answer["error"]["variant"] == "page/cannot"
            continue
        expected = check(learner(code), name, **hyperparameters)
        assert_the_same(label, answer, expected)
        assert expected.ok == (kind == "correct"), label


HEAD = """import numpy as np
class Learner:
    def __init__(self, lr, momentum):
        self.lr, self.momentum, self.v = lr, momentum, {}
"""
STEP = "self.v[k] = self.momentum * self.v.get(k, 0.0) - self.lr * grads[k]"
WAYS = {  # right code, and what the page must say: nothing of a mistake
    "flat": (True, f"for k, w in params.items():\n    {STEP}\n    for i, x in enumerate(np.asarray(self.v[k]).flat):\n        w.flat[i] += x"),
    "sorted pairs": (True, f"for k, w in sorted(params.items()):\n    {STEP}\n    w += self.v[k]"),
    "a dunder by its name": (False, f"for k, w in params.items():\n    {STEP}\n    w.__iadd__(self.v[k])"),
    "a keyword of NumPy": (False, f"for k, w in params.items():\n    {STEP}\n    np.add(w, self.v[k], out=w, where=True)"),
    "another module": (False, f"import os\nfor k in params:\n    {STEP}\n    params[k] += self.v[k]"),
}


@pytest.mark.parametrize("way", WAYS)
def test_right_code_is_never_told_that_it_is_wrong(ask, way):
    accepted, lines = WAYS[way]
    body = "".join(f"        {line}\n" for line in lines.split("\n"))
    answer = ask(f"{HEAD}    def update(self, params, grads):\n{body}", method="Momentum", lr=0.1, momentum=0.9)
    if accepted:
        assert answer["report"]["ok"], answer
    else:
        assert answer["error"]["variant"] == "page/cannot", answer


def test_values_written_into_attributes_are_seen_for_another_method(ask):
    body = f"        for k in params:\n            {STEP}\n            params[k] += self.v[k]\n"
    head = HEAD.replace("lr, momentum):", "lr):").replace("= lr, momentum, {}", "= lr, 0.55, {}")
    report = ask(f"{head}    def update(self, params, grads):\n{body}", method="SGD", lr=0.1)["report"]
    assert (report["ok"], report["variant"]) == (False, "method/Momentum"), report


def test_what_the_page_cannot_run_is_said_without_its_inner_words(ask):
    slots = "class Learner:\n    __slots__ = ('lr', 'momentum', 'v')"
    code = HEAD.replace("class Learner:", slots) + "    def update(self, params, grads):\n        pass\n"
    error = ask(code, method="Momentum", lr=0.1, momentum=0.9)["error"]
    assert error["variant"] == "page/cannot" and "undefined" not in error["sentence"], error


DELTA = """import numpy as np
class Learner:
    def __init__(self, lr, decay_rate, eps):
        self.lr, self.rho, self.eps, self.h, self.u = lr, decay_rate, eps, {}, {}
    def update(self, params, grads):
        for k, w in params.items():
            h, u = self.h.get(k, 0.0), self.u.get(k, 0.0)
            self.h[k] = self.rho * h + (1 - self.rho) * grads[k] ** 2
            d = np.sqrt(u + self.eps) / np.sqrt(self.h[k] + self.eps) * grads[k]
            self.u[k] = self.rho * u + (1 - self.rho) * d**2
            w -= self.lr * d
"""


@pytest.mark.parametrize(("right", "wrong", "variant"), [
    ("w -= self.lr * d", "w = w - self.lr * d", "loop/nothing-moves"),
    ("w -= self.lr * d", "pass", "loop/nothing-moves"),
    ("np.sqrt(u + self.eps)", "np.sqrt(u)", "eq-adadelta-d/epsilon-missing-top"),
    # a state of zeros that is not used does not make a weight that is rebound a step of 0
    ("w -= self.lr * d", "self.kept = {k: 0.0 * d}; w = w - self.lr * d", "loop/nothing-moves"),
])  # fmt: skip
def test_weights_that_nobody_moves_are_told_from_a_step_of_0(ask, right, wrong, variant):
    given = settings("AdaDelta")
    code = DELTA.replace(right, wrong)
    assert check(learner(code), "AdaDelta", **given).variant == variant
    see = {"number": "式 (5.3)", "address": "05.html#equation"}
    report = ask(code, method="AdaDelta", equations=dict.fromkeys(("eq-adadelta-d", "eq-adadelta-w"), see), **given)["report"]
    assert report["variant"] == variant
    assert (report.get("see") == see) == (not report["findings"]), report  # a link, unless the equation is shown beside it


@pytest.mark.parametrize(("top", "last"), [("u + self.eps", "w = w - self.lr * d"), ("u", "w -= self.lr * d")])
def test_where_no_state_is_seen_a_step_of_0_is_not_told_without_a_doubt(ask, top, last):
    given = settings("AdaDelta")
    code = f"""import numpy as np
def kept(rho, eps):
    h, u = {{}}, {{}}
    def step(k, g):
        h[k] = rho * h.get(k, 0.0) + (1 - rho) * g**2
        d = np.sqrt({top.replace("self.", "").replace("u", "u.get(k, 0.0)")}) / np.sqrt(h[k] + eps) * g
        u[k] = rho * u.get(k, 0.0) + (1 - rho) * d**2
        return d
    return step
class Learner:
    def __init__(self, lr, decay_rate, eps):
        self.lr, self.step = lr, kept(decay_rate, eps)
    def update(self, params, grads):
        for k, w in params.items():
            d = self.step(k, grads[k])
            {last}
"""
    expected = check(learner(code), "AdaDelta", **given)
    assert expected.variant == "eq-adadelta-d/epsilon-missing-top", expected
    assert REBOUND in expected.verdict
    report = ask(code, method="AdaDelta", **given)["report"]
    assert (report["variant"], REBOUND in report["verdict"]) == (expected.variant, True), report


LISTS = """import numpy as np
class Learner:
    def __init__(self, lr, decay_rate, eps):
        self.lr, self.rho, self.eps, self.h, self.u = lr, decay_rate, eps, None, None
    def update(self, params, grads):
        if self.h is None:
            self.h, self.u = ([np.zeros_like(w) for w in params.values()] for _ in range(2))
        for i, (k, w) in enumerate(params.items()):
            self.h[i] = self.rho * self.h[i] + (1 - self.rho) * grads[k] ** 2
            d = np.sqrt(self.u[i] + self.eps) / np.sqrt(self.h[i] + self.eps) * grads[k]
            self.u[i] = self.rho * self.u[i] + (1 - self.rho) * d**2
            w -= self.lr * d
"""
NESTED = DELTA.replace("for k, w in params.items():", "for k, w in params.items():\n            own = self.h.setdefault(k, {'h': 0.0, 'u': 0.0})").replace(
    "h, u = self.h.get(k, 0.0), self.u.get(k, 0.0)", "h, u = own['h'], own['u']"
).replace("self.h[k] =", "own['h'] =").replace("self.h[k]", "own['h']").replace("self.u[k] =", "own['u'] =")


@pytest.mark.parametrize(("code", "right", "wrong", "variant"), [
    (LISTS, "w -= self.lr * d", "w = w - self.lr * d", "loop/nothing-moves"),
    (LISTS, "np.sqrt(self.u[i] + self.eps)", "np.sqrt(self.u[i])", "eq-adadelta-d/epsilon-missing-top"),
    (NESTED, "w -= self.lr * d", "w = w - self.lr * d", "loop/nothing-moves"),
    (DELTA, "in params.items()", "in self.h.items()", "loop/nothing-moves"),
])  # fmt: skip
def test_states_in_lists_and_in_dictionaries_of_dictionaries_are_seen_or_not_alike(ask, code, right, wrong, variant):
    given = settings("AdaDelta")
    assert check(learner(code), "AdaDelta", **given).ok
    expected = check(learner(code.replace(right, wrong)), "AdaDelta", **given)
    assert expected.variant == variant, expected
    assert_the_same("AdaDelta", ask(code.replace(right, wrong), method="AdaDelta", **given), expected)


ROOTS = {  # the state is of squares; the method's values; what is divided by its root
    "AdaGrad": ("self.s.get(k, 0.0) ± g**2", "lr, eps", "g, self.s[k]"),
    "RMSProp": ("self.decay_rate * self.s.get(k, 0.0) ± (1 - self.decay_rate) * g**2", "lr, decay_rate, eps", "g, self.s[k]"),
    "Adam": (
        "self.beta2 * self.s.get(k, 0.0) ± (1 - self.beta2) * g**2",
        "lr, beta1, beta2, eps",
        "self.m[k] / (1 - self.beta1**self.t), self.s[k] / (1 - self.beta2**self.t)",
    ),
}


@pytest.mark.parametrize("name", ROOTS)
def test_a_square_that_is_subtracted_is_named(ask, name):
    square, values, parts = ROOTS[name]
    code = f"""import numpy as np
class Learner:
    def __init__(self, {values}):
        {"; ".join(f"self.{value} = {value}" for value in values.split(", "))}; self.m, self.s, self.t = {{}}, {{}}, 0
    def update(self, params, grads):
        self.t += 1
        for k, g in grads.items():
            {"self.m[k] = self.beta1 * self.m.get(k, 0.0) + (1 - self.beta1) * g" if "beta1" in values else "pass"}
            self.s[k] = {square}
            top, below = {parts}
            params[k] -= self.lr * top / (np.sqrt(below) + self.eps)
"""
    given = settings(name)
    for sign, variant in (("+", None), ("-", "state/negative")):
        written = code.replace("±", sign)
        expected = check(learner(written), name, **given)
        assert expected.variant == variant, expected
        assert_the_same(name, ask(written, method=name, **given), expected)


NAN = """import numpy as np
class Learner:
    def __init__(self, lr, beta1, beta2, eps, weight_decay=0.0):
        self.lr, self.beta1, self.beta2, self.eps, self.decay = lr, beta1, beta2, eps, weight_decay
        self.m, self.v, self.t = {}, {}, 0
    def update(self, params, grads):
        self.t += 1
        for k, g in grads.items():
            self.m[k] = self.beta1 * self.m.get(k, 0.0) + (1 - self.beta1) * g
            self.v[k] = self.beta2 * self.v.get(k, 0.0) + (1 - self.beta2) * g**2
            m, v = self.m[k] / (1 - self.beta1**self.t), self.v[k] / (1 - self.beta2**self.t)
            params[k] *= 1 - self.lr * self.decay
            params[k] -= self.lr * m / (np.sqrt(v) + self.eps)
"""
PLUS = "+ (1 - self.beta2) * g**2"


@pytest.mark.parametrize(("name", "right", "wrong", "other", "variant"), [
    # with no epsilon every weight is nan at once, as when t starts from 0
    ("Adam", PLUS, "- (1 - self.beta2) * g**2", {"eps": 0.0}, "state/negative"),
    # what moves by its decay alone says nothing about the mistake, and the numbers that are nan say nothing either
    ("AdamW", PLUS, "- g**2", {}, "state/negative"),
    ("AdamW", "self.beta2**self.t)", "self.beta2**-self.t)", {}, None),
    ("AdamW", "np.sqrt(v)", "np.sqrt(v * (self.beta2 - 1))", {}, None),
    # a rate that is kept with its minus is no square: the sum of squares is seen beside it
    ("Adam", "params[k] -= self.lr * m / (np.sqrt(v) + self.eps)", "self.r = {k: -self.lr / (np.sqrt(v) + self.eps)}; params[k] += self.r[k] * np.sqrt(m)", {}, None),
])  # fmt: skip
def test_nan_is_called_by_its_cause_or_not_at_all(ask, name, right, wrong, other, variant):
    given = settings(name) | other
    code = NAN.replace(right, wrong)
    assert code != NAN
    assert check(learner(NAN), name, **given).ok
    expected = check(learner(code), name, **given)
    assert (expected.ok, expected.variant) == (False, variant), expected
    assert_the_same(name, ask(code, method=name, **given), expected)


def test_squares_that_turn_negative_are_named_when_nan_comes_later(ask):
    """The root of what is kept from the step before: the first step is finite."""
    code = """import numpy as np
class Learner:
    def __init__(self, lr, decay_rate, eps):
        self.lr, self.rho, self.eps, self.h = lr, decay_rate, eps, {}
    def update(self, params, grads):
        for k, g in grads.items():
            params[k] -= self.lr * g / (np.sqrt(self.h.get(k, 0.0)) + self.eps)
            self.h[k] = self.rho * self.h.get(k, 0.0) - (1 - self.rho) * g * g
"""
    expected = check(learner(code), "RMSProp", **settings("RMSProp"))
    assert expected.variant == "state/negative", expected
    assert_the_same("RMSProp", ask(code, method="RMSProp", **settings("RMSProp")), expected)


def test_an_update_made_with_the_instance_is_found(ask):
    lines = ["def update(params, grads):", "    for k, w in params.items():", f"        {STEP}", "        w += self.v[k]"]
    code = HEAD + "".join(f"        {line}\n" for line in (*lines, "self.update = update"))
    assert ask(code, method="Momentum", lr=0.1, momentum=0.9)["report"]["ok"]


@pytest.mark.parametrize("mistake", ["loop/shared-state", "loop/reversed-keys"])
def test_a_muon_that_runs_only_on_matrices_of_one_shape_is_judged(ask, mistake):
    code = dict(planted("Muon"))[mistake]
    assert ask(code, method="Muon", **settings("Muon"))["report"]["variant"] == mistake


def test_a_muon_without_epsilon_is_judged(ask):
    """Its first gradients are 0 somewhere: 0 / 0 must not stop the page."""
    code = """import numpy as np
class Learner:
    def __init__(self, lr, momentum, weight_decay):
        self.lr, self.momentum, self.weight_decay, self.m = lr, momentum, weight_decay, {}
    def update(self, params, grads):
        for key, w in params.items():
            a = self.momentum
            self.m[key] = a * self.m.get(key, 0.0) + (1 - a) * grads[key]
            u = a * self.m[key] + (1 - a) * grads[key]
            z = u / np.linalg.norm(u)
            for _ in range(5):
                A = z @ z.T
                z = 3.4445 * z + (2.0315 * A @ A - 4.775 * A) @ z
            n, m = w.shape
            w *= 1 - self.lr * self.weight_decay
            w -= self.lr * max(1, m / n) ** 0.5 * z
"""
    report = ask(code, method="Muon", lr=0.05, momentum=0.9, weight_decay=0.1)["report"]
    assert not report["ok"]
    assert report["equation"] == "eq-muon-x"
