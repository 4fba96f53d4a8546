"""Every sign, root, factor, index and number in initializers, normalization, activations and BatchNorm matters.

Each line of arithmetic is spoiled in one place at a time; the comparison with the printed equations must notice.
"""

import ast
import inspect
from types import ModuleType

import numpy as np
import pytest

import equation_checks.after_adam
import equation_checks.batchnorm
import equation_checks.overfitting
from equation_checks import CHECKS
from fumoto import (
    batchnorm,
    check_batchnorm,
    check_initializer,
    clipping,
    dropout,
    initializers,
    layernorm,
    layers,
    normalization,
    optimizers,
    schedules,
)
from fumoto.printed import read

BOOK = read()
SWAPPED_OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
SWAPPED_NAMES = {
    "n_in": "n_out",
    "n_out": "n_in",
    "n": "m",
    "m": "n",
    "low": "middle",
    "high": "middle",
    "mean": "var",
}
SWAPPED_METHODS = {"mean": "sum", "sum": "mean", "min": "max", "max": "min"}


class Spoil(ast.NodeTransformer):
    """Change the `number`-th thing that can be changed; messages of errors are left alone."""

    def __init__(self, number):
        self.left, self.what = number, None

    def visit_Raise(self, node):
        return node

    def visit_JoinedStr(self, node):
        return node

    def _turn(self, node, what):
        self.left -= 1
        if self.left == -1:
            self.what = f"line {node.lineno}: {what}"
        return self.left == -1

    def visit_BinOp(self, node):
        self.generic_visit(node)
        swapped = SWAPPED_OPERATORS.get(type(node.op))
        if swapped and self._turn(node, f"{type(node.op).__name__} -> {swapped.__name__}"):
            node.op = swapped()
        elif isinstance(node.op, ast.Pow) and self._turn(node, "power dropped"):
            return node.left
        return node

    def visit_UnaryOp(self, node):
        self.generic_visit(node)
        return node.operand if isinstance(node.op, ast.USub) and self._turn(node, "minus dropped") else node

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if name in ("sqrt", "tanh") and self._turn(node, f"{name} dropped"):
                return node.args[0]
            if name in SWAPPED_METHODS and self._turn(node, f"{name} -> {SWAPPED_METHODS[name]}"):
                node.func.attr = SWAPPED_METHODS[name]
        return node

    def visit_Compare(self, node):
        self.generic_visit(node)
        if isinstance(node.ops[0], ast.Gt) and self._turn(node, "> -> <"):
            node.ops[0] = ast.Lt()
        return node

    def visit_Constant(self, node):
        if type(node.value) in (int, float) and self._turn(node, f"{node.value} -> {node.value + 1}"):
            node.value += 1
        return node

    def visit_Name(self, node):
        other = SWAPPED_NAMES.get(node.id)
        if isinstance(node.ctx, ast.Load) and other and self._turn(node, f"{node.id} -> {other}"):
            node.id = other
        return node


def spoiled(module, path, number):
    """(`module` with one thing changed inside the function at `path`, what was changed), or None at the end."""
    tree = ast.parse(inspect.getsource(module))
    scope = tree
    for name in path.split("."):
        scope = next(n for n in scope.body if getattr(n, "name", None) == name)
    spoil = Spoil(number)
    scope.body = [spoil.visit(statement) for statement in scope.body]
    if spoil.what is None:
        return None
    other = ModuleType(module.__name__)
    exec(compile(ast.fix_missing_locations(tree), module.__name__, "exec"), other.__dict__)
    return other, spoil.what


def every_spoiled(module, *paths):
    return list(_every_spoiled(module, *paths))


def _every_spoiled(module, *paths):
    for path in paths:
        number = 0
        while (found := spoiled(module, path, number)) is not None:
            yield pytest.param(found[0], id=f"{path} {found[1]}")
            number += 1


def noticed(check):
    """Whether a check fails; a crash is a failure too."""
    try:
        with np.errstate(all="ignore"):
            check()
    except (AssertionError, TypeError, ValueError, NameError, IndexError, ZeroDivisionError):
        return True
    return False


def same(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)


# --- initial values ---------------------------------------------------------------------------------------


def check_initial_values(module):
    for name in ("xavier", "glorot", "he"):
        assert check_initializer(getattr(module, name), name)
    W = module.gaussian(0.3)(np.random.default_rng(0), 200, 300)
    assert W.shape == (200, 300)
    assert abs(W.std() - 0.3) < 5 * 0.3 / np.sqrt(2 * W.size)
    np.testing.assert_array_equal(module.zeros(np.random.default_rng(0), 2, 3), np.zeros((2, 3)))


INITIAL = ("zeros", "gaussian", "xavier", "glorot", "he", "_normal")


@pytest.mark.parametrize("module", every_spoiled(initializers, *INITIAL))
def test_a_spoiled_initial_value_is_noticed(module):
    assert noticed(lambda: check_initial_values(module))


# --- scaling of data --------------------------------------------------------------------------------------


def refuses(scale, x):
    """Whether the constant second column is refused by name."""
    try:
        scale(np.array(x))
    except ValueError as error:
        assert "列 1 は" in str(error) or np.ndim(x) == 1
        return True
    return False


def check_scaling(module, monkeypatch):
    for name in ("min_max", "standardize", "robust_scale"):
        scale = getattr(module, name)
        monkeypatch.setattr(equation_checks.batchnorm, name, scale, raising=False)
        x = np.random.default_rng(0).exponential(size=(9, 2)) * [1.0, 50.0]
        same(scale(x), np.stack([scale(x[:, 0]), scale(x[:, 1])], axis=1))
        assert refuses(scale, [[1.0, 2.0], [3.0, 2.0], [9.0, 2.0]])
        for x in ([-2.0, -1.0, 0.0, 1.0, 2.0], [1.0, 1.0, 1.0, 5.0, 9.0], [1.0, 5.0, 9.0, 9.0, 9.0]):
            assert not refuses(scale, x)
    same(module.robust_scale([0.0, 1.0, 5.0, 9.0]), (np.array([0.0, 1.0, 5.0, 9.0]) - 3) / 5.25)
    for size in (5, 9):
        x = np.random.default_rng(size).exponential(2.0, size) + 1
        low, middle, high = np.sort(x)[[(size - 1) // 4, (size - 1) // 2, 3 * (size - 1) // 4]]
        same(module.robust_scale(x), (x - middle) / (high - low))
    module.standardize(np.random.default_rng(0).normal(1e7, 1.0, 100_000))  # a mean of 1e-9 is near enough
    for scale, x in ((module.standardize, [1e16, 1e16 + 2]), (module.min_max, [1.7e308, -1.7e308])):
        assert refuses(scale, np.column_stack([[1.0, 2.0], x]))
    for label in ("eq-minmax", "eq-mean", "eq-std", "eq-zscore"):
        CHECKS[label](BOOK)


SCALING = ("min_max", "standardize", "robust_scale", "_refuse_constant", "_refuse_lost")


@pytest.mark.parametrize("module", every_spoiled(normalization, *SCALING))
def test_a_spoiled_scaling_is_noticed(module, monkeypatch):
    assert noticed(lambda: check_scaling(module, monkeypatch))


# --- activations ------------------------------------------------------------------------------------------


def check_activations(module, monkeypatch):
    x, h = np.array([[-2.0, -0.3, 0.4, 3.0]]), 1e-6
    for name in ("ReLU", "LeakyReLU", "Sigmoid", "Tanh"):
        monkeypatch.setattr(equation_checks.initialization, name, getattr(module, name), raising=False)
        layer = getattr(module, name)()
        slope = (layer.forward(x + h) - layer.forward(x - h)) / (2 * h)
        layer.forward(x)
        np.testing.assert_allclose(layer.backward(np.full_like(x, 2.0)), 2 * slope, rtol=1e-5, atol=1e-8)
    monkeypatch.setattr(equation_checks.initialization, "Residual", module.Residual)
    for label in ("eq-relu", "eq-leaky-relu", "eq-sigmoid", "eq-sigmoid-grad", "eq-residual-y"):
        CHECKS[label](BOOK)
    same(module.Tanh().forward(x), np.tanh(x))


ACTIVATIONS = [
    f"{c}.{f}" for c in ("ReLU", "LeakyReLU", "Sigmoid", "Tanh", "Residual") for f in ("forward", "backward")
]


@pytest.mark.parametrize("module", every_spoiled(layers, *ACTIVATIONS))
def test_a_spoiled_activation_is_noticed(module, monkeypatch):
    assert noticed(lambda: check_activations(module, monkeypatch))


# --- dropout ----------------------------------------------------------------------------------------------


def check_dropout(module, monkeypatch):
    monkeypatch.setattr(equation_checks.overfitting, "Dropout", module.Dropout)
    CHECKS["eq-dropout-h"](BOOK)
    x, layer = np.ones((100, 100)), module.Dropout(0.3, rng=np.random.default_rng(0))
    assert abs(np.mean(layer.forward(x) == 0) - 0.3) < 0.02
    same(layer.forward(x, training=False), x)
    same(layer.backward(2 * x), 2 * x)


DROPOUT = ("Dropout.forward", "Dropout.backward")


@pytest.mark.parametrize("module", every_spoiled(dropout, *DROPOUT))
def test_a_spoiled_dropout_is_noticed(module, monkeypatch):
    assert noticed(lambda: check_dropout(module, monkeypatch))


# --- Batch Normalization ----------------------------------------------------------------------------------


def check_batch_normalization(module):
    assert check_batchnorm(module.BatchNorm)
    rng = np.random.default_rng(0)
    layer, dout = module.BatchNorm(np.array([2.0, 3.0]), np.zeros(2)), rng.normal(size=(4, 2))
    layer.running_var = np.array([4.0, 9.0])
    layer.forward(rng.normal(size=(4, 2)), training=False)
    same(layer.backward(dout), dout * [2.0, 3.0] / np.sqrt(np.array([4.0, 9.0]) + 1e-5))


BATCHNORM = ("BatchNorm.forward", "BatchNorm._remember", "BatchNorm.backward")


@pytest.mark.parametrize("module", every_spoiled(batchnorm, *BATCHNORM))
def test_a_spoiled_batch_normalization_is_noticed(module):
    assert noticed(lambda: check_batch_normalization(module))


# --- LayerNorm and RMSNorm -----------------------------------------------------------------------------------


def check_rows(module, monkeypatch):
    for cls, label in (("LayerNorm", "eq-layernorm-dx"), ("RMSNorm", "eq-rmsnorm-dx")):
        monkeypatch.setattr(equation_checks.batchnorm, cls, getattr(module, cls))
        CHECKS[label](BOOK)
    x, dout = np.random.default_rng(0).normal(size=(2, 3, 4))
    gamma, beta = np.ones(4), np.zeros(4)
    for layer in (module.LayerNorm(gamma, beta), module.RMSNorm(gamma)):
        layer.forward(x)
        rows = layer.backward(dout)
        same(layer.grads["gamma"], (dout * layer.x_hat).sum(axis=0))
        if "beta" in layer.grads:
            same(layer.grads["beta"], dout.sum(axis=0))
        for i in range(3):
            layer.forward(x[i : i + 1])
            same(layer.backward(dout[i : i + 1])[0], rows[i])


ROWS = [f"{cls}.{function}" for cls in ("LayerNorm", "RMSNorm") for function in ("forward", "backward")]


@pytest.mark.parametrize("module", every_spoiled(layernorm, *ROWS))
def test_a_spoiled_normalization_of_rows_is_noticed(module, monkeypatch):
    assert noticed(lambda: check_rows(module, monkeypatch))


# --- after Adam -------------------------------------------------------------------------------------------


def check_muon(module):
    equation_checks.after_adam.check_newton_schulz(BOOK, module)
    equation_checks.after_adam.check_muon(BOOK, module)


def check_schedules(module):
    equation_checks.after_adam.check_step_decay(BOOK, module)
    equation_checks.after_adam.check_cosine(BOOK, module)
    equation_checks.after_adam.check_warmup(BOOK, module)


def check_clipping(module):
    equation_checks.after_adam.check_length(BOOK, module)
    equation_checks.after_adam.check_clip(BOOK, module)


MUON = ("newton_schulz", "Muon.rule")
SCHEDULES = ("StepDecay.__call__", "Cosine.__call__", "Warmup.__call__")
CLIPPING = ("clip",)


@pytest.mark.parametrize("module", every_spoiled(optimizers, *MUON))
def test_a_spoiled_muon_is_noticed(module):
    assert noticed(lambda: check_muon(module))


@pytest.mark.parametrize("module", every_spoiled(schedules, *SCHEDULES))
def test_a_spoiled_schedule_is_noticed(module):
    assert noticed(lambda: check_schedules(module))


@pytest.mark.parametrize("module", every_spoiled(clipping, *CLIPPING))
def test_a_spoiled_clipping_is_noticed(module):
    assert noticed(lambda: check_clipping(module))


# --- the unspoiled code passes ----------------------------------------------------------------------------


def test_the_checks_of_this_file_pass_on_the_code_as_it_is(monkeypatch):
    check_initial_values(initializers)
    check_scaling(normalization, monkeypatch)
    check_activations(layers, monkeypatch)
    check_dropout(dropout, monkeypatch)
    check_batch_normalization(batchnorm)
    check_rows(layernorm, monkeypatch)

    check_muon(optimizers)
    check_schedules(schedules)
    check_clipping(clipping)


def test_there_are_many_mistakes_to_notice():
    counts = [
        len(every_spoiled(module, *paths))
        for module, paths in (
            (initializers, INITIAL),
            (normalization, SCALING),
            (layers, ACTIVATIONS),
            (batchnorm, BATCHNORM),
            (layernorm, ROWS),
            (optimizers, MUON),
            (schedules, SCHEDULES),
        )
    ]
    assert min(counts) >= 10
    assert sum(counts) >= 80
