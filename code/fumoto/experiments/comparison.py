"""6 章: 7 つの手法を、小さな地形と MNIST で比べる。"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fumoto.datasets import mnist
from fumoto.experiments.kept import kept
from fumoto.experiments.momentum import escape_steps
from fumoto.experiments.parallel import run_parallel
from fumoto.hints import Array, Arrays
from fumoto.network import MLP
from fumoto.optimizers import SGD, AdaDelta, AdaGrad, Adam, Momentum, Nesterov, Optimizer, RMSProp
from fumoto.surfaces import Surface
from fumoto.training import descend, train

METHODS = {
    "SGD": SGD,
    "Momentum": Momentum,
    "NAG": Nesterov,
    "AdaGrad": AdaGrad,
    "RMSProp": RMSProp,
    "AdaDelta": AdaDelta,
    "Adam": Adam,
}
SURFACE_RATES = tuple(float(f"{rate:.2g}") for rate in np.geomspace(0.001, 1000.0, 61))
ARRIVED = 0.05  # 谷底からこの距離の中に入り、出なくなったら着いたとみなす
LONG = 2000  # そのあと、この歩数までにまた離れるかを調べる


@dataclass(frozen=True)
class Runner:
    """地形を下りた 1 つの手法。``arrival``: 着くまでの歩数。``overshoot``: 谷底を通り過ぎた割合。"""

    name: str
    lr: float
    path: Array
    arrival: int
    overshoot: float
    leaves: bool = False


@kept
def race(surface: Surface, steps: int = 400) -> dict[str, Runner]:
    """7 つの手法を、それぞれいちばん早く着く学習率で走らせる。手法の名前 → ``Runner``。

    学習率は ``SURFACE_RATES`` を全部試し、図の範囲から飛び出したものは除く。
    ``overshoot`` は、出発点から谷底までの距離を 1 として、谷底の向こう側へ出た距離の最大である
    (座標ごとに測って大きい方)。``leaves`` は、``steps`` の先の ``LONG`` 歩までに、また離れたか。
    """
    runners = {}
    for name, method in METHODS.items():
        trials = [_run(name, method, lr, surface, steps) for lr in SURFACE_RATES]
        inside = [runner for runner in trials if _stays_inside(runner.path, surface)]
        best = min(inside, key=lambda runner: runner.arrival)
        longer = _run(name, method, best.lr, surface, LONG)
        runners[name] = replace(best, leaves=longer.arrival != best.arrival)
    return runners


def _run(name: str, method: Callable[..., Optimizer], lr: float, surface: Surface, steps: int) -> Runner:
    path = descend(method(lr=lr), surface, surface.start, steps)
    return Runner(name, lr, path, _arrival(path, surface), _overshoot(path, surface))


def _stays_inside(path: Array, surface: Surface) -> bool:
    low, high = np.reshape(surface.window, (2, 2)).T
    return bool(np.all((path >= low) & (path <= high)))


def _arrival(path: Array, surface: Surface) -> int:
    distance = np.abs(path - surface.minimum).max(axis=1)  # 大きい方の座標で測る
    outside = np.flatnonzero(~(distance < ARRIVED))
    return int(outside[-1]) + 1 if len(outside) else 0


def _overshoot(path: Array, surface: Surface) -> float:
    offset = np.array(surface.start) - np.array(surface.minimum)
    beyond = -(path - surface.minimum) * np.sign(offset) / np.abs(offset)
    return float(max(np.nanmax(beyond), 0.0))


@dataclass(frozen=True)
class SaddleRace:
    """鞍の軸からの距離ごとの、抜けるまでの歩数。手法 → ``(距離の数,)``。"""

    offsets: Array
    steps: Arrays
    paths: Arrays
    lr: float


def saddle_race(
    surface: Surface, lr: float = 0.05, start: tuple[float, float] = (1.5, 1e-3), steps: int = 120
) -> SaddleRace:
    """7 つの手法を同じ学習率で鞍に置き、軸からの距離を変えて、抜けるまでの歩数を数える。

    AdaDelta だけは学習率の意味が違うので、原論文どおり lr = 1 で走らせる。
    """
    offsets = 10.0 ** -np.arange(1, 11)
    rates = {name: 1.0 if name == "AdaDelta" else lr for name in METHODS}
    counts = {
        name: np.array([escape_steps(method(lr=rates[name]), offset, limit=5000) for offset in offsets])
        for name, method in METHODS.items()
    }
    paths = {name: descend(method(lr=rates[name]), surface, start, steps) for name, method in METHODS.items()}
    return SaddleRace(offsets, counts, paths, lr)


MNIST_SIZES = [784, 100, 100, 100, 100, 10]
MNIST_RATES = {  # 手法ごとに試す学習率
    "SGD": (0.01, 0.03, 0.1, 0.3, 1.0),
    "Momentum": (0.003, 0.01, 0.03, 0.1),
    "NAG": (0.003, 0.01, 0.03, 0.1),
    "AdaGrad": (0.003, 0.01, 0.03, 0.1),
    "RMSProp": (0.0003, 0.001, 0.003, 0.01),
    "AdaDelta": (0.3, 1.0, 3.0, 10.0),
    "Adam": (0.0003, 0.001, 0.003, 0.01),
}
SWEEP_SEED = 0
SEEDS = (1, 2, 3)
LAST = 200  # 最後の何ステップの平均を「最後の損失」とするか


@dataclass(frozen=True)
class MnistRun:
    """1 つの手法の結果。``losses``: ``(種の数, steps)``。``accuracy``: ``(種の数,)``。"""

    name: str
    lr: float
    sweep: dict[float, float]
    losses: Array
    accuracy: Array

    @property
    def final_losses(self) -> Array:
        """種ごとの、最後の ``LAST`` ステップの損失の平均。"""
        return self.losses[:, -LAST:].mean(axis=1)

    def clearly_below(self, other: "MnistRun") -> bool:
        """どの種でも、``other`` のどの種より最後の損失が小さいか。"""
        return bool(self.final_losses.max() < other.final_losses.min())


@kept
def train_mnist(method: Callable[..., Optimizer], lr: float, seed: int, steps: int) -> tuple[Array, float]:
    """1 つの手法・学習率・種で MNIST を学習し、``(損失の列, テストの正解率)`` を返す。``method``: 手法のクラス。"""
    x_train, t_train, x_test, t_test = mnist()
    rng = np.random.default_rng(seed)
    network = MLP(MNIST_SIZES, rng=rng)
    with np.errstate(all="ignore"):  # 大きすぎる学習率では発散し、損失が nan になる
        losses = train(network, method(lr=lr), x_train, t_train, steps=steps, batch_size=128, rng=rng)
        return losses, network.accuracy(x_test, t_test)


def mnist_comparison(steps: int = 2000, processes: int = -1) -> dict[str, MnistRun]:
    """7 つの手法を MNIST で比べる。手法の名前 → ``MnistRun``。

    学習率は種 ``SWEEP_SEED`` で ``MNIST_RATES`` を全部試し、最後の損失がいちばん小さいものを選ぶ。
    結果は、選ぶのに使っていない種 ``SEEDS`` で改めて学習して得る。
    """
    trials = [(name, lr) for name, rates in MNIST_RATES.items() for lr in rates]
    jobs = [(METHODS[name], lr, SWEEP_SEED, steps) for name, lr in trials]
    tried = run_parallel(train_mnist, jobs, "学習率を選ぶ", processes)
    sweeps: dict[str, dict[float, float]] = {name: {} for name in METHODS}
    for (name, lr), (losses, _) in zip(trials, tried, strict=True):
        final = losses[-LAST:].mean()
        sweeps[name][lr] = float(final) if np.isfinite(final) else np.inf  # 発散
    best = {name: min(sweep, key=sweep.__getitem__) for name, sweep in sweeps.items()}

    finals = [(METHODS[name], best[name], seed, steps) for name in METHODS for seed in SEEDS]
    results = dict(zip(finals, run_parallel(train_mnist, finals, "MNIST で比べる", processes), strict=True))
    runs = {}
    for name in METHODS:
        losses, accuracy = zip(
            *[results[METHODS[name], best[name], seed, steps] for seed in SEEDS], strict=True
        )
        runs[name] = MnistRun(name, best[name], sweeps[name], np.array(losses), np.array(accuracy))
    return runs
