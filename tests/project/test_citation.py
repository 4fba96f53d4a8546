"""How the book is cited: CITATION.cff has what its format requires, and says what the project says elsewhere."""

import re
import tomllib

import pytest
import yaml

from built import ROOT

CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
BOOK = CITATION["preferred-citation"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_required_keys_are_there():
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= CITATION.keys()
    assert {"type", "title", "authors"} <= BOOK.keys()
    assert (CITATION["type"], BOOK["type"]) == ("software", "book")


@pytest.mark.parametrize("cited", [CITATION, BOOK], ids=["software", "book"])
def test_title_authors_and_version_are_those_of_the_project(cited):
    assert cited["version"] == PROJECT["version"]
    assert cited["title"] == PROJECT["description"]
    [author] = cited["authors"]
    assert f'author = "{author["name"]}"' in (ROOT / "conf.py").read_text(encoding="utf-8")


def test_the_licences_are_among_those_of_the_project():
    assert {CITATION["license"], BOOK["license"]} < set(PROJECT["license"].split(" AND "))


def test_abstract_and_keywords_are_there_and_in_japanese():
    assert re.search("[ぁ-ん]", CITATION["abstract"])
    assert len(CITATION["keywords"]) == len(set(CITATION["keywords"])) > 4
