"""numpy.py の linalg・random・finfo・errstate。"""

from ndarrays import ndarray
from ndnumbers import js, ufunc
from ndtypes import dtype, missing


class finfo:
    """浮動小数点数の型の限界。"""

    def __init__(self, kind):
        self.dtype = dtype(kind)
        make, single_ = self.dtype.type, self.dtype.name == "float32"
        self.eps, self.tiny = (
            make(2.0 ** (-23 if single_ else -52)),
            make(2.0 ** (-126 if single_ else -1022)),
        )
        self.smallest_normal = self.tiny
        self.max = make((2 - 2.0**-23) * 2.0**127 if single_ else 1.7976931348623157e308)
        self.min = -self.max


class NDArray:
    """型ヒントに書くだけのもの(numpy.typing)。"""

    def __class_getitem__(cls, kind):
        return ndarray


ArrayLike = object


def ndindex(*shape):
    """添字の組を、C の順に。"""
    lengths = shape[0] if shape and isinstance(shape[0], tuple) else shape
    found = [()]
    for length in lengths:
        found = [(*each, i) for each in found for i in range(length)]
    return iter(found)


class errstate:
    """警告は出ないので、何もしません。"""

    def __init__(self, **kinds):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False


def set_printoptions(**options):
    """表示の設定は変えられません。"""


class linalg:
    """行列の計算のうち、ノルムと特異値分解だけ。"""

    def __getattr__(self, name):
        raise missing(f"linalg.{name}")

    def norm(self, x, ord=None, axis=None, keepdims=False):
        x = js.array(x, None)
        if x.ndim > 1 and axis is None and ord not in (None, "fro"):
            raise missing(f"行列の linalg.norm(ord={ord})")
        size = ufunc("absolute", None, x)
        if ord == 1:
            return size.sum(axis=axis, keepdims=keepdims)
        if ord == float("inf"):
            return size.max(axis=axis, keepdims=keepdims)
        if ord not in (None, 2, "fro"):
            raise missing(f"linalg.norm(ord={ord})")
        return ufunc("sqrt", None, (x * x).sum(axis=axis, keepdims=keepdims))

    def svd(self, a, full_matrices=True, compute_uv=True):
        u, s, vt = js.svd(a)
        if not compute_uv:
            return s
        if full_matrices and u.shape[0] != vt.shape[1]:
            raise missing("正方でない行列の linalg.svd(full_matrices=True)")
        return u, s, vt


class Generator:
    """乱数の列。本物の NumPy とは違う列です。"""

    def __init__(self, seed=None):
        self._stream = js.stream(seed)

    def __getattr__(self, name):
        raise missing(f"random.{name}")

    def random(self, size=None):
        return js.draw(self._stream, "uniform", size)

    def standard_normal(self, size=None):
        return js.draw(self._stream, "normal", size)

    def normal(self, loc=0.0, scale=1.0, size=None):
        return loc + scale * self.standard_normal(size)

    def uniform(self, low=0.0, high=1.0, size=None):
        return low + (high - low) * self.random(size)

    def integers(self, low, high=None, size=None):
        low, high = (0, low) if high is None else (low, high)
        return ufunc("floor", None, self.uniform(low, high, size)).astype(int)

    def permutation(self, x):
        x = js.array(x if isinstance(x, (ndarray, list, tuple)) else range(x), None)
        return x[js.along("argsort", self.random(len(x)), 0)]

    def shuffle(self, x):
        x[...] = self.permutation(x)


class random(Generator):
    """random.randn のような、前からある書き方。"""

    Generator = Generator
    default_rng = Generator

    def seed(self, seed=None):
        self._stream = js.stream(seed)

    def randn(self, *shape):
        return self.standard_normal(shape or None)

    def rand(self, *shape):
        return self.random(shape or None)

    def randint(self, low, high=None, size=None):
        return self.integers(low, high, size)


linalg, random = linalg(), random(0)
