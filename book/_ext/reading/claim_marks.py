r"""主張のある文の終わりに、検証表の行へのリンクになる小さな印を置く。文の中の範囲の端は、主張から写す。

どの文かは、``% claim:`` の行(``fumoto.printed.claims``)が、その文のすぐ下にあることで決まる。
同じページの主張の端は、``{end}`momentum-fair-shorter \eta low``` のように書くと、宣言のとおりの数になる(上の端は ``high``)。

ライブラリを使わない理由: 印をつける文と表の行を結ぶ ``% claim:`` は、この本だけの約束である。
"""

import re
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxRole
from sphinx.util.logging import getLogger

from fumoto.printed.claims import prose, read_claim

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
    """すぐ上の段落か、すぐ上のもの(図、訂正の囲み、箇条書き)の、最後の説明か段落。動かせる図のコードは飛ばす。"""
    above = comment.parent[: comment.parent.index(comment)]
    before = next((node for node in reversed(above) if not isinstance(node, nodes.raw)), None)
    if before is None or isinstance(before, nodes.paragraph):
        return before
    captions, paragraphs = (list(before.findall(kind)) for kind in (nodes.caption, nodes.paragraph))
    return (captions or paragraphs or [None])[-1]


class End(SphinxRole):
    """主張の範囲の端。端が変われば、文の数も変わる。"""

    def run(self):
        try:
            return [
                nodes.Text(_end(Path(self.env.doc2path(self.env.docname)).read_text("utf-8"), self.text))
            ], []
        except ValueError as error:
            _LOGGER.warning(str(error), location=self.get_location())
            return [], []


def _end(page, wanted):
    r"""``wanted``: ``名前 記号 low`` か ``high``。

    >>> _end("% claim: c | 測定 | \\eta in [0.84, 1) | 演習", r"c \eta low")
    '0.84'
    """
    *claimed, side = wanted.split()
    lines = [line.strip().removeprefix("% claim:") for _, line in prose(page) if "% claim:" in line]
    for claim in map(read_claim, lines):
        for part in claim.declared.split(";"):
            symbol, _, values = part.strip().partition(" in ")
            ends = re.match(r"[\[(] *(?P<low>[^, ]+) *, *(?P<high>[^ )\]]+)", values)
            if ends and claimed == [claim.name, symbol] and side in ends.groupdict():
                return ends[side]
    raise ValueError(f"このページの主張に、{wanted} という端がありません")


def setup(app):
    app.add_role("end", End())
    app.connect("doctree-resolved", mark)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
