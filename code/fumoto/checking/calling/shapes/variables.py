"""配列でありながら属性も持つもの、呼ぶこともできる名前とリスト。読者の書き方の、どれでも使えるように。"""

from typing import Any

import numpy as np

from fumoto.checking.calling.shapes.units import ByName
from fumoto.hints import Array


class Variable(np.ndarray):
    """配列であり、``.data``, ``.grad``, ``assign_sub`` なども持つもの。配列の演算は、ふつうの配列を返す。"""

    grad: Any = None
    gradient: Any = None
    derivative: Any = None
    requires_grad = True
    trainable = True
    name: str = ""

    @classmethod
    def of(cls, array: Array, name: str = "") -> "Variable":
        made = np.array(array).view(cls)
        made.name = name
        return made

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        if array is self:
            return self  # p -= … は、p を書き換える
        plain = np.asarray(array)
        return plain[()] if return_scalar else plain

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)

    def __getitem__(self, index: Any) -> Any:
        return self if isinstance(index, ByName) else super().__getitem__(index)  # node.gradients[node]

    def numpy(self) -> Array:
        return self.view(np.ndarray)

    @property
    def data(self) -> Any:
        return self.view(np.ndarray)

    @data.setter
    def data(self, value: Any) -> None:
        self[...] = value

    value = data

    def assign(self, value: Any) -> None:
        self[...] = value

    def assign_sub(self, change: Any) -> None:
        self[...] -= change

    def assign_add(self, change: Any) -> None:
        self[...] += change

    def zero_grad(self) -> None:
        self.grad = np.zeros_like(self.data)


class Name(str):
    """``var.ref`` でも ``var.ref()`` でも使える名前。"""

    def __call__(self) -> str:
        return str(self)


class ToCall(list[Any]):
    """``parameters`` でも ``parameters()`` でも使えるリスト。"""

    def __call__(self) -> list[Any]:
        return self
