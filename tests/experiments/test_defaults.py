"""The table of defaults: what it says of PyTorch and Keras is what they do, where they are installed."""

import inspect
from importlib import import_module

import numpy as np
import pytest

from fumoto.experiments.defaults import KERAS, METHODS, PYTORCH, defaults

CLASSES = {
    "SGD": "SGD",
    "Momentum": "SGD",
    "AdaGrad": "Adagrad",
    "RMSProp": "RMSprop",
    "Adam": "Adam",
    "AMSGrad": "Adam",
}
THEIRS = {  # the names of the book's arguments, there
    "torch.optim": {"decay_rate": "alpha", "start": "initial_accumulator_value"},
    "keras.optimizers": {
        "lr": "learning_rate",
        "decay_rate": "rho",
        "beta1": "beta_1",
        "beta2": "beta_2",
        "eps": "epsilon",
        "start": "initial_accumulator_value",
    },
}


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize(("library", "values"), [("torch.optim", PYTORCH), ("keras.optimizers", KERAS)])
def test_the_defaults_of_the_libraries_are_theirs(library, values, name):
    pytest.importorskip(library.partition(".")[0], reason="the library is not installed")
    parameters = inspect.signature(getattr(import_module(library), CLASSES[name])).parameters
    there = {key: parameter.default for key, parameter in parameters.items()}
    there["beta1"], there["beta2"] = there.get("betas", (None, None))
    for key, value in values[name].items():
        assert there[THEIRS[library].get(key, key)] == value, key


@pytest.mark.parametrize("method", METHODS)
def test_the_defaults_of_the_book_are_what_the_code_does(method):
    row = next(row for row in defaults() if row.name == method.__name__)
    optimizer = method()
    assert row.here == {name: getattr(optimizer, name) for name in row.here}
    optimizer.update({"w": np.zeros(5)}, {"w": np.ones(5)})
    assert row.memory == sum(arrays["w"].size for arrays in optimizer.state.values()) / 5
