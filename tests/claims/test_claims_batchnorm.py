"""Chapter 9 on seeds that neither its page nor its choice of rates used, and what its sentences say beside the claims."""

from functools import cache

import numpy as np
import pytest

from claims import CLAIMS
from claims.batchnorm import tuned
from fumoto.datasets import mnist
from fumoto.experiments import batchnorm
from fumoto.experiments.kept import places
from fumoto.experiments.protocol import Setting, learn
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


@pytest.mark.parametrize("key", batchnorm.PLACED | batchnorm.SCALED)
def test_every_network_tries_the_same_rates_and_none_that_learns_chooses_the_first_or_the_last(key):
    found = tuned()[key]
    rates = sorted({dict(trial.setting.values)["lr"] for trial in found.trials})
    settings = {trial.setting for trial in found.trials}
    assert len(rates) == len(settings) == batchnorm.TRIALS
    if min(trial.loss for trial in found.trials) < 1:
        assert rates[0] < dict(found.setting.values)["lr"] < rates[-1]


def test_networks_that_differ_only_in_the_scale_or_the_place_are_kept_apart():
    networks = [*batchnorm.PLACED.values(), *batchnorm.SCALED.values()]
    jobs = [Setting(SGD, (("lr", 0.1),), network).job(1, 50) for network in networks]
    assert len({place.path for place in places(learn, jobs)}) == len(networks)


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
