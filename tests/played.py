"""What the playgrounds play, done by the code of the book: the paths that the generated JavaScript must take."""

import numpy as np

from claims.adam import UncorrectedWithEpsilon
from fumoto import mistakes, optimizers
from fumoto.printed import METHODS
from fumoto.printed.playground import PLAYED, SURFACES
from fumoto.surfaces import narrow
from fumoto.training import descend

STEPS = 500
# With these no method swings around a minimum for ever, which would blow rounding errors up.
VALUES = {
    "kappa": 20.0,
    "eta": 0.005,
    "alpha": 0.8,
    "rho": 0.9,
    "beta_1": 0.9,
    "beta_2": 0.99,
    "varepsilon": 0.1,
    "lambda": 0.3,
}


class Uphill(optimizers.SGD):
    def rule(self, w, g):
        return (w + self.lr * g,)


WRONG = {  # the wrong versions, written by hand
    "SGD/uphill": Uphill,
    "Momentum/notes": mistakes.NotesMomentum,
    "AdaGrad/notes": lambda lr, eps: optimizers.AdaGrad(lr=lr, eps=0.0),
    "Adam/notes": mistakes.UncorrectedAdam,
    "Adam/uncorrected": UncorrectedWithEpsilon,
    "Adam/no-epsilon": lambda lr, beta1, beta2, eps: optimizers.Adam(lr, beta1, beta2, eps=0.0),
}


def python_path(surface, method, start=None, steps=STEPS, values=VALUES):
    """What the code of the book does, from ``start`` or the surface's own start."""
    hyperparameters = METHODS[PLAYED[method].family].hyperparameters
    make = WRONG.get(method) or getattr(optimizers, method)
    optimizer = make(**{name: values[symbol] for name, symbol in hyperparameters.items()})
    played = narrow(values["kappa"]) if surface == "narrow" else SURFACES[surface].surface
    with np.errstate(all="ignore"):
        return descend(optimizer, played, played.start if start is None else start, steps)


def finite_steps(path):
    """The number of points before the first that is not finite."""
    finite = np.isfinite(path).all(axis=1)
    return len(finite) if finite.all() else int(finite.argmin())


def same_path(ours, theirs):
    """Equal to 1e-12 as long as both are finite, and lost at the same step."""
    end = finite_steps(theirs)
    assert end > 5
    np.testing.assert_allclose(ours[:end], theirs[:end], rtol=1e-12, atol=1e-14)
    assert not np.isfinite(ours[end:]).all(axis=1).any()
