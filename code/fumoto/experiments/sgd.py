"""2 章: 学習率の限界と、ミニバッチの勾配のばらつき。"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from fumoto.datasets import features, mnist_bytes
from fumoto.experiments.kept import kept
from fumoto.hints import Array
from fumoto.layers import SoftmaxCrossEntropy
from fumoto.optimizers import SGD
from fumoto.surfaces import bowl
from fumoto.training import descend

CURVATURES = np.array([1 / 10, 2.0])  # 横に長い椀の 2 階微分: x と y


@dataclass(frozen=True)
class LearningRates:
    """学習率ごとの道。``paths``: 学習率 → ``(steps + 1, 2)``。``left``: 学習率 → 終わりの、谷底までの距離。``limit``: 2/λ_max。"""

    limit: float
    paths: dict[float, Array]
    left: dict[float, float]
    steps: int


def learning_rates(rates: tuple[float, ...] = (0.02, 0.6, 0.97, 1.03), steps: int = 40) -> LearningRates:
    """横に長い椀を、小さすぎる、上下がすぐ収まる、往復する、大きすぎる学習率で下りる。"""
    paths = {rate: descend(SGD(lr=rate), bowl, bowl.start, steps) for rate in rates}
    left = {rate: float(np.hypot(*path[-1])) for rate, path in paths.items()}
    return LearningRates(float(2 / CURVATURES.max()), paths, left, steps)


@dataclass(frozen=True)
class ConvergenceLimit:
    """学習率ごとの、1 歩で距離が何倍になったか。``measured`` は実測、``exact`` は max|1-ηλ|。"""

    limit: float
    rates: Array
    measured: Array
    exact: Array
    start: tuple[float, float]
    steps: int


def convergence_limit(start: tuple[float, float] = (1.0, 1.0), steps: int = 1000) -> ConvergenceLimit:
    """学習率を変えて ``steps`` 歩進み、後半での、谷底からの距離の 1 歩あたりの倍率を測る。

    >>> result = convergence_limit()
    >>> bool(np.all((result.measured < 1) == (result.rates < result.limit)))
    True
    """
    rates = np.linspace(0.02, 1.2, 60)
    measured = []
    for rate in rates:
        path = descend(SGD(lr=rate), bowl, start, steps)
        first, last = np.abs(path[steps // 2]).max(), np.abs(path[-1]).max()
        measured.append((last / first) ** (1 / (steps - steps // 2)))
    exact = np.abs(1 - rates[:, None] * CURVATURES).max(axis=1)
    return ConvergenceLimit(float(2 / CURVATURES.max()), rates, np.array(measured), exact, start, steps)


@dataclass(frozen=True)
class GradientNoise:
    """ミニバッチの大きさごとの、勾配のばらつき(全体の勾配からの二乗平均距離の平方根)。"""

    samples: int
    repeats: int
    seed: int
    batch_sizes: Array
    with_replacement: Array
    without_replacement: Array
    exact_with: Array
    exact_without: Array

    def correction(self, sizes: Array) -> Array:
        """非復元抽出の誤差が、復元抽出の何倍か(``eq-noise-without``)。"""
        return _correction(sizes, self.samples)


@kept
def gradient_noise(samples: int = 1000, repeats: int = 400, seed: int = 0) -> GradientNoise:
    """MNIST の ``samples`` 件で、ミニバッチの勾配の、全体の勾配からの誤差を測る。

    モデルはソフトマックス回帰(隠れ層なし、重み 0)。標本 i の勾配 x_i (y_i - t_i)ᵀ を全部求め、
    復元抽出と非復元抽出の両方で ``repeats`` 回ずつミニバッチを作る。
    """
    rng = np.random.default_rng(seed)
    gram = _inner_products(samples)
    variance = np.trace(gram) / samples
    sizes = np.unique([1, 2, 5, 10, 20, 50, 100, 200, 500, 800, samples])
    sizes = sizes[sizes <= samples]

    def measure(draw: Callable[[int], Array]) -> Array:
        return np.array([_spread([draw(size) for _ in range(repeats)], gram) for size in sizes])

    return GradientNoise(
        samples,
        repeats,
        seed,
        sizes,
        measure(lambda size: rng.integers(0, samples, size)),
        measure(lambda size: rng.permutation(samples)[:size]),
        np.sqrt(variance / sizes),
        np.sqrt(variance / sizes) * _correction(sizes, samples),
    )


def _correction(sizes: Array, samples: int) -> Array:
    return np.sqrt((samples - sizes) / (samples - 1))


@cache
def _inner_products(samples: int) -> Array:
    """標本ごとの勾配の、全体の勾配からの誤差どうしの内積。ミニバッチの誤差の長さは、これだけで決まる。"""
    images, t = (array[:samples] for array in mnist_bytes()[:2])
    gradients = _sample_gradients(features(images).astype(np.float64), t)
    deviations = gradients - gradients.mean(axis=0)
    return deviations @ deviations.T


def _sample_gradients(x: Array, t: Array) -> Array:
    """標本ごとの勾配を 1 行ずつ並べた ``(N, D * 10)`` の配列。"""
    loss = SoftmaxCrossEntropy()
    loss.forward(np.zeros((len(x), 10)), t)
    errors = loss.backward() * len(x)
    return (x[:, :, None] * errors[:, None, :]).reshape(len(x), -1)


def _spread(batches: list[Array], gram: Array) -> float:
    """ミニバッチの勾配と全体の勾配の、二乗平均距離の平方根。"""
    counts = np.array([np.bincount(batch, minlength=len(gram)) for batch in batches])
    squares = ((counts @ gram) * counts).sum(axis=1) / counts.sum(axis=1) ** 2
    return np.sqrt(max(squares.mean(), 0.0))
