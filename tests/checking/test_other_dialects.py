"""check() on code translated from other libraries, and on hyperparameters that mean one minus ours."""

import functools
import itertools

import numpy as np
import pytest

from fumoto import check, check_batchnorm, check_initializer

RNG = np.random.default_rng(0)

# --- Lua Torch: f(x) answers with the loss and its gradient; one step a call; the settings are a table -----------


def lua_sgd(opfunc, x, config, state=None):
    state = config if state is None else state
    lr, mom = config.get("learningRate", 0.05), config.get("momentum", 0.9)
    fx, dfdx = opfunc(x)
    if "dfdx" not in state:
        state["dfdx"] = np.zeros_like(x)
    state["dfdx"] = mom * state["dfdx"] + dfdx
    x += -lr * state["dfdx"]
    return x, [fx]


def lua_sgd_twice(opfunc, x, config, state=None):
    lr, mom = config.get("learningRate", 0.05), config.get("momentum", 0.9)
    fx, dfdx = opfunc(x)
    config["dfdx"] = mom * config.get("dfdx", 0) + lr * dfdx
    x += -lr * config["dfdx"]
    return x, [fx]


def descent(loss_and_grad, w0, lr=0.1, n_iter=100):
    w, losses = w0.copy(), []
    for _ in range(n_iter):
        loss, g = loss_and_grad(w)
        losses.append(loss)
        w = w - lr * g
    return w, losses


# --- NNabla: .d is the value, .g the gradient ---------------------------------------------------------------------


class Solver:
    corrected = 1

    def __init__(self, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.parameters, self.states = {}, {}

    def set_parameters(self, params):
        for key, p in params.items():
            self.parameters[key] = p
            self.states[key] = {"m": np.zeros_like(p.d), "v": np.zeros_like(p.d), "t": 0}

    def zero_grad(self):
        for p in self.parameters.values():
            p.g[...] = 0

    def update(self):
        for key, p in self.parameters.items():
            own = self.states[key]
            own["t"] += 1
            own["m"] += (1 - self.beta1) * (p.g - own["m"])
            own["v"] += (1 - self.beta2) * (p.g**2 - own["v"])
            root = np.sqrt(own["v"] / (1 - self.beta2 ** own["t"])) + self.eps
            p.d -= self.lr * own["m"] / (1 - self.beta1 ** own["t"] * self.corrected) / root


class SolverUncorrected(Solver):
    corrected = 0


# --- Keras: build() before apply_gradients(); a layer with a verb of its own; states beside the weights -----------


class Built:
    def __init__(self, learning_rate=0.01, momentum=0.9):
        self.learning_rate, self.momentum = learning_rate, momentum

    def build(self, variables):
        self.momentums = [np.zeros_like(v) for v in variables]

    def apply_gradients(self, grads_and_vars):
        for i, (g, var) in enumerate(grads_and_vars):
            self.momentums[i] = self.momentum * self.momentums[i] - self.learning_rate * g
            var += self.momentums[i]


class FullyConnected:
    square = staticmethod(np.square)

    def __init__(self, fan_in, fan_out):
        self.W, self.b = RNG.normal(0, 0.05, (fan_in, fan_out)), np.zeros(fan_out)
        self.dW = self.db = None
        self.opt = {"W": [np.zeros_like(self.W)] * 2, "b": [np.zeros_like(self.b)] * 2}

    def adam_update(self, t, lr=0.01, b1=0.9, b2=0.999):
        """t = 1, 2, 3, ..."""
        for name, (m, v) in self.opt.items():
            g = getattr(self, "d" + name)
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * self.square(g)
            self.opt[name] = [m, v]
            step = m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + 1e-8)
            setattr(self, name, getattr(self, name) - lr * step)


class FullyConnectedUnsquared(FullyConnected):
    square = staticmethod(np.abs)


class NoBias:
    def __init__(self, d_in, d_out):
        self.W, self.dW = RNG.normal(size=(d_in, d_out)), np.zeros((d_in, d_out))
        self.velocity = np.zeros((d_in, d_out))

    def momentum_step(self, lr=0.01, mu=0.95):
        self.velocity = mu * self.velocity - lr * self.dW
        self.W = self.W + self.velocity


def beside_the_weights(layers, lr=0.02, mu=0.9):
    for layer in layers[:-1]:
        for key in ("W", "b"):
            layer["v" + key] = mu * layer.get("v" + key, 0.0) - lr * layer["d" + key]
            layer[key] = layer[key] + layer["v" + key]


# --- A clock of its own; a decorated rule; one minus the rate -----------------------------------------------------


class Ticking:
    """tick() once a batch, then apply() for every array."""

    kept = True

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps, self.t, self.slots = lr, beta1, beta2, eps, 0, {}

    def tick(self):
        self.t += 1

    def apply(self, name, value, grad):
        m, v = self.slots.get(name, (0, 0))
        m, v = self.beta1 * m + (1 - self.beta1) * grad, self.beta2 * v + (1 - self.beta2) * grad**2
        if self.kept:
            self.slots[name] = m, v
        root = np.sqrt(v / (1 - self.beta2**self.t)) + self.eps
        return value - self.lr * m / (1 - self.beta1**self.t) / root


class TickingForgetful(Ticking):
    kept = False


class CountingItself:
    """tick() is called by update(): nobody else should call it."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps, self.t, self.slots = lr, beta1, beta2, eps, 0, {}

    def tick(self):
        self.t += 1

    def update(self, params, grads):
        self.tick()
        for key in params:
            params[key] = Ticking.apply(self, key, params[key], grads[key])

    kept = True


class FromOne(Ticking):
    """The count begins with 1, so next_step() comes after the step."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        super().__init__(lr, beta1, beta2, eps)
        self.t = 1

    tick = None

    def next_step(self):
        self.t += 1


class InEpochs:
    """advance() is called once in an epoch, not once in a step."""

    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.epoch, self.v = lr, momentum, 0, {}

    def advance(self):
        self.epoch += 1

    def update(self, params, grads):
        lr = self.lr * 0.5 ** (self.epoch // 30)
        for k in params:
            self.v[k] = self.momentum * self.v.get(k, 0) - lr * grads[k]
            params[k] += self.v[k]


class Complements:
    def __init__(self, lr=0.001, decay1=0.1, decay2=0.001, eps=1e-8):
        self.lr, self.b1, self.b2, self.eps = lr, decay1, decay2, eps
        self.m, self.v, self.t = {}, {}, 0

    def update(self, params, grads):
        self.t += 1
        for k, g in grads.items():
            self.m[k] = (1 - self.b1) * self.m.get(k, 0) + self.b1 * g
            self.v[k] = (1 - self.b2) * self.v.get(k, 0) + self.b2 * g**2
            root = np.sqrt(self.v[k] / (1 - (1 - self.b2) ** self.t)) + self.eps
            params[k] -= self.lr * self.m[k] / (1 - (1 - self.b1) ** self.t) / root


class InOurWords(Complements):
    """decay_rate is the word of the book: here, it is exchanged."""

    def __init__(self, lr=0.01, decay_rate=0.1, eps=1e-8):
        self.lr, self.rho, self.eps, self.h = lr, decay_rate, eps, {}

    def update(self, params, grads):
        for k, g in grads.items():
            self.h[k] = (1 - self.rho) * self.h.get(k, 0) + self.rho * g**2
            params[k] -= self.lr * g / (np.sqrt(self.h[k]) + self.eps)


def of_settings(w, g, cfg):
    cfg["v"] = cfg["mu"] * cfg["v"] - cfg["lr"] * g
    return w + cfg["v"]


def with_settings(lr=0.01, momentum=0.9):
    return functools.partial(of_settings, cfg={"lr": lr, "mu": momentum, "v": 0.0})


SETTINGS = {
    "Adam": {"lr": 0.02, "beta1": 0.7, "beta2": 0.95},
    "RMSProp": {"lr": 0.02, "decay_rate": 0.8},
    "Momentum": {"lr": 0.05, "momentum": 0.6},
}


@pytest.mark.parametrize("given", [False, True], ids=["defaults", "given"])
@pytest.mark.parametrize(
    ("thing", "method", "variant"),
    [
        (CountingItself, "Adam", None),
        (FromOne, "Adam", None),
        (InEpochs, "Momentum", None),
        (Complements, "Adam", None),
        (InOurWords, "RMSProp", "eq-rmsprop-h/reversed"),
        (with_settings, "Momentum", None),
    ],
)
def test_what_was_refuted_holds_at_other_settings_too(thing, method, variant, given):
    report = check(thing, method, **(SETTINGS[method] if given else {}))
    assert (report.ok, report.variant) == (variant is None, variant), str(report)


def as_optimizer(rule):
    @functools.wraps(rule)
    def factory(**hyper):
        slots = {}

        def update(params, grads):
            return {k: rule(w, grads[k], slots.setdefault(k, {}), **hyper) for k, w in params.items()}

        return update

    return factory


@as_optimizer
def rmsprop(w, g, slot, lr=0.01, decay=0.9, eps=1e-6):
    slot["s"] = decay * slot.get("s", 0.0) + (1.0 - decay) * g**2
    return w - lr * g / (np.sqrt(slot["s"]) + eps)


class Smoothed:
    """alpha weighs the new square, as statisticians write it."""

    new = 1.0

    def __init__(self, lr=0.01, alpha=0.1, eps=1e-8):
        self.lr, self.alpha, self.eps, self.h = lr, alpha, eps, {}

    def update(self, params, grads):
        for k, g in grads.items():
            self.h[k] = (1 - self.alpha) * self.h.get(k, 0) + self.alpha**self.new * g**2
            params[k] -= self.lr * g / (np.sqrt(self.h[k]) + self.eps)


class SmoothedSum(Smoothed):
    new = 0.0


class Exchanged(Smoothed):
    def __init__(self, lr=0.01, decay_rate=0.9, eps=1e-8):
        super().__init__(lr, decay_rate, eps)


def with_friction(friction=0.1, dt=0.03):
    velocity = []

    def step(positions, forces):
        if not velocity:
            velocity.extend(np.zeros_like(x) for x in positions)
        for i, force in enumerate(forces):
            velocity[i] = (1.0 - friction) * velocity[i] - dt * force
        return [x + v for x, v in zip(positions, velocity, strict=True)]

    return step


RHO, EPS = 0.95, 1e-6


def mean_of(old, new):
    return RHO * old + (1 - RHO) * new


def adadelta_of_constants(w, g, state):
    h, u = state
    h = mean_of(h, g**2)
    d = (u + EPS) / np.sqrt(h + EPS) * g
    return w - d, (h, mean_of(u, d**2))


def adamw_on_one_line(w, grad, memory):
    """memory = (t, m, v), or None at the first call"""
    lr, beta1, beta2, eps, weight_decay = 0.01, 0.9, 0.999, 1e-8, 0.1
    t, m, v = memory if memory is not None else (0, 0 * w, 0 * w)
    t, m, v = t + 1, beta1 * m + (1 - beta1) * grad, beta2 * v + (1 - beta2) * grad**2
    root = np.sqrt(v / (1 - beta2**t)) + eps
    return w - lr * (m / (1 - beta1**t) + weight_decay * w) / root, (t, m, v)


def look_ahead(g, w0, alpha=0.03, beta=0.9, K=40):
    """The velocity without the rate: the point ahead is w - alpha * beta * z."""
    w, z = w0, np.zeros_like(w0)
    for _ in range(K):
        z = beta * z + g(w - beta * z)
        w = w - alpha * z
    return w


# --- Nodes that hold a gradient for each other node; variables with a reference; models that are called -------------


class MiniFlow:
    """node.gradients[node]"""

    def __init__(self, eta=0.02, beta=0.9, eps=1e-8):
        self.eta, self.beta, self.eps, self.squares = eta, beta, eps, None

    def optimize(self, trainables):
        self.squares = self.squares or [np.zeros_like(t.value) for t in trainables]
        for i, t in enumerate(trainables):
            self.squares[i] = self.beta * self.squares[i] + (1 - self.beta) * t.gradients[t] ** 2
            t.value = t.value - self.eta * t.gradients[t] / (np.sqrt(self.squares[i]) + self.eps)


class WithReferences:
    sign = 1

    def __init__(self, learning_rate=0.01, momentum=0.9):
        self.learning_rate, self.momentum, self.slots = learning_rate, momentum, {}

    def apply_gradients(self, grads_and_vars):
        for g, var in grads_and_vars:
            v = self.momentum * self.slots.get(var.ref, 0) - self.learning_rate * g
            self.slots[var.ref] = v
            var.assign_add(self.sign * v)


class WithReferencesUphill(WithReferences):
    sign = -1


class OfAModel:
    """parameters: model.parameters, not yet called"""

    def __init__(self, parameters, lr=0.1, eps=1e-8):
        self.parameters, self.lr, self.eps = parameters, lr, eps
        self.sums = [np.zeros_like(p.data) for p in self.parameters()]

    def step(self):
        for total, p in zip(self.sums, self.parameters(), strict=True):
            total += p.grad * p.grad
            p.data += -self.lr * p.grad / (np.sqrt(total) + self.eps)


def make_nesterov(grad_fn, lr=0.02, momentum=0.9, ahead=True):
    """grad_fn takes the list of arrays and returns the list of gradients."""
    memory = {}

    def step(ws):
        vs = memory.get("v") or [np.zeros_like(w) for w in ws]
        points = [w + momentum * v for w, v in zip(ws, vs, strict=True)]
        gs = grad_fn(points)
        memory["v"] = [momentum * v - lr * g for v, g in zip(vs, gs, strict=True)]
        return [w + v for w, v in zip(ws if ahead else points, memory["v"], strict=True)]

    return step


class AskingOnTheWay:
    """Neither the method nor its arguments have a usual name."""

    ahead = False

    def __init__(self, lr=0.02, m=0.9):
        self.lr, self.m, self.vel = lr, m, 0.0

    def minimize_step(self, pos, grad_at):
        look = pos + self.m * self.vel
        self.vel = self.m * self.vel - self.lr * grad_at(look)
        return (look if self.ahead else pos) + self.vel


class AskingOnTheWayAhead(AskingOnTheWay):
    ahead = True


def muon_init(W):
    return {"momentum": np.zeros_like(W)}


def muon_update(W, grad, state, lr=0.01, mu=0.9):
    """The name of the state is the name of a value elsewhere."""
    B = mu * state["momentum"] + grad
    U, _, Vt = np.linalg.svd(B, full_matrices=False)
    return W - lr * U @ Vt, {"momentum": B}


def with_a_state_of_a_name(W, grad, state, lr=0.01, mu=0.9):
    B = mu * state["momentum"] - lr * grad
    return W + B, {"momentum": B}


def new_state(params, lr=0.01, mu=0.9):
    return {"lr": lr, "mu": mu, "v": [0 * p for p in params]}


def of_a_new_state(params, grads, s):
    for p, g, v in zip(params, grads, s["v"], strict=True):
        v[...] = s["mu"] * v - s["lr"] * g
        p += v


class OfSoManyTensors:
    def __init__(self, n_tensors, lr=0.01, mu=0.9):
        self.lr, self.mu, self.v = lr, mu, [0.0] * n_tensors

    def update(self, i, w, dw):
        self.v[i] = self.mu * self.v[i] - self.lr * dw
        return w + self.v[i]


class OfNamedParams:
    def __init__(self, named_params, lr=0.05):
        self.named_params, self.lr = named_params, lr

    def step(self):
        for p in self.named_params.values():
            p.data -= self.lr * p.grad


def descenso(gradiente, x0, alfa=0.01, rho=0.9, eps=1e-8, pasos=25):
    x, s, historial = np.array(x0, dtype=float), np.zeros_like(x0), []
    for _ in range(pasos):
        g = gradiente(x)
        s = rho * s + (1 - rho) * g**2
        x -= alfa / (np.sqrt(s) + eps) * g
        historial.append(x.copy())
    return x, historial


class OfMatrices:
    """layers without biases"""

    def __init__(self, layers, lr=0.02, momentum=0.9):
        self.layers, self.lr, self.momentum = layers, lr, momentum
        self.m = [np.zeros_like(layer.W) for layer in layers]

    def step(self):
        for i, layer in enumerate(self.layers):
            self.m[i] = self.momentum * self.m[i] + layer.dW
            U, _, Vt = np.linalg.svd(self.m[i], full_matrices=False)
            layer.W = layer.W - self.lr * U @ Vt


@pytest.mark.parametrize("thing", [muon_update, OfMatrices])
def test_an_exact_decomposition_is_a_convention_however_it_is_called(thing):
    report = check(thing, "Muon")
    assert report.ok, str(report)
    assert "特異値分解" in report.variant


@pytest.mark.parametrize(
    ("thing", "method", "variant"),
    [
        (MiniFlow, "RMSProp", None),
        (WithReferences, "Momentum", None),
        (WithReferencesUphill, "Momentum", "eq-momentum-w/sign-2"),
        (OfAModel, "AdaGrad", None),
        (make_nesterov, "Nesterov", None),
        (functools.partial(make_nesterov, ahead=False), "Nesterov", "eq-nesterov-w/velocity-again"),
        (AskingOnTheWay, "Nesterov", None),
        (AskingOnTheWayAhead, "Nesterov", "eq-nesterov-w/velocity-again"),
        (with_a_state_of_a_name, "Momentum", None),
        (of_a_new_state, "Momentum", None),
        (OfSoManyTensors, "Momentum", None),
        (OfNamedParams, "SGD", None),
        (descenso, "RMSProp", None),
        (lua_sgd, "Momentum", None),
        (lua_sgd_twice, "Momentum", "eq-momentum-v/rate-twice"),
        (descent, "SGD", None),
        (Solver, "Adam", None),
        (SolverUncorrected, "Adam", "eq-adam-w/hat-missing-m"),
        (Built, "Momentum", None),
        (FullyConnected, "Adam", None),
        (FullyConnectedUnsquared, "Adam", "eq-adam-v/v-absolute"),
        (NoBias, "Momentum", None),
        (beside_the_weights, "Momentum", "keys/still"),
        (Ticking, "Adam", None),
        (TickingForgetful, "Adam", "state/forgotten"),
        (rmsprop, "RMSProp", None),
        (Smoothed, "RMSProp", None),
        (SmoothedSum, "RMSProp", "eq-rmsprop-h/sum"),
        (Exchanged, "RMSProp", "eq-rmsprop-h/reversed"),
        (with_friction, "Momentum", None),
        (adadelta_of_constants, "AdaDelta", "eq-adadelta-d/root-2"),
        (adamw_on_one_line, "AdamW", "eq-adamw-w/decay-divided"),
        (look_ahead, "Nesterov", "eq-nesterov-w/looks-without-rate"),
    ],
)
def test_code_in_another_dialect_is_judged(thing, method, variant):
    report = check(thing, method)
    assert (report.ok, report.variant) == (variant is None, variant), str(report)


def test_one_minus_the_rate_is_only_read_from_a_default_of_the_learner():
    for given, rate in (({}, 0.9), ({"decay_rate": 0.8}, 0.2)):
        report = check(Smoothed, "RMSProp", **given)
        assert report.ok
        assert f"引数 alpha は、1 から引いた値({rate:g})を減衰率とみなしました。" in "\n".join(report.notes)
    assert check(Exchanged, "RMSProp", decay_rate=0.1).variant == "eq-rmsprop-h/reversed"


def network(sizes=(784, 100, 10), root=True):
    made = {}
    for i, (n_in, n_out) in enumerate(itertools.pairwise(sizes), start=1):
        variance = 2.0 / (n_in + n_out)
        made[f"W{i}"] = RNG.normal(0.0, np.sqrt(variance) if root else variance, size=(n_in, n_out))
        made[f"b{i}"] = np.zeros(n_out)
    return made


def filters(out_channels, in_channels, kh, kw):
    std = np.sqrt(2.0 / (in_channels * kh * kw))
    return RNG.normal(0.0, std, size=(out_channels, in_channels, kh, kw)), np.zeros(out_channels)


def new_bn_state(n_features):
    return {"mean": np.zeros(n_features), "var": np.ones(n_features)}


def batch_norm(x, gamma, beta, state, training=True, decay=0.9, eps=1e-5, copied="var"):
    if training:
        mean, var = x.mean(axis=0), x.var(axis=0)
        state = {
            "mean": decay * state["mean"] + (1 - decay) * mean,
            "var": decay * state[copied] + (1 - decay) * var,
        }
    else:
        mean, var = state["mean"], state["var"]
    return gamma * (x - mean) / np.sqrt(var + eps) + beta, state


def batch_norm_copied(x, gamma, beta, state, training=True, decay=0.9, eps=1e-5):
    return batch_norm(x, gamma, beta, state, training, decay, eps, copied="mean")


def test_averages_may_be_a_state_that_is_handed_over():
    assert check_batchnorm(batch_norm).ok
    assert check_batchnorm(batch_norm_copied).variant == "running/var-from-old-mean-biased"


def test_sizes_may_have_defaults_and_windows_two_sides():
    assert check_initializer(network, "xavier").ok
    assert check_initializer(functools.partial(network, root=False), "xavier").variant == "eq-glorot-std/root-1"
    assert check_initializer(filters, "he").ok


class Compact:
    def __init__(self, dim, eps=1e-5, momentum=0.9):
        self.gamma, self.beta = np.ones(dim), np.zeros(dim)
        self.eps, self.momentum = eps, momentum
        self.running_mean, self.running_var = np.zeros(dim), np.ones(dim)

    def forward(self, x, training=True):
        if not training:
            return self.gamma * (x - self.running_mean) / np.sqrt(self.running_var + self.eps) + self.beta
        mean, var = x.mean(axis=0), x.var(axis=0)
        self.inverse = 1.0 / np.sqrt(var + self.eps)
        self.x_hat = (x - mean) * self.inverse
        self.running_mean = self.momentum * self.running_mean + (1 - self.momentum) * mean
        self.running_var = self.momentum * self.running_var + (1 - self.momentum) * var
        return self.gamma * self.x_hat + self.beta

    def backward(self, dout):
        self.dbeta, self.dgamma = dout.sum(axis=0), (dout * self.x_hat).sum(axis=0)
        d = dout * self.gamma
        return self.inverse / len(d) * (d - d.sum(axis=0) - self.x_hat * (d * self.x_hat).sum(axis=0))


def test_a_first_term_without_N_is_named():
    assert check_batchnorm(Compact).variant == "backward/first-not-times-N"
