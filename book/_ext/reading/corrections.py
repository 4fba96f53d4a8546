"""訂正の囲みと、その一覧。一覧は、章に書いた囲みから、組むたびに集める。

    ```{correction} 原ノートの式 (3) は坂を登ります
    :name: correction-momentum-sign
    :source: 原ノート 3 節、式 (3)
    :stood: 速度を引く
    :right: 速度を足す
    :shown: 両方を動かす({numref}`fig-wrong-sign`)
    本文
    ```

``{corrections}`` を置いたページに、章ごとの一覧ができる。章に出るのは題と本文だけで、ほかは一覧の欄になる。

ライブラリを使わない理由: sphinx.ext.todo も囲みを一覧に集めるが、囲みに欄(どこに、正しくは、…)を持てない。
"""

import json
import re
from itertools import groupby
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from markdown_it import MarkdownIt
from sphinx.util.docutils import SphinxDirective

COLUMNS = {"source": "どこに", "stood": "書いてあったこと", "right": "正しくは", "shown": "示し方"}


def collect(folder):
    """``folder`` のページの訂正の囲み全部を、``{"page", "chapter", "title", "name", "source", …}`` の並びで返す。"""
    return [
        {"page": page.stem, **correction}
        for page in sorted(Path(folder).glob("*.md"))
        for correction in _corrections(page.read_text(encoding="utf-8"))
    ]


def _corrections(text):
    if "{correction}" not in text:
        return
    chapter = re.search(r"^# (.*)$", text, re.M)[1]
    for token in MarkdownIt("commonmark").parse(text):
        if token.type == "fence" and token.info.startswith("{correction}"):
            options = re.match(r"(?::\w+: .*\n)*", token.content)[0]
            title = token.info.removeprefix("{correction}").strip()
            yield {"chapter": chapter, "title": title, **dict(re.findall(r"^:(\w+): (.*)$", options, re.M))}


class Correction(SphinxDirective):
    """訂正の囲み 1 つ。書いていない欄があれば誤り。"""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = dict.fromkeys(["name", *COLUMNS], directives.unchanged_required)

    def run(self):
        if missing := [option for option in ("name", *COLUMNS) if option not in self.options]:
            raise self.error(f"訂正「{self.arguments[0]}」に :{missing[0]}: がありません")
        node = nodes.admonition(classes=["warning", "correction"])
        self.set_source_info(node)
        title, messages = self.state.inline_text(self.arguments[0], self.lineno)
        node += [nodes.title("", "", *title), *messages]
        self.state.nested_parse(self.content, self.content_offset, node)
        self.add_name(node)
        return [node]


class Corrections(SphinxDirective):
    """訂正の一覧。章ごとの節に、題(章の囲みへのリンク)と欄を並べる。"""

    def run(self):
        memory = _memory(self.env)
        self.env.note_dependency(str(memory))
        rows = json.loads(memory.read_text(encoding="utf-8"))
        return [
            self._section(*chapter) for chapter in groupby(rows, lambda row: (row["page"], row["chapter"]))
        ]

    def _section(self, chapter, rows):
        page, heading = chapter
        section = nodes.section("", nodes.title("", heading), ids=[f"corrections-{page}"])
        section.document = self.state.document
        lines = [line for row in rows for line in _definition(row)]
        self.state.nested_parse(lines, self.content_offset, section)
        for definitions in section.findall(nodes.definition_list):
            definitions["classes"].append("corrections")
        return section


def _definition(row):
    """訂正 1 つの、定義リストの Markdown。"""
    link = f"[{row['title']}](#{row['name']})"
    return [link, *(f": **{title}**\u3000{row[column]}" for column, title in COLUMNS.items()), ""]


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
