"""この欄のための、小さな itertools。"""


def chain(*many):
    return _chained(many)


def _chained(many):
    for items in many:
        yield from items


chain.from_iterable = _chained


def count(start=0, step=1):
    while True:
        yield start
        start += step


def repeat(item, times=None):
    while times is None or times > 0:
        yield item
        times = None if times is None else times - 1


def cycle(items):
    saved = list(items)
    while saved:
        yield from saved


def islice(items, start, *rest):
    first, stop, step = (
        (0, start, 1) if not rest else (start or 0, rest[0], rest[1] if len(rest) > 1 and rest[1] else 1)
    )
    if stop is not None and stop <= 0:
        return
    for at, item in enumerate(items):
        if at >= first and (at - first) % step == 0:
            yield item
        if stop is not None and at + 1 >= stop:
            return


def accumulate(items, func=None, *, initial=None):
    items = iter(items)
    total = initial
    if initial is None:
        first = list(islice(items, 1))
        if not first:
            return
        total = first[0]
    yield total
    for item in items:
        total = total + item if func is None else func(total, item)
        yield total


def product(*many, repeat=1):
    found = [()]
    for items in [list(items) for items in many] * repeat:
        found = [(*before, item) for before in found for item in items]
    return iter(found)


def combinations(items, r):
    items = list(items)
    if r == 0:
        yield ()
    for at, first in enumerate(items):
        if r > 0:
            for rest in combinations(items[at + 1 :], r - 1):
                yield (first, *rest)


def permutations(items, r=None):
    items = list(items)
    r = len(items) if r is None else r
    if r == 0:
        yield ()
    for at, first in enumerate(items):
        if r > 0:
            for rest in permutations(items[:at] + items[at + 1 :], r - 1):
                yield (first, *rest)


def zip_longest(*many, fillvalue=None):
    many = [list(items) for items in many]
    for at in range(max(map(len, many), default=0)):
        yield tuple(items[at] if at < len(items) else fillvalue for items in many)


def pairwise(items):
    items = list(items)
    return ((items[at], items[at + 1]) for at in range(len(items) - 1))


def starmap(function, items):
    return (function(*values) for values in items)


def takewhile(test, items):
    for item in items:
        if not test(item):
            return
        yield item
