"""検証表の、文章の主張の表。"""

import re
from collections.abc import Iterable
from typing import Any

from fumoto.figures.table import Table
from fumoto.printed.claims import Claim

_FOUND = {
    "false": "不成立",
    "undefined": "値がない",
    "sufficient": "成立",
    "true": "断りなく成立",
    "false, not sufficient": "断りに反して不成立",
}


def claims_table(examined: Iterable[tuple[Claim, Any]], page: str) -> Table:
    """``page`` の主張の表。名前は、それが支える文へのリンクになる。``examined``: 主張と、調べた結果(報告なら None)。"""
    body = []
    for claim, found in examined:
        if claim.page != page:
            continue
        link = f'<a id="{claim.name}" href="{page.removesuffix(".md")}.html#claimed-{claim.name}">{claim.name}</a>'
        figure = f"{{numref}}`{claim.figure}`" if claim.figure.startswith("fig-") else claim.figure
        if found is None:
            body.append([link, claim.kind, f"{{cite:t}}`{claim.source}`", "", "", "", figure])
            continue
        outside = "、".join(dict.fromkeys(_FOUND[edge.found] for edge in found.edges)) or "端がない"
        margin = f"成り立ちません({found.failure})" if found.failure else f"{found.margin:.2g}"
        body.append([link, claim.kind, _domain(claim), str(found.samples), margin, outside, figure])
    return Table(["主張", "種類", "範囲", "標本", "余裕", "すぐ外", "図"], body, words=True)


def _domain(claim: Claim) -> str:
    r"""``\eta in (0, 1]; seed in 0..9`` → ``$\eta \in (0, 1]$、seed 0..9``。"""
    parts = []
    for part in claim.declared.split(";"):
        symbol, _, values = re.sub(r"\s+sufficient.*", "", part).strip().partition(" in ")
        plain = re.fullmatch("[a-z]{2,}", symbol)
        values = values if plain else values.replace("..", r" \dots ").replace("R", r"\mathbb{R}")
        parts.append(f"{symbol} {values.strip('{}')}" if plain else rf"${symbol} \in {values}$")
    return "、".join(parts)
