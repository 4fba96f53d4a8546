"""One deterministic problem for Muon, that the book's and PyTorch's are both run on: matrices of several shapes."""

import numpy as np

STEPS = 5
SHAPES = ((4, 3), (2, 5), (3, 3), (1, 4))  # (n_in, n_out)


def start():
    rng = np.random.default_rng(2)
    return [rng.normal(size=shape) for shape in SHAPES]


def gradients(step):
    """Of every size; the last matrix has no gradient at first."""
    rng = np.random.default_rng(100 + step)
    sizes = 10.0 ** (step - 2), 1.0, 1e-3, float(step > 1)
    return [size * rng.normal(size=shape) for size, shape in zip(sizes, SHAPES, strict=True)]
