"""Every labelled equation of the book is parsed and compared with the code, and the comparison can fail."""

import ast
import copy
import inspect
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from equation_checks import CHECKS
from equation_checks.first_half import check_method
from fumoto import equations, optimizers
from fumoto.equations import EquationError, parse, read
from fumoto.methods import METHODS

BOOK = equations.read()
PARSED = sorted(label for label, equation in BOOK.items() if equation.checked_by is None)
ROOT = Path(__file__).resolve().parents[1]


def test_every_labelled_equation_has_a_check():
    unchecked = set(PARSED) - CHECKS.keys()
    assert not unchecked, f"labelled equations without a check: {sorted(unchecked)}"
    stale = CHECKS.keys() - set(PARSED)
    assert not stale, f"checks without an equation: {sorted(stale)}"


@pytest.mark.parametrize("label", PARSED)
def test_printed_equation_is_what_the_code_does(label):
    CHECKS[label](BOOK)


def test_every_equation_of_the_book_is_parsed():
    assert len(PARSED) == len(BOOK)


def test_an_equation_that_is_not_parsed_says_who_checks_it(tmp_path):
    page = PAGE.replace("y = x", r"y \le x").replace(
        "% domain: x in R", "% checked-by: tests/test_x.py::test_y"
    )
    (tmp_path / "page.md").write_text(page, encoding="utf-8")
    equation = read(tmp_path)["eq-a"]
    assert equation.checked_by == "tests/test_x.py::test_y"
    with pytest.raises(TypeError, match=r"eq-a は数値で計算できません.*test_y"):
        equation.evaluate()


def test_every_label_beside_a_line_of_code_is_on_a_page():
    for path in (ROOT / "code" / "fumoto").rglob("*.py"):
        for label in re.findall(r"#.*?\b(eq-[\w-]+)", path.read_text(encoding="utf-8")):
            assert label in BOOK, f"{path.name} names {label}, which no page has"


# --- the tests can fail -----------------------------------------------------------------------------------


def flipped_signs(latex):
    """Copies of an equation with one + or - turned around, subscripts left alone."""
    hidden = re.sub(r"_\{[^{}]*\}", lambda m: "·" * len(m[0]), latex)
    start = hidden.index("=") + 1
    for match in re.finditer(r"[+-]", hidden):
        if match.start() >= start:
            other = "-" if match[0] == "+" else "+"
            yield latex[: match.start()] + other + latex[match.end() :]


def spoiled(label, latex):
    equation = BOOK[label]
    declarations = ";".join(f"{name} in {text}" for name, text in _declarations(equation))
    return parse(latex, declarations, label=label, page=equation.page, line=equation.line)


def _declarations(equation):
    lines = (ROOT / "book" / equation.page).read_text(encoding="utf-8").splitlines()
    following = next(line for line in lines[equation.line - 1 :] if line.startswith("% domain:"))
    for part in following.removeprefix("% domain:").split(";"):
        name, _, text = part.strip().partition(" in ")
        yield name, text


FLIPS = [(label, latex) for label in PARSED for latex in flipped_signs(BOOK[label].latex)]


@pytest.mark.parametrize(("label", "latex"), FLIPS)
def test_flipped_sign_on_a_page_is_caught(label, latex):
    wrong = {**BOOK, label: spoiled(label, latex)}
    with np.errstate(all="ignore"), pytest.raises((AssertionError, ValueError)):
        CHECKS[label](wrong)


class FlipSign(ast.NodeTransformer):
    """Turns the n-th + or - of a function around."""

    def __init__(self, number):
        self.number = number

    def _next(self):
        self.number -= 1
        return self.number == -1

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Add | ast.Sub) and self._next():
            node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        return node

    def visit_UnaryOp(self, node):
        self.generic_visit(node)
        return node.operand if isinstance(node.op, ast.USub) and self._next() else node


def optimizers_with_flipped_sign(class_name, number):
    tree = ast.parse(inspect.getsource(optimizers))
    cls = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == class_name)
    rule = next(n for n in cls.body if isinstance(n, ast.FunctionDef) and n.name == "rule")
    original = ast.dump(rule)
    FlipSign(number).visit(rule)
    if ast.dump(rule) == original:
        return None
    module = ModuleType("spoiled")
    exec(compile(ast.fix_missing_locations(tree), "spoiled", "exec"), module.__dict__)
    return module


CODE_FLIPS = [
    (name, number)
    for name in METHODS
    for number in range(30)
    if optimizers_with_flipped_sign(name, number) is not None
]


@pytest.mark.parametrize(("name", "number"), CODE_FLIPS)
def test_flipped_sign_in_an_update_rule_is_caught(name, number):
    module = optimizers_with_flipped_sign(name, number)
    with np.errstate(all="ignore"), pytest.raises(AssertionError):
        check_method(BOOK, name, module)


def test_the_sign_flips_are_the_ones_expected():
    assert {name for name, _ in CODE_FLIPS} == set(METHODS)
    assert len([1 for name, _ in CODE_FLIPS if name == "Adam"]) == 9  # t + 1 is one of them
    assert len(FLIPS) > 50


def test_an_equation_without_a_check_is_named():
    book = copy.copy(BOOK)
    book["eq-new-x"] = parse("x = y", "y in R", label="eq-new-x")
    assert sorted(set(book) - CHECKS.keys() - {e.label for e in BOOK.values() if e.checked_by}) == [
        "eq-new-x"
    ]


# --- reading is strict ------------------------------------------------------------------------------------


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


PAGE = "# 題\n\n```{math}\n:label: eq-a\ny = x\n```\n% domain: x in R\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PAGE.replace(":label: eq-a\n", ""), "page.md:3: 式に :label: がありません"),
        (PAGE.replace("% domain: x in R", ""), "page.md:3: eq-a のすぐ下に"),
        (PAGE + "\n" + PAGE, r"page.md:11: ラベル eq-a が page.md:3 と重複"),
        (PAGE.replace("y = x", r"y = \foo"), "page.md:3: "),
        (PAGE + "\n$$\ny = x\n$$ (eq-b)\n", "page.md:9: 式は"),
        (PAGE + "\n:::{math}\n:label: eq-b\ny = x\n:::\n", "page.md:9: 式は"),
        (PAGE + "\n\\begin{equation}\ny = x\n\\end{equation}\n", "page.md:9: 式は"),
        (PAGE.replace("```{math}", "``` {math}").replace("y = x", r"y = \foo"), "page.md:3: "),
        (PAGE.replace("% domain: x in R", "% checked-by:"), "eq-a の '% checked-by:' が空です"),
    ],
)
def test_a_page_that_breaks_the_rules_is_an_error(tmp_path, text, message):
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    with pytest.raises(EquationError, match=message):
        read(tmp_path)


def test_equations_inside_other_directives_are_found(tmp_path):
    nested = "# 題\n\n````{admonition} 枠\n:class: warning\n文。\n\n" + PAGE.split("\n\n", 1)[1] + "````\n"
    (tmp_path / "page.md").write_text(nested, encoding="utf-8")
    equation = read(tmp_path)["eq-a"]
    assert (equation.page, equation.line) == ("page.md", 7)


def test_line_is_the_line_of_the_block():
    lines = (ROOT / "book" / "02-sgd.md").read_text(encoding="utf-8").splitlines()
    equation = BOOK["eq-sgd-w"]
    assert lines[equation.line - 1] == "```{math}"
    assert lines[equation.line] == ":label: eq-sgd-w"


# --- evaluating -------------------------------------------------------------------------------------------


def test_evaluate_broadcasts_and_names_what_is_missing():
    sgd = BOOK["eq-sgd-w"]
    result = sgd.evaluate(w_t=np.ones((2, 1)), eta=0.5, g_t=np.ones(3))
    np.testing.assert_array_equal(result, np.full((2, 3), 0.5))
    with pytest.raises(TypeError, match=r"eq-sgd-w に渡す記号は \['eta', 'g_t', 'w_t'\].*\['eta'\]"):
        sgd.evaluate(eta=1)


def test_evaluate_sums_over_a_batch_and_keeps_trailing_axes():
    mean = parse(r"m = \frac{1}{N} \sum_{i=1}^{N} x_i", "i in 1..N; N in 1..9; x_i in R")
    x = np.arange(12.0).reshape(4, 3)
    np.testing.assert_allclose(mean.evaluate(x=x, N=4), x.mean(axis=0))
    centered = parse(r"y_i = x_i - \mu", r"i in 1..N; x_i in R; \mu in R")
    np.testing.assert_allclose(centered.evaluate(x=x, mu=x.mean(axis=0)), x - x.mean(axis=0))


def test_evaluate_handles_indices_in_any_order():
    product = parse(
        r"c_{ik} = \sum_{j=1}^{n} a_{ij} b_{jk}",
        "i in 1..I; k in 1..K; j in 1..n; n in 1..9; a_{ij} in R; b_{jk} in R",
    )
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    np.testing.assert_allclose(product.evaluate(a=a, b=b, n=3), a @ b)
    transposed = parse(r"y_{ki} = x_{ik}", "i in 1..I; k in 1..K; x_{ik} in R")
    np.testing.assert_array_equal(transposed.evaluate(x=a), a.T)


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(EquationError, match="nowhere がありません"):
        read(tmp_path / "nowhere")


def test_a_term_without_the_index_is_added_as_often_as_the_others():
    declared = "i in 1..N; N in 1..9; y in R; u_i in R"
    assert parse(r"z = \sum_{i=1}^{N} y", declared).evaluate(y=3.0, N=3) == 9
    assert parse(r"z = \sum_{i=1}^{N} 1", declared).evaluate(N=3) == 3
    shifted = parse(r"z = \sum_{i=1}^{N} (u_i - y) + \sum_{i=1}^{N} y", declared)
    assert shifted.evaluate(u=np.array([1.0, 2.0, 3.0]), y=2.0, N=3) == 6


def test_double_sums():
    declared = "i in 1..N; j in 1..M; N in 1..9; M in 1..9; A_{ij} in R"
    A = np.arange(6.0).reshape(2, 3)
    for latex in (r"z = \sum_{i=1}^{N} \sum_{j=1}^{M} A_{ij}", r"z = \sum_{j=1}^{M} \sum_{i=1}^{N} A_{ij}"):
        assert parse(latex, declared).evaluate(A=A, N=2, M=3) == A.sum()


def test_evaluate_takes_lists_as_arrays_and_refuses_fractional_bounds():
    np.testing.assert_array_equal(parse("z = 2 x", "x in R").evaluate(x=[1.0, 2.0]), [2.0, 4.0])
    half = parse(r"z = \sum_{i=1}^{N} i", "i in 1..N; N in 1..9")
    with pytest.raises(ValueError, match="整数になりません"):
        half.evaluate(N=2.5)
    mean = parse(r"m = \sum_{i=1}^{N} x_i", "i in 1..N; N in 1..9; x_i in R", label="eq-m")
    with pytest.raises(ValueError, match=r"eq-m の x は添字 .* の軸を持つ"):
        mean.evaluate(x=1.0, N=1)


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
    ],
)
def test_reads_notation_as_a_reader_would(latex, value):
    values = {"x": 2.0, "a": 3.0, "b": 2.0, "c": 5.0}
    equation = parse(latex, "x in R; a in R; b in R; c in R")
    assert equation.evaluate(**{s: values[s] for s in equation.symbols}) == pytest.approx(value)


def test_printed_bounds_of_a_sum_are_the_ones_used():
    total = parse(r"s = \sum_{k=1}^{t} \rho^k", r"k in 1..t; t in 1..9; \rho in [0, 1)")
    np.testing.assert_allclose(total.evaluate(rho=0.5, t=3), 0.5 + 0.25 + 0.125)
    shorter = parse(r"s = \sum_{k=1}^{t-1} \rho^k", r"k in 1..t; t in 1..9; \rho in [0, 1)")
    np.testing.assert_allclose(shorter.evaluate(rho=0.5, t=3), 0.5 + 0.25)
    mean = parse(r"m = \frac{1}{N} \sum_{i=1}^{N+1} x_i", "i in 1..N; N in 1..9; x_i in R", label="eq-m")
    with pytest.raises(ValueError, match=r"eq-m の x は添字 i について長さ 5.*\(4,\)"):
        mean.evaluate(x=np.ones(4), N=4)


def test_domain_samples_stay_inside_their_domain(rng):
    for equation in BOOK.values():
        for domain in equation.domain.values():
            if domain.is_index or domain.text == "function":
                continue
            values = np.array([domain.sample(rng) for _ in range(200)])
            assert np.all(values >= domain.low)
            assert np.all(values <= domain.high)


def test_largest_of_arrays_of_different_shapes():
    relu = parse(r"y = \max(0, x)", "x in R")
    np.testing.assert_array_equal(relu.evaluate(x=np.array([[-1.0, 2.0]])), [[0.0, 2.0]])


def test_a_left_side_may_be_a_square():
    variance = parse(r"\sigma_B^2 = \frac{1}{N} \sum_{i=1}^{N} x_i^2", "i in 1..N; N in 1..9; x_i in R")
    assert variance.name == "sigma_B_squared"
    assert variance.evaluate(x=np.array([1.0, 3.0]), N=2) == 5
    assert parse("y = c^2", "c in R").evaluate(c=3.0) == 9


def test_gradient_is_a_function_and_expectation_a_symbol():
    equation = parse(r"v = \nabla E(x + \alpha y)", r"\nabla E in function; x in R; y in R; \alpha in [0, 1)")
    assert equation.evaluate(grad_E=lambda p: p**2, x=1.0, y=2.0, alpha=0.5) == 4.0
    equation = parse(r"\mathbb{E}[y_t] = \frac{1}{2} \mathbb{E}[g^2]", r"\mathbb{E}[g^2] in [0, 9)")
    assert (equation.name, equation.symbols) == ("mean_y_t", ["mean_g_squared"])
    assert equation.evaluate(mean_g_squared=3.0) == 1.5


def test_equation_shows_itself_as_mathematics():
    assert BOOK["eq-sgd-w"]._repr_latex_() == r"$$w_{t+1} = w_t - \eta g_t$$"
