"""Chapter 1: what going downhill promises, the hollow, and the first training."""

from functools import cache

import numpy as np

from claims.registry import claim, close, equal, less
from claims.walking import walk
from fumoto.datasets import mnist_bytes
from fumoto.experiments.descent import first_descent
from fumoto.layers import SoftmaxCrossEntropy
from fumoto.network import MLP
from fumoto.optimizers import SGD, Momentum
from fumoto.surfaces import hollow, valleys

# --- what is promised -------------------------------------------------------------------------------------


def promised(heights, squares, eta, c):
    """Every step goes down, and what the squared slopes have cost is no more than the height that was lost."""
    tiny = 1e-9 * (1 + heights[0])  # where the slope is 0 nothing moves
    return [
        less(heights[1:], heights[:-1] + tiny),
        less(eta * (1 - c / 2) * np.sum(squares[:-1]), heights[0] - heights[-1] + tiny),
    ]


@claim("descent-promise")
def in_the_hollow(c, D, w):
    surface, eta = hollow(D), c / (1 / 5 + 16 * D)
    path = walk(SGD(eta), surface.gradient, (w,), 200).T
    return promised(surface(path), surface.gradient(path)[0] ** 2, eta, c)


@claim("descent-slope-vanishes")
def among_many_valleys(c, x, y):
    eta = c / 1.1
    path = walk(SGD(eta), valleys.gradient, (x, y), 200).T
    return promised(valleys(path), np.sum(valleys.gradient(path) ** 2, axis=0), eta, c)


@claim("descent-softmax")
def with_the_loss_of_the_book(c, N, K, seed):
    """Softmax of h W: the curvature is at most half the largest squared length of a sample."""
    rng = np.random.default_rng(seed)
    h, t, layer = rng.normal(size=(N, 4)), rng.integers(0, K, N), SoftmaxCrossEntropy()
    eta = c / (np.sum(h**2, axis=1).max() / 2)
    losses, squares = [], []

    def gradient(w):
        losses.append(layer.loss(h @ w, t))
        slopes = h.T @ layer.backward()
        squares.append(np.sum(slopes**2))
        return slopes

    walk(SGD(eta), gradient, rng.normal(size=(4, K)), 50)
    return promised(np.array(losses), np.array(squares), eta, c)


@claim("descent-no-bottom")
def on_separable_data_the_slope_vanishes_and_the_weight_grows(eta, t):
    """The scores (0, w) give the second class the probability 1 / (1 + exp(-w))."""
    layer = SoftmaxCrossEntropy()

    def slope(w):
        layer.loss(np.array([[0.0, w]]), np.array([1]))
        return layer.backward()[0, 1]

    last = walk(SGD(eta), slope, 0.0, t)[-1]
    return [less(np.log1p(eta * t / 2), last), less(abs(slope(last)), 1 / (2 + eta * t / 2))]


@claim("descent-not-lowest")
def it_stays_in_a_valley_that_is_not_the_lowest(c, x):
    return less(3.5, walk(SGD(c / 1.1), valleys.gradient, (x, 0.0), 100)[-1, 0])


@claim("descent-chance")
def equal_probabilities_give_the_logarithm_of_the_number_of_classes(K, a):
    return close(SoftmaxCrossEntropy().forward(np.full((1, K), a), np.array([0])), np.log(K))


@claim("descent-backpropagation")
def the_gradient_is_the_slope_of_the_loss_along_every_weight(N, n, K, seed):
    rng = np.random.default_rng(seed)
    network = MLP([n, 3, K], rng=rng, dtype=np.float64)
    x, t, w, h = rng.normal(size=(N, n)), rng.integers(0, K, N), network.vector, 1e-5
    network.gradient(x, t)
    slopes = []
    for i, here in enumerate(w.copy()):
        w[i] = here + h
        above = network.loss(x, t)
        w[i] = here - h
        slopes.append((above - network.loss(x, t)) / (2 * h))
        w[i] = here
    return close(1 + network.gradient_vector, 1 + np.array(slopes), rel=1e-7)


# --- the hollow -------------------------------------------------------------------------------------------


@cache
def bottom(depth):
    """The bottom of the hollow: the first place right of -3 where the slope is not negative."""
    w = np.linspace(-3, -2.7, 100_001)
    return w[np.argmax(hollow(depth).gradient(w[None])[0] >= 0)]


def end(optimizer, start, steps, depth=0.4):
    return walk(optimizer, hollow(depth).gradient, (start,), steps)[-1, 0]


@claim("night-careful")
def small_steps_never_pass_the_bottom_of_the_hollow(c, D, w):
    path = walk(SGD(c / (1 / 5 + 16 * D)), hollow(D).gradient, (w,), 100)[:, 0]
    return [less(path.max(), bottom(D) + 1e-5), less(path[:-1], path[1:] + 1e-9)]


@claim("night-running", samples=100)
def with_momentum_it_arrives_at_the_camp(alpha, D):
    return less(abs(end(Momentum(0.05, alpha), -5.0, 600, D)), 0.05)


@claim("play-hollow-stops")
def with_less_momentum_it_stops_too(alpha):
    return close(end(Momentum(0.05, alpha), -5.0, 150), bottom(0.4), rel=0.01)


@claim("play-hollow-across")
def large_steps_can_go_across(eta):
    return less(abs(end(SGD(eta), -5.0, 150)), 0.01)


@claim("play-hollow-trapped")
def from_near_the_bottom_nobody_leaves(w):
    return [
        close(end(optimizer, w, 150), bottom(0.4), rel=0.01) for optimizer in (SGD(0.05), Momentum(0.05, 0.9))
    ]


# --- the first training -----------------------------------------------------------------------------------


@claim("first-descent-falls", samples=0, searched=0)
def the_loss_falls_from_chance_and_jitters_less_on_the_same_images(seed):
    first = first_descent(seed=seed)
    jitter, steady = (np.diff(losses[150:]).var() for losses in (first.losses, first.steady))
    return [
        less(abs(first.losses[0] - np.log(10)), 0.5),
        less(first.losses[-50:].mean(), 0.4),
        less(first.steady[-1], 0.4),
        less(steady, jitter / 2),
    ]


@claim("first-descent-learns", samples=0, searched=0)
def most_weights_move_and_some_never_do(seed):
    first, black = first_descent(seed=seed), np.sum(~np.any(mnist_bytes()[0], axis=0))
    return [
        less(first.accuracy_before, 0.25),
        less(0.85, first.accuracy_after),
        less(100 * black, first.parameters - first.moved),
        equal(black, 67),
    ]
