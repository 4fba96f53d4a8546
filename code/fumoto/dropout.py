"""ドロップアウトの層。使い方はほかの層(``fumoto.layers``)と同じ。"""

from fumoto.hints import Array, Rng
from fumoto.layers import Activation
from fumoto.validation import fraction, generator, same_shape


class Dropout(Activation):
    """ドロップアウト: 学習中は、値を 1 つずつ確率 ``rate`` で 0 にし、残りを 1/(1-rate) 倍する。推論では何もしない。

    式: ``eq-dropout-h``, ``eq-dropout-q``。``rate``: 0 以上 1 未満。``rng``: 消す値を選ぶ乱数の源。
    PyTorch の ``Dropout`` と同じく、学習中に倍率を掛けておく。
    出典: Srivastava et al. (2014)

    >>> import numpy as np
    >>> layer = Dropout(0.5, rng=np.random.default_rng(0))
    >>> layer.forward(np.ones((2, 4)))
    array([[2., 0., 0., 0.],
           [2., 2., 2., 2.]])
    >>> layer.forward(np.ones((1, 4)), training=False)
    array([[1., 1., 1., 1.]])
    """

    def __init__(self, rate: float = 0.5, *, rng: Rng):
        super().__init__()
        self.rate, self.rng = fraction("rate", rate), generator("rng", rng)

    def forward(self, x: Array, training: bool = True) -> Array:
        self.training = training
        if not training:
            return x
        self.mask = (self.rng.random(x.shape) >= self.rate).astype(x.dtype)
        return self.mask / (1 - self.rate) * x  # eq-dropout-h

    def backward(self, dout: Array) -> Array:
        if not self.training:
            return dout
        same_shape("dout", dout, self.mask)
        return self.mask / (1 - self.rate) * dout  # eq-dropout-q
