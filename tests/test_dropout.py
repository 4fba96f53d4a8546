"""Dropout: values by hand, inference, the share that is dropped, gradients of a network, and bad input."""

import numpy as np
import pytest

from fumoto.dropout import Dropout
from fumoto.network import MLP
from fumoto.optimizers import SGD
from fumoto.training import train
from test_network import central_difference


def test_values_by_hand():
    """Where the random number is below the rate the value is dropped, the others are divided by 1 - rate."""
    numbers = np.random.default_rng(5).random((2, 3))
    x = np.arange(1.0, 7.0).reshape(2, 3)
    expected = np.where(numbers < 0.4, 0, x / 0.6)
    np.testing.assert_allclose(Dropout(0.4, rng=np.random.default_rng(5)).forward(x), expected)


def test_inference_and_a_rate_of_zero_change_nothing(rng):
    x, dout = rng.normal(size=(2, 4, 3))
    for layer, training in ((Dropout(0.5, rng=rng), False), (Dropout(0.0, rng=rng), True)):
        np.testing.assert_array_equal(layer.forward(x, training), x)
        np.testing.assert_array_equal(layer.backward(dout), dout)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_share_that_is_dropped_and_the_mean_that_is_kept(rng, dtype):
    h = Dropout(0.3, rng=rng).forward(np.ones((300, 300), dtype))
    assert h.dtype == dtype
    assert np.mean(h == 0) == pytest.approx(0.3, abs=0.01)
    assert h.mean() == pytest.approx(1, abs=0.01)


def test_gradients_of_a_network_match_central_differences(rng):
    """Every pass is made with the same masks."""
    x, t = rng.normal(size=(5, 4)), rng.integers(0, 3, 5)
    network = MLP([4, 8, 8, 3], rng=rng, dropout=0.4, weight_decay=0.0, dtype=np.float64)
    layers = [layer for _, layer in network.layers if isinstance(layer, Dropout)]
    assert len(layers) == 2

    def loss():
        for number, layer in enumerate(layers):
            layer.rng = np.random.default_rng(number)
        return network.loss_layer.forward(network.predict(x, training=True), t)

    loss()
    for number, layer in enumerate(layers):
        layer.rng = np.random.default_rng(number)
    _, grads = network.gradient(x, t)
    for name, w in network.params.items():
        np.testing.assert_allclose(grads[name], central_difference(loss, w), rtol=1e-5, atol=1e-8)


def test_dropout_leaves_the_initial_weights_and_the_batches_as_they_are(rng):
    """Only the masks are drawn from numbers of its own; two layers and two networks draw different ones."""
    made = [np.random.default_rng(3) for _ in range(2)]
    plain, dropping = MLP([4, 8, 8, 3], rng=made[0]), MLP([4, 8, 8, 3], rng=made[1], dropout=0.5)
    np.testing.assert_array_equal(plain.vector, dropping.vector)
    dropping.predict(np.ones((5, 4), np.float32), training=True)
    assert made[0].random() == made[1].random()
    first, second = (layer for _, layer in dropping.layers if isinstance(layer, Dropout))
    ones = np.ones((20, 8))
    assert not np.array_equal(first.forward(ones), second.forward(ones))


def test_the_same_seed_trains_the_same_network(rng):
    x, t = rng.normal(size=(30, 4)).astype(np.float32), rng.integers(0, 3, 30)

    def trained():
        own = np.random.default_rng(0)
        network = MLP([4, 8, 3], rng=own, dropout=0.5)
        train(network, SGD(0.1), x, t, steps=20, batch_size=5, rng=own)
        return network.vector

    np.testing.assert_array_equal(trained(), trained())


def test_bad_input_is_refused_by_name(rng):
    for rate in (-0.1, 1.0):
        with pytest.raises(ValueError, match="rate は 0 以上 1 未満"):
            Dropout(rate, rng=rng)
        with pytest.raises(ValueError, match="dropout は 0 以上 1 未満"):
            MLP([4, 3], rng=rng, dropout=rate)
    with pytest.raises(TypeError, match="rng は numpy"):
        Dropout(0.5, rng=0)
    layer = Dropout(0.5, rng=rng)
    layer.forward(np.ones((2, 3)))
    with pytest.raises(ValueError, match="dout"):
        layer.backward(np.ones((3, 3)))
