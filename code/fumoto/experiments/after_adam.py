"""10 章: 切り離した重み減衰、学習率のスケジュール、勾配クリップ、Lion、Muon、MNIST での比較。"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fumoto.clipping import Clipped
from fumoto.experiments.comparison import MNIST_SIZES, NETWORK
from fumoto.experiments.protocol import (
    BATCH_SIZE,
    CHECKS,
    Box,
    Interval,
    Range,
    Report,
    Rung,
    Setting,
    Space,
    Tuned,
    difference,
    report,
    tune,
)
from fumoto.hints import Array, Arrays, Updates
from fumoto.optimizers import SGD, Adam, AdamW, Lion, Muon, Split, newton_schulz
from fumoto.schedules import Cosine, Schedule, Scheduled, StepDecay, Warmup


@dataclass(frozen=True)
class DecayPaths:
    """勾配の大きさ ``sizes`` ごとの、重みの列 ``paths[手法]``(形は ``(歩数 + 1, 大きさの数)``)。"""

    paths: Arrays
    sizes: tuple[float, ...]
    lr: float
    beta1: float
    beta2: float
    weight_decay: float


def decay_paths(
    lr: float = 0.01,
    beta1: float = 0.9,
    beta2: float = 0.999,
    weight_decay: float = 0.1,
    sizes: tuple[float, ...] = (0.1, 1.0, 10.0),
    steps: int = 600,
) -> DecayPaths:
    """大きさの違う、符号が 1 歩ごとに替わる勾配を渡して、重み減衰だけで重みがどう縮むかを見る。

    L2 は、λw を勾配に足して Adam に渡す。AdamW は、渡さずに、重みを直接縮める。

    >>> result = decay_paths()
    >>> {name: path[-1].round(2) for name, path in result.paths.items()}
    {'L2': array([0.  , 0.54, 0.93]), 'AdamW': array([0.54, 0.54, 0.54])}
    """
    optimizers = {
        "L2": Adam(lr, beta1, beta2),
        "AdamW": AdamW(lr, beta1, beta2, weight_decay=weight_decay),
    }
    paths = {}
    for name, optimizer in optimizers.items():
        w = np.ones(len(sizes))
        path = [w.copy()]
        for step in range(steps):
            g = np.array(sizes) * (-1) ** step
            optimizer.update({"w": w}, {"w": g + weight_decay * w if name == "L2" else g})
            path.append(w.copy())
        paths[name] = np.array(path)
    return DecayPaths(paths, sizes, lr, beta1, beta2, weight_decay)


@dataclass(frozen=True)
class ScheduledWalks:
    """スケジュールごとの、学習率の列 ``rates`` と、谷底からの距離の二乗平均の平方根の列 ``distances``。"""

    rates: Arrays
    distances: Arrays
    lr: float
    every: int
    factor: float
    warmup: int
    start: float
    walks: int
    seed: int


def scheduled_walks(
    lr: float = 0.2,
    steps: int = 400,
    every: int = 100,
    factor: float = 0.3,
    warmup: int = 40,
    start: float = 30.0,
    walks: int = 500,
    seed: int = 0,
) -> ScheduledWalks:
    """曲率 1 の谷を、標準偏差 1 の誤差のある勾配で、``start`` だけ離れたところから下りる。

    >>> ends = {name: distance[-1] for name, distance in scheduled_walks().distances.items()}
    >>> {name: round(float(end), 2) for name, end in ends.items()}
    {'一定': 0.32, '段階': 0.06, '余弦': 0.09, 'ウォームアップと余弦': 0.09}
    """
    cosine = Cosine(lr, steps)
    schedules: dict[str, Schedule] = {
        "一定": lambda t: lr,
        "段階": StepDecay(lr, every, factor),
        "余弦": cosine,
        "ウォームアップと余弦": Warmup(cosine, warmup),
    }
    rates = {name: np.array([schedule(t) for t in range(steps)]) for name, schedule in schedules.items()}
    distances = {name: _noisy_walks(each, steps, start, walks, seed) for name, each in schedules.items()}
    return ScheduledWalks(rates, distances, lr, every, factor, warmup, start, walks, seed)


def _noisy_walks(schedule: Schedule, steps: int, start: float, walks: int, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    optimizer, w = Scheduled(SGD(), schedule), np.full(walks, start)
    distances = [start]
    for _ in range(steps):
        optimizer.update({"w": w}, {"w": w + rng.normal(size=walks)})
        distances.append(float(np.sqrt(np.mean(w**2))))
    return np.array(distances)


@dataclass(frozen=True)
class ClippedPaths:
    """壁 cosh w の間を下りた位置の列 ``paths[長さの上限]``。上限が inf なら、クリップしない。"""

    paths: dict[float, Array]
    lr: float
    start: float


def clipped_paths(
    lr: float = 0.5, small: float = 2.0, large: float = 20.0, start: float = 4.0, steps: int = 14
) -> ClippedPaths:
    """勾配降下法で、クリップしない道と、上限を変えてクリップした道。

    >>> {limit: path[:4].round(1) for limit, path in clipped_paths().paths.items()}
    {inf: array([   4. ,   -9.6, 3851.3,   -inf]), 2.0: array([4., 3., 2., 1.]), 20.0: array([ 4., -6.,  4., -6.])}
    """
    paths = {
        limit: _between_walls(SGD(lr) if limit == np.inf else Clipped(SGD(lr), limit), start, steps)
        for limit in (np.inf, small, large)
    }
    return ClippedPaths(paths, lr, start)


def _between_walls(optimizer: Updates, start: float, steps: int) -> Array:
    w = np.array(start)
    path = [start]
    with np.errstate(all="ignore"):  # 発散した道は inf や nan のまま記録する
        for _ in range(steps):
            optimizer.update({"w": w}, {"w": np.sinh(w)})
            path.append(float(w))
    return np.array(path)


@dataclass(frozen=True)
class SingularValues:
    """長さで割った行列の特異値 ``before`` と、反復したあとの値 ``after[回数]``。"""

    before: Array
    after: dict[int, Array]
    smallest: float
    size: int
    seed: int


def singular_values(smallest: float = 0.001, size: int = 40, seed: int = 0) -> SingularValues:
    """特異値が 1 から ``smallest`` まで等しい比で並ぶ、無作為な向きの行列を、1 回、3 回、5 回反復する。

    >>> values = singular_values(size=3)
    >>> values.before.round(3), values.after[5].round(2)
    (array([0.999, 0.032, 0.001]), array([0.7 , 1.13, 0.47]))
    """
    rng = np.random.default_rng(seed)
    left, right = (np.linalg.qr(rng.normal(size=(size, size)))[0] for _ in range(2))
    before = np.geomspace(1, smallest, size)
    before /= np.linalg.norm(before)
    u = left @ np.diag(before) @ right.T
    after = {steps: np.diag(left.T @ newton_schulz(u, steps) @ right) for steps in (1, 3, 5)}
    return SingularValues(before, after, smallest, size, seed)


# --- MNIST ------------------------------------------------------------------------------------------------

INNER = ("W2", "W3", "W4")  # はじめと終わりのほかの層の重み


def inner_muon(lr: float, momentum: float, weight_decay: float, others: float) -> Split:
    """著者の勧めるとおり、``INNER`` を Muon で、ほかを AdamW で更新する手法。``others``: AdamW の学習率。λ は同じ。"""
    return Split(Muon(lr, momentum, weight_decay), AdamW(others, weight_decay=weight_decay), INNER)


# どの手法も、学習率を 30 倍の幅で探す
_INERTIA, _MEMORY = Range(0.5, 0.99, from_one=True), Range(0.9, 0.999, from_one=True)
_ADAM_RATES = Range(0.0005, 0.015)
_ADAM: Box = {"beta1": _INERTIA, "beta2": _MEMORY, "eps": Range(1e-10, 1e-4)}


def _decayed(rates: Range, own: Box, decay: Range) -> Space:
    """λ を持つ手法の、探す範囲。4 分の 1 の設定は λ = 0 である。"""
    return Space(rates, {**own, "weight_decay": decay}, {"lr": rates, **own, "weight_decay": 0.0})


METHODS: dict[str, tuple[Callable[..., Updates], Space]] = {
    "Adam": (Adam, Space(_ADAM_RATES, _ADAM)),
    "AdamW": (AdamW, _decayed(_ADAM_RATES, _ADAM, Range(0.001, 1.0))),
    "Lion": (
        Lion,
        _decayed(Range(0.0003, 0.009), {"beta1": _INERTIA, "beta2": _MEMORY}, Range(0.01, 10.0)),
    ),
    "Muon": (
        inner_muon,
        _decayed(Range(0.003, 0.09), {"momentum": _INERTIA, "others": _ADAM_RATES}, Range(0.001, 1.0)),
    ),
}
TRIALS, KEPT = 16, 3  # 手法ごとに試す設定の数と、長く試す数
SHORT, STEPS = 40, 200  # 短く試すステップ数と、長く試し、報告するステップ数
SEEDS = 5


def tuned_methods(
    trials: int = TRIALS,
    kept: int = KEPT,
    short: int = SHORT,
    steps: int = STEPS,
    draw: int = 0,
    processes: int = -1,
) -> dict[str, Tuned]:
    """手法 → MNIST の検証データで選んだ設定。``draw``: 試す設定を取る準乱数の種。

    Adam で選んだ設定は、λ = 0 の AdamW として、AdamW の最後の段まで残る。
    """
    groups = {
        name: [
            Setting(method, tuple(values.items()), NETWORK)
            for values in space.everything(trials, np.random.default_rng(draw))
        ]
        for name, (method, space) in METHODS.items()
    }
    rungs = (Rung(short, (1001,), kept), Rung(steps, (1001,), 1))
    found = tune({"Adam": groups.pop("Adam")}, rungs, processes=processes)
    adam = Setting(AdamW, (*found["Adam"].setting.values, ("weight_decay", 0.0)), NETWORK)
    return found | tune(groups, rungs, {"AdamW": [adam]}, processes)


def multiplications() -> tuple[int, int]:
    """1 歩の、行列の積の掛け算の回数: 順伝播と逆伝播の分と、``INNER`` を Muon で更新するときの反復の分。"""
    sizes = list(pairwise(MNIST_SIZES))
    each = [2 * n * m * min(n, m) + min(n, m) ** 3 for n, m in sizes[1 : 1 + len(INNER)]]
    return 3 * BATCH_SIZE * sum(n * m for n, m in sizes), 5 * sum(each)


def loss_after(losses: Array, steps: int) -> Array:
    """``steps`` ステップまでの、最後の 2 割の訓練の損失の平均。``losses``: ``(..., ステップ数)``。"""
    return losses[..., steps - steps // CHECKS : steps].mean(axis=-1)


@dataclass(frozen=True)
class NewMethods:
    """手法 → 選ぶのに使っていない種 ``seeds`` 個での結果と、選ぶための設定。

    ``half``: 半分の歩数の Muon の損失と、Adam の損失との差。``cost``: Muon の 1 歩の掛け算は、Adam の何倍か。
    """

    reports: dict[str, Report]
    trials: int
    kept: int
    short: int
    steps: int
    seeds: int
    half: Interval
    cost: float


def new_methods(
    trials: int = TRIALS, kept: int = KEPT, short: int = SHORT, steps: int = STEPS, seeds: int = SEEDS
) -> NewMethods:
    """Adam、AdamW、Lion、Muon を、6 章と同じネットワークと手順で比べる。"""
    tuned = tuned_methods(trials, kept, short, steps)
    reports = report({name: found.setting for name, found in tuned.items()}, range(1, seeds + 1), steps)
    half = loss_after(reports["Muon"].losses, steps // 2)
    passes, iteration = multiplications()
    return NewMethods(
        reports,
        trials,
        kept,
        short,
        steps,
        seeds,
        difference(half, loss_after(reports["Adam"].losses, steps)),
        (passes + iteration) / passes,
    )
