"""The pages to look things up in, from their sources and in a small book: corrections, glossary, numbers, index."""

import itertools
import re
import shutil
import subprocess
import sys

import pytest
from bs4 import BeautifulSoup

from built import BOOK, ROOT
from reading import corrections, first_use, japanese_index

CHAPTERS = sorted(BOOK.glob("0*.md"))
GLOSSARY = (BOOK / "glossary.md").read_text(encoding="utf-8")
CORRECTIONS = (BOOK / "corrections.md").read_text(encoding="utf-8")
LISTED = dict(
    re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", CORRECTIONS, re.M | re.S)
)  # chapter title → its part
KANJI = re.compile(r"[一-鿿々]")


# --- corrections -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_corrections_of_a_chapter_stand_in_their_section_and_are_collected(path):
    text = path.read_text(encoding="utf-8")
    titles = re.findall(r"^`{3,}\{correction\} (.+)$", text, re.M)
    section = re.search(r"^## (?:よくある間違い|原ノートの訂正)\n(.*?)(?=^## )", text, re.M | re.S)
    inside = section[1] if section else ""
    assert not re.findall(r"^(?:`{3,}|:{3,})\{(?:admonition|warning|note)\}.*", inside, re.M)
    assert bool(titles) == bool(section)
    assert titles == re.findall(r"^`{3,}\{correction\} (.+)$", inside, re.M)
    assert titles == [row["title"] for row in corrections.collect(BOOK) if row["page"] == path.stem]


def test_the_list_has_a_part_for_every_chapter_with_the_boxes_of_the_chapter():
    chapter_titles = [re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), re.M)[1] for path in CHAPTERS]
    assert list(LISTED) == chapter_titles
    collected = {row["page"] for row in corrections.collect(BOOK)}
    for path, part in zip(CHAPTERS, LISTED.values(), strict=True):
        shown = re.findall(r"^```\{corrections\} (.+)$", part, re.M)
        assert shown == ([path.stem] if path.stem in collected else [])


def test_every_correction_has_all_of_its_columns():
    rows = corrections.collect(BOOK)
    assert len(rows) > 35
    for row in rows:
        assert all(row.get(column, "").strip() for column in ("name", *corrections.COLUMNS)), row


def test_a_correction_that_only_the_list_has_leads_to_its_chapter():
    """To an equation or a figure of the chapter under whose title it stands."""
    for path, part in zip(CHAPTERS, LISTED.values(), strict=True):
        named = set(re.findall(r"(?::label:| name:) (\S+)", path.read_text(encoding="utf-8")))
        for box in re.findall(r"^```\{correction\} (.*?)^```$", part, re.M | re.S):
            assert named & set(re.findall(r"\{(?:eq|numref)\}`([^`]+)`", box)), box


def test_the_names_of_corrections_are_their_own():
    names = [row["name"] for row in corrections.collect(BOOK)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"correction-[a-z-]+", name) for name in names)


def test_the_notes_the_book_behind_them_and_the_articles_are_all_corrected():
    sources = " ".join(row["source"] for row in corrections.collect(BOOK))
    for source in ("原ノート", "saito2016`", "saito2016code", "ml4a", "radford", "fumio-initial"):
        assert source in sources
    for source in ("dc-okinawa", "mhayashi", "atmarkit-scaling"):
        assert source in sources


def test_what_was_shown_points_to_a_figure_an_equation_a_test_a_term_or_a_source():
    for row in corrections.collect(BOOK):
        assert re.search(r"\{(numref|eq|ref|term|cite:[pt])\}|`tests/|のコードの出力", row["shown"]), row
        for name in re.findall(r"`(tests/[\w/.]+)`", row["shown"]):
            assert (ROOT / name).is_file(), row


# --- glossary --------------------------------------------------------------------------------------------


def _entry(text):
    *terms, definition = text.splitlines()
    return terms, definition.strip()


_BLOCKS = re.findall(r"^```\{glossary\}\n(.*?)^```$", GLOSSARY, re.M | re.S)
ENTRIES = [_entry(entry) for block in _BLOCKS for entry in re.split(r"\n\n+", block.strip())]


@pytest.mark.parametrize(("terms", "definition"), ENTRIES, ids=lambda part: str(part)[:12])
def test_an_entry_gives_reading_english_and_what_it_is(terms, definition):
    reading, english, sentence = re.fullmatch(
        r"\((?:([ぁ-ゖァ-ヺー]+)、)?([\w' .-]+)\)(.+)", definition
    ).groups()
    assert english.isascii()
    if KANJI.search(terms[0]) or terms[0][0].isascii():
        assert reading
    assert sentence.endswith("。")
    assert 1 <= sentence.count("。") <= 4


def test_no_term_is_explained_twice():
    terms = [term.split(" : ")[0] for terms, _ in ENTRIES for term in terms]
    assert len(terms) == len(set(terms)) > 80


def test_every_term_of_an_entry_can_be_sorted_by_its_reading():
    for terms, _ in ENTRIES:
        for term in terms[1:]:
            word, _, reading = term.partition(" : ")
            assert reading or not KANJI.match(word), word


def test_a_term_is_found_where_a_word_begins_and_ends():
    words = first_use.pattern(["慣性", "モーメント", "モーメンタム", "Adam", "ReLU", "死んだ ReLU", "層"])

    def found(text):
        return [match[0] for match in words.finditer(text)]

    assert found("慣性と、慣性項と、前慣性") == ["慣性"]
    assert found("モーメンタム法とモーメンタムズ") == ["モーメンタム"]
    assert found("Adam は AdamW ではない") == ["Adam"]
    assert found("死んだ ReLU と ReLU") == ["死んだ ReLU", "ReLU"]
    assert found("一層の努力と 2 層の網") == ["層"]


# --- a small book ----------------------------------------------------------------------------------------

CONF = """
import sys
sys.path.insert(0, {ext!r})
project, language = "小さな本", "ja"
extensions = ["myst_parser", "sphinx_exercise", "sphinxcontrib.bibtex", "rebuilding.rewriting"]
extensions += ["reading.corrections", "reading.first_use", "reading.numbering", "reading.japanese_index"]
bibtex_bibfiles = []
myst_enable_extensions = ["dollarmath", "deflist"]
numfig, math_numfig, numfig_secnum_depth = True, True, 1
numfig_format = {{"figure": "図 %s", "exercise": "演習 %s"}}
math_eqref_format = "式 ({{number}})"
html_theme = "basic"
"""
PAGES = {
    "index": """
# 本

```{toctree}
:numbered:

01-first
```

```{toctree}
:numbered:

extra
corrections
```

```{toctree}
glossary
```
""",
    "01-first": """
# 勾配の章

勾配消失と、`勾配` と、$勾配$ のあとの勾配です。もう 1 度、勾配と言います。

{term}`鞍点` の前に、鞍点は出てきません。SGD と確率的勾配降下法は同じものです。

```{index} 勾配; 例, Zebra
```

## 訂正

```{correction} 「$x$ は正」ではありません
:name: correction-positive
:source: 原ノート 1 節
:stood: $x$ は正
:right: 0 にもなる({eq}`eq-one`)
:shown: 証明
学習率の話です。
```

```{math}
:label: eq-one
x = 1
```

```{exercise}
:label: ex-one
慣性を求めてください。
```

```{solution} ex-one
:class: dropdown
慣性と学習率です。
```
""",
    "extra": """
# 付録の章

```{math}
:label: eq-two
y = 2
```

{eq}`eq-one`、{eq}`eq-two`、{ref}`ex-one`。
""",
    "corrections": """
# 一覧

```{corrections} 01-first
```

```{correction} $E$ には式がありません
:name: correction-loss
:source: 原ノート 2 節
:stood: $E$
:right: {eq}`eq-one`
:shown: 定義
```

[あとの訂正](#correction-loss)と[はじめの訂正](#correction-positive)。
""",
    "glossary": """
# 用語

```{glossary}
確率的勾配降下法
SGD
  (かくりつ、stochastic gradient descent)方法。

勾配
  (こうばい、gradient)坂。

鞍点
  (あんてん、saddle point)点。

慣性
  (かんせい、momentum)数。
```
""",
}


def build(folder):
    # the sources and the output side by side, as in the real book
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "book", "html"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    (folder / "book").mkdir()
    (folder / "book" / "conf.py").write_text(CONF.format(ext=str(BOOK / "_ext")), encoding="utf-8")
    for name, text in PAGES.items():
        (folder / "book" / f"{name}.md").write_text(text.lstrip(), encoding="utf-8")
    result = build(folder)
    assert result.returncode == 0, result.stderr
    return folder


def page(folder, name):
    return BeautifulSoup((folder / "html" / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def linked(soup):
    return [link.get_text() for link in soup.select("a.glossary-link")]


def test_the_first_use_of_a_term_is_linked_and_only_that(small):
    first = page(small, "01-first")
    # not inside 勾配消失, code or mathematics; SGD counts for 確率的勾配降下法; nothing in titles and solutions
    assert linked(first) == ["勾配", "鞍点", "SGD", "慣性"]
    paragraph = first.find("p")
    assert paragraph.get_text().startswith("勾配消失と")
    assert paragraph.find("a").previous_sibling.endswith(" のあとの")
    assert first.select("a.glossary-link")[0]["href"] == "glossary.html#term-1"
    assert linked(page(small, "glossary")) == []


def test_the_list_of_corrections_is_collected(small):
    first, listed = page(small, "01-first"), page(small, "corrections")
    [box] = first.select("div.admonition.correction")
    assert box["id"] == "correction-positive"
    of_the_chapter, of_the_list = listed.select("dl.corrections")
    assert of_the_chapter.select_one("dt a")["href"] == "01-first.html#correction-positive"
    assert of_the_list.select_one("dt")["id"] == "correction-loss"
    for entry in (of_the_chapter, of_the_list):
        assert [d.get_text().split("\u3000")[0] for d in entry.select("dd")] == [
            "どこに", "書いてあったこと", "正しくは", "示し方",
        ]  # fmt: skip
        assert entry.select("dd")[2].select_one("a")["href"] == "01-first.html#equation-eq-one"
    links = [link["href"] for link in listed.select("section > p > a")]
    assert links == ["#correction-loss", "01-first.html#correction-positive"]


def test_appendices_are_lettered_and_solutions_named_after_their_exercises(small):
    extra = page(small, "extra")
    assert extra.find("h1").get_text().startswith("A. 付録の章")
    assert extra.select_one(".eqno").get_text().startswith("(A.1)")
    [paragraph] = [p for p in extra.select("p") if "、" in p.get_text()]
    assert paragraph.get_text() == "式 (1.1)、式 (A.1)、演習 1.1。"
    titles = [title.get_text().strip() for title in page(small, "01-first").select(".admonition-title")]
    assert titles[1:] == ["演習 1.1", "演習 1.1 の解答"]


def test_the_index_is_in_the_order_of_the_japanese_syllabary(small):
    index = page(small, "genindex")
    assert [heading.get_text() for heading in index.select("h2")] == ["S", "Z", "あ", "か"]
    words = [item.find("a").get_text(strip=True) for item in index.select("table.indextable td > ul > li")]
    assert words == ["SGD", "Zebra", "鞍点", "確率的勾配降下法", "慣性", "勾配"]


def test_a_new_term_reaches_a_page_that_did_not_change(small, tmp_path):
    copy = shutil.copytree(small, tmp_path / "small")
    glossary = copy / "book" / "glossary.md"
    text = glossary.read_text(encoding="utf-8")
    glossary.write_text(text.replace("勾配\n  (", "勾配\n勾配消失\n  ("), encoding="utf-8")
    result = build(copy)
    assert result.returncode == 0, result.stderr
    assert linked(page(copy, "01-first"))[:1] == ["勾配消失"]
    assert linked(page(copy, "01-first"))[1:] == ["鞍点", "SGD", "慣性"]


def test_a_correction_without_all_of_its_columns_is_an_error(small, tmp_path):
    copy = shutil.copytree(small, tmp_path / "small")
    chapter = copy / "book" / "01-first.md"
    text = chapter.read_text(encoding="utf-8")
    chapter.write_text(text.replace(":shown: 証明\n", ""), encoding="utf-8")
    result = build(copy)
    assert result.returncode != 0
    assert ":shown: がありません" in result.stderr


def test_the_boxes_of_a_page_without_any_cannot_be_listed(small, tmp_path):
    copy = shutil.copytree(small, tmp_path / "small")
    listed = copy / "book" / "corrections.md"
    text = listed.read_text(encoding="utf-8")
    listed.write_text(text.replace("{corrections} 01-first", "{corrections} extra"), encoding="utf-8")
    result = build(copy)
    assert result.returncode != 0
    assert "extra に、訂正の囲みがありません" in result.stderr


# --- index -----------------------------------------------------------------------------------------------


def test_every_word_in_the_index_directives_can_be_sorted():
    reading = japanese_index.readings(GLOSSARY)
    keys = {term.split(" : ")[0] for terms, _ in ENTRIES for term in terms if " : " in term}
    for path in sorted(BOOK.glob("*.md")):
        for line in re.findall(r"^```\{index\} (.+)$", path.read_text(encoding="utf-8"), re.M):
            for word in (entry.split(";")[0].strip() for entry in line.split(",")):
                assert word in reading or word in keys or not KANJI.match(word), (path.name, word)


def test_readings_sort_voiced_and_small_letters_with_the_plain_ones():
    words = [("学習率", "がくしゅうりつ"), ("確率", "かくりつ"), ("バッチ", None), ("ハイパー", None)]
    keys = [japanese_index.place(*word) for word in words]
    assert [row for row, _ in keys] == ["か", "か", "は", "は"]
    order = sorted(range(4), key=lambda number: keys[number][1])
    assert [words[number][0] for number in order] == ["学習率", "確率", "ハイパー", "バッチ"]
    assert all(a < b for a, b in itertools.pairwise(keys[number][1] for number in order))
