"""``fumoto check PATH``: what it finds, what it says, and its exit code."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from functools import partial
from pathlib import Path

import pytest

from fumoto.command import main
from fumoto.command.kinds import kind_of
from fumoto.command.showing import VERSION

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "code")}


def run(capsys, *arguments):
    """(exit code, all that is said)."""
    try:
        code = main(["check", *map(str, arguments)])
    except SystemExit as exit_:
        code = exit_.code
    captured = capsys.readouterr()
    assert "Traceback" not in captured.out + captured.err
    return code, captured.out + captured.err


def spawn(*arguments, **options):
    options = {"env": ENVIRONMENT, "capture_output": True, "text": True, "encoding": "utf-8", **options}
    return subprocess.run([sys.executable, "-m", "fumoto", *map(str, arguments)], check=False, **options)


SGD = """
class MySGD:
    def __init__(self, lr=0.1):
        self.lr = lr

    def update(self, params, grads):
        for key in params:
            params[key] -= self.lr * grads[key]
"""
UPHILL = SGD.replace("MySGD", "UphillSGD").replace("-=", "+=")


@pytest.fixture
def write(tmp_path):
    def write(text, name="mine.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


# --- one thing, as it is named ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "arguments", "status", "said"),
    [
        ("params[key] -= self.lr * grads[key]", ["--lr", "0.1"], 0, "一致"),
        ("params[key] += self.lr * grads[key]", ["--lr", "0.1"], 1, "既知の間違い: 符号が逆"),
        ("params[key] -= self.lr * grads[key]", [], 0, "一致"),
        ("params[key] -= (", ["--lr", "0.1"], 2, "読み込めません: SyntaxError"),
        ("params[key] -= nothing", ["--lr", "0.1"], 2, "NameError"),
    ],
)
def test_one_thing_of_a_file(write, capsys, body, arguments, status, said):
    path = write(
        "class Mine:\n    def __init__(self, lr): self.lr = lr\n"
        f"    def update(self, params, grads):\n        for key in params: {body}\n"
    )
    code, text = run(capsys, f"{path}:Mine", "--like", "SGD", *arguments)
    assert (code, said in text) == (status, True), text


@pytest.mark.parametrize("target", ["nowhere.py:Mine", "nowhere.py", "nowhere/"])
def test_a_missing_file_is_named(capsys, target):
    code, text = run(capsys, target)
    assert (code, "がありません" in text) == (2, True)


def test_an_error_inside_the_file_is_named(write, capsys):
    path = write("class Mine: pass\n{}['鍵']\n")
    code, text = run(capsys, f"{path}:Mine", "--like", "SGD", "--lr", "0.1")
    assert (code, "2 行目で KeyError が起きました: '鍵'" in text) == (2, True), text
    write("class Other: pass\n")
    code, text = run(capsys, f"{path}:Mine")
    assert (code, "mine.py に Mine がありません" in text) == (2, True), text
    write("{}['鍵']\n")
    code, text = run(capsys, f"{path}:Mine")
    assert (code, "読み込めません: 1 行目で KeyError" in text) == (2, True), text


def test_the_modules_beside_the_file_are_found(write, capsys):
    before = list(sys.path)
    write("from fumoto.optimizers import SGD\n", "beside_mine.py")
    path = write("from beside_mine import SGD as Mine\n")
    code, text = run(capsys, f"{path}:Mine", "--like", "SGD", "--lr", "0.1")
    assert code == 0, text
    assert sys.path == before
    assert "beside_mine" not in sys.modules


def test_an_argument_the_method_does_not_have_is_refused(write, capsys):
    path = write("from fumoto.optimizers import SGD as Mine\n")
    code, text = run(
        capsys, f"{path}:Mine", "--like", "SGD", "--lr", "0.1", "--beta1", "0.9", "--decay-rate", "0.9"
    )
    assert (code, "SGD に引数 --beta1, --decay-rate はありません" in text) == (2, True), text
    code, text = run(capsys, f"{path}:Mine", "--like", "SGD", "--lr", "-0.1")
    assert (code, "lr は正の数" in text) == (2, True), text


# --- whole files --------------------------------------------------------------------------------------------

FILE = f"""
import os, sys
sys.path.append(os.pardir)
import numpy as np
import a_library_that_is_not_here

class Optimizer:
    def update(self, params, grads):
        raise NotImplementedError
{SGD}{UPHILL}
class Halting(Optimizer):
    def __init__(self, lr=0.1):
        pass
    def update(self, params, grads):
        return undefined

def my_he(rng, n_in, n_out):
    return rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out))

def weights(rng, n_in, n_out):
    return rng.normal(0, np.sqrt(1 / n_in), (n_in, n_out))

def other_weights(rng, n_in, n_out):
    return rng.normal(0, 0.01, (n_in, n_out))

class BatchNorm:
    def __init__(self, gamma, beta, decay_rate=0.9, eps=1e-5):
        from fumoto.batchnorm import BatchNorm
        self.inner = BatchNorm(gamma, beta, decay_rate=decay_rate, eps=eps)
        self.grads = self.inner.grads
    def forward(self, x, training):
        return self.inner.forward(x, training)
    def backward(self, dout):
        dx = self.inner.backward(dout)
        self.grads = self.inner.grads
        return dx

class Relu:
    def forward(self, x): return x * (x > 0)
    def backward(self, dout): return dout

def plot(history): pass
print("x" * 1000)
if __name__ == "__main__":
    input("press return")
"""


def rows_of(capsys, path, *arguments):
    code, text = run(capsys, "--json", path, *arguments)
    data = json.loads(text)
    assert (data["version"], data["status"]) == (VERSION, code)
    return code, {row["name"]: row for row in data["results"]}


def test_a_file_is_judged_from_top_to_bottom(write, capsys):
    code, rows = rows_of(capsys, write(FILE))
    assert code == 1
    judged = {name: (row["kind"], row["ok"]) for name, row in rows.items() if row["ok"] is not None}
    assert judged == {
        "MySGD": ("optimizer", True),
        "UphillSGD": ("optimizer", False),
        "my_he": ("initializer", True),
        "weights": ("initializer", True),
        "BatchNorm": ("batchnorm", True),
    }
    assert {
        name: row["method"] for name, row in rows.items() if row["kind"] == "initializer" and row["ok"]
    } == {
        "my_he": "he",
        "weights": "xavier",
    }
    assert rows["UphillSGD"]["equation"] == "eq-sgd-w"
    assert "符号が逆" in rows["UphillSGD"]["text"]
    reasons = {name: row["why"] for name, row in rows.items() if row["ok"] is None}
    assert reasons["Optimizer"] == "基底クラスです"
    assert reasons["Relu"] == "BatchNorm ではない層です"
    assert "undefined" in reasons["Halting"]
    assert "どの標準偏差でもありません" in reasons["other_weights"]
    assert "どれの形でもありません" in reasons["plot"]
    assert "a_library_that_is_not_here" in reasons[""]
    lines = FILE.splitlines()
    assert lines[rows["MySGD"]["line"] - 1] == "class MySGD:"


def test_a_name_promises_a_method(write, capsys):
    momentum = SGD.replace("lr=0.1", "lr=0.1, momentum=0.9").replace(
        "self.lr = lr", "self.lr, self.m, self.v = lr, momentum, {}"
    )
    momentum = momentum.replace(
        "params[key] -= self.lr * grads[key]",
        "self.v[key] = self.m * self.v.get(key, 0) + grads[key]; params[key] -= self.lr * self.v[key]",
    )
    code, rows = rows_of(
        capsys, write(SGD.replace("MySGD", "Momentum") + momentum + momentum.replace("MySGD", "MomentumSGD"))
    )
    assert code == 1
    assert {name: (row["method"], row["ok"]) for name, row in rows.items()} == {
        "Momentum": ("Momentum", False),
        "MySGD": ("Momentum", True),
        "MomentumSGD": ("Momentum", True),
    }
    assert "SGD" in rows["Momentum"]["verdict"]


def test_the_table_and_the_reports_that_matter(write, capsys):
    code, text = run(capsys, write(FILE))
    assert code == 1
    table, *parts = text.split("\n\n")
    assert [line.split()[1] for line in table.splitlines()[1:]] == [
        "MySGD", "UphillSGD", "my_he", "weights", "BatchNorm",
    ]  # fmt: skip
    assert [
        word in line for line, word in zip(table.splitlines()[1:], ["一致", "既知の間違い"], strict=False)
    ] == [
        True,
        True,
    ]
    assert [part.splitlines()[0].split("(")[0] for part in parts[:-1]] == ["── UphillSGD"]
    assert parts[-1].startswith("判定できないもの\n")
    assert "xxxx" not in text


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (SGD, 0),
        (SGD + UPHILL, 1),
        ("def plot(x): pass\n", 2),
        (SGD + "def plot(x): pass\nclass Odd:\n    def run(self): pass\n", 0),
        (SGD + SGD.replace("MySGD", "Other").replace("params[key] -=", "undefined -="), 2),
        (SGD + UPHILL + UPHILL.replace("Uphill", "B").replace("params[key]", "undefined"), 1),
        ("", 2),
    ],
)
def test_the_exit_code(write, capsys, text, status):
    assert run(capsys, write(text))[0] == status


def test_a_notebook(write, capsys):
    def cell(source, kind="code"):
        return {"cell_type": kind, "source": source.splitlines(keepends=True)}

    cells = [
        cell("# 題", "markdown"),
        cell("%matplotlib inline\n!pip install numpy\nimport numpy as np\nnp.ones?"),
        cell("%%bash\nls $HOME | wc"),
        cell("from google.colab import drive"),
        cell("%load_ext autoreload\n" + SGD),
        cell("if True:\n    %time x = 1\nget_ipython()"),
        cell(UPHILL),
    ]
    code, rows = rows_of(capsys, write(json.dumps({"cells": cells}), "note.ipynb"))
    assert code == 1
    assert {name: (row["ok"], row["line"]) for name, row in rows.items() if name} == {
        "MySGD": (True, 4),
        "UphillSGD": (False, 6),
    }
    assert "3 番目のセルで ModuleNotFoundError" in rows[""]["why"]


def test_a_folder(write, capsys, tmp_path):
    write(
        "import tempfile\n" + SGD, "random.py"
    )  # the name of a module of Python itself, which tempfile needs
    write("", "package/__init__.py")
    write(SGD.replace("MySGD", "BaseSGD"), "package/base.py")
    write("from .base import BaseSGD\nclass Derived(BaseSGD):\n    pass\n", "package/derived_sgd.py")
    write("def f(:\n", "broken.py")
    write(UPHILL, ".hidden/wrong.py")
    write(UPHILL, "site-packages/wrong.py")
    code, text = run(capsys, "--json", tmp_path)
    rows = json.loads(text)["results"]
    judged = [(Path(row["file"]).name, row["name"], row["ok"]) for row in rows if row["ok"] is not None]
    assert judged == [
        ("base.py", "BaseSGD", True),
        ("derived_sgd.py", "Derived", True),
        ("random.py", "MySGD", True),
    ]
    assert code == 0
    [broken] = [row for row in rows if row["ok"] is None]
    assert "SyntaxError" in broken["why"]


@pytest.mark.parametrize(
    "last", ["while True: pass", "import os; os._exit(0)", "raise SystemExit", "input()", "1 / 0"]
)
def test_a_file_that_does_not_end_well_is_judged_all_the_same(write, capsys, monkeypatch, last):
    monkeypatch.setattr("fumoto.command.judging.LOADING_SECONDS", 1.0)
    code, rows = rows_of(capsys, write(f"import numpy as np\n{SGD}\n{last}\n"))
    assert (code, rows["MySGD"]["ok"]) == (0, True)


def test_what_cannot_be_sent_is_taken_from_the_file_again(write, capsys):
    text = "import threading\nlock = threading.Lock()\n" + SGD.replace(
        "self.lr = lr", "self.lr, self.lock = lr, lock"
    )
    code, rows = rows_of(capsys, write(text))
    assert (code, rows["MySGD"]["ok"]) == (0, True)
    assert not any("この Python の中で" in note for note in rows["MySGD"]["notes"])


# --- what is what -------------------------------------------------------------------------------------------


def test_kinds_follow_names_and_arguments():
    space = {}
    exec(
        "class Adam:\n def update(self, w): return w\n"
        "class Trainer:\n def update(self): self.x = 1\n def step(self): self.x = 2\n"
        "class Stepper:\n def __init__(self, params, lr=0.1): self.p = params\n def step(self): return self.p\n"
        "class Bn1:\n def __init__(self, gamma, beta): pass\n def forward(self, x): pass\n def backward(self, d): pass\n"
        "def sgd(w, dw, config=None): return w\n"
        "def rms(parameters, grads, s): return s\n"
        "def clip(grads): return grads\n"
        "def made(lr=0.1):\n def update(params, grads): return lr\n return update\n"
        "def loop(gradient, start, lr): return start\n"
        "def xavier(n_in, n_out): return n_in\n"
        "def he_init(shape): return shape\n"
        "def initialize_parameters_he(layers_dims): return layers_dims\n"
        "def init_params(sizes): return sizes\n"
        "def init_state(params): return params\n"
        "class HeNormal:\n def __call__(self, shape): return shape\n"
        "class Kaiming:\n def __call__(self, shape): pass\n"
        "def _adam(w, dw): return w\n"
        "def area(width, height): return width\n",
        space,
    )
    kinds = {name: kind_of(name, thing).name for name, thing in space.items() if name != "__builtins__"}
    assert kinds == {
        "Adam": "optimizer", "Trainer": None, "Stepper": "optimizer", "Bn1": "batchnorm", "sgd": "optimizer",
        "rms": "optimizer", "clip": None, "made": "optimizer", "loop": "optimizer", "xavier": "initializer", "he_init": "initializer",
        "initialize_parameters_he": "initializer", "init_params": "initializer", "init_state": None,
        "HeNormal": "initializer", "Kaiming": None,
        "_adam": None, "area": None,
    }  # fmt: skip


# --- in a real terminal -------------------------------------------------------------------------------------


def test_a_terminal_of_any_encoding(write):
    command = (write(UPHILL), "--like", "SGD")
    for encoding in ("ascii", "cp932", "utf-8"):
        done = spawn(
            "check",
            *command,
            env={**ENVIRONMENT, "LC_ALL": "C", "PYTHONIOENCODING": encoding},
            encoding=encoding,
        )
        assert (done.returncode, done.stderr) == (1, "")
        assert "UphillSGD" in done.stdout
        assert "\x1b" not in done.stdout
        done = spawn(
            "check", "--json", *command, env={**ENVIRONMENT, "PYTHONIOENCODING": encoding}, encoding=encoding
        )
        assert "符号が逆" in json.loads(done.stdout)["results"][0]["verdict"]


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX pipe")
def test_a_closed_pipe_is_no_error(write):
    reader, writer = os.pipe()
    os.close(reader)
    done = spawn(
        "check", write(UPHILL), "--like", "SGD", capture_output=False, stdout=writer, stderr=subprocess.PIPE
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_an_interrupted_command_says_nothing_and_leaves_nothing(write, tmp_path):
    here = tmp_path / "here"
    loop = f"open({str(here)!r}, 'w').write(str(os.getpid()))\n        while True: pass"
    path = write("import os\n" + SGD.replace("for key in params:", loop + "\n        for key in params:"))
    command = [sys.executable, "-m", "fumoto", "check", str(path)]
    options = {"env": ENVIRONMENT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # tests in the background ignore it
    with subprocess.Popen(command, preexec_fn=heard, **options) as process:
        deadline = time.monotonic() + 30
        while not (here.is_file() and here.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=10) == (b"", b"")
    assert process.returncode == 130
    with pytest.raises(ProcessLookupError):
        os.kill(int(here.read_text()), 0)


def test_the_command_is_installed_by_its_name_and_says_how_to_use_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"fumoto": "fumoto.command:run"}
    assert project["entry-points"]["pytest11"] == {"fumoto": "fumoto.command.asserting"}
    done = spawn("check", "--help")
    assert done.returncode == 0
    assert "終了コード: 0" in done.stdout
    assert spawn("check").returncode == 2


def test_the_command_loads_no_more_than_it_needs(write):
    program = (
        "import sys; from fumoto.command import main; main(['check', sys.argv[1]])\n"
        "print(sorted({'scipy.stats', 'matplotlib', 'joblib', 'tqdm'} & set(sys.modules)))"
    )
    path = write(SGD)
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


# --- in pytest ----------------------------------------------------------------------------------------------


def test_a_failed_assertion_shows_the_report(write, tmp_path):
    write(
        f"from fumoto import check\n{SGD}{UPHILL}\n"
        "def test_right(): assert check(MySGD, 'SGD', lr=0.1)\n"
        "def test_wrong(): assert check(UphillSGD, 'SGD', lr=0.1)\n"
        "def test_other(): assert 1 == 2\n",
        "test_homework.py",
    )
    arguments = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    plugin = [] if _is_installed() else ["-p", "fumoto.command.asserting"]
    done = subprocess.run(
        [*arguments, *plugin, "test_homework.py"],
        cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert "2 failed, 1 passed" in done.stdout, done.stdout
    assert "assert 既知の間違い: 符号が逆(02-sgd.md の eq-sgd-w)" in done.stdout
    section = done.stdout.split(" fumoto ---")[1]
    assert "あなたの計算: w_{t+1} = w_t + \\eta g_t\n" in section
    assert done.stdout.count(" fumoto ---") == 1


def _is_installed():
    from importlib.metadata import entry_points

    return any(point.value == "fumoto.command.asserting" for point in entry_points(group="pytest11"))
