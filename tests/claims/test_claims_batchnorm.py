"""Chapter 9 on seeds that neither its page nor its choice of rates used, and what its sentences say beside the claims."""

from functools import cache

import numpy as np
import pytest

from claims import CLAIMS
from claims.batchnorm import batches, placed, scaled_weights, shaken
from fumoto.batchnorm import BatchNorm
from fumoto.datasets import mnist
from fumoto.experiments import batchnorm
from fumoto.experiments.kept import places
from fumoto.experiments.protocol import Setting, learn
from fumoto.figures.batchnorm import LEARNED
from fumoto.optimizers import SGD

FRESH = (101, 102, 103)


@cache
def run(name, *arguments):
    """Run an experiment of the chapter once per session."""
    return getattr(batchnorm, name)(*arguments)


# --- scaling of data --------------------------------------------------------------------------------------


def test_an_outlier_of_the_page_crushes_min_max_and_standardization_and_not_the_quartiles():
    left = run("outlier").left
    assert left["min-max"] < left["z-score"] < 0.05
    assert left["四分位"] > 0.9


def test_standardization_gains_from_more_samples():
    def left(name, size):
        x = np.random.default_rng(0).normal(size=size)
        return batchnorm.shrinkage(x, x.mean() + 50 * x.std(), name)

    z_score, min_max = (
        [left(name, size) for size in (10, 100, 1000, 10_000)] for name in ("z-score", "min-max")
    )
    assert z_score[0] == pytest.approx(min_max[0], rel=0.1)
    assert np.all(np.diff(z_score) > 0)
    assert z_score[-1] > 0.85 > 0.2 > min_max[-1]


def test_pixels_are_scaled_by_their_known_range():
    images = mnist()[0]
    assert (images.min(), images.max()) == (0, 1)
    np.testing.assert_array_equal(images[0] * 255, np.round(images[0] * 255))


# --- trained networks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in CLAIMS if name.startswith("trained-")])
def test_a_claim_on_trained_networks_holds_on_seeds_that_nobody_used(name):
    assert not {*FRESH} & {seed for rung in batchnorm.RUNGS for seed in rung.seeds}
    for seed in FRESH:
        for one in CLAIMS[name].function(seed=seed):
            assert one.margin > 0, f"{name}, seed {seed}: {one.said}"


TUNED = {"places": placed, "scales": scaled_weights, "batches": batches, "shaken": shaken}
TRIED = [
    *[("places", key) for key in batchnorm.PLACED],
    *[("scales", key) for key in batchnorm.SCALED],
    *[("batches", key) for key in batchnorm.batch_settings()],
    *[("shaken", key) for key in batchnorm.shaken_settings(batchnorm.NOISE)],
]


@pytest.mark.parametrize(("compared", "key"), TRIED)
def test_every_network_tries_the_same_rates_and_none_that_learns_chooses_the_first_or_the_last(compared, key):
    found = TUNED[compared]()[key]
    rates = sorted({dict(trial.setting.values)["lr"] for trial in found.trials})
    settings = {trial.setting for trial in found.trials}
    assert len(rates) == len(settings)
    assert len(rates) == (batchnorm.FEWER if compared == "batches" else batchnorm.TRIALS)
    if min(trial.loss for trial in found.trials) < 1:
        assert rates[0] < dict(found.setting.values)["lr"] < rates[-1]


def test_networks_that_differ_only_in_the_scale_or_the_place_are_kept_apart():
    networks = [*batchnorm.PLACED.values(), *batchnorm.SCALED.values()]
    jobs = [Setting(SGD, (("lr", 0.1),), network).job(1, 50) for network in networks]
    jobs += [group[0].job(1, 50) for group in batchnorm.batch_settings().values()]
    jobs += [batchnorm.shaken_settings(s)["ReLU", "揺らす"][0].job(1, 50) for s in (0.3, 0.4)]
    assert len({place.path for place in places(learn, jobs)}) == len(jobs)


def test_at_no_rate_that_was_tried_do_too_large_or_too_small_weights_learn_without_batchnorm():
    large, _, small = batchnorm.SCALES
    for std in (large, small):
        for trial in scaled_weights()[std, "なし"].trials:
            [(_, lr)] = trial.setting.values
            losses = [
                batchnorm.brief(batchnorm.SCALED[std, "なし"], lr, seed).validation_loss for seed in FRESH
            ]
            assert not np.less(losses, LEARNED).any()


def test_the_gap_is_clear_where_the_page_says_so():
    compared = batchnorm.small_batches()
    gaps = [
        compared.gap((n, "BatchNorm"), (n, "LayerNorm"), len(batchnorm.BATCHES)) for n in batchnorm.BATCHES
    ]
    assert [(gap.clear, gap.mean > 0) for gap in gaps] == [(True, False), (True, True), (True, True)]
    shaking = batchnorm.shaking(batchnorm.placement())
    assert shaking.compared.gap(("ReLU", "揺らす"), ("ReLU", "なし"), 1).low > 1
    assert shaking.compared.gap(("シグモイド", "後"), ("シグモイド", "前"), batchnorm.PAIRS).low > 0.5


# --- shaken and along the gradient ------------------------------------------------------------------------


def test_what_shakes_leaves_the_draws_of_weights_and_batches_alone():
    kept, moved = np.random.default_rng(5), np.random.default_rng(5)
    before, shaking = batchnorm.replaced(BatchNorm, rng=kept), batchnorm.shaken(0.3, rng=moved)
    np.testing.assert_array_equal(before.vector, shaking.vector)
    x = mnist()[2][:50]
    np.testing.assert_array_equal(before.predict(x), shaking.predict(x))  # at inference nothing moves
    assert np.abs(before.predict(x, training=True) - shaking.predict(x, training=True)).max() > 0.1
    assert kept.integers(10**9) == moved.integers(10**9)


def test_the_gradient_of_a_shaken_layer_is_that_of_what_it_answered():
    x, d = np.random.default_rng(1).normal(size=(2, 6, 4))

    def layer():
        rng = np.random.default_rng(5)  # the same noise every time
        return batchnorm._Shaken(np.full(4, 1.3), np.full(4, 0.2), strength=0.5, rng=rng)

    shaking, h = layer(), 1e-5
    shaking.forward(x)
    found = shaking.backward(d)
    for at in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[at] = h
        above, below = (np.sum(d * layer().forward(x + sign * step)) for sign in (1, -1))
        np.testing.assert_allclose((above - below) / (2 * h), found[at], rtol=1e-6, atol=1e-8)


def test_a_short_walk_along_the_gradient_falls_as_predicted():
    found = batchnorm.along_gradient(seeds=(101,))
    for left in found.left.values():
        np.testing.assert_allclose(1 - left[:, 0], found.predicted[0], rtol=0.1)


@pytest.mark.parametrize(("loss", "lr"), [(1.0, 0.05), (0.3, 0.05), (0.5, 0.1), (0.5, 0.2)])
def test_the_loss_falls_further_with_batchnorm_at_other_heights_and_rates(loss, lr):
    found = batchnorm.along_gradient(loss, lr, seeds=(101,))
    factor = 2 if lr < 0.2 else 1.3  # of larger rates, none reaches places that are less steep
    assert found.best("前").item() > factor * found.best("なし").item()


def test_at_the_smallest_weights_epsilon_swallows_the_variance():
    network = batchnorm.SCALED[1e-4, "前"](rng=np.random.default_rng(0))
    spreads = []
    for eps in (1e-5, 1e-12):
        for layer in batchnorm.batchnorms(network):
            layer.eps = eps
        network.predict(mnist()[0][:1000], training=True)
        normalized = [layer.x_hat for layer in batchnorm.batchnorms(network)]
        spreads.append([x[:, x.std(axis=0) > 0].std() for x in normalized])
    usual, tiny = spreads
    assert usual[0] < 0.3
    assert np.all(np.diff(usual) < 0)
    assert usual[-1] < 1e-2
    np.testing.assert_allclose(tiny, 1, atol=0.01)


# --- inference --------------------------------------------------------------------------------------------


def test_gamma_and_beta_have_left_one_and_zero():
    result = run("inference")
    assert result.gamma.min() < 0.97 < 1.05 < result.gamma.max()
    assert result.beta.min() < -0.02 < 0.05 < result.beta.max()


def test_own_statistics_answer_everything_alike_for_one_image_and_depend_on_companions():
    network, x, _ = batchnorm.trained()
    alone = np.vstack([batchnorm.own_statistics(network, x[i : i + 1]) for i in range(5)])
    np.testing.assert_array_equal(alone, np.broadcast_to(alone[0], alone.shape))
    first, second = (batchnorm.own_statistics(network, x[[0, *others]])[0] for others in ((1, 2), (3, 4)))
    assert np.abs(first - second).max() > 0.1
    together = network.predict(x[:256])[0]
    np.testing.assert_allclose(network.predict(x[:1])[0], together, rtol=1e-4, atol=1e-4)


def test_own_statistics_are_those_of_training():
    """The experiment's own forward pass agrees with the layer's, and leaves the averages alone."""
    network, x, _ = batchnorm.trained()
    averages = [layer.running_mean.copy() for layer in batchnorm.batchnorms(network)]
    own = batchnorm.own_statistics(network, x[:50])
    for layer, average in zip(batchnorm.batchnorms(network), averages, strict=True):
        np.testing.assert_array_equal(layer.running_mean, average)
    np.testing.assert_allclose(own, network.predict(x[:50], training=True), rtol=1e-4, atol=1e-4)
