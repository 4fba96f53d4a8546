"""式の書き間違い: ページの式から、人がよくする間違いを機械で作る(ミューテーション)。

間違いは SymPy の木の 1 か所を変えて作り、もとの式や互いと同じ値になるものは捨てる。
どの間違いをページの式と取り替えても、テストは失敗しなければならない(``tests/printed/test_variants.py``)。
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy

from fumoto.hints import Rng
from fumoto.printed.domains import Domain
from fumoto.printed.equation import Equation
from fumoto.printed.expressions import in_usual_form, print_latex, without_sums
from fumoto.printed.symbols import PrintedSymbol

Mistake = tuple[str, str, sympy.Expr]  # 種類の名前、種類、間違えた右辺

_HALF = sympy.Rational(1, 2)


@dataclass(frozen=True)
class Variant:
    """間違い 1 つ。``id``: いつも同じ名前。``kind``: 間違いの種類。``equation``: 間違えた式。"""

    id: str
    kind: str
    equation: Equation


def variants(equation: Equation) -> list[Variant]:
    r"""1 つの式から作れる間違いの並び。もとの式や互いと値の変わらないものは含まない。

    >>> from fumoto.printed import read
    >>> for variant in variants(read()["eq-momentum-w"]):
    ...     print(variant.id, variant.kind, variant.equation.latex)
    eq-momentum-w/sign-1 符号が逆 w_{t+1} = v_{t+1} - w_t
    eq-momentum-w/dropped-1 項が抜けている w_{t+1} = v_{t+1}
    eq-momentum-w/sign-2 符号が逆 w_{t+1} = w_t - v_{t+1}
    eq-momentum-w/dropped-2 項が抜けている w_{t+1} = w_t
    eq-momentum-w/product-1 和が積になっている w_{t+1} = w_t v_{t+1}
    eq-momentum-w/time-1 古い値を使っている w_{t+1} = w_t + v_t
    """
    right = in_usual_form(equation.rhs)
    found: list[Variant] = []
    counts: dict[str, int] = {}
    for slug, kind, wrong in [*_rewritten(right), *_exchanged(equation, right)]:
        if not _makes_sense(equation, wrong):
            continue
        other = _with_right_side(equation, wrong)
        if any(_same_values(other, known) for known in (equation, *(v.equation for v in found))):
            continue
        counts[slug] = counts.get(slug, 0) + 1
        found.append(Variant(f"{equation.label}/{slug}-{counts[slug]}", kind, other))
    return found


# --- 木の 1 か所を変える ----------------------------------------------------------------------------------


def _rewritten(expression: sympy.Basic, top: bool = True) -> Iterator[Mistake]:
    """木のどこか 1 か所を書き間違えた式を、(種類の名前, 種類, 式) で次々に返す。"""
    if top and not isinstance(expression, sympy.Add):
        yield "sign", "符号が逆", -expression
    for slug, kind, wrong in _mistakes_at(expression):
        yield slug, kind, wrong
    parts = expression.args[:1] if isinstance(expression, sympy.Sum) else expression.args
    for position, part in enumerate(parts):
        for slug, kind, wrong in _rewritten(part, top=False):
            arguments = list(expression.args)
            arguments[position] = wrong
            yield slug, kind, expression.func(*arguments)


def _mistakes_at(node: sympy.Basic) -> Iterator[Mistake]:
    """木のこの節だけを書き間違えたもの。"""
    if isinstance(node, sympy.Add):
        yield from _mistakes_in_sum(node)
    elif isinstance(node, sympy.Mul):
        yield from _mistakes_in_product(node)
    elif isinstance(node, sympy.Pow):
        yield from _mistakes_in_power(node)
    elif isinstance(node, sympy.exp | sympy.log | sympy.sign):
        yield "function", "関数が抜けている", node.args[0]
    elif isinstance(node, sympy.Max | sympy.Min):
        yield "extreme", "大小が逆", (sympy.Min if isinstance(node, sympy.Max) else sympy.Max)(*node.args)
        for argument in node.args:
            yield "dropped", "項が抜けている", node.func(*(other for other in node.args if other != argument))


def _mistakes_in_sum(node: sympy.Basic) -> Iterator[Mistake]:
    for term in node.args:
        rest = node - term
        yield "sign", "符号が逆", rest - term
        yield "dropped", "項が抜けている", rest
        if isinstance(term, sympy.Pow) and term.exp == _HALF and len(node.args) == 2:
            yield "inside", "根号の外の項が中にある", sympy.sqrt(term.base + rest)
    if len(node.args) == 2:
        yield "product", "和が積になっている", sympy.Mul(*node.args)


def _mistakes_in_product(node: sympy.Basic) -> Iterator[Mistake]:
    factors = [factor for factor in node.args if factor != -1]
    for factor in factors:
        others = [other for other in node.args if other != factor]
        yield "factor", "因子が抜けている", sympy.Mul(*others)  # β^(t+1) で割っても、SymPy は 1 に約さない
        if isinstance(factor, sympy.Pow) and factor.exp == -1 and isinstance(factor.base, sympy.Add):
            for term in factor.base.args:  # 分母に足す ε を、割り算の外で足してしまう
                divided = node / factor / (factor.base - term)
                yield "outside", "分母の項が割り算の外にある", divided + term
                yield "outside", "分母の項が割り算の外にある", divided - term
    roots = [factor for factor in factors if isinstance(factor, sympy.Pow) and abs(factor.exp) == _HALF]
    if len(roots) > 1:  # √(2/n) は、SymPy の中では √2 √(1/n) である
        rest = node / sympy.Mul(*roots)
        yield "root", "平方根が抜けている", rest * sympy.Mul(*(root**2 for root in roots))
    if node.could_extract_minus_sign():
        yield "sign", "符号が逆", -node
    symbols = [factor for factor in factors if factor.is_Symbol]
    if len(symbols) == 2:
        rest = node / sympy.Mul(*symbols)
        yield "difference", "積が差になっている", rest * (symbols[0] - symbols[1])
        yield "sum", "積が和になっている", rest * (symbols[0] + symbols[1])


def _mistakes_in_power(node: sympy.Basic) -> Iterator[Mistake]:
    base, exponent = node.args
    if exponent == 2:
        yield "square", "2 乗が抜けている", base
    elif abs(exponent) == _HALF:
        yield "root", "平方根が抜けている", base ** (2 * exponent)
        if isinstance(base, sympy.Add) and len(base.args) == 2:
            for term in base.args:
                yield "outside", "根号の中の項が外にある", (sympy.sqrt(base - term) + term) ** (2 * exponent)
    elif not exponent.is_number:
        yield "power", "べきが抜けている", base
    if exponent.is_number and exponent < 0:
        yield "inverse", "割り算が掛け算になっている", 1 / node


# --- 記号を取り違える -------------------------------------------------------------------------------------


def _exchanged(equation: Equation, right: sympy.Basic) -> Iterator[Mistake]:
    """古い状態と新しい状態、2 つの定数、回数を取り違えた式。"""
    names = {equation.notation[symbol].name: symbol for symbol in sorted(right.free_symbols, key=str)}
    for name, symbol in names.items():
        printed = equation.notation[symbol].latex
        if printed.startswith(r"\hat{") and name.endswith("_next"):
            plain = printed.replace(r"\hat{", "", 1).replace("}", "", 1)
            yield "hat", "補正していない値を使っている", right.xreplace({symbol: _symbol(equation, plain)})
        elif name.endswith("_next"):
            old = _symbol(equation, printed.replace("_{t+1}", "_t"))
            yield "time", "古い値を使っている", right.xreplace({symbol: old})
        elif name.endswith("_t") and name not in ("w_t", "g_t", "theta_t"):
            new = _symbol(equation, printed.replace("_t", "_{t+1}"))
            if new != equation.lhs:
                yield "time", "上書きした新しい値を使っている", right.xreplace({symbol: new})
        if name == "t":
            yield "count", "回数が 1 つ違う", right.subs(symbol, symbol + 1)
        elif name in equation.domain and equation.domain[name].integer:
            yield "count", "個数が 1 つ違う", right.xreplace({1 / symbol: 1 / (symbol - 1)})
    constants = sorted(name for name in names if _is_constant(equation, name))
    for number, first in enumerate(constants):
        for second in constants[number + 1 :]:
            a, b = names[first], names[second]
            yield "swapped", "記号の取り違え", right.xreplace({a: b, b: a})


def _is_constant(equation: Equation, name: str) -> bool:
    domain = equation.domain.get(name)
    return domain is not None and not domain.integer and not name.endswith(("_t", "_next"))


def _symbol(equation: Equation, printed: str) -> sympy.Symbol:
    """``printed`` と印刷される SymPy の記号(式になければ新しく作る)。"""
    for symbol, known in equation.notation.items():
        if known.latex == printed:
            return symbol
    return sympy.Symbol(printed)


# --- 間違えた式を Equation にする -------------------------------------------------------------------------


def _makes_sense(equation: Equation, right: sympy.Basic) -> bool:
    """計算できて、添字が左辺とつじつまの合う式か。"""
    if right.has(sympy.zoo, sympy.oo, sympy.nan) or equation.lhs in right.free_symbols:
        return False
    allowed = set(equation.notation[equation.lhs].indices)
    used = without_sums(right).free_symbols & equation.notation.keys()
    return all(equation.notation[symbol].indices_among(equation.indices) <= allowed for symbol in used)


def _with_right_side(equation: Equation, right: sympy.Basic) -> Equation:
    notation, domain = dict(equation.notation), dict(equation.domain)
    for symbol in right.free_symbols:
        if symbol not in notation:  # 取り違えて現れた記号
            name = symbol.name.lstrip("\\").replace("_{t+1}", "_next")
            notation[symbol] = PrintedSymbol(name, (), symbol.name)
        domain.setdefault(notation[symbol].name, Domain("R"))
    left = notation[equation.lhs].latex + ("^2" if equation.squared else "")
    latex = f"{left} = {print_latex(right, notation)}"
    return replace(equation, rhs=right, domain=domain, notation=notation, latex=latex)


def _same_values(first: Equation, second: Equation) -> bool:
    """無作為に選んだ値で、2 つの式がいつも同じ値になるか。"""
    rng = np.random.default_rng(0)
    for _ in range(4):
        values = {**_sample(second, rng), **_sample(first, rng)}
        with np.errstate(all="ignore"):
            a, b = (e.evaluate(**{s: values[s] for s in e.symbols}) for e in (first, second))
        if a.shape != b.shape or not np.allclose(a, b, rtol=1e-9, atol=0, equal_nan=True):
            return False
    return True


def _sample(equation: Equation, rng: Rng) -> dict[str, Any]:
    """式の記号すべての値。添字は 3 つずつ。"""
    lengths = {str(d.high)[0] for d in equation.domain.values() if d.is_index}
    dimensions = {symbol.name: len(symbol.indices) for symbol in equation.notation.values()}
    values: dict[str, Any] = {}
    for name in equation.symbols:
        if name in lengths:
            values[name] = 3
            continue
        domain = equation.domain[name]
        if domain.text == "function":
            values[name] = lambda position: position**3 + 1
        else:
            values[name] = domain.sample(rng, () if domain.integer else (3,) * dimensions[name])
    return values
