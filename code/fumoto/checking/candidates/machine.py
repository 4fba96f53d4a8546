"""候補を動かす: 印刷された式の並びを、候補の言うところだけ変えて計算する最適化手法。"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from types import CodeType
from typing import Any

import numpy as np
import sympy

from fumoto.checking.calling.shapes.loops import INNER
from fumoto.checking.candidates.candidate import Candidate
from fumoto.checking.candidates.vocabulary import (
    FUNCTIONS,
    GRADIENTS,
    KEPT,
    SLOTS,
    WEIGHTS,
    in_numbers,
    into_head,
    shaped,
)
from fumoto.hints import Array, Arrays, Hyperparameters
from fumoto.printed import Method
from fumoto.printed.equation import Equation, Equations
from fumoto.printed.methods import EVERY_METHOD, Known, state_names


@cache
def _compiled(formula: str) -> CodeType:
    return compile(formula, "<candidate>", "eval")


def machine(
    candidate: Candidate, method: Method, equations: Equations, hyperparameters: Hyperparameters
) -> "_Machine":
    """``candidate`` のとおりに動く最適化手法。``update(params, grads)`` は配列をその場で書き換え、``state`` に状態がある。"""
    return _Machine(candidate, method, equations, hyperparameters)


class _Machine:
    def __init__(
        self, candidate: Candidate, method: Method, equations: Equations, hyperparameters: Hyperparameters
    ):
        method = EVERY_METHOD[candidate.method] if candidate.method else method
        self.handling = candidate.handling
        self.constants: Known = {
            method.hyperparameters[name]: np.float64(value)
            for name, value in hyperparameters.items()
            if name in method.hyperparameters
        } | {symbol: np.float64(value) for symbol, value in self.handling.values}
        if self.handling.exchanged:
            one, other = self.handling.exchanged
            self.constants |= {one: self.constants[other], other: self.constants[one]}
        if self.handling.gradient[0] == "coupled":  # 減衰を、重みの式から勾配に移す
            decay = float(self.constants["lambda"])
            self.handling = replace(self.handling, gradient=("decay", decay))
            self.constants["lambda"] = np.float64(0)
        if "lambda" in self.constants:
            self.constants["lam"] = self.constants["lambda"]  # 式に書ける名前
        self.given, self.method = method.given or {}, method
        formulas, patched = dict(candidate.formulas), self.handling.patched
        printed = [equations[label] for label in iterated(method.labels, self.handling.rounds)]
        self.rules: list[tuple[str, str, Callable[[Known], Any]]] = [
            (e.label, e.name, _formula(formulas[e.label], patched) if e.label in formulas else _printed(e, patched))
            for e in printed
        ]
        added = [name for name in formulas if name.endswith("_next")]
        self.rules[-1:-1] = [(name, name, _formula(formulas[name], patched)) for name in added]
        self.first = {label: _formula(formula, patched) for label, formula in self.handling.first}
        stored = dict(self.handling.stored)
        names = [*state_names(printed), *(name.removesuffix("_next") for name in added)]
        self.state: dict[str, dict[Any, Any]] = {name: {} for name in names}
        self.stored = {name: stored.get(name, f"{name}_next") for name in names}
        self.updates = 0

    def update(self, params: Arrays, grads: Arrays) -> None:
        self.updates += 1
        if self.handling.skips_first and self.updates == 1:
            return
        if self.handling.ends_at and self.updates > self.handling.ends_at:
            return
        if self.handling.slot == "number":
            params, grads = in_numbers(params), in_numbers(grads)
        for repeat in range(self.handling.repeats):
            self._once(params, _ordered(self.handling.order, params, grads), repeat)

    def _once(self, params: Arrays, grads: Arrays, repeat: int) -> None:
        handling, carried = self.handling, {}
        forgotten = bool(handling.forgets) and (self.updates - 1) % handling.forgets == 0
        for number, (key, w) in enumerate(params.items()):
            slot = SLOTS[handling.slot](key, w)
            prepare, constant = handling.gradient
            g = GRADIENTS[prepare](grads[key], w, constant, grads) if prepare else grads[key]
            known: Known = {
                **self.constants,
                "t": self._t(number, len(params), repeat),
                "k": (self.updates - 1) * len(params) + number,  # それまでに更新した重みの数
                "g_t": g,
                "w_t": w.copy(),
            }
            known |= dict.fromkeys(handling.spared if w.ndim < 2 else (), np.float64(0))
            fresh = {name for name, arrays in self.state.items() if slot not in arrays or forgotten}
            for name, arrays in self.state.items():
                old = self._start(name, g, w) if name in fresh else arrays[slot]
                known[f"{name}_t"] = shaped(old, w) if handling.slot in ("size", "head") else old
            for label, name, rule in self.rules:
                if label in self.given:
                    known |= self.given[label](known)
                known[name] = (self.first.get(label, rule) if fresh else rule)(known)
                if handling.kept and name.removesuffix("_next") in self.state:
                    known[name] = KEPT[handling.kept](np.asarray(known[name]))
            new = np.asarray(known["w_next"])
            treat, constant = handling.weight
            if treat:
                new = WEIGHTS[treat](new, known["w_t"], constant, known)
            if handling.moves == "all" or number == {"first": 0, "last": len(params) - 1}[handling.moves]:
                w[...] = new
            for name, arrays in self.state.items():
                value = known[self.stored[name]]
                value = np.where(g != 0, value, known[f"{name}_t"]) if treat == "sparse" else value
                arrays[slot] = into_head(arrays.get(slot), value) if handling.slot == "head" else value
            carried = {symbol: known[value] for symbol, value in handling.carried}
        self.constants |= carried

    def _start(self, name: str, g: Any, w: Array) -> Any:
        start = dict(self.handling.start).get(name, 0.0)
        if isinstance(start, str):
            step = -self.constants.get("eta", np.float64(1)) * g
            return {"g": g, "g^2": np.square(g), "w": w.copy(), "-w": -w, "-eta g": step}[start]
        return np.float64(start) if self.handling.slot == "nothing" else np.full(w.shape, start)

    def _t(self, number: int, keys: int, repeat: int) -> int:
        """式の t(はじめは 0)。"""
        done = (self.updates - 1) * self.handling.repeats + repeat - self.handling.skips_first
        t = {
            "each update": done,
            "never": 0,
            "per key": done * keys + number,
            "index": number,
            "minus one": done - 1,
            "plus one": done + 1,
            "each epoch": done // INNER,
        }[self.handling.clock]
        t = t % self.handling.restarts if self.handling.restarts else t
        return min(t, self.handling.stops_at - 1) if self.handling.stops_at else t


def iterated(labels: tuple[str, ...], rounds: int) -> list[str]:
    """``labels`` のうち、繰り返し現れるものを ``rounds`` 回にした並び。"""
    repeated = [label for label in dict.fromkeys(labels) if labels.count(label) > 1]
    if not rounds or not repeated:
        return list(labels)
    first, last = labels.index(repeated[0]), len(labels) - labels[::-1].index(repeated[-1])
    return [*labels[:first], *rounds * repeated, *labels[last:]]


def _printed(equation: Equation, patched: bool) -> Callable[[Known], Any]:
    equation = _patched(equation) if patched else equation
    symbols = equation.symbols

    def rule(known: Known) -> Any:
        values = {symbol: known[symbol] for symbol in symbols}
        arrays = [np.asarray(value) for value in values.values()]
        name = (equation.rhs, *((a.tobytes(), a.shape, a.dtype) for a in arrays))
        if name not in _COMPUTED:
            if len(_COMPUTED) >= _MOST:
                _COMPUTED.clear()
            _COMPUTED[name] = equation.compute(values)
        return _COMPUTED[name]

    return rule


_MOST = 50_000
_COMPUTED: dict[tuple[Any, ...], Any] = {}  # 違う候補でも、間違いのところまでは、同じ値の同じ式である


_ABSOLUTE: dict[tuple[str, sympy.Expr], Equation] = {}  # 組み立てに時間がかかるので、取っておく


def _patched(equation: Equation) -> Equation:
    """平方根の中を絶対値にした式。"""
    name = equation.label, equation.rhs
    if name not in _ABSOLUTE:
        rhs = equation.rhs.replace(_is_root, lambda root: sympy.sqrt(sympy.Abs(root.base)))
        _ABSOLUTE[name] = replace(equation, rhs=rhs)
    return _ABSOLUTE[name]


def _is_root(part: sympy.Basic) -> bool:
    return isinstance(part, sympy.Pow) and part.exp == sympy.S.Half


_PATCHED = {**FUNCTIONS, "sqrt": lambda array: np.sqrt(np.abs(array))}


def _formula(formula: str, patched: bool = False) -> Callable[[Known], Any]:
    code, functions = _compiled(formula), _PATCHED if patched else FUNCTIONS
    return lambda known: eval(code, {"__builtins__": {}, **functions}, known)


def _ordered(order: str, params: Arrays, grads: Arrays) -> Arrays:
    """キーに、間違った順で勾配を割り当てたもの。"""
    if order == "by key":
        return grads
    if order.startswith("flat"):  # 1 本につなげてから、重みの大きさで切り分ける
        first, second = (sorted(params), params) if order == "flat sorted gradients" else (params, sorted(params))
        flat = np.concatenate([np.ravel(grads[key]) for key in first])
        ends = np.cumsum([np.size(params[key]) for key in second])[:-1]
        parts = dict(zip(second, np.split(flat, ends), strict=True))
        return {key: parts[key].reshape(params[key].shape) for key in params}
    keys = {"sorted keys": sorted(params), "sorted gradients": params, "reversed": reversed(params)}[order]
    values = sorted(grads) if order == "sorted gradients" else grads
    return {key: grads[name] for key, name in zip(keys, values, strict=True)}
