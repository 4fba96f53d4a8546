"""初期値の式の n(前の層のノード数)に、人がよく入れてしまうほかの数。"""

from collections.abc import Callable

#: 名前 → (説明, (n_in, n_out) → n に入れた数)。
WRONG_N: dict[str, tuple[str, Callable[[int, int], int]]] = {
    "n-out": ('次の層のノード数(PyTorch の mode="fan_out" にあたります)', lambda n_in, n_out: n_out),
    "n-sum": ("前後の層のノード数の和 n_in + n_out ", lambda n_in, n_out: n_in + n_out),
    "n-mean": ("前後の層のノード数の平均 (n_in + n_out)/2 ", lambda n_in, n_out: (n_in + n_out) // 2),
    "n-plus-1": ("前の層のノード数に 1 を足したもの", lambda n_in, n_out: n_in + 1),
    "n-elements": ("行列の要素の数 n_in × n_out ", lambda n_in, n_out: n_in * n_out),
}
