"""check() takes an optimizer in whatever shape it is written, says how it was called, and still sees what is wrong with it.

Every shape is the same Momentum (v = 0.9 v + g, w = w - 0.1 v), once as it should be and once climbing.
"""

import textwrap
from collections import namedtuple
from types import SimpleNamespace

import numpy as np
import pytest

from fumoto import check
from fumoto.checking.calling.safety import workplace
from fumoto.checking.calling.trying import CERTAIN, Wanted, choose


@pytest.fixture(autouse=True, scope="module")
def one_process():
    """Every check of this file in one process, which need not be started again and again."""
    with workplace():
        yield


SHAPES = {  # what it is -> (the code, where SIGN is - or +; what the report must say of the call)
    "a dict, in place": (
        """
        class Mine:
            def __init__(self, lr=0.1, momentum=0.9):
                self.lr, self.momentum, self.v = lr, momentum, None
            def update(self, params, grads):
                if self.v is None:
                    self.v = {key: np.zeros_like(w) for key, w in params.items()}
                for key in params:
                    self.v[key] = self.momentum * self.v[key] + grads[key]
                    params[key] SIGN= self.lr * self.v[key]
        """,
        "update(params, grads) に、配列の辞書を渡し、書き換えられた",
    ),
    "a dict, returned": (
        """
        class Mine:
            def __init__(self, lr=0.1, momentum=0.9):
                self.lr, self.momentum, self.v = lr, momentum, {}
            def update(self, params, grads):
                self.v = {key: self.momentum * self.v.get(key, 0) + grads[key] for key in params}
                return {key: w SIGN self.lr * self.v[key] for key, w in params.items()}
        """,
        "配列の辞書を渡し、返された値を次の重みとしました",
    ),
    "gradients first": (
        """
        class Mine:
            def __init__(self, lr=0.1, momentum=0.9):
                self.lr, self.momentum, self.v = lr, momentum, {}
            def step(self, grads, params):
                for key in grads:
                    self.v[key] = self.momentum * self.v.get(key, 0) + grads[key]
                    params[key] SIGN= self.lr * self.v[key]
        """,
        "step(grads, params) に、配列の辞書を渡し",
    ),
    "a list": (
        """
        class Mine:
            def __init__(self, lr=0.1, mu=0.9):
                self.lr, self.mu, self.v = lr, mu, None
            def optimize(self, weights, gradients):
                self.v = self.v or [0.0] * len(weights)
                for i, (w, g) in enumerate(zip(weights, gradients)):
                    self.v[i] = self.mu * self.v[i] + g
                    w SIGN= self.lr * self.v[i]
        """,
        "optimize(weights, gradients) に、配列のリストを渡し",
    ),
    "a tuple of new arrays": (
        """
        class Mine:
            def __init__(self, eta=0.1, gamma=0.9):
                self.eta, self.gamma, self.v = eta, gamma, None
            def update(self, params, grads):
                self.v = self.v or [0.0] * len(params)
                self.v = [self.gamma * v + g for v, g in zip(self.v, grads)]
                return tuple(w SIGN self.eta * v for w, v in zip(params, self.v))
        """,
        "返された値を次の重みとしました",
    ),
    "one array, returned": (
        """
        class Mine:
            def __init__(self, lr=0.1, momentum=0.9):
                self.lr, self.momentum, self.v = lr, momentum, None
            def update(self, w, dw):
                self.v = self.momentum * (0 if self.v is None else self.v) + dw
                return w SIGN self.lr * self.v
        """,
        "update(w, dw) に、配列を 1 つずつ(1 つごとに新しく作って)渡し",
    ),
    "one array, named": (
        """
        class Mine:
            def __init__(self, lr=0.1, momentum=0.9):
                self.lr, self.momentum, self.v = lr, momentum, {}
            def update(self, name, w, g):
                self.v[name] = self.momentum * self.v.get(name, 0) + g
                return w SIGN self.lr * self.v[name]
        """,
        "update(name, w, g) に、配列を 1 つずつ渡し",
    ),
    "an order the names do not tell": (
        """
        class Mine:
            def __init__(self, lr=0.1, momentum=0.9):
                self.lr, self.momentum, self.v = lr, momentum, {}
            def update(self, left, right):
                for key in left:
                    self.v[key] = self.momentum * self.v.get(key, 0) + left[key]
                    right[key] SIGN= self.lr * self.v[key]
        """,
        "update(left, right) に、配列の辞書を渡し",
    ),
    "arrays at construction": (
        """
        class Mine:
            def __init__(self, params, lr=0.1, momentum=0.9):
                self.params, self.lr, self.momentum = params, lr, momentum
                self.v = [np.zeros(p.shape) for p in params]
            def step(self, grads):
                for p, g, v in zip(self.params, grads, self.v):
                    v[...] = self.momentum * v + g
                    p SIGN= self.lr * v
        """,
        "step(grads) に、配列のリストを渡し",
    ),
    "arrays and gradients at construction": (
        """
        class Mine:
            def __init__(self, params, grads, lr=0.1, momentum=0.9):
                self.params, self.grads, self.lr, self.momentum = params, grads, lr, momentum
                self.v = {key: 0.0 for key in params.keys()}
            def step(self):
                for key, g in self.grads.items():
                    self.v[key] = self.momentum * self.v[key] + g
                    self.params[key] SIGN= self.lr * self.v[key]
        """,
        "step() に、配列の辞書を渡し",
    ),
    "the shape at construction": (
        """
        class Mine:
            def __init__(self, shape, lr=0.1, momentum=0.9):
                self.v, self.lr, self.momentum = np.zeros(shape), lr, momentum
            def update(self, w, g):
                self.v = self.momentum * self.v + g
                return w SIGN self.lr * self.v
        """,
        "update(w, g) に、配列を 1 つずつ",
    ),
    "objects with data and grad": (
        """
        class Mine:
            def __init__(self, parameters, lr=0.1, momentum=0.9):
                self.parameters, self.lr, self.momentum, self.v = list(parameters), lr, momentum, {}
            def zero_grad(self):
                for p in self.parameters:
                    p.grad = None
            def step(self):
                for p in self.parameters:
                    if p.grad is not None:
                        self.v[p] = self.momentum * self.v.get(p, 0) + p.grad
                        p.data = p.data SIGN self.lr * self.v[p]
        """,
        "step() に、.data と .grad を持つもののリストを渡し",
    ),
    "one object at a time": (
        """
        class Mine:
            def __init__(self, lr=0.1, momentum=0.9):
                self.lr, self.momentum, self.v = lr, momentum, {}
            def update_one(self, param):
                v = self.v.setdefault(id(param), np.zeros_like(param.data))
                v *= self.momentum
                v += param.grad.data
                param.data SIGN= self.lr * v
        """,
        "update_one(param) に、.data と .grad を持つものを 1 つずつ渡し",
    ),
    "a target set up": (
        """
        class Mine:
            def __init__(self, lr=0.1, momentum=0.9):
                self.lr, self.momentum, self.v = lr, momentum, {}
            def setup(self, target):
                self.target = target
                return self
            def update(self):
                for p in self.target.params():
                    self.v[id(p)] = self.momentum * self.v.get(id(p), 0) + p.grad
                    p.data SIGN= self.lr * self.v[id(p)]
        """,
        "setup で重みを渡しておき、update() に、層とパラメーターを持つネットワークを渡し",
    ),
    "a value that has its derivative": (
        """
        class Mine:
            def __init__(self, parameters, lr=0.1, momentum=0.9):
                self.parameters, self.lr, self.momentum = parameters, lr, momentum
                self.v = [0.0] * len(parameters)
            def step(self):
                for i, p in enumerate(self.parameters):
                    self.v[i] = self.momentum * self.v[i] + p.value.derivative
                    p.update(p.value SIGN self.lr * self.v[i])
        """,
        "step() に、.value.grad を持つもののリストを渡し",
    ),
    "layers with dicts": (
        """
        class Mine:
            def __init__(self, layers, lr=0.1, momentum=0.9):
                self.layers, self.lr, self.momentum, self.v = layers, lr, momentum, {}
            def step(self):
                for i, layer in enumerate(self.layers):
                    for key in layer.params:
                        self.v[i, key] = self.momentum * self.v.get((i, key), 0) + layer.grads[key]
                        layer.params[key] = layer.params[key] SIGN self.lr * self.v[i, key]
        """,
        "step() に、重みと勾配を持つ層のリストを渡し",
    ),
    "one layer at a time, which keeps the state": (
        """
        class Mine:
            def __init__(self, learning_rate=0.1, decay=0.0, momentum=0.0):
                self.rate = self.now = learning_rate
                self.decay, self.momentum, self.count = decay, momentum, 0
            def pre_update_params(self):
                self.now = self.rate / (1 + self.decay * self.count)
            def update_params(self, layer):
                if not hasattr(layer, "weight_momentum"):
                    layer.weight_momentum, layer.bias_momentum = 0.0, 0.0
                layer.weight_momentum = self.momentum * layer.weight_momentum + layer.dweights
                layer.bias_momentum = self.momentum * layer.bias_momentum + layer.dbiases
                layer.weights SIGN= self.now * layer.weight_momentum
                layer.biases SIGN= self.now * layer.bias_momentum
            def post_update_params(self):
                self.count += 1
        """,
        "update_params(layer) に、重みと勾配を持つ層を 1 つずつ渡し",
    ),
    "layers that have their state": (
        """
        class Mine:
            def __init__(self, lr=0.1, beta=0.9):
                self.lr, self.beta = lr, beta
            def update(self, layers):
                for layer in layers:
                    layer.v_w = self.beta * layer.v_w + layer.dw
                    layer.v_b = self.beta * layer.v_b + layer.db
                    layer.w SIGN= self.lr * layer.v_w
                    layer.b SIGN= self.lr * layer.v_b
        """,
        "0 の状態を持つ層のリストを渡し",
    ),
    "a network of pairs": (
        """
        class Mine:
            def __init__(self, lr=0.1, momentum=0.9):
                self.lr, self.momentum, self.v = lr, momentum, {}
            def step(self, net):
                for i, (w, g) in enumerate(net.params_and_grads()):
                    self.v[i] = self.momentum * self.v.get(i, 0) + g
                    w SIGN= self.lr * self.v[i]
        """,
        "層とパラメーターを持つネットワークを渡し",
    ),
    "dicts of the layers in a list": (
        """
        class Mine:
            def __init__(self, lr=0.1, momentum=0.9):
                self.lr, self.momentum, self.v = lr, momentum, {}
            def update(self, params, grads):
                for i, (layer, own) in enumerate(zip(params, grads)):
                    for key in ("W", "b"):
                        self.v[i, key] = self.momentum * self.v.get((i, key), 0) + own[key]
                        layer[key] SIGN= self.lr * self.v[i, key]
        """,
        "層ごとの配列の辞書のリストを渡し",
    ),
    "names written into the code": (
        """
        class Mine:
            def __init__(self, lr=0.1, momentum=0.9):
                self.lr, self.momentum, self.v = lr, momentum, {}
            def update(self, params, grads):
                for key in ("W1", "b1", "W2", "b2"):
                    self.v[key] = self.momentum * self.v.get(key, 0) + grads[key]
                    params[key] SIGN= self.lr * self.v[key]
        """,
        "W1, b1, W2, b2 の辞書を 1 つずつ(1 つごとに新しく作って)渡し",
    ),
    "names that are counted": (
        """
        class Mine:
            def __init__(self, lr=0.1, momentum=0.9):
                self.lr, self.momentum, self.v = lr, momentum, {}
            def update(self, params, grads):
                for i in range(len(params) // 2):
                    for key in (f"W{i + 1}", f"b{i + 1}"):
                        self.v[key] = self.momentum * self.v.get(key, 0) + grads[key]
                        params[key] SIGN= self.lr * self.v[key]
        """,
        "W1, b1, … という名前の配列の辞書を渡し",
    ),
    "the names of one layer": (
        """
        def Mine(params, grads, v, lr=0.1, mu=0.9):
            v["dw"], v["db"] = mu * v["dw"] + grads["dw"], mu * v["db"] + grads["db"]
            return {"w": params["w"] SIGN lr * v["dw"], "b": params["b"] SIGN lr * v["db"]}, v
        """,
        "w, b の辞書と dw, db の辞書を 1 組ずつ",
    ),
    "weight and bias, two and two": (
        """
        class Mine:
            def __init__(self, eta=0.1, beta=0.9):
                self.eta, self.beta, self.vw, self.vb = eta, beta, 0, 0
            def update(self, t, w, b, dw, db):
                self.vw, self.vb = self.beta * self.vw + dw, self.beta * self.vb + db
                return w SIGN self.eta * self.vw, b SIGN self.eta * self.vb
        """,
        "update(t, w, b, dw, db) に、重みとバイアスを 1 組ずつ",
    ),
    "weights and biases in lists": (
        """
        def Mine(weights, biases, nabla_w, nabla_b, vw, vb, eta=0.1, mu=0.9):
            vw = [mu * v + g for v, g in zip(vw, nabla_w)]
            vb = [mu * v + g for v, g in zip(vb, nabla_b)]
            weights = [w SIGN eta * v for w, v in zip(weights, vw)]
            biases = [b SIGN eta * v for b, v in zip(biases, vb)]
            return weights, biases, vw, vb
        """,
        "重みのリストとバイアスのリストを渡し",
    ),
    "a configuration handed in and out": (
        """
        def Mine(w, dw, config=None):
            config = {} if config is None else config
            config.setdefault("learning_rate", 0.1)
            v = config.get("momentum", 0.9) * config.get("velocity", 0.0) + dw
            config["velocity"] = v
            return w SIGN config["learning_rate"] * v, config
        """,
        "(w, dw, config) に、配列を 1 つずつ",
    ),
    "state handed in and out": (
        """
        def Mine(v, g, w, lr=0.1, mu=0.9):
            v = mu * v + g
            return v, w SIGN lr * v
        """,
        "(v, g, w) に、配列を 1 つずつ",
    ),
    "state in a dict that may be missing": (
        """
        def Mine(params, grads, state=None, lr=0.1, mu=0.9):
            state = {key: 0.0 for key in params} if state is None else state
            state = {key: mu * state[key] + grads[key] for key in params}
            return {key: w SIGN lr * state[key] for key, w in params.items()}, state
        """,
        "(params, grads, state) に、配列の辞書を渡し",
    ),
    "a course": (
        """
        def Mine(parameters, grads, v, beta=0.9, learning_rate=0.1):
            for i in range(1, len(parameters) // 2 + 1):
                for key in (f"W{i}", f"b{i}"):
                    v["d" + key] = beta * v["d" + key] + grads["d" + key]
                    parameters[key] = parameters[key] SIGN learning_rate * v["d" + key]
            return parameters, v
        """,
        "W1, b1 の辞書と dW1, db1 の辞書を渡し",
    ),
    "pairs": (
        """
        class Mine:
            def __init__(self, learning_rate=0.1, momentum=0.9):
                self.learning_rate, self.momentum, self.v = learning_rate, momentum, {}
            def apply_gradients(self, grads_and_vars):
                for i, (g, w) in enumerate(grads_and_vars):
                    self.v[i] = self.momentum * self.v.get(i, 0) + g
                    w.assign(w SIGN self.learning_rate * self.v[i])
        """,
        "apply_gradients(grads_and_vars) に、(勾配, assign_sub などを持つ重み) の組のリストを渡し",
    ),
    "a closure": (
        """
        def Mine(lr=0.1, momentum=0.9):
            v = {}
            def update(params, grads):
                for key in params:
                    v[key] = momentum * v.get(key, 0) + grads[key]
                    params[key] SIGN= lr * v[key]
            return update
        """,
        "(params, grads) に、配列の辞書を渡し",
    ),
    "an instance": (
        """
        class Theirs:
            def __init__(self, lr, momentum):
                self.lr, self.momentum, self.v = lr, momentum, {}
            def update(self, params, grads):
                for key in params:
                    self.v[key] = self.momentum * self.v.get(key, 0) + grads[key]
                    params[key] SIGN= self.lr * self.v[key]
        Mine = Theirs(0.1, 0.9)
        """,
        "作ってあるものの写しを使い、update(params, grads) に",
    ),
    "values in a dict": (
        """
        class Mine:
            def __init__(self, config):
                self.lr, self.momentum, self.v = config["lr"], config.get("momentum", 0.9), {}
            def __call__(self, params, grads):
                for key in params:
                    self.v[key] = self.momentum * self.v.get(key, 0) + grads[key]
                    params[key] SIGN= self.lr * self.v[key]
        """,
        "配列の辞書を渡し",
    ),
    "a transformation": (
        """
        def Mine(lr=0.1, momentum=0.9):
            def init(params):
                return {key: 0.0 for key in params}
            def update(grads, state, params=None):
                state = {key: momentum * state[key] + g for key, g in grads.items()}
                return {key: 0 SIGN lr * v for key, v in state.items()}, state
            return Pair(init, update)
        """,
        "返された変化を重みに足しました",
    ),
    "three functions": (
        """
        def Mine(step_size=0.1, mass=0.9):
            def init(w):
                return w, np.zeros_like(w)
            def update(i, g, state):
                w, v = state
                v = mass * v + g
                return w SIGN step_size * v, v
            def get(state):
                return state[0]
            return init, update, get
        """,
        "返された値を次の重みとしました",
    ),
    "layers with their gradients apart": (
        """
        class Mine:
            def __init__(self, lr=0.1, momentum=0.9):
                self.lr, self.momentum, self.v = lr, momentum, {}
            def update(self, layer, dW, db):
                for name, g in (("W", dW), ("b", db)):
                    self.v[layer, name] = self.momentum * self.v.get((layer, name), 0) + g
                    setattr(layer, name, getattr(layer, name) SIGN self.lr * self.v[layer, name])
        """,
        "update(layer, dW, db) に、重みと勾配を持つ層を 1 つずつ渡し",
    ),
    "pairs of layers": (
        """
        class Mine:
            def __init__(self, lr=0.1, momentum=0.9):
                self.lr, self.momentum, self.v = lr, momentum, None
            def update(self, params, grads):
                self.v = self.v or [(0.0, 0.0)] * len(params)
                self.v = [
                    (self.momentum * vw + dw, self.momentum * vb + db)
                    for (vw, vb), (dw, db) in zip(self.v, grads)
                ]
                return [
                    (w SIGN self.lr * vw, b SIGN self.lr * vb)
                    for (w, b), (vw, vb) in zip(params, self.v)
                ]
        """,
        "層ごとの (重み, バイアス) の組のリストを渡し",
    ),
    "a network of arrays": (
        """
        class Mine:
            def __init__(self, model, lr=0.1, momentum=0.9):
                self.model, self.lr, self.momentum, self.v = model, lr, momentum, {}
            def step(self):
                for i, (w, g) in enumerate(zip(self.model.parameters(), self.model.gradients())):
                    self.v[i] = self.momentum * self.v.get(i, 0) + g
                    w SIGN= self.lr * self.v[i]
        """,
        "parameters() と gradients() が配列を返すネットワークを渡し",
    ),
    "a state that is asked by name": (
        """
        def Mine(param, grad, state, lr=0.1, momentum=0.9):
            state["velocity"] = momentum * state["velocity"] + grad
            state["t"] += 1
            return param SIGN lr * state["velocity"]
        """,
        "(param, grad, state) に、配列を 1 つずつ",
    ),
    "a function of the gradient": (
        """
        class Mine:
            def __init__(self, lr=0.1, momentum=0.9):
                self.lr, self.momentum, self.v = lr, momentum, 0.0
            def update(self, w, grad_func):
                self.v = self.momentum * self.v + grad_func(w)
                return w SIGN self.lr * self.v
        """,
        "update(w, grad_func) に、勾配を順に返す関数と、出発点の配列を 1 つずつ渡し",
    ),
    "the whole loop": (
        """
        def Mine(gradient, start, n_iter=50, lr=0.1, mu=0.9, tol=1e-6):
            x, v = np.array(start), 0.0
            for _ in range(n_iter):
                v = mu * v + gradient(x)
                if np.all(np.abs(v) < tol):
                    break
                x = x SIGN lr * v
            return x
        """,
        "勾配を順に返す関数と、出発点の配列を 1 つずつ渡し",
    ),
    "a method that runs the whole loop": (
        """
        class Mine:
            def __init__(self, lr=0.1, momentum=0.9):
                self.lr, self.momentum = lr, momentum
            def minimize(self, grad_f, x0, max_iter=20):
                x, v = np.array(x0), 0.0
                for _ in range(max_iter):
                    v = self.momentum * v + grad_f(x)
                    x = x SIGN self.lr * v
                return x
        """,
        "minimize(x0, grad_f) に、勾配を順に返す関数と、出発点の配列を 1 つずつ渡し",
    ),
    "a whole loop whose number of steps is short by default": (
        """
        def Mine(grad_fn, theta, lr=0.1, momentum=0.9, max_iter=20):
            v = 0.0
            for _ in range(max_iter):
                v = momentum * v + grad_fn(theta)
                theta = theta SIGN lr * v
            return theta
        """,
        "勾配を順に返す関数と、出発点の配列を 1 つずつ渡し",
    ),
    "a loop whose gradient takes the number of the step, too": (
        """
        def Mine(grad, x, callback=None, num_iters=200, step_size=0.1, mass=0.9):
            v = np.zeros_like(x)
            for i in range(num_iters):
                g = grad(x, i)
                if callback:
                    callback(x, i, g)
                v = mass * v + g
                x = x SIGN step_size * v
            return x
        """,
        "勾配を順に返す関数と、出発点の配列を 1 つずつ渡し",
    ),
    "epochs of a few batches": (
        """
        def Mine(grad, w, lr=0.1, momentum=0.9, epochs=4, n_batches=5):
            v = 0.0
            for _ in range(epochs):
                for _ in range(n_batches):
                    v = momentum * v + grad(w)
                    w = w SIGN lr * v
            return w
        """,
        "勾配を順に返す関数と、出発点の配列を 1 つずつ渡し",
    ),
    "a generator that is sent the gradient": (
        """
        def Mine(w, lr=0.1, momentum=0.9):
            v = 0.0
            while True:
                g = yield w
                v = momentum * v + g
                w = w SIGN lr * v
        """,
        "あなたのジェネレーター (w, …) に、勾配を順に返す関数と、出発点の配列を 1 つずつ渡し",
    ),
    "a generator that asks for the gradient": (
        """
        def Mine(gradient, start, steps=50, lr=0.1, momentum=0.9):
            w, v = np.array(start), 0.0
            for _ in range(steps):
                yield w
                v = momentum * v + gradient(w)
                w = w SIGN lr * v
        """,
        "勾配を順に返す関数と、出発点の配列を 1 つずつ渡し",
    ),
    "the whole loop, with bounds and coordinates": (
        """
        def Mine(objective, derivative, bounds, n_iter, step_size, momentum):
            x = bounds[:, 0] + (bounds[:, 1] - bounds[:, 0]) * np.random.rand(len(bounds))
            v = np.zeros(2)
            for i in range(n_iter):
                g = derivative(x[0], x[1])
                for k in range(2):
                    v[k] = momentum * v[k] + g[k]
                    x[k] = x[k] SIGN step_size * v[k]
                print(i, objective(x[0], x[1]))
            return [x, objective(x[0], x[1])]
        """,
        "出発点の座標を 2 つずつ渡し",
    ),
}
CHANGE_TOLD_BY_ITS_DIRECTION = {
    "a transformation"
}  # a change uphill is taken to be one to subtract, and said to be


def written(shape, sign):
    code, _ = SHAPES[shape]
    namespace = {"np": np, "Pair": namedtuple("Pair", "init update")}
    exec(textwrap.dedent(code).replace("SIGN", sign), namespace)
    return namespace["Mine"]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_right_optimizer_is_accepted_in_every_shape(shape):
    report = check(written(shape, "-"), "Momentum")
    assert report.ok, str(report)
    assert SHAPES[shape][1] in report.how, report.how
    assert "ほかの呼び方" not in str(report)
    assert report.name == "Momentum"


@pytest.mark.parametrize("shape", SHAPES)
def test_one_that_climbs_is_rejected_in_every_shape(shape):
    report = check(written(shape, "+"), "Momentum")
    if shape in CHANGE_TOLD_BY_ITS_DIRECTION:
        assert "返された変化を重みから引きました" in report.how
        return
    assert not report.ok
    assert "符号が逆" in report.verdict, str(report)
    assert "ほかの呼び方" not in str(report)


@pytest.mark.parametrize(
    "shape", ["state handed in and out", "an order the names do not tell", "one array, returned"]
)
def test_what_runs_but_reads_no_weights_is_no_reading(shape):
    """A velocity read as the weights moves too, but does not follow the weights when they are shifted."""
    found = choose(written(shape, "-"), Wanted({}, ("lr", "momentum"), "Momentum"))
    assert [trial.rank for trial in found] == [CERTAIN]


def test_gradients_of_other_keys_are_not_made_right_by_other_names():
    class Mine:
        def __init__(self, lr=0.1):
            self.lr = lr

        def update(self, params, grads):
            for key, g in zip(sorted(params), grads.values(), strict=True):
                params[key] = params[key] - self.lr * g

    assert not check(Mine, "SGD").ok


@pytest.mark.parametrize(("first", "sentence"), [(1, "t は 1 から数え"), (0, "t は 0 から数え")])
def test_where_the_count_starts_is_found_out_and_said(first, sentence):
    def adam(w, g, m, v, t, lr=0.01, beta1=0.9, beta2=0.99, eps=1e-8):
        k = t + 1 - first
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        return w - lr * m / (1 - beta1**k) / (np.sqrt(v / (1 - beta2**k)) + eps), m, v

    report = check(adam, "Adam")
    assert report.ok, str(report)
    assert sentence in report.how


def test_a_change_is_said_to_be_one():
    class Change:
        def __init__(self, lr=0.1):
            self.lr = lr

        def compute_step(self, grad):
            return self.lr * grad

    report = check(Change, "SGD")
    assert report.ok, str(report)
    assert "compute_step(grad) に、勾配の配列を 1 つずつ" in report.how
    assert "返された変化を重みから引きました" in report.how


def test_what_cannot_be_called_is_told_what_to_write():
    class Odd:
        def update(self, w, grad):
            return grad.shape.no

    report = check(Odd, "SGD")
    assert not report.ok
    assert "通り試しましたが、どれも走りませんでした" in str(report)
    assert "def update(self, params, grads):" in str(report)
    assert "Traceback" not in str(report)


class NoAttributes:
    def __getattribute__(self, name):
        raise RuntimeError("no")


class NoDirectory:
    def __init__(self, lr=0.1):
        self.lr = lr

    def __dir__(self):
        raise ValueError("no")

    def update(self, params, grads):
        return self


class NoArray:
    def __array__(self, *args, **kwargs):
        raise ZeroDivisionError


class ReplacesByNoArrays:
    def update(self, params, grads):
        for key in params:
            params[key] = NoArray()


ODD = {
    "nothing": lambda: None,
    "a number": lambda: 3,
    "a text": lambda: "SGD",
    "an object": object,
    "no attributes": NoAttributes,
    "no directory": lambda: NoDirectory,
    "no arrays": lambda: ReplacesByNoArrays,
    "a list": list,
    "a dict": dict,
    "an array": lambda: np.zeros(3),
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("name", ["SGD", None])
def test_whatever_is_handed_over_ends_in_a_sentence(kind, name):
    report = check(ODD[kind](), name)
    assert not report.ok
    assert "確かめられませんでした" in report.verdict


# --- loops ------------------------------------------------------------------------------------------------


def in_epochs(each_epoch):
    """A loop over epochs that does something before each."""

    def mine(grad, w, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8, epochs=4, batches=5):
        s = SimpleNamespace(m=np.zeros_like(w), v=np.zeros_like(w), t=0)
        for _ in range(epochs):
            each_epoch(s)
            for _ in range(batches):
                g = grad(w)
                s.t += 1
                s.m = beta1 * s.m + (1 - beta1) * g
                s.v = beta2 * s.v + (1 - beta2) * g**2
                w = w - lr * s.m / (1 - beta1**s.t) / (np.sqrt(s.v / (1 - beta2**s.t)) + eps)
        return w

    return mine


@pytest.mark.parametrize(
    ("changed", "variant"),
    [({}, None), ({"t": 0}, "clock/restarts"), ({"m": 0.0, "v": 0.0}, "state/restarts"), ({"m": 0.0, "v": 0.0, "t": 0}, "loop/restarts")],
)  # fmt: skip
def test_what_starts_again_at_every_epoch_is_named(changed, variant):
    report = check(in_epochs(lambda state: vars(state).update(changed)), "Adam")
    assert (report.ok, report.variant) == (variant is None, variant), str(report)


def test_what_ends_a_loop_early_is_said_not_to_be_tried():
    report = check(written("the whole loop", "-"), "Momentum")
    assert "tol で打ち切るところは、確かめていません" in str(report)


def test_a_return_inside_the_loop_is_not_taken_for_a_change():
    def mine(parameters, grads, learning_rate=0.1):
        parameters = dict(parameters)
        for name in parameters:
            parameters[name] = parameters[name] - learning_rate * grads[name]
            return parameters

    report = check(mine, "SGD")
    assert report.variant == "loop/first-key", str(report)
    assert "返された値を次の重みとしました" in report.how


def test_what_computes_its_own_gradient_is_told_what_to_hand_over():
    class Regression:
        def __init__(self, eta=0.1, n_iter=10):
            self.eta, self.n_iter = eta, n_iter

        def fit(self, X, y):
            self.w = np.zeros(X.shape[1])
            for _ in range(self.n_iter):
                self.w -= self.eta * X.T @ (X @ self.w - y) / len(y)
            return self

        def predict(self, X):
            return X @ self.w

    def train(X, y, w, lr=0.1):
        return w - lr * X.T @ (X @ w - y)

    for thing in (Regression, train):
        report = check(thing, "SGD")
        assert not report.ok
        assert "データから、自分で勾配を計算しています" in str(report)


def test_a_list_whose_last_array_stays_is_not_taken_for_rows_of_an_array():
    class Mine:
        def __init__(self, params, lr=0.05):
            self.params, self.lr = params, lr

        def step(self, grads):
            for i in range(len(self.params) - 1):
                self.params[i] -= self.lr * grads[i]

    report = check(Mine, "SGD")
    assert "配列のリスト" in report.how
    assert "まったく動きません。ほかの重みは式のとおりです" in str(report)


def test_one_number_for_all_arrays_is_named_though_an_empty_array_makes_it_nan():
    class Mine:
        def __init__(self, params, lr=0.01, decay_rate=0.9):
            self.params, self.lr, self.decay_rate, self.cache = params, lr, decay_rate, 0

        def step(self):
            for p in self.params:
                self.cache = self.decay_rate * self.cache + (1 - self.decay_rate) * np.mean(p.grad**2)
                p.data -= self.lr * p.grad / (np.sqrt(self.cache) + 1e-7)

    report = check(Mine, "RMSProp")
    assert report.variant == "eq-rmsprop-h/mean + loop/shared-state", str(report)


def test_a_gradient_that_is_computed_only_once_is_said():
    def mine(grad, w0, lr=0.01, n_steps=10):
        w, g = np.array(w0), grad(w0)
        for _ in range(n_steps):
            w = w - lr * g
        return w

    report = check(mine, "SGD")
    assert (report.ok, report.variant) == (False, "loop/gradient-once")
    assert "はじめの 1 度しか計算していません" in str(report)


def test_a_rate_that_shrinks_with_every_array_is_named():
    class Mine:
        def __init__(self, lr=0.01):
            self.lr = lr

        def update(self, params, grads):
            for key in params:
                params[key] -= self.lr * grads[key]
                self.lr *= 0.95

    report = check(Mine, "SGD")
    assert report.variant == "weight/fades", str(report)
    assert "0.95 倍" in str(report)
