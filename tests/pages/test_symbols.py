"""The table of symbols: every symbol of every labelled equation, with its first equation, and nothing else."""

import re
from pathlib import Path

import pytest

TABLE = (Path(__file__).resolve().parents[2] / "book" / "symbols.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| \$(.+?)\$ \| (.+?) \| (.+?) \| \{eq\}`(eq-[\w-]+)` \| ([\d、]+) \|$", re.M)
ROWS = [
    (latex, meaning, label, [int(chapter) for chapter in chapters.split("、")])
    for latex, meaning, _, label, chapters in ROW.findall(TABLE)
]


def without_time(text):
    """The same symbol at another time is the same line of the table: ``w_{t+1}`` and ``w_t``."""
    return text.replace("_{t+1}", "_t").replace("_next", "_t")


@pytest.fixture(scope="module")
def places(printed):
    """{(chapter, symbol in LaTeX): {name}} and {(chapter, name): [(line, label)]} for the chapters of the book."""
    names, labels = {}, {}
    for equation in printed.values():
        if not equation.page[0].isdigit():
            continue
        chapter = int(equation.page[:2])
        for symbol in equation.notation.values():
            if symbol.name not in equation.indices:
                name = without_time(symbol.name)
                names[chapter, without_time(symbol.latex)] = name
                labels.setdefault((chapter, name), []).append((equation.line, equation.label))
    return names, labels


def test_every_line_of_the_table_was_read():
    assert len(ROWS) == len(re.findall(r"^\| \$", TABLE, re.M)) > 100


def test_every_symbol_of_an_equation_is_in_the_table_and_nothing_else(places):
    names, labels = places
    listed = {(chapter, without_time(latex)) for latex, _, _, chapters in ROWS for chapter in chapters}
    assert listed <= names.keys()
    assert {(chapter, names[chapter, latex]) for chapter, latex in listed} == labels.keys()


def test_symbols_are_all_that_an_equation_is_evaluated_with(printed, places):
    """The table is made of the same names that ``Equation.symbols`` lists."""
    _, labels = places
    for equation in printed.values():
        if equation.page[0].isdigit():
            for name in equation.symbols:
                assert (int(equation.page[:2]), without_time(name)) in labels


@pytest.mark.parametrize(("latex", "meaning", "label", "chapters"), ROWS)
def test_a_row_names_the_first_equation_with_its_symbol(latex, meaning, label, chapters, places):
    names, labels = places
    name = names[chapters[0], without_time(latex)]
    found = [found for _, found in sorted(labels[chapters[0], name])]
    meanings = [row for row in ROWS if names.get((chapters[0], without_time(row[0]))) == name]
    here = [row for row in meanings if chapters[0] in row[3]]
    assert label in found
    assert label == found[0] or len(here) > 1  # only one meaning of several may begin later


def test_a_symbol_has_one_meaning_in_a_chapter():
    for latex in {row[0] for row in ROWS}:
        chapters = [chapter for row in ROWS if row[0] == latex for chapter in row[3]]
        assert len(chapters) == len(set(chapters)), latex
