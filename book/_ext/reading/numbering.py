"""番号の見せ方: 2 つ目の番号つきの目次(付録)は A、B、… と数え、解答の題は「演習 3.1 の解答」にする。

Sphinx は、目次ごとに 1 から数え直すので、そのままでは付録の「図 1.1」が 1 章の図と同じ番号になる。

ライブラリを使わない理由: sphinx-multitoc-numbering は番号を目次から目次へ続けるだけで、文字にはしない。
"""

from copy import deepcopy
from functools import cache, cached_property
from string import ascii_uppercase

from docutils import nodes
from sphinx.addnodes import toctree
from sphinx.domains.std import StandardDomain
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_exercise.nodes import solution_node


def numbers_as_assigned(app, env):
    """Sphinx が番号をつけ直す前に、前に Sphinx がつけたものへ戻す(変わったかどうかを、それと比べるので)。"""
    if hasattr(env, "fumoto_assigned"):
        env.toc_secnumbers, env.toc_fignumbers = env.fumoto_assigned
    return []


def letters_for_appendices(app, env):
    """Sphinx が番号をつけたあとに、付録の番号の先頭を文字にする。"""
    env.fumoto_assigned = deepcopy((env.toc_secnumbers, env.toc_fignumbers))
    contents = env.get_doctree(env.config.root_doc).findall(toctree)
    numbered = [tree["includefiles"] for tree in contents if tree.get("numbered")]
    for docname in (name for names in numbered[1:] for name in names):
        sections = env.toc_secnumbers[docname]
        env.toc_secnumbers[docname] = {anchor: _lettered(number) for anchor, number in sections.items()}
        for node in (env.titles[docname], *env.tocs[docname].findall(nodes.reference)):
            if node.get("secnumber"):
                node["secnumber"] = _lettered(node["secnumber"])
        letter = env.toc_secnumbers[docname][""][0]
        for numbers in env.toc_fignumbers.get(docname, {}).values():  # 図、式、… ごとに、1 から
            numbers.update({name: (letter, n) for n, name in enumerate(sorted(numbers, key=numbers.get), 1)})
    return []


def _lettered(number):
    return (ascii_uppercase[number[0] - 1], *number[1:]) if number else number


class NumberedReferences(StandardDomain):
    """``{numref}`` の行き先を、1 ページにつき一度だけ読む。

    Sphinx は、参照 1 つごとに、行き先のページの全体を読み直す。この本では、それが書き出しの時間の半分になる。
    """

    def resolve_xref(self, env, fromdocname, builder, typ, target, node, contnode):
        if typ == "numref":
            env = self._keeping
        return super().resolve_xref(env, fromdocname, builder, typ, target, node, contnode)

    @cached_property
    def _keeping(self):
        return _KeepingDoctrees(self.env)


class _KeepingDoctrees:
    """読んだ ``doctree`` を覚えておく ``env``。書き出すあいだ、``doctree`` は変わらない。"""

    def __init__(self, env):
        self._env, self.get_doctree = env, cache(env.get_doctree)

    def __getattr__(self, name):
        return getattr(self._env, name)


class SolutionTitle(SphinxPostTransform):
    """解答の題を、sphinx-exercise の「解答 練習 3.1」から「演習 3.1 の解答」に変える。"""

    default_priority = 23  # sphinx-exercise が題を作ったあと

    def run(self, **kwargs):
        for solution in self.document.findall(solution_node):
            title = solution[0]
            link = title.next_node(nodes.reference)
            number = link.astext().split()[-1]
            link[:] = [nodes.Text(self.config.numfig_format["exercise"] % number)]
            title[:] = [link, nodes.Text(" の解答")]


def setup(app):
    app.add_domain(NumberedReferences, override=True)
    app.add_post_transform(SolutionTitle)
    app.connect("env-get-updated", numbers_as_assigned, priority=400)
    app.connect("env-get-updated", letters_for_appendices, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
