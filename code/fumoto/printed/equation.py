"""印刷された式 1 本: どのページのどの式か、どの記号でできているか、どんな値になるか。"""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import numpy as np
import sympy

from fumoto.hints import Array
from fumoto.printed.domains import Domains, indices_of
from fumoto.printed.evaluation import RightSide
from fumoto.printed.expressions import functions_in
from fumoto.printed.tokens import Notation


@dataclass(frozen=True)
class Equation:
    r"""ページに印刷された、ラベルのついた式 1 つ。

    ``symbols``: 右辺の記号の名前。``evaluate`` に渡す。``name``: 左辺の記号の名前。
    ``checked_by``: 式を数値で読めないときに、代わりに確かめているテストの名前。
    ``row``: 検証表に載せること(``% row:`` の行)。
    ``squared``: 左辺が記号の 2 乗か(``\sigma_B^2`` など。そのとき ``name`` は ``sigma_B_squared``)。
    ``notation``: 式の中の SymPy の記号 → 印刷された記号。
    """

    label: str
    page: str
    line: int
    latex: str
    domain: Domains = field(repr=False)
    notation: Notation = field(repr=False)
    checked_by: str | None = None
    lhs: sympy.Expr = field(default=None, repr=False)  # 左辺と右辺。数値で読めない式では None
    rhs: sympy.Expr = field(default=None, repr=False)
    squared: bool = False
    row: str | None = field(default=None, repr=False)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Equation":
        return self  # 書き換えないので、写しは要らない

    @property
    def where(self) -> str:
        """誤りの中で言う、ページと行(``03-momentum.md:40``)。"""
        return f"{self.page}:{self.line}"

    @cached_property
    def name(self) -> str:
        return self.notation[self.lhs].name + ("_squared" if self.squared else "")

    @cached_property
    def symbols(self) -> list[str]:
        used = (self.rhs.free_symbols | functions_in(self.rhs)) & self.notation.keys()
        return sorted({self.notation[symbol].name for symbol in used} - self.indices.keys())

    @cached_property
    def indices(self) -> Domains:
        """添字として宣言された記号(``i in 1..N``)。"""
        return indices_of(self.domain)

    def _repr_latex_(self) -> str:
        return f"$${self.latex}$$"

    def evaluate(self, **values: Any) -> Array:
        r"""右辺を計算する。添字つきの記号には、添字の順の軸を持つ配列を渡す。

        値の足りない記号・余分な名前は ``TypeError``。配列は NumPy と同じ規則で広がる。

        >>> from fumoto.printed import parse
        >>> equation = parse(r"E = \frac{1}{N} \sum_{i=1}^{N} x_i^2",
        ...                  "i in 1..N; N in 1..9; x_i in R")
        >>> float(equation.evaluate(x=np.array([1.0, 2.0, 3.0]), N=3))
        4.666666666666667
        """
        if self.rhs is None:
            raise TypeError(f"{self.label} は数値で計算できません({self.checked_by} が確かめます)")
        if set(values) != set(self.symbols):
            raise TypeError(f"{self.label} に渡す記号は {self.symbols} です(渡された記号: {sorted(values)})")
        return self.compute(
            {name: value if callable(value) else np.asarray(value) for name, value in values.items()}
        )

    def compute(self, values: Mapping[str, Any]) -> Array:
        """``evaluate`` と同じ。名前と型を検査しないので速い。値はそろっていて、配列か NumPy の数とする。"""
        return self._right_side(values)

    @cached_property
    def _right_side(self) -> RightSide:
        """右辺を計算する NumPy の関数。組み立ては一度だけ。"""
        return RightSide(self.label, self.lhs, self.rhs, self.notation, self.indices)


Equations = Mapping[str, Equation]  # ラベル → 式


def replaced(equations: Equations, *others: Equation) -> Equations:
    """``equations`` の、``others`` と同じラベルの式を、``others`` のものに替えた組。"""
    own = cast(dict[str, Equation], equations)  # 読むだけなので、書き込めない組でもよい
    return ChainMap({other.label: other for other in others}, own)
