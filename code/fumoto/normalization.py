"""データの尺度をそろえる: 最小値と最大値、平均と標準偏差、中央値と四分位範囲。

どれも ``x``: 標本を並べた配列(``(N,)`` か、特徴ごとに列のある ``(N, D)``)を、列ごとに変換し、同じ形の配列で返す。
nan・inf・空の配列・全部同じ値の列は ``ValueError``、数でなければ ``TypeError``。float32 は float32 のまま、ほかは float64。
値の大きさに比べて差が小さすぎる列や、計算があふれる列は、約束の平均や幅にならない。黙って返さず、列を言う ``ValueError`` にする。
"""

from collections.abc import Callable
from functools import wraps

import numpy as np
from numpy.typing import ArrayLike

from fumoto.hints import Array
from fumoto.validation import data

NEAR = 1e-6  #: 約束の 0 と 1 から、これより離れた列は断る


def _scaling(scale: Callable[[Array], Array]) -> Callable[[ArrayLike], Array]:
    """``x`` を確かめ、float64 で計算させ、もとの型で返す飾り。"""

    @wraps(scale)
    def checked(x: ArrayLike) -> Array:
        x = data("x", x)
        with np.errstate(all="ignore"):  # あふれや 0 での割り算は、結果を見て断る
            y = scale(x.astype(np.float64)).astype(x.dtype)
        return _refuse_lost(y)

    return checked


@_scaling
def min_max(x: Array) -> Array:
    """最小値が 0、最大値が 1 になるように変換する(Min-Max 正規化)。

    式: ``eq-minmax``。

    >>> min_max([2.0, 3.0, 6.0])
    array([0.  , 0.25, 1.  ])
    >>> min_max([5.0, 5.0])
    Traceback (most recent call last):
    ValueError: x の列 0 は全部同じ値です(最大値と最小値の差が 0 で、割り算できません)
    """
    width = x.max(axis=0) - x.min(axis=0)
    _refuse_constant(width, "最大値と最小値の差")
    y = (x - x.min(axis=0)) / width  # eq-minmax
    return _refuse_lost(y, zero=y.min(axis=0), one=y.max(axis=0))


@_scaling
def standardize(x: Array) -> Array:
    """平均が 0、標準偏差が 1 になるように変換する(Z-score 正規化、標準化)。

    式: ``eq-mean``, ``eq-std``, ``eq-zscore``。標準偏差は N で割る(N - 1 ではない)。

    >>> standardize([1.0, 2.0, 3.0, 4.0]).round(3)
    array([-1.342, -0.447,  0.447,  1.342])
    >>> standardize([1e16, 1e16 + 2])          # 平均の 1e16 + 1 は float64 にない
    Traceback (most recent call last):
    ValueError: x の列 0 は、値の差が丸めで失われるか、計算があふれます
    """
    mean = x.mean(axis=0)  # eq-mean
    _refuse_constant(x.max(axis=0) - x.min(axis=0), "標準偏差")
    std = np.sqrt(((x - mean) ** 2).mean(axis=0))  # eq-std
    y = (x - mean) / std  # eq-zscore
    return _refuse_lost(y, zero=y.mean(axis=0), one=y.std(axis=0))


@_scaling
def robust_scale(x: Array) -> Array:
    """中央値が 0、四分位範囲(75 % 点と 25 % 点の差)が 1 になるように変換する。外れ値の影響を受けにくい。

    >>> robust_scale([1.0, 2.0, 3.0, 4.0, 1000.0])
    array([ -1. ,  -0.5,   0. ,   0.5, 498.5])
    """
    low, middle, high = np.quantile(x, [0.25, 0.5, 0.75], axis=0)
    _refuse_constant(high - low, "四分位範囲")
    y = (x - middle) / (high - low)
    low, middle, high = np.quantile(y, [0.25, 0.5, 0.75], axis=0)
    return _refuse_lost(y, zero=middle, one=high - low)


def _refuse_constant(width: Array, what: str) -> None:
    columns = np.flatnonzero(np.atleast_1d(width) == 0)
    if len(columns):
        reason = "四分位の間が全部同じ値です" if what == "四分位範囲" else "全部同じ値です"
        raise ValueError(f"x の列 {columns[0]} は{reason}({what}が 0 で、割り算できません)")


def _refuse_lost(y: Array, zero: Array | float = 0.0, one: Array | float = 1.0) -> Array:
    """``y`` を返す。``zero`` が 0、``one`` が 1 にならないか、有限でない値のある列があれば ``ValueError``。"""
    kept = (np.abs(zero) < NEAR) & (np.abs(one - 1) < NEAR) & np.isfinite(y).all(axis=0)
    columns = np.flatnonzero(~np.atleast_1d(kept))
    if len(columns):
        raise ValueError(f"x の列 {columns[0]} は、値の差が丸めで失われるか、計算があふれます")
    return y
