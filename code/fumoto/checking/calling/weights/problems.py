"""初期値の関数に作らせる大きさ。どのノード数も違うので、返された行列がどの向きかは、形から分かる。"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from fumoto.hints import Shape


@dataclass(frozen=True)
class Problem:
    """作らせる大きさ 1 つ。``values``: 引数の役 → 渡すもの。``layers``: 作られるはずの層の ``(n_in, n_out)``。

    ``kernel``: 畳み込みの窓の形。全結合の層では空。
    """

    values: dict[str, Any]
    layers: tuple[tuple[int, int], ...]
    kernel: Shape = ()


MATRIX, NETWORK, FILTERS = "matrix", "network", "filters"

_MATRICES = ((50, 400), (400, 50), (784, 100))
_NETWORKS = (
    (784, 100, 250, 120),
    (90, 300, 70, 400),
)  # 大きさが 2 通りあるので、層 1 つだけの間違いも見分けられる
_FILTERS = (
    (60, 40, 3, 3),
    (32, 64, 5, 5),
    (24, 96, 3, 3),
)  # (入力のチャンネル, 出力のチャンネル, 窓の高さ, 幅)


def problems(kind: str, roles: frozenset[str], channels_last: bool = False) -> list[Problem]:
    """``kind`` のものを、引数の役 ``roles`` の関数に作らせるときの問題。

    ``channels_last``: フィルターの形を (kh, kw, in, out) の順に渡すか。

    >>> [problem.layers for problem in problems("network", frozenset({"n_in", "hidden", "n_out"}))]
    [((784, 100), (100, 250)), ((90, 300), (300, 70))]
    """
    if kind == NETWORK:
        return [_network(sizes[:3] if "hidden" in roles else sizes) for sizes in _NETWORKS]
    if kind == FILTERS:
        return [_filters(*sizes, channels_last=channels_last) for sizes in _FILTERS]
    return [_matrix(n_in, n_out, "n_out" in roles) for n_in, n_out in _MATRICES]


def _matrix(n_in: int, n_out: int, hidden_first: bool) -> Problem:
    hidden = n_in if hidden_first else n_out
    values = {"shape": (n_in, n_out), "n_in": n_in, "n_out": n_out, "hidden": hidden}
    return Problem(values, ((n_in, n_out),))


def _network(sizes: tuple[int, ...]) -> Problem:
    values = {"sizes": list(sizes), "n_in": sizes[0], "hidden": sizes[1], "n_out": sizes[-1]}
    return Problem({**values, "hiddens": list(sizes[1:-1])}, tuple(pairwise(sizes)))


def _filters(c_in: int, c_out: int, *kernel: int, channels_last: bool) -> Problem:
    shape = (*kernel, c_in, c_out) if channels_last else (c_out, c_in, *kernel)
    values = {"shape": shape, "n_in": c_in, "n_out": c_out, "kernel": kernel[0]}
    return Problem(values, ((c_in * math.prod(kernel), c_out * math.prod(kernel)),), kernel)
