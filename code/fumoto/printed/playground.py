"""動かせる図のスクリプト: 地形と手法を、ページの式から、読者のブラウザーで動くようにする。

更新の規則も地形もここには書かない。印刷された式を読み、SymPy で勾配を求め、JavaScript として書き出すだけである。
ページの式が変われば、動かせる図も変わる。

できるスクリプトは ``globalThis.fumoto`` に次の 3 つを置く。点 ``x`` は座標の配列、``step`` は座標 1 つ分の更新である。
地形の ``p`` は、つまみで動かす定数(``symbols``)の値である。

    surfaces[名前] = {title, label, symbols, dimension, window, start, minimum, value: (x, p) => 高さ, gradient: (x, p) => 勾配}
    methods[名前]  = {title, family, labels, changed, symbols, states, step: (w, g, s, p) => ({w, ...状態})}
    looks[手法]    = {letter, dash, light: {color, ink}, dark: {color, ink}}: 本の図と同じ見た目(``fumoto.figures.looks``)

``changed`` は ``labels`` のうち、わざと書き間違えた式である。``s`` は更新する前の状態、``p`` はハイパーパラメータと歩数 ``p.t``(最初の 1 歩が 1)。ページの ``t`` は、更新する前の
歩数なので ``p.t - 1`` である(``PrintedOptimizer`` と同じ)。
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from fumoto.figures.looks import METHOD_LOOKS, readable_on
from fumoto.printed.equation import Equation, Equations
from fumoto.printed.errors import EquationError
from fumoto.printed.expressions import in_usual_form
from fumoto.printed.javascript import expression_code, literal, object_code
from fumoto.printed.methods import METHODS, state_names
from fumoto.printed.mutation import variants
from fumoto.surfaces import Surface, bowl, hollow, narrow, ravine, saddle, valleys

_DEPTH = 0.4  # 窪みの深さ(本の図と同じ)
_ARGUMENTS = {"w", "g", "s", "p", "t"}  # 書き出す関数の中で、すでに使っている名前


@dataclass(frozen=True)
class PlayedSurface:
    """動かせる図で使う地形。式のラベル、出発点や範囲を持つ地形、座標の記号、定数の記号 → 値、読者が動かす定数の記号。"""

    label: str
    surface: Surface
    coordinates: tuple[str, ...] = ("x", "y")
    constants: dict[str, float] = field(default_factory=dict)
    symbols: tuple[str, ...] = ()


SURFACES = {
    "bowl": PlayedSurface("eq-bowl-f", bowl),
    "narrow": PlayedSurface("eq-narrow-f", narrow(), symbols=("kappa",)),
    "saddle": PlayedSurface("eq-saddle-f", saddle),
    "ravine": PlayedSurface("eq-ravine-f", ravine),
    "valleys": PlayedSurface("eq-valleys-f", valleys),
    "hollow": PlayedSurface("eq-hollow-f", hollow(_DEPTH), ("w",), {"D": _DEPTH}),
}


@dataclass(frozen=True)
class PlayedMethod:
    """動かせる図で使う手法。

    ``family``: もとの手法(``METHODS`` の名前)。``title``: 読者に見せる名前。``labels``: 計算する順の式のラベル。
    ``wrong``: ラベル → その式の代わりに使う間違いの ``id``(``fumoto.printed.mutation``)。
    """

    family: str
    title: str
    labels: tuple[str, ...]
    wrong: dict[str, str] = field(default_factory=dict)


_LOOKS = {"Nesterov": "NAG"}  # METHOD_LOOKS での名前。ほかはクラスの名前と同じ
_TITLES = {
    **_LOOKS,
    "SGD": "GD",
}  # 読者に見せる名前。地形の勾配には誤差がないので、SGD は勾配降下法(GD)である

PLAYED = {
    **{name: PlayedMethod(name, _TITLES.get(name, name), method.labels) for name, method in METHODS.items()},
    "Momentum/notes": PlayedMethod(
        "Momentum", "原ノートの式 w − v", ("eq-momentum-v", "eq-notes-momentum-w")
    ),
    "AdaGrad/notes": PlayedMethod("AdaGrad", "原ノートの式 ε なし", ("eq-adagrad-h", "eq-notes-adagrad-w")),
    "SGD/uphill": PlayedMethod(
        "SGD", "符号が逆の式 w + ηg", METHODS["SGD"].labels, {"eq-sgd-w": "eq-sgd-w/sign-2"}
    ),
    "Adam/notes": PlayedMethod(
        "Adam", "原ノートの式 補正も ε もなし", ("eq-adam-m", "eq-adam-v", "eq-notes-adam-w")
    ),
    "Adam/uncorrected": PlayedMethod(
        "Adam",
        "補正だけを忘れた式",
        METHODS["Adam"].labels,
        {"eq-adam-mhat": "eq-adam-mhat/factor-2", "eq-adam-vhat": "eq-adam-vhat/factor-2"},
    ),
    "Adam/no-epsilon": PlayedMethod(
        "Adam", "ε だけを忘れた式", METHODS["Adam"].labels, {"eq-adam-w": "eq-adam-w/dropped-3"}
    ),
}


def labels_of(surfaces: Iterable[str], methods: Iterable[str]) -> list[str]:
    """名前を挙げた地形と手法が使う式のラベルの、重複のない並び。知らない名前は ``KeyError``。

    >>> labels_of(["bowl"], ["SGD", "Momentum"])
    ['eq-bowl-f', 'eq-sgd-w', 'eq-momentum-v', 'eq-momentum-w']
    """
    labels = [SURFACES[name].label for name in surfaces]
    labels += [label for name in methods for label in PLAYED[name].labels]
    return list(dict.fromkeys(labels))


def symbols_of(methods: Iterable[str], surfaces: Iterable[str] = ()) -> list[str]:
    """名前を挙げた地形の、読者が動かす定数と、手法が持ちうるハイパーパラメータの記号の並び。

    >>> symbols_of(["SGD", "Momentum/notes"], ["narrow"])
    ['kappa', 'eta', 'alpha']
    """
    families = [METHODS[PLAYED[name].family] for name in methods]
    symbols = [symbol for name in surfaces for symbol in SURFACES[name].symbols]
    symbols += [symbol for method in families for symbol in method.hyperparameters.values()]
    return list(dict.fromkeys(symbols))


def script(surfaces: Mapping[str, str], methods: Mapping[str, str]) -> str:
    """``surface_code`` と ``method_code`` の結果(名前 → コード)を、``globalThis.fumoto`` を作る 1 つの文にする。"""
    looks = {family: literal(look_of(family)) for family in sorted({PLAYED[name].family for name in methods})}
    members = {
        "surfaces": object_code(surfaces),
        "methods": object_code(methods),
        "looks": object_code(looks),
    }
    return f"globalThis.fumoto = {object_code(members)};\n"


def look_of(family: str) -> dict[str, Any]:
    """手法の見た目: 文字、破線、明るい地と暗い地の上での色。``ink`` は、その色の上に書く文字の色。

    >>> look = look_of("Nesterov")
    >>> look["letter"], look["dash"], look["light"]
    ('N', [2, 1.5], {'color': '#56B4E9', 'ink': '#000000'})
    """
    look = METHOD_LOOKS[_LOOKS.get(family, family)]
    light, dark = ({"color": color, "ink": readable_on(color)} for color in (look.color, look.on_dark))
    return {"letter": look.letter, "dash": look.dashes, "light": light, "dark": dark}


def surface_code(name: str, equations: Equations) -> str:
    r"""地形 1 つの JavaScript。``equations``: ``fumoto.printed.read`` の結果。

    座標でも定数でもない記号が式にあれば、ページと行を言う ``EquationError``。

    >>> from fumoto.printed import read
    >>> print(surface_code("saddle", read(labels=["eq-saddle-f"])))
    {
      title: "鞍",
      label: "eq-saddle-f",
      symbols: [],
      dimension: 2,
      window: [-2.0, 2.0, -2.0, 2.0],
      start: [1.5, 0.001],
      minimum: null,
      value: (x, p) => (1/2)*Math.pow(x[0], 2) - 1/2*Math.pow(x[1], 2),
      gradient: (x, p) => [x[0], -x[1]],
    }
    """
    played = SURFACES[name]
    equation = equations[played.label]
    surface = played.surface
    symbols = {known.name: symbol for symbol, known in equation.notation.items()}
    known = {symbols.get(of): sympy.Rational(str(value)) for of, value in played.constants.items()}
    height = in_usual_form(equation.rhs).xreplace(known)
    slopes = [sympy.diff(height, symbols.get(of, sympy.Symbol(of))) for of in played.coordinates]
    names = {of: f"x[{axis}]" for axis, of in enumerate(played.coordinates)}
    names |= {symbol: f"p.{symbol}" for symbol in played.symbols}
    return object_code(
        {
            "title": literal(surface.name),
            "label": literal(played.label),
            "symbols": literal(played.symbols),
            "dimension": literal(len(slopes)),
            "window": literal(surface.window),
            "start": literal(surface.start),
            "minimum": literal(surface.minimum),
            "value": f"(x, p) => {_code(equation, height, names)}",
            "gradient": f"(x, p) => [{', '.join(_code(equation, slope, names) for slope in slopes)}]",
        },
        indent="  ",
    )


def method_code(name: str, equations: Equations) -> str:
    r"""手法 1 つの JavaScript。``equations``: ``fumoto.printed.read`` の結果。

    どの式でも値の決まらない記号があるか、``w_{t+1}`` の式がなければ、ページと行を言う ``EquationError``。

    >>> from fumoto.printed import read
    >>> print(method_code("Momentum", read(labels=["eq-momentum-v", "eq-momentum-w"])))
    {
      title: "Momentum",
      family: "Momentum",
      labels: ["eq-momentum-v", "eq-momentum-w"],
      changed: [],
      symbols: ["eta", "alpha"],
      states: ["v"],
      step: (w, g, s, p) => {
        const v_next = p.alpha*s.v - p.eta*g; // eq-momentum-v
        const w_next = w + v_next; // eq-momentum-w
        return {w: w_next, v: v_next};
      },
    }
    """
    played = PLAYED[name]
    chosen = [_chosen(equations[label], played.wrong.get(label)) for label in played.labels]
    states = state_names(chosen)
    used = {symbol for equation in chosen for symbol in equation.symbols}
    symbols = [symbol for symbol in METHODS[played.family].hyperparameters.values() if symbol in used]
    names = {"w_t": "w", "g_t": "g", "t": "t"}  # 式の記号 → JavaScript の名前
    names |= {f"{state}_t": f"s.{state}" for state in states}
    names |= {symbol: f"p.{symbol}" for symbol in symbols}
    lines = ["const t = p.t - 1;"] if "t" in used else []
    for equation in chosen:
        right = _code(equation, in_usual_form(equation.rhs), names)
        names[equation.name] = _local_name(equation)
        lines.append(f"const {names[equation.name]} = {right}; // {equation.label}")
    if "w_next" not in names:
        last = chosen[-1]
        raise EquationError(f"{last.where}: {name} の式のどれも w_{{t+1}} を決めません")
    result = ", ".join(f"{state}: {names[f'{state}_next']}" for state in ["w", *states])
    lines.append(f"return {{{result}}};")
    body = "".join(f"    {line}\n" for line in lines)
    return object_code(
        {
            "title": literal(played.title),
            "family": literal(played.family),
            "labels": literal(played.labels),
            "changed": literal(list(played.wrong)),
            "symbols": literal(symbols),
            "states": literal(states),
            "step": f"(w, g, s, p) => {{\n{body}  }}",
        },
        indent="  ",
    )


def _chosen(equation: Equation, wrong: str | None) -> Equation:
    """ページの式か、``id`` が ``wrong`` の間違い。"""
    if wrong is None:
        return equation
    for variant in variants(equation):
        if variant.id == wrong:
            return variant.equation
    raise EquationError(f"{equation.where}: {equation.label} から間違い {wrong} を作れません")


def _code(equation: Equation, expression: sympy.Basic, names: Mapping[str, str]) -> str:
    """``equation`` の記号でできた SymPy の式の JavaScript。``names``: 記号の名前 → JavaScript の名前。"""
    if expression.atoms(sympy.Sum, AppliedUndef):
        raise EquationError(f"{equation.where}: {equation.label} は和か関数を含み、JavaScript にできません")
    known = {symbol: names[of.name] for symbol, of in equation.notation.items() if of.name in names}
    return expression_code(equation, expression, known)


def _local_name(equation: Equation) -> str:
    """左辺の記号の、JavaScript の変数としての名前。"""
    name = equation.name
    if not (name.isascii() and name.isidentifier()):
        raise EquationError(f"{equation.where}: {name} は JavaScript の名前にできません")
    return f"{name}_" if name in _ARGUMENTS else name
