"""主張のある文の終わりに、検証表の行へのリンクになる小さな印を置く。

どの文かは、``% claim:`` の行(``fumoto.printed.claims``)が、その文のすぐ下にあることで決まる。

ライブラリを使わない理由: 印をつける文と表の行を結ぶ ``% claim:`` は、この本だけの約束である。
"""

import re

from docutils import nodes
from sphinx.util.logging import getLogger

_LOGGER = getLogger(__name__)
TABLE = "appendix-verification"
_CLAIM = re.compile(r"^ *claim: *([\w-]+)", re.M)


def mark(app, doctree, docname):
    """全部のページを読んだあとに: ``% claim:`` の行の前の文に、印をつける。"""
    for comment in list(doctree.findall(nodes.comment)):
        names = _CLAIM.findall(comment.astext())
        if not names:
            continue
        sentence = _sentence_before(comment)
        if sentence is None:
            _LOGGER.warning(f"主張 {names[0]} の前に、それが支える文がありません", location=comment)
            continue
        for name in names:
            table = "" if app.builder.name == "singlehtml" else app.builder.get_relative_uri(docname, TABLE)
            link = nodes.reference("", "✓", refuri=f"{table}#{name}", reftitle="この文を確かめた記録")
            link["ids"], link["classes"], link["internal"] = [f"claimed-{name}"], ["claim-mark"], True
            sentence += link


def _sentence_before(comment):
    """すぐ上の段落か、すぐ上のもの(図、訂正の囲み、箇条書き)の、最後の説明か段落。"""
    place = comment.parent.index(comment)
    shown = [
        node for node in comment.parent[:place] if not isinstance(node, nodes.raw)
    ]  # 動かせる図のコードを除く
    if not shown:
        return None
    before = shown[-1]
    if isinstance(before, nodes.paragraph):
        return before
    captions, paragraphs = (list(before.findall(kind)) for kind in (nodes.caption, nodes.paragraph))
    return (captions or paragraphs or [None])[-1]


def setup(app):
    app.connect("doctree-resolved", mark)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
