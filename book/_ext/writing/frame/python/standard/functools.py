"""この欄のための、小さな functools。"""

_MISSING = object()


def reduce(function, items, start=_MISSING):
    items = iter(items)
    total = next(items) if start is _MISSING else start
    for item in items:
        total = function(total, item)
    return total


class partial:
    def __init__(self, func, *args, **keywords):
        self.func, self.args, self.keywords = func, args, keywords

    def __call__(self, *args, **keywords):
        return self.func(*self.args, *args, **{**self.keywords, **keywords})


def wraps(wrapped):
    def named(wrapper):
        wrapper.__name__ = wrapped.__name__
        wrapper.__doc__ = wrapped.__doc__
        return wrapper

    return named


def cache(function):
    known = {}

    @wraps(function)
    def remembered(*args, **keywords):
        key = (args, tuple(sorted(keywords.items())))
        if key not in known:
            known[key] = function(*args, **keywords)
        return known[key]

    return remembered


def lru_cache(maxsize=128, typed=False):
    return cache(maxsize) if callable(maxsize) else cache


class cached_property:
    def __init__(self, function):
        self.function = function

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        if self.name not in instance.__dict__:
            instance.__dict__[self.name] = self.function(instance)
        return instance.__dict__[self.name]
