"""型ヒントに使う名前。読む人と mypy のためのもので、動いているときには何もしない。"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # NumPy の配列。形と要素の型は、説明の文に書く
Arrays = dict[str, Array]  # 名前 → 配列。重み(params)と勾配(grads)
Shape = tuple[int, ...]
Rng = np.random.Generator
Hyperparameters = Mapping[str, float]  # 引数の名前 → 値
Initializer = Callable[[Rng, int, int], Array]  # (rng, n_in, n_out) → 形 (n_in, n_out) の重み


class Updates(Protocol):
    """``update(params, grads)`` を持つもの。本の最適化手法も、読者が自分で書いたものも。"""

    def update(self, params: Arrays, grads: Arrays) -> None: ...
