"""The claims of chapter 8: networks that have not learned, and MNIST with a learning rate for each initial value."""

from functools import cache, partial

import numpy as np

from claims.registry import between, claim, close, equal, less
from fumoto.datasets import mnist_bytes
from fumoto.experiments.initialization import (
    ACTIVATIONS,
    ADAM_RATE,
    COMPARED,
    DEPTH,
    INITIALIZERS,
    NETWORKS,
    NODES,
    RATES,
    SIZES,
    STEPS,
    mean_squares,
    through,
    tuned_rates,
    widths,
    with_rate,
)
from fumoto.experiments.protocol import learn
from fumoto.initializers import gaussian, he
from fumoto.layers import ReLU, Sigmoid, Tanh
from fumoto.optimizers import Adam

STEEPEST = {Sigmoid: 1 / 4, ReLU: 1.0, Tanh: 1.0}  # the largest slopes
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
        *sigmoid_factors(seed),
    ]


def sigmoid_factors(seed):
    """By how much the gradient of the sigmoid shrinks a layer: the least with 4/√n."""
    factor = {initial: Passed(Sigmoid, initial, seed).factor for initial in COMPARED["シグモイド"]}
    return [
        less(factor["Xavier"], 1 / 4),
        less(factor["He"], np.sqrt(2) / 4),
        between(factor["4/√n"], 0.5, 1),
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
def tuned():
    return tuned_rates(NETWORKS, RATES, processes=1)


def chosen():
    return {key: found.setting for key, found in tuned().items()}


def trained(activation, initial, seed):
    return learn(*chosen()[activation, initial].job(seed, STEPS, test=True))


def losses(activation, seed):
    """The training loss at the end, of each initial value at its own learning rate."""
    return {initial: trained(activation, initial, seed).training_loss for initial in COMPARED[activation]}


def slowly(activation, initial, seed):
    """The validation loss at the smallest of the learning rates."""
    setting = with_rate(NETWORKS[activation, initial], RATES[0])
    return learn(*setting.job(seed, STEPS)).validation_loss


@claim("init-mnist-near", samples=0, searched=0)
def at_their_own_rates_he_leads_by_a_little(seed):
    found = []
    for activation in ("ReLU", "tanh"):
        ends = losses(activation, seed)
        others = [loss for initial, loss in ends.items() if initial in ("0.1", "Xavier")]
        found += [less(ends["He"], min(others)), less(max(others) - ends["He"], 0.12)]
    return found


@claim("init-mnist-tiny", samples=0, searched=0)
def std_one_hundredth_stays_at_chance_at_every_rate(seed):
    shares = np.bincount(mnist_bytes()[1]) / 60_000
    entropy = -np.sum(shares * np.log(shares))
    tried = [trial.loss for trial in tuned()["ReLU", "0.01"].trials]
    return [
        between(losses("ReLU", seed)["0.01"], entropy - 0.02, entropy + 0.02),
        less(entropy - 0.02, min(tried)),
    ]


@claim("init-mnist-range", samples=0, searched=0)
def at_the_smallest_rate_he_is_ahead(seed):
    return [
        less(slowly(activation, "He", seed), 0.8 * slowly(activation, other, seed))
        for activation in ("ReLU", "tanh")
        for other in COMPARED[activation]
        if other in ("0.1", "Xavier")
    ]


@claim("init-mnist-gap", samples=0, searched=0)
def most_of_what_xavier_is_behind_at_one_rate_is_the_rate(seed):
    own = [trained("ReLU", initial, seed).validation_loss for initial in ("He", "Xavier")]
    one_rate = [slowly("ReLU", initial, seed) for initial in ("He", "Xavier")]
    return less(10 * (own[1] - own[0]), one_rate[1] - one_rate[0])


@claim("init-mnist-sigmoid", samples=0, searched=0)
def with_four_over_root_n_the_sigmoid_learns_and_with_xavier_it_does_not(seed):
    right = {
        initial: trained("シグモイド", initial, seed).test_accuracy for initial in COMPARED["シグモイド"]
    }
    return [less(0.8, right["4/√n"]), less(right["He"], 0.4), less(right["Xavier"], 0.15)]


@claim("init-sigmoid-adam", samples=0, searched=0)
def with_adam_the_sigmoid_learns_from_xavier_and_from_he(seed):
    return [
        less(
            0.8,
            learn(
                NETWORKS["シグモイド", initial], partial(Adam, lr=ADAM_RATE), seed, STEPS, test=True
            ).test_accuracy,
        )
        for initial in ("Xavier", "He")
    ]


@claim("init-swing", samples=0, searched=0)
def at_the_end_the_loss_of_he_does_not_swing_more(seed):
    found = []
    for activation in ("ReLU", "tanh"):
        names = [initial for initial in ("He", "0.1", "Xavier") if initial in COMPARED[activation]]
        late = [np.diff(trained(activation, initial, seed).losses[-100:]).std() for initial in names]
        found.append(less(late[0], 1.5 * max(late[1:])))
    return found


@claim("init-mnist-summary", samples=0, searched=0)
def one_rate_makes_he_look_far_ahead(seed):
    return most_of_what_xavier_is_behind_at_one_rate_is_the_rate(seed)


@claim("init-forgets-too", samples=0, searched=0)
def at_std_one_hundredth_nodes_differ_and_inputs_are_forgotten(seed):
    between_nodes, within = spreads(Sigmoid, 0.01, seed)
    return [less(0.009, between_nodes[1:]), less(within[-1], 3e-8)]
