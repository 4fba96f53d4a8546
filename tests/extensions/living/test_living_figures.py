"""The playgrounds and the histograms on a page: small books are really built with them."""

import json
import re
from pathlib import Path

import pytest

from fumoto.figures import looks
from fumoto.printed import read
from fumoto.printed.playground import labels_of, method_code, surface_code
from living import histograms, playground
from small_book import SmallBook

ROOT = Path(__file__).resolve().parents[3]
PLAYGROUND = """# Page

```{{playground}} play-one
:surface: {surface}
:methods: SGD {method}
:switch: Momentum/notes
{more}
動かす $x$ の図。

止まった画面の文。
```
"""
HISTOGRAMS = """# Page

```{{histograms}} play-layers
:activations: {activations}
{more}
動かす $x$ の図。

止まった画面の文。
```
"""


class LivingBook(SmallBook):
    """A small book whose first page has one living figure, with copies of the pages whose equations it uses."""

    def page(self, after="", **changes):
        self.write("book/index.md", self.text.format(**{**self.options, "more": "", **changes}) + after)

    def config(self):
        """The settings that the page hands to the figure's script."""
        return json.loads(re.search(rf'class="{self.extension}-config">(.+?)</script>', self.html())[1])


class PlaygroundBook(LivingBook):
    text, options = PLAYGROUND, {"surface": "bowl", "method": "Momentum"}
    name, script, front_end = "play-one", "globalThis.fumoto =", playground.Playground
    unreadable = "03-momentum", r"\alpha v_t - \eta g_t", r"\alpha v_t - \foo g_t"
    called = "動かせる図"

    def __init__(self, folder):
        super().__init__(folder, "playground", ["01-descent", "02-sgd", "03-momentum"])
        self.page()


class HistogramsBook(LivingBook):
    text, options = HISTOGRAMS, {"activations": "tanh relu"}
    name, script, front_end = "play-layers", "globalThis.fumotoLayers =", histograms.Histograms
    unreadable = "08-initial-values", r"y = \max(0, a)", r"y = \foo(0, a)"
    called = "分布の図"

    def __init__(self, folder):
        pages = ["01-descent", "08-initial-values", "09-batchnorm"]
        super().__init__(folder, "histograms", pages)
        self.page()


@pytest.fixture
def played(tmp_path):
    return PlaygroundBook(tmp_path)


@pytest.fixture
def layers(tmp_path):
    return HistogramsBook(tmp_path)


@pytest.fixture(params=[PlaygroundBook, HistogramsBook], ids=["playground", "histograms"])
def book(request, tmp_path):
    return request.param(tmp_path)


# --- both kinds -------------------------------------------------------------------------------------------


def test_a_page_gets_the_figure_and_the_scripts_once(book):
    assert book.build()[0] == []
    text = book.html()
    assert text.count(f'<figure class="{book.extension}" id="{book.name}">') == 1
    assert text.count(book.script) == text.count('(() => {\n"use strict";\n') == 1
    assert text.index("</figure>") < text.index(book.script) < text.index("// the front end")
    assert '<figcaption><p><span class="caption-text">動かす ' in text.replace("\n", "")
    assert f"{book.extension}.css" in text
    assert f"{book.extension}.css" not in book.html("other")


def test_a_new_front_end_and_a_new_sentence_read_the_page_again(book, monkeypatch):
    book.build()
    book.write(f"book/_static/{book.extension}.js", "// another front end\n")
    assert book.build()[1] == ["index"]
    assert "// another front end" in book.html()
    monkeypatch.setattr(book.front_end, "script", None)  # what is remembered is enough
    book.page(after="\nA sentence.\n")
    assert book.build()[1] == ["index"]
    assert "A sentence." in book.html()


@pytest.mark.parametrize("module", ["symbols", "javascript"])
def test_another_way_to_write_the_script_reads_the_page_again(book, module):
    book.build()
    file = f"code/fumoto/printed/{module}.py"
    book.write(file, book.read(file) + "\n# another way\n")
    assert book.build()[1] == ["index"]


def test_a_page_without_its_figure_is_forgotten(book):
    book.build()
    book.write("book/index.md", "# Page\n")
    book.build()
    assert "fumoto" not in book.html()
    assert list((book.folder / f"build/cache/{book.extension}").iterdir()) == []


def test_an_equation_that_cannot_be_read_is_one_error(book):
    book.edit(*book.unreadable)
    [said] = book.build()[0]
    page = book.unreadable[0]
    assert re.search(rf"index\.md:3: .*{book.called}を作れません: {page}\.md:\d+: ", said)


def test_the_figure_that_stands_in_moves_into_the_living_one(book):
    figure = "```{figure} picture.svg\n:name: fig-still\nA caption.\n```\n"
    book.write("book/picture.svg", '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>')
    book.page(more=":still: fig-still")
    book.edit("index", "# Page\n", f"# Page\n\n{figure}")
    assert book.build()[0] == []
    built = book.html()
    assert built.count("A caption.") == 1
    start, end = (built.index(text) for text in (f'class="{book.extension}"', f"{book.extension}-config"))
    assert start < built.index("A caption.") < end


def one_error(book, changes, message):
    """The page with these changes is refused once, with page, line and this message."""
    book.page(**changes)
    said = book.build()[0]
    assert len(said) == 1, said
    assert re.search(r"index\.md:3: ", said[0])
    assert message in said[0]


# --- the playground ---------------------------------------------------------------------------------------


def test_a_playground_has_its_settings_and_only_the_code_it_uses(played):
    played.page(more=":start: -3 1\n:values: eta=0.2\n:sliders: eta=0.01..1 steps")
    assert played.build()[0] == []
    text = played.html()
    config = played.config()
    assert config["methods"] == config["on"] == ["SGD", "Momentum"]
    assert config["start"] == [-3.0, 1.0]
    assert config["values"] == {"eta": 0.2, "alpha": 0.9}
    assert config["sliders"]["eta"]["high"] == 1.0
    assert config["switch"] == [["Momentum", "Momentum/notes"]]
    equations = read(labels=labels_of(["bowl"], ["SGD", "Momentum/notes", "Adam"]))
    assert surface_code("bowl", equations) in text
    for name in ("SGD", "Momentum/notes", "Adam"):
        assert (method_code(name, equations) in text) == (name != "Adam")


def test_a_constant_of_the_surface_is_a_slider_and_the_roots_are_asked_for(played):
    played.page(surface="narrow", more=":roots: on\n:values: kappa=50\n:sliders: kappa=1..80 alpha")
    assert played.build()[0] == []
    config = played.config()
    assert config["roots"] is True
    assert config["values"] == {"kappa": 50, "eta": 0.1, "alpha": 0.9}
    assert (config["sliders"]["kappa"]["low"], config["sliders"]["kappa"]["high"]) == (1, 80)
    assert "p.kappa" in played.html()


def test_a_playground_links_to_the_equations_it_runs_on(played):
    equations = "\n".join(
        f"```{{math}}\n:label: eq-momentum-{left}\n{left}_{{t+1}} = {right}\n```\n"
        "% domain: w_t in R; v_t in R; v_{t+1} in R; g_t in R; \\alpha in [0, 1); \\eta in (0, 1]\n"
        for left, right in {"v": r"\alpha v_t - \eta g_t", "w": r"w_t + v_{t+1}"}.items()
    )
    played.write("book/03-momentum.md", f"# Momentum\n\n{equations}")
    page = played.read("book/index.md")
    played.write("book/index.md", f"{page}\n```{{toctree}}\n03-momentum\n```\n")
    played.build(
        numfig=True, math_numfig=True, math_eqref_format="式 ({number})", exclude_patterns=["0[12]*"]
    )
    config = played.config()
    assert config["equations"] == {
        "eq-momentum-v": ["式 (1)", "03-momentum.html#equation-eq-momentum-v"],
        "eq-momentum-w": ["式 (2)", "03-momentum.html#equation-eq-momentum-w"],
    }
    html = played.html("03-momentum")
    assert all(f'id="{address.partition("#")[2]}"' in html for _, address in config["equations"].values())


def test_only_an_equation_in_use_by_a_playground_reads_the_page_again(played):
    played.build()
    before = played.html()
    assert played.build() == ([], [])
    page = played.read("book/03-momentum.md")
    played.write("book/03-momentum.md", page.replace("(1 + \\alpha)", "(1 - \\alpha)") + "\nA sentence.\n")
    assert played.build() == ([], [])
    played.write("book/03-momentum.md", page.replace(r"\alpha v_t - \eta g_t", r"\alpha v_t + \eta g_t"))
    _, pages = played.build()
    assert pages == ["index"]
    assert "p.alpha*s.v - p.eta*g" in before
    assert "p.alpha*s.v + p.eta*g" in played.html()
    assert "p.alpha*s.v - p.eta*g" not in played.html()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "Momentun"}, ":methods: の Momentun という手法はありません(あるのは SGD、Momentum、"),
        ({"surface": "bowel"}, ":surface: の bowel という地形はありません(あるのは bowl、"),
        ({"more": ":steps: many"}, ":steps: は 1 以上の整数です: many"),
        ({"more": ":start: 1"}, ":start: の座標は 2 つです: 1"),
        ({"more": ":start: 1 up"}, ":start: の up は数ではありません"),
        ({"more": ":values: rho=0.9"}, ":values: の rho はこの図で使いません(使うのは eta、alpha)"),
        ({"more": ":sliders: rho"}, ":sliders: の rho はこの図で使いません"),
        ({"more": ":sliders: eta=0.2..1"}, ":sliders: の eta の範囲に、はじめの値 0.1 が入っていません"),
        ({"more": ":surfaces: bowl hollow"}, ":surfaces: の次元がそろっていません: bowl hollow"),
        ({"more": ":on: Adam"}, ":on: の Adam が :methods: にも :switch: にもありません"),
        ({"method": "Adam"}, ":switch: の Momentum/notes は、:methods: の手法を書きかえたものではありません"),
        ({"more": ":still: fig-no"}, ":still: の図 fig-no がこのページにありません"),
        ({"more": "- 項目\n"}, "中身は、図の説明の段落から始めます"),
        ({"more": ":roots: off"}, ":roots: は on と書くか、省きます: off"),
        ({"more": ":roots: on", "surface": "ravine"}, ":roots: は、1 歩が線形なときだけです: ravine"),
        ({"more": ":roots: on", "method": "Momentum Adam"}, ":roots: は、1 歩が線形なときだけです: Adam"),
    ],
)
def test_a_mistake_in_a_playground_is_one_error_with_page_and_line(played, changes, message):
    one_error(played, changes, message)


def test_another_look_is_another_page(played, monkeypatch):
    played.build()
    before = played.html()
    file = played.folder / "code/fumoto/figures/looks.py"
    file.write_text(file.read_text(encoding="utf-8") + "\n# another colour\n", encoding="utf-8")
    pink = looks.Look(looks.PINK, (0, (3, 4)), "s", "Q")
    monkeypatch.setitem(looks.METHOD_LOOKS, "Momentum", pink)
    _, pages = played.build()
    assert pages == ["index"]
    assert '"letter": "M", "dash": [6, 2], "light": {"color": "#0072B2"' in before
    assert '"letter": "Q", "dash": [3, 4], "light": {"color": "#CC79A7"' in played.html()


def test_neither_script_nor_style_knows_a_colour_of_a_method():
    static = "".join(
        (ROOT / "book/_static" / f"playground.{kind}").read_text("utf-8") for kind in ("js", "css")
    )
    assert "#a5210b" in static.lower()  # what other colours look like
    for look in looks.METHOD_LOOKS.values():
        for color in {look.color, look.on_dark} - {looks.BLACK}:
            assert color.lower() not in static.lower()


# --- the histograms ---------------------------------------------------------------------------------------


def test_histograms_have_their_settings_and_only_the_code_they_use(layers):
    layers.page(more=":scale: xavier\n:scales: 0.01 he\n:batchnorm: before none\n:bias: -1..1")
    assert layers.build()[0] == []
    text = layers.html()
    config = layers.config()
    assert (config["activations"], config["places"]) == (["tanh", "relu"], ["before", "none"])
    assert (config["scale"], config["marks"]) == ("xavier", [0.01, "he"])
    assert (config["low"], config["high"]) == (0.001, 10)
    assert config["bias"] == {"low": -1, "high": 1, "value": 0}
    for label in ("eq-affine-a", "eq-tanh", "eq-relu", "eq-xavier-std", "eq-he-std", "eq-batchnorm-scale"):
        assert label in text
    assert "eq-sigmoid" not in text


def test_histograms_link_to_the_equations_they_run_on(layers):
    text = layers.read("book/08-initial-values.md")
    block = re.search(r"```\{math\}\n:label: eq-relu\n.*?```\n(%[^\n]*\n)+", text, re.S)[0]
    layers.edit("08-initial-values", block, "")
    layers.page(after=f"\n{block}")
    assert layers.build()[0] == []
    config = layers.config()
    [(label, [number, address])] = config["equations"].items()  # the other pages are not in this book
    assert (label, number) == ("eq-relu", "(1)")
    assert f'id="{address.removeprefix("#")}"' in layers.html()


def test_only_an_equation_in_use_by_histograms_reads_the_page_again(layers):
    layers.build()
    before = layers.html()
    assert layers.build() == ([], [])
    layers.edit(
        "08-initial-values", r"y = \frac{1}{1 + \exp(-a)}", r"y = \frac{1}{1 + \exp(a)}"
    )  # not in use
    layers.edit("09-batchnorm", r"\gamma \hat{x}_i + \beta", r"\gamma \hat{x}_i - \beta")
    assert layers.build() == ([], [])
    layers.edit("08-initial-values", r"y = \max(0, a)", r"y = \min(0, a)")
    assert layers.build()[1] == ["index"]
    assert "Math.max(0, x)" in before
    assert "Math.min(0, x)" in layers.html()
    assert "Math.max(0, x)" not in layers.html()


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
def test_a_mistake_in_histograms_is_one_error_with_page_and_line(layers, changes, message):
    one_error(layers, changes, message)
