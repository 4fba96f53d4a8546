"""A reader's code runs in another process: whatever it does ends with one sentence, and nothing is left running."""

import os
import pickle
import random
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import dataclass, field

import numpy as np
import pytest

from fumoto import check
from fumoto.checking.calling import process, safety
from fumoto.checking.calling.safety import IN_A_THREAD, ReaderError, within_time_limit
from fumoto.optimizers import SGD


def children():
    """The process ids of the children of this process that are no zombies."""
    listing = subprocess.run(["ps", "-eo", "pid,ppid,stat,args"], capture_output=True, text=True, check=True)
    rows = [line.split(None, 3) for line in listing.stdout.splitlines()[1:]]
    return [row for row in rows if row[1] == str(os.getpid()) and row[2][0] != "Z" and "ps -eo" not in row[3]]


@pytest.fixture(autouse=True)
def nothing_is_left_running():
    before = children()
    yield
    assert children() == before


def for_ever():
    while True:
        pass


def deeper(n):
    return deeper(n + 1) + 1


def all_memory():
    kept = []
    while True:
        kept.append(np.ones(10**7))


def all_output():
    while True:
        print("x" * 10**6)


class Unsayable(Exception):
    def __str__(self):
        sys.exit("no words")


def unsayable():
    raise Unsayable


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda: sys.exit(0), "SystemExit で Python を終わらせようとしました。"),
        (lambda: exit(), "SystemExit で Python を終わらせようとしました。"),
        (lambda: os._exit(3), "途中で Python を終わらせました(os._exit など。終了コード 3)。"),
        (lambda: os.kill(os.getpid(), 11), "途中で Python が死にました(SIGSEGV)。"),
        (lambda: input("> "), "input() を呼びました。"),
        (lambda: deeper(0), "RecursionError が起きました: 関数が自分自身を呼び続けています。"),
        (all_memory, "MemoryError が起きました: 使えるメモリは 1 GB までです。"),
        (all_output, "100 MB より多く印字しました。"),
        (unsayable, "Unsayable が起きました: (説明を読めません)"),
        (lambda: 1 / 0, "ZeroDivisionError が起きました: division by zero"),
    ],
)
def test_code_that_does_not_end_well_gets_one_sentence(function, sentence):
    start = time.monotonic()
    with pytest.raises(ReaderError) as error:
        within_time_limit(function)
    assert str(error.value).startswith(sentence)
    assert "\n" not in str(error.value)
    assert time.monotonic() - start < 10


def with_a_child_of_its_own():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(77)"])
    for_ever()


@pytest.mark.parametrize(
    "function", [for_ever, lambda: sum(range(10**15)), with_a_child_of_its_own, lambda: time.sleep(60)]
)
def test_code_that_does_not_end_is_stopped_with_all_it_has_started(function, monkeypatch):
    monkeypatch.setattr(safety, "SECONDS", 1.0)
    with pytest.raises(ReaderError, match=r"^1 秒待っても終わりません。$"):
        within_time_limit(function)
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "time.sleep(77)" not in listing


def test_the_time_of_a_check_is_shared_by_all_it_runs(monkeypatch):
    monkeypatch.setattr(safety, "SECONDS", 1.0)
    start = time.monotonic()
    with safety.workplace():
        for _ in range(3):
            with pytest.raises(ReaderError, match="終わりません"):
                within_time_limit(for_ever)
    assert time.monotonic() - start < 2


def test_only_the_time_of_the_readers_code_is_counted(monkeypatch):
    monkeypatch.setattr(safety, "SECONDS", 1.0)
    with safety.workplace():
        assert within_time_limit(divmod, 7, 3) == (2, 1)
        time.sleep(1.1)  # a long search for a cause
        assert within_time_limit(divmod, 7, 3) == (2, 1)


def test_a_check_needs_one_process(monkeypatch):
    started = []

    def start(gigabytes, real=process.start):
        started.append(real(gigabytes))
        return started[-1]

    monkeypatch.setattr(process, "start", start)
    assert check(SGD, "SGD", lr=0.1).ok
    assert len(started) == 1
    assert started[0].returncode is not None


@pytest.mark.alone
def test_the_process_starts_fast():
    start = time.monotonic()
    within_time_limit(divmod, 7, 3)
    assert time.monotonic() - start < 2  # 0.15 s on a quiet machine


def test_the_process_loads_no_sympy():
    loaded = within_time_limit(lambda: sorted({name.partition(".")[0] for name in sys.modules}))
    assert "numpy" in loaded
    assert not {"sympy", "matplotlib", "scipy", "joblib", "markdown_it"} & set(loaded)


def test_checking_calls_no_sympy_in_the_process():
    class Spy(SGD):
        def update(self, params, grads):
            if "sympy" in sys.modules:
                raise RuntimeError("sympy is here")
            super().update(params, grads)

    report = check(Spy, "SGD", lr=0.1)
    assert report.ok, str(report)


# --- nothing changes here -----------------------------------------------------------------------------------


class Meddling:
    """Changes everything that is global, and itself."""

    seen: list = []  # noqa: RUF012

    def __init__(self, lr):
        self.lr = lr

    def update(self, params, grads):
        self.seen.append(1)
        np.random.seed(1)  # noqa: NPY002
        random.seed(1)
        np.seterr(all="raise")
        os.chdir("/")
        os.environ["MEDDLED"] = "1"
        sys.path.insert(0, "/meddled")
        warnings.simplefilter("ignore")
        sys.setrecursionlimit(5000)
        sys.stdout = None
        for key in params:
            params[key] -= self.lr * grads[key]


def world():
    return {
        "random": (np.random.get_state()[1].tolist(), random.getstate()),  # noqa: NPY002
        "errstate": np.geterr(),
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "path": list(sys.path),
        "warnings": list(warnings.filters),
        "recursion": sys.getrecursionlimit(),
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "input": input,
        "threads": threading.active_count(),
        "seen": list(Meddling.seen),
    }


def test_nothing_global_changes_where_check_is_called():
    before = world()
    assert check(Meddling, "SGD", lr=0.1).ok
    assert world() == before


def test_what_a_reader_prints_is_in_no_report_and_on_no_screen(capfd):
    class Talking(SGD):
        def update(self, params, grads):
            print("here")
            os.write(1, b"there")
            os.write(2, b"there")
            super().update(params, grads)

    report = check(Talking, "SGD", lr=0.1)
    assert report.ok, str(report)
    assert "here" not in str(report)
    assert capfd.readouterr() == ("", "")


# --- there and back -----------------------------------------------------------------------------------------


class Odd:
    def __array__(self, *args, **kwargs):
        raise RuntimeError("no array")

    def __eq__(self, other):
        raise RuntimeError("no equality")

    def __getattr__(self, name):
        raise RuntimeError("no attribute")

    def __repr__(self):
        raise RuntimeError("no words")

    __hash__ = None


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        (lambda: Odd(), None),
        (lambda: {"v": {"W": Odd(), "b": 1.5}}, {"v": {"W": None, "b": 1.5}}),
        (lambda: [Odd, deeper, (i for i in range(3)), threading.Lock()], [None, None, None, None]),
        (lambda: (1, 2j, "字", None, {3}, b"4"), (1, 2j, "字", None, {3}, b"4")),
        (lambda: safety.ReaderError, ReaderError),
    ],
)
def test_only_plain_values_come_back(sent, received):
    assert within_time_limit(sent) == received


def test_arrays_come_back_as_they_are():
    for array in (np.array(1.0, np.float32), np.arange(6).reshape(2, 3).T, np.array(["a", "bc"])):
        found = within_time_limit(lambda array=array: array)
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)


@dataclass
class Kept:
    lr: float
    locked: object = field(default_factory=threading.Lock)

    def update(self, params, grads):
        for key in params:
            params[key] -= self.lr * grads[key]


def test_what_cannot_be_sent_runs_here_and_the_report_says_so():
    lock = threading.Lock()

    def make(lr):
        return Kept(lr, lock)

    report = check(make, "SGD", lr=0.1)
    assert report.ok
    assert report.notes[-1] == IN_A_THREAD
    assert IN_A_THREAD not in check(Kept, "SGD", lr=0.1).notes


def test_what_cannot_be_sent_and_does_not_end_is_given_up(monkeypatch):
    monkeypatch.setattr(safety, "SECONDS", 0.3)
    lock, stop = threading.Lock(), threading.Event()
    with pytest.raises(ReaderError, match="終わりません"):
        within_time_limit(lambda: (lock, stop.wait(5)))
    stop.set()


@pytest.mark.parametrize("name", ["__reduce_ex__", "__getstate__", "__reduce__"])
def test_an_object_that_refuses_to_be_sent_is_no_error(name):
    def refuse(self, *args):
        raise SystemExit if name == "__reduce__" else RuntimeError

    odd = type("Refusing", (SGD,), {name: refuse})(lr=0.1)
    try:
        assert within_time_limit(type, odd) is not odd
    except ReaderError as error:
        assert "\n" not in str(error)


# --- from anywhere ------------------------------------------------------------------------------------------

SCRIPT = """
from fumoto import check
class Mine:
    count = 0
    def __init__(self, lr=0.1): self.lr = lr
    def update(self, params, grads):
        for key in params: params[key] -= self.lr * grads[key]
report = check(Mine, "SGD", lr=0.1)
print("OK" if report.ok and len(report.notes) == 1 else report)
"""


def run_python(*arguments, folder, **options):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, **options
    )


def test_a_script_without_a_main_guard_runs_once(tmp_path):
    (tmp_path / "mine.py").write_text(SCRIPT, encoding="utf-8")
    done = run_python("mine.py", folder=tmp_path)
    assert (done.stdout, done.stderr) == ("OK\n", "")


def test_a_module_that_checks_itself_is_not_run_again(tmp_path):
    (tmp_path / "mine.py").write_text(SCRIPT, encoding="utf-8")
    done = run_python("-c", "import mine; print(mine.check(mine.Mine, 'SGD', lr=0.1).ok)", folder=tmp_path)
    assert (done.stdout, done.stderr) == ("OK\nTrue\n", "")


def test_a_script_from_the_standard_input(tmp_path):
    done = run_python("-", folder=tmp_path, input=SCRIPT)
    assert (done.stdout, done.stderr) == ("OK\n", "")


CELLS = (
    """
from fumoto import check
class Mine:
    def __init__(self, lr=0.1): self.lr = lr
    def update(self, params, grads):
        for key in params: params[key] -= self.lr * grads[key]
class Leaving(Mine):
    def update(self, params, grads): exit()
class Asking(Mine):
    def update(self, params, grads): input("> ")
""",
    "report = check(Mine, 'SGD'); print(report)",
    "print(check(Leaving, 'SGD').verdict)",
    "print(check(Asking, 'SGD').verdict)",
)


def test_a_notebook(tmp_path):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
    nbclient.NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = ["".join(output.text for output in cell.outputs) for cell in notebook.cells]
    assert said[1].startswith("一致: SGD") and IN_A_THREAD not in said[1]
    assert "SystemExit で Python を終わらせようとしました" in said[2]  # not the exit of the kernel
    assert "input() を呼びました" in said[3]


def test_the_registry_of_cloudpickle_is_left_alone():
    import cloudpickle

    assert check(Meddling, "SGD", lr=0.1).ok
    assert cloudpickle.list_registry_pickle_by_value() == set()


def test_a_parent_that_is_killed_leaves_nothing(tmp_path):
    program = (
        "from fumoto.checking.calling import safety, process\n"
        "safety.SECONDS = 1.0\n"
        "def start(gigabytes, real=process.start):\n"
        "    child = real(gigabytes); print(child.pid, flush=True); return child\n"
        "process.start = start\n"
        "def loop():\n    while True: pass\n"
        "safety.within_time_limit(loop)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        child = int(parent.stdout.readline())
        time.sleep(0.6)
        parent.kill()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and os.path.exists(f"/proc/{child}"):
        time.sleep(0.1)
    assert not os.path.exists(f"/proc/{child}")


def test_a_reader_error_keeps_its_variant_on_the_way():
    def raises():
        raise ReaderError("一文", "loop/x")

    with pytest.raises(ReaderError) as error:
        within_time_limit(raises)
    assert (str(error.value), error.value.variant) == ("一文", "loop/x")
    assert pickle.loads(pickle.dumps(error.value)).variant == "loop/x"
