"""勾配の代わりに、勾配の関数を受け取るもの: ``update(w, grad_func)``, ``step(closure)``, 出発点を渡して作る ``step(grad_fn)``。

1 歩だけ進むものは、終わりまで走る関数になるように、繰り返す。
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from fumoto.checking.calling.shapes.loops import (
    GRADIENT,
    KEY,
    MANY,
    START,
    Loop,
    boxed,
    in_pairs,
    is_count,
    is_gradient_function,
)
from fumoto.checking.calling.shapes.making import Asked, Making, Verb
from fumoto.checking.calling.shapes.objects import in_objects
from fumoto.checking.calling.shapes.roles import Argument, Arguments, Role
from fumoto.checking.calling.shapes.units import alike
from fumoto.checking.calling.values import normal
from fumoto.hints import Array

_BOTH = (
    Argument("gradient_at", Role.OTHER, True, False, None),
    Argument("start", Role.OTHER, True, False, None),
)


def repeated(making: Making, verb: Verb) -> list[Loop]:
    """勾配の代わりに、勾配の関数を受け取る ``update(w, grad_func)`` なら、それを繰り返すものとしての呼び方。

    ``minimize(grad_func, w, n_iter)`` のように、回数も受け取るものは、自分で繰り返す。1 度だけ呼ぶ。
    """
    required = [argument for argument in verb.arguments.listed if argument.required]
    counts = {a.name: MANY for a in verb.arguments.listed if is_count(a)}
    if counts and not verb.name:
        return []  # 終わりまで走る関数そのもの
    functions = (
        GRADIENT if counts else {name for name in GRADIENT if re.search(r"f(un|unc|n|unction)?$", name)}
    )
    gradient = next((a for a in required if normal(a.name) in functions or is_gradient_function(a)), None)
    alone = Role.PARAMS in verb.arguments.roles() and Role.GRADS not in verb.arguments.roles()
    holding = GRADIENT - {"grads", "gradients"} if alone else functions
    held = next((a for a in making.arguments.listed if a.required and normal(a.name) in holding), None)
    gradient = gradient or held  # 作るときに渡すもの
    w = next(
        (a for a in required if a is not gradient and (a.role is Role.PARAMS or normal(a.name) in START)),
        None,
    )
    left = [a for a in required if a is not gradient and a.role is not Role.VALUE and a.name not in counts]
    w = w or (left[0] if len(left) == 1 and gradient is not held else None)
    if gradient is None or w is None:
        return _closed(making, verb, required) or _holding(making, verb, required)
    states = [a.name for a in required if a not in (gradient, w) and a.role in (Role.OTHER, Role.STATE)]
    kept = [name for name in states if name not in counts]
    started = [a.name for a in verb.arguments.listed if a.default is None and a.started]  # None から、自分で作るもの
    listed = (*making.arguments.listed, *verb.arguments.listed)
    values = [replace(a, keyword=True) for a in listed if a.role is Role.VALUE]
    own = {a.name for a in making.arguments.listed if a is held or a.name != gradient.name}
    configs: list[Asked] = []

    def run(gradient_at: Callable[..., Array], start: Any, **given: Any) -> Any:
        given[gradient.name] = in_pairs(gradient_at) if gradient.pairs else gradient_at
        made = making.build(**{name: value for name, value in given.items() if name in own})
        more = {name: value for name, value in given.items() if name not in own} | counts
        for a in required:
            if a.role is Role.CONFIG:
                more[a.name] = Asked({})
                configs.append(more[a.name])
        states: dict[str, Any] = {**{name: np.zeros_like(start) for name in kept}, **dict.fromkeys(started)}
        for _ in range(1 if counts else MANY):
            returned = verb.of(made)(**{w.name: start}, **states, **more)
            if states and isinstance(returned, tuple):
                returned, *others = returned
                states |= {name: new for name, new in zip(states, others, strict=False) if _holds_arrays(new)}
            elif isinstance(returned, tuple):  # 重みのほかに、損失なども返す
                returned = next((x for x in returned if alike(x, np.shape(start))), None)
            start = start if returned is None else returned
        return start

    arguments = Arguments((*_BOTH, *values), False)
    called_as = f"{verb.name or 'あなたの関数 '}({w.name}, {gradient.name})"
    loop = Loop(run, arguments, "gradient_at", "start", called_as=called_as, configs=configs)
    return [loop, *boxed(loop)]


def _holds_arrays(value: Any) -> bool:
    """返された状態らしいか。途中の損失の並びではないか。"""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else (value,)
    return any(isinstance(each, np.ndarray | np.generic) for each in inside)


def _closed(making: Making, verb: Verb, required: list[Argument]) -> list[Loop]:
    """``step(closure)`` の中で、勾配を計算しなおすもの。``closure`` は、いまの重みでの勾配を ``.grad`` に入れる。"""
    holds = [a for a in making.arguments.listed if a.required]
    if [normal(a.name) for a in required] != ["closure"] or [a.role for a in holds] != [Role.PARAMS]:
        return []
    values = [replace(a, keyword=True) for a in making.arguments.listed if a.role is Role.VALUE]

    def run(gradient_at: Callable[..., Array], start: Any, **given: Any) -> Any:
        unit = in_objects({KEY: start})[0]
        unit.put({KEY: np.zeros_like(start)})
        made = making.build(unit.weights, **given)

        def closure() -> float:
            unit.put({KEY: gradient_at(unit.read()[KEY])})
            return 0.0

        for _ in range(MANY):
            verb.of(made)(closure)
        return unit.read()[KEY]

    return [Loop(run, Arguments((*_BOTH, *values), False), "gradient_at", "start", called_as=f"{verb.name}(closure)")]


def _holding(making: Making, verb: Verb, required: list[Argument]) -> list[Loop]:
    """出発点を渡して作り、``step(grad_fn)`` を繰り返すもの。"""
    holds = [a for a in making.arguments.listed if a.required]
    if len(required) != 1 or len(holds) != 1:
        return []
    if normal(required[0].name) not in GRADIENT and not is_gradient_function(required[0]):
        return []
    if holds[0].role is not Role.PARAMS and normal(holds[0].name) not in START:
        return []
    listed = (*making.arguments.listed, *verb.arguments.listed)
    values = [replace(a, keyword=True) for a in listed if a.role is Role.VALUE]
    own = {a.name for a in making.arguments.listed}

    def run(gradient_at: Callable[..., Array], start: Any, **given: Any) -> Any:
        made = making.build(start, **{name: value for name, value in given.items() if name in own})
        more = {name: value for name, value in given.items() if name not in own}
        returned = None
        for _ in range(MANY):
            returned = verb.of(made)(gradient_at, **more)
        return returned

    called_as = f"{verb.name or 'あなたの関数 '}({required[0].name})"
    loop = Loop(run, Arguments((*_BOTH, *values), False), "gradient_at", "start", called_as=called_as)
    return [loop, *boxed(loop)]
