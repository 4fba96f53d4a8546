"""図に、もとの大きさを書く。読み込む前から場所がとれて、図が出たときに下の文章が動かない。

大きさは Sphinx(の使う imagesize)が読む。Sphinx が自分で書くのは、拡大率を指定した図だけである。
"""

from docutils import nodes
from sphinx.util.images import get_image_size


def write_sizes(app, doctree, docname):
    for image in doctree.findall(nodes.image):
        size = get_image_size(app.srcdir / image["uri"])
        if size and "width" not in image and "height" not in image:
            image["width"], image["height"] = map(str, size)


def setup(app):
    app.connect("doctree-resolved", write_sizes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
