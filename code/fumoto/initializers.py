"""重みの初期値。乱数は必ず ``numpy.random.Generator`` を受け取って作る。

どれも ``(rng, n_in, n_out)`` から形 ``(n_in, n_out)``、float64 の重みを作る関数で、``MLP`` の ``initializer`` に渡せる。
標準偏差の式の n は、前の層のノード数 ``n_in`` である。行列の要素の数 ``n_in * n_out`` でも、標本の数でもない。
``rng`` が Generator でなければ ``TypeError``、``n_in``, ``n_out`` が 1 未満なら ``ValueError``。
"""

from functools import partial

import numpy as np

from fumoto.hints import Array, Initializer, Rng
from fumoto.validation import count, generator, non_negative


def zeros(rng: Rng, n_in: int, n_out: int) -> Array:
    """すべて 0。同じ層のノードは、区別できないままになる(8 章)。

    >>> zeros(np.random.default_rng(0), 2, 3)
    array([[0., 0., 0.],
           [0., 0., 0.]])
    """
    return _normal(rng, n_in, n_out, 0.0)


def gaussian(std: float) -> Initializer:
    """標準偏差が ``std`` の正規乱数を作る初期値を返す。``std`` が負なら ``ValueError``。

    >>> W = gaussian(0.01)(np.random.default_rng(0), 100, 2000)
    >>> W.shape, round(float(W.std()), 4)
    ((100, 2000), 0.01)
    """
    std = non_negative("std", std)
    return partial(_normal, std=std)


def xavier(rng: Rng, n_in: int, n_out: int) -> Array:
    """Xavier の初期値: 標準偏差 √(1/n) の正規乱数。線形に近い活性化関数に向く。

    式: ``eq-xavier-std``。前の層だけを見る形で、``glorot`` は原論文の形である。
    出典: Glorot and Bengio (2010) https://proceedings.mlr.press/v9/glorot10a.html

    >>> W = xavier(np.random.default_rng(0), 100, 2000)
    >>> round(float(W.std()), 2)               # √(1/100) = 0.1
    0.1
    """
    n = count("n_in", n_in)
    return _normal(rng, n_in, n_out, np.sqrt(1 / n))  # eq-xavier-std


def glorot(rng: Rng, n_in: int, n_out: int) -> Array:
    """Glorot と Bengio の初期値: 標準偏差 √(2/(前のノード数 + 次のノード数)) の正規乱数。

    式: ``eq-glorot-std``。順伝播と逆伝播の両方で分散を保とうとする、Xavier の初期値の原論文の形。
    出典: Glorot and Bengio (2010) https://proceedings.mlr.press/v9/glorot10a.html 式 (12)

    >>> W = glorot(np.random.default_rng(0), 100, 700)
    >>> round(float(W.std()), 2)               # √(2/800) = 0.05
    0.05
    """
    n, m = count("n_in", n_in), count("n_out", n_out)
    return _normal(rng, n_in, n_out, np.sqrt(2 / (n + m)))  # eq-glorot-std


def he(rng: Rng, n_in: int, n_out: int) -> Array:
    """He の初期値: 標準偏差 √(2/n) の正規乱数。ReLU に向く。

    式: ``eq-he-std``。出典: He et al. (2015) arXiv:1502.01852

    >>> W = he(np.random.default_rng(0), 100, 2000)
    >>> W.shape, round(float(W.std()), 2)      # √(2/100) = 0.141…
    ((100, 2000), 0.14)
    """
    n = count("n_in", n_in)
    return _normal(rng, n_in, n_out, np.sqrt(2 / n))  # eq-he-std


def _normal(rng: Rng, n_in: int, n_out: int, std: float) -> Array:
    return generator("rng", rng).normal(0.0, std, (count("n_in", n_in), count("n_out", n_out)))
