r"""SymPy の右辺を、NumPy で計算する。

添字の 1 つ 1 つに配列の軸を割り当てる(左辺の添字が先)。``x_{ij}`` は i と j の軸に置き、``\sum`` は軸に沿った和になる。
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, reduce
from typing import Any

import numpy as np
import sympy

from fumoto.hints import Array
from fumoto.printed.expressions import functions_in, limits_in
from fumoto.printed.symbols import PrintedSymbol
from fumoto.printed.tokens import Notation


class RightSide:
    """式 1 本の右辺を計算する関数。記号の名前 → 値(配列か Python の関数)の辞書を受け取る。

    ``label``: 誤りの中で言う式のラベル。``indices``: 添字として宣言された記号の名前。
    """

    def __init__(
        self, label: str, lhs: sympy.Symbol, rhs: sympy.Expr, notation: Notation, indices: Iterable[str]
    ):
        self._label, self._rhs, self._notation = label, rhs, notation
        kept = notation[lhs].indices
        order = [*kept, *(name for name in indices if name not in kept)]
        self._kept = len(kept)  # 左辺に残る軸の数
        self._axes = {name: axis for axis, name in enumerate(order)}  # 添字 → 軸の番号
        self._limits = limits_in(rhs)

    def __getstate__(self) -> dict[str, Any]:
        # SymPy の作った関数は pickle にできない。要るときに、また作る
        return {name: value for name, value in self.__dict__.items() if name != "_compiled"}

    def __call__(self, values: Mapping[str, Any]) -> Array:
        ranges = self._summed_ranges(values)
        placed, functions, compiled = self._compiled
        arguments = [self._value(symbol, values, ranges) for symbol in placed]
        result = np.asarray(compiled(*arguments, *(values[name] for name in functions)))
        summed = tuple(range(self._kept, len(self._axes)))
        return np.squeeze(result, axis=summed) if result.ndim >= len(self._axes) > self._kept else result

    @cached_property
    def _compiled(self) -> tuple[list["_Placed"], list[str], Callable[..., Any]]:
        """右辺の (軸に置く記号の並び, 関数の名前の並び, NumPy の関数)。組み立ては一度だけ。"""
        symbols = sorted(self._rhs.atoms(sympy.Symbol), key=str)
        expression, functions = self._rhs, []
        for symbol in sorted(functions_in(expression), key=str):
            functions.append(self._notation[symbol].name)
            expression = expression.replace(sympy.Function(symbol.name), sympy.Function(functions[-1]))
        expression = expression.replace(lambda part: isinstance(part, sympy.Sum), self._axis_sum)
        # 名前が識別子でないと、lambdify は記号を 1 つずつ置きかえて遅くなる。先にまとめて置きかえる
        named = {symbol: sympy.Symbol(f"symbol_{i}") for i, symbol in enumerate(symbols)}
        expression = expression.xreplace(named)
        arguments = [*named.values(), *map(sympy.Function, functions)]
        # SymPy の作る max は、形の違う配列を並べられない
        expression = expression.replace(sympy.Max, sympy.Function("_max")).replace(
            sympy.Min, sympy.Function("_min")
        )
        placed = [_Placed(self._notation[symbol], self._axes) for symbol in symbols]
        return placed, functions, sympy.lambdify(arguments, expression, [_OURS, "numpy"])

    def _axis_sum(self, total: sympy.Sum) -> sympy.Basic:
        """SymPy の Sum(何重でも)を、添字の軸に沿った和に置き換える。"""
        expression = total.function
        for index, low, high in total.limits:
            expression = _AxisSum(expression, self._axes[self._notation[index].name], low, high)
        return expression

    def _summed_ranges(self, values: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
        """足す添字 → 印刷された \\sum の範囲(``1..N`` など)の (はじめ, 終わり)。"""
        found = {}
        for index, *ends in self._limits:
            low, high = (self._end(end, values) for end in ends)
            if not (low.is_integer() and high.is_integer()):
                raise ValueError(f"{self._label} の \\sum の範囲が整数になりません({low} から {high})")
            found[self._notation[index].name] = int(low), int(high)
        return found

    def _end(self, end: sympy.Expr, values: Mapping[str, Any]) -> float:
        """\\sum の端の値。数か記号 1 つなら、SymPy を通さずに求める(ずっと速い)。"""
        if end.is_Integer:
            return float(end)
        if end.is_Symbol:
            return float(values[self._notation[end].name])
        numbers = {s: float(values[self._notation[s].name]) for s in end.free_symbols}
        return float(end.subs(numbers))

    def _value(
        self, symbol: "_Placed", values: Mapping[str, Any], ranges: dict[str, tuple[int, int]]
    ) -> Array:
        """右辺の記号の値を、全部の添字の軸の上に置いたもの。"""
        name, indices = symbol.name, symbol.indices
        if symbol.counts:
            low, high = ranges[name]
            return np.arange(low, high + 1)[symbol.place]
        array = values[name]
        if not indices:
            return array
        if array.ndim < len(indices):
            raise ValueError(
                f"{self._label} の {name} は添字 {indices} の軸を持つ配列でなければなりません"
                f"(渡された形: {array.shape})"
            )
        for axis, index in enumerate(indices):
            low, high = ranges.get(index, (1, array.shape[axis]))
            if array.shape[axis] != high - low + 1:
                raise ValueError(
                    f"{self._label} の {name} は添字 {index} について長さ {high - low + 1} でなければ"
                    f"なりません(渡された形: {array.shape})"
                )
        if symbol.order:
            array = array.transpose(*symbol.order, *range(len(indices), array.ndim))
        return array[symbol.place]


class _Placed:
    """右辺の記号 1 つと、その配列を全部の添字の軸の上に置く方法(ない軸の長さは 1)。"""

    def __init__(self, printed: PrintedSymbol, axes: dict[str, int]):
        self.name, self.indices = printed.name, printed.indices
        self.counts = self.name in axes and not self.indices  # 添字そのものを数として使う(ρ^k など)
        named = (self.name,) if self.counts else self.indices
        order = sorted(range(len(named)), key=lambda axis: axes[named[axis]])
        self.order = order if order != list(range(len(named))) else []  # 軸を入れ替える順(そのままなら空)
        self.place = tuple(slice(None) if name in named else None for name in axes)  # axes は、軸の番号の順


class _AxisSum(sympy.Function):
    """添字の軸に沿った和(SymPy の Sum を NumPy の和に置き換えるための印)。"""


def _axis_sum(array: Array, axis: int, low: int, high: int) -> Array:
    """``axis`` の軸に沿って足す。添字によらない項は、足す回数だけ掛ける。"""
    count = high - low + 1
    if np.ndim(array) <= axis or (array.shape[axis] == 1 and count != 1):
        return array * count
    return np.sum(array, axis=axis, keepdims=True)


_OURS = {
    "_AxisSum": _axis_sum,
    "_max": lambda *values: reduce(np.maximum, values),
    "_min": lambda *values: reduce(np.minimum, values),
}
