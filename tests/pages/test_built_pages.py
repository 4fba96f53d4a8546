"""The pages that were really built (``make html``): labels, first uses, the list of corrections, the index."""

import itertools
import re
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup, NavigableString

from built import BOOK, HTML

NAMES = sorted(path.stem for path in BOOK.glob("*.md"))
pytestmark = [
    pytest.mark.build,
    pytest.mark.skipif(not HTML.is_dir(), reason="make html builds the pages"),
]
CHAPTERS = [name for name in NAMES if name[0].isdigit()]


def article(name):
    soup = BeautifulSoup((HTML / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    return soup.select_one("article.bd-article")


# --- the first use of every term -------------------------------------------------------------------------

SKIPPED = {"figcaption", "figure", "table", "a", "code", "pre", "script", "svg"}
SKIPPED_CLASSES = {"solution", "math", "admonition-title", "citation", "cell"}
OF_CAPTIONS = {"figcaption", "figure", "cell"}  # where a caption stands
KINDS = ["一-鿿々", "ァ-ヺー", "A-Za-z0-9"]
BREAK = "\0"  # where running text is interrupted


def terms():
    """{word: entry} of the glossary; the words of one entry share its number."""
    found = {}
    for number, heading in enumerate(article("glossary").select("dl.glossary dt")):
        before = heading.find_previous_sibling()
        same = before is not None and before.name == "dt"
        entry = found[list(found)[-1]] if same else number
        found[heading.find(string=True).strip()] = entry
    return found


def running_text(paragraph):
    """The text of a paragraph, and which of its letters are in a link to the glossary."""
    text, flags = "", []

    def add(piece, flag):
        nonlocal text
        text += piece
        flags.extend([flag] * len(piece))

    def walk(node):
        for child in node.children:
            if isinstance(child, NavigableString):
                add(str(child), False)
            elif child.name == "a" and "glossary-link" in child.get("class", []):
                add(child.get_text(), True)
            elif child.name in ("strong", "em"):
                add(BREAK, False)
                walk(child)
                add(BREAK, False)
            else:
                add(BREAK, False)

    walk(paragraph)
    return text, flags


def is_running(text):
    allowed = OF_CAPTIONS if "caption-text" in text.get("class", []) else set()
    return not any(
        ({parent.name} & SKIPPED | set(parent.get("class", [])) & SKIPPED_CLASSES) - allowed
        for parent in [text, *text.parents]
    )


def is_whole_word(text, start, end):
    """No letter of the same kind stands beside it (a neighbour in a link is still a neighbour)."""
    for kind in KINDS:
        pair = re.compile(f"[{kind}]{{2}}")
        if pair.match(text[max(start - 1, 0) : start + 1]) or pair.match(text[end - 1 : end + 1]):
            return False
    return True


@pytest.mark.parametrize("name", [name for name in NAMES if name != "glossary"])
def test_the_first_use_of_every_term_is_a_link_to_the_glossary(name):
    entries = terms()
    longest = re.compile("|".join(map(re.escape, sorted(entries, key=len, reverse=True))))
    seen = {}
    for paragraph in filter(is_running, article(name).select("p, .caption-text")):
        text, flags = running_text(paragraph)
        position = 0
        while match := longest.search(text, position):
            word, start, end = match[0], match.start(), match.end()
            position = end
            if not is_whole_word(text, start, end):
                position = start + 1
            elif entries[word] not in seen:
                seen[entries[word]] = True
                assert all(flags[start:end]), f"{text[max(start - 20, 0) : end + 20]!r}"
    if name in CHAPTERS:
        assert len(seen) >= 8


def test_links_of_first_use_lead_to_their_own_entry():
    places = {term.get("id"): term.find(string=True).strip() for term in article("glossary").select("dt")}
    entries = terms()
    for name in CHAPTERS:
        for link in article(name).select("a.glossary-link"):
            page, _, place = link["href"].partition("#")
            assert page == "glossary.html"
            if link.get_text() in entries:
                assert entries[places[place]] == entries[link.get_text()]


# --- labels ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_labels_are_japanese_and_numbered(name):
    content = article(name)
    number = str(int(name[:2])) if name in CHAPTERS else r"(?:[A-Z]|\d+)"
    for label in content.select(".caption-number"):
        assert re.fullmatch(rf"(図|表|コード|演習) {number}\.\d+ ?", label.get_text()), label
    for label in content.select(".eqno"):
        assert re.match(rf"\({number}\.\d+\)", label.get_text()), label
    for title in content.select(".admonition.exercise > .admonition-title"):
        assert re.match(rf"演習 {number}\.\d+", title.get_text().strip()), title
    for title in content.select(".admonition.solution > .admonition-title"):
        assert re.fullmatch(rf"演習 {number}\.\d+ の解答", title.get_text().strip()), title
    for code in content.select("pre, code, script, .highlight, .citation"):
        code.decompose()
    words = r"\b(Figure|Fig\.|Table|Equation|Eq\.|Exercise|Solution|Listing|Section|Note|Warning)\b|練習 \d"
    assert not re.search(words, content.get_text())


def test_every_chapter_has_figures_equations_and_exercises_with_running_numbers():
    for name in CHAPTERS:
        content = article(name)
        for kind in ("図", "演習"):
            labels = [label.get_text() for label in content.select(".caption-number")]
            numbers = [int(label.split(".")[1]) for label in labels if label.startswith(kind)]
            assert sorted(numbers) == list(range(1, len(numbers) + 1)), (name, kind)
            assert len(numbers) >= 2
        equations = [label.get_text() for label in content.select(".eqno")]
        assert [int(label.split(".")[1].split(")")[0]) for label in equations] == [
            *range(1, len(equations) + 1)
        ]


# --- the lines of a picture ------------------------------------------------------------------------------


SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"


def groups(node, kind):
    return [group for group in node.iter(f"{SVG}g") if group.get("id", "").startswith(kind)]


def svg_style(node):
    return {} if node is None else dict(re.findall(r"([\w-]+):\s*([^;]+)", node.get("style", "")))


def look_of_line(line, shapes):
    """(color, (dash, marker, whether the markers are open))."""
    path, marker = line.find(f"{SVG}path"), next(line.iter(f"{SVG}use"), None)
    own, dots = svg_style(path), svg_style(marker)
    is_open = dots.get("fill") in ("none", "#ffffff")
    color = own.get("stroke") or dots.get("stroke" if is_open else "fill")
    dash = "no line" if path is None else own.get("stroke-dasharray")
    return color, (dash, None if marker is None else shapes[marker.get(HREF)[1:]], is_open)


def lines_told_apart_by_color_alone(file):
    """Pairs of lines in the same axes that differ in color, but neither in dash nor in marker."""
    picture = ElementTree.parse(file).getroot()
    if not groups(picture, "legend_"):
        return []  # nothing is named by its look
    shapes = {path.get("id"): path.get("d") for path in picture.iter(f"{SVG}path")}
    return [
        (one, other)
        for axes in groups(picture, "axes_")
        for one, other in itertools.combinations(
            # ticks and grid lie deeper
            {look_of_line(line, shapes) for line in axes if line.get("id", "").startswith("line2d_")},
            2,
        )
        if one[0] != other[0] and one[1] == other[1]
    ]


def test_lines_differ_in_dash_or_marker_too():
    pictures = {
        HTML / image["src"] for name in NAMES for image in article(name).select("figure img[src$='.svg']")
    }
    assert len(pictures) > 50
    found = {path.name: lines_told_apart_by_color_alone(path) for path in pictures}
    assert {name: pairs for name, pairs in found.items() if pairs} == {}


# --- corrections, index, references ----------------------------------------------------------------------


def test_every_correction_on_a_page_is_on_the_list_and_linked():
    entries = article("corrections").select("dl.corrections dt")
    linked = [entry.select_one("a")["href"] for entry in entries if not entry.get("id")]
    boxes = [
        f"{name}.html#{box['id']}" for name in NAMES for box in article(name).select("div.correction[id]")
    ]
    assert sorted(linked) == sorted(boxes)
    assert len(entries) > 35
    for entry in entries:
        columns = [d.get_text().split("\u3000") for d in entry.find_next_siblings("dd")[:4]]
        assert [column[0] for column in columns] == ["どこに", "書いてあったこと", "正しくは", "示し方"]
        assert all(len(column[1].strip()) > 1 for column in columns)


def test_the_index_is_grouped_by_the_japanese_syllabary_and_every_entry_leads_somewhere():
    index = article("genindex")
    headings = [heading.get_text() for heading in index.select("h2")]
    latin = [heading for heading in headings if heading.isascii()]
    kana = [heading for heading in headings if not heading.isascii()]
    assert headings == latin + kana
    assert latin == sorted(latin)
    assert [heading for heading in "あかさたなはまやらわ" if heading in kana] == kana
    assert len(kana) >= 8
    for link in index.select("td a"):
        page, _, place = link["href"].partition("#")
        assert f'id="{place}"' in (HTML / page).read_text(encoding="utf-8"), link
    words = index.get_text()
    for word in [*terms(), "Kingma", "Nesterov", "何愷明", "fumoto.optimizers", "check_batchnorm"]:
        assert word in words


def test_the_reference_pages_are_in_the_contents_of_every_page():
    for name in NAMES:
        soup = BeautifulSoup((HTML / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        links = {link["href"].split("#")[0] for link in soup.select("nav.bd-links a")}
        for page in ("glossary", "symbols", "corrections", "references", "genindex"):
            assert page == name or f"{page}.html" in links, (name, page)


def test_every_reference_is_shown_with_a_link_and_a_date():
    for entry in article("references").select("div.citation"):
        assert entry.select("a.external[href^='http']"), entry
        assert re.search(r"(19|20)\d\d[ab]?|日付なし", entry.get_text())
        assert "n.d." not in entry.get_text()
