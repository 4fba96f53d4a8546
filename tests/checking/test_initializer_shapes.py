"""check_initializer() on what learners write: whole networks, (W, b), layers, other orders, other sources."""

import importlib
import itertools
import random

import numpy as np
import pytest

from fumoto import check_initializer
from fumoto.checking.calling.weights.pieces import pieces_in

# --- the shapes: each takes the width of the weights as a function of (n_in, n_out) --------------------------


def he_std(n_in, n_out):
    return np.sqrt(2 / n_in)


def no_root(n_in, n_out):
    return 2 / n_in


def of_the_outputs(n_in, n_out):
    return np.sqrt(2 / n_out)


pairs = itertools.pairwise


def weights_and_bias(std):
    return lambda n_in, n_out: (np.random.randn(n_in, n_out) * std(n_in, n_out), np.zeros(n_out))  # noqa: NPY002


def deeplearning_ai(std):
    def initialize(layers_dims):
        np.random.seed(3)  # noqa: NPY002
        parameters = {}
        for i, (n_in, n_out) in enumerate(pairs(layers_dims), start=1):
            parameters["W" + str(i)] = np.random.randn(n_out, n_in) * std(n_in, n_out)  # noqa: NPY002
            parameters["b" + str(i)] = np.zeros((n_out, 1))
        return parameters

    return initialize


def star(std):
    def layers(*sizes, rng=None):
        rng = rng or np.random.default_rng(0)
        return [(rng.normal(0, std(n, m), (n, m)), np.zeros(m)) for n, m in pairs(sizes)]

    return layers


def after_the_source(std):
    def layers(rng, *sizes):
        return [[rng.normal(0, std(n, m), (n, m)), np.zeros(m)] for n, m in pairs(sizes)]

    return layers


def nested(std):
    def net(sizes, rng=None):
        return {
            f"layer{i}": {"W": rng.standard_normal((n, m)) * std(n, m), "b": np.zeros((1, m))}
            for i, (n, m) in enumerate(pairs(sizes))
        }

    return net


def two_lists(std):
    def init(layer_sizes, seed=42):
        rng = np.random.default_rng(seed)
        return [rng.normal(0, std(n, m), (n, m)) for n, m in pairs(layer_sizes)], list(
            map(np.zeros, layer_sizes[1:])
        )

    return init


def dictionaries(std):
    return lambda sizes, rs: [{"w": rs.randn(n, m) * std(n, m), "b": np.zeros(m)} for n, m in pairs(sizes)]


def three_numbers(std):
    def init(n_x, n_h, n_y):
        W1 = np.random.randn(n_h, n_x) * std(n_x, n_h)  # noqa: NPY002
        W2 = np.random.randn(n_y, n_h) * std(n_h, n_y)  # noqa: NPY002
        return W1, np.zeros((n_h, 1)), W2, np.zeros((n_y, 1))

    return init


def hidden_list(std):
    def init(input_size, hidden_sizes, output_size, random_state=None):
        sizes = [input_size, *hidden_sizes, output_size]
        return [random_state.normal(0, std(n, m), (n, m)) for n, m in pairs(sizes)]

    return init


def dense(std):
    class Dense:
        def __init__(self, units, input_dim, seed=None):
            rng = np.random.default_rng(seed)
            self.W = rng.normal(0, std(input_dim, units), (input_dim, units))
            self.b = np.zeros(units)
            self.dW, self.v, self.x = np.zeros_like(self.W), np.ones_like(self.W), None

    return Dense


def linear(std):
    class Linear:
        def __init__(self, in_features, out_features):
            self.weight = np.random.randn(out_features, in_features) * std(in_features, out_features)  # noqa: NPY002
            self.bias = np.zeros(out_features)

    return Linear


def network(std):
    layer = dense(std)

    class Net:
        def __init__(self, layer_sizes):
            self.layers = [layer(m, n) for n, m in pairs(layer_sizes)]
            self.params = {f"W{i}": each.W for i, each in enumerate(self.layers)}  # the same arrays

    return Net


def filled_later(std):
    class Layer:
        def __init__(self, n_in, n_out):
            self.sizes, self.W = (n_in, n_out), None

        def init_weights(self, rng=None):
            self.W = rng.normal(0, std(*self.sizes), self.sizes)

    return Layer


def callable_class(std):
    class Init:
        def __init__(self, rng):
            self.rng = rng

        def __call__(self, shape):
            return self.rng.normal(0, std(*shape), shape)

    return Init


def static_methods(std):
    class Initializers:
        @staticmethod
        def glorot(n_in, n_out):  # before he in the alphabet
            return np.random.randn(n_in, n_out) * np.sqrt(2 / (n_in + n_out))  # noqa: NPY002

        @staticmethod
        def he(n_in, n_out):
            return np.random.randn(n_in, n_out) * std(n_in, n_out)  # noqa: NPY002

    return Initializers


def factory(std):
    def make(gain=1.0):
        return lambda n_in, n_out: gain * np.random.randn(n_in, n_out) * std(n_in, n_out)  # noqa: NPY002

    return make


def in_place(std):
    def fill(W):
        W[...] = np.random.randn(*W.shape) * std(*W.shape)  # noqa: NPY002

    return fill


def legacy(std):
    def make(n_in, n_out, rng=np.random):
        return rng.randn(n_in, n_out) * std(n_in, n_out)

    return make


def pure_python(std):
    return lambda n_in, n_out, rng: [
        [rng.gauss(0, std(n_in, n_out)) for _ in range(n_out)] for _ in range(n_in)
    ]


def seeded(std):
    return lambda n_in, n_out, seed=0: np.random.RandomState(seed).randn(n_in, n_out) * std(n_in, n_out)


def another_name(std):
    return lambda n_in, n_out, source: source.normal(0, std(n_in, n_out), (n_in, n_out))


def half_named(std):
    return lambda n_l, n_prev: np.random.randn(n_l, n_prev) * std(n_prev, n_l)  # noqa: NPY002


SHAPES = [  # the shape; what the report must say of the call
    (weights_and_bias, "(n_in, n_out) の順に"),
    (deeplearning_ai, "W1、b1、W2、b2"),
    (star, "(sizes, rng) の順に"),
    (after_the_source, "(rng, sizes) の順に"),
    (nested, "layer0.W、layer0.b"),
    (two_lists, "(sizes, seed) の順に"),
    (dictionaries, "RandomState を渡しました"),
    (three_numbers, "(n_in, hidden, n_out) の順に"),
    (hidden_list, "(n_in, hiddens, n_out, rng) の順に"),
    (dense, "(n_out, n_in, seed) の順に渡して作りました。読んだのは W、b です"),
    (linear, "読んだのは weight、bias です"),
    (network, "layers[0].W"),
    (filled_later, "init_weights を (rng) の順に呼びました"),
    (callable_class, "__call__ を (shape) の順に呼びました"),
    (static_methods, "he を (n_in, n_out) の順に呼びました"),
    (factory, "(n_in, n_out) の順に"),
    (in_place, "(array) の順に"),
    (legacy, "RandomState を渡しました"),
    (pure_python, "random.Random を渡しました"),
    (seeded, "(n_in, n_out, seed) の順に"),
    (another_name, "(n_in, n_out, rng) の順に"),
    (half_named, "(n_out, n_in) の順に"),
]


@pytest.mark.parametrize(("shape", "how"), SHAPES)
def test_a_right_one_is_accepted_in_every_shape(shape, how):
    report = check_initializer(shape(he_std), "he")
    assert report.ok, str(report)
    assert how in report.how, report.how


@pytest.mark.parametrize("shape", [shape for shape, _ in SHAPES])
@pytest.mark.parametrize(
    ("std", "variant"), [(no_root, "eq-he-std/root-1"), (of_the_outputs, "eq-he-std/n-out")]
)
def test_a_mistake_is_named_in_every_shape(shape, std, variant):
    report = check_initializer(shape(std), "he")
    assert (report.ok, report.variant) == (False, variant), str(report)


# --- biases -------------------------------------------------------------------------------------------------

BIASES = [  # the initial value, the bias, whether it is right, what is said
    ("he", lambda n, m: np.full(m, 0.01), True, "バイアスは 0.01 から始まります"),
    ("he", lambda n, m: np.full((1, m), 0.1), True, "バイアスは 0.1 から始まります"),
    ("he", lambda n, m: 0.0, True, "一致"),
    ("he", lambda n, m: None, True, "一致"),
    ("xavier", lambda n, m: np.full(m, 0.1), False, "バイアス b が 0 ではありません。すべて 0.1 です"),
    ("he", lambda n, m: np.ones(m), False, "すべて 1 です"),
    ("he", lambda n, m: np.random.randn(m), False, "の乱数です。"),  # noqa: NPY002
    ("he", lambda n, m: np.random.uniform(-1, 1, m) / np.sqrt(n), False, "PyTorch の nn.Linear が既定で使う"),  # noqa: NPY002
    ("he", lambda n, m: np.zeros(n), False, "次の層のノード数と同じ 400 個が要ります"),
]


@pytest.mark.parametrize(("name", "bias", "ok", "said"), BIASES)
def test_a_bias_gets_its_own_sentence(name, bias, ok, said):
    two = {"he": 2, "xavier": 1}[name]
    report = check_initializer(lambda n, m: (np.random.randn(n, m) * np.sqrt(two / n), bias(n, m)), name)  # noqa: NPY002
    assert report.ok == ok, str(report)
    assert said in str(report)
    assert (report.variant in ("bias", "bias-shape")) != ok


def test_the_weights_come_before_the_bias():
    report = check_initializer(lambda n, m: (np.random.randn(n, m) * 2 / n, np.ones(m)), "he")  # noqa: NPY002
    assert report.variant == "eq-he-std/root-1"
    assert "バイアス b が 0 ではありません" in str(report)
    assert "重みは式のとおり" not in str(report)


# --- networks -----------------------------------------------------------------------------------------------


def layered(std):
    """``std(i, sizes)``: the width of the i-th matrix."""
    return lambda sizes: {
        f"W{i + 1}": np.random.randn(n, m) * std(i, sizes)  # noqa: NPY002
        for i, (n, m) in enumerate(pairs(sizes))
    }


def test_one_wrong_layer_is_found_and_named():
    last = layered(lambda i, sizes: np.sqrt(2 / sizes[i + 1 if i == len(sizes) - 2 else i]))
    report = check_initializer(last, "he")
    assert (report.ok, report.variant) == (False, "eq-he-std/n-out"), str(report)
    assert "違うのは W3 だけです" in str(report)
    report = check_initializer(layered(lambda i, sizes: 1.0 if i == 0 else np.sqrt(2 / sizes[i])), "he")
    assert "違うのは W1 だけです" in str(report)
    assert report.variant == "eq-he-std/constant"


def test_the_size_of_another_layer_is_named():
    assert "入力の層" in str(check_initializer(layered(lambda i, sizes: np.sqrt(2 / sizes[0])), "he"))
    assert "いちばん上の層" in str(check_initializer(layered(lambda i, sizes: np.sqrt(2 / sizes[-1])), "he"))


def reseeded(sizes):
    layers = []
    for n, m in pairs(sizes):
        np.random.seed(0)  # noqa: NPY002
        layers.append(np.random.randn(n, m) * np.sqrt(2 / n))  # noqa: NPY002
    return layers


def test_one_seed_is_for_a_network_and_not_for_each_layer():
    report = check_initializer(deeplearning_ai(he_std), "he")
    assert report.ok
    assert "種を関数の中で決めているので" in str(report)
    report = check_initializer(reseeded, "he")
    assert (report.ok, report.variant) == (False, "seed")
    assert "[0] と [1] が、同じ乱数から" in str(report)
    report = check_initializer(lambda sizes, rng: reseeded(sizes), "he")
    assert (report.ok, report.variant) == (False, "seed")


def test_a_seed_that_is_not_used_is_noticed():
    report = check_initializer(
        lambda n, m, seed=0: np.random.default_rng(1).normal(0, np.sqrt(2 / n), (n, m)), "he"
    )
    assert (report.ok, report.variant) == (False, "seed")


def test_a_missing_layer_is_noticed():
    report = check_initializer(lambda sizes: layered(lambda i, s: np.sqrt(2 / s[i]))(sizes[:-1]), "he")
    assert not report.ok
    assert "3 個のはずですが、2 個ありました" in str(report)


# --- the order of the shape ---------------------------------------------------------------------------------


def in_book_order(rng, n_in, n_out):
    return rng.normal(0, np.sqrt(2 / n_in), (n_out, n_in))


def in_other_order(rng, n_in, n_out):
    """W: (n_out, n_in)."""
    return rng.normal(0, np.sqrt(2 / n_in), (n_out, n_in))


def test_the_other_order_is_a_convention_except_in_the_form_of_the_book():
    report = check_initializer(
        lambda fan_in, fan_out: in_other_order(np.random.default_rng(), fan_in, fan_out), "he"
    )
    assert report.ok, str(report)
    assert "渡すときは転置します" in str(report)
    assert check_initializer(in_other_order, "he").ok
    report = check_initializer(in_book_order, "he")
    assert not report.ok
    assert "この本の重みは (n_in, n_out) です" in str(report)
    report = check_initializer(lambda shape: np.random.randn(*shape[::-1]) * np.sqrt(2 / shape[0]), "he")  # noqa: NPY002
    assert not report.ok
    assert "渡された形と逆の形です" in str(report)


def picks_the_second(shape):
    fan_in = shape[1]
    return np.random.randn(*shape) * np.sqrt(2 / fan_in)  # noqa: NPY002


def says_in_first(shape):
    """Weights of shape (n_in, n_out)."""
    fan_in = shape[1]
    return np.random.randn(*shape) * np.sqrt(2 / fan_in)  # noqa: NPY002


def says_out_first(shape):
    """Weights of shape (out_features, in_features)."""
    return np.random.randn(*shape) * np.sqrt(2 / shape[0])  # noqa: NPY002


def says_nothing(shape):
    return np.random.randn(*shape) * np.sqrt(2 / shape[1])  # noqa: NPY002


@pytest.mark.parametrize(
    ("make", "ok"),
    [(picks_the_second, True), (says_in_first, False), (says_out_first, False), (says_nothing, False)],
)
def test_the_order_of_a_shape_is_read_from_the_text(make, ok):
    report = check_initializer(make, "he")
    assert report.ok == ok, str(report)
    assert ok or report.variant == "eq-he-std/n-out"


def test_a_column_of_biases_tells_the_order_of_sizes_without_names():
    def layer(m, n):
        return np.random.randn(m, n) * np.sqrt(2 / n), np.zeros((m, 1))  # noqa: NPY002

    report = check_initializer(layer, "he")
    assert report.ok, str(report)
    assert "バイアスの形から" in str(report)
    named = check_initializer(lambda n_in, n_out: layer(n_in, n_out), "he")
    assert (named.ok, named.variant) == (False, "eq-he-std/n-out")


def test_names_tell_the_order_of_some_sizes():
    report = check_initializer(
        lambda layer, n_prev, source: source.normal(0, np.sqrt(2 / n_prev), (n_prev, layer)), "he"
    )
    assert report.ok, str(report)


def yielded(sizes, rng):
    for n, m in pairs(sizes):
        yield rng.normal(0, np.sqrt(2 / n), (n, m)), np.zeros(m)


def test_layers_may_be_yielded():
    assert check_initializer(yielded, "he").ok


# --- filters ------------------------------------------------------------------------------------------------


def he_conv(shape, rng=np.random.RandomState(0)):  # noqa: B008
    """Filters of shape (out_channels, in_channels, kh, kw)."""
    return rng.randn(*shape) * np.sqrt(2 / np.prod(shape[1:]))


def without_the_window(shape):
    """Filters of shape (out_channels, in_channels, kh, kw)."""
    return np.random.randn(*shape) * np.sqrt(2 / shape[1])  # noqa: NPY002


def window_first(shape, rng):
    kh, kw, c_in, _c_out = shape
    return rng.normal(0, np.sqrt(2 / (kh * kw * c_in)), shape)


def window_first_wrongly(shape, rng):
    kh, kw, _c_in, c_out = shape
    return rng.normal(0, np.sqrt(2 / (kh * kw * c_out)), shape)


class Conv2D:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1):
        fan_in = in_channels * kernel_size**2
        shape = (out_channels, in_channels, kernel_size, kernel_size)
        self.W = np.random.randn(*shape) * np.sqrt(2 / fan_in)  # noqa: NPY002
        self.b = np.zeros(out_channels)


@pytest.mark.parametrize(
    ("make", "variant"),
    [
        (he_conv, None),
        (window_first, None),
        (Conv2D, None),
        (without_the_window, "eq-he-std/n-channels"),
        (window_first_wrongly, "eq-he-std/n-out"),
    ],
)
def test_filters_are_judged(make, variant):
    report = check_initializer(make, "he")
    assert (report.ok, report.variant) == (variant is None, variant), str(report)


# --- Xavier as the paper and the libraries write it ---------------------------------------------------------

BOTH = [  # of n_in and n_out, drawn with rng; what should be named
    (lambda rng, n, m: rng.normal(0, 2 / (n + m), (n, m)), "eq-glorot-std/root-1"),
    (lambda rng, n, m: rng.normal(0, np.sqrt(1 / (n + m)), (n, m)), "eq-glorot-std/factor-1"),
    (lambda rng, n, m: rng.uniform(-1, 1, (n, m)) * np.sqrt(6) / (n + m), "eq-glorot-std/root-3"),
    (lambda rng, n, m: rng.uniform(-1, 1, (n, m)) * 6 / (n + m), "eq-glorot-std/root-1/limit"),
    (lambda rng, n, m: rng.uniform(-1, 1, (n, m)) * np.sqrt(2 / (n + m)), "eq-glorot-std/uniform-width"),
]


@pytest.mark.parametrize(("make", "variant"), BOTH)
def test_xavier_of_both_sizes_is_compared_with_the_equation_of_both(make, variant):
    report = check_initializer(make, "xavier")
    assert (report.ok, report.variant, report.equation) == (False, variant, "eq-glorot-std"), str(report)
    assert "n_in と n_out の両方を使う" in str(report)
    assert "さらに" not in str(report)


def test_uniform_numbers_that_start_at_zero_are_named():
    report = check_initializer(lambda rng, n, m: rng.uniform(0, np.sqrt(6 / n), (n, m)), "he")
    assert (report.ok, report.variant) == (False, "mean")
    assert "乱数の範囲の端が 0 になっていませんか" in str(report)


@pytest.mark.parametrize(
    ("limit", "variant"),
    [
        (lambda n: 6 / n, "eq-he-std/root-1/limit"),
        (lambda n: 1 / np.sqrt(n), "eq-he-std/factor-1/uniform-width"),
    ],
)
def test_a_wrong_limit_of_uniform_numbers_is_named(limit, variant):
    report = check_initializer(lambda rng, n, m: rng.uniform(-1, 1, (n, m)) * limit(n), "he")
    assert (report.ok, report.variant) == (False, variant), str(report)


@pytest.mark.parametrize(
    ("make", "variant"),
    [
        (lambda rng, n, m: rng.normal(size=(n, m)) * np.sqrt(2 / n + m), "bracket"),
        (lambda rng, n, m: rng.uniform(-1, 1, (n, m)) * np.sqrt(6 / n + m), "bracket-in-limit"),
    ],
)
def test_lost_brackets_are_named(make, variant):
    report = check_initializer(make, "xavier")
    assert (report.ok, report.variant) == (False, f"eq-glorot-std/{variant}"), str(report)


FILTERS = """
def fans(shape):
    # (out, in) for layers, (out, in, kh, kw) for convolutions
    area = {area}
    return shape[1] * area, shape[0] * area

def glorot(shape, seed=0):
    n, m = fans(shape)
    return np.random.default_rng(seed).normal(size=shape) * np.sqrt(2 / (n + m))

def he_filters(out_channels, in_channels, kernel_size=3, seed=0):
    area = {area_here}
    W = np.random.default_rng(seed).normal(size=(out_channels, in_channels, kernel_size, kernel_size))
    return W * np.sqrt(2 / (in_channels * area)), np.zeros(out_channels)
"""


@pytest.mark.parametrize(
    ("area", "here", "right"), [("int(np.prod(shape[2:]))", "kernel_size**2", True), ("1", "1", False)]
)
def test_filters_are_tried_where_the_file_speaks_of_them(tmp_path, monkeypatch, area, here, right):
    """In the function it calls; with a size of the window that has a default."""
    monkeypatch.syspath_prepend(tmp_path)
    source = "import numpy as np\n" + FILTERS.format(area=area, area_here=here)
    name = f"filters_{right}".lower()
    (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    module = importlib.import_module(name)
    variants = [check_initializer(module.glorot, "xavier").variant, check_initializer(module.he_filters, "he").variant]
    assert variants == ([None, None] if right else ["eq-glorot-std/n-both-channels", "eq-he-std/n-channels"])


# --- recognising --------------------------------------------------------------------------------------------


def choosing(layers_dims, method="he"):
    two = {"he": 2, "xavier": 1}[method]
    return [np.random.randn(m, n) * np.sqrt(two / n) for n, m in pairs(layers_dims)]  # noqa: NPY002


def test_a_choice_by_name_is_made():
    assert check_initializer(choosing, "he").ok
    assert check_initializer(choosing, "xavier").ok


def test_a_class_is_recognised_by_its_name():
    class HeNormal:
        def __call__(self, shape):
            return np.random.randn(*shape) * 2 / shape[0]  # noqa: NPY002

    report = check_initializer(HeNormal)
    assert (report.name, report.variant) == ("he", "eq-he-std/root-1")


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (
            {"fc1.weight": np.ones((3, 2)), "fc1.bias": np.zeros(3), "dW1": np.ones((3, 2))},
            [("fc1.weight", "fc1.bias")],
        ),
        ({"W2": np.ones((3, 2)), "W1": np.ones((2, 3))}, [("W1", ""), ("W2", "")]),
        ({"weights": {1: np.ones((2, 2))}, "biases": {1: np.ones((2, 1))}}, [("重み[0]", "バイアス[0]")]),
        (([[1.0, 2.0], [3.0, 4.0]], [0.0, 0.0]), [("", "b")]),
        ({"blocks": [{"W": np.ones((2, 2)), "b": np.ones(2)}]}, [("blocks[0].W", "blocks[0].b")]),
        (random.Random(0), []),
        ({"W": 3, "lr": 0.1}, []),
    ],
)
def test_weights_are_found_where_they_are(value, names):
    assert [(piece.name, piece.bias_name) for piece in pieces_in(value)] == names
