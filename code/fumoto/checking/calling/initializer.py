"""``make(rng, n_in, n_out)`` の形の重みの初期値を呼ぶ。``rng`` は ``numpy.random.Generator``、返すのは形 ``(n_in, n_out)`` の配列。"""

from collections.abc import Iterable

import numpy as np

from fumoto.checking.calling.safety import ReaderError, call, within_time_limit
from fumoto.hints import Array, Initializer, Rng

SEED = 0


def draw_weights(make: Initializer, shapes: Iterable[tuple[int, int]]) -> list[Array]:
    """``shapes`` の重みを 1 つずつ作る。乱数の使い方か返すものがおかしければ ``ReaderError``。"""
    return within_time_limit(_weights, make, shapes)


def _weights(make: Initializer, shapes: Iterable[tuple[int, int]]) -> list[Array]:
    weights = []
    for shape in shapes:
        rng, again = np.random.default_rng(SEED), np.random.default_rng(SEED)
        W, second, repeated = (_draw(make, source, shape) for source in (rng, rng, again))
        if not np.array_equal(W, repeated):
            raise ReaderError(
                "同じ種の rng を渡しても、同じ値になりません。渡された rng を使っていますか。", "rng"
            )
        if np.array_equal(W, second) and W.std() > 0:
            raise ReaderError("続けて 2 度作ると、同じ値になります。種を固定していませんか。", "seed")
        weights.append(W)
    return weights


def _draw(make: Initializer, rng: Rng, shape: tuple[int, int]) -> Array:
    value = call(f"make(rng, {shape[0]}, {shape[1]})", lambda: make(rng, *shape))
    W = call("make の返した値", lambda: np.array(value))
    if W.dtype.kind != "f":
        raise ReaderError(
            f"実数の配列を返してください(返されたもの: {type(value).__name__}、dtype={W.dtype})。"
        )
    if W.shape == shape[::-1]:
        raise ReaderError(
            f"形が (n_out, n_in) です。この本の重みは (n_in, n_out) です(返された形: {W.shape})。"
        )
    if W.shape != shape:
        raise ReaderError(f"形が {shape} ではありません(返された形: {W.shape})。")
    if not np.all(np.isfinite(W)):
        raise ReaderError("重みに nan か inf があります。")
    return W.astype(np.float64)
