"""配列を 1 つずつ渡す: ``update(w, grad)``。重みとバイアスを別々に渡す ``update(w, b, dw, db)`` も。"""

from typing import Any

import numpy as np

from fumoto.checking.calling.shapes.units import Unit, alike, gradient_of, of_type, padded
from fumoto.checking.calling.values import normal
from fumoto.hints import Arrays


class _One(Unit):
    """配列 1 つ。"""

    def __init__(self, params: Arrays):
        super().__init__(params)
        (self.weights,) = params.values()

    def put(self, grads: Arrays) -> None:
        self.gradients = grads[self.keys[0]]

    def read(self) -> Arrays:
        return {self.keys[0]: self.weights}

    def matches(self, value: Any) -> bool:
        return alike(value, np.shape(self.weights))

    def adopt(self, value: Any) -> None:
        self.weights = of_type(value, self.weights)

    def combine(self, change: Any, sign: float) -> Any:
        return self.weights + sign * change

    def zeros(self, name: str) -> Any:
        return np.zeros_like(self.weights)

    @property
    def shape(self) -> Any:
        return np.shape(self.weights)


class _Flat(_One):
    """1 次元にした配列 1 つ。``w[i]`` を数として扱う読者のために。"""

    def __init__(self, params: Arrays):
        super().__init__(params)
        self.form = np.shape(self.weights)
        self.weights = np.reshape(self.weights, -1)
        self.shaped = self.weights, np.reshape(self.weights, self.form)

    def put(self, grads: Arrays) -> None:
        self.gradients = np.reshape(grads[self.keys[0]], -1)

    def read(self) -> Arrays:
        if self.shaped[0] is not self.weights:  # 返されたものに替わった
            self.shaped = self.weights, np.reshape(self.weights, self.form)
        return {self.keys[0]: self.shaped[1]}


class _WeightsAndBias(Unit):
    """重みとバイアスの組。``kind``: 何に入れて渡すか。``None`` なら配列のまま(1 組)、``list`` ならリスト(全部)。"""

    def __init__(self, params: Arrays, as_lists: bool = False):
        super().__init__(params)
        arrays = list(params.values())
        self.as_lists = as_lists
        self.weights: Any = arrays[0::2] if as_lists else arrays[0]
        self.bias: Any = arrays[1::2] if as_lists else arrays[1]

    def put(self, grads: Arrays) -> None:
        own = [gradient_of(grads, key) for key in self.keys]
        self.gradients = own[0::2] if self.as_lists else own[0]
        self.bias_gradient = own[1::2] if self.as_lists else own[1]

    def _everything(self) -> Arrays:
        both = zip(self.weights, self.bias, strict=True) if self.as_lists else [(self.weights, self.bias)]
        return dict(zip(self.keys, [w for pair in both for w in pair], strict=True))

    def read(self) -> Arrays:
        return self._everything()

    def matches(self, value: Any) -> bool:
        if not isinstance(value, list | tuple) or len(value) != 2:
            return False
        own = (self.weights, self.bias)
        if not self.as_lists:
            return all(alike(w, np.shape(o)) for w, o in zip(value, own, strict=True))
        return all(
            isinstance(given, list | tuple)
            and len(given) == len(o)
            and all(alike(w, np.shape(x)) for w, x in zip(given, o, strict=True))
            for given, o in zip(value, own, strict=True)
        )

    def adopt(self, value: Any) -> None:
        own = ((value[0], self.weights), (value[1], self.bias))
        if self.as_lists:
            self.weights, self.bias = ([of_type(w, o) for w, o in zip(*both, strict=True)] for both in own)
        else:
            self.weights, self.bias = (of_type(w, o) for w, o in own)

    def combine(self, change: Any, sign: float) -> Any:
        if self.as_lists:
            own = ((self.weights, change[0]), (self.bias, change[1]))
            return [[w + sign * c for w, c in zip(ws, cs, strict=True)] for ws, cs in own]
        return self.weights + sign * change[0], self.bias + sign * change[1]

    def zeros(self, name: str) -> Any:
        own = self.bias if normal(name).endswith(("b", "bias")) else self.weights
        return [np.zeros_like(w) for w in own] if self.as_lists else np.zeros_like(own)


def one_by_one(params: Arrays) -> list[Unit]:
    """配列を 1 つずつ。"""
    return [_One({key: w}) for key, w in params.items()]


def flat_one_by_one(params: Arrays) -> list[Unit]:
    """1 次元にした配列を 1 つずつ。"""
    return [_Flat({key: w}) for key, w in params.items()]


def weight_and_bias(params: Arrays) -> list[Unit]:
    """重みとバイアスの組を 1 つずつ。"""
    items = list(padded(params).items())
    return [_WeightsAndBias(dict(items[i : i + 2])) for i in range(0, len(items), 2)]


def weights_and_biases(params: Arrays) -> list[Unit]:
    """重みのリストと、バイアスのリスト。"""
    return [_WeightsAndBias(padded(params), as_lists=True)]
