"""作ってあるもの(オブジェクトか、状態を外側の関数の変数に持つ関数)の写し。読者のものを、変えないように。"""

import copy
from contextlib import suppress
from types import CellType, FunctionType
from typing import Any

from fumoto.checking.calling.safety import ReaderError


def own_copy(thing: Any) -> Any:
    """作ってあるものの写し。写せなければ ``ReaderError``。"""
    try:
        return copy.deepcopy(thing)
    except Exception as error:
        raise ReaderError(
            f"渡されたものの写しを作れません({type(error).__name__}: {error})。作る前のクラスを渡してください。"
        ) from None


def with_own_cells(function: Any, copies: dict[Any, Any]) -> Any:
    """状態を外側の関数の変数に持つ関数(クロージャ)の写し。状態も写す。``copies``: もう写した変数と関数。

    同じ関数の中で作られた関数どうしは、同じ名前の数を共有する(別のプロセスに送ると、共有が切れている)。

    >>> def counter():
    ...     seen = []
    ...     return lambda: seen.append(0) or len(seen)
    >>> step = counter()
    >>> step(), step(), with_own_cells(step, {})(), step()
    (1, 2, 3, 3)
    """
    if not isinstance(function, FunctionType) or not function.__closure__:
        return function
    if id(function) in copies:
        return copies[id(function)]
    scope = function.__qualname__.rpartition(".")[0]
    both = zip(function.__code__.co_freevars, function.__closure__, strict=True)
    cells = [copies.setdefault((scope, name) if _is_plain(cell) else id(cell), CellType()) for name, cell in both]
    own = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, tuple(cells))
    own.__kwdefaults__, own.__doc__, own.__qualname__ = function.__kwdefaults__, function.__doc__, function.__qualname__
    own.__dict__ |= function.__dict__
    copies[id(function)] = own
    for cell, new in zip(function.__closure__, cells, strict=True):
        with suppress(ValueError):  # まだ値のない変数
            new.cell_contents = _copied(cell.cell_contents, copies)
    return own


def _is_plain(cell: CellType) -> bool:
    try:
        return isinstance(cell.cell_contents, int | float | None)
    except ValueError:  # まだ値のない変数
        return True


def _copied(held: Any, copies: dict[Any, Any]) -> Any:
    if isinstance(held, FunctionType):
        return with_own_cells(held, copies)
    try:
        return copy.deepcopy(held, copies)
    except Exception:  # 写せないもの(モジュールなど)は、そのまま
        return held
