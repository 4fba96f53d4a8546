"""check() on code that leans on what stands beside it: states and constants of its file, parameters and models of its own."""

from math import sqrt
from typing import NamedTuple

import numpy as np
import pytest

from fumoto import check

EPS = 1e-8
ETA = 0.05


class AdamState(NamedTuple):
    count: int
    mu: tuple
    nu: tuple


def adam_init(params):
    zeros = tuple(np.zeros_like(p) for p in params)
    return AdamState(0, zeros, zeros)


def adam_with_state(params, grads, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    count = state.count + 1
    mu = tuple(b1 * m + (1 - b1) * g for m, g in zip(state.mu, grads, strict=True))
    nu = tuple(b2 * n + (1 - b2) * g * g for n, g in zip(state.nu, grads, strict=True))
    c1, c2 = 1 - b1**count, 1 - b2**count
    new = tuple(p - lr * (m / c1) / (np.sqrt(n / c2) + eps) for p, m, n in zip(params, mu, nu, strict=True))
    return new, AdamState(count, mu, nu)


class MomentsOf:
    def __init__(self, like):
        self.m, self.v, self.t = np.zeros_like(like), np.zeros_like(like), 0


def new_moments(like):
    return MomentsOf(like)


def adam_that_changes_its_state(w, g, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    state.t += 1
    state.m = beta1 * state.m + (1 - beta1) * g
    state.v = beta2 * state.v + (1 - beta2) * g * g
    return w - lr * state.m / (1 - beta1**state.t) / (np.sqrt(state.v / (1 - beta2**state.t)) + eps)


def adam_without_a_root(w, g, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    state.t += 1
    state.m = beta1 * state.m + (1 - beta1) * g
    state.v = beta2 * state.v + (1 - beta2) * g * g
    return w - lr * state.m / (1 - beta1**state.t) / (state.v / (1 - beta2**state.t) + eps)


class Everything(NamedTuple):
    w: list
    squares: list


def init_everything(weights):
    return Everything(weights, [np.zeros_like(w) for w in weights])


def rmsprop_in_the_state(state, grads, lr=0.01, rho=0.9, eps=1e-8):
    squares = [rho * h + (1 - rho) * g * g for h, g in zip(state.squares, grads, strict=True)]
    new = [w - lr * g / (np.sqrt(h) + eps) for w, g, h in zip(state.w, grads, squares, strict=True)]
    return Everything(new, squares)


def momentum_with_a_buffer(w, grad, momentum_buffer=None, lr=0.1, beta=0.9):
    if momentum_buffer is None:
        momentum_buffer = np.zeros_like(w)
    momentum_buffer = beta * momentum_buffer - lr * grad
    return w + momentum_buffer, momentum_buffer


class LionOfParameters:
    """The parameters bring their own averages."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.99)):
        self.params, self.lr, self.betas = list(params), lr, betas

    def step(self):
        beta1, beta2 = self.betas
        for p in self.params:
            p.value -= self.lr * np.sign(beta1 * p.exp_avg + (1 - beta1) * p.grad)
            p.exp_avg = beta2 * p.exp_avg + (1 - beta2) * p.grad


class AdaGradOfAModel:
    """The model holds a list of weights and a list of gradients."""

    def __init__(self, model, lr=0.1, eps=1e-8):
        self.model, self.lr, self.eps = model, lr, eps
        self.h = [np.zeros_like(w) for w in model.weights]

    def step(self):
        for i, g in enumerate(self.model.grads):
            self.h[i] = self.h[i] + g * g
            self.model.weights[i] = self.model.weights[i] - self.lr * g / (np.sqrt(self.h[i]) + self.eps)


class SgdOfDictionaries:
    def __init__(self, layers, lr=0.1):
        self.layers, self.lr = layers, lr

    def step(self):
        for layer in self.layers:
            layer["W"] = layer["W"] - self.lr * layer["dW"]
            layer["b"] -= self.lr * layer["db"]


def adadelta_in_pure_python(derivative, start, n_iter, rho=0.9, ep=1e-3):
    point, h, u = list(start), [0.0 for _ in start], [0.0 for _ in start]
    for _ in range(n_iter):
        for i, g in enumerate(derivative(point)):
            h[i] = rho * h[i] + (1 - rho) * g**2
            change = (ep + sqrt(u[i])) / (ep + sqrt(h[i])) * g
            u[i] = rho * u[i] + (1 - rho) * change**2
            point[i] = point[i] - change
    return point


@pytest.mark.parametrize(
    ("thing", "method"),
    [
        (adam_with_state, "Adam"),
        (adam_that_changes_its_state, "Adam"),
        (rmsprop_in_the_state, "RMSProp"),
        (momentum_with_a_buffer, "Momentum"),
        (LionOfParameters, "Lion"),
        (AdaGradOfAModel, "AdaGrad"),
        (SgdOfDictionaries, "SGD"),
    ],
)
def test_what_leans_on_its_surroundings_is_accepted(thing, method):
    report = check(thing, method)
    assert report.ok, report


def test_it_is_said_what_made_the_state():
    assert check(adam_with_state, "Adam").how.startswith("adam_init に状態を作らせ、")


def test_a_slip_in_code_with_a_state_of_its_own_is_named():
    assert check(adam_without_a_root, "Adam").variant == "eq-adam-w/root-missing"


def test_epsilon_outside_both_roots_of_adadelta_is_named_in_a_loop_without_a_rate():
    assert check(adadelta_in_pure_python, "AdaDelta").variant == "eq-adadelta-d/epsilon-outside"


def adagrad_with_constants(w, grad, h):
    h = h + grad * grad
    return w - (ETA / np.sqrt(h) + EPS * grad), h


def rmsprop_with_constants(w, grad, h):
    h = 0.9 * h + 0.1 * grad * grad
    return w - ETA * grad / (np.sqrt(h) + EPS), h


def test_constants_of_the_file_are_known():
    assert check(adagrad_with_constants, "AdaGrad").variant == "eq-adagrad-w/bracket-lost"
    assert check(rmsprop_with_constants, "RMSProp").ok


class MuonThatReshapes:
    def __init__(self, params, lr=0.02, momentum=0.95):
        self.params, self.lr, self.mu = params, lr, momentum
        self.state = [np.zeros_like(p) for p in params]

    def step(self, grads):
        for i, p in enumerate(self.params):
            self.state[i] = self.mu * self.state[i] + grads[i]
            x = grads[i] + self.mu * self.state[i]
            tall = x.shape[0] > x.shape[1]
            x = x.T if tall else x
            x = x / (np.linalg.norm(x) + 1e-7)
            for _ in range(5):
                a = x @ x.T
                x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
            p -= self.lr * (x.reshape(p.shape) if tall else x)


@pytest.mark.build
def test_a_reshape_for_a_transpose_is_found_in_the_code():
    report = check(MuonThatReshapes, "Muon")
    assert "「x.reshape(p.shape)」を「x.T」に直すと" in report.verdict, report


class HeldMoments(NamedTuple):
    m: np.ndarray
    v: np.ndarray
    t: int


def adam_with_held_moments(w, g, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    t = state.t + 1
    m = beta1 * state.m + (1 - beta1) * g
    v = beta2 * state.v + (1 - beta2) * g * g
    new = w - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return new, HeldMoments(m, v, t)


def adam_that_counts_afterwards(w, g, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * state.m + (1 - beta1) * g
    v = beta2 * state.v + (1 - beta2) * g * g
    new = w - lr * m / (1 - beta1**state.t) / (np.sqrt(v / (1 - beta2**state.t)) + eps)
    return new, HeldMoments(m, v, state.t + 1)


class RegisteredMomentum:
    def __init__(self, lr=0.01, decay=0.9):
        self.lr, self.decay, self.slots = lr, decay, {}

    def register(self, name, value):
        self.slots[name] = (value, np.zeros_like(value))

    def apply(self, grads):
        for name, (w, v) in self.slots.items():
            v *= self.decay
            v += grads[name]
            w -= self.lr * v


class RegisteredTooLate(RegisteredMomentum):
    def apply(self, grads):
        for name, (w, v) in self.slots.items():
            w -= self.lr * v
            v *= self.decay
            v += grads[name]


class AdamWOfAConfiguration:
    """The values are in a dictionary the object holds."""

    def __init__(self, params, config):
        self.params = params
        self.values = {"lr": 1e-3, "b1": 0.9, "b2": 0.999, "eps": 1e-8, "wd": 0.01, **config}
        self.m, self.v, self.t = [0.0 * p for p in params], [0.0 * p for p in params], 0

    def decay(self, p, g):
        return p

    def step(self, grads):
        c, self.t = self.values, self.t + 1
        for i, (p, g) in enumerate(zip(self.params, grads, strict=True)):
            self.m[i] = c["b1"] * self.m[i] + (1 - c["b1"]) * g
            self.v[i] = c["b2"] * self.v[i] + (1 - c["b2"]) * g * g
            m, v = self.m[i] / (1 - c["b1"] ** self.t), self.v[i] / (1 - c["b2"] ** self.t)
            p -= c["lr"] * (m / (np.sqrt(v) + c["eps"]) + c["wd"] * self.decay(p, g))


class AdamWThatDecaysGradients(AdamWOfAConfiguration):
    def decay(self, p, g):
        return g


def adam_that_scales_its_gradient(w, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    g = g * (1 - beta1)
    m = beta1 * m + g
    v = beta2 * v + (1 - beta2) * g * g
    return w - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


class MuonWithoutALength:
    def __init__(self, lr=0.02, momentum=0.95):
        self.lr, self.mu, self.buf = lr, momentum, {}

    def update(self, params, grads):
        for key, w in params.items():
            self.buf[key] = self.mu * self.buf.get(key, 0) + grads[key]
            x = grads[key] + self.mu * self.buf[key]
            x = x.T if w.shape[0] > w.shape[1] else x
            for _ in range(5):
                a = x @ x.T
                x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
            w -= self.lr * max(1, w.shape[0] / w.shape[1]) ** 0.5 * (x.T if x.shape != w.shape else x)


@pytest.mark.parametrize(
    ("thing", "method", "variant"),
    [
        (adam_with_held_moments, "Adam", None),
        (adam_that_counts_afterwards, "Adam", None),
        (RegisteredMomentum, "Momentum", None),
        (RegisteredTooLate, "Momentum", "eq-momentum-w/old-velocity"),
        (AdamWOfAConfiguration, "AdamW", None),
        (AdamWThatDecaysGradients, "AdamW", "eq-adamw-w/decay-of-gradient"),
        (adam_that_scales_its_gradient, "Adam", "eq-adam-v/v-of-scaled"),
        (MuonWithoutALength, "Muon", "loop/explodes"),
    ],
)
def test_what_is_held_registered_or_configured_is_judged(thing, method, variant):
    report = check(thing, method)
    assert (report.ok, report.variant) == (variant is None, variant), report


def sgd_that_grows(w, dw, learning_rate=1e-2, reg=0.0):
    return w - learning_rate * (dw - reg * w)


def sgd_that_decays(w, dw, learning_rate=1e-2, reg=0.0):
    return w - learning_rate * (dw + reg * w)


def test_a_decay_that_is_off_is_tried():
    report = check(sgd_that_grows, "SGD")
    assert (report.ok, report.variant) == (False, "gradient/decay--0.01"), report
    assert "reg=0 では式と同じ動きです" in str(report)
    assert check(sgd_that_decays, "SGD").ok


class RmspropThatSquaresTheWeight:
    """lr and 1 - decay_rate happen to be equal: what is true only of that is not said."""

    def __init__(self, lr=0.01, decay_rate=0.99):
        self.lr, self.decay_rate, self.h = lr, decay_rate, {}

    def update(self, params, grads):
        for key, g in grads.items():
            self.h[key] = self.decay_rate * self.h.get(key, 0.0) + ((1 - self.decay_rate) * g) ** 2
            params[key] -= self.lr * g / (np.sqrt(self.h[key]) + 1e-7)


def test_values_that_happen_to_be_equal_name_nothing_false():
    report = check(RmspropThatSquaresTheWeight, "RMSProp")
    assert report.variant == "eq-rmsprop-h/weight-squared", report


def lion_with_unclear_names(weight, gradient, momentum=None, lr=0.003, wd=0.1, interp=0.95, beta=0.98):
    if momentum is None:
        momentum = np.zeros_like(weight)
    direction = np.sign(gradient + interp * (momentum - gradient))
    return weight * (1 - lr * wd) - lr * direction, gradient + beta * (momentum - gradient)


def lion_with_exchanged_betas(w, g, m, lr=1e-3, mu1=0.9, mu2=0.99):
    return w - lr * np.sign(mu2 * m + (1 - mu2) * g), mu1 * m + (1 - mu1) * g


def adam_with_exchanged_betas(w, g, m, v, t, lr=1e-3, rho1=0.9, rho2=0.999, eps=1e-8):
    m = rho2 * m + (1 - rho2) * g
    v = rho1 * v + (1 - rho1) * g * g
    return w - lr * m / (1 - rho2**t) / (np.sqrt(v / (1 - rho1**t)) + eps), m, v


def lion_with_momentum_and_decay_exchanged(w, g, m, lr=1e-3, momentum=0.9, decay_rate=0.99):
    return w - lr * np.sign(decay_rate * m + (1 - decay_rate) * g), momentum * m + (1 - momentum) * g


class RmspropByIndex:
    def __init__(self, eta=0.01, gamma=0.9, eps=1e-8):
        self.eta, self.gamma, self.eps, self.cache = eta, gamma, eps, {}

    def root(self, h):
        return np.sqrt(h)

    def __call__(self, i, w, g):
        self.cache[i] = self.gamma * self.cache.get(i, np.zeros_like(w)) + (1 - self.gamma) * g**2
        return w - self.eta * g / (self.root(self.cache[i]) + self.eps)


class RmspropByIndexWithoutARoot(RmspropByIndex):
    def root(self, h):
        return h


def momentum_of_a_shape(shape, lr=0.05, mu=0.9):
    velocity = np.zeros(shape)

    def step(w, grad):
        nonlocal velocity
        velocity = mu * velocity - lr * grad
        return w + velocity

    return step


def adadelta_that_keeps_its_ratio(w, g, h, u, rho=0.95, eps=1e-6):
    h = rho * h + (1 - rho) * g**2
    ratio = np.sqrt(u + eps) / np.sqrt(h + eps)
    return w - ratio * g, h, rho * u + (1 - rho) * ratio**2


@pytest.mark.parametrize(
    ("thing", "method", "variant"),
    [
        (lion_with_unclear_names, "Lion", None),
        (lion_with_exchanged_betas, "Lion", "eq-lion-c/betas-exchanged"),
        (adam_with_exchanged_betas, "Adam", "eq-adam-m/betas-exchanged"),
        (lion_with_momentum_and_decay_exchanged, "Lion", "eq-lion-c/betas-exchanged"),
        (RmspropByIndex, "RMSProp", None),
        (RmspropByIndexWithoutARoot, "RMSProp", "eq-rmsprop-w/root-missing"),
        (momentum_of_a_shape, "Momentum", None),
        (adadelta_that_keeps_its_ratio, "AdaDelta", "eq-adadelta-u/ratio-in-u"),
    ],
)
def test_names_that_say_little_are_no_mistake(thing, method, variant):
    report = check(thing, method)
    assert (report.ok, report.variant) == (variant is None, variant), report
