"""How a test asks the frame that runs the learner's code, in a page that has nothing else."""

import itertools

from fumoto.checking.in_browser.layers import batchnorm_script, initializer_script
from fumoto.checking.in_browser.tables import common_script, method_script, problems_script
from writing import runtime

OPEN = """(address) => new Promise((resolve) => {
    globalThis.answers = {};
    addEventListener("message", ({ data }) => (data.ready ? resolve() : (answers[data.id] = data)));
    const frame = Object.assign(document.createElement("iframe"), { src: address });
    frame.setAttribute("sandbox", "allow-scripts");
    document.body.append(frame); })"""
ASK = """(question) => new Promise((resolve) => {
    document.querySelector("iframe").contentWindow.postMessage(question, "*");
    const look = () => (answers[question.id] ? resolve(answers[question.id]) : setTimeout(look, 5));
    look(); })"""
LAYERS = {"initializer": initializer_script, "batchnorm": batchnorm_script}


def write_page(folder):
    """Write ``frame.html`` and a page for it; the address of the page."""
    (folder / "frame.html").write_text(runtime.page(), encoding="utf-8")
    page = folder / "page.html"
    page.write_text("<!doctype html><meta charset='utf-8'><title>試し</title><body>", encoding="utf-8")
    return page.as_uri()


class Frame:
    """The frame in a page that is already at ``write_page``'s address. ``evaluate``: runs JavaScript there."""

    def __init__(self, evaluate):
        self._evaluate, self._tables, self._ids = evaluate, {}, itertools.count()
        evaluate(OPEN, "frame.html")

    def ask(self, code, kind="optimizer", method=None, title="Learner", equations=None, **hyperparameters):
        """What the page says. ``equations``: label -> number and address, which the page of the exercise knows."""
        exercise = {"kind": kind, "method": method, "title": title, "hyperparameters": hyperparameters}
        exercise["equations"] = equations or {}
        question = {"id": next(self._ids), "code": code, "exercise": exercise, "table": self._table(kind, method)}
        return self._evaluate(ASK, question)

    def _table(self, kind, method):
        key = method if kind == "optimizer" else kind
        if key not in self._tables:
            own = problems_script(method) + method_script(method) if kind == "optimizer" else LAYERS[kind]()
            self._tables[key] = common_script() + own
        return self._tables[key]


def learner(code):
    """The learner's class or function, in Python."""
    namespace = {}
    exec(code, namespace)
    return namespace["Learner"]
