"""min_max, standardize, robust_scale: values, columns, types, and bad input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fumoto.normalization import min_max, robust_scale, standardize

ALL = [min_max, standardize, robust_scale]
SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=2, max_side=6)


# --- values -----------------------------------------------------------------------------------------------


def test_min_max_runs_from_zero_to_one(rng):
    x = rng.normal(5, 3, 40)
    y = min_max(x)
    assert (y.min(), y.max()) == (0, 1)
    np.testing.assert_allclose(min_max([3.0, -1.0, 0.0]), [1.0, 0.0, 0.25])


def test_standardized_data_has_mean_zero_and_deviation_one_dividing_by_all_samples(rng):
    x = rng.normal(5, 3, 7)
    y = standardize(x)
    assert abs(y.mean()) < 1e-12
    assert np.mean(y**2) == pytest.approx(1, rel=1e-12)  # N - 1 instead of N would give 6/7
    np.testing.assert_allclose(standardize([1.0, 3.0]), [-1.0, 1.0])


def test_robust_scale_has_median_zero_and_quartiles_one_apart(rng):
    x = rng.exponential(size=101)
    y = robust_scale(x)
    assert np.median(y) == 0
    low, high = np.quantile(y, [0.25, 0.75])
    assert high - low == pytest.approx(1, rel=1e-12)
    np.testing.assert_allclose(robust_scale([0.0, 4.0, 8.0, 12.0, 1e6])[:4], [-1.0, -0.5, 0.0, 0.5])


@pytest.mark.parametrize("scale", ALL, ids=lambda f: f.__name__)
def test_units_and_origin_do_not_matter(scale, rng):
    x = rng.normal(size=20)
    np.testing.assert_allclose(scale(2.54 * x - 17), scale(x), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("scale", ALL, ids=lambda f: f.__name__)
def test_every_column_is_scaled_by_itself(scale, rng):
    x = rng.normal(size=(9, 3)) * [1.0, 100.0, 0.01] + [5.0, 0.0, -2.0]
    expected = np.column_stack([scale(column) for column in x.T])
    np.testing.assert_allclose(scale(x), expected, rtol=1e-12)


@pytest.mark.parametrize("scale", ALL, ids=lambda f: f.__name__)
@given(x=hnp.arrays(np.float64, SHAPES, elements=st.floats(-1e6, 1e6, width=32)))
def test_shape_stays_and_the_input_is_not_touched(scale, x):
    before = x.copy()
    try:
        y = scale(x)
    except ValueError:
        return  # a column without any width
    assert y.shape == x.shape
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("scale", ALL, ids=lambda f: f.__name__)
def test_float32_stays_and_everything_else_becomes_float64(scale, rng):
    x = rng.normal(size=(8, 2))
    y = scale(x.astype(np.float32))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, scale(x), rtol=1e-4, atol=1e-5)
    assert scale(np.array([1, 2, 5, 7])).dtype == scale([1, 2, 5, 7]).dtype == np.float64


# --- bad input --------------------------------------------------------------------------------------------

BAD = [
    ([1.0, np.nan, 3.0], ValueError, "x に nan か inf が 1 個"),
    ([1.0, np.inf, -np.inf], ValueError, "x に nan か inf が 2 個"),
    ([], ValueError, r"1 つ以上の標本.*\(0,\)"),
    (np.ones((0, 3)), ValueError, r"1 つ以上の標本.*\(0, 3\)"),
    (3.0, ValueError, r"1 つ以上の標本.*\(\)"),
    (["a", "b"], TypeError, "実数の配列"),
    ([True, False], TypeError, "実数の配列.*bool"),
    ([1 + 2j, 3.0], TypeError, "実数の配列.*complex"),
    (None, TypeError, "実数の配列"),
]


@pytest.mark.parametrize("scale", ALL, ids=lambda f: f.__name__)
@pytest.mark.parametrize(("x", "error", "message"), BAD)
def test_bad_input_is_one_clear_error(scale, x, error, message):
    with pytest.raises(error, match=message):
        scale(x)


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        (min_max, "最大値と最小値の差が 0"),
        (standardize, "標準偏差が 0"),
        (robust_scale, "四分位範囲が 0"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_constant_column_is_an_error_that_names_it(scale, message, rng):
    for constant in (5.0, 0.1):  # the mean of three 0.1 is not exactly 0.1
        with pytest.raises(ValueError, match=f"列 0 は.*{message}"):
            scale(np.full(3, constant))
        x = np.column_stack([rng.normal(size=6), np.full(6, constant)])
        with pytest.raises(ValueError, match=f"列 1 は.*{message}"):
            scale(x)


def test_a_column_with_equal_quartiles_is_an_error_though_it_is_not_constant():
    with pytest.raises(ValueError, match="四分位の間が全部同じ値"):
        robust_scale([1.0, 5.0, 5.0, 5.0, 9.0])


def test_one_sample_has_no_width():
    for scale in ALL:
        with pytest.raises(ValueError, match="列 0"):
            scale([3.0])
