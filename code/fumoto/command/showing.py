"""結果を、端末の表か、JSON にする。"""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fumoto.command.judging import Row

VERSION = 1  # JSON の鍵を変えたら、増やす
_HEAD = ("場所", "名前", "手法", "結果", "呼び方")


def as_text(rows: list[Row]) -> str:
    """表と、読むべき説明と、判定できないもの。

    >>> from fumoto.checking import Report
    >>> print(as_text([Row("a.py", "MySGD", 3, "optimizer", Report(True, "一致: 同じです。"), "SGD")]))
    場所    名前   手法  結果  呼び方
    a.py:3  MySGD  SGD   一致
    """
    judged = [row for row in rows if row.ok is not None]
    parts = []
    if judged:
        parts.append(aligned([_HEAD, *map(_cells, judged)]))
    for row in judged:
        if row.report is not None and (not row.ok or row.report.variant):
            parts.append(f"── {row.name}({row.file}:{row.line})\n{row.report}")
    if others := _not_judged(rows):
        parts.append("判定できないもの\n" + others)
    return "\n\n".join(parts) if parts else "最適化手法も、重みの初期値も、BatchNorm も見つかりませんでした。"


def _cells(row: Row) -> tuple[str, ...]:
    place = f"{row.file}:{row.line}" if row.line else row.file
    result = row.report.verdict.partition(":")[0] if row.report is not None else ""
    how = " ".join((row.report.how if row.report is not None else "").split())
    return place, row.name, row.recognised or "", result, how


def _not_judged(rows: list[Row]) -> str:
    lines = [f"  {row.file}:{row.line} {row.name}: {row.why}" for row in rows if row.ok is None and row.kind]
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.ok is None and not row.kind:
            name = row.name or row.file
            reasons.setdefault(row.why or "", []).append(name)
    return "\n".join([*lines, *(f"  {'、'.join(names)}: {why}" for why, names in reasons.items())])


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """列をそろえた、端末の表。全角は 2 文字の幅に数える。"""
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    padded = (
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
    return "\n".join(line.rstrip() for line in padded)


def _width(text: str) -> int:
    """端末での幅。全角は 2。"""
    return sum(2 if unicodedata.east_asian_width(letter) in "WFA" else 1 for letter in text)


def as_data(rows: list[Row], status: int) -> dict[str, Any]:
    """JSON にするもの。鍵は次のとおりで、値がなければ ``null``。

    ``version``、``status``(終了コード)、``results``(1 つずつの結果の並び)。結果の鍵は、``file``, ``name``, ``line``,
    ``kind``(``"optimizer"``, ``"initializer"``, ``"batchnorm"``)、``method``(何として確かめたか)、
    ``ok``(``true``, ``false``, 判定できなければ ``null``)、``why``(判定できないわけ)、``verdict``、``how``(呼び方)、
    ``constants``(分かった値)、``equation``, ``variant``, ``step``, ``notes``、``text``(説明の全文)。
    """
    return {"version": VERSION, "status": status, "results": [_result(row) for row in rows]}


def _result(row: Row) -> dict[str, Any]:
    report = row.report
    of_report = ("verdict", "how", "constants", "equation", "variant", "step", "notes")
    return {
        "file": Path(row.file).as_posix(),
        "name": row.name,
        "line": row.line or None,
        "kind": row.kind,
        "method": row.recognised,
        "ok": row.ok,
        "why": row.why,
        **{key: getattr(report, key) if report is not None else None for key in of_report},
        "text": str(report) if report is not None else None,
    }
