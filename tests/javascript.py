"""Generated JavaScript, run without a browser: what its expressions may call, for ``eval``, and Node where there is one."""

import json
import math
import shutil
import subprocess
from types import SimpleNamespace

import pytest


def _or_infinite(function):
    """Python raises where JavaScript goes on with Infinity."""

    def call(*values):
        try:
            return function(*values)
        except OverflowError:
            return math.inf

    return call


MATH = {
    "Math": SimpleNamespace(
        pow=_or_infinite(math.pow),
        exp=_or_infinite(math.exp),
        max=max,
        sign=lambda value: (value > 0) - (value < 0),
        **{name: getattr(math, name) for name in ("sqrt", "sin", "cos", "tanh")},
    )
}


def in_node(program):
    """What the program prints as JSON. Without Node, the test is skipped."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed: the generated code is evaluated in Python only")
    done = subprocess.run([node], input=program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
