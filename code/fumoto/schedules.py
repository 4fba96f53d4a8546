"""学習率のスケジュール: 歩数 t から学習率 η_t を決める関数と、それを最適化手法につなぐ ``Scheduled``。

スケジュールは、0 から数えた歩数 ``t`` を受け取り、学習率を返す関数なら何でもよい。
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fumoto.hints import Arrays, Updates
from fumoto.validation import count, fraction, non_negative, positive

Schedule = Callable[[int], float]  # 歩数 t → 学習率 η_t


@dataclass(frozen=True)
class StepDecay:
    """``every`` 歩ごとに、学習率を ``factor`` 倍に下げる。式: ``eq-schedule-step``。

    ``lr``: はじめの学習率 η > 0。``factor``: 倍率 0 ≤ φ < 1。

    >>> schedule = StepDecay(lr=0.5, every=2, factor=0.1)
    >>> [round(schedule(t), 6) for t in range(5)]
    [0.5, 0.5, 0.05, 0.05, 0.005]
    """

    lr: float
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        positive("lr", self.lr)
        count("every", self.every)
        fraction("factor", self.factor)

    def __call__(self, t: int) -> float:
        k = t // self.every
        return self.lr * self.factor**k  # eq-schedule-step


@dataclass(frozen=True)
class Cosine:
    """余弦の半周期で、``lr`` から、``steps`` 歩で 0 まで下げる。そのあとは 0。式: ``eq-schedule-cosine``。

    出典: Loshchilov & Hutter (2017) arXiv:1608.03983。論文のように、周期ごとに元へ戻すことはしない

    >>> schedule = Cosine(lr=0.5, steps=4)
    >>> [round(schedule(t), 3) for t in range(6)]
    [0.5, 0.427, 0.25, 0.073, 0.0, 0.0]
    """

    lr: float
    steps: int

    def __post_init__(self) -> None:
        positive("lr", self.lr)
        count("steps", self.steps)

    def __call__(self, t: int) -> float:
        t = min(t, self.steps)
        return float(self.lr / 2 * (1 + np.cos(np.pi * t / self.steps)))  # eq-schedule-cosine


@dataclass(frozen=True)
class Warmup:
    """ほかのスケジュールの、はじめの ``steps`` 歩だけを、まっすぐ上げていくものに替える。式: ``eq-schedule-warmup``。

    出典: Goyal et al. (2017) arXiv:1706.02677

    >>> schedule = Warmup(lambda t: 0.5, steps=4)
    >>> [schedule(t) for t in range(6)]
    [0.125, 0.25, 0.375, 0.5, 0.5, 0.5]
    """

    schedule: Schedule
    steps: int

    def __post_init__(self) -> None:
        count("steps", self.steps)

    def __call__(self, t: int) -> float:
        return self.schedule(t) * min(1, (t + 1) / self.steps)  # eq-schedule-warmup


class HasRate(Updates, Protocol):
    """学習率 ``lr`` を持つ最適化手法。"""

    lr: float


class Scheduled:
    """``optimizer`` の学習率を、更新のたびに ``schedule(t)`` に替える。``train`` や ``descend`` に、手法の代わりに渡す。

    ``schedule(t)`` が 0 以上の有限の数でなければ ``TypeError`` / ``ValueError``。

    >>> from fumoto.optimizers import SGD
    >>> optimizer, params = Scheduled(SGD(), StepDecay(lr=0.5, every=1)), {"w": np.array([0.0])}
    >>> for _ in range(3):
    ...     optimizer.update(params, {"w": np.array([1.0])})
    >>> params["w"]          # -(0.5 + 0.05 + 0.005)
    array([-0.555])
    """

    def __init__(self, optimizer: HasRate, schedule: Schedule):
        self.optimizer, self.schedule, self.t = optimizer, schedule, 0

    __copy__ = deepcopy  # 浅い写しだと、手法を元と共有する

    def update(self, params: Arrays, grads: Arrays) -> None:
        self.optimizer.lr = non_negative("schedule(t)", self.schedule(self.t))
        self.optimizer.update(params, grads)
        self.t += 1
