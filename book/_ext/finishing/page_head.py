"""ページの頭に、検索や共有のときに使われる説明(description、Open Graph)とアイコンを書く。

説明は、ページの先頭に ``html_meta`` で書いたもの、なければ最初の段落から作る。
共有の絵(``og:image``)は、置き場所の URL(設定の ``html_baseurl``)がわかるときだけ書く。相対パスでは読まれないため。

ライブラリを使わない理由: sphinxext-opengraph は、説明を文の途中で切り、数式を LaTeX のまま写し、索引や検索のページには何も書かない。
"""

import html
import re

from docutils import nodes

from reading.search_index import plain_math

_LONGEST = 120  # 検索の結果に出る長さ
_LEAD = re.compile(r"^これまで\s*")  # 章の最初の段落の見出し
CARD = "_static/card.png"
ICONS = [  # SVG のアイコン(設定の html_favicon)を読めないブラウザーのために
    ("icon", "32x32", "favicon.png"),
    ("apple-touch-icon", "180x180", "apple-touch-icon.png"),
]
UNTITLED = {"genindex": "索引", "search": "検索"}  # テンプレートの中で題をつけるページ


def add_meta(app, pagename, templatename, context, doctree):
    """テンプレートに渡す ``metatags`` に書き足す。"""
    title = re.sub(r"<[^>]*>", "", context.get("title") or UNTITLED.get(pagename, app.config.html_title))
    written = re.search(
        r'<meta[^>]*\bcontent="([^"]*)"[^>]*\bname="description"', context.get("metatags", "")
    )
    description = html.unescape(written[1]) if written else describe(doctree, title)
    tags = [] if written else [("name", "description", description)]
    tags += [
        ("property", "og:title", html.unescape(title)),
        ("property", "og:description", description),
        ("property", "og:type", "book" if pagename == app.config.root_doc else "article"),
        ("property", "og:site_name", app.config.html_title),
        ("property", "og:locale", "ja_JP"),
    ]
    if app.config.html_baseurl:
        base = app.config.html_baseurl.rstrip("/")
        tags += [
            ("property", "og:url", context["pageurl"]),
            ("property", "og:image", f"{base}/{CARD}"),
            ("property", "og:image:width", "1200"),
            ("property", "og:image:height", "630"),
            ("name", "twitter:card", "summary_large_image"),
        ]
    lines = [f'<meta {kind}="{name}" content="{html.escape(content)}" />' for kind, name, content in tags]
    for rel, size, file in ICONS:
        lines.append(f'<link rel="{rel}" sizes="{size}" href="{context["pathto"](f"_static/{file}", 1)}" />')
    context["metatags"] = context.get("metatags", "") + "\n    " + "\n    ".join(lines)


def describe(doctree, title):
    """ページを 1〜2 文で言うもの。段落のないページ(索引、検索、ソースコード)では、題から作る。"""
    for paragraph in doctree.findall(nodes.paragraph) if doctree else []:
        leaves = paragraph.findall(nodes.Text)
        text = "".join(plain_math(leaf) if isinstance(leaf.parent, nodes.math) else leaf for leaf in leaves)
        text = _LEAD.sub("", re.sub(r"\s+", " ", text)).strip()
        if isinstance(paragraph.parent, nodes.section) and len(text) > 20:
            return shorten(text)
    return f"『麓へ — 動かして確かめる、ニューラルネットの学習』の{title}のページ。"


def shorten(text):
    """文の切れ目で、``_LONGEST`` 文字までにする。

    >>> shorten("山を下ります。" * 30) == "山を下ります。" * 17
    True
    """
    if len(text) <= _LONGEST:
        return text
    end = text.rfind("。", 0, _LONGEST)
    return text[: end + 1] if end > 0 else text[: _LONGEST - 1] + "…"


def setup(app):
    app.connect("html-page-context", add_meta)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
