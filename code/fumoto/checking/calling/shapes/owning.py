"""重みと勾配と更新を 1 つに持つ層: ``layer.W`` と ``layer.dW`` を持ち、``layer.update(lr)`` と呼ぶもの。"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from fumoto.checking.calling.shapes import sequences
from fumoto.checking.calling.shapes.layers import GRADIENTS, HELD
from fumoto.checking.calling.shapes.making import VERBS, Making, Verb, look
from fumoto.checking.calling.shapes.roles import Argument, Arguments, Role, arguments_of
from fumoto.checking.calling.shapes.units import in_groups
from fumoto.checking.calling.shapes.walking import Plan
from fumoto.hints import Array

_N_IN, _N_OUT = 3, 5  # 作るときに、大きさとして渡すもの


def owning(thing: Any) -> Plan | None:
    """``thing`` が、自分の重みを自分の勾配で動かす層のクラスなら、その呼び方。"""
    if not isinstance(thing, type):
        return None
    made_with = arguments_of(thing).listed
    if {a.role for a in made_with} & {Role.PARAMS, Role.MODEL, Role.GRADS} - _of_arrays(made_with):
        return None
    for name in VERBS:
        code = look(look(thing, name), "__code__")
        used = set(look(code, "co_names") or ())
        listed = [a for a in arguments_of(look(thing, name)).listed if a.name != "self"]
        alone = all(a.role is Role.VALUE or not a.required for a in listed)
        if alone and all(not used.isdisjoint(names) for names in (HELD["W"], GRADIENTS["W"])):
            values = [replace(a, keyword=True) for a in listed if a.role is Role.VALUE]
            kept = [replace(a, keyword=True) for a in made_with if a.role is Role.VALUE]
            parameters = Argument("parameters", Role.PARAMS, True, False, None)
            gradients = Argument("", Role.GRADS, True, False, None)  # 読者は受け取らない
            build = _builder(thing, name, [a.name for a in made_with if a.required and a not in kept])
            return Plan(
                Making(f"{thing.__name__} に重みと勾配を入れ、", Arguments((parameters, *kept), False), build),
                Verb(name, Arguments((gradients, *values), False)),
                sequences.in_a_list,
                "重みとバイアスを 1 組ずつ",
            )
    return None


def _of_arrays(made_with: tuple[Argument, ...]) -> set[Role]:
    """``Dense(W, b)`` のように、配列を名前で受け取るなら、重みの役割があってよい。"""
    named = {a.name for a in made_with}
    return {Role.PARAMS} if all(named & set(names) for names in HELD.values()) else set()


def _builder(kind: type, verb: str, needed: list[str]) -> Callable[..., Any]:
    class Owned:
        """``parameters`` を 2 つずつ、``kind`` の層に持たせる。"""

        def __init__(self, parameters: list[Any], **given: Any):
            self.parameters = parameters
            self.layers = [_Owned(kind, needed, pair, given) for pair in in_groups(parameters, 2)]

        def step(self, gradients: list[Any], **given: Any) -> None:
            for layer, pair in zip(self.layers, in_groups(gradients, 2), strict=True):
                layer.put(pair)
                getattr(layer.made, verb)(**given)
            found = [w for layer in self.layers for w in layer.read()]
            for w, new in zip(self.parameters, found, strict=False):
                w[...] = new

    setattr(Owned, verb, Owned.step)
    return Owned


class _Owned:
    """読者の層 1 つ。作ったあとに重みを入れ、作るときにできた状態は、その重みの形に作りなおす。"""

    def __init__(self, kind: type, needed: list[str], arrays: list[Array], given: dict[str, Any]):
        self.shapes = [w.shape for w in arrays]
        held = {name: w.copy() for names, w in zip(HELD.values(), arrays, strict=True) for name in names}
        sizes = iter((_N_IN, _N_OUT))
        self.made = kind(**{name: held[name] if name in held else next(sizes, 1) for name in needed}, **given)
        own = look(self.made, "__dict__") or {}
        self.names = [next((n for n in names if isinstance(own.get(n), np.ndarray)), None) for names in HELD.values()]
        for name, w in zip(self.names, arrays, strict=True):
            if name is not None and name not in needed:
                _resize(own, own[name].shape, w.shape)
                setattr(self.made, name, w.copy())

    def put(self, gradients: list[Any]) -> None:
        for names, g in zip(GRADIENTS.values(), gradients, strict=True):
            for name in names:
                setattr(self.made, name, np.array(g))

    def read(self) -> list[Any]:
        return [
            np.zeros(shape) if name is None else np.reshape(getattr(self.made, name), shape)
            for name, shape in zip(self.names, self.shapes, strict=True)
        ]


def _resize(own: dict[str, Any], old: tuple[int, ...], new: tuple[int, ...]) -> None:
    """形が ``old`` の、どこも同じ値の状態を、形が ``new`` のものにする。"""
    for name, value in own.items():
        if isinstance(value, np.ndarray) and value.shape == old and np.all(value == value.flat[0]):
            own[name] = np.full(new, value.flat[0], value.dtype)
