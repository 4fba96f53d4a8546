"""候補に書ける言葉: 右辺の関数、勾配や重みや状態にすること、状態を分けるもの。"""

from collections.abc import Callable
from typing import Any

import numpy as np

from fumoto.hints import Array, Arrays
from fumoto.printed.methods import Known

#: 候補の右辺に書ける関数。``total`` と ``mean`` は、1 つの配列の全部の要素について。
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sqrt": np.sqrt,
    "sign": np.sign,
    "abs": np.abs,
    "max": np.maximum,
    "min": np.minimum,
    "total": np.sum,
    "mean": lambda array: np.divide(
        np.sum(array), np.size(array)
    ),  # 要素のない配列では、NumPy の mean と同じ nan
    "norm": lambda array: np.sqrt(np.sum(np.square(array))),
    "largest": np.max,
    "mean0": lambda array: _mean_along(array, 0),
    "mean1": lambda array: _mean_along(array, -1),
    "wide": lambda array: array.T if array.shape[0] > array.shape[1] else array,
    "turned": lambda array, like: array if array.shape == like.shape else array.T,
    "orthogonal": lambda array: _orthogonal(array),
}

#: 勾配にすること。引数は (勾配, 重み, 数, 全部のキーの勾配)。
GRADIENTS: dict[str, Callable[[Array, Array, float, Arrays], Any]] = {
    "mean": lambda g, w, c, every: np.sum(g) / max(g.size, 1),
    "sum": lambda g, w, c, every: np.sum(g),
    "divided by size": lambda g, w, c, every: g / max(g.size, 1),
    "divided by length": lambda g, w, c, every: g / max(len(np.atleast_1d(g)), 1),
    "clip": lambda g, w, c, every: np.clip(g, -c, c),
    "clip norm": lambda g, w, c, every: g * min(1.0, c / max(_norm([g]), 1e-300)),
    "clip global norm": lambda g, w, c, every: g * min(1.0, c / max(_norm(every.values()), 1e-300)),
    "unit": lambda g, w, c, every: g / (_norm([g]) + c),
    "l1": lambda g, w, c, every: g + c * np.sign(w),
    "normalize": lambda g, w, c, every: g / (_norm([g]) or np.nan),
    "sign": lambda g, w, c, every: np.sign(g),
    "abs": lambda g, w, c, every: np.abs(g),
    "square": lambda g, w, c, every: np.square(g),
    "decay": lambda g, w, c, every: g + c * w,
    "double decay": lambda g, w, c, every: g + 2 * c * w,
    "integer": lambda g, w, c, every: np.trunc(g),
    "floor": lambda g, w, c, every: np.floor(g),
    "times": lambda g, w, c, every: c * g,
}

#: 更新した重みにすること。引数は (新しい重み, 前の重み, 数, 定数)。
WEIGHTS: dict[str, Callable[[Array, Array, float, Known], Any]] = {
    "decay": lambda new, w, c, known: new - c * known["eta"] * w,
    "plain decay": lambda new, w, c, known: new - c * w,
    "float16": lambda new, w, c, known: new.astype(np.float16).astype(w.dtype),
    "integer": lambda new, w, c, known: np.trunc(new),
    "integers": lambda new, w, c, known: np.trunc(np.trunc(w) + (new - w)),
    "clip": lambda new, w, c, known: np.clip(new, -c, c),
    "round": lambda new, w, c, known: np.round(new, int(c)),
    "sparse": lambda new, w, c, known: np.where(known["g_t"] != 0, new, w),
    "times": lambda new, w, c, known: w + c * (new - w),
    "fades": lambda new, w, c, known: w + c ** known["k"] * (new - w),
}

#: 残す状態にすること。
KEPT: dict[str, Callable[[Array], Any]] = {
    "": lambda value: value,
    "integer": np.trunc,
    "mean": lambda value: np.full(np.shape(value), np.sum(value) / max(np.size(value), 1)),
    "float16": lambda value: value.astype(np.float16).astype(np.float64),
}

SLOTS: dict[str, Callable[[str, Array], Any]] = {
    "key": lambda key, w: key,
    "nothing": lambda key, w: "",
    "size": lambda key, w: w.size,
    "shape": lambda key, w: w.shape,
    "letter": lambda key, w: key[:1],
    "head": lambda key, w: "",
    "number": lambda key, w: key.partition("#")[0],
}


def _orthogonal(array: Array) -> Array:
    left, _, right = np.linalg.svd(array, full_matrices=False)
    return left @ right


def _mean_along(array: Any, axis: int) -> Any:
    """``axis`` に沿った平均を、もとの形に広げたもの。"""
    return np.mean(array, axis=axis, keepdims=True) + 0 * array if np.ndim(array) and np.size(array) else array


def shaped(state: Any, w: Array) -> Array:
    """1 本の配列のはじめから、``w`` の分を切り出したもの。足りないところは、まだ使っていないので 0。"""
    flat = np.ravel(state)[: w.size]
    return np.concatenate([flat, np.zeros(w.size - flat.size)]).reshape(w.shape)


def into_head(state: Any, value: Any) -> Array:
    """1 本の配列のはじめに、``value`` を書き込んだもの。長さが足りなければ、0 を足して伸ばす。"""
    flat, old = np.ravel(value), np.ravel(0.0 if state is None else state)
    return np.concatenate([flat, old[flat.size :]])


def in_numbers(arrays: Arrays) -> Arrays:
    """はじめの軸に沿って 1 つずつに分けたもの。もとの配列の一部である。"""
    return {f"{key}#{i}": a[i, ...] for key, array in arrays.items() for i, a in ((i, np.atleast_1d(array)) for i in range(np.shape(array)[0] if np.ndim(array) else 1))}


def _norm(arrays: Any) -> float:
    return float(np.sqrt(sum(float(np.sum(np.square(array))) for array in arrays)))
