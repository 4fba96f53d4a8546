"""層を通る値の分布の指示。式から作った JavaScript(``fumoto.histograms``)と ``histograms.js`` がページに入る。

    ```{histograms} play-init-layers
    :activations: tanh sigmoid relu
    :scale: 1
    :scales: 0.01 xavier he 1
    :batchnorm: none before after
    :bias: -1..1
    つまみを動かしてください。

    動かない画面では、この段落が見えます。
    ```

中身の最初の段落は図の説明になる。JavaScript のないときと紙の上では、残りと、``still`` の名前の図(同じページから移す)が
代わりに立つ。

``activations`` のほかは省ける。``activations`` と ``batchnorm`` は、選べるものの並びで、先頭がはじめの状態。
``scale``: はじめの重みの標準偏差。``scales``: 押せばその値になるボタン。どちらも数か、初期値の名前(``xavier``、``he``)。
``range``: つまみの範囲。``bias``: バイアスのつまみの範囲。``title``: 読み上げる名前。

動かしている式へのリンク(番号とアドレス)は、全部のページを読んだあとに、設定の ``equations`` に入れる。

使う式、``histograms.js``、それらを読むモジュールのどれかが変われば、使っているページだけを読み直す。
できたスクリプトはページごとに覚えておくので、文章を直しただけなら、式を読み直さない。
"""

import hashlib
import html
import json
import re
from importlib.metadata import version
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from playground import _blocks, _move_still
from sphinx.util.docutils import SphinxDirective
from sphinx.util.logging import getLogger

_LOGGER = getLogger(__name__)
_MODULES = ("fumoto.histograms", "fumoto.javascript", "fumoto.equations", "fumoto.variants")
_OPTIONS = ["activations", "scale", "scales", "range", "batchnorm", "bias", "still", "title"]
_PLACES = ("none", "before", "after")


class histograms(nodes.figure):
    """動かせる分布の図 1 つ。子は、代わりに立つもの、``config``(histograms.js に渡す設定)の HTML、説明の 3 つ。

    ``still``: 代わりに立つ図の名前。
    """


class Histograms(SphinxDirective):
    """``{histograms}`` の指示。設定を確かめ、``histograms`` を 1 つ作る。"""

    required_arguments = 1
    has_content = True
    option_spec = dict.fromkeys(_OPTIONS, directives.unchanged)

    def run(self):
        name = self.arguments[0]
        try:
            config = settings(self.options)
            content = nodes.Element()
            self.state.nested_parse(self.content, self.content_offset, content)
            if not content.children or not isinstance(content[0], nodes.paragraph):
                raise ValueError("中身は、図の説明の段落から始めます")
        except ValueError as error:
            _LOGGER.error(f"分布の図 {name}: {error}", location=(self.env.docname, self.lineno))
            return []
        first, *rest = content.children
        node = histograms(config=config, still=self.options.get("still"))
        node.source, node.line = self.get_source_info()
        node["names"].append(nodes.fully_normalize_name(name))
        self.state.document.note_explicit_target(node, node)
        node += nodes.container("", *rest, classes=["histograms-still"])
        node += nodes.raw("", _config_html(config), format="html")
        node += nodes.caption("", "", *first.children)
        return [node]


def settings(options):
    """指示の中の文字列 → histograms.js に渡す設定。おかしければ、日本語の ``ValueError`` を 1 つ出す。

    >>> settings({"activations": "tanh relu", "scale": "xavier", "bias": "-1..1"})["bias"]
    {'low': -1.0, 'high': 1.0, 'value': 0}
    """
    from fumoto.histograms import ACTIVATIONS, SCALES  # SymPy を読むので、使うときまで待つ

    activations = _known(options, "activations", ACTIVATIONS, "活性化関数")
    if not activations:
        raise ValueError(":activations: に活性化関数を 1 つ以上書きます")
    places = _known(options, "batchnorm", _PLACES, "置き場所") or ["none"]
    low, high = _range(options, "range", "0.001..10")
    if low <= 0:
        raise ValueError(f":range: は正の数の範囲です(対数目盛なので): {options['range']}")
    marks = [_scale(word, "scales", SCALES, low, high) for word in options.get("scales", "").split()]
    bias = _range(options, "bias", None)
    if bias and not bias[0] <= 0 <= bias[1]:
        raise ValueError(f":bias: の範囲に、はじめの値 0 が入っていません: {options['bias']}")
    return {
        "activations": activations,
        "places": places,
        "scale": _scale(options.get("scale", "1"), "scale", SCALES, low, high),
        "marks": marks,
        "low": low,
        "high": high,
        "bias": bias and {"low": bias[0], "high": bias[1], "value": 0},
        **({"title": options["title"]} if "title" in options else {}),
    }


def _known(options, name, table, kind):
    """``options[name]`` の名前の並び。``table`` にない名前があれば ``ValueError``。"""
    words = options.get(name, "").split()
    for word in words:
        if word not in table:
            raise ValueError(f":{name}: の {word} という{kind}はありません(あるのは {'、'.join(table)})")
    if len(set(words)) < len(words):
        raise ValueError(f":{name}: に同じ{kind}が 2 度あります: {' '.join(words)}")
    return words


def _scale(word, name, table, low, high):
    """標準偏差 1 つ: 数か、``table`` の名前。"""
    if word in table:
        return word
    number = _number(word, name, f"数でも、初期値の名前({'、'.join(table)})でも")
    if not low <= number <= high:
        raise ValueError(f":{name}: の {word} が、つまみの範囲 {low:g}..{high:g} に入っていません")
    return number


def _range(options, name, otherwise):
    text = options.get(name, otherwise)
    if text is None:
        return None
    low, dots, high = text.partition("..")
    if not dots:
        raise ValueError(f":{name}: は「下端..上端」の形です: {text}")
    low, high = _number(low, name, "数では"), _number(high, name, "数では")
    if not low < high:
        raise ValueError(f":{name}: の下端が上端より小さくありません: {text}")
    return low, high


def _number(text, name, kind):
    try:
        return float(text)
    except ValueError:
        raise ValueError(f":{name}: の {text} は{kind}ありません") from None


def _config_html(config):
    text = json.dumps(config, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" class="histograms-config">{text}</script>\n'


# --- ページごとに 1 度: 代わりの図を入れ、スクリプトを足す ------------------------------------------------


def finish(app, doctree):
    """ページを読んだあとに: 代わりの図を分布の図の中へ移し、最後の図のあとにスクリプトを置く。"""
    docname = app.env.docname
    figures = list(doctree.findall(histograms))
    if not figures:
        _memory(app, docname).unlink(missing_ok=True)
        return
    for figure in figures:
        _move_still(doctree, figure, docname)
    last = figures[-1]
    try:
        scripts = _scripts(app, docname, [figure["config"] for figure in figures])
    except ValueError as error:  # 読めない式(EquationError)。文の中に、式のページと行がある
        _LOGGER.error(f"分布の図を作れません: {error}", location=(docname, last.line))
        return
    last.parent.insert(last.parent.index(last) + 1, nodes.raw("", scripts, format="html"))


def _scripts(app, docname, configs):
    """ページに入れる ``<script>`` 2 つ: 式から作ったものと、histograms.js。"""
    wanted = _wanted(configs)
    saved, blocks = _saved(app, docname), _blocks(app)
    if saved.get("wanted") != wanted or saved["fingerprint"] != _fingerprint(app, saved["labels"], blocks):
        saved = _generate(app, wanted, blocks)
        _memory(app, docname).parent.mkdir(parents=True, exist_ok=True)
        _memory(app, docname).write_text(json.dumps(saved), encoding="utf-8")
    module = _module(app).read_text(encoding="utf-8")
    for text in (saved["script"], module):
        if re.search(r"</script|<!--", text, re.I):
            raise ValueError("ページに入れるスクリプトに </script か <!-- があります")
    return f'<script>\n{saved["script"]}</script>\n<script type="module">\n{module}</script>\n'


def _wanted(configs):
    """図が使うもの: 活性化関数、名前のついた初期値、BatchNorm を使うか。"""
    from fumoto.histograms import ACTIVATIONS, SCALES

    activations = [name for name in ACTIVATIONS if any(name in config["activations"] for config in configs)]
    scales = [name for name in SCALES if any(name in [c["scale"], *c["marks"]] for c in configs)]
    return [activations, scales, any(config["places"] != ["none"] for config in configs)]


def _generate(app, wanted, blocks):
    from fumoto.equations import read
    from fumoto.histograms import labels_of, script

    labels = labels_of(*wanted)
    return {
        "wanted": wanted,
        "labels": labels,
        "fingerprint": _fingerprint(app, labels, blocks),
        "script": script(*wanted, read(app.srcdir, labels)),
    }


def link_equations(app, doctree, docname):
    """番号が決まってから: 使う式の番号とアドレスを、図の設定に入れる。"""
    for figure in doctree.findall(histograms):
        config = figure["config"] | {"equations": _equations(app, docname, figure["config"])}
        figure[1] = nodes.raw("", _config_html(config), format="html")


def _equations(app, docname, config):
    """図が使う式のラベル → (「式 (7.1)」、ページ ``docname`` から見たアドレス)。本にない式は入らない。"""
    from fumoto.histograms import labels_of

    domain, links = app.env.domains["math"], {}
    for label in labels_of(*_wanted([config])):
        link = domain.resolve_xref(app.env, docname, app.builder, "eq", label, None, nodes.inline())
        if link is not None:
            links[label] = link.astext(), link.get("refuri") or f"#{link['refid']}"
    return links


# --- 何が変わったら読み直すか -----------------------------------------------------------------------------


def outdated(app, env, added, changed, removed):
    """文章が同じでも、分布の図の式やスクリプトが変わったページを読み直させる。"""
    saved = {docname: _saved(app, docname) for docname in sorted(env.found_docs - added - changed)}
    blocks = _blocks(app) if any(saved.values()) else {}
    return [
        docname
        for docname, page in saved.items()
        if page and page["fingerprint"] != _fingerprint(app, page["labels"], blocks)
    ]


def _memory(app, docname):
    return Path(app.outdir).parent / "cache" / "histograms" / f"{docname}.json"


def _saved(app, docname):
    try:
        return json.loads(_memory(app, docname).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}


def _module(app):
    return Path(app.srcdir, "_static", "histograms.js")


def _fingerprint(app, labels, blocks):
    """スクリプトを決めるもの全部の SHA-256: 使う式、それを読むモジュール、この拡張、histograms.js。"""
    code = Path(app.srcdir).parent / "code"
    files = [code.joinpath(*name.split(".")).with_suffix(".py") for name in _MODULES]
    files += [Path(__file__), _module(app)]
    parts = [version("sympy"), *(repr((label, blocks.get(label))) for label in labels)]
    parts += [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


# --- HTML ------------------------------------------------------------------------------------------------


def visit_histograms(self, node):
    self.body.append(f'<figure class="histograms" id="{html.escape(node["ids"][0])}">\n')


def depart_histograms(self, node):
    self.body.append("</figcaption>\n</figure>\n")  # figcaption を開いたのは、説明(caption)の visit


def add_styles(app, pagename, templatename, context, doctree):
    """分布の図のあるページだけに、スタイルをつける。"""
    if doctree is not None and any(doctree.findall(histograms)):
        app.add_css_file("histograms.css")


def setup(app):
    app.add_node(histograms, html=(visit_histograms, depart_histograms))
    app.add_directive("histograms", Histograms)
    app.connect("env-get-outdated", outdated)
    app.connect("doctree-read", finish)
    app.connect("doctree-resolved", link_equations)
    app.connect("html-page-context", add_styles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
