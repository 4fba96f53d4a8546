"""4 章: AdaGrad の学習率と歩幅、まれな特徴、止まるときと止まらないとき。"""

from dataclasses import dataclass

import numpy as np

from fumoto.hints import Array, Arrays, Updates
from fumoto.optimizers import SGD, AdaGrad, RMSProp
from fumoto.surfaces import bowl
from fumoto.training import descend


def follow(optimizer: Updates, gradients: Array) -> Array:
    """与えた勾配の列 ``(steps, ...)`` で更新し、位置の列 ``(steps + 1, ...)`` を返す。出発点は 0。

    >>> follow(SGD(lr=1.0), np.array([1.0, 2.0]))
    array([ 0., -1., -3.])
    """
    w = np.zeros(gradients.shape[1:])
    path = [w.copy()]
    for g in gradients:
        optimizer.update({"w": w}, {"w": np.asarray(g)})
        path.append(w.copy())
    return np.array(path)


@dataclass(frozen=True)
class OwnRates:
    """横に長い椀を、共通の学習率 ``lr`` と、座標ごとの学習率 ``shrinking`` / 曲率 で下りた道。"""

    paths: Arrays
    lr: float
    shrinking: float


def own_rates(lr: float = 0.9, shrinking: float = 0.3, steps: int = 12) -> OwnRates:
    """勾配降下法で、全部の座標に同じ学習率を使う道と、座標ごとに決めた学習率を使う道。

    >>> own_rates(steps=2).paths["座標ごとの学習率"]                  # どちらの座標も 1 歩ごとに 0.7 倍
    array([[-7.  ,  2.  ],
           [-4.9 ,  1.4 ],
           [-3.43,  0.98]])
    """
    rates = shrinking / bowl.gradient(np.ones(2))  # 椀の勾配は、座標ごとに曲率 × ずれ
    points = [np.array(bowl.start)]
    for _ in range(steps):
        points.append(points[-1] - rates * bowl.gradient(points[-1]))
    common = descend(SGD(lr=lr), bowl, bowl.start, steps)
    return OwnRates({"GD": common, "座標ごとの学習率": np.array(points)}, lr, shrinking)


@dataclass(frozen=True)
class FirstPath:
    """横に長い椀を、同じ学習率の勾配降下法と AdaGrad で下りた道 ``paths[手法]``。"""

    paths: Arrays
    lr: float


def first_path(lr: float = 0.9, steps: int = 12) -> FirstPath:
    """勾配降下法と AdaGrad で、横に長い椀を下りる。

    >>> first_path(lr=0.5, steps=1).paths["AdaGrad"].round(3)          # どちらの座標も η だけ動く
    array([[-7. ,  2. ],
           [-6.5,  1.5]])
    """
    optimizers = {"GD": SGD(lr), "AdaGrad": AdaGrad(lr)}
    paths = {name: descend(each, bowl, bowl.start, steps) for name, each in optimizers.items()}
    return FirstPath(paths, lr)


@dataclass(frozen=True)
class LargerRate:
    """横に長い椀を下りたあとの、谷底からの距離。学習率 ``lr`` の AdaGrad と、いちばん近づく学習率の勾配降下法。"""

    adagrad: float
    gd: float
    lr: float


def larger_rate(steps: int, lr: float = 3.0) -> LargerRate:
    """学習率を大きくした AdaGrad は、どんな学習率の勾配降下法よりも、谷底に近づく。

    >>> result = larger_rate(12)
    >>> round(result.adagrad, 3), round(result.gd, 2)
    (0.036, 2.18)
    """
    start, curvatures = np.array(bowl.start), bowl.gradient(np.ones(2))  # 椀の勾配は、座標ごとに曲率 × ずれ
    rates = np.linspace(0, 1, 1001)[:, None]  # 1 を超えると発散する
    gd = np.hypot(*(start * (1 - rates * curvatures) ** steps).T)  # eq-sgd-factor
    return LargerRate(
        float(np.hypot(*descend(AdaGrad(lr), bowl, bowl.start, steps)[-1])), float(gd.min()), lr
    )


@dataclass(frozen=True)
class RateAndStep:
    """勾配を ``scales`` 倍したときの、学習率 η/√h と歩幅。どちらも ``(steps, 倍率の数)``。"""

    scales: tuple[float, ...]
    rates: Array
    steps: Array
    lr: float
    seed: int


def rate_and_step(
    scales: tuple[float, ...] = (0.01, 1.0, 100.0), steps: int = 100, lr: float = 0.1, seed: int = 0
) -> RateAndStep:
    """同じ勾配の列を何倍かして AdaGrad に渡し、学習率と歩幅を別々に記録する。

    >>> result = rate_and_step()
    >>> np.allclose(result.steps, result.steps[:, :1], rtol=1e-6)      # 歩幅は同じ
    True
    """
    rng = np.random.default_rng(seed)
    gradients = rng.normal(1.0, 1.0, (steps, 1)) * np.array(scales)
    path = follow(AdaGrad(lr=lr), gradients)
    rates = lr / np.sqrt(np.cumsum(gradients**2, axis=0))
    return RateAndStep(scales, rates, np.abs(np.diff(path, axis=0)), lr, seed)


@dataclass(frozen=True)
class ZeroGradient:
    """勾配 0 から始まる座標で、ε があるときとないときの位置。"""

    with_eps: Array
    without_eps: Array
    lr: float


def zero_gradient(lr: float = 0.1) -> ZeroGradient:
    """勾配が 0 の座標と 1 の座標を 1 歩だけ更新する。ε = 0 は原ノートの式 (5) と同じである。

    >>> zero_gradient().without_eps
    array([ nan, -0.1])
    """
    gradients = np.array([[0.0, 1.0]])
    return ZeroGradient(
        follow(AdaGrad(lr=lr), gradients)[-1], follow(AdaGrad(lr=lr, eps=0.0), gradients)[-1], lr
    )


@dataclass(frozen=True)
class Frequency:
    """いつも現れる特徴(列 0)と、``period`` 回に 1 回の特徴(列 1)。手法 → 位置の列。"""

    period: int
    moved: Arrays
    last_step: Arrays
    lr: float


def frequent_and_rare(steps: int = 1000, period: int = 10, lr: float = 0.1) -> Frequency:
    """現れたときの勾配を 1 として、2 つの特徴の重みの動きを SGD と AdaGrad で比べる。"""
    appears = np.ones((steps, 2))
    appears[:, 1] = (np.arange(1, steps + 1) % period) == 0
    moved, last_step = {}, {}
    for name, optimizer in {"SGD": SGD(lr=lr), "AdaGrad": AdaGrad(lr=lr)}.items():
        path = follow(optimizer, appears)
        moved[name] = np.abs(path)
        last_step[name] = np.abs(np.diff(path, axis=0))[-1]
    return Frequency(period, moved, last_step, lr)


@dataclass(frozen=True)
class ConstantGradient:
    """一定の勾配のもとでの、t 歩目の学習率と、そこまでに進んだ距離。"""

    lr: float
    t: Array
    rate: Array
    distance: Array


def constant_gradient(steps: int = 10_000, lr: float = 0.1) -> ConstantGradient:
    """勾配がずっと 1 の坂を AdaGrad で下りる。学習率は η/√t、距離はおよそ 2η√t になる。

    >>> result = constant_gradient()
    >>> round(float(result.distance[-1]), 1)                # 2 * 0.1 * √10000 = 20
    19.9
    """
    path = follow(AdaGrad(lr=lr), np.ones((steps, 1)))
    return ConstantGradient(lr, np.arange(1, steps + 1), -np.diff(path[:, 0]), -path[1:, 0])


@dataclass(frozen=True)
class Bowl:
    """1 次元の椀 w²/2 を AdaGrad で下りたときの ``w`` と ``h``。"""

    w: Array
    h: Array
    lr: float


def adagrad_on_bowl(steps: int = 60, lr: float = 0.5) -> Bowl:
    """椀では勾配が小さくなるので、h は頭打ちになり、w は谷底に着く。"""
    optimizer, w = AdaGrad(lr=lr), np.array(1.0)
    positions, sums = [float(w)], [0.0]
    for _ in range(steps):
        optimizer.update({"w": w}, {"w": w.copy()})
        positions.append(float(w))
        sums.append(float(optimizer.state["h"]["w"]))
    return Bowl(np.array(positions), np.array(sums), lr)


@dataclass(frozen=True)
class Outlier:
    """最初の 1 回だけ勾配が ``scales`` 倍だったときの、谷底の近くに着くまでの歩数。"""

    scales: Array
    steps: Arrays
    lr: float
    decay_rate: float  # RMSProp の
    tolerance: float
    limit: int


def one_outlier(
    lr: float = 0.03, decay_rate: float = 0.99, tolerance: float = 0.1, limit: int = 60_000
) -> Outlier:
    """椀 w²/2 の w = 1 から出て、|w| < ``tolerance`` に入るまでの歩数を数える。

    最初の勾配だけ何倍かにして h を大きくしておく。着かなければ ``limit``。
    """
    scales = np.array([1.0, 3.0, 10.0, 30.0, 100.0, 300.0])
    steps = {}
    for name, optimizer in {"AdaGrad": AdaGrad(lr), "RMSProp": RMSProp(lr, decay_rate)}.items():
        w = np.ones(len(scales))
        optimizer.update({"w": w}, {"w": w * scales})
        arrival = np.full(len(scales), limit)
        for step in range(1, limit):
            arrival = np.where((np.abs(w) < tolerance) & (arrival == limit), step, arrival)
            if np.all(arrival < limit):
                break
            optimizer.update({"w": w}, {"w": w.copy()})
        steps[name] = arrival
    return Outlier(scales, steps, lr, decay_rate, tolerance, limit)
