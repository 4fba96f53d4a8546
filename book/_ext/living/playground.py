"""動かせる図の指示。式から作った JavaScript(``fumoto.printed.playground``)と ``playground.js`` がページに入る。

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

``surface``(ほかに選べる地形は ``surfaces``)と ``methods`` のほかは省ける。``on``: はじめに動いている手法。``steps``: 歩数。
``switch``: 読者が切りかえる間違い(``Momentum/notes`` など)。``title``: 読み上げる名前。``roots``: ``on`` なら、特性方程式の根も描く。
``best``: 地形ごと、手法ごとの、はじめの引数を返す関数(``fumoto.experiments.comparison.best_settings``)。読者は外せる。
共通の仕事は ``living_figures`` にある。
"""

import re
from importlib import import_module

from living.living_figures import Kind, LivingFigure, known, number, words

_MODULES = ["fumoto.printed", "fumoto.figures.looks", "fumoto.surfaces"]
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
    "roots",
    "best",
]
_LINEAR = {"bowl", "narrow", "saddle", "SGD", "Momentum", "Nesterov"}  # 1 歩が線形な地形と手法。根がある
_SLIDERS = {  # 記号 → つまみの題と範囲、はじめの値
    "kappa": {"title": "条件数 κ", "low": 1, "high": 100, "log": True, "value": 20.0},
    "eta": {"title": "学習率 η", "low": 0.001, "high": 2.0, "log": True, "value": 0.1},
    "alpha": {"title": "慣性 α", "low": 0.0, "high": 0.99, "value": 0.9},
    "rho": {"title": "減衰率 ρ", "low": 0.0, "high": 0.999, "step": 0.001, "value": 0.9},
    "beta_1": {"title": "減衰率 β₁", "low": 0.0, "high": 0.99, "value": 0.9},
    "beta_2": {"title": "減衰率 β₂", "low": 0.0, "high": 0.999, "step": 0.001, "value": 0.999},
    "lambda": {"title": "重み減衰 λ", "low": 0.0, "high": 1.0, "value": 0.1},
    "varepsilon": {"title": "分母の ε", "low": 1e-10, "high": 1.0, "log": True, "value": 1e-8},
    "steps": {"title": "歩数", "low": 1, "high": 500, "step": 1, "value": 60},
}


class playground(LivingFigure):
    """動かせる図 1 つ。"""


class Playground(Kind):
    """``{playground}`` の図: 式のとおりに地形を下りる。"""

    name, called, options, modules, node = "playground", "動かせる図", _OPTIONS, _MODULES, playground

    def settings(self, options):
        return settings(options)

    def wanted(self, configs):
        """地形と手法。"""
        surfaces = [name for config in configs for name in config["surfaces"]]
        methods = [
            name
            for config in configs
            for name in config["methods"] + [version for _, version in config["switch"]]
        ]
        return [list(dict.fromkeys(surfaces)), list(dict.fromkeys(methods))]  # 現れた順に、1 度ずつ

    def labels(self, wanted):
        from fumoto.printed.playground import labels_of

        return labels_of(*wanted)

    def script(self, app, wanted, blocks):
        """地形と手法のコードは、同じプロセスで読むページどうしで使い回す。"""
        from fumoto.printed import read
        from fumoto.printed.playground import labels_of, method_code, script, surface_code

        surfaces, methods = wanted
        labels = {("surface", name): labels_of([name], []) for name in surfaces}
        labels |= {("method", name): labels_of([], [name]) for name in methods}
        keys = {part: (*part, repr([blocks.get(label) for label in used])) for part, used in labels.items()}
        missing = [part for part, key in keys.items() if key not in _codes]
        equations = read(app.srcdir, [label for part in missing for label in labels[part]]) if missing else {}
        write = {"surface": surface_code, "method": method_code}
        for kind, name in missing:
            _codes[keys[kind, name]] = write[kind](name, equations)
        codes = {
            kind: {name: _codes[key] for (of, name), key in keys.items() if of == kind} for kind in write
        }
        return script(codes["surface"], codes["method"])


_codes = {}  # (種類, 名前, 使う式の囲み) → コード


def settings(options):
    """指示の中の文字列 → playground.js に渡す設定。おかしければ、日本語の ``ValueError`` を 1 つ出す。

    >>> settings({"surface": "bowl", "methods": "SGD", "steps": "40"})["values"]
    {'eta': 0.1}
    """
    from fumoto.printed.playground import PLAYED, SURFACES, symbols_of  # SymPy を読むので、使うときまで待つ

    surfaces = known(options, "surfaces", SURFACES, "地形") or known(options, "surface", SURFACES, "地形")
    surface = words(options, "surface") or surfaces[:1]
    methods = known(options, "methods", PLAYED, "手法")
    if len(surface) != 1 or not methods:
        raise ValueError(":surface: に地形を 1 つ、:methods: に手法を 1 つ以上書きます")
    if surface[0] not in surfaces:
        raise ValueError(f":surfaces: に :surface: の {surface[0]} がありません")
    dimensions = {len(SURFACES[name].coordinates) for name in surfaces}
    if len(dimensions) != 1:
        raise ValueError(f":surfaces: の次元がそろっていません: {' '.join(surfaces)}")
    versions = known(options, "switch", PLAYED, "手法")
    for name in versions:
        if PLAYED[name].family not in methods or PLAYED[name].family == name:
            raise ValueError(f":switch: の {name} は、:methods: の手法を書きかえたものではありません")
    on = words(options, "on") or methods
    if unknown := [name for name in on if name not in methods + versions]:
        raise ValueError(f":on: の {unknown[0]} が :methods: にも :switch: にもありません")
    start = [number(word, "start") for word in words(options, "start")] or SURFACES[surface[0]].surface.start
    if {len(start)} != dimensions:
        raise ValueError(f":start: の座標は {dimensions.pop()} つです: {options['start']}")
    steps = options.get("steps", "60")
    if not re.fullmatch(r"[1-9][0-9]*", steps):
        raise ValueError(f":steps: は 1 以上の整数です: {steps}")
    symbols = symbols_of(methods + versions, surfaces)
    if options.get("roots", "on") != "on":
        raise ValueError(f":roots: は on と書くか、省きます: {options['roots']}")
    if "roots" in options and (other := {*surfaces, *(PLAYED[name].family for name in methods)} - _LINEAR):
        raise ValueError(f":roots: は、1 歩が線形なときだけです: {min(other)}")
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
        **({"roots": True} if "roots" in options else {}),
        **({"best": _best(options, surfaces)} if "best" in options else {}),
    }


def _best(options, surfaces):
    """地形 → ``手法.記号`` → 値。``:best:`` に書いた関数の返す、地形ごと、手法ごとの引数から。"""
    from fumoto.printed.methods import METHODS

    module, _, function = options["best"].rpartition(".")
    try:
        found = getattr(import_module(module), function)()
    except (ImportError, AttributeError, ValueError):
        raise ValueError(f":best: の関数 {options['best']} がありません") from None
    return {
        surface: {
            f"{method}.{METHODS[method].hyperparameters[name]}": value
            for method, setting in settings.items()
            for name, value in setting.items()
        }
        for surface, settings in found.items()
        if surface in surfaces
    }


def _values(options, symbols, methods):
    """記号 → はじめの値。``手法.記号`` は、その手法だけの値。"""
    values = {symbol: _SLIDERS[symbol]["value"] for symbol in symbols}
    for word in words(options, "values"):
        key, _, text = word.partition("=")
        method, _, symbol = key.rpartition(".")
        if symbol not in symbols or method not in ["", *methods]:
            raise ValueError(f":values: の {key} はこの図で使いません(使うのは {'、'.join(symbols)})")
        values[key] = number(text, "values")
    return values


def _sliders(options, symbols, values, steps):
    """記号 → つまみ。省けば、ε のほかの全部の記号。"""
    chosen = words(options, "sliders") or [symbol for symbol in symbols if symbol != "varepsilon"]
    sliders = {}
    for word in chosen:
        name, _, ends = word.partition("=")
        if name not in [*symbols, "steps"]:
            raise ValueError(f":sliders: の {name} はこの図で使いません(使うのは {'、'.join(symbols)})")
        slider = {key: value for key, value in _SLIDERS[name].items() if key != "value"}
        if ends:
            low, _, high = ends.partition("..")
            slider |= {"low": number(low, "sliders"), "high": number(high, "sliders")}
        value = steps if name == "steps" else values[name]
        if not slider["low"] <= value <= slider["high"]:
            raise ValueError(f":sliders: の {name} の範囲に、はじめの値 {value} が入っていません")
        sliders[name] = slider
    return sliders


def setup(app):
    return Playground().setup(app)
