"""The claims of chapter 8: networks that have not learned, and MNIST with a learning rate for each initial value."""

from functools import cache

import numpy as np

from claims.registry import between, claim, close, equal, less
from fumoto.datasets import mnist
from fumoto.experiments.initialization import (
    ACTIVATIONS,
    COMPARED,
    DEPTH,
    INITIALIZERS,
    NETWORKS,
    NODES,
    RATES,
    SIZES,
    STEEPEST,
    STEPS,
    mean_squares,
    through,
    tuned_initials,
    widths,
    with_rate,
)
from fumoto.experiments.protocol import learn
from fumoto.initializers import gaussian, he, zeros
from fumoto.layers import ReLU, Sigmoid, Tanh

FEW = 100  # samples through a network: the statements hold for each sample, so that fewer are enough

# --- five layers ------------------------------------------------------------------------------------------


class Passed:
    """What passes an untrained network: the outputs, the saturated share and the gradient ``d`` of each layer."""

    def __init__(self, activation, initial, seed):
        initializer = INITIALIZERS[initial] if isinstance(initial, str) else initial
        rng = np.random.default_rng(seed)
        self.outputs, slopes, self.d = through(activation, initializer, rng, FEW)
        self.flat = (slopes / STEEPEST[activation] < 1 / 10).mean(axis=(1, 2))
        self.sizes = np.sqrt(np.mean(self.outputs**2, axis=(1, 2)))
        self.spreads = self.outputs.std(axis=(1, 2))
        means = np.abs(self.d).mean(axis=(1, 2))
        self.back = means[:-1] / means[1:]  # of each layer, from the one above
        self.factor = (means[0] / means[-1]) ** (1 / (DEPTH - 1))


@claim("init-sizes", samples=0, searched=0)
def relu_layers_blow_up_shut_down_or_keep_their_size(seed):
    last = {initial: Passed(ReLU, initial, seed).sizes[-1] for initial in ("1", "0.01", "Xavier", "He")}
    return [
        less(1e4, last["1"]),
        less(last["0.01"], 1e-5),
        between(last["He"], 1 / 3, 2),
        close(last["Xavier"], last["He"] / np.sqrt(2) ** DEPTH),
    ]


@claim("init-histograms", samples=0, searched=0)
def outputs_saturate_shrink_or_stay(seed):
    at = {(i, a): Passed(ACTIVATIONS[a], i, seed) for i in ("1", "0.01", "Xavier", "He") for a in ACTIVATIONS}
    relu = {i: at[i, "ReLU"].sizes[-1] / at[i, "ReLU"].sizes[0] for i in ("1", "0.01", "He")}
    tanh = at["Xavier", "tanh"].spreads
    sigmoid = at["Xavier", "シグモイド"].outputs[2:]
    return [
        less(0.8, at["1", "tanh"].flat),
        less(0.5, at["1", "シグモイド"].flat),
        less(np.abs(at["0.01", "シグモイド"].outputs[1:] - 0.5), 0.1),
        less(np.abs(at["0.01", "tanh"].outputs[1:]), 0.1),
        less(100, relu["1"]),
        less(relu["0.01"], 1e-3),
        between(relu["He"], 1 / 3, 2),
        less(tanh[1:], tanh[:-1]),
        less(0.25, tanh[-1]),
        less(5 * sigmoid.std(axis=1).mean(axis=1), sigmoid.mean(axis=1).std(axis=1)),
    ]


@claim("init-saturated", samples=0, searched=0)
def at_std_one_the_gradient_of_tanh_grows_though_most_outputs_are_saturated(seed):
    tanh, sigmoid = (Passed(activation, "1", seed) for activation in (Tanh, Sigmoid))
    median = np.median(np.abs(sigmoid.d), axis=(1, 2))
    return [
        less(0.8, tanh.flat),
        between(tanh.factor, 2, 2.6),
        between(sigmoid.factor, 0.8, 1),
        less(5 * median[0], median[-1]),
    ]


@claim("init-relu-back", samples=4, searched=4)
def relu_multiplies_the_gradient_by_sigma_root_half_n(sigma, seed):
    found = Passed(ReLU, gaussian(sigma), seed)
    return close(found.factor, sigma * np.sqrt(NODES / 2), rel=0.09)


@claim("init-small", samples=4, searched=4)
def small_weights_multiply_gradients_by_sigma_root_n_times_the_slope_at_zero(sigma, seed):
    if sigma <= 0:
        raise ValueError("sigma")
    for_each = ((Sigmoid, 1 / 4), (Tanh, 1.0))
    found = [(Passed(activation, gaussian(sigma), seed), slope) for activation, slope in for_each]
    return [close(one.factor, sigma * np.sqrt(NODES) * slope, rel=0.05) for one, slope in found]


def spreads(activation, sigma, seed):
    """The spread of the mean outputs between nodes, and that of one node between samples, of each layer."""
    outputs = Passed(activation, gaussian(sigma), seed).outputs
    return outputs.mean(axis=1).std(axis=1), outputs.std(axis=1).mean(axis=1)


@claim("init-forgets", samples=2, searched=2)
def in_the_sigmoid_nodes_go_on_differing_and_inputs_are_forgotten(sigma, seed):
    between_nodes, within = spreads(Sigmoid, sigma, seed)
    tanh_between, tanh_within = spreads(Tanh, sigma, seed)
    return [
        less(between_nodes[0], between_nodes[1:]),
        close(within[1:] / within[:-1], np.full(DEPTH - 1, sigma * np.sqrt(NODES) / 4), rel=0.08),
        between(tanh_within / tanh_between, 4, 20),  # of the order of the square root of the samples
    ]


@claim("init-tanh", samples=0, searched=0)
def he_saturates_tanh_more_and_shrinks_its_gradient_less(seed):
    with_xavier, with_he = (Passed(Tanh, initial, seed) for initial in ("Xavier", "He"))
    return [
        less(with_xavier.factor, with_he.factor),
        less(with_he.factor, 1.0),
        less(2 * with_xavier.flat[0], with_he.flat[0]),
    ]


@claim("init-sigmoid-back", samples=0, searched=0)
def the_gradient_of_the_sigmoid_shrinks_least_with_four_over_root_n(seed):
    factor = {initial: Passed(Sigmoid, initial, seed).factor for initial in COMPARED["シグモイド"]}
    return [
        less(factor["Xavier"], 1 / 4),
        less(factor["He"], np.sqrt(2) / 4),
        between(factor["4/√n"], 0.5, 1),
    ]


@claim("init-zero", samples=0, searched=0)
def with_zero_weights_one_output_and_no_gradient_below_the_top(activation, seed):
    cls = {"sigmoid": Sigmoid, "relu": ReLU, "tanh": Tanh}[activation]
    found = Passed(cls, zeros, seed)
    constant = 0.5 if cls is Sigmoid else 0.0
    return [
        equal(found.outputs, np.full_like(found.outputs, constant)),
        equal(found.d[:-1], 0 * found.d[:-1]),
    ]


@claim("init-wrong-n", samples=0, searched=0)
def with_the_number_of_all_elements_the_outputs_vanish(seed):
    found = []
    for name, activation in {"Xavier": Tanh, "He": ReLU}.items():
        right, notes = (Passed(activation, gaussian(std), seed).spreads for std in widths()[name])
        found += [less(0.2, right[-1]), less(notes[-1], 1e-6), between(notes[:-1] / notes[1:], 15, 40)]
    return found


# --- fifty layers -----------------------------------------------------------------------------------------


@claim("init-median", samples=0, searched=0)
def most_networks_of_he_shrink_what_is_kept_on_average(n, seed):
    rng = np.random.default_rng(seed)
    squares = np.array([mean_squares(ReLU, he, 50, rng, int(n)) for _ in range(40)])
    ratios = squares[:, 1:] / squares[:, :-1]
    return [less(np.median(squares[:, -1]), 0.7), between(ratios.mean(), 0.95, 1.05)]


# --- MNIST ------------------------------------------------------------------------------------------------


@claim("init-tenth", samples=0, searched=0)
def a_tenth_is_xavier_in_every_matrix_but_the_first(seed):
    tenth, xavier = (NETWORKS["ReLU", i](rng=np.random.default_rng(seed)) for i in ("0.1", "Xavier"))
    x = np.random.default_rng(seed).uniform(size=(20, SIZES[0]))
    rest = [equal(tenth.params[f"W{k}"], xavier.params[f"W{k}"]) for k in range(2, len(SIZES))]
    return [
        *rest,
        close(tenth.params["W1"], 2.8 * xavier.params["W1"], rel=1e-6),
        close(tenth.predict(x), 2.8 * xavier.predict(x), rel=1e-5),
    ]


@cache
def chosen():
    return {key: found.setting for key, found in tuned_initials(processes=1).items()}


def trained(activation, initial, seed):
    return learn(*chosen()[activation, initial].job(seed, STEPS, test=True))


def losses(activation, seed):
    """The training loss at the end, of each initial value at its own learning rate."""
    return {initial: trained(activation, initial, seed).training_loss for initial in COMPARED[activation]}


def loss_at(activation, initial, lr, seed):
    """The validation loss at one learning rate; infinite if the training diverges."""
    found = learn(*with_rate(activation, initial, lr).job(seed, STEPS)).validation_loss
    return found if np.isfinite(found) else np.inf


@claim("init-mnist-relu", samples=0, searched=0)
def with_relu_he_and_xavier_end_near_each_other(seed):
    found = losses("ReLU", seed)
    return less(abs(found["He"] - found["Xavier"]), 0.05)


@claim("init-mnist-near", samples=0, searched=0)
def at_their_own_rates_all_that_learn_are_near_each_other(seed):
    ends = [[losses(a, seed)[i] for i in ("0.1", "Xavier", "He")] for a in ("ReLU", "tanh")]
    return less(np.ptp(ends, axis=1), 0.1)


@claim("init-mnist-tiny", samples=0, searched=0)
def std_one_hundredth_learns_only_how_frequent_the_digits_are(seed):
    shares = np.bincount(mnist()[1]) / 60_000
    entropy = -np.sum(shares * np.log(shares))
    found = [losses(activation, seed)["0.01"] for activation in ("ReLU", "tanh")]
    return between(found, entropy - 0.02, entropy + 0.02)


@claim("init-mnist-range", samples=0, searched=0)
def the_rates_of_he_are_the_smaller_ones(seed):
    small = [
        less(loss_at(activation, "He", RATES.low, seed), 0.75 * loss_at(activation, other, RATES.low, seed))
        for activation in ("ReLU", "tanh")
        for other in ("0.1", "Xavier")
    ]
    return [*small, less(loss_at("ReLU", "0.1", 1.0, seed), loss_at("ReLU", "He", 1.0, seed))]


@claim("init-mnist-gap", samples=0, searched=0)
def most_of_what_xavier_is_behind_at_one_rate_is_the_rate(seed):
    own = [trained("ReLU", initial, seed).validation_loss for initial in ("He", "Xavier")]
    one_rate = [loss_at("ReLU", initial, RATES.low, seed) for initial in ("He", "Xavier")]
    return less(10 * (own[1] - own[0]), one_rate[1] - one_rate[0])


@claim("init-mnist-sigmoid", samples=0, searched=0)
def with_four_over_root_n_the_sigmoid_learns_and_with_xavier_it_does_not(seed):
    found = losses("シグモイド", seed)
    return [less(found["4/√n"], 0.5), less(2 * found["4/√n"], found["He"]), less(1.9, found["Xavier"])]


@claim("init-swing", samples=0, searched=0)
def at_the_end_the_loss_of_he_does_not_swing_more(seed):
    found = []
    for activation in ("ReLU", "tanh"):
        late = [np.diff(trained(activation, i, seed).losses[-100:]).std() for i in ("He", "0.1", "Xavier")]
        found.append(less(late[0], 1.5 * max(late[1:])))
    return found


@claim("init-mnist-summary", samples=0, searched=0)
def one_rate_makes_he_look_far_ahead(seed):
    return most_of_what_xavier_is_behind_at_one_rate_is_the_rate(seed)


@claim("init-forgets-too", samples=0, searched=0)
def at_std_one_hundredth_nodes_differ_and_inputs_are_forgotten(seed):
    between_nodes, within = spreads(Sigmoid, 0.01, seed)
    return [less(0.009, between_nodes[1:]), less(within[-1], 3e-8)]
