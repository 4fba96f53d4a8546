"""多層パーセプトロン: 値を前の層から後ろの層へ、勾配を後ろの層から前の層へ渡す。"""

import numpy as np

from fumoto.hints import Array, Arrays
from fumoto.layers import checked_labels
from fumoto.stack import Stack


class MLP(Stack):
    """全結合層と活性化関数を交互に並べたネットワーク。最後はソフトマックスと交差エントロピー。

    層の並び ``layers`` と重みの辞書 ``params`` を作る引数は、``Stack`` にある。

    >>> net = MLP([4, 5, 3], rng=np.random.default_rng(0))
    >>> [type(layer).__name__ for _, layer in net.layers]
    ['Affine', 'ReLU', 'Affine']
    >>> {name: w.shape for name, w in net.params.items()}
    {'W1': (4, 5), 'b1': (5,), 'W2': (5, 3), 'b2': (3,)}
    """

    def predict(self, x: Array, training: bool = False) -> Array:
        """出力層の値(ソフトマックスの手前)。``x``: ``(N, sizes[0])`` → ``(N, sizes[-1])``。"""
        for _, layer in self.layers:
            x = layer.forward(x, training)
        return x

    def loss(self, x: Array, t: Array) -> float:
        """損失の平均。``t``: ``(N,)`` の整数ラベル。"""
        return self.loss_layer.forward(self.predict(x), t)

    def gradient(self, x: Array, t: Array) -> tuple[float, Arrays]:
        """``(損失, 勾配の辞書)``。重み減衰は勾配にだけ入る。

        ``x`` か ``t`` がおかしければ、何も動かさずに ``TypeError`` / ``ValueError``。
        """
        t = self.check_data(x, t)  # 順伝播が、層の覚えているものを動かす前に
        loss = self.loss_layer.loss(self.predict(x, training=True), t)
        dout, grads = self.loss_layer.backward(), self.new_grads()
        for _, layer in reversed(self.layers):
            dout = layer.backward(dout)  # 重みの勾配は layer.grads に書き込まれる
            if self.weight_decay and "W" in layer.params:
                layer.grads["W"] += self.weight_decay * layer.params["W"]  # eq-weight-decay
        return loss, grads

    def accuracy(self, x: Array, t: Array) -> float:
        """正解率(0 から 1)。"""
        y = self.predict(x)
        return float(np.mean(y.argmax(axis=1) == checked_labels(y.shape, t)))
