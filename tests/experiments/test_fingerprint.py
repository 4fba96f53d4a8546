"""The fingerprint of a result: it changes with everything that decides the result, and with nothing else."""

import collections
import enum
import functools
import importlib
import linecache
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from fumoto.experiments import comparison, protocol
from fumoto.experiments import fingerprint as module
from fumoto.experiments.fingerprint import fingerprint
from fumoto.optimizers import SGD, Adam, ElementwiseOptimizer

ROOT = Path(__file__).resolve().parents[2]

SOURCE = '''
"""A module."""
import functools
from dataclasses import dataclass
from pathlib import Path

RATE = 0.1
TABLE = {"a": [1, 2], "b": {3, 4}}
FILE = Path("PLACE")


class Base:
    """Base."""
    factor = 2.0

    def scale(self, x):
        return self.factor * x


class Method(Base):
    def move(self, x):
        return x - RATE * self.scale(x)


class Other(Base):
    def move(self, x):
        return x + 1


@dataclass(frozen=True)
class Result:
    value: float
    note: str = "nothing"


@functools.cache
def helper(x):
    return x + len(TABLE)


def closure(k):
    def inner(x):
        return k * x
    return inner


triple = closure(3)


def unused(x):
    return x


def lazily(x):
    from os import path
    return path


def train(x, steps=5, *, seed=0):
    """Train."""
    numbers = [helper(i) for i in range(steps) if i not in {1, 2}]
    return Result(Method().move(triple(x)) + sum(numbers) + len(FILE.name))
'''

EDITS = {
    "a line of the function": ("sum(numbers)", "max(numbers)"),
    "a number in a nested function": ("if i not in {1, 2}", "if i not in {1, 3}"),
    "a default": ("steps=5", "steps=6"),
    "a keyword default": ("seed=0", "seed=1"),
    "a function that is called": ("x + len(TABLE)", "x - len(TABLE)"),
    "a constant": ("RATE = 0.1", "RATE = 0.2"),
    "a table": ("[1, 2]", "[1, 2, 5]"),
    "the order of a table": ('{"a": [1, 2], "b": {3, 4}}', '{"b": {3, 4}, "a": [1, 2]}'),
    "a set in a table": ("{3, 4}", "{3, 5}"),
    "a class that is used": ("x - RATE", "x + RATE"),
    "its base class": ("self.factor * x", "self.factor + x"),
    "an attribute of the base class": ("factor = 2.0", "factor = 3.0"),
    "a value that a function closes over": ("closure(3)", "closure(4)"),
    "the code of a closure": ("return k * x", "return k + x"),
    "a field of the result": ('note: str = "nothing"', 'note: str = "something"'),
    "the name of a field": ("value: float", "worth: float"),
}
HARMLESS = {
    "a comment": ("RATE = 0.1", "RATE = 0.1  # the rate\n\n\n"),
    "a docstring": ('"""Train."""', '"""Train a network."""'),
    "the docstring of a class": ('"""Base."""', '"""The base class."""'),
    "an annotation": ("def helper(x)", "def helper(x: float) -> float"),
    "a docstring where there was none": (
        "def helper(x):\n",
        'def helper(x):\n    """Help."""\n',
    ),
    "a function that is not called": ("def unused(x):\n    return x", "def unused(x):\n    return -x"),
    "a class that is not used": ("return x + 1", "return x + 2"),
    "how a set is written": ("{1, 2}", "{2, 1}"),
}


def made(source, place):
    """The source as a module of its own."""
    new = ModuleType("learner")
    sys.modules["learner"] = new
    exec(compile(source.replace("PLACE", str(place)), "learner.py", "exec"), new.__dict__)
    return new


@pytest.fixture
def place(tmp_path):
    (tmp_path / "data").write_bytes(b"1")
    yield tmp_path / "data"
    sys.modules.pop("learner", None)


def test_it_is_the_same_for_the_same_code(place):
    assert fingerprint(made(SOURCE, place).train) == fingerprint(made(SOURCE, place).train)


@pytest.mark.parametrize("kind", EDITS)
def test_whatever_decides_the_result_counts(kind, place):
    old, new = EDITS[kind]
    assert SOURCE.count(old) == 1
    before = fingerprint(made(SOURCE, place).train)
    assert fingerprint(made(SOURCE.replace(old, new), place).train) != before


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_decides_nothing_does_not(kind, place):
    old, new = HARMLESS[kind]
    assert SOURCE.count(old) == 1
    before = fingerprint(made(SOURCE, place).train)
    assert fingerprint(made(SOURCE.replace(old, new), place).train) == before


def test_files_count_by_their_content_and_not_by_their_place(place):
    before = fingerprint(made(SOURCE, place).train)
    moved = place.parent / "elsewhere" / "data"
    moved.parent.mkdir()
    moved.write_bytes(b"1")
    assert fingerprint(made(SOURCE, moved).train) == before
    place.write_bytes(b"22")
    assert fingerprint(made(SOURCE, place).train) != before


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        (protocol, "CHECKS", 4),
        (protocol, "CONFIDENCE", 0.99),
        (ElementwiseOptimizer, "_move", lambda self, arrays, grads: None),
        (SGD, "rule", lambda self, w, g: (w + self.lr * g,)),
        (SGD.__init__, "__defaults__", (0.5,)),
    ],
    ids=["constant", "unused constant", "method of the base", "method", "default"],
)
def test_what_is_put_in_place_while_running_counts(monkeypatch, owner, name, value):
    """A test that spoils the code must not be given a result of the code that is right."""
    before = fingerprint(protocol.learn, SGD)
    monkeypatch.setattr(owner, name, value)
    assert (fingerprint(protocol.learn, SGD) == before) is (name == "CONFIDENCE")


def test_a_method_decides_its_own_trainings_only(monkeypatch):
    before = {method: fingerprint(protocol.learn, method) for method in comparison.METHODS.values()}
    monkeypatch.setattr(Adam, "rule", SGD.rule)
    after = {method: fingerprint(protocol.learn, method) for method in before}
    assert {method for method in before if before[method] != after[method]} == {Adam}


VALUES = [
    *(None, True, 1, 1.0, 1j, "1", b"1", ..., (1,), [1], {1}, frozenset([1]), {1: 1}, {"1": 1}, (), [], {}),
    *(0.1, np.float32(0.1), np.float64(0.1), -0.0, 0.0, float("nan"), float("inf")),
    *(np.zeros(2), np.zeros(2, np.float32), np.zeros((2, 1)), np.ones(2), np.zeros(2, int), np.dtype(int)),
    *([1, [2]], [[1], 2], [1, 2], [2, 1], ["ab", "c"], ["a", "bc"], [[], []], [[[]]]),
    *(functools.partial(pow, 2), functools.partial(pow, 3), functools.partial(pow, 2, mod=5)),
    *(np.exp, np.tanh, np, len, max, SGD, Adam, SGD.rule, Path, lambda: 1, lambda: 2, range(3), slice(1, 2)),
]


def test_different_values_have_different_fingerprints():
    assert len({fingerprint(value) for value in VALUES}) == len(VALUES)


Pair = collections.namedtuple("Pair", "x y")


class Level(enum.IntEnum):
    LOW = 1


class Counted(dict):
    def __missing__(self, key):
        return 0


def test_what_derives_from_a_builtin_type_is_more_than_its_value(monkeypatch):
    values = [
        Pair(1, 2),
        (1, 2),
        Level.LOW,
        1,
        Counted(a=1),
        {"a": 1},
        np.ma.array([1, 2], mask=[0, 1]),
        np.array([1, 2]),
    ]
    assert len({fingerprint(value) for value in values}) == len(values)
    before = fingerprint(Counted(a=1))
    monkeypatch.setattr(Counted, "__missing__", lambda self, key: 1)
    assert fingerprint(Counted(a=1)) != before


def test_a_module_handed_over_counts_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    found = set()
    for number in (1, 2):
        (tmp_path / "handed.py").write_text(f"VALUE = {number}{' ' * number}\n")
        importlib.invalidate_caches()
        linecache.clearcache()
        monkeypatch.delitem(sys.modules, "handed", raising=False)
        found.add(fingerprint(importlib.import_module("handed")))
    assert len(found) == 2


def test_recursive_values_end():
    again = [1]
    again.append(again)
    assert fingerprint(again) == fingerprint(again)


def test_what_cannot_be_looked_into_is_refused(tmp_path):
    with (tmp_path / "file").open("w") as file, pytest.raises(TypeError):
        fingerprint(file)


def test_libraries_and_the_processor_count(monkeypatch):
    before = module.surroundings()
    assert np.__version__ in before
    monkeypatch.setattr(module.np, "__version__", "0")
    module.surroundings.cache_clear()
    assert module.surroundings() != before
    monkeypatch.undo()
    module.surroundings.cache_clear()


EVERYTHING = """
import importlib, pkgutil
import fumoto.experiments
from fumoto.experiments.fingerprint import fingerprint
for info in sorted(pkgutil.iter_modules(fumoto.experiments.__path__), key=lambda info: info.name):
    module = importlib.import_module(f"fumoto.experiments.{info.name}")
    for name, value in sorted(vars(module).items()):
        if getattr(value, "kept", False) and value.__module__ == module.__name__:
            print(module.__name__, name, fingerprint(value))
"""


def test_every_kept_function_has_the_same_fingerprint_in_every_process():
    """Whatever the hash seed, compiled anew or read from a cache, before or after it was used."""
    found = set()
    for seed, options in (("0", ()), ("1", ()), ("2", ("-B", "-X", "pycache_prefix=nowhere"))):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, *options, "-c", EVERYTHING]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
        found.add(done.stdout)
    [lines] = found
    assert len(lines.splitlines()) >= 15


def test_a_process_that_has_loaded_scipy_counts_the_same_blas():
    """SciPy brings a BLAS of its own; workers have not loaded it, and the page that shows their results has."""
    command = "{}from fumoto.experiments.fingerprint import surroundings; print(surroundings())"
    said = [
        subprocess.run(
            [sys.executable, "-c", command.format(first)], capture_output=True, text=True, check=True
        ).stdout
        for first in ("", "import scipy.linalg; ")
    ]
    assert said[0] == said[1]


def test_how_trainings_are_spread_and_kept_does_not_count(monkeypatch):
    """Followed into it, the print of an experiment would be that of every file beside the book."""
    start = time.process_time()
    before = fingerprint(comparison.tuned_on_mnist)
    assert time.process_time() - start < 1
    monkeypatch.setattr(importlib.import_module("fumoto.experiments.kept"), "DAYS", 1)
    assert fingerprint(comparison.tuned_on_mnist) == before
    monkeypatch.setattr(protocol, "CHECKS", 4)
    assert fingerprint(comparison.tuned_on_mnist) != before
