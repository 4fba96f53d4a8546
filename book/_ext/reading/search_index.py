"""検索の索引: ページを節に分け、題と文章をそのまま ``searchindex.js`` に書き出す。探すのは ``book/_static/search.js``。

Sphinx の検索は、語に切った索引を引く。日本語は索引だけが切られて、打った言葉は切られないので、「重みの初期値」が見つからない。
この本は小さいので、文章をそのまま持ち、文字の並びとして探す。切り方が要らず、1 文字でも探せ、前後の文章も見せられる。

同じ意味の言葉(``search_words.txt`` と、用語集の「(読み、English)」)も、索引に入れる。

ライブラリを使わない理由: Pagefind は、ブラウザーで開いただけのファイル(file:)では動かない。
"""

import json
import re
import unicodedata
from fnmatch import fnmatch
from pathlib import Path

from docutils import nodes
from pylatexenc.latex2text import LatexNodes2Text
from sphinx import addnodes

WORDS = Path(__file__).with_name("search_words.txt")
SYMBOLS = "symbols"  # 記号表。表の 1 行を 1 つの節とみなす
WEIGHTS = {  # ページの名前 → 重さ。上から順に見る。一覧のページは、どの言葉も載せているので軽い
    "[0-9][0-9]-*": 1.0,
    SYMBOLS: 1.0,
    "appendix-verification": 0.2,
    "appendix-*": 0.6,
    "*": 0.2,
}
ASIDE = {"確かめる", "よくある間違い", "原ノートの訂正", "まとめ", "演習"}  # 言葉の説明ではない節
ASIDE_WEIGHT = 0.3
SKIPPED = (nodes.comment, nodes.raw, nodes.math_block, nodes.image, nodes.system_message)
_LATEX = LatexNodes2Text(strict_latex_spaces="based-on-source")


# --- 節 -------------------------------------------------------------------------------------------------


def sections(document, docname):
    """組み上がったページ → 節の並び。用語集の項目と、記号表の行も、1 つの節とみなす。

    節は ``id``、題 ``title``、文章 ``text``、コードと表 ``data``、索引の項目 ``index``、重さ ``weight`` の辞書。
    """
    reader = _Reader(docname)
    reader.read(document, weight=1.0)
    for section in reader.found:
        for part in ("title", "text", "data"):
            section[part] = _tidy(section[part])
    return reader.found


class _Reader:
    def __init__(self, docname):
        self.docname, self.found, self.waiting = docname, [], []

    def read(self, node, weight):
        if isinstance(node, SKIPPED) or "toctree-wrapper" in getattr(node, "attributes", {}).get(
            "classes", ()
        ):
            return
        if isinstance(node, addnodes.index):
            self.waiting += _index_words(node)
            return
        if isinstance(node, nodes.Text | nodes.math):
            self._add(node)
            return
        title = _title(node, self.docname)
        if title is not None:
            weight = self._start(node, title, weight)
        for child in node.children:
            if child is not title:
                self.read(child, weight)
        if self.found and not isinstance(node, nodes.Inline):
            self.found[-1]["text"] += " "
            self.found[-1]["data"] += " "

    def _start(self, node, title, weight):
        """新しい節を始める。その節の重さを返す。"""
        ids = node["ids"] or title["ids"] or [self.found[-1]["id"]]
        section = {"id": ids[0] if self.found else "", "title": "", "text": "", "data": "", "index": []}
        self.found.append(section)
        self.read(title, weight)
        section["title"], section["text"] = section["text"], ""
        section["weight"] = ASIDE_WEIGHT if section["title"].strip() in ASIDE else weight
        return section["weight"]

    def _add(self, node):
        if not self.found:
            return
        text = plain_math(node.astext()) if isinstance(node, nodes.math) else node.astext()
        self.found[-1]["data" if self._is_data(node) else "text"] += text
        if text.strip():  # 索引の項目は、見出しの前に書いてあっても、そのあとの文章のもの
            self.found[-1]["index"] += self.waiting
            self.waiting = []

    def _is_data(self, node):
        kinds = nodes.literal_block if self.docname == SYMBOLS else (nodes.literal_block, nodes.table)
        while node is not None and not isinstance(node, kinds):
            node = node.parent
        return node is not None


def page_weight(docname):
    """ページの重さ。章は、先にあるほど少し重い(言葉は、はじめて使うところで説明する)。

    >>> page_weight("01-descent"), page_weight("09-batchnorm"), page_weight("glossary")
    (1.0, 0.84, 0.2)
    """
    weight = next(weight for name, weight in WEIGHTS.items() if fnmatch(docname, name))
    chapter = re.match(r"\d\d", docname)
    return round(weight - 0.02 * (int(chapter[0]) - 1), 2) if chapter else weight


def _title(node, docname):
    """ここから新しい節が始まるなら、題になる部分。"""
    if isinstance(node, nodes.section):
        return node.next_node(nodes.title)
    if isinstance(node, addnodes.desc):
        return node.next_node(addnodes.desc_signature)
    term = node.next_node(nodes.term) if isinstance(node, nodes.definition_list_item) else None
    if term is not None and term["ids"]:
        return term
    if isinstance(node, nodes.row) and docname == SYMBOLS and not isinstance(node.parent, nodes.thead):
        return node.next_node(nodes.entry)
    return None


def _index_words(node):
    """索引の項目(``{index}``)の言葉。その節で説明している、という著者の印になる。"""
    entries = [entry[1] for entry in node["entries"]]
    return [_tidy(word) for entry in entries for word in entry.split(";")]


def _tidy(text):
    return " ".join(unicodedata.normalize("NFKC", text).split())


def plain_math(latex):
    r"""文中の数式 → 読める文字。飾り(``\hat`` など)と、1 語だけを囲むかっこは、探す人が打たないので除く。

    >>> plain_math(r"\eta = 0.1"), plain_math(r"1-\beta_1"), plain_math(r"\sqrt{\hat{v}}"), plain_math(r"\sqrt{\frac{2}{n}}")
    ('η = 0.1', '1-β_1', '√v', '√(2/n)')
    """
    text = "".join(c for c in _LATEX.latex_to_text(latex) if not unicodedata.combining(c))
    return re.sub(r"√\((\w+)\)", r"√\1", text)


# --- 同じ意味の言葉 -------------------------------------------------------------------------------------


def same_words(lists, glossary=""):
    """同じ意味の言葉の組。``lists``: 1 行に 1 組(読点区切り、``#`` から後ろは注)。``glossary``: 用語集のページの本文。

    用語集の項目は、題、読み、英語で 1 組になる。1 つの言葉は、先に出てきた組だけに入る。

    >>> same_words("過学習、過剰適合\\n", "過学習\\n  (かがくしゅう、overfitting)訓練データの…\\n")
    [['過学習', '過剰適合', 'かがくしゅう', 'overfitting']]
    """
    groups, place = [], {}  # place: 言葉 → その言葉が入っている組

    def add(group, words):
        for word in words:
            if _key(word) not in place:
                place[_key(word)] = group
                group.append(word)

    for line in lists.splitlines():
        groups.append([])
        add(groups[-1], filter(None, line.partition("#")[0].strip().split("、")))
    for terms, names in _GLOSSARY_ITEM.findall(glossary):
        groups.append([])
        known = [place[_key(term)] for term in terms.splitlines() if _key(term) in place]
        add((known or groups[-1:])[0], [*terms.splitlines(), *names.split("、")])
    return [group for group in groups if len(group) > 1]


_GLOSSARY_ITEM = re.compile(r"^((?:[^\s`#:].*\n)+) +\(([^()]+)\)", re.M)


def _key(word):
    return re.sub(r"[\s_\-・ー]", "", unicodedata.normalize("NFKC", word).lower())


# --- Sphinx の索引の代わり ------------------------------------------------------------------------------


class SectionIndex:
    """Sphinx の ``IndexBuilder`` の代わり。Sphinx が呼ぶ名前だけを持つ。"""

    def __init__(self, env):
        self.env, self.pages = env, {}

    def label(self):
        return "節ごとの文章"

    def load(self, stream, format):
        index = format.load(stream)
        if "pages" not in index:
            raise ValueError("this is an index of Sphinx")  # Sphinx は、読めない索引なら、はじめから作る
        self.pages = {page["name"]: page for page in index["pages"]}

    def prune(self, docnames):
        self.pages = {name: page for name, page in self.pages.items() if name in docnames}

    def feed(self, docname, filename, title, doctree):
        number = self.env.toc_secnumbers.get(docname, {}).get("")
        self.pages[docname] = {
            "name": docname,
            "number": ".".join(map(str, number)) if number else "",
            "weight": page_weight(docname),
            "sections": sections(doctree, docname),
        }

    def dump(self, stream, format):
        glossary = Path(self.env.doc2path("glossary"))
        text = glossary.read_text(encoding="utf-8") if glossary.is_file() else ""
        words = same_words(WORDS.read_text(encoding="utf-8"), text)
        pages = [self.pages[name] for name in sorted(self.pages)]
        data = json.dumps({"words": words, "pages": pages}, ensure_ascii=False, separators=(",", ":"))
        stream.write(format.PREFIX + data + format.SUFFIX)

    def context_for_searchtool(self):
        return {}

    def get_js_stemmer_rawcodes(self):
        return []


def use_sections(app):
    builder = app.builder

    def load_indexer(docnames):
        builder.indexer = SectionIndex(app.env)
        type(builder).load_indexer(builder, docnames)

    if builder.format == "html":
        builder.load_indexer = load_indexer


def depend_on_words(app, doctree):
    """同じ意味の言葉の一覧を直したら、索引を書き直させる。"""
    if app.env.docname == app.config.root_doc:
        app.env.note_dependency(str(WORDS))


def setup(app):
    app.connect("builder-inited", use_sections)
    app.connect("doctree-read", depend_on_words)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
