"""A method is its equations: the optimizer built from the pages alone follows the code for 200 steps."""

import inspect

import numpy as np
import pytest

from fumoto import optimizers
from fumoto.printed import METHODS, PrintedOptimizer, methods
from trajectories import CASES, SNAPSHOTS, follow, gradients_at, start


@pytest.mark.parametrize(("name", "hyperparameters"), CASES, ids=lambda value: str(value))
def test_the_equations_own_optimizer_follows_the_code_for_200_steps(name, hyperparameters, printed):
    ours = getattr(optimizers, name)(**hyperparameters)
    theirs = PrintedOptimizer(METHODS[name], printed, **hyperparameters)
    params, expected = start(), start()
    for step in range(SNAPSHOTS[-1]):
        ours.update(params, gradients_at(params, step))
        theirs.update(expected, gradients_at(expected, step))
        for key, w in params.items():
            np.testing.assert_allclose(w, expected[key], rtol=1e-12, atol=1e-15)
            for state in ours.state_names:
                np.testing.assert_allclose(
                    ours.state[state][key], theirs.state[state][key], rtol=1e-12, atol=1e-15
                )


@pytest.mark.parametrize("name", METHODS)
def test_states_and_hyperparameters_are_found_in_the_equations(name, printed):
    cls = getattr(optimizers, name)
    method = METHODS[name]
    expected = set(inspect.signature(cls).parameters)
    assert set(method.hyperparameters) == expected
    built = PrintedOptimizer(method, printed, **dict.fromkeys(method.hyperparameters, 0.5))
    assert list(built.state) == sorted(cls.state_names)


def test_methods_are_the_elementwise_optimizers_and_contain_no_update_rule():
    classes = [c for c in vars(optimizers).values() if inspect.isclass(c)]
    every = {c.__name__ for c in classes if issubclass(c, optimizers.Optimizer)}
    elementwise = {c.__name__ for c in classes if issubclass(c, optimizers.ElementwiseOptimizer)}
    assert set(METHODS) == elementwise - {"ElementwiseOptimizer"}
    assert every - elementwise == {"Optimizer", "Muon"}  # Muon works on matrices
    assert "optimizers" not in inspect.getsource(methods).replace("fumoto.optimizers``", "")


def test_a_changed_equation_changes_the_optimizer(printed):
    wrong = {**printed, "eq-momentum-w": printed["eq-notes-momentum-w"]}
    hyperparameters = {"lr": 0.02, "momentum": 0.9}
    right = follow(PrintedOptimizer(METHODS["Momentum"], printed, **hyperparameters), steps=5)
    assert follow(PrintedOptimizer(METHODS["Momentum"], wrong, **hyperparameters), steps=5) != right


def test_missing_and_unknown_arguments_are_named(printed):
    with pytest.raises(TypeError, match=r"Momentum の引数は \['lr', 'momentum'\].*\['lr', 'rho'\]"):
        PrintedOptimizer(METHODS["Momentum"], printed, lr=0.1, rho=0.9)
