"""ニューラルネットの層。行が標本、列が特徴である: ``x`` の形は ``(N, D)``。

``forward(x, training)`` は出力を返し、``backward(dout)`` は入力についての勾配を返す。
重みを持つ層は ``params`` と ``grads`` を、同じ名前の配列の辞書で持つ。``backward`` は ``grads`` の配列に書き込む。
"""

from copy import deepcopy
from typing import Any, NoReturn

import numpy as np

from fumoto.hints import Array, Arrays, Shape
from fumoto.validation import array, fraction, matrix, weights_and_biases


class Remembering:
    """順伝播で使った値を、逆伝播まで覚えておくもの。写し(``copy``, ``pickle``)は独立に動く。"""

    __copy__ = deepcopy  # 浅い写しだと、重みだけを元と共有し、覚えている値が食い違う

    def __getattr__(self, name: str) -> NoReturn:  # 順伝播が残す値(x や y など)が、まだないとき
        raise AttributeError(
            f"{type(self).__name__} に {name} がありません(backward の前に forward を呼びましたか)"
        )


class Layer(Remembering):
    """層の共通部分。``params`` と ``grads``: 同じ名前の配列の辞書(重みのない層では空)。"""

    params: Arrays
    grads: Arrays

    def forward(self, x: Array, training: bool = True) -> Array:
        """順伝播。``x``: ``(N, 入力の数)`` → ``(N, 出力の数)``。``training``: 学習中か(``BatchNorm`` と ``Dropout`` だけが使う)。"""
        raise NotImplementedError

    def backward(self, dout: Any) -> Any:
        """逆伝播。``dout``: 出力についての勾配 → 入力についての勾配。重みの勾配は ``grads`` に書き込む。"""
        raise NotImplementedError


class Affine(Layer):
    """全結合層: 入力の重みつきの和にバイアスを足す。

    式: ``eq-affine-a``。``W``: ``(n_in, n_out)``。``b``: ``(n_out,)``。
    型はどちらも float32 か、どちらも float64。
    ``input_gradient=False`` なら、``backward`` は None を返す
    (先頭の層では、入力についての勾配を誰も使わない)。

    >>> layer = Affine(np.array([[1.0], [2.0]]), np.array([0.5]))
    >>> layer.forward(np.array([[3.0, 4.0]]))
    array([[11.5]])
    >>> layer.backward(np.array([[1.0]]))
    array([[1., 2.]])
    >>> layer.grads["W"]
    array([[3.],
           [4.]])
    """

    def __init__(self, W: Array, b: Array, input_gradient: bool = True):
        weights_and_biases(W, b)
        self.params = {"W": W, "b": b}
        self.grads = {"W": np.zeros_like(W), "b": np.zeros_like(b)}
        self.input_gradient = input_gradient

    def forward(self, x: Array, training: bool = True) -> Array:
        W, b = self.params["W"], self.params["b"]
        self.x = matrix("x", x, columns=len(W))
        return x @ W + b  # eq-affine-a

    def backward(self, dout: Array) -> Any:
        np.matmul(self.x.T, dout, out=self.grads["W"])
        dout.sum(axis=0, out=self.grads["b"])
        return dout @ self.params["W"].T if self.input_gradient else None


class Activation(Layer):
    """重みのない層の共通部分。"""

    def __init__(self) -> None:
        self.params = {}
        self.grads = {}


class ReLU(Activation):
    """ReLU: 正の入力はそのまま、負の入力は 0。式: ``eq-relu``。

    >>> layer = ReLU()
    >>> layer.forward(np.array([[-2.0, 3.0]]))
    array([[0., 3.]])
    >>> layer.backward(np.array([[1.0, 1.0]]))
    array([[0., 1.]])
    """

    def forward(self, x: Array, training: bool = True) -> Array:
        self.y = np.maximum(x, 0)  # eq-relu
        return self.y

    def backward(self, dout: Array) -> Array:
        return dout * (self.y > 0)


class LeakyReLU(Activation):
    """Leaky ReLU: 正の入力はそのまま、負の入力は ``slope`` 倍。負でも勾配が 0 にならない。

    式: ``eq-leaky-relu``。``slope``: 0 以上 1 未満。出典: Maas et al. (2013)

    >>> layer = LeakyReLU(slope=0.1)
    >>> layer.forward(np.array([[-2.0, 3.0]]))
    array([[-0.2,  3. ]])
    >>> layer.backward(np.array([[1.0, 1.0]]))
    array([[0.1, 1. ]])
    """

    def __init__(self, slope: float = 0.01):
        super().__init__()
        self.slope = fraction("slope", slope)

    def forward(self, x: Array, training: bool = True) -> Array:
        self.positive = x > 0
        return np.maximum(x, self.slope * x)  # eq-leaky-relu

    def backward(self, dout: Array) -> Array:
        return np.where(self.positive, dout, self.slope * dout)


class Sigmoid(Activation):
    """シグモイド関数: 出力は 0 と 1 の間。微分は y(1-y)。式: ``eq-sigmoid``, ``eq-sigmoid-grad``。

    ``exp`` があふれないように tanh で書く: 1/(1+exp(-x)) = (1 + tanh(x/2))/2。

    >>> layer = Sigmoid()
    >>> layer.forward(np.array([[0.0, -1000.0]]))
    array([[0.5, 0. ]])
    >>> layer.backward(np.array([[1.0, 1.0]]))
    array([[0.25, 0.  ]])
    """

    def forward(self, x: Array, training: bool = True) -> Array:
        self.y = 0.5 * (1 + np.tanh(0.5 * x))  # eq-sigmoid
        return self.y

    def backward(self, dout: Array) -> Array:
        return dout * self.y * (1 - self.y)  # eq-sigmoid-grad


class Tanh(Activation):
    """双曲線正接: 出力は -1 と 1 の間。微分は 1-y²。式: ``eq-tanh``, ``eq-tanh-grad``。

    >>> layer = Tanh()
    >>> layer.forward(np.array([[0.0]]))
    array([[0.]])
    >>> layer.backward(np.array([[1.0]]))
    array([[1.]])
    """

    def forward(self, x: Array, training: bool = True) -> Array:
        self.y = np.tanh(x)  # eq-tanh
        return self.y

    def backward(self, dout: Array) -> Array:
        return dout * (1 - self.y**2)  # eq-tanh-grad


class Residual(Affine):
    """残差接続: 活性化関数と全結合層を通したものに、入力をそのまま足す。

    式: ``eq-residual-y``、逆伝播は ``eq-residual-q``。``W``: ``(n, n)``。``b``: ``(n,)``。``activation``: 活性化関数の層。
    出典: He et al. (2016) doi:10.1007/978-3-319-46493-0_38(活性化関数を先に通す形)

    重みが 0 でも、値も勾配もそのまま通る。

    >>> layer = Residual(np.zeros((2, 2)), np.zeros(2), ReLU())
    >>> layer.forward(np.array([[-2.0, 3.0]]))
    array([[-2.,  3.]])
    >>> layer.backward(np.array([[1.0, 5.0]]))
    array([[1., 5.]])
    """

    def __init__(self, W: Array, b: Array, activation: Layer):
        super().__init__(W, b)
        if len(W) != len(b):
            raise ValueError(f"W は正方行列でなければなりません(渡された形: {W.shape})")
        self.activation = activation

    def forward(self, x: Array, training: bool = True) -> Array:
        return x + super().forward(self.activation.forward(x, training))  # eq-residual-y

    def backward(self, dout: Array) -> Array:
        return dout + self.activation.backward(super().backward(dout))  # eq-residual-q


class SoftmaxCrossEntropy(Remembering):
    """出力をソフトマックスで確率に直し、正解の確率の対数から損失を計算する。

    式: ``eq-softmax-y``, ``eq-cross-entropy-E``。
    ``a``: ``(N, K)`` の実数。``t``: ``(N,)`` の整数ラベル、0 以上 K 未満。

    10 個から当てずっぽうで選ぶと、損失は log 10 である。

    >>> loss = SoftmaxCrossEntropy().forward(np.zeros((4, 10)), np.array([0, 1, 2, 3]))
    >>> round(float(loss), 4)
    2.3026
    """

    def forward(self, a: Array, t: Array) -> float:
        return self.loss(a, checked_labels(array("a", a).shape, t))

    def loss(self, a: Array, t: Array) -> float:
        """``t`` を確かめてあるときの ``forward``。"""
        e = np.exp(a - a.max(axis=1, keepdims=True))  # 最大値を引いても y は同じ。あふれを防ぐ
        self.y = e / e.sum(axis=1, keepdims=True)  # eq-softmax-y
        self.t = t
        p = self.y[np.arange(len(t)), t]
        smallest = np.finfo(p.dtype).tiny  # 確率が 0 に丸められても log が -inf にならないように
        return -np.log(np.maximum(p, smallest)).mean()  # eq-cross-entropy-E

    def backward(self) -> Array:
        da = self.y.copy()
        da[np.arange(len(self.t)), self.t] -= 1
        return da / len(self.t)


def checked_labels(shape: Shape, t: Array) -> Array:
    """形 ``shape`` = ``(N, K)`` の出力 a に対する正解ラベル ``t`` を確かめ、配列にして返す。"""
    t = np.asarray(t)
    if len(shape) != 2:
        raise ValueError(f"a は (N, K) でなければなりません(渡された形: {shape})")
    if t.shape != shape[:1] or t.dtype.kind not in "iu":
        raise ValueError(
            f"t は標本の数だけの整数ラベル、形 {shape[:1]} でなければなりません"
            f"(渡された形: {t.shape}, dtype={t.dtype})"
        )
    if t.size == 0:
        raise ValueError("標本が 1 つもありません(t の形: (0,))")
    if t.min() < 0 or t.max() >= shape[1]:
        raise ValueError(
            f"t のラベルは 0 以上 {shape[1]} 未満でなければなりません(渡された範囲: {t.min()} から {t.max()})"
        )
    return t
