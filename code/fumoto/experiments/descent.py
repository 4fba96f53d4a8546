"""1 章: 夜の山を下りる。"""

from dataclasses import dataclass

import numpy as np

from fumoto.datasets import mnist
from fumoto.experiments.kept import kept
from fumoto.hints import Array, Arrays, Updates
from fumoto.network import MLP
from fumoto.optimizers import SGD, Momentum
from fumoto.surfaces import Surface, hollow
from fumoto.training import descend, optimize


@dataclass(frozen=True)
class Walk:
    """1 次元の地形を下りた道。``path``: ``(steps + 1,)``。``stops``: 最後の位置。``slope``: そこの傾き。"""

    name: str
    path: Array
    stops: float
    slope: float


@dataclass(frozen=True)
class Night:
    """同じ山を同じ場所から下りた 2 人。"""

    surface: Surface
    careful: Walk
    running: Walk


def night_walk(steps: int = 300) -> Night:
    """窪みのある斜面を、勾配降下法(一歩ずつ)とモーメンタム法(勢いをつけて)で下りる。

    >>> night = night_walk()
    >>> print(f"{night.careful.stops:.2f} {abs(night.running.stops):.2f}")
    -2.90 0.00
    """
    surface = hollow()
    careful = _walk("一歩ずつ", SGD(lr=0.05), surface, steps)
    running = _walk("勢いをつけて", Momentum(lr=0.05, momentum=0.9), surface, steps)
    return Night(surface, careful, running)


def _walk(name: str, optimizer: Updates, surface: Surface, steps: int) -> Walk:
    path = descend(optimizer, surface, surface.start, steps)
    slope = float(surface.gradient(path[-1])[0])
    return Walk(name, path[:, 0], float(path[-1, 0]), slope)


@dataclass(frozen=True)
class FirstDescent:
    """最初の学習。``losses``: ミニバッチの損失。``steady``: いつも同じ画像で測った損失。``chance``: 当てずっぽうの損失。

    ``parameters``: 重みの数。``moved``: そのうち、はじめの値から動いたものの数。
    """

    losses: Array
    steady: Array
    chance: float
    accuracy_before: float
    accuracy_after: float
    parameters: int
    moved: int


@kept
def first_descent(steps: int = 300, seed: int = 0, same: int = 1000) -> FirstDescent:
    """784-100-100-100-100-10 のネットワークを SGD で ``steps`` ステップだけ学習する。

    1 ステップごとに、訓練データの先頭の ``same`` 枚でも損失を測る。
    """
    x_train, t_train, x_test, t_test = mnist()
    rng = np.random.default_rng(seed)
    network = MLP([784, 100, 100, 100, 100, 10], rng=rng)
    before, start = network.accuracy(x_test, t_test), network.vector.copy()

    def gradient() -> tuple[float, Arrays]:
        steady.append(network.loss(x_train[:same], t_train[:same]))
        batch = rng.integers(0, len(x_train), 128)
        return network.gradient(x_train[batch], t_train[batch])

    steady: list[float] = []
    losses = np.array(list(optimize(SGD(lr=0.1), network.params, gradient, steps)))
    return FirstDescent(
        losses,
        np.array(steady),
        float(np.log(10)),
        before,
        network.accuracy(x_test, t_test),
        network.vector.size,
        int(np.count_nonzero(network.vector != start)),
    )
