"""練習問題と解答の中身から、どのページでも同じ ID(sphinx-exercise がつける)を外す。ID は 1 ページに 1 つでなければならない。

ライブラリを使わない理由: sphinx-exercise(1.2.1)そのものの誤りである。直った版が出たら、このファイルは要らない。
"""

from docutils import nodes


def remove_repeated(app, doctree, docname):
    for section in doctree.findall(nodes.section):
        section["ids"] = [i for i in section["ids"] if i not in ("exercise-content", "solution-content")]


def setup(app):
    app.connect("doctree-resolved", remove_repeated, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
