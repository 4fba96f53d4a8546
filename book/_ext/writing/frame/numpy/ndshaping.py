"""numpy.py のうち、配列の形を変える関数と、つなぐ関数。"""

from ndmaking import arange, asarray
from ndnumbers import js


def expand_dims(a, axis):
    a = asarray(a)
    axis = axis if axis >= 0 else axis + a.ndim + 1
    return a.reshape((*a.shape[:axis], 1, *a.shape[axis:]))


def moveaxis(a, source, destination):
    a = asarray(a)
    order = [d for d in range(a.ndim) if d != source % a.ndim]
    order.insert(destination % a.ndim, source % a.ndim)
    return a.transpose(order)


def swapaxes(a, first, second):
    a = asarray(a)
    order = list(range(a.ndim))
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
    return (
        js.concatenate([asarray(a).ravel() for a in arrays], 0)
        if axis is None
        else js.concatenate(arrays, axis)
    )


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
        parts = [len(a) // parts * k for k in range(1, parts)]
    ends = [0, *parts, len(a)]
    return [moveaxis(a[i:j], 0, axis) for i, j in zip(ends, ends[1:])]


def repeat(a, times, axis=None):
    a, d = (asarray(a).ravel(), 0) if axis is None else (asarray(a), axis % asarray(a).ndim)
    return a[(slice(None),) * d + (arange(a.shape[d] * times) // times,)]
