"""学習の代わりに使う小さな地形: 関数と、その勾配。

点は形 ``(次元, ...)`` の配列で渡す。``w[0]`` が x、``w[1]`` が y である。
格子の点をまとめて渡せば、等高線を引くための値がまとめて返る。

>>> bowl(np.array([-7.0, 2.0]))
np.float64(6.45)
>>> bowl.gradient(np.array([-7.0, 2.0]))
array([-0.7,  4. ])
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fumoto.hints import Array


@dataclass(frozen=True)
class Surface:
    """地形 1 つ。``value`` は高さ、``gradient`` は勾配、``minimum`` は谷底(なければ None)。

    ``start``: 本の図で使う出発点。``window``: 図に描く範囲 (x の下限, 上限, y の下限, 上限)。
    """

    name: str
    value: Callable[[Array], Any]
    gradient: Callable[[Array], Array]
    start: tuple[float, ...]
    window: tuple[float, ...]
    minimum: tuple[float, ...] | None = None

    def __call__(self, w: Array) -> Any:
        return self.value(w)


def _bowl(w: Array) -> Any:
    return w[0] ** 2 / 20 + w[1] ** 2  # eq-bowl-f


def _bowl_gradient(w: Array) -> Array:
    return np.array([w[0] / 10, 2 * w[1]])


#: 横に長い椀(原ノートの比較図と同じ関数)。式: ``eq-bowl-f``。
bowl = Surface(
    name="横に長い椀",
    value=_bowl,
    gradient=_bowl_gradient,
    start=(-7.0, 2.0),
    window=(-8.0, 5.0, -3.5, 3.5),
    minimum=(0.0, 0.0),
)


def _narrow(kappa: float, w: Array) -> Any:
    return w[0] ** 2 / (2 * kappa) + w[1] ** 2 / 2  # eq-narrow-f


def _narrow_gradient(kappa: float, w: Array) -> Array:
    return np.array([w[0] / kappa, w[1]])


def narrow(kappa: float = 20.0) -> Surface:
    """条件数 ``kappa`` の谷。曲率は、x の向きが 1/κ、y の向きが 1。式: ``eq-narrow-f``。

    >>> narrow(50.0).gradient(np.array([1.0, 1.0]))
    array([0.02, 1.  ])
    """
    return Surface(
        name="細い谷",
        value=partial(_narrow, kappa),
        gradient=partial(_narrow_gradient, kappa),
        start=(-7.0, 2.0),
        window=(-8.0, 5.0, -3.5, 3.5),
        minimum=(0.0, 0.0),
    )


def _saddle(w: Array) -> Any:
    return w[0] ** 2 / 2 - w[1] ** 2 / 2  # eq-saddle-f


def _saddle_gradient(w: Array) -> Array:
    return np.array([w[0], -w[1]])


#: 鞍: x では谷底、y では峠。式: ``eq-saddle-f``。
saddle = Surface(
    name="鞍",
    value=_saddle,
    gradient=_saddle_gradient,
    start=(1.5, 1e-3),
    window=(-2.0, 2.0, -2.0, 2.0),
)


def _ravine(w: Array) -> Any:
    return (1 - w[0]) ** 2 + 2 * (w[1] - w[0] ** 2) ** 2  # eq-ravine-f


def _ravine_gradient(w: Array) -> Array:
    x, y = w
    return np.array([-2 * (1 - x) - 8 * x * (y - x**2), 4 * (y - x**2)])


#: 曲がった谷(ローゼンブロック関数の係数を 100 から 2 に緩めたもの)。式: ``eq-ravine-f``。
ravine = Surface(
    name="曲がった谷",
    value=_ravine,
    gradient=_ravine_gradient,
    start=(-1.4, 0.0),
    window=(-2.0, 2.0, -1.5, 2.5),
    minimum=(1.0, 1.0),
)


def _valleys(w: Array) -> Any:
    return (w[0] ** 2 + w[1] ** 2) / 20 + 1 - np.cos(w[0]) * np.cos(w[1])  # eq-valleys-f


def _valleys_gradient(w: Array) -> Array:
    x, y = w
    return np.array([x / 10 + np.sin(x) * np.cos(y), y / 10 + np.cos(x) * np.sin(y)])


#: 谷底がいくつもある。いちばん深いのは原点。式: ``eq-valleys-f``。
valleys = Surface(
    name="谷のいくつもある地形",
    value=_valleys,
    gradient=_valleys_gradient,
    start=(-5.5, 2.5),
    window=(-7.0, 7.0, -4.5, 4.5),
    minimum=(0.0, 0.0),
)


def _hollow(depth: float | Array, w: Array) -> Any:
    x = w[0]
    return x**2 / 10 - depth * np.exp(-8 * (x + 3) ** 2)  # eq-hollow-f


def _hollow_gradient(depth: float | Array, w: Array) -> Array:
    x = w[0]
    return np.array([x / 5 + 16 * depth * (x + 3) * np.exp(-8 * (x + 3) ** 2)])


def hollow(depth: float | Array = 0.4) -> Surface:
    """1 次元の大きな谷の斜面に、深さ ``depth`` の小さな窪みを 1 つ掘った地形。谷底は 0。式: ``eq-hollow-f``。

    >>> hollow(0.0)(np.array([-3.0]))
    np.float64(0.9)
    """
    return Surface(
        name="窪みのある斜面",
        value=partial(_hollow, depth),
        gradient=partial(_hollow_gradient, depth),
        start=(-5.0,),
        window=(-5.5, 2.5, -0.2, 3.2),
        minimum=(0.0,),
    )
