"""LayerNorm and RMSNorm: by hand, against central differences and PyTorch, sample by sample, and with bad input."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from fumoto.layernorm import LayerNorm, RMSNorm
from test_network import central_difference

REFERENCE = json.loads((Path(__file__).parent / "pytorch_runs" / "layernorm.json").read_text(encoding="utf-8"))
BOTH = [LayerNorm, RMSNorm]


def make_layer(cls, rng, nodes=4, **options):
    gamma = rng.uniform(0.5, 2.0, nodes)
    return cls(gamma, rng.normal(size=nodes), **options) if cls is LayerNorm else cls(gamma, **options)


# --- values and gradients ---------------------------------------------------------------------------------


def test_values_by_hand():
    """The row 1, 3: mean 2, variance 1, mean square 5; with epsilon 3 and 4 the roots are 2 and 3."""
    x, gamma, beta = np.array([[1.0, 3.0]]), np.array([4.0, 6.0]), np.array([10.0, 20.0])
    np.testing.assert_allclose(LayerNorm(gamma, beta, eps=3.0).forward(x), [[8.0, 23.0]])
    np.testing.assert_allclose(RMSNorm(gamma, eps=4.0).forward(x), [[4 / 3, 6.0]])


def test_layernorm_gives_every_row_mean_zero_and_deviation_one(rng):
    layer = make_layer(LayerNorm, rng, nodes=50, eps=1e-12)
    layer.forward(rng.normal(3.0, 2.0, (4, 50)) * [[0.1], [1.0], [10.0], [100.0]])
    np.testing.assert_allclose(layer.x_hat.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(layer.x_hat.std(axis=1), 1, rtol=1e-9)


def test_rmsnorm_gives_every_row_mean_square_one_and_keeps_the_ratios(rng):
    layer = make_layer(RMSNorm, rng, nodes=50, eps=1e-12)
    x = rng.normal(3.0, 2.0, (4, 50)) * [[0.1], [1.0], [10.0], [100.0]]
    layer.forward(x)
    np.testing.assert_allclose((layer.x_hat**2).mean(axis=1), 1, rtol=1e-9)
    np.testing.assert_allclose(layer.x_hat[:, 1:] / layer.x_hat[:, :1], x[:, 1:] / x[:, :1], rtol=1e-12)


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize("eps", [1e-5, 0.5])
@pytest.mark.parametrize(("samples", "nodes"), [(1, 3), (4, 2), (3, 8)])
def test_gradients_match_central_differences(cls, eps, samples, nodes, rng):
    layer = make_layer(cls, rng, nodes, eps=eps)
    x, weights = rng.normal(1.0, 2.0, (2, samples, nodes))

    def scalar():
        return float(np.sum(weights * layer.forward(x)))

    layer.forward(x)
    dx = layer.backward(weights)
    grads = {name: g.copy() for name, g in layer.grads.items()}
    np.testing.assert_allclose(dx, central_difference(scalar, x), rtol=1e-6, atol=1e-8)
    assert grads.keys() == layer.params.keys()
    for name, array in layer.params.items():
        np.testing.assert_allclose(grads[name], central_difference(scalar, array), rtol=1e-6, atol=1e-8)


def test_a_constant_row_gives_beta_and_a_row_of_zeros_gives_zero(rng):
    layer = make_layer(LayerNorm, rng)
    np.testing.assert_array_equal(layer.forward(np.full((2, 4), 7.0)), [layer.params["beta"]] * 2)
    assert np.all(np.isfinite(layer.backward(np.ones((2, 4)))))
    layer = make_layer(RMSNorm, rng)
    np.testing.assert_array_equal(layer.forward(np.zeros((2, 4))), 0)
    np.testing.assert_allclose(layer.backward(np.ones((2, 4))), [layer.params["gamma"] / np.sqrt(1e-5)] * 2)


@pytest.mark.parametrize("cls", BOTH)
def test_a_missing_value_spoils_its_own_row_only(cls, rng):
    x = rng.normal(size=(5, 4))
    x[2, 1] = np.nan
    y = make_layer(cls, rng).forward(x)
    np.testing.assert_array_equal(np.isnan(y), np.arange(5)[:, None] == [[2] * 4])


@pytest.mark.parametrize("cls", BOTH)
def test_a_sample_is_answered_alike_alone_and_in_company_in_training_and_inference(cls, rng):
    layer, x = make_layer(cls, rng), rng.normal(3.0, 2.0, (6, 4))
    together = layer.forward(x, training=True)
    for training in (True, False):
        alone = np.vstack([layer.forward(row[None], training) for row in x])
        np.testing.assert_array_equal(alone, together)
    assert layer.forward(x[:0]).shape == (0, 4)


@pytest.mark.parametrize("cls", BOTH)
def test_float32_stays_float32(cls, rng):
    layer = cls(*np.ones((2 if cls is LayerNorm else 1, 4), np.float32))
    y = layer.forward(rng.normal(size=(3, 4)).astype(np.float32))
    dx = layer.backward(np.ones_like(y))
    assert {array.dtype for array in (y, dx, *layer.grads.values())} == {np.dtype(np.float32)}


# --- PyTorch ----------------------------------------------------------------------------------------------


def assert_matches(case):
    """Replay a case of pytorch_runs/layernorm.json; every number must agree."""
    dtype = case["dtype"]
    given = {name: np.array(case[name], dtype) for name in ("gamma", "beta", "x", "dout")}
    weights = [given["gamma"], given["beta"]] if case["layer"] == "LayerNorm" else [given["gamma"]]
    layer = {"LayerNorm": LayerNorm, "RMSNorm": RMSNorm}[case["layer"]](*weights, eps=case["eps"])
    found = {"y": layer.forward(given["x"]), "dx": layer.backward(given["dout"])}
    found |= {f"d{name}": gradient for name, gradient in layer.grads.items()}
    assert found.keys() == case.keys() & {"y", "dx", "dgamma", "dbeta"}
    for name, values in found.items():
        expected = np.array(case[name], dtype)
        assert values.dtype == expected.dtype, name
        rtol, atol = (1e-10, 1e-12) if dtype == "float64" else (2e-4, 2e-5 * max(1.0, np.abs(expected).max()))
        np.testing.assert_allclose(values, expected, rtol=rtol, atol=atol, err_msg=name)


@pytest.mark.parametrize("case", REFERENCE["cases"], ids=lambda c: f"{c['layer']}-{c['dtype']}-{c['eps']}")
def test_matches_committed_pytorch_numbers(case):
    assert_matches(case)


def test_committed_numbers_cover_what_they_should():
    covered = {(case["layer"], case["dtype"]) for case in REFERENCE["cases"]}
    assert covered == {(cls.__name__, dtype) for cls in BOTH for dtype in ("float32", "float64")}
    assert any(len(case["x"]) == 1 for case in REFERENCE["cases"])
    assert any(np.ptp(case["x"][-1]) == 0 for case in REFERENCE["cases"])  # a constant row


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_matches_live_pytorch():
    from pytorch_runs.make_layernorm import CASES, run_case

    for case in CASES:
        assert_matches(run_case(*case))


# --- bad input --------------------------------------------------------------------------------------------


def backward(layer, dout):
    layer.forward(np.eye(3, 4))
    return layer.backward(dout)


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda layer: layer.forward(np.ones((3, 5))), ValueError, r"x は \(N, 4\).*\(3, 5\)"),
        (lambda layer: layer.forward(np.ones(4)), ValueError, r"x は \(N, 4\).*\(4,\)"),
        (lambda layer: layer.forward([[1.0] * 4]), TypeError, "x は NumPy の配列.*list"),
        (lambda layer: backward(layer, np.ones((1, 4))), ValueError, r"dout は \(3, 4\).*\(1, 4\)"),
        (lambda layer: backward(layer, [[1.0] * 4] * 3), TypeError, "dout は NumPy の配列.*list"),
        (lambda layer: layer.backward(np.ones((3, 4))), AttributeError, "backward の前に forward"),
        (lambda layer: type(layer)(*layer.params.values(), eps=0.0), ValueError, "eps は正の数"),
    ],
)
def test_bad_input_is_one_clear_error(cls, call, error, message, rng):
    with pytest.raises(error, match=message):
        call(make_layer(cls, rng))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: LayerNorm(np.ones(3), np.ones(4)), ValueError, r"同じ \(D,\).*gamma: \(3,\), beta: \(4,\)"),
        (lambda: RMSNorm(np.ones((2, 2))), ValueError, r"gamma は \(D,\) の形.*gamma: \(2, 2\)"),
        (lambda: RMSNorm(np.ones(2, int)), TypeError, "gamma は float32 か float64"),
        (lambda: LayerNorm(np.ones(2), np.ones(2, np.float32)), TypeError, "同じ型"),
    ],
)
def test_bad_weights_are_one_clear_error(make, error, message):
    with pytest.raises(error, match=message):
        make()
