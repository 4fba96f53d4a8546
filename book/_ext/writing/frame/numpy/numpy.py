"""この本の「書いて確かめる」欄だけで使う、NumPy の代わり。

本物の NumPy ではありません。最適化手法・初期値・Batch Normalization を書くのに要る名前だけがあり、ブラウザーの中で
動きます。足し算や平方根は本物と最後の桁まで同じです。exp や tanh、行列の積は、最後の 1〜2 桁が違うことがあります。
乱数の列は、本物とは違います。ここにない名前は、手元の本物の NumPy で動かしてください。
"""

# ruff: noqa: F821, SIM905 (計算の名前は、下の表から作る)
import ndextras
from ndarrays import bool_, float32, float64, floating, generic, int64, integer, ndarray, number  # noqa: F401
from ndextras import errstate, finfo, ndindex, set_printoptions  # noqa: F401
from ndmaking import (  # noqa: F401
    arange,
    array,
    asarray,
    copy,
    diag,
    empty,
    empty_like,
    eye,
    full,
    full_like,
    identity,
    linspace,
    ones,
    ones_like,
    zeros,
    zeros_like,
)
from ndnumbers import js, stored, ufunc
from ndshaping import (  # noqa: F401
    atleast_1d,
    atleast_2d,
    broadcast_to,
    concatenate,
    expand_dims,
    hstack,
    moveaxis,
    repeat,
    split,
    stack,
    swapaxes,
    vstack,
)
from ndtypes import dtype, missing

linalg, random = ndextras.linalg, ndextras.random
inf, nan, newaxis = float("inf"), float("nan"), None
pi, e, euler_gamma = 3.141592653589793, 2.718281828459045, 0.5772156649015329
asanyarray = ascontiguousarray = asarray
double, single, intp, True_, False_ = float64, float32, int64, bool_(True), bool_(False)


def __getattr__(name):
    raise missing(name)


# ---- 要素ごとの計算 ----
def _unary(name):
    return lambda x, out=None: ufunc(name, out, x)


def _binary(name):
    return lambda x, y, out=None: ufunc(name, out, x, y)


for _name in """absolute negative positive sign square sqrt cbrt reciprocal exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin
        arccos arctan sinh cosh tanh fabs floor ceil trunc rint isnan isinf isfinite signbit logical_not""".split():
    globals()[_name] = _unary(_name)
for _name in """add subtract multiply divide floor_divide remainder power float_power maximum minimum fmax fmin arctan2 hypot logaddexp
        equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor
        bitwise_and bitwise_or bitwise_xor""".split():
    globals()[_name] = _binary(_name)
abs, true_divide, mod, pow, fix = absolute, divide, remainder, power, trunc


def copyto(dst, src):
    js.copyto(dst, src)


# ---- まとめる ----
def _method(name):
    return lambda a, *values, **named: getattr(a if isinstance(a, ndarray) else asarray(a), name)(
        *values, **named
    )


for _name in """sum prod max min all any mean var std argmax argmin cumsum cumprod clip round dot reshape ravel transpose squeeze
        nonzero""".split():
    globals()[_name] = _method(_name)
amax, amin, around = _method("max"), _method("min"), _method("round")


def sort(a, axis=-1):
    return js.along("sort", a, axis)


def argsort(a, axis=-1):
    return js.along("argsort", a, axis)


def count_nonzero(a, axis=None):
    return not_equal(a, 0).sum(axis)


def average(a, axis=None, weights=None):
    a = asarray(a)
    if weights is None:
        return a.mean(axis)
    weights = asarray(weights)
    if weights.ndim < a.ndim:
        weights = weights.reshape([-1 if d == axis % a.ndim else 1 for d in range(a.ndim)])
    return (a * weights).sum(axis) / (zeros_like(a) + weights).sum(axis)


def median(a, axis=None):
    ordered = sort(ravel(a) if axis is None else moveaxis(a, axis, -1))
    n = ordered.shape[-1]
    return (ordered[..., (n - 1) // 2] + ordered[..., n // 2]) / 2


def quantile(a, q, axis=None):
    ordered = sort(ravel(a) if axis is None else moveaxis(a, axis, -1))
    at = q * (ordered.shape[-1] - 1)
    low, high = int(floor(at)), int(ceil(at))
    return ordered[..., low] + (ordered[..., high] - ordered[..., low]) * (at - low)


def percentile(a, q, axis=None):
    return quantile(a, q / 100, axis)


def diff(a):
    a = asarray(a)
    return a[..., 1:] - a[..., :-1]


# ---- 積 ----
def matmul(x, y, out=None):
    return stored(asarray(x) @ asarray(y), out)


def outer(x, y):
    return multiply(ravel(x)[:, None], ravel(y))


def inner(x, y):
    return asarray(x) @ asarray(y).T


vdot = lambda x, y: inner(ravel(x), ravel(y))  # noqa: E731


# ---- 選ぶ、比べる ----
def where(condition, *values):
    return js.where(condition, *values) if values else js.nonzero(condition)


def flatnonzero(a):
    return js.nonzero(ravel(a))[0]


def isclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    near = (absolute(subtract(a, b)) <= atol + rtol * absolute(b)) & isfinite(b) | equal(a, b)
    return near | isnan(a) & isnan(b) if equal_nan else near


def allclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    return bool(isclose(a, b, rtol, atol, equal_nan).all())


def array_equal(a, b):
    return js.shape(a) == js.shape(b) and bool(equal(a, b).all())


def nan_to_num(a, nan=0.0):
    return where(isnan(a), nan, a)


def shares_memory(a, b):
    return js.shares(a, b)


may_share_memory = shares_memory


def shape(a):
    return js.shape(a)


def ndim(a):
    return js.ndim(a)


def size(a):
    return js.size(a)


def isscalar(x):
    return isinstance(x, (int, float, str, generic))


def result_type(*values):
    return dtype(js.common(*values))


def issubdtype(kind, parent):
    return issubclass(dtype(kind).type, parent)
