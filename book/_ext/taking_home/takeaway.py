"""持ち帰れるもの: どのページも Markdown で、セルのあるページはノートブックでも、``_downloads`` に置く。

リポジトリの場所(テーマの ``repository_url``)がわかっていれば、ノートブックを Binder で動かすリンクも出す。

ノートブックには、ページに見えないセルも入る。見えるセルが、その結果を使うからである。

ライブラリを使わない理由: テーマのダウンロードのボタンが渡すのは、組む前の原稿で、番号も本文の数値も入っていない。
"""

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from sphinx.errors import ExtensionError

from rebuilding import execution
from taking_home.plain_markdown import convert, convert_around_cells

FOLDER = "_downloads"
_LICENSE = "『麓へ — 動かして確かめる、ニューラルネットの学習』より。文章と図は CC BY 4.0、コードは MIT。"
_FIRST = f"""\
{_LICENSE}

動かすには、本のパッケージ `fumoto` が要ります。次のセルで `ModuleNotFoundError` が出たら、`%pip` の行の `#` を外し、本のフォルダー(`README.md` のあるところ)の場所を書いて、もう一度動かしてください。

検証表のノートブックだけは、本のテストも使うので、本のフォルダーの中の `book` に置いて開いてください。\
"""
_INSTALL = """\
# %pip install 本のフォルダーの場所
import fumoto"""
_GLUE = "from myst_nb import glue"
_PRINT = '''\
def glue(name, value, display=False):
    """本文に出てくる数の、名前と値。"""
    print(name, value)'''


def write(app, pagename, templatename, context, doctree):
    """ページを書くときに: 持ち帰れるものも書き、そのリンクをページに渡す(``_templates/take-away.html``)。"""
    context["take_away"], context["launch"] = [], ""
    if doctree is None or app.builder.name != "html":
        return  # 検索や索引、紙の本
    url = app.config.html_baseurl and f"{app.config.html_baseurl.rstrip('/')}/{pagename}.html"
    files = {".md": f"{convert(context['body'], url)}\n\n---\n\n{_LICENSE}\n"}
    if cells := execution.cells(app, pagename):
        context["launch"] = binder(app.config.html_theme_options.get("repository_url", ""), pagename)
        files = {".ipynb": nbformat.writes(notebook(context["body"], cells, url)) + "\n", **files}
    for suffix, text in files.items():
        path = Path(app.outdir, FOLDER, pagename + suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        context["take_away"].append((suffix, f"{FOLDER}/{pagename}{suffix}"))


def binder(repository, pagename):
    """``pagename`` のノートブックを Binder で開く URL。GitHub のリポジトリでなければ空。

    >>> binder("https://github.com/someone/fumoto", "02-sgd")
    'https://mybinder.org/v2/gh/someone/fumoto/HEAD?urlpath=lab/tree/build/html/_downloads/02-sgd.ipynb'
    """
    host, _, name = repository.removesuffix("/").removesuffix(".git").partition("github.com/")
    if host != "https://" or not name:
        return ""
    return f"https://mybinder.org/v2/gh/{name}/HEAD?urlpath=lab/tree/build/html/{FOLDER}/{pagename}.ipynb"


def notebook(html, cells, url=""):
    """ページの HTML と、実行したセルから、ノートブックを作る。見えないセルは、その前の見えるセルの図のすぐあとに置く。"""
    text, shown = convert_around_cells(html, url)
    shown = iter(shown)
    made = [new_markdown_cell(_FIRST), new_code_cell(_INSTALL)]
    for cell in cells:
        source = "".join(cell["source"]).strip()
        caption = ""
        if "remove-cell" not in cell["metadata"].get("tags", []):
            made.append(new_markdown_cell(text))
            seen, caption, text = next(shown)
            if seen not in (None, source):
                raise ExtensionError(f"ページに見えるコードと、実行したセルが違います:\n{seen}\n\n{source}")
        made += [new_code_cell(source.replace(_GLUE, _PRINT)), new_markdown_cell(caption)]
    made.append(new_markdown_cell(text))
    made = [cell for cell in made if cell["source"]]
    for number, cell in enumerate(made, start=1):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=made, metadata={"kernelspec": kernel})


def delete_removed(app, env, added, changed, removed):
    """なくなったページの分を消す。"""
    for docname in removed:
        for path in Path(app.outdir, FOLDER).glob(f"{docname}.*"):
            path.unlink()
    return []


def setup(app):
    app.connect("env-get-outdated", delete_removed)
    app.connect("html-page-context", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
