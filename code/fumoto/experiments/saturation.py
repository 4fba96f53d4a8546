"""8 章: 活性化関数とその微分、すべて 0 の初期値、死んだ ReLU。"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fumoto.datasets import features, mnist_bytes
from fumoto.experiments.kept import kept
from fumoto.experiments.protocol import BATCH_SIZE, split
from fumoto.hints import Array, Arrays, Rng
from fumoto.initializers import he, zeros
from fumoto.layers import Affine, Layer, LeakyReLU, ReLU, Sigmoid, Tanh
from fumoto.network import MLP
from fumoto.optimizers import SGD
from fumoto.training import optimize, train

# --- 活性化関数とその微分 ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Curve:
    """活性化関数の入力 ``a``、値 ``y``、微分 ``slope``。どれも ``(点の数,)``。"""

    a: Array
    y: Array
    slope: Array


def curve(layer: Layer, a: Array) -> Curve:
    """活性化関数の層を 1 点ずつ動かして、値と微分を測る。

    >>> float(curve(Sigmoid(), np.linspace(-10, 10, 401)).slope.max())
    0.25
    """
    y = layer.forward(a[:, None])[:, 0]
    return Curve(a, y, layer.backward(np.ones((len(a), 1)))[:, 0])


def activation_curves(slope: float = 0.1) -> dict[str, Curve]:
    """4 つの活性化関数。``slope``: Leaky ReLU の負の側の傾き。名前 → ``Curve``。"""
    layers = {"シグモイド": Sigmoid(), "tanh": Tanh(), "ReLU": ReLU(), "Leaky ReLU": LeakyReLU(slope)}
    return {name: curve(layer, np.linspace(-6, 6, 481)) for name, layer in layers.items()}


# --- すべて 0 の初期値 ------------------------------------------------------------------------------------

ZERO_SIZES = [784, 50, 50, 50, 10]
ZERO_RATE, ZERO_STEPS = 0.5, 400  # 層の数を比べるときの、学習率と歩数
ZERO_ACTIVATIONS = {"シグモイド": Sigmoid, "ReLU": ReLU, "tanh": Tanh}


def zero_start(steps: int = 5, lr: float = 0.5) -> dict[str, Arrays]:
    """重みを全部 0 から始めて、各ステップの勾配の最大の絶対値を記録する。``{活性化関数: {配列の名前: (steps,)}}``。"""
    images, t = (array[:1000] for array in mnist_bytes()[:2])
    x = features(images)
    return {
        name: gradient_sizes(
            MLP(ZERO_SIZES, activation, zeros, rng=np.random.default_rng(0)), x, t, steps, lr
        )
        for name, activation in ZERO_ACTIVATIONS.items()
    }


def gradient_sizes(network: MLP, x: Array, t: Array, steps: int, lr: float) -> Arrays:
    """勾配降下法で ``steps`` ステップ学習し、各ステップの勾配の最大の絶対値を記録する。配列の名前 → ``(steps,)``。"""
    sizes: dict[str, list[float]] = {name: [] for name in network.params}

    def gradient() -> tuple[float, Arrays]:
        loss, grads = network.gradient(x, t)
        for name, g in grads.items():
            sizes[name].append(float(np.abs(g).max()))
        return loss, grads

    for _ in optimize(SGD(lr=lr), network.params, gradient, steps):
        pass
    return {name: np.array(values) for name, values in sizes.items()}


# --- 死んだ ReLU ------------------------------------------------------------------------------------------

RELU_SIZES = [784, 100, 100, 100, 10]
DYING_RATES = (0.1, 0.3, 0.6)
PROBES = 2000  # 訓練画像のうち、この枚数のどれにも反応しないノードを「死んだ」とみなす


def biased(activation: Callable[[], Layer], bias: float, *, rng: Rng) -> MLP:
    """隠れ層のバイアスが全部 ``bias`` の、He の初期値のネットワーク。"""
    network = MLP(RELU_SIZES, activation, he, rng=rng)
    for number in range(1, len(RELU_SIZES) - 1):
        network.params[f"b{number}"][...] = bias
    return network


def silent(network: MLP, x: Array) -> Array:
    """``x`` のどの標本でも、活性化関数への入力が 0 以下のノード。形 ``(隠れ層の数, ノードの数)`` の真偽値。"""
    found = []
    for _, layer in network.layers[:-1]:
        if not isinstance(layer, Affine):
            found.append(np.all(x <= 0, axis=0))  # 活性化関数への入力
        x = layer.forward(x, training=False)
    return np.array(found)


@kept
def newly_dead(lr: float, seed: int, steps: int) -> int:
    """ReLU のネットワークを学習し、はじめは生きていて、終わりに死んでいるノードを数える。発散すれば ``-1``。"""
    rng = np.random.default_rng(seed)
    x, t = split().training
    network = biased(ReLU, 0.0, rng=rng)
    start = silent(network, x[:PROBES])
    with np.errstate(all="ignore"):  # 大きすぎる η では発散し、nan になる
        losses = train(network, SGD(lr=lr), x, t, steps=steps, batch_size=BATCH_SIZE, rng=rng)
        dead = silent(network, x[:PROBES]) & ~start
    return int(dead.sum()) if np.isfinite(losses[-1]) else -1
