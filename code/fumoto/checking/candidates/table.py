"""候補の表: 手法ごとに、何を、どの順に試すか。印刷することも、数えることもできる。"""

from collections.abc import Iterator
from dataclasses import dataclass

from fumoto.checking.candidates.candidate import Candidate
from fumoto.checking.candidates.conventions import conventions
from fumoto.checking.candidates.equations import mistakes_in
from fumoto.checking.candidates.handlings import FAULTS, borrowed, handlings
from fumoto.checking.candidates.slips import slips
from fumoto.printed import Method
from fumoto.printed.equation import Equations
from fumoto.printed.methods import EVERY_METHOD, state_names
from fumoto.printed.pages import book


@dataclass(frozen=True)
class Row:
    """表の 1 行。``id``: 候補の名前。``method``: 手法。``words``: 読者に言う一文。``label``: 間違いのある式(なければ空)。"""

    id: str
    method: str
    words: str
    label: str


def mistakes(method: Method, equations: Equations) -> Iterator[Candidate]:
    """``method`` の、名前のある間違い。先のものほど、ありそうである。"""
    printed = [equations[label] for label in method.labels]
    counted = any("t" in equation.symbols for equation in printed)
    yield from slips(method.name)
    yield from borrowed(method)
    yield from handlings(method, state_names(printed), counted)


def table() -> list[Row]:
    """名前を言える候補の全部: どの手法にもあるふるまい、ほかの書き方、名前のある間違い、機械で作った書き間違い。

    >>> rows = table()
    >>> len(rows) > 500, next(row.words for row in rows if row.id == "method/SGD")
    (True, 'SGD と同じ動きで、慣性が効いていません(αv の項がないか、v を毎回 0 に戻しています)')
    """
    rows = [Row(identifier, name, words, "") for name in EVERY_METHOD for identifier, words in FAULTS.items()]
    for name, method in EVERY_METHOD.items():
        for candidate in (*conventions(name), *mistakes(method, book())):
            rows.append(Row(candidate.id, name, candidate.words, candidate.label or ""))
        for label in dict.fromkeys(method.labels):
            rows += [Row(v.id, name, f"{v.kind}: {v.equation.latex}", label) for v in mistakes_in(label)]
    return rows
