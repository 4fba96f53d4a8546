"""Initial weights: their moments, what they do to values and gradients over 50 layers, and bad input."""

import numpy as np
import pytest

from fumoto import initializers
from fumoto.experiments.initialization import mean_squares
from fumoto.initializers import gaussian, glorot, he, xavier, zeros
from fumoto.layers import Affine, ReLU, Tanh

SIGMAS = 5  # standard errors allowed: chance goes beyond once in a million
SHAPES = [(50, 20_000), (100, 10_000), (784, 1300)]
EXPECTED = {
    "xavier": lambda n, m: np.sqrt(1 / n),
    "glorot": lambda n, m: np.sqrt(2 / (n + m)),
    "he": lambda n, m: np.sqrt(2 / n),
}
WRONG = {  # what the bound must refuse
    "xavier": [
        lambda n, m: 1 / n,
        lambda n, m: np.sqrt(1 / m),
        lambda n, m: np.sqrt(1 / (n * m)),
        lambda n, m: np.sqrt(2 / n),
        lambda n, m: np.sqrt(1 / (3 * n)),
    ],
    "glorot": [
        lambda n, m: 2 / (n + m),
        lambda n, m: np.sqrt(1 / (n + m)),
        lambda n, m: np.sqrt(2 / n),
        lambda n, m: np.sqrt(2 / m),
    ],
    "he": [
        lambda n, m: 2 / n,
        lambda n, m: 2 / np.sqrt(n),
        lambda n, m: np.sqrt(2 / m),
        lambda n, m: np.sqrt(2 / (n * m)),
        lambda n, m: np.sqrt(1 / n),
    ],
}


def has_std(W, std):
    """Whether the sample's standard deviation is `std` within its standard error, std / sqrt(2 N)."""
    return abs(W.std() / std - 1) < SIGMAS / np.sqrt(2 * W.size)


@pytest.mark.parametrize(("n", "m"), SHAPES)
@pytest.mark.parametrize("name", EXPECTED)
def test_moments_are_those_of_the_formula(name, n, m, rng):
    W, std = getattr(initializers, name)(rng, n, m), EXPECTED[name](n, m)
    assert W.shape == (n, m)
    assert W.dtype == np.float64
    assert abs(W.mean()) < SIGMAS * std / np.sqrt(W.size)
    assert has_std(W, std)
    kurtosis = np.mean((W / std) ** 4)  # 3 for a normal distribution, 1.8 for a uniform one
    assert abs(kurtosis - 3) < SIGMAS * np.sqrt(96 / W.size)


@pytest.mark.parametrize(("n", "m"), [(200, 5000), (784, 1300)])
@pytest.mark.parametrize("name", EXPECTED)
def test_the_bound_refuses_a_wrong_n_and_a_missing_root(name, n, m, rng):
    W = getattr(initializers, name)(rng, n, m)
    for wrong in WRONG[name]:
        assert not has_std(W, wrong(n, m))


def test_the_bound_refuses_n_off_by_one(rng):
    for initializer, top in ((xavier, 1), (he, 2)):
        W = initializer(rng, 50, 20_000)
        assert not has_std(W, np.sqrt(top / 49))
        assert not has_std(W, np.sqrt(top / 51))


@pytest.mark.parametrize("std", [0.01, 0.1, 1.0, 3])
def test_gaussian_has_the_std_it_is_given_for_any_shape(std, rng):
    for shape in ((10, 40_000), (2000, 200)):
        assert has_std(gaussian(std)(rng, *shape), std)


def test_zeros_and_no_width_are_exactly_zero(rng):
    for initializer in (zeros, gaussian(0.0)):
        W = initializer(rng, 3, 4)
        assert W.shape == (3, 4)
        assert not W.any()


def test_glorot_is_xavier_where_both_layers_are_equal_and_between_the_two_demands_elsewhere():
    def pair():
        return np.random.default_rng(7)

    np.testing.assert_allclose(glorot(pair(), 30, 30), xavier(pair(), 30, 30), rtol=1e-14)
    n, m = 100, 10_000
    forwards, backwards = (side * glorot(pair(), n, m).var() for side in (n, m))
    assert (forwards + backwards) / 2 == pytest.approx(1, abs=0.01)
    assert forwards < 1 < backwards


def test_with_one_hundred_nodes_a_tenth_is_xavier():
    first, second = (f(np.random.default_rng(3), 100, 100) for f in (gaussian(0.1), xavier))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("make", [gaussian(0.5), xavier, glorot, he])
def test_only_the_given_generator_is_used(make):
    np.random.seed(0)  # noqa: NPY002 - the global state must stay as it is
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (make(np.random.default_rng(seed), 6, 5) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.any(first == other)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    rng = np.random.default_rng(1)
    assert not np.any(make(rng, 6, 5) == make(rng, 6, 5))


# --- values and gradients through many layers -------------------------------------------------------------

NETWORKS, LAYERS = 200, 50


def through(activation, initializer, rng, networks=NETWORKS):
    return np.array([mean_squares(activation, initializer, LAYERS, rng) for _ in range(networks)])


def agrees_with(ratios, expected):
    """Ratios of successive layers are uncorrelated: their mean has the standard error of independent numbers."""
    return abs(ratios.mean() - expected) < SIGMAS * ratios.std() / np.sqrt(ratios.size)


@pytest.mark.parametrize(
    ("activation", "initializer"),
    [(ReLU, he), (None, xavier), (None, glorot)],
    ids=["he", "xavier", "glorot"],
)
def test_mean_square_is_kept_over_fifty_layers(activation, initializer, rng):
    squares = through(activation, initializer, rng)
    ratios = squares[:, 1:] / squares[:, :-1]
    assert agrees_with(ratios, 1)
    for wrong in (0.5, 2, 0.98, 1.02):  # the test can fail
        assert not agrees_with(ratios, wrong)
    # over all layers: a wrong factor of two would be 2**50; single networks wander, so the mean is wide
    assert 0.2 < squares[:, -1].mean() < 5
    assert 0.9 < squares[:, 0].mean() < 1.1


def test_a_single_network_wanders(rng):
    last = through(ReLU, he, rng, 60)[:, -1]
    assert np.quantile(last, 0.9) > 10 * np.quantile(last, 0.1)


@pytest.mark.parametrize(
    ("activation", "initializer", "factor"), [(ReLU, xavier, 1 / 2), (None, he, 2)], ids=["xavier", "he"]
)
def test_the_other_way_round_it_halves_or_doubles(activation, initializer, factor, rng):
    squares = through(activation, initializer, rng, 50)
    assert agrees_with(squares[:, 1:] / squares[:, :-1], factor)
    assert 0.1 < squares[:, -1].mean() / factor**LAYERS < 10


def test_tanh_keeps_small_values_and_compresses_large_ones(rng):
    """Xavier is right for tanh near its linear part: the mean square can only fall."""
    small = []
    for _ in range(200):
        h = rng.normal(size=(1, 100)) * 1e-3
        y = Tanh().forward(Affine(xavier(rng, 100, 100), np.zeros(100)).forward(h))
        small.append(np.mean(y**2) / np.mean(h**2))
    assert np.mean(small) == pytest.approx(1, abs=5 * np.std(small) / np.sqrt(200))
    large = np.mean([mean_squares(Tanh, xavier, 1, rng) for _ in range(50)], axis=0)
    assert large[1] < 0.6 * large[0]


def test_gradients_are_kept_backwards_by_he_through_relu_layers(rng):
    ratios = []
    for _ in range(400):
        affine, relu = Affine(he(rng, 100, 100), np.zeros(100)), ReLU()
        h = rng.normal(size=(1, 100))
        relu.forward(affine.forward(h))
        gradient = rng.normal(size=(1, 100))
        back = affine.backward(relu.backward(gradient))
        ratios.append(np.mean(back**2) / np.mean(gradient**2))
    assert agrees_with(np.array(ratios), 1)
    assert not agrees_with(np.array(ratios), 0.9)


# --- bad input --------------------------------------------------------------------------------------------

MAKERS = {"zeros": zeros, "gaussian": gaussian(0.1), "xavier": xavier, "glorot": glorot, "he": he}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (0, ValueError, r"{} は 1 以上でなければなりません\(渡された値: 0\)"),
        (-3, ValueError, r"{} は 1 以上でなければなりません\(渡された値: -3\)"),
        (2.0, TypeError, r"{} は整数でなければなりません\(渡された値: 2.0\)"),
        (True, TypeError, r"{} は整数でなければなりません\(渡された値: True\)"),
        ("4", TypeError, r"{} は整数でなければなりません\(渡された値: '4'\)"),
        (None, TypeError, r"{} は整数でなければなりません\(渡された値: None\)"),
    ],
)
def test_bad_numbers_of_nodes(make, value, error, message, rng):
    with pytest.raises(error, match=message.format("n_in")):
        make(rng, value, 4)
    with pytest.raises(error, match=message.format("n_out")):
        make(rng, 4, value)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("value", [None, 0, np.random, np.random.default_rng])
def test_anything_but_a_generator_is_refused(make, value):
    with pytest.raises(TypeError, match=r"rng は numpy\.random\.Generator でなければなりません"):
        make(value, 2, 3)


@pytest.mark.parametrize(
    ("std", "error", "message"),
    [
        (-0.01, ValueError, r"std は 0 以上でなければなりません\(渡された値: -0.01\)"),
        (np.nan, ValueError, "std は有限の数でなければなりません"),
        (np.inf, ValueError, "std は有限の数でなければなりません"),
        ("he", TypeError, "std は実数でなければなりません"),
        (None, TypeError, "std は実数でなければなりません"),
        (True, TypeError, "std は実数でなければなりません"),
    ],
)
def test_bad_widths_are_refused_at_once(std, error, message):
    with pytest.raises(error, match=message):
        gaussian(std)


def test_numpy_integers_are_numbers_of_nodes(rng):
    assert he(rng, np.int64(3), np.int32(2)).shape == (3, 2)
