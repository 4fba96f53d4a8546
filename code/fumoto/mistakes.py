"""原ノートの式とコードを、書いてあるとおりに動かすための実装。

正しい実装は ``fumoto.optimizers`` にある。ここのものは、間違いが何を起こすかを見るためだけに使う。
"""

from copy import deepcopy

import numpy as np

from fumoto.hints import Array, Arrays
from fumoto.optimizers import Adam, Momentum, Step


class NotesMomentum(Momentum):
    """原ノートの式 (3): 速度を引いてしまう。式 ``eq-notes-momentum-w``。

    >>> params = {"w": np.array(1.0)}          # E = w²/2 の勾配は w = 1。下りるなら減るはず
    >>> NotesMomentum(lr=0.1).update(params, {"w": np.array(1.0)})
    >>> float(params["w"])
    1.1
    """

    def rule(self, w: Array, g: Array, v: Array) -> Step:
        v = self.momentum * v - self.lr * g  # eq-momentum-v
        w = w - v  # eq-notes-momentum-w
        return w, v


class UncorrectedAdam(Adam):
    """原ノートの式 (10): バイアス補正も ε もない Adam。式 ``eq-notes-adam-w``。

    >>> params = {"w": np.array(0.0)}
    >>> UncorrectedAdam(lr=0.001).update(params, {"w": np.array(5.0)})
    >>> round(float(params["w"]), 6)           # 補正があれば -0.001
    -0.003162
    """

    def rule(self, w: Array, g: Array, m: Array, v: Array) -> Step:
        m = self.beta1 * m + (1 - self.beta1) * g  # eq-adam-m
        v = self.beta2 * v + (1 - self.beta2) * g**2  # eq-adam-v
        w = w - self.lr * m / np.sqrt(v)  # eq-notes-adam-w
        return w, m, v


class StepSizeAdam(Adam):
    """Adam の別の形: 2 つの補正を学習率 ``lr_t`` にまとめる。式 ``eq-adam-lrt``, ``eq-adam-lrtw``。

    ``eps`` は補正していない √v に足される。Kingma & Ba (2015) の 2 節の終わりにある形で、
    間違いではないが、アルゴリズム 1 とは ε の効き方が違う。

    >>> params = {"w": np.array(0.0)}
    >>> StepSizeAdam(lr=0.001).update(params, {"w": np.array(5.0)})
    >>> round(float(params["w"]), 6)
    -0.001
    """

    def rule(self, w: Array, g: Array, m: Array, v: Array) -> Step:
        t = self.t + 1
        lr_t = self.lr * np.sqrt(1 - self.beta2**t) / (1 - self.beta1**t)  # eq-adam-lrt
        m = self.beta1 * m + (1 - self.beta1) * g  # eq-adam-m
        v = self.beta2 * v + (1 - self.beta2) * g**2  # eq-adam-v
        w = w - float(lr_t) * m / (np.sqrt(v) + self.eps)  # eq-adam-lrtw
        return w, m, v


class DedentedAdam:
    """原ノートの Adam のコードと同じ字下げ: 重みの更新がループの外にあり、最後の 1 つしか動かない。

    >>> params = {"a": np.array(0.0), "b": np.array(0.0), "c": np.array(0.0)}
    >>> DedentedAdam().update(params, {key: np.array(1.0) for key in params})
    >>> [key for key, w in params.items() if w != 0]
    ['c']
    """

    def __init__(self, lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-7):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.t = 0
        self.m: Arrays = {}
        self.v: Arrays = {}

    __copy__ = deepcopy

    def update(self, params: Arrays, grads: Arrays) -> None:
        self.t += 1
        lr_t = self.lr * np.sqrt(1 - self.beta2**self.t) / (1 - self.beta1**self.t)
        for key in params:
            m, v = self.m.get(key, 0.0), self.v.get(key, 0.0)
            self.m[key] = self.beta1 * m + (1 - self.beta1) * grads[key]
            self.v[key] = self.beta2 * v + (1 - self.beta2) * grads[key] ** 2
        # ここがループの外!
        params[key] -= lr_t * self.m[key] / (np.sqrt(self.v[key]) + self.eps)
