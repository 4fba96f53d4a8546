"""1 章: 夜の山を下りる。"""

from dataclasses import dataclass

import numpy as np

from fumoto.datasets import mnist
from fumoto.experiments.kept import kept
from fumoto.hints import Array, Updates
from fumoto.network import MLP
from fumoto.optimizers import SGD, Momentum
from fumoto.surfaces import Surface, hollow
from fumoto.training import descend, train


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
    depth: float
    lr: float
    momentum: float


def night_walk(depth: float = 0.4, lr: float = 0.05, momentum: float = 0.9, steps: int = 300) -> Night:
    """深さ ``depth`` の窪みのある斜面を、勾配降下法(一歩ずつ)とモーメンタム法(勢いをつけて)で下りる。

    >>> night = night_walk()
    >>> print(f"{night.careful.stops:.2f} {abs(night.running.stops):.2f}")
    -2.90 0.00
    """
    surface = hollow(depth)
    careful = _walk("一歩ずつ", SGD(lr), surface, steps)
    running = _walk("勢いをつけて", Momentum(lr, momentum), surface, steps)
    return Night(surface, careful, running, depth, lr, momentum)


def _walk(name: str, optimizer: Updates, surface: Surface, steps: int) -> Walk:
    path = descend(optimizer, surface, surface.start, steps)
    slope = float(surface.gradient(path[-1])[0])
    return Walk(name, path[:, 0], float(path[-1, 0]), slope)


@dataclass(frozen=True)
class FirstDescent:
    """最初の学習。``losses``: ミニバッチの損失。``steady``: いつも同じ画像で測った損失。``chance``: 当てずっぽうの損失。

    ``sizes``: 各層のノード数。``parameters``: 重みの数。``moved``: そのうち、はじめの値から動いたものの数。
    ``still_first``: 最初の行列の、動かなかった重みの数。
    """

    losses: Array
    steady: Array
    chance: float
    accuracy_before: float
    accuracy_after: float
    parameters: int
    moved: int
    still_first: int
    sizes: tuple[int, ...]
    lr: float
    batch_size: int
    same: int
    seed: int


@kept
def first_descent(
    layers: int = 4,
    nodes: int = 100,
    lr: float = 0.1,
    batch_size: int = 128,
    steps: int = 300,
    same: int = 100,
    seed: int = 0,
) -> FirstDescent:
    """``nodes`` 個のノードを ``layers`` 層重ねたネットワークを、SGD で ``steps`` ステップだけ学習する。

    1 ステップごとに、訓練データの先頭の ``same`` 枚でも損失を測る。
    """
    x_train, t_train, x_test, t_test = mnist()
    rng = np.random.default_rng(seed)
    sizes = (x_train.shape[1], *[nodes] * layers, int(t_train.max()) + 1)
    network = MLP(sizes, rng=rng)
    before, start = network.accuracy(x_test, t_test), network.vector.copy()
    first = network.params["W1"].copy()
    steady: list[float] = []

    def watch() -> None:
        steady.append(network.loss(x_train[:same], t_train[:same]))

    losses = train(
        network, SGD(lr), x_train, t_train, steps=steps, batch_size=batch_size, rng=rng, watch=watch
    )
    return FirstDescent(
        losses,
        np.array(steady),
        float(np.log(sizes[-1])),
        before,
        network.accuracy(x_test, t_test),
        network.vector.size,
        int(np.count_nonzero(network.vector != start)),
        int(np.count_nonzero(network.params["W1"] == first)),
        sizes,
        lr,
        batch_size,
        same,
        seed,
    )
