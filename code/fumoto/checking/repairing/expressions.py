"""式の直し方: 演算、かっこの位置、余分なもの、数、足りない 2 乗や平方根や符号。"""

import ast
from collections.abc import Iterator
from io import StringIO
from tokenize import generate_tokens
from typing import Any

from fumoto.checking.repairing.edits import Edit
from fumoto.checking.repairing.places import Scope, Spot, binary, constant, is_number, is_stored, is_term

_LIKE = {  # 取り違える関数
    "sqrt": ("square", "abs"),
    "square": ("sqrt",),
    "maximum": ("minimum", "add"),
    "minimum": ("maximum",),
    "zeros_like": ("ones_like",),
    "ones_like": ("zeros_like",),
    "zeros": ("ones",),
    "ones": ("zeros",),
    "max": ("min",),
    "min": ("max",),
    "dot": ("multiply",),
    "matmul": ("multiply",),
    "exp": ("sqrt",),
    "log": ("sqrt",),
}
_OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Pow, ast.Add),
    ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.FloorDiv: (ast.Div,),
    ast.Mod: (ast.Div,),
    ast.BitXor: (ast.Pow,),
}
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
LONGEST = 120  # これより長い式では、かっこの位置を試さない(文字)


def copies(place: Spot, scope: Scope) -> Iterator[Edit]:
    """写し忘れ。"""
    called_or_named = is_term(place.node) or isinstance(place.node, ast.Call)
    if scope.kind(place.node) == "other":  # 辞書やリスト
        return
    if called_or_named and not is_stored(place) and place.field in ("value", "args", "values", "elts"):
        copied = ast.Call(ast.Attribute(place.node, "copy", ast.Load()), [], [])
        yield from place.edit("copy", "写していません(同じ配列を指します)", copied)


def operators(place: Spot, scope: Scope) -> Iterator[Edit]:
    """演算や比べ方の取り違え。"""
    node = place.node
    if isinstance(node, ast.BinOp):
        weighted = isinstance(node.op, ast.Add) and _is_product(node.left) and _is_product(node.right)  # 重みつきの和の + を、× とは書き間違えない
        for op in _OPERATORS.get(type(node.op), ()) if not weighted else (ast.Sub,):
            yield from place.edit("operator", "演算が違います", binary(node.left, op(), node.right))
        if isinstance(node.op, ast.Sub | ast.Div | ast.Pow):
            yield from place.edit("order", "左右が逆です", binary(node.right, node.op, node.left))
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in _COMPARISONS.get(type(node.ops[0]), ()):
            compared = ast.Compare(node.left, [other()], node.comparators)
            yield from place.edit("comparison", "条件が違います", compared)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "reshape":
            turned = ast.Attribute(node.func.value, "T", ast.Load())
            yield from place.edit("function", "転置でなく、並べ直しています", turned)
        for name in _LIKE.get(node.func.attr, ()):
            other_function = ast.Attribute(node.func.value, name, ast.Load())
            new = ast.Call(other_function, node.args, node.keywords)
            yield from place.edit("function", "関数が違います", new)


def _is_product(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)


def groups(place: Spot, scope: Scope) -> Iterator[Edit]:
    """かっこの位置: 1 組足すか、除くか、関数のかっこの内と外を替える。"""
    node = place.node
    if place.field in ("value", "test") and isinstance(place.parent, ast.stmt):
        for new in _bracketed(node):
            yield from place.edit("grouping", "かっこの位置が違います", new)
    if isinstance(node, ast.BinOp):  # f(a) • b → f(a • b)
        for call, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(call, ast.Call) and len(call.args) == 1:
                pair = (call.args[0], other) if call is node.left else (other, call.args[0])
                whole = ast.Call(call.func, [binary(pair[0], node.op, pair[1])], call.keywords)
                yield from place.edit("grouping", "かっこの位置が違います", whole)
    if isinstance(node, ast.Call) and len(node.args) == 1 and isinstance(node.args[0], ast.BinOp):
        inner = node.args[0]  # f(a • b) → f(a) • b
        for part in ("left", "right"):
            sides = {side: getattr(inner, side) for side in ("left", "right")}
            sides[part] = ast.Call(node.func, [sides[part]], node.keywords)
            yield from place.edit(
                "grouping", "かっこの位置が違います", binary(sides["left"], inner.op, sides["right"])
            )


def _bracketed(node: ast.expr) -> Iterator[ast.expr]:
    """かっこを 1 組足した式と、1 組除いた式。"""
    text = ast.unparse(node)
    if "\n" in text or len(text) > LONGEST:
        return
    tokens = [t.string for t in generate_tokens(StringIO(text).readline) if t.string.strip()]
    seen = {ast.dump(node)}
    texts = [
        [*tokens[:i], "(", *tokens[i:j], ")", *tokens[j:]]
        for i in range(len(tokens))
        for j in range(i + 3, len(tokens) + 1)
    ]
    for i in (
        i for i, token in enumerate(tokens) if token == "(" and not (i and tokens[i - 1].isidentifier())
    ):
        depth = 0
        for j in range(i, len(tokens)):
            depth += {"(": 1, ")": -1}.get(tokens[j], 0)
            if depth == 0:
                texts.append([*tokens[:i], *tokens[i + 1 : j], *tokens[j + 1 :]])
                break
    for each in texts:
        try:
            new = ast.parse(" ".join(each), mode="eval").body
        except SyntaxError:
            continue
        if (shape := ast.dump(new)) not in seen:
            seen.add(shape)
            for inner in ast.walk(new):  # 行は、もとの式のものにする
                ast.copy_location(inner, node)
            yield new


def dropped(place: Spot, scope: Scope) -> Iterator[Edit]:
    """余分なもの。"""
    node = place.node
    what = "余分なものがあります"
    if isinstance(node, ast.BinOp):
        for side in (node.left, node.right):
            yield from place.edit("superfluous", what, side)
    if isinstance(node, ast.UnaryOp):
        yield from place.edit("superfluous", what, node.operand)
    if isinstance(node, ast.IfExp):
        for branch in (node.body, node.orelse):
            yield from place.edit("superfluous", what, branch)
    if isinstance(node, ast.Call):
        if node.args:
            yield from place.edit("superfluous", what, node.args[0])
        if isinstance(node.func, ast.Attribute) and not isinstance(node.func.value, ast.Name | ast.Attribute):
            yield from place.edit("superfluous", what, node.func.value)
        if len(node.args) == 2:
            product = binary(node.args[0], ast.Mult(), node.args[1])
            yield from place.edit("function", "要素ごとの積です", product)
        for i in range(len(node.keywords)):
            fewer = ast.Call(node.func, node.args, node.keywords[:i] + node.keywords[i + 1 :])
            yield from place.edit("superfluous", what, fewer)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and is_term(node.func.value):
        yield from place.edit("superfluous", what, node.func.value)
    if isinstance(node, ast.Subscript) and not is_stored(place):
        yield from place.edit("superfluous", what, node.value)


def numbers(place: Spot, scope: Scope) -> Iterator[Edit]:
    """数の間違い。"""
    node = place.node
    if not is_number(node):
        return
    value: Any = node.value  # type: ignore[attr-defined]
    for other in dict.fromkeys(
        (0, 1, 2, value + 1, value - 1, 0.5, -value, 1 - value, 10 * value, value / 10)
    ):
        if other != value:
            yield from place.edit("number", "数が違います", constant(other))
    for term in scope.of_kind("number"):
        yield from place.edit("number", "数が書き込まれています", term)


def wrapped(place: Spot, scope: Scope) -> Iterator[Edit]:
    """2 乗や平方根や符号の書き忘れ。"""
    node = place.node
    if (
        is_stored(place)
        or isinstance(place.parent, ast.Attribute)
        or isinstance(node, ast.Constant | ast.Compare | ast.Tuple | ast.Dict | ast.List)
    ):
        return
    if isinstance(place.parent, ast.Subscript) or place.field in ("func", "iter", "test", "keys"):
        return
    yield from place.edit("square", "2 乗がありません", binary(node, ast.Pow(), constant(2)))
    yield from place.edit("root", "平方根がありません", binary(node, ast.Pow(), constant(0.5)))
    yield from place.edit("one-minus", "1 から引くのを忘れています", binary(constant(1), ast.Sub(), node))
    yield from place.edit("sign", "符号が逆です", ast.UnaryOp(ast.USub(), node))
    yield from place.edit("inverse", "逆数です", binary(constant(1.0), ast.Div(), node))
    if (
        isinstance(place.parent, ast.BinOp)
        and isinstance(place.parent.op, ast.Sub)
        and place.field == "right"
    ):
        for term in scope.of_kind("number"):
            yield from place.edit("power", "累乗がありません", binary(node, ast.Pow(), term))


KINDS = (copies, operators, dropped, groups, numbers, wrapped)
