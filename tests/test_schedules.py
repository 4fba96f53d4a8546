"""Learning-rate schedules: against PyTorch's committed numbers, with optimizers, and bad input."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest

from fumoto.optimizers import SGD, Adam
from fumoto.schedules import Cosine, Scheduled, StepDecay, Warmup
from fumoto.surfaces import bowl
from fumoto.training import descend

REFERENCE = json.loads((Path(__file__).parent / "pytorch_runs" / "after_adam.json").read_text(encoding="utf-8"))
MAKE = {
    "StepDecay": StepDecay,
    "Cosine": Cosine,
    "Warmup": lambda lr, steps: Warmup(lambda t: lr, steps),
}


@pytest.mark.parametrize("case", REFERENCE["schedules"], ids=lambda case: case["name"])
def test_rates_are_those_of_pytorch(case):
    schedule = MAKE[case["name"]](**case["settings"])
    ours = [schedule(t) for t in range(len(case["rates"]))]
    np.testing.assert_allclose(ours, case["rates"], rtol=1e-12, atol=1e-15)


def test_the_committed_numbers_cover_every_schedule():
    assert {case["name"] for case in REFERENCE["schedules"]} == set(MAKE)


@pytest.mark.parametrize("method", [SGD, Adam])
def test_a_constant_schedule_changes_nothing(method):
    constant = Scheduled(method(lr=7.0), lambda t: 0.1)
    np.testing.assert_array_equal(
        descend(constant, bowl, bowl.start, 30), descend(method(lr=0.1), bowl, bowl.start, 30)
    )


def test_the_first_step_uses_the_rate_of_step_0():
    seen = []
    optimizer = Scheduled(SGD(), lambda t: seen.append(t) or 0.5)
    descend(optimizer, bowl, bowl.start, 3)
    assert seen == [0, 1, 2]
    assert optimizer.optimizer.lr == 0.5


def test_at_rate_0_the_weights_stay():
    path = descend(Scheduled(SGD(), Cosine(0.5, 5)), bowl, bowl.start, 8)
    assert np.any(path[5] != path[4])
    np.testing.assert_array_equal(path[5:], path[5] + np.zeros((4, 1)))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: StepDecay(0.0, 3), "lr は正の数"),
        (lambda: StepDecay(0.1, 0), "every は 1 以上"),
        (lambda: StepDecay(0.1, 3, 1.0), "factor は 0 以上 1 未満"),
        (lambda: Cosine(-1.0, 3), "lr は正の数"),
        (lambda: Cosine(0.1, 0), "steps は 1 以上"),
        (lambda: Warmup(Cosine(0.1, 3), 0), "steps は 1 以上"),
    ],
)
def test_bad_settings_are_named(make, said):
    with pytest.raises(ValueError, match=said):
        make()


@pytest.mark.parametrize(("rate", "error"), [(-0.1, ValueError), (np.nan, ValueError), ("0.1", TypeError)])
def test_a_bad_rate_moves_nothing(rate, error):
    optimizer, params = Scheduled(SGD(lr=0.3), lambda t: rate), {"w": np.ones(2)}
    with pytest.raises(error, match=r"schedule\(t\) は"):
        optimizer.update(params, {"w": np.ones(2)})
    np.testing.assert_array_equal(params["w"], 1.0)
    assert (optimizer.t, optimizer.optimizer.lr) == (0, 0.3)


def test_bad_gradients_do_not_count_as_a_step():
    optimizer, params = Scheduled(SGD(), Cosine(0.5, 5)), {"w": np.ones(2)}
    with pytest.raises(ValueError, match="余分なキー"):
        optimizer.update(params, {"w": np.ones(2), "v": np.ones(2)})
    assert optimizer.t == 0


def test_a_shallow_copy_has_its_own_optimizer():
    optimizer = Scheduled(Adam(), Cosine(0.5, 5))
    other = copy.copy(optimizer)
    other.update({"w": np.ones(2)}, {"w": np.ones(2)})
    assert (optimizer.t, optimizer.optimizer.t) == (0, 0)
