"""重みも入れた状態を受け取る関数 ``step(state, grads)`` のための、状態のはじめ。

状態の中身の名前は、関数の命令から読み取る: ``w, m, v, t = state``、``state["params"]``、``state.params``。
"""

from collections.abc import Callable, Iterator
from functools import partial
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from fumoto.checking.calling.shapes.instructions import attributes_in, strings_in, unpacked
from fumoto.checking.calling.shapes.making import Asked
from fumoto.checking.calling.shapes.roles import Argument, Role, arguments_of, role_of
from fumoto.checking.calling.shapes.surroundings import functions_of
from fumoto.checking.calling.values import is_value

Start = Callable[[Any], Any]


def carrier_of(function: Any) -> Argument | None:
    """重みも入っているらしい状態の引数: 重みの引数がなく、勾配のほかに省けない引数が 1 つだけなら、それ。"""
    listed = [a for a in arguments_of(function).listed if a.required and a.role not in (Role.VALUE, Role.TIME)]
    left = [a for a in listed if a.role is not Role.GRADS]
    return left[0] if len(left) == 1 < len(listed) and left[0].role in (Role.OTHER, Role.STATE, Role.CONFIG) else None


def carried(function: Any) -> dict[str, Start]:
    """読者に言う言葉 → 重みから、状態のはじめを作るもの。重みの名前が見つからなければ、ない。"""
    argument = carrier_of(function)
    if argument is None or not isinstance(function, FunctionType):
        return {}
    found: dict[str, Start] = {}
    for kind, words, names in _read(function, argument.name):
        if not any(_is_weight(name) for name in names):
            continue
        kept = [name for name in names if kind is tuple or not is_value(name)]  # w, momentum = state
        found |= from_zero(f"{'、'.join(kept)} {words}", kind, kept)
    return found


def _is_weight(name: str) -> bool:
    return role_of(name) is Role.PARAMS


def _read(function: FunctionType, argument: str) -> Iterator[tuple[Callable[..., Any], str, list[str]]]:
    """``argument`` の中身の名前: (入れものを作るもの, それを言う言葉, 名前)。"""
    written = (text for each in functions_of(function) for text in strings_in(each.__code__))
    yield tuple, "の組", unpacked(function.__code__, argument)
    yield Asked, "の辞書", list(dict.fromkeys(text for text in written if text.isidentifier()))
    yield SimpleNamespace, "を属性に持つもの", attributes_in(function.__code__, argument)


def from_zero(words: str, kind: Callable[..., Any], names: list[str]) -> dict[str, Start]:
    """重みと、0 の状態と、回数を入れた ``kind`` を作るもの。回数があれば、0 から数えるものと、1 から数えるもの。"""
    found: dict[str, Start] = {words: partial(_made, kind, names, 0)}
    if any(role_of(name) is Role.TIME for name in names):
        found[f"{words}(回数は 1 から)"] = partial(_made, kind, names, 1)
    return found


def _made(kind: Callable[..., Any], names: list[str], count: int, params: Any) -> Any:
    values = {name: _start(name, count, params) for name in names}
    if kind is tuple:
        return tuple(values.values())
    return kind(values) if kind is Asked else kind(**values)


def _start(name: str, count: int, params: Any) -> Any:
    if _is_weight(name):
        return params
    return count if role_of(name) is Role.TIME else _zeros_like(params)


def _zeros_like(params: Any) -> Any:
    """``params`` と同じ入れものの 0。"""
    if isinstance(params, dict):
        return {key: np.zeros_like(w) for key, w in params.items()}
    return type(params)(map(np.zeros_like, params)) if isinstance(params, list | tuple) else np.zeros_like(params)
