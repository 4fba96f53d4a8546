"""numpy.py の型(dtype)と、この代わりにない名前を使ったときの例外。"""


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


NAMES = {
    **{float: "float64", int: "int64", bool: "bool"},
    **{"float": "float64", "int": "int64", "bool_": "bool", "double": "float64", "single": "float32"},
    **{"f8": "float64", "f4": "float32", "i8": "int64", "d": "float64", "f": "float32"},
}
TYPES = {}  # 名前 → スカラーのクラス
DTYPES = {}  # 名前 → dtype
SIZES = {"float64": ("f", 8), "float32": ("f", 4), "int64": ("i", 8), "bool": ("b", 1)}


def register(scalar):
    """スカラーのクラスと、その型を覚えます。"""
    name = scalar.name
    TYPES[name], made = scalar, object.__new__(dtype)
    DTYPES[name], made.name, made.type, (made.kind, made.itemsize) = made, name, scalar, SIZES[name]


def name_of(kind):
    """型の名前。``None`` は ``None`` のまま。"""
    if kind is None or isinstance(kind, dtype):
        return kind and kind.name
    if isinstance(kind, type) and kind in TYPES.values():
        return kind.name
    name = NAMES.get(kind, kind)
    if name in TYPES:
        return name
    raise missing(f"型 {getattr(kind, '__name__', kind)}")
