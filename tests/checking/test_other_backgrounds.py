"""check() on what people write who come from elsewhere: R, MATLAB, MXNet, TensorFlow 1, Julia, scikit-learn, physics."""

import numpy as np
import pytest

from fumoto import check

# --- R: optim() with a list of controls; the result is a list, too. It stops where the gradient is 0 ----------


def optim_adam(par, gr, control=None):
    con = {"alpha": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "maxit": 200} | (control or {})
    x, m, v = np.array(par), 0 * par, 0 * par
    for i in range(1, con["maxit"] + 1):
        g = gr(x)
        if not g.any():
            break
        m, v = con["beta1"] * m + (1 - con["beta1"]) * g, con["beta2"] * v + (1 - con["beta2"]) * g**2
        root = np.sqrt(v / (1 - con["beta2"] ** i)) + con["eps"]
        x = x - con["alpha"] * m / (1 - con["beta1"] ** i) / root
    return {"par": x, "counts": i}


# --- Physics: the force is asked for along the way, all positions are returned -------------------------------


def trajectory(force_of, q_start, n_steps=100, eta=0.02, mu=0.9):
    q = np.empty((n_steps + 1, *np.shape(q_start)))
    q[0] = q_start
    p = np.zeros_like(q[0])
    for n in range(n_steps):
        p = mu * p - eta * force_of(q[n] + mu * p)
        q[n + 1] = q[n] + p
    return q


def euler(gradV, x0, n=200, h=0.02, damping=0.9):
    """The position moves before the velocity does; none of the values has a usual name."""
    x = np.zeros((n + 1, *x0.shape))
    v = np.zeros((n + 1, *x0.shape))
    x[0] = x0
    for k in range(n):
        v[k + 1] = damping * v[k] - h * gradV(x[k])
        x[k + 1] = x[k] + v[k]
    return x


def path_of_one_array(df, start, lr=0.01, rho=0.9, eps=1e-8, max_iter=100):
    w, h, path = np.array(start), np.zeros_like(start), [np.array(start)]
    for _ in range(max_iter):
        g = df(w)
        h = rho * h + (1 - rho) * g * g
        w -= lr * g / (np.sqrt(h) + eps)
        path.append(w)
    return np.array(path)


# --- TensorFlow 1: slots by the name of the variable ---------------------------------------------------------


class Slots:
    def __init__(self, learning_rate=0.01, momentum=0.9):
        self.rate, self.momentum, self.slots = learning_rate, momentum, {}

    def apply_gradients(self, grads_and_vars):
        for grad, var in grads_and_vars:
            slot = self.slots.setdefault(var.name, np.zeros_like(var.value))
            slot[...] = self.momentum * slot + grad
            var.value -= self.rate * slot


# --- MXNet: the trainer owns the state -----------------------------------------------------------------------


class WithCreateState:
    def __init__(self, learning_rate=0.01, momentum=0.9):
        self.learning_rate, self.momentum = learning_rate, momentum

    def create_state(self, index, weight):
        return np.zeros(weight.shape, weight.dtype)

    def update(self, index, weight, grad, state):
        state[...] = self.momentum * state - self.learning_rate * grad
        weight[...] += state


# --- Julia: a rule; the state comes first and is returned first ----------------------------------------------


class Rule:
    def __init__(self, eta=0.01, beta=(0.9, 0.99)):
        self.eta, self.beta = eta, beta

    def init(self, x):
        return np.zeros(x.shape)

    def update(self, state, x, dx):
        b1, b2 = self.beta
        step = np.sign(b1 * state + (1 - b1) * dx)
        return b2 * state + (1 - b2) * dx, x - self.eta * step


# --- MATLAB: a network that is a dictionary, averages that are [] at first ------------------------------------


def adamupdate(net, grad, avg, avg_sq, iteration, learn_rate=0.001, decay=0.9, sq_decay=0.999, epsilon=1e-8):
    if avg is None:
        avg, avg_sq = ({k: np.zeros(w.shape) for k, w in net.items()} for _ in range(2))
    out = {}
    for k, w in net.items():
        avg[k] = decay * avg[k] + (1 - decay) * grad[k]
        avg_sq[k] = sq_decay * avg_sq[k] + (1 - sq_decay) * grad[k] ** 2
        root = np.sqrt(avg_sq[k] / (1 - sq_decay**iteration)) + epsilon
        out[k] = w - learn_rate * avg[k] / (1 - decay**iteration) / root
    return out, avg, avg_sq


# --- Elsewhere -----------------------------------------------------------------------------------------------


def stateful(net, optim, lr=0.01, momentum=0.9):
    """Layers with their gradients, and a dictionary that is passed {} at the start."""
    for i, layer in enumerate(net):
        for name in ("W", "b"):
            velocity = momentum * optim.get((i, name), 0) - lr * layer["d" + name]
            optim[i, name] = velocity
            layer[name] = layer[name] + velocity


class ValuesOfTheClass:
    lr, beta1, beta2, lam = 0.03, 0.9, 0.99, 0.01

    def __init__(self, **options):
        self.__dict__.update(options)
        self.m = {}

    def get_update(self, weights, gradients):
        new = {}
        for name, w in weights.items():
            m, g = self.m.get(name, 0), gradients[name]
            self.m[name] = self.beta2 * m + (1 - self.beta2) * g
            new[name] = w - self.lr * (np.sign(self.beta1 * self.beginning(m, name) + (1 - self.beta1) * g) + self.lam * w)
        return new

    def beginning(self, m, name):
        return m


class ValuesOfTheClassTooLate(ValuesOfTheClass):
    def beginning(self, m, name):
        return self.m[name]


class ByNumber:
    def __init__(self, n_layers, lr=0.01, beta=0.9, eps=1e-8):
        self.lr, self.beta, self.eps = lr, beta, eps
        self.S_dW, self.S_db = [0] * n_layers, [0] * n_layers

    def update_layer(self, idx, W, b, dW, db):
        self.S_dW[idx] = self.beta * self.S_dW[idx] + (1 - self.beta) * dW**2
        self.S_db[idx] = self.beta * self.S_db[idx] + (1 - self.beta) * db**2
        W = W - self.lr * dW / (np.sqrt(self.S_dW[idx]) + self.eps)
        return W, b - self.lr * db / (np.sqrt(self.S_db[idx]) + self.eps)


class OfWeightsAndBiases:
    def __init__(self, weights, biases, lr=0.04, eps=1e-7):
        self.weights, self.biases, self.lr, self.eps = weights, biases, lr, eps
        self.acc = [[np.zeros_like(w) for w in ws] for ws in (weights, biases)]

    def train_step(self, nabla_w, nabla_b):
        for values, grads, acc in zip((self.weights, self.biases), (nabla_w, nabla_b), self.acc, strict=True):
            for i, g in enumerate(grads):
                acc[i] = acc[i] + g**2
                values[i] = values[i] - self.lr * g / (np.sqrt(acc[i]) + self.eps)


class HoldingTheGradient:
    def __init__(self, loss_grad, lr=0.02, beta=0.85):
        self.loss_grad, self.lr, self.beta, self.m = loss_grad, lr, beta, {}

    def step(self, params):
        ahead = {k: w - self.lr * self.beta * self.m.get(k, 0) for k, w in params.items()}
        for k, g in self.loss_grad(ahead).items():
            self.m[k] = self.beta * self.m.get(k, 0) + g
            params[k] = params[k] - self.lr * self.m[k]
        return params


def ewma(old, new, lam):
    return lam * old + ((1 - lam) * new) ** 2


def values_without_a_name(theta, grad, s2=None, a=0.005, lam=0.9, small=1e-8):
    s2 = ewma(np.zeros(theta.shape) if s2 is None else s2, grad, lam)
    return theta - a * grad / (np.sqrt(s2) + small), s2


class ByIdentity:
    """Flux.jl: velocities by the identity of the array; the gradient is called delta."""

    def __init__(self, eta=0.01, rho=0.9):
        self.eta, self.rho, self.velocity = eta, rho, {}

    def apply(self, x, delta):
        v = self.velocity.setdefault(id(x), np.zeros_like(x))
        v[...] = self.rho * v - self.eta * delta
        return -v

    def update(self, x, delta):
        x -= self.apply(x, delta)
        return x


class OfAVarList:
    def __init__(self, var_list, learning_rate=0.1, epsilon=1e-7):
        self.var_list, self.learning_rate, self.epsilon = var_list, learning_rate, epsilon
        self.accumulators = [np.full(v.shape, 0.1) for v in var_list]

    def minimize(self, grads):
        for var, acc, g in zip(self.var_list, self.accumulators, grads, strict=True):
            acc += g**2
            var -= self.learning_rate * g / (np.sqrt(acc) + self.epsilon)


class HoldingTheWeights:
    def __init__(self, w0, lr=0.01, gamma=0.9):
        self.w, self.lr, self.gamma = np.array(w0), lr, gamma
        self.v = np.zeros_like(self.w)

    def ahead(self):
        return self.w - self.gamma * self.v

    def step(self, grad_fn):
        self.v = self.gamma * self.v + self.lr * grad_fn(self.ahead())
        self.w = self.w - self.v
        return self.w


class HoldingTheWeightsNotAhead(HoldingTheWeights):
    def ahead(self):
        return self.w


@pytest.mark.parametrize(
    ("thing", "method", "variant"),
    [
        (optim_adam, "Adam", None),
        (trajectory, "Nesterov", None),
        (euler, "Momentum", "eq-momentum-w/old-velocity"),
        (path_of_one_array, "RMSProp", "loop/points-alike"),
        (Slots, "Momentum", None),
        (WithCreateState, "Momentum", None),
        (Rule, "Lion", None),
        (adamupdate, "Adam", None),
        (stateful, "Momentum", None),
        (ValuesOfTheClass, "Lion", None),
        (ValuesOfTheClassTooLate, "Lion", "eq-lion-c/new-m-in-c"),
        (ByNumber, "RMSProp", None),
        (OfWeightsAndBiases, "AdaGrad", None),
        (HoldingTheGradient, "Nesterov", None),
        (ByIdentity, "Momentum", None),
        (HoldingTheWeights, "Nesterov", None),
        (HoldingTheWeightsNotAhead, "Nesterov", "method/Momentum"),
        (values_without_a_name, "RMSProp", "eq-rmsprop-h/weight-squared"),
    ],
)
def test_code_from_elsewhere_is_judged(thing, method, variant):
    report = check(thing, method)
    assert (report.ok, report.variant) == (variant is None, variant), str(report)


def test_variables_in_a_list_are_weights():
    report = check(OfAVarList, "AdaGrad")
    assert report.ok
    assert "TensorFlow 2" in report.variant
