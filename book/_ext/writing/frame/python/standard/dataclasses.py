"""この欄のための、小さな dataclasses。__init__ と __repr__ と __eq__ だけを作る。"""

MISSING = object()


class Field:
    def __init__(self, default, default_factory, init):
        self.name, self.default, self.default_factory, self.init = None, default, default_factory, init

    def optional(self):
        return self.default is not MISSING or self.default_factory is not MISSING

    def value(self):
        return self.default if self.default_factory is MISSING else self.default_factory()


def field(*, default=MISSING, default_factory=MISSING, init=True, **options):
    return Field(default, default_factory, init)


def dataclass(cls=None, *, frozen=False, slots=False, **options):
    return _made(cls) if cls is not None else _made


def fields(item):
    return tuple(item.__dataclass_fields__.values())


def asdict(item):
    return {each.name: getattr(item, each.name) for each in fields(item)}


def _made(cls):
    found = dict(getattr(cls, "__dataclass_fields__", {}))
    for name, hint in getattr(cls, "__annotations__", {}).items():
        if "ClassVar" in str(hint):
            continue
        default = cls.__dict__.get(name, MISSING)
        if isinstance(default, (list, dict, set)):
            raise ValueError(
                f"mutable default {type(default)} for field {name} is not allowed: use default_factory"
            )
        found[name] = default if isinstance(default, Field) else Field(default, MISSING, True)
        found[name].name = name
        if isinstance(default, Field) and default.default is not MISSING:
            setattr(cls, name, default.default)
    cls.__dataclass_fields__ = found
    if "__init__" not in cls.__dict__:
        cls.__init__ = _init(found)
    if "__repr__" not in cls.__dict__:
        cls.__repr__ = _repr
    if "__eq__" not in cls.__dict__:
        cls.__eq__ = lambda self, other: type(self) is type(other) and asdict(self) == asdict(other)
    return cls


def _init(found):
    own = [name for name, each in found.items() if each.init]
    required = [name for name in own if not found[name].optional()]

    def __init__(self, *values, **named):
        given = {**dict(zip(own, values, strict=False)), **named}
        if len(values) > len(own):
            raise TypeError(
                f"__init__() takes {len(own) + 1} positional arguments but {len(values) + 1} were given"
            )
        if unknown := [name for name in named if name not in own]:
            raise TypeError(f"__init__() got an unexpected keyword argument '{unknown[0]}'")
        if missing := [name for name in required if name not in given]:
            raise TypeError(f"__init__() missing 1 required positional argument: '{missing[0]}'")
        for name, each in found.items():
            if name in given or each.optional():
                setattr(self, name, given[name] if name in given else each.value())
        if hasattr(self, "__post_init__"):
            self.__post_init__()

    __init__.__parameters__ = (own, required, False)
    return __init__


def _repr(self):
    return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in asdict(self).items())})"
