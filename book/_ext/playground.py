"""動かせる図の指示。式から作った JavaScript(``fumoto.javascript``)と ``playground.js`` がページに入る。

    ```{playground} play-rates
    :surface: bowl
    :methods: SGD Momentum
    :start: -7 2
    :values: eta=0.1 Adam.eta=0.3
    :sliders: eta=0.01..1.1 alpha
    :still: fig-rates
    学習率のつまみを動かしてください。

    動かない画面では、この段落が見えます。
    ```

中身の最初の段落は図の説明になる。JavaScript のないときと紙の上では、残りと、``still`` の名前の図(同じページから移す)が
代わりに立つ。

``surface``(ほかに選べる地形は ``surfaces``)と ``methods`` のほかは省ける。``on``: はじめに動いている手法。``steps``: 歩数。
``switch``: 読者が切りかえる間違い(``Momentum/notes`` など)。``title``: 読み上げる名前。

動かしている式へのリンク(番号とアドレス)は、全部のページを読んだあとに、設定の ``equations`` に入れる。

手法や地形の式、``playground.js``、それらを読むモジュールのどれかが変われば、使っているページだけを読み直す。
できたスクリプトはページごとに覚えておくので、文章を直しただけなら、式を読み直さない。
"""

import hashlib
import html
import json
import re
from importlib.metadata import version
from pathlib import Path

import page_inputs
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective
from sphinx.util.logging import getLogger

_LOGGER = getLogger(__name__)
_MODULES = (
    "fumoto.javascript",
    "fumoto.equations",
    "fumoto.figures.looks",
    "fumoto.methods",
    "fumoto.surfaces",
    "fumoto.variants",
)
_OPTIONS = [
    "surface",
    "surfaces",
    "methods",
    "on",
    "start",
    "steps",
    "values",
    "sliders",
    "switch",
    "still",
    "title",
]
_SLIDERS = {  # 記号 → つまみの題と範囲、はじめの値
    "eta": {"title": "学習率 η", "low": 0.001, "high": 2.0, "log": True, "value": 0.1},
    "alpha": {"title": "慣性 α", "low": 0.0, "high": 0.99, "value": 0.9},
    "rho": {"title": "減衰率 ρ", "low": 0.0, "high": 0.999, "step": 0.001, "value": 0.9},
    "beta_1": {"title": "減衰率 β₁", "low": 0.0, "high": 0.99, "value": 0.9},
    "beta_2": {"title": "減衰率 β₂", "low": 0.0, "high": 0.999, "step": 0.001, "value": 0.999},
    "varepsilon": {"title": "分母の ε", "low": 1e-10, "high": 1.0, "log": True, "value": 1e-8},
    "steps": {"title": "歩数", "low": 1, "high": 500, "step": 1, "value": 60},
}


class playground(nodes.figure):
    """動かせる図 1 つ。子は、代わりに立つもの、``config``(playground.js に渡す設定)の HTML、説明の 3 つ。

    ``still``: 代わりに立つ図の名前。
    """


class Playground(SphinxDirective):
    """``{playground}`` の指示。設定を確かめ、``playground`` を 1 つ作る。"""

    required_arguments = 1
    has_content = True
    option_spec = dict.fromkeys(_OPTIONS, directives.unchanged)

    def run(self):
        name = self.arguments[0]
        location = (self.env.docname, self.lineno)
        try:
            config = settings(self.options)
            first, *rest = self._content()
        except ValueError as error:
            _LOGGER.error(f"動かせる図 {name}: {error}", location=location)
            return []
        node = playground(config=config, still=self.options.get("still"))
        node.source, node.line = self.get_source_info()
        node["names"].append(nodes.fully_normalize_name(name))
        self.state.document.note_explicit_target(node, node)
        node += nodes.container("", *rest, classes=["playground-still"])
        node += nodes.raw("", _config_html(config), format="html")
        node += nodes.caption("", "", *first.children)
        return [node]

    def _content(self):
        content = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, content)
        if not content.children or not isinstance(content[0], nodes.paragraph):
            raise ValueError("中身は、図の説明の段落から始めます")
        return content.children


def settings(options):
    """指示の中の文字列 → playground.js に渡す設定。おかしければ、日本語の ``ValueError`` を 1 つ出す。

    >>> settings({"surface": "bowl", "methods": "SGD", "steps": "40"})["values"]
    {'eta': 0.1}
    """
    from fumoto.javascript import PLAYED, SURFACES, symbols_of  # SymPy を読むので、使うときまで待つ

    surfaces = _known(options, "surfaces", SURFACES, "地形") or _known(options, "surface", SURFACES, "地形")
    surface = _words(options, "surface") or surfaces[:1]
    methods = _known(options, "methods", PLAYED, "手法")
    if len(surface) != 1 or not methods:
        raise ValueError(":surface: に地形を 1 つ、:methods: に手法を 1 つ以上書きます")
    if surface[0] not in surfaces:
        raise ValueError(f":surfaces: に :surface: の {surface[0]} がありません")
    dimensions = {len(SURFACES[name].coordinates) for name in surfaces}
    if len(dimensions) != 1:
        raise ValueError(f":surfaces: の次元がそろっていません: {' '.join(surfaces)}")
    versions = _known(options, "switch", PLAYED, "手法")
    for name in versions:
        if PLAYED[name].family not in methods or PLAYED[name].family == name:
            raise ValueError(f":switch: の {name} は、:methods: の手法を書きかえたものではありません")
    on = _words(options, "on") or methods
    if unknown := [name for name in on if name not in methods + versions]:
        raise ValueError(f":on: の {unknown[0]} が :methods: にも :switch: にもありません")
    start = [_number(word, "start") for word in _words(options, "start")] or SURFACES[
        surface[0]
    ].surface.start
    if {len(start)} != dimensions:
        raise ValueError(f":start: の座標は {dimensions.pop()} つです: {options['start']}")
    steps = options.get("steps", "60")
    if not re.fullmatch(r"[1-9][0-9]*", steps):
        raise ValueError(f":steps: は 1 以上の整数です: {steps}")
    symbols = symbols_of(methods + versions)
    values = _values(options, symbols, methods + versions)
    return {
        "surface": surface[0],
        "surfaces": surfaces,
        "methods": methods,
        "on": on,
        "start": list(start),
        "steps": int(steps),
        "values": values,
        "sliders": _sliders(options, symbols, values, int(steps)),
        "switch": [[PLAYED[name].family, name] for name in versions],
        **({"title": options["title"]} if "title" in options else {}),
    }


def _words(options, name):
    return options.get(name, "").split()


def _known(options, name, table, kind):
    """``options[name]`` の名前の並び。``table`` にない名前があれば ``ValueError``。"""
    words = _words(options, name)
    for word in words:
        if word not in table:
            raise ValueError(f":{name}: の {word} という{kind}はありません(あるのは {'、'.join(table)})")
    return words


def _number(text, name):
    try:
        return float(text)
    except ValueError:
        raise ValueError(f":{name}: の {text} は数ではありません") from None


def _values(options, symbols, methods):
    """記号 → はじめの値。``手法.記号`` は、その手法だけの値。"""
    values = {symbol: _SLIDERS[symbol]["value"] for symbol in symbols}
    for word in _words(options, "values"):
        key, _, text = word.partition("=")
        method, _, symbol = key.rpartition(".")
        if symbol not in symbols or method not in ["", *methods]:
            raise ValueError(f":values: の {key} はこの図で使いません(使うのは {'、'.join(symbols)})")
        values[key] = _number(text, "values")
    return values


def _sliders(options, symbols, values, steps):
    """記号 → つまみ。省けば、ε のほかの全部の記号。"""
    words = _words(options, "sliders") or [symbol for symbol in symbols if symbol != "varepsilon"]
    sliders = {}
    for word in words:
        name, _, ends = word.partition("=")
        if name not in [*symbols, "steps"]:
            raise ValueError(f":sliders: の {name} はこの図で使いません(使うのは {'、'.join(symbols)})")
        slider = {key: value for key, value in _SLIDERS[name].items() if key != "value"}
        if ends:
            low, _, high = ends.partition("..")
            slider |= {"low": _number(low, "sliders"), "high": _number(high, "sliders")}
        value = steps if name == "steps" else values[name]
        if not slider["low"] <= value <= slider["high"]:
            raise ValueError(f":sliders: の {name} の範囲に、はじめの値 {value} が入っていません")
        sliders[name] = slider
    return sliders


def _config_html(config):
    text = json.dumps(config, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" class="playground-config">{text}</script>\n'


# --- ページごとに 1 度: 代わりの図を入れ、スクリプトを足す ------------------------------------------------


def finish(app, doctree):
    """ページを読んだあとに: 代わりの図を動かせる図の中へ移し、最後の図のあとにスクリプトを置く。"""
    docname = app.env.docname
    figures = list(doctree.findall(playground))
    if not figures:
        _memory(app, docname).unlink(missing_ok=True)
        return
    for figure in figures:
        _move_still(doctree, figure, docname)
    last = figures[-1]
    position = last.parent.index(last) + 1
    try:
        scripts = _scripts(app, docname, figures)
    except ValueError as error:  # 読めない式(EquationError)。文の中に、式のページと行がある
        _LOGGER.error(f"動かせる図を作れません: {error}", location=(docname, last.line))
        return
    last.parent.insert(position, nodes.raw("", scripts, format="html"))


def _move_still(doctree, figure, docname):
    if figure["still"] is None:
        return
    for other in doctree.findall(nodes.figure):
        if figure["still"] in other["names"] and not isinstance(other, playground):
            other.parent.remove(other)
            figure[0].append(other)
            return
    _LOGGER.error(
        f"動かせる図 {figure['names'][0]}: :still: の図 {figure['still']} がこのページにありません",
        location=(docname, figure.line),
    )


def _scripts(app, docname, figures):
    """ページに入れる ``<script>`` 2 つ: 式から作ったものと、playground.js。"""
    configs = [figure["config"] for figure in figures]
    surfaces = sorted({name for config in configs for name in config["surfaces"]})
    methods = {name for config in configs for name in config["methods"]}
    methods = sorted(methods | {other for config in configs for _, other in config["switch"]})
    saved = _saved(app, docname)
    wanted = [surfaces, methods]
    blocks = _blocks(app)
    if saved.get("wanted") != wanted or saved["fingerprint"] != _fingerprint(app, saved["labels"], blocks):
        saved = _generate(app, wanted, blocks)
        _memory(app, docname).parent.mkdir(parents=True, exist_ok=True)
        _memory(app, docname).write_text(json.dumps(saved), encoding="utf-8")
    module = _module(app).read_text(encoding="utf-8")
    for text in (saved["script"], module):
        if re.search(r"</script|<!--", text, re.I):
            raise ValueError("ページに入れるスクリプトに </script か <!-- があります")
    # module にすると動き出すのがページを読み終えたあとになり、図が入るときに下の文章が動いて見える
    module = f'(() => {{\n"use strict";\n{module}}})();\n'
    return f"<script>\n{saved['script']}</script>\n<script>\n{module}</script>\n"


_codes = {}  # (種類, 名前, 使う式の囲み) → コード。同じプロセスで読むページどうしで使い回す


def _generate(app, wanted, blocks):
    from fumoto import javascript
    from fumoto.equations import read

    surfaces, methods = wanted
    labels = {("surface", name): javascript.labels_of([name], []) for name in surfaces}
    labels |= {("method", name): javascript.labels_of([], [name]) for name in methods}
    keys = {part: (*part, repr([blocks.get(label) for label in used])) for part, used in labels.items()}
    missing = [part for part, key in keys.items() if key not in _codes]
    equations = read(app.srcdir, [label for part in missing for label in labels[part]]) if missing else {}
    write = {"surface": javascript.surface_code, "method": javascript.method_code}
    for kind, name in missing:
        _codes[keys[kind, name]] = write[kind](name, equations)
    codes = {kind: {name: _codes[key] for (of, name), key in keys.items() if of == kind} for kind in write}
    used = javascript.labels_of(surfaces, methods)
    return {
        "wanted": wanted,
        "labels": used,
        "fingerprint": _fingerprint(app, used, blocks),
        "script": javascript.script(codes["surface"], codes["method"]),
    }


def link_equations(app, doctree, docname):
    """番号が決まってから: 動かしている式の番号とアドレスを、図の設定に入れる。"""
    for figure in doctree.findall(playground):
        config = figure["config"] | {"equations": _equations(app, docname, figure["config"])}
        figure[1] = nodes.raw("", _config_html(config), format="html")


def _equations(app, docname, config):
    """図が使う式のラベル → (「式 (3.1)」、ページ ``docname`` から見たアドレス)。本にない式は入らない。"""
    from fumoto.javascript import labels_of

    domain = app.env.domains["math"]
    links = {}
    for label in labels_of(config["surfaces"], config["methods"] + [name for _, name in config["switch"]]):
        link = domain.resolve_xref(app.env, docname, app.builder, "eq", label, None, nodes.inline())
        if link is not None:
            links[label] = link.astext(), link.get("refuri") or f"#{link['refid']}"
    return links


# --- 何が変わったら読み直すか -----------------------------------------------------------------------------


def outdated(app, env, added, changed, removed):
    """文章が同じでも、動かせる図の式やスクリプトが変わったページを読み直させる。"""
    saved = {docname: _saved(app, docname) for docname in sorted(env.found_docs - added - changed)}
    blocks = _blocks(app) if any(saved.values()) else {}
    return [
        docname
        for docname, page in saved.items()
        if page and page["fingerprint"] != _fingerprint(app, page["labels"], blocks)
    ]


def _memory(app, docname):
    return Path(app.outdir).parent / "cache" / "playgrounds" / f"{docname}.json"


def _saved(app, docname):
    try:
        return json.loads(_memory(app, docname).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}


def _module(app):
    return Path(app.srcdir, "_static", "playground.js")


def _blocks(app):
    """式のラベル → その式の書かれた囲みの並び。"""
    blocks = {}
    for _, block in page_inputs.READS["fumoto.equations"](Path(app.srcdir).parent):
        if label := re.search(r"^:label: *(\S+)", block, re.M):
            blocks.setdefault(label[1], []).append(block)
    return blocks


def _fingerprint(app, labels, blocks):
    """スクリプトを決めるもの全部の SHA-256: 使う式、それを読むモジュール、この拡張、playground.js。"""
    code = Path(app.srcdir).parent / "code"
    files = [code.joinpath(*name.split(".")).with_suffix(".py") for name in _MODULES]
    files += [Path(__file__), _module(app)]
    parts = [version("sympy"), *(repr((label, blocks.get(label))) for label in labels)]
    parts += [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


# --- HTML ------------------------------------------------------------------------------------------------


def visit_playground(self, node):
    self.body.append(f'<figure class="playground" id="{html.escape(node["ids"][0])}">\n')


def depart_playground(self, node):
    self.body.append("</figcaption>\n</figure>\n")  # figcaption を開いたのは、説明(caption)の visit


def add_styles(app, pagename, templatename, context, doctree):
    """動かせる図のあるページだけに、スタイルをつける。"""
    if doctree is not None and any(doctree.findall(playground)):
        app.add_css_file("playground.css")


def setup(app):
    app.add_node(playground, html=(visit_playground, depart_playground))
    app.add_directive("playground", Playground)
    app.connect("env-get-outdated", outdated)
    app.connect("doctree-read", finish)
    app.connect("doctree-resolved", link_equations)
    app.connect("html-page-context", add_styles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
