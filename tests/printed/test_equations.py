"""Every labelled equation of the book is parsed and compared with the code, and the comparison can fail."""

import ast
import copy
import inspect
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from equation_checks import CHECKS
from equation_checks.first_half import check_method
from fumoto import optimizers
from fumoto.printed import METHODS, parse, read

BOOK = read()
PARSED = sorted(label for label, equation in BOOK.items() if equation.checked_by is None)
ROOT = Path(__file__).resolve().parents[2]


def test_every_labelled_equation_has_a_check():
    unchecked = set(PARSED) - CHECKS.keys()
    assert not unchecked, f"labelled equations without a check: {sorted(unchecked)}"
    stale = CHECKS.keys() - set(PARSED)
    assert not stale, f"checks without an equation: {sorted(stale)}"


@pytest.mark.parametrize("label", PARSED)
def test_printed_equation_is_what_the_code_does(label):
    CHECKS[label](BOOK)


def test_every_equation_of_the_book_is_parsed():
    assert len(PARSED) == len(BOOK)


def test_every_label_beside_a_line_of_code_is_on_a_page():
    for path in (ROOT / "code" / "fumoto").rglob("*.py"):
        for label in re.findall(r"#.*?\b(eq-[\w-]+)", path.read_text(encoding="utf-8")):
            assert label in BOOK, f"{path.name} names {label}, which no page has"


# --- the tests can fail -----------------------------------------------------------------------------------


def flipped_signs(latex):
    """Copies of an equation with one + or - turned around, subscripts left alone."""
    hidden = re.sub(r"_\{[^{}]*\}", lambda m: "·" * len(m[0]), latex)
    start = hidden.index("=") + 1
    for match in re.finditer(r"[+-]", hidden):
        if match.start() >= start:
            other = "-" if match[0] == "+" else "+"
            yield latex[: match.start()] + other + latex[match.end() :]


def spoiled(label, latex):
    equation = BOOK[label]
    declarations = ";".join(f"{name} in {text}" for name, text in _declarations(equation))
    return parse(latex, declarations, label=label, page=equation.page, line=equation.line)


def _declarations(equation):
    lines = (ROOT / "book" / equation.page).read_text(encoding="utf-8").splitlines()
    following = next(line for line in lines[equation.line - 1 :] if line.startswith("% domain:"))
    for part in following.removeprefix("% domain:").split(";"):
        name, _, text = part.strip().partition(" in ")
        yield name, text


FLIPS = [(label, latex) for label in PARSED for latex in flipped_signs(BOOK[label].latex)]


@pytest.mark.parametrize(("label", "latex"), FLIPS)
def test_flipped_sign_on_a_page_is_caught(label, latex):
    wrong = {**BOOK, label: spoiled(label, latex)}
    with np.errstate(all="ignore"), pytest.raises((AssertionError, ValueError)):
        CHECKS[label](wrong)


class FlipSign(ast.NodeTransformer):
    """Turns the n-th + or - of a function around."""

    def __init__(self, number):
        self.number = number

    def _next(self):
        self.number -= 1
        return self.number == -1

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Add | ast.Sub) and self._next():
            node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        return node

    def visit_UnaryOp(self, node):
        self.generic_visit(node)
        return node.operand if isinstance(node.op, ast.USub) and self._next() else node


def optimizers_with_flipped_sign(class_name, number):
    tree = ast.parse(inspect.getsource(optimizers))
    cls = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == class_name)
    rule = next(n for n in cls.body if isinstance(n, ast.FunctionDef) and n.name == "rule")
    original = ast.dump(rule)
    FlipSign(number).visit(rule)
    if ast.dump(rule) == original:
        return None
    module = ModuleType("spoiled")
    exec(compile(ast.fix_missing_locations(tree), "spoiled", "exec"), module.__dict__)
    return module


CODE_FLIPS = [
    (name, number)
    for name in METHODS
    for number in range(30)
    if optimizers_with_flipped_sign(name, number) is not None
]


@pytest.mark.parametrize(("name", "number"), CODE_FLIPS)
def test_flipped_sign_in_an_update_rule_is_caught(name, number):
    module = optimizers_with_flipped_sign(name, number)
    with np.errstate(all="ignore"), pytest.raises(AssertionError):
        check_method(BOOK, name, module)


def test_the_sign_flips_are_the_ones_expected():
    assert {name for name, _ in CODE_FLIPS} == set(METHODS)
    assert len([1 for name, _ in CODE_FLIPS if name == "Adam"]) == 9  # t + 1 is one of them
    assert len(FLIPS) > 50


def test_an_equation_without_a_check_is_named():
    book = copy.copy(BOOK)
    book["eq-new-x"] = parse("x = y", "y in R", label="eq-new-x")
    assert sorted(set(book) - CHECKS.keys() - {e.label for e in BOOK.values() if e.checked_by}) == [
        "eq-new-x"
    ]
