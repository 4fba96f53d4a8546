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
from itertools import chain, product
from pathlib import Path

import numpy as np
import pytest

from writing import runtime

from . import stand_in_arrays, stand_in_objects

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
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e-8, 0.1, -0.7, 1.5, 2.5, math.inf, -math.inf, math.nan]
SPECIAL += [1e300, 5e-324, -1e-310, 1e-40, 16777217.0]  # beyond float32, subnormal, not exact in float32
EXACT = "sqrt square abs sign floor ceil trunc rint negative reciprocal fabs isnan isinf isfinite signbit logical_not"
ROUNDED = "exp log log1p expm1 tanh sin cos exp2 log2 log10 sinh cosh arctan cbrt"
SIGNS = "+ - * / // % < <= > >= == !="


def arithmetic():
    for dtype in ("float64", "float32"):
        a = f"a = np.array({SPECIAL}, dtype=np.{dtype})\n"
        # of large numbers, the sine in float32 is NumPy's own
        small = f"a = np.array({[x for x in SPECIAL if not 1e5 < abs(x) < math.inf]}, dtype=np.{dtype})\n"
        yield f"{dtype} {SIGNS}", a + f"r = [{', '.join(f'a[:, None] {s} a' for s in SIGNS.split())}]", 0
        # which of two zeros is the larger one, NumPy leaves to the processor
        larger = [f"np.{name}(a[:, None], a) + 0.0" for name in ("maximum", "minimum", "fmax", "fmin")]
        yield f"{dtype} maximum", a + f"r = [{', '.join(larger)}]", 0
        yield f"{dtype} exact", a + f"r = [{', '.join(f'np.{name}(a)' for name in EXACT.split())}]", 0
        yield f"{dtype} rounded", small + f"r = [{', '.join(f'np.{name}(a)' for name in ROUNDED.split())}]", 4
        yield f"{dtype} power", a + "r = np.power(a[:, None], a)", 4
        yield f"{dtype} **", a + "r = [np.abs(a) ** 0.5, a[np.isfinite(a)] ** 2, a ** -1, a ** 0, a ** 3]", 1
        yield f"{dtype} clip", a + "r = np.clip(a, -1, 2.5), a.clip(0.1, None), np.clip(a, None, 1)", 0
        yield f"{dtype} where, round", a + "r = np.where(a > a[::-1], a, 0.1), np.round(a), np.round(a, 1)", 0
        yield f"{dtype} mixed", a + "r = a - 0.001 * a / (np.sqrt(np.abs(a[::-1])) + 1e-8)", 0
    ints = "a = np.array([-7, -2, -1, 0, 1, 3, 8])\nb = np.array([2, -3, 5, 1])\n"
    signs = [*SIGNS.split(), "&", "|", "^"]
    yield "int64 signs", ints + f"r = [{', '.join(f'a[:, None] {s} b' for s in signs)}]", 0
    yield "int64 by zero", ints + "r = a // 0, a % 0, a / 0", 0
    yield (
        "int64 unary",
        ints + "r = -a, abs(a), ~a, np.sign(a), a ** 2, np.sqrt(abs(a)), a + True, ~(a > 0)",
        0,
    )
    yield "masks", ints + "r = (a > 0) & (a < 5) | (a == -7), (a > 0) ^ True, np.logical_and(a, a > 0)", 0


SPECIMENS = {
    **{"f8": "np.array([1.5, 2.0])", "f4": "np.array([0.1, 3.0], dtype=np.float32)"},
    **{"i8": "np.array([2, 3])", "b": "np.array([True, False])"},
    **{"f8 scalar": "np.float64(0.1)", "f4 scalar": "np.float32(0.1)"},
    **{"i8 scalar": "np.int64(2)", "b scalar": "np.bool_(True)"},
    **{"0-d": "np.array(0.1)", "0-d f4": "np.array(0.1, dtype=np.float32)"},
    **{"int": "2", "float": "0.1", "bool": "True"},
}


def promotion():
    for (left, x), (right, y) in product(SPECIMENS.items(), repeat=2):
        if "np" in x + y:
            parts = [
                f"{x} + {y}",
                f"{x} / {y}",
                f"{x} > {y}",
                f"np.maximum({x}, {y})",
                f"np.where([True, False], {x}, {y})",
            ]
            yield f"{left}, {right}", f"r = [{', '.join(parts)}]", 0
            if not {left, right} <= {
                "b",
                "b scalar",
                "bool",
                "int",
            }:  # int8 in NumPy: a dtype the stand-in has not
                yield f"{left} ** {right}", f"r = {x} ** {y}", 2


SHAPES = [(1,), (7,), (8,), (9,), (128,), (129,), (1000,), (4, 5), (3, 200), (200, 3), (2, 3, 40), (3, 1, 5)]
ALONG = (
    "a.sum(axis=x), np.mean(a, axis=x), np.var(a, x), a.std(axis=x), a.max(axis=x), a.min(axis=x, keepdims=True), "
    "np.sum(a, axis=x, keepdims=True), a.any(axis=x), (a > 0).all(axis=x), (a > 0).sum(axis=x), (a * 0 + 1.01).prod(axis=x)"
)


def reductions():
    rng = np.random.default_rng(0)
    for dtype, shape, turned in product(("float64", "float32"), SHAPES, ("", ".T")):
        values = (rng.normal(size=shape) * 10.0 ** rng.integers(-3, 4, size=shape)).tolist()
        made = f"a = np.array({values}, dtype=np.{dtype}){turned}\n"
        axes = [None, *range(-1, len(shape))]
        both = [*axes, (0, 2)] if len(shape) == 3 else axes
        yield f"{dtype} {shape}{turned}", made + f"r = [({ALONG}) for x in {both}]", 0
        arguments = "[a.argmax(axis=x), a.argmin(axis=x), a.cumsum(axis=x)]"
        yield f"{dtype} {shape}{turned} arg", made + f"r = [{arguments} for x in {axes}]", 0
    yield (
        "empty",
        "a = np.zeros((2, 0))\nr = a.sum(), a.sum(axis=0), a.sum(axis=1), np.prod(a), a.all(), np.array([]).sum()",
        0,
    )


ITEMS = """0|-1|1:|..., 0|:, 1|:, ::-1|0, 1, 2|None|:, None, 1|..., None|::-1, 1:, ::2|[0, 1, 1]|:, [2, 0]|[0, 1], [1, 2]
[0, 1], :, [1, 2]|:, [[0, 1], [2, 2]]|a > 5|a[..., 0] > 5|1, a[0] % 2 == 0|0, np.array([True, False, True])|np.int64(1)
()|...|[]|1, [0, 2], 1:3|0:100|-1:-5:-1|np.array([0, -1])""".replace("\n", "|").split("|")


def indexing():
    start = "a = np.arange(24.0).reshape(2, 3, 4)\n"
    for item in ITEMS:
        yield (
            f"a[{item}]",
            start + f"r = [a[{item}]]\na[{item}] += 1\nr += [a.copy()]\na[{item}] = -1.5\nr += [a]",
            0,
        )


PRINTED = """[1.0, 2.5]|[0.1, 1 / 3]|[1e-10, 1.0]|[1e9, 2.0]|[[1, 20], [300, -4]]|[True, False]|[nan, inf, -1.5]|[]|2.5|[0.0, -0.0]
[[0.5, 100.25], [-3.0, 2.0]]|[[[1.0]]]|[123456.789, 0.001]""".replace("\n", "|").split("|")


def printing():
    for values in PRINTED:
        yield values, f"a = np.array({values})\nr = repr(a), str(a), repr(a.sum())", 0
    scalars = "repr(a[0]), str(a[0]), repr(np.float64(0.1)), str(np.float64(1e-10)), repr(np.int64(3)), repr(np.bool_(True))"
    yield "float32", f"a = np.array([0.1, 1 / 3], dtype=np.float32)\nr = repr(a), str(a), {scalars}", 0
    yield "many", "r = str(np.arange(30) * 0.5), str(np.arange(2000)), repr(np.zeros((3, 2, 2)))", 0


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
