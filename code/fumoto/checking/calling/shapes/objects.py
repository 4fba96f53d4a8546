"""``.data`` と ``.grad`` を持つパラメーターのオブジェクトにして渡す。

人によって名前が違う(``data``, ``value``, ``grad``, ``gradient`` など)ので、どの名前でも同じ配列が見えるようにし、更新のあとに、
どれか 1 つの名前で配列が入れ替わっていれば、ほかの名前にも写す。
"""

import re
from typing import Any, ClassVar

import numpy as np

from fumoto.checking.calling.shapes.units import ByName, Unit
from fumoto.checking.calling.shapes.variables import Name, ToCall, Variable
from fumoto.hints import Array, Arrays

DATA = ("data", "value", "val", "array", "w", "weight", "weights", "tensor", "param", "values", "p", "x")
GRADIENT = (
    "grad",
    "gradient",
    "g",
    "dw",
    "grads",
    "gradients",
    "derivative",
    "delta",
    "d",
    "dx",
    "grad_value",
)


class Parameter(ByName):
    """``DATA`` のどの名前でも重みが、``GRADIENT`` のどの名前でも勾配が見えるもの。"""

    requires_grad = True
    trainable = True
    DATA: ClassVar[tuple[str, ...]] = DATA
    GRADIENT: ClassVar[tuple[str, ...]] = GRADIENT

    def __init__(self, name: str, array: Array):
        self.name = name
        self.hold(array)

    def put(self, names: tuple[str, ...], array: Any) -> None:
        for name in names:
            self.__dict__[name] = array

    def refresh(self) -> Any:
        """どれかの名前で入れ替わった重みを、ほかの名前にも写し、その重みを返す。"""
        seen = [self.__dict__.get(name) for name in self.DATA]
        self.hold(next((array for array in seen if array is not self.current), self.current))
        return self.current

    def hold(self, array: Any) -> None:
        """いまの重みを ``array`` にする。"""
        self.current = array
        self.put(self.DATA, array)

    @property
    def shape(self) -> Any:
        return np.shape(self.current)

    @property
    def size(self) -> Any:
        return np.size(self.current)

    @property
    def dtype(self) -> Any:
        return np.asarray(self.current).dtype

    def update(self, value: Any) -> None:
        self.put(self.DATA, value)

    assign = update

    def assign_add(self, change: Any) -> None:
        self.update(self.current + change)

    def assign_sub(self, change: Any) -> None:
        self.update(self.current - change)

    @property
    def ref(self) -> Name:
        return Name(self.name)

    def zero_grad(self) -> None:
        self.put(self.GRADIENT, np.zeros_like(self.current))

    cleargrad = zero_grad


_WORDS = frozenset(
    ["m", "v", "s", "h", "r", "u", "exp", "avg", "ema", "mom", "momentum", "moment", "velocity", "vel", "buf", "buffer", "cache", "acc", "accumulator", "sum", "square", "squares", "sq", "state", "prev", "grad", "delta"]
)
_COUNTS = ("t", "step", "steps")


class _RememberingParameter(Parameter):
    """``p.exp_avg`` のような状態を、はじめから 0 で持っているもの。"""

    def __getattr__(self, name: str) -> Any:
        if name not in _COUNTS and not _WORDS.issuperset(re.sub("[0-9]", "", name.lower()).split("_")):
            raise AttributeError(name)
        self.__dict__[name] = 0 if name in _COUNTS else np.zeros_like(self.current)
        return self.__dict__[name]


class _ShortParameter(Parameter):
    """``.d`` が重みで、``.g`` が勾配であるもの(NNabla の Variable)。"""

    DATA: ClassVar[tuple[str, ...]] = ("d",)
    GRADIENT: ClassVar[tuple[str, ...]] = ("g",)


class _Objects(Unit):
    """パラメーターのリスト。勾配も、配列でありながら ``.data`` を持つ。"""

    def __init__(self, params: Arrays, kind: type[Parameter] = Parameter):
        super().__init__(params)
        self.objects = [kind(key, w) for key, w in params.items()]
        self.weights: Any = ToCall(self.objects)

    def put(self, grads: Arrays) -> None:
        self.gradients = [grads[key] for key in self.keys]
        for each, g in zip(self.objects, self.gradients, strict=True):  # 使ったあとに 0 にするのは、正しい
            each.put(each.GRADIENT, Variable.of(g))

    def read(self) -> Arrays:
        return {key: each.refresh() for key, each in zip(self.keys, self.objects, strict=True)}

    def zeros(self, name: str) -> Any:
        return [np.zeros_like(each.current) for each in self.objects]


class _OneObject(_Objects):
    """パラメーター 1 つ。"""

    def __init__(self, params: Arrays):
        super().__init__(params)
        self.weights = self.objects[0]

    def put(self, grads: Arrays) -> None:
        super().put(grads)
        self.gradients = self.gradients[0]

    def zeros(self, name: str) -> Any:
        return np.zeros_like(self.objects[0].current)


class _NamedObjects(_Objects):
    """パラメーターの辞書。"""

    def __init__(self, params: Arrays, kind: type[Parameter] = Parameter):
        super().__init__(params, kind)
        self.weights = dict(zip(self.keys, self.objects, strict=True))

    def put(self, grads: Arrays) -> None:
        super().put(grads)
        self.gradients = grads


class _Variables(Unit):
    """``.grad`` を持つ配列のリスト。"""

    def __init__(self, params: Arrays):
        super().__init__(params)
        self.weights: Any = [Variable.of(w, key) for key, w in params.items()]

    def put(self, grads: Arrays) -> None:
        self.gradients = [grads[key] for key in self.keys]
        for w, g in zip(self.weights, self.gradients, strict=True):
            w.grad = w.gradient = w.derivative = np.array(g)

    def read(self) -> Arrays:
        return dict(zip(self.keys, self.weights, strict=False))

    def zeros(self, name: str) -> Any:
        return [np.zeros_like(w.data) for w in self.weights]


class _OfValues(_Objects):
    """パラメーターのリスト。``.value`` が、``.grad`` と ``.derivative`` を持つ。"""

    def put(self, grads: Arrays) -> None:
        super().put(grads)
        for each, g in zip(self.objects, self.gradients, strict=True):
            value = Variable.of(each.current, each.name)
            value.grad = value.gradient = value.derivative = np.array(g)
            each.hold(value)


def in_objects(params: Arrays) -> list[Unit]:
    """``.data`` と ``.grad`` を持つもののリスト。"""
    return [_Objects(params)]


def in_remembering_objects(params: Arrays) -> list[Unit]:
    """``.data`` と ``.grad`` と 0 の状態を持つもののリスト。"""
    return [_Objects(params, _RememberingParameter)]


def in_named_objects(params: Arrays) -> list[Unit]:
    """``.data`` と ``.grad`` を持つものの辞書。"""
    return [_NamedObjects(params)]


def in_short_objects(params: Arrays) -> list[Unit]:
    """``.d`` と ``.g`` を持つもののリスト。"""
    return [_Objects(params, _ShortParameter)]


def in_named_short_objects(params: Arrays) -> list[Unit]:
    """``.d`` と ``.g`` を持つものの辞書。"""
    return [_NamedObjects(params, _ShortParameter)]


class _PairsOfObjects(_Objects):
    """(勾配, パラメーター) の組のリスト。"""

    @property
    def registered(self) -> Any:
        return list(self.objects)

    def put(self, grads: Arrays) -> None:
        super().put(grads)
        self.weights = list(zip(self.gradients, self.objects, strict=True))


def in_pairs_of_objects(params: Arrays) -> list[Unit]:
    """(勾配, ``.value`` を持つもの) の組のリスト。"""
    return [_PairsOfObjects(params)]


def in_variables(params: Arrays) -> list[Unit]:
    """``.grad`` を持つ配列のリスト。"""
    return [_Variables(params)]


def in_objects_of_values(params: Arrays) -> list[Unit]:
    """``.value.grad`` か ``.value.derivative`` を持つもののリスト。"""
    return [_OfValues(params)]


def object_by_object(params: Arrays) -> list[Unit]:
    """``.data`` と ``.grad`` を持つものを、1 つずつ。"""
    return [_OneObject({key: w}) for key, w in params.items()]
