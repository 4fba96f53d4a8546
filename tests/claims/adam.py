"""Chapter 5: RMSProp and Adam: their steps, what a missing correction does, and the valley floor."""

from functools import cache

import numpy as np

from claims.adagrad import arrivals, slide
from claims.registry import between, claim, close, equal, less
from claims.walking import along, walk
from fumoto.experiments.adam import (
    AMSGrad,
    dedented_adam,
    first_paths,
    steps_down,
    trial_rates,
    valley,
    wrong_end,
)
from fumoto.experiments.momentum import best_gd, best_momentum
from fumoto.mistakes import DedentedAdam, StepSizeAdam, UncorrectedAdam
from fumoto.optimizers import SGD, AdaGrad, Adam, Momentum, RMSProp
from fumoto.surfaces import bowl


class UncorrectedWithEpsilon(Adam):
    """Adam without the correction, and nothing else wrong."""

    def rule(self, w, g, m, v):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g**2
        return w - self.lr * m / (np.sqrt(v) + self.eps), m, v


def gradients(seed, steps):
    return np.random.default_rng(seed).normal(1.0, 1.0, steps)


# --- steps ------------------------------------------------------------------------------------------------


@claim("rmsprop-constant")
def along_a_constant_gradient_the_step_follows_the_missing_weight(rho, eta, t):
    steps = -np.diff(along(RMSProp(eta, rho, eps=0.0), np.ones(t)))
    return close(steps, eta / np.sqrt(1 - rho ** np.arange(1, t + 1)))


@claim("adam-first-step")
def the_first_step_of_adam_is_almost_the_rate(g, eta, beta_1, beta_2, varepsilon):
    step = along(Adam(eta, beta_1, beta_2, varepsilon), [g])[-1]
    return close(step, -eta * g / (abs(g) + varepsilon))


@claim("adam-parts")
def adam_is_made_of_momentum_and_rmsprop(beta_1, beta_2, eta, seed):
    adam, momentum, rmsprop = Adam(eta, beta_1, beta_2), Momentum(eta, beta_1), RMSProp(eta, beta_2)
    for optimizer in (adam, momentum, rmsprop):
        along(optimizer, gradients(seed, 60))
    velocity, mean_square = momentum.state["v"], rmsprop.state["h"]
    return [
        close(adam.state["m"], -(1 - beta_1) / eta * velocity),
        close(adam.state["v"], mean_square),
    ]


@cache
def noise(seed, steps=300, walks=500):
    return np.random.default_rng(seed).standard_normal((steps, walks))


@claim("adam-signal-to-noise")
def the_mean_step_is_a_signal_to_noise_ratio(mu, sigma, eta, seed):
    if sigma <= 0:
        raise ValueError("a standard deviation")
    places = along(Adam(eta), mu + sigma * noise(seed))
    step = (places[-1] - places[-2]).mean() / -eta
    return between(step - mu / np.hypot(mu, sigma), -0.03, 0.03)


@claim("rmsprop-outlier", samples=40, searched=30)
def rmsprop_pays_a_bounded_number_of_steps_for_twice_as_large(q, rho, eta):
    once, twice = arrivals(RMSProp(eta, rho), q / eta * np.array([1.0, 2.0]))
    return less(twice - once, 2 * np.log(2) / -np.log(rho) + 1)


@claim("rmsprop-sooner", samples=40, searched=30)
def the_mean_and_the_missing_correction_both_make_rmsprop_sooner(eta, rho):
    methods = AdaGrad(eta), Adam(eta, 0.0, rho), RMSProp(eta, rho)
    adagrad, corrected, rmsprop = (arrivals(method, np.ones(1)) for method in methods)
    return [less(rmsprop, corrected), less(corrected, adagrad)]


# --- without the correction --------------------------------------------------------------------------------


@claim("adam-uncorrected")
def without_correction_every_step_is_wrong_by_the_same_factors(beta_1, beta_2, eta, t, seed):
    given = gradients(seed, t)
    right = np.diff(along(Adam(eta, beta_1, beta_2, eps=0.0), given))
    wrong = np.diff(along(UncorrectedAdam(eta, beta_1, beta_2), given))
    return close(wrong, right * factors(beta_1, beta_2, np.arange(1, t + 1)))


def factors(beta_1, beta_2, t):
    """eq-adam-overshoot."""
    return (1 - beta_1**t) / np.sqrt(1 - beta_2**t)


@claim("adam-always-too-far")
def the_uncorrected_step_is_always_too_long(beta_1, b):
    beta_2 = 1 - b * (1 - beta_1) ** 2
    t = np.arange(1, min(5 / (1 - beta_2), 20_000) + 1)
    return less(beta_1**t * (2 - beta_1**t), beta_2**t)  # (1 - β1^t)² > 1 - β2^t, free of rounding


@claim("adam-recovery")
def the_step_is_right_to_one_percent_after_four_windows(beta_1, beta_2):
    t = np.arange(1, 6 / (1 - beta_2))
    last = t[factors(beta_1, beta_2, t) > 1.01].max()
    return between(last * (1 - beta_2), 3.8, 4.0)


@claim("adam-two-forms")
def the_other_form_stops_at_larger_gradients(g, varepsilon, beta_2):
    steps = [-along(kind(1.0, 0.9, beta_2, varepsilon), [g])[-1] for kind in (StepSizeAdam, Adam)]
    return [less(*steps), close(steps[0], g / (g + varepsilon / np.sqrt(1 - beta_2)))]


def down_the_bowl(kind, eta):
    """The path of play-adam-notes."""
    return walk(kind(eta), bowl.gradient, bowl.start, 60)


@claim("adam-notes-further", samples=60, searched=40)
def without_correction_adam_goes_further_beyond_the_bottom(eta):
    right, wrong = (down_the_bowl(kind, eta)[:, 0].max() for kind in (Adam, UncorrectedAdam))
    return [less(right, wrong), less(0.0, wrong)]


@claim("adam-notes-nearer", samples=60, searched=40)
def with_a_rate_that_is_too_small_it_is_nearer_to_the_bottom(eta):
    right, wrong = (bowl(down_the_bowl(kind, eta)[-1]) for kind in (Adam, UncorrectedAdam))
    return less(wrong, right)


@claim("adam-notes-path")
def without_epsilon_only_the_axis_shows_it(x, y, eta):
    paths = [walk(kind(eta), bowl.gradient, (x, y), 60) for kind in (UncorrectedAdam, UncorrectedWithEpsilon)]
    kinds = [UncorrectedAdam(eta), Adam(eta, eps=0.0), UncorrectedWithEpsilon(eta), Adam(eta)]
    lost = [np.isnan(walk(optimizer, bowl.gradient, (x, 0.0), 1)).any() for optimizer in kinds]
    return [close(*paths, rel=0.01), equal(np.array(lost).astype(int), [1, 1, 0, 0])]


# --- the valley floor --------------------------------------------------------------------------------------


START = 1e-6


def near_the_floor(c, beta_1, beta_2, lambda_, eps=1e-8):
    """Distances, in units of ε/λ, after a start very close to the minimum of λw²/2, late in the training."""
    eta = c * 2 * (1 + beta_1) * eps / (lambda_ * (1 - beta_1))
    optimizer = Adam(eta, beta_1, beta_2, eps)
    optimizer.t = 10**6  # the corrections are over
    steps = int(max(1500, 20 / (1 - beta_1)))
    return np.abs(walk(optimizer, lambda w: lambda_ * w, START * eps / lambda_, steps)) * lambda_ / eps


@claim("adam-unsettled", samples=30, searched=20)
def above_the_limit_adam_leaves_the_floor(c, beta_1, beta_2, lambda_):
    return less(0.5 * abs(c - 1), near_the_floor(c, beta_1, beta_2, lambda_).max())


@claim("adam-settles", samples=30, searched=20)
def below_the_limit_adam_stays_at_the_floor(c, beta_1, beta_2, lambda_):
    return less(near_the_floor(c, beta_1, beta_2, lambda_)[-200:].max(), START)


@claim("adam-around", samples=4, searched=4)
def adam_goes_on_moving_around_the_floor_and_not_away(eta, lambda_):
    places = walk(Adam(eta), lambda w: lambda_ * w, eta, 3000)
    return between(np.abs(places[-1000:]).max() / eta, 0.2, 1.0)


@claim("adam-rounding", samples=8, searched=8)
def above_a_bottom_that_is_not_zero_the_gradient_is_rounded_to_zero(eta, lambda_):
    last = walk(Adam(eta), lambda w: lambda_ * (w - 1), 2.0, 15_100)[-100:]
    at_zero = walk(Adam(eta), lambda w: lambda_ * w, 1.0, 15_100)[-100:]
    return [equal(last, np.full(100, 1.0)), less(0.0, np.abs(np.diff(at_zero)).max())]


# --- the first paths, and the valley along the axes and turned -----------------------------------------------


@claim("adam-paths", samples=100)
def adam_crosses_the_valley_and_rmsprop_hardly(eta):
    across = {name: path[:, 1].min() for name, path in first_paths(eta).paths.items()}
    return [less(across["Adam"], 0.0), less(-0.05, across["RMSProp"])]


@claim("adam-curvature", samples=60, searched=40)
def the_way_down_of_adam_does_not_depend_on_the_curvature(lambda_, eta, beta_1, beta_2):
    flat, steep = (slide(Adam(eta, beta_1, beta_2, eps=0.0), 30, curvature) for curvature in (1.0, lambda_))
    return close(steep, flat, rel=1e-6)


@claim("rmsprop-curvature", samples=60, searched=40)
def the_way_down_of_rmsprop_does_not_depend_on_the_curvature(lambda_, eta, rho):
    flat, steep = (slide(RMSProp(eta, rho, eps=0.0), 30, curvature) for curvature in (1.0, lambda_))
    return close(steep, flat, rel=1e-6)


@cache
def of_momentum(kappa, angle=0):
    """The number of steps of Momentum with one α, a little above the best one in the long run."""
    alpha = 1 - 0.85 * (1 - best_momentum(kappa)[1])
    return steps_down(Momentum(momentum=alpha), valley(kappa, angle), trial_rates(), limit=1000)


@cache
def of_adam(kappa, angle):
    """The number of steps of Adam with one β1, β2."""
    beta_1, beta_2 = (0.9, 0.999) if angle else (0.7, 0.999)
    return steps_down(Adam(beta1=beta_1, beta2=beta_2), valley(kappa, angle), trial_rates(), limit=1000)


@cache
def of_gd(kappa, limit):
    """The number of steps of gradient descent, which is the same in every direction."""
    return steps_down(SGD(), valley(kappa, 45), trial_rates(), limit=limit)


@claim("adam-along", samples=10, searched=10)
def along_the_axes_adam_needs_fewer_steps_than_any_momentum(alpha, kappa):
    adam, curvature, rates = of_adam(kappa, 0), valley(kappa, 0), trial_rates()
    momentum = steps_down(Momentum(momentum=alpha), curvature, rates, limit=adam + 1)
    return [less(adam, momentum), less(steps_down(RMSProp(decay_rate=0.999), curvature, rates), adam)]


@claim("adam-turned", samples=20, searched=40)
def in_a_turned_valley_momentum_needs_fewer_steps_than_any_adam(kappa, beta_1, beta_2):
    momentum, adam = of_momentum(kappa), Adam(beta1=beta_1, beta2=beta_2)
    return less(momentum, steps_down(adam, valley(kappa, 45), trial_rates(), limit=momentum + 1))


@claim("adam-or-momentum", samples=4, searched=0)
def who_needs_fewer_steps_depends_on_the_direction_of_the_valley(kappa):
    along, turned = (of_momentum(kappa, angle) for angle in (0, 45))
    return [less(of_adam(kappa, 0), along), less(turned, of_adam(kappa, 45)), equal(turned, along)]


@claim("adam-second", samples=4, searched=0)
def in_a_turned_valley_adam_needs_fewer_steps_than_any_rmsprop_and_gradient_descent(kappa, rho):
    adam, curvature, rates = of_adam(kappa, 45), valley(kappa, 45), trial_rates()
    rmsprop = steps_down(RMSProp(decay_rate=rho), curvature, rates, limit=adam + 1)
    return [less(adam, rmsprop), less(adam, of_gd(kappa, adam + 1))]


@claim("rmsprop-adagrad", samples=40, searched=20)
def with_a_long_memory_rmsprop_is_adagrad(rho, eta):
    rmsprop = RMSProp(eta * np.sqrt(1 - rho), rho, eps=0.0)
    return close(slide(rmsprop, 30), slide(AdaGrad(eta, eps=0.0), 30), rel=5 * (1 - rho))


@claim("rmsprop-turned", samples=4, searched=4)
def in_a_turned_valley_rmsprop_needs_more_steps_than_gradient_descent(kappa, rho):
    gd = steps_down(SGD(), valley(kappa, 45), np.array([best_gd(kappa)]))
    rmsprop = steps_down(RMSProp(decay_rate=rho), valley(kappa, 45), trial_rates(), limit=gd + 1)
    return less(gd, rmsprop)


# --- AMSGrad ------------------------------------------------------------------------------------------------


def thrice(optimizer, large, times=30):
    """The places along a large gradient and two of -1, again and again."""
    return along(optimizer, np.tile([large, -1.0, -1.0], times))


@claim("amsgrad-wrong-end", samples=40, searched=40)
def adam_climbs_where_the_large_gradient_is_forgotten(C, b):
    if b <= 0:
        raise ValueError("a negative decay rate")
    adam = thrice(Adam(0.1, 0.0, b / (1 + C**2)), C)[-1]
    return [less(0.0, adam), less(0.0, (C - 2) / 3)]


@claim("amsgrad-example", samples=40, searched=20)
def with_the_largest_gradient_first_amsgrad_is_sgd(C, beta_2, eta):
    amsgrad, sgd = AMSGrad(eta, 0.0, beta_2, eps=0.0), SGD(eta / C)
    return close(thrice(amsgrad, C), thrice(sgd, C))


@claim("amsgrad-ends", samples=6, searched=0)
def adam_and_amsgrad_reach_opposite_ends(C):
    places = wrong_end(C, lr=0.05, steps=300).places
    return [less(0.9, places["Adam"][-1]), less(places["AMSGrad"][-1], -0.9)]


@claim("amsgrad-not-needed", samples=40, searched=40)
def with_a_longer_memory_adam_goes_down(C, beta_2):
    return less(thrice(Adam(0.1, 0.0, beta_2), C)[-1], 0.0)


@claim("amsgrad-stops", samples=20, searched=10)
def amsgrad_that_comes_from_beyond_its_rate_stops(b, eta, beta_1, beta_2):
    w = walk(AMSGrad(eta, beta_1, beta_2), lambda w: w, b * eta, 1500)
    return less(np.abs(w[-50:]).max(), 1e-3 * b * eta)


@claim("amsgrad-settles", samples=20, searched=10)
def amsgrad_stops_at_the_floor(eta, beta_1, beta_2, lambda_):
    return less(np.abs(slide(AMSGrad(eta, beta_1, beta_2), 300, lambda_)[-50:]), 1e-3)


@claim("amsgrad-outlier", samples=60, searched=40)
def a_large_first_gradient_makes_the_rate_smaller_for_ever(q, eta, beta_2):
    places = slide(AMSGrad(eta, 0.0, beta_2, eps=0.0), 30, noise=[q - 1, *np.zeros(29)])
    return close(places[1:], (1 - eta) * (1 - eta / q) ** np.arange(30))


# --- the code of the notes ---------------------------------------------------------------------------------


@claim("adam-dedent")
def the_code_of_the_notes_moves_the_last_array_only(n):
    params = {f"w{k}": np.zeros(3) for k in range(n)}
    DedentedAdam().update(params, {name: np.ones(3) for name in params})
    moved = [name for name, w in params.items() if np.any(w != 0)]
    return [less(len(moved), n), equal(moved == [f"w{n - 1}"], 1)]


@claim("adam-dedent-loss", samples=0, searched=0)
def the_code_of_the_notes_does_not_learn(seed):
    dedented = dedented_adam(steps=100, seed=seed)
    right, notes = dedented.right_losses[-20:].mean(), dedented.notes_losses[-20:].mean()
    return [less(0.99 * np.log(10), notes), less(right, 0.5)]
