"""The rooms of what the book adds to Sphinx: each says what its files are for, and has its tests in the room of the same name."""

import pytest

from built import BOOK, ROOT

ROOMS = [path.parent for path in sorted(BOOK.glob("_ext/*/__init__.py"))]


def test_every_extension_is_in_a_room_and_every_room_has_its_tests():
    """But for the Python that runs in the browser (writing/frame)."""
    modules = [path for path in BOOK.glob("_ext/**/*.py") if "frame" not in path.parts]
    assert {path.parent for path in modules} == set(ROOMS)
    tests = {path.parent.name for path in (ROOT / "tests" / "extensions").glob("*/test_*.py")}
    assert tests == {room.name for room in ROOMS}


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.name)
def test_the_readme_of_a_room_names_every_file(room):
    text = (room / "README.md").read_text(encoding="utf-8")
    for path in room.iterdir():
        if path.is_file() and path.name not in ("README.md", "__init__.py"):
            assert f"`{path.name}`" in text, path.name


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.name)
def test_every_module_that_is_an_extension_is_in_use(room):
    configuration = (ROOT / "conf.py").read_text(encoding="utf-8")
    for path in room.glob("*.py"):
        if "\ndef setup(app):" in path.read_text(encoding="utf-8"):
            assert f'    "{room.name}.{path.stem}",\n' in configuration, path.name
