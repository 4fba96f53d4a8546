"""データの尺度をそろえる: 最小値と最大値、平均と標準偏差、中央値と四分位範囲。

どれも ``x``: 標本を並べた配列(``(N,)`` か、特徴ごとに列のある ``(N, D)``)を、列ごとに変換し、同じ形の配列で返す。
nan・inf・空の配列・全部同じ値の列は ``ValueError``、数でなければ ``TypeError``。float32 は float32 のまま、ほかは float64。
値が大きくて差が小さい列も、大きすぎる列や小さすぎる列も、丸めで壊れないように、はじめに ``_differences`` で直す。
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fumoto.hints import Array
from fumoto.validation import data, reals


def min_max(x: ArrayLike) -> Array:
    """最小値が 0、最大値が 1 になるように変換する(Min-Max 正規化)。

    式: ``eq-minmax``。

    >>> min_max([2.0, 3.0, 6.0])
    array([0.  , 0.25, 1.  ])
    >>> min_max([5.0, 5.0])
    Traceback (most recent call last):
    ValueError: x の列 0 は全部同じ値です(最大値と最小値の差が 0 で、割り算できません)
    """
    above, dtype = _differences(x, np.min)  # x - x_min
    width = above.max(axis=0)  # x_max - x_min
    _refuse_constant(width, "最大値と最小値の差")
    return _finite(above / width, dtype)  # eq-minmax


def standardize(x: ArrayLike) -> Array:
    """平均が 0、標準偏差が 1 になるように変換する(Z-score 正規化、標準化)。

    式: ``eq-mean``, ``eq-std``, ``eq-zscore``。標準偏差は N で割る(N - 1 ではない)。

    >>> standardize([1.0, 2.0, 3.0, 4.0]).round(3)
    array([-1.342, -0.447,  0.447,  1.342])
    """
    x, dtype = _differences(x, _middle)  # どの値との差にしても、結果は変わらない
    mean = x.mean(axis=0)  # eq-mean
    _refuse_constant(np.ptp(x, axis=0), "標準偏差")
    std = np.sqrt(((x - mean) ** 2).mean(axis=0))  # eq-std
    return _finite((x - mean) / std, dtype)  # eq-zscore


def robust_scale(x: ArrayLike) -> Array:
    """中央値が 0、四分位範囲(75 % 点と 25 % 点の差)が 1 になるように変換する。外れ値の影響を受けにくい。

    式: ``eq-robust``。

    >>> robust_scale([1.0, 2.0, 3.0, 4.0, 1000.0])
    array([ -1. ,  -0.5,   0. ,   0.5, 498.5])
    """
    x, dtype = _differences(x, _middle)  # どの値との差にしても、結果は変わらない
    low, middle, high = np.quantile(x, [0.25, 0.5, 0.75], axis=0)
    _refuse_constant(high - low, "四分位範囲")
    with np.errstate(over="ignore"):
        return _finite((x - middle) / (high - low), dtype)  # eq-robust


def _middle(x: Array, axis: int) -> Array:
    """中央値か、そのすぐ下の標本の値。"""
    return np.quantile(x, 0.5, axis=axis, method="lower")


def _differences(x: ArrayLike, reference: Callable[..., Array]) -> tuple[Array, np.dtype[Any]]:
    """列ごとに、その列のどれか 1 つの値(``reference``)との差にして、float64 で返す。2 つめは結果の型。

    値そのものの差なので、平均との差と違って、値がどんなに大きくても桁が失われない。変換の結果は、どの値との差でも同じである。
    実数の列は、差があふれないように、先に 2 の累乗で割って 1 未満にする(桁が動くだけで、丸められない)。
    """
    raw = reals("x", x)
    x = data("x", raw)
    dtype = np.dtype(np.float32 if x.dtype == np.float32 else np.float64)
    if raw.dtype.kind == "f":
        x = data("x", x.astype(np.float64))
        _, digits = np.frexp(np.abs(x).max(axis=0))
        x = np.ldexp(x, -digits)
        return x - reference(x, axis=0), dtype
    start = reference(raw, axis=0)  # 整数の差は、2 の 64 乗を法とする引き算で、丸めもあふれもしない
    up, down = (np.subtract(a, b, dtype=np.uint64, casting="unsafe") for a, b in ((raw, start), (start, raw)))
    return np.where(raw >= start, up.astype(np.float64), -down.astype(np.float64)), dtype


def _finite(y: Array, dtype: np.dtype[Any]) -> Array:
    """結果を型 ``dtype`` にする。収まらない列があれば ``ValueError``。"""
    with np.errstate(over="ignore"):
        y = y.astype(dtype)
    columns = np.flatnonzero(~np.isfinite(y).all(axis=0))
    if len(columns):
        raise ValueError(f"x の列 {columns[0]} に、離れすぎた値があります(結果が {dtype} に収まりません)")
    return y


def _refuse_constant(width: Array, what: str) -> None:
    columns = np.flatnonzero(np.atleast_1d(width) == 0)
    if len(columns):
        reason = "四分位の間が全部同じ値です" if what == "四分位範囲" else "全部同じ値です"
        raise ValueError(f"x の列 {columns[0]} は{reason}({what}が 0 で、割り算できません)")
