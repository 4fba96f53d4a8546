"""API リファレンス(``book/api/``)と、式・章との行き来。

- docstring の式のラベル(````eq-adam-m````)を、ページの式へのリンクにする。ない式なら、組むのをやめる。
- ページで初めて出てくる部品の名前(```Adam```、```fumoto.printed.read()```)を、リファレンスへのリンクにする。
- ``:pyobject:`` で見せたコードの下にリファレンスへのリンクを、リファレンスにはその章へのリンクを置く。

ライブラリを使わない理由: sphinx-codeautolink がリンクにするのは、コードの囲みの中だけで、式と章は知らない。
"""

import re
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.directives.code import LiteralInclude
from sphinx.util.logging import getLogger
from sphinx.util.nodes import make_refnode

_LOGGER = getLogger(__name__)
_FOLDER = "api/"  # リファレンスのページのあるところ
_LABEL = re.compile(r"eq-[A-Za-z0-9-]+")


class ShownCode(LiteralInclude):
    """``literalinclude``。``:pyobject:`` でパッケージの一部を見せたら、その下にリファレンスへのリンクを置く。"""

    def run(self):
        shown = super().run()
        name = _full_name(self.arguments[0], self.options.get("pyobject"))
        if name is None:
            return shown
        link = nodes.paragraph("", "リファレンス: ", nodes.literal("", name), classes=["api-link"])
        link.source, link.line = self.get_source_info()
        return [*shown, link]


def _full_name(file, name):
    """``../code/fumoto/optimizers.py`` の ``Adam`` → ``fumoto.optimizers.Adam``。"""
    path = re.search(r"code/(fumoto/.+)\.py$", file)
    return f"{path[1].replace('/', '.')}.{name}" if path and name else None


def clean(app, doctree):
    """リファレンスのページを読んだあとに: ``eval-rst`` の中の節を、ページのほかの節と同じにする。

    節は、読み終わった別の文書を指していて、そのままでは、覚えておく木に本の全部が一緒に書き込まれてしまう。
    文章には見えない空白(``\\ ``)の印が残っていて、文字の位置を数えるほかの拡張とずれる。
    """
    if app.env.docname.startswith(_FOLDER):
        app.env.note_dependency(__file__)  # ここを書き直したら、読み直す
        for node in list(doctree.findall()):
            node.document = doctree
            if isinstance(node, nodes.Text) and "\0" in node:
                node.parent.replace(node, nodes.Text(node.astext()))


def link(app, doctree, docname):
    """全部のページを読んだあとに: 名前と式のラベルを、リンクにする。"""
    entries = _entries(app)
    if docname.startswith(_FOLDER):
        _tidy(doctree)
        _link_equations(app, doctree, docname)
        _link_chapters(app, doctree, docname)
    seen = set()
    for literal in list(doctree.findall(nodes.literal)):
        entry = entries.get(literal.astext().removesuffix("()"))
        below_code = "api-link" in literal.parent.get("classes", ())
        if entry is None and below_code:
            literal.parent.parent.remove(literal.parent)  # リファレンスにないもの(原ノートの間違いなど)
        elif below_code or (entry is not None and _may_be_a_link(literal, docname, entry, seen)):
            seen.add(entry.node_id)
            target = make_refnode(
                app.builder, docname, entry.docname, entry.node_id, literal.deepcopy(), entry.node_id
            )
            literal.replace_self(target)


@cache
def _entries(app):
    """部品の名前 → リファレンスのある場所。モジュールを省いた名前も、1 つに決まるなら引ける。"""
    objects = {
        name: entry
        for name, entry in app.env.domains["py"].objects.items()
        if entry.docname.startswith(_FOLDER)
    }
    short = {}
    for name, entry in objects.items():
        short.setdefault(name.rpartition(".")[2], []).append(entry)
    top = ("class", "function", "exception", "data")
    unique = {name: found[0] for name, found in short.items() if len(found) == 1 and found[0].objtype in top}
    return unique | objects


def _may_be_a_link(literal, docname, entry, seen):
    """見出しや図の説明や別のリンクの中でなく、そのページで初めてか。自分の項目の中なら、リンクにしない。"""
    if entry.objtype == "module" and entry.docname == docname:
        return False
    node = literal
    while node := node.parent:
        if isinstance(node, nodes.title | nodes.reference | nodes.caption | addnodes.desc_signature):
            return False
        if isinstance(node, addnodes.desc) and entry.node_id in node[0].get("ids", ()):
            return False
    return entry.node_id not in seen


def _tidy(doctree):
    """長い値(``bowl = Surface(…)``)と、何も継いでいないクラスの「ベースクラス: object」を消す。"""
    for item in doctree.findall(addnodes.desc):
        signature, content = item.children
        if item["objtype"] == "data":
            for value in list(signature.findall(addnodes.desc_annotation)):
                value.parent.remove(value)
        if content.children and content[0].astext().endswith(": object"):
            content.pop(0)


def _link_equations(app, doctree, docname):
    """``eq-adam-m`` → ページの「(5.7)」へのリンク。"""
    math = app.env.domains["math"]
    for literal in list(doctree.findall(nodes.literal)):
        label = literal.astext()
        if not _LABEL.fullmatch(label):
            continue
        found = math.resolve_xref(app.env, docname, app.builder, "eq", label, None, nodes.inline())
        if found is None:
            _LOGGER.warning(f"式 {label} は、どのページにもありません", location=literal)
            continue
        number = re.search(r"\((.*)\)", found.astext())[1]
        found.children = []
        found += nodes.Text(number if _in_parentheses(literal) else f"({number})")
        found["reftitle"] = label
        literal.replace_self(found)


def _in_parentheses(node):
    siblings, place = node.parent.children, node.parent.index(node)
    before, after = siblings[:place], siblings[place + 1 :]
    return bool(before and after) and before[-1].astext().endswith("(") and after[0].astext().startswith(")")


def _link_chapters(app, doctree, docname):
    """項目に、そのコードを見せている章へのリンクを足す。"""
    shown = _shown_code(app)
    for signature in doctree.findall(addnodes.desc_signature):
        chapters = [page for name in signature["ids"] for page in shown.get(name, ())]
        if not chapters:
            continue
        line = nodes.paragraph("", "コードを読む: ", classes=["api-chapters"])
        for position, page in enumerate(chapters):
            title = app.env.titles[page].astext()
            number = app.env.toc_secnumbers.get(page, {}).get("")
            text = f"{number[0]} 章「{title}」" if number else f"「{title}」"
            line += nodes.Text("、" if position else "")
            line += make_refnode(app.builder, docname, page, "", nodes.Text(text))
        content = signature.parent[-1]
        inner = content.first_child_matching_class(addnodes.desc)
        content.insert(len(content) if inner is None else inner, line)


def _shown_code(app):
    """部品の名前 → そのコードを見せているページの並び。"""
    shown = {}
    for docname in sorted(app.env.found_docs):
        text = Path(app.env.doc2path(docname)).read_text(encoding="utf-8")
        for file, name in re.findall(r"^```\{literalinclude\} (\S+)\n:pyobject: (\S+)$", text, re.M):
            pages = shown.setdefault(_full_name(file, name), [])
            if docname not in pages:
                pages.append(docname)
    return shown


def rewritten(app, env):
    """章が見せるコードが変わったら、リファレンスを書き直す。"""
    shown = _shown_code(app)
    if shown == getattr(env, "fumoto_shown_code", None):
        return []
    env.fumoto_shown_code = shown
    return sorted(docname for docname in env.found_docs if docname.startswith(_FOLDER))


def setup(app):
    app.add_directive("literalinclude", ShownCode, override=True)
    app.connect("env-get-updated", rewritten)
    app.connect("doctree-read", clean)
    app.connect("doctree-resolved", link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
