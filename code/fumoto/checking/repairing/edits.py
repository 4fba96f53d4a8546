"""直し方 1 つと、試す順。

文を書き換えて渡し、次に進むときに、元に戻す。
"""

import ast
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T", bound=ast.expr)


@dataclass(frozen=True)
class Edit:
    """直し方 1 つ。

    ``what``: 何が間違っていたかを言う言葉。``line``: 行(1 から)。``before``, ``after``: 直すところの、前と後。
    ``moved_to``: 文を移すなら、移すところ。
    ``id``: 直し方の種類の名前。
    """

    id: str
    what: str
    line: int
    before: str
    after: str
    moved_to: str = ""

    @property
    def fix(self) -> str:
        """どこをどう直せばよいかを言う一文。"""
        if self.moved_to:
            return f"{self.line} 行目の「{self.before}」を、{self.moved_to}に移すと、式と同じ動きをします。"
        if not self.after:
            return f"{self.line} 行目の「{self.before}」を除くと、式と同じ動きをします。"
        if not self.before:
            return f"{self.line} 行目に「{self.after}」を足すと、式と同じ動きをします。"
        return f"{self.line} 行目の「{self.before}」を「{self.after}」に直すと、式と同じ動きをします。"


def located(new: ast.AST, old: ast.AST) -> None:
    """``new`` の、行の決まっていないところを、``old`` の行にする。"""
    for each in ast.walk(new):
        if "lineno" in each._attributes and not hasattr(each, "lineno"):
            ast.copy_location(each, old)


@contextmanager
def replaced(parent: ast.AST, field: str, place: int | None, new: Any) -> Iterator[None]:
    """``parent`` の ``field``(``place`` 番目)を、そのあいだだけ ``new`` にする。"""
    where = getattr(parent, field)
    old = where if place is None else where[place]
    located(new, old)
    try:
        if place is None:
            setattr(parent, field, new)
        else:
            where[place] = new
        yield
    finally:
        if place is None:
            setattr(parent, field, old)
        else:
            where[place] = old


@contextmanager
def rewritten(block: list[ast.stmt], new: list[ast.stmt]) -> Iterator[None]:
    """文の並び ``block`` を、そのあいだだけ ``new`` にする。"""
    old = list(block)
    block[:] = new
    try:
        yield
    finally:
        block[:] = old


def children(node: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    """``node`` のすぐ内側の (名前, 何番目か, もの)。"""
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            yield field, None, value
        elif isinstance(value, list):
            for place, each in enumerate(value):
                if isinstance(each, ast.AST):
                    yield field, place, each


def distinct(nodes: Iterable[T]) -> list[T]:
    """同じ式は 1 つだけ。"""
    return list({ast.unparse(node): node for node in nodes}.values())
