"""変数の直し方: 別の変数、写して貼った文の直し忘れ、掛けたり足したりするものの書き忘れ。"""

import ast
import copy
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from typing import Any

from fumoto.checking.repairing.edits import Edit, located
from fumoto.checking.repairing.places import Renaming, Scope, Spot, binary, constant, is_stored, is_term

LONGEST = 6  # これより長い並びでは、入れ替えを試さない


def other_terms(place: Spot, scope: Scope) -> Iterator[Edit]:
    """別の変数。"""
    node = place.node
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        for other in scope.strings:
            yield from place.edit("variable", "名前が違います", other)
        return
    if isinstance(node, ast.Call) and place.field in ("left", "right", "args", "value"):
        for term in scope.of_kind("array"):
            yield from place.edit("variable", "使うものが違います", term)
    if not is_term(node) or place.field == "func" or ast.unparse(node) in ("self", "np", "numpy", "math"):
        return
    if isinstance(place.parent, ast.Attribute):
        return
    kind = scope.kind(node)
    for term in scope.of_kind(kind, "") if kind else scope.terms:
        new = copy.deepcopy(term)
        new.ctx = copy.copy(node.ctx)
        yield from place.edit("variable", "変数が違います", new)


def exchanged(place: Spot, scope: Scope) -> Iterator[Edit]:
    """並びの中の 2 つの取り違え: 受け取る変数、返す値、渡す引数。"""
    node = place.node
    field = "args" if isinstance(node, ast.Call) else "elts" if isinstance(node, ast.Tuple) else ""
    items = getattr(node, field, [])
    for i, j in combinations(range(len(items) if len(items) <= LONGEST else 0), 2):
        order = list(items)
        order[i], order[j] = order[j], order[i]
        new = copy.copy(node)
        setattr(new, field, order)
        yield from place.edit("exchanged", "順が入れ替わっています", new)


def everywhere(place: Spot, scope: Scope) -> Iterator[Edit]:
    """写して貼った文の、直し忘れた変数: 1 つの文の中の、同じものを全部。"""
    whole = place.parent
    if not isinstance(whole, ast.Assign | ast.AugAssign) or place.field != "value":
        return
    text = ast.unparse(whole)
    shown: dict[str, Any] = {ast.unparse(n): n for n in ast.walk(whole) if is_term(n)}
    targets = {ast.unparse(t) for t in getattr(whole, "targets", [getattr(whole, "target", None)]) if t}
    for old in targets & {ast.unparse(n) for n in ast.walk(place.node) if is_term(n)}:
        kind = scope.kind(shown[old])
        for term in scope.of_kind(kind, "") if kind else scope.terms:
            if ast.unparse(term) == old:
                continue
            changed = Renaming(old, term).visit(copy.deepcopy(whole))
            with _in_place_of(whole, changed):
                yield Edit("variable", "変数が違います", whole.lineno, text, ast.unparse(whole))


@contextmanager
def _in_place_of(node: ast.AST, other: ast.AST) -> Iterator[None]:
    """``node`` の中身を、そのあいだだけ ``other`` のものにする。"""
    located(other, node)
    old = vars(node).copy()
    vars(node).update(vars(other))
    try:
        yield
    finally:
        vars(node).update(old)


def factors(place: Spot, scope: Scope) -> Iterator[Edit]:
    """掛けるもの、割るもの、足すものの書き忘れ。"""
    if is_stored(place) or not _whole(place):
        return
    node = place.node
    for term in scope.of_kind("number"):
        rest = binary(constant(1), ast.Sub(), term)
        yield from place.edit("factor", "掛けるものが足りません", binary(rest, ast.Mult(), node))
        yield from place.edit("factor", "割るものが足りません", binary(node, ast.Div(), rest))
    for term in scope.of_kind("number", "array"):
        yield from place.edit("factor", "掛けるものが足りません", binary(term, ast.Mult(), node))
        yield from place.edit("factor", "割るものが足りません", binary(node, ast.Div(), term))
        yield from place.edit("term", "足すものが足りません", binary(node, ast.Add(), term))
        yield from place.edit("term", "引くものが足りません", binary(node, ast.Sub(), term))
    if any(isinstance(n, ast.MatMult) for n in ast.walk(place.statement)):
        for term in scope.of_kind("array"):
            yield from place.edit("factor", "行列の積が足りません", binary(node, ast.MatMult(), term))


def _whole(place: Spot) -> bool:
    """代入の右辺か、足し算か引き算の項か、割る方か、平方根などの中か。"""
    parent = place.parent
    if isinstance(parent, ast.Assign | ast.AugAssign | ast.Return) and place.field == "value":
        return not isinstance(place.node, ast.Tuple | ast.Dict | ast.List)
    if isinstance(parent, ast.BinOp) and not isinstance(place.node, ast.Constant):
        return isinstance(parent.op, ast.Add | ast.Sub) or (
            isinstance(parent.op, ast.Div) and place.field == "right"
        )
    return isinstance(parent, ast.Call) and place.field == "args" and isinstance(place.node, ast.BinOp)


KINDS = (exchanged, other_terms, everywhere)
LAST = (factors,)
