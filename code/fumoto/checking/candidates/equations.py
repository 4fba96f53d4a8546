"""式 1 本の書き間違い: 機械で作ったもの、``often`` の表のもの、候補の右辺を読んだもの。作るのは一度だけ。"""

import re
from dataclasses import replace
from functools import cache

import sympy

from fumoto.checking.candidates.often import OFTEN
from fumoto.printed import Equation, Variant, parse, variants
from fumoto.printed.domains import Domain
from fumoto.printed.expressions import print_latex
from fumoto.printed.pages import book
from fumoto.printed.symbols import PrintedSymbol


@cache
def mistakes_in(label: str) -> list[Variant]:
    """``label`` の式の書き間違い。"""
    often = [
        Variant(f"{label}/{slug}", kind, like(label, latex)) for slug, kind, latex in OFTEN.get(label, ())
    ]
    return [*variants(book()[label]), *often]


@cache
def like(label: str, latex: str) -> Equation:
    """``label`` の式と同じ記号の宣言で ``latex`` を読む。"""
    printed = book()[label]
    return parse(latex, printed.domain, label=label, page=printed.page, line=printed.line)


_GREEK = ("alpha", "beta", "eta", "rho", "varepsilon", "lambda")
_KNOWN = {
    "sqrt": sympy.sqrt,
    "sign": sympy.sign,
    "abs": sympy.Abs,
    "max": sympy.Max,
    "min": sympy.Min,
}
_WHOLE = ("total(", "mean(", "norm(", "largest(", "orthogonal(", "wide(", "turned(", "mean0(", "mean1(", "@")  # 配列全体の計算。ページの記号では書けない


def written(printed: Equation, formula: str) -> Equation | None:
    r"""候補の右辺 ``formula`` を、``printed`` の左辺を持つ式にする。ページの記号で書けなければ None。

    >>> written(book()["eq-momentum-w"], "v_next").latex
    'w_{t+1} = v_{t+1}'
    """
    if any(name in formula for name in _WHOLE):
        return None
    own = printed.notation[printed.lhs].indices
    by_fit = sorted(printed.notation.items(), key=lambda item: item[1].indices == own)
    known = {symbol.name: at for at, symbol in by_fit}  # 添字がいくつかあれば、左辺と同じもの
    notation, domain, symbols = dict(printed.notation), dict(printed.domain), {}
    for word in sorted(set(re.findall(r"[A-Za-z_]\w*", formula)) - _KNOWN.keys()):
        name = "lambda" if word == "lam" else word
        symbols[word] = known.get(name) or sympy.Symbol(_latex(name))
        notation.setdefault(symbols[word], PrintedSymbol(name, (), _latex(name)))
        domain.setdefault(name, Domain("R"))
        if notation[symbols[word]].indices not in ((), own):
            return None  # 行列の積でない積は、ページの添字では書けない
    right = sympy.sympify(formula, locals={**_KNOWN, **symbols})
    left = notation[printed.lhs].latex
    latex = f"{left} = {print_latex(right, notation)}"
    return replace(printed, rhs=right, domain=domain, notation=notation, latex=latex)


def _latex(name: str) -> str:
    r"""記号の名前の、ページでの書き方。``m_hat_next`` → ``\hat{m}_{t+1}``。"""
    letter, *rest = name.split("_")
    text = "\\" + letter if letter in _GREEK else letter
    if rest[:1] == ["hat"]:
        text, rest = rf"\hat{{{text}}}", rest[1:]
    return text + "".join({"next": "_{t+1}"}.get(part, f"_{part}") for part in rest)
