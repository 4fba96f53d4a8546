"""The stand-in for NumPy (book/_ext/writing/frame/numpy) in a real browser, against the real NumPy.

Every case is a piece of Python that leaves ``r``. The same text runs in Brython, all cases on one page, and in Python;
both tell the kind, the dtype, the shape and the values of ``r``, or the exception.
Sums, roots and comparisons must be the same to the last bit; where the libraries of C and of JavaScript round
differently, or where a product may be added up in any order, the case says how many units in the last place it allows.
"""

import ast
import inspect
import math
import warnings
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from writing import runtime

from . import stand_in_arrays, stand_in_objects
from .stand_in_tables import arithmetic, indexing, printing, promotion, reductions

WRITE = runtime.FRAME / "numpy"
SCRIPTS = [Path(name).name for name in runtime.SCRIPTS if name.startswith("numpy/")]
COPY = """
def copy(x):
    return x.__copy__()
def deepcopy(x):
    return {key: value.__deepcopy__({}) for key, value in x.items()}
"""  # enough of the standard library

TELL = """
def told(r):
    if isinstance(r, (tuple, list)):
        return [told(each) for each in r]
    if isinstance(r, (np.ndarray, np.generic)):
        kind = "array" if isinstance(r, np.ndarray) else "scalar"
        return [kind, str(r.dtype), list(r.shape), [repr(float(x)) for x in np.array(r).ravel().tolist()]]
    return [type(r).__name__, repr(r)]

def outcome(code):
    space = {"np": np, "inf": np.inf, "nan": np.nan}
    try:
        exec(code, space)
    except Exception as error:
        return ["raises", [each.__name__ for each in type(error).__mro__], str(error).strip()]
    return told(space["r"])
"""


# ---- the cases: name, code, how many units in the last place ----
ULPS = {"median": 1, "norms": 1, "power_of_integers": 2, "adam": 2}


def programs():
    members = [inspect.getmembers(each, inspect.isfunction) for each in (stand_in_arrays, stand_in_objects)]
    for name, program in chain(*members):
        yield name, f"{inspect.getsource(program)}\nr = {name}(np)", ULPS.get(name, 0)


PARTS = (arithmetic, promotion, reductions, indexing, printing, programs)
RAISING = {
    "shapes": "np.zeros((2, 3)) + np.zeros((3, 2))",
    "in place, larger": "a = np.zeros(2); a += np.zeros((3, 2))",
    "in place, integers": "a = np.arange(3); a -= 0.5",
    "in place, integers and division": "a = np.arange(3); a /= 2",
    "truth": "bool(np.zeros(2))",
    "truth in if": "if np.zeros(2) > 0: pass",
    "boolean minus": "np.array([True]) - np.array([False])",
    "negative power": "np.arange(3) ** -1",
    "index": "np.zeros(3)[3]",
    "too many indices": "np.zeros(3)[0, 0]",
    "float index": "np.zeros(3)[1.0]",
    "assignment": "np.zeros((2, 3))[...] = np.zeros(2)",
    "boolean index": "np.zeros(3)[np.array([True, False])]",
    "axis": "np.zeros(3).sum(axis=1)",
    "reshape": "np.zeros(6).reshape(4, 2)",
    "matmul": "np.zeros((2, 3)) @ np.zeros((2, 3))",
    "ragged": "np.array([[1, 2], [3]])",
    "empty max": "np.array([]).max()",
    "float of many": "float(np.zeros(2))",
    "len of 0-d": "len(np.array(1.0))",
    "iterating 0-d": "list(np.array(1.0))",
    "item of many": "np.zeros(2).item()",
    "hash": "hash(np.zeros(2))",
    "concatenate": "np.concatenate([np.zeros((2, 2)), np.zeros((3, 3))])",
    "stack": "np.stack([np.zeros(2), np.zeros(3)])",
    "no number": "np.zeros(2) + {}",
    "format": "f'{np.zeros(2):.3f}'",
}
WORDS = 35  # the beginning of NumPy's own words must be there


# ---- running them ----
START = """(source) => {
    try { __BRYTHON__.runPythonSource(source, "trial"); return ""; }
    catch (error) { return error.ob_type ? __BRYTHON__.error_trace(error) : String(error.stack); }
}"""


def load(page):
    """Load Brython and the stand-in, as the field does."""
    brython = pytest.importorskip("brython", reason="brython is not installed")
    page.evaluate(
        "() => { globalThis.__BRYTHON__ = { brython_path: 'http://localhost/' }; }"
    )  # never asked for
    page.add_script_tag(content=(Path(brython.__file__).parent / "data" / "brython.js").read_text("utf-8"))
    for name in SCRIPTS:
        page.add_script_tag(content=(WRITE / name).read_text("utf-8"))
    modules = {file.stem: [".py", file.read_text("utf-8"), []] for file in WRITE.glob("n*.py")}
    modules["numpy"].append(True)  # a package, for numpy.typing
    modules |= {
        "numpy.typing": [".py", "from ndextras import ArrayLike, NDArray", []],
        "copy": [".py", COPY, []],
    }
    page.evaluate("(modules) => { __BRYTHON__.update_VFS(modules); __BRYTHON__.use_VFS = true; }", modules)


@pytest.fixture(scope="module")
def stand_in(browser, tmp_path_factory):
    """``stand_in(codes)``: what each code leaves in Brython."""
    blank = tmp_path_factory.mktemp("blank") / "blank.html"
    blank.write_text("<!doctype html><title>blank</title>", encoding="utf-8")
    page = browser.new_page()
    page.goto(blank.as_uri())
    load(page)

    def run(codes):
        page.evaluate("(codes) => Object.assign(globalThis, { codes, answers: '' })", codes)
        begin = f"import numpy as np\nfrom browser import self as page\n{TELL}\n"
        trouble = page.evaluate(
            START, begin + "page.answers = repr([outcome(code) for code in page.codes])\n"
        )
        assert not trouble, trouble
        return ast.literal_eval(page.evaluate("() => globalThis.answers"))

    yield run
    page.close()


def real(codes):
    space = {"np": np}
    exec(TELL, space)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [space["outcome"](code) for code in codes]


def far(one, other, dtype):
    """How many units in the last place apart; 0 for the same bits (any two NaN are the same)."""
    x, y = float(one), float(other)
    if math.isnan(x) and math.isnan(y):
        return 0
    if x == y and math.copysign(1, x) == math.copysign(1, y):
        return 0
    if x == y or not math.isfinite(x - y):
        return math.inf
    return abs(x - y) / float(np.spacing(np.abs(np.asarray(x, dtype=dtype))))


def differences(ours, theirs, ulps, place="r"):
    """Where the two answers differ, and by what."""
    if theirs and theirs[0] in ("array", "scalar") and ours[:3] == theirs[:3]:
        pairs = enumerate(zip(ours[3], theirs[3], strict=True))
        return [f"{place}[{i}]: {x}, not {y}" for i, (x, y) in pairs if far(x, y, theirs[1]) > ulps]
    if theirs and isinstance(theirs[0], list) and isinstance(ours[0], list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [each for i, (x, y) in pairs for each in differences(x, y, ulps, f"{place}.{i}")]
    return [] if ours == theirs else [f"{place}: {ours}, not {theirs}"]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_it_computes_what_numpy_computes(stand_in, part):
    names, codes, ulps = zip(*part(), strict=True)
    wrong = []
    for name, code, allowed, ours, theirs in zip(
        names, codes, ulps, stand_in(codes), real(codes), strict=True
    ):
        assert theirs[0] != "raises", (name, theirs)
        if found := differences(ours, theirs, allowed):
            wrong.append("\n  ".join([name, code[-300:], *(each[:300] for each in found[:5])]))
    assert not wrong, f"{len(wrong)} of {len(names)}\n" + "\n".join(wrong)


def test_it_raises_what_numpy_raises(stand_in):
    codes = [*RAISING.values()]
    for name, ours, theirs in zip(RAISING, stand_in(codes), real(codes), strict=True):
        assert theirs[0] == ours[0] == "raises", (name, ours, theirs)
        known = next(each for each in theirs[1] if not each.startswith("_"))
        assert known in ours[1] and ours[2][:WORDS] == theirs[2][:WORDS], (name, ours, theirs)


MISSING = ["np.fft", "np.foo(1)", "np.zeros(2).foo", "np.linalg.qr", "np.random.default_rng(0).gamma"]
MISSING += ["np.zeros(2, dtype=complex)", "np.zeros(2, dtype='int8')", "from numpy import foo"]


def test_a_name_it_does_not_have_is_said_to_be_missing_here(stand_in):
    for code, ours in zip(MISSING, stand_in(MISSING), strict=True):
        assert ours[0] == "raises" and ours[1][0] == "Missing", (code, ours)
        assert ours[2].startswith("この欄の NumPy の代わりには、"), ours
        assert ours[2].endswith("手元の本物の NumPy で動かしてください"), ours


def test_random_numbers_have_the_asked_mean_and_spread_and_repeat(stand_in):
    made = "np.random.default_rng(3).normal(1, 2, (100, 100))"
    (ours,) = stand_in(
        [
            f"a = {made}\nu = np.random.rand(10000)\nr = a.mean(), a.std(), u.mean(), u.std(), (a == {made}).all()"
        ]
    )
    mean, spread, flat_mean, flat_spread, repeated = (float(each[3][0]) for each in ours)
    assert abs(mean - 1) < 0.1 and abs(spread - 2) < 0.1 and repeated
    assert abs(flat_mean - 0.5) < 0.02 and abs(flat_spread - 12**-0.5) < 0.02
    (numbers, shape) = stand_in(
        ["r = np.sort(np.random.default_rng(0).permutation(5))", "r = np.random.randn(2, 3)"]
    )
    assert numbers[3] == ["0.0", "1.0", "2.0", "3.0", "4.0"] and shape[2] == [2, 3]
