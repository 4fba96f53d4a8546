"""欄の相手ごとの表(``fumoto.checking.in_browser``)を、ページを組むあいだに、もう 1 つのプロセスで作る。

表を決めるもの(式と、それを読み、間違えるコード)が変わらなければ、前に作ったものを使う。
"""

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from sphinx.errors import ExtensionError

from rebuilding import page_inputs

_MODULES = ("checking", "printed", "validation.py", "hints.py")  # code/fumoto の中で、表を決めるもの
_LIBRARIES = ("sympy", "numpy", "antlr4-python3-runtime", "markdown-it-py")


def fingerprint(root=page_inputs.ROOT):
    """表を決めるもの全部の SHA-256。"""
    digest = hashlib.sha256()
    package = root / "code" / "fumoto"
    files = [path for name in _MODULES for path in ([package / name] if name.endswith(".py") else sorted((package / name).rglob("*.py")))]
    parts = [f"{name}=={version(name)}" for name in _LIBRARIES]
    parts += [f"{path.relative_to(package).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files]
    parts += [repr(block) for block in page_inputs.READS["fumoto.printed.pages"](root)]
    for part in parts:
        digest.update(part.encode() + b"\n")
    return digest.hexdigest()


def _memory(app):
    return Path(app.outdir).parent / "cache" / "write" / fingerprint()


def _has_field(book):
    return any("{write}" in page.read_text(encoding="utf-8") for page in Path(book).glob("*.md"))


def start(app):
    """前に作ったものがなければ、作り始める。"""
    app.writing_tables = None
    if app.builder.name not in ("html", "dirhtml") or not _has_field(app.srcdir):
        return
    memory = app.writing_tables = _memory(app)
    if memory.is_dir():
        return
    shutil.rmtree(memory.parent, ignore_errors=True)
    making = memory.with_name("making")
    places = [str(page_inputs.ROOT / "code"), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, places))}
    app.writing_process = subprocess.Popen(
        [sys.executable, "-m", "fumoto.checking.in_browser", str(making)], env=environment
    )


def finish(app, exception):
    """できるのを待ち、本に入れる。"""
    process = getattr(app, "writing_process", None)
    memory = app.writing_tables
    if process is not None:
        if process.wait():
            raise ExtensionError("書く欄の表を作れませんでした(python -m fumoto.checking.in_browser)")
        memory.with_name("making").rename(memory)
    if exception is None and memory is not None:
        shutil.copytree(memory, Path(app.outdir, "_static", "write", "tables"), dirs_exist_ok=True)


def setup(app):
    app.connect("builder-inited", start)
    app.connect("build-finished", finish, priority=950)  # 使わないファイルを除いた(finishing/trimming)後で
    return {"parallel_read_safe": True, "parallel_write_safe": True}
