"""The bibliography: every entry can be followed, is cited, and every citation has an entry."""

import re

import pytest
from pybtex.database import parse_file

from built import BOOK

ENTRIES = parse_file(str(BOOK / "references.bib")).entries
TEXT = {path.name: path.read_text(encoding="utf-8") for path in sorted(BOOK.glob("*.md"))}
CITED = {
    key.strip()
    for text in TEXT.values()
    for keys in re.findall(r"\{cite:[a-z]+\}`([^`]+)`", text)
    for key in keys.split(",")
}
LINKS = {
    "doi": r"10\.\d{4,}/\S+",
    "eprint": r"\d{4}\.\d{4,5}",
    "url": r"https://[\w.~/:-]+",
}


@pytest.mark.parametrize("key", ENTRIES)
def test_every_entry_can_be_followed(key):
    fields = ENTRIES[key].fields
    found = [name for name in LINKS if name in fields]
    assert found
    for name in found:
        assert re.fullmatch(LINKS[name], fields[name])
    assert ("eprint" in fields) == (fields.get("archiveprefix") == "arXiv")


@pytest.mark.parametrize("key", ENTRIES)
def test_every_entry_has_an_author_a_title_and_a_date_or_says_that_it_has_none(key):
    entry = ENTRIES[key]
    assert entry.persons["author"]
    assert entry.fields["title"]
    assert re.fullmatch(r"(19|20)\d\d[ab]?|日付なし", entry.fields.get("year", "(not said)"))


def test_every_entry_is_cited_and_every_citation_has_an_entry():
    assert set(ENTRIES) == CITED


def test_every_source_of_an_equation_is_an_entry_or_says_what_it_is():
    sources = {
        source.strip()
        for text in TEXT.values()
        for row in re.findall(r"^% row: .*\| (.+)$", text, re.M)
        for source in row.split(",")
    }
    assert sources <= set(ENTRIES) | {"導出", "定義", "原ノート"}
