"""初期値の式の n(前の層のノード数)に、人がよく入れてしまうほかの数。"""

import math
from collections.abc import Callable

from fumoto.checking.calling.weights.layer import Layer

_NONE = math.nan  # その数のない層

#: 名前 → (説明, 層 → n に入れた数)。
WRONG_N: dict[str, tuple[str, Callable[[Layer], float]]] = {
    "n-out": ('次の層のノード数(PyTorch の mode="fan_out" にあたります)', lambda layer: layer.n_out),
    "n-channels": (
        "入力のチャンネル数だけ(窓の大きさ kh × kw が抜けています)",
        lambda layer: layer.n_in // layer.kernel if layer.kernel > 1 else _NONE,
    ),
    "n-channels-out": (
        "出力のチャンネル数だけ(窓の大きさ kh × kw も抜けています)",
        lambda layer: layer.n_out // layer.kernel if layer.kernel > 1 else _NONE,
    ),
    "n-both-channels": (  # n + m が、どちらもチャンネル数になる n
        "入力と出力のチャンネル数だけ(どちらにも、窓の大きさ kh × kw が抜けています)",
        lambda layer: (layer.n_in + layer.n_out) // layer.kernel - layer.n_out if layer.kernel > 1 else _NONE,
    ),
    "n-window": (
        "窓の大きさ kh × kw だけ(入力のチャンネル数が抜けています)",
        lambda layer: layer.kernel if layer.kernel > 1 else _NONE,
    ),
    "n-first": (
        "入力の層(ネットワークのいちばん下)のノード数",
        lambda layer: layer.sizes[0] if layer.sizes else _NONE,
    ),
    "n-last": ("いちばん上の層のノード数", lambda layer: layer.sizes[-1] if layer.sizes else _NONE),
    "n-sum": ("前後の層のノード数の和 n_in + n_out ", lambda layer: layer.n_in + layer.n_out),
    "n-mean": (
        "前後の層のノード数の平均 (n_in + n_out)/2 ",
        lambda layer: (layer.n_in + layer.n_out) // 2,
    ),
    "n-plus-1": ("前の層のノード数に 1 を足したもの", lambda layer: layer.n_in + 1),
    "n-elements": ("行列の要素の数 n_in × n_out ", lambda layer: layer.W.size),
}
