"""The field to write in, in another engine: Firefox says what Python says, and the built page works from its file."""

import shutil

import pytest

from checking.planted import source
from fumoto import check, check_batchnorm, check_initializer
from fumoto.checking.candidates.candidate import Candidate
from fumoto.checking.candidates.equations import mistakes_in
from fumoto.printed.methods import EVERY_METHOD

from .asking import Frame, learner, write_page
from .conftest import HTML
from .firefox import Firefox
from .test_layers_in_page import GIVEN, said
from .test_verdicts import assert_the_same, settings
from .written_layers import FUNCTIONS, LAYERS

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("in_this_python")]
PROGRAM = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    if PROGRAM is None:
        pytest.skip("no Firefox on PATH")
    started = Firefox(PROGRAM, tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


@pytest.fixture(scope="module")
def asked(firefox, tmp_path_factory):
    firefox.goto(write_page(tmp_path_factory.mktemp("page")))
    return Frame(firefox.evaluate).ask


@pytest.mark.parametrize("name", EVERY_METHOD)
def test_an_optimizer_right_and_wrong(asked, name):
    slip = mistakes_in(EVERY_METHOD[name].labels[0])[0]
    for code in (source(Candidate("printed", ""), name), source(Candidate("", ""), name, slip.equation)):
        expected = check(learner(code), name, **settings(name))
        assert_the_same(name, asked(code, method=name, **settings(name)), expected)


@pytest.mark.parametrize("name", ["plain", "var", "axis", "zero-start"])
def test_a_batch_normalization(asked, name):
    expected = check_batchnorm(learner(LAYERS[name]), **GIVEN)
    assert said(asked(LAYERS[name], "batchnorm", **GIVEN)) == (expected.ok, expected.variant)


@pytest.mark.parametrize(("method", "name", "code"), FUNCTIONS[:4])
def test_an_initial_value(asked, method, name, code):
    expected = check_initializer(learner(code), method)
    assert said(asked(code, "initializer", method)) == (expected.ok, expected.variant)


def test_what_does_not_end_is_ended(asked):
    answer = asked("while True:\n    pass\n", method="SGD", lr=0.1)
    assert "終わらない繰り返し" in answer["error"]["sentence"]
    code = source(Candidate("printed", ""), "SGD")
    assert asked(code, method="SGD", lr=0.1)["report"]["ok"]


PRESS = """() => new Promise((resolve) => {
    const box = document.querySelector("div.write"), result = box.querySelector(".write-result");
    const solution = document.querySelector(".write-take");
    solution.click();
    box.querySelector(".write-check").click();
    const look = () => (result.querySelector("details") ? resolve(result.textContent) : setTimeout(look, 20));
    look(); })"""


def test_the_solution_put_into_the_field_of_a_built_page_is_right(firefox):
    if not (HTML / "03-momentum.html").is_file():
        pytest.skip("the book has not been built")
    firefox.goto((HTML / "03-momentum.html").as_uri())
    assert "✓一致: Momentum の式と同じ動きをします。" in firefox.evaluate(PRESS)
