"""What a page needs to check a learner's class: the right-hand sides as JavaScript, the table of candidates as data."""

import json
import re

import numpy as np
import pytest

from checking.planted import FUNCTIONS
from fumoto.checking.candidates.conventions import OPTIMIZERS, conventions
from fumoto.checking.candidates.derived import labels_of
from fumoto.checking.candidates.equations import mistakes_in
from fumoto.checking.candidates.table import mistakes
from fumoto.checking.candidates.vocabulary import FUNCTIONS as NUMPY
from fumoto.checking.computing.batchnorm import STAGES
from fumoto.checking.in_browser.files import write_all
from fumoto.checking.in_browser.formulas import of_equation, of_formula
from fumoto.checking.in_browser.layers import batchnorm_script, initializer_script
from fumoto.checking.in_browser.tables import common_script, method_script, problems_script
from fumoto.printed.methods import EVERY_METHOD, METHODS
from fumoto.printed.pages import book

SPACE: dict = {}
exec(FUNCTIONS, SPACE)  # what stands for operations.js: add, sub, mul, …


pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # mistakes divide by 0


def computed(code, values):
    """The JavaScript of a right-hand side happens to be Python, too."""
    known = SPACE["Known"]({("lam" if name == "lambda" else name): value for name, value in values.items()})
    return eval(code.replace("k.lambda", "k.lam"), {**SPACE, "k": known})


def assert_close(found, expected, what):
    """The same, where it is not a division by what ought to be 0."""
    found, expected = np.broadcast_arrays(found, expected)
    finite = np.abs(expected) < 1e12
    assert np.all((np.abs(found) < 1e12) == finite), what
    np.testing.assert_allclose(found[finite], expected[finite], rtol=1e-12, err_msg=what)


def values_of(equation, rng):
    return {name: rng.uniform(0.1, 0.9, size=(2, 3)) for name in equation.symbols} | {"t": 3}


ELEMENTWISE = [label for method in METHODS.values() for label in method.labels]


@pytest.mark.parametrize("label", dict.fromkeys(ELEMENTWISE))
def test_a_printed_equation_and_its_mistakes_are_the_same_in_javascript(label, rng):
    printed = book()[label]
    for equation in (printed, *(v.equation for v in mistakes_in(label))):
        values = {name: value for name, value in values_of(equation, rng).items() if name in equation.symbols}
        assert_close(computed(of_equation(equation), values), equation.evaluate(**values), equation.latex)


@pytest.mark.parametrize("label", ["eq-muon-gram", "eq-muon-q", "eq-muon-next", "eq-muon-x"])
def test_sums_over_axes_are_the_same_in_javascript(label, rng):
    n, m = 2, 3
    shapes = {"Z": (n, m), "u": (n, m), "A": (n, n), "Q": (n, n)}
    every = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    every |= {"n": n, "m": m, "G": 1.5, "varepsilon": 1e-7}
    for equation in (book()[label], *(v.equation for v in mistakes_in(label))):
        values = {name: every[name] for name in equation.symbols}
        try:
            expected = equation.evaluate(**values)
        except (ValueError, KeyError):  # shapes that do not fit
            continue
        assert_close(computed(of_equation(equation), values), expected, equation.latex)


@pytest.mark.parametrize("name", METHODS)
def test_what_the_table_writes_is_the_same_in_javascript(name, rng):
    method = EVERY_METHOD[name]
    formulas = {f for c in (*conventions(name), *mistakes(method, book())) for _, f in (*c.formulas, *c.handling.first)}
    for formula in sorted(formulas):
        names = set(re.findall(r"[A-Za-z_]\w*", formula)) - NUMPY.keys()
        values = {each: rng.uniform(0.1, 0.9, size=(2, 3)) for each in names} | {"t": 3}
        expected = eval(formula, {**NUMPY}, dict(values))
        assert_close(computed(of_formula(formula), values), expected, formula)


def table_of(script, name):
    """The data of a method's script, without its functions."""
    text = script.removeprefix(f'fumoto.tables["{name}"] = {{...')
    found, end = json.JSONDecoder().raw_decode(text)
    return found, text[end:].count("(k, f) =>")


@pytest.mark.parametrize("name", ["Momentum", "Adam"])
def test_the_table_of_a_page_is_the_table_of_check(name):
    method = EVERY_METHOD[name]
    table, rules = table_of(method_script(name), name)
    assert [each["id"] for each in table["mistakes"]] == [c.id for c in mistakes(method, book())]
    assert [each["id"] for each in table["conventions"]] == [c.id for c in conventions(name)]
    bases = [method, *OPTIMIZERS.get(name, {}).values()]
    assert [each["id"] for each in table["derived"]] == [v.id for label in labels_of(bases) for v in mistakes_in(label)]
    places = [place for each in table["mistakes"] for _, place in each.get("formulas", ())]
    assert max(places) < rules
    assert set(table["methods"]) == set(EVERY_METHOD)


def test_a_finding_marks_where_the_learners_equation_differs():
    table, _ = table_of(method_script("Momentum"), "Momentum")
    (sign,) = [each for each in table["derived"] if each["id"] == "eq-momentum-w/sign-2"]
    assert sign["yours"] == r"w_{t+1} = w_t - \underline{v_{t+1}}"


def test_problems_keep_every_bit_and_the_order_in_memory():
    text = problems_script("Adam").split("fumoto.problems = ")[1]
    problems, _ = json.JSONDecoder().raw_decode(text)
    from fumoto.checking.computing.problems import PROBLEMS

    for found, problem in zip(problems, PROBLEMS, strict=True):
        assert [each["key"] for each in found["keys"]] == list(problem.start)
        for at, (key, w) in enumerate(problem.start.items()):
            assert found["keys"][at]["start"] == w.ravel().tolist()
            assert found["keys"][at]["dtype"] == str(w.dtype)
            assert [step[at] for step in found["gradients"]] == [g[key].ravel().tolist() for g in problem.gradients]
    orders = {each["key"]: each["order"] for each in problems[0]["keys"]}
    assert [key for key, order in orders.items() if order == "F"] == ["turned"]


def test_batch_normalization_and_initial_values_have_every_equation():
    found, _ = json.JSONDecoder().raw_decode(batchnorm_script().removeprefix("fumoto.batchnorm = {..."))
    assert list(found["equations"]) == [label for stage in STAGES.values() for label in stage]
    assert {each["stage"] for each in found["structures"]} == set(STAGES)
    found, _ = json.JSONDecoder().raw_decode(initializer_script().removeprefix("fumoto.initializers = {..."))
    assert set(found["labels"]) == {"xavier", "glorot", "he"}


def test_words_are_those_of_check():
    assert "符号" in method_script("SGD")
    assert "勾配を書き換え" not in common_script()  # said by what runs the learner's code
    assert '"momentum"' in common_script()


@pytest.mark.build
def test_one_file_for_each_thing_a_field_can_ask(tmp_path):
    write_all(tmp_path)
    assert {path.stem for path in tmp_path.iterdir()} == {*EVERY_METHOD, "initializer", "batchnorm"}
    for path in tmp_path.iterdir():
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f'fumotoWrite.tables["{path.stem}"] = "')
        assert "<" not in text
