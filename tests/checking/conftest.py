"""Checks of one module share the process in which the learner's code runs: starting one takes longer than most checks."""

import pytest

from fumoto.checking.calling.safety import workplace

OWN = ("test_safety", "test_command_line")  # these look at how the process starts and ends


@pytest.fixture(scope="module", autouse=True)
def one_process(request):
    if request.module.__name__.rpartition(".")[2] in OWN:
        yield
    else:
        with workplace():
            yield
