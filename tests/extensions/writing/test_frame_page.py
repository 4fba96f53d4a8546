"""The one page that runs the learner's Python: what is in it. What it does is tested in tests/browser."""

import ast
import gzip
import json
import re
import sys

from built import ROOT
from writing import runtime

MODULES = runtime.modules()
BUILT_IN = {"browser", "sys", "time"}  # which Brython has without a file


def test_the_page_is_the_same_every_time_and_small():
    page = runtime.page()
    assert page == runtime.page()
    assert len(gzip.compress(page.encode("utf-8"), 9)) < 375_000
    assert page.count("</script>") == page.count("<script nonce") == 2


def test_the_page_names_no_folder_of_this_machine():
    page = runtime.page()
    for folder in (ROOT, sys.prefix, sys.base_prefix):
        assert str(folder) not in page


def test_every_script_of_the_frame_is_in_the_page_once_and_in_order():
    files = {path.relative_to(runtime.FRAME).as_posix() for path in runtime.FRAME.rglob("*.js")}
    assert sorted(runtime.SCRIPTS) == sorted(files - {"frame.js"})
    [texts] = re.findall(r"globalThis\.texts=(.*);</script>", runtime.page())
    scripts = json.loads(texts)["scripts"]
    assert scripts == [(runtime.FRAME / name).read_text(encoding="utf-8") for name in runtime.SCRIPTS]


def test_every_module_that_is_imported_is_there_and_of_brython_only_what_is_needed():
    library = runtime._library()
    theirs = {name for name, entry in MODULES.items() if entry == library.get(name)}
    assert set(runtime.LIBRARY) <= theirs
    for name in set(MODULES) - theirs:
        assert imported(MODULES[name][1]) <= set(MODULES) | BUILT_IN, name
    used = {name for entry in MODULES.values() for name in (entry[2] if len(entry) > 2 else [])}
    assert theirs <= {*runtime.LIBRARY, *used}


def imported(source):
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module.split(".")[0])
    return found
