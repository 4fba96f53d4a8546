"""What the captions and sentences of chapter 9 say of trained networks; the rest are claims (``batchnorm.py``).

Each experiment is that of the page, run here or kept.
"""

from functools import cache

import numpy as np
import pytest

from fumoto.datasets import mnist
from fumoto.experiments import batchnorm


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


# --- weight scales ----------------------------------------------------------------------------------------


def test_batchnorm_helps_at_most_weight_scales_and_hurts_near_he():
    result = run("weight_scales")
    assert result.scales.shape == (16,)
    assert (result.scales[0], result.scales[-1]) == (1.0, 1e-4)
    better, worse = result.clearly_better("前", "なし"), result.clearly_better("なし", "前")
    np.testing.assert_array_equal(np.flatnonzero(worse), [2, 3])
    np.testing.assert_allclose(result.scales[[2, 3]], [0.29, 0.16], atol=0.005)
    assert np.flatnonzero(~better[:-1]).tolist() == [2, 3]
    final = result.final("前").mean(axis=1)
    assert final[-1] < 0.2  # at 1e-4 it hardly learns
    assert final.argmin() == 15
    assert final.max() > 0.99


def test_at_their_best_scales_the_two_are_close():
    result = run("weight_scales")
    none, before = (result.final(place).mean(axis=1) for place in ("なし", "前"))
    assert before.max() > none.max() > 0.9
    assert before.max() - none.max() < 0.08


def test_without_batchnorm_the_ends_never_leave_chance():
    none = run("weight_scales").final("なし").mean(axis=1)
    assert np.all(none[[0, 1]] < 0.12)  # diverged
    assert np.all(none[6:] < 0.13)


def test_large_weights_learn_slowly_with_batchnorm_and_a_larger_rate_helps():
    before = run("weight_scales").final("前")
    assert 0.3 < before[0].mean() < 0.6
    for seed in batchnorm.SEEDS:
        assert batchnorm.train_few(1.0, "前", seed, lr=0.1)[-1] > 0.85


def test_at_the_smallest_weights_epsilon_swallows_the_variance_and_is_not_the_only_reason():
    swallowed = run("swallowed_by_eps")
    usual, tiny = swallowed.spreads[1e-5], swallowed.spreads[1e-12]
    assert usual[0] < 0.3
    assert np.all(np.diff(usual) < 0)
    assert usual[-1] < 1e-3
    np.testing.assert_allclose(tiny, 1, atol=0.01)
    assert swallowed.accuracy[1e-5].max() < 0.25
    assert 0.35 < swallowed.accuracy[1e-12].mean() < 0.8
    assert swallowed.accuracy[1e-12].min() > swallowed.accuracy[1e-5].max()


# --- before or after --------------------------------------------------------------------------------------


def test_with_relu_the_order_of_before_and_after_turns_with_the_rate():
    relu = run("placement")["ReLU"]
    assert relu.rates == (0.01, 0.1, 0.3, 1.0, 3.0)
    np.testing.assert_array_equal(relu.clearly_below("後", "前"), [True, True, False, False, False])
    np.testing.assert_array_equal(relu.clearly_below("前", "後"), [False, False, False, True, True])


def test_with_sigmoid_after_is_lower_until_it_diverges():
    sigmoid = run("placement")["シグモイド"]
    np.testing.assert_array_equal(sigmoid.clearly_below("後", "前"), [True, True, True, True, False])
    assert np.all(np.isnan(sigmoid.losses["後"][-1]))
    assert np.all(np.isfinite(sigmoid.losses["前"]))


def test_batchnorm_widens_the_range_of_usable_rates():
    results = run("placement")
    relu, sigmoid = results["ReLU"], results["シグモイド"]
    assert np.all(relu.accuracy["なし"][3:] < 0.5)  # one seed in a few gets off the ground
    assert np.median(relu.accuracy["なし"][3:]) < 0.15
    assert np.all(relu.accuracy["前"] > 0.8)
    assert np.all(relu.accuracy["前"][-1] > 0.9)
    assert np.all(sigmoid.accuracy["なし"] < 0.3)
    assert np.all(sigmoid.accuracy["前"] > 0.75)


def test_at_their_best_rates_batchnorm_still_has_the_lower_loss():
    relu = run("placement")["ReLU"]
    best = {place: np.nanmin(losses.mean(axis=1)) for place, losses in relu.losses.items()}
    assert best["前"] < 0.8 * best["なし"]
    assert best["後"] < 0.8 * best["なし"]


def test_at_the_smallest_rate_before_cannot_be_told_from_nothing():
    relu = run("placement")["ReLU"]
    assert not relu.clearly_below("前", "なし")[0]
    assert not relu.clearly_below("なし", "前")[0]


def test_accuracy_hardly_tells_before_from_after_with_relu():
    relu = run("placement")["ReLU"]
    gap = relu.accuracy["前"][1:4].mean(axis=1) - relu.accuracy["後"][1:4].mean(axis=1)
    assert np.abs(gap).max() < 0.01


def test_placement_does_not_depend_on_the_number_of_processes(nothing_kept):
    jobs = [("ReLU", "前", 0.1, 1, 10), ("シグモイド", "後", 0.3, 2, 10)]
    one = batchnorm.run_parallel(batchnorm.train_placed, jobs, "", processes=1)
    assert one == batchnorm.run_parallel(batchnorm.train_placed, jobs, "", processes=2)


# --- inference --------------------------------------------------------------------------------------------


def test_a_batch_of_one_is_answered_by_chance_and_larger_batches_approach_the_averages():
    result = run("inference")
    assert result.running > 0.93
    assert result.mixed[0] < 0.15
    assert np.all(np.diff(result.mixed) > 0)
    assert result.running - 0.02 < result.mixed[-1] < result.running + 0.01


def test_batches_of_one_kind_of_digit_cannot_be_told():
    assert run("inference").skewed.max() < 0.25


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


def test_running_averages_lag_at_first_and_catch_up():
    running, own = run("settling")
    assert own[2] > 0.7
    assert running[2] < 0.2
    np.testing.assert_allclose(running[7:], own[7:], atol=0.01)
