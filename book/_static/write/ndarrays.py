"""numpy.py の配列とスカラーと型。計算は JavaScript(arrays.js・ufuncs.js・indexing.js)がする。"""

from browser import self as _page

js = _page.bridge
compare, ufunc, reduce, along, get, put = js.compare, js.ufunc, js.reduce, js.along, js.get, js.set


class Missing(Exception):
    """この代わりにない名前を使ったときの例外。

    AttributeError ではないのは、Brython が __getattr__ の AttributeError を、自分の文に取り替えてしまうからです。
    """


def missing(name):
    """``name`` がないことを言う例外。"""
    if name.rpartition(".")[2].startswith("__"):
        return AttributeError(name)
    return Missing(f"この欄の NumPy の代わりには、{name} がありません。手元の本物の NumPy で動かしてください")


class dtype:
    """数の型。``float32`` のようなクラスや、``"float32"`` のような名前と比べられます。"""

    def __new__(cls, kind):
        return DTYPES[name_of(kind)]

    def __init__(self, kind):
        pass

    def __eq__(self, other):
        try:
            return self.name == name_of(other)
        except (AttributeError, TypeError):
            return False

    def __hash__(self):
        return hash(self.name)

    def __repr__(self):
        return f"dtype('{self.name}')"

    def __str__(self):
        return self.name


NAMES = {float: "float64", int: "int64", bool: "bool", "float": "float64", "int": "int64", "bool_": "bool",
         "double": "float64", "single": "float32", "f8": "float64", "f4": "float32", "i8": "int64",
         "d": "float64", "f": "float32"}


def name_of(kind):
    """型の名前。``None`` は ``None`` のまま。"""
    if kind is None or isinstance(kind, dtype):
        return kind and kind.name
    if isinstance(kind, type) and issubclass(kind, generic) and kind in TYPES.values():
        return kind.name
    name = NAMES.get(kind, kind)
    if name in TYPES:
        return name
    raise missing(f"型 {getattr(kind, '__name__', kind)}")


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
        if self.size != 1:
            raise ValueError("The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()"
                             if self.size else "The truth value of an empty array is ambiguous. Use `array.size > 0` to check that an array is not empty.")
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
        power = 10.0 ** abs(decimals)
        if decimals == 0 or js.dtype(self) == "int64":
            return stored(ufunc("rint", None, self), out)
        return stored(ufunc("rint", None, self * power) / power if decimals > 0 else ufunc("rint", None, self / power) * power, out)

    def dot(self, other):
        return js.matmul(self, other) if self.ndim and js.ndim(other) else self * other

    def astype(self, dtype, copy=True):
        return js.array(self, name_of(dtype)) if self.ndim or isinstance(self, ndarray) else js.cast(self, name_of(dtype))

    def copy(self, order="C"):
        return js.array(self, None)

    __copy__ = copy

    def __deepcopy__(self, memo):
        return js.array(self, None)

    def reshape(self, *shape, order="C"):
        return js.reshape(self, shape[0] if len(shape) == 1 else shape)

    def ravel(self, order="C"):
        return js.reshape(self, -1)

    def flatten(self, order="C"):
        return js.reshape(js.array(self, None), -1)

    def transpose(self, *axes):
        return js.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def squeeze(self, axis=None):
        chosen = range(self.ndim) if axis is None else [a % self.ndim for a in (axis if isinstance(axis, tuple) else (axis,))]
        return self.reshape(tuple(n for d, n in enumerate(self.shape) if n != 1 or d not in chosen))

    def nonzero(self):
        return js.nonzero(self)


def stored(value, out):
    """``out`` があれば、そこに書いたもの。"""
    if out is None:
        return value
    js.copyto(out, value)
    return out


class ndarray(Numbers):
    """多次元の配列。"""

    __slots__ = ()
    __hash__ = None
    __getitem__ = lambda self, key: get(self, key)  # noqa: E731
    flat = property(lambda self: js.reshape(self, -1))

    def __setitem__(self, key, value):
        put(self, key, value)

    def __len__(self):
        if self.ndim == 0:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self):
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (get(self, i) for i in range(self.shape[0]))

    def __contains__(self, value):
        return bool((self == value).any())

    def __imatmul__(self, other):
        self[...] = self @ other
        return self

    def fill(self, value):
        js.copyto(self, value)

    def sort(self, axis=-1):
        js.copyto(self, along("sort", self, axis))

    def __repr__(self):
        shown = js.text(self, ", ", "      ")
        return f"array({shown})" if js.dtype(self) in ("float64", "int64", "bool") and self.size else f"array({shown}, dtype={self.dtype})"

    def __str__(self):
        return js.text(self, " ", "")


class generic(Numbers):
    """計算の結果の 1 つの数。書き換わらない。"""

    __slots__ = ()

    def __new__(cls, value=0):
        return js.cast(value, cls.name)

    def __init__(self, value=0):
        pass

    def __hash__(self):
        return hash(js.item(self))

    def __repr__(self):
        return f"np.{'True_' if js.item(self) else 'False_'}" if self.name == "bool" else f"np.{self.name}({self})"

    def __str__(self):
        value = js.item(self)
        return str(js.short(value) if self.name == "float32" else value)


class number(generic):
    __slots__ = ()


class floating(number):
    __slots__ = ()


class integer(number):
    __slots__ = ()


class float64(floating, float):
    name = "float64"


class float32(floating):
    name = "float32"


class int64(integer):
    name = "int64"


class bool_(generic):
    name = "bool"


class UFuncTypeError(TypeError):
    pass


class AxisError(ValueError, IndexError):
    pass


TYPES = {"float64": float64, "float32": float32, "int64": int64, "bool": bool_}
DTYPES = {}
for _name, _type in TYPES.items():
    DTYPES[_name] = _made = object.__new__(dtype)
    _made.name, _made.type, _made.kind = _name, _type, {"int64": "i", "bool": "b"}.get(_name, "f")
    _made.itemsize = {"float32": 4, "bool": 1}.get(_name, 8)
js.connect({"ndarray": ndarray, "UFuncTypeError": UFuncTypeError, "AxisError": AxisError, **TYPES})


def _operators(cls, names, make):
    for dunder, name in names.items():
        setattr(cls, f"__{dunder}__", make(name))


ARITHMETIC = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
              "mod": "remainder", "pow": "power", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor"}
COMPARISONS = {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}
_operators(Numbers, ARITHMETIC, js.operator)
_operators(Numbers, {f"r{key}": name for key, name in ARITHMETIC.items()}, js.reflected)
_operators(ndarray, {f"i{key}": name for key, name in ARITHMETIC.items()}, js.in_place)
_operators(Numbers, COMPARISONS, lambda name: lambda self, other: compare(name, self, other))
