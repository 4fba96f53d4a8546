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
    """上にあるいちばん近い段落か、図や訂正の囲みの説明。間にある、目に見えないものは飛ばす。"""
    for before in reversed(comment.parent[: comment.parent.index(comment)]):
        if isinstance(before, nodes.paragraph):
            return before
        captions, paragraphs = (list(before.findall(kind)) for kind in (nodes.caption, nodes.paragraph))
        if captions or paragraphs:
            return (captions or paragraphs)[-1]
    return None


def setup(app):
    app.connect("doctree-resolved", mark)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
