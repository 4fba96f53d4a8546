"""読者のコードの文を見つけ、その中で直してよいところを選ぶ。"""

import ast
import builtins
import linecache
import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

_OURS = str(Path(__file__).resolve().parents[2])
_HARMLESS = {
    *("numpy", "math", "copy", "collections", "dataclasses", "typing", "functools", "itertools"),
    *("abc", "enum", "operator", "fractions", "warnings", "__future__"),
}
_DANGEROUS = {
    *("open", "exec", "eval", "compile", "__import__", "input", "breakpoint", "exit", "quit", "globals"),
    *("setattr", "delattr", "save", "savez", "savetxt", "tofile", "memmap", "dump", "load", "fromfile"),
}


class Written:
    """中身はまだなくても、文の分かっているもの。"""

    text: str | None = None


@dataclass(frozen=True)
class Editable:
    """直してよい関数 1 つ。``function``: 本物。``node``: その文。``top``: それを含む、ファイルのいちばん外側の定義。"""

    function: types.FunctionType
    node: ast.FunctionDef
    top: ast.stmt

    def code(self) -> types.CodeType | None:
        """``node`` の今の文から作ったコード。なければ(作れなければ)None。"""
        whole = compile(ast.Module([self._alone()], []), self.function.__code__.co_filename, "exec")
        found = (code for code in _inside(whole) if code.co_qualname == self.function.__code__.co_qualname)
        return next(found, None)

    def _alone(self) -> ast.stmt:
        """``top`` のうち、``node`` だけがあるもの。"""
        if self.top is self.node or not isinstance(self.top, ast.ClassDef):
            return self.top
        return ast.copy_location(ast.ClassDef(self.top.name, [], [], [self.node], []), self.top)


def _inside(code: types.CodeType) -> Iterator[types.CodeType]:
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield each
            yield from _inside(each)


def text_of(thing: Any) -> str | None:
    """``thing`` の書かれたファイル(かセル)の全文。分からなければ None。"""
    if isinstance(thing, Written):
        return thing.text
    for function in _functions(thing):
        name = function.__code__.co_filename
        if not name.startswith(_OURS) and (lines := linecache.getlines(name)):
            return "".join(lines)
    return None


def editable(thing: Any, text: str) -> list[Editable]:
    """``thing`` と、そこから呼ばれる、同じファイルの関数。文と合わないか、計算のほかのことをしていれば、空。"""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    tops = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    found: dict[str, Editable] = {}
    waiting = list(_functions(thing))
    while waiting:
        function = waiting.pop(0)
        name = function.__code__.co_qualname
        top = tops.get(name.partition(".")[0])
        node = _node(top, name) if top is not None else None
        if name in found or node is None or top is None or node.name != function.__name__:
            continue
        found[name] = Editable(function, node, top)
        waiting += _called(function)
    if not found or any(_does_more(each.node, each.function.__globals__) for each in found.values()):
        return []
    return list(found.values())


def _functions(thing: Any) -> Iterator[types.FunctionType]:
    """``thing`` の中の、読者の書いた関数。"""
    if isinstance(thing, partial):
        thing = thing.func
    if isinstance(thing, types.MethodType):
        thing = thing.__self__
    if isinstance(thing, types.FunctionType):
        yield thing
        return
    kind = thing if isinstance(thing, type) else type(thing)
    for base in type.__dict__["__mro__"].__get__(kind):
        for value in list(type.__dict__["__dict__"].__get__(base).values()):
            value = (
                getattr(value, "__func__", value) if isinstance(value, staticmethod | classmethod) else value
            )
            value = value.fget if isinstance(value, property) else value
            if isinstance(value, types.FunctionType):
                yield value


def _called(function: types.FunctionType) -> Iterator[types.FunctionType]:
    """``function`` が名前で呼ぶ、ほかの関数とクラス。"""
    for code in (function.__code__, *_inside(function.__code__)):
        for name in code.co_names:
            value = function.__globals__.get(name)
            if isinstance(value, types.FunctionType | type):
                yield from _functions(value)


def _node(top: ast.stmt, name: str) -> ast.FunctionDef | None:
    """``name``(``Adam.update`` など)の関数の文。"""
    found: Any = top
    for part in name.split(".")[1:]:
        if part != "<locals>":
            inner = [each for each in found.body if getattr(each, "name", None) == part]
            found = inner[-1] if inner else None
        if found is None:
            return None
    return found if isinstance(found, ast.FunctionDef) else None


def _does_more(node: ast.FunctionDef, names: dict[str, Any]) -> bool:
    """計算のほかのこと(ファイルを開く、など)をしうるか。少し直しただけで、何が起こるか分からない。"""
    for each in ast.walk(node):
        if isinstance(each, ast.Import | ast.ImportFrom | ast.Global):
            return True
        name = each.id if isinstance(each, ast.Name) else each.attr if isinstance(each, ast.Attribute) else ""
        if name in _DANGEROUS:
            return True
        value = names.get(name) if isinstance(each, ast.Name) else None
        if isinstance(value, types.ModuleType) and value.__name__.partition(".")[0] not in _HARMLESS:
            return True
        if isinstance(value, types.BuiltinFunctionType) and not _is_harmless(value):
            return True
    return False


def _is_harmless(function: types.BuiltinFunctionType) -> bool:
    module = str(function.__module__).partition(".")[0]
    return module in _HARMLESS or getattr(builtins, function.__name__, None) is function
