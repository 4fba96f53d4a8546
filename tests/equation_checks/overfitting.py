"""Chapter 7: polynomials, weight decay, dropout, activations, the chain rule, gradients through layers."""

from functools import cache

import numpy as np

from equation_checks.registry import check, close
from fumoto.dropout import Dropout
from fumoto.experiments import overfitting, saturation
from fumoto.layers import Affine, LeakyReLU, ReLU, Sigmoid, Tanh
from fumoto.network import MLP
from fumoto.optimizers import SGD


def _difference(function, point, h=1e-6):
    """Central differences of a scalar function of an array."""
    slopes = np.zeros_like(point)
    for index in np.ndindex(point.shape):
        step = np.zeros_like(point)
        step[index] = h
        slopes[index] = (function(point + step) - function(point - step)) / (2 * h)
    return slopes


@check("eq-polynomial-f")
def polynomial(equations):
    rng = np.random.default_rng(0)
    for degree in (1, 4):
        coefficients, u = rng.normal(size=degree + 1), rng.normal(size=6)
        printed = equations["eq-polynomial-f"].evaluate(
            p_0=coefficients[0], p=coefficients[1:], u=u, M=degree
        )
        close(overfitting.polynomial(coefficients, u), printed)


@check("eq-squared-error-E")
def squared_error(equations):
    rng = np.random.default_rng(0)
    f, s = rng.normal(size=(2, 5))
    close(overfitting.squared_error(f, s), equations["eq-squared-error-E"].evaluate(f=f, s=s, N=5))


def _networks(decay):
    """Twice the same network, the second with weight decay, and a batch."""
    nets = [
        MLP([3, 4, 2], rng=np.random.default_rng(0), weight_decay=d, dtype=np.float64) for d in (0, decay)
    ]
    rng = np.random.default_rng(1)
    return *nets, rng.normal(size=(5, 3)), rng.integers(0, 2, 5)


@check("eq-weight-decay", "eq-weight-decay-w")
def weight_decay(equations):
    """Gradient and one step of SGD; biases are left alone."""
    for decay, lr in ((0.3, 0.5), (0.7, 0.2)):
        plain, decaying, x, t = _networks(decay)
        bare, grads = plain.gradient(x, t)[1], decaying.gradient(x, t)[1]
        before = {name: w.copy() for name, w in decaying.params.items()}
        SGD(lr=lr).update(decaying.params, grads)
        for name, w in before.items():
            symbols = {"grad_E": lambda at, g=bare[name], w=w: g + (at - w), "w_t": w}
            if name.startswith("b"):
                close(grads[name], bare[name])
                continue
            symbols["lambda"] = decay
            close(grads[name], equations["eq-weight-decay"].evaluate(**symbols))
            close(decaying.params[name], equations["eq-weight-decay-w"].evaluate(eta=lr, **symbols))


@check("eq-dropout-h", "eq-dropout-q")
def dropout(equations):
    """Values and gradients behind one mask, the gradients also against central differences."""
    y, q = np.random.default_rng(0).normal(size=(2, 3, 4))
    for rate in (0.3, 0.6):

        def forward(point, rate=rate):
            return Dropout(rate, rng=np.random.default_rng(1)).forward(point)

        layer = Dropout(rate, rng=np.random.default_rng(1))
        h = layer.forward(y)
        mask = (h != 0).astype(float)
        assert 0 < mask.mean() < 1
        for row in range(3):
            known = {"m": mask[row], "nu": rate}
            close(h[row], equations["eq-dropout-h"].evaluate(y=y[row], **known))
            printed = equations["eq-dropout-q"].evaluate(q_tilde=q[row], **known)
            close(layer.backward(q)[row], printed)
            slopes = _difference(lambda point, forward=forward: (q * forward(point)).sum(), y)[row]
            close(slopes, printed, rtol=1e-6, atol=1e-8)


@check("eq-sigmoid", "eq-sigmoid-grad")
def sigmoid(equations):
    x, layer = np.linspace(-8, 8, 41)[None], Sigmoid()
    y = layer.forward(x)
    close(y, equations["eq-sigmoid"].evaluate(x=x))
    d = layer.backward(np.ones_like(x))
    close(d, equations["eq-sigmoid-grad"].evaluate(y=y))
    close(d, _difference(lambda point: Sigmoid().forward(point).sum(), x), rtol=1e-5, atol=1e-8)


@check("eq-tanh", "eq-tanh-grad")
def tanh(equations):
    x, layer = np.linspace(-4, 4, 41)[None], Tanh()
    y = layer.forward(x)
    close(y, equations["eq-tanh"].evaluate(x=x))
    d = layer.backward(np.ones_like(x))
    close(d, equations["eq-tanh-grad"].evaluate(y=y))
    close(d, _difference(lambda point: Tanh().forward(point).sum(), x), rtol=1e-5, atol=1e-8)


@check("eq-relu", "eq-leaky-relu")
def rectifiers(equations):
    x = np.array([[-3.0, -0.5, 0.0, 0.2, 4.0]])
    close(ReLU().forward(x), equations["eq-relu"].evaluate(x=x))
    for slope in (0.01, 0.3):
        close(LeakyReLU(slope).forward(x), equations["eq-leaky-relu"].evaluate(x=x, c=slope))


@check("eq-sigmoid-chain", "eq-notes-sigmoid-chain")
def one_neuron(equations):
    """The chain rule against the layers and central differences of the squared error; the notes' against their code."""
    for w, h, s in ((0.3, 2.0, 0.9), (-1.2, 0.7, 0.1), (0.8, -1.5, 0.4)):
        affine, function = Affine(np.array([[w]]), np.zeros(1)), Sigmoid()
        y = function.forward(affine.forward(np.array([[h]])))
        q = 2 * (y - s)
        affine.backward(function.backward(q))
        printed = equations["eq-sigmoid-chain"].evaluate(q=q, y=y, h=h)
        close(affine.grads["W"], printed)
        close(saturation.chain_gradient(q, y, h), printed)

        def error(weight, h=h, s=s):
            return float((Sigmoid().forward(weight * h) - s) ** 2)

        close(_difference(error, np.array(w)), printed.item(), rtol=1e-6)
        close(saturation.notes_gradient(y), equations["eq-notes-sigmoid-chain"].evaluate(y=y))


@check("eq-layer-q", "eq-layer-delta")
def one_layer_back(equations):
    """A layer of five nodes below one of three: against the layers and central differences of a linear loss."""
    rng = np.random.default_rng(0)
    W, x, delta = rng.normal(size=(5, 3)), rng.normal(size=5), rng.normal(size=3)
    function, affine = Tanh(), Affine(W, np.zeros(3))
    y = function.forward(x[None])
    affine.forward(y)
    q = equations["eq-layer-q"].evaluate(w=W, delta=delta, m=3)
    close(affine.backward(delta[None])[0], q)
    below = equations["eq-layer-delta"].evaluate(d=1 - y[0] ** 2, q=q)
    close(function.backward(q[None])[0], below)
    close(_difference(lambda point: np.tanh(point) @ W @ delta, x), below, rtol=1e-6)


@cache
def _measured_layers(std, width):
    return saturation.layer_gradients(ReLU, std, seeds=range(4), depth=6, width=width, samples=100)


@check("eq-layer-factor", "eq-layer-product")
def many_layers_back(equations):
    """Wide layers: one layer's factor to 5 %, five layers' to 15 % (the weights are random)."""
    for std, width in ((0.15, 400), (0.02, 300)):
        measured = _measured_layers(std, width)
        r = equations["eq-layer-factor"].evaluate(sigma=std, m=width, mean_d_squared=0.5)
        close(r, saturation.layer_factor(std, width, 0.5))
        close(measured.measured_factor, r, rtol=0.05)
        whole = np.mean(measured.rms[:, 0] / measured.rms[:, -1])
        close(whole, equations["eq-layer-product"].evaluate(r=measured.factor[:, :-1].mean(), L=5), rtol=0.15)
