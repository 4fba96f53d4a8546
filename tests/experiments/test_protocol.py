"""The protocol: what is chosen on what, and what is said of a difference."""

from functools import partial

import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor

from fumoto.datasets import mnist
from fumoto.experiments import comparison, protocol
from fumoto.experiments.protocol import Range, Rung, Setting, Space, difference, report, seeds_needed, tune
from fumoto.network import MLP
from fumoto.optimizers import SGD, Adam, Momentum

SMALL = partial(MLP, [784, 10, 10])


def setting(lr, optimizer=SGD, **values):
    return Setting(optimizer, tuple({"lr": lr, **values}.items()), SMALL)


# --- the images ---------------------------------------------------------------------------------------------


def test_every_training_image_is_in_one_part_and_the_test_images_are_the_test_images():
    split, (x, t, x_test, t_test) = protocol.split(), mnist()
    both = np.concatenate([split.training[0], split.validation[0]])
    assert both.shape == x.shape
    np.testing.assert_array_equal(np.sort(both.sum(axis=1)), np.sort(x.sum(axis=1)))
    for ours, theirs in zip(split.test, (x_test, t_test), strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype and not ours.flags.writeable
    counts = np.bincount(split.validation[1], minlength=10) / len(split.validation[1])
    np.testing.assert_allclose(counts, np.bincount(t) / len(t), atol=0.01)


def test_validation_and_test_are_measured_once_with_every_image(monkeypatch):
    judged = []
    monkeypatch.setattr(protocol, "judge", lambda network, x, t: judged.append(len(t)) or (1.0, 0.5))
    outcome = protocol.learn.kept(SMALL, partial(SGD, lr=0.1), 1, 50, True)
    assert (sum(judged[::2]), sum(judged[1::2])) == (10_000, 10_000)
    assert outcome.losses.shape == (50,)
    assert outcome.training_loss == pytest.approx(outcome.losses[-10:].mean())


def test_for_choosing_every_other_validation_image_is_used_once(monkeypatch):
    judged = []
    monkeypatch.setattr(protocol, "judge", lambda network, x, t: judged.append(x) or (1.0, 0.5))
    protocol.learn.kept(SMALL, partial(SGD, lr=0.1), 1, 50)
    chosen = protocol.split().validation[0][::2]
    np.testing.assert_array_equal(np.sort(np.concatenate(judged).sum(axis=1)), np.sort(chosen.sum(axis=1)))


def test_without_a_report_the_test_images_are_not_looked_at():
    outcome = protocol.learn(SMALL, partial(SGD, lr=0.1), 1, 50)
    assert np.isnan([outcome.test_loss, outcome.test_accuracy]).all()
    assert 0 < outcome.validation_accuracy < 1


def test_the_same_seed_gives_the_same_batches_to_two_methods():
    first = protocol.learn(SMALL, partial(SGD, lr=0.1), 3, 25).losses
    second = protocol.learn(SMALL, partial(Adam, lr=0.001), 3, 25).losses
    assert first[0] == second[0]
    assert first[1] != second[1]


# --- the settings -------------------------------------------------------------------------------------------


def test_settings_cover_the_ranges_evenly(rng):
    found = protocol.spread({"lr": Range(0.01, 1.0), "momentum": Range(0.9, 0.999, from_one=True)}, 64, rng)
    rates = np.log10([each["lr"] for each in found])
    momenta = np.log10([1 - each["momentum"] for each in found])
    for values, low, high in ((rates, -2, 0), (momenta, -3, -1)):
        counts = np.histogram(values, bins=8, range=(low - 0.01, high + 0.01))[0]
        assert counts.min() >= 6 and counts.max() <= 10


def test_a_quarter_of_the_settings_are_those_of_the_contained_method(rng):
    space = Space(Range(0.1, 1.0), {"momentum": Range(0.5, 0.9, from_one=True)}, {"lr": 2.0, "momentum": 0.0})
    found = space.everything(16, rng)
    assert [each["momentum"] for each in found].count(0.0) == 4
    assert all(0.1 <= each["lr"] <= 1.0 for each in found[:12])


@pytest.mark.parametrize("name", comparison.METHODS)
def test_what_is_tried_with_more_freedom_contains_what_is_tried_with_less(name):
    nested = list(comparison.trials(name).values())
    assert [len(group) for group in nested] == [1, 1 + comparison.LINE, 1 + comparison.LINE + comparison.FREE]
    assert set(nested[0]) < set(nested[1]) < set(nested[2])
    assert nested[0][0].optimizer is comparison.METHODS[name]


@pytest.mark.parametrize(
    ("name", "lr"), [("RMSProp", 0.1), ("AdaGrad", 1.0), ("AdaDelta", 0.1), ("Momentum", 0.1), ("NAG", 0.1)]
)
def test_a_method_that_contains_sgd_walks_as_sgd(name, lr):
    values = {**comparison.SPACES[name].contained, "lr": lr}
    like = protocol.learn(SMALL, partial(comparison.METHODS[name], **values), 1, 50).losses
    np.testing.assert_allclose(like, protocol.learn(SMALL, partial(SGD, lr=0.1), 1, 50).losses, rtol=0.02)


def test_adam_with_a_large_eps_walks_as_momentum():
    values = {**comparison.SPACES["Adam"].contained, "beta1": 0.5, "lr": 0.2}
    like = protocol.learn(SMALL, partial(Adam, **values), 1, 50).losses
    plain = protocol.learn(SMALL, partial(Momentum, lr=0.1, momentum=0.5), 1, 50).losses
    np.testing.assert_allclose(like[10:], plain[10:], rtol=0.1)


# --- choosing -----------------------------------------------------------------------------------------------


def test_the_best_on_the_validation_images_is_chosen(monkeypatch):
    tried = []

    def run(function, jobs, description, processes):
        tried.append([(job[1].keywords["lr"], job[2], job[3]) for job in jobs])
        return [protocol.Outcome(np.ones(1), 1.0, abs(job[1].keywords["lr"] - 0.3), 0.5) for job in jobs]

    monkeypatch.setattr(protocol, "run_parallel", run)
    rates = [0.1, 0.2, 0.3, 0.4, 3.0]
    groups = {"a": [setting(lr) for lr in rates], "b": [setting(lr) for lr in rates[3:]]}
    found = tune(groups, [Rung(10, (7,), 3), Rung(20, (7, 8), 1)])
    assert {key: dict(one.setting.values)["lr"] for key, one in found.items()} == {"a": 0.3, "b": 0.4}
    assert sorted(tried[0]) == [(lr, 7, 10) for lr in rates]  # the same setting of two groups is tried once
    assert sorted(tried[1]) == [(lr, seed, 20) for lr in (0.2, 0.3, 0.4, 3.0) for seed in (7, 8)]


def test_a_setting_that_diverges_is_not_chosen():
    found = tune({"only": [setting(1e20), setting(0.1)]}, [Rung(25, (7,), 1)])["only"]
    assert dict(found.setting.values)["lr"] == 0.1
    assert sorted(trial.loss for trial in found.trials)[1] == np.inf


def test_what_was_chosen_is_not_reported_on_the_seeds_it_was_chosen_with():
    used = protocol.RUNGS[0].seeds[0]
    with pytest.raises(ValueError, match=f"選ぶのに使った種 .*{used}"):
        report({"only": setting(0.1)}, [1, used])


def test_a_report_has_one_value_for_each_seed_and_measures_equal_settings_once():
    found = report({"a": setting(0.1), "b": setting(0.1)}, [1, 2], steps=25)
    assert found["a"] is found["b"]
    assert found["a"].losses.shape == (2, 25)
    assert found["a"].test_accuracy.shape == (2,)


def test_result_does_not_depend_on_the_number_of_processes(nothing_kept):
    groups = {"only": [setting(0.1), setting(0.2, Momentum, momentum=0.9), setting(0.001, Adam)]}
    rungs = [Rung(25, (7,), 2), Rung(30, (7, 8), 1)]
    get_reusable_executor().shutdown()  # workers that have been idle for long may be ending just now
    assert tune(groups, rungs, processes=1) == tune(groups, rungs, processes=2)


# --- differences --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("comparisons", [1, 6])
def test_the_interval_misses_the_truth_as_often_as_it_says(rng, comparisons):
    missed = 0
    for _ in range(2000):
        seeds = rng.normal(size=5)  # what two trainings with one seed have in common
        gaps = [difference(rng.normal(0.3, 1, 5) + seeds, seeds, comparisons) for _ in range(comparisons)]
        missed += any(not gap.low < 0.3 < gap.high for gap in gaps)
    assert 0.03 < missed / 2000 < 0.07


def test_a_difference_is_clear_only_away_from_zero():
    base = np.array([1.0, 2.0, 4.0])
    assert difference(np.add(base, [0.9, 1.0, 1.1]), base).clear
    assert difference(np.subtract(base, [0.9, 1.0, 1.1]), base).clear
    assert not difference(np.add(base, [-1.0, 0.0, 1.5]), base).clear


def test_more_seeds_are_needed_the_wider_the_spread_and_the_more_is_compared(rng):
    base = rng.normal(size=5)
    near, far = ([base, base + spread * rng.normal(size=5)] for spread in (0.01, 0.5))
    assert seeds_needed(near, 0.1) == protocol.PILOT
    assert seeds_needed(far, 0.1) == protocol.MOST_SEEDS
    middle = [base, base + 0.1 * np.array([-1, 1, -1, 1, 0.5])]
    assert seeds_needed(middle, 0.13, comparisons=6) > seeds_needed(middle, 0.13)
