"""Chapter 7: polynomials, weight decay, dropout."""

import numpy as np

from equation_checks.registry import check, close, difference
from fumoto.dropout import Dropout
from fumoto.experiments import overfitting
from fumoto.network import MLP
from fumoto.optimizers import SGD


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
            known = {"m": mask[row], "omega": rate}
            close(h[row], equations["eq-dropout-h"].evaluate(y=y[row], **known))
            printed = equations["eq-dropout-q"].evaluate(q_tilde=q[row], **known)
            close(layer.backward(q)[row], printed)
            slopes = difference(lambda point, forward=forward: (q * forward(point)).sum(), y)[row]
            close(slopes, printed, rtol=1e-6, atol=1e-8)
