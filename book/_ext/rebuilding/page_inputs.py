"""ページのコードの結果を決めるもの: セル、それが使う定義(``definitions``)、モジュールが読むファイル、ライブラリの版。

どれか 1 つでも変われば ``fingerprint`` が変わる。文章は入っていない。
"""

import ast
import hashlib
import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from markdown_it import MarkdownIt

from rebuilding import definitions

ROOT = Path(__file__).resolve().parents[3]
LIBRARIES = (
    "numpy",
    "sympy",
    "antlr4-python3-runtime",
    "markdown-it-py",
    "matplotlib",
    "matplotlib-fontja",
    "joblib",
    "cloudpickle",
    "threadpoolctl",
    "ipykernel",
    "ipython",
    "myst-nb",
)
BLAS = ("OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")  # 丸めを変える環境変数


def cells(text):
    """ページの実行されるセルの中身(見出しの設定も含む)の並び。"""
    fences = MarkdownIt("commonmark").parse(text)
    return [token.content for token in fences if token.type == "fence" and "{code-cell}" in token.info]


def fingerprint(text, modules, root=ROOT, whole=False):
    """ページの本文 ``text`` のセルと、モジュールの名前 ``modules`` から、結果を決めるもの全部の SHA-256。

    ``root``: このプロジェクトのフォルダー。モジュールは ``code`` と ``tests`` から探す。
    ``whole``: モジュールの中身を分けずに、全部を数える(構文を読まないので、ずっと速い)。
    """
    digest = hashlib.sha256()

    def add(*parts):
        for part in parts:
            part = part if isinstance(part, bytes) else str(part).encode()
            digest.update(len(part).to_bytes(8, "big") + part)

    add(platform.python_version(), platform.machine())
    add(*(f"{name}={os.environ.get(name)}" for name in BLAS))
    add(*(f"{name}=={_version(name)}" for name in LIBRARIES))
    add(*cells(text))
    add(*local_packages(root))  # 最後に足すセルに書いてある(execution)
    sources = {module: _source(module, root) for module in sorted(modules)}
    try:
        used = definitions.used("\n".join(map(code, cells(text))), sources) if not whole else sources.values()
    except SyntaxError:  # 走らせれば、どこが読めないかがわかる
        used = sources.values()
    add(*used)
    for module in sources:
        add(module)
        for path in READS.get(module, lambda root: ())(root):
            add(*(path if isinstance(path, tuple) else (path.name, _content(path))))
    return digest.hexdigest()


def local_packages(root=ROOT):
    """ページのセルが読み込みうる、このプロジェクトのパッケージの名前。"""
    return sorted(path.parent.name for place in _places(root) for path in place.glob("*/__init__.py"))


def local_modules(root=ROOT):
    """このプロジェクトのパッケージのモジュール全部の名前。"""
    for place in _places(root):
        for package in local_packages(root):
            for path in sorted((place / package).rglob("*.py")):
                name = path.relative_to(place).with_suffix("").parts
                yield ".".join(name[:-1] if name[-1] == "__init__" else name)


def _places(root):
    return root / "code", root / "tests"


def _content(path):
    return path.read_bytes() if path.is_file() else b""


def _source(module, root):
    for place in _places(root):
        path = place.joinpath(*module.split("."))
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file.read_bytes()
    return b""  # なくなったモジュール


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None


# モジュール → 動いているときに読むもの(ファイル、または (名前, 内容))。
# ファイルを読むモジュールがここにないと、tests/extensions/rebuilding/test_fresh.py が失敗する。


def _equations(root):
    """ページの式: ``{math}`` の囲みと、そのすぐ下の ``%`` の行。"""
    for page in sorted((root / "book").glob("*.md")):
        for block in re.findall(
            r"^`{3,}\{math\}\n.*?^`{3,}\n(?:%[^\n]*\n)*", page.read_text(encoding="utf-8"), re.M | re.S
        ):
            yield page.name, block


def _claims(root):
    """ページの主張の行。"""
    for page in sorted((root / "book").glob("*.md")):
        yield from (
            (page.name, line) for line in re.findall(r"^ *% claim:.*", page.read_text(encoding="utf-8"), re.M)
        )


def _everything_checked(root):
    """検証表が見るもの: パッケージの全部の行、図の名前、文献の鍵。"""
    yield from sorted((root / "code" / "fumoto").rglob("*.py"))
    yield from sorted((root / "tests" / "equation_checks").rglob("*.py"))
    yield root / "book" / "references.bib"
    for page in sorted((root / "book").glob("*.md")):
        names = re.findall(r"name: (fig-[\w-]+)", page.read_text(encoding="utf-8"))
        yield page.name, "\n".join(names)


READS = {
    "fumoto.experiments.fingerprint": lambda root: [],  # 何を読んでも、結果は変わらない
    "fumoto.experiments.kept": lambda root: [],
    "fumoto.datasets": lambda root: sorted((root / "code" / "fumoto" / "data" / "mnist").iterdir()),
    "fumoto.command": lambda root: [],  # 開くのは、捨てる口だけ
    "fumoto.command.sources": lambda root: [],  # 読むのは、セルが書いたファイルだけ
    "fumoto.checking.calling.child": lambda root: [],  # 同じ
    "fumoto.printed.pages": _equations,
    "fumoto.printed.claims": _claims,
    "fumoto.experiments.verification": _everything_checked,
    "fumoto.experiments.speed": lambda root: [root / "code" / "fumoto" / "data" / "speed.json"],
}


def code(cell):
    """セルの中身から、見出しの設定を除いたもの。"""
    return re.sub(r"\A(---\n.*?^---\n|(:[^\n]*\n)+)", "", cell, flags=re.M | re.S)


def shows_something(source):
    """セルの最後の文が値を表示する式か。"""
    source = code(source)
    body = ast.parse(source).body
    return bool(body) and isinstance(body[-1], ast.Expr) and not source.rstrip().endswith(";")
