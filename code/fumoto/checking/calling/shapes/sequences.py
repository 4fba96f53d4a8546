"""配列のリストかタプルに入れて渡す。(勾配, 重み) の組の並びも。"""

from typing import Any

import numpy as np

from fumoto.checking.calling.shapes.objects import Variable
from fumoto.checking.calling.shapes.units import Unit, alike, of_type
from fumoto.hints import Arrays


class _Sequence(Unit):
    """配列の並び。``kind``: リストかタプルか。"""

    def __init__(self, params: Arrays, kind: type = list):
        super().__init__(params)
        self.kind = kind
        self.weights: Any = kind(params.values())

    def put(self, grads: Arrays) -> None:
        self.gradients = self.kind(grads[key] for key in self.keys)

    def read(self) -> Arrays:
        return dict(zip(self.keys, self.weights, strict=False))

    def matches(self, value: Any) -> bool:
        return (
            isinstance(value, list | tuple)
            and len(value) == len(self.keys)
            and all(alike(w, np.shape(own)) for w, own in zip(value, self.weights, strict=True))
        )

    def adopt(self, value: Any) -> None:
        self.weights = self.kind(of_type(w, own) for w, own in zip(value, self.weights, strict=True))

    def combine(self, change: Any, sign: float) -> Any:
        return [w + sign * c for w, c in zip(self.weights, change, strict=True)]

    def zeros(self, name: str) -> Any:
        return self.kind(np.zeros_like(w) for w in self.weights)


class _Pairs(_Sequence):
    """``[(勾配, 重み), …]``。``gradient_first``: 勾配が先か。重みは、``assign_sub`` もできる配列。"""

    def __init__(self, params: Arrays, gradient_first: bool = True, plain: bool = True):
        super().__init__(params if plain else {key: Variable.of(w) for key, w in params.items()})
        self.gradient_first = gradient_first
        self.arrays = self.weights

    def put(self, grads: Arrays) -> None:
        super().put(grads)
        both = zip(self.gradients, self.arrays, strict=True)
        self.weights = [(g, w) if self.gradient_first else (w, g) for g, w in both]

    def read(self) -> Arrays:
        return dict(zip(self.keys, self.arrays, strict=True))

    def matches(self, value: Any) -> bool:
        return (
            isinstance(value, list | tuple)
            and len(value) == len(self.keys)
            and all(alike(w, np.shape(own)) for w, own in zip(value, self.arrays, strict=True))
        )

    def adopt(self, value: Any) -> None:
        self.arrays = [of_type(w, own) for w, own in zip(value, self.arrays, strict=True)]

    def combine(self, change: Any, sign: float) -> Any:
        return [w + sign * c for w, c in zip(self.arrays, change, strict=True)]


def in_a_list(params: Arrays) -> list[Unit]:
    """配列のリスト。"""
    return [_Sequence(params)]


def in_a_tuple(params: Arrays) -> list[Unit]:
    """配列のタプル。"""
    return [_Sequence(params, tuple)]


def in_pairs(params: Arrays) -> list[Unit]:
    """(勾配, 重み) の組のリスト。"""
    return [_Pairs(params)]


def in_reversed_pairs(params: Arrays) -> list[Unit]:
    """(重み, 勾配) の組のリスト。"""
    return [_Pairs(params, gradient_first=False)]


def in_pairs_of_variables(params: Arrays) -> list[Unit]:
    """(勾配, 重み) の組のリスト。重みは ``assign_sub`` などを持つ。"""
    return [_Pairs(params, plain=False)]
