r"""記号の取りうる値: ``% domain:`` と ``% claim:`` の行を読み、そこから値を無作為に取る。

::

    % domain: w_t in R; \eta in (0, 1]; g_t in R

記号ごとの範囲を ``;`` で区切る。書き方は次のとおりである。

::

    g_t in R          実数(配列でもよい)
    \alpha in [0, 1)  区間。端を含むかどうかは括弧で書く
    t in 0..50        整数
    \delta in [10^{-6}, 0.1]   小さな端は、10 のべきで書ける
    i in 1..N         添字。x_i, w_{ij} のように添え、\sum で足す
    surface in {bowl, ravine}   名前か数のどれか。記号の代わりに、英語の単語も書ける
    \nabla E in function   関数。値として Python の関数を渡す
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from fumoto.hints import Rng, Shape
from fumoto.printed.errors import EquationError
from fumoto.printed.symbols import SYMBOL, name_and_indices


@dataclass(frozen=True)
class Domain:
    """記号の取りうる値。``sample`` は、テストに使う値をそこから無作為に取る。"""

    text: str
    low: Any = -np.inf
    high: Any = np.inf
    open_low: bool = False
    open_high: bool = False
    integer: bool = False
    members: tuple[str | float, ...] = ()

    @property
    def is_index(self) -> bool:
        """``1..N`` のように、端に記号を含む整数の範囲か。"""
        return self.integer and not (isinstance(self.low, int) and isinstance(self.high, int))

    @property
    def is_interval(self) -> bool:
        """両端のある、実数の区間か。"""
        return not (self.integer or self.members or np.isinf(self.low) or np.isinf(self.high))

    @property
    def is_logarithmic(self) -> bool:
        """正の値の区間で、両端の比が ``RATIO`` 以上か。"""
        return self.is_interval and self.low > 0 and self.high >= RATIO * self.low

    def at(self, fraction: float) -> float:
        r"""区間を ``fraction`` : 1 - ``fraction`` に分ける値。0 なら下端、1 なら上端、0 から 1 の外なら区間の外。

        >>> [read_domains(r"\eta in [0.01, 100]", "例")["eta"].at(place) for place in (0, 0.5, 1)]
        [0.01, 1.0, 100.0]
        """
        if self.is_logarithmic:
            return float(self.low * (self.high / self.low) ** fraction)
        return float(self.low + (self.high - self.low) * fraction)

    def sample(self, rng: Rng, shape: Shape = ()) -> Any:
        """区間から一様に(R なら標準正規分布から)取る。上端は含まない。"""
        if self.members:
            return self.members[rng.integers(len(self.members))]
        if self.integer:
            return int(rng.integers(self.low, self.high + 1))
        if np.isinf(self.low) and np.isinf(self.high):
            return rng.normal(size=shape)
        low, high = max(self.low, -10.0), min(self.high, 10.0)
        value = rng.uniform(low, high, size=shape)
        return np.where(value == low, (low + high) / 2, value) if self.open_low else value


RATIO = 100  # 両端の比がこれ以上の区間は、比で等しく分ける

Domains = dict[str, Domain]  # 記号の名前 → 取りうる値


def indices_of(domains: Domains) -> Domains:
    """``domains`` のうち、添字だけ。"""
    return {name: domain for name, domain in domains.items() if domain.is_index}


def read_domains(declarations: str, where: str) -> Domains:
    r"""``\alpha in [0, 1); i in 1..N`` のような宣言 → {記号の名前: Domain}。``where``: 誤りの中で言うページと行。

    >>> read_domains(r"\alpha in [0, 1); t in 0..50", "page.md:3").keys()
    dict_keys(['alpha', 't'])
    """
    matches = []
    for text in declarations.split(";"):
        match = re.fullmatch(rf"\s*(?:{SYMBOL}|(?P<word>[a-z]{{2,}}))\s+in\s+(?P<range>.+?)\s*", text)
        if match is None:
            raise EquationError(f"{where}: 宣言を読めません: {text.strip()!r}")
        matches.append((match, _range(match["range"], where)))
    indices = {match["plain"] for match, domain in matches if domain.is_index}
    domains: Domains = {}
    for match, domain in matches:
        name = match["word"] or name_and_indices(match, indices)[0]
        if name in domains:
            raise EquationError(f"{where}: {name} が 2 度宣言されています")
        domains[name] = domain
    return domains


def _range(text: str, where: str) -> Domain:
    if text in ("R", "function"):
        return Domain(text)
    low: Any
    high: Any
    if integers := re.fullmatch(r"([0-9]+)\.\.([0-9]+|[A-Za-z](?:[+-][0-9]+)?)", text):
        low, high = (int(end) if end.isdigit() else end for end in integers.groups())
        if isinstance(high, str) or low <= high:
            return Domain(text, low, high, integer=True)
    number = r"(-?[0-9]+(?:\.[0-9]+)?|10\^\{-?[0-9]+\})"
    if interval := re.fullmatch(rf"([\[(])\s*{number}\s*,\s*{number}\s*([\])])", text):
        low, high = _number(interval[2]), _number(interval[3])
        if low < high:
            return Domain(text, low, high, open_low=interval[1] == "(", open_high=interval[4] == ")")
    if names := re.fullmatch(r"\{\s*([\w.-]+(?:\s*,\s*[\w.-]+)*)\s*\}", text):
        members = tuple(map(_member, names[1].split(",")))
        if len(set(members)) == len(members):
            return Domain(text, members=members)
    raise EquationError(f"{where}: 範囲を読めません: {text!r}")


def _member(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text.strip()


def _number(text: str) -> float:
    return float(text.replace("10^{", "1e").rstrip("}"))
