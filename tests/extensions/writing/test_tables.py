"""The tables of the fields: when they are made again, and how they get into the book."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from sphinx.errors import ExtensionError

from rebuilding import page_inputs
from writing import tables

EQUATION = "```{math}\n:label: eq-a\nw_{t+1} = w_t\n```\n% domain: w_t in R\n"
FIELD = "```{write} write-sgd\n:method: SGD\n```\n"
PAGE = f"# Page\n\nProse.\n\n{EQUATION}\nMore prose.\n\n{FIELD}"
FILES = {
    "book/page.md": PAGE,
    "code/fumoto/checking/candidates/table.py": "A = 1\n",
    "code/fumoto/printed/pages.py": "B = 1\n",
    "code/fumoto/validation.py": "C = 1\n",
    "code/fumoto/hints.py": "D = 1\n",
    "code/fumoto/optimizers.py": "E = 1\n",
}
# A package whose tables are one line
MAKING = """import sys
from pathlib import Path
folder = Path(sys.argv[1])
folder.mkdir(parents=True)
(folder / "SGD.js").write_text("made")
"""


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def root(tmp_path):
    for name, text in FILES.items():
        write(tmp_path, name, text)
    return tmp_path


# --- when they are made again ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("book/page.md", "= w_t", "= 2 w_t"),
        ("book/page.md", "in R", "in [0, 1]"),
        ("code/fumoto/checking/candidates/table.py", "1", "2"),
        ("code/fumoto/printed/pages.py", "1", "2"),
        ("code/fumoto/validation.py", "1", "2"),
        ("code/fumoto/hints.py", "1", "2"),
    ],
)
def test_an_equation_or_a_module_that_checks_makes_other_tables(root, name, old, new):
    before = tables.fingerprint(root)
    write(root, name, FILES[name].replace(old, new))
    assert tables.fingerprint(root) != before
    write(root, name, FILES[name])
    assert tables.fingerprint(root) == before


def test_a_module_more_or_of_another_name_makes_other_tables(root):
    before = tables.fingerprint(root)
    write(root, "code/fumoto/checking/more.py", "")
    more = tables.fingerprint(root)
    (root / "code/fumoto/checking/more.py").rename(root / "code/fumoto/checking/other.py")
    assert len({before, more, tables.fingerprint(root)}) == 3


def test_another_version_of_a_library_makes_other_tables(root, monkeypatch):
    before = tables.fingerprint(root)
    monkeypatch.setattr(tables, "version", lambda name: "0")
    assert tables.fingerprint(root) != before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("book/page.md", PAGE.replace("Prose.", "Other words.")),
        ("book/other.md", "# No equation\n"),
        ("code/fumoto/optimizers.py", "E = 2\n"),
        ("code/fumoto/checking/README.md", "words\n"),
    ],
)
def test_prose_and_what_checks_nothing_keep_the_tables(root, name, text):
    before = tables.fingerprint(root)
    write(root, name, text)
    assert tables.fingerprint(root) == before


def test_all_the_checking_of_the_book_is_counted():
    """Modules of other rooms that the tables are made with would be missing from the fingerprint."""
    package = page_inputs.ROOT / "code" / "fumoto"
    used = run(page_inputs.ROOT / "code", "import sys, fumoto.checking.in_browser.files; print(*sys.modules)")
    ours = {name.split(".")[1] for name in used.split() if name.startswith("fumoto.")}
    assert ours <= {Path(name).stem for name in tables._MODULES}
    assert all((package / name).exists() for name in tables._MODULES)


def run(code, program):
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(code)!r}); {program}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


# --- how they get into the book --------------------------------------------------------------------------


@pytest.fixture
def build(root, monkeypatch):
    """``build()`` is one build of the book, whose tables a small package makes. What was copied into it, by name."""
    monkeypatch.setattr(page_inputs, "ROOT", root)
    monkeypatch.setattr(tables, "fingerprint", lambda: tables_of[0])
    for name in ("__init__", "checking/__init__"):
        write(root, f"code/fumoto/{name}.py", "")
    write(root, "code/fumoto/checking/in_browser.py", MAKING)
    out = root / "build" / "html"

    def build(builder="html", exception=None):
        app = SimpleNamespace(srcdir=root / "book", outdir=out, builder=SimpleNamespace(name=builder))
        tables.start(app)
        build.made = getattr(app, "writing_process", None) is not None
        tables.finish(app, exception)
        return {path.name: path.read_text() for path in (out / "_static" / "write" / "tables").glob("*")}

    tables_of = build.fingerprint = ["one"]
    return build


def test_the_tables_are_made_once_and_copied_into_every_build(build, root):
    assert build() == {"SGD.js": "made"} and build.made
    (root / "build/html/_static/write/tables/SGD.js").unlink()
    assert build() == {"SGD.js": "made"} and not build.made


def test_other_tables_take_the_place_of_the_old_ones(build, root):
    build()
    build.fingerprint[0] = "two"
    write(root, "code/fumoto/checking/in_browser.py", MAKING.replace('"made"', '"new"'))
    assert build() == {"SGD.js": "new"} and build.made
    assert [path.name for path in (root / "build/cache/write").iterdir()] == ["two"]


def test_a_build_that_fails_copies_nothing_and_keeps_what_was_made(build):
    assert build(exception=ValueError()) == {}
    assert build() == {"SGD.js": "made"} and not build.made


def test_one_volume_needs_no_tables(build):
    assert build(builder="singlehtml") == {} and not build.made


def test_a_book_without_a_field_needs_no_tables(build, root):
    write(root, "book/page.md", PAGE.replace(FIELD, ""))
    assert build() == {} and not build.made


def test_what_cannot_be_made_is_an_error_that_says_how_to_see_why_and_is_tried_again(build, root, capfd):
    half = "import sys; from pathlib import Path\nPath(sys.argv[1]).mkdir(parents=True)\nsys.exit('why')\n"
    write(root, "code/fumoto/checking/in_browser.py", half)
    with pytest.raises(
        ExtensionError, match=r"表を作れませんでした\(python -m fumoto\.checking\.in_browser\)"
    ):
        build()
    assert capfd.readouterr().err == "why\n"
    write(root, "code/fumoto/checking/in_browser.py", MAKING)
    assert build() == {"SGD.js": "made"} and build.made
