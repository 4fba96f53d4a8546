"""重みと勾配と更新を 1 つに持つ層: ``layer.W`` と ``layer.dW`` を持ち、``layer.update(lr)`` と呼ぶもの。"""

from collections.abc import Callable
from dataclasses import replace
from types import CodeType
from typing import Any

import numpy as np

from fumoto.checking.calling.shapes import sequences
from fumoto.checking.calling.shapes.instructions import strings_in
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
    public = [name for name in dir(thing) if not name.startswith("_") and callable(look(thing, name))]
    for name in (*VERBS, *(public if not set(VERBS) & set(public) else ())):
        method = look(thing, name)
        listed = [a for a in arguments_of(method).listed if a.name != "self"]
        alone = all(a.role in (Role.VALUE, Role.TIME) or not a.required for a in listed)
        if alone and _uses_both(look(method, "__code__")):
            passed = [replace(a, keyword=True) for a in listed if a.role in (Role.VALUE, Role.TIME)]
            kept = [replace(a, keyword=True) for a in made_with if a.role is Role.VALUE]
            parameters = Argument("parameters", Role.PARAMS, True, False, None)
            gradients = Argument("", Role.GRADS, True, False, None)  # 読者は受け取らない
            build = _builder(thing, name, [a.name for a in made_with if a.required and a not in kept])
            return Plan(
                Making(f"{thing.__name__} に重みと勾配を入れ、", Arguments((parameters, *kept), False), build),
                Verb(name, Arguments((gradients, *passed), False)),
                sequences.in_a_list,
                "重みとバイアスを 1 組ずつ",
            )
    return None


def _uses_both(code: Any) -> bool:
    """``self.W`` と ``self.dW`` を使うか。``getattr(self, "d" + name)`` のように、名前を組み立てて使ってもよい。"""
    if not isinstance(code, CodeType):
        return False
    used = {*code.co_names, *strings_in(code)}
    joined = "getattr" in used and not used.isdisjoint({"d", "grad_", "d_"})
    return joined or all(not used.isdisjoint(names) for names in (HELD["W"], GRADIENTS["W"]))


def _of_arrays(made_with: tuple[Argument, ...]) -> set[Role]:
    """``Dense(W, b)`` のように、配列を名前で受け取るなら、重みの役割があってよい。"""
    named = {a.name for a in made_with}
    return {Role.PARAMS} if all(named & set(names) for names in HELD.values()) else set()


def _builder(kind: type, verb: str, needed: list[str]) -> Callable[..., Any]:
    class Owned:
        """``parameters`` を 2 つずつ(バイアスがなければ 1 つずつ)、``kind`` の層に持たせる。"""

        def __init__(self, parameters: list[Any], **given: Any):
            self.parameters = parameters
            first = _Owned(kind, needed, in_groups(parameters, 2)[0], given)
            self.size = 2 if first.names[1] is not None else 1
            self.layers = [_Owned(kind, needed, group, given) for group in in_groups(parameters, self.size)]

        def step(self, gradients: list[Any], **given: Any) -> None:
            for layer, group in zip(self.layers, in_groups(gradients, self.size), strict=True):
                layer.put(group)
                getattr(layer.made, verb)(**given)
            found = [w for layer in self.layers for w in layer.read()]
            for w, new in zip(self.parameters, found, strict=False):
                w[...] = new

    Owned.step.__doc__ = look(look(kind, verb), "__doc__")  # 回数の数えはじめを言っているかもしれない
    setattr(Owned, verb, Owned.step)
    return Owned


class _Owned:
    """読者の層 1 つ。作ったあとに重みを入れ、作るときにできた状態は、その重みの形に作りなおす。"""

    def __init__(self, kind: type, needed: list[str], arrays: list[Array], given: dict[str, Any]):
        self.shapes = [w.shape for w in arrays]
        held = {name: w.copy() for names, w in zip(HELD.values(), arrays, strict=False) for name in names}
        sizes = iter((_N_IN, _N_OUT))
        self.made = kind(**{name: held[name] if name in held else next(sizes, 1) for name in needed}, **given)
        own = look(self.made, "__dict__") or {}
        self.names = [next((n for n in names if isinstance(own.get(n), np.ndarray)), None) for names in HELD.values()]
        for name, w in zip(self.names, arrays, strict=False):
            if name is not None and name not in needed:
                _resize(own, own[name].shape, w.shape)
                setattr(self.made, name, w.copy())

    def put(self, gradients: list[Any]) -> None:
        for names, g in zip(GRADIENTS.values(), gradients, strict=False):
            for name in names:
                setattr(self.made, name, np.array(g))

    def read(self) -> list[Any]:
        return [
            np.zeros(shape) if name is None else np.reshape(getattr(self.made, name), shape)
            for name, shape in zip(self.names, self.shapes, strict=False)
        ]


def _resize(own: Any, old: tuple[int, ...], new: tuple[int, ...]) -> None:
    """形が ``old`` の、どこも同じ値の状態を、形が ``new`` のものにする。状態は、辞書やリストの中にあってもよい。"""
    for name, value in own.items() if isinstance(own, dict) else enumerate(own):
        if isinstance(value, np.ndarray) and value.shape == old and np.all(value == value.flat[0]):
            own[name] = np.full(new, value.flat[0], value.dtype)
        elif isinstance(value, dict | list):
            _resize(value, old, new)
