"""パッケージと、式を実装と比べるテストのソースコードを、行ごとにリンクできるページにする(``_source/optimizers.html#L-150`` など)。

ライブラリを使わない理由: sphinx.ext.viewcode は、行へのリンクを持たず、リファレンスにないモジュールとテストを載せない。
"""

import inspect
from importlib import import_module
from pathlib import Path

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from rebuilding.page_inputs import ROOT

PACKAGE = ROOT / "code" / "fumoto"
TESTS = ROOT / "tests"


def source_pages(app):
    """Sphinx に渡す ``(ページの名前, 内容, テンプレート)`` の並び。"""
    files = [(path, PACKAGE) for path in sorted(PACKAGE.rglob("*.py"))]
    files += [(path, TESTS) for path in sorted(TESTS.glob("equation_checks/*.py"))]
    newest, written_to = app.builder.templates.newest_template_mtime(), Path(app.outdir, "_source")
    pages = {path: (written_to / path.relative_to(folder)).with_suffix(".html") for path, folder in files}
    for left in {*written_to.rglob("*.html")} - {*pages.values()}:
        left.unlink()  # なくなったモジュールのページ
    for path, folder in files:
        name, page = str(path.relative_to(folder)), pages[path]
        written = page.stat().st_mtime if page.exists() else 0
        if not app.rewrite_everything and written > max(newest, path.stat().st_mtime):
            continue  # 前に組んだものが、そのまま使える
        formatter = HtmlFormatter(linenos="inline", lineanchors="L", anchorlinenos=True)
        body = highlight(path.read_text(encoding="utf-8"), PythonLexer(), formatter)
        context = {"title": name, "parents": [], "body": f"<h1>{name}</h1>\n{body}"}
        yield f"_source/{name.removesuffix('.py')}", context, "page.html"


def source_link(domain, info):
    """項目から、組んだ本の中のソースコードの行へのアドレス(sphinx.ext.linkcode が使う)。"""
    found = import_module(info["module"])
    for name in info["fullname"].split("."):
        found = getattr(found, name, None)
    found = inspect.unwrap(found.fget if isinstance(found, property) else found)
    try:
        path = Path(inspect.getsourcefile(found)).resolve().relative_to(PACKAGE)
        line = inspect.getsourcelines(found)[1]
    except (TypeError, ValueError):  # 値(bowl など)
        return None
    return f"../_source/{path.with_suffix('.html').as_posix()}#L-{line}"


def setup(app):
    app.connect("html-collect-pages", source_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
