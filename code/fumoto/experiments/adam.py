"""5 章: 指数移動平均の重み、バイアス、谷の向き、AMSGrad、Adam の 2 つの形、字下げの間違い。"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fumoto.datasets import mnist
from fumoto.experiments.adagrad import follow
from fumoto.experiments.kept import kept
from fumoto.hints import Array, Arrays, Updates
from fumoto.mistakes import DedentedAdam, StepSizeAdam, UncorrectedAdam
from fumoto.network import MLP
from fumoto.optimizers import SGD, Adam, ElementwiseOptimizer, Momentum, Optimizer, RMSProp, Step
from fumoto.surfaces import bowl
from fumoto.training import descend, train
from fumoto.validation import fraction, non_negative, positive

SIZES = [784, 100, 100, 100, 100, 10]
TARGET, STAY, FARTHEST = 0.01, 600, 10.0  # 谷を下り終えたとする距離、そこに留まる歩数、離れてもよい距離


@dataclass(frozen=True)
class FirstPaths:
    """横に長い椀を、同じ学習率の RMSProp と Adam で下りた道 ``paths[手法]``。"""

    paths: Arrays
    lr: float
    decay_rate: float
    beta1: float
    beta2: float


def first_paths(
    lr: float = 0.4, decay_rate: float = 0.9, beta1: float = 0.9, beta2: float = 0.999, steps: int = 18
) -> FirstPaths:
    """RMSProp と Adam で、横に長い椀を下りる。

    >>> first_paths(lr=0.5, steps=1).paths["Adam"].round(3)           # どちらの座標も η だけ動く
    array([[-7. ,  2. ],
           [-6.5,  1.5]])
    """
    # 後に描く RMSProp が上になる。1 歩目は Adam と同じ向きで、Adam より長い
    optimizers = {"Adam": Adam(lr, beta1, beta2), "RMSProp": RMSProp(lr, decay_rate)}
    paths = {name: descend(each, bowl, bowl.start, steps) for name, each in optimizers.items()}
    return FirstPaths(paths, lr, decay_rate, beta1, beta2)


@dataclass(frozen=True)
class MovingAverage:
    """k 回前の勾配の二乗にかかる重み、t 回目までの重みの合計、勾配が一定のときの歩幅 / η。"""

    decay_rate: float
    weights: Array
    totals: Array
    steps: Array
    window: float


def moving_average(decay_rate: float = 0.99, steps: int = 600) -> MovingAverage:
    """RMSProp の h が、過去の勾配の二乗をどんな重みで足しているかを、実装を動かして測る。

    1 回だけ勾配 1、あとは 0 を渡すと、h がそのまま k 回前の重みになる。

    >>> average = moving_average()
    >>> round(float(average.weights.sum()), 3), round(average.window, 6)
    (0.998, 100.0)
    """
    impulse = np.zeros(steps)
    impulse[0] = 1.0
    weights = _second_moments(RMSProp(decay_rate=decay_rate), impulse)
    totals = _second_moments(RMSProp(decay_rate=decay_rate), np.ones(steps))
    path = follow(RMSProp(lr=1.0, decay_rate=decay_rate), np.ones(steps))
    return MovingAverage(decay_rate, weights, totals, -np.diff(path), 1 / (1 - decay_rate))


def _second_moments(optimizer: Optimizer, gradients: Array) -> Array:
    w, moments = np.array(0.0), []
    for g in gradients:
        optimizer.update({"w": w}, {"w": np.asarray(g)})
        moments.append(float(optimizer.state["h"]["w"]))
    return np.array(moments)


@dataclass(frozen=True)
class Bias:
    """t 回目の m の平均(たくさんの勾配の列についての)と、補正した m の平均。"""

    t: Array
    mean: Array
    corrected: Array
    standard_error: Array
    beta1: float
    streams: int
    seed: int


def bias(steps: int = 50, streams: int = 4000, seed: int = 0) -> Bias:
    """平均 1 の勾配を ``streams`` 本つくり、Adam の m の平均が (1 - β1^t) 倍に縮むことを測る。"""
    rng = np.random.default_rng(seed)
    optimizer, w = Adam(), np.zeros(streams)
    means, errors = [], []
    for _ in range(steps):
        optimizer.update({"w": w}, {"w": rng.normal(1.0, 1.0, streams)})
        m = optimizer.state["m"]["w"]
        means.append(m.mean())
        errors.append(m.std() / np.sqrt(streams))
    t = np.arange(1, steps + 1)
    mean = np.array(means)
    corrected = mean / (1 - optimizer.beta1**t)
    return Bias(t, mean, corrected, np.array(errors), optimizer.beta1, streams, seed)


@dataclass(frozen=True)
class Overshoot:
    """補正のない Adam の歩幅が、補正のある Adam の何倍か。``worst_*``: 最大のとき。"""

    t: Array
    ratio: Array
    worst_ratio: float
    worst_t: int
    recovered_t: int
    beta1: float
    beta2: float


def uncorrected_overshoot(steps: int = 10_000, beta1: float = 0.9, beta2: float = 0.999) -> Overshoot:
    """勾配が一定のとき、補正がないと歩幅が何倍になるかを、両方を動かして測る。

    >>> result = uncorrected_overshoot()
    >>> result.worst_t, round(result.worst_ratio, 2), result.recovered_t
    (12, 6.57, 3925)
    """
    gradients = np.ones(steps)
    plain = np.diff(follow(UncorrectedAdam(beta1=beta1, beta2=beta2), gradients))
    corrected = np.diff(follow(Adam(beta1=beta1, beta2=beta2, eps=0.0), gradients))
    ratio = plain / corrected
    worst = int(np.argmax(ratio))
    recovered = int(np.max(np.flatnonzero(ratio > 1.01))) + 2
    t = np.arange(1, steps + 1)
    return Overshoot(t, ratio, float(ratio[worst]), worst + 1, recovered, beta1, beta2)


@dataclass(frozen=True)
class Valleys:
    """条件数ごとの、谷底からの距離を ``target`` 倍に縮めるまでの歩数 ``steps[手法]``。設定は、試したうちで最もよいもの。"""

    steps: Arrays
    angle: float
    kappas: tuple[int, ...]
    momenta: tuple[float, ...]
    decays: tuple[float, ...]
    rates: Array
    target: float
    stay: int
    farthest: float


def trial_rates(lowest: float = 0.01, highest: float = 4.0, number: int = 52) -> Array:
    """試す学習率。隣どうしの比が等しい。"""
    return np.geomspace(lowest, highest, number)


def valley(kappa: float, angle: float) -> Array:
    """曲率が 1/κ と 1 の二次関数の、曲率の行列。谷の向きは x 軸から ``angle`` 度。

    >>> valley(100, 45).round(3)
    array([[ 0.505, -0.495],
           [-0.495,  0.505]])
    """
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    turned = np.array([[c, -s], [s, c]])
    return turned @ np.diag([1 / kappa, 1.0]) @ turned.T


def steps_down(
    optimizer: Any,
    curvature: Array,
    rates: Array,
    target: float = TARGET,
    stay: int = STAY,
    farthest: float = FARTHEST,
    limit: int = 10_000,
) -> int:
    """谷底を囲む円の上の 8 点のどこから出ても、距離が ``target`` 倍より縮み、``stay`` 歩は離れなくなるまでの歩数。

    ``rates``: 試す学習率。いちばん早いものの歩数を返す。距離が ``farthest`` 倍を超えた道は数えない。
    ``limit`` より早いものがなければ ``limit``。

    >>> steps_down(SGD(), valley(10, 0), trial_rates())
    24
    >>> for stay in (20, 600):                      # 13 歩で着いても、あとで離れるなら、着いたとはいえない
    ...     optimizer, rate = Adam(beta1=0.5, beta2=0.99), np.array([0.19])
    ...     print(steps_down(optimizer, valley(10, 0), rate, stay=stay, limit=100))
    13
    100
    >>> for farthest in (10, 1000):                 # 遠くへ跳んで戻る
    ...     optimizer, rate = RMSProp(decay_rate=0.999), np.array([3.56])
    ...     print(steps_down(optimizer, valley(10, 0), rate, farthest=farthest, limit=100))
    100
    3
    """
    around = np.pi * (np.arange(8) + 0.5) / 8  # 反対側の点の道は、折り返しただけなので、半周でよい
    w = np.repeat(np.array([np.cos(around), np.sin(around)]), len(rates), axis=1)
    optimizer.lr = np.tile(rates, 8)  # 要素ごとの計算なので、全部の学習率を一度に動かせる
    params, arrived, step = {"w": w}, np.full(w.shape[1], limit), 0
    with np.errstate(all="ignore"):  # 大きすぎる学習率では発散する
        while True:
            step += 1
            optimizer.update(params, {"w": curvature @ w})
            distance = np.sqrt((w * w).sum(axis=0))
            w[:, distance > farthest] = np.nan
            arrived = np.where(distance < target, np.minimum(arrived, step), limit)
            if step % 10 == 0:  # 歩数はもう数えてあるので、終わったかどうかは、ときどき見れば足りる
                best = int(arrived.reshape(8, -1).max(axis=0).min())
                if step >= (limit if best == limit else best + stay):
                    return best


@kept
def valleys(
    angle: float,
    kappas: tuple[int, ...] = (3, 10, 30, 100, 1000),
    momenta: tuple[float, ...] = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98),
    decays: tuple[float, ...] = (0.9, 0.99, 0.999),
    target: float = TARGET,
    stay: int = STAY,
    farthest: float = FARTHEST,
) -> Valleys:
    """谷の向きと条件数を変えて、設定を選んだ 4 つの手法を比べる。

    慣性 α と β1 は ``momenta`` から、ρ と β2 は ``decays`` から、η はどれも ``trial_rates`` から選ぶ。
    """
    tried: dict[str, list[Callable[[], Optimizer]]] = {
        "GD": [SGD],
        "Momentum": [partial(Momentum, momentum=a) for a in momenta],
        "RMSProp": [partial(RMSProp, decay_rate=r) for r in decays],
        "Adam": [partial(Adam, beta1=a, beta2=r) for a in momenta for r in decays],
    }
    rates = trial_rates()

    def fewest(makers: Iterable[Callable[[], Optimizer]], kappa: float) -> int:
        best = 10_000
        for make in makers:
            best = steps_down(make(), valley(kappa, angle), rates, target, stay, farthest, limit=best)
        return best

    steps = {name: np.array([fewest(makers, k) for k in kappas]) for name, makers in tried.items()}
    return Valleys(steps, angle, kappas, momenta, decays, rates, target, stay, farthest)


class AMSGrad(ElementwiseOptimizer):
    """AMSGrad: 分母に、これまでの最大の v_hat を使う Adam。式 ``eq-amsgrad-v``, ``eq-amsgrad-w``。

    出典: Reddi, Kale & Kumar (2018) arXiv:1904.09237。論文には、バイアス補正と ε がない。

    >>> optimizer, params = AMSGrad(lr=0.1, beta1=0.0), {"w": np.array(0.0)}
    >>> for g in (10.0, 1.0):                          # 2 歩目は、10 を覚えているので、0.1 × 1/10
    ...     optimizer.update(params, {"w": np.array(g)})
    ...     print(params["w"].round(3))
    -0.1
    -0.11
    """

    state_names = ("m", "v", "v_tilde")

    def __init__(self, lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8):
        super().__init__()
        self.lr = positive("lr", lr)
        self.beta1 = fraction("beta1", beta1)
        self.beta2 = fraction("beta2", beta2)
        self.eps = non_negative("eps", eps)

    def rule(self, w: Array, g: Array, m: Array, v: Array, v_tilde: Array) -> Step:
        t = self.t + 1
        m = self.beta1 * m + (1 - self.beta1) * g  # eq-adam-m
        v = self.beta2 * v + (1 - self.beta2) * g**2  # eq-adam-v
        m_hat = m / (1 - self.beta1**t)  # eq-adam-mhat
        v_hat = v / (1 - self.beta2**t)  # eq-adam-vhat
        v_tilde = np.maximum(v_tilde, v_hat)  # eq-amsgrad-v
        w = w - self.lr * m_hat / (np.sqrt(v_tilde) + self.eps)  # eq-amsgrad-w
        return w, m, v, v_tilde


@dataclass(frozen=True)
class WrongEnd:
    """-1 から 1 までの線分の上で、Adam と AMSGrad が通った位置 ``places[手法]``。"""

    places: Arrays
    large: float
    lr: float
    beta2: float


def wrong_end(large: float = 3.0, lr: float = 0.01, steps: int = 1000) -> WrongEnd:
    """3 歩に 1 歩は勾配が ``large``、残りは -1。平均の勾配は正なので、下りるなら -1 の端である。

    論文の例と同じく、β1 = 0、β2 = 1/(1 + large²) で、線分からはみ出したら端に戻す。

    >>> {name: places[-1].round(1).item() for name, places in wrong_end().places.items()}
    {'Adam': 1.0, 'AMSGrad': -1.0}
    """
    beta2 = 1 / (1 + large**2)
    optimizers = {"Adam": Adam(lr, 0.0, beta2), "AMSGrad": AMSGrad(lr, 0.0, beta2)}
    return WrongEnd(
        {name: _on_segment(each, large, steps) for name, each in optimizers.items()}, large, lr, beta2
    )


def _on_segment(optimizer: Updates, large: float, steps: int) -> Array:
    w, places = np.array(0.0), [0.0]
    for step in range(steps):
        optimizer.update({"w": w}, {"w": np.array(large if step % 3 == 0 else -1.0)})
        np.clip(w, -1, 1, out=w)
        places.append(float(w))
    return np.array(places)


@dataclass(frozen=True)
class TwoForms:
    """勾配の大きさごとの、最初の一歩 / lr。アルゴリズム 1 と ``lr_t`` の形。"""

    gradients: Array
    algorithm1: Array
    lr_t_form: Array
    eps: float
    beta2: float


def two_forms(eps: float = 1e-8, beta2: float = 0.999) -> TwoForms:
    """同じ ε を置いたとき、Adam の 2 つの形の最初の一歩がどの勾配の大きさで分かれるかを測る。"""
    gradients = 10.0 ** np.arange(-12, 1)
    algorithm1, lr_t_form = (
        -follow(kind(lr=1.0, beta2=beta2, eps=eps), gradients[None])[-1] for kind in (Adam, StepSizeAdam)
    )
    return TwoForms(gradients, algorithm1, lr_t_form, eps, beta2)


@dataclass(frozen=True)
class Dedented:
    """字下げの正しい Adam と原ノートの Adam の、MNIST での損失と、動いた重みの配列の名前。"""

    right_losses: Array
    notes_losses: Array
    right_moved: list[str]
    notes_moved: list[str]
    names: list[str]
    lr: float
    batch_size: int
    seed: int


@kept
def dedented_adam(steps: int = 300, lr: float = 0.001, batch_size: int = 128, seed: int = 0) -> Dedented:
    """同じネットワークを、正しい Adam と、更新がループの外にある Adam で学習する。"""
    right_losses, right_moved, names = _train_and_compare(Adam(lr), steps, batch_size, seed)
    notes_losses, notes_moved, _ = _train_and_compare(DedentedAdam(lr), steps, batch_size, seed)
    return Dedented(right_losses, notes_losses, right_moved, notes_moved, names, lr, batch_size, seed)


def _train_and_compare(
    optimizer: Updates, steps: int, batch_size: int, seed: int
) -> tuple[Array, list[str], list[str]]:
    x, t = mnist()[:2]
    rng = np.random.default_rng(seed)
    network = MLP(SIZES, rng=rng)
    before = {name: array.copy() for name, array in network.params.items()}
    losses = train(network, optimizer, x, t, steps=steps, batch_size=batch_size, rng=rng)
    moved = [name for name, array in network.params.items() if np.any(array != before[name])]
    return losses, moved, list(before)
