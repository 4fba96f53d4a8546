"""The built pages on paper: what a reader gets from the browser's print dialogue, and ``make pdf``."""

import re

import pytest

from built import SOURCES

from .conftest import settle

PAPER = {"width": 665, "height": 980}  # A4 within its margins, in CSS pixels
GONE = [
    ".bd-sidebar-primary",
    ".bd-sidebar-secondary",
    ".bd-header-article",
    ".prev-next-footer",
    ".take-away",
    ".playground-figure",
    "button",
]


@pytest.fixture
def printed(visit):
    """``printed("03-momentum")`` opens a built page as it is laid out on paper."""

    def open_page(name, **options):
        page = visit(name, viewport=PAPER, **options)
        settle(page)
        page.emulate_media(media="print")
        return page

    return open_page


@pytest.mark.parametrize("name", SOURCES)
def test_a_printed_page_is_the_text_with_its_solutions_open_and_nothing_else(printed, name):
    page = printed(name)
    for selector in GONE:
        assert not page.locator(f"{selector}:visible").count(), selector
    wide = page.evaluate(
        """() => [...document.querySelectorAll("article.bd-article *")]
            .filter((e) => e.getClientRects().length && !e.closest("mjx-assistive-mml, svg"))
            .filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
            .map((e) => e.outerHTML.slice(0, 200))"""
    )
    assert wide == []
    boxes = page.evaluate(
        """() => [...document.querySelectorAll("article.bd-article pre, article.bd-article table")]
            .filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.outerHTML.slice(0, 200))"""
    )
    assert boxes == []  # nothing can be scrolled on paper
    for still in page.locator(".playground-still").all():
        assert still.is_visible()
    solutions = page.locator(".solution")
    assert solutions.count() >= (4 if name[0] == "0" else 0)
    for solution in solutions.all():
        assert solution.locator("p:not(.admonition-title), pre").first.is_visible()


def test_a_dark_screen_prints_dark_letters_on_white(printed):
    page = printed("03-momentum", color_scheme="dark")
    color = page.locator("article.bd-article p").first.evaluate("(p) => getComputedStyle(p).color")
    assert sum(map(int, re.findall(r"\d+", color)[:3])) < 200
