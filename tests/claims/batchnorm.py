"""Chapter 9: what outliers do to a scale, what BatchNorm, LayerNorm and RMSNorm keep and read, and what training gains.

A claim about trained networks is also tried on seeds of its own (``test_claims_batchnorm.py``).
"""

from functools import cache
from itertools import product

import numpy as np

from claims.registry import between, claim, close, equal, less
from fumoto.batchnorm import BatchNorm
from fumoto.experiments import batchnorm
from fumoto.experiments.batchnorm import hidden_outputs, reach, shrinkage
from fumoto.experiments.protocol import Setting, learn
from fumoto.layernorm import LayerNorm, RMSNorm
from fumoto.layers import ReLU, Sigmoid, Tanh
from fumoto.network import MLP
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
    deviation = np.sqrt(N / (N + 1) * x.var() + N / (N + 1) ** 2 * (M * x.std()) ** 2)
    return [
        close(z_score, x.std() / deviation),
        close(min_max, np.ptp(x) / (x.mean() + M * x.std() - x.min())),
        close(quartiles, widths(N, 2 * M)[-1]),
    ]


@claim("outlier-ratio", samples=60, searched=30)
def far_out_the_two_differ_by_a_constant_factor(N, M):
    _, min_max, z_score, _ = widths(N, M)
    _, further, z_further, _ = widths(N, 2 * M)
    return [
        close(min_max / further, 2.0, rel=0.01),
        close(z_score / z_further, 2.0, rel=0.01),
        close(z_further / further, z_score / min_max, rel=0.01),
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


@claim("rmsnorm-mean")
def rmsnorm_keeps_a_share_of_the_mean(b, sigma, varepsilon, D, seed):
    x = scaled(np.random.default_rng(seed), sigma, (3, D))
    mean = normalized(RMSNorm, x + b, varepsilon).mean(axis=1)
    return [
        close(mean, np.full(3, b / np.sqrt(sigma**2 + b**2 + varepsilon))),
        close(normalized(LayerNorm, x + b, varepsilon).mean(axis=1), np.zeros(3)),
        close(normalized(RMSNorm, x, varepsilon), normalized(LayerNorm, x, varepsilon)),
    ]


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
def tuned():
    """What was chosen, and what was tried, for each place with an activation or a scale of the weights."""
    return {
        **batchnorm.tuned_rates(batchnorm.PLACED, batchnorm.PLACED_RATES, processes=1),
        **batchnorm.tuned_rates(batchnorm.SCALED, batchnorm.SCALED_RATES, processes=1),
    }


def accuracies(first, places, seed):
    """On test images, with the rate that was chosen for each place."""
    settings = [tuned()[first, place].setting for place in places]
    return np.array([learn(*each.job(seed, batchnorm.STEPS, test=True)).test_accuracy for each in settings])


def brief(activation, places, lr, seed):
    """Validation accuracies after the short training of the figure, with a given rate."""
    settings = [Setting(SGD, (("lr", lr),), batchnorm.PLACED[activation, place]) for place in places]
    steps = batchnorm.RUNGS[0].steps
    return np.array([learn(*each.job(seed, steps)).validation_accuracy for each in settings])


def gains(seed):
    """With ReLU either place gains over none; with sigmoids nothing is learned without BatchNorm."""
    none, *with_relu = accuracies(RELU, batchnorm.PLACES, seed)
    nothing, *with_sigmoid = accuracies(SIGMOID, batchnorm.PLACES, seed)
    return [
        less(none, min(with_relu)),
        less(nothing, 0.15),
        less(0.85, min(with_sigmoid)),
    ]


def usable_rates(seed):
    """At the rates 1 and 3 a network of ReLU learns with BatchNorm, wherever it is, and not without."""
    found = []
    for lr in (1.0, 3.0):
        none, *normalized = brief(RELU, batchnorm.PLACES, lr, seed)
        found += [less(none, 0.5), less(0.75, min(normalized))]
    return found


@claim("trained-placement", samples=0, searched=0)
def batchnorm_gains_at_the_chosen_rates_and_sigmoids_learn_at_no_rate_without(seed):
    losses = [trial.loss for trial in tuned()[SIGMOID, NONE].trials]
    return [*gains(seed), less(2.2, min(losses))]


@claim("trained-rates", samples=0, searched=0)
def batchnorm_widens_the_range_of_rates_that_learn(seed):
    return usable_rates(seed)


@claim("trained-places", samples=0, searched=0)
def before_and_after_are_near_with_relu_and_after_leads_with_sigmoids(seed):
    relu, (before, after) = (accuracies(name, (BEFORE, AFTER), seed) for name in (RELU, SIGMOID))
    return [less(np.ptp(relu), 0.02), less(before, after), less(after - before, 0.04)]


@claim("trained-order", samples=0, searched=0)
def with_sigmoids_after_leads_at_the_chosen_rates_and_fails_at_a_large_one(seed):
    before, after = brief(SIGMOID, (BEFORE, AFTER), 3.0, seed)
    return [less(*accuracies(SIGMOID, (BEFORE, AFTER), seed)), less(after, 0.2), less(0.5, before)]


def at_every_scale(seed):
    """With BatchNorm all scales learn; without, 0.1 does, a little less; 1 is far behind, and 0.0001 stays at chance."""
    none, before = np.transpose([accuracies(std, (NONE, BEFORE), seed) for std in batchnorm.SCALES])
    return [
        less(0.8, before.min()),
        less(none[0], before[0] - 0.2),
        between(none[1], 0.8, before[1]),
        less(none[2], 0.15),
    ]


@claim("trained-scales", samples=0, searched=0)
def with_batchnorm_every_scale_learns_and_without_only_one(seed):
    return at_every_scale(seed)


@claim("trained-scale-rates", samples=0, searched=0)
def the_chosen_rate_depends_on_the_scale_much_more_without_batchnorm(seed):
    """The rates were chosen once; that each of them serves is tried with every seed."""

    def rate(std, place):
        return dict(tuned()[std, place].setting.values)["lr"]

    with_batchnorm = [rate(std, BEFORE) for std in batchnorm.SCALES]
    return [
        less(100 * rate(1.0, NONE), rate(0.1, NONE)),
        less(max(with_batchnorm), 10 * min(with_batchnorm)),
        *at_every_scale(seed)[:1],
    ]


@claim("trained-wider", samples=0, searched=0)
def more_scales_and_more_rates_can_be_learned_with(seed):
    return [*at_every_scale(seed), *usable_rates(seed)]


@claim("trained-summary", samples=0, searched=0)
def batchnorm_gains_and_the_better_place_depends_on_the_activation(seed):
    relu, (before, after) = (accuracies(name, (BEFORE, AFTER), seed) for name in (RELU, SIGMOID))
    return [*gains(seed), less(np.ptp(relu), 0.02), less(before, after)]


@claim("trained-inference", samples=0, searched=0)
def small_and_one_sided_batches_are_answered_badly_by_their_own_statistics(seed):
    found = batchnorm.inference(seed)
    return [
        less(0.9, found.running),
        less(found.mixed[0], 0.15),
        less(found.mixed[:-1], found.mixed[1:]),
        less(np.abs(found.mixed[-1] - found.running), 0.02),
        less(found.skewed.max(), 0.3),
    ]


@claim("trained-settling", samples=0, searched=0)
def running_averages_lag_at_first_and_catch_up(seed):
    std = batchnorm.settling().std
    running, own = (
        batchnorm.train_few(std, BEFORE, seed, measure=measure)
        for measure in (MLP.accuracy, batchnorm.own_accuracy)
    )
    return [less(0.6, own[2]), less(running[2], 0.3), less(np.abs(running - own)[9:], 0.03)]
