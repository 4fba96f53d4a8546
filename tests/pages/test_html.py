"""The built pages, read as files: links, anchors, pictures, titles and the way from page to page."""

import posixpath
import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import pytest

from built import HTML, SOURCES, page, pages, require_book

pytestmark = pytest.mark.build  # as long as parsing every page takes
READING = ["index", *(name for name in SOURCES if name[0].isdigit())]  # the chapters are read in this order


def targets(name):
    return {tag["id"] for tag in page(name).select("[id]")} | {
        tag["name"] for tag in page(name).select("a[name]")
    }


def test_every_internal_link_and_anchor_resolves():
    require_book()
    anchors = {name: targets(name) for name in pages()}
    broken = []
    for name in pages():
        here = PurePosixPath(name).parent
        for tag in page(name).select("[href], [src]"):
            link = urlsplit(tag.get("href") or tag.get("src") or "")
            if link.scheme or link.netloc:
                continue
            path = unquote(link.path)
            file = (HTML / here / path).resolve() if path else HTML / f"{name}.html"
            if not file.is_file():
                broken.append((name, tag.get("href") or tag.get("src"), "no such file"))
            elif link.fragment and file.suffix == ".html":
                other = file.relative_to(HTML.resolve()).with_suffix("").as_posix() if path else name
                if unquote(link.fragment) not in anchors[other]:
                    broken.append((name, tag["href"], "no such anchor"))
    assert broken == []


def test_no_page_has_the_same_id_twice():
    require_book()
    for name in pages():
        ids = [tag["id"] for tag in page(name).select("[id]")]
        assert sorted({i for i in ids if ids.count(i) > 1}) == [], name


def pictures():
    """``(page, alt, caption)`` of every picture in the text."""
    for name in SOURCES:
        for image in page(name).select("article.bd-article img"):
            figure = image.find_parent("figure")
            caption = figure.select_one(".caption-text") if figure else None
            yield name, image.get("alt", "").strip(), caption.get_text().strip() if caption else ""


def test_every_picture_has_words_of_its_own():
    require_book()
    seen = {}
    for name, alt, caption in pictures():
        assert len(alt) >= 10, (name, alt)
        assert alt != caption, (name, alt)
        assert alt not in seen, (name, seen.get(alt), alt)
        seen[alt] = name
    assert len(seen) > 20


@pytest.mark.parametrize("name", SOURCES)
def test_every_page_has_a_title_of_its_own_and_one_first_heading(name):
    require_book()
    title = page(name).title.get_text().strip()
    [heading] = page(name).select("article.bd-article h1")
    words = re.sub(r"^\d+\. ", "", heading.find(string=lambda text: not re.fullmatch(r"\d+\. ", text)))
    assert words in title
    assert [other for other in SOURCES if page(other).title.get_text().strip() == title] == [name]


def neighbours(name):
    """The names of the previous and the next page."""
    links = [page(name).select_one(selector) for selector in ("a.left-prev", "a.right-next")]
    here = posixpath.dirname(name)
    return [
        link and posixpath.normpath(posixpath.join(here, link["href"])).removesuffix(".html")
        for link in links
    ]


def test_one_can_read_from_the_first_page_to_the_last_and_back():
    require_book()
    way, name = [], "index"
    while name:
        way.append(name)
        assert len(way) <= len(SOURCES), way
        name = neighbours(name)[1]
        if name:
            assert neighbours(name)[0] == way[-1]
    assert way[: len(READING)] == READING
    assert sorted(way) == SOURCES
    assert neighbours("index")[0] is None
