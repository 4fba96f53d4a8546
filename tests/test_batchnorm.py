"""BatchNorm: against central differences, against PyTorch, inside the network, and with bad input."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from fumoto.batchnorm import BatchNorm
from fumoto.initializers import gaussian
from fumoto.layers import ReLU, Sigmoid, Tanh
from fumoto.network import MLP
from fumoto.optimizers import SGD
from fumoto.training import train
from test_network import central_difference

REFERENCE = json.loads((Path(__file__).parent / "pytorch_runs" / "batchnorm.json").read_text(encoding="utf-8"))
TOLERANCES = {  # y and the averages; gradients are smaller differences of larger numbers
    "float64": {"rtol": 1e-10, "atol": 1e-12},
    "float32": {"rtol": 2e-4, "atol": 2e-4},
}


def make_layer(rng, features=4, **options):
    return BatchNorm(rng.uniform(0.5, 2.0, features), rng.normal(size=features), **options)


def scaled_data(rng, shape):
    """Columns far from mean 0 and standard deviation 1, and of different scales."""
    return rng.normal(3.0, 2.0, shape) * np.geomspace(0.3, 30.0, shape[1])


# --- values and gradients -------------------------------------------------------------------------------


def test_training_output_has_mean_beta_and_standard_deviation_gamma(rng):
    layer = make_layer(rng, eps=1e-12)
    y = layer.forward(scaled_data(rng, (50, 4)), training=True)
    np.testing.assert_allclose(y.mean(axis=0), layer.params["beta"], atol=1e-12)
    np.testing.assert_allclose(y.std(axis=0), layer.params["gamma"], rtol=1e-9)


def test_values_by_hand():
    """One column 1, 3: mean 2, variance 1; with epsilon 3 the root is 2."""
    layer = BatchNorm(np.array([4.0]), np.array([10.0]), eps=3.0)
    np.testing.assert_allclose(layer.forward(np.array([[1.0], [3.0]]), training=True), [[8.0], [12.0]])
    np.testing.assert_allclose(layer.backward(np.array([[1.0], [-1.0]])), [[1.5], [-1.5]])
    assert (layer.grads["gamma"].item(), layer.grads["beta"].item()) == (-1.0, 0.0)


@pytest.mark.parametrize("eps", [1e-5, 0.5])
@pytest.mark.parametrize("samples", [2, 3, 8])
def test_training_gradients_match_central_differences(eps, samples, rng):
    layer = make_layer(rng, eps=eps)
    x = rng.normal(1.0, 2.0, (samples, 4))
    weights = rng.normal(size=x.shape)

    def scalar():
        return float(np.sum(weights * layer.forward(x, training=True)))

    layer.forward(x, training=True)
    dx = layer.backward(weights)
    grads = {name: g.copy() for name, g in layer.grads.items()}
    np.testing.assert_allclose(dx, central_difference(scalar, x), rtol=1e-6, atol=1e-8)
    assert grads.keys() == layer.params.keys()
    for name, array in layer.params.items():
        np.testing.assert_allclose(grads[name], central_difference(scalar, array), rtol=1e-6, atol=1e-8)


def test_inference_gradients_match_central_differences(rng):
    layer = make_layer(rng)
    for _ in range(3):
        layer.forward(scaled_data(rng, (6, 4)), training=True)
    x, weights = scaled_data(rng, (5, 4)), rng.normal(size=(5, 4))

    def scalar():
        return float(np.sum(weights * layer.forward(x, training=False)))

    layer.forward(x, training=False)
    dx = layer.backward(weights)
    grads = dict(layer.grads)
    np.testing.assert_allclose(dx, central_difference(scalar, x), rtol=1e-6, atol=1e-8)
    for name, array in layer.params.items():
        np.testing.assert_allclose(grads[name], central_difference(scalar, array), rtol=1e-6, atol=1e-8)


def test_constant_column_gives_beta_and_passes_only_what_differs_from_the_mean(rng):
    layer = BatchNorm(np.array([2.0, 3.0]), np.array([0.5, -1.0]))
    x = np.column_stack([np.full(4, 7.0), rng.normal(size=4)])
    y = layer.forward(x, training=True)
    np.testing.assert_array_equal(y[:, 0], 0.5)
    dout = rng.normal(size=(4, 2))
    dx = layer.backward(dout)
    assert np.all(np.isfinite(dx))
    expected = 2.0 / np.sqrt(layer.eps) * (dout[:, 0] - dout[:, 0].mean())
    np.testing.assert_allclose(dx[:, 0], expected)


def test_a_missing_value_spoils_its_own_column_only(rng):
    layer = make_layer(rng)
    x = rng.normal(size=(5, 4))
    x[2, 1] = np.nan
    y = layer.forward(x, training=True)
    np.testing.assert_array_equal(np.isnan(y), [[False, True, False, False]] * 5)


# --- PyTorch ----------------------------------------------------------------------------------------------


def assert_matches(case):
    """Replay a case of pytorch_runs/batchnorm.json; every number must agree."""
    dtype, tolerance = case["dtype"], TOLERANCES[case["dtype"]]
    gamma, beta = np.array(case["gamma"], dtype), np.array(case["beta"], dtype)
    layer = BatchNorm(gamma, beta, decay_rate=case["decay_rate"], eps=case["eps"])
    for number, step in enumerate(case["steps"]):
        y = layer.forward(np.array(step["x"], dtype), step["training"])
        dx = layer.backward(np.array(step["dout"], dtype))
        found = {"y": y, "dx": dx, "dgamma": layer.grads["gamma"], "dbeta": layer.grads["beta"]}
        found |= {"running_mean": layer.running_mean, "running_var": layer.running_var}
        for name, values in found.items():
            assert values.dtype == np.dtype(dtype), name
            scale = max(1.0, np.abs(step[name]).max()) if dtype == "float32" else 1.0
            np.testing.assert_allclose(
                values,
                np.array(step[name], dtype),
                rtol=tolerance["rtol"],
                atol=tolerance["atol"] * scale,
                err_msg=f"{name} of step {number}",
            )


@pytest.mark.parametrize("case", REFERENCE["cases"], ids=lambda c: f"{c['dtype']}-{c['decay_rate']}")
def test_matches_committed_pytorch_numbers(case):
    assert_matches(case)


def test_committed_numbers_cover_what_they_should():
    cases = REFERENCE["cases"]
    assert {case["dtype"] for case in cases} == {"float32", "float64"}
    steps = [step for case in cases for step in case["steps"]]
    assert {step["training"] for step in steps} == {True, False}
    assert any(len(step["x"]) == 1 for step in steps if not step["training"])
    assert any(sum(step["training"] for step in case["steps"]) >= 3 for case in cases)
    assert all(np.ptp(np.array(step["x"])[:, -1]) == 0 for step in steps)  # a constant column


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_matches_live_pytorch():
    from pytorch_runs.make_batchnorm import CASES, run_case

    for case in CASES:
        assert_matches(run_case(*case))


# --- running averages -------------------------------------------------------------------------------------


def test_running_averages_follow_their_closed_form(rng):
    layer = make_layer(rng, decay_rate=0.7)
    batches = [scaled_data(rng, (size, 4)) for size in (2, 5, 9)]
    for x in batches:
        layer.forward(x, training=True)
    mean, var = np.zeros(4), np.ones(4)
    for x in batches:
        mean = 0.7 * mean + 0.3 * x.mean(axis=0)
        var = 0.7 * var + 0.3 * x.var(axis=0, ddof=1)
    np.testing.assert_allclose(layer.running_mean, mean)
    np.testing.assert_allclose(layer.running_var, var)


def test_inference_changes_nothing_and_does_not_look_at_the_batch(rng):
    layer = make_layer(rng)
    layer.forward(scaled_data(rng, (6, 4)), training=True)
    mean, var = layer.running_mean.copy(), layer.running_var.copy()
    x = scaled_data(rng, (5, 4))
    together = layer.forward(x, training=False)
    alone = np.vstack([layer.forward(row[None], training=False) for row in x])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(layer.running_mean, mean)
    np.testing.assert_array_equal(layer.running_var, var)


def test_training_output_of_a_sample_depends_on_the_others(rng):
    layer = make_layer(rng)
    x = scaled_data(rng, (5, 4))
    first = layer.forward(x, training=True)[0].copy()
    assert np.all(np.abs(layer.forward(x[:3], training=True)[0] - first) > 1e-3)


def test_averages_keep_their_type_whatever_the_batch(rng):
    layer = BatchNorm(np.ones(3, np.float32), np.zeros(3, np.float32))
    layer.forward(rng.normal(size=(5, 3)), training=True)
    assert layer.running_mean.dtype == layer.running_var.dtype == np.float32


def test_a_constant_column_gives_beta_up_to_the_rounding_of_its_mean():
    layer = BatchNorm(np.ones(1), np.full(1, 0.5))
    outputs = np.array([layer.forward(np.full((n, 1), 0.1))[0, 0] for n in range(2, 50)])
    assert np.any(outputs != 0.5)
    np.testing.assert_allclose(outputs, 0.5, rtol=0, atol=1e-12)


# --- in the network ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", [ReLU, Sigmoid, Tanh])
@pytest.mark.parametrize("batchnorm", ["before", "after"])
def test_network_gradient_matches_central_differences(batchnorm, activation, rng):
    network = MLP([5, 7, 6, 4], activation, rng=rng, batchnorm=batchnorm, dtype=np.float64)
    for name, array in network.params.items():
        if name[0] != "W":
            array += 0.2 * rng.normal(size=array.shape)
    x, t = rng.normal(size=(8, 5)), rng.integers(0, 4, 8)

    def loss():
        return float(network.loss_layer.forward(network.predict(x, training=True), t))

    value, grads = network.gradient(x, t)
    assert value == pytest.approx(loss(), rel=1e-12)
    assert grads.keys() == network.params.keys()
    for name, array in network.params.items():
        expected = central_difference(loss, array)
        np.testing.assert_allclose(grads[name], expected, rtol=1e-5, atol=1e-8, err_msg=name)


@pytest.mark.parametrize(
    ("batchnorm", "order"),
    [
        ("before", ["Affine", "BatchNorm", "ReLU", "Affine", "BatchNorm", "ReLU", "Affine"]),
        ("after", ["Affine", "ReLU", "BatchNorm", "Affine", "ReLU", "BatchNorm", "Affine"]),
        (None, ["Affine", "ReLU", "Affine", "ReLU", "Affine"]),
    ],
)
def test_batchnorm_stands_where_it_says_and_never_at_the_output(batchnorm, order, rng):
    network = MLP([3, 4, 4, 2], rng=rng, batchnorm=batchnorm)
    assert [type(layer).__name__ for _, layer in network.layers] == order
    names = ["W1", "b1", "gamma1", "beta1", "W2", "b2", "gamma2", "beta2", "W3", "b3"]
    assert set(network.params) == {n for n in names if batchnorm or not n.startswith(("gamma", "beta"))}
    for name, array in network.params.items():
        if name.startswith(("gamma", "beta")):
            np.testing.assert_array_equal(array, 1.0 if name.startswith("gamma") else 0.0)
            assert array.dtype == np.float32


@pytest.mark.parametrize("batchnorm", ["before", "after"])
def test_network_answers_the_same_for_a_sample_whatever_its_batch(batchnorm, rng):
    network = MLP([5, 7, 6, 4], rng=rng, batchnorm=batchnorm, dtype=np.float64)
    x, t = scaled_data(rng, (40, 5)), rng.integers(0, 4, 40)
    train(network, SGD(lr=0.1), x, t, steps=20, batch_size=10, rng=rng)
    together = network.predict(x)
    alone = np.vstack([network.predict(row[None]) for row in x])
    np.testing.assert_allclose(alone, together, rtol=1e-12, atol=1e-13)


def test_scaling_the_weights_changes_no_output_and_divides_their_gradient(rng):
    """What makes large weights learn slowly: with BatchNorm behind it, a matrix has no scale of its own."""
    results = []
    x, t = rng.normal(size=(20, 5)), rng.integers(0, 4, 20)
    for c in (1.0, 10.0):
        network = MLP([5, 7, 4], rng=np.random.default_rng(3), batchnorm="before", dtype=np.float64)
        network.params["W1"] *= c
        network.layers[1][1].eps = 1e-15
        loss, grads = network.gradient(x, t)
        results.append((loss, grads["W1"], grads["b1"]))
    (loss, g, b), (scaled_loss, scaled_g, _) = results
    assert scaled_loss == pytest.approx(loss, rel=1e-9)
    np.testing.assert_allclose(scaled_g * 10, g, rtol=1e-6, atol=1e-10)
    np.testing.assert_allclose(b, 0, atol=1e-14)  # and a bias before BatchNorm does nothing


def test_network_keeps_float32(rng):
    network = MLP([4, 5, 3], rng=rng, batchnorm="before", initializer=gaussian(1.0))
    x = rng.normal(size=(6, 4)).astype(np.float32)
    loss, grads = network.gradient(x, np.array([0, 1, 2, 0, 1, 2]))
    assert loss.dtype == network.predict(x).dtype == np.float32
    assert {array.dtype for array in [*network.params.values(), *grads.values()]} == {np.dtype(np.float32)}


def backward(layer, dout):
    layer.forward(np.eye(3, 4), training=True)
    return layer.backward(dout)


# --- bad input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda layer: layer.forward(np.ones((1, 4)), training=True), ValueError, "2 つ以上の標本.*1"),
        (lambda layer: layer.forward(np.ones((3, 5))), ValueError, r"\(N, 4\).*\(3, 5\)"),
        (lambda layer: layer.forward(np.ones(4)), ValueError, r"\(N, 4\).*\(4,\)"),
        (lambda layer: BatchNorm(np.ones(3), np.ones(4)), ValueError, r"gamma: \(3,\), beta: \(4,\)"),
        (lambda layer: BatchNorm(np.ones((2, 2)), np.ones((2, 2))), ValueError, r"gamma: \(2, 2\)"),
        (
            lambda layer: BatchNorm(np.ones(3), np.ones(3), decay_rate=1.0),
            ValueError,
            "decay_rate は 0 以上 1",
        ),
        (lambda layer: BatchNorm(np.ones(3), np.ones(3), eps=0.0), ValueError, "eps は正の数"),
        (lambda layer: MLP([3, 2], rng=np.random.default_rng(0), batchnorm="middle"), ValueError, "middle"),
        (lambda layer: MLP([3, 2], rng=np.random.default_rng(0), batchnorm=True), ValueError, "True"),
        (lambda layer: backward(layer, np.ones((1, 4))), ValueError, r"dout は \(3, 4\).*\(1, 4\)"),
        (lambda layer: backward(layer, np.ones(4)), ValueError, r"dout は \(3, 4\).*\(4,\)"),
        (lambda layer: backward(layer, [[1.0] * 4] * 3), TypeError, "dout は NumPy の配列.*list"),
        (lambda layer: layer.forward([[1.0] * 4] * 3), TypeError, "x は NumPy の配列.*list"),
    ],
)
def test_bad_input_is_one_clear_error(call, error, message, rng):
    with pytest.raises(error, match=message):
        call(make_layer(rng))


def test_a_refused_batch_leaves_the_averages_alone(rng):
    layer = make_layer(rng)
    with pytest.raises(ValueError, match="2 つ以上の標本"):
        layer.forward(np.ones((1, 4)), training=True)
    np.testing.assert_array_equal(layer.running_mean, 0)
    np.testing.assert_array_equal(layer.running_var, 1)


def test_an_empty_batch_in_training_is_an_error(rng):
    with pytest.raises(ValueError, match=r"2 つ以上の標本.*0"):
        make_layer(rng).forward(np.ones((0, 4)), training=True)
