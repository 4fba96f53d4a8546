r"""印刷された記号と、Python から使うときの名前。

``\eta`` → ``eta``、``w_t`` → ``w_t``、``w_{t+1}`` → ``w_next``、``\hat{m}_{t+1}`` → ``m_hat_next``、
``\beta_1`` → ``beta_1``、添字つきの ``x_i`` → ``x``、``\nabla E`` → ``grad_E``、``\mathbb{E}[g]`` → ``mean_g``、
``\mathbb{E}[g^2]`` → ``mean_g_squared`` である。
"""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from fumoto.printed.errors import EquationError

_GREEK = "alpha beta gamma delta epsilon varepsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
_ATOM = rf"[A-Za-z]|\\(?:{'|'.join(_GREEK.split())})(?![A-Za-z])"
_SUBSCRIPTED = (
    rf"(?:\\(?P<accent>hat|bar|tilde)\s*\{{\s*(?P<accented>{_ATOM})\s*\}}|(?P<plain>{_ATOM}))"
    r"(?:_(?:\{(?P<long>[^{}]*)\}|(?P<short>[A-Za-z0-9])))?"
)
#: 記号 1 つの正規表現。見つけたものは ``name_and_indices`` に渡す。
SYMBOL = (
    r"\\nabla\s*(?P<function>[A-Z])"
    r"|\\mathbb\{E\}\s*\[(?P<expected>[^\[\]]+)\]"
    rf"|{_SUBSCRIPTED}"
)


@dataclass(frozen=True)
class PrintedSymbol:
    r"""印刷された記号。``name``: 名前(``w_next``)。``indices``: 添字の並び。``latex``: ページの書き方(``w_{t+1}``)。"""

    name: str
    indices: tuple[str, ...]
    latex: str

    def indices_among(self, declared: Container[str]) -> set[str]:
        """この記号が使う添字。添字そのもの(ρ^k の k)なら、自分も入る。``declared``: 添字として宣言された文字。"""
        return {*self.indices, self.name} if self.name in declared else set(self.indices)


def name_and_indices(
    match: Mapping[str, Any] | re.Match[str], indices: Container[str]
) -> tuple[str, tuple[str, ...]]:
    r"""``SYMBOL`` で見つけた記号の、名前と添字の並び。``indices``: 添字として宣言された文字。

    >>> name_and_indices(re.fullmatch(SYMBOL, r"\hat{x}_i"), {"i"})
    ('x_hat', ('i',))
    """
    if match["function"]:
        return f"grad_{match['function']}", ()
    if match["expected"]:
        return _mean_name(match["expected"]), ()
    name = (match["accented"] or match["plain"]).lstrip("\\")
    if match["accent"]:
        name += "_" + match["accent"]
    subscript = (match["long"] or match["short"] or "").replace(" ", "")
    if not subscript:
        return name, ()
    if all(letter in indices for letter in subscript):
        return name, tuple(subscript)
    suffix = subscript.replace("t+1", "next").replace("+", "_plus_").replace("-", "_minus_")
    return f"{name}_{suffix}".replace("\\", ""), ()


def _mean_name(inside: str) -> str:
    """``\\mathbb{E}[…]`` の中身 → 名前。``m_t`` → ``mean_m_t``、``g^2`` → ``mean_g_squared``。"""
    match = re.fullmatch(rf"\s*{_SUBSCRIPTED}(?P<square>\^2|\^\{{2\}})?\s*", inside)
    if match is None:
        raise EquationError(f"期待値の中は記号か記号の 2 乗だけです: {inside}")
    name, _ = name_and_indices({"function": None, "expected": None, **match.groupdict()}, ())
    return f"mean_{name}" + ("_squared" if match["square"] else "")
