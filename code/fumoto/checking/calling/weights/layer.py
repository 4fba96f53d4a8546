"""読者の作った 1 つの層の、重みとバイアス。"""

from dataclasses import dataclass

from fumoto.hints import Array


@dataclass(frozen=True)
class Layer:
    """1 つの層。``W``: 重み。形は ``(n_in, n_out)`` にそろえてある。``b``: バイアス。なければ None。

    ``name``, ``bias_name``: 読者の呼び名(``W1``, ``b1``)。``sizes``: その層のあるネットワークのノード数(入力から順に)。
    ``kernel``: 畳み込みの窓の大きさ(全結合の層では 1)。
    """

    W: Array
    b: Array | None = None
    name: str = ""
    bias_name: str = ""
    sizes: tuple[int, ...] = ()
    kernel: int = 1

    @property
    def n_in(self) -> int:
        """1 つの出力に入る値の数。"""
        return self.W.shape[0]

    @property
    def n_out(self) -> int:
        """1 つの入力から出る先の数。"""
        return self.W.shape[1] * self.kernel
