"""``(init, update)`` のような組や、同じファイルの ``init_state`` と更新の関数を、状態を持つもの 1 つにする。"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass, replace
from functools import partial
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from fumoto.checking.calling.safety import ReaderError
from fumoto.checking.calling.shapes.carried import carried, carrier_of, from_zero
from fumoto.checking.calling.shapes.making import NOTHING, Making, look
from fumoto.checking.calling.shapes.roles import Argument, Arguments, Role, arguments_of

_INITIALIZERS = ("init", "init_state", "initial_state", "create_state", "initialize", "init_fn")


def opened(made: Any) -> Any:
    """``(init, update)`` や ``(init, update, get_params)`` のように返されたものは、状態を持つもの 1 つにする。"""
    if isinstance(made, tuple) and look(made, "update") is None and all(map(callable, made)):
        if len(made) == 3:
            return _Stepping(*made)
        if len(made) == 2:
            made = SimpleNamespace(init=made[0], update=made[1])
            if not arguments_of(made.update).roles() & {Role.PARAMS, Role.PAIRS}:
                return _Carrying(made.init, made.update)
    start = next((f for name in _INITIALIZERS if callable(f := look(made, name))), None)
    update = look(made, "update")
    if start is None or not callable(update) or isinstance(made, type):
        return made
    listed = arguments_of(update).listed
    if not any(_is_state(argument) and argument.required for argument in listed):
        values = [a for a in listed if a.required and a.role is Role.VALUE]  # 値の名前の状態(``mu``)
        listed = tuple(replace(a, role=Role.STATE) if a in values[:1] else a for a in listed)
    if any(_is_state(argument) and argument.required for argument in listed):
        return _Initialised(start, update, listed)
    return made


_STARTS = re.compile(r"init|create|make|new|zero|start|empty|state|slot", re.IGNORECASE)


def takes_state(thing: Any) -> bool:
    """呼ぶ側の作った状態を、必ず受け取るか。"""
    listed = arguments_of(thing).listed if type(thing) is FunctionType else ()
    both = {Role.PARAMS, Role.GRADS} <= {a.role for a in listed}
    left = [a for a in listed if a.required and (both or re.search(r"state|slot|mem|cache|^opt", a.name.lower()))]
    return any(a.role not in (Role.PARAMS, Role.GRADS, Role.VALUE, Role.TIME, Role.KEY) for a in left)


def starts_of(thing: Any) -> dict[str, Callable[..., Any]]:
    """それを言う言葉 → ``state`` を受け取る関数と同じファイルにある、状態を作るもの: ``init_state(params)``, ``State(params)`` など。"""
    listed = arguments_of(thing).listed if type(thing) is FunctionType else ()
    unknown = any(a.required and a.role is Role.OTHER for a in listed)
    if not takes_state(thing) and not unknown and (not listed or carrier_of(thing) is None):
        return {}
    found: dict[str, Callable[..., Any]] = {}
    around = look(thing, "__globals__") or {}
    for name, start in sorted(around.items(), key=lambda named: isinstance(named[1], type)):  # 関数を先に
        own = start is not thing and look(start, "__module__") == look(thing, "__module__")
        if own and callable(start):
            needed = [a for a in arguments_of(start).listed if a.required]
            if look(start, "_fields") or is_dataclass(start):
                found |= from_zero(name, start, [a.name for a in needed])
            elif _STARTS.search(name) and len(needed) == 1 and needed[0].role is not Role.GRADS:
                found[name] = start
    written = {f"{name} に状態を作らせ": start for name, start in found.items()}
    return written | {f"状態は {names}にし": start for names, start in carried(thing).items()}


def started(function: Any, starts: Mapping[str, Callable[..., Any]]) -> Iterator[Making]:
    """``state`` を受け取る ``function`` の作り方: 状態は、``starts`` のどれかに作らせる。"""
    arguments = arguments_of(function)
    values = tuple(replace(a, keyword=True) for a in arguments.listed if a.role is Role.VALUE)
    for words, start in starts.items():
        build = _carrier(start, function, arguments.listed)
        yield Making(f"{words}、", Arguments(values, False), build)


def _carrier(
    start: Callable[..., Any], function: Callable[..., Any], listed: tuple[Argument, ...]
) -> Callable[..., Any]:
    def carrier(**values: Any) -> Any:
        update = partial(function, **values)
        roles = {a.role for a in listed}
        if Role.MODEL in roles and Role.GRADS not in roles:
            return _Modelled(start, update)
        return _Initialised(start, update, listed) if Role.PARAMS in roles else _Carrying(start, update)

    return carrier


def _is_state(argument: Argument) -> bool:
    return argument.role not in (Role.PARAMS, Role.GRADS, Role.VALUE, Role.TIME, Role.KEY)


class _Initialised:
    """``init(params)`` で状態を作り、``update(grads, state, params)`` が状態も返すか、書き換えるもの。"""

    def __init__(self, start: Callable[..., Any], function: Callable[..., Any], listed: tuple[Argument, ...]):
        self.start, self.function, self.listed, self.kept, self.count = start, function, listed, NOTHING, 0

    def update(self, params: Any, grads: Any) -> Any:
        if self.kept is NOTHING:
            keyed = [a for a in arguments_of(self.start).listed if a.required and a.role is Role.KEY]
            self.kept = self.start(*(0 for _ in keyed), params)  # create_state(index, weight)
        self.count += 1
        known = {Role.GRADS: grads, Role.PARAMS: params, Role.TIME: self.count, Role.KEY: 0}
        returned = self.function(
            *(
                known.get(a.role, self.kept)
                for a in self.listed
                if a.role is not Role.VALUE and (a.required or a.role is Role.PARAMS)
            )
        )
        if not isinstance(returned, tuple) or len(returned) != 2 or _both_weights(returned, params):
            return returned
        first, second = (_kind(each) is _kind(self.kept) for each in returned)
        state_first = first and (self._state_first() or not second)
        new, self.kept = returned[::-1] if state_first else returned
        return new

    def _state_first(self) -> bool:
        """どちらも同じ型なら: 状態を、重みと勾配のどちらよりも先に受け取るなら、返すのも先とみなす。"""
        return _is_state(next(a for a in self.listed if a.role not in (Role.VALUE, Role.TIME, Role.KEY)))


class _Modelled:
    """``make_opt(layers)`` で状態を作り、``update(layers, opt)`` で、層も状態も書き換えるもの。"""

    def __init__(self, start: Callable[..., Any], function: Callable[..., Any]):
        self.start, self.function, self.kept = start, function, NOTHING
        self.listed = [a for a in arguments_of(function).listed if a.required]

    def update(self, layers: Any) -> Any:
        self.kept = self.start(layers) if self.kept is NOTHING else self.kept
        return self.function(*(layers if a.role is Role.MODEL else self.kept for a in self.listed))


def _kind(value: Any) -> type:
    """型。0 次元の配列の計算は、配列でなく数になる。"""
    return np.ndarray if isinstance(value, np.generic | float) else type(value)


def _both_weights(returned: tuple[Any, ...], params: Any) -> bool:
    return isinstance(params, tuple) and all(isinstance(each, np.ndarray) for each in returned)


class _Stepping:
    """``init(params)``、``update(i, grads, state)``、``get_params(state)`` の 3 つ。"""

    def __init__(self, start: Callable[..., Any], function: Callable[..., Any], read: Callable[..., Any]):
        self.start, self.function, self.read, self.kept, self.count = start, function, read, NOTHING, 0

    def update(self, params: Any, grads: Any) -> Any:
        self.kept = self.start(params) if self.kept is NOTHING else self.kept
        self.kept = self.function(self.count, grads, self.kept)
        self.count += 1
        return self.read(self.kept)


class _Carrying:
    """``init(params)`` と ``update(state, grads)`` の 2 つ。

    重みは、状態の中にある(属性か、名前か、番号で)。なければ、返されるのは、重みの変化と状態である。
    """

    def __init__(self, start: Callable[..., Any], function: Callable[..., Any]):
        self.start, self.function, self.kept, self.place = start, function, NOTHING, None
        self.listed, self.count = [a for a in arguments_of(function).listed if a.required], 0

    def update(self, params: Any, grads: Any) -> Any:
        if self.kept is NOTHING:
            self.kept = self.start(params)
            self.place = next((at for at, part in sorted(_parts(self.kept).items(), key=lambda each: each[1] is not params) if _same(part, params)), None)
        given = {Role.GRADS: grads, Role.TIME: self.count}
        returned = self.function(*(given.get(a.role, self.kept) for a in self.listed))
        self.count += 1
        if self.place is None and isinstance(returned, tuple) and len(returned) == 2:
            change, self.kept = returned
            return change
        self.kept = self.kept if returned is None else returned  # 状態を書き換えるだけのもの
        if self.place is None or self.place not in (inside := _parts(self.kept)):
            raise ReaderError("返された状態の中に、重みが見つかりません。")
        return inside[self.place]


def _parts(state: Any) -> dict[Any, Any]:
    """状態の中にあるもの。"""
    if isinstance(state, Mapping):
        return dict(state)
    if isinstance(state, tuple | list):
        return dict(enumerate(state))
    return {name: look(state, name) for name in dir(state) if not name.startswith("_")}


def _same(part: Any, params: Any) -> bool:
    """状態の中のものが、渡した重みと同じものか。"""
    if isinstance(params, dict | list | tuple):
        inside = _parts(params)
        others = _parts(part) if type(part) is type(params) else {}
        return others.keys() == inside.keys() and all(_same(others[at], w) for at, w in inside.items())
    return isinstance(part, np.ndarray) and np.array_equal(part, params)
