"""Chapter 9: scaling of data, BatchNorm forward and backward, running averages."""

from itertools import product

import numpy as np

from equation_checks.registry import check, close
from fumoto.batchnorm import BatchNorm
from fumoto.normalization import min_max, robust_scale, standardize

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


@check("eq-robust")
def scaled_by_quartiles(equations):
    for size in (5, 9):
        x = np.random.default_rng(size).exponential(2.0, size) + 1
        low, middle, high = np.sort(x)[[(size - 1) // 4, (size - 1) // 2, 3 * (size - 1) // 4]]
        known = {"x": x, "q_25": low, "q_50": middle, "q_75": high}
        close(robust_scale(x), _values(equations, "eq-robust", known))


@check("eq-outlier-std")
def deviation_with_an_outlier(equations):
    for size in SIZES:
        x = np.random.default_rng(size).normal(3.0, 2.0, size)
        for distance in (0.5, 7.0):
            spoiled = np.append(x, x.mean() + distance)
            known = {"N": size, "sigma": x.std(), "M": distance}
            close(spoiled.std(), _values(equations, "eq-outlier-std", known))
            close(spoiled.mean(), x.mean() + distance / (size + 1))


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


@check("eq-batchnorm-cross")
def batchnorm_couples_samples(equations):
    """Between different samples the equation is the whole derivative, of a sample with itself all but one term."""
    for size in SIZES:
        for layer, _, known in _layers(size):
            known |= {"sigma_B": known["x"].std(), "x_hat": layer.x_hat[:, 0].copy()}
            printed = _values(equations, "eq-batchnorm-cross", known)
            own = known["gamma"] / layer.std[0] * np.eye(size)
            close(_numerical_jacobian(layer, known["x"]), printed + own, rtol=1e-6, atol=1e-7)


@check("eq-batchnorm-bias")
def batch_variance_is_too_small(equations):
    """Against the mean over every possible batch, drawn with replacement from four values."""
    population = np.random.default_rng(0).normal(size=4)
    for size in (2, 3, 5):
        batches = np.array(list(product(population, repeat=size))).T
        layer = BatchNorm(np.ones(batches.shape[1]), np.zeros(batches.shape[1]), decay_rate=0.0)
        layer.forward(batches, training=True)
        variances = layer.running_var * (size - 1) / size  # the average holds the corrected variance
        known = {"N": size, "sigma": population.std()}
        close(variances.mean(), _values(equations, "eq-batchnorm-bias", known))
        close(layer.running_var.mean(), population.var())
