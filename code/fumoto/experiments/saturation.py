"""7 章: 活性化関数の飽和、層をさかのぼる勾配、すべて 0 の初期値、死んだ ReLU。"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import DTypeLike

from fumoto.datasets import mnist
from fumoto.experiments.kept import kept
from fumoto.experiments.parallel import run_parallel
from fumoto.hints import Array, Arrays
from fumoto.initializers import gaussian, he, zeros
from fumoto.layers import Affine, Layer, LeakyReLU, ReLU, Sigmoid, Tanh
from fumoto.network import MLP
from fumoto.optimizers import SGD
from fumoto.training import optimize, train

# --- 活性化関数とその微分 ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Curve:
    """活性化関数の値 ``y`` と微分 ``d``。どれも ``(点の数,)``。"""

    x: Array
    y: Array
    d: Array


def curve(layer: Layer, x: Array) -> Curve:
    """活性化関数の層を 1 点ずつ動かして、値と微分を測る。"""
    y = layer.forward(x[:, None])[:, 0]
    return Curve(x, y, layer.backward(np.ones((len(x), 1)))[:, 0])


def sigmoid_curve() -> Curve:
    """シグモイド関数とその微分。微分は x = 0 でいちばん大きく、0.25 である。

    >>> float(sigmoid_curve().d.max())
    0.25
    """
    return curve(Sigmoid(), np.linspace(-10, 10, 401))


def relu_curves(slope: float = 0.1) -> dict[str, Curve]:
    """ReLU と、負の側の傾きが ``slope`` の Leaky ReLU。名前 → ``Curve``。"""
    x = np.linspace(-3, 3, 301)
    return {"ReLU": curve(ReLU(), x), "Leaky ReLU": curve(LeakyReLU(slope), x)}


# --- ニューロン 1 つの連鎖律 ------------------------------------------------------------------------------


def chain_gradient(q: Array, y: Array, h: float) -> Array:
    """∂E/∂w: 出力についての勾配 ``q``、シグモイドの微分 y(1-y)、入力 ``h`` の積。"""
    return q * y * (1 - y) * h  # eq-sigmoid-chain


def notes_gradient(y: Array) -> Array:
    """原ノートの主張のとおり、y(1-y) だけを ∂E/∂w とみなしたもの。"""
    return y * (1 - y)  # eq-notes-sigmoid-chain


@dataclass(frozen=True)
class OneNeuron:
    """ニューロン 1 つの学習。正解の値 → 出力の列 ``(steps + 1,)``。``right``: 連鎖律、``notes``: 原ノート。"""

    right: dict[float, Array]
    notes: dict[float, Array]


def one_neuron(targets: tuple[float, ...] = (0.9, 0.1), steps: int = 40, lr: float = 1.0) -> OneNeuron:
    """1 入力 1 出力のシグモイドに正解の値 s を覚えさせる。勾配を連鎖律で求めた場合と、y(1-y) だけの場合。

    損失は (y - s)²、出力についての勾配は 2(y - s) である。
    """
    right = {s: _outputs(_toward(s), lr, steps) for s in targets}
    notes = {s: _outputs(notes_gradient, lr, steps) for s in targets}
    return OneNeuron(right, notes)


def _toward(s: float) -> Callable[[Array], Array]:
    """正解の値が ``s`` のときの ∂E/∂w。"""
    return lambda y: chain_gradient(2 * (y - s), y, 1.0)


def _outputs(gradient: Callable[[Array], Array], lr: float, steps: int) -> Array:
    """重み 0、入力 1 から始めて、``gradient(y)`` の向きに下りたときの出力の列。"""
    w, layer, outputs = np.zeros((1, 1)), Sigmoid(), []

    def step() -> tuple[float, Arrays]:
        y = layer.forward(w)
        outputs.append(float(y[0, 0]))
        return outputs[-1], {"w": gradient(y)}

    for _ in optimize(SGD(lr=lr), {"w": w}, step, steps):
        pass
    return np.array([*outputs, float(layer.forward(w)[0, 0])])


# --- 層をさかのぼる勾配 -----------------------------------------------------------------------------------

DEPTH = 10
WIDTH = 100
FLAT = 0.01  # 微分が最大値のこの割合より小さければ、飽和しているとみなす
SETTINGS = {  # 名前 → (活性化関数, 重みの標準偏差)
    "シグモイド σ=0.01": (Sigmoid, 0.01),
    "シグモイド σ=1": (Sigmoid, 1.0),
    "tanh σ=1": (Tanh, 1.0),
    "ReLU σ=1": (ReLU, 1.0),
}


@dataclass(frozen=True)
class LayerGradients:
    """層ごとに測ったもの。どれも ``(乱数の種の数, 層の数)``、列 0 が入力側。

    ``mean``, ``median``, ``rms``: 活性化関数への入力についての勾配の、絶対値の平均・中央値、二乗平均の平方根。
    ``flat``: 飽和しているノードの割合。``factor``: 式から求めた 1 層あたりの倍率 r。
    """

    mean: Array
    median: Array
    rms: Array
    flat: Array
    factor: Array

    @property
    def measured_factor(self) -> float:
        """いちばん上といちばん下の間で測った、1 層あたりの倍率の幾何平均(種の平均)。"""
        steps = self.rms.shape[1] - 1
        return float(np.mean((self.rms[:, 0] / self.rms[:, -1]) ** (1 / steps)))


def layer_factor(std: float, width: int, squared_slopes: float) -> float:
    """勾配の二乗平均の平方根が、1 層戻るごとに何倍になるか。"""
    return std * np.sqrt(width * squared_slopes)  # eq-layer-factor


def layer_gradients(
    activation: Callable[[], Layer],
    std: float,
    seeds: Iterable[int] = range(5),
    depth: int = DEPTH,
    width: int = WIDTH,
    samples: int = 1000,
) -> LayerGradients:
    """``width`` ノードの層を ``depth`` 枚重ね、上から標準正規乱数の勾配を流して、層ごとに測る(学習はしない)。"""
    rows = [_backward_pass(activation, std, seed, depth, width, samples) for seed in seeds]
    return LayerGradients(*np.array(rows).transpose(1, 0, 2))


def _backward_pass(
    activation: Callable[[], Layer], std: float, seed: int, depth: int, width: int, samples: int
) -> Array:
    rng = np.random.default_rng(seed)
    x, layers = rng.normal(size=(samples, width)), []
    for _ in range(depth):
        layers.append((Affine(gaussian(std)(rng, width, width), np.zeros(width)), activation()))
        affine, function = layers[-1]
        x = function.forward(affine.forward(x))
    q, measured = rng.normal(size=x.shape), []
    for affine, function in reversed(layers):
        slopes = function.backward(np.ones_like(q))
        delta = function.backward(q)  # eq-layer-delta
        flat = np.mean(slopes < FLAT * slopes.max())
        size = np.abs(delta)
        factor = layer_factor(std, width, np.mean(slopes**2))
        measured.append((size.mean(), np.median(size), np.sqrt(np.mean(size**2)), flat, factor))
        q = affine.backward(delta)  # eq-layer-q
    return np.array(measured[::-1]).T


def all_layer_gradients() -> dict[str, LayerGradients]:
    """``SETTINGS`` の全部について ``layer_gradients`` を測る。"""
    return {name: layer_gradients(*setting) for name, setting in SETTINGS.items()}


# --- すべて 0 の初期値 ------------------------------------------------------------------------------------

ZERO_SIZES = [784, 50, 50, 50, 10]
ZERO_ACTIVATIONS = {"シグモイド": Sigmoid, "ReLU": ReLU, "tanh": Tanh}


def zero_start(steps: int = 5, lr: float = 0.5) -> dict[str, Arrays]:
    """重みを全部 0 から始めて、各ステップの勾配の最大の絶対値を記録する。``{活性化関数: {配列の名前: (steps,)}}``。"""
    x, t = (array[:1000] for array in mnist()[:2])
    return {
        name: _gradient_sizes(activation, x, t, steps, lr) for name, activation in ZERO_ACTIVATIONS.items()
    }


def _gradient_sizes(activation: Callable[[], Layer], x: Array, t: Array, steps: int, lr: float) -> Arrays:
    network = MLP(ZERO_SIZES, activation, zeros, rng=np.random.default_rng(0))
    sizes: dict[str, list[float]] = {name: [] for name in network.params}

    def gradient() -> tuple[float, Arrays]:
        loss, grads = network.gradient(x, t)
        for name, g in grads.items():
            sizes[name].append(float(np.abs(g).max()))
        return loss, grads

    for _ in optimize(SGD(lr=lr), network.params, gradient, steps):
        pass
    return {name: np.array(values) for name, values in sizes.items()}


@dataclass(frozen=True)
class Twins:
    """隠れ層 1 枚のシグモイドで、ノードどうしの重みの違い。条件の名前 → ``(記録の数,)``。"""

    steps: Array
    spread: Arrays


@kept
def twins(records: int = 12, every: int = 50, lr: float = 0.5, seed: int = 0) -> Twins:
    """0 から始めたノードが、いつまで同じ重みを持つかを測る。

    違いは、W1 の行ごとの標準偏差(ノードについて)の平均を、W1 の絶対値の平均で割ったもの。
    """
    cases = {
        "0 から(float64)": (0.0, np.float64),
        "0 から(float32)": (0.0, np.float32),
        "1e-6 の乱数から": (1e-6, np.float64),
    }
    spread = {name: _spreads(std, dtype, records, every, lr, seed) for name, (std, dtype) in cases.items()}
    return Twins(every * np.arange(1, records + 1), spread)


def _spreads(std: float, dtype: DTypeLike, records: int, every: int, lr: float, seed: int) -> Array:
    x, t = (array[:1000] for array in mnist()[:2])
    rng = np.random.default_rng(seed)
    network = MLP([784, 50, 10], Sigmoid, gaussian(std), rng=rng, dtype=dtype)
    spreads = []
    for _ in range(records):
        train(network, SGD(lr=lr), x, t, steps=every, batch_size=100, rng=rng)
        W = network.params["W1"]
        spreads.append(float(W.std(axis=1).mean() / np.abs(W).mean()))
    return np.array(spreads)


@dataclass(frozen=True)
class FewerUnits:
    """``difference``: 50 ノードのネットワークと、1 ノードに畳んだものの、出力の違いの最大(出力の最大で割る)。

    ``losses``: 隠れ層の枚数 → 0 から始めて学習したあとの損失。
    """

    difference: float
    losses: dict[int, float]


@kept
def fewer_units(steps: int = 400, lr: float = 0.5, seed: int = 0) -> FewerUnits:
    """0 から学習したシグモイドのネットワークを、層ごとに 1 ノードに畳む。隠れ層を減らした結果とも比べる。"""
    x, t, x_test, _ = mnist()
    losses = {}
    for hidden in (3, 2, 1):
        rng = np.random.default_rng(seed)
        network = MLP([784, *[50] * hidden, 10], Sigmoid, zeros, rng=rng, dtype=np.float64)
        losses[hidden] = float(
            train(network, SGD(lr=lr), x, t, steps=steps, batch_size=100, rng=rng)[-50:].mean()
        )
        if hidden == 3:
            original, folded = network.predict(x_test), fold(network).predict(x_test)
    return FewerUnits(float(np.abs(original - folded).max() / np.abs(original).max()), losses)


def fold(network: MLP) -> MLP:
    """同じノードばかりの隠れ層を、ノード 1 つに畳む。出ていく重みは足し合わせる。"""
    hidden = len(network.params) // 2 - 1
    sizes = [network.params["W1"].shape[0], *[1] * hidden, network.params[f"b{hidden + 1}"].size]
    folded = MLP(sizes, Sigmoid, zeros, rng=np.random.default_rng(0), dtype=np.float64)
    for name, array in folded.params.items():
        original = network.params[name]
        if name.startswith("W") and name != "W1":
            original = original.sum(axis=0, keepdims=True)
        array[...] = original[..., : array.shape[-1]]
    return folded


# --- 死んだ ReLU ------------------------------------------------------------------------------------------

RELU_SIZES = [784, 100, 100, 100, 10]
HIDDEN = len(RELU_SIZES) - 2
PROBES = 2000  # 訓練画像のうち、この枚数のどれにも反応しないノードを「死んだ」とみなす
RELU_SEEDS = (0, 1, 2)
RATES = (0.1, 0.3, 0.6, 0.8)
SLOPES = (0.0, 0.01, 0.1)  # 負の側の傾き。0 が ReLU
CURES = {  # 条件の名前 → (η, バイアスの初期値)
    "b = −0.5": (0.1, -0.5),
    "η = 0.6": (0.6, 0.0),
    "η = 0.8": (0.8, 0.0),
}


@dataclass(frozen=True)
class ReluRun:
    """1 回の学習。``start``, ``end``: 層ごとの死んだノードの数 ``(3,)``。

    ``newly``: はじめは生きていて、その時点で死んでいるノードの数 ``(記録の数,)``(全部の層の合計)。
    発散したときの ``loss`` は nan である。
    """

    start: Array
    end: Array
    newly: Array
    loss: float
    accuracy: float


@kept
def train_relu(slope: float, lr: float, bias: float, seed: int, steps: int = 500, every: int = 50) -> ReluRun:
    """ReLU(``slope`` が 0 でなければ Leaky ReLU)のネットワークを学習し、死んだノードを数える。"""
    x, t, x_test, t_test = mnist()
    rng = np.random.default_rng(seed)
    network = MLP(RELU_SIZES, partial(LeakyReLU, slope) if slope else ReLU, he, rng=rng)
    for number in range(1, HIDDEN + 1):
        network.params[f"b{number}"][...] = bias
    start, newly = silent(network, x[:PROBES]), []
    optimizer = SGD(lr=lr)
    with np.errstate(all="ignore"):  # 大きすぎる η では発散し、nan になる
        for _ in range(steps // every):
            losses = train(network, optimizer, x, t, steps=every, batch_size=100, rng=rng)
            now = silent(network, x[:PROBES])
            newly.append(int(np.sum(now & ~start)))
        return ReluRun(
            start.sum(axis=1),
            now.sum(axis=1),
            np.array(newly),
            float(losses.mean()),
            network.accuracy(x_test, t_test),
        )


def silent(network: MLP, x: Array) -> Array:
    """``x`` のどの標本でも、活性化関数への入力が 0 以下のノード。形 ``(隠れ層の数, ノードの数)`` の真偽値。"""
    found = []
    for _, layer in network.layers[:-1]:
        if not isinstance(layer, Affine):
            found.append(np.all(x <= 0, axis=0))  # 活性化関数への入力
        x = layer.forward(x, training=False)
    return np.array(found)


def dead_relu(
    processes: int = -1,
) -> tuple[dict[float, list[ReluRun]], dict[str, dict[float, list[ReluRun]]]]:
    """``(RATES での結果, CURES での結果)``: ``{η: [ReluRun]}`` と ``{条件: {傾き: [ReluRun]}}``。"""
    jobs = [(0.0, lr, 0.0, seed) for lr in RATES for seed in RELU_SEEDS]
    jobs += [(slope, *case, seed) for case in CURES.values() for slope in SLOPES for seed in RELU_SEEDS]
    jobs = list(dict.fromkeys(jobs))  # 両方に出てくる条件は一度だけ
    results = dict(zip(jobs, run_parallel(train_relu, jobs, "死んだ ReLU", processes), strict=True))
    rates = {lr: [results[0.0, lr, 0.0, seed] for seed in RELU_SEEDS] for lr in RATES}
    cures = {
        name: {slope: [results[slope, *case, seed] for seed in RELU_SEEDS] for slope in SLOPES}
        for name, case in CURES.items()
    }
    return rates, cures


KILLED = (0, 50, 90, 99, 100)


@kept
def train_with_dead_layer(killed: int, seed: int, steps: int = 300) -> float:
    """2 番目の隠れ層の ``killed`` 個のノードを、はじめから死なせて学習し、テストの正解率を返す。"""
    x, t, x_test, t_test = mnist()
    rng = np.random.default_rng(seed)
    network = MLP(RELU_SIZES, rng=rng)
    network.params["b2"][:killed] = -1000.0
    train(network, SGD(lr=0.1), x, t, steps=steps, batch_size=100, rng=rng)
    return network.accuracy(x_test, t_test)


def dead_layer(processes: int = -1) -> dict[int, Array]:
    """死なせたノードの数 → テストの正解率 ``(種の数,)``。"""
    jobs = [(killed, seed) for killed in KILLED for seed in RELU_SEEDS]
    results = dict(zip(jobs, run_parallel(train_with_dead_layer, jobs, "死んだ層", processes), strict=True))
    return {killed: np.array([results[killed, seed] for seed in RELU_SEEDS]) for killed in KILLED}


@kept
def relu_with_small_weights(steps: int = 500, seed: int = 0) -> Arrays:
    """ReLU のネットワークを、標準偏差 0.01 と He の初期値から学習した損失。名前 → ``(steps,)``。"""
    x, t = mnist()[:2]
    losses = {}
    for name, initializer in {"標準偏差 0.01": gaussian(0.01), "He": he}.items():
        rng = np.random.default_rng(seed)
        network = MLP(RELU_SIZES, initializer=initializer, rng=rng)
        losses[name] = train(network, SGD(lr=0.1), x, t, steps=steps, batch_size=100, rng=rng)
    return losses
