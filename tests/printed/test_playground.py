"""The JavaScript of the playgrounds is the printed equations: evaluated here, and in Node where there is one."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fumoto.experiments.descent import night_walk
from fumoto.figures import looks
from fumoto.printed import EquationError, parse, read
from fumoto.printed.playground import (
    PLAYED,
    SURFACES,
    labels_of,
    look_of,
    method_code,
    script,
    surface_code,
    symbols_of,
)
from fumoto.surfaces import narrow
from javascript import MATH, in_node
from played import STEPS, VALUES, python_path, same_path

ROOT = Path(__file__).resolve().parents[2]
EQUATIONS = read(labels=labels_of(SURFACES, PLAYED))
SURFACE_CODE = {name: surface_code(name, EQUATIONS) for name in SURFACES}
METHOD_CODE = {name: method_code(name, EQUATIONS) for name in PLAYED}
SCRIPT = script(SURFACE_CODE, METHOD_CODE)

# --- evaluated in Python ----------------------------------------------------------------------------------


def evaluated(code, **changes):
    """The functions of generated code, by an evaluator of the few things that occur in it."""
    if "step:" not in code:
        value = compile(re.search(r"value: \(x, p\) => (.+),$", code, re.M)[1], "value", "eval")
        gradient = compile(re.search(r"gradient: \(x, p\) => (.+),$", code, re.M)[1], "gradient", "eval")
        p = SimpleNamespace(**{**VALUES, **changes})
        return tuple(lambda x, code=code: eval(code, MATH, {"x": x, "p": p}) for code in (value, gradient))
    lines = [(name, compile(_python(right), name, "eval")) for name, right in CONST.findall(code)]
    result = dict(pair.split(": ") for pair in re.search(r"return \{(.+)\};", code)[1].split(", "))

    def step(w, g, s, p):
        known = {"w": w, "g": g, "s": SimpleNamespace(**s), "p": SimpleNamespace(**_python_names(p))}
        for name, right in lines:
            known[name] = eval(right, MATH, known)
        return {state: known[name] for state, name in result.items()}

    return step


def _python(code):
    """``lambda`` is a name in JavaScript only."""
    return code.replace("p.lambda", "p.lambda_")


def _python_names(values):
    return {name.replace("lambda", "lambda_"): value for name, value in values.items()}


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


@pytest.mark.parametrize("kappa", [1.0, 7.3, 100.0])
def test_the_narrow_valley_has_the_condition_number_of_the_reader(kappa, rng):
    value, gradient = evaluated(SURFACE_CODE["narrow"], kappa=kappa)
    for w in rng.uniform(-3, 3, (20, 2)):
        np.testing.assert_allclose(value(w), narrow(kappa)(w), rtol=1e-12)
        np.testing.assert_allclose(gradient(w), narrow(kappa).gradient(w), rtol=1e-12)


# --- run in Node ------------------------------------------------------------------------------------------

PLAYER = """
const {surfaces, methods} = globalThis.fumoto, paths = {};
for (const [surface, {start, gradient}] of Object.entries(surfaces)) {
  for (const [method, {states, step}] of Object.entries(methods)) {
    let w = start, s = w.map(() => Object.fromEntries(states.map((name) => [name, 0])));
    const path = [w];
    for (let t = 1; t <= STEPS; t++) {
      const g = gradient(w, VALUES);
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
    return in_node(f"const STEPS = {STEPS}, VALUES = {json.dumps(VALUES)};\n{SCRIPT}\n{PLAYER}")


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
    taken = parse("p = g_t", "g_t in R", label="eq-momentum-v")
    used = parse("w_{t+1} = w_t + p", "w_t in R; p in R", label="eq-momentum-w")
    code = method_code("Momentum", {"eq-momentum-v": taken, "eq-momentum-w": used})
    assert CONST.findall(code) == [("p_", "g"), ("w_next", "w + p_")]


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
    assert "gradient: (x, p) => [2*x[0], 0]," in code


def test_the_hollow_is_the_one_of_the_figure_that_stands_for_it():
    assert SURFACES["hollow"].constants == {"D": night_walk().depth}


def test_every_mistake_belongs_to_a_method_and_differs_from_it():
    for name, played in PLAYED.items():
        if name != played.family:
            assert name.startswith(f"{played.family}/")
            assert CONST.findall(METHOD_CODE[name]) != CONST.findall(METHOD_CODE[played.family])


def test_the_same_text_in_every_process():
    program = (
        "from fumoto.printed import read\nfrom fumoto.printed.playground import *\n"
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


# --- looks ------------------------------------------------------------------------------------------------


def test_methods_look_as_in_the_pictures():
    for name, played in PLAYED.items():
        in_pictures = {"Nesterov": "NAG"}.get(played.family, played.family)
        look, picture = look_of(played.family), looks.METHOD_LOOKS[in_pictures]
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


def test_the_playgrounds_do_without_matplotlib():
    program = "import sys, fumoto.printed.playground; assert 'matplotlib' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
