"""重みと勾配を持つ層のリスト、層 1 つずつ、層を持つネットワークにして渡す。

名前は人によって違う(``layer.params["W"]``, ``layer.W``, ``layer.weights``, ``layer.dweights`` など)ので、どの名前でも同じ配列が見えるようにする。
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fumoto.checking.calling.shapes.objects import GRADIENT, Parameter
from fumoto.checking.calling.shapes.units import ByName, Unit, gradient_of, padded, with_biases
from fumoto.checking.calling.shapes.variables import Variable
from fumoto.hints import Array, Arrays

#: 重みかバイアスか → 層の属性の名前。
HELD = {
    "W": ("W", "w", "weights", "weight", "kernel", "Weights"),
    "b": ("b", "B", "biases", "bias", "Biases"),
}
#: 重みかバイアスか → その勾配の、層の属性の名前。
GRADIENTS = {
    "W": (
        *("dW", "dw", "dweights", "dweight", "d_weights", "d_weight", "grad_W", "grad_w", "grad_weights", "grad_weight"),
        *("weights_grad", "weight_grad", "W_grad", "w_grad", "weights_gradient", "grads_w", "grads_W", "delta_W", "delta_w"),
        *("gradient_weights", "weights_gradients", "weight_gradient", "d_W", "d_w", "gradW", "gradw", "dL_dW", "dkernel"),
    ),
    "b": (
        *("db", "dB", "dbiases", "dbias", "d_biases", "d_bias", "grad_b", "grad_biases", "grad_bias"),
        *("biases_grad", "bias_grad", "b_grad", "biases_gradient", "bias_gradient", "grads_b", "delta_b"),
        *("gradient_biases", "gradient_bias", "bias_gradients", "d_b", "gradb", "dL_db"),
    ),
}  # fmt: skip


class _Layer(ByName):
    """重みとバイアスを持つ層。``lists``: ``params`` と ``grads`` が、辞書でなくリストか。"""

    trainable = True
    has_params = True

    def __init__(self, name: str, arrays: tuple[Array, Array], lists: bool = False):
        self.name, self.lists = name, lists
        self.current = dict(zip("Wb", arrays, strict=True))
        self.params: Any = list(arrays) if lists else dict(self.current)
        self.grads: Any = [] if lists else {}
        for kind, array in self.current.items():
            self.hold(kind, array)

    def hold(self, kind: str, array: Any) -> None:
        """いまの重みかバイアスを ``array`` にする。"""
        self.current[kind] = array
        self.params["Wb".index(kind) if self.lists else kind] = array
        for name in HELD[kind]:
            self.__dict__[name] = array

    def put(self, gradients: dict[str, Array]) -> None:
        """勾配を、どの名前でも見えるようにする。"""
        gradients = {kind: np.array(g) for kind, g in gradients.items()}
        self.grads = list(gradients.values()) if self.lists else _GradientsToCall(gradients)
        self.gradients = self.grads
        for kind, g in gradients.items():
            for name in GRADIENTS[kind]:
                self.__dict__[name] = g

    def refresh(self) -> tuple[Any, Any]:
        """どれかの名前で入れ替わった重みを、ほかの名前にも写し、重みとバイアスを返す。"""
        for place, kind in enumerate("Wb"):
            inside = self.params[place] if self.lists else self.params[kind]
            seen = [inside, *(self.__dict__.get(name) for name in HELD[kind])]
            own = self.current[kind]
            self.hold(kind, next((array for array in seen if array is not own), own))
        return self.current["W"], self.current["b"]

    def parameters(self) -> list[Any]:
        return list(self.current.values())

    get_params = parameters


class _GradientsToCall(dict[str, Array]):
    """``layer.grads["W"]`` でも ``layer.grads()`` でも使える辞書。"""

    def __call__(self) -> list[Array]:
        return list(self.values())


class _RememberingLayer(_Layer):
    """``layer.v_w`` のような状態を、はじめから 0 で持っている層。"""

    def __getattr__(self, name: str) -> Any:
        found = _STATE.fullmatch(name.lower().replace("_", ""))
        if found is None:
            raise AttributeError(name)
        kind = "b" if "b" in (found["before"] or found["after"]) else "W"
        self.__dict__[name] = np.zeros_like(self.current[kind])
        return self.__dict__[name]


_KIND = r"d?(?:weights?|biases|bias|w|b)"
_WHAT = (
    r"(?:m|v|s|h|r|u|caches?|vel|velocity|velocities|mom|moms|momentums?|moments?|squares?|sq|acc|prev)[0-9]?"
)
_STATE = re.compile(rf"{_WHAT}(?P<after>{_KIND})|(?P<before>{_KIND}){_WHAT}")


def _paired(params: Arrays) -> Arrays:
    """重みとバイアスの組になる並び。行列だけの手法(Muon)なら、どの行列も重みである。"""
    return with_biases(params) if all(np.ndim(w) == 2 for w in params.values()) else padded(params)


class _Layers(Unit):
    """層のリスト。``layer``: 層のクラス。"""

    def __init__(
        self, params: Arrays, lists: bool = False, layer: type[_Layer] = _Layer, pair: Callable[[Arrays], Arrays] = _paired
    ):
        params = pair(params)
        super().__init__(params)
        arrays = list(params.values())
        both = zip(arrays[0::2], arrays[1::2], strict=True)
        self.layers = [layer(f"layer{i}", pair, lists) for i, pair in enumerate(both, start=1)]
        self.weights: Any = self.layers

    def put(self, grads: Arrays) -> None:
        for i, layer in enumerate(self.layers):
            two = zip(self.keys[2 * i : 2 * i + 2], layer.current.items(), strict=True)
            layer.put({kind: gradient_of(grads, key) for key, (kind, w) in two})
        self.gradients = [layer.grads for layer in self.layers]

    def read(self) -> Arrays:
        return dict(zip(self.keys, [w for layer in self.layers for w in layer.refresh()], strict=True))

    def zeros(self, name: str) -> Any:
        return [{kind: np.zeros_like(w) for kind, w in layer.current.items()} for layer in self.layers]


class _OneLayer(_Layers):
    """層 1 つ。勾配は、層にも入れ、``dW`` と ``db`` の引数にも渡せるようにする。"""

    def __init__(self, params: Arrays, lists: bool = False, layer: type[_Layer] = _Layer):
        super().__init__(params, lists, layer)
        self.weights = self.layers[0]

    def put(self, grads: Arrays) -> None:
        super().put(grads)
        self.gradients, self.bias_gradient = (gradient_of(grads, key) for key in self.keys)


class _Dictionaries(_Layers):
    """``[{"W": …, "b": …}, …]``。勾配も同じ形。"""

    def __init__(self, params: Arrays):
        super().__init__(params)
        self.weights = [layer.params for layer in self.layers]


class _Network(_Layers):
    """層を持つネットワーク。``model.layers`` でも、``model.parameters()`` でも、``model.params`` でも重みが見える。"""

    def __init__(self, params: Arrays, model: "type[_Model] | None" = None):
        super().__init__(params, pair=padded)
        self.model = (model or _Model)(self.layers, padded(params))
        self.weights = self.model

    def put(self, grads: Arrays) -> None:
        super().put(grads)
        self.model.put({key: gradient_of(grads, key) for key, w in self.model.params.items()})
        self.gradients = self.model.grads

    def read(self) -> Arrays:
        return self.model.refresh(super().read())


class _Model:
    """``_Network`` が読者に渡すもの。"""

    def __init__(self, layers: list[_Layer], params: Arrays):
        self.layers = self.trainable_layers = layers
        self.known = dict(params)
        self.params: Any = _ParamsToCall(params)
        self.params.objects = self.objects = [Parameter(key, w) for key, w in params.items()]
        self.grads: Arrays = {}

    def put(self, grads: Arrays) -> None:
        self.grads = self.gradients = {key: np.array(g) for key, g in grads.items()}
        for each in self.objects:
            each.put(GRADIENT, Variable.of(self.grads[each.name]))

    def refresh(self, from_layers: Arrays) -> Arrays:
        """どこかで入れ替わった重みを、ほかの見え方にも写す。"""
        for i, each in enumerate(self.objects):
            seen = (from_layers[each.name], each.refresh(), self.params[each.name])
            own = next((w for w in seen if w is not self.known[each.name]), self.known[each.name])
            self.known[each.name] = self.params[each.name] = own
            each.hold(own)
            self.layers[i // 2].hold("Wb"[i % 2], own)
        return dict(self.known)

    def parameters(self) -> list[Parameter]:
        return self.objects

    trainable_parameters = get_parameters = parameters

    def params_and_grads(self) -> list[tuple[Any, Array]]:
        return [(self.known[key], self.grads[key]) for key in self.known]

    parameters_and_gradients = get_params_and_grads = params_and_gradients = params_and_grads

    def named_parameters(self) -> list[tuple[str, Parameter]]:
        return [(each.name, each) for each in self.objects]

    def __iter__(self) -> Iterator[_Layer]:
        return iter(self.layers)


class _ArrayModel(_Model):
    """``parameters()`` と ``gradients()`` が、配列を返すネットワーク。"""

    def put(self, grads: Arrays) -> None:
        super().put(grads)
        del self.gradients  # 属性でなく、下のメソッドにする

    def gradients(self) -> list[Array]:  # type: ignore[override]
        return list(self.grads.values())

    get_gradients = get_grads = gradients

    def parameters(self) -> list[Any]:
        return list(self.known.values())

    get_parameters = get_params = parameters


class _ParamsToCall(dict[str, Any]):
    """``model.params["W"]`` でも ``model.params()`` でも使える辞書。"""

    objects: list[Parameter]

    def __call__(self) -> list[Parameter]:
        return self.objects


def in_layers(params: Arrays) -> list[Unit]:
    """重みと勾配を持つ層のリスト。"""
    return [_Layers(params)]


def in_remembering_layers(params: Arrays) -> list[Unit]:
    """状態もはじめから持っている層のリスト。"""
    return [_Layers(params, layer=_RememberingLayer)]


def in_layers_of_lists(params: Arrays) -> list[Unit]:
    """``params`` と ``grads`` がリストの層のリスト。"""
    return [_Layers(params, lists=True)]


def in_dictionaries(params: Arrays) -> list[Unit]:
    """層ごとの辞書のリスト。"""
    return [_Dictionaries(params)]


def in_a_network(params: Arrays) -> list[Unit]:
    """層を持つネットワーク。"""
    return [_Network(params)]


def in_a_network_of_arrays(params: Arrays) -> list[Unit]:
    """``parameters()`` と ``gradients()`` が配列を返すネットワーク。"""
    return [_Network(params, _ArrayModel)]


def layer_by_layer(params: Arrays, **options: Any) -> list[Unit]:
    """層を 1 つずつ。"""
    items = list(_paired(params).items())
    return [_OneLayer(dict(items[i : i + 2]), **options) for i in range(0, len(items), 2)]


def list_layer_by_layer(params: Arrays) -> list[Unit]:
    """``params`` と ``grads`` がリストの層を、1 つずつ。"""
    return layer_by_layer(params, lists=True)


def remembering_layer_by_layer(params: Arrays) -> list[Unit]:
    """状態もはじめから持っている層を、1 つずつ。"""
    return layer_by_layer(params, layer=_RememberingLayer)
