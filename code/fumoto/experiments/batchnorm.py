"""9 章: 外れ値、層ごとの正規化が使う値、BatchNorm のあるなし、活性化関数の前と後、推論。"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fumoto.batchnorm import BatchNorm
from fumoto.datasets import mnist
from fumoto.experiments.kept import kept
from fumoto.experiments.parallel import run_parallel
from fumoto.hints import Array, Arrays
from fumoto.initializers import gaussian, he, xavier
from fumoto.layernorm import LayerNorm, RMSNorm
from fumoto.layers import Layer, ReLU, Sigmoid
from fumoto.network import MLP
from fumoto.normalization import min_max, robust_scale, standardize
from fumoto.optimizers import SGD
from fumoto.training import train

METHODS = {"min-max": min_max, "z-score": standardize, "四分位": robust_scale}
PLACES = {"なし": None, "前": "before", "後": "after"}
SEEDS = (1, 2, 3)


# --- 外れ値 ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outlier:
    """外れ値 1 つの影響: 残りの標本の広がりが、外れ値のないときの何倍になったか。

    ``left[方法]``: 1 件だけ ``value`` になったとき。
    ``widths[方法]``: 平均からの距離 ``distances``(標準偏差の何倍か)ごと。
    """

    samples: int
    value: float
    left: dict[str, float]
    distances: Array
    widths: Arrays


def outlier(samples: int = 100, value: float = 1720.0, seed: int = 0) -> Outlier:
    """身長(cm)のデータに、1 件だけミリメートルで打ち込んだ値 ``value`` が混ざったときを調べる。

    >>> {name: round(width, 2) for name, width in outlier().left.items()}
    {'min-max': 0.02, 'z-score': 0.04, '四分位': 0.96}
    """
    heights = np.random.default_rng(seed).normal(170.0, 6.0, samples)
    distances = np.geomspace(3.0, 1000.0, 21)
    places = heights.mean() + distances * heights.std()
    return Outlier(
        samples,
        value,
        {name: shrinkage(heights, value, name) for name in METHODS},
        distances,
        {name: np.array([shrinkage(heights, place, name) for place in places]) for name in METHODS},
    )


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


# --- 重みの尺度 -----------------------------------------------------------------------------------------

WIDE = [784, 100, 100, 100, 100, 100, 10]
FEW = 1000  # 訓練画像の数
EPOCHS, STEPS_PER_EPOCH, BATCH = 20, 10, 100
SCALES = np.logspace(0, -4, 16)
SCALE_SEEDS = (1, 2)


@dataclass(frozen=True)
class WeightScales:
    """重みの尺度ごとの、訓練画像の正解率 ``accuracy[置き場所]``: ``(尺度の数, 種の数, EPOCHS)``。"""

    scales: Array
    accuracy: Arrays

    def final(self, place: str) -> Array:
        """最後の正解率。``(尺度の数, 種の数)``。"""
        return self.accuracy[place][:, :, -1]

    def clearly_better(self, first: str, second: str) -> Array:
        """``first`` の最後の正解率が、どの種でも ``second`` のどの種より高いか。``(尺度の数,)``。"""
        return self.final(first).min(axis=1) > self.final(second).max(axis=1)


@kept
def train_few(
    std: float,
    place: str,
    seed: int,
    *,
    eps: float = 1e-5,
    lr: float = 0.01,
    measure: Callable[[MLP, Array, Array], float] = MLP.accuracy,
) -> Array:
    """MNIST の訓練画像 1000 枚で学習し、1 巡ごとの(``measure`` で測った)正解率を返す。``(EPOCHS,)``。"""
    x, t = mnist()[0][:FEW], mnist()[1][:FEW]
    rng = np.random.default_rng(seed)
    network = MLP(WIDE, ReLU, gaussian(std), rng=rng, batchnorm=PLACES[place])
    for layer in batchnorms(network):
        layer.eps = eps
    accuracy = []
    with np.errstate(all="ignore"):  # 重みが大きすぎると発散する
        for _ in range(EPOCHS):
            train(network, SGD(lr), x, t, steps=STEPS_PER_EPOCH, batch_size=BATCH, rng=rng)
            accuracy.append(measure(network, x, t))
    return np.array(accuracy)


def weight_scales(processes: int = -1) -> WeightScales:
    """重みの初期値の標準偏差を 1 から 0.0001 まで 16 通りに変え、BatchNorm のあるなしを比べる。

    ゼロから作る Deep Learning の 6 章と同じ条件(5 層 × 100 ノード、ReLU の前に置く、SGD)を、2 つの種で走らせる。
    """
    jobs = [(std, place, seed) for place in ("なし", "前") for std in SCALES for seed in SCALE_SEEDS]
    results = np.array(run_parallel(train_few, jobs, "重みの尺度", processes))
    none, before = results.reshape(2, len(SCALES), len(SCALE_SEEDS), EPOCHS)
    return WeightScales(SCALES, {"なし": none, "前": before})


@dataclass(frozen=True)
class Swallowed:
    """重みがとても小さいときの ε。``spreads[ε]``: 学習前の、各層の正規化した値の標準偏差。

    ``accuracy[ε]``: 学習後の正解率 ``(種の数,)``。
    """

    std: float
    spreads: dict[float, Array]
    accuracy: dict[float, Array]


def swallowed_by_eps(std: float = 1e-4, choices: tuple[float, ...] = (1e-5, 1e-12)) -> Swallowed:
    """重みの標準偏差が 0.0001 のとき、ε の大きさで何が変わるか。"""
    spreads, accuracy = {}, {}
    for eps in choices:
        network = MLP(WIDE, ReLU, gaussian(std), rng=np.random.default_rng(0), batchnorm="before")
        for layer in batchnorms(network):
            layer.eps = eps
        network.predict(mnist()[0][:FEW], training=True)
        spreads[eps] = np.array([_varying(layer.x_hat).std() for layer in batchnorms(network)])
        accuracy[eps] = np.array([train_few(std, "前", seed, eps=eps)[-1] for seed in SEEDS])
    return Swallowed(std, spreads, accuracy)


def _varying(x: Array) -> Array:
    return x[:, x.std(axis=0) > 0]


# --- 活性化関数の前と後 ---------------------------------------------------------------------------------

SIZES = [784, 100, 100, 100, 100, 10]
RATES = (0.01, 0.1, 0.3, 1.0, 3.0)
ACTIVATIONS = {"ReLU": (ReLU, he), "シグモイド": (Sigmoid, xavier)}
STEPS = 300
LAST = 50


@dataclass(frozen=True)
class Placement:
    """1 つの活性化関数の結果。``losses[置き場所]``, ``accuracy[置き場所]``: ``(学習率の数, 種の数)``。

    損失は最後の ``LAST`` ステップの平均、正解率はテスト画像で測る。発散したら損失は nan。
    """

    rates: tuple[float, ...]
    losses: Arrays
    accuracy: Arrays

    def clearly_below(self, first: str, second: str) -> Array:
        """``first`` の損失が、どの種でも ``second`` のどの種より小さいか。``(学習率の数,)``。nan は最も大きいとみなす。"""
        low, high = (np.nan_to_num(self.losses[place], nan=np.inf) for place in (first, second))
        return low.max(axis=1) < high.min(axis=1)


@kept
def train_placed(
    activation: str, place: str, lr: float, seed: int, steps: int = STEPS
) -> tuple[float, float]:
    """MNIST を学習し、``(最後の損失, テストの正解率)`` を返す。"""
    x_train, t_train, x_test, t_test = mnist()
    rng = np.random.default_rng(seed)
    layer, initializer = ACTIVATIONS[activation]
    network = MLP(SIZES, layer, initializer, rng=rng, batchnorm=PLACES[place])
    with np.errstate(all="ignore"):  # 大きすぎる学習率では発散する
        losses = train(network, SGD(lr), x_train, t_train, steps=steps, batch_size=128, rng=rng)
        return losses[-LAST:].mean(), network.accuracy(x_test, t_test)


def placement(processes: int = -1) -> dict[str, Placement]:
    """BatchNorm なし・活性化関数の前・後を、5 つの学習率と 3 つの種で比べる。活性化関数の名前 → ``Placement``。"""
    jobs = [(a, p, lr, seed) for a in ACTIVATIONS for p in PLACES for lr in RATES for seed in SEEDS]
    results = np.array(run_parallel(train_placed, jobs, "前と後", processes))
    shape = (len(ACTIVATIONS), len(PLACES), len(RATES), len(SEEDS), 2)
    found = {}
    for activation, values in zip(ACTIVATIONS, results.reshape(shape), strict=True):
        losses = {place: v[..., 0] for place, v in zip(PLACES, values, strict=True)}
        accuracy = {place: v[..., 1] for place, v in zip(PLACES, values, strict=True)}
        found[activation] = Placement(RATES, losses, accuracy)
    return found


# --- 推論 -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Inference:
    """推論の仕方ごとのテストの正解率。

    ``running``: 移動平均。``mixed``, ``skewed``: 組自身の平均と分散を使ったとき、無作為に組んだ場合と、
    同じ数字だけで組んだ場合。どちらも組の大きさ ``sizes`` ごと。
    ``gamma``, ``beta``: 学習後の γ と β(全部の層を並べたもの)。
    """

    sizes: Array
    running: float
    mixed: Array
    skewed: Array
    gamma: Array
    beta: Array


@kept
def inference(seed: int = 1, images: int = 5000) -> Inference:
    """BatchNorm を前に置いたネットワークを学習し、推論で使う平均と分散を変えて正解率を比べる。"""
    network, x, t = trained(seed)
    x, t = x[:images], t[:images]
    order = np.argsort(t, kind="stable")  # 同じ数字を続けて並べる
    sizes = 2 ** np.arange(9)
    return Inference(
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


def settling(std: float = SCALES[7]) -> Array:
    """学習のはじめの正解率 ``(2, EPOCHS)``: 移動平均を使う推論と、1000 枚自身の平均と分散を使う推論。

    種について平均する。
    """
    measures = (MLP.accuracy, own_accuracy)
    return np.array(
        [np.mean([train_few(std, "前", seed, measure=m) for seed in SEEDS], axis=0) for m in measures]
    )
