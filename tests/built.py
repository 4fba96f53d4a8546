"""The book that ``make html`` built, for the tests that read it.

Where it is not built they are skipped with the reason, unless FUMOTO_REQUIRE_BOOK=1.
"""

import os
from functools import cache
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[1]
HTML = Path(os.environ.get("FUMOTO_HTML", ROOT / "build" / "html"))
BOOK = ROOT / "book"
SOURCES = sorted(
    path.relative_to(BOOK).with_suffix("").as_posix()
    for path in BOOK.rglob("*.md")
    if not path.is_relative_to(BOOK / "_ext")
)


def require_book():
    if (HTML / "index.html").is_file():
        return
    reason = f"{HTML} is not there: make html builds it"
    if os.environ.get("FUMOTO_REQUIRE_BOOK") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@cache
def page(name):
    """The page ``name`` (``03-momentum`` or ``_source/optimizers``), parsed."""
    return BeautifulSoup((HTML / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def pages():
    """The names of all pages that were built."""
    names = (path.relative_to(HTML).with_suffix("").as_posix() for path in HTML.rglob("*.html"))
    return sorted(name for name in names if not name.startswith("_static/"))  # a template of the theme
