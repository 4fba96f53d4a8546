"""動く図(``{playground}`` と ``{histograms}``)に共通の仕事。

- 指示の中身から、図の節を作る。最初の段落は図の説明になる。JavaScript のないときと紙の上では、残りと、
  ``still`` の名前の図(同じページから移す)が代わりに立つ
- ページごとに 1 度、式から作ったスクリプトと、図を動かすスクリプトを入れる
- 動かしている式へのリンク(番号とアドレス)を、全部のページを読んだあとに、設定の ``equations`` に入れる
- スクリプトを決めるもの(使う式、図を動かすスクリプト、それらを読むモジュール)が変わったページだけを読み直す。
  できたスクリプトはページごとに覚えておくので、文章を直しただけなら、式を読み直さない

種類ごとに違うことは、``Kind`` の下のクラスが言う。

ライブラリを使わない理由: 印刷された式で動き、ネットワークの要らない図を、ページに置くものがない。
"""

import hashlib
import html
import inspect
import json
import re
from importlib.metadata import version
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective
from sphinx.util.logging import getLogger

from rebuilding import page_inputs

_LOGGER = getLogger(__name__)


class LivingFigure(nodes.figure):
    """動く図 1 つ。子は、代わりに立つもの、``config``(スクリプトに渡す設定)の HTML、説明の 3 つ。

    ``still``: 代わりに立つ図の名前。
    """


class Kind:
    """動く図の種類。``name`` は、指示と節、CSS のクラス、スクリプトとスタイルのファイルの名前である。"""

    name: str
    called: str  # 誤りの中での呼び名
    options: list[str]  # 指示の欄
    modules: list[str]  # 式からスクリプトを作るモジュール(パッケージなら、その中の全部)
    node: type[LivingFigure]

    def settings(self, options):
        """指示の中の文字列 → スクリプトに渡す設定。おかしければ、日本語の ``ValueError`` を 1 つ出す。"""
        raise NotImplementedError

    def wanted(self, configs):
        """設定の並び → 図が使うもの(JSON に書ける、名前の並び)。"""
        raise NotImplementedError

    def labels(self, wanted):
        """図が使うもの → 使う式のラベル。"""
        raise NotImplementedError

    def script(self, app, wanted, blocks):
        """図が使うもの → 式から作った JavaScript。``blocks``: ラベル → 式の囲み。"""
        raise NotImplementedError

    # --- 指示 -----------------------------------------------------------------------------------------------

    def directive(self):
        class Directive(SphinxDirective):
            kind = self
            required_arguments = 1
            has_content = True
            option_spec = dict.fromkeys(self.options, directives.unchanged)
            run = _run

        return Directive

    # --- ページごとに 1 度: 代わりの図を入れ、スクリプトを足す ----------------------------------------------

    def finish(self, app, doctree):
        """ページを読んだあとに: 代わりの図を動く図の中へ移し、最後の図のあとにスクリプトを置く。"""
        docname = app.env.docname
        figures = list(doctree.findall(self.node))
        if not figures:
            self._memory(app, docname).unlink(missing_ok=True)
            return
        for figure in figures:
            self._move_still(doctree, figure, docname)
        last = figures[-1]
        position = last.parent.index(last) + 1
        try:
            scripts = self._scripts(app, docname, [figure["config"] for figure in figures])
        except ValueError as error:  # 読めない式(EquationError)。文の中に、式のページと行がある
            _LOGGER.error(f"{self.called}を作れません: {error}", location=(docname, last.line))
            return
        last.parent.insert(position, nodes.raw("", scripts, format="html"))

    def _move_still(self, doctree, figure, docname):
        if figure["still"] is None:
            return
        for other in doctree.findall(nodes.figure):
            if figure["still"] in other["names"] and not isinstance(other, LivingFigure):
                other.parent.remove(other)
                figure[0].append(other)
                return
        name, still = figure["names"][0], figure["still"]
        _LOGGER.error(
            f"{self.called} {name}: :still: の図 {still} がこのページにありません",
            location=(docname, figure.line),
        )

    def _scripts(self, app, docname, configs):
        """ページに入れる ``<script>`` 2 つ: 式から作ったものと、図を動かすもの。"""
        wanted, blocks = self.wanted(configs), _blocks(app)
        saved = self._saved(app, docname)
        labels = saved.get("labels", [])
        if saved.get("wanted") != wanted or saved["fingerprint"] != self._fingerprint(app, labels, blocks):
            labels = self.labels(wanted)
            saved = {
                "wanted": wanted,
                "labels": labels,
                "fingerprint": self._fingerprint(app, labels, blocks),
                "script": self.script(app, wanted, blocks),
            }
            self._memory(app, docname).parent.mkdir(parents=True, exist_ok=True)
            self._memory(app, docname).write_text(json.dumps(saved), encoding="utf-8")
        front_end = self._front_end(app).read_text(encoding="utf-8")
        for text in (saved["script"], front_end):
            if re.search(r"</script|<!--", text, re.I):
                raise ValueError("ページに入れるスクリプトに </script か <!-- があります")
        # module にすると動き出すのがページを読み終えたあとになり、図が入るときに下の文章が動いて見える
        front_end = f'(() => {{\n"use strict";\n{front_end}}})();\n'
        return f"<script>\n{saved['script']}</script>\n<script>\n{front_end}</script>\n"

    def link_equations(self, app, doctree, docname):
        """番号が決まってから: 使う式の番号とアドレスを、図の設定に入れる。"""
        for figure in doctree.findall(self.node):
            config = figure["config"] | {"equations": self._equations(app, docname, figure["config"])}
            figure[1] = nodes.raw("", self.config_html(config), format="html")

    def _equations(self, app, docname, config):
        """図が使う式のラベル → (「式 (3.1)」、ページ ``docname`` から見たアドレス)。本にない式は入らない。"""
        domain, links = app.env.domains["math"], {}
        for label in self.labels(self.wanted([config])):
            link = domain.resolve_xref(app.env, docname, app.builder, "eq", label, None, nodes.inline())
            if link is not None:
                links[label] = link.astext(), link.get("refuri") or f"#{link['refid']}"
        return links

    def config_html(self, config):
        text = json.dumps(config, ensure_ascii=False).replace("<", "\\u003c")
        return f'<script type="application/json" class="{self.name}-config">{text}</script>\n'

    # --- 何が変わったら読み直すか ---------------------------------------------------------------------------

    def outdated(self, app, env, added, changed, removed):
        """文章が同じでも、図の式やスクリプトが変わったページを読み直させる。"""
        saved = {docname: self._saved(app, docname) for docname in sorted(env.found_docs - added - changed)}
        blocks = _blocks(app) if any(saved.values()) else {}
        return [
            docname
            for docname, page in saved.items()
            if page and page["fingerprint"] != self._fingerprint(app, page["labels"], blocks)
        ]

    def _memory(self, app, docname):
        return Path(app.outdir).parent / "cache" / self.name / f"{docname}.json"

    def _saved(self, app, docname):
        try:
            return json.loads(self._memory(app, docname).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}

    def _front_end(self, app):
        return Path(app.srcdir, "_static", f"{self.name}.js")

    def _fingerprint(self, app, labels, blocks):
        """スクリプトを決めるもの全部の SHA-256: 使う式、それを読むモジュール、この拡張、図を動かすスクリプト。"""
        code = Path(app.srcdir).parent / "code"
        files = [path for name in self.modules for path in _files(code.joinpath(*name.split(".")))]
        files += [Path(__file__), Path(inspect.getfile(type(self))), self._front_end(app)]
        parts = [version("sympy"), *(repr((label, blocks.get(label))) for label in labels)]
        parts += [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    # --- HTML -----------------------------------------------------------------------------------------------

    def add_styles(self, app, pagename, templatename, context, doctree):
        """この図のあるページだけに、スタイルをつける。"""
        if doctree is not None and any(doctree.findall(self.node)):
            app.add_css_file(f"{self.name}.css")

    def setup(self, app):
        def visit(translator, node):
            name = html.escape(node["ids"][0])
            translator.body.append(f'<figure class="{self.name}" id="{name}">\n')

        app.add_node(self.node, html=(visit, _depart))
        app.add_directive(self.name, self.directive())
        app.connect("env-get-outdated", self.outdated)
        app.connect("doctree-read", self.finish)
        app.connect("doctree-resolved", self.link_equations)
        app.connect("html-page-context", self.add_styles)
        return {"parallel_read_safe": True, "parallel_write_safe": True}


def _run(self):
    """指示の ``run``。設定を確かめ、図の節を 1 つ作る。"""
    kind, name = self.kind, self.arguments[0]
    try:
        config = kind.settings(self.options)
        content = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, content)
        if not content.children or not isinstance(content[0], nodes.paragraph):
            raise ValueError("中身は、図の説明の段落から始めます")
    except ValueError as error:
        _LOGGER.error(f"{kind.called} {name}: {error}", location=(self.env.docname, self.lineno))
        return []
    first, *rest = content.children
    node = kind.node(config=config, still=self.options.get("still"))
    node.source, node.line = self.get_source_info()
    node["names"].append(nodes.fully_normalize_name(name))
    self.state.document.note_explicit_target(node, node)
    node += nodes.container("", *rest, classes=[f"{kind.name}-still"])
    node += nodes.raw("", kind.config_html(config), format="html")
    node += nodes.caption("", "", *first.children)
    return [node]


def _depart(translator, node):
    translator.body.append("</figcaption>\n</figure>\n")  # figcaption を開いたのは、説明(caption)の visit


def _files(module):
    """モジュールのファイル。パッケージなら、その中の全部。"""
    return sorted(module.glob("*.py")) if module.is_dir() else [module.with_suffix(".py")]


def _blocks(app):
    """式のラベル → その式の書かれた囲みの並び。"""
    blocks = {}
    for _, block in page_inputs.READS["fumoto.printed.pages"](Path(app.srcdir).parent):
        if label := re.search(r"^:label: *(\S+)", block, re.M):
            blocks.setdefault(label[1], []).append(block)
    return blocks


# --- 指示の欄を読む -----------------------------------------------------------------------------------------


def words(options, name):
    return options.get(name, "").split()


def known(options, name, table, kind):
    """``options[name]`` の名前の並び。``table`` にない名前と、同じ名前が 2 度あるときは ``ValueError``。"""
    found = words(options, name)
    for word in found:
        if word not in table:
            raise ValueError(f":{name}: の {word} という{kind}はありません(あるのは {'、'.join(table)})")
    if len(set(found)) < len(found):
        raise ValueError(f":{name}: に同じ{kind}が 2 度あります: {' '.join(found)}")
    return found


def number(text, name, kind="数では"):
    try:
        return float(text)
    except ValueError:
        raise ValueError(f":{name}: の {text} は{kind}ありません") from None
