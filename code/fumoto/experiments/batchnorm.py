"""9 章: 外れ値、層ごとの正規化が使う値、BatchNorm の置き場所、小さいミニバッチ、なぜ効くか、重み減衰、推論。"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fumoto.batchnorm import BatchNorm
from fumoto.datasets import mnist
from fumoto.experiments.kept import kept
from fumoto.experiments.protocol import (
    BATCH_SIZE,
    PILOT,
    Interval,
    Outcome,
    Range,
    Report,
    Rung,
    Setting,
    Space,
    Tuned,
    difference,
    learn,
    report,
    split,
    tune,
)
from fumoto.hints import Array, Arrays, Initializer, Rng
from fumoto.initializers import gaussian, he, xavier
from fumoto.layernorm import LayerNorm, RMSNorm
from fumoto.layers import Activation, Layer, ReLU, Sigmoid
from fumoto.network import MLP
from fumoto.normalization import min_max, robust_scale, standardize
from fumoto.optimizers import SGD
from fumoto.training import train

METHODS = {"min-max": min_max, "z-score": standardize, "四分位": robust_scale}
PLACES = {"なし": None, "前": "before", "後": "after"}


# --- 外れ値 ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outlier:
    """``samples`` 個の標本の 1 件だけが ``value`` になったとき、残りの標本の広がりが何倍になったか。``left[方法]``。"""

    samples: int
    value: float
    left: dict[str, float]


def outlier(samples: int = 100, value: float = 1720.0, seed: int = 0) -> Outlier:
    """身長(cm)のデータに、1 件だけミリメートルで打ち込んだ値 ``value`` が混ざったときを調べる。

    >>> {name: round(width, 2) for name, width in outlier().left.items()}
    {'min-max': 0.02, 'z-score': 0.04, '四分位': 0.96}
    """
    heights = np.random.default_rng(seed).normal(170.0, 6.0, samples)
    return Outlier(samples, value, {name: shrinkage(heights, value, name) for name in METHODS})


def shrinkage(x: Array, value: float, name: str) -> float:
    """``value`` を 1 つ足すと、方法 ``name`` で変換した残りの標本の広がり(標準偏差)が何倍になるか。"""
    scale = METHODS[name]
    return float(scale(np.append(x, value))[:-1].std() / scale(x).std())


# --- 活性化関数の出力の分布 -----------------------------------------------------------------------------


def hidden_outputs(
    std: float,
    place: str,
    layers: int = 5,
    nodes: int = 100,
    samples: int = 1000,
    seed: int = 0,
    activation: Callable[[], Layer] = Sigmoid,
) -> Array:
    """学習していないネットワークの、各層の出力 ``(層の数, 標本, ノード)``。

    入力は標準正規乱数、重みは標準偏差 ``std``。BatchNorm を後に置いたときは、その出力である。
    """
    rng = np.random.default_rng(seed)
    sizes = [nodes] * (layers + 1) + [1]  # 出力層は使わない
    network = MLP(sizes, activation, gaussian(std), rng=rng, batchnorm=PLACES[place], dtype=np.float64)
    x, outputs = rng.normal(size=(samples, nodes)), {}
    for number, layer in network.layers[:-1]:
        x = layer.forward(x, training=True)
        outputs[number] = x  # 同じ番号の最後の層の出力が残る
    return np.array(list(outputs.values()))


# --- どの値を使うか -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reach:
    """標本 × ノードの表の、``at`` のマスの出力が、どのマスの入力によるか。``cells[層]``: 真偽の表。"""

    at: tuple[int, int]
    cells: Arrays


def reach(samples: int = 5, nodes: int = 6, at: tuple[int, int] = (1, 2), seed: int = 0) -> Reach:
    """4 つの層の、``at`` の出力の、入力についての勾配が 0 でないマス。

    >>> reach(samples=2, nodes=3, at=(0, 1)).cells["LayerNorm"].astype(int)
    array([[1, 1, 1],
           [0, 0, 0]])
    """
    x = np.random.default_rng(seed).normal(size=(samples, nodes))
    only = np.zeros_like(x)
    only[at] = 1.0
    ones, zeros = np.ones(nodes), np.zeros(nodes)
    layers: dict[str, tuple[Layer, bool]] = {
        "BatchNorm(学習中)": (BatchNorm(ones, zeros), True),
        "BatchNorm(推論)": (BatchNorm(ones, zeros), False),
        "LayerNorm": (LayerNorm(ones, zeros), True),
        "RMSNorm": (RMSNorm(ones), True),
    }
    cells = {}
    for name, (layer, training) in layers.items():
        layer.forward(x, training)
        cells[name] = layer.backward(only) != 0
    return Reach(at, cells)


# --- 学習を比べる ---------------------------------------------------------------------------------------

SIZES = [784, 50, 50, 50, 50, 10]
ACTIVATIONS = {"ReLU": (ReLU, he), "シグモイド": (Sigmoid, xavier)}
SCALES = (1.0, 0.1, 0.0001)  # 大きすぎる、ちょうどよい、小さすぎる
BATCHES = (2, 16, BATCH_SIZE)
NORMS = {"BatchNorm": BatchNorm, "LayerNorm": LayerNorm}
Key = tuple[str | float, str]  # 比べるもの: (活性化関数か重みの標準偏差かミニバッチの大きさ, 置き場所か層)


def replaced(
    make: Callable[[Array, Array], Layer],
    activation: Callable[[], Layer] = ReLU,
    initializer: Initializer = he,
    *,
    rng: Rng,
) -> MLP:
    """活性化関数の前に BatchNorm を置いたネットワークの、BatchNorm を ``make(gamma, beta)`` の作る層に替えたもの。

    >>> network = replaced(LayerNorm, rng=np.random.default_rng(0))
    >>> [type(layer).__name__ for _, layer in network.layers[:4]]
    ['Affine', 'LayerNorm', 'ReLU', 'Affine']
    """
    network = MLP(SIZES, activation, initializer, rng=rng, batchnorm="before")
    for place, (number, layer) in enumerate(network.layers):
        if isinstance(layer, BatchNorm):
            network.layers[place] = number, make(layer.params["gamma"], layer.params["beta"])
    return network


PLACED: dict[Key, Callable[..., MLP]] = {
    (name, place): partial(MLP, SIZES, layer, initializer, batchnorm=where)
    for name, (layer, initializer) in ACTIVATIONS.items()
    for place, where in PLACES.items()
}
SCALED: dict[Key, Callable[..., MLP]] = {
    (std, place): partial(MLP, SIZES, ReLU, gaussian(std), batchnorm=PLACES[place])
    for std in SCALES
    for place in ("なし", "前")
}

STEPS = 200
RUNGS = (Rung(50, (1001,), 2), Rung(STEPS, (1001,), 1))
TRIALS, FEWER = 8, 6  # 比べるものごとに試す学習率の数
PLACED_RATES, SCALED_RATES, BATCH_RATES = Range(0.01, 10.0), Range(1e-4, 10.0), Range(0.003, 3.0)
PAIRS = 3  # 3 つの置き場所から 2 つ


@dataclass(frozen=True)
class Compared:
    """``tuned``, ``reports``: 比べるもの → 試した学習率と選んだもの、選ぶのに使っていない種 ``seeds`` 個での結果。"""

    seeds: int
    tuned: dict[Key, Tuned]
    reports: dict[Key, Report]

    def rate(self, key: Key) -> float:
        """選んだ学習率。"""
        return dict(self.tuned[key].setting.values)["lr"]

    def gap(self, first: Key, second: Key, comparisons: int) -> Interval:
        """テスト画像の正解率の差(ポイント)の区間。``comparisons``: 一緒に比べる組の数。"""
        better, worse = (100 * self.reports[key].test_accuracy for key in (first, second))
        return difference(better, worse, comparisons)


def with_rates(
    networks: Mapping[Key, Callable[..., MLP]],
    rates: Range,
    batch_size: int = BATCH_SIZE,
    trials: int = TRIALS,
) -> dict[Key, list[Setting]]:
    """どのネットワークにも、同じ ``trials`` 通りの学習率を試す設定。"""
    values = Space(rates).rates_only(trials, np.random.default_rng(0))
    return {
        key: [Setting(SGD, tuple(each.items()), network, batch_size) for each in values]
        for key, network in networks.items()
    }


def _compared(groups: Mapping[Key, list[Setting]], processes: int) -> Compared:
    tuned = tune(groups, RUNGS, processes=processes)
    chosen = {key: found.setting for key, found in tuned.items()}
    return Compared(PILOT, tuned, report(chosen, range(1, PILOT + 1), STEPS, processes))


def brief(network: Callable[..., MLP], lr: float, seed: int) -> Outcome:
    """学習率 ``lr`` の、短い(``RUNGS`` のはじめの段の長さの)学習の結果。"""
    return learn(*Setting(SGD, (("lr", lr),), network).job(seed, RUNGS[0].steps))


def placement(processes: int = -1) -> Compared:
    """BatchNorm なし・活性化関数の前・後を、それぞれ学習率を選んで比べる。鍵は (活性化関数, 置き場所)。"""
    return _compared(with_rates(PLACED, PLACED_RATES), processes)


def weight_scales(processes: int = -1) -> dict[Key, Tuned]:
    """重みの初期値の標準偏差ごとに、BatchNorm のあるなしで、短く学習できる学習率を調べる。鍵は (標準偏差, 置き場所)。

    ゼロから作る Deep Learning の 6 章の実験を、学習率も変えて行う(ReLU、BatchNorm は前)。
    """
    only = [Rung(RUNGS[0].steps, RUNGS[0].seeds, 1)]
    return tune(with_rates(SCALED, SCALED_RATES), only, processes=processes)


def batch_settings() -> dict[Key, list[Setting]]:
    """ミニバッチの大きさごとに、BatchNorm と LayerNorm(どちらも活性化関数の前)に、同じ学習率を試す設定。いちばん小さいものは、なしも。"""
    groups: dict[Key, list[Setting]] = {}
    for batch_size in BATCHES:
        networks: dict[Key, Callable[..., MLP]] = {
            (batch_size, name): partial(replaced, layer) for name, layer in NORMS.items()
        }
        if batch_size == BATCHES[0]:
            networks[batch_size, "なし"] = PLACED["ReLU", "なし"]
        groups |= with_rates(networks, BATCH_RATES, batch_size, FEWER)
    return groups


def small_batches(processes: int = -1) -> Compared:
    """``batch_settings`` の組を、それぞれ学習率を選んで比べる。ステップ数は同じ。"""
    return _compared(batch_settings(), processes)


# --- なぜ効くか -----------------------------------------------------------------------------------------


NOISE = 0.3  # 揺らす強さ


class _Shaken(BatchNorm):
    """出力の分布を、学習中、ステップごとにノードごとに揺らす BatchNorm。

    標準偏差を ``exp(strength * z)`` 倍にし、平均を ``strength * z`` ずらす(``z`` は、そのたびに引く標準正規乱数)。
    """

    def __init__(self, gamma: Array, beta: Array, *, strength: float, rng: Rng):
        super().__init__(gamma, beta)
        self.strength, self.rng = strength, rng

    def forward(self, x: Array, training: bool = True) -> Array:
        y = super().forward(x, training)
        if not training:
            return y
        stretch, shift = self.strength * self.rng.normal(size=(2, y.shape[1])).astype(y.dtype)
        self.factor = np.exp(stretch)
        return self.factor * y + shift

    def backward(self, dout: Array) -> Array:
        return super().backward(self.factor * dout if self.training else dout)


def shaken(strength: float, *, rng: Rng) -> MLP:
    """活性化関数の前に、出力を揺らす BatchNorm を置いたネットワーク。ミニバッチと重みの乱数は、揺らさないものと同じ。"""
    return replaced(partial(_Shaken, strength=strength, rng=rng.spawn(1)[0]), rng=rng)


def shaken_settings(strength: float) -> dict[Key, list[Setting]]:
    """揺らす BatchNorm に、``placement`` と同じ学習率を試す設定。"""
    networks: dict[Key, Callable[..., MLP]] = {("ReLU", "揺らす"): partial(shaken, strength)}
    return with_rates(networks, PLACED_RATES)


@dataclass(frozen=True)
class Shaking:
    """BatchNorm の出力を強さ ``strength`` で揺らしたときの比較。

    ``compared``: 鍵は ("ReLU", "なし"、"前"、"後" か "揺らす")。``drift[置き場所]``: 分布の動き(``drift``)。
    """

    strength: float
    compared: Compared
    drift: dict[str, float]


def shaking(placed: Compared, strength: float = NOISE, processes: int = -1) -> Shaking:
    """揺らす BatchNorm を、``placement`` の結果 ``placed`` と比べる。学習率の選び方も測り方も同じ。"""
    found = _compared(shaken_settings(strength), processes)
    every = Compared(found.seeds, {**placed.tuned, **found.tuned}, {**placed.reports, **found.reports})
    drifts = {place: drift(every.tuned["ReLU", place].setting) for place in ("なし", "前", "揺らす")}
    return Shaking(strength, every, drifts)


@kept
def drift(setting: Setting, seed: int = 1, images: int = 128) -> float:
    """活性化関数の入力の平均が、1 ステップにどれだけ動くか。標準偏差の何倍かの、ノードについての中央値。

    決まった ``images`` 枚を学習中と同じように通して測り、``STEPS`` ステップについて平均する。
    """
    rng, (x, t) = np.random.default_rng(seed), split().training
    network, optimizer = setting.network(rng=rng), setting.optimizer(**dict(setting.values))
    moves, before = [], _activation_inputs(network, x[:images])
    for _ in range(STEPS):
        train(network, optimizer, x, t, steps=1, batch_size=setting.batch_size, rng=rng)
        after = _activation_inputs(network, x[:images])
        moves.append(np.median(np.abs(after.mean(axis=0) - before.mean(axis=0)) / before.std(axis=0)))
        before = after
    return float(np.mean(moves))


def _activation_inputs(network: MLP, x: Array) -> Array:
    found = []
    for _, layer in network.layers:
        if isinstance(layer, Activation):
            found.append(x)
        x = layer.forward(x, training=True)
    return np.concatenate(found, axis=1)


@dataclass(frozen=True)
class AlongGradient:
    """同じ損失 ``loss`` まで学習してから、勾配の逆向きにまっすぐ進んだときの損失。

    ``predicted``: どこまで進むか。勾配から 1 次で見積もった損失の減りで測る(はじめの損失を 1 として)。``(点,)``。
    ``left[置き場所]``: そこでの損失(はじめの損失を 1 として)。``(種, 点)``。
    """

    loss: float
    lr: float
    images: int
    predicted: Array
    left: dict[str, Array]

    def best(self, place: str) -> Array:
        """いちばん下がったところまでの、損失の減りの割合。``(種,)``。"""
        return 1 - self.left[place].min(axis=1)


def along_gradient(
    loss: float = 0.5, lr: float = 0.05, images: int = 2000, seeds: tuple[int, ...] = (1, 2, 3)
) -> AlongGradient:
    """BatchNorm のあるなしで、勾配の逆向きに進むと損失がどこまで下がり続けるかを調べる(ReLU、前)。"""
    predicted = np.geomspace(0.01, 3.0, 16)
    left = {
        place: np.array([_line(PLACED["ReLU", place], loss, lr, images, seed, predicted) for seed in seeds])
        for place in ("なし", "前")
    }
    return AlongGradient(loss, lr, images, predicted, left)


@kept
def _line(
    make: Callable[..., MLP], target: float, lr: float, images: int, seed: int, predicted: Array
) -> Array:
    rng, (x, t) = np.random.default_rng(seed), split().training
    network, few = make(rng=rng), (x[:images], t[:images])

    def loss() -> float:  # 学習中と同じく、画像の組自身の平均と分散で
        return network.loss_layer.forward(network.predict(few[0], training=True), few[1])

    while loss() > target:
        train(network, SGD(lr), x, t, steps=5, batch_size=BATCH_SIZE, rng=rng)
    start, _ = network.gradient(*few)
    w, g = network.vector.copy(), network.gradient_vector.copy()
    left = []
    with np.errstate(all="ignore"):  # 遠くでは損失があふれることもある
        for fall in predicted:
            network.vector[...] = w - fall * start / (g @ g) * g
            left.append(loss() / start)
    return np.array(left)


# --- 重み減衰 -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decayed:
    """BatchNorm の前の重みの列の、長さの 2 乗の平均。

    ``lengths[重み減衰の強さ, 初期値の倍率]``: ステップごと ``(steps + 1,)``。
    """

    lr: float
    decay: float
    steps: int
    lengths: dict[tuple[float, float], Array]


def decayed(
    lr: float = 0.3,
    decay: float = 0.06,
    steps: int = 150,
    scales: tuple[float, ...] = (0.5, 1.0, 2.0),
    seed: int = 1,
) -> Decayed:
    """He の初期値の何倍かから、重み減衰のあるなしで学習し、隠れ層の重みの列の長さを追う(ReLU、前)。"""
    cases = [(weight_decay, scale) for weight_decay in (0.0, decay) for scale in scales]
    lengths = {case: column_lengths(*case, lr, steps, seed).mean(axis=1) for case in cases}
    return Decayed(lr, decay, steps, lengths)


@kept
def column_lengths(decay: float, scale: float, lr: float, steps: int, seed: int) -> Array:
    """隠れ層の重みの列の、長さの 2 乗。``(steps + 1, 列の数)``。"""
    rng = np.random.default_rng(seed)

    def initializer(rng: Rng, n_in: int, n_out: int) -> Array:
        return scale * he(rng, n_in, n_out)

    network = MLP(SIZES, initializer=initializer, rng=rng, batchnorm="before", weight_decay=decay)
    found: list[Array] = []

    def watch() -> None:
        hidden = [network.params[f"W{number}"] for number in range(1, len(SIZES) - 1)]
        found.append(np.concatenate([(W.astype(np.float64) ** 2).sum(axis=0) for W in hidden]))

    options: dict[str, Any] = {"steps": steps, "batch_size": BATCH_SIZE, "rng": rng, "watch": watch}
    train(network, SGD(lr), *split().training, **options)
    watch()
    return np.array(found)


# --- 推論 -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Inference:
    """推論の仕方ごとの、テスト画像のはじめの ``images`` 枚の正解率。

    ``running``: 移動平均。``mixed``, ``skewed``: 組自身の平均と分散を使ったとき、無作為に組んだ場合と、
    同じ数字だけで組んだ場合。どちらも組の大きさ ``sizes`` ごと。
    ``gamma``, ``beta``: 学習後の γ と β(全部の層を並べたもの)。``lr``: 学習率。
    """

    lr: float
    images: int
    sizes: Array
    running: float
    mixed: Array
    skewed: Array
    gamma: Array
    beta: Array


@kept
def inference(seed: int = 1, lr: float = 0.3, images: int = 2000) -> Inference:
    """BatchNorm を前に置いたネットワークを学習し、推論で使う平均と分散を変えて正解率を比べる。"""
    network, x, t = trained(seed, lr)
    x, t = x[:images], t[:images]
    order = np.argsort(t, kind="stable")  # 同じ数字を続けて並べる
    sizes = 4 ** np.arange(5)
    return Inference(
        lr,
        images,
        sizes,
        network.accuracy(x, t),
        np.array([_batched_accuracy(network, x, t, int(size)) for size in sizes]),
        np.array([_batched_accuracy(network, x[order], t[order], int(size)) for size in sizes]),
        np.concatenate([layer.params["gamma"] for layer in batchnorms(network)]),
        np.concatenate([layer.params["beta"] for layer in batchnorms(network)]),
    )


def trained(seed: int = 1, lr: float = 0.3) -> tuple[MLP, Array, Array]:
    """MNIST を ``STEPS`` ステップ学習したネットワークと、テストの画像とラベル。"""
    x_train, t_train, x_test, t_test = mnist()
    rng = np.random.default_rng(seed)
    network = MLP(SIZES, rng=rng, batchnorm="before")
    train(network, SGD(lr), x_train, t_train, steps=STEPS, batch_size=128, rng=rng)
    return network, x_test, t_test


def _batched_accuracy(network: MLP, x: Array, t: Array, size: int) -> float:
    starts = range(0, len(x), size)
    right = [own_accuracy(network, x[i : i + size], t[i : i + size]) * len(t[i : i + size]) for i in starts]
    return sum(right) / len(x)


def batchnorms(network: MLP) -> list[BatchNorm]:
    """ネットワークの中の BatchNorm の層。"""
    return [layer for _, layer in network.layers if isinstance(layer, BatchNorm)]


def own_statistics(network: MLP, x: Array) -> Array:
    """出力層の値。推論なのに、移動平均でなく ``x`` 自身の平均と分散を使う。移動平均は変えない。

    標本が 1 つなら分散は 0 で、正規化した値は 0 になる。
    """
    for _, layer in network.layers:
        if isinstance(layer, BatchNorm):
            x_hat = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + layer.eps)
            x = layer.params["gamma"] * x_hat + layer.params["beta"]
        else:
            x = layer.forward(x, training=False)
    return x


def own_accuracy(network: MLP, x: Array, t: Array) -> float:
    """``own_statistics`` で答えたときの正解率。"""
    return float(np.mean(own_statistics(network, x).argmax(axis=1) == t))
