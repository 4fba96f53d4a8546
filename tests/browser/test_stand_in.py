"""The stand-in for NumPy (book/_static/write/numpy.py) in a real browser, against the real NumPy.

Every case is a few lines of Python that leave ``r``. The same text runs in Brython, all cases on one page, and in
Python; both tell the kind, the dtype, the shape and the values of ``r``, or the exception.
Sums, roots and comparisons must be the same to the last bit; where the libraries of C and of JavaScript round
differently, or where a product may be added up in any order, the case says how many units in the last place it allows.
"""

import ast
import math
import warnings
from pathlib import Path

import numpy as np
import pytest

from .conftest import STATIC

WRITE = STATIC / "write"
SCRIPTS = ["arrays.js", "ufuncs.js", "indexing.js", "printing.js", "svd.js", "draws.js", "bridge.js"]
MODULES = ["ndtypes", "ndnumbers", "ndarrays", "ndextras", "numpy"]

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
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e-8, 0.1, -0.7, 1.5, 2.5, math.inf, -math.inf, math.nan, 1e300, 5e-324, -1e-310, 1e-40, 16777217.0]


def specials(name, dtype):
    return f"{name} = np.array({str(SPECIAL)}, dtype=np.{dtype})\n"


def drawn(rng, shape, dtype="float64"):
    values = rng.normal(size=shape) * 10.0 ** rng.integers(-3, 4, size=shape)
    return f"np.array({values.tolist()}, dtype=np.{dtype})"


# ---- the cases: {name: (code, how many units in the last place)} ----
def arithmetic():
    for dtype in ("float64", "float32"):
        both = specials("a", dtype) + specials("b", dtype)
        for sign in ("+", "-", "*", "/", "//", "%", "<", "<=", ">", ">=", "==", "!="):
            yield f"{dtype} {sign}", both + f"r = a[:, None] {sign} b", 0
        for name in ("maximum", "minimum", "fmax", "fmin"):
            # which of two zeros is the larger one, NumPy leaves to the processor
            yield f"{dtype} {name}", both + f"r = np.{name}(a[:, None], b) + 0.0", 0
        for name in ("sqrt", "square", "abs", "sign", "floor", "ceil", "trunc", "rint", "negative", "reciprocal", "fabs", "isnan", "isinf", "isfinite", "signbit", "logical_not"):
            yield f"{dtype} {name}", specials("a", dtype) + f"r = np.{name}(a)", 0
        for name in ("exp", "log", "log1p", "expm1", "tanh", "sin", "cos", "exp2", "log2", "log10", "sinh", "cosh", "arctan", "cbrt"):
            yield f"{dtype} {name}", f"a = np.array({[x for x in SPECIAL if not abs(x) > 1e5 or dtype == 'float64']}, dtype=np.{dtype})\nr = np.{name}(a)", 4
        yield f"{dtype} power", both + "r = np.power(a[:, None], b)", 4
        for exponent in ("2", "0.5", "-1", "3", "0"):
            yield f"{dtype} ** {exponent}", specials("a", dtype) + f"r = np.abs(a) ** {exponent}, a[np.isfinite(a)] ** 2", 1
        yield f"{dtype} clip", specials("a", dtype) + "r = np.clip(a, -1, 2.5), a.clip(0.1, None), np.clip(a, None, 1)", 0
        yield f"{dtype} where", both + "r = np.where(a > b[::-1], a, 0.1)", 0
        yield f"{dtype} round", specials("a", dtype) + "r = np.round(a), np.round(a, 1)", 0
        yield f"{dtype} adam", both + "r = a - 0.001 * a / (np.sqrt(np.abs(b)) + 1e-8)", 0
    ints = "a = np.array([-7, -2, -1, 0, 1, 3, 8])\nb = np.array([2, -3, 5, 1])\n"
    for sign in ("+", "-", "*", "/", "//", "%", "<", "==", "&", "|", "^"):
        yield f"int64 {sign}", ints + f"r = a[:, None] {sign} b", 0
    yield "int64 // 0", ints + "r = a // 0, a % 0, a / 0", 0
    yield "int64 unary", ints + "r = -a, abs(a), ~a, np.sign(a), a ** 2, np.sqrt(abs(a)), a + True, ~(a > 0), (a > 0) & (a < 5) | (a == -7)", 0


SPECIMENS = {
    "f8": "np.array([1.5, 2.0])", "f4": "np.array([0.1, 3.0], dtype=np.float32)", "i8": "np.array([2, 3])", "b": "np.array([True, False])",
    "f8 scalar": "np.float64(0.1)", "f4 scalar": "np.float32(0.1)", "i8 scalar": "np.int64(2)", "bool scalar": "np.bool_(True)",
    "0-d": "np.array(0.1)", "0-d f4": "np.array(0.1, dtype=np.float32)", "int": "2", "float": "0.1", "True": "True",
}


def promotion():
    for left, x in SPECIMENS.items():
        for right, y in SPECIMENS.items():
            if "np" not in x + y:
                continue
            for sign in ("+", "/", "**", ">"):
                if sign == "**" and {left, right} <= {"b", "bool scalar", "True", "int"}:
                    continue  # int8 in NumPy: a dtype the stand-in does not have
                yield f"{left} {sign} {right}", f"r = {x} {sign} {y}", 2 if sign == "**" else 0
            yield f"maximum {left}, {right}", f"r = np.maximum({x}, {y})", 0
            yield f"where {left}, {right}", f"r = np.where([True, False], {x}, {y})", 0


def reductions():
    rng = np.random.default_rng(0)
    shapes = [(1,), (7,), (8,), (9,), (128,), (129,), (1000,), (4, 5), (3, 200), (200, 3), (2, 3, 40), (3, 1, 5), (0,), (2, 0)]
    for dtype in ("float64", "float32"):
        for shape in shapes:
            for turned in ("", ".T"):
                made = f"a = {drawn(rng, shape, dtype)}.reshape({shape}){turned}\n"
                axes = [None, *range(-1, len(shape)), *([(0, 2)] if len(shape) == 3 else [])]
                if 0 not in shape:
                    yield f"{dtype} {shape}{turned}", made + f"r = [(a.sum(axis=x), np.mean(a, axis=x), np.var(a, x), a.std(axis=x, ddof=1) if a.size > 1 else 0, a.max(axis=x), a.min(axis=x, keepdims=True), np.sum(a, axis=x, keepdims=True), a.any(axis=x), (a > 0).all(axis=x), (a > 0).sum(axis=x), (a * 0 + 1.01).prod(axis=x)) for x in {axes}]", 0
                    yield f"{dtype} {shape}{turned} arg", made + f"r = [(a.argmax(axis=x), a.argmin(axis=x), a.cumsum(axis=x)) for x in {[x for x in axes if not isinstance(x, tuple)]}]", 0
                else:
                    yield f"{dtype} {shape}{turned}", made + "r = a.sum(), a.sum(axis=0), np.prod(a), a.all()", 0
    yield "sum of a slice", f"a = {drawn(rng, (300, 4))}\nr = a[::3, 1].sum(), a[::-1].sum(axis=0), a[:, ::2].sum(), a[5:40].sum(axis=1)", 0
    yield "integers", "a = np.arange(12).reshape(3, 4)\nr = a.sum(), a.mean(axis=1), a.var(), a.max(), a.prod(axis=0), a.cumsum(), a.argmax(), a.std(axis=0)", 0
    yield "nan", "a = np.array([[1, nan], [3, 2]])\nr = a.max(), a.min(axis=0), a.argmax(), a.argmax(axis=1), a.sum(axis=1)", 0
    yield "zeros of both signs", "a = np.array([-0.0, -0.0])\nr = a.sum(), a.mean(), np.zeros(3).sum(), a.prod()", 0
    yield "median", "a = np.array([[3.0, 1, 2, 9], [4, 7, 0, 1]])\nr = np.median(a), np.median(a, axis=0), np.sort(a), np.argsort(a, axis=1), np.average(a, axis=0), np.average(a, axis=1, weights=[1, 2, 3, 4])", 1


def shapes():
    start = "a = np.arange(24.0).reshape(2, 3, 4)\nv = a[1]\nm = a[0] % 2 == 0\n"
    for item in ("0", "-1", "1:", "..., 0", ":, 1", ":, ::-1", "0, 1, 2", "None", ":, None, 1", "..., None", "::-1, 1:, ::2", "[0, 1, 1]", ":, [2, 0]", "[0, 1], [1, 2]", "[0, 1], :, [1, 2]", ":, [[0, 1], [2, 2]]", "a > 5", "a[..., 0] > 5", "1, m", "0, np.array([True, False, True])", "np.int64(1)", "()", "...", "[]", "1, [0, 2], 1:3", "0:100", "-1:-5:-1", "np.array([0, -1])"):
        yield f"a[{item}]", start + f"r = a[{item}]", 0
        yield f"a[{item}] = ", start + f"a[{item}] = -1.5\nr = a", 0
        yield f"a[{item}] += ", start + f"a[{item}] += 1\nr = a", 0
    yield "a view writes through", start + "v += 1\nv[0, 0] = 99\na.T[0, 0, 0] = -9\na.reshape(-1)[1] = 5\na.ravel()[2] = 6\nr = a, v", 0
    yield "a copy does not", start + "c = a.copy()\nc += 1\na.flatten()[0] = 7\na.T.reshape(-1)[0] = 8\na[a > 3][0] = 9\na.astype(np.float64)[0] = 3\nr = a, c", 0
    yield "overlap", start + "a[0, 1:] = a[0, :-1]\na[1, 0] += a[1, 0, ::-1]\nr = a", 0
    yield "rows", start + "r = [row.sum() for row in a], len(a), [x for x in np.array([1, 2])], a.tolist(), a.T.shape, a.ndim, a.size, 5.0 in a", 0
    yield "transposes", start + "r = a.T, a.transpose(1, 0, 2), a.transpose((2, 0, 1)), np.transpose(a), np.swapaxes(a, 0, 2), np.moveaxis(a, 0, -1), a.T.reshape(4, 6), a.reshape(4, -1)", 0
    yield "joined", start + "b = np.array([1, 2, 3])\nr = np.concatenate([a, a], axis=1), np.stack([b, b]), np.stack([b, b], axis=-1), np.hstack([b, b]), np.vstack([b, b * 0.5]), np.concatenate([a, a], axis=None), np.split(np.arange(6), 3), np.split(np.arange(6), [1, 4]), np.repeat(b, 2), np.repeat([[1, 2]], 2, axis=0)", 0
    yield "other shapes", start + "r = np.expand_dims(a, 1), np.expand_dims(a, -1), np.squeeze(a[:1]), a[:, :1].squeeze(1), np.broadcast_to([1, 2], (3, 2)), np.atleast_2d([1, 2]), np.ravel(a.T), np.outer([1, 2], [3, 4.5])", 0
    yield "made", "r = np.zeros(3), np.zeros((2, 1), dtype=np.float32), np.ones(2, dtype=int), np.full((2,), 7), np.full(2, 0.5, dtype='float32'), np.eye(3), np.eye(2, 3, k=1), np.identity(2), np.arange(5), np.arange(1, 4, 0.5), np.arange(5, 0, -2), np.linspace(0, 1, 5), np.linspace(0, 1, 4, endpoint=False), np.array([[1, 2], [3, 4.5]]), np.array([True, False]), np.array(3), np.array([]), np.asarray([1, 2.0], dtype=np.float32), np.zeros_like([1, 2]), np.ones_like(np.float32(1)), np.full_like(np.zeros(2), 3), np.diag([1, 2]), np.diag(np.arange(6).reshape(2, 3)), np.diag([1.0], k=1), np.array([np.zeros(2), np.ones(2)]), np.array(range(3)), np.array((1, 2)), np.array([1, 2], ndmin=2)", 0
    yield "like F", "a = np.arange(6.0).reshape(2, 3).T\nr = list(np.zeros_like(a).strides), list(a.strides), list(np.ones(3, dtype=np.float32).strides)", 0
    yield "asarray does not copy", "a = np.zeros(2)\nnp.asarray(a)[0] = 1\nb = np.array(a)\nb[1] = 5\nr = a, b, np.shares_memory(a, a[1:])", 0
    yield "products", "a = np.arange(6.0).reshape(2, 3)\nv = np.array([1.0, 2, 3])\nb = np.arange(24.0).reshape(2, 3, 4)\nr = a @ a.T, a.T @ a, a @ v, v @ v, np.dot(a, v), a.dot(a.T), np.matmul(b.transpose(0, 2, 1), b), np.dot(2, v), np.inner(v, v), a.astype(np.float32) @ a.T.astype(np.float32), np.arange(3) @ np.arange(3), np.dot(v, 2.0), np.array([True]) @ np.array([True])", 0
    yield "norms", "a = np.array([[3.0, 4], [1, 2]])\nr = np.linalg.norm(a), np.linalg.norm(a, axis=1), np.linalg.norm(a[0], 1), np.linalg.norm(a[0], np.inf), np.linalg.norm(a, 'fro'), np.linalg.norm(a, axis=0, keepdims=True)", 1
    yield "questions", "a = np.array([1.0, nan])\nr = np.allclose([1, 2], [1, 2 + 1e-9]), np.allclose(a, a), np.allclose(a, a, equal_nan=True), np.array_equal([1], [1.0]), np.array_equal([1], [1, 2]), np.isclose([1.0, inf], [1.1, inf]), np.isscalar(3.0), np.nan_to_num(a), np.argmax(a), np.count_nonzero([1, 0, 2]), np.nonzero([1, 0, 2]), np.where([0, 1]), np.shape([[1]]), np.ndim(3), np.size([1, 2])", 0


def objects():
    yield "in place, dtypes", "a = np.array([1, 2], dtype=np.float32)\nb = a\na -= np.array([0.1, 0.2])\na *= 3\na /= np.float64(7)\na **= 2\na += True\nr = a, b, a is b", 0
    yield "in place, int", "a = np.arange(3)\na += 2\na *= np.array(3)\na //= 2\na %= 3\na -= True\nr = a", 0
    yield "in place, bool", "a = np.array([True, False])\na |= True\na &= np.array([True, False])\na ^= True\nr = a", 0
    yield "in place, broadcast", "a = np.zeros((2, 3))\na += [1, 2, 3]\na[:, 0] -= 5\na[1] *= 2\na[a > 3] = 0\na -= a.mean(axis=0)\nr = a", 0
    yield "in a dict", "d = {'W': np.ones((2, 2)), 'b': np.zeros(2)}\nw = d['W']\nd['W'] -= 0.1 * d['W']\nfor k in d: d[k] += 1\nr = w, d['W'], d['b'], w is d['W']", 0
    yield "rebinding", "a = np.ones(2)\nb = a\na = a - 1\nr = a, b", 0
    yield "0-d arrays change", "a = np.array(1.0)\nb = a\na += 1\na[...] = a * 3\na[()] += 1\nr = a, b, a * 2, a[()], a.sum(), -a, np.sqrt(a), a is b", 0
    yield "scalars do not", "a = np.float64(1)\nb = a\na += 1\nr = a, b, a * 2, a ** 2, -a, abs(a), a / 3, a // 2, 1 - a, a > 1, a == 2, round(a), a.sum(), a.shape, a.ndim, a.dtype == np.float64, float(a), int(a), isinstance(a, float), hash(a) == hash(2.0)", 0
    yield "scalars in Python", "a = np.arange(3)\nr = [10, 20, 30][a[1]], list(range(a[2])), f'{np.float64(0.12345):.3f}', f'{np.float32(0.5)}', '%.2f' % np.float64(1.234), sum([np.float64(1), np.float64(2)]), max(np.float64(1), np.float64(3)), {np.int64(1): 2}[1], bool(np.float64(0)), np.float64(3) if np.bool_(True) else 1", 0
    yield "scalar types", "r = np.float32(0.1) * 3, np.float32(1) + np.float64(1), np.int64(3) / 2, np.float32([1, 2]), np.float64('0.5') if False else 1, np.float64(5) % 3, 2 ** np.float64(0.5), np.True_ if False else 0, np.int64(7) // 2, ~np.bool_(True)", 0
    yield "out", "a = np.array([1.0, 4.0])\nb = np.zeros(2)\nc = np.sqrt(a, out=b)\nnp.add(a, 1, out=a)\nnp.multiply(a, b, a)\nnp.maximum(a, 3, out=a)\nnp.sum(a[None], axis=0, out=b)\nr = a, b, c is b", 0
    yield "copyto, fill", "a = np.zeros((2, 2), dtype=np.float32)\nnp.copyto(a, [1, 2])\nb = a.copy()\nb.fill(0.1)\nr = a, b", 0
    yield "assignment casts", "a = np.zeros(2, dtype=np.float32)\na[:] = [0.1, 0.2]\ni = np.zeros(2, dtype=int)\ni[0] = 1.9\ni[1] = -1.9\nb = np.zeros(2, dtype=bool)\nb[:] = [0.5, 0]\nr = a, i, b", 0
    yield "astype", "a = np.array([0.1, -1.9, 2.0])\nr = a.astype(np.float32), a.astype(int), a.astype(bool), a.astype('float32').dtype == a.dtype, a.astype(float) is a, np.array([1, 0]).astype(np.bool_)", 0
    yield "dtypes", "a = np.zeros(1, dtype=np.float32)\nr = a.dtype == np.float32, a.dtype == 'float32', a.dtype == np.float64, a.dtype != float, str(a.dtype), a.dtype.name, a.itemsize, a.nbytes, np.dtype('float32') == a.dtype, np.result_type(a, np.zeros(1)) == np.float64, np.issubdtype(a.dtype, np.floating), np.issubdtype(int, np.floating), a.dtype.kind", 0
    yield "finfo", "r = np.finfo(np.float32).eps, np.finfo(float).eps, np.finfo(np.float64).max, np.finfo(np.float32).tiny, np.pi, np.e, -np.inf, np.newaxis", 0
    yield "errstate", "with np.errstate(divide='ignore', invalid='ignore'):\n    r = np.ones(2) / 0", 0
    yield "truth", "r = bool(np.array([1.0])), bool(np.array(0)), float(np.array(2.5)), int(np.array(3)), np.array([[5]]).item(), np.array([1, 2]).tolist(), not np.array([0.0])", 0
    yield "comparing with lists", "r = np.array([1, 2]) == [1, 3], np.array([1.0, 2]) - [1, 2], [1, 2] - np.array([1.0, 2]), np.array([1, 2]) * (2, 3)", 0
    yield "power of integers", "r = np.array([2, 3]) ** 2, np.array([2.0, 3]) ** 3, 2 ** np.array([1, 2]), 0.9 ** np.arange(4), np.float64(0.9) ** 3", 2
    yield "deep copies", "import copy\na = {'W': np.ones(2)}\nb = copy.deepcopy(a)\nb['W'] += 1\nc = copy.copy(a['W'])\nc += 5\nr = a['W'], b['W'], c", 0


def printing():
    for values in ("[1.0, 2.5]", "[0.1, 1 / 3]", "[1e-10, 1.0]", "[1e9, 2.0]", "[[1, 20], [300, -4]]", "[True, False]", "[nan, inf, -1.5]", "[]", "[[0.5, 100.25], [-3.0, 2.0]]", "[[[1.0]]]", "2.5", "[0.0, -0.0]", "[123456.789, 0.001]"):
        yield f"print {values}", f"a = np.array({values})\nr = repr(a), str(a)", 0
    yield "print float32", "a = np.array([0.1, 1 / 3], dtype=np.float32)\nr = repr(a), str(a), repr(a[0]), str(a[0]), repr(np.float64(0.1)), str(np.float64(1e-10)), repr(np.int64(3)), repr(np.bool_(True)), str(np.arange(4.0) ** 2)", 0
    yield "print many", "r = str(np.arange(30) * 0.5), str(np.arange(2000)), repr(np.zeros((3, 2, 2)))", 0


def cases():
    everything = {}
    for part in (arithmetic, promotion, reductions, shapes, objects, printing):
        for name, code, ulps in part():
            everything[f"{part.__name__}: {name}"] = (code, ulps)
    return everything


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
    "text": "np.zeros(2) + {}",
    "format": "f'{np.zeros(2):.3f}'",
}
WORDS = 35  # NumPy's own words may go on; the beginning of the sentence must be the same


def scripts_of(page):
    """Load Brython and the stand-in, as the field does."""
    brython = pytest.importorskip("brython", reason="brython is not installed")
    page.evaluate("() => { globalThis.__BRYTHON__ = { brython_path: 'http://localhost/' }; }")  # never asked for
    page.add_script_tag(content=(Path(brython.__file__).parent / "data" / "brython.js").read_text("utf-8"))
    for name in SCRIPTS:
        page.add_script_tag(content=(WRITE / name).read_text("utf-8"))
    modules = {name: [".py", (WRITE / f"{name}.py").read_text("utf-8"), []] for name in MODULES}
    modules["copy"] = [".py", "def copy(x): return x.__copy__()\ndef deepcopy(d): return {k: v.__deepcopy__({}) for k, v in d.items()}", []]
    page.evaluate("(modules) => { __BRYTHON__.update_VFS(modules); __BRYTHON__.use_VFS = true; }", modules)


START = """(source) => {
    try { __BRYTHON__.runPythonSource(source, "trial"); return ""; }
    catch (error) { return error.ob_type ? __BRYTHON__.error_trace(error) : String(error.stack); }
}"""


@pytest.fixture(scope="module")
def stand_in(browser, tmp_path_factory):
    """``stand_in(codes)``: what each code leaves in Brython."""
    blank = tmp_path_factory.mktemp("blank") / "blank.html"
    blank.write_text("<!doctype html><title>blank</title>", encoding="utf-8")
    page = browser.new_page()
    page.set_default_timeout(25000)
    page.goto(blank.as_uri())
    scripts_of(page)

    def run(codes):
        page.evaluate("(codes) => { globalThis.codes = codes; globalThis.answers = ''; }", codes)
        source = f"import numpy as np\nfrom browser import self as page\n{TELL}\npage.answers = repr([outcome(code) for code in page.codes])\n"
        trouble = page.evaluate(START, source)
        assert not trouble, trouble
        return ast.literal_eval(page.evaluate("() => globalThis.answers"))

    yield run
    page.close()


def real(code):
    space = {"np": np}
    exec(TELL, space)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return space["outcome"](code)


def far(one, other, dtype):
    """How many units in the last place apart; 0 for the same bits (any two NaN are the same)."""
    x, y = float(one), float(other)
    if math.isnan(x) or math.isnan(y):
        return 0 if math.isnan(x) and math.isnan(y) else math.inf
    if x == y:
        return 0 if math.copysign(1, x) == math.copysign(1, y) else math.inf
    if math.isinf(x) or math.isinf(y):
        return math.inf
    return abs(x - y) / float(np.spacing(np.abs(np.asarray(x, dtype=dtype))))


def differences(ours, theirs, ulps, place=""):
    """Where the two answers differ, and by what."""
    if isinstance(theirs, list) and theirs and theirs[0] in ("array", "scalar") and ours[:3] == theirs[:3]:
        pairs = enumerate(zip(ours[3], theirs[3], strict=True))
        return [f"{place}[{i}]: {x}, not {y}" for i, (x, y) in pairs if far(x, y, theirs[1]) > ulps][:3]
    lists = isinstance(theirs, list) and isinstance(ours, list) and len(ours) == len(theirs)
    if lists and theirs and theirs[0] not in ("array", "scalar", "raises"):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [each for i, (x, y) in pairs for each in differences(x, y, ulps, f"{place}.{i}")]
    return [] if ours == theirs else [f"{place}: {str(ours)[:300]}, not {str(theirs)[:300]}"]


def test_it_computes_what_numpy_computes(stand_in):
    everything = cases()
    answers = stand_in([code for code, _ in everything.values()])
    wrong = []
    for (name, (code, ulps)), ours in zip(everything.items(), answers, strict=True):
        theirs = real(code)
        assert theirs[0] != "raises", (name, theirs)
        if found := differences(ours, theirs, ulps):
            wrong.append(f"{name}\n{code[-300:]}\n  " + "\n  ".join(found[:5]))
    assert not wrong, f"{len(wrong)} of {len(everything)}\n" + "\n".join(wrong)


def test_it_raises_what_numpy_raises(stand_in):
    wrong = []
    for (name, code), (ours) in zip(RAISING.items(), stand_in([*RAISING.values()]), strict=True):
        theirs = real(code)
        assert theirs[0] == "raises", name
        known = [each for each in theirs[1] if not each.startswith("_")][0]
        if ours[0] != "raises" or known not in ours[1] or ours[2][:WORDS] != theirs[2][:WORDS]:
            wrong.append(f"{name}: {code}\n  ours: {ours}\n  NumPy: {theirs}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("code", ["np.fft", "np.foo(1)", "np.zeros(2).foo", "np.linalg.qr", "np.random.default_rng(0).gamma", "np.zeros(2, dtype=np.complex128)", "np.zeros(2, dtype='int8')"])
def test_a_name_it_does_not_have_is_said_to_be_missing_here(stand_in, code):
    (ours,) = stand_in([code])
    assert ours[0] == "raises" and ours[1][0] == "Missing", ours
    assert ours[2].startswith("この欄の NumPy の代わりには、") and ours[2].endswith("手元の本物の NumPy で動かしてください")


def test_random_numbers_have_the_asked_mean_and_spread_and_repeat(stand_in):
    (ours,) = stand_in(["a = np.random.default_rng(3).normal(1, 2, (100, 100))\nb = np.random.default_rng(3).normal(1, 2, (100, 100))\nu = np.random.default_rng(1).uniform(-1, 3, 10000)\nr = a.mean(), a.std(), u.mean(), u.std(), (a == b).all(), (a[0] == a[1]).any(), np.sort(np.random.default_rng(0).permutation(5)), np.random.randn(2, 3).shape"])
    mean, spread, flat_mean, flat_spread, same, repeats = (float(each[3][0]) for each in ours[:6])
    assert abs(mean - 1) < 0.1 and abs(spread - 2) < 0.1 and abs(flat_mean - 1) < 0.06 and abs(flat_spread - 4 / 12**0.5) < 0.06
    assert (same, repeats) == (1, 0) and ours[6][3] == ["0.0", "1.0", "2.0", "3.0", "4.0"] and ours[7] == ["tuple", "(2, 3)"] or ours[7] == [["int", "2"], ["int", "3"]]
