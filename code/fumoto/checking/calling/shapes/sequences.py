"""配列のリストかタプルに入れて渡す。(勾配, 重み) の組の並びも。"""

from types import SimpleNamespace
from typing import Any

import numpy as np

from fumoto.checking.calling.shapes.units import Unit, alike, gradient_of, of_type, padded
from fumoto.checking.calling.shapes.variables import Variable
from fumoto.hints import Arrays


class _Sequence(Unit):
    """配列の並び ``arrays``。``kind``: リストかタプルか。"""

    def __init__(self, params: Arrays, kind: type = list):
        super().__init__(params)
        self.kind = kind
        self.arrays: Any = kind(params.values())
        self.weights: Any = self.arrays

    def put(self, grads: Arrays) -> None:
        self.gradients = self.kind(grads[key] for key in self.keys)

    def read(self) -> Arrays:
        return dict(zip(self.keys, self.arrays, strict=False))

    def matches(self, value: Any) -> bool:
        return (
            isinstance(value, list | tuple)
            and len(value) == len(self.keys)
            and all(alike(w, np.shape(own)) for w, own in zip(value, self.arrays, strict=True))
        )

    def adopt(self, value: Any) -> None:
        self.arrays = self.weights = self.kind(
            of_type(w, own) for w, own in zip(value, self.arrays, strict=True)
        )

    def combine(self, change: Any, sign: float) -> Any:
        return [w + sign * c for w, c in zip(self.arrays, change, strict=True)]

    def zeros(self, name: str) -> Any:
        return self.kind(np.zeros_like(w) for w in self.arrays)

    @property
    def shape(self) -> Any:
        return self.kind(np.shape(w) for w in self.arrays)


class _Pairs(_Sequence):
    """``[(勾配, 重み), …]``。``gradient_first``: 勾配が先か。重みは、``assign_sub`` もできる配列。"""

    def __init__(self, params: Arrays, gradient_first: bool = True, plain: bool = True):
        super().__init__(params if plain else {key: Variable.of(w, key) for key, w in params.items()})
        self.gradient_first = gradient_first

    @property
    def registered(self) -> Any:
        return list(self.arrays)

    def put(self, grads: Arrays) -> None:
        super().put(grads)
        both = zip(self.gradients, self.arrays, strict=True)
        self.weights = [(g, w) if self.gradient_first else (w, g) for g, w in both]


class _LayerByLayer(Unit):
    """``[(重み, バイアス), …]``。勾配も同じ形。"""

    def __init__(self, params: Arrays):
        params = padded(params)
        super().__init__(params)
        self.weights: Any = _in_twos(list(params.values()))

    def put(self, grads: Arrays) -> None:
        self.gradients = _in_twos([gradient_of(grads, key) for key in self.keys])

    def read(self) -> Arrays:
        return dict(zip(self.keys, [w for pair in self.weights for w in pair], strict=False))

    def matches(self, value: Any) -> bool:
        if not isinstance(value, list | tuple) or not all(isinstance(pair, list | tuple) for pair in value):
            return False
        own, flat = list(self.read().values()), [w for pair in value for w in pair]
        return len(flat) == len(own) and all(alike(w, np.shape(o)) for w, o in zip(flat, own, strict=True))

    def adopt(self, value: Any) -> None:
        flat = zip([w for pair in value for w in pair], self.read().values(), strict=True)
        self.weights = _in_twos([of_type(w, own) for w, own in flat])

    def combine(self, change: Any, sign: float) -> Any:
        both = zip(self.read().values(), [c for pair in change for c in pair], strict=True)
        return _in_twos([w + sign * c for w, c in both])

    def zeros(self, name: str) -> Any:
        return _in_twos([np.zeros_like(w) for w in self.read().values()])


class _Model(_Sequence):
    """重みのリストと勾配のリストを、属性に持つもの。"""

    WEIGHTS, GRADIENTS = ("weights", "params", "parameters", "W", "Ws"), ("grads", "gradients", "dW", "dWs", "grad", "dweights")

    def __init__(self, params: Arrays):
        super().__init__(params)
        self.weights = SimpleNamespace(**dict.fromkeys(self.WEIGHTS, self.arrays))

    def put(self, grads: Arrays) -> None:
        super().put(grads)
        vars(self.weights).update(dict.fromkeys(self.GRADIENTS, self.gradients))

    def read(self) -> Arrays:
        held = [vars(self.weights)[name] for name in self.WEIGHTS]  # どれかの名前で、新しいリストに替わったかもしれない
        self.arrays = next((arrays for arrays in held if arrays is not self.arrays), self.arrays)
        vars(self.weights).update(dict.fromkeys(self.WEIGHTS, self.arrays))
        return super().read()

    def matches(self, value: Any) -> bool:
        return False


def _in_twos(items: list[Any]) -> list[tuple[Any, Any]]:
    return list(zip(items[0::2], items[1::2], strict=True))


def in_a_list(params: Arrays) -> list[Unit]:
    """配列のリスト。"""
    return [_Sequence(params)]


def in_a_tuple(params: Arrays) -> list[Unit]:
    """配列のタプル。"""
    return [_Sequence(params, tuple)]


def in_a_model(params: Arrays) -> list[Unit]:
    """重みのリストと勾配のリストを、属性に持つもの。"""
    return [_Model(params)]


def in_pairs(params: Arrays) -> list[Unit]:
    """(勾配, 重み) の組のリスト。"""
    return [_Pairs(params)]


def in_reversed_pairs(params: Arrays) -> list[Unit]:
    """(重み, 勾配) の組のリスト。"""
    return [_Pairs(params, gradient_first=False)]


def in_pairs_of_variables(params: Arrays) -> list[Unit]:
    """(勾配, 重み) の組のリスト。重みは ``assign_sub`` などを持つ。"""
    return [_Pairs(params, plain=False)]


def layer_by_layer(params: Arrays) -> list[Unit]:
    """層ごとの (重み, バイアス) の組のリスト。"""
    return [_LayerByLayer(params)]
