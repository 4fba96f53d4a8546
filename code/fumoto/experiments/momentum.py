"""3 章: 細い谷、特性方程式の根、条件数と速さ、ジグザグ、鞍点、窪み、符号の間違い。"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fumoto.experiments.kept import kept
from fumoto.hints import Array, Arrays, Updates
from fumoto.mistakes import NotesMomentum
from fumoto.optimizers import SGD, Momentum, Optimizer
from fumoto.surfaces import bowl, hollow, saddle
from fumoto.training import descend


@dataclass(frozen=True)
class NarrowValley:
    """横に長い椀を勾配降下法で下りた道と、x と y のずれが 1 歩ごとに受ける倍率。"""

    path: Array
    factors: Array
    lr: float


def narrow_valley(lr: float = 0.9, steps: int = 12) -> NarrowValley:
    """横に長い椀を、限界に近い学習率の勾配降下法で下りる。

    >>> narrow_valley().factors.round(2)
    array([ 0.91, -0.8 ])
    """
    path = descend(SGD(lr), bowl, bowl.start, steps)
    return NarrowValley(path, 1 - lr * bowl.gradient(np.ones(2)), lr)


@dataclass(frozen=True)
class FirstPaths:
    """横に長い椀を、同じ学習率の勾配降下法とモーメンタム法で下りた道 ``paths[手法]``。"""

    paths: Arrays
    lr: float
    momentum: float


def first_paths(lr: float = 0.9, momentum: float = 0.5, steps: int = 12) -> FirstPaths:
    """勾配降下法と、慣性を足しただけのモーメンタム法で、横に長い椀を下りる。

    >>> {name: path[-1].round(2).tolist() for name, path in first_paths().paths.items()}
    {'GD': [-2.26, 0.14], 'Momentum': [-0.39, -0.04]}
    """
    optimizers = {"GD": SGD(lr), "Momentum": Momentum(lr, momentum)}
    paths = {name: descend(each, bowl, bowl.start, steps) for name, each in optimizers.items()}
    return FirstPaths(paths, lr, momentum)


def roots(alpha: float, slopes: Array) -> Array:
    """特性方程式の 2 つの根。形 ``(2, len(slopes))`` の複素数の配列。``slopes``: ηλ。

    >>> np.abs(roots(0.25, np.array([0.25, 1.0, 2.25]))).round(3)     # どれも √α
    array([[0.5, 0.5, 0.5],
           [0.5, 0.5, 0.5]])
    """
    half = (1 + alpha - slopes) / 2
    apart = np.sqrt(half**2 - alpha + 0j)
    return np.array([half + apart, half - apart])  # eq-momentum-roots


def measured_rates(alpha: float, slopes: Array, steps: int) -> Array:
    """モーメンタム法を動かして、ずれと速度の大きさが 1 歩ごとに受ける倍率を測る。``slopes``: ηλ。

    はじめの ``steps`` 歩のあとの ``steps`` 歩の、平均の倍率である。

    >>> measured_rates(0.25, np.array([0.1, 1.0, 2.4]), steps=500).round(2)
    array([0.86, 0.5 , 0.86])
    """
    w, optimizer = np.ones_like(slopes), Momentum(lr=1.0, momentum=alpha)
    growth = np.zeros_like(w)
    for step in range(2 * steps):
        optimizer.update({"w": w}, {"w": slopes * w})
        v = optimizer.state["v"]["w"]
        size = np.hypot(w, v)
        w /= size  # 規則は w と v について線形なので、縮めても倍率は変わらない
        v /= size
        if step >= steps:
            growth += np.log(size)
    return np.exp(growth / steps)


@dataclass(frozen=True)
class Roots:
    """慣性 → 曲率 λ の向きの ηλ(0 から、収束の限界まで)、そこでの根、いくつかの ηλ で測った倍率。"""

    slopes: dict[float, Array]
    roots: dict[float, Array]
    tried: dict[float, Array]
    measured: dict[float, Array]
    steps: int


def momentum_roots(momenta: tuple[float, ...] = (0.0, 0.5, 0.9), steps: int = 500) -> Roots:
    """ηλ を動かして、特性方程式の根と、動かして測った倍率を比べる。"""
    slopes = {}
    for alpha in momenta:  # 根の出会うところも入れる
        meetings = [(1 - np.sqrt(alpha)) ** 2, (1 + np.sqrt(alpha)) ** 2]
        slopes[alpha] = np.sort([*np.linspace(0, 2 * (1 + alpha), 401), *meetings])
    tried = {alpha: 2 * (1 + alpha) * np.linspace(0.02, 0.98, 12) for alpha in momenta}
    return Roots(
        slopes,
        {alpha: roots(alpha, slopes[alpha]) for alpha in momenta},
        tried,
        {alpha: measured_rates(alpha, tried[alpha], steps) for alpha in momenta},
        steps,
    )


@dataclass(frozen=True)
class WrongSign:
    """正しい符号と原ノートの符号で進んだ道と、そこでの高さ。"""

    right: Array
    notes: Array
    right_height: Array
    notes_height: Array
    lr: float
    momentum: float


def wrong_sign(lr: float = 0.05, momentum: float = 0.9, steps: int = 15) -> WrongSign:
    """横に長い椀を、w + v と w - v(原ノートの式 (3))で下りようとする。

    >>> result = wrong_sign()
    >>> bool(np.all(np.diff(result.notes_height) > 0))     # 一歩ごとに登っている
    True
    """
    right = descend(Momentum(lr, momentum), bowl, bowl.start, steps)
    notes = descend(NotesMomentum(lr, momentum), bowl, bowl.start, steps)
    return WrongSign(right, notes, bowl(right.T), bowl(notes.T), lr, momentum)


def escape_steps(optimizer: Updates, offset: float, limit: int = 100_000, angle: float = 0.0) -> int:
    """鞍の x 軸から ``offset`` だけ離れた点から、|y| が 1 を超えるまでの歩数(``limit`` で打ち切り)。

    ``angle``: 鞍を回す角(ラジアン)。x 軸と y 軸も、一緒に回る。

    >>> escape_steps(SGD(lr=0.1), offset=1e-3)       # ln(1000)/ln(1.1) = 72.5 を切り上げて
    73
    """
    axes = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    w = axes.T @ [1.0, offset]
    for step in range(1, limit + 1):
        optimizer.update({"w": w}, {"w": axes.T @ saddle.gradient(axes @ w)})
        if abs(axes[1] @ w) > 1:
            return step
    return limit


@dataclass(frozen=True)
class SaddleEscape:
    """鞍点から抜けるまでの歩数。``equal_rate``: 同じ η、``equal_speed``: 同じ η/(1-α)。"""

    offsets: Array
    sgd: Array
    equal_rate: Array
    equal_speed: Array
    lr: float
    momentum: float


def saddle_escape(lr: float = 0.05, momentum: float = 0.9) -> SaddleEscape:
    """x 軸からの距離を変えて、勾配降下法と 2 通りのモーメンタム法が鞍点から抜ける歩数を数える。"""
    offsets = 10.0 ** -np.arange(1, 13)

    def count(make: Callable[[], Optimizer]) -> Array:
        return np.array([escape_steps(make(), offset) for offset in offsets])

    return SaddleEscape(
        offsets,
        count(lambda: SGD(lr=lr)),
        count(lambda: Momentum(lr=lr, momentum=momentum)),
        count(lambda: Momentum(lr=lr * (1 - momentum), momentum=momentum)),
        lr,
        momentum,
    )


@dataclass(frozen=True)
class HollowEscape:
    """窪みの深さごとの、止まった場所 ``stops[慣性]`` と、通り抜けた最も深い窪み ``deepest[慣性]``。"""

    depths: Array
    stops: dict[float, Array]
    deepest: dict[float, float]
    lr: float | None  # speed をそろえたなら None
    speed: float | None
    start: float
    steps: int


def hollow_escape(
    lr: float = 0.01,
    speed: float | None = None,
    momenta: tuple[float, ...] = (0.0, 0.5, 0.8, 0.9, 0.95),
    steps: int = 5000,
) -> HollowEscape:
    """窪みの深さを変えて、どの慣性なら通り抜けて谷底に着くかを調べる。

    学習率は全部 ``lr``。``speed`` を渡すと、代わりに η/(1-α) を全部 ``speed`` にそろえる。
    """
    depths, start = np.linspace(0.0, 1.5, 31), hollow().start[0]
    stops = {}
    for momentum in momenta:  # 深さごとの点を 1 つの配列に並べ、まとめて進める
        starts = np.full((1, len(depths)), start)
        rate = lr if speed is None else speed * (1 - momentum)
        stops[momentum] = descend(Momentum(rate, momentum), hollow(depths), starts, steps)[-1, 0]
    deepest = {momentum: _deepest(depths, np.abs(x) < 0.1) for momentum, x in stops.items()}
    return HollowEscape(depths, stops, deepest, lr if speed is None else None, speed, start, steps)


def _deepest(depths: Array, passed: Array) -> float:
    """浅い方から見て、通り抜け続けた最後の深さ。"""
    first_failure = len(depths) if passed.all() else int(np.argmin(passed))
    return float(depths[first_failure - 1])


@dataclass(frozen=True)
class ZigZag:
    """横に長い椀で、谷を横切る向き(y)に動いた道のりの合計。η ごとに ``travel[名前]``。"""

    rates: Array
    travel: Arrays
    paths: Arrays  # 図に描く代表の η での道
    shown_rate: float
    momentum: float
    steps: int


@kept
def zigzag(
    momentum: float = 0.9, shown_rate: float = 0.9, steps: int = 2000, shown_steps: int = 60
) -> ZigZag:
    """勾配降下法と、同じ η、同じ η/(1-α) のモーメンタム法のジグザグを、η を変えて比べる。"""
    rates = np.round(np.arange(0.05, 0.99, 0.03), 2)
    makers: dict[str, Callable[[float], Optimizer]] = {
        "GD": lambda lr: SGD(lr),
        "同じ η": lambda lr: Momentum(lr, momentum),
        "同じ η/(1−α)": lambda lr: Momentum(lr * (1 - momentum), momentum),
    }
    travel, paths = {}, {}
    for name, make in makers.items():
        travel[name] = np.array([_travel(descend(make(lr), bowl, bowl.start, steps)) for lr in rates])
        paths[name] = descend(make(shown_rate), bowl, bowl.start, shown_steps)
    return ZigZag(rates, travel, paths, shown_rate, momentum, steps)


def _travel(path: Array) -> float:
    return np.abs(np.diff(path[:, 1])).sum()


@dataclass(frozen=True)
class ZigZagMap:
    """谷を横切る道のりの、勾配降下法との比 ``ratios[何をそろえたか]``。形 ``(len(momenta), len(slopes))``。

    ``slopes``: 勾配降下法の ηλ。
    """

    slopes: Array
    momenta: Array
    ratios: Arrays
    steps: int


@kept
def zigzag_map(steps: int = 500) -> ZigZagMap:
    """ηλ と慣性を変えて、モーメンタム法が谷を横切る道のりを、勾配降下法の道のりで割る。"""
    slopes, momenta = np.linspace(0.02, 1.98, 99), np.linspace(0.0, 0.95, 39)
    plain = _way(0.0, slopes, steps)
    ways = {
        "同じ η": [_way(alpha, slopes, steps) for alpha in momenta],
        "同じ η/(1−α)": [_way(alpha, slopes * (1 - alpha), steps) for alpha in momenta],
    }
    return ZigZagMap(slopes, momenta, {name: np.array(way) / plain for name, way in ways.items()}, steps)


def _way(alpha: float, slopes: Array, steps: int) -> Array:
    """ずれ 1 から出て、動いた道のりの合計。``slopes``: ηλ。"""
    w, optimizer, way = np.ones_like(slopes), Momentum(lr=1.0, momentum=alpha), np.zeros_like(slopes)
    for _ in range(steps):
        optimizer.update({"w": w}, {"w": slopes * w})
        way += np.abs(optimizer.state["v"]["w"])
    return way


@dataclass(frozen=True)
class Acceleration:
    """条件数ごとの、谷底からのずれを ``target`` 倍に縮めるまでの歩数 ``steps[名前]``。η は、どれも最もよいもの。"""

    kappas: Array
    steps: Arrays
    target: float
    momenta: tuple[float, ...]


def best_gd(kappa: float) -> float:
    """曲率が 1/κ から 1 までの二次関数で、勾配降下法が最も速い η。

    >>> round(best_gd(20.0), 4)
    1.9048
    """
    lambda_max, lambda_min = 1.0, 1 / kappa
    return 2 / (lambda_max + lambda_min)  # eq-gd-best


def best_momentum(kappa: float) -> tuple[float, float]:
    """曲率が 1/κ から 1 までの二次関数で、モーメンタム法が最も速い ``(η, α)``。

    >>> [round(value, 3) for value in best_momentum(100.0)]
    [3.306, 0.669]
    """
    lambda_max, lambda_min = 1.0, 1 / kappa
    eta = 4 / (np.sqrt(lambda_max) + np.sqrt(lambda_min)) ** 2  # eq-momentum-best-eta
    alpha = (np.sqrt(kappa) - 1) ** 2 / (np.sqrt(kappa) + 1) ** 2  # eq-momentum-best-alpha
    return float(eta), float(alpha)


def rates_below_limit(alpha: float) -> Array:
    """曲率の最大が 1 のときに収束する η(``eq-momentum-limit`` の手前まで)を、等しく分けたもの。

    >>> rates_below_limit(0.0)[[0, -1]].round(2)
    array([0.02, 1.99])
    """
    return 2 * (1 + alpha) * np.linspace(0.01, 1, 200, endpoint=False)


def shrinking_steps(
    alpha: float, rates: float | Array, kappa: float, target: float = 0.01, limit: int = 100_000
) -> int:
    """曲率 1/κ と 1 の 2 つの向きのずれが、どちらも ``target`` 倍より小さくなって、そのままでいるまでの歩数。

    ``rates``: η。配列なら、そのうちいちばん早いものの歩数。``limit`` で打ち切る。

    >>> shrinking_steps(0.0, best_gd(20.0), kappa=20.0)
    47
    """
    slopes = np.multiply.outer(
        [1 / kappa, 1.0], np.atleast_1d(rates)
    )  # η を掛けた曲率。η = 1 で動かすのと同じ
    w, v, optimizer = np.ones_like(slopes), np.zeros_like(slopes), Momentum(lr=1.0, momentum=alpha)
    arrived = np.full(slopes.shape[1], limit)
    for step in range(1, limit + 1):
        w, v = optimizer.rule(w, slopes * w, v)
        inside = np.all(np.abs(w) < target, axis=0)
        arrived = np.where(inside, np.minimum(arrived, step), limit)
        if step > 1.5 * arrived.min() + 20:  # 着いたまま、離れなかった
            break
    return int(arrived.min())


@kept
def acceleration(
    momenta: tuple[float, ...] = (0.5, 0.9, 0.99), points: int = 13, target: float = 0.01
) -> Acceleration:
    """条件数を変えて、勾配降下法と、α を決めたモーメンタム法と、α も選んだモーメンタム法の歩数を比べる。"""
    kappas = np.geomspace(3, 3000, points)
    steps = {"GD": np.array([shrinking_steps(0.0, best_gd(k), k, target) for k in kappas])}
    for alpha in momenta:
        rates = rates_below_limit(alpha)
        steps[f"α = {alpha}"] = np.array([shrinking_steps(alpha, rates, k, target) for k in kappas])
    best = [best_momentum(k) for k in kappas]
    steps["式のとおり"] = np.array(
        [shrinking_steps(alpha, eta, k, target) for (eta, alpha), k in zip(best, kappas, strict=True)]
    )
    return Acceleration(kappas, steps, target, momenta)
