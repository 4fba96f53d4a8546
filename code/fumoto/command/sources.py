"""読者のファイルを読み、中で作られたものを並べる。ここの ``definitions`` は、もう 1 つの Python の中で走る。

ノートブックは、セルを順につなげた Python の文として読む。途中の文が失敗しても、残りの文を走らせる。
"""

import __future__

import ast
import json
import pickle
import re
import sys
import tokenize
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from fumoto.checking.calling.batchnorm.partners import together
from fumoto.checking.calling.process import packed
from fumoto.checking.calling.safety import in_japanese
from fumoto.checking.repairing.sources import Written
from fumoto.command.kinds import Kind, kind_of

_SKIPPED = {"__pycache__", "node_modules", "site-packages", "build", "dist", "venv", "env"}


@dataclass(frozen=True)
class Definition:
    """ファイルの中の名前 1 つ。``line``: 行。ノートブックでは、コードのセルの番号。``kind``: 何らしいか。

    ``packed``: 中身のバイト列。送れないものを持つなら None で、使うときに、ファイルを読み直す。
    """

    path: str
    name: str
    line: int
    kind: Kind
    packed: bytes | None

    @property
    def thing(self) -> Any:
        """``check`` に渡すもの。この Python では中身がなく、もう 1 つの Python に送られると、本物になる。"""
        return _Absent(self)


class _Absent(Written):
    def __init__(self, definition: Definition):
        self.definition = definition
        path, cell = Path(definition.path), definition.line if definition.path.endswith(".ipynb") else 1
        with suppress(Exception):  # 読めないファイル
            self.text = _cells_of(path)[cell - 1]

    def __reduce__(self) -> Any:
        return _present, (self.definition,)


def _present(definition: Definition) -> Any:
    _import_beside(Path(definition.path))
    if definition.packed is not None:
        return pickle.loads(definition.packed)
    return getattr(_run(definition.path, only_definitions=False)[0], definition.name)


@dataclass(frozen=True)
class Source:
    """読んだファイル。``error``: 読んでいる間に、はじめに起きた誤り(日本語の一文)。"""

    definitions: tuple[Definition, ...]
    error: str | None


def files_in(path: Path) -> list[Path]:
    """``path`` がフォルダーなら、その中の Python のファイルとノートブック。ファイルなら、それだけ。"""
    if not path.is_dir():
        return [path]
    found = sorted(each for suffix in ("py", "ipynb") for each in path.rglob(f"*.{suffix}"))
    return [
        each
        for each in found
        if each.is_file()
        and not any(part in _SKIPPED or part.startswith(".") for part in each.relative_to(path).parts)
    ]


def definitions(path: str, wanted: str | None = None, only_definitions: bool = False) -> Source:
    """``path`` を走らせ、そこで作られたクラスと関数を、上から順に返す。文として読めなければ ``SyntaxError``。

    ``wanted``: この名前のものだけ(``import`` したものでもよい)。``only_definitions``: 関数の呼び出しなどを飛ばす。
    """
    module, lines, error = _run(path, only_definitions)
    inside = {wanted: getattr(module, wanted)} if wanted and hasattr(module, wanted) else {}
    if wanted is None:
        inside = {name: getattr(module, name) for name in lines if hasattr(module, name)}
    found = []
    for name, value in inside.items():
        kind = kind_of(name, value, inside.values())
        try:  # BatchNorm の順伝播の関数は、同じファイルの逆伝播と一緒に送る
            data = packed(together(value) if kind.name == "batchnorm" else value)
        except Exception:
            data = None
        found.append(Definition(path, name, lines.get(name, 0), kind, data))
    return Source(tuple(found), error)


def _run(path: str, only_definitions: bool) -> tuple[ModuleType, dict[str, int], str | None]:
    """走らせたモジュール、定義の名前 → 行(かセル)、はじめの誤り。"""
    _import_beside(Path(path))
    module = _module(Path(path))
    sys.modules[module.__name__] = module  # dataclass などが、ここから探す
    sys.argv = [path]
    flags, error = 0, None
    lines: dict[str, int] = {}
    cells = _cells_of(Path(path))
    for cell, text in enumerate(cells, start=1):
        for node in ast.parse(text, path).body:
            line = node.lineno if not path.endswith(".ipynb") else cell
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                flags |= sum(getattr(__future__, alias.name).compiler_flag for alias in node.names)
            if only_definitions and not _defines(node):
                continue
            code = compile(ast.Module([node], []), path, "exec", flags, dont_inherit=True)
            try:
                exec(code, vars(module))
            except (Exception, SystemExit) as problem:
                where = f"{line} 行目" if len(cells) == 1 else f"{cell} 番目のセル"
                error = error or f"{where}で {in_japanese(problem)}"
                if isinstance(problem, SystemExit):
                    return module, lines, error
            lines |= {name: line for name in _names_defined(node)}
    return module, lines, error


def _names_defined(node: ast.stmt) -> Iterator[str]:
    """``node``(``if`` や ``try`` でもよい)が作る、クラスと関数の名前。"""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.If | ast.Try | ast.With):
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, ast.stmt):
                yield from _names_defined(inner)
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _defines(node: ast.stmt) -> bool:
    """定義か、読み込みか、関数を呼ばない代入か。"""
    calls = any(isinstance(inner, ast.Call) for inner in ast.walk(node))
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return not calls
    made = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef
    return isinstance(node, made) or (calls and "sys.path" in ast.unparse(node))


def _import_beside(path: Path) -> None:
    """となりのファイルも、パッケージの中からの ``from .adam import Adam`` も、読み込めるようにする。"""
    folders = [str(path.resolve().parent), str(_outside_packages(path))]
    sys.path[:0] = [folder for folder in dict.fromkeys(folders) if folder not in sys.path]


def _outside_packages(path: Path) -> Path:
    folder = path.resolve().parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder


def _module(path: Path) -> ModuleType:
    package = path.resolve().parent.relative_to(_outside_packages(path)).parts
    name = ".".join((*package, path.stem))
    if name in sys.modules or name in sys.stdlib_module_names:  # 読者の random.py など
        name = f"reader_{path.stem}"
    module = ModuleType(name)
    module.__file__ = str(path)
    module.__package__ = ".".join(package)
    return module


def _cells_of(path: Path) -> list[str]:
    """Python のファイルならその全部を 1 つのセルとして、ノートブックならコードのセルを順に返す。"""
    if path.suffix != ".ipynb":
        with tokenize.open(path) as file:  # coding: の行に従う
            return [file.read()]
    cells = json.loads(path.read_text(encoding="utf-8-sig"))["cells"]
    return [_without_commands("".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"]


def _without_commands(source: str) -> str:
    """セルから、ノートブックだけの命令(``%matplotlib inline``, ``!pip``, ``?`` など)を除く。読めないセルは、全部を除く。"""
    if re.match(r"\s*%%(?!time|capture|timeit|prun)", source):  # ほかの言語のセル
        return ""
    lines = [re.sub(r"^(\s*)([%!?].*|\w+\?+\s*)$", r"\1pass", line) for line in source.splitlines()]
    text = "\n".join(lines)
    try:
        ast.parse(text)
    except SyntaxError:
        return ""
    return text
