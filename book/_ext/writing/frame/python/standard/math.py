"""この欄のための math。計算は JavaScript の Math が行う。"""

from browser import self as _worker

_js = _worker.Math
pi, e, tau = 3.141592653589793, 2.718281828459045, 6.283185307179586
inf, nan = float("inf"), float("nan")


def _function(name, domain=lambda *x: True):
    compute = getattr(_js, name)

    def function(*values):
        values = [float(x) for x in values]
        if any(isnan(x) for x in values):
            return nan
        if not domain(*values):
            raise ValueError("math domain error")
        found = float(compute(*values))
        if isinf(found) and not any(isinf(x) for x in values):
            raise OverflowError("math range error")
        return found

    return function


def isnan(x):
    return float(x) != float(x)


def isinf(x):
    return float(x) in (inf, -inf)


def isfinite(x):
    return not isnan(x) and not isinf(x)


sqrt = _function("sqrt", lambda x: x >= 0)
exp, expm1 = _function("exp"), _function("expm1")
log2, log10 = _function("log2", lambda x: x > 0), _function("log10", lambda x: x > 0)
log1p = _function("log1p", lambda x: x > -1)
sin, cos, tan = (_function(name, isfinite) for name in ("sin", "cos", "tan"))
sinh, cosh, tanh, atan = (_function(name) for name in ("sinh", "cosh", "tanh", "atan"))
asin, acos = (_function(name, lambda x: abs(x) <= 1) for name in ("asin", "acos"))
atan2, hypot, cbrt, fabs = (_function(name) for name in ("atan2", "hypot", "cbrt", "abs"))
_log = _function("log", lambda x: x > 0)


def log(x, base=None):
    return _log(x) if base is None else _log(x) / _log(base)


def pow(x, y):
    x, y = float(x), float(y)
    if (x < 0 and not y.is_integer() and isfinite(x) and isfinite(y)) or (x == 0 and y < 0):
        raise ValueError("math domain error")
    return x**y


def floor(x):
    return x.__floor__() if hasattr(x, "__floor__") else int(_js.floor(float(x)))


def ceil(x):
    return x.__ceil__() if hasattr(x, "__ceil__") else int(_js.ceil(float(x)))


def trunc(x):
    return int(x)


def copysign(x, y):
    return abs(float(x)) * (-1.0 if str(float(y)).startswith("-") else 1.0)


def isclose(a, b, *, rel_tol=1e-09, abs_tol=0.0):
    return a == b or abs(a - b) <= max(rel_tol * max(abs(a), abs(b)), abs_tol)


def prod(items, *, start=1):
    for item in items:
        start = start * item
    return start


def factorial(n):
    return prod(range(1, n + 1))
