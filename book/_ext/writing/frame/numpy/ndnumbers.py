"""配列とスカラーに共通の属性とメソッド。計算は JavaScript(arrays.js など)がする。"""

from ndtypes import DTYPES, missing, name_of

from browser import self as _page

js = _page.bridge
ufunc, reduce, along = js.ufunc, js.reduce, js.along


class Numbers:
    """配列とスカラーに共通の、演算子と属性。"""

    __slots__ = ()
    shape = property(js.shape, lambda self, shape: js.reshaped(self, shape))
    ndim = property(js.ndim)
    size = property(js.size)
    strides = property(js.strides)
    dtype = property(lambda self: DTYPES[js.dtype(self)])
    itemsize = property(lambda self: self.dtype.itemsize)
    nbytes = property(lambda self: self.size * self.dtype.itemsize)
    T = property(lambda self: js.transpose(self, None))
    real = property(lambda self: self)

    def __getattr__(self, name):
        raise missing(f"配列の .{name}")

    def __matmul__(self, other):
        return js.matmul(self, other)

    def __rmatmul__(self, other):
        return js.matmul(other, self)

    def __divmod__(self, other):
        return self // other, self % other

    def __neg__(self):
        return ufunc("negative", None, self)

    def __pos__(self):
        return ufunc("positive", None, self)

    def __abs__(self):
        return ufunc("absolute", None, self)

    def __invert__(self):
        return ufunc("logical_not", None, self) if js.dtype(self) == "bool" else -1 - self

    def __bool__(self):
        if self.size == 0:
            raise ValueError("The truth value of an empty array is ambiguous. Use `array.size > 0` to check.")
        if self.size > 1:
            raise ValueError(
                "The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()"
            )
        return bool(js.item(self))

    def _single(self):
        if self.ndim > 0:
            raise TypeError("only 0-dimensional arrays can be converted to Python scalars")
        return js.item(self)

    def __float__(self):
        return float(self._single())

    def __int__(self):
        return int(self._single())

    def __index__(self):
        if self.ndim > 0 or js.dtype(self) != "int64":
            raise TypeError("only integer scalar arrays can be converted to a scalar index")
        return js.index(self)

    def item(self, *index):
        return js.item(self[index] if index else self)

    def tolist(self):
        return js.tolist(self)

    def __round__(self, digits=0):
        return self.round(digits)

    def __format__(self, spec):
        if spec and self.ndim > 0:
            raise TypeError("unsupported format string passed to numpy.ndarray.__format__")
        return format(self._single() if spec else str(self), spec)

    def sum(self, axis=None, dtype=None, out=None, keepdims=False):
        return stored(reduce("sum", self if dtype is None else self.astype(dtype), axis, keepdims), out)

    def prod(self, axis=None, dtype=None, out=None, keepdims=False):
        return stored(reduce("prod", self if dtype is None else self.astype(dtype), axis, keepdims), out)

    def max(self, axis=None, out=None, keepdims=False):
        return stored(reduce("max", self, axis, keepdims), out)

    def min(self, axis=None, out=None, keepdims=False):
        return stored(reduce("min", self, axis, keepdims), out)

    def all(self, axis=None, out=None, keepdims=False):
        return stored(reduce("all", self, axis, keepdims), out)

    def any(self, axis=None, out=None, keepdims=False):
        return stored(reduce("any", self, axis, keepdims), out)

    def mean(self, axis=None, dtype=None, out=None, keepdims=False):
        total = self.sum(axis, dtype, None, keepdims)
        return stored(ufunc("divide", None, total, max(self.size, 1) // max(js.size(total), 1)), out)

    def var(self, axis=None, dtype=None, out=None, ddof=0, keepdims=False):
        apart = self - self.mean(axis, dtype, None, True)
        total = (apart * apart).sum(axis, dtype, None, keepdims)
        return stored(ufunc("divide", None, total, self.size // max(js.size(total), 1) - ddof), out)

    def std(self, axis=None, dtype=None, out=None, ddof=0, keepdims=False):
        return stored(ufunc("sqrt", None, self.var(axis, dtype, None, ddof, keepdims)), out)

    def argmax(self, axis=None):
        return along("argmax", self, axis)

    def argmin(self, axis=None):
        return along("argmin", self, axis)

    def cumsum(self, axis=None):
        return along("cumsum", self, axis)

    def cumprod(self, axis=None):
        return along("cumprod", self, axis)

    def clip(self, min=None, max=None, out=None):
        low = self if min is None else ufunc("maximum", None, self, min)
        return stored(low if max is None else ufunc("minimum", None, low, max), out)

    def round(self, decimals=0, out=None):
        if decimals == 0 or js.dtype(self) == "int64":
            return stored(ufunc("rint", None, self), out)
        scale = 10.0**decimals if decimals > 0 else 10.0**-decimals
        near = (
            ufunc("rint", None, self * scale) / scale
            if decimals > 0
            else ufunc("rint", None, self / scale) * scale
        )
        return stored(near, out)

    def dot(self, other):
        return js.matmul(self, other) if self.ndim and js.ndim(other) else self * other

    def astype(self, dtype, copy=True):
        return js.astype(self, name_of(dtype))

    def copy(self, order="C"):
        return js.copy(self)

    __copy__ = copy

    def __deepcopy__(self, memo):
        return js.astype(self, None)

    def reshape(self, *shape, order="C"):
        return js.reshape(self, shape[0] if len(shape) == 1 else shape)

    def ravel(self, order="C"):
        return js.reshape(self, -1)

    def flatten(self, order="C"):
        return js.reshape(js.array(self, None), -1)

    def transpose(self, *axes):
        return js.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def squeeze(self, axis=None):
        axes = range(self.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        chosen = [each % self.ndim for each in axes]
        return self.reshape(tuple(n for d, n in enumerate(self.shape) if n != 1 or d not in chosen))

    def nonzero(self):
        return js.nonzero(self)


def stored(value, out):
    """``out`` があれば、そこに書いたもの。"""
    if out is None:
        return value
    js.copyto(out, value)
    return out
