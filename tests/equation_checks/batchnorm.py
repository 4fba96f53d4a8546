"""Chapter 9: scaling of data; BatchNorm, LayerNorm and RMSNorm forward and backward; running averages."""

from functools import partial

import numpy as np

from equation_checks.registry import check, close
from fumoto.batchnorm import BatchNorm
from fumoto.layernorm import LayerNorm, RMSNorm
from fumoto.normalization import min_max, standardize
from fumoto.optimizers import SGD

SIZES = (2, 3, 6)


def _values(equations, label, known):
    """The printed equation, given the values of every symbol that may occur in it."""
    equation = equations[label]
    return equation.evaluate(**{symbol: known[symbol] for symbol in equation.symbols})


# --- scaling of data --------------------------------------------------------------------------------------


@check("eq-minmax")
def scaled_to_the_unit_interval(equations):
    for size in SIZES:
        x = np.random.default_rng(size).normal(3.0, 2.0, size)
        known = {"x": x, "x_min": x.min(), "x_max": x.max(), "N": size}
        close(min_max(x), _values(equations, "eq-minmax", known))


@check("eq-mean", "eq-std", "eq-zscore")
def standardized(equations):
    """The three equations in a row are the function; the first two are also compared with NumPy's."""
    for size in SIZES:
        x = np.random.default_rng(size).normal(3.0, 2.0, size)
        known = {"x": x, "N": size}
        known["x_bar"] = _values(equations, "eq-mean", known)
        close(known["x_bar"], np.mean(x))
        known["sigma"] = _values(equations, "eq-std", known)
        close(known["sigma"], np.std(x))
        close(standardize(x), _values(equations, "eq-zscore", known))


# --- BatchNorm --------------------------------------------------------------------------------------------


def _layers(size):
    """Layers with one feature that have just seen a batch of `size`, and what the equations call their values."""
    rng = np.random.default_rng(size)
    for eps, decay_rate in ((1e-3, 0.9), (0.4, 0.3)):
        gamma, beta, x = rng.uniform(0.5, 2.0, 1), rng.normal(size=1), rng.normal(3.0, 1.5, size)
        layer = BatchNorm(gamma, beta, decay_rate=decay_rate, eps=eps)
        layer.forward(rng.normal(1.0, 3.0, (4, 1)), training=True)  # leave the starting values behind
        before = {"mu_t": layer.running_mean.item(), "s_t": layer.running_var.item()}
        y = layer.forward(x[:, None], training=True)[:, 0]
        known = {"x": x, "N": size, "gamma": gamma.item(), "beta": beta.item()}
        yield layer, y, {**known, **before, "varepsilon": eps, "rho": decay_rate}


def _forward(equations, known):
    """Add what the printed forward pass computes to `known`."""
    known["mu_B"] = _values(equations, "eq-batchnorm-mean", known)
    known["sigma_B"] = np.sqrt(_values(equations, "eq-batchnorm-var", known))
    known["x_hat"] = _values(equations, "eq-batchnorm-normalize", known)
    return _values(equations, "eq-batchnorm-scale", known)


@check("eq-batchnorm-mean", "eq-batchnorm-var", "eq-batchnorm-normalize", "eq-batchnorm-scale")
def batchnorm_forward(equations):
    for size in SIZES:
        for layer, y, known in _layers(size):
            close(y, _forward(equations, known))
            close(layer.x_hat[:, 0], known["x_hat"])


@check("eq-batchnorm-running-mean", "eq-batchnorm-running-var")
def batchnorm_running_averages(equations):
    for size in SIZES:
        for layer, _, known in _layers(size):
            known |= {"mu_B": known["x"].mean(), "sigma_B": known["x"].std()}
            close(layer.running_mean, _values(equations, "eq-batchnorm-running-mean", known))
            close(layer.running_var, _values(equations, "eq-batchnorm-running-var", known))


def _numerical_jacobian(layer, x, h=1e-5):
    """Central differences: entry [i, j] is the change of output j with input i."""
    rows = []
    for step in np.eye(len(x)) * h:
        above, below = (layer.forward((x + sign * step)[:, None], training=True) for sign in (1, -1))
        rows.append((above - below)[:, 0] / (2 * h))
    return np.array(rows)


@check("eq-batchnorm-dgamma", "eq-batchnorm-dbeta", "eq-batchnorm-dx")
def batchnorm_backward(equations):
    """Against the layer, and the input's gradient against central differences as well."""
    for size in SIZES:
        for layer, _, known in _layers(size):
            d = np.random.default_rng(size + 1).normal(1.0, 1.0, size)
            dx = layer.backward(d[:, None])[:, 0]
            known |= {"d": d, "mu_B": known["x"].mean(), "sigma_B": known["x"].std()}
            known["x_hat"] = layer.x_hat[:, 0].copy()
            close(layer.grads["gamma"], _values(equations, "eq-batchnorm-dgamma", known))
            close(layer.grads["beta"], _values(equations, "eq-batchnorm-dbeta", known))
            printed = _values(equations, "eq-batchnorm-dx", known)
            close(dx, printed)
            close(_numerical_jacobian(layer, known["x"]) @ d, printed, rtol=1e-6, atol=1e-7)


def _loss(known, var=None, mean=None):
    """Σ d y of a batch with another variance, or with another mean, from which the variance is measured."""
    mean = known["mu_B"] if mean is None else mean
    var = np.mean((known["x"] - mean) ** 2) if var is None else var
    x_hat = (known["x"] - mean) / np.sqrt(var + known["varepsilon"])
    return np.sum(known["d"] * (known["gamma"] * x_hat + known["beta"]))


def _slope(function, at, h=1e-5):
    return (function(at + h) - function(at - h)) / (2 * h)


@check("eq-batchnorm-dvar", "eq-batchnorm-dmean", "eq-batchnorm-paths")
def three_paths_of_the_gradient(equations):
    """At the variance and at the mean against central differences; together they are the gradient of the layer."""
    for size in SIZES:
        for layer, _, known in _layers(size):
            d, x = np.random.default_rng(size + 1).normal(1.0, 1.0, size), known["x"]
            known |= {"d": d, "mu_B": x.mean(), "sigma_B": x.std(), "x_hat": layer.x_hat[:, 0].copy()}
            known["g_sigma"] = _values(equations, "eq-batchnorm-dvar", known)
            by_var = _slope(partial(_loss, known), x.var())
            close(known["g_sigma"], by_var, rtol=1e-6, atol=1e-8)
            known["g_mu"] = _values(equations, "eq-batchnorm-dmean", known)
            by_mean = _slope(lambda mean, known=known: _loss(known, mean=mean), x.mean())
            close(known["g_mu"], by_mean, rtol=1e-6, atol=1e-8)
            close(layer.backward(d[:, None])[:, 0], _values(equations, "eq-batchnorm-paths", known))


# --- BatchNorm and weight decay ---------------------------------------------------------------------------


def _step(w, lr, weight_decay):
    """The squared length of a column before BatchNorm after a step of SGD, and the length of its gradient of the loss."""
    rng = np.random.default_rng(len(w))
    h, d = rng.normal(size=(5, len(w))), rng.normal(size=(5, 1))
    layer = BatchNorm(np.array([1.3]), np.array([0.4]), eps=1e-14)
    layer.forward(h @ w[:, None], training=True)
    g = (h.T @ layer.backward(d))[:, 0]
    params = {"w": w.copy()}
    SGD(lr).update(params, {"w": g + weight_decay * w})
    return params["w"] @ params["w"], np.linalg.norm(g)


@check("eq-batchnorm-length", "eq-batchnorm-balance")
def length_of_a_column(equations):
    """A step changes the length as printed; from the balance it does not."""
    for size in SIZES:
        w = np.random.default_rng(size).normal(size=size)
        for lr, weight_decay in ((0.5, 0.3), (0.9, 0.8)):
            _, G = _step(w / np.linalg.norm(w), lr, weight_decay)
            known = {"eta": lr, "lambda": weight_decay, "nu_t": w @ w, "G": G}
            after, _ = _step(w, lr, weight_decay)
            close(after, _values(equations, "eq-batchnorm-length", known), rtol=1e-6)
            balance = _values(equations, "eq-batchnorm-balance", known)
            assert balance > 0  # nan would agree with nan
            after, _ = _step(w * np.sqrt(balance / (w @ w)), lr, weight_decay)
            close(after, balance, rtol=1e-6)


# --- LayerNorm and RMSNorm --------------------------------------------------------------------------------


def _rows(make):
    """Layers that have just seen one sample, and what the equations call their values."""
    for nodes in SIZES:
        rng = np.random.default_rng(nodes)
        for eps in (1e-3, 0.4):
            gamma, beta, x, d = rng.normal(1.0, 1.0, (4, nodes))
            layer = make(gamma, beta, eps)
            y = layer.forward(x[None])[0]
            yield layer, y, {"x": x, "d": d, "D": nodes, "gamma": gamma, "beta": beta, "varepsilon": eps}


def _row_gradient(layer, equations, label, known):
    """The printed gradient against the layer and against central differences."""
    known["x_hat"] = layer.x_hat[0].copy()
    printed = _values(equations, label, known)
    close(layer.backward(known["d"][None])[0], printed)
    numerical = [
        _slope(lambda h, step=step: np.sum(known["d"] * layer.forward((known["x"] + h * step)[None])), 0.0)
        for step in np.eye(known["D"])
    ]
    close(numerical, printed, rtol=1e-6, atol=1e-7)


@check("eq-layernorm-normalize", "eq-layernorm-scale", "eq-layernorm-dx")
def layernorm(equations):
    for layer, y, known in _rows(LayerNorm):
        known |= {"mu_L": known["x"].mean(), "sigma_L": known["x"].std()}
        known["x_hat"] = _values(equations, "eq-layernorm-normalize", known)
        close(layer.x_hat[0], known["x_hat"])
        close(y, _values(equations, "eq-layernorm-scale", known))
        _row_gradient(layer, equations, "eq-layernorm-dx", known)


@check("eq-rmsnorm-rms", "eq-rmsnorm-normalize", "eq-rmsnorm-scale", "eq-rmsnorm-dx")
def rmsnorm(equations):
    for layer, y, known in _rows(lambda gamma, beta, eps: RMSNorm(gamma, eps)):
        known["x_rms"] = _values(equations, "eq-rmsnorm-rms", known)
        close(known["x_rms"], np.sqrt(np.mean(known["x"] ** 2)))
        known["x_hat"] = _values(equations, "eq-rmsnorm-normalize", known)
        close(layer.x_hat[0], known["x_hat"])
        close(y, _values(equations, "eq-rmsnorm-scale", known))
        _row_gradient(layer, equations, "eq-rmsnorm-dx", known)
