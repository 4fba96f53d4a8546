"""Layers, network and training: gradients against central differences, shapes, and bad input."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fumoto.batchnorm import BatchNorm
from fumoto.initializers import he
from fumoto.layers import Affine, LeakyReLU, ReLU, Residual, Sigmoid, SoftmaxCrossEntropy, Tanh
from fumoto.network import MLP
from fumoto.optimizers import SGD, AdaDelta, AdaGrad, Adam, AdamW, Lion, Momentum, Nesterov, RMSProp
from fumoto.training import optimize, train


def central_difference(function, array, h=1e-6):
    """The gradient of a scalar function by moving each entry of `array` in place."""
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        value = array[index]
        array[index] = value + h
        above = function()
        array[index] = value - h
        below = function()
        array[index] = value
        gradient[index] = (above - below) / (2 * h)
    return gradient


def make_layer(cls, rng):
    if cls is Affine:
        return Affine(rng.normal(size=(4, 3)), rng.normal(size=3))
    return cls()


@pytest.mark.parametrize("cls", [Affine, ReLU, Sigmoid, Tanh])
def test_layer_gradients_match_central_differences(cls, rng):
    layer = make_layer(cls, rng)
    x = rng.normal(size=(5, 4)) * 2
    weights = rng.normal(size=layer.forward(x, True).shape)

    def scalar():
        return float(np.sum(weights * layer.forward(x, True)))

    layer.forward(x, True)
    dx = layer.backward(weights)
    grads = {name: g.copy() for name, g in layer.grads.items()}
    np.testing.assert_allclose(dx, central_difference(scalar, x), rtol=1e-6, atol=1e-8)
    for name, array in layer.params.items():
        np.testing.assert_allclose(grads[name], central_difference(scalar, array), rtol=1e-6, atol=1e-8)


def test_loss_gradient_matches_central_differences(rng):
    layer, a, t = SoftmaxCrossEntropy(), rng.normal(size=(6, 4)) * 3, np.array([0, 1, 2, 3, 3, 0])
    layer.forward(a, t)
    da = layer.backward()
    np.testing.assert_allclose(da, central_difference(lambda: layer.forward(a, t), a), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("activation", [ReLU, Sigmoid, Tanh])
def test_network_gradient_matches_central_differences(activation, residual, rng):
    network = MLP([5, 7, 6, 6, 6, 4], activation=activation, rng=rng, residual=residual, dtype=np.float64)
    assert sum(isinstance(layer, Residual) for _, layer in network.layers) == 2 * residual
    for array in network.params.values():
        array += 0.1 * rng.normal(size=array.shape)  # biases away from zero
    x, t = rng.normal(size=(8, 5)), rng.integers(0, 4, 8)
    loss, grads = network.gradient(x, t)
    assert loss == network.loss(x, t)
    assert grads.keys() == network.params.keys()
    for name, array in network.params.items():
        expected = central_difference(lambda: network.loss(x, t), array)
        np.testing.assert_allclose(grads[name], expected, rtol=1e-5, atol=1e-8, err_msg=name)


def test_a_residual_network_without_weights_in_its_blocks_is_the_one_without_blocks(rng):
    whole = MLP([5, 6, 6, 4], residual=True, rng=rng, dtype=np.float64)
    whole.params["W2"][...] = 0
    part = MLP([5, 6, 4], rng=rng, dtype=np.float64)
    for name, source in {"W1": "W1", "W2": "W3"}.items():
        part.params[name][...] = whole.params[source]
    x = rng.normal(size=(7, 5))
    np.testing.assert_array_equal(whole.predict(x), part.predict(x))


@pytest.mark.parametrize("options", [{"residual": "yes"}, {"residual": True, "batchnorm": "before"}])
def test_residual_is_a_choice_without_batchnorm(options, rng):
    with pytest.raises(
        ValueError, match="residual は、batchnorm も dropout もないときの True か、False です"
    ):
        MLP([4, 3, 3, 2], rng=rng, **options)


def test_a_residual_block_is_square():
    with pytest.raises(ValueError, match=r"W は正方行列でなければなりません\(渡された形: \(3, 1\)\)"):
        Residual(np.zeros((3, 1)), np.zeros(1), ReLU())


def test_minibatch_gradient_is_the_mean_of_sample_gradients(rng):
    network = MLP([5, 7, 4], rng=rng, dtype=np.float64)
    x, t = rng.normal(size=(6, 5)), rng.integers(0, 4, 6)
    _, grads = network.gradient(x, t)
    samples = [network.gradient(x[i : i + 1], t[i : i + 1])[1] for i in range(6)]
    for name, g in grads.items():
        np.testing.assert_allclose(g, np.mean([s[name] for s in samples], axis=0), rtol=1e-12, atol=1e-15)


def test_first_affine_does_not_compute_the_unused_input_gradient(rng):
    layer = Affine(rng.normal(size=(4, 3)), np.zeros(3), input_gradient=False)
    layer.forward(rng.normal(size=(2, 4)))
    assert layer.backward(np.ones((2, 3))) is None
    assert layer.grads["W"].shape == (4, 3)


def test_network_keeps_float32(rng):
    network = MLP([4, 5, 3], rng=rng)
    loss, grads = network.gradient(rng.normal(size=(2, 4)).astype(np.float32), np.array([0, 1]))
    assert loss.dtype == np.float32
    assert {array.dtype for array in [*network.params.values(), *grads.values()]} == {np.dtype(np.float32)}


def test_updating_params_changes_the_network(rng):
    network = MLP([4, 5, 3], rng=rng, dtype=np.float64)
    x, t = rng.normal(size=(20, 4)), rng.integers(0, 3, 20)
    losses = train(network, Adam(lr=0.05), x, t, steps=200, batch_size=20, rng=rng)
    assert losses[-1] < losses[0] / 2
    assert network.loss(x, t) < losses[0] / 2


def test_softmax_survives_extreme_values():
    layer = SoftmaxCrossEntropy()
    loss = layer.forward(np.array([[1e4, -1e4], [0.0, 0.0]]), np.array([1, 0]))
    assert np.isfinite(loss)
    np.testing.assert_allclose(layer.y.sum(axis=1), 1)


@given(n_in=st.integers(1, 300), n_out=st.integers(1, 300), seed=st.integers(0, 2**31))
def test_he_has_the_right_spread_for_any_width(n_in, n_out, seed):
    W = he(np.random.default_rng(seed), n_in, n_out)
    assert W.shape == (n_in, n_out)
    variance, count = 2 / n_in, W.size
    deviation = np.sqrt(2 / count) * variance  # standard error of the mean square of normal numbers
    assert abs(np.mean(W**2) - variance) < 7 * deviation + 1e-12 or count < 30


def test_optimize_yields_the_value_before_each_update():
    params = {"w": np.array(1.0)}

    def gradient():
        return float(params["w"]), {"w": np.array(1.0)}

    assert list(optimize(SGD(lr=0.25), params, gradient, 3)) == [1.0, 0.75, 0.5]


def test_training_draws_a_new_random_batch_every_step(rng):
    seen = []

    class Spy:
        def __init__(self):
            self.params = {"w": np.zeros(1)}

        def gradient(self, x, t):
            seen.append(x[:, 0].astype(int))
            np.testing.assert_array_equal(x[:, 0], t)
            return 0.0, {"w": np.zeros(1)}

    numbers = np.arange(50)
    train(Spy(), SGD(), numbers[:, None], numbers, steps=200, batch_size=8, rng=rng)
    assert {len(batch) for batch in seen} == {8}
    assert set(np.concatenate(seen)) == set(numbers)
    assert len({tuple(batch) for batch in seen}) > 190
    assert any(len(set(batch)) < 8 for batch in seen)  # with replacement


def test_who_watches_sees_the_network_before_every_update(rng):
    network, x, t = MLP([3, 2], rng=rng), rng.normal(size=(6, 3)).astype(np.float32), np.array([0, 1] * 3)
    seen, before = [], network.vector.copy()
    setting = {"steps": 4, "batch_size": 2}
    alone = train(copy.deepcopy(network), SGD(), x, t, rng=np.random.default_rng(0), **setting)
    watched = train(
        network,
        SGD(),
        x,
        t,
        rng=np.random.default_rng(0),
        watch=lambda: seen.append(network.vector.copy()),
        **setting,
    )
    np.testing.assert_array_equal(watched, alone)
    np.testing.assert_array_equal(seen[0], before)
    assert len({w.tobytes() for w in [*seen, network.vector]}) == 5


def test_what_cannot_watch_is_refused_before_anything_moves(rng):
    network, x, t = MLP([3, 2], rng=rng), rng.normal(size=(6, 3)).astype(np.float32), np.array([0, 1] * 3)
    before = network.vector.copy()
    with pytest.raises(TypeError, match=r"^watch は引数のない関数でなければなりません\(渡されたもの: 3\)$"):
        train(network, SGD(), x, t, steps=1, batch_size=2, rng=rng, watch=3)
    np.testing.assert_array_equal(network.vector, before)


def test_accuracy_is_the_share_of_right_answers(rng):
    network = MLP([2, 2], rng=rng, dtype=np.float64)
    network.params["W1"][...] = np.eye(2)
    x = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    assert network.accuracy(x, np.array([0, 1, 0, 1])) == 0.75


def test_replacing_an_array_in_params_is_noticed(rng):
    network = MLP([3, 2], rng=rng, dtype=np.float64)
    network.params["W1"] = np.ones((3, 2))
    np.testing.assert_array_equal(network.predict(np.ones((1, 3))), [[3.0, 3.0]])


def test_all_parameters_lie_in_one_array(rng):
    network = MLP([3, 4, 2], rng=rng, batchnorm="before")
    for name, array in network.params.items():
        assert np.shares_memory(array, network.vector), name
    joined = np.concatenate([array.ravel() for array in network.params.values()])
    np.testing.assert_array_equal(network.vector, joined)
    _, grads = network.gradient(rng.normal(size=(5, 3)).astype(np.float32), np.array([0, 1, 0, 1, 1]))
    np.testing.assert_array_equal(
        network.gradient_vector, np.concatenate([grads[name].ravel() for name in network.params])
    )


def test_layers_use_the_arrays_of_params_from_the_start(rng):
    network = MLP([3, 2], rng=rng, dtype=np.float64)
    network.params["b1"][...] = 7.0
    network.params["W1"][...] = 0.0
    (_, affine), *_ = network.layers
    np.testing.assert_array_equal(affine.forward(np.ones((1, 3))), [[7.0, 7.0]])


def test_a_replaced_array_joins_the_others(rng):
    network = MLP([3, 2], rng=rng)
    network.params["W1"] = np.ones((3, 2))
    assert network.vector.dtype == np.float32
    np.testing.assert_array_equal(network.vector[:6], 1.0)
    network.vector[...] = 2.0
    np.testing.assert_array_equal(network.params["W1"], 2.0)
    np.testing.assert_array_equal(network.predict(np.ones((1, 3))), [[8.0, 8.0]])


def test_gradients_of_two_calls_do_not_share_memory(rng):
    network = MLP([3, 2], rng=rng)
    x, t = rng.normal(size=(4, 3)).astype(np.float32), np.array([0, 1, 0, 1])
    (_, first), (_, second) = network.gradient(x, t), network.gradient(2 * x, t)
    assert not np.shares_memory(first["W1"], second["W1"])
    assert np.any(first["W1"] != second["W1"])


@pytest.mark.parametrize("t", [[0, 7], [0, -1], [0], [0.0, 1.0]])
def test_a_refused_label_leaves_the_averages_alone(t, rng):
    network = MLP([3, 4, 2], rng=rng, batchnorm="before")
    _, layer = network.layers[1]
    with pytest.raises(ValueError, match="ラベル"):
        network.gradient(rng.normal(size=(2, 3)), np.array(t))
    np.testing.assert_array_equal(layer.running_mean, 0)
    np.testing.assert_array_equal(layer.running_var, 1)


def test_layers_made_from_one_cached_array_do_not_share_it(rng):
    cached = rng.normal(size=(3, 3)).astype(np.float32)
    before = cached.copy()
    network = MLP([3, 3, 3], initializer=lambda rng, n_in, n_out: cached, rng=rng)
    assert not np.shares_memory(network.params["W1"], network.params["W2"])
    network.params["W1"][...] = 0
    np.testing.assert_array_equal(network.params["W2"], before)
    np.testing.assert_array_equal(cached, before)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Affine(np.ones((2, 2)), np.ones(2)),
        lambda: BatchNorm(np.ones(2), np.ones(2)),
        *(ReLU, LeakyReLU, Sigmoid, Tanh),
    ],
)
def test_backward_before_forward_says_so(make):
    with pytest.raises(AttributeError, match="backward の前に forward を呼びましたか"):
        make().backward(np.ones((3, 2)))
    with pytest.raises(AttributeError, match="backward の前に forward を呼びましたか"):
        SoftmaxCrossEntropy().backward()


@pytest.mark.parametrize("method", [SGD, Adam])
@pytest.mark.parametrize("batchnorm", [None, "before"])
def test_one_array_or_a_dict_train_to_the_same_bits(method, batchnorm):
    class Plain:  # an optimizer of a reader's own: takes the dict
        def __init__(self):
            self.update = method(lr=0.01).update

    def run(optimizer):
        rng = np.random.default_rng(5)
        network = MLP([300, 150, 3], rng=rng, batchnorm=batchnorm, weight_decay=0.1)
        x, t = rng.normal(size=(50, 300)).astype(np.float32), rng.integers(0, 3, 50)
        losses = train(network, optimizer, x, t, steps=20, batch_size=10, rng=rng)
        return losses, network.vector

    (losses, w), (other_losses, other_w) = run(method(lr=0.01)), run(Plain())
    np.testing.assert_array_equal(losses, other_losses)
    np.testing.assert_array_equal(w, other_w)


# --- one optimizer, one network -----------------------------------------------------------------------------


def by_hand(network, optimizer, x, t, *, steps, batch_size, rng, copied=False):
    """What ``train`` does, as a reader writes it; with ``copied``, in dicts of the reader's own."""
    for _ in range(steps):
        batch = rng.integers(0, len(x), batch_size)
        _, grads = network.gradient(x[batch], t[batch])
        params = network.params
        if copied:
            params, grads = dict(params), {name: g.copy() for name, g in grads.items()}
        optimizer.update(params, grads)


WAYS_TO_TRAIN = [train, by_hand, lambda *a, **k: by_hand(*a, **k, copied=True)]


@pytest.mark.parametrize("method", [SGD, Momentum, Nesterov, AdaGrad, RMSProp, AdaDelta, Adam, AdamW, Lion])
@given(ways=st.lists(st.sampled_from(WAYS_TO_TRAIN), min_size=2, max_size=4))
@settings(max_examples=15)
def test_an_optimizer_goes_on_whichever_way_it_is_used(method, ways):
    def run(ways):
        rng = np.random.default_rng(5)
        network, optimizer = MLP([30, 20, 3], rng=rng, batchnorm="before"), method(lr=0.01)
        x, t = rng.normal(size=(50, 30)).astype(np.float32), rng.integers(0, 3, 50)
        for way in ways:
            way(network, optimizer, x, t, steps=2, batch_size=10, rng=rng)
        assert optimizer.t == 2 * len(ways)
        return network, optimizer

    (network, optimizer), (other, always_trained) = run(ways), run([train] * len(ways))
    np.testing.assert_array_equal(network.vector, other.vector)
    for name in method.state_names:
        assert optimizer.state[name].keys() == network.params.keys()
        for key, array in optimizer.state[name].items():
            assert array.shape == network.params[key].shape
            np.testing.assert_array_equal(array, always_trained.state[name][key])


def test_training_moves_the_weights_and_the_state_as_one_array(rng, monkeypatch):
    sizes = []

    class Watched(Adam):
        def rule(self, w, *others):
            sizes.append(w.size)
            return super().rule(w, *others)

    network, optimizer = MLP([5, 4, 3], rng=rng), Watched()
    x, t = rng.normal(size=(8, 5)).astype(np.float32), np.array([0, 1, 2, 0] * 2)
    by_hand(network, optimizer, x, t, steps=1, batch_size=4, rng=rng)
    train(network, optimizer, x, t, steps=1, batch_size=4, rng=rng)
    assert sizes == [network.vector.size] * 2
    by_hand(network, optimizer, x, t, steps=1, batch_size=4, rng=rng, copied=True)
    assert sizes[2:] == [w.size for w in network.params.values()]


OTHERS = {
    "the same sizes": lambda rng: MLP([4, 3, 2], rng=rng),
    "the same number of weights": lambda rng: MLP([6, 2, 3], rng=rng),
    "another number of weights": lambda rng: MLP([4, 4, 2], rng=rng),
}


@pytest.mark.parametrize("way", WAYS_TO_TRAIN)
@pytest.mark.parametrize("first_way", WAYS_TO_TRAIN)
@pytest.mark.parametrize("kind", OTHERS)
def test_an_optimizer_is_refused_on_another_network(kind, first_way, way, rng):
    network, optimizer = MLP([4, 3, 2], rng=rng), Adam()
    other = OTHERS[kind](rng)
    assert (other.vector.size == network.vector.size) == (kind != "another number of weights")
    x, t = rng.normal(size=(8, 4)).astype(np.float32), rng.integers(0, 2, 8)
    first_way(network, optimizer, x, t, steps=1, batch_size=4, rng=rng)
    x, before = rng.normal(size=(8, other.layers[0][1].params["W"].shape[0])), other.vector.copy()
    with pytest.raises(ValueError, match=r"params の組は最初の更新|新しい Adam を作って"):
        way(other, optimizer, x.astype(np.float32), t, steps=1, batch_size=4, rng=rng)
    np.testing.assert_array_equal(other.vector, before)
    assert optimizer.t == 1
    first_way(network, optimizer, rng.normal(size=(8, 4)), t, steps=1, batch_size=4, rng=rng)


def test_a_refused_optimizer_moves_nothing_at_all(rng):
    """Not even the running averages of the other network."""
    x, t = rng.normal(size=(8, 4)), rng.integers(0, 2, 8)
    optimizer = Adam()
    train(MLP([4, 3, 2], rng=rng), optimizer, x, t, steps=1, batch_size=4, rng=rng)
    other = MLP([4, 3, 2], rng=rng, batchnorm="before")
    with pytest.raises(ValueError, match="params の組は最初の更新"):
        train(other, optimizer, x, t, steps=1, batch_size=4, rng=rng)
    np.testing.assert_array_equal(other.layers[1][1].running_mean, 0)


def test_a_network_whose_arrays_are_replaced_is_still_the_same_network(rng):
    network, optimizer = MLP([4, 3, 2], rng=rng), Momentum()
    x, t = rng.normal(size=(8, 4)), rng.integers(0, 2, 8)
    for _ in range(3):
        network.params["W1"] = network.params["W1"] * 0.5
        by_hand(network, optimizer, x, t, steps=1, batch_size=4, rng=rng)
        train(network, optimizer, x, t, steps=1, batch_size=4, rng=rng)
    for name in network.params:
        network.params[name] = network.params[name] * 0.5
    by_hand(network, optimizer, x, t, steps=1, batch_size=4, rng=rng)


@pytest.mark.parametrize("way", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
@pytest.mark.parametrize("together", [True, False])
def test_a_copied_network_and_optimizer_belong_together(way, together, rng):
    pair = network, optimizer = MLP([4, 3, 2], rng=rng), Adam()
    x, t = rng.normal(size=(8, 4)), rng.integers(0, 2, 8)
    train(*pair, x, t, steps=2, batch_size=4, rng=rng)
    other = way(pair) if together else (way(network), way(optimizer))
    for each in (pair, other):
        train(*each, x, t, steps=2, batch_size=4, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(other[0].vector, network.vector)
    for wrong in ((network, other[1]), (other[0], optimizer), (MLP([4, 3, 2], rng=rng), other[1])):
        with pytest.raises(ValueError, match="新しい Adam"):
            train(*wrong, x, t, steps=1, batch_size=4, rng=rng)
    with pytest.raises(ValueError, match="最初の更新のとき"):  # even before its first update
        train(MLP([6, 2, 3], rng=rng), way(optimizer), x[:, [0] * 6], t, steps=1, batch_size=4, rng=rng)


def test_arrays_that_change_places_are_not_lost(rng):
    network = MLP([3, 3, 3], rng=rng)
    params, before = network.params, {name: w.copy() for name, w in network.params.items()}
    params["W1"], params["W2"] = params["W2"], params["W1"]
    network.predict(np.ones((1, 3)))
    np.testing.assert_array_equal(params["W1"], before["W2"])
    np.testing.assert_array_equal(params["W2"], before["W1"])
    np.testing.assert_array_equal(network.vector[:9], before["W2"].ravel())


def test_a_replaced_dict_is_used(rng):
    network, other = MLP([3, 2], rng=rng), MLP([3, 2], rng=rng)
    network.params = {name: w.copy() for name, w in other.params.items()}
    x, t = rng.normal(size=(8, 3)), rng.integers(0, 2, 8)
    np.testing.assert_array_equal(network.predict(x), other.predict(x))
    for each in (network, other):
        train(each, SGD(lr=0.5), x, t, steps=3, batch_size=4, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(network.vector, other.vector)


# --- the rest -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batchnorm", [None, "before", "after"])
@pytest.mark.parametrize("activation", [ReLU, LeakyReLU, Sigmoid, Tanh])
@pytest.mark.parametrize("method", [SGD, Momentum, Adam])
def test_nothing_is_lost_by_stopping_when_everything_is_nan(method, activation, batchnorm):
    rng = np.random.default_rng(2)
    network = MLP([6, 5, 5, 3], activation, rng=rng, batchnorm=batchnorm, weight_decay=0.1)
    network.params["W3"][0, 0] = np.inf  # one weight has overflown
    x, t = rng.normal(size=(20, 6)).astype(np.float32), rng.integers(0, 3, 20)
    asked = []

    def gradient(x, t):
        asked.append(len(x))
        return MLP.gradient(network, x, t)

    network.gradient = gradient
    with np.errstate(all="ignore"):
        losses = train(network, method(lr=0.1), x, t, steps=50, batch_size=4, rng=rng)
        more = train(network, method(lr=0.1), x, t, steps=5, batch_size=4, rng=rng)
        answers = network.predict(x)
    first = int(np.isnan(losses).argmax())
    assert losses.shape == (50,) and len(asked) - 1 <= first + 2  # the second call stops at its first step
    assert np.isnan(losses[first:]).all() and np.isnan(more).all()
    assert np.isnan(network.vector).all() and np.isnan(answers).all()


def test_an_optimizer_that_refuses_nan_goes_on(rng):
    class Careful(SGD):
        def rule(self, w, g):
            return (np.where(np.isnan(g), w, w - self.lr * g),)

    x, t = np.ones((20, 2), np.float32), np.zeros(20, dtype=int)
    x[0] = np.nan
    losses = train(MLP([2, 3, 2], rng=rng), Careful(lr=0.1), x, t, steps=60, batch_size=2, rng=rng)
    assert np.isnan(losses).any() and not np.isnan(losses[np.isnan(losses).argmax() :]).all()


def test_sigmoid_does_not_overflow():
    with np.errstate(all="raise"):
        y = Sigmoid().forward(np.array([[-1000.0, 0.0, 1000.0]]))
    np.testing.assert_array_equal(y, [[0.0, 0.5, 1.0]])


def test_he_is_normal(rng):
    W = he(rng, 50, 20_000)
    assert np.mean(W**4) / np.mean(W**2) ** 2 == pytest.approx(3, abs=0.05)
    assert abs(W.mean()) < 5 * W.std() / np.sqrt(W.size)


def test_training_is_reproducible_and_uses_only_the_given_generator():
    def run():
        rng = np.random.default_rng(3)
        network = MLP([4, 5, 3], rng=rng)
        x, t = rng.normal(size=(20, 4)).astype(np.float32), rng.integers(0, 3, 20)
        return train(network, SGD(lr=0.1), x, t, steps=10, batch_size=4, rng=rng)

    first = run()
    np.random.seed(0)  # noqa: NPY002
    np.testing.assert_array_equal(first, run())


def trained(rng, x=None, t=None, **replaced):
    x, t = np.ones((5, 4)) if x is None else x, np.zeros(5, int) if t is None else t
    network = MLP([4, 3], rng=rng)
    network.params.update(replaced)
    train(network, SGD(), x, t, steps=1, batch_size=2, rng=rng)


def layer_with(name, value):
    """A layer with one of its weights given, the others as they should be."""
    weights = (
        {"W": np.ones((2, 2)), "b": np.zeros(2)}
        if name in "Wb"
        else {"gamma": np.ones(2), "beta": np.zeros(2)}
    )
    weights[name] = value(weights[name])
    return (Affine if name in "Wb" else BatchNorm)(*weights.values())


def read_only(w):
    w.setflags(write=False)
    return w


@pytest.mark.parametrize("name", ["W", "b", "gamma", "beta"])
@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        *(
            (lambda w, t=t: w.astype(t), TypeError, f"float32 か float64 の配列.*{t}")
            for t in ("int64", "float16", "bool", "complex128", ">f8")
        ),
        (lambda w: w.tolist(), TypeError, "NumPy の配列.*list"),
        (lambda w: 1.0, TypeError, "NumPy の配列.*float"),
        (lambda w: np.array(1.0), ValueError, r"\(\)"),
        (read_only, ValueError, "書き込める配列"),
        (lambda w: w.astype("f4"), TypeError, "同じ型.*float32"),
    ],
)
def test_weights_that_could_not_learn_are_one_clear_error(name, value, error, message):
    with pytest.raises(error, match=f"{name} .*{message}"):
        layer_with(name, value)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layers_learn_in_the_type_of_their_weights(dtype):
    for layer in (
        Affine(np.eye(2, dtype=dtype), np.zeros(2, dtype)),
        BatchNorm(np.ones(2, dtype), np.zeros(2, dtype)),
    ):
        y = layer.forward(np.array([[1, 5], [2, 9]]), training=True)
        layer.backward(np.full(y.shape, 0.25))
        assert {array.dtype for array in [*layer.params.values(), *layer.grads.values()]} == {np.dtype(dtype)}
        assert layer.grads["b" if isinstance(layer, Affine) else "beta"].tolist() == [0.5, 0.5]


def test_a_read_only_initial_weight_is_copied(rng):
    W = read_only(np.ones((3, 2), np.float32))
    network = MLP([3, 2], initializer=lambda *_: W, rng=rng)
    network.params["W1"][...] = 0
    np.testing.assert_array_equal(W, 1)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda rng: MLP([4], rng=rng), ValueError, "sizes は入力と出力の 2 つ以上"),
        (lambda rng: MLP([4, 0, 3], rng=rng), ValueError, r"sizes\[1\] は 1 以上.*0"),
        (lambda rng: MLP([4, 2.5, 3], rng=rng), TypeError, r"sizes\[1\] は整数.*2.5"),
        (lambda rng: Affine(np.ones((2, 3)), np.ones(2)), ValueError, r"W: \(2, 3\), b: \(2,\)"),
        (
            lambda rng: MLP([4, 3], rng=rng).loss(np.ones((2, 5)), np.array([0, 1])),
            ValueError,
            r"\(N, 4\).*\(2, 5\)",
        ),
        (
            lambda rng: MLP([4, 3], rng=rng).loss(np.ones((2, 4)), np.array([0])),
            ValueError,
            r"形 \(2,\).*\(1,\)",
        ),
        (
            lambda rng: MLP([4, 3], rng=rng).loss(np.ones((2, 4)), np.array([0.0, 1.0])),
            ValueError,
            "整数ラベル",
        ),
        (lambda rng: MLP([4, 3], rng=rng).loss(np.ones((2, 4)), np.array([0, 3])), ValueError, "0 から 3"),
        (lambda rng: MLP([4, 3], rng=rng).loss(np.ones((2, 4)), np.array([-1, 0])), ValueError, "-1 から 0"),
        (
            lambda rng: MLP([4, 3], rng=rng).loss(np.ones((0, 4)), np.array([], int)),
            ValueError,
            "標本が 1 つもありません",
        ),
        (lambda rng: MLP(5, rng=rng), ValueError, "sizes は.*5"),
        (lambda rng: MLP([4, 3], rng=None), TypeError, "rng は numpy.random.Generator.*None"),
        (lambda rng: MLP([4, 3], rng=rng, dtype=np.int64), TypeError, "dtype は float32 か float64"),
        (
            lambda rng: MLP([4, 3], rng=rng).accuracy(np.ones((2, 4)), np.array([[0], [1]])),
            ValueError,
            r"\(2, 1\)",
        ),
        (
            lambda rng: MLP([4, 3], rng=rng).accuracy(np.ones((2, 4)), np.array([7, 8])),
            ValueError,
            "7 から 8",
        ),
        (
            lambda rng: SoftmaxCrossEntropy().forward(np.ones(3), np.array([0])),
            ValueError,
            r"a は \(N, K\).*\(3,\)",
        ),
        (
            lambda rng: train(
                MLP([4, 3], rng=rng), SGD(), np.ones((5, 4)), np.zeros(4, int), steps=1, batch_size=2, rng=rng
            ),
            ValueError,
            "x: 5, t: 4",
        ),
        (lambda rng: trained(rng, x=[[1.0] * 4] * 5), TypeError, "x は NumPy の配列.*list"),
        (lambda rng: trained(rng, t=[0, 1, 2, 0, 1]), TypeError, "t は NumPy の配列.*list"),
        (lambda rng: trained(rng, x=np.ones((5, 3))), ValueError, r"x は \(N, 4\).*\(5, 3\)"),
        (lambda rng: trained(rng, t=np.array([0, 1, 2, 0, 3])), ValueError, "0 から 3"),
        (lambda rng: trained(rng, b1=[0.0] * 3), TypeError, r"params\['b1'\] は NumPy の配列.*list"),
        (lambda rng: trained(rng, b1=np.zeros(2)), ValueError, r"params\['b1'\] は \(3,\).*\(2,\)"),
        (lambda rng: trained(rng, b1=np.zeros(3, complex)), TypeError, r"params\['b1'\] は実数.*complex"),
        (lambda rng: optimize(SGD(), {}, None, -1), ValueError, "steps は 0 以上.*-1"),
        (lambda rng: he(rng, 0, 3), ValueError, "n_in は 1 以上.*0"),
        (lambda rng: MLP([4, 3], rng=rng, dtype="foo"), TypeError, "dtype は float32 か float64.*'foo'"),
        (
            lambda rng: MLP([4, 5, 3], np.tanh, rng=rng),
            TypeError,
            "activation は ReLU のような層のクラス.*tanh",
        ),
        (lambda rng: MLP([4, 5, 3], dict, rng=rng), TypeError, "activation は ReLU のような層のクラス.*dict"),
        (lambda rng: Affine([[1.0]], np.ones(1)), TypeError, "W は NumPy の配列.*list"),
        (lambda rng: Affine(np.ones((1, 1)), [1.0]), TypeError, "b は NumPy の配列.*list"),
        (
            lambda rng: Affine(np.ones((1, 1)), np.ones(1)).forward([[1.0]]),
            TypeError,
            "x は NumPy の配列.*list",
        ),
        (lambda rng: BatchNorm([1.0], [0.0]), TypeError, "gamma は NumPy の配列.*list"),
        (lambda rng: MLP([2, 3], rng=rng).gradient([[1.0, 2.0]], [0]), TypeError, "x は NumPy の配列.*list"),
        (lambda rng: SoftmaxCrossEntropy().forward([[1.0, 2.0]], [0]), TypeError, "a は NumPy の配列.*list"),
    ],
)
def test_bad_input_is_one_clear_error(call, error, message, rng):
    with pytest.raises(error, match=message):
        call(rng)
