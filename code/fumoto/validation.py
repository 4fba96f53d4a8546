"""引数の検査。どの誤りも、引数の名前・渡された値・期待した値を一文で言う。"""

import math
from numbers import Integral, Real
from typing import Any

import numpy as np

from fumoto.hints import Array, Rng

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def real(name: str, value: object) -> float:
    """有限の実数であることを確かめ、Python の float にして返す。

    NumPy のスカラー(``np.float64`` など)のままだと、float32 の配列との計算が float64 に広がる。
    Python の float なら配列の型が保たれる。
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} は実数でなければなりません(渡された値: {value!r})")
    try:
        number = float(value)
    except OverflowError:  # 10**400 のような、float に収まらない整数
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name} は有限の数でなければなりません(渡された値: {value!r:.40})")
    return number


def positive(name: str, value: object) -> float:
    """有限の正の数。

    >>> positive("lr", -0.1)
    Traceback (most recent call last):
    ValueError: lr は正の数でなければなりません(渡された値: -0.1)
    """
    number = real(name, value)
    if number <= 0:
        raise ValueError(f"{name} は正の数でなければなりません(渡された値: {value!r})")
    return number


def non_negative(name: str, value: object) -> float:
    """有限で 0 以上の数。"""
    number = real(name, value)
    if number < 0:
        raise ValueError(f"{name} は 0 以上でなければなりません(渡された値: {value!r})")
    return number


def fraction(name: str, value: object) -> float:
    """0 以上 1 未満の数(慣性や減衰の係数)。

    >>> fraction("momentum", 1)
    Traceback (most recent call last):
    ValueError: momentum は 0 以上 1 未満でなければなりません(渡された値: 1)
    """
    number = real(name, value)
    if not 0 <= number < 1:
        raise ValueError(f"{name} は 0 以上 1 未満でなければなりません(渡された値: {value!r})")
    return number


def count(name: str, value: object, minimum: int = 1) -> int:
    """``minimum`` 以上の整数。"""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} は整数でなければなりません(渡された値: {value!r})")
    if value < minimum:
        raise ValueError(f"{name} は {minimum} 以上でなければなりません(渡された値: {value!r})")
    return int(value)


def generator(name: str, value: object) -> Rng:
    """``numpy.random.Generator``。"""
    if not isinstance(value, np.random.Generator):
        raise TypeError(f"{name} は numpy.random.Generator でなければなりません(渡されたもの: {value!r})")
    return value


def float_type(name: str, value: Any) -> np.dtype[Any]:
    """float32 か float64。``np.dtype`` にして返す。"""
    try:
        dtype = np.dtype(value)
    except TypeError:  # 型の名前でないもの
        dtype = np.dtype(object)
    if dtype not in _FLOATS:
        raise TypeError(f"{name} は float32 か float64 でなければなりません(渡された値: {value!r})")
    return dtype


def array(name: str, value: object) -> Array:
    """NumPy の配列。"""
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{name} は NumPy の配列でなければなりません(渡されたもの: {type(value).__name__})")
    return value


def floats(name: str, value: object) -> Array:
    """学習する重み: float32 か float64 の、書き込める配列。ほかの型では、更新が黙って切り捨てられる。

    >>> floats("gamma", np.ones(2, int))
    Traceback (most recent call last):
    TypeError: gamma は float32 か float64 の配列でなければなりません(渡された配列の型: int64)
    """
    w = array(name, value)
    if w.dtype not in _FLOATS:
        raise TypeError(
            f"{name} は float32 か float64 の配列でなければなりません(渡された配列の型: {w.dtype})"
        )
    if not w.flags.writeable:
        raise ValueError(f"{name} は書き込める配列でなければなりません(読み取り専用です)")
    return w


def same_floats(**arrays: object) -> None:
    """1 つの層の重み: どれも ``floats`` で、型が同じ。"""
    types = {name: floats(name, value).dtype.name for name, value in arrays.items()}
    if len(set(types.values())) > 1:
        raise TypeError(f"{' と '.join(types)} は同じ型でなければなりません(渡された配列の型: {types})")


def one_per_node(**arrays: Array) -> None:
    """ノードごとに 1 つの重み: ``same_floats`` で、どれも同じ ``(D,)`` の形。"""
    same_floats(**arrays)
    shapes = [w.shape for w in arrays.values()]
    if len(set(shapes)) > 1 or len(shapes[0]) != 1:
        found = ", ".join(f"{name}: {w.shape}" for name, w in arrays.items())
        alike = "同じ" if len(shapes) > 1 else ""
        raise ValueError(f"{' と '.join(arrays)} は{alike} (D,) の形でなければなりません({found})")


def weights_and_biases(W: Array, b: Array) -> None:
    """全結合層の重み: ``same_floats`` で、形が ``(n_in, n_out)`` と ``(n_out,)``。"""
    same_floats(W=W, b=b)
    if W.ndim != 2 or b.shape != W.shape[1:]:
        raise ValueError(
            f"W は (n_in, n_out)、b は (n_out,) でなければなりません(W: {W.shape}, b: {b.shape})"
        )


def same_shape(name: str, value: object, other: Array) -> None:
    """``other`` と同じ形の配列。"""
    shape = array(name, value).shape
    if shape != other.shape:
        raise ValueError(f"{name} は {other.shape} でなければなりません(渡された形: {shape})")


def matrix(name: str, value: object, columns: int) -> Array:
    """列の数が ``columns`` の 2 次元の配列。"""
    if isinstance(value, np.ndarray) and value.ndim == 2 and value.shape[1] == columns:
        return value
    shape = array(name, value).shape
    raise ValueError(f"{name} は (N, {columns}) でなければなりません(渡された形: {shape})")


def reals(name: str, value: Any) -> Array:
    """実数の配列(または、そう読める並び)。真偽値や複素数は含まない。"""
    try:
        array = np.asarray(value)
    except ValueError:
        raise TypeError(f"{name} は配列でなければなりません(長さの不揃いな並びです)") from None
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} は実数の配列でなければなりません(dtype={array.dtype})")
    return array


def data(name: str, value: object) -> Array:
    """欠けた値(nan)や無限大を含まない、1 つ以上の実数の配列。返すのは float の配列。"""
    array = reals(name, value)
    if array.ndim == 0 or array.size == 0:
        raise ValueError(
            f"{name} は 1 つ以上の標本を並べた配列でなければなりません(渡された形: {array.shape})"
        )
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} に nan か inf が {np.sum(~np.isfinite(array))} 個あります")
    if array.dtype.kind != "f" and np.any((array > 2**53) | (array < -(2**53))):
        raise ValueError(f"{name} に、float64 では隣と区別できない、2 の 53 乗より大きい整数があります")
    return array if array.dtype in _FLOATS else array.astype(np.float64)
