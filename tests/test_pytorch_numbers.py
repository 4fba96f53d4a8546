"""The committed numbers for schedules, clipping and Muon are those of the PyTorch at hand."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

COMMITTED = json.loads((Path(__file__).parent / "pytorch_runs" / "after_adam.json").read_text(encoding="utf-8"))


def flat(numbers):
    """The numbers of nested lists, one after the other."""
    return [number for part in numbers for number in flat(part)] if isinstance(numbers, list) else [numbers]


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_committed_numbers_are_those_of_live_pytorch():
    from pytorch_runs.make_after_adam import record

    live = record()
    for kind, number in (("schedules", "rates"), ("clipping", "clipped"), ("muon", "float64")):
        now, then = (flat([case[number] for case in cases[kind]]) for cases in (live, COMMITTED))
        np.testing.assert_allclose(now, then, rtol=1e-12, atol=1e-14)
