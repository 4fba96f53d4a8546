"""勾配クリップ: 勾配全部を 1 本に並べたベクトルが長すぎるときだけ、向きを変えずに縮める。"""

from copy import deepcopy

import numpy as np

from fumoto.hints import Arrays, Updates
from fumoto.validation import positive


def clip(grads: Arrays, limit: float) -> Arrays:
    """長さが ``limit`` までの勾配にして、新しい辞書で返す。形も型も変わらない。

    式: ``eq-clip-norm``, ``eq-clip-g``。``limit``: 長さの上限 G_max > 0。
    勾配に nan か inf があれば、結果の一部か全部が nan になる。
    出典: Pascanu, Mikolov & Bengio (2013) arXiv:1211.5063

    >>> clip({"W": np.array([[3.0, 0.0]]), "b": np.array([-4.0])}, limit=1.0)
    {'W': array([[0.6, 0. ]]), 'b': array([-0.8])}
    """
    norm = np.sqrt(sum(np.sum(np.square(g, dtype=np.float64)) for g in grads.values()))  # eq-clip-norm
    scale = float(limit / max(norm, limit))  # min(1, limit / norm) と同じ。長さ 0 でも割れる
    return {key: g * scale for key, g in grads.items()}  # eq-clip-g


class Clipped:
    """``optimizer`` に、``clip`` した勾配を渡す。``train`` や ``descend`` に、手法の代わりに渡す。

    ``Scheduled`` と合わせるなら、``Clipped(Scheduled(手法, スケジュール), limit)`` とする。

    >>> from fumoto.optimizers import SGD
    >>> params = {"w": np.array([0.0])}
    >>> Clipped(SGD(lr=0.5), limit=1.0).update(params, {"w": np.array([1000.0])})
    >>> params["w"]
    array([-0.5])
    """

    def __init__(self, optimizer: Updates, limit: float):
        self.optimizer, self.limit = optimizer, positive("limit", limit)

    __copy__ = deepcopy  # 浅い写しだと、手法を元と共有する

    def update(self, params: Arrays, grads: Arrays) -> None:
        self.optimizer.update(params, clip(grads, self.limit))
