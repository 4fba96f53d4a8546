"""Results that are kept: computed once, never stale, never trusted when damaged."""

import functools
import importlib
import os
import pickle
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor

from fumoto.experiments import kept as module
from fumoto.experiments import parallel
from fumoto.experiments.kept import kept
from fumoto.experiments.parallel import run_parallel

ROOT = Path(__file__).resolve().parents[2]
FACTOR = 2.0


@dataclass(frozen=True)
class Result:
    values: np.ndarray
    name: str


@kept
def train(x, steps=3, *, seed=0):
    """Multiplied."""
    with open(os.environ["COMPUTED"], "a") as file:
        file.write(f"{x}\n")
    return Result(np.random.default_rng(seed).normal(size=steps) * FACTOR * x, "train")


@kept
def lazily(x):
    if x > 1:
        from fumoto_lazy import VALUE

        return VALUE
    return x


@kept
def outer(x):
    return lazily(x) + 1


@kept
def unwritable(x):
    return lambda: x


@kept
def unwritable_in_parallel(x):
    return lambda y: x * y


@dataclass(frozen=True)
class Scale:
    by: object

    def __call__(self):
        return self.by


@kept
def apply(scale):
    return scale()


def double(function):
    @functools.wraps(function)
    def doubled(x):
        return 2 * function(x)

    return doubled


@kept
@double
def below(x):
    return x


@double
@kept
def above(x):
    return x


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FUMOTO_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("COMPUTED", str(tmp_path / "computed"))
    monkeypatch.setattr(module, "_PACKAGE", "fumoto_lazy")  # whose imports are recorded
    return tmp_path / "results"


def computed(folder):
    """What was computed since the last call."""
    path = folder.parent / "computed"
    lines = path.read_text().split() if path.exists() else []
    path.write_text("")
    return lines


def same(first, second):
    assert first.name == second.name
    np.testing.assert_array_equal(first.values, second.values)
    assert first.values.dtype == second.values.dtype


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_it_is_computed_once(folder):
    first = train(1)
    same(first, train(1))
    assert computed(folder) == ["1"]
    assert len(files(folder)) == 1


def test_arguments_count_however_they_are_written(folder):
    for value in (train(1), train(x=1), train(1, 3), train(1, steps=3, seed=0)):
        same(value, train(1))
    assert computed(folder) == ["1"]
    train(1, 4)
    train(1, seed=1)
    train(2)
    train(1.0)
    assert computed(folder) == ["1", "1", "2", "1.0"]


def test_changed_code_computes_again_and_the_old_code_finds_its_own(folder, monkeypatch):
    first = train(1)
    monkeypatch.setattr(sys.modules[__name__], "FACTOR", 3.0)
    np.testing.assert_allclose(train(1).values, first.values * 1.5)
    monkeypatch.undo()
    monkeypatch.setenv("FUMOTO_RESULTS", str(folder))
    same(train(1), first)


def test_two_callers_do_not_share_the_arrays(folder):
    train(1).values[...] = 0
    first = train(1)
    first.values[...] = 0
    assert np.all(train(1).values != 0)


DAMAGE = {
    "empty": lambda content: b"",
    "half written": lambda content: content[: len(content) // 2],
    "one byte short": lambda content: content[:-1],
    "one byte too many": lambda content: content + b"\0",
    "another number": lambda content: content[:-20] + bytes([content[-20] ^ 1]) + content[-19:],
    "its fingerprint": lambda content: b"\0" + content[1:],
    "something else": lambda content: pickle.dumps((), protocol=5),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_result_is_computed_again_and_repaired(folder, kind):
    first = train(1)
    [path] = files(folder)
    path.write_bytes(DAMAGE[kind](path.read_bytes()))
    computed(folder)
    same(train(1), first)
    same(train(1), first)
    assert computed(folder) == ["1"]


def test_no_single_damaged_byte_is_trusted(folder):
    first = train(1)
    [path] = files(folder)
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
        same(train(1), first)


def test_a_result_of_a_class_that_is_gone_is_computed_again(folder, monkeypatch):
    first = train(1)
    content = pickle.dumps(((), "", Result(first.values, "x"))).replace(b"Result", b"Resulx")
    [path] = files(folder)
    path.write_bytes(module.hashlib.sha256(content).digest() + content)
    same(train(1), first)


def test_parallel_work_computes_what_is_missing_and_keeps_the_order(folder):
    train(2)
    computed(folder)
    get_reusable_executor().shutdown()  # workers that were started earlier do not know where to note their work
    results = run_parallel(train, [(3,), (2,), (1,)], "", processes=2)
    assert sorted(computed(folder)) == ["1", "3"]
    for value, x in zip(results, (3, 2, 1), strict=True):
        same(value, train(x))
    assert computed(folder) == []


def test_work_that_was_broken_off_is_not_lost(folder):
    with pytest.raises(TypeError):
        run_parallel(train, [(1,), ("one", "two")], "", processes=1)
    computed(folder)
    train(1)
    assert computed(folder) == []


def test_nothing_is_kept_when_switched_off(folder, monkeypatch):
    monkeypatch.setenv("FUMOTO_RESULTS", "")
    train(1)
    train(1)
    run_parallel(train, [(1,), (2,)], "", processes=1)
    assert computed(folder) == ["1", "1", "1", "2"]
    assert not folder.exists()


def test_a_result_that_cannot_be_written_is_still_returned(folder):
    assert unwritable(2)() == 2
    assert unwritable(2)() == 2
    [result] = run_parallel(unwritable_in_parallel, [(3,)], "", processes=1)
    assert result(1) == 3


def test_a_file_that_cannot_be_read_is_computed_again(folder):
    first = train(1)
    [path] = files(folder)
    path.unlink()
    path.mkdir()  # something else in its place
    same(train(1), first)


def test_work_done_by_other_code_is_not_kept(folder, monkeypatch):
    """A worker may have loaded a module after its file was edited."""
    real = parallel.compute
    monkeypatch.setattr(parallel, "compute", lambda *job: (*real(*job)[:2], "another.pickle"))
    [first] = run_parallel(train, [(1,)], "", processes=1)
    assert files(folder) == []
    monkeypatch.undo()
    monkeypatch.setenv("FUMOTO_RESULTS", str(folder))
    monkeypatch.setenv("COMPUTED", str(folder.parent / "computed"))
    same(run_parallel(train, [(1,)], "", processes=1)[0], first)
    assert len(files(folder)) == 1


def test_equal_callables_are_told_apart(folder):
    results = run_parallel(
        apply, [(Scale(1),), (Scale(1.0),), (Scale(True),), (Scale(-0.0),)], "", processes=1
    )
    again = run_parallel(apply, [(Scale(1),), (Scale(1.0),), (Scale(True),), (Scale(-0.0),)], "", processes=1)
    assert list(map(repr, results)) == list(map(repr, again)) == ["1", "1.0", "True", "-0.0"]


def test_a_decorator_above_or_below_does_the_same_in_parallel(folder):
    assert (below(3), *run_parallel(below, [(3,)], "", processes=1), below(3)) == (6, 6, 6)
    assert (above(3), *run_parallel(above, [(3,)], "", processes=1), above(3)) == (6, 6, 6)


def test_a_folder_that_cannot_be_written_does_no_harm(folder):
    folder.write_text("a file in its place")
    same(train(1), train(1))
    assert computed(folder) == ["1", "1"]


def test_arguments_that_cannot_be_looked_into_are_computed_every_time(folder, tmp_path):
    with (tmp_path / "x").open("w") as file:
        for _ in range(2):
            with pytest.raises(TypeError):
                train(file)
    assert len(computed(folder)) > 1


def test_what_nobody_asked_for_in_a_month_is_thrown_away(folder):
    train(1)
    train(2)
    old, _ = sorted(files(folder))
    month = time.time() - (module.DAYS + 1) * 24 * 3600
    os.utime(old, (month, month))
    train(3)
    assert old not in files(folder)
    assert len(files(folder)) == 2


def test_a_result_that_is_read_is_not_old(folder):
    train(1)
    [path] = files(folder)
    month = time.time() - (module.DAYS + 1) * 24 * 3600
    os.utime(path, (month, month))
    train(1)
    train(2)
    assert len(files(folder)) == 2


def test_a_module_imported_inside_a_function_counts_where_it_was_imported(folder, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(number):
        (tmp_path / "fumoto_lazy.py").write_text(f"VALUE = {number}\n")
        importlib.invalidate_caches()
        monkeypatch.delitem(sys.modules, "fumoto_lazy", raising=False)

    write(10)
    assert (lazily(1), lazily(2), outer(2)) == (1, 10, 11)
    write(20)
    assert (lazily(2), outer(2)) == (20, 21)  # outer: also where the inner result had been read, not computed
    imports = [pickle.loads(path.read_bytes()[32:])[0] for path in files(folder)]
    assert sorted(imports) == [(), ("fumoto_lazy",), ("fumoto_lazy",)]  # lazily(1) imported nothing


def test_without_a_checkout_nothing_is_kept(monkeypatch, tmp_path):
    monkeypatch.delenv("FUMOTO_RESULTS")
    assert module._folder() == ROOT / "build" / "results"
    monkeypatch.setattr(module, "PROJECT", tmp_path)
    assert module._folder() is None


EDITED = """
from fumoto.experiments import comparison, initialization, overfitting, protocol
from fumoto.experiments.fingerprint import fingerprint
from fumoto.optimizers import Momentum
for name, method in comparison.METHODS.items():
    print(name, fingerprint(protocol.learn, method))
print("small", fingerprint(overfitting.learn_few, Momentum))
print("initial", fingerprint(protocol.learn, initialization.NETWORKS["ReLU", "He"]))
"""


@pytest.mark.parametrize(
    ("name", "old", "new", "changed"),
    [
        (
            "optimizers",
            "m_hat = m / (1 - self.beta1**t)",
            "m_hat = m / (1 - self.beta1 ** (t + 1))",
            {"Adam"},
        ),
        ("optimizers", "beta2: float = 0.999, eps", "beta2: float = 0.99, eps", {"Adam"}),
        ("optimizers", "w = w + v  # eq-momentum-w", "w = w - v", {"Momentum", "small"}),
        ("layers", "np.maximum(x, 0)  # eq-relu", "np.maximum(x, 1)", ...),
        ("optimizers", "w = w + v  # eq-momentum-w", "w = w + v  # the velocity", set()),
    ],
)
def test_an_edit_of_one_method_computes_its_trainings_again_and_no_others(tmp_path, name, old, new, changed):
    code = tmp_path / "code"
    shutil.copytree(ROOT / "code", code, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))

    def fingerprints():
        environment = {**os.environ, "PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", EDITED]
        said = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return dict(line.split() for line in said.stdout.splitlines())

    path = code / "fumoto" / f"{name}.py"
    before = fingerprints()
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    after = fingerprints()
    assert {key for key in before if before[key] != after[key]} == (
        set(before) if changed is ... else changed
    )
