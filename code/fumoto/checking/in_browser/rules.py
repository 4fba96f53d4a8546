"""右辺の JavaScript を、重複なく並べたもの。"""

from fumoto.checking.in_browser.formulas import of_equation
from fumoto.printed import Equation


class Rules:
    """右辺の JavaScript の並び。表は、番号で指す。"""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, code: str) -> int:
        """``code`` の番号。はじめてなら、並びの終わりに足す。"""
        return self._places.setdefault(code, len(self._places))

    def equation(self, equation: Equation) -> dict[str, object]:
        """式 1 本の、右辺の番号と、読者に見せるもの。"""
        return {
            "name": equation.name,
            "rule": self.place(of_equation(equation)),
            "symbols": equation.symbols,
            "latex": equation.latex,
            "page": equation.page,
        }

    def code(self) -> str:
        """JavaScript の配列。どれも、記号の値 ``k`` と演算 ``f`` の関数である。"""
        return "[\n" + "".join(f"  (k, f) => {code},\n" for code in self._places) + "]"
