"""Batch Normalization の層。使い方はほかの層(``fumoto.layers``)と同じ。"""

import numpy as np

from fumoto.hints import Array
from fumoto.layers import Layer
from fumoto.validation import fraction, matrix, one_per_node, positive, same_shape


class BatchNorm(Layer):
    """Batch Normalization: ミニバッチの列ごとに平均 0、分散 1 にそろえ、学習する幅 γ と位置 β を与える。

    式: 順伝播 ``eq-batchnorm-mean``, ``eq-batchnorm-var``, ``eq-batchnorm-normalize``, ``eq-batchnorm-scale``、
    逆伝播 ``eq-batchnorm-dgamma``, ``eq-batchnorm-dbeta``, ``eq-batchnorm-dx``、
    推論に使う移動平均 ``eq-batchnorm-running-mean``, ``eq-batchnorm-running-var``。
    ``gamma``, ``beta``: ``(D,)``、どちらも float32 か、どちらも float64。``decay_rate``: 移動平均の減衰率 ρ。``eps``: 分母の ε(正の数)。
    学習中(``training=True``)はミニバッチの、推論では移動平均の、平均と分散を使う。
    学習中の標本が 1 つだけなら ``ValueError``。全部同じ値の列の出力は、平均の丸め誤差を除いて β になる
    (値が大きいほど誤差も大きい)。nan はその列の出力全部に現れる。移動平均の型は ``gamma`` の型のままである。
    出典: Ioffe and Szegedy (2015) arXiv:1502.03167

    >>> layer = BatchNorm(np.ones(2), np.zeros(2))
    >>> y = layer.forward(np.array([[1.0, 70.0], [2.0, 80.0], [3.0, 90.0]]), training=True)
    >>> y.round(2)                                      # 単位の違う 2 つの列が、同じ尺度になる
    array([[-1.22, -1.22],
           [ 0.  ,  0.  ],
           [ 1.22,  1.22]])
    """

    def __init__(self, gamma: Array, beta: Array, decay_rate: float = 0.9, eps: float = 1e-5):
        one_per_node(gamma=gamma, beta=beta)
        self.params = {"gamma": gamma, "beta": beta}
        self.grads = {"gamma": np.zeros_like(gamma), "beta": np.zeros_like(beta)}
        self.decay_rate, self.eps = fraction("decay_rate", decay_rate), positive("eps", eps)
        self.running_mean, self.running_var = np.zeros_like(gamma), np.ones_like(gamma)

    def forward(self, x: Array, training: bool = True) -> Array:
        gamma, beta = self.params["gamma"], self.params["beta"]
        matrix("x", x, columns=len(gamma))
        if training and len(x) < 2:
            raise ValueError(f"学習中の BatchNorm には 2 つ以上の標本が要ります(渡された数: {len(x)})")
        if training:
            mean = x.mean(axis=0)  # eq-batchnorm-mean
            var = ((x - mean) ** 2).mean(axis=0)  # eq-batchnorm-var
            self._remember(mean, var, len(x))
        else:
            mean, var = self.running_mean, self.running_var
        self.training = training
        self.std = np.sqrt(var + self.eps)
        self.x_hat = (x - mean) / self.std  # eq-batchnorm-normalize
        return gamma * self.x_hat + beta  # eq-batchnorm-scale

    def _remember(self, mean: Array, var: Array, N: int) -> None:
        rho, mu, s = self.decay_rate, self.running_mean, self.running_var
        mu[...] = rho * mu + (1 - rho) * mean  # eq-batchnorm-running-mean
        s[...] = rho * s + (1 - rho) * N / (N - 1) * var  # eq-batchnorm-running-var

    def backward(self, dout: Array) -> Array:
        same_shape("dout", dout, self.x_hat)
        np.sum(dout * self.x_hat, axis=0, out=self.grads["gamma"])  # eq-batchnorm-dgamma
        dout.sum(axis=0, out=self.grads["beta"])  # eq-batchnorm-dbeta
        slope = self.params["gamma"] / self.std
        if not self.training:  # 推論では平均も分散も x によらない定数である
            return slope * dout
        mean, mean_x_hat = dout.mean(axis=0), (dout * self.x_hat).mean(axis=0)
        return slope * (dout - mean - self.x_hat * mean_x_hat)  # eq-batchnorm-dx
