"""numpy.py のうち、配列を作る関数。"""

from ndnumbers import js
from ndtypes import name_of


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


def arange(start, stop=None, step=1, dtype=None):
    return js.arange(*((0, start) if stop is None else (start, stop)), step, name_of(dtype))


def linspace(start, stop, num=50, endpoint=True, dtype=None):
    step = (stop - start) / max(num - 1 if endpoint else num, 1)
    made = arange(num) * step + start
    if endpoint and num > 1:
        made[-1] = stop
    return made.astype(dtype or float)


def eye(n, m=None, k=0, dtype=float):
    return (arange(n)[:, None] + k == arange(m or n)).astype(dtype)


def identity(n, dtype=float):
    return eye(n, dtype=dtype)


def diag(v, k=0):
    v = asarray(v)
    n, m = v.shape if v.ndim == 2 else (len(v) + abs(k), len(v) + abs(k))
    rows = arange(max(-k, 0), min(n, m - k))
    if v.ndim == 2:
        return v[rows, rows + k]
    made = zeros((n, m), v.dtype)
    made[rows, rows + k] = v
    return made
