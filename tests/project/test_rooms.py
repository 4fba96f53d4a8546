"""The rooms of the package: arrows go one way, no file is too long to be read, and SymPy waits until it is needed."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from fumoto import printed

CODE = Path(__file__).resolve().parents[2] / "code"
PACKAGE = CODE / "fumoto"
ROOMS = ("printed", "checking", "experiments", "figures")
DOORS = ("__init__", "__main__", "equations", "methods", "variants")  # which lead into the rooms
OPEN = sorted(path for path in PACKAGE.glob("*.py") if path.stem not in DOORS)


def imported(path):
    """The modules of the package that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", OPEN, ids=lambda path: path.stem)
def test_what_the_book_teaches_imports_no_room(path):
    for name in imported(path):
        assert not name.startswith(tuple(f"fumoto.{room}" for room in ROOMS)), name


def test_the_printed_equation_knows_no_checker_and_no_experiment():
    for path in (PACKAGE / "printed").rglob("*.py"):
        for name in imported(path):
            assert not name.startswith(("fumoto.checking", "fumoto.experiments")), (path.name, name)


@pytest.mark.parametrize("room", ["printed", "checking"])
def test_no_file_is_longer_than_300_lines(room):
    for path in (PACKAGE / room).rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path


@pytest.mark.parametrize("room", ["printed", "checking/calling", "checking/computing", "checking/candidates"])
def test_the_map_of_a_room_names_every_module(room):
    folder = PACKAGE / room
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    for path in folder.glob("[a-z]*.py"):
        assert f"``{path.stem}``" in text, path.stem


def test_everything_printed_offers_is_found_and_the_old_doors_lead_to_the_same():
    for name in printed.__all__:
        assert getattr(printed, name) is not None
    for door in ("equations", "methods", "variants"):
        module = import_module(f"fumoto.{door}")
        for name in module.__all__:
            assert getattr(module, name) is getattr(printed, name)
    assert not hasattr(printed, "nothing")


@pytest.mark.parametrize(
    "module", ["fumoto", "fumoto.printed", "fumoto.printed.domains", "fumoto.optimizers"]
)
def test_sympy_is_not_loaded_before_it_is_needed(module):
    program = f"import sys, {module}; sys.exit('sympy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
