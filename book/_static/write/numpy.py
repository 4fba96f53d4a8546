"""この本の「書いて確かめる」欄だけで使う、NumPy の代わり。

本物の NumPy ではありません。最適化手法・初期値・Batch Normalization を書くのに要る名前だけがあり、ブラウザーの中で
動きます。足し算や平方根は本物と最後の桁まで同じです。exp や tanh、行列の積は、最後の 1〜2 桁が違うことがあります。
乱数の列は、本物とは違います。ここにない名前は、手元の本物の NumPy で動かしてください。
"""

import builtins

import ndextras
from ndarrays import bool_, float32, float64, floating, generic, int64, integer, js, ndarray, number
from ndextras import errstate, finfo, set_printoptions  # noqa: F401
from ndnumbers import stored, ufunc
from ndtypes import dtype, missing, name_of

linalg, random = ndextras.linalg, ndextras.random
inf, nan, newaxis = float("inf"), float("nan"), None
pi, e, euler_gamma = 3.141592653589793, 2.718281828459045, 0.5772156649015329
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
abs, true_divide, mod, pow, fix = absolute, divide, remainder, power, trunc  # noqa: F821


# ---- 配列を作る ----
def array(x, dtype=None, copy=True, ndmin=0):
    made = js.array(x, name_of(dtype))
    return made.reshape((1,) * (ndmin - made.ndim) + made.shape) if ndmin > made.ndim else made


def asarray(x, dtype=None):
    return js.asarray(x, name_of(dtype))


def copy(a):
    return js.array(a, None)


def full(shape, fill_value, dtype=None, order="C"):
    return js.full(shape, fill_value, name_of(dtype))


def zeros(shape, dtype=float, order="C"):
    return js.full(shape, 0.0, name_of(dtype))


def ones(shape, dtype=float, order="C"):
    return js.full(shape, 1.0, name_of(dtype))


def full_like(a, fill_value, dtype=None):
    made = js.like(a, name_of(dtype))
    js.copyto(made, fill_value)
    return made


def zeros_like(a, dtype=None):
    return js.like(a, name_of(dtype))


def ones_like(a, dtype=None):
    return full_like(a, 1, dtype)


empty, empty_like = zeros, zeros_like
asanyarray = ascontiguousarray = asarray


def arange(start, stop=None, step=1, dtype=None):
    return js.arange(*((0, start) if stop is None else (start, stop)), step, name_of(dtype))


def linspace(start, stop, num=50, endpoint=True, dtype=None):
    step = (stop - start) / max(num - 1 if endpoint else num, 1)
    made = arange(num) * step + start
    if endpoint and num > 1:
        made[-1] = stop
    return made.astype(dtype or float)


def eye(n, m=None, k=0, dtype=float):
    return equal(arange(n)[:, None] + k, arange(m or n)).astype(dtype)  # noqa: F821


def identity(n, dtype=float):
    return eye(n, dtype=dtype)


def diag(v, k=0):
    v = asarray(v)
    size = len(v) + builtins.abs(k) if v.ndim == 1 else builtins.max(v.shape)
    rows = arange(size)
    inside = (rows + k >= 0) & (rows + k < (size if v.ndim == 1 else v.shape[1])) & (rows < (size if v.ndim == 1 else v.shape[0]))
    rows = rows[inside]
    if v.ndim == 2:
        return v[rows, rows + k]
    made = zeros((size, size), v.dtype)
    made[rows, rows + k] = v
    return made


def copyto(dst, src):
    js.copyto(dst, src)


# ---- まとめる ----
def _method(name):
    return lambda a, *values, **named: getattr(a if isinstance(a, ndarray) else asarray(a), name)(*values, **named)


for _name in """sum prod max min all any mean var std argmax argmin cumsum cumprod clip round dot reshape ravel transpose squeeze
        nonzero""".split():
    globals()[_name] = _method(_name)
amax, amin, around = max, min, round  # noqa: F821


def sort(a, axis=-1):
    return js.along("sort", a, axis)


def argsort(a, axis=-1):
    return js.along("argsort", a, axis)


def count_nonzero(a, axis=None):
    return not_equal(a, 0).sum(axis)  # noqa: F821


def average(a, axis=None, weights=None):
    a = asarray(a)
    if weights is None:
        return a.mean(axis)
    weights = asarray(weights)
    if weights.ndim < a.ndim:
        weights = weights.reshape([-1 if d == axis % a.ndim else 1 for d in builtins.range(a.ndim)])
    return (a * weights).sum(axis) / (zeros_like(a) + weights).sum(axis)


def median(a, axis=None):
    ordered = sort(ravel(a) if axis is None else moveaxis(a, axis, -1))  # noqa: F821
    n = ordered.shape[-1]
    return (ordered[..., (n - 1) // 2] + ordered[..., n // 2]) / 2


def quantile(a, q, axis=None):
    ordered = sort(ravel(a) if axis is None else moveaxis(a, axis, -1))  # noqa: F821
    at = q * (ordered.shape[-1] - 1)
    low, high = int(floor(at)), int(ceil(at))  # noqa: F821
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
    return multiply(ravel(x)[:, None], ravel(y))  # noqa: F821


def inner(x, y):
    return asarray(x) @ asarray(y).T


vdot = lambda x, y: inner(ravel(x), ravel(y))  # noqa: E731, F821


# ---- 形 ----
def expand_dims(a, axis):
    a = asarray(a)
    axis = axis if axis >= 0 else axis + a.ndim + 1
    return a.reshape(a.shape[:axis] + (1,) + a.shape[axis:])


def moveaxis(a, source, destination):
    a = asarray(a)
    order = [d for d in builtins.range(a.ndim) if d != source % a.ndim]
    order.insert(destination % a.ndim, source % a.ndim)
    return a.transpose(order)


def swapaxes(a, first, second):
    a = asarray(a)
    order = list(builtins.range(a.ndim))
    order[first], order[second] = order[second], order[first]
    return a.transpose(order)


def atleast_1d(a):
    a = asarray(a)
    return a if a.ndim else a.reshape(1)


def atleast_2d(a):
    a = asarray(a)
    return a if a.ndim >= 2 else a.reshape((1, -1))


def broadcast_to(a, shape):
    return js.broadcast(a, shape)


def concatenate(arrays, axis=0):
    return js.concatenate([ravel(a) for a in arrays], 0) if axis is None else js.concatenate(arrays, axis)  # noqa: F821


def stack(arrays, axis=0):
    parts = [asarray(a) for a in arrays]
    if len({part.shape for part in parts}) > 1:
        raise ValueError("all input arrays must have the same shape")
    return concatenate([expand_dims(part, axis) for part in parts], axis)


def vstack(arrays):
    return concatenate([atleast_2d(a) for a in arrays])


def hstack(arrays):
    parts = [atleast_1d(a) for a in arrays]
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1)


def split(a, parts, axis=0):
    a = moveaxis(a, axis, 0)
    if isinstance(parts, int):
        if len(a) % parts:
            raise ValueError("array split does not result in an equal division")
        parts = [len(a) // parts * k for k in builtins.range(1, parts)]
    ends = [0, *parts, len(a)]
    return [moveaxis(a[i:j], 0, axis) for i, j in zip(ends, ends[1:])]  # noqa: B905


def repeat(a, times, axis=None):
    a, d = (ravel(a), 0) if axis is None else (asarray(a), axis % asarray(a).ndim)  # noqa: F821
    return a[(slice(None),) * d + (arange(a.shape[d] * times) // times,)]


# ---- 選ぶ、比べる ----
def where(condition, *values):
    return js.where(condition, *values) if values else js.nonzero(condition)


def flatnonzero(a):
    return js.nonzero(ravel(a))[0]  # noqa: F821


def isclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    near = (absolute(subtract(a, b)) <= atol + rtol * absolute(b)) & isfinite(b) | equal(a, b)  # noqa: F821
    return near | isnan(a) & isnan(b) if equal_nan else near  # noqa: F821


def allclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    return bool(isclose(a, b, rtol, atol, equal_nan).all())


def array_equal(a, b):
    return js.shape(a) == js.shape(b) and bool(equal(a, b).all())  # noqa: F821


def nan_to_num(a, nan=0.0):
    return where(isnan(a), nan, a)  # noqa: F821


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
