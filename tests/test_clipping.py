"""Gradient clipping: against PyTorch's committed numbers, its properties, and with optimizers."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fumoto.clipping import Clipped, clip
from fumoto.optimizers import SGD, Adam
from fumoto.schedules import Cosine, Scheduled
from fumoto.surfaces import bowl
from fumoto.training import descend

REFERENCE = json.loads((Path(__file__).parent / "pytorch_runs" / "after_adam.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", REFERENCE["clipping"], ids=lambda case: str(case["limit"]))
def test_clipped_gradients_are_those_of_pytorch(case):
    """To 1e-6: PyTorch adds that much to the norm, and its numbers are float32."""
    grads = {str(k): np.array(g) for k, g in enumerate(case["gradients"])}
    for ours, theirs in zip(clip(grads, case["limit"]).values(), case["clipped"], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_the_committed_cases_clip_and_do_not_clip():
    assert {case["clipped"] == case["gradients"] for case in REFERENCE["clipping"]} == {True, False}


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5), st.floats(1e-3, 1e3))
def test_the_direction_stays_and_the_length_is_at_most_the_limit(values, limit):
    g = np.array(values)
    clipped = clip({"w": g}, limit)["w"]
    assert np.linalg.norm(clipped) <= limit * (1 + 1e-9)
    np.testing.assert_allclose(
        clipped * np.linalg.norm(g), g * np.linalg.norm(clipped), rtol=1e-9, atol=1e-300
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shapes_and_types_stay_and_the_gradients_are_not_written_to(dtype):
    grads = {"a": np.full((2, 3), 1e30, dtype), "b": np.array(-2.0, dtype), "c": np.ones(0, dtype)}
    before = copy.deepcopy(grads)
    clipped = clip(grads, 1.0)
    for key, g in grads.items():
        assert (clipped[key].shape, clipped[key].dtype) == (g.shape, dtype)
        np.testing.assert_array_equal(g, before[key])
    np.testing.assert_allclose(clipped["a"], 1 / np.sqrt(6), rtol=1e-6)


def test_gradients_of_zero_stay_zero():
    np.testing.assert_array_equal(clip({"w": np.zeros(3)}, 1.0)["w"], 0.0)


def test_an_optimizer_gets_the_clipped_gradients():
    path = descend(Clipped(SGD(lr=0.1), limit=2.0), bowl, bowl.start, 60)
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).max() == pytest.approx(0.2)
    far = descend(Clipped(SGD(lr=0.1), limit=1e9), bowl, bowl.start, 60)
    np.testing.assert_array_equal(far, descend(SGD(lr=0.1), bowl, bowl.start, 60))


def test_clipping_and_a_schedule_work_together():
    path = descend(Clipped(Scheduled(SGD(), Cosine(0.1, 40)), limit=1.0), bowl, bowl.start, 60)
    assert np.any(path[1] != path[0])
    np.testing.assert_array_equal(path[40:], path[40] + np.zeros((21, 1)))


@pytest.mark.parametrize("limit", [0, -1.0, float("nan"), float("inf")])
def test_the_limit_must_be_positive(limit):
    with pytest.raises(ValueError, match="limit は"):
        Clipped(SGD(), limit)


def test_a_shallow_copy_has_its_own_optimizer():
    optimizer = Clipped(Adam(), 1.0)
    copy.copy(optimizer).update({"w": np.ones(2)}, {"w": np.ones(2)})
    assert optimizer.optimizer.t == 0
