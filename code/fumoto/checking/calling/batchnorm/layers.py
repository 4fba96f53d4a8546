"""層の順伝播、逆伝播、移動平均。名前は人によって違うので、よく使われるものから探す。"""

from typing import Any

import numpy as np

from fumoto.checking.calling.batchnorm import modes
from fumoto.checking.calling.batchnorm.gradients import gradients_in
from fumoto.checking.calling.batchnorm.placing import columns_of
from fumoto.checking.calling.batchnorm.rates import Rates
from fumoto.checking.calling.batchnorm.roles import (
    BACKWARD,
    FLAGS,
    FORWARD,
    NAMED,
    Role,
    Taken,
    roles_in,
    taken_by,
)
from fumoto.checking.calling.batchnorm.using import InUse
from fumoto.checking.calling.safety import ReaderError, call
from fumoto.checking.calling.shapes.making import look
from fumoto.checking.calling.shapes.roles import arguments_of
from fumoto.checking.calling.shapes.visible import attributes, is_not_written
from fumoto.checking.calling.values import normal
from fumoto.hints import Array

_FORWARD = (
    *("forward", "__call__", "call", "forward_pass", "fprop", "forward_propagation", "forward_prop"),
    *("forward_train", "train_forward", "normalize", "apply", "transform"),
)
_INFERENCE = (
    *("inference", "infer", "predict", "forward_test", "forward_eval", "forward_inference", "forward_infer"),
    *("test_forward", "eval_forward", "inference_forward", "test", "evaluate"),
)
_BACKWARD = (
    "backward",
    "backward_pass",
    "bprop",
    "backprop",
    "backward_propagation",
    "backward_prop",
    "grad",
)


class LayerInUse(InUse):
    """動いている層。``layer``: 読者の層。"""

    def __init__(self, layer: Any, gamma: Array, beta: Array, rates: Rates, words: tuple[str, str]):
        super().__init__(gamma, beta, rates, words)
        self.layer = layer
        self.verb, self.taken = _forward_of(layer)
        self.flags = roles_in(self.taken) & set(FLAGS)
        self.inference = "" if self.flags else next((n for n in _INFERENCE if _takes_x(layer, n)), "")
        self.switching = "" if self.flags or self.inference else modes.switch(layer, True, words)
        self.infers = bool(self.flags or self.inference or self.switching or not self.taken)
        self.writes_mode = Role.MODE in self.flags or modes.in_words(layer)
        names = [name for name in _BACKWARD if callable(look(layer, name))]
        self.back = next((name for name in names if not is_not_written(look(layer, name))), "")
        self.backs = bool(self.back)
        if not self.infers and columns_of(layer) is None:
            raise ReaderError(
                "forward(x, True) の形で呼べません。学習中か推論かを、2 つ目の引数で決められるようにしてください。"
            )

    def forward(self, x: Array, training: bool) -> Any:
        name = self.verb if training or not self.inference else self.inference
        if self.switching:
            modes.switch(self.layer, training, self.words)
        what = f"{name}(x, {training})" if self.flags or not self.taken else f"{name}(x)"
        method = call(what, lambda: getattr(self.layer, name))
        taken = self.taken if name == self.verb else taken_by(method, FORWARD, Role.X)
        if not taken:  # 引数の並びの分からないもの
            return self.output(call(what, lambda: method(x, training)), x)
        return self.output(self.called(what, method, taken, x, training), x)

    def backward(self, dout: Array) -> dict[str, Any]:
        method = getattr(self.layer, self.back)
        taken = taken_by(method, BACKWARD, Role.DOUT)
        returned = self.called_back(f"{self.back}(dout)", method, taken, dout)
        return gradients_in(self.layer, returned, dout.shape)

    def averages(self) -> list[Array]:
        """見えるところにあれば、移動平均の写し。"""
        own = {**attributes(type(self.layer)), **attributes(self.layer)}
        known = {*NAMED[Role.MEAN], *NAMED[Role.VAR]}
        values = [getattr(self.layer, name, None) for name in own if normal(name) in known]
        return [*super().averages(), *(np.array(value) for value in values if value is not None)]

    def how(self) -> str:
        forward = {"__call__": "layer"}.get(self.verb, self.verb)
        flags = [name for name, (_, role) in self.taken.items() if role in FLAGS]
        text = f"{self.switching}{forward}({', '.join(['x', *flags])})"
        text += f" と {self.inference}(x)" * bool(self.inference)
        return f"{text}{f' と {self.back}(dout)' * self.backs} を呼びました。"


def _forward_of(layer: Any) -> tuple[str, Taken]:
    """順伝播のメソッドの名前と、その引数。学習中か推論かを受け取るものがあれば、それ。"""
    there = [name for name in _FORWARD if name == "forward" or callable(look(layer, name))]
    there = [name for name in there if look(layer, name) is not None] or ["forward"]
    taken = {name: _taken(look(layer, name)) for name in there}
    return next(
        ((name, t) for name, t in taken.items() if roles_in(t) & set(FLAGS)), (there[0], taken[there[0]])
    )


def _taken(method: Any) -> Taken:
    taken = taken_by(method, FORWARD, Role.X)
    for name, (argument, role) in list(taken.items())[1:2]:  # 名前が違っても、2 つ目が、学習中かどうかだろう
        if role is Role.OTHER and (argument.required or isinstance(argument.default, bool | str)):
            mode = isinstance(argument.default, str)
            taken[name] = (argument, Role.MODE if mode else Role.TRAINING)
    return taken


def _takes_x(layer: Any, name: str) -> bool:
    method = look(layer, name)
    return callable(method) and sum(a.required for a in arguments_of(method).listed) == 1
