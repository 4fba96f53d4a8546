"""An equation is evaluated as a reader would: broadcasting, sums over indices, functions, squares on the left."""

import numpy as np
import pytest

from fumoto.printed import parse, read

BOOK = read()


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


def test_printed_bounds_of_a_sum_are_the_ones_used():
    total = parse(r"s = \sum_{k=1}^{t} \rho^k", r"k in 1..t; t in 1..9; \rho in [0, 1)")
    np.testing.assert_allclose(total.evaluate(rho=0.5, t=3), 0.5 + 0.25 + 0.125)
    shorter = parse(r"s = \sum_{k=1}^{t-1} \rho^k", r"k in 1..t; t in 1..9; \rho in [0, 1)")
    np.testing.assert_allclose(shorter.evaluate(rho=0.5, t=3), 0.5 + 0.25)
    mean = parse(r"m = \frac{1}{N} \sum_{i=1}^{N+1} x_i", "i in 1..N; N in 1..9; x_i in R", label="eq-m")
    with pytest.raises(ValueError, match=r"eq-m の x は添字 i について長さ 5.*\(4,\)"):
        mean.evaluate(x=np.ones(4), N=4)


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


def test_domain_samples_stay_inside_their_domain(rng):
    for equation in BOOK.values():
        for domain in equation.domain.values():
            if domain.is_index or domain.text == "function":
                continue
            values = np.array([domain.sample(rng) for _ in range(200)])
            assert np.all(values >= domain.low)
            assert np.all(values <= domain.high)
