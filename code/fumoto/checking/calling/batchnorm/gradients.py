"""逆伝播のあとの、γ と β の勾配のあるところ: 返されたもの、``grads["gamma"]``、``dgamma``、``gamma.grad`` など。"""

from typing import Any

import numpy as np

from fumoto.checking.calling.batchnorm.placing import BOTH, places
from fumoto.checking.calling.batchnorm.roles import NAMED
from fumoto.checking.calling.safety import ReaderError
from fumoto.checking.calling.shapes.making import look
from fumoto.checking.calling.shapes.visible import attributes
from fumoto.checking.calling.values import normal
from fumoto.hints import Shape


def shape_of(value: Any) -> Shape | None:
    """配列なら、その形。"""
    return value.shape if isinstance(value, np.ndarray | np.generic) else None


_DICTIONARIES = ("grads", "grad", "gradients", "gradient", "dparams", "d")
_INPUT = ("dx", "dX", "dinputs", "dinput", "grad_input", "dz", "dZ", "grad_x", "x", "X")


def gradients_in(layer: Any, returned: Any, shape: Shape) -> dict[str, Any]:
    """入力、γ、β の勾配(``"x"``, ``"gamma"``, ``"beta"`` → 値)。``shape``: 入力の形。γ か β のものがなければ ``ReaderError``。"""
    found = in_returned(returned, shape)
    for which in BOTH:
        if found.get(which) is None:
            found[which] = _in_layer(layer, which)
        if found[which] is None:
            raise ReaderError(f'backward のあとに grads["{which}"] も d{which} もありません。')
    if found.get("x") is None:
        found["x"] = next(
            (v for name in _INPUT if (v := look(layer, name)) is not None and name[0] != "x"), None
        )
    return found


def in_returned(returned: Any, shape: Shape) -> dict[str, Any]:
    """返されたものの中の勾配: 配列 1 つ(入力)、``(dx, dgamma, dbeta)``、``{"dx": …, "dgamma": …}``。"""
    if isinstance(returned, dict):
        names = {which: _named(returned, which) for which in BOTH}
        return {**names, "x": next((returned[name] for name in _INPUT if name in returned), None)}
    if not isinstance(returned, tuple | list):
        return {"x": returned}
    place = next((i for i, each in enumerate(returned) if shape_of(each) == shape), 0)
    others = [each for i, each in enumerate(returned) if i != place]
    found = {"x": returned[place] if len(returned) else None}
    if len(others) == 1 and isinstance(others[0], dict | tuple | list):
        inner = (
            in_returned(others[0], shape)
            if isinstance(others[0], dict)
            else dict(zip(BOTH, others[0], strict=False))
        )
        return {**inner, **found}
    return {**dict(zip(BOTH, others, strict=False)), **found}


def _in_layer(layer: Any, which: str) -> Any:
    for place in places(layer, which):  # gamma.grad
        if (grad := look(place.box, "grad")) is not None and place.name in ("data", "value"):
            return grad
    own = {name: getattr(layer, name, None) for name in dir(layer) if not name.startswith("__")} | attributes(
        layer
    )
    for name in _DICTIONARIES:
        inside = own.get(name)
        if isinstance(inside, dict) and (value := _named(inside, which)) is not None:
            return value
    if (value := _named(own, which, bare=False)) is not None:
        return value
    listed = next((own[name] for name in _DICTIONARIES if isinstance(own.get(name), list | tuple)), None)
    return None if listed is None or len(listed) != 2 else listed[list(BOTH).index(which)]


def _named(inside: dict[Any, Any], which: str, bare: bool = True) -> Any:
    """``dgamma`` や ``gamma_grad`` のような名前のもの。``bare``: ``gamma`` そのままでもよいか。"""
    plain = {normal(name): value for name, value in inside.items() if isinstance(name, str)}
    for name in NAMED[BOTH[which]]:
        names = [f"d{name}", f"grad{name}", f"{name}grad", f"{name}grads", f"grads{name}", f"gradient{name}"]
        names += [f"{name}gradient", f"delta{name}", f"dld{name}", f"ded{name}", f"g{name}"] + [name] * bare
        for each in names:
            if plain.get(each) is not None and not callable(plain[each]):
                return plain[each]
    return None
