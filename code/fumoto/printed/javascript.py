"""ページの式を、読者のブラウザーで動く JavaScript として書き出す。

SymPy の JavaScript の書き方で書く。動かせる図(``playground``)と、層を通る値の分布(``histograms``)が使う。
"""

import json
from collections.abc import Mapping

import sympy
from sympy.printing.jscode import JavascriptCodePrinter

from fumoto.printed.equation import Equation
from fumoto.printed.errors import EquationError


class _Printer(JavascriptCodePrinter):
    """SymPy の JavaScript の書き方。記号だけは ``names``(SymPy の記号 → 名前)で書き、項はページの順に並べる。"""

    def __init__(self, names: Mapping[sympy.Symbol, str]):
        super().__init__({"human": False, "order": "none"})
        self.names = names

    def _print_Symbol(self, symbol: sympy.Symbol) -> str:
        return self.names[symbol]


def expression_code(equation: Equation, expression: sympy.Basic, names: Mapping[sympy.Symbol, str]) -> str:
    """``equation`` の記号でできた SymPy の式の JavaScript。``names``: SymPy の記号 → JavaScript。

    ``names`` にない記号か、JavaScript にできない部分があれば、ページと行を言う ``EquationError``。
    """
    where = f"{equation.where}: {equation.label}"
    if unknown := sorted(equation.notation[symbol].name for symbol in expression.free_symbols - names.keys()):
        raise EquationError(f"{where} の {unknown[0]} の値がどこでも決まりません")
    _, unsupported, code = _Printer(names).doprint(expression)
    if unsupported:
        raise EquationError(f"{where} の {min(map(str, unsupported))} は JavaScript にできません")
    return code


def literal(value: object) -> str:
    """Python の値を、HTML の ``<script>`` の中に置いても切れない JavaScript の値にする。

    >>> literal({"記号": "<"})
    '{"記号": "\\\\u003c"}'
    """
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def object_code(members: Mapping[str, str], indent: str = "") -> str:
    """名前 → コード を、JavaScript のオブジェクトにする。

    >>> print(object_code({"x": "1", "leaky-relu": "f(x)"}, indent="  "))
    {
      x: 1,
      "leaky-relu": f(x),
    }
    """
    keys = {name: name if name.isidentifier() else literal(name) for name in members}
    return "{\n" + "".join(f"{indent}{keys[name]}: {code},\n" for name, code in members.items()) + "}"
