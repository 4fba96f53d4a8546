"""What goes into the search index, and (where there is Node) what the search makes of a query.

The pages that must come first in the real book: tests/browser/test_search.py.
"""

import json
import shutil
import subprocess
from io import StringIO
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sphinx import addnodes
from sphinx.search import js_index

from built import BOOK
from reading.search_index import WORDS, SectionIndex, _key, page_weight, same_words, sections

# --- the index --------------------------------------------------------------------------------------------


def page(*children):
    """A page with the title 題 and these children."""
    document = new_document("page")
    document += section("題", *children)
    return document


def section(title, *children, id="top"):
    made = nodes.section(ids=[id])
    made += [nodes.title("", title), *children]
    return made


def sentence(*parts):
    made = nodes.paragraph()
    made += [nodes.Text(part) if isinstance(part, str) else part for part in parts]
    return made


def entry(word):
    return addnodes.index(entries=[("pair", word, "index-0", "", None)])


def table(*rows):
    body = nodes.tbody()
    for row in rows:
        body += nodes.row("", *(nodes.entry("", sentence(cell)) for cell in row))
    return nodes.table("", nodes.tgroup("", body, cols=len(rows[0])))


def test_a_page_is_cut_at_its_headings():
    document = page(
        sentence("はじめ。"), section("節", sentence("次の", nodes.strong("", "文"), "。"), id="next")
    )
    assert [(part["id"], part["title"], part["text"]) for part in sections(document, "01-page")] == [
        ("", "題", "はじめ。"),
        ("next", "節", "次の文。"),
    ]


def test_code_and_tables_are_kept_apart_from_the_sentences():
    code = nodes.literal_block("", "", nodes.inline("", "import"), nodes.Text(" numpy"))
    [part] = sections(page(sentence("文。"), code, table(["表の", "中"])), "01-page")
    assert (part["text"], part["data"]) == ("文。", "import numpy 表の 中")


def test_formulas_become_letters_and_widths_become_one():
    math = nodes.math("", r"\hat{\beta}_1 = 0.9")
    [part] = sections(page(sentence("Ｗｅｉｇｈｔ は ", math, "、ｱﾀﾞﾑ")), "01-page")
    assert part["text"] == "Weight は β_1 = 0.9、アダム"


def test_what_a_reader_does_not_see_is_left_out():
    hidden = [nodes.comment("", "注"), nodes.raw("", "<b>x</b>", format="html"), nodes.math_block("", "x")]
    contents = nodes.compound("", sentence("目次"), classes=["toctree-wrapper"])
    [part] = sections(page(*hidden, contents), "index")
    assert part["text"] == part["data"] == ""


def test_an_index_entry_belongs_to_the_text_after_it():
    document = page(
        sentence("前。"), entry("鞍点; 式"), section("あとの節", sentence("文。"), entry("余り"), id="next")
    )
    assert [part["index"] for part in sections(document, "01-page")] == [[], ["鞍点", "式"]]


def test_a_glossary_entry_and_a_row_of_symbols_are_places_of_their_own():
    term = nodes.term("", "鞍点", ids=["term-0"])
    item = nodes.definition_list_item("", term, nodes.definition("", sentence("峠。")))
    glossary = page(addnodes.glossary("", nodes.definition_list("", item)))
    assert sections(glossary, "glossary")[1] | {"weight": 0, "index": 0} == {
        "id": "term-0", "title": "鞍点", "text": "峠。", "data": "", "index": 0, "weight": 0,
    }  # fmt: skip
    greek = section("ギリシャ文字", table(["η", "学習率"]), id="greek")
    assert [(part["id"], part["title"], part["text"]) for part in sections(page(greek), "symbols")][2:] == [
        ("greek", "η", "学習率")
    ]


def test_exercises_and_corrections_weigh_less_with_all_they_contain():
    inner = section("間違い 1", sentence("文。"), id="inner")
    document = page(
        section("式", sentence("文。"), id="a"),
        section("原ノートの訂正", inner, id="b"),
        section("動かす", sentence("文。"), id="c"),
    )
    light = [part["weight"] < 1 for part in sections(document, "01-page")]
    assert light == [False, False, True, True, False]


def test_chapters_weigh_more_than_lists():
    weights = [page_weight(name) for name in ("01-descent", "09-batchnorm", "appendix-check", "glossary")]
    assert weights == sorted(weights, reverse=True) and len(set(weights)) == 4


def make_index(book, **documents):
    env = SimpleNamespace(toc_secnumbers={"01-page": {"": (1,)}}, doc2path=lambda name: f"{book}/{name}.md")
    index = SectionIndex(env)
    for name, document in documents.items():
        index.feed(name.replace("_", "-").lstrip("-"), "", "", document)
    return index


def test_an_index_that_was_written_is_read_back(tmp_path):
    index = make_index(tmp_path, _01_page=page(sentence("文。")), glossary=page())
    written = StringIO()
    index.dump(written, js_index)
    again = make_index(tmp_path)
    again.load(StringIO(written.getvalue()), js_index)
    assert again.pages == index.pages
    assert again.pages["01-page"]["number"] == "1"
    again.prune({"glossary"})
    assert list(again.pages) == ["glossary"]
    twice = StringIO()
    make_index(tmp_path, glossary=page(), _01_page=page(sentence("文。"))).dump(twice, js_index)
    assert twice.getvalue() == written.getvalue()  # in whatever order the pages were written


def test_an_index_of_sphinx_is_not_taken_for_ours(tmp_path):
    with pytest.raises(ValueError):
        make_index(tmp_path).load(StringIO('Search.setIndex({"docnames":[]})'), js_index)


# --- words that mean the same -----------------------------------------------------------------------------


def real_words():
    return same_words(WORDS.read_text(encoding="utf-8"), (BOOK / "glossary.md").read_text(encoding="utf-8"))


def test_a_glossary_entry_joins_the_list_it_is_in_and_no_other():
    lists = "モーメンタム、Momentum\n# 注\n\n損失、loss  # 注\n"
    glossary = (
        "```{glossary}\n慣性\n  (かんせい、momentum)説明。\n\n損失\n損失関数\n  (そんしつ、loss)説明。\n"
    )
    assert same_words(lists, glossary) == [
        ["モーメンタム", "Momentum"],
        ["損失", "loss", "損失関数", "そんしつ"],
        ["慣性", "かんせい"],
    ]


def test_no_word_is_in_two_groups():
    words = [_key(word) for group in real_words() for word in group]
    assert len(words) == len(set(words))


def test_every_group_leads_somewhere():
    text = _key("".join(path.read_text(encoding="utf-8") for path in sorted(BOOK.glob("*.md"))))
    assert [group for group in real_words() if not any(_key(word) in text for word in group)] == []


def test_every_term_of_the_glossary_is_known_with_its_english_name():
    groups = real_words()
    for term, english in {"鞍点": "saddle point", "勾配消失": "vanishing gradient"}.items():
        assert any({term, english} <= set(group) for group in groups)
    assert not [word for group in groups for word in group if not word.strip() or "`" in word]


# --- the search, in Node ----------------------------------------------------------------------------------

ASK = """
const lines = require("readline").createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const { index, queries } = JSON.parse(line);
  Search.setIndex(index);
  console.log(JSON.stringify(queries.map((query) => Search.search(query).results.map(
    ({ page, section }) => [page.name, section.title]))));
});
"""


@pytest.fixture(scope="module")
def ask():
    """``ask(index, *queries)``: for each query, the pages found and the sections shown, best first."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    script = (BOOK / "_static" / "search.js").read_text(encoding="utf-8") + ASK
    with subprocess.Popen(
        ["node", "-e", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:

        def asked(index, *queries):
            process.stdin.write(json.dumps({"index": index, "queries": queries}) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield asked
        process.stdin.close()


def book(*texts, words=(), **titled):
    """An index of pages without titles, and of titled ones, named as they are given."""
    pages = {str(number): ("", text) for number, text in enumerate(texts)}
    pages.update({name: (title, "") for name, title in titled.items()})

    def sections_of(title, text):
        document = page(sentence(text)) if text else page()
        [part] = sections(document, "01-page")
        return [{**part, "title": title}]

    return {
        "words": list(words),
        "pages": [
            {"name": name, "number": "", "weight": 1, "sections": sections_of(*content)}
            for name, content in pages.items()
        ],
    }


def found(results):
    return [[name for name, _ in result] for result in results]


@pytest.mark.parametrize(
    "text, queries",
    {
        "Adam は速い": ["Adam", "ａｄａｍ", "ADAM", "adam", "Ada", "Adam　速い", "Adamは速い"],
        "モーメンタム": ["モメンタム", "ﾓｰﾒﾝﾀﾑ", "もーめんたむ", "モーメン", "モ"],
        "モメンタム": ["モーメンタム"],
        "Batch Normalization": ["BatchNormalization", "batch-normalization", "batch normalization", "Norm"],
        "check_batchnorm を呼ぶ": ["check_batchnorm", "batchnorm", "check"],
        "Min-Max 正規化": ["MinMax正規化", "min-max", "正"],
        "学習率 η を": ["η", "学習率η", "学 率"],
        "0.01 にする": ["0.01", "０．０１"],
        "(C++) [x*]": ["C++", "[x*]", "("],
    }.items(),
)
def test_found_however_it_is_typed(ask, text, queries):
    assert found(ask(book(text), *queries)) == [["0"]] * len(queries)


@pytest.mark.parametrize(
    "text, queries",
    {
        "the when": ["he", "hen"],
        "AdaGrad": ["grad", "rad"],
        "Batch Normalization": ["Ba", "BN"],
        "0.013 と 10.01": ["0.01", "01", "1", "0", "10", "0.0"],
        "モーメンタム": ["モーメンタル", "アダム", "モータム"],
        "学習": ["習学", "学習率", "学習 率"],
        "何でも": ["", " ", "ー", "_", "-", "・", "\\"],
    }.items(),
)
def test_not_found_by_something_else(ask, text, queries):
    assert found(ask(book(text), *queries)) == [[]] * len(queries)


def test_words_that_mean_the_same_find_each_other(ask):
    words = [
        ["Xavier", "ザビエル", "グロロット"],
        ["ReLU", "レル"],
        ["層", "そう"],
        ["He の初期値", "Kaiming"],
    ]
    index = book("Xavier の初期値", "パラレルな層", "ReLU の層", "He の初期値。the", words=words)
    asked = [
        "ザビエル",
        "ザビエルの初期値",
        "グロロット 初期値",
        "レル",
        "そう",
        "Kaiming",
        "Heの初期値",
        "ReLUの層",
    ]
    assert found(ask(index, *asked)) == [["0"], ["0"], ["0"], ["2"], ["1", "2"], ["3"], ["3"], ["2"]]


def test_all_words_must_be_on_the_page(ask):
    index = book("Adam と学習率", "Adam だけ", "学習率だけ")
    assert found(ask(index, "Adam 学習率", "学習率　Adam", "Adam 量子")) == [["0"], ["0"], []]


def test_words_that_do_not_stand_together_are_looked_for_one_by_one(ask):
    index = book("Adam には学習率がある", "Adam", words=[["重み", "weight"]])
    assert found(ask(index, "Adamの学習率", "どうしてAdamは学習率を", "どうして")) == [["0"], ["0"], []]


def test_a_title_counts_more_than_the_text_and_a_whole_title_more_than_a_part(ask):
    index = book("鞍点" * 100, part="鞍点から抜ける速さ", whole="鞍点")
    assert found(ask(index, "鞍点")) == [["whole", "part", "0"]]


def test_an_index_entry_counts_more_than_the_text_and_less_than_a_heading(ask):
    index = book("鞍点" * 3, "鞍点" * 3, "鞍点" * 3)
    for place, part in enumerate(index["pages"]):
        part["sections"].insert(0, {**part["sections"][0], "text": "題のところ"})
        part["sections"][1].update({1: {"index": ["鞍点"]}, 2: {"title": "鞍点"}}.get(place, {}))
    assert found(ask(index, "鞍点")) == [["2", "1", "0"]]


def test_the_title_of_a_page_counts_more_than_that_of_a_section(ask):
    index = book(section="題", page="鞍点を通って山を下りる道の話")
    index["pages"][0]["sections"].append({**index["pages"][0]["sections"][0], "title": "鞍点"})
    assert found(ask(index, "鞍点")) == [["page", "section"]]


def test_the_longest_of_the_words_that_mean_the_same_is_seen_in_a_title(ask):
    index = book(part="損失の式", whole="損失関数", words=[["損失", "損失関数"]])
    assert found(ask(index, "損失")) == [["whole", "part"]]


def test_light_pages_code_and_light_sections_come_later(ask):
    index = book("鞍点", "鞍点", "鞍点", "鞍点")
    sections_of = [part["sections"][0] for part in index["pages"]]
    sections_of[0]["weight"] = 0.2
    sections_of[1].update(text="", data="鞍点")
    index["pages"][2]["weight"] = 0.5
    assert found(ask(index, "鞍点")) == [["3", "2", "1", "0"]]


LETTERS = st.text("あかんっアダムーﾊﾞｱ谷麓過学習率AdamBNＡｄ019ηβ()、。・_- ", min_size=1, max_size=12)
FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)} | {" ": "　"})


@given(LETTERS, st.sampled_from([str, str.upper, str.lower, lambda text: text.translate(FULL_WIDTH)]))
@settings(max_examples=200, deadline=None)
def test_any_text_is_found_by_typing_it(ask, text, typed):
    """Python made the index, JavaScript reads the query: they agree on what is the same letter."""
    assume(_key(text).strip("ﾞﾟ\u3099\u309a"))
    assert found(ask(book(f"前「{text}」後"), typed(text))) == [["0"]], text


@given(st.text(max_size=30))
@settings(max_examples=200, deadline=None)
def test_anything_can_be_typed(ask, query):
    words = [["Xavier", "ザビエル"]]
    assert ask(book("Xavier の初期値", "(*[\\", words=words), query, f"Xavier{query}", f"{query} ザビエル")


def test_the_words_of_the_real_book_all_work(ask):
    """Each word finds what another word of its group finds: none hides behind a longer or shorter one."""
    groups = real_words()
    for group in groups:
        results = ask(book(*group, words=groups), *group)
        assert all(
            sorted(result) == sorted(results[0]) and len(result) == len(group) for result in results
        ), group
