"""Chapter 8: activations and their slopes, gradients through layers, equal nodes, residual connections, dead ReLU.

The functions on trained networks compare what the protocol chose; they are also tried on seeds of their own
(``test_claims_initialization.py``).
"""

from functools import cache
from itertools import product

import numpy as np

from claims.registry import between, claim, close, equal, less
from fumoto.experiments import initialization, saturation
from fumoto.experiments.initialization import DEEP, SHALLOW, SLOPE, STEPS, USUAL_SLOPE, through, tuned_rates
from fumoto.experiments.protocol import BATCH_SIZE, learn, split
from fumoto.initializers import gaussian, zeros
from fumoto.layers import LeakyReLU, ReLU, Residual, Sigmoid, Tanh
from fumoto.network import MLP
from fumoto.optimizers import SGD
from fumoto.training import train

ACTIVATIONS = {"sigmoid": Sigmoid, "tanh": Tanh, "relu": ReLU}

# --- activations ------------------------------------------------------------------------------------------


def slope(layer, a):
    """The derivative of an activation at ``a``."""
    return saturation.curve(layer, np.array([float(a)])).slope


@claim("signal-saturates")
def far_from_zero_on_both_sides_the_slope_is_nearly_nothing(a):
    at = [slope(layer(), side) / top for layer, top in ((Sigmoid, 0.25), (Tanh, 1.0)) for side in (a, -a)]
    rectified = [slope(ReLU(), -a), slope(LeakyReLU(SLOPE), -a), slope(ReLU(), a), slope(LeakyReLU(SLOPE), a)]
    return [less(at, 0.01), equal(rectified, [[0.0], [SLOPE], [1.0], [1.0]])]


@claim("signal-notes-chain")
def with_the_slope_alone_as_gradient_the_output_falls_whatever_the_target(eta, w):
    y = Sigmoid().forward(np.array([[w]]))
    return less(Sigmoid().forward(w - eta * y * (1 - y)), y)


@claim("signal-one-neuron")
def down_the_chain_rule_the_output_nears_its_target(eta, w, c):
    y = Sigmoid().forward(np.array([[w]]))
    moved = Sigmoid().forward(w - eta * Sigmoid.backward(_at(y), 2 * (y - c)))
    if np.abs(y - c) < 1e-6:  # there is no nearer
        return less(np.abs(moved - c), 1e-6)
    return less(np.abs(moved - c), np.abs(y - c))


def _at(y):
    layer = Sigmoid()
    layer.y = y
    return layer


# --- gradients through layers -----------------------------------------------------------------------------

LAYERS = 10
SETTINGS = {"small": (Sigmoid, 0.01), "one": (Sigmoid, 1.0), "tanh": (Tanh, 1.0), "relu": (ReLU, 1.0)}


@cache
def backwards(name, seed):
    """Ten layers: mean, median and root mean square of the gradient, the saturated share (1 %), and r of the equation."""
    activation, std = SETTINGS[name]
    _, slopes, d = through(activation, gaussian(std), np.random.default_rng(seed), 300, LAYERS)
    size, top = np.abs(d), 0.25 if activation is Sigmoid else 1.0
    flat = (slopes < 0.01 * top).mean(axis=(1, 2))
    factor = std * np.sqrt(initialization.NODES * np.mean(slopes**2, axis=(1, 2)))
    root = np.sqrt(np.mean(d**2, axis=(1, 2)))
    return size.mean(axis=(1, 2)), np.median(size, axis=(1, 2)), root, flat, factor


def per_layer(root):
    return (root[0] / root[-1]) ** (1 / (LAYERS - 1))


@claim("signal-factor", samples=0, searched=0)
def the_factor_of_the_equation_is_the_measured_one(seed):
    found = [backwards(name, seed) for name in SETTINGS]
    return [close(per_layer(root), factor[:-1].mean(), rel=0.05) for *_, root, _, factor in found]


@claim("signal-layers", samples=0, searched=0)
def unsaturated_it_vanishes_and_saturated_it_stays_or_explodes(seed):
    small, one, tanh, relu = (backwards(name, seed) for name in SETTINGS)
    mean, median, root, flat, _ = one
    above = mean[1] / mean[-1], median[1] / median[-1]
    x, w = (through(Sigmoid, initializer, np.random.default_rng(seed), 100)[2] for initializer in STARTS)
    return [
        equal(small[3], np.zeros(LAYERS)),
        between(per_layer(small[2]), 1 / 43, 1 / 37),
        less(small[0][0] / small[0][-1], 1e-13),
        between(flat.mean(), 0.3, 0.5),
        between(per_layer(root), 0.85, 1.1),
        between(above, (0.3, 0.15), (1.3, 1.6)),
        less(median[0] / median[-1], 0.25),
        less(flat[1:], flat[0]),
        between((mean / median)[1:].mean(), 5, 14),
        between(tanh[3].mean(), 0.65, 0.8),
        between(per_layer(tanh[2]), 2.1, 2.6),
        less(300, tanh[0][0] / tanh[0][-1]),
        less(60, tanh[1][0] / tanh[1][-1]),
        less(per_layer(tanh[2]), per_layer(relu[2])),
        less(np.abs(x[0]).mean() / np.abs(x[-1]).mean(), 1 / 4**4),
        less(1 / 2**4, np.abs(w[0]).mean() / np.abs(w[-1]).mean()),
    ]


STARTS = (initialization.INITIALIZERS["Xavier"], initialization.INITIALIZERS["4/√n"])

# --- equal nodes ------------------------------------------------------------------------------------------


def batch(rng, samples=8, features=4, classes=3):
    """Samples and labels; every class has a label of its own frequency."""
    return rng.normal(size=(samples, features)), np.r_[0, 0, 0, 1, 1, 2, rng.integers(3, size=samples - 6)]


def starting_at(constant):
    return lambda rng, n_in, n_out: np.full((n_in, n_out), float(constant))


def network(activation, hidden, initializer, rng):
    return MLP([4, *[5] * hidden, 3], activation, initializer, rng=rng, dtype=np.float64)


@claim("signal-zero", samples=20, searched=10)
def from_zero_layers_wake_one_a_step_or_never(L, seed):
    if L < 1:
        raise ValueError("L")
    rng = np.random.default_rng(seed)
    x, t = batch(rng)
    top, found = L + 1, []
    for activation in ACTIVATIONS.values():
        started = network(activation, L, zeros, rng)
        started.predict(x)
        values = [layer.y for _, layer in started.layers if isinstance(layer, activation)]
        sizes = saturation.gradient_sizes(started, x, t, top + 1, 0.5)
        first = {f"{kind}{k}": top - k for k, kind in product(range(1, top + 1), "Wb")}
        if activation is not Sigmoid:  # only the last bias ever gets a gradient
            first = {name: 0 if name == f"b{top}" else np.inf for name in first}
        awake = [sizes[name] > 0 for name in first]
        found.append(equal(awake, np.arange(top + 1) >= np.array([*first.values()])[:, None]))
        found.append(equal(values, np.full((L, 8, 5), 0.5 if activation is Sigmoid else 0.0)))
    return found


@claim("signal-twins", samples=20, searched=10)
def nodes_that_start_equal_stay_equal(c, activation, seed):
    rng = np.random.default_rng(seed)
    x, t = batch(rng)
    trained = network(ACTIVATIONS[activation], 2, starting_at(c), rng)
    train(trained, SGD(lr=0.1), x, t, steps=20, batch_size=8, rng=rng)
    W1, W2 = (trained.params[name] for name in ("W1", "W2"))
    return [
        close(W1, np.broadcast_to(W1[:, :1], W1.shape), rel=1e-8),
        close(W2, np.full_like(W2, W2[0, 0]), rel=1e-8),
    ]


def images():
    x, t = split().training
    return x[:1000], t[:1000]


@claim("signal-grows", samples=0, searched=0)
def a_difference_of_a_millionth_grows_until_nodes_differ(seed):
    rng = np.random.default_rng(seed)
    spreads = []
    trained = MLP([784, 50, 10], Sigmoid, gaussian(1e-6), rng=rng, dtype=np.float64)
    for steps in (50, 450):
        train(trained, SGD(lr=0.5), *images(), steps=steps, batch_size=100, rng=rng)
        W = trained.params["W1"]
        spreads.append(W.std(axis=1).mean() / np.abs(W).mean())
    return [less(spreads[0], 0.05), less(0.4, spreads[1])]


def fold(network):
    """Every hidden layer of equal nodes as one node; the weights that leave it are added up."""
    hidden = len(network.params) // 2 - 1
    sizes = [network.params["W1"].shape[0], *[1] * hidden, network.params[f"b{hidden + 1}"].size]
    folded = MLP(sizes, Sigmoid, zeros, rng=np.random.default_rng(0), dtype=np.float64)
    for name, array in folded.params.items():
        original = network.params[name]
        if name.startswith("W") and name != "W1":
            original = original.sum(axis=0, keepdims=True)
        array[...] = original[..., : array.shape[-1]]
    return folded


@claim("signal-fold", samples=0, searched=0)
def fewer_nodes_compute_the_same_and_fewer_layers_learn_what_more_do_not(seed):
    losses = {}
    for hidden in (3, 1):
        rng = np.random.default_rng(seed)
        trained = MLP([784, *[50] * hidden, 10], Sigmoid, zeros, rng=rng, dtype=np.float64)
        optimizer, steps = SGD(lr=saturation.ZERO_RATE), saturation.ZERO_STEPS
        trained_on = train(trained, optimizer, *images(), steps=steps, batch_size=100, rng=rng)
        losses[hidden] = trained_on[-50:].mean()
        if hidden == 3:
            x = split().validation[0][:500]
            whole, folded = trained.predict(x), fold(trained).predict(x)
    return [close(folded, whole), less(2.2, losses[3]), less(losses[1], losses[3] - 0.3)]


# --- residual connections ---------------------------------------------------------------------------------


def residuals(weights, activation):
    return [Residual(W, np.zeros(len(W)), ACTIVATIONS[activation]()) for W in weights]


@claim("residual-identity", samples=20, searched=10)
def with_zero_weights_values_and_gradients_pass_unchanged(L, activation, seed):
    if L < 1:
        raise ValueError("L")
    x, d = np.random.default_rng(seed).normal(size=(2, 6, 4))
    blocks, h, q = residuals(np.zeros((L, 4, 4)), activation), x, d
    for block in blocks:
        h = block.forward(h)
    for block in reversed(blocks):
        q = block.backward(q)
    return [equal(h, x), equal(q, d)]


@claim("residual-bounded", samples=10, searched=10)
def the_mean_square_never_falls_and_never_grows_beyond_e(L, h, activation):
    """One node; the mean over all the signs of its weights is exact."""
    if L < 1:
        raise ValueError("L")
    squares = []
    for signs in product((-1.0, 1.0), repeat=int(L)):
        value = np.array([[h]])
        for block in residuals(np.sqrt(1 / L) * np.array(signs)[:, None, None], activation):
            value = block.forward(value)
        squares.append(value.item() ** 2)
    growth = (np.mean(squares) + 1e-12) / (h**2 + 1e-12)
    return [less(1 - 1e-9, growth), less(growth, np.e)]


@cache
def chosen(comparison):
    """The setting that the page chose for each network of a comparison."""
    networks, rates = {
        "deep": (initialization.DEEP_NETWORKS, initialization.DEEP_RATES),
        "biased": (initialization.BIASED_NETWORKS, initialization.BIASED_RATES),
        "leaky": (
            {**initialization.LEAKY, ("ReLU", "He"): initialization.NETWORKS["ReLU", "He"]},
            initialization.RATES,
        ),
    }[comparison]
    return {key[1 - (comparison == "leaky")]: found.setting for key, found in _tuned(networks, rates).items()}


def _tuned(networks, rates):
    return tuned_rates(networks, rates, processes=1)


def outcomes(comparison, seed):
    """Each network at its own learning rate."""
    return {name: learn(*setting.job(seed, STEPS, test=True)) for name, setting in chosen(comparison).items()}


@claim("residual-trained", samples=0, searched=0)
def the_deep_network_lags_and_with_residual_connections_it_does_not(seed):
    found = outcomes("deep", seed)
    shallow, deep, residual = (
        found[name].training_loss for name in (f"{SHALLOW} 層", f"{DEEP} 層", f"{DEEP} 層、残差")
    )
    return [less(max(shallow, residual), 0.6), less(max(shallow, residual) + 0.3, deep)]


@claim("residual-summary", samples=0, searched=0)
def deep_networks_gain_from_residual_connections(seed):
    return the_deep_network_lags_and_with_residual_connections_it_does_not(seed)


# --- dead ReLU --------------------------------------------------------------------------------------------


@claim("signal-dying", samples=0, searched=0)
def a_large_rate_kills_many_times_more_nodes(seed):
    low, middle, high = (saturation.newly_dead(lr, seed, STEPS) for lr in saturation.DYING_RATES)
    return [less(max(low, middle), 8), less(8, high), less(2 * max(low, middle), high)]


@claim("signal-dead-layer", samples=0, searched=0)
def below_a_dead_layer_nothing_arrives(seed):
    rng = np.random.default_rng(seed)
    x, t = batch(rng)
    dead = MLP([4, 5, 5, 5, 3], rng=rng, dtype=np.float64)
    dead.params["b2"][...] = -1000.0
    _, grads = dead.gradient(x, t)
    outputs = dead.predict(x)
    below = [equal(grads[name], 0 * grads[name]) for name in ("W1", "b1", "W2", "b2")]
    return [*below, equal(outputs, np.broadcast_to(outputs[:1], outputs.shape))]


@cache
def accuracy_with(killed, seed):
    """After training with so many nodes of the second hidden layer dead from the start."""
    rng = np.random.default_rng(seed)
    trained = MLP(saturation.RELU_SIZES, rng=rng)
    trained.params["b2"][:killed] = -1000.0
    train(trained, SGD(lr=0.1), *split().training, steps=STEPS, batch_size=BATCH_SIZE, rng=rng)
    return trained.accuracy(*split().validation)


@claim("signal-half-dead", samples=0, searched=0)
def a_layer_learns_until_nearly_all_of_its_nodes_are_dead(seed):
    return [less(0.75, accuracy_with(90, seed)), less(accuracy_with(99, seed), 0.5)]


@claim("signal-dead-summary", samples=0, searched=0)
def dead_nodes_are_not_the_end_and_relu_does_not_cure_a_small_start(seed):
    [small] = _tuned(
        {("ReLU", "0.01"): initialization.NETWORKS["ReLU", "0.01"]}, initialization.RATES
    ).values()
    return [
        *a_layer_learns_until_nearly_all_of_its_nodes_are_dead(seed),
        less(2.25, learn(*small.setting.job(seed, STEPS, test=True)).training_loss),
    ]


@claim("signal-leaky", samples=0, searched=0)
def at_their_own_rates_relu_and_leaky_relu_are_near(seed):
    relu, leaky = (outcomes("leaky", seed)[name] for name in ("ReLU", "Leaky ReLU"))
    return [
        less(abs(relu.test_accuracy - leaky.test_accuracy), 0.015),
        less(abs(relu.training_loss - leaky.training_loss), 0.05),
    ]


@claim("signal-biased", samples=0, searched=0)
def from_a_negative_bias_only_the_large_slope_learns(seed):
    found = {name: one.test_accuracy for name, one in outcomes("biased", seed).items()}
    start = initialization.BIASED_NETWORKS["負のバイアス", "ReLU"](rng=np.random.default_rng(seed))
    dead = saturation.silent(start, split().training[0][: saturation.PROBES])
    return [
        less(80, dead[2].sum()),
        less(found["ReLU"], 0.15),
        less(found[f"s = {USUAL_SLOPE}"], 0.5),
        less(0.8, found[f"s = {SLOPE}"]),
    ]
