"""The table of candidates: data that an engine runs, each named when it is what a learner wrote."""

import copy
from dataclasses import astuple, replace

import numpy as np
import pytest

from checking.learners import SETTINGS, learner
from fumoto import check
from fumoto.checking.candidates.candidate import AS_PRINTED, Candidate, Handling
from fumoto.checking.candidates.conventions import conventions, dampened
from fumoto.checking.candidates.equations import written
from fumoto.checking.candidates.machine import machine
from fumoto.checking.candidates.table import mistakes, table
from fumoto.checking.candidates.vocabulary import FUNCTIONS
from fumoto.printed.methods import EVERY_METHOD
from fumoto.printed.pages import book

LISTED = [(name, c) for name, method in EVERY_METHOD.items() for c in mistakes(method, book())]
WRITTEN = [(name, c) for name, c in LISTED if c.formulas and c.label]
QUICK = {"lr": 0.03, "momentum": 0.8, "decay_rate": 0.85, "eps": 1e-6, "beta1": 0.8, "beta2": 0.95}


def planted(candidate, name):
    """A learner's class that does what the candidate says."""

    class Learner:
        def __init__(self, **hyperparameters):
            self.machine = machine(candidate, EVERY_METHOD[name], book(), hyperparameters)

        def update(self, params, grads):
            with np.errstate(all="ignore"):
                self.machine.update(params, grads)

    return Learner


def settings(name):
    return {key: QUICK.get(key, value) for key, value in SETTINGS[name].items()}


@pytest.mark.parametrize("name", EVERY_METHOD)
def test_the_machine_without_a_change_is_the_printed_method(name):
    report = check(planted(Candidate("printed", ""), name), name, **settings(name))
    assert report.ok
    assert report.variant is None


PLANTED = [(name, c) for name, c in LISTED if name in ("SGD", "Momentum")]
PLANTED += [row for row in LISTED if row[0] in ("Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Lion")][::6]


def every_third(rows):
    """A third of the rows for every run; the others are long tests (``pytest -m build``)."""
    return [row if i % 3 == 0 else pytest.param(*row, marks=pytest.mark.build) for i, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("name", "candidate"), every_third(PLANTED), ids=lambda value: getattr(value, "id", value)
)
def test_what_the_table_lists_is_rejected_and_named_by_its_name_or_a_twin(name, candidate):
    report = check(planted(candidate, name), name, **settings(name))
    if candidate.id in SAME_AS_PRINTED.get(name, ()):
        assert report.ok, str(report)
        return
    assert not report.ok, str(report)
    assert report.variant == candidate.id or moves_alike(report.variant, candidate, name), str(report)


SAME_AS_PRINTED = {  # what cannot be seen: no weight of the problems grows so large; only the sign counts; h stays where g = 0; TensorFlow starts h at 0.1
    "AdaGrad": {"weight/clip-5", "weight/clip-10", "state/sparse", "state/h-tenth"},
    "RMSProp": {"weight/clip-5", "weight/clip-10"},
    "AdaDelta": {"weight/clip-5", "weight/clip-10"},
    "Lion": {"weight/clip-5", "weight/clip-10", "gradient/divided-by-size", "gradient/divided-by-length"},
}


def moves_alike(named, candidate, name):
    """Whether the candidate that was named moves the weights as the planted one does."""
    other = next((c for method, c in LISTED if method == name and c.id == named), None)
    if (
        other is None
    ):  # derived from the tree of an equation, or measured: compared with the learner by check itself
        return named is not None and not named.startswith("convention")
    rng = np.random.default_rng(3)
    start = {key: rng.normal(size=3) for key in ("p", "q")}
    walks = [machine(c, EVERY_METHOD[name], book(), settings(name)) for c in (candidate, other)]
    weights = [{key: w.copy() for key, w in start.items()} for _ in walks]
    for _ in range(5):
        grads = {key: rng.normal(size=3) for key in start}
        for walk, params in zip(walks, weights, strict=True):
            walk.update(params, grads)
    return all(np.allclose(weights[0][key], weights[1][key], rtol=1e-9, equal_nan=True) for key in start)


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("RMSProp", "eq-rmsprop-h/reversed"),
        ("RMSProp", "eq-rmsprop-w/corrected"),
        ("AdaDelta", "eq-adadelta-u/gradients-in-u"),
        ("Adam", "eq-adam-mhat/times-t"),
        ("Adam", "state/hat-kept-both"),
        ("Adam", "state/m-and-v-shared"),
        ("Adam", "state/rate-kept"),
        ("Adam", "clock/late"),
        ("Adam", "loop/shared-by-letter"),
        ("Adam", "loop/counter"),
        ("AdamW", "loop/coupled-decay"),
        ("Lion", "eq-lion-w/decay-after"),
        ("Nesterov", "eq-nesterov-w/velocities-exchanged"),
    ],
)
def test_a_planted_candidate_of_a_larger_method_is_named(name, identifier):
    candidate = next(c for method, c in LISTED if method == name and c.id == identifier)
    report = check(planted(candidate, name), name, **settings(name))
    assert not report.ok
    assert report.variant == identifier or moves_alike(report.variant, candidate, name), str(report)


CONVENTIONS = [(name, c) for name in EVERY_METHOD for c in conventions(name)]
CONVENTIONS += [("Momentum", dampened("Momentum", 0.25))]


@pytest.mark.parametrize(("name", "candidate"), every_third(CONVENTIONS), ids=lambda value: getattr(value, "id", value))
def test_a_convention_is_accepted_under_its_name(name, candidate):
    report = check(planted(candidate, name), name, **settings(name))
    assert report.ok
    assert candidate.words in report.verdict


def test_a_mistake_on_top_of_a_convention_is_not_accepted():
    for name, candidate in CONVENTIONS[:2]:
        uphill = replace(candidate, handling=replace(candidate.handling, weight=("times", -1.0)))
        report = check(planted(uphill, name), name, **settings(name))
        assert not report.ok
        assert "符号が逆" in report.verdict


@pytest.mark.parametrize("name", EVERY_METHOD)
def test_no_identifier_stands_for_two_things(name):
    found = [c.id for method, c in LISTED if method == name]
    assert len(set(found)) == len(found), sorted(i for i in found if found.count(i) > 1)


def test_a_candidate_is_plain_data():
    for _, candidate in LISTED:
        assert hash(astuple(candidate)) == hash(astuple(copy.deepcopy(candidate)))


def test_the_table_can_be_printed_and_counted():
    rows = table()
    assert len(rows) > 1000
    assert {row.method for row in rows} == set(EVERY_METHOD)
    assert all(row.id and row.words for row in rows)
    assert all(row.label in book() for row in rows if row.label)


@pytest.mark.parametrize("name", EVERY_METHOD)
def test_the_equation_shown_is_the_formula_that_ran(name):
    rng = np.random.default_rng(1)
    for _, candidate in [row for row in WRITTEN if row[0] == name]:
        for label, formula in candidate.formulas:
            shown = written(book()[label], formula) if label.startswith("eq-") else None
            if shown is None:
                continue
            values = {symbol: rng.uniform(0.1, 0.9) for symbol in [*shown.symbols, "t", "n", "m"]} | {"t": 3}
            matrices = {printed.name for printed in shown.notation.values() if printed.indices}
            if matrices:
                values |= {"n": 2, "m": 2}
            values |= {symbol: rng.uniform(0.1, 0.9, (2, 2)) for symbol in values.keys() & matrices}
            known = {**values, "lam": values.get("lambda", 0.0)}
            with np.errstate(all="ignore"):
                ran = eval(formula, dict(FUNCTIONS), known)
                said = shown.evaluate(**{symbol: values[symbol] for symbol in shown.symbols})
            assert np.allclose(said, ran, rtol=1e-12, equal_nan=True), (candidate.id, shown.latex)


NO_BIAS = """if params[key].ndim == 1: continue
self.v[key] = self.momentum * self.v[key] - self.lr * g
params[key] += self.v[key]"""


def test_what_belongs_to_a_few_arrays_is_said_of_them():
    report = check(learner(NO_BIAS), "Momentum", lr=0.1, momentum=0.9)
    assert (report.ok, report.variant) == (False, "keys/still")
    assert "1 次元の重みが、まったく動きません" in report.verdict
    no_sign = NO_BIAS.replace("continue", "g = -g")
    report = check(learner(no_sign), "Momentum", lr=0.1, momentum=0.9)
    assert report.verdict.startswith("既知の間違い: 1 次元の重みだけがおかしく、符号が逆"), str(report)


def test_handling_says_nothing_by_default():
    assert Handling() == AS_PRINTED
