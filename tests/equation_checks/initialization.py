"""Chapter 8: the normal density, initial widths, and the mean square through one layer.

Means over the weights are exact: every combination of ±σ is one column (or row) of one matrix.
"""

from itertools import product

import numpy as np

from equation_checks.registry import check, close, draw
from fumoto.experiments.initialization import density, notes_he_std, sigmoid_start
from fumoto.initializers import gaussian, glorot, he, xavier
from fumoto.layers import Affine, ReLU, Sigmoid

SIZES = (1, 2, 5)
STDS = (0.3, 1.7)


def every_sign(n):
    """All 2**n vectors of ±1, one a column: the columns of a matrix (n, 2**n)."""
    return np.array(list(product((-1.0, 1.0), repeat=n))).T


def exact_layer(n, std):
    """A previous layer of n values and an Affine layer to one node for each possible weight vector."""
    h = np.random.default_rng(n).uniform(0.5, 3.0, (1, n))
    return h, Affine(std * every_sign(n), np.zeros(2**n))


def given(n, std, h):
    return {"n": n, "sigma": std, "mean_h_squared": np.mean(h**2)}


@check("eq-gaussian-p")
def normal_density(equations):
    equation = equations["eq-gaussian-p"]
    values = draw(equation, np.random.default_rng(0), shape=(50,), pi=np.pi)
    close(density(values["w"], values["sigma"]), equation.evaluate(**values))
    weights = gaussian(0.6)(np.random.default_rng(0), 1, 400_000)
    for low in (-1.2, -0.3, 0.0, 0.6):  # against numbers the initializer draws: four standard errors
        w = np.linspace(low, low + 0.1, 201)
        share = np.mean(equation.evaluate(w=w, sigma=0.6, pi=np.pi)) * 0.1
        drawn = np.mean((weights >= low) & (weights < low + 0.1))
        close(drawn, share, atol=4 * np.sqrt(share / weights.size), rtol=0)


@check("eq-linear-meansquare")
def linear_layer_forwards(equations):
    for n, std in product(SIZES, STDS):
        h, layer = exact_layer(n, std)
        expected = equations["eq-linear-meansquare"].evaluate(**given(n, std, h))
        close(np.mean(layer.forward(h) ** 2), expected)


@check("eq-linear-backward")
def linear_layer_backwards(equations):
    for m, std in product(SIZES, STDS):
        d = np.random.default_rng(m).uniform(0.5, 3.0, (1, m))
        layer = Affine(std * every_sign(m).T, np.zeros(m))  # one node of the previous layer for each row
        layer.forward(np.ones((1, 2**m)))
        expected = equations["eq-linear-backward"].evaluate(m=m, sigma=std, mean_d_squared=np.mean(d**2))
        close(np.mean(layer.backward(d) ** 2), expected)


@check("eq-relu-meansquare", "eq-relu-layer")
def relu_layer(equations):
    for n, std in product(SIZES, STDS):
        h, layer = exact_layer(n, std)
        a = layer.forward(h)
        measured = np.mean(ReLU().forward(a) ** 2)
        close(measured, equations["eq-relu-meansquare"].evaluate(mean_a_squared=np.mean(a**2)))
        close(measured, equations["eq-relu-layer"].evaluate(**given(n, std, h)))


@check("eq-sigmoid-shrink")
def sigmoid_layer_backwards(equations):
    """At a = 0 the derivative of the sigmoid is at its largest, so that the bound is reached."""
    for n, std in product(SIZES, STDS):
        d = np.random.default_rng(n).uniform(0.5, 3.0, (1, n))
        affine, sigmoid = Affine(std * every_sign(n).T, np.zeros(n)), Sigmoid()
        affine.forward(sigmoid.forward(np.zeros((1, 2**n))))
        back = sigmoid.backward(affine.backward(d))
        shrink = np.sqrt(np.mean(back**2) / np.mean(d**2))
        close(shrink, equations["eq-sigmoid-shrink"].evaluate(sigma=std, n=n))


@check("eq-xavier-std", "eq-he-std", "eq-glorot-std", "eq-sigmoid-std")
def widths(equations):
    for n, m in ((2, 9), (7, 3), (100, 40), (784, 100)):
        close(_width(xavier, n, m), equations["eq-xavier-std"].evaluate(n=n))
        close(_width(he, n, m), equations["eq-he-std"].evaluate(n=n))
        close(_width(sigmoid_start, n, m), equations["eq-sigmoid-std"].evaluate(n=n))
        close(_width(glorot, n, m), equations["eq-glorot-std"].evaluate(n=n, m=m))


def _width(initializer, n, m):
    """The factor by which the initializer scales standard normal numbers: its width without sampling error."""
    weights = initializer(np.random.default_rng(0), n, m)
    factors = weights / np.random.default_rng(0).normal(size=(n, m))
    close(factors, factors[0, 0])
    return factors[0, 0]


@check("eq-notes-he-std")
def notes_width(equations):
    for n in (3, 100, 100_000):
        close(notes_he_std(n), equations["eq-notes-he-std"].evaluate(n=n))
