"""コードを書く欄の指示。演習の中に置く。中身は、はじめに欄に入っているコード。

    ```{write} write-momentum
    :method: Momentum
    :values: lr=0.1 momentum=0.9
    :class: MyMomentum
    :next: ex-adagrad-code
    class MyMomentum:
        ...
    ```

``kind``: 書くもの。``optimizer``(省いたとき)、``initializer``、``batchnorm``。``method``: 比べる相手。``values``: 渡す引数。
``class``: 書くクラスか関数の名前。``next``: できたら進む先の名前(演習、図、節)。

JavaScript のないとき、紙の上、持ち帰ったものでは、中身と、手元で確かめる 2 行を並べたコードに見える。画面では、``write.js`` が
それを欄に変える。

ライブラリを使わない理由: JupyterLite も thebe も、ネットワークか、ずっと大きな Python が要る。
"""

import ast
import html
import json
import math

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective
from sphinx.util.logging import getLogger
from sphinx.util.osutil import relative_uri

_LOGGER = getLogger(__name__)
_OPTIONS = ["kind", "method", "values", "class", "next"]
_CHECKS = {"optimizer": "check", "initializer": "check_initializer", "batchnorm": "check_batchnorm"}
_SCRIPTS = ("editor.js", "result.js", "write.js")  # 読む順


class write(nodes.General, nodes.Element):
    """欄 1 つ。子は、止まったコードだけ。``config``: スクリプトに渡す設定。"""


class Write(SphinxDirective):
    required_arguments = 1
    has_content = True
    option_spec = dict.fromkeys(_OPTIONS, directives.unchanged_required)

    def run(self):
        name = self.arguments[0]
        try:
            config = settings(self.options, "\n".join(self.content) + "\n")
        except ValueError as error:
            place = self.env.docname, self.lineno
            _LOGGER.error(f"書く欄 {name}: {error}", location=place)
            return []
        node = write(config=config | {"name": name, "page": self.env.docname})
        node.source, node.line = self.get_source_info()
        node["names"].append(nodes.fully_normalize_name(name))
        self.state.document.note_explicit_target(node, node)
        text = still(config)
        node += nodes.literal_block(text, text, language="python")
        return [node]


def settings(options, skeleton):
    """指示の欄と中身 → write.js に渡す設定。おかしければ、日本語の ``ValueError`` を 1 つ出す。

    >>> found = settings({"method": "SGD", "values": "lr=0.1", "class": "MySGD"}, "class MySGD:\\n    ...\\n")
    >>> found["check"]
    ['from fumoto import check', 'print(check(MySGD, "SGD", lr=0.1))']
    """
    kind = options.get("kind", "optimizer")
    if kind not in _CHECKS:
        raise ValueError(f":kind: の {kind} という種類はありません(あるのは {'、'.join(_CHECKS)})")
    parameters, method = _parameters(kind, options), options.get("method")
    values = _values(options, parameters)
    title = options.get("class", "")
    if not title.isidentifier():
        raise ValueError(f":class: には、書くクラスか関数の名前を 1 つ書きます: {title}")
    if title not in _defined(skeleton):
        raise ValueError(f":class: の {title} が、中身のコードで定義されていません")
    function = _CHECKS[kind]
    called = [
        title,
        *([f'"{method}"'] if method else []),
        *(f"{key}={value}" for key, value in values.items()),
    ]
    return {
        "kind": kind,
        "method": method,
        "table": method if kind == "optimizer" else kind,
        "title": title,
        "hyperparameters": {key: float(value) for key, value in values.items()},
        "skeleton": skeleton,
        "check": [f"from fumoto import {function}", f"print({function}({', '.join(called)}))"],
        "next": options.get("next"),
    }


def still(config):
    """動かない画面に見せるコード。"""
    first, last = config["check"]
    return f"{first}\n\n{config['skeleton'].strip()}\n\n{last}\n"


def _parameters(kind, options):
    """渡せる引数の名前。``method`` が相手の名前であることも確かめる。"""
    from fumoto.checking.computing.initializer import LABELS  # 使うときまで待つ
    from fumoto.printed.methods import METHODS, MUON

    if kind == "batchnorm":
        if "method" in options:
            raise ValueError(f":method: は、:kind: が batchnorm のときには書きません: {options['method']}")
        return ["decay_rate", "eps"]
    table = {**METHODS, MUON.name: MUON} if kind == "optimizer" else LABELS
    if options.get("method") not in table:
        raise ValueError(
            f":method: の {options.get('method', '(なし)')} という相手はありません(あるのは {'、'.join(table)})"
        )
    return list(table[options["method"]].hyperparameters) if kind == "optimizer" else []


def _values(options, parameters):
    """引数の名前 → 値の文字列。数の書き方も、指示のまま残す。"""
    values = {}
    for word in options.get("values", "").split():
        key, _, text = word.partition("=")
        if key not in parameters:
            known = "、".join(parameters) or "ありません"
            raise ValueError(f":values: の {key} という引数は渡せません(渡せるのは {known})")
        if key in values:
            raise ValueError(f":values: に {key} が 2 度あります")
        try:
            finite = math.isfinite(float(text))
        except ValueError:
            finite = False
        if not finite:
            raise ValueError(f":values: の {word} の値は数ではありません(lr=0.1 のように書きます)")
        values[key] = text
    return values


def _defined(code):
    """コードのいちばん外側で定義されるクラスと関数の名前。"""
    try:
        body = ast.parse(code).body
    except SyntaxError as error:
        raise ValueError(f"中身の {error.lineno} 行目が Python として読めません") from None
    return [each.name for each in body if isinstance(each, ast.ClassDef | ast.FunctionDef)]


# --- ページを書くとき ---------------------------------------------------------------------------------------


def add_config(app, doctree, docname):
    """番号が決まってから: 本のフォルダーへの道と、次に進む先を、設定に入れて置く。1 冊にまとめたものには要らない。"""
    if app.builder.name not in ("html", "dirhtml"):
        return
    for node in list(doctree.findall(write)):
        here = app.builder.get_target_uri(docname)
        index = relative_uri(here, "index.html")
        config = node["config"] | {
            "root": index.removesuffix("index.html"),
            "equations": _equations(app, node["config"]),
            "next": _next(app, node, docname),
        }
        text = json.dumps(config, ensure_ascii=False).replace("<", "\\u003c")
        node += nodes.raw(
            "", f'<script type="application/json" class="write-config">{text}</script>\n', format="html"
        )


def _equations(app, config):
    """相手の式のラベル → 番号(「式 (3.1)」)と、本のフォルダーから見たアドレス。本にない式は入らない。"""
    domain, found = app.env.domains["math"], {}
    for label in labels_of(config["kind"], config["method"]):
        link = domain.resolve_xref(app.env, "index", app.builder, "eq", label, None, nodes.inline())
        if link is not None:
            found[label] = {"number": link.astext(), "address": link.get("refuri") or f"#{link['refid']}"}
    return found


def labels_of(kind, method):
    """相手の式のラベル。ほかの書き方のものも。手法なら、ほかの手法のはじめの式も(それと同じ動きだったときに示す)。"""
    from fumoto.checking.candidates.conventions import OPTIMIZERS
    from fumoto.checking.computing.batchnorm import STAGES
    from fumoto.checking.computing.initializer import LABELS
    from fumoto.printed.methods import EVERY_METHOD

    if kind == "optimizer":
        bases = [EVERY_METHOD[method], *OPTIMIZERS.get(method, {}).values()]
        own = [label for base in bases for label in base.labels]
        return list(dict.fromkeys([*own, *(each.labels[0] for each in EVERY_METHOD.values())]))
    return list(LABELS.values()) if kind == "initializer" else [label for stage in STAGES.values() for label in stage]


def _next(app, node, docname):
    """次に進む先の (題、アドレス)。"""
    label, std = node["config"]["next"], app.env.domains["std"]
    if label is None:
        return None
    kind = "numref" if label in app.env.sphinx_exercise_registry else "ref"  # 演習は番号、ほかは題で言う
    xref = nodes.inline(refexplicit=False)
    found = std.resolve_xref(app.env, docname, app.builder, kind, label, xref, nodes.inline())
    if found is not None:
        return found.astext().strip(), found.get("refuri") or f"#{found['refid']}"
    _LOGGER.error(f"書く欄 {node['config']['name']}: :next: の {label} が本にありません", location=node)
    return None


def add_files(app, pagename, templatename, context, doctree):
    """欄のあるページだけに、スクリプトとスタイルをつける。"""
    if app.builder.name in ("html", "dirhtml") and doctree is not None and any(doctree.findall(write)):
        app.add_css_file("write/write.css")
        for script in _SCRIPTS:
            app.add_js_file(f"write/{script}")


def _visit(translator, node):
    translator.body.append(f'<div class="write" id="{html.escape(node["ids"][0])}">\n')


def _depart(translator, node):
    translator.body.append("</div>\n")


def setup(app):
    app.add_node(write, html=(_visit, _depart), singlehtml=(_visit, _depart))
    app.add_directive("write", Write)
    app.connect("doctree-resolved", add_config)
    app.connect("html-page-context", add_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
