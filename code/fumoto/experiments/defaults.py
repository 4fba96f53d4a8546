"""5 章: 手法の引数の既定値と、重み 1 つにつき覚えておく数。

この本の値は、実装そのものから読む。PyTorch と Keras の値は、公式の説明から写した
(入っていれば、``tests/experiments/test_defaults.py`` が本物と比べる)。
"""

import inspect
from dataclasses import dataclass

from fumoto.experiments.adam import AMSGrad
from fumoto.optimizers import SGD, AdaGrad, Adam, Momentum, RMSProp

Values = dict[str, float]  # 引数の名前 → 既定値

METHODS = (SGD, Momentum, AdaGrad, RMSProp, Adam, AMSGrad)

_PYTORCH_ADAM = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
PYTORCH: dict[str, Values] = {
    "SGD": {"lr": 0.001},
    "Momentum": {"lr": 0.001, "momentum": 0.0},
    "AdaGrad": {"lr": 0.01, "start": 0.0, "eps": 1e-10},
    "RMSProp": {"lr": 0.01, "decay_rate": 0.99, "eps": 1e-8},
    "Adam": _PYTORCH_ADAM,
    "AMSGrad": _PYTORCH_ADAM,
}
_KERAS_ADAM = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-7}
KERAS: dict[str, Values] = {
    "SGD": {"lr": 0.01},
    "Momentum": {"lr": 0.01, "momentum": 0.0},
    "AdaGrad": {"lr": 0.001, "start": 0.1, "eps": 1e-7},
    "RMSProp": {"lr": 0.001, "decay_rate": 0.9, "eps": 1e-7},
    "Adam": _KERAS_ADAM,
    "AMSGrad": _KERAS_ADAM,
}


@dataclass(frozen=True)
class Defaults:
    """手法 1 つの、重み 1 つにつき覚えておく数 ``memory`` と、引数の既定値。``start``: h のはじめの値。"""

    name: str
    memory: int
    here: Values
    pytorch: Values
    keras: Values


def defaults() -> list[Defaults]:
    """この章までの手法の既定値を、出てきた順に並べる。

    >>> [(row.name, row.memory) for row in defaults()][-2:]
    [('Adam', 2), ('AMSGrad', 3)]
    """
    rows = []
    for method in METHODS:
        name, parameters = method.__name__, inspect.signature(method).parameters
        here = {key: parameter.default for key, parameter in parameters.items()}
        rows.append(Defaults(name, len(method.state_names), here, PYTORCH[name], KERAS[name]))
    return rows
