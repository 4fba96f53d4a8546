"""Chapter 9: what outliers do to a scale, what BatchNorm, LayerNorm and RMSNorm keep and read, and what training gains.

A claim about trained networks is also tried on seeds of its own (``test_claims_batchnorm.py``).
"""

from functools import cache, partial
from itertools import product

import numpy as np

from claims.registry import between, claim, close, equal, less
from fumoto.batchnorm import BatchNorm
from fumoto.experiments import batchnorm
from fumoto.experiments.batchnorm import (
    PLACED,
    RUNGS,
    STEPS,
    brief,
    hidden_outputs,
    reach,
    shrinkage,
    with_rates,
)
from fumoto.experiments.protocol import learn, tune
from fumoto.figures.batchnorm import LEARNED
from fumoto.layernorm import LayerNorm, RMSNorm
from fumoto.layers import ReLU, Sigmoid, Tanh
from fumoto.optimizers import SGD

TINY = 1e-12  # an ε that changes nothing in a sentence that leaves it aside


def made(cls, nodes, rng, **options):
    """A layer of this class with γ (and β) drawn at random."""
    weights = [rng.uniform(0.5, 2.0, nodes), rng.normal(size=nodes)]
    return cls(*weights[: 1 if cls is RMSNorm else 2], **options)


def scaled(rng, sigma, shape):
    """Numbers with mean 0 and deviation ``sigma`` along the last axis, both exactly."""
    if sigma < 0:
        raise ValueError("sigma")
    x = rng.normal(size=shape)
    x -= x.mean(axis=-1, keepdims=True)
    return sigma * x / x.std(axis=-1, keepdims=True)


# --- scaling of data --------------------------------------------------------------------------------------


def widths(N, M):
    """The samples, and what is left of their width under each scaling after an outlier ``M`` deviations above the mean."""
    x = 3.0 + scaled(np.random.default_rng(N), 2.0, N)
    left = [shrinkage(x, x.mean() + M * x.std(), name) for name in ("min-max", "z-score", "四分位")]
    return x, *left


@claim("outlier-shrinks", samples=100, searched=60)
def an_outlier_shrinks_the_rest_in_inverse_proportion_but_not_between_quartiles(N, M):
    x, min_max, z_score, quartiles = widths(N, M)
    return [
        close(z_score, np.sqrt((N + 1) ** 2 / (N * (N + 1 + M**2)))),
        close(min_max, np.ptp(x) / (x.mean() + M * x.std() - x.min())),
        close(quartiles, widths(N, 2 * M)[-1]),
    ]


# --- the layers of a new network --------------------------------------------------------------------------


SAMPLES = 300  # of play-batchnorm


def at_the_ends(outputs):
    """The share of each layer's outputs near 0 or 1."""
    return ((outputs < 0.05) | (outputs > 0.95)).mean(axis=(1, 2))


@claim("batchnorm-histograms", samples=2, searched=0)
def large_weights_saturate_without_batchnorm_and_leave_two_hills_behind_it(sigma, seed):
    none, before, after = (hidden_outputs(sigma, place, seed=seed) for place in ("なし", "前", "後"))
    middle = (np.abs(after) < 0.5).mean(axis=(1, 2))  # 0.38 if it were normal
    return [
        less(0.6, at_the_ends(none)),
        less(at_the_ends(before), 0.01),
        close(after.mean(axis=1), np.zeros((5, 100))),
        between(after.std(axis=1), 0.98, 1.02),
        less(middle, 0.2),
    ]


ACTIVATIONS = {"sigmoid": Sigmoid, "tanh": Tanh, "relu": ReLU}


@claim("batchnorm-any-scale", samples=3, searched=0)
def with_batchnorm_every_layer_stays_as_it_is_whatever_the_scale_of_the_weights(sigma, activation, seed):
    options = {"samples": SAMPLES, "seed": seed, "activation": ACTIVATIONS[activation]}
    here, at_one = (hidden_outputs(scale, "前", **options) for scale in (sigma, 1.0))
    after = hidden_outputs(sigma, "後", **options)
    return [
        less(np.abs(here - at_one).max(), 0.05 * at_one.std()),
        between(after.std(axis=(1, 2)), 0.98, 1.01),
    ]


@claim("batchnorm-thin", samples=3, searched=0)
def with_tiny_weights_deeper_layers_are_thinner_and_without_batchnorm_all_is_one_half(
    sigma, activation, seed
):
    options = {"samples": SAMPLES, "seed": seed}
    none = hidden_outputs(sigma, "なし", **options)
    before = hidden_outputs(sigma, "前", **options, activation=ACTIVATIONS[activation])
    spread = before.std(axis=(1, 2))
    return [less(spread[1:], spread[:-1]), less(np.abs(none - 0.5), 0.05)]


# --- what BatchNorm computes ------------------------------------------------------------------------------


def seen(N, seed, sigma=2.0, eps=TINY, nodes=3):
    """A BatchNorm after a batch of ``N`` samples with deviation ``sigma``: (layer, x, y)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=nodes) + scaled(rng, sigma, (nodes, N)).T
    layer = made(BatchNorm, nodes, rng, eps=eps)
    return layer, x, layer.forward(x)


@claim("batchnorm-undo")
def gamma_and_beta_can_undo_the_normalization_of_a_batch(N, sigma, varepsilon, seed):
    layer, x, _ = seen(N, seed, sigma, varepsilon)
    layer.params = {"gamma": np.sqrt(x.var(axis=0) + varepsilon), "beta": x.mean(axis=0)}
    return close(layer.forward(x), x)


@claim("batchnorm-shape")
def order_and_proportions_stay_and_mean_and_deviation_are_beta_and_gamma(N, gamma, beta, seed):
    layer, x, _ = seen(N, seed)
    layer.params = {"gamma": np.full(3, gamma), "beta": np.full(3, beta)}
    y = layer.forward(x)
    gaps, kept = (np.diff(np.sort(values, axis=0), axis=0) for values in (x, layer.x_hat))
    return [
        equal(np.argsort(layer.x_hat, axis=0), np.argsort(x, axis=0)),
        close(kept / kept[0], gaps / gaps[0], rel=1e-7),
        close(y.mean(axis=0), np.full(3, beta)),
        close(y.std(axis=0), np.full(3, abs(gamma)), rel=1e-6),
    ]


def behind_weights(layer, W, b, seed):
    """The output for ``h W + b`` and the gradient of the weights, for the same ``h`` and ``d``."""
    rng = np.random.default_rng(seed)
    h, d = rng.normal(1.0, 1.0, (8, len(W))), rng.normal(size=(8, W.shape[1]))
    y = layer.forward(h @ W + b)
    return y, h.T @ layer.backward(d)


@claim("batchnorm-columns")
def the_scale_of_a_column_and_a_bias_change_no_output_and_divide_the_gradient(c, b, seed):
    rng = np.random.default_rng(seed)
    layer, W = made(BatchNorm, 3, rng, eps=TINY), rng.normal(size=(4, 3))
    factors = np.array([c, 1.0, c])  # a factor of its own for every column
    (y, g), (scaled_y, scaled_g) = (
        behind_weights(layer, *given, seed) for given in ((W, 0.0), (factors * W, b))
    )
    return [close(scaled_y, y, rel=1e-7), close(factors * scaled_g, g, rel=1e-7)]


@claim("batchnorm-grows")
def a_step_of_sgd_makes_every_column_before_batchnorm_longer(eta, seed):
    rng = np.random.default_rng(seed)
    layer, W = made(BatchNorm, 3, rng, eps=TINY), rng.normal(size=(4, 3))
    _, g = behind_weights(layer, W, 0.0, seed)
    params = {"W": W.copy()}
    SGD(lr=eta).update(params, {"W": g})
    squares, after = ((w**2).sum(axis=0) for w in (W, params["W"]))
    return [
        less(np.abs((g * W).sum(axis=0)), 1e-6 * np.sqrt((g**2).sum(axis=0) * squares)),
        less(0.0, after - squares),
        close(after, squares + eta**2 * (g**2).sum(axis=0), rel=1e-7),
    ]


def decayed_step(w, eta, lambda_, seed):
    """One column before BatchNorm: after a step of SGD with weight decay, and the gradient of the loss."""
    layer = BatchNorm(np.array([1.3]), np.array([0.4]), eps=TINY)
    _, g = behind_weights(layer, w[:, None], 0.0, seed)
    params = {"W": w[:, None].copy()}
    SGD(lr=eta).update(params, {"W": g + lambda_ * w[:, None]})
    return params["W"][:, 0], g[:, 0]


@claim("batchnorm-decay")
def weight_decay_only_changes_the_rate_at_which_the_column_turns(c, nu, seed):
    if nu <= 0:
        raise ValueError("nu")
    unit = np.random.default_rng(seed).normal(size=4)
    unit /= np.linalg.norm(unit)
    eta = 0.7
    after, _ = decayed_step(np.sqrt(nu) * unit, eta, c / eta, seed)
    turned, _ = decayed_step(unit, eta / ((1 - c) * nu), 0.0, seed)
    return close(after / np.linalg.norm(after), turned / np.linalg.norm(turned), rel=1e-6)


@claim("batchnorm-balance", samples=60, searched=30)
def from_any_length_the_column_comes_to_the_balance(c, G, nu_0):
    if min(c, G) <= 0:
        raise ValueError("c, G")
    eta, square = 0.7, nu_0
    balance = G * np.sqrt(eta**2 / (c * (2 - c)))
    for _ in range(int(12 / c) + 20):  # near the balance, what is left shrinks by more than 3 c a step
        square = (1 - c) ** 2 * square + eta**2 * G**2 / square
    return close(square, balance, rel=1e-6)


@claim("batchnorm-pair")
def of_two_samples_only_the_order_is_left(b, x_1):
    layer = BatchNorm(np.ones(1), np.zeros(1), eps=TINY)
    layer.forward(np.array([[x_1], [x_1 + b]]))
    return close(layer.x_hat[:, 0], np.array([-1.0, 1.0]), rel=1e-3)


@claim("batchnorm-orthogonal")
def gradients_of_a_batch_have_no_part_along_one_and_x_hat(N, sigma, varepsilon, seed):
    layer, _, y = seen(N, seed, sigma, varepsilon)
    d = np.random.default_rng(seed + 10).normal(size=y.shape)
    g, slope = layer.backward(d), layer.params["gamma"] / layer.std
    left = varepsilon / (sigma**2 + varepsilon)  # what ε leaves along x_hat
    return [
        close((g / slope).sum(axis=0), np.zeros(3)),
        close((g / slope * layer.x_hat).sum(axis=0), left * (d * layer.x_hat).sum(axis=0), rel=1e-6),
    ]


@claim("batchnorm-biased", samples=40, searched=20)
def the_variance_of_a_batch_is_too_small_on_average(N, sigma, seed):
    """Every batch that can be drawn, with replacement, from three values."""
    if N < 1:
        raise ValueError("N")
    population = scaled(np.random.default_rng(seed), sigma, 3)
    batches = np.array(list(product(population, repeat=N))).T
    layer = BatchNorm(np.ones(batches.shape[1]), np.zeros(batches.shape[1]), decay_rate=0.0)
    layer.forward(batches)
    return [
        close(batches.var(axis=0).mean(), (N - 1) / N * sigma**2),
        close(layer.running_var.mean(), sigma**2),  # and N / (N - 1) makes up for it
    ]


# --- BatchNorm, LayerNorm and RMSNorm ---------------------------------------------------------------------


@claim("norm-reach", samples=40, searched=20)
def an_output_reads_its_column_or_itself_or_its_row(N, D, seed):
    at = (N - 1, D // 2)
    cells = reach(N, D, at, seed).cells
    rows, columns = np.ogrid[:N, :D]
    row, column = rows == at[0], columns == at[1]
    expected = np.broadcast_arrays(column, row & column, row, row)
    return [
        equal(found.astype(int), wanted.astype(int))
        for found, wanted in zip(cells.values(), expected, strict=True)
    ]


@claim("layernorm-alone")
def a_row_is_answered_alike_alone_in_company_and_at_inference(N, D, seed):
    if D < 1:
        raise ValueError("D")
    rng = np.random.default_rng(seed)
    x, found = rng.normal(size=(N, D)), []
    for cls in (LayerNorm, RMSNorm):
        layer = made(cls, D, rng)
        alone = np.vstack([layer.forward(row[None], training=False) for row in x])
        found.append(close(alone, layer.forward(x, training=True)))
    layer = made(BatchNorm, D, rng)
    answers = [layer.forward(given, training=True)[0] for given in (x, np.vstack([x[:1], x[1:] ** 3 + 1]))]
    return [*found, less(1e-6, np.abs(np.subtract(*answers)).max())]


def normalized(cls, x, eps=TINY):
    """The rows of ``x`` after a new layer of this class."""
    ones, zeros = np.ones(x.shape[1]), np.zeros(x.shape[1])
    return (cls(ones, eps=eps) if cls is RMSNorm else cls(ones, zeros, eps=eps)).forward(x)


@claim("layernorm-rows")
def layernorm_ignores_the_scale_and_the_shift_of_a_row(c, b, D, seed):
    x = np.random.default_rng(seed).normal(size=(3, D))
    return close(normalized(LayerNorm, c * x + b), normalized(LayerNorm, x), rel=1e-6)


@claim("rmsnorm-rows")
def rmsnorm_ignores_the_scale_of_a_row(c, D, seed):
    x = np.random.default_rng(seed).normal(size=(3, D))
    return close(normalized(RMSNorm, c * x), normalized(RMSNorm, x), rel=1e-6)


@claim("norm-contrast", samples=80, searched=50)
def the_table_of_what_changes_an_output(c, b, seed):
    rng = np.random.default_rng(seed)
    h, W, bias = rng.normal(1.0, 1.0, (8, 4)), rng.normal(size=(4, 5)), rng.normal(size=5)
    a = h @ W + bias
    first_row, first_column = np.eye(8)[:, :1], np.eye(5)[:1]
    changes = {  # what is normalized then, and whether that changes the output of BatchNorm, LayerNorm and RMSNorm
        "one sample, c times": (a * (1 + (c - 1) * first_row), (True, False, False)),
        "one sample, b more": (a + b * first_row, (True, False, True)),
        "one column of the weights": (h @ (W * (1 + (c - 1) * first_column)) + bias, (False, True, True)),
        "one bias": (a + b * first_column, (False, True, True)),
        "all weights and biases": (h @ (c * W) + c * bias, (False, False, False)),
    }
    found = []
    for x, changed in changes.values():
        for cls, differs in zip((BatchNorm, LayerNorm, RMSNorm), changed, strict=True):
            y, other = normalized(cls, a), normalized(cls, x)
            found.append(less(1e-6, np.abs(other - y).max()) if differs else close(other, y, rel=1e-6))
    return found


# --- trained networks -------------------------------------------------------------------------------------

NONE, BEFORE, AFTER = batchnorm.PLACES
RELU, SIGMOID = batchnorm.ACTIVATIONS


@cache
def placed():
    """What was tried and chosen for each place with each activation."""
    return tune(with_rates(PLACED, batchnorm.PLACED_RATES), RUNGS, processes=1)


@cache
def shaken():
    return tune(batchnorm.shaken_settings(batchnorm.NOISE), RUNGS, processes=1)


@cache
def scaled_weights():
    return batchnorm.weight_scales(processes=1)


@cache
def batches():
    return tune(batchnorm.batch_settings(), RUNGS, processes=1)


def accuracy(tuned, seed):
    """On test images, with the rate that was chosen."""
    return learn(*tuned.setting.job(seed, STEPS, test=True)).test_accuracy


def accuracies(activation, seed, places=batchnorm.PLACES):
    return np.array([accuracy(placed()[activation, place], seed) for place in places])


def short(activation, lr, seed, places=batchnorm.PLACES):
    """Validation accuracies after the short training of the figure, with a given rate."""
    return np.array([brief(PLACED[activation, place], lr, seed).validation_accuracy for place in places])


def gains(seed):
    """With ReLU either place gains over none; with sigmoids nothing is learned without BatchNorm."""
    none, *with_relu = accuracies(RELU, seed)
    nothing, *with_sigmoid = accuracies(SIGMOID, seed)
    return [less(none, min(with_relu)), less(nothing, 0.25), less(0.8, min(with_sigmoid))]


def usable_rates(seed):
    """At the rates 1 and 3 a network of ReLU learns with BatchNorm, wherever it is, and not without."""
    found = []
    for lr in (1.0, 3.0):
        none, *normalized = short(RELU, lr, seed)
        found += [less(none, 0.5), less(0.6, min(normalized))]
    return found


def usable_places(seed):
    relu, (before, after) = (accuracies(name, seed, (BEFORE, AFTER)) for name in (RELU, SIGMOID))
    return [less(np.ptp(relu), 0.03), less(before, after)]


def usable_scales(seed):
    """At the best rate of each: with BatchNorm every scale has begun to learn; without, only the middle one."""

    def loss(std, place):
        lr = dict(scaled_weights()[std, place].setting.values)["lr"]
        return np.nan_to_num(brief(batchnorm.SCALED[std, place], lr, seed).validation_loss, nan=np.inf)

    large, middle, small = batchnorm.SCALES
    return [
        less([loss(std, BEFORE) for std in batchnorm.SCALES], LEARNED),
        less(loss(middle, NONE), LEARNED),
        less(LEARNED, [loss(std, NONE) for std in (large, small)]),
    ]


def by_batch(seed):
    """LayerNorm leads with few images in a batch, BatchNorm with more; with the fewest it is below no normalization."""
    found = []
    for number, size in enumerate(batchnorm.BATCHES):
        batch, layer = (accuracy(batches()[size, name], seed) for name in batchnorm.NORMS)
        found.append(less(batch, layer) if number == 0 else less(layer, batch))
    few = batchnorm.BATCHES[0]
    return [*found, less(accuracy(batches()[few, "BatchNorm"], seed), accuracy(batches()[few, NONE], seed))]


@claim("trained-placement", samples=0, searched=0)
def batchnorm_gains_at_the_chosen_rates_and_sigmoids_learn_at_no_rate_without(seed):
    losses = [trial.loss for trial in placed()[SIGMOID, NONE].trials]
    found = {  # by rate, with ReLU
        place: {dict(each.setting.values)["lr"]: each.loss for each in placed()[RELU, place].trials}
        for place in (NONE, BEFORE, AFTER)
    }
    diverged = [lr for lr, loss in found[NONE].items() if not np.isfinite(loss)]
    first, last = sorted(diverged)[:-1], max(diverged)
    return [
        *gains(seed),
        less(2.2, min(losses)),
        less([found[place][lr] for place in (BEFORE, AFTER) for lr in first], 2.0),
        less(2.4, [min(found[place][last], 1e3) for place in (BEFORE, AFTER)]),
    ]


@claim("trained-rates", samples=0, searched=0)
def batchnorm_widens_the_range_of_rates_that_learn(seed):
    return usable_rates(seed)


@claim("trained-places", samples=0, searched=0)
def before_and_after_are_near_with_relu_and_after_leads_with_sigmoids(seed):
    return usable_places(seed)


@claim("trained-order", samples=0, searched=0)
def with_sigmoids_after_leads_at_the_chosen_rates_and_fails_at_a_large_one(seed):
    before, after = short(SIGMOID, 5.0, seed, (BEFORE, AFTER))
    return [*usable_places(seed)[1:], less(after, 0.2), less(0.4, before)]


@claim("trained-scales", samples=0, searched=0)
def with_batchnorm_every_scale_learns_and_without_only_one(seed):
    return usable_scales(seed)


@claim("trained-batches", samples=0, searched=0)
def layernorm_leads_with_few_images_in_a_batch_and_batchnorm_with_more(seed):
    return by_batch(seed)


@claim("trained-inference", samples=0, searched=0)
def small_and_one_sided_batches_are_answered_badly_by_their_own_statistics(seed):
    found = batchnorm.inference(seed)
    return [
        less(0.9, found.running),
        less(found.mixed[0], 0.2),
        less(found.mixed[:-1], found.mixed[1:]),
        less(np.abs(found.mixed[-1] - found.running), 0.03),
        less(found.skewed.max(), 0.4),
    ]


def straight(seed):
    """Along the gradient the loss falls much further with BatchNorm."""
    found = batchnorm.along_gradient(seeds=(seed, seed + 1, seed + 2))
    none, before = found.best(NONE).mean(), found.best(BEFORE).mean()
    return [less(2 * none, before), less(none, 0.1), less(0.2, before)]


def steady(seed):
    """Shaken BatchNorm moves the distributions more than none, and yet does better; left alone it does best."""
    settings = placed()[RELU, NONE].setting, shaken()[RELU, "揺らす"].setting
    none, moved = (batchnorm.drift(setting, seed) for setting in settings)
    chosen = placed()[RELU, NONE], placed()[RELU, BEFORE], shaken()[RELU, "揺らす"]
    without, before, after_noise = (learn(*tuned.setting.job(seed, STEPS, test=True)) for tuned in chosen)
    return [
        less(none, moved),
        less(without.test_accuracy, after_noise.test_accuracy),
        less(before.test_loss, after_noise.test_loss),
    ]


@claim("trained-why", samples=0, searched=0)
def batchnorm_makes_the_gradient_tell_further_and_learns_though_shaken(seed):
    return [*straight(seed), *steady(seed)[1:2]]


@claim("trained-along", samples=0, searched=0)
def along_the_gradient_the_loss_falls_further_with_batchnorm(seed):
    return straight(seed)


@claim("trained-shaken", samples=0, searched=0)
def moving_distributions_do_not_take_away_what_batchnorm_gains(seed):
    hard = brief(partial(batchnorm.shaken, 1.0), 0.3, seed).validation_accuracy
    return [*steady(seed), less(hard, 0.4)]


@claim("trained-decay", samples=0, searched=0)
def with_decay_the_columns_come_to_one_length_and_without_they_grow(seed):
    found = batchnorm.decayed(scales=(0.5, 2.0), seed=seed)
    ends = {case: lengths[-1] for case, lengths in found.lengths.items()}
    with_decay, without = (
        [end for (used, _), end in ends.items() if used == decay] for decay in (found.decay, 0.0)
    )
    growing = [np.diff(lengths) for (used, _), lengths in found.lengths.items() if used == 0.0]
    return [
        less(max(with_decay), 2 * min(with_decay)),
        less(8 * min(without), max(without)),
        less(0.0, np.min(growing)),
    ]


@claim("trained-summary", samples=0, searched=0)
def batchnorm_gains_and_the_better_choice_depends_on_activation_and_batch(seed):
    return [*gains(seed), *usable_rates(seed), *usable_scales(seed), *usable_places(seed), *by_batch(seed)]
