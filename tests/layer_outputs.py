"""What the histograms of the browser are made of, by the layers of the package: the twin of book/_static/histograms.js."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from fumoto.batchnorm import BatchNorm
from fumoto.layers import Affine, LeakyReLU, ReLU, Sigmoid, Tanh
from fumoto.printed.histograms import LAYERS, NODES, SAMPLES, SEED, SLOPE

LAYER_OF = {"sigmoid": Sigmoid, "tanh": Tanh, "relu": ReLU, "leaky-relu": partial(LeakyReLU, SLOPE)}
STEEPEST = {"sigmoid": 1 / 4, "tanh": 1.0}


def normals(count, seed=SEED):
    """The k-th number depends on k alone: mulberry32 for a pair of uniform numbers, then Box and Muller."""

    def uniform(k):
        z = (np.uint32(seed) + k) * np.uint32(0x6D2B79F5)
        z = (z ^ (z >> np.uint32(15))) * (z | np.uint32(1))
        z = z ^ (z + (z ^ (z >> np.uint32(7))) * (z | np.uint32(61)))
        return ((z ^ (z >> np.uint32(14))) + 0.5) / 2**32

    k = np.arange(count, dtype=np.uint32)
    first, second = uniform(2 * k), uniform(2 * k + 1)
    return np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second)


@dataclass(frozen=True)
class Found:
    """One layer: its outputs ``(SAMPLES, NODES)``, their standard deviation, what is counted, dead nodes."""

    outputs: np.ndarray
    spread: float
    share: float
    dead: int


def layer_outputs(activation, std, place="none", bias=0.0):
    """The layers in order. ``place``: "none", "before" or "after", as the page writes it."""
    size = SAMPLES * NODES
    numbers = normals(size + LAYERS * NODES**2)
    h, found = numbers[:size].reshape(SAMPLES, NODES), []
    for raw in numbers[size:].reshape(LAYERS, NODES, NODES):  # raw[k, i]: from node i to node k
        layer, norm = LAYER_OF[activation](), BatchNorm(np.ones(NODES), np.zeros(NODES))
        x = Affine(std * raw.T, np.full(NODES, float(bias))).forward(h)
        y = layer.forward(norm.forward(x) if place == "before" else x)
        if activation in STEEPEST:
            counted = layer.backward(np.ones_like(y)) < STEEPEST[activation] / 10
        else:
            counted = y <= 0
        dead = int(np.sum(~np.any(y > 0, axis=0)))
        h = norm.forward(y) if place == "after" else y
        found.append(Found(h, float(h.std()), float(counted.mean()), dead))
    return found
