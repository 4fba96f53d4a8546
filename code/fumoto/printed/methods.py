"""手法とは、その式の並びである。

ページの式だけから、手で書いた更新規則を一切使わずに、動く最適化手法を組み立てる。
``fumoto.optimizers`` の実装は、これと同じ道をたどらなければならない(``tests/printed/test_methods.py``)。
"""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fumoto.hints import Arrays
from fumoto.printed.pages import book

if TYPE_CHECKING:  # SymPy の読み込みは遅いので、式を数式として読むまで待つ
    from fumoto.printed.equation import Equation, Equations

Known = dict[str, Any]  # 記号 → 値


@dataclass(frozen=True)
class Method:
    """手法の名前、式のラベル(計算する順)、引数の名前 → 式の記号。

    ``given``: 式のラベル → その式の前に、それまでの値から用意する値。式と式の間で、同じものを別の記号で書くときに使う。
    """

    name: str
    labels: tuple[str, ...]
    hyperparameters: dict[str, str]
    given: Mapping[str, Callable[[Known], Known]] | None = None


_LR = {"lr": "eta"}
_MOMENTUM = {"lr": "eta", "momentum": "alpha"}
_DECAY = {"lr": "eta", "decay_rate": "rho", "eps": "varepsilon"}
_ADAM = {"lr": "eta", "beta1": "beta_1", "beta2": "beta_2", "eps": "varepsilon"}

#: 手法の名前 → ``Method``。``SGD`` から ``Adam`` までの 7 つと、そのあとの ``AdamW``, ``Lion``。
METHODS = {
    method.name: method
    for method in (
        Method("SGD", ("eq-sgd-w",), _LR),
        Method("Momentum", ("eq-momentum-v", "eq-momentum-w"), _MOMENTUM),
        Method("Nesterov", ("eq-nesterov-v", "eq-nesterov-w"), _MOMENTUM),
        Method("AdaGrad", ("eq-adagrad-h", "eq-adagrad-w"), {"lr": "eta", "eps": "varepsilon"}),
        Method("RMSProp", ("eq-rmsprop-h", "eq-rmsprop-w"), _DECAY),
        Method("AdaDelta", ("eq-adadelta-h", "eq-adadelta-d", "eq-adadelta-u", "eq-adadelta-w"), _DECAY),
        Method(
            "Adam",
            ("eq-adam-m", "eq-adam-v", "eq-adam-mhat", "eq-adam-vhat", "eq-adam-w"),
            _ADAM,
        ),
        Method(
            "AdamW",
            ("eq-adam-m", "eq-adam-v", "eq-adam-mhat", "eq-adam-vhat", "eq-adamw-w"),
            {**_ADAM, "weight_decay": "lambda"},
        ),
        Method(
            "Lion",
            ("eq-lion-m", "eq-lion-c", "eq-lion-w"),
            {"lr": "eta", "beta1": "beta_1", "beta2": "beta_2", "weight_decay": "lambda"},
        ),
    )
}

_ITERATION = ("eq-muon-gram", "eq-muon-q", "eq-muon-next")

#: ``Muon``。1 つずつの重みでなく、行列を更新する。
MUON = Method(
    "Muon",
    ("eq-muon-m", "eq-muon-u", "eq-muon-x", *5 * _ITERATION, "eq-muon-w"),
    {"lr": "eta", "momentum": "alpha", "weight_decay": "lambda"},
    {
        "eq-muon-x": lambda known: {
            "u": known["u_next"],
            "G": np.linalg.norm(known["u_next"]),
            "varepsilon": 1e-7,
            **dict(zip("nm", known["w_t"].shape, strict=True)),
        },
        "eq-muon-gram": lambda known: {"Z": known.get("Z_hat", known["Z"])},  # 2 回目からは、前の回の結果
        "eq-muon-w": lambda known: {"O_next": known["Z_hat"]},
    },
)

#: ``check`` で突き合わせられる手法の全部。
EVERY_METHOD = {**METHODS, MUON.name: MUON}


def state_names(equations: "Iterable[Equation]") -> list[str]:
    """式の並びから読み取った、手法の状態の名前。

    ``x_t`` と宣言された記号のうち、``x_{t+1}`` を左辺に持つ式のあるものが状態である。

    >>> state_names([book()[label] for label in METHODS["Adam"].labels])
    ['m', 'v']
    """
    updated = {equation.name.removesuffix("_next") for equation in equations} - {"w"}
    declared = {name for equation in equations for name in equation.domain}
    return [name for name in sorted(updated) if f"{name}_t" in declared]


class PrintedOptimizer:
    """ページの式をそのまま計算する最適化手法。``update(params, grads)`` は配列をその場で書き換える。

    ``method``: ``METHODS`` の 1 つ。``equations``: 式(省くと本のページのもの)。
    状態(``state_names``)は 0 から始まる。状態は ``optimizer.state[名前][キー]`` で見られる。引数の過不足は ``TypeError``。

    >>> optimizer = PrintedOptimizer(METHODS["Momentum"], lr=0.1, momentum=0.9)
    >>> params = {"w": np.array([1.0, 2.0])}
    >>> optimizer.update(params, {"w": np.array([1.0, 1.0])})
    >>> params["w"], optimizer.state["v"]["w"]
    (array([0.9, 1.9]), array([-0.1, -0.1]))
    """

    def __init__(self, method: Method, equations: "Equations | None" = None, **hyperparameters: float):
        if set(hyperparameters) != set(method.hyperparameters):
            raise TypeError(
                f"{method.name} の引数は {sorted(method.hyperparameters)} です"
                f"(渡された引数: {sorted(hyperparameters)})"
            )
        equations = book() if equations is None else equations
        self.given = method.given or {}
        self.equations = [equations[label] for label in method.labels]
        self.constants = {method.hyperparameters[name]: value for name, value in hyperparameters.items()}
        self.state: dict[str, Arrays] = {name: {} for name in state_names(self.equations)}
        self.t = 0

    __copy__ = deepcopy  # 浅い写しだと、状態を元と共有する

    def update(self, params: Arrays, grads: Arrays) -> None:
        for key, w in params.items():
            known: Known = {**self.constants, "t": self.t, "g_t": grads[key], "w_t": w.copy()}
            for name, arrays in self.state.items():
                known[f"{name}_t"] = arrays.get(key, np.zeros_like(w))
            for equation in self.equations:
                if equation.label in self.given:
                    known |= self.given[equation.label](known)
                known[equation.name] = equation.evaluate(**{s: known[s] for s in equation.symbols})
            w[...] = known["w_next"]
            for name, arrays in self.state.items():
                arrays[key] = known[f"{name}_next"]
        self.t += 1
