"""読者の関数の外にあって、走るたびに変わる値: グローバル変数、クラス変数、引数の既定値。"""

import copy
import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np

from fumoto.checking.calling.shapes.instructions import names_with

_CONTAINERS = (dict, list, set, np.ndarray)
_MOST = 10**6  # 要素がこれより多い配列は、状態でなくデータ。走らせるたびに写すには大きい


def _changes(value: Any) -> bool:
    """走るたびに変わるかもしれない値か。関数やクラスやモジュールは、変わらない。"""
    if isinstance(value, np.ndarray):
        return value.size <= _MOST
    return isinstance(value, _CONTAINERS) or type(value) in (int, float, type(None))


def rewinder(thing: Any) -> Callable[[], None]:
    """``thing`` の外にある値を、いまの値に戻す関数。そうすれば、前に走らせたときの状態が、次に走らせるときに残っていない。

    >>> seen = []
    >>> def step():
    ...     seen.append(1)
    >>> rewind = rewinder(step)
    >>> step()
    >>> rewind(), seen
    (None, [])
    """
    places = list(_places(thing))
    try:
        kept = copy.deepcopy([value for _, value in places])  # 一度に写すので、同じ 1 つのものは、写しでも 1 つ
    except Exception:  # 写せないもの
        return lambda: None

    def rewind() -> None:
        for (put, _), value in zip(places, copy.deepcopy(kept), strict=True):
            with suppress(Exception):
                put(value)

    return rewind


def _places(thing: Any) -> Iterator[tuple[Callable[[Any], None], Any]]:
    """(値を入れる関数, いまの値)。"""
    for kind in thing.__mro__[:-1] if isinstance(thing, type) else ():
        for name, value in list(vars(kind).items()):
            if _changes(value) and not name.startswith("__"):
                yield partial(setattr, kind, name), value
    every = functions_of(thing)
    for function in every:
        if any(isinstance(value, _CONTAINERS) for value in function.__defaults__ or ()):
            yield partial(setattr, function, "__defaults__"), function.__defaults__
    seen: set[tuple[int, str]] = set()
    for function in every:
        for name in names_with("LOAD_GLOBAL", function.__code__) | names_with("STORE_GLOBAL", function.__code__):
            around = function.__globals__
            if (id(around), name) not in seen and name in around and _changes(around[name]):
                seen.add((id(around), name))
                yield partial(around.__setitem__, name), around[name]


def functions_of(thing: Any) -> list[FunctionType]:
    """``thing`` の関数と、それが呼ぶ、同じファイルの関数。"""
    left, found = [thing], []
    while left:
        each = left.pop()
        if isinstance(each, type):
            inside = [value for kind in each.__mro__[:-1] for value in vars(kind).values()]
            left += [getattr(value, "__func__", value) for value in inside if not isinstance(value, type)]
        elif inspect.isfunction(each) and each not in found:
            found.append(each)
            used = (each.__globals__.get(name) for name in names_with("LOAD_GLOBAL", each.__code__))
            left += [other for other in used if isinstance(other, type | FunctionType) and other.__module__ == each.__module__]
    return found
