"""Cases for the stand-in for NumPy, made from tables: name, code, how many units in the last place are allowed."""

import math
from itertools import product

import numpy as np

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
    "a.sum(axis=x), np.mean(a, axis=x), np.var(a, x), a.std(axis=x, ddof=1), a.max(axis=x), a.min(axis=x, keepdims=True), "
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
()|...|[]|1, [0, 2], 1:3|0:100|0, 1, 2, ...|0, :, [1, 2]|[0, 1], :, 0|:, 1, [0, 2]|None, [0, 1], :, [1, 2]|-1:-5:-1|np.array([0, -1])""".replace(
    "\n", "|"
).split("|")


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
