"""検証表: 番号のついた式ごとに、計算する行、比べるテスト、見つけた間違いの数、図、出典を集める。

式のすぐ下の ``% row: 種類 | 図 | 出典`` を読む。欠けたところのある式は ``EquationError`` になり、本は組めない。
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fumoto.experiments.parallel import run_parallel
from fumoto.printed import EquationError, Variant, book_folder
from fumoto.printed.pages import Declaration, declarations

PACKAGE = Path(__file__).resolve().parents[1]
KINDS = ("計算", "性質")  # 実装のある行が計算する式と、動かして測る式
NO_FIGURE = ("本文の数値", "演習", "ほかの式", "動かせる図")
NO_PAPER = ("定義", "導出", "原ノート")


@dataclass(frozen=True)
class Place:
    """コードの 1 行。``path``: ``optimizers.py`` のような、源からの場所。``line``: 1 から。"""

    path: str
    line: int


@dataclass(frozen=True)
class Row:
    """検証表の 1 行。``code``: 式を計算する行(性質なら空)。``check``: 比べる関数の ``(名前, 場所)``。

    ``caught``, ``total``: 見つけた間違いの数と、作った間違いの数。``checked_by``: 数値で読まない式を確かめるテスト。
    """

    label: str
    page: str
    kind: str
    code: tuple[Place, ...]
    check: tuple[str, Place]
    caught: int
    total: int
    figure: str
    source: str


def verification(
    checks: Mapping[str, Callable[..., Any]],
    survivors: Callable[[str], tuple[list[Variant], int]],
    processes: int = -1,
) -> list[Row]:
    """番号のついた式すべての ``Row``。ページの順。

    ``checks``: ラベル → 式と実装を比べる関数。``survivors``: ラベル → ``(見逃した間違い, 作った間違いの数)``。
    """
    equations = declarations()
    figures = _figures()
    bibliography = _keys_of_bibliography()
    counts = run_parallel(survivors, [(label,) for label in equations], "間違いを試す", processes)
    rows = []
    for (label, equation), (alive, total) in zip(equations.items(), counts, strict=True):
        kind, figure, source = _declared(equation)
        code = tuple(_lines_with(label))
        problems = [
            (kind not in KINDS, f"種類は {KINDS} のどれかです: {kind}"),
            (kind == "計算" and not code, "計算する行が code/ にありません"),
            (figure not in (*NO_FIGURE, *figures), f"図 {figure} がどのページにもありません"),
            (source not in (*NO_PAPER, *bibliography), f"出典 {source} が references.bib にありません"),
            (label not in checks, "実装と比べるテストがありません"),
            (bool(alive), f"見逃した間違いがあります: {[variant.id for variant in alive]}"),
            (total == 0, "間違いを 1 つも作れません"),
        ]
        for wrong, reason in problems:
            if wrong:
                raise EquationError(f"{equation.where}: {label} の検証表に穴があります。{reason}")
        check = (checks[label].__name__, _place_of(checks[label]))
        rows.append(Row(label, equation.page, kind, code, check, total - len(alive), total, figure, source))
    return rows


def _declared(equation: Declaration) -> list[str]:
    parts = [part.strip() for part in (equation.row or "").split("|")]
    if len(parts) != 3:
        raise EquationError(f"{equation.where}: {equation.label} に '% row: 種類 | 図 | 出典' がありません")
    return parts


def _lines_with(label: str) -> Iterator[Place]:
    """``# eq-…`` の注釈のある行。本の実装が先、原ノートの間違いが後に並ぶ。"""
    comment = re.compile(rf"#.*\b{label}(?![\w-])")
    for path in sorted(PACKAGE.rglob("*.py"), key=lambda path: (path.name == "mistakes.py", str(path))):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if comment.search(line):
                yield Place(str(path.relative_to(PACKAGE)), number)


def _place_of(function: Callable[..., Any]) -> Place:
    function = inspect.unwrap(function)
    path = Path(inspect.getfile(function))
    return Place(f"{path.parent.name}/{path.name}", inspect.getsourcelines(function)[1])


def _figures() -> set[str]:
    text = "".join(path.read_text(encoding="utf-8") for path in book_folder().glob("*.md"))
    return set(re.findall(r"name: (fig-[\w-]+)", text))


def _keys_of_bibliography() -> set[str]:
    text = (book_folder() / "references.bib").read_text(encoding="utf-8")
    return set(re.findall(r"^@\w+\{([\w-]+),", text, re.M))
