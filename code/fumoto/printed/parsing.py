"""LaTeX の式を、SymPy の式にする。

読めない部分のある式は、黙って読み飛ばさず、ページと行を言って誤りにする。
"""

from functools import cache

import sympy
from sympy.parsing.latex import parse_latex
from sympy.parsing.latex.errors import LaTeXParsingError

from fumoto.printed.domains import Domain, Domains, indices_of, read_domains
from fumoto.printed.equation import Equation
from fumoto.printed.errors import EquationError
from fumoto.printed.expressions import functions_in, limits_in, without_sums
from fumoto.printed.tokens import Notation, with_placeholders

_TEXT = "(文字列)"  # ページでなく、渡された文字列を読んだとき
_FUNCTIONS = {"max": sympy.Max, "min": sympy.Min, "sign": sympy.sign}  # SymPy が知らない関数として読むもの


def parse(
    latex: str, domain: str | Domains, *, label: str = "eq", page: str = _TEXT, line: int = 0
) -> Equation:
    r"""LaTeX の式を ``Equation`` にする。``domain`` は記号の宣言(``;`` で区切る。ほかの式の ``domain`` でもよい)。

    >>> parse(r"y = \frac{x}{1 + x^2}", "x in R").evaluate(x=[0.0, 1.0])
    array([0. , 0.5])
    >>> parse(r"y = \foo x", "x in R", page="page.md", line=3)
    Traceback (most recent call last):
    fumoto.printed.errors.EquationError: page.md:3: '\\foo x' から先を読めません
    """
    where = f"{page}:{line}"
    if isinstance(domain, str):
        domains = read_domains(domain, where)
    elif isinstance(domain, dict) and all(isinstance(value, Domain) for value in domain.values()):
        domains = dict(domain)
    else:
        raise EquationError(
            f"{where}: domain は宣言の文字列か、ほかの式の domain です(渡されたもの: {domain!r:.80})"
        )
    text, notation = with_placeholders(latex, domains, where)
    try:
        relation = _relation(text)
    except LaTeXParsingError as error:
        raise EquationError(f"{where}: 式を読めません: {latex}\n{error}") from None
    for name, function in _FUNCTIONS.items():
        relation = relation.replace(sympy.Function(name), function)
    squared = isinstance(relation, sympy.Eq) and relation.lhs in {symbol**2 for symbol in notation}
    if squared:  # 左辺が σ² のような式
        relation = sympy.Eq(relation.lhs.base, relation.rhs, evaluate=False)
    if not isinstance(relation, sympy.Eq) or relation.lhs not in notation:
        raise EquationError(f"{where}: 「記号 = 式」の形ではありません: {latex}")
    found = relation.atoms(sympy.Symbol) | functions_in(relation)
    if lost := notation.keys() - found:
        names = sorted(notation[symbol].name for symbol in lost)
        raise EquationError(f"{where}: 式の一部 {names} が読み落とされました: {latex}")
    if unknown := found - notation.keys():
        raise EquationError(f"{where}: 知らない記号 {sorted(map(str, unknown))}: {latex}")
    lhs, rhs = relation.lhs, relation.rhs
    _check_indices(lhs, rhs, notation, domains, where)
    return Equation(label, page, line, latex, domains, notation, lhs=lhs, rhs=rhs, squared=squared)


@cache
def _relation(text: str) -> sympy.Basic:
    """SymPy が読んだ式。読むのには時間がかかるので、同じ式は一度だけ読む。"""
    return parse_latex(text, strict=True)


def _check_indices(
    lhs: sympy.Symbol, rhs: sympy.Basic, notation: Notation, domains: Domains, where: str
) -> None:
    """足す添字が宣言されていて、範囲が 1 通りで、和の外に出ていないことを確かめる。"""
    declared = indices_of(domains)
    summed: dict[str, list[sympy.Expr]] = {}
    for index, *ends in limits_in(rhs):
        name = notation[index].name
        if name not in declared:
            raise EquationError(f"{where}: 足す添字 {name} は '{name} in 1..N' の形で宣言します")
        if any(notation[symbol].name in declared for end in ends for symbol in end.free_symbols):
            raise EquationError(f"{where}: \\sum の範囲がほかの添字によっています")
        if summed.setdefault(name, ends) != ends:
            raise EquationError(f"{where}: 添字 {name} の \\sum の範囲が 2 通りあります")
    left = set(notation[lhs].indices)
    for symbol in without_sums(rhs).free_symbols & notation.keys():
        if free := notation[symbol].indices_among(declared) - left:
            raise EquationError(f"{where}: 添字 {sorted(free)} が \\sum の外にあります")
    if both := summed.keys() & left:
        raise EquationError(f"{where}: 添字 {sorted(both)} が左辺と \\sum の両方にあります")
