"""読者のファイルの中のものを、何らしいかに従って確かめる。"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fumoto import checking
from fumoto.checking.calling.safety import ReaderError, within_time_limit, workplace
from fumoto.command.sources import Definition, Source, definitions

if TYPE_CHECKING:
    from fumoto.checking import Report

LOADING_SECONDS = 4.0  # ファイルを読む(中の文を走らせる)のを待つ時間
INITIAL_VALUES = ("xavier", "glorot", "he")
BATCHNORM = "BatchNorm"
_NOT_JUDGED = "確かめられませんでした"


@dataclass(frozen=True)
class Row:
    """確かめた結果 1 つ。``report``: 確かめなかったら None。``why``: 判定できないわけ。"""

    file: str
    name: str
    line: int
    kind: str | None
    report: "Report | None" = None
    recognised: str | None = None
    why: str | None = None
    surely: bool = True

    @property
    def ok(self) -> bool | None:
        """正しければ True、違えば False、判定できなければ None。"""
        return None if self.why or self.report is None else self.report.ok


def status(rows: list[Row]) -> int:
    """終了コード: 全部正しければ 0、1 つでも違えば 1、判定できるものがないか、判定できるはずのものができなければ 2。"""
    verdicts = [row.ok for row in rows if row.surely or row.ok is not None]
    if False in verdicts:
        return 1
    return 0 if verdicts and None not in verdicts else 2


def judged(
    path: Path, wanted: str | None, like: str | None, hyperparameters: Mapping[str, float]
) -> Iterator[Row]:
    """``path`` の中のもの(``wanted`` なら、その名前のもの)を、上から順に確かめる。読み込めなければ ``ReaderError``。"""
    with workplace():
        from fumoto.checking import optimizer  # noqa: F401  もう 1 つの Python が始まる間に、SymPy を読み込む

        source = _read(path, wanted)
        if source.error and wanted and not source.definitions:
            raise ReaderError(source.error)
        for definition in source.definitions:
            yield _row(path, definition, like, hyperparameters, bool(wanted))
        if source.error:
            yield Row(str(path), "", 0, None, why=f"読み込みの途中、{source.error}", surely=False)


def _read(path: Path, wanted: str | None) -> Source:
    with workplace() as place:
        place.begin(LOADING_SECONDS)
        try:
            return within_time_limit(definitions, str(path), wanted)
        except ReaderError as error:
            if error.variant is not None or "SyntaxError" in str(error):
                raise
            place.begin(LOADING_SECONDS)  # 終わらない計算がある。定義だけを読み直す
            source = within_time_limit(definitions, str(path), wanted, True)
        return source


def _row(
    path: Path, definition: Definition, like: str | None, hyperparameters: Mapping[str, float], named: bool
) -> Row:
    kind = definition.kind.name
    if like:
        kind = "initializer" if like in INITIAL_VALUES else "batchnorm" if like == BATCHNORM else "optimizer"
    elif named:
        kind = kind or "optimizer"
    row = Row(str(path), definition.name, definition.line, kind, surely=named or definition.kind.surely)
    if kind is None:
        return replace(row, why=definition.kind.why, surely=False)
    report, recognised = _judge(definition, kind, like, hyperparameters)
    why = report.verdict if not report.ok and _NOT_JUDGED in report.verdict else None
    return replace(row, report=report, recognised=recognised, why=why)


def _judge(
    definition: Definition, kind: str, like: str | None, hyperparameters: Mapping[str, float]
) -> "tuple[Report, str | None]":
    """結果と、何として確かめたか。"""
    if kind == "batchnorm":
        return checking.check_batchnorm(definition.thing, **hyperparameters), BATCHNORM
    if kind == "initializer":
        report = checking.check_initializer(definition.thing, like)
        return report, report.name
    report = checking.check(definition.thing, like, **hyperparameters)
    if like is None and report.ok and (meant := _meant(definition.name, report.name)):
        report = checking.check(definition.thing, meant, **hyperparameters)
        return report, meant
    return report, report.name or like


def _meant(title: str, found: str | None) -> str | None:
    """名前からは、見分けた手法 ``found`` とは違う手法のはずなら、その手法。

    >>> _meant("MyMomentum", "SGD"), _meant("NesterovMomentum", "Nesterov"), _meant("SGD", "Momentum")
    ('Momentum', None, None)
    """
    from fumoto.checking.candidates.recognition import hinted

    hint = hinted(title)
    inside = found is not None and found.lower() in title.lower()
    with_momentum = (
        hint is not None and hint.name == "SGD" and found in ("Momentum", "Nesterov")
    )  # PyTorch の SGD
    return None if hint is None or inside or with_momentum else hint.name
