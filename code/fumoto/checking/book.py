"""突き合わせの相手: 本の式と、その書き間違い。読むのは一度だけ。"""

from functools import cache

from fumoto.equations import Equation, book_folder, read
from fumoto.variants import Variant, variants


def book() -> dict[str, Equation]:
    """本の式。``{ラベル: Equation}``。"""
    return _read_once(book_folder())


_read_once = cache(read)


@cache
def mistakes_in(label: str) -> list[Variant]:
    """``label`` の式から機械で作った書き間違い。"""
    return variants(book()[label])
