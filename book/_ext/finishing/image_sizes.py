"""図に、もとの大きさを書く。読み込む前から場所がとれて、図が出たときに下の文章が動かない。"""

import re

from docutils import nodes

_TAG = re.compile(rb"<svg\b[^>]*>")
_SIDE = rb'\b%s="([\d.]+)(?:pt|px)?"'


def write_sizes(app, doctree, docname):
    for image in doctree.findall(nodes.image):
        size = svg_size(app.srcdir / image["uri"]) if image["uri"].endswith(".svg") else None
        if size and "width" not in image and "height" not in image:
            image["width"], image["height"] = map(str, size)


def svg_size(path):
    """SVG の幅と高さ。整数に丸める(HTML の属性は整数で書く)。書いていなければ ``None``。"""
    tag = _TAG.search(path.read_bytes()[:4000])
    sides = [tag and re.search(_SIDE % name, tag[0]) for name in (b"width", b"height")]
    return tuple(round(float(side[1])) for side in sides) if all(sides) else None


def setup(app):
    app.connect("doctree-resolved", write_sizes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
