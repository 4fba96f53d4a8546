"""コードが使う定義: 名前をたどり、モジュールの中から、使われる関数とクラスと定数だけを取り出す。

``optimizers.py`` の Adam を書き換えても、SGD だけのページは変わらない。そう言うために使う。
名前が同じなら使うとみなし、足りないより余る方に倒す。注釈、説明、行の位置は数えない。

ライブラリを使わない理由: 依存を調べる pydeps や grimp は、モジュールまでしか分けない。
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property

# 飾った関数を、どこにも登録しない飾り。ほかの飾りのついた定義は、読み込むだけで何かをするとみなす
_PLAIN = {"cache", "cached_property", "contextmanager", "dataclass", "draw", "kept", "lru_cache", "wraps"}


_DESCRIBED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
Imports = dict[str, list[tuple[str, str | None]]]


def used(cells: str, sources: Mapping[str, bytes]) -> list[str]:
    """セルの中身 ``cells`` が使う、``sources``(モジュールの名前 → 中身)の定義の構文木を、文字列で。

    読み込むだけで走る文は、どのモジュールのものも使うとみなす。読めないコードは ``SyntaxError``。
    """
    search = _Search({name: _module(source) for name, source in sources.items()})
    search.read(_module(cells.encode()), _module(cells.encode()).statements)
    for module in search.modules.values():
        search.read(module, module.effects)
    return [*search.found(), *sorted(search.bound)]


class _Module:
    """文に分けたモジュール。"""

    def __init__(self, source: bytes):
        tree = ast.parse(source)
        for node in ast.walk(tree):  # 説明を除く
            if isinstance(node, _DESCRIBED) and ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:] or [ast.Pass()]
        self.statements = tree.body

    @cached_property
    def imported(self) -> "Imports":
        """名前 → (モジュール, その中の名前) の並び。モジュールそのものなら None。"""
        return _imports(self.statements)

    @cached_property
    def defined(self) -> dict[str, list[ast.stmt]]:
        """名前 → それを定める文(``def``, ``class``, ``名前 = …``)。"""
        found: dict[str, list[ast.stmt]] = {}
        for statement in self.statements:
            for name in _defined_by(statement):
                found.setdefault(name, []).append(statement)
        return found

    @cached_property
    def effects(self) -> list[ast.stmt]:
        """``import`` と説明と、名前を定めるだけの文を除いた残り。"""
        return [statement for statement in self.statements if _does_more(statement)]


_module = cache(_Module)


class _Search:
    """使われる文を集める。"""

    def __init__(self, modules: Mapping[str, _Module]):
        self.modules = modules
        self.bound: set[str] = set()  # 使われる名前が、どこから来たか
        self.seen: set[ast.stmt] = set()
        self.referred: set[tuple[str, str | None, frozenset[str] | None]] = set()

    def found(self) -> Iterator[str]:
        """モジュールごとに、使われる文を、書かれた順に。"""
        for name, module in self.modules.items():
            for statement in module.statements:
                if statement in self.seen:
                    yield f"{name}: {_shape(statement)}"

    def read(self, module: _Module, statements: Iterable[ast.stmt]) -> None:
        """``module`` の中の文と、それが使うもの。"""
        for statement in statements:
            if statement in self.seen:
                continue
            self.seen.add(statement)
            names, attributes, alone = _names_in(statement)
            inner = _imports([statement])  # 関数の中の import
            for name in names | inner.keys():
                self.read(module, module.defined.get(name, ()))
                for target in module.imported.get(name, []) + inner.get(name, []):
                    self.bound.add(f"{name} <- {target}")
                    self.refer(*target, attributes if name not in alone else None)

    def refer(self, module: str, name: str | None, attributes: set[str] | None) -> None:
        """``module`` の中の ``name``。None なら、モジュールの中の、``attributes`` の名前のもの(None なら全部)。"""
        asked = module, name, None if attributes is None else frozenset(attributes)
        if asked in self.referred:
            return
        self.referred.add(asked)
        inside = f"{module}.{name}" if name else module
        if inside in self.modules and (name is None or name not in self.modules[module].defined):
            self.refer_to_module(inside, attributes)
        elif name and module in self.modules:
            self.refer_to_name(module, name, attributes)

    def refer_to_module(self, module: str, attributes: set[str] | None) -> None:
        every = {*self.modules[module].defined, *self.modules[module].imported}
        every |= {name.rpartition(".")[2] for name in self.modules if name.rpartition(".")[0] == module}
        chosen = every if attributes is None else every & attributes
        if attributes and not chosen:  # book.checks.positive でなく、book.checks が丸ごと渡されている
            chosen = every
        for name in chosen:
            self.refer(module, name, attributes)

    def refer_to_name(self, module: str, name: str, attributes: set[str] | None) -> None:
        found = self.modules[module]
        if name in found.imported and name not in found.defined:
            for target in found.imported[name]:
                self.bound.add(f"{name} <- {target}")
                self.refer(*target, attributes)
            self.read(found, found.defined.get("__getattr__", ()))  # 使うときに読み込む名前かもしれない
        elif name == "*":
            self.refer_to_module(module, None)
        else:
            self.read(found, found.defined.get(name) or found.defined.get("__getattr__", ()))


def _defined_by(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield statement.name
        case ast.Assign(targets=targets):
            yield from (
                node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)
            )
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name


def _does_more(statement: ast.stmt) -> bool:
    """名前を定めるほかに、何かをしうる文か。"""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return any(_last_name(decorator) not in _PLAIN for decorator in statement.decorator_list)
        case ast.Assign(targets=targets):
            inside = [node for target in targets for node in ast.walk(target)]
            return any(isinstance(node, (ast.Attribute, ast.Subscript)) for node in inside)
        case ast.AnnAssign(target=target):
            return not isinstance(target, ast.Name)
        case ast.Expr(value=ast.Constant()) | ast.Import():
            return False
        case ast.ImportFrom(names=names):
            return any(alias.name == "*" for alias in names)
    return True


def _last_name(decorator: ast.expr) -> str:
    match decorator:
        case ast.Call(func=function):
            return _last_name(function)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


@cache
def _names_in(statement: ast.stmt) -> tuple[set[str], set[str], set[str]]:
    """文の中の名前、属性の名前、``.`` をつけずに使われている名前。"""
    nodes = list(ast.walk(statement))
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    names = [node for node in nodes if isinstance(node, ast.Name)]
    bases = {id(node.value) for node in attributes}
    alone = {node.id for node in names if id(node) not in bases}
    return {node.id for node in names}, {node.attr for node in attributes}, alone


def _imports(statements: Iterable[ast.stmt]) -> Imports:
    found: Imports = {}
    for node in (node for statement in statements for node in ast.walk(statement)):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    whole = alias.name if alias.asname else alias.name.partition(".")[0]
                    found.setdefault(alias.asname or whole, []).append((whole, None))
            case ast.ImportFrom(module=str(module), names=names, level=0):
                for alias in names:
                    found.setdefault(alias.asname or alias.name, []).append((module, alias.name))
    return found


_shape = cache(ast.dump)  # 文の構文木。行の位置は入らない
