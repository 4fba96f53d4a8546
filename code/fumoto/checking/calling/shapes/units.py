"""入れもの 1 つ: 配列の辞書を、読者の関数に渡せるものに入れ、更新のあとの重みをそこから読む。"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fumoto.hints import Array, Arrays, Shape

Split = Callable[[Arrays], Sequence["Unit"]]  # 全部の重み → それを分けて持つ、入れもの


class ByName:
    """属性を、辞書のようにも読み書きできるもの。"""

    def __getitem__(self, name: str) -> Any:
        return self.__dict__[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value

    def __contains__(self, name: str) -> bool:
        return name in self.__dict__

    def get(self, name: str, default: Any = None) -> Any:
        return self.__dict__.get(name, default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        return self.__dict__.setdefault(name, default)


class Unit:
    """いくつかの重みと、その勾配。``weights`` と ``gradients`` を読者に渡す。

    ``bias`` と ``bias_gradient`` は、重みとバイアスを別の引数で渡す形だけが使う。
    """

    weights: Any = None
    gradients: Any = None
    bias: Any = None
    bias_gradient: Any = None

    def __init__(self, params: Arrays):
        self.keys = list(params)

    @property
    def registered(self) -> Any:
        """``build(variables)`` のように、重みだけを渡しておくときに渡すもの。"""
        return self.weights

    def put(self, grads: Arrays) -> None:
        """次に渡す勾配を入れる。"""
        raise NotImplementedError

    def read(self) -> Arrays:
        """いまの重み。"""
        raise NotImplementedError

    def matches(self, value: Any) -> bool:
        """読者の返した ``value`` が、重みの全部と同じ形か。"""
        return False

    def adopt(self, value: Any) -> None:
        """読者の返したもの(``matches``)を、次の重みにする。"""
        raise NotImplementedError

    def combine(self, change: Any, sign: float) -> Any:
        """重みに、返された変化 ``change`` を足すか引くかしたもの。"""
        raise NotImplementedError

    def zeros(self, name: str) -> Any:
        """重みと同じ形の、0 から始まる状態。``name``: 読者の引数の名前。"""
        raise NotImplementedError

    @property
    def shape(self) -> Any:
        """重みの形。"""
        return {key: np.shape(w) for key, w in self.read().items()}


def alike(value: Any, shape: Shape) -> bool:
    """``value`` が、その形の実数の配列(か数)か。"""
    if not isinstance(value, np.ndarray | np.generic | float):
        return False
    return np.shape(value) == shape and np.asarray(value).dtype.kind == "f"


def zero_states(unit: Unit, name: str, initial: str) -> Any:
    """0 から始まる状態。``initial``: ``"zeros"`` なら 1 つ、``"pairs"`` なら重みごとに 2 つ、``"both"`` なら 2 つ、``"counted"`` なら 2 つと回数。"""
    m, v = unit.zeros(name), unit.zeros(name)
    if initial == "zeros":
        return m
    if initial in ("both", "counted"):
        return [m, v] if initial == "both" else [m, v, 0]
    if isinstance(m, dict):
        return {key: [m[key], v[key]] for key in m}
    return [[a, b] for a, b in zip(m, v, strict=True)] if isinstance(m, list | tuple) else [m, v]


PADDING = "(余り)"  # 相手のない重みにつけた、調べない重みの名前のはじめ
_PADDING_SHAPE = (3,)


def of_type(value: Any, like: Any) -> Any:
    """返された重みを、渡した重みと同じ型にしたもの。状態が float64 なら、返る値も float64 になるが、間違いではない。"""
    kind = np.asarray(like).dtype
    return value if np.asarray(value).dtype == kind else np.asarray(value).astype(kind)


def padded(params: Arrays, least: int = 2) -> Arrays:
    """重みとバイアスのように 2 つずつ渡す形のために、数が偶数で ``least`` 以上になるまで、余りをつけたもの。"""
    found = dict(params)
    kind = np.asarray(next(reversed(params.values()))).dtype
    while len(found) % 2 or len(found) < least:
        found[f"{PADDING}{len(found)}"] = np.zeros(_PADDING_SHAPE, kind)
    return found


def with_biases(params: Arrays) -> Arrays:
    """行列だけの手法のために、行列 1 つずつに、調べないバイアスをつけたもの。"""
    biases = {key: np.zeros(_PADDING_SHAPE, np.asarray(w).dtype) for key, w in params.items()}
    both = ((key, w, f"{PADDING}{key}", biases[key]) for key, w in params.items())
    return {name: w for key, weight, bias, zero in both for name, w in ((key, weight), (bias, zero))}


def in_groups(arrays: Sequence[Any], size: int) -> list[list[Any]]:
    """``arrays`` を ``size`` ずつに分けたもの。足りないところには、余りの 0。

    >>> [len(group) for group in in_groups([np.ones(2)] * 3, 2)]
    [2, 2]
    """
    every = [*arrays, *(np.zeros(_PADDING_SHAPE) for _ in range(-len(arrays) % size))]
    return [every[i : i + size] for i in range(0, len(every), size)]


def gradient_of(grads: Arrays, key: str) -> Array:
    """``key`` の勾配。余りには、動かないように 0。"""
    return np.zeros(_PADDING_SHAPE) if key.startswith(PADDING) else grads[key]


def example(matrices: bool = False, alike: bool = False) -> Arrays:
    """呼び方を試すための、小さな重み。層が 3 つ分ある。``matrices``: 行列だけか。``alike``: どれも同じ形か。"""
    shapes: dict[str, Shape] = {"W": (2, 3), "b": (3,), "V": (3, 2), "c": (2,), "U": (2, 2), "d": (2,)}
    if matrices:
        shapes |= {"b": (3, 3), "c": (2, 2), "d": (1, 2)}
    if alike:
        shapes = dict.fromkeys(shapes, (2, 3))
    rng = np.random.default_rng(0)
    return {key: rng.normal(size=shape) for key, shape in shapes.items()}


def unchanged(value: Any, old: Array) -> bool:
    """読者のものが、``old`` と同じ値か。比べられないものは、同じでない。"""
    try:
        return np.array_equal(np.asarray(value), old, equal_nan=True)
    except Exception:  # 長さのそろわないリストや、配列にすると例外を起こすもの
        return False


def copy_of(value: Any) -> Array:
    """読者のものの、配列としての写し。配列として読めないものは、空の配列。"""
    try:
        return np.array(value)
    except Exception:  # 長さのそろわないリストなど
        return np.empty(0)
