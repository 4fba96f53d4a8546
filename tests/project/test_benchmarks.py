"""What ``make bench`` runs: how time is taken, that every part runs, and that the page can show any result."""

import ast
import importlib
import json
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import myst_nb
import numpy as np
import pytest
from benchmarks import build, pytorch, results, step, timing, update

from fumoto.experiments import speed
from fumoto.experiments.comparison import METHODS
from fumoto.figures import speed as figures
from fumoto.optimizers import BLOCK

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "book" / "appendix-speed.md").read_text(encoding="utf-8")
COMMITTED = speed.results()
main = importlib.import_module("benchmarks.__main__")


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def work(self, seconds):
        def run(n):
            self.now += n * seconds

        return run


# --- how time is taken ------------------------------------------------------------------------------------


def test_the_time_of_one_repetition_is_measured_without_the_first():
    clock, calls = Clock(), []

    def run(n):
        calls.append(n)
        clock.now += n * 0.002 + (0.01 if len(calls) == 1 else 0.0)  # the first run is slower

    assert timing.timed(run, clock=clock)(10) == pytest.approx(0.002)
    assert calls == [1, 10]


def test_what_is_very_slow_is_repeated_less_often():
    clock, calls = Clock(), []

    def run(n):
        calls.append(n)
        clock.now += n * timing.ENOUGH / 4.5

    assert timing.timed(run, clock=clock)(10) == pytest.approx(timing.ENOUGH / 4.5)
    assert calls == [1, 4]


def test_a_measurement_without_warm_up_runs_once():
    clock, calls = Clock(), []
    timing.timed(calls.append, warm=False, clock=clock)(1)
    assert calls == [1]


def test_the_setting_holds_while_running_and_no_longer():
    log, clock = [], Clock()

    @contextmanager
    def around():
        log.append("on")
        yield
        log.append("off")

    measure = timing.timed(lambda n: log.append(n), around, clock=clock)
    for _ in range(2):
        measure(3)
    assert log == ["on", 1, 3, "off"] * 2


def test_contenders_take_turns_and_the_order_is_reversed_every_round():
    order = []

    def contender(name):
        def measure(n):
            order.append(name)
            return len(order) * n

        return measure

    found = timing.interleaved({name: contender(name) for name in "abc"}, rounds=3, n=10)
    assert "".join(order) == "abc" + "cba" + "abc"
    assert found == {"a": [10, 60, 70], "b": [20, 50, 80], "c": [30, 40, 90]}


def test_a_slow_moment_of_the_machine_does_not_move_the_median():
    clock = Clock()
    measure = timing.timed(clock.work(0.001), clock=clock)
    seconds = timing.interleaved({"work": measure}, rounds=9, n=5)["work"]
    seconds[4] = 10.0
    assert timing.summary(seconds)["median"] == pytest.approx(1.0)


def test_the_summary_is_the_median_and_the_quartiles():
    assert timing.summary([0.005, 0.001, 0.003, 0.002, 0.004]) == pytest.approx(
        {"low": 2.0, "median": 3.0, "high": 4.0}
    )
    assert timing.summary([1.5, 2.5], unit=1)["median"] == pytest.approx(2.0)


# --- what is measured -------------------------------------------------------------------------------------


def small_problem(rng):
    x = rng.standard_normal((300, 784), np.float32)
    return x, rng.integers(0, 10, 300)


def test_the_parts_are_those_of_the_real_loop(rng):
    x, t = small_problem(rng)
    plain, dissected = (step.trained("Adam", x, t) for _ in range(2))
    step.run_training(*plain, x, t, 5)
    found = step.parts(*dissected, x, t, 5)
    np.testing.assert_array_equal(dissected[0].vector, plain[0].vector)
    assert set(found) == {"batch", "gradient", "update", "loop"}
    assert min(found.values()) > 0
    assert vars(dissected[0]).keys() == vars(plain[0]).keys()  # what was put in for the clock is gone


def test_the_parts_add_up_to_the_whole(rng):
    x, t = small_problem(rng)
    ticks = iter(range(10**6))
    found = step.parts(*step.trained("SGD", x, t), x, t, 4, clock=lambda: next(ticks))
    readings = next(ticks)
    assert sum(found.values()) * 4 == pytest.approx(readings - 1)  # from the first reading to the last


def test_the_products_are_those_of_a_step(rng, monkeypatch):
    x, t = small_problem(rng)
    network, _, _ = step.trained("SGD", x, t)
    once = step.products(network, x, t)
    shapes = []

    class Watched(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *inputs, out=(), **options):
            if ufunc is np.matmul:
                shapes.append(tuple(array.shape for array in inputs))
            plain = [np.asarray(array) for array in inputs]
            where = {"out": tuple(np.asarray(array) for array in out)} if out else {}
            value = getattr(ufunc, method)(*plain, **where, **options)
            return value.view(Watched) if isinstance(value, np.ndarray) else value

    def watch():
        for _, layer in network.layers:
            layer.params = {name: array.view(Watched) for name, array in layer.params.items()}
            if hasattr(layer, "x"):
                layer.x = np.asarray(layer.x).view(Watched)

    watch()
    once()
    bare, shapes[:] = list(shapes), []
    network.params.update({name: array.view(Watched) for name, array in network.params.items()})
    network.gradient(x[: step.BATCH].view(Watched), t[: step.BATCH])
    assert len(bare) == 14  # five forward, five for the weights, four for the inputs
    assert sorted(bare) == sorted(shapes)


@pytest.mark.parametrize("name", METHODS)
def test_one_array_and_many_are_the_same_update(rng, name):
    x, t = small_problem(rng)
    one = step.updates(name, x, t)["one"]
    many = step.updates(name, x, t)["many"]
    for _ in range(3):
        one(), many()
    weights = one.args[0].vector
    np.testing.assert_array_equal(weights, np.concatenate([w.ravel() for w in many.args[0].values()]))


def test_the_least_bytes_count_what_is_read_and_written():
    found = {name: update.least_bytes(method) for name, method in METHODS.items()}
    assert found["SGD"] == 4 * 3  # reads w and g, writes w
    assert found["Momentum"] == found["AdaGrad"] == 4 * 5
    assert found["Adam"] == found["AdaDelta"] == 4 * 7


def test_the_blocks_tried_include_the_books_and_none():
    sizes = update.block_sizes(10_000_000)
    assert sizes == sorted(sizes)
    assert BLOCK in sizes
    assert sizes[-1] == 10_000_000


def test_only_the_variants_a_method_offers_are_measured():
    def with_fused(params, lr, fused=None):
        """A stand-in for an optimizer of PyTorch."""

    def without(params, lr):
        """Another."""

    method = SimpleNamespace(func=with_fused)
    assert pytorch.variants(method, ("default", "fused")) == {"default": {}, "fused": {"fused": True}}
    assert pytorch.variants(SimpleNamespace(func=without), ("default", "fused")) == {"default": {}}


def test_pytorch_does_the_same_methods():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    assert pytorch.methods(torch).keys() == METHODS.keys()


# --- the build --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    if not (ROOT / ".git").exists():
        pytest.skip("the copy is made of what git lists")
    copy = tmp_path_factory.mktemp("copy").resolve() / "fumoto"
    build.copy_project(copy)
    return copy


def test_the_copy_has_the_sources_and_nothing_that_was_made(copy):
    for name in ("Makefile", "conf.py", "book/index.md", "code/fumoto/data/mnist/LICENSE"):
        assert (copy / name).is_file()
    assert not {"build", ".venv", ".git"} & {path.name for path in copy.iterdir()}


def test_the_pages_of_the_copy_use_its_own_package(copy):
    build.require_own_package(copy)


def test_the_lines_that_are_edited_are_still_there(copy):
    build.replace(copy, *build.ADAM)
    with pytest.raises(build.BuildError, match="書き換える行"):
        build.replace(copy, *build.ADAM)
    build.add_sentence(copy, 0)
    text = (copy / build.SENTENCE_PAGE).read_text(encoding="utf-8")
    assert text.endswith("1 つ目の文です。\n")


def test_a_build_that_fails_says_why(copy):
    (copy / "Makefile").write_text("html:\n\t@echo broken >&2; false\n", encoding="utf-8")
    with pytest.raises(build.BuildError, match="broken"):
        build.make_html(copy)


def test_the_settings_of_the_make_outside_stay_outside(monkeypatch, tmp_path):
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        monkeypatch.setenv(name, "w")
    environment = build.environment(tmp_path)
    assert not {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"} & environment.keys()
    assert environment["PYTHONPATH"] == str(tmp_path / "code")


def test_seconds_per_page_are_read_from_the_log():
    log = (
        "06-comparison.md を実行しました(93.46 秒)\n"
        "somewhere/book/index.md: nothing of the kind\n"
        "01-descent.md を実行しました(4.00 秒)\n"
    )
    assert build.pages(log) == {"01-descent": 4.0, "06-comparison": 93.46}


# --- the command and its file -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """The results of a quick run, in a process of its own."""
    path = tmp_path_factory.mktemp("bench") / "speed.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--output", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for word in ("CPU", "行列の積だけ", "写すだけ", "ワーカーの立ち上げ"):
        assert word in done.stdout
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def fake_parts(monkeypatch):
    """Parts that take no time and return the committed results."""
    parts = {name: (lambda torch, quick, name=name: COMMITTED[name], name) for name in main.PARTS}
    monkeypatch.setattr(main, "PARTS", parts)


def test_a_quick_run_writes_nothing_unless_told_where(fake_parts, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(speed, "DATA", tmp_path / "speed.json")
    main.main(["--quick"])
    assert not speed.DATA.exists()
    main.main([])
    assert json.loads(speed.DATA.read_text(encoding="utf-8")).keys() == {"machine", *main.PARTS}
    assert "本を組む" not in capsys.readouterr().err


def test_parts_are_chosen_by_name(fake_parts, tmp_path, capsys):
    path = tmp_path / "speed.json"
    main.main(["update", "--output", str(path)])
    assert json.loads(path.read_text(encoding="utf-8")).keys() == {"machine", "update"}
    main.main(["step", "--output", str(path)])  # what was measured before is kept
    assert json.loads(path.read_text(encoding="utf-8")).keys() == {"machine", "step", "update"}
    for arguments in (["nothing"], ["--quick", "build"]):
        with pytest.raises(SystemExit):
            main.main(arguments)
        assert "部分は" in capsys.readouterr().err


def test_results_of_two_machines_are_not_mixed(fake_parts, tmp_path, capsys):
    path = tmp_path / "speed.json"
    path.write_text(json.dumps({"machine": {"cpu": "another"}}), encoding="utf-8")
    with pytest.raises(SystemExit, match="別の機械"):
        main.main(["update", "--output", str(path)])
    main.main(["--output", str(path)])  # everything is measured: nothing of the other one is left
    assert json.loads(path.read_text(encoding="utf-8"))["machine"].get("cpu") != "another"


def test_numbers_are_written_with_four_digits(tmp_path):
    path = tmp_path / "speed.json"
    results.write(path, {"b": {"x": 123.456789, "n": 123456789}, "a": 0.000123456})
    expected = '{"a":0.0001235,"b":{"n":123456789,"x":123.5}}'
    assert re.sub(r"\s", "", path.read_text(encoding="utf-8")) == expected


# --- the results and the page -----------------------------------------------------------------------------


def shape(value):
    """The keys, with the ones that differ between machines left out."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items() if key not in {"torch", "blocks", "pages"}}
    return type(value)


def test_a_quick_run_has_the_shape_of_the_committed_results(quick):
    assert quick.keys() == COMMITTED.keys() - {"build"}
    for part in ("step", "update", "comparison"):
        assert shape(quick[part]) == shape(COMMITTED[part])
        assert quick[part].keys() == COMMITTED[part].keys()
    assert quick["machine"].keys() == COMMITTED["machine"].keys()
    assert quick["machine"]["blas_threads"] in (1, None)


def test_the_committed_results_are_complete():
    assert COMMITTED["step"]["whole"].keys() == COMMITTED["update"]["methods"].keys() == METHODS.keys()
    for parts in COMMITTED["step"]["parts"].values():
        assert parts.keys() == set(speed.PARTS)
    assert COMMITTED["update"]["elements"] == 10_000_000
    assert COMMITTED["comparison"]["steps"] > 100 * COMMITTED["comparison"]["trainings"]
    assert COMMITTED["machine"]["blas_threads"] == 1
    pages = {path.stem for path in (ROOT / "book").glob("*.md")}
    assert COMMITTED["build"]["pages"].keys() <= pages


def test_the_committed_results_are_written_as_make_bench_writes_them(tmp_path):
    results.write(tmp_path / "again.json", COMMITTED)
    text = speed.DATA.read_text(encoding="utf-8")
    assert text == (tmp_path / "again.json").read_text(encoding="utf-8")
    assert not re.search(r'"[^"]*[/\\]\w[^"]*"', text)  # no path


def test_quartiles_are_on_both_sides_of_the_median():
    def check(value):
        if isinstance(value, dict) and "median" in value:
            assert value["low"] <= value["median"] <= value["high"]
        elif isinstance(value, dict):
            for item in value.values():
                check(item)

    check(COMMITTED)


def cells():
    pattern = r"^```\{code-cell\} ipython3\n(?:---\n.*?^---\n|(?::[^\n]*\n)*)(.*?)^```$"
    return re.findall(pattern, PAGE, re.M | re.S)


def shown(monkeypatch, tmp_path, found):
    """Run the cells of the page on the results ``found``: ``(what is glued, what is shown)``."""
    path = tmp_path / "found.json"
    results.write(path, found)
    monkeypatch.setattr(speed, "DATA", path)
    glued, outputs, namespace = {}, [], {}
    monkeypatch.setattr(myst_nb, "glue", lambda name, value, display: glued.update({name: value}))
    for cell in cells():
        *body, last = ast.parse(cell).body
        exec(compile(ast.Module(body, []), "cell", "exec"), namespace)
        if isinstance(last, ast.Expr):
            outputs.append(eval(compile(ast.Expression(last.value), "cell", "eval"), namespace))
        else:
            exec(compile(ast.Module([last], []), "cell", "exec"), namespace)
    return glued, [output for output in outputs if output is not None]


def without_torch(found):
    found = json.loads(json.dumps(found))
    found["machine"]["torch"] = None
    found["step"]["torch"] = found["update"]["torch"] = {}
    return found


def on_an_unknown_machine(found):
    return {**found, "machine": {**found["machine"], "blas": None, "kernel": None, "blas_threads": None}}


@pytest.mark.parametrize("change", [dict, without_torch, on_an_unknown_machine])
@pytest.mark.parametrize("source", ["committed", "quick"])
def test_the_page_shows_any_results(source, change, quick, monkeypatch, tmp_path):
    found = change(COMMITTED if source == "committed" else {**COMMITTED, **quick})
    glued, outputs = shown(monkeypatch, tmp_path, found)
    for name, style in re.findall(r"\{glue:text\}`([\w-]+)(?::([^`]+))?`", PAGE):
        assert format(glued[name], style)
    pictures = [output for output in outputs if hasattr(output, "_repr_svg_")]
    assert len(pictures) == len(re.findall("name: fig-", PAGE)) == 4
    assert len({picture.name for picture in pictures}) == 4
    for picture in pictures:
        assert picture._repr_svg_() == picture._repr_svg_()
    for table in outputs:
        assert table in pictures or {len(row) for row in table.rows} == {len(table.header)}


def test_every_figure_of_the_page_has_a_name_a_caption_and_alt_text():
    for cell in re.findall(r"^```\{code-cell\}.*?\n(.*?)^```$", PAGE, re.M | re.S):
        if re.search(r"^figures\.(?!\w+_table)", cell, re.M):
            assert re.search(r"^    name: fig-speed-[\w-]+$", cell, re.M), cell
            assert len(re.search(r"caption: \|\n((?:      .*\n)+)", cell)[1]) > 30
            assert len(re.search(r"^    alt: (.+)$", cell, re.M)[1]) > 15


def test_the_ratios_and_the_traffic_are_computed_from_the_results():
    section = {
        "elements": 1000,
        "copy": {"median": 2.0},
        "copy_bytes": 8000,
        "methods": {"SGD": {"median": 6.0}},
        "bytes": {"SGD": 12000},
        "block": 10,
        "blocks": {"10": {"median": 2.0}, "1000": {"median": 5.0}},
    }
    flow = speed.traffic(section)["SGD"]
    assert (flow.item_bytes, flow.limit, flow.share) == (12, 3.0, 0.5)
    assert flow.gigabytes == pytest.approx(12000 / 6e-3 / 1e9)
    assert speed.copy_gigabytes(section) == pytest.approx(8000 / 2e-3 / 1e9)
    assert speed.unblocked_ratio(section) == 2.5
    assert speed.speedup({"processes": {"1": {"median": 9.0}, "2": {"median": 6.0}}}) == 1.5


def test_without_pytorch_the_tables_have_only_the_books_column():
    section = without_torch(COMMITTED)["step"]
    assert figures.torch_table(section["whole"], section, 3).header == ["手法", "この本"]
