r"""LaTeX の式を記号や命令に切り分け、SymPy の構文解析器が確実に読める形にする。

SymPy の構文解析器は、知らない命令(``\hat`` など)を黙って別の意味に読む。そこで、読めるものだけを通し、
人と読み方の分かれる書き方を断り、記号はすべて ``X_{1}, X_{2}, …`` に替えてから渡す。
"""

import re

import sympy

from fumoto.printed.domains import Domains, indices_of
from fumoto.printed.errors import EquationError
from fumoto.printed.symbols import SYMBOL, PrintedSymbol, name_and_indices

Notation = dict[sympy.Symbol, PrintedSymbol]  # SymPy の記号 → 印刷された記号

_SIGN = r"\operatorname{sign}"
_STRUCTURE = rf"\\(?:frac|sqrt|sum|exp|log|sin|cos|tanh|max|min|cdot)(?![A-Za-z])|{re.escape(_SIGN)}"
_SPACING = r"\s+|\\[,;!]|\\(?:quad|left|right)(?![A-Za-z])"
_TOKEN = re.compile(
    rf"(?P<space>{_SPACING})|(?P<structure>{_STRUCTURE})|(?P<symbol>{SYMBOL})"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<other>[-+/=(){}\[\]^_,])"
)
_FUNCTIONS = {r"\exp", r"\log", r"\sin", r"\cos", r"\tanh", r"\max", r"\min", _SIGN}
_EXTREME_COMMANDS = {r"\max", r"\min"}
_BRACKETED = {*_EXTREME_COMMANDS, _SIGN}  # SymPy が、知らない関数として読むもの
_ENDS = {"+", "-", ")", "}", "]", "=", ""}


def with_placeholders(latex: str, domains: Domains, where: str) -> tuple[str, Notation]:
    """記号を ``X_{1}, X_{2}, …`` に置き換えた LaTeX と、その記号がもとは何だったか。

    読めない部分、宣言のない記号、読み方の分かれる書き方があれば、``where``(ページと行)を言う ``EquationError``。

    >>> from fumoto.printed.domains import read_domains
    >>> text, notation = with_placeholders(r"y = \\hat{x} + 1", read_domains(r"\\hat{x} in R", "page.md:3"), "page.md:3")
    >>> text, [symbol.name for symbol in notation.values()]
    ('X_{1} = X_{2} + 1', ['y', 'x_hat'])
    """
    indices = indices_of(domains).keys()
    numbers: dict[tuple[str, tuple[str, ...]], int] = {}
    printed: dict[tuple[str, tuple[str, ...]], str] = {}
    pieces: list[str] = []
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(latex):
        match = _TOKEN.match(latex, position)
        if match is None:
            raise EquationError(f"{where}: {latex[position:]!r} から先を読めません")
        position = match.end()
        if match["space"]:
            continue
        piece = match.group()
        tokens.append(("function" if match["function"] else str(match.lastgroup), piece))
        if match["symbol"]:
            try:
                key = name_and_indices(match, indices)
            except EquationError as error:
                raise EquationError(f"{where}: {error}") from None
            if pieces and key[0] not in domains:
                raise EquationError(f"{where}: 記号 {piece} が domain で宣言されていません")
            if len(set(key[1])) < len(key[1]):
                raise EquationError(f"{where}: 同じ添字が 2 度ついています: {piece}")
            is_function = match["function"] is not None
            number = numbers.setdefault(key, len(numbers) + 1)
            printed[key] = piece
            piece = f"X_{{{number}}}"
            if pieces and pieces[-1] == "^":
                piece = f"{{{piece}}}"
        elif piece == "(" and pieces and pieces[-1].startswith("X_") and not is_function:
            piece = r"\cdot ("  # y (1 - y) が関数の呼び出しと読まれないように
        elif piece == _SIGN:
            piece = r"\sign"
        pieces.append(piece)
    _refuse_ambiguity(tokens, where, latex)
    notation = {
        sympy.Symbol(f"X_{{{number}}}"): PrintedSymbol(*key, printed[key]) for key, number in numbers.items()
    }
    return " ".join(pieces), notation


def _refuse_ambiguity(tokens: list[tuple[str, str]], where: str, latex: str) -> None:
    """人と構文解析器で読み方が分かれる書き方を断る。``tokens``: (種類, 文字列) の並び。"""
    padded = [*tokens, ("other", ""), ("other", "")]
    for (kind, text), (next_kind, following), (_, after) in zip(padded, padded[1:], padded[2:], strict=False):
        reason = None
        if kind == next_kind == "number":
            reason = f"数 {text} と {following} の間に \\cdot が要ります"
        elif text == "^" and next_kind == "number" and len(following) > 1:
            reason = f"2 桁以上の指数 {following} は {{ }} で囲みます"
        elif text == "/" and (next_kind not in ("number", "symbol") or after not in _ENDS):
            reason = "/ の右は記号か数 1 つだけにします(それ以外は \\frac で書きます)"
        elif (text in _FUNCTIONS and following != "(" and (next_kind != "symbol" or after not in _ENDS)) or (
            (kind == "function" or text in _BRACKETED) and following != "("
        ):
            reason = f"{text} の引数は ( ) で囲みます"
        if reason:
            raise EquationError(f"{where}: {reason}: {latex}")
    extreme, brackets = False, []  # 開いている括弧ごとに、\max か \min の引数の括弧か
    for _, text in tokens:
        if text == "(":
            brackets.append(extreme)
        elif text == ")" and brackets:
            brackets.pop()
        elif text == "," and not (brackets and brackets[-1]):
            raise EquationError(f"{where}: , は \\max と \\min の引数の間にだけ書けます: {latex}")
        extreme = text in _EXTREME_COMMANDS
    if re.search(r"\^\s*(\{[^{}]*\}|\w|\\[A-Za-z]+)\s*\^", latex):
        raise EquationError(f"{where}: 指数が 2 つ続いています: {latex}")
