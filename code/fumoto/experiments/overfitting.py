"""7 章: 多項式の過学習、初期値の大きさと汎化、重み減衰。"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from fumoto.datasets import mnist
from fumoto.experiments.kept import kept
from fumoto.experiments.parallel import run_parallel
from fumoto.hints import Array, Initializer, Rng
from fumoto.initializers import he
from fumoto.network import MLP
from fumoto.optimizers import Adam, Momentum, Optimizer
from fumoto.training import train

# --- 多項式 -----------------------------------------------------------------------------------------------

POINTS = 11
DEGREES = range(1, 11)
NOISE = 0.3  # 観測値の雑音の標準偏差


def noisy_line(rng: Rng, u: Array) -> Array:
    """直線 s = u に正規分布の雑音を足した観測値。"""
    return u + rng.normal(0.0, NOISE, len(u))


def fit_polynomial(u: Array, s: Array, degree: int) -> Array:
    """二乗誤差をいちばん小さくする係数 ``(degree + 1,)``。

    >>> fit_polynomial(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0]), 1).round(6)
    array([1., 2.])
    """
    return np.linalg.lstsq(_powers(u, degree), s, rcond=None)[0]


def polynomial(coefficients: Array, u: Array) -> Array:
    """係数 ``(d + 1,)`` の多項式の、``u``: ``(N,)`` での値。"""
    return _powers(u, len(coefficients) - 1) @ coefficients  # eq-polynomial-f


def squared_error(f: Array, s: Array) -> float:
    """予測 ``f`` と観測値 ``s`` の、差の二乗の平均。"""
    return np.mean((f - s) ** 2)  # eq-squared-error-E


def _powers(u: Array, degree: int) -> Array:
    return u[:, None] ** np.arange(degree + 1)


@dataclass(frozen=True)
class PolynomialFits:
    """``points``, ``fresh``: 図に描く訓練の点と新しい点 ``(u, s)``。``curves``: 次数 → ``grid`` の上の値。

    ``train_errors``, ``test_errors``: ``(引き直しの回数, 次数の数)``。0 行目が図に描いた点である。
    """

    points: tuple[Array, Array]
    fresh: tuple[Array, Array]
    grid: Array
    curves: dict[int, Array]
    degrees: Array
    train_errors: Array
    test_errors: Array


def polynomial_overfitting(draws: int = 200, seed: int = 0) -> PolynomialFits:
    """直線に雑音を足した 11 個の点に、1 次から 10 次の多項式を当てはめる。

    テストの誤差は、同じ作り方の新しい 1000 個の点で測る。点を ``draws`` 回引き直して繰り返す。
    """
    rng = np.random.default_rng(seed)
    u, fresh_u = np.linspace(-1, 1, POINTS), rng.uniform(-1, 1, 1000)
    data = [(noisy_line(rng, u), noisy_line(rng, fresh_u)) for _ in range(draws)]
    train_errors, test_errors = np.empty((2, draws, len(DEGREES)))
    for row, (s, fresh_s) in enumerate(data):
        for column, degree in enumerate(DEGREES):
            coefficients = fit_polynomial(u, s, degree)
            train_errors[row, column] = squared_error(polynomial(coefficients, u), s)
            test_errors[row, column] = squared_error(polynomial(coefficients, fresh_u), fresh_s)
    s, fresh_s = data[0]
    grid = np.linspace(-1, 1, 400)
    curves = {degree: polynomial(fit_polynomial(u, s, degree), grid) for degree in (DEGREES[0], DEGREES[-1])}
    fresh = (fresh_u[:60], fresh_s[:60])
    return PolynomialFits((u, s), fresh, grid, curves, np.array(DEGREES), train_errors, test_errors)


# --- 300 枚の MNIST ---------------------------------------------------------------------------------------

SAMPLES = 300
SIZES = [784, 50, 50, 10]
SCALES = (0.1, 0.5, 1.0, 2.0, 3.0, 4.0)  # He の初期値の何倍から始めるか
DECAYS = (0.0, 0.01, 0.1)  # 重み減衰の λ
DECAY_SCALES = (1.0, 3.0)
SEEDS = (0, 1, 2, 3, 4)
OPTIMIZERS: dict[str, tuple[Callable[[], Optimizer], int]] = {  # 手法 → (作り方, ステップ数)
    "Momentum": (partial(Momentum, lr=0.0075), 1600),
    "Adam": (partial(Adam, lr=0.001), 800),
}


def scaled_he(scale: float) -> Initializer:
    """He の初期値を ``scale`` 倍する初期値。"""
    return partial(_scaled_he, scale)


def _scaled_he(scale: float, rng: Rng, n_in: int, n_out: int) -> Array:
    return scale * he(rng, n_in, n_out)


@dataclass(frozen=True)
class SmallData:
    """300 枚で学習した 1 回の結果。

    ``moved``: 重みの動いた長さを、はじめの重みの長さで割ったもの。
    ``directions``: テスト画像に対する最後の隠れ層の値の、ばらつく方向の数(``direction_count``)。
    """

    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    moved: float
    directions: float


@kept
def train_small(
    make: Callable[[], Optimizer], steps: int, scale: float, decay: float, seed: int
) -> SmallData:
    """MNIST の訓練画像から無作為に選んだ 300 枚で学習し、``SmallData`` を返す。``make``: 手法を作る関数。"""
    x_all, t_all, x_test, t_test = mnist()
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(x_all))[:SAMPLES]
    x, t = x_all[chosen], t_all[chosen]
    network = MLP(SIZES, initializer=scaled_he(scale), rng=rng, weight_decay=decay)
    before = _weights(network)
    train(network, make(), x, t, steps=steps, batch_size=100, rng=rng)
    return SmallData(
        float(network.loss(x, t)),
        network.accuracy(x, t),
        float(network.loss(x_test, t_test)),
        network.accuracy(x_test, t_test),
        float(np.linalg.norm(_weights(network) - before) / np.linalg.norm(before)),
        direction_count(_last_hidden(network, x_test)),
    )


def _weights(network: MLP) -> Array:
    """重み(バイアスを除く)を全部つなげた、1 本のベクトル。"""
    return np.concatenate([array.ravel() for name, array in network.params.items() if name.startswith("W")])


def _last_hidden(network: MLP, x: Array) -> Array:
    for _, layer in network.layers[:-1]:
        x = layer.forward(x, training=False)
    return x


def direction_count(h: Array) -> float:
    """``h``: ``(N, n)`` のばらつく方向の実質の数: 共分散行列の固有値の、和の二乗を二乗の和で割ったもの。

    どの方向にも同じだけばらつけば n、1 つの方向にだけばらつけば 1 になる。

    >>> direction_count(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])).__round__(6)
    2.0
    """
    eigenvalues = np.linalg.eigvalsh(np.cov(h.astype(np.float64).T))
    return float(eigenvalues.sum() ** 2 / np.sum(eigenvalues**2))


def scale_and_generalization(processes: int = -1) -> dict[str, dict[float, list[SmallData]]]:
    """初期値の大きさを変えて、訓練の損失がほぼ 0 になるまで学習する。``{手法: {倍率: [SmallData]}}``。"""
    keys = [(method, scale, seed) for method in OPTIMIZERS for scale in SCALES for seed in SEEDS]
    jobs = [(*OPTIMIZERS[method], scale, 0.0, seed) for method, scale, seed in keys]
    results = dict(zip(keys, run_parallel(train_small, jobs, "初期値の大きさ", processes), strict=True))
    return {
        method: {scale: [results[method, scale, seed] for seed in SEEDS] for scale in SCALES}
        for method in OPTIMIZERS
    }


def weight_decay(
    unregularized: Mapping[float, list[SmallData]], processes: int = -1
) -> dict[float, dict[float, list[SmallData]]]:
    """重み減衰の強さを変えて学習する(Momentum)。``{倍率: {λ: [SmallData]}}``。

    ``unregularized``: ``scale_and_generalization()["Momentum"]``。λ = 0 の結果として使う。
    """
    keys = [(scale, decay, seed) for scale in DECAY_SCALES for decay in DECAYS[1:] for seed in SEEDS]
    jobs = [(*OPTIMIZERS["Momentum"], *key) for key in keys]
    results = dict(zip(keys, run_parallel(train_small, jobs, "重み減衰", processes), strict=True))
    return {
        scale: {
            decay: [results[scale, decay, seed] for seed in SEEDS] if decay else unregularized[scale]
            for decay in DECAYS
        }
        for scale in DECAY_SCALES
    }


def values(runs: Iterable[SmallData], name: str) -> Array:
    """種ごとの結果 ``[SmallData]`` から、1 つの項目を ``(種の数,)`` の配列で取り出す。"""
    return np.array([getattr(run, name) for run in runs])
