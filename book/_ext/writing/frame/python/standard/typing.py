"""この欄のための、小さな typing。型ヒントは読み飛ばすだけなので、どれも [ ] を受けつける印にすぎない。"""


class _Hint:
    def __init__(self, name):
        self._name = name

    def __getitem__(self, items):
        return self

    def __or__(self, other):
        return self

    __ror__ = __or__

    def __call__(self, *values, **options):
        return self

    def __repr__(self):
        return f"typing.{self._name}"


_NAMES = (
    "Any Union Optional Callable Type Literal Final ClassVar Annotated Self TypeAlias Never NoReturn "
    "List Dict Tuple Set FrozenSet Sequence MutableSequence Mapping MutableMapping Iterable Iterator Generator "
    "Collection Hashable Sized Text Number SupportsFloat SupportsInt DefaultDict OrderedDict Deque Counter"
)
for _name in _NAMES.split():
    globals()[_name] = _Hint(_name)


class Generic:
    def __class_getitem__(cls, items):
        return cls


class Protocol(Generic):
    pass


class TypedDict(dict):
    pass


def TypeVar(name, *constraints, **options):
    return _Hint(name)


def cast(kind, value):
    return value


def _same(function):
    return function


overload = final = override = runtime_checkable = no_type_check = _same


def NamedTuple(name, fields):
    from collections import namedtuple

    return namedtuple(name, [field for field, _ in fields])


TYPE_CHECKING = False
