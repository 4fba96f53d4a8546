"""Really built: what is executed again and what is not, what a broken page does, and the same bytes everywhere.

A small book, built by the Makefile, conf.py and extensions of the real one, and (last) the real book itself.
"""

import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from benchmarks.build import pages, run_make
from bs4 import BeautifulSoup

from built import ROOT
from fumoto.experiments import comparison

pytestmark = [
    pytest.mark.build,
    pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed"),
]

MACHINERY = [
    "Makefile",
    "conf.py",
    "requirements.txt",
    "pyproject.toml",
    "book/_ext",
    "book/_static",
    "book/_templates",
    "book/locale",
]
INDEX = """
# Small

```{toctree}
first
second
words
```
"""
FIRST = """---
file_format: mystnb
kernelspec:
  name: python3
---

# First

A sentence about {numref}`fig-second`.

```{math}
:label: eq-line
y = 2 x
```
% domain: x in R

```{code-cell} ipython3
---
mystnb:
  figure:
    name: fig-first
    caption: First.
---
import fumoto.lazy
from fumoto.drawing import draw
draw([1, 2])
```
"""
SECOND = """---
file_format: mystnb
kernelspec:
  name: python3
---

# Second

```{code-cell} ipython3
---
mystnb:
  figure:
    name: fig-second
    caption: Second.
---
from fumoto.drawing import draw
from fumoto.numbers import numbers
draw(numbers())
```
"""
WORDS = """
# Words

See {numref}`fig-first` and {eq}`eq-line`.

```{glossary}
summit
  The highest point.
```
"""
PACKAGE = {
    "__init__": "",
    "drawing": (
        "import matplotlib\n\nmatplotlib.rcParams['svg.hashsalt'] = 'small'\n"
        "import matplotlib.pyplot as plt\nfrom matplotlib_inline.backend_inline import set_matplotlib_formats\n"
        "set_matplotlib_formats('svg', metadata={'Date': None})\n\n\n"
        "def draw(values):\n    figure, axes = plt.subplots()\n    axes.plot(values)\n    plt.close(figure)\n    return figure\n"
    ),
    "numbers": "def numbers():\n    return [3, 1, 2]\n",
    "lazy": "def unused():\n    import fumoto.numbers\n",
}


class Book:
    """A book in a folder of its own, built with ``make html``."""

    def __init__(self, folder):
        self.folder = folder

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, name, old, new):
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def run(self, *settings):
        return run_make(self.folder, *settings)

    def build(self, *settings):
        """Build; the names of the pages that were executed."""
        done = self.run(*settings)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return set(pages(done.stdout + done.stderr))

    def html(self, page):
        return (self.folder / "build" / "html" / f"{page}.html").read_text(encoding="utf-8")


def copy_machinery(folder):
    for name in MACHINERY:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
        else:
            shutil.copy(source, target)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("small"))
    copy_machinery(book.folder)
    for name, text in {"index": INDEX, "first": FIRST, "second": SECOND, "words": WORDS}.items():
        book.write(f"book/{name}.md", text)
    for name, text in PACKAGE.items():
        book.write(f"code/fumoto/{name}.py", text)
    book.write("book/references.bib", "")
    (book.folder / "tests").mkdir()
    assert book.build() == {"first", "second"}
    return book


def differences(first, second):
    """Relative names of the files that are not the same in both folders."""
    names = {path.relative_to(folder) for folder in (first, second) for path in folder.rglob("*")}
    return [
        str(name)
        for name in sorted(names)
        if not (first / name).is_dir() or not (second / name).is_dir()
        if not (
            (first / name).is_file()
            and (second / name).is_file()
            and filecmp.cmp(first / name, second / name, shallow=False)
        )
    ]


def same_as_cold(book, tmp_path):
    """What lies in build/html is what a build from nothing gives."""
    built = book.folder / "build" / "html"
    shutil.copytree(built, tmp_path / "before")
    shutil.rmtree(book.folder / "build")
    book.build()
    return differences(tmp_path / "before", built)


def test_nothing_changed_executes_nothing_and_changes_no_byte(small, tmp_path):
    shutil.copytree(small.folder / "build" / "html", tmp_path / "html")
    assert small.build() == set()
    assert differences(tmp_path / "html", small.folder / "build" / "html") == []


def test_links_to_the_repository_and_the_card_need_their_addresses(small, monkeypatch):
    before = small.html("first")
    assert "binder" not in before and "source-file-button" not in before
    monkeypatch.setenv("FUMOTO_REPOSITORY", "https://github.com/someone/fumoto")
    monkeypatch.setenv("FUMOTO_URL", "https://someone.github.io/fumoto/")
    assert small.build() == set()
    card = 'property="og:image" content="https://someone.github.io/fumoto/_static/card.png"'
    assert card in small.html("first") and "og:image" not in before
    assert (small.folder / "build/html/_static/card.png").is_file()
    links = [
        a["href"]
        for a in BeautifulSoup(small.html("first"), "html.parser").select(".bd-header-article a[href]")
    ]
    binder = (
        "https://mybinder.org/v2/gh/someone/fumoto/HEAD?urlpath=lab/tree/build/html/_downloads/first.ipynb"
    )
    assert binder in links
    assert "https://github.com/someone/fumoto" in links
    assert "https://github.com/someone/fumoto/blob/main/book/first.md?plain=1" in links
    assert "mybinder" not in small.html("words")  # no cells
    monkeypatch.delenv("FUMOTO_REPOSITORY")
    monkeypatch.delenv("FUMOTO_URL")
    assert small.build() == set()
    assert small.html("first") == before


def test_an_edited_sentence_executes_nothing(small):
    small.edit("book/first.md", "A sentence", "Another sentence")
    assert small.build() == set()
    assert "Another sentence" in small.html("first")
    assert "<svg" in small.html("first") or "_images/" in small.html("first")


def test_an_edited_cell_executes_its_page_only(small):
    small.edit("book/first.md", "draw([1, 2])", "draw([2, 1])")
    assert small.build() == {"first"}


def test_an_edited_module_executes_the_pages_that_loaded_it(small):
    small.edit("code/fumoto/numbers.py", "[3, 1, 2]", "[1, 3, 2]")
    assert small.build() == {"second"}  # ``lazy`` only mentions it, in a function nobody called
    small.edit("code/fumoto/drawing.py", "axes.plot(values)", "axes.plot(values, 'o')")
    assert small.build() == {"first", "second"}


def test_a_module_loaded_by_a_worker_counts(small):
    small.write("code/fumoto/constant.py", "VALUE = 1\n")
    shutil.copytree(
        ROOT / "code" / "fumoto" / "experiments", small.folder / "code" / "fumoto" / "experiments"
    )
    small.write(
        "code/fumoto/work.py",
        "def work(x):\n    from fumoto.constant import VALUE\n\n    return x + VALUE\n",
    )
    small.edit(
        "book/second.md",
        "draw(numbers())",
        "from fumoto.experiments.parallel import run_parallel\nfrom fumoto.work import work\n"
        "draw(run_parallel(work, [(1,), (2,)], 'x', processes=2))",
    )
    assert small.build() == {"second"}
    small.edit("code/fumoto/constant.py", "1", "2")
    assert small.build() == {"second"}


def test_a_changed_number_is_changed_where_it_is_referred_to(small):
    assert "Fig. 1" in small.html("words") or "図 1" in small.html("words")
    before = re.findall(r'class="std std-numref">([^<]*)', small.html("words"))
    figure = "```{list-table} Table\n:name: tab-new\n* - 1\n```\n\n```{figure} pic.svg\n:name: fig-new\nNew.\n```\n"
    small.write("book/pic.svg", '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>')
    small.edit("book/first.md", "# First\n", "# First\n\n" + figure)
    assert small.build() == set()
    after = re.findall(r'class="std std-numref">([^<]*)', small.html("words"))
    assert before != after


def test_after_many_edits_the_book_is_the_one_built_from_nothing(small, tmp_path):
    small.edit("book/words.md", "The highest point.", "The foot is below it.")
    assert small.build() == set()
    small.edit("book/_static/book.css", "line-break: strict", "line-break: loose")
    assert small.build() == set()
    assert same_as_cold(small, tmp_path) == []


def test_a_failing_cell_names_page_and_cell_and_keeps_the_last_book(small, tmp_path):
    shutil.copytree(small.folder / "build" / "html", tmp_path / "html")
    good = (small.folder / "book/second.md").read_text(encoding="utf-8")
    small.edit("book/second.md", "draw(", "1 / 0\ndraw(")
    done = small.run()
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "second.md" in said and "ZeroDivisionError" in said and "1 / 0" in said
    assert "Cell In" in said
    assert differences(tmp_path / "html", small.folder / "build" / "html") == []
    small.write("book/second.md", good)
    small.build()
    assert differences(tmp_path / "html", small.folder / "build" / "html") == []


def test_a_warning_fails_again_if_nothing_was_repaired(small):
    good = (small.folder / "book/words.md").read_text(encoding="utf-8")
    small.edit("book/words.md", "See ", "See {numref}`fig-nowhere` ")
    assert small.run().returncode != 0
    assert small.run().returncode != 0
    small.write("book/words.md", good)
    small.build()


@pytest.mark.parametrize("cell", ["figure", "value"])
def test_a_cell_without_its_output_fails_the_build(small, cell):
    good = (small.folder / "book/second.md").read_text(encoding="utf-8")
    if cell == "figure":
        small.edit("book/second.md", "draw(", "_ = draw(")
    else:
        small.write("book/second.md", good + "\n```{code-cell} ipython3\nNone\n```\n")
    done = small.run()
    assert done.returncode != 0
    assert re.search(
        "second.md の . 番目のセルに、あるはずの(図|出力)がありません", done.stdout + done.stderr
    )
    small.write("book/second.md", good)
    small.build()


def test_an_output_lost_from_the_memory_is_not_published(small):
    [executed] = (small.folder / "build/cache/second/executed").glob("*/base.ipynb")
    notebook = json.loads(executed.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if "draw" in "".join(cell["source"]):
            cell["outputs"] = []
    executed.write_text(json.dumps(notebook), encoding="utf-8")
    small.edit("book/second.md", "# Second", "# The second")
    done = small.run()
    assert done.returncode != 0
    assert "second.md の 1 番目のセルに、あるはずの図がありません" in done.stdout + done.stderr
    shutil.rmtree(small.folder / "build/cache/second")
    assert small.build() == {"second"}


def test_a_code_edit_while_the_page_runs_is_not_remembered(small):
    good = (small.folder / "book/first.md").read_text(encoding="utf-8")
    small.write(
        "book/first.md",
        good
        + "\n```{code-cell} ipython3\nfrom pathlib import Path\nimport fumoto\n"
        + "Path(fumoto.__file__).with_name('numbers.py').open('a').write('#')\n```\n",
    )
    assert small.build() == {"first"}
    assert "first" in small.build()
    small.write("book/first.md", good)
    small.build()


def test_a_removed_page_leaves_nothing_behind(small, tmp_path):
    (small.folder / "book/second.md").unlink()
    small.edit("book/index.md", "second\n", "")
    small.edit("book/first.md", " about {numref}`fig-second`", "")
    small.build()
    assert not (small.folder / "build/html/second.html").exists()
    assert same_as_cold(small, tmp_path) == []


@pytest.fixture(scope="module")
def other_environment(tmp_path_factory):
    """The settings of ``make`` for an environment in another place.

    The files are the very same (hard links where possible), so this takes seconds; but Python finds every package, and
    the packages find their data, under the other path. A link to the folder would not do: who resolves it would get the
    first path again, and nobody would notice that it is in the pages.
    """
    folder = tmp_path_factory.mktemp("environment") / "venv"

    def link(source, target):
        try:
            os.link(source, target)
        except OSError:  # another file system
            shutil.copy2(source, target)

    shutil.copytree(sys.prefix, folder, symlinks=True, copy_function=link)
    where = "import sys, sphinx, numpy; print(sys.prefix, sphinx.__file__, numpy.__file__)"
    done = subprocess.run([folder / "bin/python", "-c", where], capture_output=True, text=True, check=True)
    assert all(Path(path).is_relative_to(folder) for path in done.stdout.split()), done.stdout
    return [f"VENV={folder}", f"--assume-old={folder}/installed"]


def test_two_folders_and_any_number_of_processes_give_the_same_bytes(small, other_environment, tmp_path):
    other = Book(tmp_path / "elsewhere" / "deeper")
    shutil.copytree(small.folder, other.folder, ignore=shutil.ignore_patterns("build", "__pycache__"))
    shutil.rmtree(small.folder / "build")
    small.build("JOBS=1")
    other.build("JOBS=auto", *other_environment)
    assert (other.folder / "build/html/.buildinfo").is_file() and (
        other.folder / "build/html/_static/tex-svg.js"
    ).is_file()
    assert differences(small.folder / "build" / "html", other.folder / "build" / "html") == []


# --- the real book ----------------------------------------------------------------------------------------

INSTALLED = (".venv", ".git", "__pycache__", "node_modules")  # not part of the book


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A copy of this repository, with what ``make html`` remembers of it."""
    if not (ROOT / "build" / "cache").is_dir():
        pytest.skip("make html has not been run here")
    folder = tmp_path_factory.mktemp("real") / "book"
    not_copied = (".*_cache", ".hypothesis", "next", "html", "doctrees")
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*INSTALLED, *not_copied))
    return Book(folder)


def test_the_real_book_moved_elsewhere_executes_nothing(real):
    assert real.build() == set()
    assert differences(ROOT / "build" / "html", real.folder / "build" / "html") == []


def test_a_sentence_of_the_real_book_executes_nothing(real):
    real.edit("book/06-comparison.md", "## まとめ", "新しい一文です。\n\n## まとめ")
    assert real.build() == set()
    assert "新しい一文です。" in real.html("06-comparison")


TRAINING = {6: "comparison", 7: "overfitting", 8: "initial-values", 9: "batchnorm"}
STALE = """
from pathlib import Path
from types import SimpleNamespace
import conf  # where the extensions are, and the number of threads
from rebuilding import execution
pages = {path.stem: path.resolve() for path in Path("book").glob("*.md")}
app = SimpleNamespace(env=SimpleNamespace(doc2path=pages.get), outdir=Path("build/next").resolve())
print(*[page for page in pages if execution.must_run(app, page)])
"""


def would_execute(book, *edit):
    """The pages that ``make html`` would execute after this edit, which is undone."""
    book.edit(*edit)
    command = [sys.executable, "-c", STALE]
    done = subprocess.run(command, cwd=book.folder, capture_output=True, text=True, check=True)
    file, old, new = edit
    book.edit(file, new, old)
    return set(done.stdout.split())


def test_an_edit_executes_the_pages_that_use_it_and_no_others(real):
    """The table of checks shows the lines of every module."""
    edit = "code/fumoto/batchnorm.py", "self.training = training", "self.training = bool(training)"
    assert would_execute(real, *edit) == {"09-batchnorm", "appendix-verification"}
    edit = "code/fumoto/layers.py", "self.x = matrix(", "# ここ\n        self.x = matrix("
    assert would_execute(real, *edit) == {"appendix-verification"}
    edit = "code/fumoto/layers.py", "self.x = matrix(", "self.x = 1 * matrix("
    assert would_execute(real, *edit) > {f"0{chapter}-{name}" for chapter, name in TRAINING.items()}


ADAM = "m_hat = m / (1 - self.beta1**t)", "m_hat = m / (1 - self.beta1 ** (3 * t))"
NUMBERS = """
from fumoto.experiments.comparison import mnist_comparison
for name, found in mnist_comparison().best().items():
    print(name, f"{found.training_loss.mean():.3f}")
"""


def test_an_edit_of_adam_executes_its_pages_and_computes_its_trainings(real):
    """Afterwards the page and the tests see the same new numbers for Adam, and the old ones for the others."""
    results = real.folder / "build" / "results"
    real.build()
    before, kept = rows_of_the_comparison(real), set(results.rglob("*.pickle"))
    real.edit("code/fumoto/optimizers.py", *ADAM)
    assert real.build() == {
        *("05-adam", "06-comparison", "07-overfitting", "10-after-adam"),
        *("choosing", "appendix-verification"),
    }
    computed = Counter(path.parent.name.rpartition(".")[2] for path in set(results.rglob("*.pickle")) - kept)
    claims = computed.pop("examine")  # those that use Adam
    assert 0 < claims < 60
    trainings = {"dedented_adam": 1 + 1, "course": 1}  # of a claim the first seed
    few = computed.pop("learn_few") + computed.pop("learn_stopped")  # every method of chapter 7 is Adam
    assert 100 < few < 250
    learned = computed.pop("learn")  # a trial of each setting at least, and not those of another method
    assert comparison.LINE + comparison.FREE < learned < 200
    assert computed == {**trainings, "descents": 2 + 2, "range_test": 1, "valleys": 2}

    after = rows_of_the_comparison(real)
    assert [name for name in before if before[name] != after[name]] == ["Adam"]
    command = [sys.executable, "-c", NUMBERS]
    environment = {**os.environ, "PYTHONPATH": str(real.folder / "code")}
    kept = set(results.rglob("*.pickle"))
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert dict(line.split(maxsplit=1) for line in said.splitlines()) == after
    assert set(results.rglob("*.pickle")) == kept  # nothing was computed again


def rows_of_the_comparison(book):
    """Method -> the loss at the end, as the page of chapter 6 prints it."""
    cells = [
        [cell.get_text(strip=True) for cell in row.select("td")]
        for row in BeautifulSoup(book.html("06-comparison"), "html.parser").select("table tr")
    ]
    return {row[0]: row[1] for row in cells if len(row) == 6 and "=" in row[5]}


def test_the_real_book_is_the_same_bytes_in_another_folder_with_one_process(
    real, other_environment, tmp_path, monkeypatch
):
    """Of each experiment one result is computed again, and with FUMOTO_EVERY_RESULT=1 all of them."""
    other = Book(tmp_path / "one")
    shutil.copytree(ROOT, other.folder, ignore=shutil.ignore_patterns(*INSTALLED, "build"))
    results, again = other.folder / "build" / "results", []
    if os.environ.get("FUMOTO_EVERY_RESULT") != "1":
        shutil.copytree(ROOT / "build" / "results", results)
        made = {path: path.stat().st_mtime for path in results.glob("*/*")}  # by the pages before the tests
        again = [min(experiment.iterdir(), key=made.get) for experiment in results.iterdir()]
        for path in again:
            path.unlink()
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert len(other.build("JOBS=1", *other_environment)) >= 11
    assert sum(path.exists() for path in again) >= len(again) / 2  # some are of tests only
    assert differences(ROOT / "build" / "html", other.folder / "build" / "html") == []


def test_no_sentence_changes_when_rounding_errors_do(real, tmp_path):
    """Another processor adds in another order. Every initial weight is moved by one rounding error instead."""
    other = Book(tmp_path / "rounded")
    shutil.copytree(ROOT, other.folder, ignore=shutil.ignore_patterns(*INSTALLED, "build"))
    # What has no network keeps its results
    shutil.copytree(ROOT / "build" / "results", other.folder / "build" / "results")
    line = "W = np.array(initializer(rng, n_in, n_out), dtype)"
    moved = f"{line}; W = np.nextafter(W, np.asarray(np.inf, W.dtype))"
    other.edit("code/fumoto/stack.py", line, moved)
    assert len(other.build()) >= 11
    changed = []
    for page in sorted((ROOT / "build" / "html").glob("*.html")):
        before, after = (
            sentences(folder / page.name) for folder in (page.parent, other.folder / "build/html")
        )
        assert len(before) == len(after)
        changed += [(page.name, *pair) for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert changed == []


def sentences(page):
    """The paragraphs and captions of a built page, without those in tables."""
    text = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    nodes = text.select("article p, article figcaption")
    return [node.get_text() for node in nodes if not node.find_parent("td")]
