"""文の直し方: 順序、余分な文、足りない文、ループの内と外。"""

import ast
import copy
from collections.abc import Iterator

from fumoto.checking.repairing.edits import Edit, located, replaced, rewritten
from fumoto.checking.repairing.moves import moved, shown
from fumoto.checking.repairing.places import Renaming, Scope, is_term, loaded, stored


def blocks(function: ast.FunctionDef) -> list[list[ast.stmt]]:
    """関数の中の、文の並び。``while`` の中は除く(直すと、終わらなくなるかもしれない)。"""
    found: list[list[ast.stmt]] = []

    def visit(node: ast.AST) -> None:
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and block:
                found.append(block)
                for each in block:
                    if not isinstance(each, ast.While | ast.ClassDef):
                        visit(each)

    visit(function)
    return found


def signs(block: list[ast.stmt], scope: Scope) -> Iterator[Edit]:
    """``+=`` と ``-=`` と ``=`` の取り違え。"""
    for i, node in enumerate(block):
        if isinstance(node, ast.AugAssign):
            for op in (ast.Sub, ast.Add, ast.Mult, ast.Div):
                if type(node.op) is not op:
                    new: ast.stmt = ast.AugAssign(node.target, op(), node.value)
                    yield from _one(block, i, "operator", "演算が違います", new)
            yield from _one(
                block, i, "assignment", "足すのではなく、代入です", ast.Assign([node.target], node.value)
            )
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and is_term(node.targets[0]):
            target = stored(node.targets[0])
            for op in (ast.Add, ast.Sub):
                yield from _one(
                    block,
                    i,
                    "assignment",
                    "代入ではなく、足し引きです",
                    ast.AugAssign(target, op(), node.value),
                )
            if isinstance(target, ast.Name):
                whole = ast.Subscript(target, ast.Constant(...), ast.Store())
                yield from _one(
                    block,
                    i,
                    "assignment",
                    "名前を付け替えるだけで、配列を書き換えていません",
                    ast.Assign([whole], node.value),
                )
            elif isinstance(target, ast.Subscript) and ast.unparse(target.slice) in (":", "..."):
                yield from _one(
                    block, i, "assignment", "配列を書き換えています", ast.Assign([target.value], node.value)
                )


def removed(block: list[ast.stmt], scope: Scope) -> Iterator[Edit]:
    """余分な文。"""
    for i, node in enumerate(block):
        if isinstance(node, ast.Return | ast.FunctionDef) and len(block) == i + 1:
            continue
        with rewritten(
            block,
            [
                *block[:i],
                *([ast.copy_location(ast.Pass(), node)] if len(block) == 1 else []),
                *block[i + 1 :],
            ],
        ):
            yield Edit("statement", "余分な文があります", node.lineno, shown(node), "")


def conditions(block: list[ast.stmt], scope: Scope) -> Iterator[Edit]:
    """いつも成り立つはずの条件、逆の条件。"""
    for i, node in enumerate(block):
        if not isinstance(node, ast.If):
            continue
        for inner in (node.body, node.orelse):
            if inner:
                with rewritten(block, [*block[:i], *inner, *block[i + 1 :]]):
                    yield Edit("condition", "条件が要りません", node.lineno, shown(node), shown(inner[0]))
        opposite = ast.copy_location(ast.UnaryOp(ast.Not(), node.test), node.test)
        with replaced(node, "test", None, opposite):
            yield Edit(
                "condition", "条件が逆です", node.lineno, ast.unparse(opposite.operand), ast.unparse(opposite)
            )


def added(block: list[ast.stmt], scope: Scope) -> Iterator[Edit]:
    """足りない文: 状態を書き戻す、回数を 1 増やす。"""
    for node in block:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and is_term(node.value):
            target = node.targets[0]
            if is_term(target):
                back = stored(node.value)
                value = loaded(target)
                yield from _inserted(
                    block, len(block), "stored", "書き戻していません", ast.Assign([back], value)
                )
    for place in sorted({0, len(block)}):
        for term in scope.of_kind("number"):
            new = ast.AugAssign(stored(term), ast.Add(), ast.Constant(1))
            yield from _inserted(block, place, "counter", "回数を数えていません", new)


def stores(block: list[ast.stmt], scope: Scope) -> Iterator[Edit]:
    """求めた値を、状態に残す文。"""
    arrays = scope.of_kind("array", "")
    targets = [t for t in arrays if isinstance(t, ast.Subscript | ast.Attribute)]
    names = [t for t in arrays if isinstance(t, ast.Name)]
    for target in targets:
        for name in names:
            back = stored(target)
            yield from _inserted(block, len(block), "stored", "書き戻していません", ast.Assign([back], name))


def _one(block: list[ast.stmt], i: int, kind: str, what: str, new: ast.stmt) -> Iterator[Edit]:
    old = block[i]
    located(new, old)
    with rewritten(block, [*block[:i], new, *block[i + 1 :]]):
        yield Edit(kind, what, old.lineno, shown(old), shown(new))


def _inserted(block: list[ast.stmt], i: int, kind: str, what: str, new: ast.stmt) -> Iterator[Edit]:
    if i == len(block) and isinstance(block[-1], ast.Return):
        i -= 1
    beside = block[min(i, len(block) - 1)]
    located(new, beside)
    with rewritten(block, [*block[:i], new, *block[i:]]):
        yield Edit(kind, what, beside.lineno + (i >= len(block)), "", shown(new))


def overwritten(block: list[ast.stmt], scope: Scope) -> Iterator[Edit]:
    """状態を上書きしている文。新しい名前をつけ、この後では、そちらを使う。"""
    for i, node in enumerate(block):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if not isinstance(node, ast.Assign | ast.AugAssign) or not is_term(target):
            continue
        text, name = ast.unparse(target), "新しい名前"
        fresh = ast.Name(name, ast.Load())
        value = node.value if isinstance(node, ast.Assign) else ast.BinOp(loaded(target), node.op, node.value)
        renaming = Renaming(text, fresh, only_read=True)
        after = [renaming.visit(each) for each in copy.deepcopy(block[i + 1 :])]
        first: ast.stmt = ast.Assign([ast.Name(name, ast.Store())], value)
        located(first, node)
        with rewritten(block, [*block[:i], first, *after]):
            after_all = f"{shown(first)}(この後では、{name}を使う)"
            yield Edit("overwritten", "状態を上書きしています", node.lineno, shown(node), after_all)


KINDS = (signs, moved, removed, conditions, overwritten, added)
LAST = (stores,)
