"""The table of verification: whole, or an error that names the hole."""

import inspect
import re
from pathlib import Path

import pytest

from equation_checks import CHECKS
from fumoto.experiments import verification as module
from fumoto.experiments.verification import PACKAGE, verification
from fumoto.figures.verification import verification_table
from fumoto.printed import EquationError, book_folder, pages, read

PAGE = "```{{math}}\n:label: {label}\n{latex}\n```\n% domain: {domain}\n% row: {row}\n\n"
SGD = {
    "label": "eq-sgd-w",
    "latex": r"w_{t+1} = w_t - \eta g_t",
    "domain": r"w_t in R; \eta in (0, 1]; g_t in R",
    "row": "計算 | fig-zigzag | robbins1951",
}


def nothing_survives(label):
    return [], 9


def one_survives(label):
    return [type("Variant", (), {"id": f"{label}/sign-1"})()], 9


def table_of(tmp_path, monkeypatch, survivors=nothing_survives, checks=CHECKS, **changes):
    figure = "```\nname: fig-zigzag\n```\n"
    (tmp_path / "page.md").write_text(PAGE.format(**{**SGD, **changes}) + figure, encoding="utf-8")
    (tmp_path / "references.bib").write_text("@article{robbins1951,\n}\n", encoding="utf-8")
    monkeypatch.setattr(pages, "_PAGES", (tmp_path,))
    return verification(checks, survivors, processes=1)


def test_a_row_says_where_the_equation_is_carried_out_and_compared(tmp_path, monkeypatch):
    (row,) = table_of(tmp_path, monkeypatch)
    lines = (PACKAGE / row.code[0].path).read_text(encoding="utf-8").splitlines()
    assert "# eq-sgd-w" in lines[row.code[0].line - 1]
    name, place = row.check
    assert name == CHECKS["eq-sgd-w"].__name__
    source = Path(inspect.getsourcefile(CHECKS["eq-sgd-w"])).read_text(encoding="utf-8").splitlines()
    assert name in source[place.line - 1]
    assert (row.caught, row.total, row.figure, row.source) == (9, 9, "fig-zigzag", "robbins1951")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"row": ""}, "'% row: 種類 | 図 | 出典' がありません"),
        ({"row": "計算 | fig-zigzag"}, "'% row: 種類 | 図 | 出典' がありません"),
        ({"row": "計測 | fig-zigzag | robbins1951"}, "種類は"),
        ({"row": "計算 | fig-nowhere | robbins1951"}, "図 fig-nowhere がどのページにもありません"),
        ({"row": "計算 | fig-zigzag | nobody1900"}, "出典 nobody1900 が references.bib にありません"),
        ({"label": "eq-nobody-w"}, "計算する行が code/ にありません"),
        ({"label": "eq-nobody-w", "row": "性質 | fig-zigzag | 導出"}, "実装と比べるテストがありません"),
        ({"survivors": one_survives}, r"見逃した間違いがあります: \['eq-sgd-w/sign-1'\]"),
        ({"survivors": lambda label: ([], 0)}, "間違いを 1 つも作れません"),
    ],
)
def test_a_hole_in_a_row_is_an_error(tmp_path, monkeypatch, changes, reason):
    with pytest.raises(EquationError, match=reason) as caught:
        table_of(tmp_path, monkeypatch, **changes)
    assert str(caught.value).startswith("page.md:1: ")


def test_the_table_links_code_tests_figures_and_sources(tmp_path, monkeypatch):
    rows = table_of(tmp_path, monkeypatch)
    text = verification_table(rows, "page.md")._repr_markdown_()
    assert "{eq}`eq-sgd-w`" in text
    assert re.search(r'href="_source/optimizers\.html#L-\d+">optimizers\.py:\d+</a>', text)
    assert re.search(r'href="_source/equation_checks/first_half\.html#L-\d+">', text)
    assert "9 / 9" in text
    assert "{numref}`fig-zigzag`" in text
    assert "{cite:t}`robbins1951`" in text
    assert verification_table(rows, "other.md").rows == []


def test_every_equation_of_the_book_has_its_row_without_a_hole():
    rows = verification(CHECKS, nothing_survives, processes=1)
    assert [row.label for row in rows] == list(read())
    assert module.KINDS == ("計算", "性質")


def test_every_chapter_is_on_the_page_of_the_table():
    folder = book_folder()
    text = (folder / "appendix-verification.md").read_text(encoding="utf-8")
    pages = {equation.page for equation in read().values()}
    assert pages == set(re.findall(r'verification_table\(rows, "([\w.-]+)"\)', text)) & pages
    assert all(f'"{page}"' in text for page in pages)
