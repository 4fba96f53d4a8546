"""Reading an equation is strict: what cannot be read whole is an error with page and line."""

import numpy as np
import pytest

from fumoto.printed import EquationError, parse


@pytest.mark.parametrize(
    ("latex", "domain", "message"),
    [
        (r"y = \foo x", "x in R", r"page.md:7: '\\\\foo x' から先を読めません"),
        (r"y = x \odot x", "x in R", r"odot x' から先"),
        (r"y \leftarrow x", "x in R", r"leftarrow x' から先"),
        (r"y = \text{max} x", "x in R", r"text"),
        (r"y = \lvert x \rvert", "x in R", r"lvert"),
        (r"y = x + z", "x in R", "記号 z が domain で宣言されていません"),
        (r"y = \hat{x}", "x in R", r"記号 \\hat\{x\} が domain"),
        (r"y = x = x", "x in R", "形ではありません"),
        (r"2 y = x", "x in R; y in R", "形ではありません"),
        (r"x + 1", "x in R", "形ではありません"),
        (r"y = x +", "x in R", "式を読めません"),
        (r"y = \frac{x}", "x in R", "式を読めません"),
        (r"y = x", "x in everything", "範囲を読めません: 'everything'"),
        (r"y = x", "x : R", "宣言を読めません: 'x : R'"),
        (r"y = x", "", "宣言を読めません"),
        (r"y = 2 3", "x in R", "数 2 と 3 の間に"),
        (r"y = x^2 3", "x in R", "数 2 と 3 の間に"),
        (r"y = x^23", "x in R", "2 桁以上の指数 23"),
        (r"y = 1,000", "x in R", r", は \\max と \\min の引数の間にだけ"),
        (r"y = \max(0, x) (1, x)", "x in R", r", は \\max と \\min の引数の間にだけ"),
        (r"y = \operatorname{sign} x", "x in R", r"sign\} の引数は \( \) で囲みます"),
        (r"y = \operatorname{sign}(x, x)", "x in R", r", は \\max と \\min の引数の間にだけ"),
        (r"y = \operatorname{sgn}(x)", "x in R", r"operatorname\{sgn\}\(x\)' から先を読めません"),
        (r"y = \max x", "x in R", r"\\max の引数は \( \) で囲みます"),
        (r"x^3 = y", "y in R", "「記号 = 式」の形ではありません"),
        (r"y = x^2^3", "x in R", "指数が 2 つ"),
        (r"y = x^{2}^{3}", "x in R", "指数が 2 つ"),
        (r"y = 1/x z", "x in R; z in R", "/ の右は"),
        (r"y = 1/(x)(z)", "x in R; z in R", "/ の右は"),
        (r"y = \exp{x} z", "x in R; z in R", r"exp の引数は \( \)"),
        (r"y = \log x z", "x in R; z in R", r"log の引数は \( \)"),
        (r"y = \log x / z", "x in R; z in R", r"log の引数は \( \)"),
        (r"y = \nabla E", r"\nabla E in function", "引数は"),
        (r"y = \mathbb{E}[x^3]", r"\mathbb{E}[x] in R", "期待値の中は"),
        (r"y = \mathbb{E}[-x]", r"\mathbb{E}[x] in R", "期待値の中は"),
        (r"y = |x|", "x in R", "から先を読めません"),
        (r"y = \sum_{i=1}^{N} i + \sum_{i=1}^{M} i", "i in 1..N; N in 1..9; M in 1..9", "2 通り"),
        (r"y = \sum_{k=1}^{3} x^k", "x in R; k in 1..3", "足す添字 k は"),
        (r"y = \sum_{j=1}^{N} \sum_{i=1}^{j} x_i", "i in 1..j; j in 1..N; N in 1..9; x_i in R", "ほかの添字"),
        (r"y = x_i", "i in 1..N; x_i in R", "sum の外"),
        (r"y_i = \sum_{i=1}^{N} x_i", "i in 1..N; N in 1..9; x_i in R", "左辺と"),
        (r"y = \sum_{i=1}^{N} x_{ii}", "i in 1..N; N in 1..9; x_{ii} in R", "同じ添字が 2 度"),
        (r"y = x", "x in [a, b]", "範囲を読めません"),
        (r"y = x", "x in (1, 0)", "範囲を読めません"),
        (r"y = x", "x in 5..2", "範囲を読めません"),
        (r"y = x", "x in 1..N+-+", "範囲を読めません"),
        (r"y = x", "x in [0, nan)", "範囲を読めません"),
        (r"y = x", "x in R; x in [0, 1)", "2 度宣言"),
    ],
)
def test_what_cannot_be_read_whole_is_an_error_with_page_and_line(latex, domain, message):
    with pytest.raises(EquationError, match=message) as caught:
        parse(latex, domain, page="page.md", line=7)
    assert str(caught.value).startswith("page.md:7: ")


@pytest.mark.parametrize("domain", [None, 3, ["x in R"], {"x": "R"}, {"x": None}])
def test_a_domain_that_is_no_declaration_is_an_error(domain):
    with pytest.raises(EquationError, match=r"page.md:7: domain は宣言の文字列か、ほかの式の domain"):
        parse("y = x", domain, page="page.md", line=7)


def test_a_domain_that_is_passed_on_is_copied():
    domain = dict(parse("y = x", "x in R").domain)
    equation = parse("y = 2 x", domain)
    domain.clear()
    assert equation.domain.keys() == {"x"}


@pytest.mark.parametrize(
    ("latex", "value"),
    [
        ("y = -x^2", -4),
        ("y = 2^{-x}", 0.25),
        ("y = x^{-1}", 0.5),
        ("y = a b c", 30 * 1.0),
        (r"y = x \frac{1}{2}", 1),
        (r"y = \sqrt[3]{x}", 2 ** (1 / 3)),
        (r"y = \log (x) a", 3 * np.log(2)),
        (r"y = (1 - x) (2 + x)", -4),
        (r"y = x^{2} (1 - a)", -8),
        (r"y = x^{\frac{1}{2}}", np.sqrt(2)),
        ("y = x/a - b", 2 / 3 - 2),
        (r"y = \max(0, -x) + \max(a, x)", 3),
        (r"y = \min(x, 1 - a) b", -4),
        (r"y = \max(a, b)^2", 9),
        (r"y = -\max(x, \min(a, c)) b", -6),
        (r"y = \operatorname{sign}(x - a) b", -2),
        (r"y = a - \operatorname{sign}(x (1 - x)) b^2", 7),
    ],
)
def test_reads_notation_as_a_reader_would(latex, value):
    values = {"x": 2.0, "a": 3.0, "b": 2.0, "c": 5.0}
    equation = parse(latex, "x in R; a in R; b in R; c in R")
    assert equation.evaluate(**{s: values[s] for s in equation.symbols}) == pytest.approx(value)
