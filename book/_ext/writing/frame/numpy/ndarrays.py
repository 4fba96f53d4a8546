"""ndarray と、計算の結果の 1 つの数(スカラー)。"""

from ndnumbers import Numbers, along, js
from ndtypes import TYPES, register

compare, get, put = js.compare, js.get, js.set


class flatiter:
    """配列の要素を C の順に並べたもの。書き込むと、もとの配列に書き込まれる。"""

    def __init__(self, base):
        self.base = base

    def copy(self):
        return js.reshape(self.base.copy(), -1)

    def __len__(self):
        return self.base.size

    def __iter__(self):
        return iter(self.copy())

    def __getitem__(self, key):
        return self.copy()[key]

    def __setitem__(self, key, values):
        flat = self.copy()
        flat[key] = values.copy() if isinstance(values, flatiter) else values
        self.base[...] = js.reshape(flat, self.base.shape)


class ndarray(Numbers):
    """多次元の配列。"""

    __slots__ = ()
    __getitem__ = lambda self, key: get(self, key)  # noqa: E731

    @property
    def flat(self):
        return flatiter(self)

    @flat.setter
    def flat(self, values):
        self.flat[:] = values

    def __hash__(self):
        raise TypeError("unhashable type: 'numpy.ndarray'")

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
        said = self.size > 0 and js.dtype(self) != "float32"
        return f"array({shown})" if said else f"array({shown}, dtype={self.dtype})"

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
        return f"np.{self}_" if self.name == "bool" else f"np.{self.name}({self})"

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


class float32(floating, float):
    name = "float32"


class int64(integer):
    name = "int64"


class bool_(generic):
    name = "bool"


class UFuncTypeError(TypeError):
    pass


class AxisError(ValueError, IndexError):
    pass


for _type in (float64, float32, int64, bool_):
    register(_type)
js.connect({"ndarray": ndarray, "UFuncTypeError": UFuncTypeError, "AxisError": AxisError, **TYPES})

ARITHMETIC = {
    **{
        "add": "add",
        "sub": "subtract",
        "mul": "multiply",
        "truediv": "divide",
        "floordiv": "floor_divide",
        "mod": "remainder",
    },
    **{"pow": "power", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor"},
}
COMPARISONS = {
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}


def _operators(cls, names, make):
    for dunder, name in names.items():
        setattr(cls, f"__{dunder}__", make(name))


_operators(Numbers, ARITHMETIC, js.operator)
_operators(Numbers, {f"r{key}": name for key, name in ARITHMETIC.items()}, js.reflected)
_operators(ndarray, {f"i{key}": name for key, name in ARITHMETIC.items()}, js.in_place)
_operators(Numbers, COMPARISONS, lambda name: lambda self, other: compare(name, self, other))
