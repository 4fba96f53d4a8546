"""Chapter 7 on seeds that neither its page nor its choices used."""

import numpy as np
import pytest

from claims import CLAIMS
from claims.overfitting import tuned
from fumoto.experiments import overfitting
from fumoto.experiments.overfitting import CHOSEN, NONE, SEEDS, few_images
from fumoto.experiments.protocol import split
from fumoto.network import MLP

FRESH = (101, 102, 103)


TRAINED = ("overfit-", "stop-", "methods-", "scale-")


@pytest.mark.parametrize("name", [n for n in CLAIMS if n.startswith(TRAINED) and not CLAIMS[n].samples])
def test_a_claim_of_chapter_7_holds_on_seeds_that_nobody_used(name):
    assert not {*FRESH} & {*SEEDS, *(seed for rung in overfitting.RUNGS for seed in rung.seeds)}
    for seed in FRESH:
        found = CLAIMS[name].function(seed=seed)
        for one in found if isinstance(found, list) else [found]:
            assert one.margin > 0, f"{name}, seed {seed}: {one.said}"


def test_everything_tries_the_same_number_of_settings_and_contains_doing_nothing():
    groups = overfitting.candidates()
    for (rate, method), settings in groups.items():
        if rate == CHOSEN or overfitting.METHODS[method][1]:
            assert len(set(settings)) == overfitting.TRIALS, (rate, method)
        if rate == CHOSEN and method in ("L2", "AdamW", overfitting.DROPOUT):
            plain = [dict(each.network.keywords) | dict(each.values) for each in settings]
            nothing = [v for v in plain if not v["weight_decay"] and not v["dropout"]]
            assert len(nothing) == overfitting.TRIALS // 4
    assert groups[CHOSEN, 1.0] == groups[CHOSEN, NONE]


def test_the_chosen_rate_is_neither_the_first_nor_the_last():
    for (rate, method), found in tuned().items():
        if rate == CHOSEN and method != 4.0:
            rates = sorted(dict(trial.setting.values)["lr"] for trial in found.trials)
            assert rates[0] < dict(found.setting.values)["lr"] < rates[-1], method


def test_a_fifth_of_the_answers_is_wrong():
    """The images are training images; after the wrong ones, every answer is the true one."""
    x, t = few_images(np.random.default_rng(3))
    images, labels = split().training
    truth = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    true = np.array([truth[image.tobytes()] for image in x])
    assert np.all(t[: overfitting.WRONG] != true[: overfitting.WRONG])
    np.testing.assert_array_equal(t[overfitting.WRONG :], true[overfitting.WRONG :])
    assert set(t) == set(range(10))


def test_stopping_goes_back_to_the_smallest_validation_loss():
    """Twelve checks of the same training, here one after another."""
    setting = tuned()[CHOSEN, NONE].setting
    network, optimizer, _, steps, *_ = setting.job(5, overfitting.STEPS)
    losses = [
        overfitting.judge(trained, *overfitting.judging())[0]
        for _, trained, _ in overfitting._course(network, optimizer, 5, steps, overfitting.CHECKS)
    ]
    stopped = overfitting.learn_stopped(network, optimizer, 5, steps)
    assert stopped.validation_loss == min(losses)


def test_scaling_every_weight_of_a_relu_network_changes_no_answer():
    network = MLP([20, 30, 30, 5], rng=np.random.default_rng(0), dtype=np.float64)
    x = np.random.default_rng(1).normal(size=(50, 20))
    before = network.predict(x)
    for name in ("W1", "W2", "W3"):
        network.params[name] *= 10
    np.testing.assert_allclose(network.predict(x), 1000 * before)
