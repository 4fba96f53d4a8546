"""重みの初期値。乱数は必ず ``numpy.random.Generator`` を受け取って作る。"""

import numpy as np

from fumoto.validation import count


def he(rng, n_in, n_out):
    """He の初期値: 平均 0、標準偏差 √(2/n) の正規乱数。n は前の層のノード数 ``n_in``。

    返り値は形 ``(n_in, n_out)``、float64。``n_in``, ``n_out`` が 1 未満なら ``ValueError``。
    出典: He et al. (2015) arXiv:1502.01852

    >>> W = he(np.random.default_rng(0), 100, 2000)
    >>> W.shape, round(float(W.std()), 2)      # √(2/100) = 0.141…
    ((100, 2000), 0.14)
    """
    n_in, n_out = count("n_in", n_in), count("n_out", n_out)
    return rng.normal(0.0, np.sqrt(2 / n_in), (n_in, n_out))
