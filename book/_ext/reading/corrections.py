"""訂正と、その一覧。

    ```{correction} 原ノートの式 (3) は坂を登ります
    :name: correction-momentum-sign
    :source: 原ノート 3 節、式 (3)
    :stood: 速度を引く
    :right: 速度を足す
    :shown: 両方を動かす({numref}`fig-wrong-sign`)
    本文
    ```

本文のある訂正は、章に置く。そこには題と本文が囲みになって出て、欄(どこに、正しくは、…)は一覧に出る。一覧のページの
``{corrections} 03-momentum`` が、3 章の囲みの題(囲みへのリンク)と欄を並べる。本文のない訂正は、一覧のページに置く。
その場に、題と欄が出る。

ライブラリを使わない理由: sphinx.ext.todo も囲みを一覧に集めるが、囲みに欄(どこに、正しくは、…)を持てない。
"""

import json
import re
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from markdown_it import MarkdownIt
from sphinx.util.docutils import SphinxDirective

COLUMNS = {"source": "どこに", "stood": "書いてあったこと", "right": "正しくは", "shown": "示し方"}


def collect(folder):
    """``folder`` のページの訂正全部を、``{"page", "title", "name", "source", …}`` の並びで返す。"""
    return [
        {"page": page.stem, **correction}
        for page in sorted(Path(folder).glob("*.md"))
        for correction in _corrections(page.read_text(encoding="utf-8"))
    ]


def _corrections(text):
    if "{correction}" not in text:
        return
    for token in MarkdownIt("commonmark").parse(text):
        if token.type == "fence" and token.info.startswith("{correction}"):
            options = re.match(r"(?::\w+: .*\n)*", token.content)[0]
            title = token.info.removeprefix("{correction}").strip()
            yield {"title": title, **dict(re.findall(r"^:(\w+): (.*)$", options, re.M))}


class Correction(SphinxDirective):
    """訂正 1 つ。本文があれば囲み、なければ一覧の項目になる。書いていない欄があれば誤り。"""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = dict.fromkeys(["name", *COLUMNS], directives.unchanged_required)

    def run(self):
        if missing := [option for option in ("name", *COLUMNS) if option not in self.options]:
            raise self.error(f"訂正「{self.arguments[0]}」に :{missing[0]}: がありません")
        if not self.content:
            listed = _listed(self, self.arguments[0], self.options)
            self.add_name(next(listed.findall(nodes.term)))
            return listed.children
        node = nodes.admonition(classes=["warning", "correction"])
        self.set_source_info(node)
        title, messages = self.state.inline_text(self.arguments[0], self.lineno)
        node += [nodes.title("", "", *title), *messages]
        self.state.nested_parse(self.content, self.content_offset, node)
        self.add_name(node)
        return [node]


class Corrections(SphinxDirective):
    """1 つの章の訂正の囲みの一覧。題は、囲みへのリンクになる。"""

    required_arguments = 1

    def run(self):
        memory = _memory(self.env)
        self.env.note_dependency(str(memory))
        rows = json.loads(memory.read_text(encoding="utf-8"))
        boxes = [row for row in rows if row["page"] == self.arguments[0]]
        if not boxes:
            raise self.error(f"{self.arguments[0]} に、訂正の囲みがありません")
        return [
            node for row in boxes for node in _listed(self, f"[{row['title']}](#{row['name']})", row).children
        ]


def _listed(directive, title, row):
    """一覧の中の訂正 1 つ: 題と欄の定義リストが入ったノード。"""
    lines = [title, *(f": **{column}**\u3000{row[name]}" for name, column in COLUMNS.items())]
    holder = nodes.Element()
    directive.state.nested_parse(lines, directive.content_offset, holder)
    next(holder.findall(nodes.definition_list))["classes"].append("corrections")
    return holder


def remember(app):
    """集めた訂正を書き残す。変わったときだけ書くので、変わったときだけ、一覧のページが読み直される。"""
    memory, text = _memory(app.env), json.dumps(collect(app.srcdir), ensure_ascii=False)
    if not memory.is_file() or memory.read_text(encoding="utf-8") != text:
        memory.parent.mkdir(parents=True, exist_ok=True)
        memory.write_text(text, encoding="utf-8")


def _memory(env):
    return Path(env.doctreedir, "corrections.json")


def setup(app):
    app.add_directive("correction", Correction)
    app.add_directive("corrections", Corrections)
    app.connect("builder-inited", remember)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
