"""初期値の式の n(前の層のノード数)に、人がよく入れてしまうほかの数。"""

from collections.abc import Callable

#: 名前 → (説明, (n_in, n_out) → n に入れた数)。
WRONG_N: dict[str, tuple[str, Callable[[int, int], int]]] = {
    "n-out": ("次の層のノード数", lambda n_in, n_out: n_out),
    "n-elements": ("行列の要素の数 n_in × n_out ", lambda n_in, n_out: n_in * n_out),
}
