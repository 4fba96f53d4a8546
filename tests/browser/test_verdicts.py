"""What the page says of a learner's class is what Python's ``check`` says of the same source.

Every right learner and every candidate of every method is written as a class (``checking.planted``) and run in both.
A fifteenth of them belongs to every run; ``pytest -m build tests/browser/test_verdicts.py`` runs them all (an hour).
"""

import itertools

import pytest

from checking.learners import SETTINGS
from checking.planted import can_be_written, source
from fumoto import check
from fumoto.checking.candidates.candidate import Candidate
from fumoto.checking.candidates.conventions import conventions
from fumoto.checking.candidates.equations import mistakes_in
from fumoto.checking.candidates.table import mistakes
from fumoto.checking.in_browser.tables import common_script, method_script, problems_script
from fumoto.printed.methods import EVERY_METHOD
from fumoto.printed.pages import book
from writing import runtime

QUICK = {"lr": 0.03, "momentum": 0.8, "decay_rate": 0.85, "eps": 1e-6, "beta1": 0.8, "beta2": 0.95}
EVERY = 15
OPEN = """() => new Promise((resolve) => {
    globalThis.answers = {};
    addEventListener("message", ({ data }) => (data.ready ? resolve() : (answers[data.id] = data)));
    const frame = Object.assign(document.createElement("iframe"), { src: "frame.html" });
    frame.setAttribute("sandbox", "allow-scripts");
    document.body.append(frame); })"""
ASK = """(question) => new Promise((resolve) => {
    document.querySelector("iframe").contentWindow.postMessage(question, "*");
    const look = () => (answers[question.id] ? resolve(answers[question.id]) : setTimeout(look, 5));
    look(); })"""


def settings(name):
    return {key: QUICK.get(key, value) for key, value in SETTINGS[name].items()}


def planted():
    """(name of the method, name of the candidate, source)."""
    for name, method in EVERY_METHOD.items():
        for candidate in (Candidate("printed", ""), *conventions(name), *mistakes(method, book())):
            if can_be_written(candidate, name):
                yield name, candidate.id, source(candidate, name)
        for label in dict.fromkeys(method.labels):
            for v in mistakes_in(label):
                if can_be_written(Candidate("", ""), name):
                    yield name, v.id, source(Candidate("", ""), name, v.equation)


ROWS = [
    pytest.param(*row, id=f"{row[0]}-{row[1]}", marks=() if i % EVERY == 0 else pytest.mark.build)
    for i, row in enumerate(planted())
]


@pytest.fixture(scope="module")
def ask(browser, tmp_path_factory):
    """``ask(code, name, title, **hyperparameters)``: what the page says."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "frame.html").write_text(runtime.page(), encoding="utf-8")
    (folder / "page.html").write_text("<!doctype html><meta charset='utf-8'><title>試し</title><body>", encoding="utf-8")
    page = browser.new_page()
    page.set_default_timeout(120000)
    page.goto((folder / "page.html").as_uri())
    page.evaluate(OPEN)
    tables, ids = {}, itertools.count()

    def asked(code, name, title, **hyperparameters):
        if name not in tables:
            tables[name] = common_script() + problems_script(name) + method_script(name)
        exercise = {"kind": "optimizer", "method": name, "title": title, "hyperparameters": hyperparameters}
        question = {"id": next(ids), "code": code, "exercise": exercise, "table": tables[name]}
        return page.evaluate(ASK, question)

    yield asked
    page.close()


def learner(code, title="Learner"):
    namespace = {}
    exec(code, namespace)
    return namespace[title]


@pytest.mark.parametrize(("name", "identifier", "code"), ROWS)
def test_the_page_says_what_python_says(ask, name, identifier, code):
    expected = check(learner(code), name, **settings(name))
    answer = ask(code, name, "Learner", **settings(name))
    assert "report" in answer, answer
    report = answer["report"]
    said = {key: report[key] for key in ("ok", "equation", "variant", "step")}
    if said["ok"]:
        said["variant"] = expected.variant if report["verdict"] == expected.verdict else report["variant"]
    assert said == {key: getattr(expected, key) for key in said}, (identifier, report["verdict"], expected.verdict)
