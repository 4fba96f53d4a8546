"""Histograms on a page: the figure, its settings and its scripts, what reads the page again, and what is an error."""

import json
import re

import pytest

from living import histograms
from small_book import SmallBook

PAGE = """# Page

```{{histograms}} play-layers
:activations: {activations}
{more}
動かす $x$ の図。

止まった画面の文。
```
"""


class Book(SmallBook):
    """A small book with one figure and copies of the pages whose equations it uses."""

    def __init__(self, folder):
        super().__init__(
            folder, "histograms", ["01-descent", "07-overfitting", "08-initial-values", "09-batchnorm"]
        )
        self.page()

    def page(self, activations="tanh relu", more="", after=""):
        self.write("book/index.md", PAGE.format(activations=activations, more=more) + after)


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path)


def test_a_page_gets_the_figure_its_settings_and_the_scripts_once(book):
    book.page(more=":scale: xavier\n:scales: 0.01 he\n:batchnorm: before none\n:bias: -1..1")
    said, _ = book.build()
    assert said == []
    text = book.html()
    assert text.count('<figure class="histograms" id="play-layers">') == 1
    assert text.count("globalThis.fumotoLayers =") == text.count('(() => {\n"use strict";\n') == 1
    assert text.index("</figure>") < text.index("globalThis.fumotoLayers =") < text.index("// the front end")
    config = json.loads(re.search(r'class="histograms-config">(.+?)</script>', text)[1])
    assert (config["activations"], config["places"]) == (["tanh", "relu"], ["before", "none"])
    assert (config["scale"], config["marks"]) == ("xavier", [0.01, "he"])
    assert (config["low"], config["high"]) == (0.001, 10)
    assert config["bias"] == {"low": -1, "high": 1, "value": 0}
    for label in ("eq-affine-a", "eq-tanh", "eq-relu", "eq-xavier-std", "eq-he-std", "eq-batchnorm-scale"):
        assert label in text
    assert "eq-sigmoid" not in text
    assert "histograms.css" in text
    assert "histograms.css" not in book.html("other")


def test_the_figure_links_to_the_equations_it_runs_on(book):
    text = book.read("book/07-overfitting.md")
    block = re.search(r"```\{math\}\n:label: eq-relu\n.*?```\n(%[^\n]*\n)+", text, re.S)[0]
    book.edit("07-overfitting", block, "")
    book.page(after=f"\n{block}")
    assert book.build()[0] == []
    config = json.loads(re.search(r'class="histograms-config">(.+?)</script>', book.html())[1])
    [(label, [number, address])] = config["equations"].items()  # the other pages are not in this book
    assert (label, number) == ("eq-relu", "(1)")
    assert f'id="{address.removeprefix("#")}"' in book.html()


def test_only_an_equation_in_use_reads_the_page_again(book):
    book.build()
    before = book.html()
    assert book.build() == ([], [])
    book.edit("07-overfitting", r"y = \frac{1}{1 + \exp(-x)}", r"y = \frac{1}{1 + \exp(x)}")  # not in use
    book.edit("09-batchnorm", r"\gamma \hat{x}_i + \beta", r"\gamma \hat{x}_i - \beta")
    assert book.build() == ([], [])
    book.edit("07-overfitting", r"y = \max(0, x)", r"y = \min(0, x)")
    assert book.build()[1] == ["index"]
    assert "Math.max(0, x)" in before
    assert "Math.min(0, x)" in book.html()
    assert "Math.max(0, x)" not in book.html()


def test_a_new_front_end_and_a_new_sentence_read_the_page_again(book, monkeypatch):
    book.build()
    book.write("book/_static/histograms.js", "// another front end\n")
    assert book.build()[1] == ["index"]
    assert "// another front end" in book.html()
    monkeypatch.setattr(histograms.Histograms, "script", None)  # what is remembered is enough
    book.page(after="\nA sentence.\n")
    assert book.build()[1] == ["index"]
    assert "A sentence." in book.html()


def test_a_page_without_its_figure_is_forgotten(book):
    book.build()
    book.write("book/index.md", "# Page\n")
    book.build()
    assert "fumotoLayers" not in book.html()
    assert list((book.folder / "build/cache/histograms").iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"activations": "tanh gelu"},
            ":activations: の gelu という活性化関数はありません(あるのは sigmoid、tanh、",
        ),
        ({"activations": "tanh tanh"}, ":activations: に同じ活性化関数が 2 度あります: tanh tanh"),
        ({"activations": ""}, ":activations: に活性化関数を 1 つ以上書きます"),
        (
            {"more": ":batchnorm: front"},
            ":batchnorm: の front という置き場所はありません(あるのは none、before、after)",
        ),
        ({"more": ":scale: big"}, ":scale: の big は数でも、初期値の名前(xavier、he)でもありません"),
        ({"more": ":scales: 0.1 big"}, ":scales: の big は数でも、初期値の名前(xavier、he)でもありません"),
        ({"more": ":scale: 20"}, ":scale: の 20 が、つまみの範囲 0.001..10 に入っていません"),
        ({"more": ":range: 0.1"}, ":range: は「下端..上端」の形です: 0.1"),
        ({"more": ":range: 0..1"}, ":range: は正の数の範囲です(対数目盛なので): 0..1"),
        ({"more": ":range: 3..x"}, ":range: の x は数ではありません"),
        ({"more": ":range: 3..1"}, ":range: の下端が上端より小さくありません: 3..1"),
        ({"more": ":bias: 0.1..1"}, ":bias: の範囲に、はじめの値 0 が入っていません: 0.1..1"),
        ({"more": ":still: fig-no"}, ":still: の図 fig-no がこのページにありません"),
        ({"more": "- 項目\n"}, "中身は、図の説明の段落から始めます"),
    ],
)
def test_a_mistake_in_a_figure_is_one_error_with_page_and_line(book, changes, message):
    book.page(**changes)
    [said] = book.build()[0]
    assert re.search(r"index\.md:3: ", said)
    assert message in said


def test_an_equation_that_cannot_be_read_is_one_error(book):
    book.edit("07-overfitting", r"y = \max(0, x)", r"y = \foo(0, x)")
    [said] = book.build()[0]
    assert re.search(r"index\.md:3: .*分布の図を作れません: 07-overfitting\.md:\d+: ", said)


def test_the_figure_that_stands_in_moves_into_the_histograms(book):
    figure = "```{figure} picture.svg\n:name: fig-still\nA caption.\n```\n"
    book.write("book/picture.svg", '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>')
    book.page(more=":still: fig-still")
    book.edit("index", "# Page\n", f"# Page\n\n{figure}")
    assert book.build()[0] == []
    built = book.html()
    assert built.count("A caption.") == 1
    assert built.index('class="histograms"') < built.index("A caption.") < built.index("histograms-config")
