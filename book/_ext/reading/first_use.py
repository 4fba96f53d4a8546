"""用語のリンク: ページの本文で用語が最初に現れたところを、用語集へのリンクにする。

本文とは、段落と箇条書きと図の説明のこと。見出し、表、囲みの題、解答、文献、コード、数式、ほかのリンクの中は見ない。
いちばん長い用語を選ぶ(「死んだ ReLU」は「ReLU」より先)。ほかの語の一部は用語とみなさない(「慣性項」の「慣性」など)。
はじめに現れるところが ``{term}`` なら、それを使う。1 つの項目の別の言い方(「モーメンタム」と「Momentum」)は、合わせて 1 度だけ。

リンクは、ページを書くときに足す。用語や項目が変われば、``rewriting`` が全部のページを書き直す。

ライブラリを使わない理由: 最初の 1 か所だけを、日本語の語の切れ目を見てリンクにするものがない。
"""

import re

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode
from sphinx_exercise.nodes import solution_node

CLASS = "glossary-link"
SKIPPED = (
    nodes.TextElement,  # 段落のほかの、文字を入れるもの(題、リンク、数式、コード)
    nodes.table,
    nodes.citation,
    solution_node,
    pending_xref,
)
ALLOWED = (nodes.paragraph, nodes.caption, nodes.strong, nodes.emphasis)

# 同じ種類の文字が隣に続いていれば、別の語の一部とみなす
_KINDS = {"kanji": "一-鿿々", "katakana": "ァ-ヺー", "latin": "A-Za-z0-9"}


def pattern(terms):
    """``terms`` のどれかに、語の切れ目で一致する正規表現。長い用語から試す。

    >>> [match[0] for match in pattern(["慣性", "ReLU", "死んだ ReLU"]).finditer("慣性項と慣性、死んだ ReLU")]
    ['慣性', '死んだ ReLU']
    """
    longest_first = sorted(terms, key=lambda term: (-len(term), term))
    return re.compile("|".join(_bounded(term) for term in longest_first))


def _bounded(term):
    before, after = (_kind(character) for character in (term[0], term[-1]))
    return (f"(?<![{before}])" if before else "") + re.escape(term) + (f"(?![{after}])" if after else "")


def _kind(character):
    return next((kind for kind in _KINDS.values() if re.match(f"[{kind}]", character)), None)


def glossary_pages(env):
    """用語集のあるページの名前。"""
    objects = env.domains.standard_domain.objects
    return sorted({docname for (kind, _), (docname, _) in objects.items() if kind == "term"})


def entries(env):
    """用語集の項目ごとの、用語の印(id)の並び。1 つの項目に、いくつかの言い方があってよい。"""
    doctrees = [env.get_doctree(page) for page in glossary_pages(env)]
    items = [item for doctree in doctrees for item in doctree.findall(nodes.definition_list_item)]
    return [[term["ids"][0] for term in item.findall(nodes.term) if term["ids"]] for item in items]


def prepare(app, builder):
    """書きはじめる前に 1 度、用語を集める。"""
    objects = app.env.domains.standard_domain.objects
    app.terms = {name: place for (kind, name), place in objects.items() if kind == "term"}
    app.term_words = pattern(app.terms)
    app.first_terms = {node_id: ids[0] for ids in entries(app.env) for node_id in ids}


class LinkFirstUse(SphinxPostTransform):
    default_priority = 40  # {term} がリンクになったあと

    def run(self, **kwargs):
        if not self.app.terms or self.env.docname in glossary_pages(self.env):
            return
        linked = set()
        for node in list(self.document.findall(lambda node: isinstance(node, nodes.Text | nodes.reference))):
            if isinstance(node, nodes.reference):
                target = node.get("refuri", "").rpartition("#")[2]
                if target in self.app.first_terms:
                    node["classes"].append(CLASS)
                    linked.add(self.app.first_terms[target])
            elif _is_running_text(node):
                parts = list(self._parts(node, linked))
                if len(parts) > 1:
                    node.parent.replace(node, parts)

    def _parts(self, text, linked):
        """``text`` を、はじめて現れた用語のところで切って、用語をリンクにしたもの。"""
        end = 0
        for match in self.app.term_words.finditer(text.astext()):
            docname, node_id = self.app.terms[match[0]]
            if self.app.first_terms[node_id] in linked:
                continue
            linked.add(self.app.first_terms[node_id])
            yield nodes.Text(text[end : match.start()])
            word = nodes.inline("", match[0], classes=["xref", "std", "std-term"])
            link = make_refnode(self.app.builder, self.env.docname, docname, node_id, word)
            link["classes"].append(CLASS)
            yield link
            end = match.end()
        yield nodes.Text(text[end:])


def _is_running_text(text):
    """段落か図の説明の中の、リンクでもコードでもない文字か。"""
    node, inside = text.parent, False
    while node is not None:
        if isinstance(node, SKIPPED) and not isinstance(node, ALLOWED):
            return False
        inside = inside or isinstance(node, nodes.paragraph | nodes.caption)
        node = node.parent
    return inside


def setup(app):
    app.add_post_transform(LinkFirstUse)
    app.connect("write-started", prepare)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
