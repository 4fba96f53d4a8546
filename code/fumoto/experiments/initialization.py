"""8 章: 重みの初期値と、層を通る値と勾配の大きさ。"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fumoto.datasets import mnist
from fumoto.experiments.kept import kept
from fumoto.experiments.parallel import run_parallel
from fumoto.hints import Array, Arrays, Initializer, Rng
from fumoto.initializers import gaussian, he, xavier, zeros
from fumoto.layers import Affine, Layer, ReLU, Sigmoid, Tanh
from fumoto.network import MLP
from fumoto.optimizers import SGD
from fumoto.training import train

NODES, DEPTH, SAMPLES = 100, 5, 1000
ACTIVATIONS = {"シグモイド": Sigmoid, "ReLU": ReLU, "tanh": Tanh}
STEEPEST: dict[type[Layer], float] = {Sigmoid: 1 / 4, ReLU: 1.0, Tanh: 1.0}  # 微分の最大値
INITIALIZERS = {"1": gaussian(1.0), "0.01": gaussian(0.01), "Xavier": xavier, "He": he, "0": zeros}

# --- 正規分布 ---------------------------------------------------------------------------------------------


def density(w: Array, std: float) -> Array:
    """平均 0、標準偏差 ``std`` の正規分布の密度。``w``: 実数の配列。"""
    return np.exp(-(w**2) / (2 * std**2)) / (std * np.sqrt(2 * np.pi))  # eq-gaussian-p


@dataclass(frozen=True)
class Shares:
    """平均から標準偏差の k 倍までに入る割合。``integral`` は密度の積分、``sample`` は標本で数えたもの。"""

    k: Array
    integral: Array
    sample: Array


def shares_within(samples: int = 1_000_000, pieces: int = 10_000, seed: int = 0) -> Shares:
    """S8-b の 68 % と 95 % を、積分(中点則)と標本の両方で求める。

    >>> (shares_within().integral * 100).round(2)
    array([68.27, 95.45, 99.73])
    """
    rng = np.random.default_rng(seed)
    k = np.array([1, 2, 3])
    middles = (np.arange(pieces) + 0.5) / pieces * 2 - 1  # -1 から 1 までを等分した区間の中点
    integral = [density(middles * end, 1.0).sum() * 2 * end / pieces for end in k]
    distances = np.abs(gaussian(1.0)(rng, 1, samples))
    sample = [np.mean(distances < end) for end in k]
    return Shares(k, np.array(integral), np.array(sample))


@dataclass(frozen=True)
class Widths:
    """4 つの初期値の標準偏差。名前 → 値。``right`` は n = 前の層のノード数、``notes`` は n = 配列の要素の数。"""

    right: dict[str, float]
    notes: dict[str, float]
    weights: Arrays  # 正しい n で引いた重みの標本。名前 → (n, n)


def widths(seed: int = 0) -> Widths:
    """原ノートの n(データの配列の要素の数)と、正しい n での、4 つの標準偏差。

    >>> {name: round(float(std), 4) for name, std in widths().notes.items()}
    {'1': 1.0, '0.01': 0.01, 'Xavier': 0.0032, 'He': 0.0063}
    """
    elements = SAMPLES * NODES
    fixed = {"1": 1.0, "0.01": 0.01}
    right = {**fixed, "Xavier": np.sqrt(1 / NODES), "He": np.sqrt(2 / NODES)}
    notes = {**fixed, "Xavier": 1 / np.sqrt(elements), "He": notes_he_std(elements)}
    rng = np.random.default_rng(seed)
    weights = {name: INITIALIZERS[name](rng, NODES, NODES) for name in right}
    return Widths(right, notes, weights)


def notes_he_std(n: int) -> float:
    """原ノートの He の標準偏差(根号の外に 2 がある)。"""
    return 2 / np.sqrt(n)  # eq-notes-he-std


# --- 5 層を通る値と勾配 -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Distribution:
    """1 つの活性化関数と初期値についての結果。層ごとの値は形 ``(DEPTH,)``。

    ``outputs``: ネットワーク 1 つの各層の出力 ``(DEPTH, SAMPLES, NODES)``。残りはネットワーク ``networks`` 個の平均で、
    ``mean`` と ``median``: 活性化関数の手前の値についての勾配の絶対値、
    ``flat``: 活性化関数の微分が最大値の 1/10 に満たない出力の割合(ReLU では 0 の出力の割合)、
    ``dead``: どの標本についても微分が 0 のノードの割合。
    """

    outputs: Array
    mean: Array
    median: Array
    flat: Array
    dead: Array

    @property
    def shrink(self) -> float:
        """勾配の平均が、1 層戻るごとに何分の 1 になるか(幾何平均)。"""
        return float((self.mean[-1] / self.mean[0]) ** (1 / (DEPTH - 1)))


def activation_distributions(networks: int = 5, seed: int = 0) -> dict[tuple[str, str], Distribution]:
    """3 つの活性化関数 × 5 つの初期値。(初期値, 活性化関数) → ``Distribution``。学習はしない。"""
    return {
        (initial, activation): _distribution(ACTIVATIONS[activation], initializer, networks, seed)
        for initial, initializer in INITIALIZERS.items()
        for activation in ACTIVATIONS
    }


def _distribution(
    activation: type[Layer], initializer: Initializer, networks: int, seed: int
) -> Distribution:
    rng = np.random.default_rng(seed)
    trials = [_through(activation, initializer, rng) for _ in range(networks)]
    measured = np.array([_measure(slopes / STEEPEST[activation], deltas) for _, slopes, deltas in trials])
    return Distribution(trials[0][0], *measured.mean(axis=0))


def _through(
    activation: Callable[[], Layer], initializer: Initializer, rng: Rng
) -> tuple[Array, Array, Array]:
    """データを 5 層に通し、勾配を戻す。返すのは層ごとの出力、活性化関数の微分、手前の値についての勾配。

    損失は、最後の層の出力に標準正規乱数を掛けて足したもの。つまり最後の出力についての勾配が、その乱数である。
    """
    h = rng.normal(size=(SAMPLES, NODES))
    pairs, outputs = [], []
    for _ in range(DEPTH):
        pairs.append((Affine(initializer(rng, NODES, NODES), np.zeros(NODES)), activation()))
        h = pairs[-1][1].forward(pairs[-1][0].forward(h))
        outputs.append(h)
    slopes = [layer.backward(np.ones_like(h)) for _, layer in pairs]
    gradient, deltas = rng.normal(size=h.shape), []
    for affine, layer in reversed(pairs):
        deltas.append(layer.backward(gradient))
        gradient = affine.backward(deltas[-1])
    return np.array(outputs), np.array(slopes), np.array(deltas[::-1])


def _measure(slopes: Array, deltas: Array) -> tuple[Array, Array, Array, Array]:
    """層ごとの、勾配の平均と中央値、微分の小さい出力の割合、死んだノードの割合。"""
    sizes = np.abs(deltas).reshape(DEPTH, -1)
    flat = (slopes < 1 / 10).reshape(DEPTH, -1).mean(axis=1)
    dead = np.all(slopes == 0, axis=1).mean(axis=1)
    return sizes.mean(axis=1), np.median(sizes, axis=1), flat, dead


@dataclass(frozen=True)
class UnitSpread:
    """標準偏差 0.01 のときの、出力の散らばり。活性化関数の名前 → 層ごとの値 ``(DEPTH,)``。

    ``between``: ノードごとの平均の、ノードの間での標準偏差。``within``: 同じノードの、標本の間での標準偏差の平均。
    ``outputs``: シグモイドの各層の出力 ``(DEPTH, SAMPLES, NODES)``。
    """

    between: Arrays
    within: Arrays
    outputs: Array


def unit_spread(seed: int = 0) -> UnitSpread:
    """S8-e: 出力が、ノードによって違うのか、入力によって違うのかを分けて測る。"""
    between, within = {}, {}
    for name, activation in ACTIVATIONS.items():
        outputs, _, _ = _through(activation, gaussian(0.01), np.random.default_rng(seed))
        between[name] = outputs.mean(axis=1).std(axis=1)
        within[name] = outputs.std(axis=1).mean(axis=1)
        if activation is Sigmoid:
            shown = outputs
    return UnitSpread(between, within, shown)


# --- 分散を保つか -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Collapse:
    """初期値ごとの、各層の出力の標準偏差 ``(DEPTH + 1,)``(先頭は入力)。名前 → (正しい n, 原ノートの n)。"""

    spreads: Arrays


def wrong_n(seed: int = 0) -> Collapse:
    """正しい n と原ノートの n で、同じデータを 5 層に通す(Xavier は tanh、He は ReLU)。"""
    chosen = widths()
    spreads = {}
    for name, activation in {"Xavier": Tanh, "He": ReLU}.items():
        runs = []
        for std in (chosen.right[name], chosen.notes[name]):
            outputs, _, _ = _through(activation, gaussian(std), np.random.default_rng(seed))
            runs.append([1.0, *outputs.std(axis=(1, 2))])
        spreads[name] = np.array(runs)
    return Collapse(spreads)


@dataclass(frozen=True)
class Propagation:
    """ReLU の層を通るごとの、値の二乗平均。初期値の名前 → ``(networks, depth + 1)``。"""

    squares: Arrays


@kept
def propagation(depth: int = 50, networks: int = 100, seed: int = 0) -> Propagation:
    """標本 1 つを、ReLU の層 ``depth`` 枚に通す。ネットワークは毎回引き直す。"""
    rng = np.random.default_rng(seed)
    chosen = {"He": he, "Xavier": xavier, "原ノート": gaussian(notes_he_std(NODES))}
    return Propagation(
        {
            name: np.array([mean_squares(ReLU, initializer, depth, rng) for _ in range(networks)])
            for name, initializer in chosen.items()
        }
    )


def mean_squares(
    activation: Callable[[], Layer] | None, initializer: Initializer, depth: int, rng: Rng, n: int = NODES
) -> Array:
    """標本 1 つの、入力と各層の値の二乗平均 ``(depth + 1,)``。``activation`` が None なら線形の層。"""
    h = rng.normal(size=(1, n))
    squares = [np.mean(h**2)]
    for _ in range(depth):
        h = Affine(initializer(rng, n, n), np.zeros(n)).forward(h)
        h = activation().forward(h) if activation else h
        squares.append(np.mean(h**2))
    return np.array(squares)


# --- MNIST ------------------------------------------------------------------------------------------------

SIZES = [784, 100, 100, 100, 100, 10]
COMPARED = {"0.01": gaussian(0.01), "0.1": gaussian(0.1), "Xavier": xavier, "He": he}
SEEDS = (1, 2, 3)
LR, STEPS = 0.01, 2000
LARGE_LR, FEWER_STEPS = 0.1, 1000
SIGMOID_RATES = (0.01, 0.1, 1.0)
BLOCK = 50  # 損失を平均する幅


@dataclass(frozen=True)
class InitialRun:
    """1 つの活性化関数・初期値・学習率の、種ごとの損失。``losses``: ``(種の数, steps)``。"""

    losses: Array

    def mean(self, first: int, last: int) -> Array:
        """ステップ ``first`` から ``last`` の手前までの損失の平均。形 ``(種の数,)``。"""
        return self.losses[:, first:last].mean(axis=1)

    def swing(self, first: int, last: int | None) -> Array:
        """隣のステップとの損失の差の二乗平均の平方根を √2 で割ったもの(ゆっくりした変化の影響を受けない)。"""
        steps = np.diff(self.losses[:, first:last], axis=1)
        return np.sqrt(np.mean(steps**2, axis=1) / 2)

    def reaches(self, level: float) -> Array:
        """``BLOCK`` ステップの平均がはじめて ``level`` を下回るまでのステップ。下回らなければ nan。"""
        means = self.blocks(self.losses).mean(axis=2)
        below = means < level
        return np.where(below.any(axis=1), (below.argmax(axis=1) + 1.0) * BLOCK, np.nan)

    def swing_between(self, low: float, high: float) -> Array:
        """前後 ``BLOCK`` ステップの平均が ``low`` と ``high`` の間にあるあいだの ``swing``。形 ``(種の数,)``。"""
        return np.array([_swing_between(losses, low, high) for losses in self.losses])

    @staticmethod
    def blocks(losses: Array) -> Array:
        """``BLOCK`` ステップずつに区切る。``(種の数, 区切りの数, BLOCK)``。"""
        return losses.reshape(len(losses), -1, BLOCK)


def _swing_between(losses: Array, low: float, high: float) -> float:
    means = np.convolve(losses, np.full(BLOCK, 1 / BLOCK), "valid")
    steps = np.diff(losses)[BLOCK // 2 :][: len(means)]
    chosen = steps[(low < means[: len(steps)]) & (means[: len(steps)] < high)]
    return np.sqrt(np.mean(chosen**2) / 2) if chosen.size else np.nan


@dataclass(frozen=True)
class MnistInitials:
    """MNIST の学習。``small`` は学習率 ``LR``、``large`` は ``LARGE_LR``(ReLU だけ)。

    ``small``: (活性化関数, 初期値) → ``InitialRun``。``large``: 初期値 → ``InitialRun``。
    ``sigmoid``: シグモイドと Xavier の初期値。学習率 → ``InitialRun``(種は 1 つ)。
    """

    small: dict[tuple[str, str], InitialRun]
    large: dict[str, InitialRun]
    sigmoid: dict[float, InitialRun]


@kept
def train_mnist(activation: type[Layer], initializer: Initializer, lr: float, seed: int, steps: int) -> Array:
    """1 つの活性化関数・初期値・学習率・種で MNIST を学習し、損失の列 ``(steps,)`` を返す。

    種が同じなら、ミニバッチの並びも、標準偏差を掛ける前の重みの乱数も、初期値によらず同じである。
    """
    x_train, t_train, _, _ = mnist()
    rng = np.random.default_rng(seed)
    network = MLP(SIZES, activation, initializer, rng=rng)
    return train(network, SGD(lr=lr), x_train, t_train, steps=steps, batch_size=128, rng=rng)


def mnist_by_initial_value(processes: int = -1) -> MnistInitials:
    """初期値を変えて MNIST を学習する(S8-f, S8-g, S8-i)。"""
    small = [(a, i, LR, STEPS) for a in ("ReLU", "tanh") for i in COMPARED]
    large = [("ReLU", i, LARGE_LR, FEWER_STEPS) for i in ("0.1", "Xavier", "He")]
    deep = [("シグモイド", "Xavier", lr, STEPS) for lr in SIGMOID_RATES]
    keys = [(a, i, lr, seed, steps) for a, i, lr, steps in small + large for seed in SEEDS]
    keys += [(a, i, lr, SEEDS[0], steps) for a, i, lr, steps in deep]
    jobs = [(ACTIVATIONS[a], COMPARED[i], *rest) for a, i, *rest in keys]
    results = dict(zip(keys, run_parallel(train_mnist, jobs, "初期値を比べる", processes), strict=True))

    def gather(activation: str, initial: str, lr: float, steps: int) -> InitialRun:
        found = [results.get((activation, initial, lr, seed, steps)) for seed in SEEDS]
        return InitialRun(np.array([losses for losses in found if losses is not None]))

    return MnistInitials(
        {(a, i): gather(a, i, lr, steps) for a, i, lr, steps in small},
        {i: gather(a, i, lr, steps) for a, i, lr, steps in large},
        {lr: gather(a, i, lr, steps) for a, i, lr, steps in deep},
    )


def first_stds(seed: int = 0) -> dict[str, Array]:
    """MNIST のネットワークの重みの行列ごとの標準偏差。初期値の名前 → ``(行列の数,)``。"""
    stds = {}
    for initial in ("0.1", "Xavier", "He"):
        network = MLP(SIZES, ReLU, COMPARED[initial], rng=np.random.default_rng(seed))
        stds[initial] = np.array([network.params[f"W{k}"].std() for k in range(1, len(SIZES))])
    return stds
