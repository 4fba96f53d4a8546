"""SymPy の式を扱う小さな道具: 組み直す、中の関数や和を探す、本と同じ記号で印刷する。"""

from collections.abc import Mapping

import sympy
from sympy.core.function import AppliedUndef

from fumoto.printed.symbols import PrintedSymbol


def in_usual_form(expression: sympy.Basic) -> sympy.Basic:
    """構文解析器が残した形(1·x など)を、SymPy のふつうの形に組み直す。"""
    if not expression.args or isinstance(expression, sympy.Sum):
        return expression
    return expression.func(*map(in_usual_form, expression.args))


def functions_in(expression: sympy.Basic) -> set[sympy.Symbol]:
    """式の中で関数として使われている記号(``\\nabla E`` など)。"""
    return {sympy.Symbol(call.func.__name__) for call in expression.atoms(AppliedUndef)}


def limits_in(expression: sympy.Basic) -> list[sympy.Tuple]:
    """式の中のすべての \\sum の (添字, 下端, 上端)。"""
    return [limit for total in expression.atoms(sympy.Sum) for limit in total.limits]


def without_sums(expression: sympy.Basic) -> sympy.Basic:
    """\\sum を、どれも何でもない記号に置き換えた式。残るのは、和の外の記号である。"""
    return expression.replace(lambda part: isinstance(part, sympy.Sum), lambda part: sympy.Dummy())


def print_latex(expression: sympy.Basic, notation: Mapping[sympy.Symbol, PrintedSymbol]) -> str:
    """SymPy の式を、本と同じ記号の LaTeX にする。"""
    printed = {symbol: known.latex for symbol, known in notation.items()}
    body = sympy.latex(expression, symbol_names=printed, order="none")
    for symbol, latex in printed.items():  # 関数の名前は symbol_names では替わらない
        body = body.replace(symbol.name, latex)
    return body
