"""右辺の JavaScript を、重複なく並べたもの: JavaScript → 番号。表は、番号で指す。"""

from fumoto.checking.in_browser.formulas import of_equation
from fumoto.printed import Equation

Rules = dict[str, int]


def place(rules: Rules, code: str) -> int:
    """``code`` の番号。はじめてなら、並びの終わりに足す。

    >>> rules = {}
    >>> place(rules, "k.w_t"), place(rules, "f.neg(k.w_t)"), place(rules, "k.w_t")
    (0, 1, 0)
    """
    return rules.setdefault(code, len(rules))


def row_of(rules: Rules, equation: Equation) -> dict[str, object]:
    """式 1 本の、右辺の番号と、読者に見せるもの。"""
    return {
        "name": equation.name,
        "rule": place(rules, of_equation(equation)),
        "symbols": equation.symbols,
        "latex": equation.latex,
        "page": equation.page,
    }


def array_of(rules: Rules) -> str:
    """JavaScript の配列。どれも、記号の値 ``k`` と演算 ``f`` の関数である。"""
    return "[\n" + "".join(f"  (k, f) => {code},\n" for code in rules) + "]"
