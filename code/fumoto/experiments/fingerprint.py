"""計算の結果を決めるもの全部の指紋: 関数とそれが使うコード、引数、読むファイル、ライブラリと CPU。

指紋は、ファイルの文字からではなく、いま動いているものから作る。読み込んだあとに差し替えられた関数や定数も、
別のものとして数えられる。書き方だけの違い(注釈、説明、行の位置)は数えない。
"""

import copyreg
import dis
import functools
import hashlib
import inspect
import platform
import sys
import sysconfig
import types
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(...))
_MERGED = (tuple, frozenset)  # 同じ値の定数は、1 つにまとめられていることも、いないこともある
_PACKAGE = __name__.partition(".")[0]
# クラスの中で、結果を決めないもの。dataclass の欄は、それから作られた __init__ などに現れる
_BY_PYTHON = frozenset(
    {
        *("__doc__", "__module__", "__dict__", "__weakref__", "__annotations__", "__annotate_func__"),
        *("__annotations_cache__", "__qualname__", "__dataclass_fields__", "__dataclass_params__"),
        *("__match_args__", "__type_params__"),
        *("__parameters__", "__orig_bases__", "__abstractmethods__", "_abc_impl", "__protocol_attrs__"),
        *("__slotnames__", "__firstlineno__", "__static_attributes__"),
    }
)
# 結果を並べて計算し、取っておく仕組み。結果を決めないので、名前で数える
_MECHANISM = frozenset({f"{_PACKAGE}.experiments.kept", f"{_PACKAGE}.experiments.parallel"})
_INSTALLED = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib"))


def fingerprint(*values: Any, imported: Iterable[str] = ()) -> str:
    """``values`` と、それを決めるもの全部の SHA-256。

    関数は、名前で呼ぶもの(関数、クラス、定数)を、このプロジェクトの中ならどこまでもたどる。入れたライブラリは名前で数える。
    パスは、そこにあるファイルの中身で数える。``imported``: 関数の中の ``import`` のうち、たどるモジュールの名前。
    中身の分からないもの(開いたファイルなど)が混ざっていれば ``TypeError``。

    >>> def double(x):
    ...     return factor * x
    >>> factor = 2
    >>> first = fingerprint(double)
    >>> factor = 3
    >>> fingerprint(double) == first
    False
    """
    walk = _Walk(frozenset(imported))
    walk.each(values)
    return walk.digest.hexdigest()


@functools.cache
def surroundings() -> tuple[str, ...]:
    """コードのほかに、丸めを変えるもの: Python と NumPy の版、CPU の命令、BLAS の版と、CPU に合わせた選び方。

    SciPy の持つ BLAS は、取っておく結果に使わず、読み込まれているかどうかもプロセスによるので、数えない。
    """
    blas = [
        f"{info['internal_api']} {info.get('version')} {info.get('architecture')}"
        for info in threadpool_info()
        if "scipy" not in Path(info["filepath"]).parent.name
    ]
    simd = np.show_config(mode="dicts")["SIMD Extensions"]
    return platform.python_version(), platform.machine(), np.__version__, repr(simd), *sorted(blas)


class _Walk:
    """値を 1 つずつたどって、指紋に加える。同じものに 2 度目に出会ったら、何番目のものかだけを加える。"""

    def __init__(self, imported: frozenset[str]):
        self.digest = hashlib.sha256()
        self.imported = imported
        self.seen: dict[int, int] = {}
        self.alive: list[object] = []  # たどっている間に消えると、同じ id が別のものに使われる

    def add(self, *parts: str | bytes) -> None:
        for part in parts:
            part = part if isinstance(part, bytes) else part.encode()
            self.digest.update(len(part).to_bytes(8, "big") + part)

    def value(self, value: Any) -> None:
        if type(value) in _PLAIN:
            self.add(type(value).__name__, repr(value))
            return
        if type(value) not in _MERGED:
            if id(value) in self.seen:
                self.add("again", str(self.seen[id(value)]))
                return
            self.seen[id(value)] = len(self.seen)
            self.alive.append(value)
        self.add(type(value).__qualname__)
        kind = type(value)  # 組み込みの型を継いだものは、最後の _parts で、クラスのコードまで数える
        match value:
            case tuple() | list() if kind in (tuple, list):
                self.each(value)
            case dict() if kind is dict:
                self.each(pair for pair in value.items())
            case set() | frozenset() if kind in (set, frozenset):
                self.add(*sorted(_alone(item, self.imported) for item in value))
            case np.ndarray() | np.generic() if value.dtype != object and kind.__module__ == "numpy":
                self.add(str(value.dtype), str(value.shape), value.tobytes())
            case Path():
                self.files(value)
            case types.CodeType():
                self.code(value)
            case types.ModuleType():
                self.add(value.__name__, *([inspect.getsource(value)] if _is_ours(value) else []))
            case types.FunctionType() | type() if not _is_ours(value) or value.__module__ in _MECHANISM:
                self.add(value.__module__ or "", value.__qualname__)
            case types.FunctionType():
                self.function(value)
            case type():
                self.add(value.__qualname__)
                self.value(kind)
                self.each(value.__bases__)
                self.each((name, part) for name, part in vars(value).items() if name not in _BY_PYTHON)
            case types.BuiltinFunctionType():
                self.add(value.__qualname__)
                self.value(value.__self__)
            case staticmethod() | classmethod():
                self.value(value.__func__)
            case functools.cached_property():
                self.value(value.func)
            case property():
                self.each((value.fget, value.fset, value.fdel))
            case _ if hasattr(value, "__wrapped__"):  # functools.cache など
                self.value(value.__wrapped__)
            case _:  # そのほかのものは、写しを作るときと同じように分ける
                self.each(_parts(value))

    def each(self, values: Iterable[Any]) -> None:
        for value in values:
            self.value(value)
        self.add("end")

    def files(self, place: Path) -> None:
        self.add(place.name)
        paths = sorted(place.rglob("*")) if place.is_dir() else [place]
        for path in filter(Path.is_file, paths):
            status = path.stat()
            self.add(path.name, _content(path, status.st_size, status.st_mtime_ns))

    def function(self, function: types.FunctionType) -> None:
        if inside := decorated(function):  # 取っておく仕組み(kept.py)そのものは、結果を決めない
            self.value(inside)
            return
        self.code(function.__code__)
        self.each((function.__defaults__, function.__kwdefaults__))
        self.each(cell.cell_contents for cell in function.__closure__ or ())
        names = set(_names(function.__code__))
        for name in sorted(names & function.__globals__.keys()):
            self.add(name)
            self.named(function.__globals__[name], names)
        for name in sorted(_imports(function.__code__) & self.imported):
            self.named(import_module(name), names)

    def named(self, value: Any, names: set[str]) -> None:
        """コードが ``names`` の名前と一緒に使っている値。モジュールなら、その中の、名前のあるもの(なければ全部)。"""
        chosen = sorted(names & vars(value).keys()) if isinstance(value, types.ModuleType) else []
        if not (chosen and _is_ours(value)):
            self.value(value)
            return
        self.add(value.__name__)
        for name in chosen:
            self.add(name)
            self.named(vars(value)[name], names - {name})

    def code(self, code: types.CodeType) -> None:
        described, flags = _has_docstring(code), code.co_flags & ~_DESCRIBED
        self.add(code.co_code, code.co_exceptiontable, str((code.co_argcount, code.co_kwonlyargcount, flags)))
        self.add(*code.co_names, *code.co_varnames, *code.co_freevars, *code.co_cellvars)
        self.each(code.co_consts[1:] if described else code.co_consts)


_DESCRIBED = 0x4000000  # inspect.CO_HAS_DOCSTRING(Python 3.14 から)


def _has_docstring(code: types.CodeType) -> bool:
    """はじめの定数が、関数の説明か、その代わりの None か。"""
    if sys.version_info >= (3, 14):
        return bool(code.co_flags & _DESCRIBED)
    first = code.co_consts[0] if code.co_consts else 0
    return (first is None or isinstance(first, str)) and (
        code.co_name[0] != "<" or code.co_name == "<lambda>"
    )


@functools.cache
def _content(path: Path, size: int, changed: int) -> str:
    """ファイルの中身の SHA-256。大きさも日時も変わらない間は、読み直さない。"""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _alone(value: Any, imported: frozenset[str]) -> str:
    walk = _Walk(imported)
    walk.value(value)
    return walk.digest.hexdigest()


def _parts(value: object) -> Iterator[Any]:
    reduce = copyreg.dispatch_table.get(type(value))
    for part in reduce(value) if reduce else value.__reduce_ex__(4):
        yield list(part) if isinstance(part, Iterator) else part


def decorated(function: Any) -> Any:
    """``kept`` の飾りの中の関数。飾りがない(か、その上にほかの飾りがある)なら None。"""
    inside = getattr(function, "kept", None)
    return inside if inside is not None and getattr(function, "__wrapped__", None) is inside else None


def _nested(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _nested(constant)


def _names(code: types.CodeType) -> Iterator[str]:
    for part in _nested(code):
        yield from part.co_names


@functools.cache
def _imports(code: types.CodeType) -> frozenset[str]:
    """関数の中の ``import`` が読み込むモジュールの名前。"""
    instructions = (each for part in _nested(code) for each in dis.get_instructions(part))
    return frozenset(each.argval for each in instructions if each.opname == "IMPORT_NAME")


def _is_ours(value: Any) -> bool:
    """Python についてくるものでも、入れたライブラリでもない、関数、クラス、モジュール。"""
    if isinstance(value, types.FunctionType):
        name = value.__globals__.get("__name__") or ""
    else:
        name = value.__name__ if isinstance(value, types.ModuleType) else value.__module__ or ""
    root = name.partition(".")[0]
    if root == _PACKAGE or root in sys.stdlib_module_names:
        return root == _PACKAGE
    path = getattr(sys.modules.get(name), "__file__", None)
    return path is None or not any(Path(path).is_relative_to(place) for place in _INSTALLED)
