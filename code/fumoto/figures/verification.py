"""検証表の表。"""

from collections.abc import Iterable

from fumoto.experiments.verification import Place, Row
from fumoto.figures.table import Table


def verification_table(rows: Iterable[Row], page: str) -> Table:
    """``page`` の式の検証表。コードとテストの場所は、ソースのページへのリンクになる。"""
    body = []
    for row in rows:
        if row.page != page:
            continue
        name, place = row.check
        body.append(
            [
                f"{{eq}}`{row.label}`",
                "".join(_link(p, f"{p.path}:{p.line}") for p in row.code[:1]) or "(動かして測る)",
                _link(place, name.replace("_", " ")),
                f"{row.caught} / {row.total}",
                f"{{numref}}`{row.figure}`" if row.figure.startswith("fig-") else row.figure,
                f"{{cite:t}}`{row.source}`" if row.source.isascii() else row.source,
            ]
        )
    return Table(["式", "計算する行", "比べるテスト", "間違い", "図", "出典"], body, words=True)


def _link(place: Place, text: str) -> str:
    return f'<a href="_source/{place.path.removesuffix(".py")}.html#L-{place.line}">{text}</a>'
