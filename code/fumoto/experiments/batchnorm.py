"""9 章: 外れ値、層ごとの正規化が使う値、BatchNorm のあるなし、活性化関数の前と後、推論。"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from fumoto.batchnorm import BatchNorm
from fumoto.datasets import mnist
from fumoto.experiments.kept import kept
from fumoto.experiments.protocol import (
    PILOT,
    Range,
    Report,
    Rung,
    Setting,
    Space,
    Tuned,
    report,
    seeds_needed,
    tune,
)
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


# --- BatchNorm の置き場所と、重みの尺度 -----------------------------------------------------------------

SIZES = [784, 100, 100, 100, 100, 10]
ACTIVATIONS = {"ReLU": (ReLU, he), "シグモイド": (Sigmoid, xavier)}
SCALES = (1.0, 0.1, 0.0001)  # 大きすぎる、ちょうどよい、小さすぎる
Key = tuple[str | float, str]  # 比べるネットワーク: (活性化関数, 置き場所) か (重みの標準偏差, 置き場所)
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
TRIALS = 8  # ネットワークごとに試す学習率の数
PLACED_RATES, SCALED_RATES = Range(0.01, 10.0), Range(1e-4, 10.0)
PAIRS = 3  # 3 つの置き場所から 2 つ
WIDTH = 0.01  # 正解率の差の区間の、半分の幅の目標


@dataclass(frozen=True)
class Compared:
    """``tuned``, ``reports``: 比べるもの → 試した学習率と選んだもの、選ぶのに使っていない種 ``seeds`` 個での結果。"""

    seeds: int
    tuned: dict[Key, Tuned]
    reports: dict[Key, Report]

    def rate(self, key: Key) -> float:
        """選んだ学習率。"""
        return dict(self.tuned[key].setting.values)["lr"]


def tuned_rates(
    networks: Mapping[Key, Callable[..., MLP]], rates: Range, processes: int = -1
) -> dict[Key, Tuned]:
    """どのネットワークにも同じ学習率を試し、それぞれ、検証用の損失がいちばん小さくなるものを選ぶ。"""
    values = Space(rates).rates_only(TRIALS, np.random.default_rng(0))
    groups = {
        key: [Setting(SGD, tuple(each.items()), network) for each in values]
        for key, network in networks.items()
    }
    return tune(groups, RUNGS, processes=processes)


def _reported(tuned: Mapping[Key, Tuned], seeds: int, processes: int) -> dict[Key, Report]:
    return report({key: found.setting for key, found in tuned.items()}, range(1, seeds + 1), STEPS, processes)


def placement(processes: int = -1) -> Compared:
    """BatchNorm なし・活性化関数の前・後を、それぞれ学習率を選んで比べる。鍵は (活性化関数, 置き場所)。"""
    tuned = tuned_rates(PLACED, PLACED_RATES, processes)
    pilot = _reported(tuned, PILOT, processes)
    number = max(
        seeds_needed([pilot[name, place].validation_accuracy for place in PLACES], WIDTH, PAIRS)
        for name in ACTIVATIONS
    )
    return Compared(number, tuned, _reported(tuned, number, processes))


def weight_scales(processes: int = -1) -> Compared:
    """重みの初期値の標準偏差ごとに、BatchNorm のあるなしを、それぞれ学習率を選んで比べる。鍵は (標準偏差, 置き場所)。

    ゼロから作る Deep Learning の 6 章の実験を、学習率を選んで行う(ReLU、BatchNorm は前)。
    """
    tuned = tuned_rates(SCALED, SCALED_RATES, processes)
    return Compared(PILOT, tuned, _reported(tuned, PILOT, processes))


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
def inference(seed: int = 1, lr: float = 0.3, images: int = 5000) -> Inference:
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


WIDE = [784, 100, 100, 100, 100, 100, 10]
FEW = 1000  # 訓練画像の数
EPOCHS, STEPS_PER_EPOCH, BATCH = 20, 10, 100


@kept
def train_few(
    std: float,
    place: str,
    seed: int,
    lr: float = 0.01,
    measure: Callable[[MLP, Array, Array], float] = MLP.accuracy,
) -> Array:
    """MNIST の訓練画像 1000 枚で学習し、1 巡ごとの(``measure`` で測った)正解率を返す。``(EPOCHS,)``。"""
    x, t = mnist()[0][:FEW], mnist()[1][:FEW]
    rng = np.random.default_rng(seed)
    network = MLP(WIDE, ReLU, gaussian(std), rng=rng, batchnorm=PLACES[place])
    accuracy = []
    for _ in range(EPOCHS):
        train(network, SGD(lr), x, t, steps=STEPS_PER_EPOCH, batch_size=BATCH, rng=rng)
        accuracy.append(measure(network, x, t))
    return np.array(accuracy)


@dataclass(frozen=True)
class Settling:
    """1 巡ごとの正解率 ``(EPOCHS,)``。``running``: 移動平均を使う。``own``: 1000 枚自身の平均と分散を使う。"""

    std: float
    running: Array
    own: Array


def settling(std: float = 0.014) -> Settling:
    """学習のはじめの正解率: 移動平均を使う推論と、1000 枚自身の平均と分散を使う推論。種について平均する。"""
    found = [[train_few(std, "前", seed, measure=m) for seed in SEEDS] for m in (MLP.accuracy, own_accuracy)]
    return Settling(std, *np.mean(found, axis=1))
