"""What the page says of a learner's initial value or Batch Normalization is what Python says of the same source.

Some of the planted sources belong to every run; ``pytest -m build tests/browser/test_layers_in_page.py`` runs the others.
"""

import doctest

import pytest

from checking.planted_layers import functions, layers
from fumoto import check_batchnorm, check_initializer

from .asking import learner
from .conftest import BOOK
from .written_layers import FUNCTIONS, LAYERS, TOLD

EVERY = 16
GIVEN = {"decay_rate": 0.8, "eps": 1e-4}


pytestmark = pytest.mark.usefixtures("in_this_python")


def said(answer):
    """(ok, the name of the mistake). An error of the page's own words has no name in Python."""
    if "error" in answer:
        variant = answer["error"].get("variant")
        return False, None if variant and variant.startswith("error/") else variant
    return answer["report"]["ok"], answer["report"]["variant"]


def rows(sources, every=EVERY):
    return [
        pytest.param(*row, id="-".join(map(str, row[:-1])), marks=() if i % every == 0 or "trunc" in row[-2] else pytest.mark.build)
        for i, row in enumerate(sources)
    ]


@pytest.mark.parametrize(("name", "code"), rows(LAYERS.items(), 2) + rows(layers()))
def test_the_page_says_of_a_layer_what_python_says(ask, name, code):
    expected = check_batchnorm(learner(code), **GIVEN)
    answer = ask(code, "batchnorm", **GIVEN)
    assert said(answer) == (expected.ok, expected.variant), (answer, expected.verdict)


@pytest.mark.parametrize(("method", "name", "code"), rows(FUNCTIONS, 2) + rows(functions()))
def test_the_page_says_of_an_initial_value_what_python_says(ask, method, name, code):
    expected = check_initializer(learner(code), method)
    answer = ask(code, "initializer", method)
    assert said(answer) == (expected.ok, expected.variant), (answer, expected.verdict)


EXERCISES = [("08-initial-values.md", "write-my-he"), ("09-batchnorm.md", "write-my-batchnorm")]


@pytest.mark.parametrize(("page", "name"), EXERCISES)
def test_the_skeleton_is_told_in_words_and_the_solution_is_accepted(ask, page, name):
    text = (BOOK / page).read_text(encoding="utf-8")
    directive = text.split(f"{{write}} {name}\n")[1].split("```")[0].splitlines()
    options = dict(line[1:].split(": ", 1) for line in directive if line.startswith(":"))
    skeleton = "\n".join(line for line in directive if not line.startswith(":"))
    head = f"def {options['class']}(", f"class {options['class']}:"
    solution = next(each.source for each in doctest.DocTestParser().get_examples(text) if each.source.startswith(head))
    asked = {"kind": options["kind"], "method": options.get("method"), "title": options["class"]}
    asked |= GIVEN if options["kind"] == "batchnorm" else {}
    error = ask(skeleton, **asked)["error"]
    assert (error["line"], "return" in error["sentence"]) == (None, True)
    assert ask("import numpy as np\n" + solution, **asked)["report"]["ok"]


def test_what_cannot_run_is_told_in_words(ask):
    wrong = {}
    for (kind, code), (line, part) in TOLD.items():
        error = ask(code, kind, "he", **({} if kind == "initializer" else GIVEN)).get("error", {})
        if error.get("line") != line or part not in error.get("sentence", ""):
            wrong[code] = error
    assert wrong == {}
