"""The JavaScript of the histograms is the printed equations: evaluated here, and in Node where there is one."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from fumoto import initializers
from fumoto.batchnorm import BatchNorm
from fumoto.layers import Affine
from fumoto.printed import EquationError, parse, read
from fumoto.printed.histograms import (
    ACTIVATIONS,
    EPS,
    NODES,
    SAMPLES,
    SCALES,
    TOGETHER,
    function_code,
    labels_of,
    script,
)
from javascript import MATH, in_node
from layer_outputs import LAYER_OF, layer_outputs, normals

ROOT = Path(__file__).resolve().parents[2]
EVERYTHING = (list(ACTIVATIONS), list(SCALES), True)
EQUATIONS = read(labels=labels_of(*EVERYTHING))
SCRIPT = script(*EVERYTHING, EQUATIONS)


# --- evaluated in Python ----------------------------------------------------------------------------------

LOOP = re.compile(r"for \(let (\w+) = (.+); \1 <= (.+); \1\+\+\) \{ (.+) \}")
ADDED = re.compile(r"(\w+) \+= ([^;]+);")


def function(label, text=SCRIPT):
    """The generated function of one equation, by an evaluator of the few things that occur in it."""
    if match := re.search(rf"\(([^()]*)\) => (.+) /\* {label} \*/", text):
        names, result = match[1].split(", "), match[2]
        return lambda *values: eval(result, MATH, dict(zip(names, values, strict=True)))
    match = re.search(rf"\(([^()]*)\) => \{{ // {label}\n(.*?)\n\}}", text, re.S)
    names, body = match[1].split(", "), match[2]
    result = re.search(r"return (.+);", body)[1]

    def run(*values):
        known = dict(zip(names, values, strict=True))
        for index, low, high, added in LOOP.findall(body):
            low, high = (eval(end, MATH, known) for end in (low, high))
            for name, term in ADDED.findall(added):
                known[name] = sum(eval(term, MATH, known | {index: i}) for i in range(low, high + 1))
        return eval(result, MATH, known)

    return run


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-15)


def test_the_weighted_sum_is_that_of_the_layer(rng):
    W, b, h = rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=(2 * TOGETHER, 4))
    affine, columns = function("eq-affine-a"), W.T.ravel()
    blocks = [[affine(h.ravel(), columns, b, 4 * s, 4 * k, k, 4) for k in range(3)] for s in (0, TOGETHER)]
    close(np.transpose(blocks, (0, 2, 1)).reshape(-1, 3), Affine(W, b).forward(h))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_those_of_the_layers(name):
    x, layer = np.linspace(-20, 20, 81), LAYER_OF[name]()
    y = layer.forward(x[None])[0]
    np.testing.assert_allclose(
        [function(ACTIVATIONS[name][2])(float(v)) for v in x], y, rtol=1e-12, atol=1e-15
    )
    if slope := ACTIVATIONS[name][3]:
        close([function(slope)(float(v)) for v in y], layer.backward(np.ones((1, 81)))[0])


def test_batchnorm_is_that_of_the_layer(rng):
    x = rng.normal(2, 3, size=(5, 2))
    flat, layer = x.ravel(), BatchNorm(np.ones(2), np.zeros(2))
    assert layer.eps == EPS
    mean, variance, normalize, scale = (
        function(f"eq-batchnorm-{name}") for name in ("mean", "var", "normalize", "scale")
    )
    ours = np.empty_like(x)
    for k in range(2):
        mu = mean(flat, k, 2, 5)
        spread = variance(flat, k, 2, 5, mu)
        ours[:, k] = [scale(normalize(value, mu, spread)) for value in x[:, k]]
    close(ours, layer.forward(x, training=True))


def test_mean_and_standard_deviation_are_those_of_numpy(rng):
    x = rng.normal(size=12)
    mean = function("eq-mean")(x, 0, 1, 12)
    close(mean, x.mean())
    close(function("eq-std")(x, 0, 1, 12, mean), x.std())


@pytest.mark.parametrize("name", SCALES)
def test_named_scales_are_those_of_the_initializers(name):
    weights = getattr(initializers, name)(np.random.default_rng(0), NODES, 9)
    raw = np.random.default_rng(0).normal(size=(NODES, 9))
    close(function(SCALES[name][1])(NODES) * raw, weights)


def test_the_random_numbers_are_normal():
    z = np.sort(normals(80_000))
    assert abs(z.mean()) < 0.01
    assert abs(z.std() - 1) < 0.01
    for k, share in ((1, 0.6827), (2, 0.9545), (3, 0.9973)):
        assert abs(np.mean(np.abs(z) < k) - share) < 0.005
    raw = normals(80_000).reshape(-1, NODES)
    assert np.abs(np.corrcoef(raw.T) - np.eye(NODES)).max() < 0.2  # 800 rows: 1/√800 each


def test_the_samples_are_taken_together_without_a_rest():
    assert SAMPLES % TOGETHER == 0


# --- run in Node ------------------------------------------------------------------------------------------

PLAYER = """
const {normals, together, affine, mean, std, batchnorm, activations, scales} = globalThis.fumotoLayers, x = normals(12, 7);
const several = normals(together*3 + 2, 7), variance = batchnorm.variance(x, 1, 3, 4, batchnorm.mean(x, 1, 3, 4));
console.log(JSON.stringify({
  normals: Array.from(normals(3000, 1)).slice(-1000),
  affine: [0, 1, 2].map((k) => affine(several, x, x, 2, 3*k, k, 3)),
  std: std(x, 0, 1, 12, mean(x, 0, 1, 12)),
  normalized: batchnorm.scale(batchnorm.normalize(x[4], batchnorm.mean(x, 1, 3, 4), variance)),
  values: Object.values(activations).map(({value}) => [-800, -2, 0, 3, 800].map(value)),
  scales: Object.values(scales).map(({value}) => value(100)),
}));
"""


def test_node_computes_the_same():
    ours, x = in_node(SCRIPT + PLAYER), normals(12, seed=7)
    close(ours["normals"], normals(3000)[-1000:])
    samples = normals(TOGETHER * 3 + 2, seed=7)[2:].reshape(TOGETHER, 3)
    close(ours["affine"], [samples @ x[3 * k : 3 * k + 3] + x[k] for k in range(3)])
    close(ours["std"], x.std())
    batchnorm = BatchNorm(np.ones(3), np.zeros(3))
    close(ours["normalized"], batchnorm.forward(x.reshape(4, 3), training=True)[1, 1])
    points = np.array([[-800.0, -2.0, 0.0, 3.0, 800.0]])
    close(ours["values"], [LAYER_OF[name]().forward(points)[0] for name in ACTIVATIONS])
    close(ours["scales"], [0.1, math.sqrt(0.02)])


# --- what is written --------------------------------------------------------------------------------------


def test_nothing_is_evaluated_as_text_and_no_value_is_missing():
    assert not re.search(r"\beval\b|\bFunction\b|\bimport\b|</|//[^\n]*\\", SCRIPT)
    for label in labels_of(*EVERYTHING):
        assert SCRIPT.count(f" {label}\n") + SCRIPT.count(f" {label} ") == 1, label


def test_the_front_end_contains_no_equation():
    """What the equations say is called, never written again: no function of the equations but those for drawing."""
    front = (ROOT / "book/_static/histograms.js").read_text(encoding="utf-8")
    assert set(re.findall(r"Math\.(\w+)", front)) <= {"min", "max", "abs", "round", "floor", "log", "log10"}
    assert "sqrt" not in front


def test_another_sign_or_range_is_another_function():
    printed = EQUATIONS["eq-batchnorm-var"]
    for old, new in ((r"x_i - \mu_B", r"x_i + \mu_B"), ("i=1", "i=2"), (r"\frac{1}{N}", r"\frac{1}{N - 1}")):
        assert old in printed.latex
        domain = "i in 1..N; N in 2..9; x_i in R; \\mu_B in R"
        wrong = parse(printed.latex.replace(old, new), domain, label="eq-batchnorm-var")
        code = script(*EVERYTHING, {**EQUATIONS, "eq-batchnorm-var": wrong})
        values = (np.array([1.0, 2.0, 4.0]), 0, 1, 3, 7 / 3)
        assert function("eq-batchnorm-var", code)(*values) != pytest.approx(
            function("eq-batchnorm-var")(*values)
        )


def test_an_equation_that_cannot_be_written_says_where():
    where = {"page": "page.md", "line": 7}
    known = {"x": "x[i]", "N": "N", "M": "M"}
    unknown = parse("y = c x", "x in R; c in R", **where)
    with pytest.raises(EquationError, match=r"page\.md:7: .* の c の値がどこでも決まりません"):
        function_code(unknown, "x", {"x": "x"})
    missing = parse(r"y = \sum_{i=1}^{N} c x_i", "i in 1..N; N in 1..9; x_i in R; c in R", **where)
    with pytest.raises(EquationError, match=r"page\.md:7: .* の c の値がどこでも決まりません"):
        function_code(missing, "x, N", known)
    alone = parse(r"y = \frac{x}{\sigma}", r"x in R; \sigma in R", **where)
    with pytest.raises(EquationError, match="sigma の値がどこでも決まりません"):
        function_code(alone, "x, v", {"x": "x", "sigma_squared": "v"})
    double = parse(
        r"y = \sum_{i=1}^{N} \sum_{j=1}^{M} x_{ij}",
        "i in 1..N; j in 1..M; N in 1..9; M in 1..9; x_{ij} in R",
        **where,
    )
    with pytest.raises(EquationError, match=r"page\.md:7: .* の重なった和は JavaScript にできません"):
        function_code(double, "x", known)


# --- what the pages say of them -----------------------------------------------------------------------------

STDS = {"xavier": 0.1, "he": math.sqrt(0.02)}


def measured(name, activation, std, place="none", bias=0.0):
    return [getattr(layer, name) for layer in layer_outputs(activation, STDS.get(std, std), place, bias)]


def test_chapter_7_a_falling_bias_kills_the_deep_layers_first():
    dead = np.array([measured("dead", "relu", "he", bias=b) for b in (0, -0.25, -0.5, -0.75, -1)])
    assert (np.diff(dead, axis=1) >= 0).all()
    assert (np.diff(dead, axis=0)[1:] >= 0).all()
    assert (dead[-1, 3:] == 100).all()
    leaky = layer_outputs("leaky-relu", STDS["he"], bias=-1.0)
    for layer in leaky[3:]:
        assert (layer.outputs < 0).all()
    assert min(measured("share", "tanh", 1.0)) > 0.8


def test_chapter_8_scales_decide_where_the_values_go():
    assert min(measured("share", "tanh", 1.0)) > 0.8
    assert max(measured("share", "tanh", "xavier")[1:]) < 0.01
    for layer in layer_outputs("tanh", 0.1)[1:]:  # one gentle hill
        counts, _ = np.histogram(layer.outputs, 8, (-1, 1))
        assert counts.argmax() in (3, 4)
        assert (np.diff(counts[:4]) > 0).all() and (np.diff(counts[4:]) < 0).all()
    assert (np.diff(measured("spread", "tanh", 0.03)) < 0).all()
    middles = {
        std: [np.median(x.outputs[x.outputs > 0]) for x in layer_outputs("relu", std)]
        for std in (0.1, STDS["he"], 0.2)
    }
    small, he, large = middles.values()
    assert max(he) / min(he) < 1.3
    assert (np.diff(small) < 0).all() and (np.diff(large) > 0).all()
    for layer in layer_outputs("sigmoid", 0.003):
        assert np.abs(layer.outputs - 0.5).max() < 0.05


def test_chapter_9_batchnorm_before_keeps_every_layer_as_it_is():
    for activation in ("sigmoid", "tanh", "relu"):
        spreads = np.array([measured("spread", activation, std, "before") for std in (0.01, 0.1, 1.0, 10.0)])
        assert spreads.max() / spreads.min() < 1.05
        small = measured("spread", activation, 0.0001, "before")
        assert (np.diff(small) < 0).all() and small[4] < small[0] / 10
    assert min(measured("share", "sigmoid", 10.0)) > 0.9
    assert max(np.abs(measured("outputs", "sigmoid", 0.001)[4] - 0.5).ravel()) < 0.05
    after = layer_outputs("sigmoid", 1.0, "after")
    for layer in after:
        assert layer.spread == pytest.approx(1, abs=0.01)
        assert layer.share > 0.6
        counts, _ = np.histogram(layer.outputs, 6, (-1.5, 1.5))  # two hills with a valley between
        assert max(counts[2:4]) < min(counts[:2].max(), counts[4:].max()) / 3
