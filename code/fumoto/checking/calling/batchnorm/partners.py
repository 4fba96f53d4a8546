"""順伝播の関数と同じファイルにある、逆伝播の関数を見つけ、組にする。"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from fumoto.checking.calling.batchnorm.functions import is_function
from fumoto.checking.calling.shapes.making import look
from fumoto.checking.calling.shapes.roles import arguments_of
from fumoto.checking.calling.shapes.visible import is_not_written
from fumoto.checking.calling.values import normal

_FORWARD = r"forward(pass|prop)?|fwd|fprop|train"
_BACKWARD = r"backward(pass|prop)?|backprop|bprop|bwd|back|gradients?|grads?"
_VERSION = r"(alt\w*|simpl\w*|naive|fast|v?\d+)?"


@dataclass(frozen=True)
class Together:
    """順伝播の関数と、その逆伝播の関数。"""

    forward: Callable[..., Any]
    backwards: tuple[Callable[..., Any], ...] = ()


def together(thing: Any) -> Any:
    """``thing`` が順伝播の関数なら、同じファイルの逆伝播の関数との組。ほかのものは、そのまま。"""
    if isinstance(thing, Together) or not is_function(thing):
        return thing
    around = look(thing, "__globals__") or {}
    own = [f for f in around.values() if type(f) is FunctionType and f.__module__ == thing.__module__]
    name = str(look(thing, "__name__"))
    return Together(thing, tuple(f for f in own if f is not thing and _is_backward_of(name, f)))


def _is_backward_of(forward: str, function: FunctionType) -> bool:
    stem = _stem(forward, _FORWARD)
    return (
        is_backward(function.__name__)
        and stem == _stem(function.__name__, _BACKWARD)
        and not (is_not_written(function) or not arguments_of(function).listed)
    )


def is_backward(name: str) -> bool:
    """逆伝播の関数の名前か。

    >>> is_backward("batchnorm_backward_alt"), is_backward("batchnorm_forward"), is_backward("dbatchnorm")
    (True, False, True)
    """
    return bool(re.search(_BACKWARD, normal(name))) or normal(name).startswith(("dbatch", "dbn"))


def _stem(name: str, direction: str) -> str:
    """向きと版を除いた名前。

    >>> _stem("batch_norm_backward_alt", _BACKWARD), _stem("bn_forward", _FORWARD)
    ('bn', 'bn')
    """
    plain = re.sub(r"batchnormali[sz]ation|batchnormali[sz]e|batchnorm", "bn", normal(name))
    return re.sub(rf"^d(?=bn)|({direction}){_VERSION}", "", plain)
