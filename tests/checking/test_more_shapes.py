"""check() on further shapes: layers that update themselves, closures, dictionaries and paths in loops, D2L's functions."""

import numpy as np
import pytest

from fumoto import check
from fumoto.checking.calling.shapes.visible import written_numbers


class Dense:
    """A layer with its weights, gradients, and averages."""

    def __init__(self, n_in, n_out, seed=0):
        self.W = np.random.default_rng(seed).normal(size=(n_in, n_out))
        self.b = np.zeros(n_out)
        self.grad_W, self.grad_b = np.zeros_like(self.W), np.zeros_like(self.b)
        self.h_W, self.h_b = np.zeros_like(self.W) + 1e-8, np.zeros_like(self.b) + 1e-8

    def update(self, eta=0.01):
        self.h_W += self.grad_W**2
        self.W -= eta / np.sqrt(self.h_W) * self.grad_W
        self.h_b += self.grad_b**2
        self.b -= eta / np.sqrt(self.h_b) * self.grad_b


class GivenItsArrays:
    def __init__(self, W, b, rho=0.9):
        self.W, self.b, self.rho = W, b, rho
        self.dW, self.db = np.zeros_like(W), np.zeros_like(b)
        self.sW, self.sb = np.zeros_like(W), np.zeros_like(b)

    def update(self, lr=0.01, eps=1e-8):
        self.sW = self.rho * self.sW + (1 - self.rho) * self.dW**2
        self.sb = self.rho * self.sb + (1 - self.rho) * self.db**2
        self.W = self.W - lr * self.dW / (self.sW + eps)
        self.b = self.b - lr * self.db / (self.sb + eps)


class LookingAhead:
    """step(closure): the closure fills in the gradients of where the parameters are."""

    ahead = 1.0

    def __init__(self, params, lr=0.02, momentum=0.9):
        self.params, self.lr, self.momentum = list(params), lr, momentum
        self.velocity = [np.zeros_like(p.data) for p in self.params]

    def step(self, closure):
        backup = [p.data.copy() for p in self.params]
        for p, v in zip(self.params, self.velocity, strict=True):
            p.data += self.ahead * self.momentum * v
        loss = closure()
        for i, p in enumerate(self.params):
            self.velocity[i] = self.momentum * self.velocity[i] - self.lr * p.grad
            p.data = backup[i] + self.velocity[i]
        return loss


class LookingBack(LookingAhead):
    ahead = -1.0


def adam_of_a_dictionary(grad, init_params, num_iters=50, step_size=0.02, b1=0.9, b2=0.999, eps=1e-8):
    params = dict(init_params)
    m = {key: np.zeros_like(w) for key, w in params.items()}
    v = {key: np.zeros_like(w) for key, w in params.items()}
    for i in range(num_iters):
        grads = grad(params, i)
        for key, g in grads.items():
            m[key] = b1 * m[key] + (1 - b1) * g
            v[key] = b2 * v[key] + (1 - b2) * g**2
            m_hat, v_hat = m[key] / (1 - b1 ** (i + 1)), v[key] / (1 - b2 ** (i + 1))
            params[key] = params[key] - step_size * m_hat / (np.sqrt(v_hat) + eps)
    return params


class StepOfADictionary:
    def __init__(self, lr=0.02, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, {}

    def step(self, params, grad_fn):
        grads = grad_fn(params)  # at the weights themselves: no look-ahead
        for key, w in params.items():
            self.v[key] = self.momentum * self.v.get(key, 0.0) - self.lr * grads[key]
            params[key] = w + self.v[key]
        return params


def path_without_copies(df, w_init, lr=0.02, alpha=0.8, max_iter=50):
    w, v = np.array(w_init), np.zeros_like(w_init)
    history = [w.copy()]
    for _ in range(max_iter):
        v = alpha * v - lr * df(w)
        w += v
        history.append(w)
    return history


def path_of_copies(df, w_init, lr=0.02, alpha=0.8, max_iter=50):
    w, v = np.array(w_init), np.zeros_like(w_init)
    history = [w.copy()]
    for _ in range(max_iter):
        v = alpha * v - lr * df(w)
        w += v
        history.append(w.copy())
    return w, history


def with_a_history(theta, grads, hist=None, eta=0.1, eps=1e-6):
    if hist is None:
        hist = [np.zeros(t.shape) for t in theta]
    hist = [h + np.square(g) for h, g in zip(hist, grads, strict=True)]
    return [t - eta / np.sqrt(h + eps) * g for t, g, h in zip(theta, grads, hist, strict=True)], hist


def with_a_lost_history(theta, grads, hist=None, eta=0.1, eps=1e-6):
    if hist is None:
        hist = [np.zeros(t.shape) for t in theta]
    new = [h + np.square(g) for h, g in zip(hist, grads, strict=True)]
    return [t - eta / np.sqrt(h + eps) * g for t, g, h in zip(theta, grads, new, strict=True)], hist


def lion_of(signed):
    def lion(learning_rate=1e-3, b1=0.9, b2=0.99):
        def init(params):
            return {name: np.zeros_like(p) for name, p in params.items()}

        def update(grads, mu, params):
            new_params, new_mu = {}, {}
            for name in params:
                c = b1 * mu[name] + (1 - b1) * grads[name]
                new_mu[name] = b2 * mu[name] + (1 - b2) * grads[name]
                new_params[name] = params[name] - learning_rate * (np.sign(c) if signed else c)
            return new_params, new_mu

        return init, update

    return lion


class TrainerOfLayers:
    def __init__(self, model_layers, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.layers, self.lr, self.eps, self.t = list(model_layers), lr, eps, 0
        self.beta1, self.beta2 = self.ordered(betas)
        for layer in self.layers:
            layer.mW, layer.vW = np.zeros_like(layer.W), np.zeros_like(layer.W)
            layer.mb, layer.vb = np.zeros_like(layer.b), np.zeros_like(layer.b)

    def ordered(self, betas):
        return betas

    def _move(self, m, v, g):
        m[...] = self.beta1 * m + (1 - self.beta1) * g
        v[...] = self.beta2 * v + (1 - self.beta2) * g**2
        return self.lr * m / (1 - self.beta1**self.t) / (np.sqrt(v / (1 - self.beta2**self.t)) + self.eps)

    def step(self):
        self.t += 1
        for layer in self.layers:
            layer.W -= self._move(layer.mW, layer.vW, layer.dW)
            layer.b -= self._move(layer.mb, layer.vb, layer.db)


class TrainerWithExchangedBetas(TrainerOfLayers):
    def ordered(self, betas):
        return betas[::-1]


def momentum_of_d2l(params, states, hyperparams):
    for p, v in zip(params, states, strict=True):
        v[...] = hyperparams["momentum"] * v + p.grad
        p[...] -= hyperparams["lr"] * v


def adam_of_d2l(counts_weights):
    def adam(params, states, hyperparams):
        beta1, beta2, eps = 0.9, 0.999, 1e-6
        for p, (v, s) in zip(params, states, strict=True):
            v[...] = beta1 * v + (1 - beta1) * p.grad
            s[...] = beta2 * s + (1 - beta2) * np.square(p.grad)
            v_hat, s_hat = v / (1 - beta1 ** hyperparams["t"]), s / (1 - beta2 ** hyperparams["t"])
            p[...] -= hyperparams["lr"] * v_hat / (np.sqrt(s_hat) + eps)
            hyperparams["t"] += counts_weights
        hyperparams["t"] += not counts_weights

    return adam


def sgd_of_d2l(params, lr, batch_size):
    for param in params:
        param -= lr * param.grad / batch_size
        param.grad = np.zeros(param.shape)


def additive_adadelta(epsilon_above):
    def adadelta(decay=0.9, epsilon=1e-6):
        def init(params):
            return {key: np.zeros_like(w) for key, w in params.items()}, {key: np.zeros_like(w) for key, w in params.items()}

        def update(grads, state):
            h, u = state
            h = {k: decay * h[k] + (1 - decay) * g**2 for k, g in grads.items()}
            d = {k: -np.sqrt(u[k] + epsilon_above * epsilon) / np.sqrt(h[k] + epsilon) * g for k, g in grads.items()}
            return d, (h, {k: decay * u[k] + (1 - decay) * d[k] ** 2 for k in grads})

        return init, update

    return adadelta


@pytest.mark.parametrize(
    ("thing", "method", "variant"),
    [
        (GivenItsArrays, "RMSProp", "eq-rmsprop-w/root-missing"),
        (LookingAhead, "Nesterov", None),
        (LookingBack, "Nesterov", "eq-nesterov-w/looks-back"),
        (adam_of_a_dictionary, "Adam", None),
        (StepOfADictionary, "Nesterov", "method/Momentum"),
        (path_of_copies, "Momentum", None),
        (path_without_copies, "Momentum", "loop/points-alike"),
        (with_a_lost_history, "AdaGrad", "state/forgotten"),
        (lion_of(True), "Lion", None),
        (lion_of(False), "Lion", "eq-lion-w/sign-missing"),
        (TrainerOfLayers, "Adam", None),
        (TrainerWithExchangedBetas, "Adam", "eq-adam-m/betas-exchanged"),
        (momentum_of_d2l, "Momentum", None),
        (adam_of_d2l(False), "Adam", None),
        (adam_of_d2l(True), "Adam", "loop/counter"),
        (sgd_of_d2l, "SGD", None),
        (additive_adadelta(1), "AdaDelta", None),
        (additive_adadelta(0), "AdaDelta", "eq-adadelta-d/epsilon-missing-top"),
    ],
)
def test_further_shapes_are_judged(thing, method, variant):
    report = check(thing, method)
    assert (report.ok, report.variant) == (variant is None, variant), report


@pytest.mark.parametrize("thing", [Dense, with_a_history])
def test_adagrad_with_epsilon_within_the_root_is_a_convention_in_any_shape(thing):
    report = check(thing, "AdaGrad")
    assert report.ok, report


class SparingAdamW:
    """As nanoGPT does: no decay for what is no matrix."""

    from_dimension = 2

    def __init__(self, lr=0.01, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
        self.lr, self.beta1, self.beta2, self.eps, self.weight_decay = lr, beta1, beta2, eps, weight_decay
        self.m, self.v, self.t = {}, {}, 0

    def update(self, params, grads):
        self.t += 1
        for key, g in grads.items():
            decay = self.weight_decay if params[key].ndim >= self.from_dimension else 0.0
            self.m[key] = self.beta1 * self.m.get(key, 0.0) + (1 - self.beta1) * g
            self.v[key] = self.beta2 * self.v.get(key, 0.0) + (1 - self.beta2) * g**2
            m_hat, v_hat = self.m[key] / (1 - self.beta1**self.t), self.v[key] / (1 - self.beta2**self.t)
            params[key] -= self.lr * (m_hat / (np.sqrt(v_hat) + self.eps) + decay * params[key])


class SparingMore(SparingAdamW):
    from_dimension = 3


def test_a_decay_of_matrices_only_is_a_convention_and_of_cubes_only_is_none():
    report = check(SparingAdamW, "AdamW")
    assert report.ok and "nanoGPT" in report.variant
    assert not check(SparingMore, "AdamW").ok


def loop_with_a_divided_decay(grad_f, w, n_steps=25, eta=0.02, lam=0.1, b1=0.9, b2=0.999, eps=1e-8):
    m, v = np.zeros_like(w), np.zeros_like(w)
    for t in range(1, n_steps + 1):
        g = grad_f(w)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        w = w - eta * ((m / (1 - b1**t) + lam * w) / (np.sqrt(v / (1 - b2**t)) + eps))
    return w


def test_what_overflows_a_step_earlier_is_the_same():
    assert check(loop_with_a_divided_decay, "AdamW").variant == "eq-adamw-w/decay-divided"


class MomentumThatIsNotKept:
    def __init__(self, lr=0.001, rho=0.9, momentum=0.9, epsilon=1e-7):
        self.lr, self.rho, self.momentum, self.epsilon = lr, rho, momentum, epsilon
        self.h, self.moms = {}, {}

    def update(self, params, grads):
        for key, g in grads.items():
            self.h[key] = self.rho * self.h.get(key, 0.0) + (1 - self.rho) * g**2
            step = self.momentum * self.moms.get(key, 0.0) + self.lr * g / (np.sqrt(self.h[key]) + self.epsilon)
            params[key] -= step


class MomentumThatIsSwitchedOff(MomentumThatIsNotKept):
    def __init__(self, lr=0.001, rho=0.9, momentum=0.9, epsilon=1e-7, use_momentum=False):
        super().__init__(lr, rho, momentum, epsilon)
        self.use_momentum = use_momentum


def test_a_momentum_that_has_no_effect_is_a_mistake_unless_it_may_be_switched_off():
    report = check(MomentumThatIsNotKept, "RMSProp")
    assert (report.ok, report.variant) == (False, "constant/momentum-idle")
    report = check(MomentumThatIsSwitchedOff, "RMSProp")
    assert report.ok and "引数 momentum は受け取られますが" in str(report)


class SvdOfMuon:
    kept = False

    def __init__(self, lr=0.02, mu=0.9):
        self.lr, self.mu, self.M = lr, mu, {}

    def update(self, params, grads):
        for key, G in grads.items():
            self.M[key] = G + self.mu * self.M.get(key, 0)
            U, S, Vt = np.linalg.svd(self.M[key], full_matrices=False)
            params[key] -= self.lr * ((U * S if self.kept else U) @ Vt)


class SvdThatKeepsItsValues(SvdOfMuon):
    kept = True


def test_muon_that_keeps_the_singular_values_is_momentum():
    assert check(SvdThatKeepsItsValues, "Muon").variant == "method/Momentum"
    report = check(SvdOfMuon, "Muon")
    assert report.ok
    assert "特異値分解で、特異値をちょうど 1 にする" in report.variant


def step_of_a_list(params, grad_fn, velocity=None, lr=0.01, mu=0.9):
    if velocity is None:
        velocity = [np.zeros_like(p) for p in params]
    ahead = [p + mu * v for p, v in zip(params, velocity, strict=True)]
    velocity = [mu * v - lr * g for v, g in zip(velocity, grad_fn(ahead), strict=True)]
    return [p + v for p, v in zip(params, velocity, strict=True)], velocity


def step_of_a_list_from_ahead(params, grad_fn, velocity=None, lr=0.01, mu=0.9):
    if velocity is None:
        velocity = [np.zeros_like(p) for p in params]
    ahead = [p + mu * v for p, v in zip(params, velocity, strict=True)]
    velocity = [mu * v - lr * g for v, g in zip(velocity, grad_fn(ahead), strict=True)]
    return [p + v for p, v in zip(ahead, velocity, strict=True)], velocity


def test_a_step_that_asks_for_gradients_hands_its_state_out():
    assert check(step_of_a_list, "Nesterov").ok
    assert check(step_of_a_list_from_ahead, "Nesterov").variant == "eq-nesterov-w/velocity-again"


def rmsprop_without_the_gradient(f_grad, x_init, lr=0.01, rho=0.9, eps=1e-8, max_iter=100):
    x, h, xs = np.array(x_init), np.zeros_like(x_init), []
    for _ in range(max_iter):
        g = f_grad(x)
        h = rho * h + (1 - rho) * g * g
        x = x - lr / np.sqrt(h + eps)
        xs.append(x)
    return x, xs


def test_a_forgotten_gradient_is_named():
    assert check(rmsprop_without_the_gradient, "RMSProp").variant == "eq-rmsprop-w/top-missing-inside"


def adam_of_a_gradient(lr=0.01, b1=0.9, b2=0.999, eps=1e-8):
    """Its state holds lists; the raw gradient stands where m should."""

    def init(params):
        return {"t": 0, "m": [np.zeros_like(p) for p in params], "v": [np.zeros_like(p) for p in params]}

    def update(grads, state, params):
        t = state["t"] + 1
        m = [b1 * m + (1 - b1) * g for m, g in zip(state["m"], grads, strict=True)]
        v = [b2 * v + (1 - b2) * g**2 for v, g in zip(state["v"], grads, strict=True)]
        hats = [(g / (1 - b1**t), n / (1 - b2**t)) for g, n in zip(grads, v, strict=True)]
        new = [p - lr * a / (np.sqrt(b) + eps) for p, (a, b) in zip(params, hats, strict=True)]
        return new, {"t": t, "m": m, "v": v}

    return init, update


def test_a_state_of_lists_is_no_array():
    assert not check(adam_of_a_gradient, "Adam").ok


class LookingBackOnItsOwn:
    def __init__(self, lr=0.02, mu=0.9):
        self.lr, self.mu = lr, mu

    def minimize(self, grad_fn, x, steps):
        velocity = np.zeros_like(x)
        for _ in range(steps):
            velocity = self.mu * velocity - self.lr * grad_fn(x - self.mu * velocity)
            x = x + velocity
        return x


def test_a_count_without_a_default_is_no_state():
    assert check(LookingBackOnItsOwn, "Nesterov").variant == "eq-nesterov-w/looks-back"


def rmsprop_of_locals(params, grads, states, hyperparams):
    rho, eps = hyperparams["rho"], 3e-6
    for p, g, s in zip(params, grads, states, strict=True):
        s = rho * s + (1 - rho) * np.square(g)
        p[:] -= hyperparams["lr"] * g / np.sqrt(s + eps)


def adadelta_of_locals(params, grads, states, hyperparams):
    rho, eps = hyperparams["rho"], 2e-5
    for p, g, (s, delta) in zip(params, grads, states, strict=True):
        s[:] = rho * s + (1 - rho) * np.square(g)
        change = np.sqrt(delta + eps) / np.sqrt(s + eps) * g
        p[:] -= change
        delta[:] = rho * delta + (1 - rho) * g * g


def test_an_epsilon_in_a_local_variable_is_read_from_the_code():
    """No usual value: what the code says comes first."""
    assert check(rmsprop_of_locals, "RMSProp").variant == "state/forgotten"
    assert check(adadelta_of_locals, "AdaDelta").variant == "eq-adadelta-u/gradients-in-u"
    assert written_numbers(rmsprop_of_locals) == (3e-6,)
    assert written_numbers(LookingBackOnItsOwn(lr=1e-5)) == ()
