r"""候補の右辺と、印刷された式の右辺を、配列について計算する JavaScript にする。

どちらも、記号の値 ``k`` と演算 ``f``(``book/_static/write/operations.js``)の関数になる。1 つ 1 つの演算は、NumPy と同じように配列を広げる。
"""

import ast
from functools import cache

import sympy

from fumoto.printed.equation import Equation
from fumoto.printed.expressions import without_sums

_OPERATORS = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.MatMult: "matmul"}
_FUNCTIONS = {sympy.Abs: "abs", sympy.sign: "sign", sympy.Max: "max", sympy.Min: "min"}


def _call(name: str, *arguments: str) -> str:
    return f"f.{name}({', '.join(arguments)})"


def _power(base: str, exponent: str) -> str:
    return {"2": _call("square", base), "1/2": _call("sqrt", base)}.get(exponent) or _call("pow", base, exponent)


@cache
def of_formula(formula: str) -> str:
    """候補の右辺の JavaScript。

    >>> of_formula("w_t - eta * g_t / (sqrt(h_next) + varepsilon)")
    'f.sub(k.w_t, f.div(f.mul(k.eta, k.g_t), f.add(f.sqrt(k.h_next), k.varepsilon)))'
    """
    return _of_python(ast.parse(formula, mode="eval").body)


def _of_python(part: ast.expr) -> str:
    if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Pow):
        return _power(_of_python(part.left), _of_python(part.right))
    if isinstance(part, ast.BinOp):
        return _call(_OPERATORS[type(part.op)], _of_python(part.left), _of_python(part.right))
    if isinstance(part, ast.UnaryOp):
        return _call("neg", _of_python(part.operand))
    if isinstance(part, ast.Call):
        assert isinstance(part.func, ast.Name)
        return _call(part.func.id, *map(_of_python, part.args))
    if isinstance(part, ast.Name):
        return f"k.{part.id}"
    if isinstance(part, ast.Attribute) and part.attr == "T":
        return _call("transposed", _of_python(part.value))
    assert isinstance(part, ast.Constant)
    return repr(part.value)


def of_equation(equation: Equation) -> str:
    r"""``equation`` の右辺の JavaScript。添字つきの記号は、添字の 1 つ 1 つに配列の軸を割り当てる。

    >>> from fumoto.printed import read
    >>> of_equation(read(labels=["eq-momentum-v"])["eq-momentum-v"])
    'f.sub(f.mul(k.alpha, k.v_t), f.mul(k.eta, k.g_t))'
    """
    return _Printer(equation).code()


class _Printer:
    """右辺を、木の上から順に書き出す。軸の割り当ては、``fumoto.printed.evaluation.RightSide`` と同じ。"""

    def __init__(self, equation: Equation):
        self._equation = equation
        kept = equation.notation[equation.lhs].indices
        order = [*kept, *(name for name in equation.indices if name not in kept)]
        self._kept, self._axes = len(kept), {name: axis for axis, name in enumerate(order)}

    def code(self) -> str:
        code = self._of(self._equation.rhs)
        return _call("squeezed", code, str(self._kept), str(len(self._axes))) if len(self._axes) > self._kept else code

    def _of(self, part: sympy.Basic) -> str:
        if isinstance(part, sympy.Symbol):
            return self._symbol(part)
        if isinstance(part, sympy.Number):
            return f"{part.p}/{part.q}" if isinstance(part, sympy.Rational) and part.q != 1 else str(part.p if part.is_Integer else float(part))
        if isinstance(part, sympy.Add):
            return self._sum(part)
        if isinstance(part, sympy.Mul):
            return self._product(part)
        if isinstance(part, sympy.Pow):
            if part.exp.could_extract_minus_sign():
                return _call("div", "1", self._of(sympy.Pow(part.base, -part.exp, evaluate=False) if part.exp != -1 else part.base))
            return _power(self._of(part.base), self._of(part.exp))
        if isinstance(part, sympy.Sum):
            code = self._of(part.function)
            for index, low, high in part.limits:
                axis = self._axes[self._equation.notation[index].name]
                code = _call("along", code, str(axis), self._of(low), self._of(high))
            return code
        return _call(_FUNCTIONS[part.func], *map(self._of, part.args))

    def _sum(self, part: sympy.Add) -> str:
        terms = sorted(part.args, key=lambda term: term.could_extract_minus_sign())
        code = self._of(terms[0])
        for term in terms[1:]:
            negative = term.could_extract_minus_sign()
            code = _call("sub" if negative else "add", code, self._of(-term if negative else term))
        return code

    def _product(self, part: sympy.Mul) -> str:
        above = [factor for factor in part.args if not self._is_below(factor)]
        below = [factor.base if factor.exp == -1 else factor.base**-factor.exp for factor in part.args if self._is_below(factor)]
        code = self._of(above[0]) if above else "1"
        if len(above) > 1 and above[0] == -1:
            code = _call("neg", self._of(above[1]))
            above = above[1:]
        for factor in above[1:]:
            code = _call("mul", code, self._of(factor))
        for factor in below:
            code = _call("div", code, self._of(factor))
        return code

    @staticmethod
    def _is_below(factor: sympy.Basic) -> bool:
        return isinstance(factor, sympy.Pow) and factor.exp.could_extract_minus_sign()

    def _symbol(self, symbol: sympy.Symbol) -> str:
        printed = self._equation.notation[symbol]
        counts = printed.name in self._axes and not printed.indices  # 添字そのものを数として使う
        assert not counts or symbol not in without_sums(self._equation.rhs).free_symbols
        name = f"k.{printed.name}"
        if not printed.indices:
            return name
        axes = [self._axes[index] for index in printed.indices]
        return _call("placed", name, str(axes), str(len(self._axes)))
