"""Chapter 8: activations, the normal density, initial widths, values and gradients through layers and residual blocks.

Means over the weights are exact: every combination of ±σ is one column (or row) of one matrix.
"""

from functools import cache, partial
from itertools import product

import numpy as np

from equation_checks.registry import check, close, difference, draw
from fumoto.experiments.initialization import (
    density,
    notes_he_std,
    residual_start,
    sigmoid_start,
    through,
)
from fumoto.initializers import gaussian, glorot, he, xavier
from fumoto.layers import Affine, LeakyReLU, ReLU, Residual, Sigmoid, Tanh

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


@check("eq-sigmoid", "eq-sigmoid-grad")
def sigmoid(equations):
    a, layer = np.linspace(-8, 8, 41)[None], Sigmoid()
    y = layer.forward(a)
    close(y, equations["eq-sigmoid"].evaluate(a=a))
    slope = layer.backward(np.ones_like(a))
    close(slope, equations["eq-sigmoid-grad"].evaluate(y=y))
    close(slope, difference(lambda point: Sigmoid().forward(point).sum(), a), rtol=1e-5, atol=1e-8)


@check("eq-tanh", "eq-tanh-grad")
def tanh(equations):
    a, layer = np.linspace(-4, 4, 41)[None], Tanh()
    y = layer.forward(a)
    close(y, equations["eq-tanh"].evaluate(a=a))
    slope = layer.backward(np.ones_like(a))
    close(slope, equations["eq-tanh-grad"].evaluate(y=y))
    close(slope, difference(lambda point: Tanh().forward(point).sum(), a), rtol=1e-5, atol=1e-8)


@check("eq-relu", "eq-leaky-relu")
def rectifiers(equations):
    a = np.array([[-3.0, -0.5, 0.0, 0.2, 4.0]])
    close(ReLU().forward(a), equations["eq-relu"].evaluate(a=a))
    for slope in (0.01, 0.3):
        close(LeakyReLU(slope).forward(a), equations["eq-leaky-relu"].evaluate(a=a, s=slope))


@check("eq-sigmoid-chain")
def one_neuron(equations):
    """The chain rule against the layers and central differences of the squared error."""
    for w, h, s in ((0.3, 2.0, 0.9), (-1.2, 0.7, 0.1), (0.8, -1.5, 0.4)):
        affine, function = Affine(np.array([[w]]), np.zeros(1)), Sigmoid()
        y = function.forward(affine.forward(np.array([[h]])))
        q = 2 * (y - s)
        affine.backward(function.backward(q))
        printed = equations["eq-sigmoid-chain"].evaluate(q=q, y=y, h=h)
        close(affine.grads["W"], printed)

        def error(weight, h=h, s=s):
            return float((Sigmoid().forward(weight * h) - s) ** 2)

        close(difference(error, np.array(w)), printed.item(), rtol=1e-6)


@check("eq-layer-q", "eq-layer-d")
def one_layer_back(equations):
    """A layer of five nodes below one of three: against the layers and central differences of a linear loss."""
    rng = np.random.default_rng(0)
    W, a, d = rng.normal(size=(5, 3)), rng.normal(size=5), rng.normal(size=3)
    function, affine = Tanh(), Affine(W, np.zeros(3))
    y = function.forward(a[None])
    affine.forward(y)
    q = equations["eq-layer-q"].evaluate(w=W, d=d, m=3)
    close(affine.backward(d[None])[0], q)
    below = equations["eq-layer-d"].evaluate(psi=1 - y[0] ** 2, q=q)
    close(function.backward(q[None])[0], below)
    close(difference(lambda point: np.tanh(point) @ W @ d, a), below, rtol=1e-6)


@cache
def _measured_layers(std, width, seeds=4, depth=6):
    """The size of the gradient and the mean square of the slopes of each layer, averaged over networks."""
    trials = [through(ReLU, gaussian(std), np.random.default_rng(k), 100, depth, width) for k in range(seeds)]
    sizes = np.array([np.sqrt(np.mean(d**2, axis=(1, 2))) for *_, d in trials])
    return sizes, np.mean([slopes[:-1] ** 2 for _, slopes, _ in trials])


@check("eq-layer-factor", "eq-layer-product")
def many_layers_back(equations):
    """Wide layers: one layer's factor to 5 %, five layers' to 15 % (the weights are random)."""
    for std, width in ((0.15, 400), (0.02, 300)):
        sizes, squared_slopes = _measured_layers(std, width)
        whole = sizes[:, 0] / sizes[:, -1]
        r = equations["eq-layer-factor"].evaluate(sigma=std, m=width, mean_psi_squared=squared_slopes)
        close(np.mean(whole ** (1 / 5)), r, rtol=0.05)
        close(whole.mean(), equations["eq-layer-product"].evaluate(r=r, L=5), rtol=0.15)


@check("eq-residual-y", "eq-residual-q")
def residual_block(equations):
    """A block of four nodes: against the layer and central differences of a linear loss."""
    rng = np.random.default_rng(0)
    W, b = rng.normal(size=(4, 4)), rng.normal(size=4)
    h, d = rng.normal(size=(2, 4))
    block = Residual(W, b, Tanh())
    y = block.forward(h[None])[0]
    close(y, equations["eq-residual-y"].evaluate(h=h, h_tilde=np.tanh(h), w=W, b=b, n=4))
    q = equations["eq-residual-q"].evaluate(d=d, psi=1 - np.tanh(h) ** 2, w=W, n=4)
    close(block.backward(d[None])[0], q)
    close(difference(lambda point: (point + np.tanh(point) @ W) @ d, h), q, rtol=1e-6)


@check("eq-residual-meansquare")
def residual_forwards(equations):
    for n, std in product((1, 2, 3), STDS):
        h = np.random.default_rng(n).normal(size=(1, n))
        squares = [
            np.mean(Residual(std * np.reshape(signs, (n, n)), np.zeros(n), ReLU()).forward(h) ** 2)
            for signs in product((-1.0, 1.0), repeat=n * n)
        ]
        passed = np.mean(np.maximum(h, 0) ** 2)
        expected = equations["eq-residual-meansquare"].evaluate(
            n=n, sigma=std, mean_h_squared=np.mean(h**2), mean_h_tilde_squared=passed
        )
        close(np.mean(squares), expected)


@check("eq-residual-std")
def residual_width(equations):
    for n, blocks in ((3, 2), (50, 19)):
        start = partial(residual_start, blocks=blocks)
        close(_width(start, n, n), equations["eq-residual-std"].evaluate(n=n, L=blocks))


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


@check("eq-relu-layer")
def relu_layer(equations):
    for n, std in product(SIZES, STDS):
        h, layer = exact_layer(n, std)
        measured = np.mean(ReLU().forward(layer.forward(h)) ** 2)
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
