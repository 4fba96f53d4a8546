"""Which definitions a page uses: everything that runs is among them, and what is not used is not."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rebuilding import definitions, page_inputs
from rebuilding.definitions import used

ROOT = Path(__file__).resolve().parents[3]

SOURCES = {
    "book": "",
    "book.methods": '''
"""Methods."""
import numpy as np
from book.checks import positive

class Base:
    """Base."""
    def update(self):
        return self.rule()

class First(Base):
    def rule(self):
        return positive(1)

class Second(Base):
    def rule(self):
        return 2

RATES = {"first": 1}
low, high = 1, 2
ALL = {"first": First, "second": Second}
''',
    "book.checks": """
def positive(x):
    return x > ZERO

def negative(x):
    return x < ZERO

ZERO = 0
""",
    "book.effects": """
import numpy as np
from functools import cache
np.seterr(all="ignore")
OPTIONS = {}
OPTIONS["a"] = 1
TABLE = []

def register(function):
    TABLE.append(function)
    return function

@register
def registered():
    return helper()

def helper():
    return 1

@cache
def cached():
    return 1
""",
    "book.again": "from book.methods import First as Renamed\n",
    "book.lazy": """
def late():
    from book.checks import negative
    return negative(1)

def __getattr__(name):
    return late
""",
}


def names(cells, *leave_out):
    """The names of the definitions, ``methods.First``."""
    sources = {name: text.encode() for name, text in SOURCES.items() if name not in leave_out}
    found = set()
    for line in used(cells, sources):
        if " <- " in line.partition(": ")[0]:  # where an imported name comes from
            continue
        module, _, shape = line.partition(": ")
        for kind in ("FunctionDef(name='", "ClassDef(name='", "Name(id='"):
            if (kind in shape and shape.startswith(kind.partition("(")[0])) or (
                shape.startswith("Assign") and kind in shape
            ):
                found.add(module.removeprefix("book.") + "." + shape.partition(kind)[2].partition("'")[0])
                break
        else:
            found.add(f"{module.removeprefix('book.')}:{shape.partition('(')[0]}")
    return found


EFFECTS = {
    "effects:Expr",
    "effects.OPTIONS",
    "effects.registered",
    "effects.helper",
    "effects.register",
    "effects.TABLE",
}
FIRST = {"methods.First", "methods.Base", "checks.positive", "checks.ZERO"}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("", set()),
        ("from book.methods import First\nFirst()", FIRST),
        ("from book.methods import First", FIRST),  # imported: near enough to used
        ("from book.methods import Second\nSecond()", {"methods.Second", "methods.Base"}),
        ("from book.methods import RATES\nRATES", {"methods.RATES"}),
        ("from book.methods import high\nhigh", {"methods.low"}),  # one statement
        ("from book.methods import ALL\nALL['first']", FIRST | {"methods.Second", "methods.ALL"}),
        ("import book.methods\nbook.methods.First()", FIRST),
        ("import book.methods as m\nm.First()", FIRST),
        ("from book import methods\nmethods.First()", FIRST),
        ("from book import methods\nf = methods.First\nlambda: f()", FIRST),
        (
            "import book.methods\nbook",
            FIRST | {"methods.Second", "methods.ALL", "methods.RATES", "methods.low", ...},
        ),
        (
            "from book import methods\ngetattr(methods, 'First')",
            FIRST | {"methods.Second", "methods.ALL", "methods.RATES", "methods.low"},
        ),
        ("from book.again import Renamed\nRenamed()", FIRST),
        ("import book.again\nbook.again.Renamed()", FIRST),
        ("from book.checks import *\nnegative(1)", {"checks.negative", "checks.positive", "checks.ZERO"}),
        ("from book.lazy import late\nlate()", {"lazy.late", "checks.negative", "checks.ZERO"}),
        (
            "from book.lazy import anything\nanything()",
            {"lazy.late", "lazy.__getattr__", "checks.negative", "checks.ZERO"},
        ),
        (
            "def f():\n    from book.methods import Second\n    return Second",
            {"methods.Second", "methods.Base"},
        ),
    ],
)
def test_names_are_followed(cells, expected):
    found = {name for name in names(cells) if not name.startswith(":") and not name.startswith(".")} - EFFECTS
    if ... in expected:
        assert expected - {...} <= found
    else:
        assert found == expected


def test_what_runs_on_import_always_counts():
    assert names("1 + 1") >= EFFECTS
    assert "effects.cached" not in names("1 + 1")


def test_where_a_name_comes_from_counts():
    cells = "from book.again import Renamed\nRenamed()"
    before, after = (
        used(cells, {**{n: t.encode() for n, t in SOURCES.items()}, "book.again": again.encode()})
        for again in (
            "from book.methods import First as Renamed\n",
            "from book.methods import Second as Renamed\n",
        )
    )
    assert before != after
    swapped = "from book.methods import First as Second, Second as First\nFirst(), Second()"
    plain = "from book.methods import First, Second\nFirst(), Second()"
    sources = {name: text.encode() for name, text in SOURCES.items()}
    assert used(swapped, sources) != used(plain, sources)


def test_a_module_handed_over_by_a_dotted_name_is_used_as_a_whole():
    assert {"checks.negative", "checks.positive"} <= names("import book.checks\nprint(book.checks)")


def test_a_star_brings_everything():
    sources = {"book.checks": SOURCES["book.checks"].encode(), "book.star": b"from book.checks import *\n"}
    found = used("from book.star import positive\npositive(1)", sources)
    assert [line for line in found if "'negative'" in line] and [
        line for line in found if "'positive'" in line
    ]


def test_parsed_modules_are_never_changed():
    """Pages are executed in several threads, which share them."""
    sources = {name: text.encode() for name, text in SOURCES.items()}
    before = {
        name: [ast.dump(s) for s in definitions._module(source).statements]
        for name, source in sources.items()
    }
    used("from book.methods import ALL\nfrom book.lazy import late", sources)
    assert before == {
        name: [ast.dump(s) for s in definitions._module(source).statements]
        for name, source in sources.items()
    }


def test_a_module_that_was_not_loaded_does_not_count():
    cells = "from book.lazy import late\nlate()"
    assert "checks.negative" in names(cells)
    assert names(cells, "book.checks") & {"checks.negative", "checks.ZERO"} == set()


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ('"""Base."""', '"""The base."""', True),
        ("class First", "# a comment\nclass First", True),
        ("return 2", "return 3", True),
        ("return positive(1)", "return positive(2)", False),
        ("return self.rule()", "return -self.rule()", False),
        ("return x > ZERO", "return x >= ZERO", False),
        ("ZERO = 0", "ZERO = 1", False),
        ("ZERO = 0", "ZERO: int = 0", False),
        ("return x < ZERO", "return x <= ZERO", True),
        ("from book.methods import First as Renamed", "from book.methods import Second as Renamed", True),
        ('np.seterr(all="ignore")', 'np.seterr(all="warn")', False),
        ("import numpy as np\nfrom functools", "import numpy.ma as np\nfrom functools", False),
        ('OPTIONS["a"] = 1\nTABLE = []', 'TABLE = []\nOPTIONS["a"] = 1', False),
        ('OPTIONS["a"] = 1', 'OPTIONS["a"] = 2', False),
        ("return helper()", "return -helper()", False),
    ],
)
def test_an_edit_counts_where_it_is_used(old, new, same):
    cells = "from book.methods import First\nFirst()"
    assert sum(text.count(old) for text in SOURCES.values()) == 1
    before, after = (
        used(cells, {name: text.replace(old, change).encode() for name, text in SOURCES.items()})
        for change in (old, new)
    )
    assert (before == after) is same


# Runs the cells of a page and notes every function of the project that is called, by its outermost name.
WATCHED = """
import ast, inspect, json, sys
called = set()

def note(frame, event, argument):
    code, module = frame.f_code, frame.f_globals.get("__name__", "")
    body_of_class = not code.co_flags & inspect.CO_OPTIMIZED
    if event == "call" and module.partition(".")[0] in ("fumoto", "equation_checks") and not body_of_class:
        called.add((module, code.co_qualname.partition(".")[0]))

cells = json.loads(sys.argv[1])
space = {"__name__": "__main__", "glue": lambda *arguments, **options: None}
for cell in cells:
    statements = ast.parse(cell.replace("from myst_nb import glue", "")).body
    imports = [s for s in statements if isinstance(s, (ast.Import, ast.ImportFrom))]
    exec(compile(ast.Module(imports, []), "cell", "exec"), space)
    others = compile(ast.Module([s for s in statements if s not in imports], []), "cell", "exec")
    sys.setprofile(note)
    exec(others, space)
    sys.setprofile(None)
loaded = sorted(name for name in sys.modules if name.partition(".")[0] in ("fumoto", "equation_checks"))
print(json.dumps([sorted(called), loaded]))
"""
ONLY_KEEPING = ("fumoto.experiments.kept", "fumoto.experiments.fingerprint")


@pytest.mark.parametrize("page", ["01-descent", "04-adagrad", "appendix-check"])
def test_every_function_that_runs_is_among_the_definitions(page):
    text = (ROOT / "book" / f"{page}.md").read_text(encoding="utf-8")
    cells = [page_inputs.code(cell) for cell in page_inputs.cells(text)]
    environment = {
        **os.environ,
        "FUMOTO_RESULTS": "",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT / "code")]),
    }
    command = [sys.executable, "-c", WATCHED, json.dumps(cells)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    called, loaded = json.loads(done.stdout.splitlines()[-1])
    sources = {module: page_inputs._source(module, ROOT) for module in loaded}
    found = used("\n".join(cells), sources)
    assert len(called) > 15
    for module, name in called:
        if not name.startswith(("<", "__create_fn__")) and module not in ONLY_KEEPING:  # lambdas, dataclasses
            assert any(line.startswith(f"{module}: ") and f"'{name}'" in line[:300] for line in found), (
                module,
                name,
            )
