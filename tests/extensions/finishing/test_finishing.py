"""What the book does to finished pages: the policy, the head, the sizes of pictures, and what is left out."""

import base64
import gzip
import hashlib
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from docutils import nodes

from built import HTML
from finishing import finished_pages, image_sizes, page_head, trimming, unused_styles

PAGE = """<html lang="ja"><head>
    <meta charset="utf-8" />
    <script data-cfasync="false">first()</script>
    <script defer src="_static/scripts/fontawesome.js?digest=1"></script>
    <script src="_static/doctools.js?v=1"></script>
    <script async="async" src="_static/tex-svg.js"></script>
    <script>DOCUMENTATION_OPTIONS.pagename = 'a';</script>
</head><body><nav aria-label="Main"><table><tr><th class="head"><p></p></th><th>x</th></tr></table>
<script type="application/json">{"a": 1}</script>
<script>
last("日本語")
</script></body></html>"""


def fingerprint(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_exactly_the_scripts_on_the_page_may_run():
    page = finished_pages.finish(PAGE)
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    inline = {"first()", "DOCUMENTATION_OPTIONS.pagename = 'a';", '\nlast("日本語")\n'}
    assert set(rules["script-src"].split()) == {"'self'", "file:", *map(fingerprint, inline)}
    assert "unsafe" not in rules["script-src"]
    for name, sources in rules.items():
        assert not re.search(r"https?:|\*", sources), name
    assert page.index("Content-Security-Policy") < page.index("<script")


def test_no_script_keeps_the_page_waiting():
    page = finished_pages.finish(PAGE)
    assert "fontawesome" not in page
    assert '<script defer src="_static/doctools.js?v=1">' in page
    assert '<script async="async" src="_static/tex-svg.js">' in page
    assert "<script type=\"module\">DOCUMENTATION_OPTIONS.pagename = 'a';" in page


def test_english_of_the_templates_and_empty_headers_are_replaced():
    page = finished_pages.finish(PAGE)
    assert 'aria-label="本の目次"' in page
    assert '<td class="head"></td><th>x</th>' in page


def test_the_templates_still_say_what_is_replaced():
    """A new version of the theme that words it otherwise must not go unnoticed."""
    from pydata_sphinx_theme import __file__ as outer
    from sphinx_book_theme import __file__ as inner

    text = "".join(
        path.read_text(encoding="utf-8")
        for package in (outer, inner)
        for path in Path(package).parent.rglob("*.html")
    )
    for old in finished_pages._REPLACED:
        assert old in text or old == 'role="doc-biblioentry"', old
    assert "fontawesome.js" in text


def paragraph(*children):
    return nodes.section("", nodes.paragraph("", "", *children))


def test_a_page_is_described_by_its_first_sentences():
    opening = paragraph(
        nodes.strong("", "これまで"),
        nodes.Text("\u3000学習率 "),
        nodes.math("", r"\eta"),
        nodes.Text(" は、一歩の大きさを決める、人が選ぶ数でした。"),
    )
    document = nodes.section("", opening, paragraph(nodes.Text("二つめの段落です。" * 5)))
    assert page_head.describe(document, "題") == "学習率 η は、一歩の大きさを決める、人が選ぶ数でした。"
    assert page_head.describe(None, "索引").endswith("索引のページ。")
    assert len(page_head.shorten("切れ目のない文" * 40)) == 120


def test_the_size_of_a_picture_is_written_unless_it_has_one_or_cannot_be_read(tmp_path):
    picture = tmp_path / "a.svg"
    picture.write_text(
        '<?xml version="1.0"?>\n<svg xmlns:x="y" width="360pt" height="237.6pt" viewBox="0 0 9 9">'
    )
    (tmp_path / "b.svg").write_text('<svg viewBox="0 0 9 9">')
    images = [nodes.image(uri="a.svg"), nodes.image(uri="a.svg", width="10"), nodes.image(uri="b.svg")]
    image_sizes.write_sizes(SimpleNamespace(srcdir=tmp_path), nodes.section("", *images), "page")
    assert [(image.get("width"), image.get("height")) for image in images] == [
        ("480", "316"),  # 96 pixels are 72 points
        ("10", None),
        (None, None),
    ]


def test_files_that_are_used_by_nothing_are_left_out(tmp_path):
    files = {
        "a.css": "@import 'b.css'; p { src: url(fonts/c.woff2) }\n/*# sourceMappingURL=a.css.map */",
        "b.css": "p { color: red }",
        "fonts/c.woff2": "",
        "fonts/unused.woff2": "",
        "s.js": "load('worker.js'); show('frame.html') //# sourceMappingURL=s.js.map",
        "frame.html": '<script src="inside.js"></script>',
        "inside.js": "",
        "unused.html": "",
        "worker.js": "",
        "s.js.map": "",
        "a.css.map": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    kept = trimming.used_files(tmp_path, set(files), {"a.css", "s.js"})
    assert kept == {"a.css", "b.css", "fonts/c.woff2", "s.js", "worker.js", "frame.html", "inside.js"}
    assert "sourceMapping" not in (tmp_path / "a.css").read_text() + (tmp_path / "s.js").read_text()


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        (".used{a:b}.unused{a:b}", ".used{a:b}"),
        (".used .unused,.used p{a:b}", ".used p{a:b}"),
        ("p.used:not(.unused){a:b}", "p.used:not(.unused){a:b}"),
        ("#unused{a:b}html{--x:1}", "html{--x:1}"),
        ("@media print{.unused{a:b}}@media print{.used{a:b}}", "@media print{.used{a:b}}"),
        ("@font-face{font-family:x}", "@font-face{font-family:x}"),
        (".tip-left{a:b}", ".tip-left{a:b}"),  # a script joins "tip-" and the side
        ("/*! licence */.unused{a:b}", "/*! licence */"),
        ("p{width:.5em}", "p{width:.5em}"),
    ],
)
def test_rules_for_what_is_on_no_page_are_left_out(css, kept):
    assert unused_styles.used_rules(css, {"used", "tip-"}) == kept


def test_styles_are_trimmed_again_only_where_a_word_in_them_appears_or_disappears(tmp_path):
    memory, style = tmp_path / "memory", tmp_path / "a.css"
    memory.mkdir()
    for words, kept in [
        ({"used"}, ".used{a:b}"),
        ({"used", "prose"}, ".used{a:b}"),
        ({"other"}, ".other{a:b}"),
        ({"oth-"}, ""),
        ({"oth-", "us-"}, ""),
    ]:
        style.write_text(".used{a:b}.other{a:b}")
        trimming.keep_used_rules(style, words, memory)
        assert style.read_text() == kept
    assert len(list(memory.iterdir())) == 4


PAGES = sorted(path for path in HTML.rglob("*.html") if "_static" not in path.parts)  # not the frame of the fields


@pytest.mark.build
@pytest.mark.skipif(not PAGES, reason="make html builds the pages")
def test_every_built_page_has_a_policy_a_description_and_icons():
    descriptions = {}
    for page in PAGES:
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        assert soup.find("meta", {"http-equiv": "Content-Security-Policy"}), page
        [description] = soup.find_all("meta", {"name": "description"})
        assert 10 < len(description["content"]) <= 120, page
        assert "\\" not in description["content"], page
        assert soup.find("meta", {"property": "og:title"})["content"], page
        for icon in soup.select('link[rel="icon"], link[rel="apple-touch-icon"]'):
            assert (page.parent / icon["href"].partition("?")[0]).is_file(), page
        assert len(soup.select('link[rel="icon"]')) == 2, page
        for image in soup.select("article img[src]"):
            assert image.get("width") and image.get("height"), (page, image)
        if page.parent == HTML:
            descriptions.setdefault(description["content"], []).append(page.name)
    assert [names for names in descriptions.values() if len(names) > 1] == []


ASKED = ("write/frame.html", "write/tables/")  # loaded only when a reader presses the button of a field


@pytest.mark.build
@pytest.mark.skipif(not PAGES, reason="make html builds the pages")
def test_a_field_asks_for_little_when_its_button_is_pressed():
    frame, folder = (HTML / "_static" / name for name in ASKED)
    tables = [len(gzip.compress(table.read_bytes())) for table in folder.glob("*.js")]
    assert len(gzip.compress(frame.read_bytes())) + max(tables) < 450_000


@pytest.mark.build
@pytest.mark.skipif(not PAGES, reason="make html builds the pages")
def test_the_folder_holds_no_more_than_it_needs():
    static = HTML / "_static"
    files = {
        path.relative_to(static).as_posix(): path.stat().st_size
        for path in static.rglob("*")
        if path.is_file()
    }
    assert not [name for name in files if name.endswith((".map", ".po", ".mo")) or "fontawesome.js" in name]
    asked = {name for name in files if name.startswith(ASKED)}
    assert sum(size for name, size in files.items() if name not in asked) < 3_000_000, files
    assert files["styles/pydata-sphinx-theme.css"] < 150_000
