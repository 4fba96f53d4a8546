"""手法の選び方と、学習率の決め方: 学習率の範囲テスト。"""

from dataclasses import dataclass

import numpy as np

from fumoto.experiments.comparison import METHODS, NETWORK, SPACES, TUNED, tuned_on_mnist
from fumoto.experiments.kept import kept
from fumoto.experiments.parallel import run_parallel
from fumoto.experiments.protocol import BATCH_SIZE, split
from fumoto.hints import Array
from fumoto.optimizers import Optimizer
from fumoto.training import train

TESTED = [
    name for name in METHODS if name != "AdaDelta"
]  # AdaDelta の η だけは、歩幅でなく、歩幅の倍率である
SEED = 1
STEPS = 200
WIDER = 10.0  # 探す範囲の上の端の、この倍まで上げる
MEMORY = 0.9  # 損失をならす指数移動平均の減衰率


@dataclass(frozen=True)
class RangeTest:
    """学習率を 1 歩ごとに上げたときの、ならした損失。``rates``, ``losses``: ``(歩数,)``。"""

    rates: Array
    losses: Array

    @property
    def lowest(self) -> float:
        """ならした損失が、いちばん小さくなった学習率。"""
        return float(self.rates[np.nanargmin(self.losses)])


def smoothed(losses: Array, decay_rate: float = MEMORY) -> Array:
    """バイアスを補正した指数移動平均(``eq-adam-mhat`` と同じ)。``losses``: ``(歩数,)``。

    >>> smoothed(np.array([2.0, 2.0, 2.0])).round(6)
    array([2., 2., 2.])
    """
    mean, found = 0.0, np.empty_like(losses)
    for t, loss in enumerate(losses, start=1):
        mean = decay_rate * mean + (1 - decay_rate) * loss
        found[t - 1] = mean / (1 - decay_rate**t)
    return found


@kept
def range_test(method: type[Optimizer], low: float, high: float, seed: int, steps: int = STEPS) -> RangeTest:
    """学習率を ``low`` から ``high`` まで、1 歩ごとに同じ比で上げながら、MNIST を一度だけ学習する。

    手法のほかの引数は、既定値のままである。出典: Smith (2017) arXiv:1506.01186
    """
    rng = np.random.default_rng(seed)
    network, optimizer = NETWORK(rng=rng), method()
    rates = np.geomspace(low, high, steps)
    coming = iter(rates)

    def raise_rate() -> None:
        optimizer.lr = float(next(coming))  # type: ignore[attr-defined]  # どの手法にも lr がある

    with np.errstate(all="ignore"):  # 終わりの方では発散する
        losses = train(
            network,
            optimizer,
            *split().training,
            steps=steps,
            batch_size=BATCH_SIZE,
            rng=rng,
            watch=raise_rate,
        )
    return RangeTest(rates, smoothed(losses))


@dataclass(frozen=True)
class RangeTests:
    """手法の名前 → ``RangeTest`` と、検証データで選んだ学習率(6 章。ほかの引数は既定値)。"""

    tests: dict[str, RangeTest]
    chosen: dict[str, float]
    seed: int


def range_job(name: str, seed: int) -> tuple[type[Optimizer], float, float, int]:
    """``range_test`` の引数。6 章の探す範囲の下の端から、上の端の ``WIDER`` 倍まで上げる。"""
    return METHODS[name], SPACES[name].rates.low, WIDER * SPACES[name].rates.high, seed


def range_tests(seed: int = SEED, processes: int = -1) -> RangeTests:
    """6 つの手法の範囲テスト。"""
    jobs = [range_job(name, seed) for name in TESTED]
    tests = dict(zip(TESTED, run_parallel(range_test, jobs, "範囲テスト", processes), strict=True))
    tuned = tuned_on_mnist(processes=processes)
    rates = {name: dict(tuned[TUNED[1], name].setting.values)["lr"] for name in TESTED}
    return RangeTests(tests, rates, seed)
