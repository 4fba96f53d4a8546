"""順に並べた層。引数を確かめ、全部の重みを 1 本の配列に並べる。何を計算するかは ``fumoto.network`` にある。"""

import itertools
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from fumoto.hints import Array, Arrays, Initializer, Rng
from fumoto.initializers import he
from fumoto.joined import Joined, join
from fumoto.layers import Affine, Layer, ReLU, Residual, SoftmaxCrossEntropy, checked_labels
from fumoto.validation import array, count, float_type, fraction, generator, matrix, non_negative, reals


class Stack:
    """全結合層と活性化関数を交互に並べた層と、最後の損失の層 ``loss_layer``。

    ``sizes``: 各層のノード数、例えば ``[784, 100, 10]``。``rng``: 初期値を作る乱数の源。
    ``activation``: 活性化関数の層のクラス(引数なしで層を作るもの)。``initializer``: ``(rng, n_in, n_out)`` から重みを作る関数。
    ``batchnorm``: 隠れ層の活性化関数の前(``"before"``)か後(``"after"``)に ``BatchNorm`` を挟む。``None`` なら挟まない。
    ``residual``: 真なら、前の層と同じノード数の隠れ層を、残差接続 ``Residual`` にする(``batchnorm``、``dropout`` とは一緒に使えない)。
    ``weight_decay``: 重み減衰(``eq-weight-decay``)の強さ λ。バイアスと γ, β にはかけない。
    ``dropout``: 隠れ層の出力を消す割合(``Dropout``)。消す値を選ぶ乱数の源は、``rng`` から分ける(``rng`` は進まない)。
    ``dtype``: 重みの型(学習は float32、勾配の検算は float64)。
    ``params`` は ``"W1", "b1", "gamma1", "beta1", "W2", …`` という名前の配列の辞書で、最適化手法が書き換える。
    どの配列も、全部の重みを並べた 1 本の配列 ``vector`` の一部を指している。差し替えると、値が ``vector`` に写される。
    写し(``copy.copy``, ``copy.deepcopy``, ``pickle``)は、自分の重みを持ち、独立に学習する。
    引数がおかしければ ``TypeError`` / ``ValueError``。
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Callable[[], Layer] = ReLU,
        initializer: Initializer = he,
        *,
        rng: Rng,
        batchnorm: str | None = None,
        residual: bool = False,
        weight_decay: float = 0.0,
        dropout: float = 0.0,
        dtype: DTypeLike = np.float32,
    ):
        if not isinstance(sizes, Sequence) or len(sizes) < 2:
            raise ValueError(f"sizes は入力と出力の 2 つ以上の数の並びです(渡された値: {sizes!r})")
        generator("rng", rng)
        for name, value in (("activation", activation), ("initializer", initializer)):
            if not callable(value):
                raise TypeError(f"{name} は層のクラスか関数でなければなりません(渡されたもの: {value!r})")
        if batchnorm not in (None, "before", "after"):
            raise ValueError(f'batchnorm は None, "before", "after" のどれかです(渡された値: {batchnorm!r})')
        if residual not in (False, True) or (residual and (batchnorm or dropout)):
            raise ValueError(
                "residual は、batchnorm も dropout もないときの True か、False です"
                f"(渡された値: residual={residual!r}, batchnorm={batchnorm!r}, dropout={dropout!r})"
            )
        dtype = float_type("dtype", dtype)
        self._sizes = sizes = [count(f"sizes[{i}]", n) for i, n in enumerate(sizes)]
        self.weight_decay = non_negative("weight_decay", weight_decay)
        dropout = fraction("dropout", dropout)
        self._layers: list[tuple[int, Layer]] = []
        for i, (n_in, n_out) in enumerate(itertools.pairwise(sizes), start=1):
            W = np.array(initializer(rng, n_in, n_out), dtype)
            if W.shape != (n_in, n_out):
                raise ValueError(
                    f"initializer は形 {n_in, n_out} の重みを返さなければなりません(返された形: {W.shape})"
                )
            if residual and 1 < i < len(sizes) - 1 and n_in == n_out:
                self._layers.append((i, Residual(W, np.zeros(n_out, dtype), _activation(activation))))
                continue
            self._layers.append((i, Affine(W, np.zeros(n_out, dtype), input_gradient=i > 1)))
            if i == len(sizes) - 1:
                break  # 出力層には活性化関数がない
            if batchnorm == "before":
                self._layers.append((i, _batchnorm(n_out, dtype)))
            self._layers.append((i, _activation(activation)))
            if batchnorm == "after":
                self._layers.append((i, _batchnorm(n_out, dtype)))
            if dropout:
                self._layers.append((i, _dropout(dropout, rng)))
        weights = {f"{name}{i}": w for i, layer in self._layers for name, w in layer.params.items()}
        self._joined = join(weights, dtype)
        self.params: Arrays = self._joined
        self.grads = self._joined.like(np.zeros_like(self._joined.vector))
        self._hand_out()
        self.loss_layer = SoftmaxCrossEntropy()

    __copy__ = deepcopy  # 浅い写しだと、重みを元と共有し、片方の学習でもう片方も変わる

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._hand_out()  # 層の配列も 1 つずつ写されているので、この写しの 1 本の配列の部分に替える

    @property
    def layers(self) -> list[tuple[int, Layer]]:
        """``(番号, 層)`` を、入力に近い方から並べたもの。

        辞書の配列が(その場での書き換えでなく)差し替えられていても、層はその値を使う。
        """
        self._gather()
        return self._layers

    @property
    def vector(self) -> Array:
        """全部の重みを並べた 1 本の配列 ``(重みの総数,)``。``params`` の配列は、その一部を指す。

        要素ごとに計算する手法は、この 1 本だけを更新すればよい。

        >>> net = Stack([4, 5, 3], rng=np.random.default_rng(0))
        >>> net.vector.shape
        (43,)
        >>> net.vector[...] = 0
        >>> net.params["W2"].any()
        np.False_
        """
        self._gather()
        return self._joined.vector

    @property
    def gradient_vector(self) -> Array:
        """いちばん新しい勾配を並べた 1 本の配列。並び順は ``vector`` と同じ。"""
        return self.grads.vector

    def new_grads(self) -> Joined:
        """勾配の新しい辞書。どの層も、勾配をその配列に書き込むようになる。前の勾配は、そのまま残る。"""
        self.grads = grads = self._joined.like(np.empty_like(self._joined.vector))
        for number, layer in self._layers:
            layer.grads = {name: grads[f"{name}{number}"] for name in layer.params}
        return grads

    def check_data(self, x: Array, t: Array) -> Array:
        """``x``, ``t`` と、差し替えられた重みで学習できるかを確かめる。返すのは ``t``。できなければ ``TypeError`` / ``ValueError``。"""
        self._gather()
        return checked_labels((len(matrix("x", x, columns=self._sizes[0])), self._sizes[-1]), t)

    def _gather(self) -> None:
        """差し替えられた配列の値を、1 本の配列の、その名前の部分に写す。"""
        parts = self._joined.parts
        replaced = [name for name, part in parts.items() if self.params.get(name) is not part]
        values = {name: self._replacement(name) for name in replaced}
        for name, value in values.items():
            parts[name][...] = value
            self.params[name] = parts[name]

    def _replacement(self, name: str) -> Array:
        argument, shape = f"params[{name!r}]", self._joined.parts[name].shape
        value = reals(argument, array(argument, self.params.get(name)))
        if value.shape != shape:
            raise ValueError(f"{argument} は {shape} でなければなりません(渡された形: {value.shape})")
        return value.copy()  # ほかの名前の部分を入れたのかもしれない

    def _hand_out(self) -> None:
        """各層に、辞書 ``params`` と ``grads`` の配列を渡す。層は、いつも 1 本の配列の部分を使う。"""
        self._gather()
        for number, layer in self._layers:
            layer.grads = {name: self.grads[f"{name}{number}"] for name in layer.params}
            layer.params = {name: self.params[f"{name}{number}"] for name in layer.params}


def _activation(make: Callable[[], Layer]) -> Layer:
    """``make()`` の作る層。``np.tanh`` のような、層を作らない関数なら ``TypeError``。"""
    try:
        layer: Any = make()
    except TypeError:  # 引数の要る関数
        layer = None
    if not all(hasattr(layer, name) for name in ("forward", "backward", "params")):
        raise TypeError(f"activation は ReLU のような層のクラスでなければなりません(渡されたもの: {make!r})")
    return layer


def _batchnorm(n: int, dtype: DTypeLike) -> Layer:
    """γ = 1, β = 0 から始まる BatchNorm。使わないネットワークは、その実装を読み込まない。"""
    from fumoto.batchnorm import BatchNorm

    return BatchNorm(np.ones(n, dtype), np.zeros(n, dtype))


def _dropout(rate: float, rng: Rng) -> Layer:
    """自分の乱数の源を持つドロップアウト。使わないネットワークは、その実装を読み込まない。"""
    from fumoto.dropout import Dropout

    [own] = rng.spawn(1)  # 消す割合を変えても、重みの初期値とミニバッチの並びは同じになる
    return Dropout(rate, rng=own)
