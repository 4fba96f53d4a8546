"""配列の辞書に入れて渡す。``params["W"]`` の勾配は ``grads["W"]`` である。

名前を決めてかかる書き方もある。``W1``, ``b1``, … の形なら、その名前にする。講座では、勾配の辞書の名前が ``dW1`` のように違う。
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from fumoto.checking.calling.shapes.units import PADDING, Unit, alike, gradient_of, of_type, padded
from fumoto.hints import Arrays


class _Dictionary(Unit):
    """配列の辞書。``rename``: この本の名前の並び → 読者に見せる名前の並び。``of_gradient``: 重みの名前 → 勾配の名前。"""

    def __init__(
        self,
        params: Arrays,
        rename: Callable[[list[str]], list[str]] = list,
        of_gradient: Callable[[str], str] = str,
    ):
        super().__init__(params)
        self.names = rename(self.keys)
        self.renamed = self.names != self.keys
        self.of_gradient = of_gradient
        self.weights: Any = dict(zip(self.names, params.values(), strict=True))
        self.replaced = False

    def put(self, grads: Arrays) -> None:
        if not self.renamed and self.of_gradient is str:
            self.gradients = grads
            return
        self.gradients = {
            self.of_gradient(name): gradient_of(grads, key)
            for key, name in zip(self.keys, self.names, strict=True)
        }

    def read(self) -> Arrays:
        if not self.renamed:
            return self.weights
        pairs = zip(self.keys, self.names, strict=True)
        return {
            key: self.weights[name]
            for key, name in pairs
            if not key.startswith(PADDING) and name in self.weights
        }

    def matches(self, value: Any) -> bool:
        return (
            isinstance(value, dict)
            and value.keys() == self.weights.keys()
            and all(alike(w, np.shape(self.weights[name])) for name, w in value.items())
        )

    def adopt(self, value: Any) -> None:
        self.weights = {name: of_type(w, self.weights[name]) for name, w in value.items()}

    def combine(self, change: Any, sign: float) -> Any:
        return {name: w + sign * change[name] for name, w in self.weights.items()}

    def zeros(self, name: str) -> Any:
        return _Zeros({n: np.zeros_like(w) for n, w in self.weights.items()}, self.of_gradient)


class _Zeros(dict[str, Any]):
    """0 から始まる状態の辞書。はじめは空で、重みの名前か、勾配の名前で引かれたときに 0 の配列を入れる。"""

    def __init__(self, zeros: Arrays, of_gradient: Callable[[str], str]):
        super().__init__()
        self.zeros = {**zeros, **{of_gradient(name): z for name, z in zeros.items()}}

    def get(self, name: str, default: Any = None) -> Any:
        if name in self or default is not None:
            return super().get(name, default)
        try:
            return self[name]
        except KeyError:
            return None

    def __missing__(self, name: str) -> Any:
        self[name] = self.zeros[name].copy()
        return self[name]


def in_a_dictionary(params: Arrays) -> list[Unit]:
    """この本の名前のままの辞書。"""
    return [_Dictionary(params)]


def in_a_course(params: Arrays) -> list[Unit]:
    """``W1``, ``b1``, ``W2``, … の辞書。勾配は ``dW1``, ``db1``, …。"""
    return [_Dictionary(padded(params, 4), _layered, lambda name: f"d{name}")]


def in_a_layered_dictionary(params: Arrays) -> list[Unit]:
    """``W1``, ``b1``, ``W2``, … の辞書。勾配の名前も同じ。"""
    return [_Dictionary(padded(params, 4), _layered)]


def two_layers_at_a_time(params: Arrays) -> list[Unit]:
    """``W1``, ``b1``, ``W2``, ``b2`` の辞書を、1 つずつ。"""
    return [_Dictionary(padded(part, 4), _layered) for part in _parts(params, 4)]


def one_layer_at_a_time(
    params: Arrays, names: str = "Wb", of_gradient: Callable[[str], str] = str
) -> list[Unit]:
    """``W``, ``b`` の辞書を、1 つずつ。"""
    return [_Dictionary(padded(part), lambda keys: list(names), of_gradient) for part in _parts(params, 2)]


def one_small_layer_at_a_time(params: Arrays) -> list[Unit]:
    """``w``, ``b`` の辞書を、1 つずつ。"""
    return one_layer_at_a_time(params, "wb")


def one_layer_of_a_course(params: Arrays) -> list[Unit]:
    """``W``, ``b`` の辞書を、1 つずつ。勾配は ``dW``, ``db``。"""
    return one_layer_at_a_time(params, "Wb", lambda name: f"d{name}")


def one_small_layer_of_a_course(params: Arrays) -> list[Unit]:
    """``w``, ``b`` の辞書を、1 つずつ。勾配は ``dw``, ``db``。"""
    return one_layer_at_a_time(params, "wb", lambda name: f"d{name}")


def _parts(params: Arrays, size: int) -> list[Arrays]:
    items = list(params.items())
    return [dict(items[i : i + size]) for i in range(0, len(items), size)]


def _layered(keys: list[str]) -> list[str]:
    return [f"{'Wb'[i % 2]}{i // 2 + 1}" for i in range(len(keys))]
