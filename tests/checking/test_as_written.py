"""check() on code as people write it: whole classes and functions, each with one slip (or two), and what must be said."""

from collections import deque, namedtuple

import numpy as np
import pytest

from fumoto import check


class SharedList:
    """One array in every place of a list: it works only if all arrays have one shape."""

    def __init__(self, params, lr=0.01, beta=0.9):
        self.params, self.lr, self.beta = params, lr, beta
        self.vs = [np.zeros_like(params[0])] * len(params)

    def step(self, grads):
        for p, g, v in zip(self.params, grads, self.vs, strict=True):
            v *= self.beta
            v -= self.lr * g
            p += v


class ByShape:
    def __init__(self, lr=0.01, mu=0.9):
        self.lr, self.mu, self.velocity = lr, mu, {}

    def __call__(self, param, grad):
        v = self.mu * self.velocity.get(param.shape, 0) - self.lr * grad
        self.velocity[param.shape] = v
        return param + v


class SkipsTheFirst:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, None

    def update(self, params, grads):
        self.v = self.v or [0.0 * p for p in params]
        for i in range(1, len(params)):
            params[i] += self.v[i]
            self.v[i] = self.momentum * self.v[i] - self.lr * grads[i]


class Exchanged:
    def __init__(self, lr=0.01, momentum=0.9):
        self.momentum, self.lr, self.v = lr, momentum, {}

    def update(self, params, grads):
        for key, g in grads.items():
            self.v[key] = self.momentum * self.v.get(key, 0) - self.lr * g
            params[key] += self.v[key]


def before_the_velocity(w, dw, v, config=None):
    config = config or {}
    return w + v, config.get("momentum", 0.9) * v - config.get("learning_rate", 0.01) * dw


class GrowingWeights:
    def __init__(self, lr=0.1, weight_decay=0.1):
        self.lr, self.weight_decay = lr, weight_decay

    def update(self, params, grads):
        for key, g in grads.items():
            params[key] -= self.lr * (g - self.weight_decay * params[key])


class Flat:
    """Joins all arrays, the gradients in another order."""

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m = self.v = 0.0
        self.t = 0

    def update(self, params, grads):
        w = np.concatenate([p.ravel() for p in params.values()])
        g = np.concatenate([grads[key].ravel() for key in sorted(grads)])
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.v = self.beta2 * self.v + (1 - self.beta2) * g**2
        mh, vh = self.m / (1 - self.beta1**self.t), self.v / (1 - self.beta2**self.t)
        w = w - self.lr * mh / (np.sqrt(vh) + self.eps)
        ends = np.cumsum([p.size for p in params.values()])[:-1]
        for (key, p), part in zip(list(params.items()), np.split(w, ends), strict=True):
            params[key] = part.reshape(p.shape)


class Moments:
    """What the optimizers with two averages have in common."""

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m, self.v, self.t = {}, {}, 0


class Hidden(Moments):
    """β t for βᵗ; the root of what becomes negative is patched."""

    def update(self, params, grads):
        self.t += 1
        for key, g in grads.items():
            self.m[key] = self.beta1 * self.m.get(key, 0) + (1 - self.beta1) * g
            self.v[key] = self.beta2 * self.v.get(key, 0) + (1 - self.beta2) * g**2
            mh, vh = self.m[key] / (1 - self.beta1 * self.t), self.v[key] / (1 - self.beta2 * self.t)
            params[key] -= self.lr * mh / (np.sqrt(abs(vh)) + self.eps)


class Overwritten:
    def __init__(self, lr=0.001, b1=0.9, b2=0.99):
        self.lr, self.b1, self.b2, self.m = lr, b1, b2, {}

    def update(self, params, grads):
        for key, g in grads.items():
            m = self.m.setdefault(key, np.zeros_like(g))
            m += (1 - self.b1) * (g - m)
            params[key] -= self.lr * np.sign(m)
            m += (1 - self.b2) * (g - m)


class TwiceAStep:
    def __init__(self, lr=0.001, rho=0.9, eps=1e-8):
        self.lr, self.rho, self.eps, self.h = lr, rho, eps, {}

    def rate(self, key, g):
        self.h[key] = self.rho * self.h.get(key, 0) + (1 - self.rho) * g**2
        return self.lr / (np.sqrt(self.h[key]) + self.eps)

    def update(self, params, grads):
        for key, g in grads.items():
            self.rate(key, g)
            params[key] -= self.rate(key, g) * g


def last_layer_left_out(parameters, grads, v, s, t, learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8):
    for layer in range(1, len(parameters) // 2):
        for name in ("W", "b"):
            key = f"d{name}{layer}"
            v[key] = beta1 * v[key] + (1 - beta1) * grads[key]
            s[key] = beta2 * s[key] + (1 - beta2) * grads[key] ** 2
            step = v[key] / (1 - beta1**t) / (np.sqrt(s[key] / (1 - beta2**t)) + epsilon)
            parameters[f"{name}{layer}"] -= learning_rate * step
    return parameters, v, s


class HalfPrecision:
    def __init__(self, lr=0.01, mu=0.9):
        self.lr, self.mu, self.v = lr, mu, None

    def apply(self, w, g):
        self.v = np.zeros(w.shape, np.float16) if self.v is None else self.v
        self.v *= self.mu
        self.v -= self.lr * g
        w += self.v


def a_whole_velocity_ahead(x, v, grad_fn, lr=0.01, momentum=0.9):
    v_new = momentum * v - lr * grad_fn(x + v)
    return x + v_new, v_new


class RateInTheSum:
    """The rate is squared into h and cancels; the biases do not move."""

    def __init__(self, lr=0.01):
        self.lr, self.h = lr, {}

    def update(self, params, grads):
        for key in params:
            if key.startswith("W"):
                g = self.lr * grads[key]
                self.h[key] = self.h.get(key, 0) + g * g
                params[key] -= g / (np.sqrt(self.h[key]) + 1e-7)


class StartsAtOne:
    def __init__(self, lr=0.001, decay=0.9, eps=1e-8):
        self.lr, self.decay, self.eps, self.h = lr, decay, eps, {}

    def update(self, params, grads):
        for key, g in grads.items():
            h = self.h.setdefault(key, np.ones_like(g))
            params[key] -= self.lr * g / (np.sqrt(h) + self.eps)
            self.h[key] = self.decay * h + (1 - self.decay) * g**2


class DifferenceSquared(Moments):
    def update(self, params, grads):
        self.t += 1
        for key, g in grads.items():
            m, v = self.m.get(key, 0), self.v.get(key, 0)
            self.m[key] = m + (1 - self.beta1) * (g - m)
            self.v[key] = v + (1 - self.beta2) * (g - v) ** 2
            mh, vh = self.m[key] / (1 - self.beta1**self.t), self.v[key] / (1 - self.beta1**self.t)
            params[key] -= self.lr * mh / (np.sqrt(vh) + self.eps)


class Head:
    """One flat velocity; its position is never moved on."""

    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.buf = lr, momentum, None

    def update(self, params, grads):
        self.buf = np.zeros(sum(p.size for p in params)) if self.buf is None else self.buf
        at = 0
        for p, g in zip(params, grads, strict=True):
            v = self.buf[at : at + p.size]
            v *= self.momentum
            v -= self.lr * g.ravel()
            p += v.reshape(p.shape)


class LastThree:
    def __init__(self, lr=0.01, eps=1e-7):
        self.lr, self.eps, self.past = lr, eps, {}

    def update(self, params, grads):
        for key, g in grads.items():
            past = self.past.setdefault(key, deque(maxlen=3))
            past.append(g**2)
            params[key] -= self.lr * g / (np.sqrt(sum(past)) + self.eps)


class RowsShare:
    def __init__(self, params, lr=0.01):
        self.params, self.lr, self.h = params, lr, [0.0] * len(params)

    def step(self):
        for i, p in enumerate(self.params):
            self.h[i] = self.h[i] + (p.grad**2).mean(axis=0)
            p.data -= self.lr * p.grad / (np.sqrt(self.h[i]) + 1e-7)


class AssignsAndFades:
    def __init__(self, lr=0.1):
        self.lr, self.t, self.h = lr, 0, {}

    def update(self, params, grads):
        self.t += 1
        for key, g in grads.items():
            self.h[key] = +(g**2)
            params[key] -= self.lr / np.sqrt(self.t) * g / (np.sqrt(self.h[key]) + 1e-7)


class RMSProp最適化:
    def __init__(self, 学習率=0.01, 減衰率=0.9, 微小値=1e-8):
        self.学習率, self.減衰率, self.微小値, self.二乗平均 = 学習率, 減衰率, 微小値, 0.0

    def 更新(self, 重み, 勾配):
        self.二乗平均 = self.減衰率 * self.二乗平均 + 勾配**2
        return 重み - self.学習率 * 勾配 / (np.sqrt(self.二乗平均) + self.微小値)


class GrowsAndCountsLate:
    def __init__(self, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.1):
        self.lr, self.beta1, self.beta2, self.eps, self.weight_decay = lr, beta1, beta2, eps, weight_decay
        self.m, self.v, self.t = {}, {}, 0

    def update(self, params, grads):
        self.t += 1
        for key, g in grads.items():
            self.m[key] = self.beta1 * self.m.get(key, 0) + (1 - self.beta1) * g
            self.v[key] = self.beta2 * self.v.get(key, 0) + (1 - self.beta2) * g**2
            mh, vh = self.m[key] / (1 - self.beta1 ** (self.t + 1)), self.v[key] / (1 - self.beta2**self.t)
            params[key] *= 1 + self.lr * self.weight_decay
            params[key] -= self.lr * mh / (np.sqrt(vh) + self.eps)


class Compounded:
    """The rate is shrunk from what it has become, not from what it was."""

    def __init__(self, lr=0.1, decay=0.1):
        self.lr, self.decay, self.t = lr, decay, 0

    def update(self, params, grads):
        self.lr *= 1 / (1 + self.decay * self.t)
        for key, g in grads.items():
            params[key] -= self.lr * g
        self.t += 1


class StartsWithTheGradient:
    def __init__(self, lr=0.2, mu=0.9):
        self.lr, self.mu, self.v = lr, mu, {}

    def update(self, params, grads):
        for key, g in grads.items():
            self.v[key] = self.mu * self.v.get(key, g) + self.lr * g
            params[key] -= self.lr * self.v[key]


class HoldsItsGradient:
    def __init__(self, grad_f, lr=0.01, gamma=0.9):
        self.grad_f, self.lr, self.gamma, self.v = grad_f, lr, gamma, 0.0

    def step(self, w):
        self.v = self.gamma * self.v - self.lr * self.grad_f(w + self.v)
        return w + self.v


class PlusOneOutside:
    def __init__(self, lr=0.01, b1=0.9, b2=0.999, eps=1e-8):
        self.lr, self.b1, self.b2, self.eps, self.i, self.m, self.v = lr, b1, b2, eps, 0, {}, {}

    def update(self, params, grads):
        for key, g in grads.items():
            self.m[key] = self.b1 * self.m.get(key, 0) + (1 - self.b1) * g
            self.v[key] = self.b2 * self.v.get(key, 0) + (1 - self.b2) * g**2
            mh, vh = self.m[key] / (1 - self.b1**self.i + 1), self.v[key] / (1 - self.b2**self.i + 1)
            params[key] -= self.lr * mh / (np.sqrt(vh) + self.eps)
        self.i += 1


def gradient_before_the_loop(grad_func, x0, lr=0.1, max_iter=8):
    x, points, g = np.array(x0, float), [], grad_func(x0)
    for _ in range(max_iter):
        x = x - lr * g
        points.append(x)
    return np.array(points)


@pytest.mark.parametrize(
    ("thing", "method", "variant"),
    [
        (Head, "Momentum", "loop/shared-head"),
        (LastThree, "AdaGrad", "eq-adagrad-h/last-3"),
        (RowsShare, "AdaGrad", "eq-adagrad-h/first-axis"),
        (AssignsAndFades, "AdaGrad", "state/forgotten + rate/schedule"),
        (RMSProp最適化, "RMSProp", "eq-rmsprop-h/sum"),
        (GrowsAndCountsLate, "AdamW", "eq-adam-mhat/count-late-m + eq-adamw-w/decay-grows"),
        (gradient_before_the_loop, "SGD", "loop/gradient-once"),
        (Compounded, "SGD", "rate/schedule"),
        (StartsWithTheGradient, "Momentum", "eq-momentum-v/rate-twice + state/v-step"),
        (HoldsItsGradient, "Nesterov", "eq-nesterov-w/looks-one-step"),
        (PlusOneOutside, "Adam", "eq-adam-mhat/plus-one-outside"),
        (HalfPrecision, "Momentum", "state/float16"),
        (a_whole_velocity_ahead, "Nesterov", "eq-nesterov-w/looks-one-step"),
        (RateInTheSum, "AdaGrad", "keys/still + eq-adagrad-h/rate-squared"),
        (StartsAtOne, "RMSProp", "eq-rmsprop-w/old-h + state/h-ones"),
        (DifferenceSquared, "Adam", "eq-adam-vhat/beta1-in-vhat + eq-adam-v/v-difference"),
        (SharedList, "Momentum", "loop/shared-state"),
        (ByShape, "Momentum", "loop/kept-by-shape"),
        (SkipsTheFirst, "Momentum", "keys/still + eq-momentum-w/old-velocity"),
        (Exchanged, "Momentum", "value/lr-momentum-exchanged"),
        (before_the_velocity, "Momentum", "eq-momentum-w/old-velocity"),
        (GrowingWeights, "SGD", "gradient/decay--0.1"),
        (Flat, "Adam", "loop/sorted-flat-gradients"),
        (Hidden, "Adam", "eq-adam-mhat/times-t"),
        (Overwritten, "Lion", "eq-lion-m/overwritten"),
        (TwiceAStep, "RMSProp", "eq-rmsprop-h/updated-twice"),
        (last_layer_left_out, "Adam", "keys/still"),
    ],
)
def test_the_slip_is_named(thing, method, variant):
    report = check(thing, method)
    assert (report.ok, report.variant) == (False, variant), str(report)


def muon(length="np.linalg.norm(u) + 1e-7", product="b * A + c * A @ A", rounds=5, before="", scale="rows / columns"):
    """Muon as PyTorch has it, with one part replaced."""
    code = f"""
def muon(params, grads, bufs=None, lr=0.02, beta=0.95):
    bufs = [np.zeros_like(p) for p in params] if bufs is None else bufs
    new, kept, (a, b, c) = [], [], (3.4445, -4.7750, 2.0315)
    def orthogonal(u):
        X = u / ({length})
        for _ in range({rounds}):
            A = X @ X.T
            X = a * X + ({product}) @ X
        return X
    for p, g, m in zip(params, grads, bufs):
        rows, columns = p.shape
        {before}
        m = beta * m + g
        u = g + beta * m
        step = u if {bool(before)} else orthogonal(u)
        new.append(p - lr * max(1, {scale}) ** 0.5 * step)
        kept.append(m)
    return new, kept
"""
    names = {"np": np}
    exec(code, names)
    return names["muon"]


@pytest.mark.parametrize(
    ("changed", "variant"),
    [
        ({"product": "b * A + c * A * A"}, "eq-muon-q/elementwise"),
        ({"length": "np.sum(u**2) + 1e-7"}, "eq-muon-x/length-squared"),
        ({"rounds": 1}, "loop/rounds-1"),
        ({"rounds": 3}, "loop/rounds-3"),
        ({"before": "g = orthogonal(g)"}, "eq-muon-u/momentum-after"),
        ({"product": "b * A + c * A"}, "eq-muon-q/square-forgotten"),
    ],
)
def test_slips_of_muon_in_the_form_of_pytorch_are_named(changed, variant):
    right = check(muon(), "Muon")
    assert right.ok, str(right)
    report = check(muon(**changed), "Muon")
    assert (report.ok, report.variant) == (False, variant), str(report)
    assert "使われていません" not in str(report)  # that it diverges does not mean that its arguments are ignored


def exploding(W, dW, buf=None, lr=0.02, mu=0.95):
    """The coefficients b and c are exchanged: the iteration leaves the numbers a computer has."""
    a, b, c = 3.4445, -4.7750, 2.0315
    buf = dW.copy() if buf is None else mu * buf + dW
    g = dW + mu * buf
    X = g / (np.linalg.norm(g) + 1e-7)
    for _ in range(5):
        A = X @ X.T
        X = a * X + (b * A @ A + c * A) @ X
    return W - lr * max(1, W.shape[0] / W.shape[1]) ** 0.5 * X, buf


def test_an_iteration_that_explodes_is_named():
    report = check(exploding, "Muon")
    assert (report.ok, report.variant) == (False, "eq-muon-q/coefficients-exchanged"), str(report)


def decays_at_the_end(w, dw, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    m, v = beta1 * m + (1 - beta1) * dw, beta2 * v + (1 - beta2) * dw**2
    w = w - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return w - lr * weight_decay * w, m, v


class モーメンタム:
    def __init__(self, 学習率=0.01, 慣性=0.9):
        self.学習率, self.慣性, self.速度 = 学習率, 慣性, {}

    def step(self, name, w, g):
        self.速度[name] = self.慣性 * self.速度.get(name, 0.0) - self.学習率 * g
        return w + self.速度[name]


def test_what_libraries_do_and_names_in_japanese_are_accepted():
    report = check(decays_at_the_end, "AdamW")
    assert report.ok and "Hugging Face" in report.verdict, str(report)
    report = check(モーメンタム, "Momentum", 学習率=0.1, 慣性=0.8)
    assert report.ok and report.how.startswith("step(name, w, g)"), str(report)


Carried = namedtuple("Carried", "w m")


def carried_lion(lr=0.001, beta1=0.9, beta2=0.99):
    """The weights are in the state: ``start(w)``, then ``step(state, g)``."""

    def step(state, g):
        c = beta1 * state.m + (1 - beta1) * g
        return Carried(state.w - lr * np.sign(c), beta2 * state.m + (1 - beta2) * g)

    return lambda w: Carried(w.copy(), np.zeros_like(w)), step


def test_weights_may_be_carried_in_the_state():
    report = check(carried_lion, "Lion")
    assert report.ok, str(report)
    wrong = check(lambda lr=0.1: (lambda w: {"w": w}, lambda state, g: {"w": state["w"] + lr * g}), "SGD")
    assert wrong.equation == "eq-sgd-w", str(wrong)


class WeightDecay:
    """A hook: it changes gradients, and is no optimizer."""

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, params):
        for p in params:
            p.grad += self.rate * p.data


def test_what_only_changes_gradients_is_not_accused():
    report = check(WeightDecay)
    assert not report.ok and report.variant is None and "確かめられませんでした" in report.verdict, str(report)


class Options:
    """As PyTorch's: options that are off. The count moves on with every array."""

    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.params, self.lr, self.betas, self.eps, self.weight_decay, self.t = params, lr, betas, eps, weight_decay, 1
        self.m, self.v = ([np.zeros_like(p.data) for p in params] for _ in range(2))

    def step(self):
        b1, b2 = self.betas
        for i, p in enumerate(self.params):
            g = p.grad + self.weight_decay * p.data
            self.m[i] = b1 * self.m[i] + (1 - b1) * g
            self.v[i] = b2 * self.v[i] + (1 - b2) * g**2
            mh, vh = self.m[i] / (1 - b1**self.t), self.v[i] / (1 - b2**self.t)
            p.data -= self.lr * mh / (np.sqrt(vh) + self.eps)
            self.t += 1


class PlainSGD:
    def __init__(self, params, lr=0.01, weight_decay=0.0):
        self.params, self.lr, self.weight_decay = params, lr, weight_decay

    def step(self):
        for p in self.params:
            p.data -= self.lr * (p.grad + self.weight_decay * p.data)


def test_options_that_are_off_do_not_blur_the_verdict():
    report = check(PlainSGD)
    assert report.ok and report.verdict == "一致: SGD の式と同じ動きをします。", str(report)
    report = check(Options)
    assert report.variant == "loop/counter" and "絶対値" not in report.verdict, str(report)


class Layered:
    def __init__(self, model, learning_rate=0.1):
        self.model, self.learning_rate = model, learning_rate

    def step(self):
        for layer in self.model.layers:
            for w, g in zip(layer.parameters(), layer.gradients(), strict=True):
                w -= self.learning_rate * g


def test_both_betas_may_be_given_at_once():
    assert check(Options, "Adam", betas=(0.8, 0.99)).variant == "loop/counter"
    with pytest.raises(ValueError, match="beta2"):
        check(Options, "Adam", betas=(0.8, 1.5))


def test_layers_may_give_their_gradients_by_a_method():
    assert check(Layered, "SGD").ok


class Remembering:
    """Chainer's way: the values are in a dictionary of the optimizer, the state beside each parameter."""

    def __init__(self, alpha=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.hyperparam = {"alpha": alpha, "beta1": beta1, "beta2": beta2, "eps": eps}

    def update(self, params, grads):
        h = self.hyperparam
        state = self.__dict__.setdefault("slots", {})
        for key, g in grads.items():
            m, v, t = state.get(key, (0.0, 0.0, 0))
            m, v, t = m + (1 - h["beta1"]) * (g - m), v + (1 - h["beta2"]) * (g * g - v), t + 1
            state[key] = m, v, t
            mh, vh = m / (1 - h["beta1"] ** t), v / (1 - h["beta2"] ** t)
            params[key] -= h["alpha"] * mh / (np.sqrt(vh) + h["eps"])


def test_the_values_of_an_instance_may_be_said_by_the_names_it_was_made_with():
    report = check(Remembering(alpha=0.01), "Adam", alpha=0.01)
    assert report.ok, str(report)
    with pytest.raises(TypeError, match="learning"):
        check(Remembering(alpha=0.01), "Adam", learning=0.01)


class Strange:
    """No slip of anything: nothing may be named, and what cannot be computed does not count as agreement."""

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999):
        self.lr, self.beta1, self.beta2, self.v = lr, beta1, beta2, {}

    def update(self, params, grads):
        for key, g in grads.items():
            self.v[key] = self.beta1 * self.v.get(key, 0) + g
            params[key] -= self.lr * np.tanh(self.v[key]) * np.cos(params[key]) * self.beta2


LONG = [pytest.param(name, marks=pytest.mark.build) for name in ("Momentum", "RMSProp", "AdamW", "Lion")]


@pytest.mark.parametrize("method", ["AdaGrad", "Adam", *LONG])
def test_what_is_no_slip_has_no_name(method):
    report = check(Strange, method)
    assert report.variant is None and "分かりませんでした" in report.verdict, str(report)


def paired_states(params, grads, states, rho=0.9, eps=1e-5):
    """AdaDelta: two states in one argument, for each array."""
    for p, g, (s, delta) in zip(params, grads, states, strict=True):
        s[:] = rho * s + (1 - rho) * np.square(g)
        step = np.sqrt(delta + eps) / np.sqrt(s + eps) * g
        p[:] -= step
        delta[:] = rho * delta + (1 - rho) * step * step


def counted_state(params, grads, state, lr=0.01, b1=0.9, b2=0.999, eps=1e-8):
    """Adam: all states and the count in one argument."""
    m, v, t = state
    t += 1
    m = {key: b1 * m[key] + (1 - b1) * g for key, g in grads.items()}
    v = {key: b2 * v[key] + (1 - b2) * g**2 for key, g in grads.items()}
    new = {key: w - lr * (m[key] / (1 - b1**t)) / (np.sqrt(v[key] / (1 - b2**t)) + eps) for key, w in params.items()}
    return new, (m, v, t)


def changes_from_a_state(lr=0.1, start=0.1, eps=1e-7):
    """AdaGrad as Optax has it: ``init(w)``, then ``update(g, state)`` gives the change and the state."""

    def update(grads, state):
        state = state + grads * grads
        return -lr * grads / np.sqrt(state + eps), state

    return lambda w: np.full_like(w, start), update


def amsgrad(w, g, m=0, v=0, largest=0, t=1, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
    largest = np.maximum(largest, v)
    step = m / (1 - beta1**t) / (np.sqrt(largest / (1 - beta2**t)) + eps)
    return w - lr * step, m, v, largest


class Centered:
    def __init__(self, lr=0.01, rho=0.9, eps=1e-8):
        self.lr, self.rho, self.eps, self.h, self.mean = lr, rho, eps, 0.0, 0.0

    def step(self, w, g):
        self.h = self.rho * self.h + (1 - self.rho) * g**2
        self.mean = self.rho * self.mean + (1 - self.rho) * g
        return w - self.lr * g / (np.sqrt(self.h - self.mean**2) + self.eps)


@pytest.mark.parametrize(
    ("thing", "method", "said"),
    [
        (paired_states, "AdaDelta", "一致: AdaDelta の式"),
        (counted_state, "Adam", "一致: Adam の式"),
        (changes_from_a_state, "AdaGrad", "Keras 3 の Adagrad"),
        (muon(scale="1"), "Muon", "Jordan のブログ"),
    ],
)
def test_other_forms_of_states_and_methods_are_accepted(thing, method, said):
    report = check(thing, method)
    assert report.ok and said in report.verdict, str(report)


@pytest.mark.parametrize(
    ("thing", "method", "said"),
    [(Centered, "RMSProp", "PyTorch の RMSprop の centered=True"), (amsgrad, "Adam", "PyTorch の Adam の amsgrad=True")],
)
def test_a_published_method_is_not_called_a_mistake(thing, method, said):
    report = check(thing, method)
    assert not report.ok and report.verdict.startswith("別の手法") and said in report.verdict, str(report)


def integer_state(w, g, s=None, lr=0.01, rho=0.9, eps=1e-8):
    s = np.full(w.shape, 0) if s is None else s
    s[...] = rho * s + (1 - rho) * g**2
    return w - lr * g / (np.sqrt(s) + eps), s


def one_array_for_both(w, g, state, t, lr=0.001, b1=0.9, b2=0.999, eps=1e-8):
    if state is None:
        m = v = np.zeros_like(w)
        state = (m, v)
    m, v = state
    m *= b1
    m += (1 - b1) * g
    v *= b2
    v += (1 - b2) * g**2
    return w - lr * m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + eps), state


@pytest.mark.parametrize(
    ("thing", "method", "variant"),
    [(integer_state, "RMSProp", "state/integer"), (one_array_for_both, "Adam", "state/m-is-v")],
)
def test_a_state_the_code_makes_itself_is_not_made_for_it(thing, method, variant):
    report = check(thing, method)
    assert (report.ok, report.variant) == (False, variant), str(report)


class NotDivided:
    def __init__(self, lr=0.01, eps=1e-7):
        self.lr, self.eps, self.h = lr, eps, {}

    def update(self, params, grads):
        for key, g in grads.items():
            self.h[key] = self.h.get(key, 0) + g**2
            params[key] -= self.lr / np.sqrt(self.h[key]) + self.eps * g


class OneMinusLost:
    def __init__(self, lr=0.01, mu=0.9):
        self.lr, self.mu, self.h = lr, mu, {}

    def update(self, params, grads):
        for key, g in grads.items():
            self.h[key] = self.mu * self.h.get(key, 0) + 1 - self.mu * g**2
            params[key] -= self.lr * g / (np.sqrt(np.abs(self.h[key])) + 1e-8)


class SignFirst:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.99):
        self.lr, self.beta1, self.beta2, self.m = lr, beta1, beta2, {}

    def update(self, params, grads):
        for key, g in grads.items():
            m, s = self.m.get(key, 0), np.sign(g)
            params[key] -= self.lr * (self.beta1 * m + (1 - self.beta1) * s)
            self.m[key] = self.beta2 * m + (1 - self.beta2) * s


class DecaysByTheGradient(Moments):
    def update(self, params, grads):
        self.t += 1
        for key, g in grads.items():
            self.m[key] = self.beta1 * self.m.get(key, 0) + (1 - self.beta1) * g
            self.v[key] = self.beta2 * self.v.get(key, 0) + (1 - self.beta2) * g**2
            mh, vh = self.m[key] / (1 - self.beta1**self.t), self.v[key] / (1 - self.beta2**self.t)
            params[key] -= self.lr * mh / (np.sqrt(vh) + self.eps) + self.lr * 0.01 * g


def corrects_by_the_epoch(grad_fn, w, epochs=10, batches=5, lr=0.001, b1=0.9, b2=0.999, eps=1e-8):
    m, v = np.zeros_like(w), np.zeros_like(w)
    for epoch in range(1, epochs + 1):
        for _ in range(batches):
            g = grad_fn(w)
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
            w = w - lr * m / (1 - b1**epoch) / (np.sqrt(v / (1 - b2**epoch)) + eps)
    return w


@pytest.mark.parametrize(
    ("thing", "method", "variant"),
    [
        (NotDivided, "AdaGrad", "eq-adagrad-w/bracket-lost"),
        (OneMinusLost, "RMSProp", "eq-rmsprop-h/bracket-lost"),
        (SignFirst, "Lion", "eq-lion-m/sign-first"),
        (DecaysByTheGradient, "AdamW", "eq-adamw-w/decay-of-gradient"),
        (corrects_by_the_epoch, "Adam", "clock/epoch"),
    ],
)
def test_slips_found_in_further_code_are_named(thing, method, variant):
    report = check(thing, method)
    assert (report.ok, report.variant) == (False, variant), str(report)


def in_c(w, g, s, n, lr=0.001, rho=0.9, eps=1e-6):
    """RMSProp with an index; ``n``: how many numbers there are."""
    for i in range(n):
        s[i] = rho * s[i] + (1.0 - rho) * g[i] * g[i]
        w[i] -= lr / float(s[i] + eps) ** 0.5 * g[i]


class HoldsTwo:
    def __init__(self, gamma, beta, lr=0.05, eps=1e-8):
        self.gamma, self.beta, self.lr, self.eps = gamma, beta, lr, eps
        self.h_gamma, self.h_beta = np.zeros_like(gamma), np.zeros_like(beta)

    def step(self, dgamma, dbeta):
        self.h_gamma += dgamma**2
        self.gamma = self.gamma - self.lr * dgamma / (np.sqrt(self.h_gamma) + self.eps)
        self.h_beta += dbeta**2
        self.beta = self.beta - self.lr * dbeta / (np.sqrt(self.h_beta) + self.eps)


class HoldsOne:
    def __init__(self, w, lr=0.01, mu=0.9):
        self.w, self.lr, self.mu, self.v = w, lr, mu, 0 * w

    def step(self, g):
        self.v = self.mu * self.v - self.lr * g
        self.w = self.w + self.v


def two_and_two(gamma, beta, dgamma, dbeta, lr=0.1):
    return gamma - lr * dgamma, beta - lr * dbeta


def state_from_a_number(w, g, v=0.0, lr=0.01, rho=0.9, eps=1e-8):
    v = rho * v + (1 - rho) * g**2
    return w - lr * g / (np.sqrt(v) + eps), v


def momentum_is_a_state(w, grad, momentum, lr=0.02, beta=0.9):
    momentum = beta * momentum - lr * grad
    return w + momentum, momentum


def state_by_either_name(parameters, grads, v, beta=0.9, learning_rate=0.01):
    for k in parameters:
        v["d" + k] = beta * v.get("d" + k, v.get(k)) + (1 - beta) * grads["d" + k]
        parameters[k] = parameters[k] - learning_rate * v["d" + k]
    return parameters, v


class MovesItself:
    def __init__(self, value, lr=0.01, mu=0.9):
        self.value, self.lr, self.mu, self.velocity = value, lr, mu, np.zeros(value.shape)

    def backward_update(self, grad):
        self.velocity = self.mu * self.velocity - self.lr * grad
        self.value = self.value + self.velocity


def unusually_named(score, theta0, maxit=500, step=0.01):
    theta = np.array(theta0, float)
    for _ in range(maxit):
        theta -= step * score(theta)
    return theta


@pytest.mark.parametrize(
    ("thing", "method", "how"),
    [
        (in_c, "RMSProp", "n には要素の数を渡し"),
        (HoldsTwo, "AdaGrad", "HoldsTwo(gamma, beta) と作り、step(dgamma, dbeta) に"),
        (HoldsOne, "Momentum", "HoldsOne(w) と作り、step(g) に"),
        (two_and_two, "SGD", "重みとバイアス"),
        (state_from_a_number, "RMSProp", "(theta, g, v)".replace("theta", "w")),
        (unusually_named, "SGD", "(score, theta0, …)"),
        (momentum_is_a_state, "Momentum", "(w, grad, momentum)"),
        (state_by_either_name, "Momentum", "W1, b1 の辞書と dW1, db1 の辞書"),
        (MovesItself, "Momentum", "backward_update(grad)"),
    ],
)
def test_further_shapes_are_called_as_they_stand(thing, method, how):
    report = check(thing, method)
    assert report.ok and how in report.how, f"{report}\n{report.how}"


def told_from_one(w, g, m, v, t, lr=0.001, b1=0.9, b2=0.999, eps=1e-8):
    """Adam; t is the iteration number, starting from 1."""
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    return w - lr * m / (1 - b1 ** (t + 1)) / (np.sqrt(v / (1 - b2 ** (t + 1))) + eps), m, v


def count_returned_as_it_came(w, g, m, v, t=1, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    return w - lr * m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + eps), m, v, t


class OneNumber:
    def __init__(self, lr=0.01, mu=0.9):
        self.lr, self.mu, self.v = lr, mu, 0.0

    def step(self, w, g):
        for i in range(len(w)):
            self.v = self.mu * self.v - self.lr * g[i]
            w[i] = w[i] + self.v
        return w


def one_coordinate_after_the_other(gradient, theta, num_iters=400, alpha=0.05):
    theta = np.array(theta, float)
    for _ in range(num_iters):
        for j in range(len(theta)):
            theta[j] = theta[j] - alpha * gradient(theta)[j]
    return theta


def one_point_many_times(grad, x0, n=50, lr=0.02, mu=0.9):
    x, v = np.array(x0, float), np.zeros(np.shape(x0))
    path = [x]
    for _ in range(n):
        v = mu * v - lr * grad(x)
        x += v
        path.append(x)
    return path


class OnlyAtFirst:
    def __init__(self, params, lr=0.01, eps=1e-10):
        self.params, self.lr, self.eps, self.acc = list(params), lr, eps, {}

    def step(self):
        for i, p in enumerate(self.params):
            if i not in self.acc:
                self.acc[i] = np.zeros_like(p.data)
                self.acc[i] += p.grad**2
            p.data -= self.lr * p.grad / (np.sqrt(self.acc[i]) + self.eps)


class GradientAsVelocity:
    def __init__(self, params, lr=0.01, momentum=0.9):
        self.params, self.lr, self.momentum, self.bufs = params, lr, momentum, {}

    def step(self):
        for p in self.params:
            buf = self.bufs.setdefault(id(p), p.grad)
            buf *= self.momentum
            buf += p.grad
            p.data -= self.lr * buf


def powers_of_both(w, g, m=0, v=0, t=1, lr=0.001, b1=0.9, b2=0.999, eps=1e-8):
    m, v = b1**t * m + (1 - b1**t) * g, b2**t * v + (1 - b2**t) * g**2
    return w - lr * m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + eps), m, v


def always_at_the_start(grad, x0, n=50, lr=0.1):
    x = np.array(x0, float)
    for _ in range(n):
        x = x - lr * grad(x0)
    return x


def outdented(parameters, grads, v, beta=0.9, learning_rate=0.01):
    for name in parameters:
        v["d" + name] = beta * v["d" + name] + (1 - beta) * grads["d" + name]
    parameters[name] = parameters[name] - learning_rate * v["d" + name]
    return parameters, v


def exchanged_in_the_state(step_size=0.001, b1=0.9, b2=0.999, eps=1e-8):
    def update(i, g, state):
        x, v, m = state
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        mh, vh = m / (1 - b1 ** (i + 1)), v / (1 - b2 ** (i + 1))
        return x - step_size * mh / (np.sqrt(np.maximum(vh, 0)) + eps), m, v

    return lambda x0: (x0, np.zeros_like(x0), np.zeros_like(x0)), update


@pytest.mark.parametrize(
    ("thing", "method", "variant"),
    [
        (told_from_one, "Adam", "eq-adam-mhat/count-late"),
        (count_returned_as_it_came, "Adam", "eq-adam-mhat/no-power"),
        (OneNumber, "Momentum", "loop/shared-by-elements"),
        (one_coordinate_after_the_other, "SGD", "loop/one-number"),
        (one_point_many_times, "Momentum", "loop/points-alike"),
        (OnlyAtFirst, "AdaGrad", "state/once"),
        (GradientAsVelocity, "Momentum", "state/v-is-gradient"),
        (powers_of_both, "Adam", "eq-adam-m/mv-power"),
        (always_at_the_start, "SGD", "loop/gradient-at-start"),
        (outdented, "Momentum", "keys/still"),
        (exchanged_in_the_state, "Adam", "repair/exchanged"),
    ],
)
def test_slips_of_states_counts_and_loops_are_named(thing, method, variant):
    report = check(thing, method)
    assert (report.ok, report.variant) == (False, variant), str(report)


@pytest.mark.parametrize("lr", [1e-5, pytest.param(1e-3, marks=pytest.mark.build), pytest.param(1.0, marks=pytest.mark.build)])
def test_a_small_difference_is_not_taken_for_rounding(lr):
    names = {"np": np}
    exec(
        "def adam(w, g, m=0, v=0, t=1, lr=0.001, b1=0.9, b2=0.999, eps=1e-8):\n"
        "    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2\n"
        "    mh, vh = m / (1 - b1**t), v / (1 - b2**t)\n"
        "    return w - lr * mh / (np.sqrt(vh) * (1 + 0.01 * np.tanh(mh)) + eps), m, v\n",
        names,
    )
    report = check(names["adam"], "Adam", lr=lr)
    assert (report.ok, report.variant) == (False, None), str(report)


def decays_twice(w, g, m=0, v=0, t=1, lr=0.001, b1=0.9, b2=0.999, eps=1e-8, wd=0.1):
    g = g + wd * w
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    return w - lr * (m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + eps) + wd * w), m, v


class WithDecay:
    """As PyTorch's SGD: the decay is an option with a value of its own."""

    def __init__(self, params, lr=0.01, weight_decay=1e-4):
        self.params, self.lr, self.weight_decay = list(params), lr, weight_decay

    def step(self):
        for p in self.params:
            p.data -= self.lr * (p.grad + self.weight_decay * p.data)


def test_a_decay_that_can_be_switched_off_is_no_mistake():
    report = check(WithDecay, "SGD")
    assert report.ok and "weight_decay は 0 にして確かめました" in str(report), str(report)
    assert check(lambda w, g, lr=0.1: w - lr * (g + 1e-4 * w), "SGD").variant == "gradient/decay-0.0001"
    assert not check(decays_twice, "AdamW").ok


class KeepsTheGradient:
    """The buffer is the array that ``zero_grad`` sets to 0."""

    def __init__(self, params, lr=0.01, momentum=0.9):
        self.params, self.lr, self.momentum, self.bufs = list(params), lr, momentum, {}

    def zero_grad(self):
        for p in self.params:
            p.grad[...] = 0.0

    def step(self):
        for i, p in enumerate(self.params):
            if i not in self.bufs:
                self.bufs[i] = p.grad
            else:
                self.bufs[i] *= self.momentum
                self.bufs[i] += p.grad
            p.data -= self.lr * self.bufs[i]


def from_the_start(grad_f, x0, alpha=0.02, beta=0.9, n_iter=100):
    x, x_prev = np.array(x0, float), np.array(x0, float)
    for _ in range(n_iter):
        x = x - alpha * grad_f(x) + beta * (x - x_prev)
    return x


def current_square(w, g, lr=0.01, eps=1e-8):
    return w - lr * g / (np.sqrt(np.square(g)) + eps)


class PowersOfTwo:
    def __init__(self, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps, self.m, self.v = lr, beta1, beta2, eps, 0.0, 0.0
        self.b1t, self.b2t = beta1, beta2

    def step(self, w, g):
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.v = self.beta2 * self.v + (1 - self.beta2) * g**2
        w = w - self.lr * (self.m / (1 - self.b1t)) / (np.sqrt(self.v / (1 - self.b2t)) + self.eps)
        self.b1t *= self.b1t
        self.b2t *= self.b2t
        return w


@pytest.mark.parametrize(
    ("thing", "method", "variant"),
    [
        (KeepsTheGradient, "Momentum", "repair/copy"),
        (from_the_start, "Momentum", "state/from-start"),
        (current_square, "RMSProp", "eq-rmsprop-w/current-square"),
        (PowersOfTwo, "Adam", "eq-adam-mhat/power-squared"),
    ],
)
def test_slips_of_what_is_kept_are_named(thing, method, variant):
    report = check(thing, method)
    assert (report.ok, report.variant) == (False, variant), str(report)
