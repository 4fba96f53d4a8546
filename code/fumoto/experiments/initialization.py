"""8 章: 重みの初期値と、層を通る値と勾配の大きさ。初期値、残差接続、ReLU の学習での比較。"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from fumoto.experiments.kept import kept
from fumoto.experiments.protocol import PILOT, Range, Report, Rung, Setting, Tuned, report, tune
from fumoto.experiments.saturation import biased
from fumoto.hints import Array, Arrays, Initializer, Rng
from fumoto.initializers import gaussian, he, xavier
from fumoto.layers import Affine, Layer, LeakyReLU, ReLU, Sigmoid, Tanh
from fumoto.network import MLP
from fumoto.optimizers import SGD

NODES, DEPTH, SAMPLES = 100, 5, 1000
REPEATS = 3  # 5 つの層を測るネットワークの数
MANY_LAYERS, DRAWS = 50, 100  # 深いネットワークの層の数と、引き直す回数
ACTIVATIONS = {"シグモイド": Sigmoid, "ReLU": ReLU, "tanh": Tanh}


def sigmoid_start(rng: Rng, n_in: int, n_out: int) -> Array:
    """シグモイドの、微分のいちばん大きいところで勾配を保つ初期値: 標準偏差 4/√n の正規乱数。"""
    return gaussian(4 / np.sqrt(n_in))(rng, n_in, n_out)  # eq-sigmoid-std


INITIALIZERS = {
    "1": gaussian(1.0),
    "0.01": gaussian(0.01),
    "Xavier": xavier,
    "He": he,
    "4/√n": sigmoid_start,
}

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


def widths() -> dict[str, tuple[float, float]]:
    """Xavier と He の標準偏差。名前 → (n = 前の層のノード数, n = データの配列の要素の数(原ノート))。

    >>> {name: [round(float(std), 4) for std in pair] for name, pair in widths().items()}
    {'Xavier': [0.1, 0.0032], 'He': [0.1414, 0.0063]}
    """
    elements = SAMPLES * NODES
    return {
        "Xavier": (np.sqrt(1 / NODES), 1 / np.sqrt(elements)),
        "He": (np.sqrt(2 / NODES), notes_he_std(elements)),
    }


def notes_he_std(n: int) -> float:
    """原ノートの He の標準偏差(根号の外に 2 がある)。"""
    return 2 / np.sqrt(n)  # eq-notes-he-std


# --- 5 層を通る値と勾配 -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Distribution:
    """1 つの活性化関数と初期値についての結果。層ごとの値は形 ``(DEPTH,)``。

    ``outputs``: ネットワーク 1 つの各層の出力 ``(DEPTH, SAMPLES, NODES)``。
    ``mean``: 活性化関数の手前の値についての勾配の絶対値の、ネットワーク ``networks`` 個の平均。
    """

    outputs: Array
    mean: Array


def activation_distributions(networks: int = REPEATS, seed: int = 0) -> dict[tuple[str, str], Distribution]:
    """3 つの活性化関数 × ``INITIALIZERS``。(初期値, 活性化関数) → ``Distribution``。学習はしない。"""
    return {
        (initial, activation): _distribution(ACTIVATIONS[activation], initializer, networks, seed)
        for initial, initializer in INITIALIZERS.items()
        for activation in ACTIVATIONS
    }


def _distribution(
    activation: type[Layer], initializer: Initializer, networks: int, seed: int
) -> Distribution:
    rng = np.random.default_rng(seed)
    trials = [through(activation, initializer, rng) for _ in range(networks)]
    return Distribution(trials[0][0], np.mean([np.abs(d).mean(axis=(1, 2)) for _, _, d in trials], axis=0))


def through(
    activation: Callable[[], Layer],
    initializer: Initializer,
    rng: Rng,
    samples: int = SAMPLES,
    depth: int = DEPTH,
    n: int = NODES,
) -> tuple[Array, Array, Array]:
    """データを ``n`` ノードの層 ``depth`` 枚に通し、勾配を戻す。返すのは層ごとの出力、活性化関数の微分、手前の値についての勾配。

    損失は、最後の層の出力に標準正規乱数を掛けて足したもの。つまり最後の出力についての勾配が、その乱数である。
    """
    h = rng.normal(size=(samples, n))
    pairs, outputs = [], []
    for _ in range(depth):
        pairs.append((Affine(initializer(rng, n, n), np.zeros(n)), activation()))
        h = pairs[-1][1].forward(pairs[-1][0].forward(h))
        outputs.append(h)
    slopes = [layer.backward(np.ones_like(h)) for _, layer in pairs]
    q, d = rng.normal(size=h.shape), []
    for affine, layer in reversed(pairs):
        d.append(layer.backward(q))  # eq-layer-d
        q = affine.backward(d[-1])  # eq-layer-q
    return np.array(outputs), np.array(slopes), np.array(d[::-1])


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
        outputs, _, _ = through(activation, gaussian(0.01), np.random.default_rng(seed))
        between[name] = outputs.mean(axis=1).std(axis=1)
        within[name] = outputs.std(axis=1).mean(axis=1)
        if activation is Sigmoid:
            shown = outputs
    return UnitSpread(between, within, shown)


# --- 分散を保つか -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Propagation:
    """ReLU の層を通るごとの、値の二乗平均。初期値の名前 → ``(networks, depth + 1)``。"""

    squares: Arrays


@kept
def propagation(depth: int = MANY_LAYERS, networks: int = DRAWS, seed: int = 0) -> Propagation:
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


# --- 学習での比較 -----------------------------------------------------------------------------------------

STEPS = 200
ADAM_RATE = 0.01  # シグモイドを Adam で学習するときの学習率
RUNGS = (Rung(STEPS, (1001,), 1),)
SEEDS = tuple(range(1, PILOT + 1))

Key = tuple[str, str]  # (組, 名前)。同じ組の中で比べる
Networks = Mapping[Key, Callable[..., MLP]]


@dataclass(frozen=True)
class Compared:
    """``tuned``, ``reports``: 比べるもの → 選んだ学習率と試した学習率、使っていない種 ``seeds`` での結果。"""

    seeds: tuple[int, ...]
    tuned: dict[Key, Tuned]
    reports: dict[Key, Report]

    def of(self, group: str) -> dict[str, Report]:
        """1 つの組の結果。名前 → ``Report``。"""
        return {name: found for (its, name), found in self.reports.items() if its == group}

    def by_rate(self, key: Key) -> tuple[Array, Array]:
        """試した学習率と、そこでの検証データの損失。"""
        trials = self.tuned[key].trials
        return np.array([rate(trial.setting) for trial in trials]), np.array([trial.loss for trial in trials])

    def rate(self, key: Key) -> float:
        """選んだ学習率。"""
        return rate(self.tuned[key].setting)


def rate(setting: Setting) -> float:
    """設定の学習率。"""
    return dict(setting.values)["lr"]


def with_rate(network: Callable[..., MLP], lr: float) -> Setting:
    """ネットワークと学習率の決まった、SGD の設定。"""
    return Setting(SGD, (("lr", lr),), network)


def tuned_rates(networks: Networks, rates: Sequence[float], processes: int = -1) -> dict[Key, Tuned]:
    """どのネットワークにも同じ学習率 ``rates`` を試し、MNIST の検証データで 1 つずつ選ぶ。"""
    groups = {key: [with_rate(network, lr) for lr in rates] for key, network in networks.items()}
    return tune(groups, RUNGS, processes=processes)


def compare(networks: Networks, rates: Sequence[float], processes: int = -1) -> Compared:
    """ネットワークを、それぞれに合う学習率で、MNIST で比べる(``fumoto.experiments.protocol``)。"""
    tuned = tuned_rates(networks, rates, processes)
    chosen = {key: found.setting for key, found in tuned.items()}
    return Compared(SEEDS, tuned, report(chosen, SEEDS, STEPS, processes))


def _rates(low: float, high: float, number: int) -> list[float]:
    """``low`` から ``high`` までの、対数の目盛りで等間隔の学習率。"""
    return [Range(low, high).at(k / (number - 1)) for k in range(number)]


# --- 初期値の比較 -----------------------------------------------------------------------------------------

SIZES = [784, 100, 100, 100, 100, 10]
COMPARED: dict[str, dict[str, Initializer]] = {
    "ReLU": {"0.01": gaussian(0.01), "0.1": gaussian(0.1), "Xavier": xavier, "He": he},
    "tanh": {"Xavier": xavier, "He": he},
    "シグモイド": {"Xavier": xavier, "He": he, "4/√n": sigmoid_start},
}
NETWORKS: Networks = {
    (activation, initial): partial(MLP, SIZES, ACTIVATIONS[activation], initializer)
    for activation, initializers in COMPARED.items()
    for initial, initializer in initializers.items()
}
SLOPE, USUAL_SLOPE = 0.1, 0.01  # Leaky ReLU の負の側の傾き
LEAKY: Networks = {("Leaky ReLU", "He"): partial(MLP, SIZES, partial(LeakyReLU, SLOPE), he)}
RATES = _rates(0.015, 3.0, 5)


def mnist_by_initial_value(processes: int = -1) -> Compared:
    """初期値と Leaky ReLU を、それぞれに合う学習率で比べる(S8-f, S8-g, S8-i)。(活性化関数, 初期値) ごと。"""
    return compare({**NETWORKS, **LEAKY}, RATES, processes)


# --- 残差接続 ---------------------------------------------------------------------------------------------

WIDTH, SHALLOW, DEEP = 50, 4, 20  # 隠れ層のノードの数と、隠れ層の数


def residual_start(rng: Rng, n_in: int, n_out: int, blocks: int = DEEP - 1) -> Array:
    """残差接続のネットワークの初期値。``blocks`` 個の残差ブロックを通っても、値の大きさが √e 倍までになる。"""
    if n_in != n_out:
        return he(rng, n_in, n_out)
    return gaussian(np.sqrt(1 / (n_in * blocks)))(rng, n_in, n_out)  # eq-residual-std


def deep_sizes(depth: int) -> list[int]:
    """隠れ層が ``depth`` 枚のネットワークの、各層のノード数。"""
    return [784, *[WIDTH] * depth, 10]


DEEP_NETWORKS: Networks = {
    ("深さ", f"{SHALLOW} 層"): partial(MLP, deep_sizes(SHALLOW)),
    ("深さ", f"{DEEP} 層"): partial(MLP, deep_sizes(DEEP)),
    ("深さ", f"{DEEP} 層、残差"): partial(MLP, deep_sizes(DEEP), initializer=residual_start, residual=True),
}
DEEP_RATES = _rates(0.01, 1.0, 5)


def deep_networks(processes: int = -1) -> Compared:
    """浅いネットワーク、深いネットワーク、同じ深さで残差接続のあるネットワークを、それぞれに合う学習率で比べる。"""
    return compare(DEEP_NETWORKS, DEEP_RATES, processes)


# --- 負のバイアス -----------------------------------------------------------------------------------------

LOW_BIAS = -0.5
BIASED_NETWORKS: Networks = {
    ("負のバイアス", "ReLU"): partial(biased, ReLU, LOW_BIAS),
    ("負のバイアス", f"s = {USUAL_SLOPE}"): partial(biased, partial(LeakyReLU, USUAL_SLOPE), LOW_BIAS),
    ("負のバイアス", f"s = {SLOPE}"): partial(biased, partial(LeakyReLU, SLOPE), LOW_BIAS),
}
BIASED_RATES = _rates(0.1, 1.0, 3)


def biased_networks(processes: int = -1) -> Compared:
    """隠れ層のバイアスが負の値から始まるとき、ReLU と Leaky ReLU を、それぞれに合う学習率で比べる。"""
    return compare(BIASED_NETWORKS, BIASED_RATES, processes)
