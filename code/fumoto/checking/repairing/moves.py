"""文の移し方: 順序、ループの内と外、2 つに分かれたループ。"""

import ast
from collections.abc import Iterator

from fumoto.checking.repairing.edits import Edit, rewritten
from fumoto.checking.repairing.places import Scope


def shown(node: ast.stmt) -> str:
    """文のはじめの行。"""
    return ast.unparse(node).split("\n")[0]


def _edit(what: str, node: ast.stmt, where: str) -> Edit:
    return Edit("order", what, node.lineno, shown(node), shown(node), where)


def moved(block: list[ast.stmt], scope: Scope) -> Iterator[Edit]:
    """順序の違う文。"""
    for i, node in enumerate(block):
        rest = [*block[:i], *block[i + 1 :]]
        for j in range(len(block)):
            if j not in (i, i - 1):  # 隣どうしの入れ替えは 1 度だけ
                where = f"{rest[j].lineno} 行目の前" if j < len(rest) else f"{rest[-1].lineno} 行目の後"
                with rewritten(block, [*rest[:j], node, *rest[j:]]):
                    yield _edit("順序が違います", node, where)
        if isinstance(node, ast.For | ast.If):
            yield from _out_of(block, i, node)
        if isinstance(node, ast.For):
            yield from _into(block, i, node)
            yield from _joined(block, i, node)


def _out_of(block: list[ast.stmt], i: int, loop: ast.For | ast.If) -> Iterator[Edit]:
    """ループか条件の中の文を、前か後に出す。"""
    inside, name = list(loop.body), "ループ" if isinstance(loop, ast.For) else "条件"
    for j, node in enumerate(inside if len(inside) > 1 else []):
        fewer = [*inside[:j], *inside[j + 1 :]]
        for order, where in (([node, loop], "前"), ([loop, node], "後")):
            with rewritten(loop.body, fewer), rewritten(block, [*block[:i], *order, *block[i + 1 :]]):
                yield _edit(f"{name}の中にあります", node, f"{loop.lineno} 行目の{name}の{where}")


def _into(block: list[ast.stmt], i: int, loop: ast.For) -> Iterator[Edit]:
    """前後の文を、ループの中に入れる。前のものは、いくつかまとめても。"""
    inside, outside = list(loop.body), "ループの外にあります"
    for count in range(1, min(i, 4) + 1):
        moving = block[i - count : i]
        with rewritten(loop.body, [*moving, *inside]), rewritten(block, [*block[: i - count], *block[i:]]):
            to = "" if count == 1 else f"次の {count - 1} 行と一緒に、"
            yield _edit(outside, moving[0], f"{to}ループの中のはじめ")
    if i + 1 < len(block):
        node = block[i + 1]
        with rewritten(loop.body, [*inside, node]), rewritten(block, [*block[: i + 1], *block[i + 2 :]]):
            yield _edit(outside, node, "ループの中の終わり")


def _joined(block: list[ast.stmt], i: int, loop: ast.For) -> Iterator[Edit]:
    """次のループの文を、このループに入れる。"""
    after = block[i + 1] if i + 1 < len(block) else None
    if isinstance(after, ast.For):
        inside, others = list(loop.body), list(after.body)
        with rewritten(loop.body, [*inside, *others]), rewritten(block, [*block[: i + 1], *block[i + 2 :]]):
            yield _edit("ループが 2 つに分かれています", others[0], f"{loop.lineno} 行目のループの終わり")
