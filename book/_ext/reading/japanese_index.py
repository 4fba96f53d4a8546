"""索引: 日本語の語は読みで並べ、あ行、か行、… の見出しにまとめる。

読みは、用語集の「(よみ、English)」から取る。項目の 2 つ目からの用語には、Sphinx の書き方で「移動平均 : いどうへいきん」のように読みをつける。

ライブラリを使わない理由: sphindexer と sphinxcontrib-kana-text は 2022 年で止まり、いまの Sphinx では読み込めない。
"""

import re
import unicodedata
from itertools import groupby

from sphinx.locale import _

from reading.first_use import glossary_pages

ROWS = {
    "あ": "あいうえお",
    "か": "かきくけこ",
    "さ": "さしすせそ",
    "た": "たちつてと",
    "な": "なにぬねの",
    "は": "はひふへほ",
    "ま": "まみむめも",
    "や": "やゆよ",
    "ら": "らりるれろ",
    "わ": "わをん",
}

TRANSLATED = {"module": "モジュール"}  # Sphinx が索引に書く英語


def readings(text):
    r"""用語集の本文 → ``{用語: 読み}``。読みのない用語は入らない。

    Sphinx が読みを覚えるのは、その語を先に見つけたページに読みがあるときだけなので、``:`` の読みも、ここで読む。

    >>> readings('```{glossary}\n鞍点\n鞍 : くら\n  (あんてん、saddle point)停留点の 1 つ。\n')
    {'鞍点': 'あんてん', '鞍': 'くら'}
    """
    kana = "[ぁ-ゖァ-ヺー・]+"
    first = re.findall(rf"^([^\s`].*)\n(?:[^\s`].*\n)* +\(({kana})、", text, re.M)
    return dict([*first, *re.findall(rf"^([^\s`].*?) : ({kana})$", text, re.M)])


def place(entry, reading=None):
    """索引の語の (見出し, 並べる順)。英字で始まる語と、読みのない語は、つづりで並べる。

    >>> place("鞍点", "あんてん")[0], place("ガウス分布")[0], place("Adam", "アダム")[0]
    ('あ', 'か', 'A')
    """
    word = entry if entry[0].isascii() or not reading else reading
    word = unicodedata.normalize("NFKC", word).lower()
    word = "".join(chr(ord(c) - 0x60) if "ァ" <= c <= "ヶ" else c for c in word)  # ひらがなに
    plain = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))  # 清音に
    plain = plain.translate(str.maketrans("ぁぃぅぇぉっゃゅょゎ", "あいうえおつやゆよわ", "ー・ "))
    for row, kana in ROWS.items():
        if plain[:1] in kana:
            return row, (2, plain, word, entry)
    if plain[:1].isascii() and plain[:1].isalpha():
        return plain[0].upper(), (1, plain, word, entry)
    return _("Symbols"), (0, plain, word, entry)


def group_by_reading(app, pagename, templatename, context, doctree):
    """Sphinx が作った索引を、読みで並べ直す。"""
    if pagename != "genindex":
        return
    sources = [app.env.doc2path(page).read_text(encoding="utf-8") for page in glossary_pages(app.env)]
    reading = readings("\n".join(sources))
    placed = []
    for entry in (entry for group in context["genindexentries"] for entry in group[1]):
        name, (links, inner, key) = entry
        name = TRANSLATED.get(name, name)
        inner = [(TRANSLATED.get(word, word), found) for word, found in inner]
        placed.append((*place(name, key or reading.get(name)), (name, (links, inner, key))))
    placed.sort(key=lambda item: item[1])
    groups = [(row, [item[2] for item in group]) for row, group in groupby(placed, lambda item: item[0])]
    context["genindexentries"] = groups
    context["genindexcounts"] = [sum(1 + len(details[1]) for name, details in group) for row, group in groups]


def setup(app):
    app.connect("html-page-context", group_by_reading)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
