"""min_max, standardize, robust_scale: values, columns, types, and bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
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


# --- numbers that rounding could spoil ----------------------------------------------------------------------

LOST = "x の列 1 は、値の差が丸めで失われるか、計算があふれます"
HARD = {  # a column -> min_max, standardize, or None where that is an error
    "a small difference of large numbers": ([1e16, 1e16 + 2], [0, 1], None),
    "neighbours": ([1.0, 1 + 2**-52], [0, 1], None),
    "neighbours with room for their mean": ([1e15, 1e15 + 2], [0, 1], [-1, 1]),
    "too far apart to subtract": ([1.7e308, -1.7e308], None, None),
    "squares overflow": ([1e200, -1e200], [1, 0], None),
    "squares vanish": ([1e-200, 3e-200], [0, 1], None),
    "subnormal": ([1e-320, 2e-320], [0, 1], None),
    "bytes": (np.array([-128, 127], np.int8), [0, 1], [-1, 1]),
    "half precision": (np.array([60000, 50000], np.float16), [1, 0], [1, -1]),
    "a large offset in float32": (np.array([1e8, 1e8 + 8], np.float32), [0, 1], [-1, 1]),
    "the largest in float32": (np.array([3e38, -3e38], np.float32), [1, 0], [1, -1]),
    "subnormal in float32": (np.array([1e-44, 3e-44], np.float32), [0, 1], [-1, 1]),
}


@pytest.mark.parametrize("kind", HARD)
def test_a_spread_that_rounding_takes_away_is_said_and_any_other_is_kept(kind):
    column, unit, standard = HARD[kind]
    x = np.column_stack([np.arange(2), column]).astype(np.asarray(column).dtype)
    for scale, expected in ((min_max, unit), (standardize, standard)):
        if expected is None:
            with pytest.raises(ValueError, match=LOST):
                scale(x)
        else:
            np.testing.assert_allclose(scale(x)[:, 1], expected, rtol=1e-6, atol=1e-15)


@pytest.mark.parametrize("scale", ALL, ids=lambda f: f.__name__)
def test_whole_numbers_that_a_float_cannot_tell_apart_are_refused(scale):
    assert scale([2**53, 0, 1]).shape == (3,)
    for x in ([2**53 + 2, 0, 1], [-(2**62), 0, 1], np.array([2**64 - 1, 2**64 - 2], np.uint64)):
        with pytest.raises(ValueError, match="2 の 53 乗より大きい整数"):
            scale(x)


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6, 1e12])
def test_many_float32_samples_with_an_offset(offset, rng):
    x = (rng.normal(size=(60_000, 2)) * max(offset, 1.0) * 1e-5 + offset).astype(np.float32)
    y = standardize(x).astype(np.float64)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(y.std(axis=0), 1, rtol=1e-6)


def test_a_result_that_does_not_fit_into_float32_is_said():
    x = np.column_stack([np.arange(5), [1e-3, 2e-3, 3e-3, 4e-3, 3e38]])
    with pytest.raises(ValueError, match=LOST):
        robust_scale(x.astype(np.float32))
    assert np.isfinite(robust_scale(x)).all()


ANY_FLOATS = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=1, max_dims=2, min_side=1, max_side=6),
        elements=st.one_of(
            hnp.from_dtype(np.dtype(dtype), allow_nan=False, allow_infinity=False),
            st.sampled_from([1e16, 1e16 + 2, 0.1, -0.1, 1.0, 0.0]).map(dtype),  # equal and nearly equal
        ),
    )
)


@given(x=ANY_FLOATS)
@settings(max_examples=400)
def test_any_data_keep_the_promise_or_are_one_error_that_names_the_column(x):
    """0 and 1, -- extremes, mean and deviation, median and quartiles -- within 2e-6 (float32 is rounded once more)."""
    for scale in ALL:
        try:
            with np.errstate(all="raise"):
                y = scale(x)
        except ValueError as error:
            assert "x の列 " in str(error)
            continue
        assert y.dtype == x.dtype and np.isfinite(y).all()
        y = y.astype(np.float64)
        low, middle, high = np.quantile(y, [0.25, 0.5, 0.75], axis=0)
        if scale is min_max:
            zero, one = y.min(axis=0), y.max(axis=0)
        elif scale is standardize:
            zero, one = y.mean(axis=0), y.std(axis=0)
        else:
            zero, one = middle, high - low
        size = np.maximum(1, np.maximum(np.abs(low), np.abs(high)))
        assert np.all(np.abs(zero) < 2e-6 * size) and np.all(np.abs(one - 1) < 2e-6 * size)


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
