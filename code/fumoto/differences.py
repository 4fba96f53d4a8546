"""2 つの式の違うところを見つける: 印刷された式と、読者のコードが計算している式。"""

import sympy

from fumoto.variants import in_usual_form, print_right_side

_NOTHING = "(なし)"


def difference(printed, yours):
    """``printed`` にだけある部分と ``yours`` にだけある部分の LaTeX。どちらも ``Equation``。

    >>> from fumoto.equations import read
    >>> book = read()
    >>> difference(book["eq-momentum-w"], book["eq-notes-momentum-w"])
    ('v_{t+1}', '- v_{t+1}')
    """
    gone, new = _parts(in_usual_form(printed.rhs), in_usual_form(yours.rhs))
    shown = []
    for equation, parts in ((printed, gone), (yours, new)):
        shown.append(", ".join(print_right_side(equation, part) for part in parts) or _NOTHING)
    return tuple(shown)


def marked(printed, yours):
    """``yours`` の式の LaTeX。``printed`` と違うところに下線を引いてある。"""
    right = in_usual_form(yours.rhs)
    for part in _parts(in_usual_form(printed.rhs), right)[1]:
        sign, body = (-1, -part) if part.could_extract_minus_sign() else (1, part)
        right = right.xreplace({part: sign * _Marked(body)})
    left = yours.latex.split("=")[0]
    return f"{left}= {print_right_side(yours, right)}"


class _Marked(sympy.Function):
    """下線を引いて印刷される部分。"""

    def _latex(self, printer, exp=None):
        body = printer.doprint(self.args[0])
        if isinstance(self.args[0], sympy.Add):
            body = rf"\left({body}\right)"
        body = rf"\underline{{{body}}}"
        return body if exp is None else f"{{{body}}}^{{{exp}}}"


def _parts(first, second):
    """2 つの木の、(first にだけある部分, second にだけある部分) の並び。"""
    if first == second:
        return [], []
    for operation in (sympy.Add, sympy.Mul):
        if operation in (first.func, second.func):
            before, after = operation.make_args(first), operation.make_args(second)
            gone = [part for part in before if part not in after]
            new = [part for part in after if part not in before]
            if len(gone) == len(before) or any(part.is_number for part in gone + new):
                return [first], [second]  # 共通の部分がないか、符号や係数だけが違う
            return _parts(gone[0], new[0]) if len(gone) == len(new) == 1 else (gone, new)
    if isinstance(first, sympy.Sum) or isinstance(second, sympy.Sum):
        return [first], [second]  # 添字は、和の外からは印をつけられない
    if first.func == second.func and len(first.args) == len(second.args):
        pairs = [(a, b) for a, b in zip(first.args, second.args, strict=True) if a != b]
        if len(pairs) == 1 and not pairs[0][0].is_number:
            return _parts(*pairs[0])
    return [first], [second]
