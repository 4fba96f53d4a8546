"""check_initializer(): a learner's initial values against the page."""

import time

import numpy as np
import pytest

from fumoto import check_initializer, initializers


def normal(std):
    return lambda rng, n_in, n_out: rng.normal(0.0, std(n_in, n_out), (n_in, n_out))


@pytest.mark.parametrize("name", ["xavier", "glorot", "he"])
def test_our_initializers_are_accepted(name):
    report = check_initializer(getattr(initializers, name), name)
    assert report.ok, str(report)
    assert str(report).startswith("一致: 要素の標準偏差は式のとおりです。")


@pytest.mark.parametrize(
    "make",
    [
        lambda rng, n_in, n_out: (rng.standard_normal((n_in, n_out)) * np.sqrt(2 / n_in)).astype(np.float32),
        lambda rng, n_in, n_out: rng.standard_normal(n_in * n_out).reshape(n_in, n_out) * (2 / n_in) ** 0.5,
        lambda rng, n_in, n_out: rng.uniform(-1, 1, (n_in, n_out)) * np.sqrt(6 / n_in),
    ],
)
def test_other_styles_are_accepted(make):
    assert check_initializer(make, "he").ok


WRONG_WIDTHS = [  # the name of the initial value, what a learner wrote, what should be named
    ("xavier", normal(lambda n, m: 1 / n), "eq-xavier-std/root-1"),
    ("xavier", normal(lambda n, m: np.sqrt(n)), "eq-xavier-std/inverse-1"),
    ("xavier", normal(lambda n, m: 1 / np.sqrt(n * m)), "eq-xavier-std/n-elements"),
    ("xavier", normal(lambda n, m: 1 / np.sqrt(m)), "eq-xavier-std/n-out"),
    ("he", normal(lambda n, m: 2 / n), "eq-he-std/root-1"),
    ("he", normal(lambda n, m: 1 / np.sqrt(n)), "eq-he-std/factor"),
    ("he", normal(lambda n, m: np.sqrt(2 * n)), "eq-he-std/inverse"),
    ("he", normal(lambda n, m: 2 / np.sqrt(n)), "eq-he-std/root-2"),  # the notes' form
    ("he", normal(lambda n, m: np.sqrt(2 / (n * m))), "eq-he-std/n-elements"),
    ("he", normal(lambda n, m: 2 / np.sqrt(n * m)), "eq-he-std/root-2/n-elements"),  # the notes' 0.006
    ("he", normal(lambda n, m: np.sqrt(2 / m)), "eq-he-std/n-out"),  # nndl issue 95: the wrong n
    ("he", lambda rng, n, m: rng.uniform(-1, 1, (n, m)) * np.sqrt(2 / n), "eq-he-std/uniform-width"),
    ("glorot", normal(lambda n, m: np.sqrt(2 / n)), "eq-glorot-std/dropped"),
    ("glorot", normal(lambda n, m: 2 / (n + m)), "eq-glorot-std/root-1"),
]


@pytest.mark.parametrize(("name", "make", "variant"), WRONG_WIDTHS)
def test_a_wrong_width_is_named(name, make, variant):
    report = check_initializer(make, name)
    assert not report
    assert report.equation == f"eq-{name}-std"
    assert report.variant.startswith(variant), str(report)
    assert str(report).startswith("既知の間違い")


INITIAL_VALUES = {"xavier": "Xavier", "glorot": "Glorot", "he": "He"}


@pytest.mark.parametrize("asked", INITIAL_VALUES)
@pytest.mark.parametrize("given", INITIAL_VALUES)
def test_another_printed_initial_value_is_named(asked, given):
    report = check_initializer(getattr(initializers, given), asked)
    named_after_the_same = (asked, given) == ("xavier", "glorot")  # what the libraries call Xavier
    assert report.ok == (asked == given or named_after_the_same)
    said = f"{asked} ではなく {given} の初期値(08-initial-values.md の eq-{given}-std)の標準偏差です。"
    assert (said in str(report)) == (not report.ok), str(report)
    assert ("eq-glorot-std。論文と" in str(report)) == named_after_the_same
    assert report.name == (given if named_after_the_same else asked)
    assert "さらに" not in str(report)


def test_only_uniform_numbers_are_called_uniform():
    signs = check_initializer(lambda rng, n, m: rng.choice([-1.0, 1.0], (n, m)) * np.sqrt(2 / n), "he")
    assert (signs.ok, signs.variant) == (True, None)
    assert "正規分布でも一様分布でもない" in str(signs)
    uniform = check_initializer(lambda rng, n, m: rng.uniform(-1, 1, (n, m)) * np.sqrt(6 / n), "he")
    assert (uniform.ok, uniform.variant) == (True, "uniform")
    for report in (uniform, check_initializer(initializers.he, "he")):
        assert "でもない" not in str(report)


def with_zero_column(rng, n, m):
    W = initializers.he(rng, n, m)
    W[:, m // 2] = 0
    return W


@pytest.mark.parametrize(
    ("make", "variant", "sentence"),
    [
        (initializers.zeros, "zeros", "重みがすべて 0 です"),
        (with_zero_column, "zero-column", "すべて 0 の列があります"),
        (
            lambda rng, n, m: np.tile(initializers.he(rng, n, m // 2), (1, 2)),
            "repeated-column",
            "同じ列が 2 つ以上あります",
        ),
        (
            lambda rng, n, m: np.broadcast_to(rng.normal(0, np.sqrt(2 / n), m), (n, m)),
            "repeated-row",
            "同じ行が 2 つ以上あります",
        ),
    ],
)
def test_a_matrix_that_is_not_drawn_element_by_element_gets_its_own_sentence(make, variant, sentence):
    report = check_initializer(make, "he")
    assert (report.ok, report.variant) == (False, variant)
    assert sentence in str(report)


def test_a_width_is_compared_within_its_own_error():
    """One per cent too wide is more than five standard errors of the largest matrix."""
    assert not check_initializer(normal(lambda n, m: 1.02 * np.sqrt(2 / n)), "he")
    assert not check_initializer(normal(lambda n, m: np.sqrt(n / 2)), "he")
    report = check_initializer(normal(lambda n, m: 0.0123 * n**0.3), "he")
    assert str(report).startswith("不一致")
    assert "784×100: あなたの標準偏差 0.09" in str(report)
    assert "0.012 × n_in の 0.30 乗 × n_out の" in str(report)


def truncated(rng, std, size):
    """Standard normal numbers, drawn again where they are outside of two deviations."""
    z = rng.standard_normal(size)
    while np.any(outside := np.abs(z) > 2):
        z[outside] = rng.standard_normal(np.sum(outside))
    return std * z


@pytest.mark.parametrize(("scale", "variant"), [(1.0, "truncated-uncorrected"), (1 / 0.87963, "truncated")])
def test_truncated_normal_numbers_are_a_named_convention(scale, variant):
    report = check_initializer(lambda rng, n, m: truncated(rng, scale * np.sqrt(2 / n), (n, m)), "he")
    assert (report.ok, report.variant) == (True, variant), str(report)
    assert not check_initializer(lambda rng, n, m: truncated(rng, scale * 2 / n, (n, m)), "he")


SCALED = [  # what a learner wrote for He, what should be named, what should be said
    (normal(lambda n, m: np.sqrt(6 / n)), "eq-he-std/normal-width", "一様乱数の端 ±√3 σ を、正規乱数の標準偏差に"),
    (normal(lambda n, m: 0.01), "eq-he-std/constant", "いつも 0.01 です"),
    (normal(lambda n, m: 0.5 * np.sqrt(2 / n)), "eq-he-std/half", "式の半分です"),
    (normal(lambda n, m: np.sqrt(2 / m)), "eq-he-std/n-out", 'mode="fan_out"'),
    (normal(lambda n, m: np.sqrt(4 / (n + m))), "eq-he-std", "n_in + n_out"),
    (lambda rng, n, m: rng.uniform(-0.5, 0.5, (n, m)) * np.sqrt(2 / n), "eq-he-std/uniform-half-width", "幅(端から端まで)が σ"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "variant", "said"), SCALED)
def test_a_width_of_another_meaning_is_named(make, variant, said):
    report = check_initializer(make, "he")
    assert not report.ok
    assert report.variant.startswith(variant), str(report)
    assert said in str(report)


def test_no_equation_that_is_infinite_explains_anything():
    """√(2/(n - m)) with n := m is infinite, and every number is within an infinite error of it."""
    report = check_initializer(normal(lambda n, m: 0.0123 * n**0.3), "glorot")
    assert (report.ok, report.variant) == (False, None), str(report)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda rng, n, m: rng.normal(0.0, 0.1, (m, n)), "形が (n_out, n_in) です"),
        (lambda rng, n, m: np.random.default_rng().normal(0.0, 0.1, (n, m)), "渡された rng を使っていますか"),
        (
            lambda rng, n, m: np.random.default_rng(0).normal(0.0, 0.1, (n, m)),
            "種を固定していませんか",
        ),
        (lambda rng, n, m: rng.normal(0.1, 0.1, (n, m)), "平均が 0 ではありません"),
        (lambda rng, n, m, more: np.zeros((n, m)), "make(rng, 50, 400) で TypeError"),
        (lambda rng, n, m: None, "実数の配列を返してください"),
        (lambda rng, n, m: [[1.0], [1.0, 2.0]], "make の返した値 で ValueError"),
        (lambda rng, n, m: rng.normal(size=n), "形が (50, 400) ではありません"),
        (lambda rng, n, m: np.full((n, m), np.nan) * rng.normal(), "nan"),
    ],
)
def test_code_that_is_no_initializer_gets_its_own_sentence(make, sentence):
    report = check_initializer(make, "he")
    assert not report.ok
    assert sentence in str(report)


def test_an_unknown_initial_value_is_misuse():
    with pytest.raises(ValueError, match=r"name は \['glorot', 'he', 'xavier'\] のどれか.*'lecun'"):
        check_initializer(initializers.he, "lecun")
    with pytest.raises(ValueError, match=r"name は .*のどれか"):
        check_initializer(initializers.he, ["he"])


@pytest.mark.alone
def test_a_check_takes_less_than_two_seconds():
    check_initializer(initializers.he, "he")  # the first check reads the pages
    start = time.perf_counter()
    check_initializer(normal(lambda n, m: 0.123), "he")
    assert time.perf_counter() - start < 2


def keyword_only(*, fan_out, fan_in, seed=3):
    return np.random.randn(fan_in, fan_out) * np.sqrt(2 / fan_in)  # noqa: NPY002


def seeded(n_in, n_out):
    np.random.seed(0)  # noqa: NPY002
    return np.random.randn(n_in, n_out) * np.sqrt(2 / n_in)  # noqa: NPY002


SHAPES_OF_CALLS = {
    "sizes": lambda n_in, n_out: np.random.randn(n_in, n_out) * np.sqrt(2 / n_in),  # noqa: NPY002
    "unknown names": lambda a, b: np.random.randn(a, b) * np.sqrt(2 / a),  # noqa: NPY002
    "a shape": lambda shape: np.random.randn(*shape) * np.sqrt(2 / shape[0]),  # noqa: NPY002
    "keywords": keyword_only,
    "the other order": lambda output_size, input_size: np.random.normal(  # noqa: NPY002
        0, np.sqrt(2 / input_size), (input_size, output_size)
    ),
    "rng last": lambda n_in, n_out, rng: rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out)),
    "rng optional": lambda n_in, n_out, rng=None: rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out)),
    "a generator of its own": lambda n_in, n_out: np.random.default_rng().normal(
        0, np.sqrt(2 / n_in), (n_in, n_out)
    ),
    "an instance": type("He", (), {"__call__": lambda self, shape: SHAPES_OF_CALLS["a shape"](shape)})(),
}


@pytest.mark.parametrize("kind", SHAPES_OF_CALLS)
def test_an_initializer_is_called_as_it_stands(kind):
    report = check_initializer(SHAPES_OF_CALLS[kind], "he")
    assert report.ok, str(report)
    assert "呼びました" in str(report)


def test_a_fixed_seed_is_noticed_without_an_rng():
    assert "種を固定していませんか" in str(check_initializer(seeded, "he"))


@pytest.mark.parametrize(
    ("name", "std", "expected"),
    [
        ("my_weights", lambda n, m: np.sqrt(2 / n), (True, "he")),
        ("xavier_init", lambda n, m: np.sqrt(1 / n), (True, "xavier")),
        ("xavier_init", lambda n, m: np.sqrt(2 / n), (False, "xavier")),
        ("kaiming", lambda n, m: 2 / n, (False, "he")),
        ("small", lambda n, m: 0.01, (False, None)),
    ],
)
def test_the_initial_value_is_recognised(name, std, expected):
    make = normal(std)
    make.__name__ = name
    report = check_initializer(make)
    assert (report.ok, report.name) == expected, str(report)
