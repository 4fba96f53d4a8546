"""What decides whether a page is executed again: its fingerprint changes with every input, and with nothing else."""

import re
import shutil

import pytest

from built import ROOT
from rebuilding import page_inputs
from rebuilding.page_inputs import READS, cells, code, fingerprint, local_modules, shows_something

PAGE = """
A sentence.

```{code-cell} ipython3
import fumoto.datasets
```

```python
not = "executed"
```
"""
MODULES = ["fumoto", "fumoto.datasets", "fumoto.printed.pages", "fumoto.experiments.verification"]


@pytest.fixture
def copy(tmp_path):
    for name in ("code/fumoto", "book", "tests/equation_checks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "mnist"))
    mnist = tmp_path / "code/fumoto/data/mnist"
    mnist.mkdir(parents=True)
    (mnist / "labels").write_bytes(b"1")
    return tmp_path


def test_only_code_cells_count():
    assert cells(PAGE) == ["import fumoto.datasets\n"]
    assert fingerprint(PAGE, MODULES) == fingerprint(PAGE.replace("sentence", "word"), MODULES)
    assert fingerprint(PAGE, MODULES) != fingerprint(PAGE.replace("datasets", "layers"), MODULES)
    assert fingerprint(PAGE, MODULES) != fingerprint(PAGE, MODULES[:-1])


EDITS = {
    "module": ("code/fumoto/datasets.py", "", "# x\n"),
    "data": ("code/fumoto/data/mnist/labels", "1", "2"),
    "equation": ("book/02-sgd.md", r"w_t - \eta g_t", r"w_t + \eta g_t"),
    "domain": ("book/02-sgd.md", "% domain: ", "% domain:  "),
    "figure name": ("book/02-sgd.md", "name: fig-", "name: fig-x"),
    "a line of a check that is linked to": ("tests/equation_checks/registry.py", "", "# x\n"),
    "bibliography": ("book/references.bib", "", "% x\n"),
    "a line of a module that is only shown": ("code/fumoto/surfaces.py", "", "# x\n"),
}


@pytest.mark.parametrize("kind", EDITS)
def test_every_input_counts(copy, kind):
    name, old, new = EDITS[kind]
    before = fingerprint(PAGE, MODULES, copy)
    assert before == fingerprint(PAGE, MODULES, copy)
    text = (copy / name).read_text(encoding="utf-8")
    assert old in text
    (copy / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    assert fingerprint(PAGE, MODULES, copy) != before


@pytest.mark.parametrize("name", ["book/02-sgd.md", "code/fumoto/layers.py"])
def test_sentences_and_other_modules_do_not_count(copy, name):
    before = fingerprint(PAGE, MODULES[:3], copy)
    text = (copy / name).read_text(encoding="utf-8")
    (copy / name).write_text(text + "\n新しい一文です。\n" * name.endswith("md") + "# x\n", encoding="utf-8")
    assert fingerprint(PAGE, MODULES[:3], copy) == before


def test_a_new_package_counts(copy):
    """Its name is in the cell that is added to every page: what was executed before is not found any more."""
    before = fingerprint(PAGE, MODULES, copy)
    (copy / "tests" / "another").mkdir()
    (copy / "tests" / "another" / "__init__.py").write_text("", encoding="utf-8")
    assert fingerprint(PAGE, MODULES, copy) != before


def test_libraries_and_the_kernel_of_the_matrix_products_count(monkeypatch):
    before = fingerprint(PAGE, MODULES)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "another")
    assert fingerprint(PAGE, MODULES) != before
    monkeypatch.undo()
    monkeypatch.setattr(page_inputs, "version", lambda name: "0")
    assert fingerprint(PAGE, MODULES) != before


def test_every_module_that_reads_a_file_says_which():
    reading = re.compile(r"\b(read_text|read_bytes|open|glob|rglob|iterdir|files)\(")
    for module in local_modules():
        if not module.startswith("fumoto"):
            continue
        source = page_inputs._source(module, ROOT).decode()
        assert bool(reading.search(source)) == (module in READS), module


def test_every_module_is_found():
    modules = list(local_modules())
    assert {"fumoto", "fumoto.checking.optimizer", "equation_checks.registry"} <= set(modules)
    assert all(page_inputs._source(module, ROOT) for module in modules if module != "fumoto.figures")


@pytest.mark.parametrize(
    ("source", "shows"),
    [
        ("draw()", True),
        ("draw();", False),
        ("x = draw()", False),
        ("---\nmystnb:\n  figure:\n    name: fig-x\n---\ndraw()", True),
        (":tags: [remove-input]\ndraw()", True),
        ("", False),
    ],
)
def test_which_cells_show_something(source, shows):
    assert shows_something(source) is shows


@pytest.mark.parametrize(
    "head", ["", ":tags: [remove-cell]\n", "---\nmystnb:\n  figure:\n    name: fig-x\n---\n"]
)
def test_the_code_of_a_cell_is_all_of_its_lines(head):
    """A tagged cell too: what it alone uses must renew the page."""
    assert code(f"{head}rows = run()\ndraw(rows)\n") == "rows = run()\ndraw(rows)\n"
