"""読者の書いたクラスや関数が、何らしいか: 最適化手法、重みの初期値、Batch Normalization、どれでもない。

名前と引数だけを見る。確かに何であるかは、動かして確かめる。
"""

import inspect
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from fumoto.checking.calling.batchnorm.functions import is_function
from fumoto.checking.calling.batchnorm.partners import is_backward
from fumoto.checking.calling.shapes.visible import is_not_written
from fumoto.checking.calling.weights.roles import in_words, role_of

_VERBS = (
    "update", "step", "optimize", "minimize", "apply", "apply_gradients", "apply_gradient", "compute_step",
    "update_one", "update_param", "update_params", "update_parameters", "update_weights", "get_update",
    "get_updates", "__call__",
)  # fmt: skip
_RATE = {"lr", "learning_rate", "eta", "alpha", "step_size", "rate", "learningrate"}
_GRADIENT = re.compile(r"_?(g|gs|gr|df|deriv\w*|d_?[wxbp]\d*|d_?(params?|theta|weights?)|\w*grad\w*)")
_METHOD = re.compile(
    r"sgd|momentum|nesterov|nag|ada_?grad|rms_?prop|ada_?delta|adam|lion|muon|gradient_?descent", re.I
)
_NORM = re.compile(r"batch_?norm|^bn|_bn(_|$)", re.I)
_SIZES = re.compile(
    r"n_?in|n_?out|fan_?in|fan_?out|in(put)?_?(size|dim|features)|out(put)?_?(size|dim|features)|rows|cols|shape"
)
_SIZE_ROLES = {"n_in", "n_out", "shape", "sizes", "hidden", "hiddens"}
_PRINTED = re.compile(r"xavier|glorot|kaiming|(^|_)he(_|$)|lecun", re.I)  # 初期値の名前
_INITIAL = re.compile(rf"{_PRINTED.pattern}|init", re.I)


@dataclass(frozen=True)
class Kind:
    """``name``: 何らしいか(``"optimizer"``, ``"initializer"``, ``"batchnorm"``)。``surely``: それを書いたつもりに違いないか。``why``: どれらしくもないときの理由。"""

    name: str | None
    surely: bool = True
    why: str = ""


def kind_of(name: str, thing: Any, others: Collection[Any] = ()) -> Kind:
    """``name`` という名前の ``thing`` が何らしいか。``others``: 同じファイルのほかのもの。

    >>> def my_he(rng, n_in, n_out): ...
    >>> kind_of("my_he", my_he).name
    'initializer'
    >>> def plot(x): ...
    >>> kind_of("plot", plot).why
    '最適化手法、初期値、BatchNorm のどれの形でもありません'
    """
    if name.startswith("_"):
        return Kind(None, why="名前が _ で始まります")
    return _class_kind(thing, others) if issubclass(type(thing), type) else _function_kind(name, thing)


_OTHER = Kind(None, why="最適化手法、初期値、BatchNorm のどれの形でもありません")


def _class_kind(thing: type, others: Collection[Any]) -> Kind:
    own = {name for base in thing.__mro__ if base is not object for name in vars(base)}
    made_with = _parameters(getattr(thing, "__init__", None))
    if {"forward", "backward"} <= own:
        is_norm = {"gamma", "beta"} <= set(made_with) or _NORM.search(thing.__name__)
        return Kind("batchnorm") if is_norm else Kind(None, why="BatchNorm ではない層です")
    if own & {"forward", "__call__"} and _NORM.search(thing.__name__):
        return Kind("batchnorm")
    if _PRINTED.search(in_words(thing.__name__)) and not issubclass(thing, BaseException):
        return Kind("initializer") if _does_something(thing, own) else Kind(None, why="中身がありません")
    verbs = [verb for verb in _VERBS if verb in own]
    if not verbs or issubclass(thing, BaseException):
        return _OTHER
    parents = {base for other in others if issubclass(type(other), type) for base in other.__mro__[1:]}
    if inspect.isabstract(thing) or all(is_not_written(getattr(thing, verb, None)) for verb in verbs):
        return Kind(None, why="基底クラスです" if thing in parents else "中身がありません")
    takes = [name for verb in verbs for name in _parameters(getattr(thing, verb, None))]
    likely = any(map(_GRADIENT.fullmatch, takes)) or _RATE & set(made_with) or _METHOD.search(thing.__name__)
    return Kind("optimizer") if likely else _OTHER


def _function_kind(name: str, thing: Any) -> Kind:
    if _NORM.search(name):
        if is_backward(name):
            return Kind(None, why="BatchNorm の逆伝播です。同じ名前の順伝播と一緒に確かめます")
        if is_function(thing):
            return Kind("batchnorm")
    parameters = _parameters(thing)
    sizes = sum(bool(_SIZES.fullmatch(p)) for p in parameters)
    called_so = bool(_INITIAL.search(in_words(name)))
    if sizes >= 2 or (sizes and called_so):
        return Kind("initializer", called_so)
    if called_so and any(role_of(p) in _SIZE_ROLES for p in parameters):  # init(layer_dims) は、He とは限らない
        return Kind("initializer", bool(_PRINTED.search(in_words(name))))
    inner = [code for code in thing.__code__.co_consts if inspect.iscode(code)]
    inside = [name for code in inner for name in code.co_varnames[: code.co_argcount]]
    if any(_GRADIENT.fullmatch(p.lower()) for p in (*parameters, *inside)) and (
        len(parameters) >= 2 or inside
    ):
        return Kind("optimizer", bool(_METHOD.search(name)))
    return _OTHER


def _does_something(thing: type, own: set[str]) -> bool:
    """自分で書いたメソッドが、どれか 1 つは、何かをしているか。"""
    methods = [getattr(thing, name, None) for name in own]
    return any(not is_not_written(method) for method in methods if inspect.isfunction(method))


def _parameters(function: Any) -> list[str]:
    try:
        return [name for name in inspect.signature(function).parameters if name != "self"]
    except Exception:  # 引数の並びの分からないもの
        return []
