"""Chapter 4: the rate and the step of AdaGrad, rare features, and where it slows down."""

import numpy as np

from claims.registry import between, claim, close, equal, less
from claims.walking import along, walk
from fumoto.datasets import mnist
from fumoto.experiments.adagrad import (
    adagrad_on_bowl,
    constant_gradient,
    first_path,
    frequent_and_rare,
    larger_rate,
    rate_and_step,
)
from fumoto.network import MLP
from fumoto.optimizers import SGD, AdaGrad
from fumoto.surfaces import bowl


def slide(optimizer, steps, curvature=1.0, noise=None):
    """The places on the way down ``curvature w²/2`` from 1; ``noise`` is added to the gradients."""
    added = iter(np.zeros(steps) if noise is None else noise)
    return walk(optimizer, lambda w: curvature * w + next(added), 1.0, steps)


# --- from curvature to the rate of a coordinate -----------------------------------------------------------


@claim("adagrad-own-rates", samples=100, searched=60)
def with_a_rate_of_its_own_every_coordinate_shrinks_alike(lambda_, c):
    path = slide(SGD(c / lambda_), 20, lambda_)
    return [close(path, (1 - c) ** np.arange(21)), less(np.abs(path[-1]), 1.0)]


# --- the step ---------------------------------------------------------------------------------------------


@claim("adagrad-scale")
def scaled_gradients_change_the_rate_and_not_the_step(c, eta, seed):
    result = rate_and_step((1.0, c), lr=eta, seed=seed)
    (rate, scaled_rate), (step, scaled_step) = result.rates.T, result.steps.T
    return [close(scaled_step, step, rel=1e-5), close(c * scaled_rate, rate)]


def last_step(h, g, **options):
    """The step of AdaGrad along ``g``, after gradients with the sum of squares ``h``."""
    return np.diff(along(AdaGrad(**options), [np.sqrt(h), g]))[-1]


@claim("adagrad-one-large")
def one_larger_gradient_is_one_larger_step(q, h_t, g_t, eta):
    return less(last_step(h_t, q * g_t, lr=eta), last_step(h_t, g_t, lr=eta))


@claim("adagrad-step-bound")
def no_step_is_longer_than_the_rate(h_t, g_t, eta, varepsilon):
    return less(abs(last_step(h_t, g_t, lr=eta, eps=varepsilon)), eta)


@claim("adagrad-curvature")
def the_way_down_does_not_depend_on_the_curvature(lambda_, eta):
    flat, steep = (slide(AdaGrad(eta, eps=0.0), 100, curvature) for curvature in (1.0, lambda_))
    return close(steep, flat)


@claim("adagrad-distance")
def the_distance_lies_between_two_square_roots(t, eta):
    constant = constant_gradient(t, eta)
    return between(constant.distance / eta, 2 * np.sqrt(constant.t) - 2, 2 * np.sqrt(constant.t))


# --- features that appear once in p steps ------------------------------------------------------------------


def often_and_rarely(p, n, eta):
    """Two weights, the second of whose features appears once in ``p`` steps and ``n`` times."""
    if n < 1:
        raise ValueError("a feature that never appears")
    return frequent_and_rare(n * p, p, eta)


@claim("adagrad-rare-step")
def the_rare_feature_steps_further_when_it_appears(p, n, eta):
    often, rarely = often_and_rarely(p, n, eta).last_step["AdaGrad"]
    return [less(often, rarely), close(rarely / often, np.sqrt(p), rel=1e-6)]


@claim("adagrad-rare-total")
def the_frequent_feature_goes_further_in_total(p, n, eta):
    moved = often_and_rarely(p, n, eta).moved
    (often, rarely), (much, little) = moved["AdaGrad"][-1], moved["SGD"][-1]
    return [between(often / rarely, 1, p), close(much / little, p)]


@claim("adagrad-rare-target", samples=60, searched=30)
def with_an_end_to_reach_both_go_as_far(p, eta):
    appears = iter(np.array([1.0, t % p == 0]) for t in range(1, 250 * p + 1))
    places = walk(AdaGrad(eta), lambda w: w * next(appears), np.ones(2), 250 * p)
    return close(np.abs(np.diff(places, axis=0)).sum(axis=0), np.ones(2), rel=1e-3)


# --- where it slows down -----------------------------------------------------------------------------------


@claim("adagrad-bowl-bounded")
def without_noise_h_has_a_bound(eta):
    optimizer = AdaGrad(eta)
    slide(optimizer, 300)
    root = np.sqrt(optimizer.state["h"])
    return less(root * (1 - 1e-9), 1 / (eta * (2 - eta)))


@claim("adagrad-bowl-soon")
def h_is_almost_complete_after_ten_steps(eta):
    h = adagrad_on_bowl(120, eta).h
    return less(0.99 * h[-1], h[10])


@claim("adagrad-bowl-arrives")
def the_distance_keeps_shrinking(eta):
    return less(np.abs(adagrad_on_bowl(60, eta).w[60]), 1e-12)


@claim("adagrad-far", samples=6, searched=0)
def from_far_away_the_steps_are_the_square_of_the_distance(b, eta):
    w = walk(AdaGrad(eta), lambda w: w, b * eta, int(1.3 * b**2))
    return between(np.argmax(w < 0.01 * w[0]) / b**2, 0.95, 1.25)


@claim("adagrad-noise", samples=40, searched=30)
def with_noise_h_grows_with_the_number_of_steps(sigma, eta, seed):
    noise = sigma * np.random.default_rng(seed).standard_normal(3000)
    optimizer = AdaGrad(eta)
    slide(optimizer, len(noise), noise=noise)
    return between(optimizer.state["h"] / (sigma**2 * len(noise)), 0.85, 1.15)


def arrivals(optimizer, scales, limit=60_000):
    """The number of steps from 1 into |w| < 0.1 on w²/2, if the first gradient is so many times larger."""
    return np.array([arrival(optimizer, scale, limit) for scale in scales])


def arrival(optimizer, larger, limit):
    w = np.float64(1)
    state = [0 * w for _ in optimizer.state_names]
    for optimizer.t in range(limit):
        if abs(w) < 0.1:
            break
        w, *state = optimizer.rule(w, larger * w, *state)
        larger = 1.0
    return optimizer.t


@claim("adagrad-outlier", samples=20, searched=10)
def after_a_large_gradient_twice_as_large_takes_twice_as_long(q, eta):
    once, twice = arrivals(AdaGrad(eta), q / eta * np.array([1.0, 2.0]), limit=200_000)
    return close(twice, 2.0 * once, rel=0.1)


# --- the playgrounds ---------------------------------------------------------------------------------------


@claim("adagrad-first-step")
def the_first_step_is_the_rate_in_both_directions(x, y, eta):
    first = np.diff(walk(AdaGrad(eta), bowl.gradient, (x, y), 1), axis=0)[0]
    return close(first, -eta * np.ones(2), rel=1e-6)


@claim("adagrad-shorter")
def the_steps_become_shorter(eta):
    steps = np.linalg.norm(np.diff(walk(AdaGrad(eta), bowl.gradient, bowl.start, 40), axis=0), axis=1)
    return less(steps[1:], steps[:-1])


@claim("adagrad-path")
def adagrad_does_not_cross_the_valley_and_is_behind_along_it(eta):
    paths = first_path(eta).paths
    behind = less(np.abs(paths["GD"][-1, 0]), np.abs(paths["AdaGrad"][-1, 0]))
    return [less(0.0, paths["AdaGrad"][:, 1]), behind]


@claim("adagrad-nearer", samples=60, searched=40)
def with_a_larger_rate_adagrad_is_nearer_than_gradient_descent_with_any(eta):
    larger = larger_rate(12, eta)
    return less(larger.adagrad, larger.gd)


@claim("adagrad-survives")
def above_the_limit_only_adagrad_arrives(eta):
    across = walk(SGD(eta), bowl.gradient, bowl.start, 40)[:, 1]
    return [less(abs(across[0]), abs(across[-1])), less(lowest(AdaGrad(eta)), 0.01)]


@claim("adagrad-behind")
def below_the_limit_adagrad_is_behind(eta):
    return less(lowest(SGD(eta)), lowest(AdaGrad(eta)))


def lowest(optimizer):
    """The height after the 40 steps of play-adagrad."""
    return bowl(walk(optimizer, bowl.gradient, bowl.start, 40)[-1])


@claim("adagrad-no-epsilon")
def without_epsilon_only_the_axis_shows_it(x, y, eta):
    right, wrong = (walk(AdaGrad(eta, eps=eps), bowl.gradient, (x, y), 40) for eps in (1e-10, 0.0))
    on_axis = [walk(AdaGrad(eta, eps=eps), bowl.gradient, (x, 0.0), 1)[-1] for eps in (1e-10, 0.0)]
    return [equal(np.isnan(on_axis).astype(int), [[0, 0], [0, 1]]), close(wrong, right, rel=1e-6)]


# --- the gradients of MNIST --------------------------------------------------------------------------------


def gradients_of_a_new_network(seed, batches):
    """``{name: root mean square of the gradient, weight by weight}``, and the pixels that are never lit."""
    x, t = mnist()[:2]
    rng = np.random.default_rng(seed)
    network = MLP([784, 100, 10], rng=rng)
    samples = rng.integers(0, len(x), (batches, 128))
    gradients = [{name: g.copy() for name, g in network.gradient(x[i], t[i])[1].items()} for i in samples]
    sizes = {name: np.sqrt(np.mean([g[name] ** 2 for g in gradients], axis=0)) for name in network.params}
    return sizes, ~x.any(axis=0)


@claim("adagrad-gradient-sizes", samples=0, searched=0)
def gradients_differ_by_orders_of_magnitude(seed):
    sizes = np.concatenate([array.ravel() for array in gradients_of_a_new_network(seed, 20)[0].values()])
    small, large = np.percentile(sizes[sizes > 0], [1, 99])
    return less(1000 * small, large)


@claim("adagrad-dark-pixels", samples=0, searched=0)
def weights_of_pixels_that_are_never_lit_get_no_gradient(seed):
    sizes, dark = gradients_of_a_new_network(seed, 1)
    rows = sizes["W1"].max(axis=1)
    return [equal(rows[dark], np.zeros(dark.sum())), less(0.0, rows[~dark].max())]
