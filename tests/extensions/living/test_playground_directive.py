"""A playground on a page: the figure, its settings and its scripts, what reads the page again, and what is an error."""

import json
import re

import pytest

from fumoto.equations import read
from fumoto.figures import looks
from fumoto.javascript import labels_of, method_code, surface_code
from living import playground
from small_book import SmallBook

METHODS = ["SGD", "Momentum/notes", "Adam"]
EQUATIONS = read(labels=labels_of(["bowl"], METHODS))
SURFACE_CODE = {"bowl": surface_code("bowl", EQUATIONS)}
METHOD_CODE = {name: method_code(name, EQUATIONS) for name in METHODS}

PAGE = """# Page

```{{playground}} play-one
:surface: {surface}
:methods: SGD {method}
:switch: Momentum/notes
{more}
動かす $x$ の図。

止まった画面の文。
```
"""


class Book(SmallBook):
    """A small book with one playground and copies of the pages whose equations it uses."""

    def __init__(self, folder):
        super().__init__(folder, "playground", ["01-descent", "02-sgd", "03-momentum"])
        self.page()

    def page(self, surface="bowl", method="Momentum", more="", after=""):
        self.write("book/index.md", PAGE.format(surface=surface, method=method, more=more) + after)


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path)


def test_a_page_gets_the_figure_its_settings_and_the_scripts_once(book):
    book.page(more=":start: -3 1\n:values: eta=0.2\n:sliders: eta=0.01..1 steps")
    said, _ = book.build()
    assert said == []
    text = book.html()
    assert text.count('<figure class="playground" id="play-one">') == 1
    assert text.count("globalThis.fumoto =") == 1
    assert text.count('(() => {\n"use strict";\n') == 1
    assert text.index("</figure>") < text.index("globalThis.fumoto =") < text.index("// the front end")
    config = json.loads(re.search(r'class="playground-config">(.+?)</script>', text)[1])
    assert config["methods"] == config["on"] == ["SGD", "Momentum"]
    assert config["start"] == [-3.0, 1.0]
    assert config["values"] == {"eta": 0.2, "alpha": 0.9}
    assert config["sliders"]["eta"]["high"] == 1.0
    assert config["switch"] == [["Momentum", "Momentum/notes"]]
    for code in (SURFACE_CODE["bowl"], METHOD_CODE["SGD"], METHOD_CODE["Momentum/notes"]):
        assert code in text
    assert METHOD_CODE["Adam"] not in text
    assert '<figcaption><p><span class="caption-text">動かす ' in text.replace("\n", "")
    assert "playground.css" in text
    assert "playground.css" not in book.html("other")


def test_the_figure_links_to_the_equations_it_runs_on(book):
    equations = "\n".join(
        f"```{{math}}\n:label: eq-momentum-{left}\n{left}_{{t+1}} = {right}\n```\n"
        "% domain: w_t in R; v_t in R; v_{t+1} in R; g_t in R; \\alpha in [0, 1); \\eta in (0, 1]\n"
        for left, right in {"v": r"\alpha v_t - \eta g_t", "w": r"w_t + v_{t+1}"}.items()
    )
    book.write("book/03-momentum.md", f"# Momentum\n\n{equations}")
    page = book.read("book/index.md")
    book.write("book/index.md", f"{page}\n```{{toctree}}\n03-momentum\n```\n")
    book.build(numfig=True, math_numfig=True, math_eqref_format="式 ({number})", exclude_patterns=["0[12]*"])
    config = json.loads(re.search(r'class="playground-config">(.+?)</script>', book.html())[1])
    assert config["equations"] == {
        "eq-momentum-v": ["式 (1)", "03-momentum.html#equation-eq-momentum-v"],
        "eq-momentum-w": ["式 (2)", "03-momentum.html#equation-eq-momentum-w"],
    }
    html = book.html("03-momentum")
    assert all(f'id="{address.partition("#")[2]}"' in html for _, address in config["equations"].values())


def test_only_an_equation_in_use_reads_the_page_again(book):
    book.build()
    before = book.html()
    assert book.build() == ([], [])
    page = book.read("book/03-momentum.md")
    book.write("book/03-momentum.md", page.replace("(1 + \\alpha)", "(1 - \\alpha)") + "\nA sentence.\n")
    assert book.build() == ([], [])
    book.write("book/03-momentum.md", page.replace(r"\alpha v_t - \eta g_t", r"\alpha v_t + \eta g_t"))
    _, pages = book.build()
    assert pages == ["index"]
    assert "p.alpha*s.v - p.eta*g" in before
    assert "p.alpha*s.v + p.eta*g" in book.html()
    assert "p.alpha*s.v - p.eta*g" not in book.html()


def test_a_new_front_end_and_a_new_sentence_read_the_page_again(book, monkeypatch):
    book.build()
    book.write("book/_static/playground.js", "// another front end\n")
    assert book.build()[1] == ["index"]
    assert "// another front end" in book.html()
    monkeypatch.setattr(playground.Playground, "script", None)  # what is remembered is enough
    book.page(after="\nA sentence.\n")
    assert book.build()[1] == ["index"]
    assert "A sentence." in book.html()


def test_a_page_without_its_playground_is_forgotten(book):
    book.build()
    book.write("book/index.md", "# Page\n")
    book.build()
    assert "fumoto" not in book.html()
    assert list((book.folder / "build/cache/playground").iterdir()) == []


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
    ],
)
def test_a_mistake_in_a_playground_is_one_error_with_page_and_line(book, changes, message):
    book.page(**changes)
    said = book.build()[0]
    assert len(said) == 1, said
    assert re.search(r"index\.md:3: ", said[0])
    assert message in said[0]


def test_an_equation_that_cannot_be_read_is_one_error(book):
    page = book.read("book/03-momentum.md")
    book.write("book/03-momentum.md", page.replace(r"\alpha v_t - \eta g_t", r"\alpha v_t - \foo g_t"))
    [said] = book.build()[0]
    assert re.search(r"index\.md:3: .*動かせる図を作れません: 03-momentum\.md:\d+: ", said)


def test_the_figure_that_stands_in_moves_into_the_playground(book):
    figure = "```{figure} picture.svg\n:name: fig-still\nA caption.\n```\n"
    book.write("book/picture.svg", '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>')
    book.page(more=":still: fig-still")
    text = book.read("book/index.md")
    book.write("book/index.md", text.replace("# Page\n", f"# Page\n\n{figure}"))
    assert book.build()[0] == []
    built = book.html()
    assert built.count("A caption.") == 1
    assert built.index('class="playground"') < built.index("A caption.") < built.index("playground-config")


def test_another_look_is_another_page(book, monkeypatch):
    book.build()
    before = book.html()
    file = book.folder / "code/fumoto/figures/looks.py"
    file.write_text(file.read_text(encoding="utf-8") + "\n# another colour\n", encoding="utf-8")
    pink = looks.Look(looks.PINK, (0, (3, 4)), "s", "Q")
    monkeypatch.setitem(looks.METHOD_LOOKS, "Momentum", pink)
    _, pages = book.build()
    assert pages == ["index"]
    assert '"letter": "M", "dash": [6, 2], "light": {"color": "#0072B2"' in before
    assert '"letter": "Q", "dash": [3, 4], "light": {"color": "#CC79A7"' in book.html()
