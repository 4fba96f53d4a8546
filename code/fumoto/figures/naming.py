"""``check`` が名前を言えることの表。"""

import re

from fumoto.checking.candidates.table import Row, table
from fumoto.checking.report import escaped
from fumoto.figures.table import Table
from fumoto.printed.methods import EVERY_METHOD


def named() -> Table:
    """間違いと書き方を、先に探す順に。数だけが違うものや、式だけが違うものは、1 行にまとめる。

    >>> header, *rows = str(named()).splitlines()
    >>> header
    '| 名前を言えること | 手法 |'
    >>> next(row for row in rows if "2 乗が抜けている" in row)
    '| 2 乗が抜けている | AdaGrad, RMSProp, AdaDelta, Adam, AdamW |'
    """
    first: dict[str, str] = {}
    methods: dict[str, set[str]] = {}
    for row in table():
        words = _words(row)
        alike = re.sub(r"\d[\d.e-]*", "#", words)
        first.setdefault(alike, words)
        methods.setdefault(alike, set()).add(row.method)
    rows = [[escaped(words), _listed(methods[alike])] for alike, words in first.items()]
    return Table(["名前を言えること", "手法"], sorted(rows, key=lambda row: "全部" not in row[1]), words=True)


def _words(row: Row) -> str:
    """機械で作った書き間違いは、種類だけを言う(式は、1 つずつ違う)。"""
    kind, _, equation = row.words.partition(": ")
    return kind if equation and row.id.startswith("eq-") else row.words


def _listed(methods: set[str]) -> str:
    others = [name for name in EVERY_METHOD if name not in methods]
    if len(others) < 2:
        return f"{others[0]} のほか全部" if others else "全部"
    return ", ".join(name for name in EVERY_METHOD if name in methods)
