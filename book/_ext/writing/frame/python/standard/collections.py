"""この欄のための、小さな collections。"""


class defaultdict(dict):
    def __init__(self, default_factory=None, *values, **named):
        super().__init__(*values, **named)
        self.default_factory = default_factory

    def __missing__(self, key):
        if self.default_factory is None:
            raise KeyError(key)
        self[key] = self.default_factory()
        return self[key]

    def copy(self):
        return type(self)(self.default_factory, self)

    __copy__ = copy


class OrderedDict(dict):
    def move_to_end(self, key, last=True):
        value = self.pop(key)
        rest = {} if last else dict(self)
        if not last:
            self.clear()
        self[key] = value
        self.update(rest)

    def copy(self):
        return type(self)(self)


class Counter(dict):
    def __init__(self, items=()):
        super().__init__()
        self.update(items)

    def __missing__(self, key):
        return 0

    def update(self, items=()):
        pairs = items.items() if isinstance(items, dict) else ((item, 1) for item in items)
        for key, count in pairs:
            self[key] = self[key] + count


class deque(list):
    def __init__(self, items=(), maxlen=None):
        super().__init__()
        self.maxlen = maxlen
        self.extend(items)

    def append(self, item):
        super().append(item)
        if self.maxlen is not None and len(self) > self.maxlen:
            del self[0]

    def appendleft(self, item):
        self.insert(0, item)
        if self.maxlen is not None and len(self) > self.maxlen:
            del self[-1]

    def extend(self, items):
        for item in items:
            self.append(item)

    def popleft(self):
        return self.pop(0)


def namedtuple(name, fields, **options):
    fields = tuple(fields.replace(",", " ").split() if isinstance(fields, str) else fields)

    def __new__(cls, *values, **named):
        given = dict(zip(fields, values, strict=False))
        given.update(named)
        if set(given) != set(fields) or len(values) > len(fields):
            raise TypeError(f"{name}() takes the values of {', '.join(fields)}")
        return tuple.__new__(cls, [given[field] for field in fields])

    members = {field: property(lambda self, at=at: self[at]) for at, field in enumerate(fields)}
    members["_fields"] = fields
    members["__new__"] = __new__
    members["_asdict"] = lambda self: dict(zip(fields, self, strict=True))
    members["_replace"] = lambda self, **named: type(self)(
        **{**dict(zip(fields, self, strict=True)), **named}
    )
    return type(name, (tuple,), members)
