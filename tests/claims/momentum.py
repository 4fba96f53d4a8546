"""Chapter 3: what Momentum does, beside gradient descent, on one direction of a quadratic function."""

import numpy as np

from claims.registry import between, claim, close, equal, less
from claims.walking import along, walk
from fumoto.experiments.comparison import METHODS
from fumoto.experiments.momentum import (
    best_gd,
    best_momentum,
    escape_steps,
    measured_rates,
    rates_below_limit,
    roots,
    shrinking_steps,
)
from fumoto.mistakes import NotesMomentum
from fumoto.optimizers import SGD, Momentum
from fumoto.surfaces import bowl, hollow, saddle, valleys
from fumoto.training import descend


def velocities(optimizer, gradients):
    """The steps that the optimizer takes along these gradients."""
    return np.diff(along(optimizer, gradients))


@claim("momentum-sum")
def the_velocity_is_a_weighted_sum_of_the_gradients(alpha, eta, t, seed):
    if t < 0:
        raise ValueError("t")
    gradients = np.random.default_rng(seed).normal(size=t + 1)
    weights = alpha ** np.arange(t + 1.0)[::-1]
    return close(velocities(Momentum(eta, alpha), gradients)[-1], -eta * weights @ gradients)


def torch_velocities(alpha, rates, gradients):
    """The steps with the rate outside the sum, as PyTorch has it."""
    b, steps = 0.0, []
    for eta, g in zip(rates, gradients, strict=True):
        b = alpha * b + g
        steps.append(-eta * b)
    return np.array(steps)


@claim("momentum-pytorch")
def at_a_constant_rate_both_conventions_take_the_same_steps(alpha, eta, t, seed):
    gradients = np.random.default_rng(seed).normal(size=t)
    return close(velocities(Momentum(eta, alpha), gradients), torch_velocities(alpha, [eta] * t, gradients))


@claim("momentum-lowered")
def after_the_rate_is_lowered_the_book_goes_further(alpha, q, eta):
    """The rate goes down after ten equal gradients."""
    optimizer, params = Momentum(eta, alpha), {"w": np.zeros(1)}
    for _ in range(10):
        optimizer.update(params, {"w": np.ones(1)})
    optimizer.lr, before = q * eta, params["w"].item()
    optimizer.update(params, {"w": np.ones(1)})
    torch = torch_velocities(alpha, [eta] * 10 + [q * eta], np.ones(11))
    return less(-torch[-1], before - params["w"].item())


def travel(optimizer, curvature=1.0, limit=1000):
    """The length of the way from 1 to 0 (straight to it after ``limit`` steps); infinite if it leads away."""
    places = walk(optimizer, lambda w: curvature * w, 1.0, limit)
    return np.abs(np.diff(places, append=0.0)).sum() if abs(places[-1]) < 1 else np.inf


@claim("momentum-constant")
def a_constant_gradient_is_followed_faster(alpha, eta, g):
    """And what is missing to the limit becomes alpha times as large with every step."""
    steps = velocities(Momentum(eta, alpha), np.full(100, g))
    return close(steps, -eta / (1 - alpha) * g * (1 - alpha ** np.arange(1, 101)))


@claim("momentum-alternating")
def an_alternating_gradient_is_followed_less(alpha, eta, g):
    """And what is missing to the limit becomes alpha times as large with every step."""
    turns = (-1.0) ** np.arange(100)
    steps = velocities(Momentum(eta, alpha), g * turns)
    return close(steps, -eta / (1 + alpha) * g * turns * (1 - (-alpha) ** np.arange(1, 101)))


@claim("momentum-complex")
def the_roots_lie_on_the_circle_between_the_two_meetings(alpha, s):
    found = roots(alpha, np.array([1 + alpha - 2 * s * np.sqrt(alpha)]))
    return [less(0.0, np.abs(found.imag)), close(np.abs(found), np.full((2, 1), np.sqrt(alpha)))]


@claim("momentum-rate", samples=30, searched=20)
def the_larger_root_is_the_measured_rate(alpha, eta, lambda_):
    slopes = np.array([eta * lambda_])
    return close(measured_rates(alpha, slopes, 250), np.abs(roots(alpha, slopes)).max(axis=0), rel=0.03)


@claim("momentum-path")
def from_the_second_step_momentum_is_nearer_in_both_directions(alpha, eta):
    plain, heavy = (np.abs(descend(each, bowl, bowl.start, 60)) for each in (SGD(eta), Momentum(eta, alpha)))
    return less(heavy[2:], plain[2:])


@claim("momentum-less-zigzag", samples=100, searched=60)
def the_way_is_shorter_above(alpha, c):
    eta = c * (1 + alpha)
    return less(travel(Momentum(eta, alpha)), travel(SGD(eta)))


@claim("momentum-more-zigzag", samples=100, searched=60)
def the_way_is_no_shorter_below(alpha, c):
    eta = c * (1 + alpha)
    return less(travel(SGD(eta)), travel(Momentum(eta, alpha)) * (1 + 1e-6))


@claim("momentum-same-way", samples=100, searched=60)
def without_overshooting_the_way_is_straight(alpha, m):
    return close(travel(Momentum(m * (1 - np.sqrt(alpha)) ** 2, alpha)), 1.0)


def jitter(optimizer, limit=1000):
    """The variance that gradient noise of variance 1 leaves at the bottom: the squared answers to one unit of it, added."""
    noise = iter([1.0])
    return np.sum(walk(optimizer, lambda w: w + next(noise, 0.0), 0.0, limit) ** 2)


@claim("momentum-noise", samples=100, searched=60)
def momentum_leaves_more_jitter_below(alpha, c):
    eta = c * (1 + alpha)
    return less(jitter(SGD(eta)), jitter(Momentum(eta, alpha)))


@claim("momentum-fair-shorter", samples=100, searched=60)
def the_way_is_shorter_at_equal_speed_near_the_limit(alpha, eta):
    return less(travel(Momentum(eta * (1 - alpha), alpha), curvature=2), travel(SGD(eta), curvature=2))


@claim("momentum-fair-longer", samples=100, searched=60)
def the_way_is_no_shorter_at_equal_speed_far_from_it(alpha, eta):
    fair = travel(Momentum(eta * (1 - alpha), alpha), curvature=2)
    return less(travel(SGD(eta), curvature=2), fair * (1 + 1e-6))


@claim("zigzag-figure", samples=60, searched=40)
def the_way_is_longer_at_the_rates_of_the_figure(eta):
    return less(travel(SGD(eta), curvature=2), travel(Momentum(eta, 0.9), curvature=2))


def after(optimizer, steps, start=1e-9):
    """How far from the axis of the saddle, in parts of the start."""
    return walk(optimizer, lambda y: -y, start, steps)[-1] / start


@claim("saddle-sooner")
def momentum_leaves_the_saddle_faster_at_equal_rate(alpha, eta, t):
    return less(after(SGD(eta), t), after(Momentum(eta, alpha), t))


@claim("saddle-later")
def momentum_leaves_the_saddle_slower_at_equal_speed(alpha, eta, t):
    return less(after(Momentum(eta * (1 - alpha), alpha), t), after(SGD(eta), t))


@claim("saddle-figure", samples=20, searched=10)
def the_saddle_is_left_in_half_the_steps_at_the_settings_of_the_figure(delta):
    sgd = escape_steps(SGD(0.05), delta)
    return [
        less(2 * escape_steps(Momentum(0.05, 0.9), delta), sgd),
        less(sgd, escape_steps(Momentum(0.05 * (1 - 0.9), 0.9), delta)),
    ]


@claim("momentum-off-quadratic", samples=4, searched=0)
def off_a_quadratic_momentum_may_swing_for_ever_before_the_limit(alpha):
    """From one of many starts at 0.9 times the limit, where gradient descent at 0.9 times its own stops from all."""
    starts = np.array([np.linspace(0.1, 6, 30), np.zeros(30)])
    limits = {Momentum: 2 * (1 + alpha) / 1.1, SGD: 2 / 1.1}  # the largest curvature is 1/10 + 1
    swings = {}
    for method, limit in limits.items():
        rest = {"momentum": alpha} if method is Momentum else {}
        end = walk(method(0.9 * limit, **rest), valleys.gradient, starts, 1000)[-100:, 0]
        swings[method] = np.ptp(end, axis=0).max()
    return [less(0.5, swings[Momentum]), less(swings[SGD], 1e-6)]


@claim("saddle-axis", samples=40, searched=0)
def on_the_axis_every_method_stays(method, eta, x):
    return equal(descend(METHODS[method](lr=eta), saddle, (x, 0.0), 300)[:, 1], np.zeros(301))


def deepest(alpha, eta, depths=None):
    """The deepest of the hollows that is crossed from -5, all shallower ones being crossed too; -1 if none is."""
    depths = np.linspace(0, 1.5, 151) if depths is None else np.atleast_1d(depths)
    start, steps = np.full((1, len(depths)), -5.0), int(40 / np.sqrt(eta))
    ends = walk(Momentum(eta, alpha), hollow(depths).gradient, start, steps)[-1, 0]
    crossed = np.append(np.abs(ends) < 0.3, False)
    return depths[np.argmin(crossed) - 1] if crossed[0] else -1.0


@claim("hollow-friction", samples=10, searched=0)
def friction_decides_which_hollow_is_crossed(zeta, eta):
    return close(deepest(1 - zeta * np.sqrt(eta), eta), deepest(1 - zeta * np.sqrt(0.005), 0.005), rel=0.09)


@claim("hollow-deeper", samples=10, searched=0)
def less_friction_crosses_deeper_hollows(zeta, eta):
    return less(deepest(1 - 1.1 * zeta * np.sqrt(eta), eta), deepest(1 - zeta * np.sqrt(eta), eta))


@claim("hollow-figure", samples=10, searched=0)
def little_momentum_stops_where_none_does(alpha, D):
    """In as many steps as take it to the bottom where there is no hollow."""
    depths, start = np.array([0.0, D]), np.full((1, 2), -5.0)
    ends = [walk(Momentum(0.01, a), hollow(depths).gradient, start, 2000)[-1, 0] for a in (alpha, 0.0)]
    return [one for flat, hole in ends for one in (less(abs(flat), 0.3), less(hole, -2.5))]


@claim("notes-momentum-climbs", samples=100, searched=60)
def the_printed_sign_of_the_notes_climbs_at_every_step(alpha, eta):
    with np.errstate(all="ignore"):
        heights = bowl(walk(NotesMomentum(eta, alpha), bowl.gradient, bowl.start, 15).T)
    return less(heights[:-1], heights[1:])


@claim("play-wrong-sign-climbs", samples=60, searched=40)
def the_notes_climb_slower_at_a_smaller_rate(alpha, eta):
    slow, fast = (
        bowl(walk(NotesMomentum(lr, alpha), bowl.gradient, bowl.start, 60)[-1]) for lr in (eta / 2, eta)
    )
    return [less(bowl(np.array(bowl.start)), slow), less(slow, fast)]


def gd_steps(kappa):
    return shrinking_steps(0.0, best_gd(kappa), kappa)


def heavy_ball_steps(kappa):
    eta, alpha = best_momentum(kappa)
    return shrinking_steps(alpha, eta, kappa)


@claim("acceleration-laws", samples=4, searched=8)
def four_times_the_condition_number_costs_four_or_about_two_times_the_steps(kappa):
    return [
        between(gd_steps(4 * kappa) / gd_steps(kappa), 3.7, 4.3),
        between(heavy_ball_steps(4 * kappa) / heavy_ball_steps(kappa), 1.8, 2.5),
    ]


@claim("acceleration-tuned", samples=30, searched=20)
def heavy_ball_at_its_best_is_faster(kappa):
    return less(heavy_ball_steps(kappa), gd_steps(kappa))


@claim("momentum-double")
def where_the_roots_meet_the_distance_shrinks_more_slowly_at_first(alpha, t):
    root = np.sqrt(alpha)
    reached = abs(walk(Momentum(1.0, alpha), lambda w: (1 + root) ** 2 * w, 1.0, t)[-1])
    return [close(reached, (1 + (1 + root) * t) * root**t), less(root**t, reached)]


@claim("acceleration-finite", samples=10, searched=10)
def another_pair_may_take_fewer_steps_than_the_formulas(kappa):
    return less(shrinking_steps(0.9, rates_below_limit(0.9), kappa), heavy_ball_steps(kappa))


@claim("acceleration-fixed", samples=10, searched=10)
def the_usual_momentum_is_faster_only_where_the_condition_is_bad(kappa):
    return less(shrinking_steps(0.9, rates_below_limit(0.9), kappa), gd_steps(kappa))
