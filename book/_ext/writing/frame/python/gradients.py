"""逆伝播のあとの、γ と β の勾配のあるところ: 返されたもの、``grads["gamma"]``、``dgamma`` など。"""

from learner import attributes

from browser import self as worker

DICTIONARIES = ("grads", "grad", "gradients", "gradient", "dparams", "d")
INPUT = ("dx", "dX", "dinputs", "dinput", "grad_input", "dz", "dZ", "grad_x")
SHAPES = ("d{}", "grad{}", "{}grad", "{}grads", "grads{}", "gradient{}", "{}gradient", "delta{}", "g{}")


def in_returned(returned):
    """返されたものの中の勾配: 配列 1 つ(入力)か、``(dx, dgamma, dbeta)`` か、``{"dx": …, "dgamma": …}``。"""
    if isinstance(returned, dict):
        return {
            "x": next((returned[name] for name in INPUT if name in returned), None),
            **{which: _named(returned, (which,), SHAPES) for which in ("gamma", "beta")},
        }
    if isinstance(returned, (tuple, list)):
        return dict(zip(("x", "gamma", "beta"), returned))
    return {"x": returned}


def in_layer(layer, which, called):
    """層の中にある、``which`` の勾配。``called``: ``which`` の呼び名。"""
    own = attributes(layer)
    for name in DICTIONARIES:
        inside = own.get(name)
        if isinstance(inside, dict) and (value := _named(inside, called, (*SHAPES, "{}"))) is not None:
            return value
    return _named(own, called, SHAPES)


def _named(inside, called, shapes):
    plain = {worker.plainName(name): value for name, value in inside.items() if isinstance(name, str)}
    return next((plain[key] for name in called for shape in shapes if plain.get(key := shape.format(name)) is not None), None)
