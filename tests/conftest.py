"""Fixtures shared by the tests."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import settings

from fumoto.printed import read

settings.register_profile("steady", deadline=None)  # a busy machine is no failure
settings.load_profile("steady")

collect_ignore = ["pytorch_runs"]  # scripts that need PyTorch, not tests


@pytest.fixture
def rng():
    return np.random.default_rng(20260101)


@pytest.fixture
def nothing_kept(monkeypatch):
    """Experiments are really run, and their results are not kept."""
    monkeypatch.setenv("FUMOTO_RESULTS", "")


@pytest.fixture(scope="session")
def printed():
    """All labelled equations of the book."""
    return read()
