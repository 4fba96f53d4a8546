"""check() on states that are neither the object's nor the caller's alone: globals, closures, states that hold the weights."""

from functools import wraps
from typing import ClassVar, NamedTuple

import numpy as np
import pytest

from fumoto import check
from fumoto.checking.calling.shapes.surroundings import rewinder

SHARED = "loop/shared-between-instances"
BESIDES = "ほかにも、状態を、ほかのインスタンスと共有しています"

# --- Outside the function: what an earlier run left there must not hide what this run does ---------------------

squares = {}
count = 0


def with_a_global(weights, gradients, lr=0.1, tiny=1e-8):
    for name in weights:
        squares[name] = squares.get(name, 0) + gradients[name] ** 2
        weights[name] -= lr / (np.sqrt(squares[name]) + tiny) * gradients[name]


def with_a_global_inside(weights, gradients, lr=0.1, tiny=1e-8):
    """The form of some libraries: no second mistake."""
    for name in weights:
        squares[name] = squares.get(name, 0) + gradients[name] ** 2
        weights[name] -= lr / np.sqrt(squares[name] + tiny) * gradients[name]


def without_the_root(weights, gradients, lr=0.1, tiny=1e-8):
    for name in weights:
        squares[name] = squares.get(name, 0) + gradients[name] ** 2
        weights[name] -= lr / (squares[name] + tiny) * gradients[name]


velocities = {}


def started_once(p, g, lr=0.01, mu=0.9):
    """Started at the first call of all: a second run would find the keys of the first one."""
    global count
    count += 1
    if count == 1:
        velocities.update({k: np.zeros_like(w) for k, w in p.items()})
    for k in p:
        velocities[k] = mu * velocities[k] - lr * g[k]
        p[k] += velocities[k]


class OfTheClass:
    v: ClassVar = {}

    def __init__(self, lr=0.01, alpha=0.9):
        self.lr, self.alpha = lr, alpha

    def update(self, params, grads):
        for k in params:
            self.v[k] = self.alpha * self.v.get(k, 0) - self.lr * grads[k]
            params[k] += self.v[k]


class OfTheClassUphill(OfTheClass):
    def update(self, params, grads):
        for k in params:
            self.v[k] = self.alpha * self.v.get(k, 0) + self.lr * grads[k]
            params[k] += self.v[k]


def of_the_default(w, dw, key, lr=0.01, mu=0.9, store={}):  # noqa: B006
    store[key] = mu * store.get(key, np.zeros_like(w)) - lr * dw
    return w + store[key]


@pytest.mark.parametrize(
    ("thing", "method", "variant"),
    [
        (with_a_global, "AdaGrad", SHARED),
        (with_a_global_inside, "AdaGrad", SHARED),
        (without_the_root, "AdaGrad", "eq-adagrad-w/root-missing"),
        (started_once, "Momentum", SHARED),
        (OfTheClass, "Momentum", SHARED),
        (OfTheClassUphill, "Momentum", "eq-momentum-w/sign-2"),
        (of_the_default, "Momentum", SHARED),
    ],
)
def test_a_shared_state_is_named_and_hides_no_other_mistake(thing, method, variant):
    report = check(thing, method)
    assert (report.ok, report.variant) == (False, variant), str(report)
    assert any(BESIDES in note for note in report.notes) == (variant != SHARED)


def test_what_stands_outside_is_put_back():
    before = dict(squares), count
    rewind = rewinder(without_the_root)
    without_the_root({"w": np.ones(2)}, {"w": np.ones(2)})
    assert "w" in squares
    rewind()
    assert (dict(squares), count) == before


# --- In the variables of an outer function, already made: an instance ------------------------------------------


def make_adam(lr=0.01, corrected=True):
    t, m, h = 0, {}, {}

    def squared(k, g):
        h[k] = 0.999 * h.get(k, 0) + 0.001 * g**2
        return h[k] / (1 - 0.999**t)

    def update(p, g):
        nonlocal t
        t += 1
        for k in p:
            m[k] = 0.9 * m.get(k, 0) + 0.1 * g[k]
            first = m[k] / (1 - 0.9**t) if corrected else m[k]
            p[k] -= lr * first / (np.sqrt(squared(k, g[k])) + 1e-8)

    return update


def decorated(function):
    @wraps(function)
    def called(*arguments):
        return function(*arguments)

    return called


def test_a_closure_that_is_made_is_an_instance():
    assert check(make_adam(), "Adam").ok
    assert check(decorated(decorated(make_adam())), "Adam").ok
    assert check(make_adam(corrected=False), "Adam").variant == "eq-adam-w/hat-missing-m"


# --- In a state that holds the weights, too --------------------------------------------------------------------


def in_a_dictionary(state, grads, lr=0.02, b1=0.9, b2=0.999, eps=1e-8, kept=1):
    t = state["t"] + 1
    new = {"params": [], "m": [], "v": [], "t": t}
    for p, m, v, g in zip(state["params"], state["m"], state["v"], grads, strict=True):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        mh, vh = m / (1 - b1**t), v / (1 - b2**t)
        new["params"].append(p - lr * mh / (np.sqrt(vh) + eps))
        new["m"].append(m if kept else mh)
        new["v"].append(v)
    return new


def in_a_dictionary_with_hats(state, grads, lr=0.02):
    return in_a_dictionary(state, grads, lr, kept=0)


def in_place(state, grad, lr=0.02, mu=0.9):
    state["v"] = mu * state["v"] - lr * grad
    state["x"] = state["x"] + state["v"]


def in_a_tuple(state, g, lr=0.01, b1=0.9, b2=0.999, eps=1e-8):
    w, m, v, t = state
    t += 1
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    return w - lr * m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + eps), m, v, t


def in_a_tuple_of_a_value_name(state, g, lr=0.01, mu=0.9):
    w, momentum = state
    momentum = mu * momentum - lr * g
    return w + momentum, momentum


class Point(NamedTuple):
    w: np.ndarray
    v: np.ndarray


def in_a_named_tuple(s, grads, lr=0.01, mu=0.9):
    v = mu * s.v - lr * grads
    return Point(s.w + v, v)


def in_a_named_tuple_late(s, grads, lr=0.01, mu=0.9):
    return Point(s.w + s.v, mu * s.v - lr * grads)


def in_attributes(s, grads, lr=0.01, mu=0.9):
    s.v = mu * s.v - lr * grads
    s.w += s.v


def make_opt(layers, lr=2e-3, b1=0.9, b2=0.98, eps=1e-8, lam=0.05):
    memory = [{n: [np.zeros_like(layer[n]), np.zeros_like(layer[n])] for n in ("W", "b")} for layer in layers]
    return {"lr": lr, "b1": b1, "b2": b2, "eps": eps, "lam": lam, "k": 0, "memory": memory}


def of_layers(layers, opt, sign=-1.0):
    opt["k"] += 1
    for layer, memory in zip(layers, opt["memory"], strict=True):
        for n in ("W", "b"):
            g, own = layer["d" + n], memory[n]
            own[0] = opt["b1"] * own[0] + (1 - opt["b1"]) * g
            own[1] = opt["b2"] * own[1] + (1 - opt["b2"]) * g * g
            root = np.sqrt(own[1] / (1 - opt["b2"] ** opt["k"])) + opt["eps"]
            step = own[0] / (1 - opt["b1"] ** opt["k"]) / root
            layer[n] = (1.0 + sign * opt["lr"] * opt["lam"]) * layer[n] - opt["lr"] * step


def of_layers_growing(layers, opt):
    of_layers(layers, opt, 1.0)


@pytest.mark.parametrize(
    ("thing", "method", "variant"),
    [
        (in_a_dictionary, "Adam", None),
        (in_a_dictionary_with_hats, "Adam", "state/hat-kept-m"),
        (in_place, "Momentum", None),
        (in_a_tuple, "Adam", None),
        (in_a_tuple_of_a_value_name, "Momentum", None),
        (in_a_named_tuple, "Momentum", None),
        (in_a_named_tuple_late, "Momentum", "eq-momentum-w/old-velocity"),
        (in_attributes, "Momentum", None),
        (of_layers, "AdamW", None),
        (of_layers_growing, "AdamW", "eq-adamw-w/decay-grows"),
    ],
)
def test_a_state_that_holds_the_weights_is_made(thing, method, variant):
    report = check(thing, method)
    assert (report.ok, report.variant) == (variant is None, variant), str(report)


def test_a_call_without_weights_is_not_told_that_nothing_moves():
    def keeps_its_secrets(state, grads):
        return {"something": 1.0}

    report = check(keeps_its_secrets, "Momentum")
    assert (report.ok, report.variant) == (False, None)
    assert "確かめられませんでした" in report.verdict
