"""Layer Normalization と RMSNorm の層。使い方はほかの層(``fumoto.layers``)と同じ。

どちらも標本(行)ごとにそろえる。答えは一緒に渡した標本によらず、学習中も推論でも計算は同じで、移動平均はいらない。
"""

import numpy as np

from fumoto.hints import Array
from fumoto.layers import Layer
from fumoto.validation import matrix, one_per_node, positive, same_shape


class LayerNorm(Layer):
    """Layer Normalization: 標本の行ごとに平均 0、分散 1 にそろえ、ノードごとに、学習する γ を掛けて β を足す。

    式: 順伝播 ``eq-layernorm-normalize``, ``eq-layernorm-scale``、
    逆伝播 ``eq-batchnorm-dgamma``, ``eq-batchnorm-dbeta``, ``eq-layernorm-dx``。
    ``gamma``, ``beta``: ``(D,)``、どちらも float32 か、どちらも float64。``eps``: 分母の ε(正の数)。
    全部同じ値の行の出力は、平均の丸め誤差を除いて β になる。nan はその行の出力全部に現れる。
    出典: Ba, Kiros and Hinton (2016) arXiv:1607.06450

    >>> layer = LayerNorm(np.ones(3), np.zeros(3))
    >>> layer.forward(np.array([[1.0, 2.0, 3.0], [70.0, 80.0, 90.0]])).round(2)   # 尺度の違う 2 つの行がそろう
    array([[-1.22,  0.  ,  1.22],
           [-1.22,  0.  ,  1.22]])
    """

    def __init__(self, gamma: Array, beta: Array, eps: float = 1e-5):
        one_per_node(gamma=gamma, beta=beta)
        self.params = {"gamma": gamma, "beta": beta}
        self.grads = {"gamma": np.zeros_like(gamma), "beta": np.zeros_like(beta)}
        self.eps = positive("eps", eps)

    def forward(self, x: Array, training: bool = True) -> Array:
        gamma, beta = self.params["gamma"], self.params["beta"]
        matrix("x", x, columns=len(gamma))
        mean = x.mean(axis=1, keepdims=True)
        var = ((x - mean) ** 2).mean(axis=1, keepdims=True)
        self.std = np.sqrt(var + self.eps)
        self.x_hat = (x - mean) / self.std  # eq-layernorm-normalize
        return gamma * self.x_hat + beta  # eq-layernorm-scale

    def backward(self, dout: Array) -> Array:
        same_shape("dout", dout, self.x_hat)
        np.sum(dout * self.x_hat, axis=0, out=self.grads["gamma"])  # eq-batchnorm-dgamma
        dout.sum(axis=0, out=self.grads["beta"])  # eq-batchnorm-dbeta
        dx_hat = self.params["gamma"] * dout
        mean = dx_hat.mean(axis=1, keepdims=True)
        mean_x_hat = (dx_hat * self.x_hat).mean(axis=1, keepdims=True)
        return (dx_hat - mean - self.x_hat * mean_x_hat) / self.std  # eq-layernorm-dx


class RMSNorm(Layer):
    """RMSNorm: 標本の行ごとに二乗平均を 1 にそろえ、ノードごとに、学習する γ を掛ける。平均は引かず、β もない。

    式: 順伝播 ``eq-rmsnorm-rms``, ``eq-rmsnorm-normalize``, ``eq-rmsnorm-scale``、
    逆伝播 ``eq-batchnorm-dgamma``, ``eq-rmsnorm-dx``。
    ``gamma``: ``(D,)``、float32 か float64。``eps``: 分母の ε(正の数)。
    全部 0 の行の出力は 0 になる。nan はその行の出力全部に現れる。
    出典: Zhang and Sennrich (2019) arXiv:1910.07467

    >>> layer = RMSNorm(np.ones(2))
    >>> layer.forward(np.array([[3.0, 4.0], [300.0, 400.0]])).round(2)
    array([[0.85, 1.13],
           [0.85, 1.13]])
    """

    def __init__(self, gamma: Array, eps: float = 1e-5):
        one_per_node(gamma=gamma)
        self.params, self.grads = {"gamma": gamma}, {"gamma": np.zeros_like(gamma)}
        self.eps = positive("eps", eps)

    def forward(self, x: Array, training: bool = True) -> Array:
        gamma = self.params["gamma"]
        matrix("x", x, columns=len(gamma))
        rms = np.sqrt((x**2).mean(axis=1, keepdims=True))  # eq-rmsnorm-rms
        self.root = np.sqrt(rms**2 + self.eps)
        self.x_hat = x / self.root  # eq-rmsnorm-normalize
        return gamma * self.x_hat  # eq-rmsnorm-scale

    def backward(self, dout: Array) -> Array:
        same_shape("dout", dout, self.x_hat)
        np.sum(dout * self.x_hat, axis=0, out=self.grads["gamma"])  # eq-batchnorm-dgamma
        dx_hat = self.params["gamma"] * dout
        mean_x_hat = (dx_hat * self.x_hat).mean(axis=1, keepdims=True)
        return (dx_hat - self.x_hat * mean_x_hat) / self.root  # eq-rmsnorm-dx
