"""名前のついた配列を、1 本の長い配列に並べて持つ。

要素ごとの計算は、小さな配列を 1 つずつ扱うより、1 本にまとめて行う方が速い(付録「速さの見取り図」)。
"""

import math
from collections.abc import Iterator, Mapping
from operator import is_
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import DTypeLike

from fumoto.hints import Array, Arrays, Shape


class Joined(dict[str, Array]):
    """1 本の配列 ``vector`` を区切って、部分に名前をつけた辞書。

    ``shapes``: 名前 → 形。並び順に ``vector`` を区切る。部分と ``vector`` は同じメモリーを指す。書き換えないこと。
    ``parts``: はじめの部分の辞書。この辞書の配列は差し替えられるが、``parts`` は変わらない。
    写し(``copy``、``pickle``)も、自分の 1 本の配列を持つ。

    >>> joined = Joined({"W": (2, 2), "b": (2,)}, np.zeros(6))
    >>> joined["b"][...] = [7, 8]
    >>> joined.vector
    array([0., 0., 0., 0., 7., 8.])
    """

    def __init__(self, shapes: Mapping[str, Shape], vector: Array):
        self.vector, self.shapes = vector, shapes
        self.parts: Arrays = {}
        start = 0
        for name, shape in shapes.items():
            stop = start + math.prod(shape)
            self.parts[name] = vector[start:stop].reshape(shape)
            start = stop
        super().__init__(self.parts)

    @property
    def whole(self) -> bool:
        """どの配列も、はじめの部分のままか(差し替えも、並べかえもされていないか)。"""
        return len(self) == len(self.parts) and all(map(is_, self.values(), self.parts.values()))

    def like(self, vector: Array) -> "Joined":
        """``vector`` を同じ形に区切り、同じ名前をつけた辞書。"""
        return Joined(self.shapes, vector)

    def __reduce__(self) -> tuple[Any, ...]:
        return join, (dict(self), self.vector.dtype)


def join(arrays: Mapping[str, Array], dtype: DTypeLike) -> Joined:
    """配列の値を、型 ``dtype`` の 1 本の配列に写して並べる。"""
    shapes = {name: np.shape(array) for name, array in arrays.items()}
    return Joined(shapes, np.concatenate([np.ravel(array) for array in arrays.values()], dtype=dtype))


def zeros_like(arrays: Arrays) -> Arrays:
    """``arrays`` と同じ名前、形、型の、0 の配列。``arrays`` が 1 本に並んでいれば、同じように並べる。

    >>> zeros_like(join({"W": np.eye(2), "b": np.ones(2)}, float)).vector
    array([0., 0., 0., 0., 0., 0.])
    """
    if alike(arrays):
        return arrays.like(np.zeros_like(arrays.vector))
    return {name: np.zeros(array.shape, array.dtype) for name, array in arrays.items()}


def alike(first: Arrays, *others: Arrays) -> TypeGuard[Joined]:
    """どの辞書も、同じ名前と形の順に、1 本の配列に並んでいるか。"""
    if not (isinstance(first, Joined) and first.whole):
        return False
    return all(
        isinstance(each, Joined)
        and each.whole
        and (each.shapes is first.shapes or list(each.shapes.items()) == list(first.shapes.items()))
        and each.vector.dtype == first.vector.dtype
        for each in others
    )


def together(*arrays: Any) -> Iterator[list[Array]]:
    """名前ごとの配列の組。どの辞書も同じ順で 1 本に並んでいれば、その 1 本ずつの 1 組だけ。"""
    if alike(arrays[0], *arrays[1:]):
        yield [each.vector for each in arrays]
        return
    for name in arrays[0]:
        yield [each[name] for each in arrays]
