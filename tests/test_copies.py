"""Copies and pickles of every public class: equal to the original, and with a life of their own."""

import ast
import collections.abc
import copy
import dataclasses
import functools
import importlib
import inspect
import pickle
import pkgutil
import types
import typing

import numpy as np
import pytest
import sympy
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import fumoto
from fumoto import mistakes, optimizers
from fumoto.batchnorm import BatchNorm
from fumoto.checking.calling.batchnorm.functions import FunctionInUse
from fumoto.checking.calling.batchnorm.layers import LayerInUse
from fumoto.checking.calling.batchnorm.layouts import LAYOUTS, Layout
from fumoto.checking.calling.batchnorm.partners import Together
from fumoto.checking.calling.batchnorm.rates import Rates
from fumoto.checking.calling.batchnorm.roles import Role as NormRole
from fumoto.checking.calling.batchnorm.settings import Settings
from fumoto.checking.calling.batchnorm.using import InUse
from fumoto.checking.calling.optimizer import Observed
from fumoto.checking.calling.reading import Reading
from fumoto.checking.calling.safety import ReaderError
from fumoto.checking.calling.shapes.dictionaries import in_a_dictionary
from fumoto.checking.calling.shapes.loops import Loop, loops
from fumoto.checking.calling.shapes.making import Asked, Making, Verb, makings, verbs
from fumoto.checking.calling.shapes.objects import Parameter
from fumoto.checking.calling.shapes.roles import Argument, Arguments, Role, arguments_of
from fumoto.checking.calling.shapes.units import ByName, Unit
from fumoto.checking.calling.shapes.variables import Name, ToCall, Variable
from fumoto.checking.calling.shapes.walking import Plan
from fumoto.checking.calling.trying import Trial
from fumoto.checking.calling.weights.sources import OtherSource
from fumoto.checking.computing.problems import PROBLEMS
from fumoto.checking.repairing.places import Renaming, Scope, Spot, spots
from fumoto.checking.repairing.search import Expected
from fumoto.checking.repairing.sources import Editable, Written
from fumoto.checking.report import Finding, Report
from fumoto.clipping import Clipped
from fumoto.command.judging import Row as Judged
from fumoto.datasets import DataError
from fumoto.dropout import Dropout
from fumoto.experiments.adam import AMSGrad
from fumoto.experiments.descent import Night, night_walk
from fumoto.experiments.kept import Place, places
from fumoto.experiments.overfitting import learn_few, scaled_he
from fumoto.experiments.protocol import Setting
from fumoto.figures.style import Picture
from fumoto.figures.table import Table
from fumoto.initializers import gaussian, he
from fumoto.joined import Joined
from fumoto.layernorm import LayerNorm, RMSNorm
from fumoto.layers import Activation, Affine, Layer, Remembering, Residual, SoftmaxCrossEntropy, Tanh
from fumoto.mistakes import DedentedAdam
from fumoto.network import MLP
from fumoto.optimizers import SGD, Adam, ElementwiseOptimizer, Momentum, Muon, Optimizer, Split
from fumoto.printed import METHODS, Equation, EquationError, PrintedOptimizer, Variant, read, variants
from fumoto.printed.claims import Claim, read_claim
from fumoto.printed.evaluation import RightSide
from fumoto.printed.pages import Book, declarations
from fumoto.printed.playground import SURFACES, PlayedSurface
from fumoto.schedules import Cosine, Scheduled, Warmup
from fumoto.stack import Stack
from fumoto.surfaces import Surface, bowl, hollow, ravine, saddle, valleys
from fumoto.training import train

WAYS = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle-{n}": lambda x, n=n: pickle.loads(pickle.dumps(x, n)) for n in range(2, 6)},
}


def public_classes():
    """Every class of the package that a reader can name, protocols (which have no instances) apart."""
    for found in pkgutil.walk_packages(fumoto.__path__, "fumoto."):
        if found.name.endswith("__main__") or found.name.startswith("fumoto.pages"):
            continue
        module = importlib.import_module(found.name)
        for name, cls in vars(module).items():
            own = inspect.isclass(cls) and cls.__module__ == module.__name__
            if own and not name.startswith("_") and not getattr(cls, "_is_protocol", False):
                yield cls


# What lives only while a reader's code runs, and holds the reader's thing: it is never copied
NEVER_COPIED = {InUse, LayerInUse, FunctionInUse, Settings}
CLASSES = [cls for cls in public_classes() if cls not in NEVER_COPIED]
# What only exists to be derived from: its children are tested
ABSTRACT = {Optimizer, ElementwiseOptimizer, Remembering, Layer, Activation, Stack}
HANDED_TO_A_READER = {Asked, Parameter}  # whose update() is not an optimizer's


# --- the same -------------------------------------------------------------------------------------------


def same(a, b):
    """Equal in type and in every value inside, bit for bit."""
    if isinstance(a, sympy.Basic):  # SymPy puts the terms of an unpickled sum in an order of its own
        return a.doit() == b.doit()
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, np.random.Generator):
        return same(a.bit_generator.state, b.bit_generator.state)
    if isinstance(a, dict):
        return same(list(a), list(b)) and all(map(same, a.values(), b.values()))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, functools.partial):
        return same((a.func, a.args, a.keywords), (b.func, b.args, b.keywords))
    if isinstance(a, Picture):
        return a.name == b.name and a._repr_svg_() == b._repr_svg_()
    if isinstance(a, ast.AST):
        return ast.dump(a) == ast.dump(b)
    if isinstance(a, Exception):
        return same((a.args, vars(a)), (b.args, vars(b)))
    if dataclasses.is_dataclass(a):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a) if f.compare)
    if type(a).__module__.startswith("fumoto"):
        apart = ("_params", "_compiled")  # whose weights: see below; a function, made again from the rest
        inside = [{k: v for k, v in vars(x).items() if k not in apart} for x in (a, b)]
        return same(*inside)
    return a == b or (a != a and b != b)


@functools.cache
def printed_equations():
    return read()


def a_variant():
    return variants(printed_equations()["eq-momentum-v"])[0]


def a_picture():
    picture = Picture("copied")
    picture.axes.plot([1, 2, 4])
    return picture


def a_plan():
    return Plan(makings(SGD)[0], next(verbs(SGD())), in_a_dictionary, "words")


def descend(gradient, start, lr=0.1):
    """A whole loop, as a reader would write it."""


BY_HAND = {  # the class -> some of its instances; what is not here is a dataclass, made from the types of its fields
    Argument: lambda: list(arguments_of(descend).listed),
    Arguments: lambda: [arguments_of(descend)],
    Asked: lambda: [Asked({"lr": 0.1})],
    Book: lambda: [Book(declarations())],
    Claim: lambda: [read_claim(r"x | 測定 | \eta in (0, 1] sufficient above; method in {SGD, Adam} | 演習")],
    DataError: lambda: [DataError("file")],
    EquationError: lambda: [EquationError("page")],
    Editable: lambda: [Editable(descend, *2 * [ast.parse("def descend(): pass").body[0]])],
    Expected: lambda: [Expected(PROBLEMS[0], [])],
    Equation: lambda: [printed_equations()["eq-adam-w"]],
    ReaderError: lambda: [ReaderError("why", "loop/shared-state")],
    Finding: lambda: [Finding("sign", a_variant().equation, printed_equations()["eq-sgd-w"])],
    Loop: lambda: loops(descend),
    Making: lambda: makings(SGD),
    Observed: lambda: [Observed("how", [])],
    OtherSource: lambda: [OtherSource("why")],
    Parameter: lambda: [Parameter("w", np.ones(2))],
    Plan: lambda: [a_plan()],
    Reading: lambda: [Reading("how", a_plan)],
    Role: lambda: list(Role),
    NormRole: lambda: list(NormRole),
    Layout: lambda: list(LAYOUTS),
    Rates: lambda: [Rates({"decay_rate": 0.9, "eps": None})],
    Together: lambda: [Together(descend, (descend,))],
    Trial: lambda: [Trial(a_plan(), {"lr": 0.1}, 3, [{"w": np.ones(2)}])],
    ByName: lambda: [Parameter("w", np.ones(2))],
    Name: lambda: [Name("w")],
    ToCall: lambda: [ToCall([1, 2])],
    Unit: lambda: in_a_dictionary({"w": np.ones(2)}),
    Variable: lambda: [Variable.of(np.ones(2))],
    Verb: lambda: list(verbs(SGD())),
    Joined: lambda: [Joined({"W": (2, 2), "b": (), "none": (0, 3)}, np.arange(5.0))],
    Night: lambda: [night_walk(steps=3)],
    Picture: lambda: [a_picture()],
    Place: lambda: places(learn_few, [(MLP, SGD, 1, 1), (MLP, Momentum, 2, 2)]),
    PlayedSurface: lambda: list(SURFACES.values()),
    Judged: lambda: [
        Judged("a.py", "MySGD", 3, "optimizer", Report(True, "一致", constants={"lr": 0.1}), "SGD")
    ],
    Renaming: lambda: [Renaming("w", ast.Name("x", ast.Load()))],
    Scope: lambda: [Scope({ast.Name("w", ast.Load()): "array"}, [])],
    Spot: lambda: spots(ast.parse("def f(w): return w**2").body[0]),
    Setting: lambda: [Setting(SGD, (("lr", 0.1),), functools.partial(MLP, [4, 3]))],
    Surface: lambda: [bowl, saddle, ravine, valleys, hollow(0.3), hollow(np.linspace(0, 1, 3))],
    Table: lambda: [Table(["a", "b"], [["1", "2"]], words=True)],
    Variant: lambda: [a_variant()],
    Written: lambda: [Written()],
    Warmup: lambda: [Warmup(Cosine(0.5, 9), 3)],
}


def filled(hint):
    """Some value of a type: how the results of the experiments, which are dataclasses, are made."""
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return instances(hint)[0]
    if np.ndarray in (hint, origin):
        return np.array([0.5, np.nan, -0.0])
    if origin in (typing.Union, types.UnionType):
        return filled(inside[0])
    if origin in (dict, collections.abc.Mapping):
        return {filled(inside[0]): filled(inside[1])}
    if origin is tuple:
        return tuple(filled(each) for each in inside if each is not Ellipsis)
    if origin in (list, collections.abc.Sequence):
        return [filled(inside[0])]
    return {float: 0.1, int: 3, str: "abc", bytes: b"abc", bool: True, typing.Any: [1.5]}[hint]


@functools.cache
def instances(cls):
    if cls in BY_HAND:
        return BY_HAND[cls]()
    hints = typing.get_type_hints(cls)
    needed = [
        f.name for f in dataclasses.fields(cls) if f.default is f.default_factory is dataclasses.MISSING
    ]
    return [cls(**{name: filled(hints[name]) for name in needed})]


# --- lives ----------------------------------------------------------------------------------------------
# A thing that remembers is followed through events. An event is called with the things of a world (a thing and what it
# works with), and returns what it shows.

X = np.random.default_rng(1).normal(size=(6, 3))
T = np.array([0, 1, 1, 0, 1, 0])
DOUT = np.random.default_rng(2).normal(size=(6, 3))


def optimizer_life(make, shapes=((3,), (2, 2))):
    """One update after the other, of a float64 and a float32 array."""

    def update(seed):
        def event(world):
            optimizer, params = world
            rng = np.random.default_rng(seed)
            optimizer.update(
                params, {key: rng.normal(size=w.shape).astype(w.dtype) for key, w in params.items()}
            )
            return copy.deepcopy((params, vars_of(optimizer)))

        return event

    def world():
        return [make(), {"a": np.ones(shapes[0]), "b": np.ones(shapes[1], np.float32)}]

    return world, [update(seed) for seed in range(5)]


def vars_of(thing):
    return {name: value for name, value in vars(thing).items() if name in ("t", "state", "m", "v")}


def layer_life(make):
    """Forward, backward and a step, over and over, as a network would do it; then inference."""

    def forward(world):
        return world[0].forward(X, training=True).copy()

    def backward(world):
        dx = world[0].backward(DOUT)
        return copy.deepcopy((dx, world[0].grads))

    def step(world):
        for name, w in world[0].params.items():
            w -= 0.1 * world[0].grads[name]
        return copy.deepcopy(world[0].params)

    def infer(world):
        return world[0].forward(X, training=False).copy()

    return lambda: [make()], 2 * [forward, backward, step] + [infer, backward]


def loss_life():
    def forward(world):
        return world[0].forward(X, T)

    def backward(world):
        return world[0].backward()

    return lambda: [SoftmaxCrossEntropy()], [forward, backward, forward]


def right_side_life():
    """Called twice: it holds a function made by SymPy from the first call on."""
    equation = printed_equations()["eq-momentum-v"]
    values = {name: np.array([0.25, 0.5]) for name in equation.symbols}

    def call(world):
        return np.round(world[0](values), 12)  # another order of the terms rounds differently

    def world():
        return [RightSide(equation.label, equation.lhs, equation.rhs, equation.notation, equation.indices)]

    return world, [call, call]


def network_life(batchnorm, method):
    """A network and its optimizer: by hand (between the gradient and the update, too), then by ``train``."""
    x, t = X.astype(np.float32), T

    def gradient(world):
        loss, _ = world[0].gradient(x, t)
        return loss, world[0].gradient_vector.copy()

    def clip(world):
        world[0].gradient_vector[...] = np.clip(world[0].gradient_vector, -0.1, 0.1)

    def update(world):
        network, optimizer = world
        optimizer.update(network.params, network.grads)
        return network.vector.copy(), copy.deepcopy(optimizer.state)

    def loop(world):
        losses = train(*world, x, t, steps=2, batch_size=4, rng=np.random.default_rng(4))
        return losses, world[0].vector.copy(), world[0].predict(x)

    def inside(world):
        """Each layer uses the one array, and leaves its gradient in the one array."""
        network, _ = world
        for number, layer in network.layers:
            for name, w in layer.params.items():
                assert w is network.params[f"{name}{number}"] and w.base is network.vector
                assert layer.grads[name].base is network.gradient_vector
        return network.accuracy(x, t)

    def world():
        network = MLP([3, 4, 2], rng=np.random.default_rng(3), batchnorm=batchnorm, weight_decay=0.1)
        return [network, method(lr=0.1)]

    return world, [inside, gradient, clip, update, inside, loop, gradient, update, loop]


def printed_life(name, cls=PrintedOptimizer):
    numbers = {"lr": 0.1, "momentum": 0.9, "decay_rate": 0.9, "beta1": 0.9, "beta2": 0.99, "eps": 1e-6}
    numbers["weight_decay"] = 0.1
    method = METHODS[name]
    chosen = {key: numbers[key] for key in method.hyperparameters}
    # one of the mistakes uses the state of one array for the other
    return optimizer_life(lambda: cls(method, printed_equations(), **chosen), shapes=((2, 2), (2, 2)))


def equation_life(label):
    """Read, then evaluated: it holds a function made by SymPy from then on."""

    def evaluate(world):
        equation, values = world
        value = equation.evaluate(**{name: values[name] for name in equation.symbols})
        return equation.symbols, np.round(value, 12)  # another order of the terms rounds differently

    def world():
        equation = read(labels=[label])[label]
        values = dict.fromkeys(equation.domain, np.array([0.25, 0.5]))
        return [equation, {**values, "grad_E": np.sin, "K": 2}]

    return world, [evaluate, evaluate]


def ours(module):
    return [cls for cls in vars(module).values() if inspect.isclass(cls) and issubclass(cls, Optimizer)]


LIVES = {
    **{cls: [optimizer_life(cls)] for cls in {*ours(optimizers), *ours(mistakes), AMSGrad} - ABSTRACT},
    Muon: [optimizer_life(Muon, shapes=((2, 3), (2, 2)))],
    Split: [optimizer_life(lambda: Split(Muon(), Adam()))],
    DedentedAdam: [optimizer_life(DedentedAdam)],
    Clipped: [optimizer_life(lambda: Clipped(Adam(), 0.5))],
    Scheduled: [optimizer_life(lambda: Scheduled(Adam(), Warmup(Cosine(0.5, 9), 3)))],
    Equation: [equation_life(label) for label in ("eq-adam-w", "eq-softmax-y", "eq-gradient-g")],
    **{
        cls: [printed_life(name, cls) for name in ("Momentum", "Adam", "AdamW", "Lion")]
        for cls in CLASSES
        if issubclass(cls, PrintedOptimizer)
    },
    **{
        cls: [layer_life(cls)]
        for cls in CLASSES
        if issubclass(cls, Activation) and cls not in {*ABSTRACT, Dropout}
    },
    RightSide: [right_side_life()],
    Affine: [layer_life(lambda: Affine(np.eye(3), np.zeros(3)))],
    Residual: [layer_life(lambda: Residual(np.eye(3), np.zeros(3), Tanh()))],
    BatchNorm: [layer_life(lambda: BatchNorm(np.ones(3), np.zeros(3)))],
    Dropout: [layer_life(lambda: Dropout(0.5, rng=np.random.default_rng(0)))],
    LayerNorm: [layer_life(lambda: LayerNorm(np.ones(3), np.zeros(3)))],
    RMSNorm: [layer_life(lambda: RMSNorm(np.ones(3)))],
    SoftmaxCrossEntropy: [loss_life()],
    MLP: [network_life(place, method) for place in (None, "before", "after") for method in (Momentum, Adam)],
}


def copied(world, way, whole):
    """The world copied as a whole, or thing by thing (what is not ours, always deeply)."""
    if whole:
        return WAYS[way](world)
    return [
        WAYS[way](thing) if type(thing).__module__.startswith("fumoto") else copy.deepcopy(thing)
        for thing in world
    ]


@pytest.mark.parametrize(
    "cls", [cls for cls in CLASSES if cls not in ABSTRACT], ids=lambda cls: cls.__qualname__
)
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(data=st.data())
def test_a_copy_is_what_the_original_is_and_lives_on_alone(cls, data):
    way = data.draw(st.sampled_from(list(WAYS)), label="way")
    if cls not in LIVES:
        thing = data.draw(st.sampled_from(instances(cls)))
        assert same(WAYS[way](thing), thing)
        return
    make, events = data.draw(st.sampled_from(LIVES[cls]))
    moment = data.draw(st.integers(0, len(events)), label="copied after")
    # copy.copy of a list copies no thing in it
    whole = way != "copy" and data.draw(st.booleans(), label="copied as a whole")
    with np.errstate(all="ignore"):
        undisturbed = make()
        expected = [event(undisturbed) for event in events]
        world = make()
        for event in events[:moment]:
            event(world)
        other = copied(world, way, whole)
        assert same(other[0], world[0])
        for life in (
            other,
            world,
        ):  # the copy first: had it touched the original, that would go on differently
            assert same([event(life) for event in events[moment:]], expected[moment:])
        assert same(copied(world, way, whole)[0], world[0])


def test_the_walk_finds_the_classes_of_every_room():
    assert {MLP, Adam, DedentedAdam, BatchNorm, PrintedOptimizer, Surface, DataError, Picture, Joined} <= set(
        CLASSES
    )
    assert len(CLASSES) > 70
    assert set(BY_HAND) | set(LIVES) | ABSTRACT <= set(CLASSES)
    for cls in ABSTRACT:
        assert any(issubclass(other, cls) for other in LIVES)


def test_who_remembers_is_followed_through_a_life():
    """A new optimizer or layer is not compared at rest only."""
    for cls in CLASSES:
        if hasattr(cls, "update") or hasattr(cls, "forward"):
            assert cls in LIVES or cls in ABSTRACT | HANDED_TO_A_READER or cls is Joined, cls


# --- the defects these were written for -------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_a_copied_network_learns_and_the_original_does_not(way):
    network = MLP([3, 4, 2], rng=np.random.default_rng(0))
    before = network.vector.copy()
    other = WAYS[way](network)
    train(other, SGD(lr=0.1), X.astype("f4"), T, steps=5, batch_size=4, rng=np.random.default_rng(1))
    for name, w in other.params.items():
        assert np.any(w != network.params[name]), name
        assert np.shares_memory(w, other.vector) and not np.shares_memory(w, network.vector)
    np.testing.assert_array_equal(network.vector, before)


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_of_a_network_with_a_replaced_array_has_the_new_values(way):
    network = MLP([3, 2], rng=np.random.default_rng(0))
    network.params["W1"] = np.full((3, 2), 7.0)
    other = WAYS[way](network)
    np.testing.assert_array_equal(other.vector[:6], 7.0)
    np.testing.assert_array_equal(other.predict(X.astype("f4")), network.predict(X.astype("f4")))


@pytest.mark.parametrize("make", [gaussian(0.5), scaled_he(2.0), he], ids=["gaussian", "scaled_he", "he"])
@pytest.mark.parametrize("way", WAYS)
def test_a_copied_initializer_makes_the_same_numbers(make, way):
    expected = make(np.random.default_rng(7), 5, 4)
    np.testing.assert_array_equal(WAYS[way](make)(np.random.default_rng(7), 5, 4), expected)


def test_initializers_with_a_parameter_make_the_numbers_they_always_made():
    normal = np.random.default_rng(7).normal(0.0, 0.5, (5, 4))
    np.testing.assert_array_equal(gaussian(0.5)(np.random.default_rng(7), 5, 4), normal)
    scaled = 3.0 * np.random.default_rng(7).normal(0.0, np.sqrt(2 / 5), (5, 4))
    np.testing.assert_array_equal(scaled_he(3.0)(np.random.default_rng(7), 5, 4), scaled)


@pytest.mark.parametrize("surface", BY_HAND[Surface](), ids=lambda surface: surface.name)
@pytest.mark.parametrize("way", WAYS)
def test_a_copied_surface_has_the_same_heights_and_slopes(surface, way):
    other, w = WAYS[way](surface), np.random.default_rng(0).normal(size=(len(surface.start), 4, 3))
    np.testing.assert_array_equal(other(w), surface(w))
    np.testing.assert_array_equal(other.gradient(w), surface.gradient(w))


def test_a_joined_dict_keeps_its_one_array_when_copied():
    joined = Joined({"a": (2,), "b": (1, 3)}, np.arange(5.0))
    for name, way in WAYS.items():
        other = way(joined)
        assert other.whole and other["b"].base is other.vector, name
        other.vector[...] = 0
        assert joined.vector.any() and not other["a"].any()
