"""直すところと、そこで使える変数。"""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard

from fumoto.checking.repairing.edits import Edit, children, distinct, replaced

Term = ast.Name | ast.Attribute | ast.Subscript  # 変数、属性、その要素


@dataclass(frozen=True)
class Spot:
    """式 1 つのある所。``statement``: それを含む文。"""

    parent: ast.AST
    field: str
    index: int | None
    node: ast.expr
    statement: ast.stmt

    def edit(self, kind: str, what: str, new: ast.expr) -> Iterator[Edit]:
        """ここを ``new`` に替える。"""
        before, after = ast.unparse(self.node), ast.unparse(new)
        if before == after:
            return
        line = self.node.lineno
        with replaced(self.parent, self.field, self.index, new):
            yield Edit(kind, what, line, before, after)


def spots(function: ast.FunctionDef) -> list[Spot]:
    """関数の中の式の、ある所。注釈と、引数の既定値と、繰り返しの条件は除く(直すと、終わらなくなるかもしれない)。"""
    found: list[Spot] = []

    def visit(node: ast.AST, statement: ast.stmt | None) -> None:
        for field, index, child in children(node):
            if field in ("args", "annotation", "returns", "decorator_list") and isinstance(
                node, ast.FunctionDef | ast.AnnAssign
            ):
                continue
            if isinstance(node, ast.While) and field == "test":
                continue
            inside = child if isinstance(child, ast.stmt) else statement
            if isinstance(child, ast.expr) and inside is not None:
                found.append(Spot(node, field, index, child, inside))
            visit(child, inside)

    visit(function, None)
    return found


@dataclass(frozen=True)
class Scope:
    """関数の中で使えるもの。

    ``terms``: 変数、属性、その要素 → 走らせたときの種類(``"number"``, ``"array"``, ``"other"``。分からなければ ``""``)。``strings``: 文字列。
    """

    terms: dict[Term, str]
    strings: list[ast.expr]

    def of_kind(self, *kinds: str) -> list[Term]:
        return [term for term, kind in self.terms.items() if kind in kinds]

    def kind(self, node: ast.expr) -> str:
        text = ast.unparse(node)
        return next((kind for term, kind in self.terms.items() if ast.unparse(term) == text), "")

    @classmethod
    def of(cls, function: ast.FunctionDef, top: ast.stmt, kind_of: Callable[[str], str]) -> "Scope":
        own = {
            arg.arg for arg in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        }
        own |= {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        own -= {"self", "cls"}
        called = {ast.unparse(n.func) for n in ast.walk(top) if isinstance(n, ast.Call)}
        names: list[Term] = [ast.Name(name, ast.Load()) for name in sorted(own)]
        inside = [n for n in ast.walk(function) if isinstance(n, ast.Attribute | ast.Subscript)]
        everywhere = [
            n for n in ast.walk(top) if isinstance(n, ast.Attribute) and ast.unparse(n.value) == "self"
        ]
        around = {"self", *own}
        near: list[Term] = [
            n for n in (*inside, *everywhere) if _root(n) in around and ast.unparse(n) not in called
        ]
        found = distinct([loaded(n) for n in (*names, *near)])
        strings = [n for n in ast.walk(top) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        kinds = {term: kind_of(ast.unparse(term)) for term in found}
        return cls(kinds, distinct([n for n in strings if len(str(n.value)) < 20]))


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def loaded(node: Term) -> Term:
    """読むための写し。"""
    return _with(node, ast.Load())


def stored(node: Term) -> Term:
    """書くための写し。"""
    return _with(node, ast.Store())


def _with(node: Term, ctx: ast.expr_context) -> Term:
    new = copy.deepcopy(node)
    new.ctx = ctx
    return new


def is_term(node: ast.AST | None) -> TypeGuard[Term]:
    return isinstance(node, Term)


class Renaming(ast.NodeTransformer):
    """``old`` と書かれたところを ``new`` に替える。``only_read``: 読むところだけ。"""

    def __init__(self, old: str, new: Term, only_read: bool = False):
        self.old, self.new, self.only_read = old, new, only_read

    def visit(self, node: ast.AST) -> Any:
        if is_term(node) and ast.unparse(node) == self.old and not (self.only_read and is_written(node)):
            return ast.copy_location(_with(self.new, node.ctx), node)
        return self.generic_visit(node)


def is_written(node: ast.AST) -> bool:
    """値を入れられるところか。"""
    return isinstance(getattr(node, "ctx", None), ast.Store)


def is_stored(place: Spot) -> bool:
    return is_written(place.node)


def is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def binary(left: ast.expr, op: ast.operator, right: ast.expr) -> ast.expr:
    return ast.BinOp(left, op, right)


def constant(value: float) -> ast.expr:
    return ast.Constant(value)
