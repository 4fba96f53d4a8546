"""Sphinx の設定。ページは book/、パッケージは code/fumoto にある。"""

import atexit
import gc
import os
import sys
from importlib.metadata import distribution
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "book" / "_ext"))  # この本が Sphinx に足すもの

from reference.source_pages import source_link

# ページのコードを動かすカーネルにも伝わる。BLAS は 1 プロセス 1 スレッドがいちばん速い
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

# 組むときには、最後まで要るものを大量に作る。要らなくなったものを探す回数を減らし、終わるときには探さない
gc.set_threshold(10_000)
atexit.register(gc.freeze)

project = "麓へ"
author = "Fumoto の著者たち"
copyright = "Fumoto の著者たち。文章は CC BY 4.0、コードは MIT"
language = "ja"
html_title = "麓へ"
exclude_patterns = ["_ext"]  # 部屋ごとの README.md は、本のページではない

extensions = [
    "myst_nb",
    "sphinx.ext.mathjax",
    "sphinx.ext.autodoc",
    "sphinx.ext.linkcode",
    "sphinx_exercise",
    "sphinx_togglebutton",
    "sphinxcontrib.bibtex",
    # ここから下は、この本が足すもの(book/_ext)。部屋ごとの README.md に、どれが何をするかがある
    "rebuilding.execution",
    "rebuilding.rewriting",
    "living.playground",
    "living.histograms",
    "writing.write",
    "writing.tables",
    "writing.runtime",
    "reading.corrections",
    "reading.claim_marks",
    "reading.first_use",
    "reading.numbering",
    "reading.japanese_index",
    "reading.search_index",
    "reference.docstrings",
    "reference.api_reference",
    "reference.source_pages",
    "taking_home.takeaway",
    "finishing.image_sizes",
    "finishing.exercise_ids",
    "finishing.page_head",
    "finishing.trimming",
]

# ページの中のコード: 結果を決めるものが変わったページだけを実行し(rebuilding/execution)、1 つでも失敗したら組むのをやめる
nb_execution_mode = "cache"
nb_execution_timeout = 600
execute_last = ["appendix-verification"]  # ほかのページの学習の結果を使うので、待ってから実行する
nb_output_stderr = "remove"  # 進み具合の表示は端末にだけ出す
nb_merge_streams = True
nb_render_markdown_format = "myst"  # 計算した表を Markdown の表として組む

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_dmath_double_inline = False
math_number_all = False
numfig = True
math_numfig = True
numfig_secnum_depth = 1
math_eqref_format = "式 ({number})"
numfig_format = {
    "figure": "図 %s",
    "table": "表 %s",
    "code-block": "コード %s",
    "section": "%s 章",
    "exercise": "演習 %s",
}

bibtex_bibfiles = ["book/references.bib"]
bibtex_default_style = "unsrt"
bibtex_reference_style = "author_year"

# API リファレンス(book/api)は docstring から作る(book/_ext/reference)
autodoc_default_options = {"member-order": "bysource", "show-inheritance": True}
autodoc_inherit_docstrings = False
autodoc_preserve_defaults = True
autodoc_typehints = "none"
add_module_names = False
toc_object_entries_show_parents = "hide"
html_domain_indices = False
linkcode_resolve = source_link

locale_dirs = ["locale", "book/locale"]  # 訳(book から見た場所)と、スクリプトの訳(ここから見た場所)
gettext_compact = "fumoto"
togglebutton_hint = "解答を開く"
togglebutton_hint_hide = "解答を閉じる"

template_bridge = "finishing.finished_pages.Templates"  # 書き出す前の仕上げ
html_theme = "sphinx_book_theme"
html_theme_options = {
    "use_download_button": False,
    "use_fullscreen_button": False,
    "home_page_in_toc": True,
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "article_header_end": ["take-away.html", "article-header-buttons.html"],  # 持ち帰る(taking_home)
    # 上の帯は使わない(検索は左の欄にある)
    "navbar_start": [],
    "navbar_center": [],
    "navbar_end": [],
    "navbar_persistent": [],
    "search_bar_text": "この本を検索",
    "toc_title": "このページの目次",
}
# 公開しているリポジトリの場所。あるときだけ、そこへ行くボタンと、ノートブックを Binder で動かすリンクが出る
if repository := os.environ.get("FUMOTO_REPOSITORY"):
    html_theme_options |= {
        "repository_url": repository,
        "path_to_docs": "book",
        "use_repository_button": True,
        "use_source_button": True,
    }
html_baseurl = os.environ.get("FUMOTO_URL", "")  # 公開する場所。共有の絵と、持ち帰った本の中のリンクに要る
html_static_path = ["book/_static"]
templates_path = ["book/_templates"]
html_css_files = ["book.css"]
html_js_files = ["reading.js"]
html_favicon = "book/_static/favicon.svg"
html_context = {"default_mode": "auto"}  # 明暗は読者の端末の設定に従う
html_copy_source = False
html_scaled_image_link = False  # 大きさを書いた図(finishing/image_sizes)を、図のファイルへのリンクにしない
html_show_sphinx = False
html_last_updated_fmt = None

# MathJax は手元に置く。CDN から読むと、ネットワークのない読者には LaTeX のまま見えてしまう
mathjax_path = "tex-svg.js"
mathjax_options = {"async": "async"}  # 動かせる図が、MathJax を待たないように
mathjax3_config = {"svg": {"mtextInheritFont": True}, "options": {"enableMenu": False}}  # メニューは英語
mathjax_config_path = "book/_static/typesetting.js"


def setup(app):
    app.connect("builder-inited", add_mathjax)


def add_mathjax(app):
    """MathJax の場所は .venv の中で、機械ごとに違う。設定に書くと、その要約が .buildinfo に残るので、要約のあとで足す。"""
    package = distribution("sphinx-mathjax-offline")
    app.config.html_static_path.append(
        str(package.locate_file("sphinx-mathjax-offline/static/mathjax/tex-svg.js"))
    )
