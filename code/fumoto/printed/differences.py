"""2 つの式の違うところを見つける: 印刷された式と、読者のコードが計算している式。"""

from typing import Any

import sympy

from fumoto.printed.equation import Equation
from fumoto.printed.expressions import in_usual_form, print_latex

NOTHING = "(なし)"


def difference(printed: Equation, yours: Equation) -> tuple[str, str]:
    """``printed`` にだけある部分と ``yours`` にだけある部分の LaTeX。どちらも ``Equation``。

    >>> from fumoto.printed import read
    >>> book = read()
    >>> difference(book["eq-momentum-w"], book["eq-notes-momentum-w"])
    ('v_{t+1}', '- v_{t+1}')
    """
    gone, new, _ = _parts(in_usual_form(printed.rhs), in_usual_form(yours.rhs))
    return _shown(printed, gone), _shown(yours, new)


def _shown(equation: Equation, parts: list[sympy.Basic]) -> str:
    return ", ".join(print_latex(part, equation.notation) for part in parts) or NOTHING


def marked(printed: Equation, yours: Equation) -> str:
    """``yours`` の式の LaTeX。``printed`` と違うところに下線を引いてある(抜けているだけなら、下線はない)。"""
    *_, right = _parts(in_usual_form(printed.rhs), in_usual_form(yours.rhs))
    left = yours.latex.split("=")[0]
    return f"{left}= {print_latex(right, yours.notation)}"


class _Marked(sympy.Function):
    """下線を引いて印刷される部分。"""

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        body = printer.doprint(self.args[0])
        if isinstance(self.args[0], sympy.Add):
            body = rf"\left({body}\right)"
        body = rf"\underline{{{body}}}"
        return body if exp is None else f"{{{body}}}^{{{exp}}}"


def _mark(part: sympy.Basic) -> sympy.Basic:
    sign, body = (-1, -part) if part.could_extract_minus_sign() else (1, part)
    return sign * _Marked(body)


def _parts(
    first: sympy.Basic, second: sympy.Basic
) -> tuple[list[sympy.Basic], list[sympy.Basic], sympy.Basic]:
    """2 つの木の、(first にだけある部分の並び, second にだけある部分の並び, そこに印をつけた second)。"""
    if first == second:
        return [], [], second
    whole = [first], [second], _mark(second)
    for operation in (sympy.Add, sympy.Mul):
        if operation in (first.func, second.func):
            before, after = operation.make_args(first), operation.make_args(second)
            gone = [part for part in before if part not in after]
            new = [part for part in after if part not in before]
            if len(gone) == len(before) or any(part.is_number for part in gone + new):
                return whole  # 共通の部分がないか、符号や係数だけが違う
            if len(gone) == len(new) == 1:
                gone, new, inside = _parts(gone[0], new[0])
                return gone, new, operation(*(part if part in before else inside for part in after))
            return gone, new, operation(*(part if part in before else _mark(part) for part in after))
    if isinstance(first, sympy.Sum) or isinstance(second, sympy.Sum):
        return whole  # 添字は、和の外からは印をつけられない
    if first.func == second.func and len(first.args) == len(second.args):
        places = [i for i, (a, b) in enumerate(zip(first.args, second.args, strict=True)) if a != b]
        if len(places) == 1 and not first.args[places[0]].is_number:
            (place,) = places
            gone, new, inside = _parts(first.args[place], second.args[place])
            return gone, new, second.func(*second.args[:place], inside, *second.args[place + 1 :])
    return whole
