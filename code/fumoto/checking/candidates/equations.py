"""式 1 本の書き間違い: 機械で作ったものと、``often`` の表にあるもの。作るのは一度だけ。"""

from functools import cache

from fumoto.checking.candidates.often import OFTEN
from fumoto.printed import Equation, Variant, parse, variants
from fumoto.printed.pages import book


@cache
def mistakes_in(label: str) -> list[Variant]:
    """``label`` の式の書き間違い。"""
    often = [
        Variant(f"{label}/{slug}", kind, like(label, latex)) for slug, kind, latex in OFTEN.get(label, ())
    ]
    return [*variants(book()[label]), *often]


@cache
def like(label: str, latex: str) -> Equation:
    """``label`` の式と同じ記号の宣言で ``latex`` を読む。"""
    printed = book()[label]
    return parse(latex, printed.domain, label=label, page=printed.page, line=printed.line)
