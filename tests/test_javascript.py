"""The JavaScript of the playgrounds is the printed equations: evaluated here, and in Node where there is one."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import playground
import pytest

from fumoto.equations import EquationError, parse, read
from fumoto.figures import looks
from fumoto.javascript import (
    PLAYED,
    SURFACES,
    labels_of,
    look_of,
    method_code,
    script,
    surface_code,
    symbols_of,
)
from played import STEPS, VALUES, python_path, same_path
from small_book import SmallBook

ROOT = Path(__file__).resolve().parents[1]
EQUATIONS = read(labels=labels_of(SURFACES, PLAYED))
SURFACE_CODE = {name: surface_code(name, EQUATIONS) for name in SURFACES}
METHOD_CODE = {name: method_code(name, EQUATIONS) for name in PLAYED}
SCRIPT = script(SURFACE_CODE, METHOD_CODE)

# --- evaluated in Python ----------------------------------------------------------------------------------


def _pow(base, exponent):
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return math.inf


MATH = {"Math": SimpleNamespace(pow=_pow, sqrt=math.sqrt, exp=math.exp, sin=math.sin, cos=math.cos)}


def evaluated(code):
    """The functions of generated code, by an evaluator of the few things that occur in it."""
    if "step:" not in code:
        value = compile(re.search(r"value: \(x\) => (.+),$", code, re.M)[1], "value", "eval")
        gradient = compile(re.search(r"gradient: \(x\) => (.+),$", code, re.M)[1], "gradient", "eval")
        return (lambda x: eval(value, MATH, {"x": x})), (lambda x: eval(gradient, MATH, {"x": x}))
    lines = [(name, compile(right, name, "eval")) for name, right in CONST.findall(code)]
    result = dict(pair.split(": ") for pair in re.search(r"return \{(.+)\};", code)[1].split(", "))

    def step(w, g, s, p):
        known = {"w": w, "g": g, "s": SimpleNamespace(**s), "p": SimpleNamespace(**p)}
        for name, right in lines:
            known[name] = eval(right, MATH, known)
        return {state: known[name] for state, name in result.items()}

    return step


CONST = re.compile(r"const (\w+) = (.+?);(?: // \S+)?$", re.M)


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("method", PLAYED)
def test_generated_code_takes_the_path_of_the_code(surface, method):
    _, gradient = evaluated(SURFACE_CODE[surface])
    step = evaluated(METHOD_CODE[method])
    states = json.loads(re.search(r"states: (.+),$", METHOD_CODE[method], re.M)[1])
    w = list(SURFACES[surface].surface.start)
    s = [dict.fromkeys(states, 0.0) for _ in w]
    path = [list(w)]
    for t in range(1, STEPS + 1):
        try:
            new = [step(*each, {**VALUES, "t": t}) for each in zip(w, gradient(w), s, strict=True)]
        except (ArithmeticError, ValueError):  # where JavaScript goes on with Infinity and NaN
            new = [{"w": math.nan, **s[0]} for _ in w]
        w, s = [each["w"] for each in new], new
        path.append(list(w))
    same_path(np.array(path), python_path(surface, method))


@pytest.mark.parametrize("name", SURFACES)
def test_value_and_gradient_are_those_of_the_surface(name, rng):
    value, gradient = evaluated(SURFACE_CODE[name])
    surface = SURFACES[name].surface
    for _ in range(50):
        w = rng.uniform(-3, 3, len(surface.start))
        np.testing.assert_allclose(value(w), surface(w), rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(gradient(w), surface.gradient(w), rtol=1e-12, atol=1e-13)


# --- run in Node ------------------------------------------------------------------------------------------

PLAYER = """
const {surfaces, methods} = globalThis.fumoto, paths = {};
for (const [surface, {start, gradient}] of Object.entries(surfaces)) {
  for (const [method, {states, step}] of Object.entries(methods)) {
    let w = start, s = w.map(() => Object.fromEntries(states.map((name) => [name, 0])));
    const path = [w];
    for (let t = 1; t <= STEPS; t++) {
      const g = gradient(w);
      s = w.map((_, i) => step(w[i], g[i], s[i], {...VALUES, t}));
      w = s.map((each) => each.w);
      path.push(w.map(String));
    }
    paths[`${surface} ${method}`] = path;
  }
}
console.log(JSON.stringify(paths));
"""


@pytest.fixture(scope="module")
def node_paths():
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed: the generated code is evaluated in Python only")
    program = f"const STEPS = {STEPS}, VALUES = {json.dumps(VALUES)};\n{SCRIPT}\n{PLAYER}"
    done = subprocess.run([node], input=program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("method", PLAYED)
def test_node_takes_the_path_of_the_code(surface, method, node_paths):
    path = [
        [float(x.replace("Infinity", "inf")) for x in map(str, w)] for w in node_paths[f"{surface} {method}"]
    ]
    same_path(np.array(path), python_path(surface, method))


# --- what is written --------------------------------------------------------------------------------------


def test_names_are_safe_and_nothing_is_evaluated_as_text():
    reserved = {"w", "g", "s", "p", "t", "lambda", "in", "function", "new", "var", "let", "const", "return"}
    for code in METHOD_CODE.values():
        names = [name for name, _ in CONST.findall(code) if name != "t"]
        assert len(set(names)) == len(names)
        for name in names:
            assert re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII)
            assert name not in reserved
    assert not re.search(r"\beval\b|\bFunction\b|\bimport\b|</|//[^\n]*\\", SCRIPT)


def test_a_symbol_called_like_an_argument_gets_another_name():
    taken = parse("w = x", "x in R", label="eq-taken")
    from fumoto.javascript import _local_name

    assert _local_name(taken) == "w_"


def test_symbols_are_those_of_the_equations():
    assert symbols_of(["Adam", "Momentum/notes"]) == ["eta", "beta_1", "beta_2", "varepsilon", "alpha"]
    assert 'symbols: ["eta", "beta_1", "beta_2"],' in METHOD_CODE["Adam/notes"]
    assert "const t = p.t - 1;" in METHOD_CODE["Adam"]
    assert "const t" not in METHOD_CODE["Momentum"]


def test_an_equation_that_cannot_be_written_says_where():
    total = parse(r"w_{t+1} = \sum_{i=1}^{N} x_i", "i in 1..N; N in 1..9; x_i in R", page="page.md", line=7)
    with pytest.raises(EquationError, match=r"page\.md:7: .*JavaScript にできません"):
        method_code("SGD", {"eq-sgd-w": total})
    unknown = parse(r"w_{t+1} = w_t - c", "w_t in R; c in R", page="page.md", line=7)
    with pytest.raises(EquationError, match=r"page\.md:7: .* c の値がどこでも決まりません"):
        method_code("SGD", {"eq-sgd-w": unknown})
    nothing = parse(r"v_{t+1} = w_t", "w_t in R", page="page.md", line=7)
    with pytest.raises(EquationError, match=r"page\.md:7: SGD の式のどれも w_\{t\+1\} を決めません"):
        method_code("SGD", {"eq-sgd-w": nothing})
    height = parse("f = x + z", "x in R; z in R", page="page.md", line=7)
    with pytest.raises(EquationError, match=r"page\.md:7: .* z の値がどこでも決まりません"):
        surface_code("bowl", {"eq-bowl-f": height})


def test_a_surface_that_is_flat_in_one_direction_has_no_slope_there():
    code = surface_code("bowl", {"eq-bowl-f": parse("f = x^2", "x in R")})
    assert "gradient: (x) => [2*x[0], 0]," in code


def test_every_mistake_belongs_to_a_method_and_differs_from_it():
    for name, played in PLAYED.items():
        if name != played.family:
            assert name.startswith(f"{played.family}/")
            assert CONST.findall(METHOD_CODE[name]) != CONST.findall(METHOD_CODE[played.family])


def test_the_same_text_in_every_process():
    program = (
        "from fumoto.equations import read\nfrom fumoto.javascript import *\n"
        "equations = read(labels=labels_of(['hollow'], ['Adam']))\n"
        "print(surface_code('hollow', equations), method_code('Adam', equations))"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, check=True
        )
        printed = done.stdout.decode().replace("\r\n", "\n")
        assert printed == f"{SURFACE_CODE['hollow']} {METHOD_CODE['Adam']}\n"


# --- on a page --------------------------------------------------------------------------------------------

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


# --- looks ------------------------------------------------------------------------------------------------


def test_methods_look_as_in_the_pictures():
    for name, played in PLAYED.items():
        look, picture = look_of(played.family), looks.METHOD_LOOKS[PLAYED[played.family].title]
        assert (look["letter"], look["light"]["color"]) == (picture.letter, picture.color), name
        assert (
            picture.dash == (("-", (0, look["dash"]))[bool(look["dash"])])
            or list(picture.dash[1]) == look["dash"]
        )
    assert f"Momentum: {json.dumps(look_of('Momentum'))}," in SCRIPT


def contrast(one, other):
    shares = [[int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)] for color in (one, other)]
    light = [
        np.where(np.array(s) > 0.04045, ((np.array(s) + 0.055) / 1.055) ** 2.4, np.array(s) / 12.92)
        for s in shares
    ]
    low, high = sorted(float(x @ [0.2126, 0.7152, 0.0722]) for x in light)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_letter_in_a_point_can_be_read(theme):
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for look in map(look_of, {played.family for played in PLAYED.values()}):
        assert contrast(look[theme]["color"], look[theme]["ink"]) >= 4.5


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


def test_neither_script_nor_style_knows_a_colour_of_a_method():
    static = "".join(
        (ROOT / "book/_static" / f"playground.{kind}").read_text("utf-8") for kind in ("js", "css")
    )
    assert "#a5210b" in static.lower()  # what other colours look like
    for look in looks.METHOD_LOOKS.values():
        for color in {look.color, look.on_dark} - {looks.BLACK}:
            assert color.lower() not in static.lower()


def test_the_playgrounds_do_without_matplotlib():
    program = "import sys, fumoto.javascript; assert 'matplotlib' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
