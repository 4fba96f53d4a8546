"""Chapter 10 on seeds that neither its page nor its choice of settings used, and how its methods were chosen."""

import numpy as np
import pytest

from claims import CLAIMS
from claims.after_adam import chosen
from fumoto.experiments import after_adam
from fumoto.optimizers import Adam, AdamW


@pytest.mark.parametrize(
    ("name", "seeds"),
    [("new-muon", range(101, 107)), ("new-half", (101, 102)), ("new-summary", (101, 102))],
)
def test_a_claim_on_mnist_holds_on_seeds_that_nobody_used(name, seeds):
    for seed in seeds:
        found = CLAIMS[name].function(seed=seed)
        for one in found if isinstance(found, list) else [found]:
            assert one.margin > 0, f"{name}, seed {seed}: {one.said}"


def test_every_method_tries_the_same_number_of_settings_in_an_equally_wide_range_of_rates():
    found = after_adam.tuned_methods(trials=4, kept=2, short=5, steps=6, processes=1)
    spaces = {name: space for name, (_, space) in after_adam.METHODS.items()}
    for name, tuned in found.items():
        assert sum(trial.steps == 5 for trial in tuned.trials) == 4
        assert spaces[name].rates.high / spaces[name].rates.low == pytest.approx(30)
    same = dict(found["Adam"].setting.values) | {"weight_decay": 0.0}
    last = [dict(trial.setting.values) for trial in found["AdamW"].trials if trial.steps == 6]
    assert same in last


def test_adamw_without_decay_is_adam_to_the_last_bit(rng):
    gradients = rng.normal(size=(20, 5))
    first, second = (np.ones(5) for _ in range(2))
    for optimizer, w in ((Adam(0.1), first), (AdamW(0.1, weight_decay=0.0), second)):
        for g in gradients:
            optimizer.update({"w": w}, {"w": g})
    np.testing.assert_array_equal(first, second)


def test_no_rate_that_was_chosen_is_at_the_end_of_its_range():
    for name, setting in chosen().items():
        rates, rate = after_adam.METHODS[name][1].rates, dict(setting.values)["lr"]
        assert 1.1 * rates.low < rate < rates.high / 1.1, name


def test_the_products_of_muon_are_counted():
    """A step of Newton and Schulz on an n × m matrix: Z Z^T, A A and Q Z."""
    passes, iteration = after_adam.multiplications()
    assert passes == 3 * 128 * (784 * 100 + 3 * 100 * 100 + 100 * 10)
    assert iteration == 3 * 5 * 3 * 100**3
