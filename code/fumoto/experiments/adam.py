"""5 章: 指数移動平均の重み、バイアス、Adam の 2 つの形、字下げの間違い。"""

from dataclasses import dataclass

import numpy as np

from fumoto.datasets import mnist
from fumoto.experiments.adagrad import follow
from fumoto.experiments.kept import kept
from fumoto.hints import Array, Updates
from fumoto.mistakes import DedentedAdam, StepSizeAdam, UncorrectedAdam
from fumoto.network import MLP
from fumoto.optimizers import Adam, Optimizer, RMSProp
from fumoto.training import train

SIZES = [784, 100, 100, 100, 100, 10]


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
    return Bias(t, mean, mean / (1 - optimizer.beta1**t), np.array(errors), optimizer.beta1)


@dataclass(frozen=True)
class Overshoot:
    """補正のない Adam の歩幅が、補正のある Adam の何倍か。``worst_*``: 最大のとき。"""

    t: Array
    ratio: Array
    worst_ratio: float
    worst_t: int
    recovered_t: int


def uncorrected_overshoot(steps: int = 10_000) -> Overshoot:
    """勾配が一定のとき、補正がないと歩幅が何倍になるかを、両方を動かして測る。

    >>> result = uncorrected_overshoot()
    >>> result.worst_t, round(result.worst_ratio, 2), result.recovered_t
    (12, 6.57, 3925)
    """
    gradients = np.ones(steps)
    plain = np.diff(follow(UncorrectedAdam(), gradients))
    corrected = np.diff(follow(Adam(eps=0.0), gradients))
    ratio = plain / corrected
    worst = int(np.argmax(ratio))
    recovered = int(np.max(np.flatnonzero(ratio > 1.01))) + 2
    return Overshoot(np.arange(1, steps + 1), ratio, float(ratio[worst]), worst + 1, recovered)


@dataclass(frozen=True)
class TwoForms:
    """勾配の大きさごとの、最初の一歩 / lr。アルゴリズム 1 と ``lr_t`` の形。"""

    gradients: Array
    algorithm1: Array
    lr_t_form: Array


def two_forms() -> TwoForms:
    """同じ ε を置いたとき、Adam の 2 つの形の最初の一歩がどの勾配の大きさで分かれるかを測る。"""
    gradients = 10.0 ** np.arange(-12, 1)
    first = {kind: -follow(kind(lr=1.0, eps=1e-8), gradients[None])[-1] for kind in (Adam, StepSizeAdam)}
    return TwoForms(gradients, first[Adam], first[StepSizeAdam])


@dataclass(frozen=True)
class Dedented:
    """字下げの正しい Adam と原ノートの Adam の、MNIST での損失と、動いた重みの配列の名前。"""

    right_losses: Array
    notes_losses: Array
    right_moved: list[str]
    notes_moved: list[str]
    names: list[str]


@kept
def dedented_adam(steps: int = 300, seed: int = 0) -> Dedented:
    """同じネットワークを、正しい Adam と、更新がループの外にある Adam で学習する。"""
    right_losses, right_moved, names = _train_and_compare(Adam(), steps, seed)
    notes_losses, notes_moved, _ = _train_and_compare(DedentedAdam(), steps, seed)
    return Dedented(right_losses, notes_losses, right_moved, notes_moved, names)


def _train_and_compare(optimizer: Updates, steps: int, seed: int) -> tuple[Array, list[str], list[str]]:
    x, t = mnist()[:2]
    rng = np.random.default_rng(seed)
    network = MLP(SIZES, rng=rng)
    before = {name: array.copy() for name, array in network.params.items()}
    losses = train(network, optimizer, x, t, steps=steps, batch_size=128, rng=rng)
    moved = [name for name, array in network.params.items() if np.any(array != before[name])]
    return losses, moved, list(before)
