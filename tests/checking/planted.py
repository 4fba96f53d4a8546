"""A candidate of the table as the source of a learner's class: the same text for CPython with NumPy and for a page."""

from dataclasses import asdict

from fumoto.checking.calling.shapes.loops import INNER
from fumoto.checking.candidates.candidate import AS_PRINTED
from fumoto.checking.candidates.machine import iterated
from fumoto.checking.in_browser.formulas import of_equation, of_formula
from fumoto.printed.methods import EVERY_METHOD, state_names
from fumoto.printed.pages import book

FUNCTIONS = '''
import numpy as np


class Known:
    """The values of the symbols: a missing one is an error."""

    def __init__(self, values):
        self.__dict__.update(values)


class f:
    add = staticmethod(lambda a, b: a + b)
    sub = staticmethod(lambda a, b: a - b)
    mul = staticmethod(lambda a, b: a * b)
    div = staticmethod(lambda a, b: np.divide(a, b))
    pow = staticmethod(lambda a, b: a**b)
    neg = staticmethod(lambda a: -a)
    square = staticmethod(lambda a: a * a)
    sqrt = staticmethod(lambda a: np.sqrt(a))
    sign = staticmethod(lambda a: np.sign(a))
    abs = staticmethod(lambda a: np.abs(a))
    max = staticmethod(lambda a, b: np.maximum(a, b))
    min = staticmethod(lambda a, b: np.minimum(a, b))
    total = staticmethod(lambda a: np.sum(a))
    mean = staticmethod(lambda a: np.divide(np.sum(a), np.size(a)))
    norm = staticmethod(lambda a: np.sqrt(np.sum(np.square(a))))
    largest = staticmethod(lambda a: np.max(a))
    mean0 = staticmethod(lambda a: mean_along(a, 0))
    mean1 = staticmethod(lambda a: mean_along(a, -1))
    matmul = staticmethod(lambda a, b: a @ b)
    transposed = staticmethod(lambda a: a.T)
    wide = staticmethod(lambda a: a.T if a.shape[0] > a.shape[1] else a)
    turned = staticmethod(lambda a, like: a if a.shape == like.shape else a.T)
    placed = staticmethod(lambda a, axes, count: placed(a, axes, count))
    along = staticmethod(lambda a, axis, low, high: np.sum(a, axis=axis, keepdims=True) if a.shape[axis] > 1 else a * high)
    squeezed = staticmethod(lambda a, kept, count: a.reshape(a.shape[:kept]))


def placed(a, axes, count):
    """Each axis of ``a`` at its place among ``count``."""
    order = sorted(range(len(axes)), key=lambda at: axes[at])
    shape = [1] * count
    for at, axis in enumerate(axes):
        shape[axis] = a.shape[at]
    return np.transpose(a, order).reshape(shape)


def mean_along(a, axis):
    return np.mean(a, axis=axis, keepdims=True) + 0 * a if np.ndim(a) and np.size(a) else a


def length(arrays):
    return np.sqrt(sum(float(np.sum(np.square(a))) for a in arrays))


GRADIENTS = {
    "": lambda g, w, c, every: g,
    "mean": lambda g, w, c, every: np.sum(g) / max(g.size, 1),
    "sum": lambda g, w, c, every: np.sum(g),
    "divided by size": lambda g, w, c, every: g / max(g.size, 1),
    "divided by length": lambda g, w, c, every: g / max(len(np.atleast_1d(g)), 1),
    "clip": lambda g, w, c, every: np.clip(g, -c, c),
    "clip norm": lambda g, w, c, every: g * min(1.0, c / max(length([g]), 1e-300)),
    "clip global norm": lambda g, w, c, every: g * min(1.0, c / max(length(every.values()), 1e-300)),
    "unit": lambda g, w, c, every: g / (length([g]) + c),
    "l1": lambda g, w, c, every: g + c * np.sign(w),
    "normalize": lambda g, w, c, every: g / (length([g]) or np.nan),
    "sign": lambda g, w, c, every: np.sign(g),
    "abs": lambda g, w, c, every: np.abs(g),
    "square": lambda g, w, c, every: np.square(g),
    "decay": lambda g, w, c, every: g + c * w,
    "double decay": lambda g, w, c, every: g + 2 * c * w,
    "integer": lambda g, w, c, every: np.trunc(g),
    "floor": lambda g, w, c, every: np.floor(g),
}
WEIGHTS = {
    "": lambda new, w, c, k: new,
    "decay": lambda new, w, c, k: new - c * k.eta * w,
    "plain decay": lambda new, w, c, k: new - c * w,
    "integer": lambda new, w, c, k: np.trunc(new),
    "integers": lambda new, w, c, k: np.trunc(np.trunc(w) + (new - w)),
    "clip": lambda new, w, c, k: np.clip(new, -c, c),
    "round": lambda new, w, c, k: np.round(new, int(c)),
    "sparse": lambda new, w, c, k: np.where(k.g_t != 0, new, w),
}
'''

LEARNER = '''
class Learner:
    def __init__(self, {arguments}):
        self.constants = {{{constants}}}
        self.constants.update({values!r})
        if {exchanged!r}:
            one, other = {exchanged!r}
            self.constants[one], self.constants[other] = self.constants[other], self.constants[one]
        self.prepare, self.by = {gradient!r}
        if self.prepare == "coupled":
            self.prepare, self.by = "decay", self.constants["lam"]
            self.constants["lam"] = 0.0
        {states}
        self.updates = 0

    def update(self, params, grads):
        self.updates += 1
        if ({skips_first} and self.updates == 1) or (0 < {ends_at} < self.updates):
            return
        for repeat in range({repeats}):
            self.once(params, ordered(params, grads), repeat)

    def once(self, params, grads, repeat):
        forgotten = {forgets} > 0 and (self.updates - 1) % ({forgets} or 1) == 0
        for number, (key, w) in enumerate(params.items()):
            slot = {slot}
            g = GRADIENTS[self.prepare](grads[key], w, self.by, grads)
            k = Known(self.constants)
            k.t, k.g_t, k.w_t = self.t(number, len(params), repeat), g, w.copy()
            if w.ndim < 2:
                k.__dict__.update({{name: 0.0 for name in {spared!r}}})
            fresh = [name for name in {names!r} if slot not in getattr(self, name) or forgotten]
            for name in {names!r}:
                old = self.start(name, g, w) if name in fresh else getattr(self, name)[slot]
                setattr(k, name + "_t", old)
{rules}
            new = WEIGHTS[{weight!r}[0]](np.asarray(k.w_next), k.w_t, {weight!r}[1], k)
            if {moves}:
                w[...] = new
            for name, value in {stored!r}:
                value = getattr(k, value)
                if {weight!r}[0] == "sparse":
                    value = np.where(g != 0, value, getattr(k, name + "_t"))
                getattr(self, name)[slot] = value

    def start(self, name, g, w):
        start = {start!r}.get(name, 0.0)
        if isinstance(start, str):
            every = {{"g": g, "g^2": np.square(g), "w": w.copy(), "-w": -w, "-eta g": -self.constants.get("eta", 1.0) * g}}
            return every[start]
        return start if {slot!r} == "''" else np.full(w.shape, start)

    def t(self, number, keys, repeat):
        done = (self.updates - 1) * {repeats} + repeat - {skips_first}
        t = {clock}
        t = t % {restarts} if {restarts} else t
        return min(t, {stops_at} - 1) if {stops_at} else t


def ordered(params, grads):
    order = {order!r}
    if order == "by key":
        return grads
    if order.startswith("flat"):
        first, second = (sorted(params), params) if order == "flat sorted gradients" else (params, sorted(params))
        flat = np.concatenate([np.ravel(grads[key]) for key in first])
        parts, end = {{}}, 0
        for key in second:
            parts[key] = flat[end : end + np.size(params[key])].reshape(params[key].shape)
            end += np.size(params[key])
        return parts
    keys = {{"sorted keys": sorted(params), "sorted gradients": list(params), "reversed": list(params)[::-1]}}[order]
    values = sorted(grads) if order == "sorted gradients" else list(grads)
    return {{key: grads[name] for key, name in zip(keys, values)}}
'''

SLOTS = {"key": "key", "nothing": "''", "size": "w.size", "shape": "w.shape", "letter": "key[:1]"}
CLOCKS = {
    **{"each update": "done", "never": "0", "per key": "done * keys + number", "index": "number"},
    **{"minus one": "done - 1", "plus one": "done + 1", "each epoch": f"done // {INNER}"},
}
KEPT = {
    "integer": "np.trunc({0})",
    "mean": "np.full(np.shape({0}), np.sum({0}) / max(np.size({0}), 1))",
}
MOVES = {"all": "True", "first": "number == 0", "last": "number == len(params) - 1"}


GIVEN = {
    "eq-muon-x": ["k.u, k.G, k.varepsilon = k.u_next, f.norm(k.u_next), 1e-7", "k.n, k.m = k.w_t.shape"],
    "eq-muon-gram": ["k.Z = getattr(k, 'Z_hat', k.Z)"],
    "eq-muon-w": ["k.O_next = k.Z_hat"],
}


#: As a learner writes the iteration: products of matrices, not sums over axes.
MATRICES = {
    "eq-muon-x": "f.div(k.u, f.max(k.G, k.varepsilon))",
    "eq-muon-gram": "f.matmul(k.Z, f.transposed(k.Z))",
    "eq-muon-q": "f.sub(f.mul(2.0315, f.matmul(k.A, k.A)), f.mul(4.775, k.A))",
    "eq-muon-next": "f.add(f.mul(3.4445, k.Z), f.matmul(k.Q, k.Z))",
}


def can_be_written(candidate):
    """Whether a learner of the page could write the candidate: no float16, no memory cut in pieces, no exact decomposition."""
    handling = candidate.handling
    small = "float16" in (handling.kept, handling.weight[0])
    exact = any("orthogonal" in formula for _, formula in candidate.formulas)
    return not (small or handling.slot in ("head", "number") or handling.carried or exact)


def source(candidate, name, equation=None):
    """The class. ``equation``: a variant of a printed equation, instead of what the candidate says."""
    handling = candidate.handling
    method = EVERY_METHOD[candidate.method or name]
    formulas = {label: of_formula(text) for label, text in candidate.formulas}
    if equation is not None:
        formulas[equation.label] = of_equation(equation)
    printed = [book()[label] for label in iterated(method.labels, handling.rounds)]
    steps = [(e.label, e.name, formulas.get(e.label) or MATRICES.get(e.label) or of_equation(e)) for e in printed]
    added = [label for label in formulas if label.endswith("_next")]
    steps[-1:-1] = [(label, label, formulas[label]) for label in added]
    names = [*state_names(printed), *(label.removesuffix("_next") for label in added)]
    first = {label: of_formula(text) for label, text in handling.first}
    lines = []
    for label, target, code in steps:
        lines += GIVEN.get(label, [])
        code = f"({first[label]}) if fresh else {code}" if label in first else code
        lines.append(f"k.{target} = {code.replace('k.lambda', 'k.lam')}")
        if handling.kept and target.removesuffix("_next") in names:
            lines.append(f"k.{target} = {KEPT[handling.kept].format(f'k.{target}')}")
    own = {each: symbol for each, symbol in EVERY_METHOD[name].hyperparameters.items()}
    symbols = {each: "lam" if symbol == "lambda" else symbol for each, symbol in own.items()}
    stored = dict(handling.stored)
    filled = {
        **asdict(AS_PRINTED if handling is None else handling),
        "arguments": ", ".join(own),
        "constants": ", ".join(f"{symbol!r}: {each}" for each, symbol in symbols.items()),
        "values": dict(handling.values),
        "exchanged": tuple("lam" if symbol == "lambda" else symbol for symbol in handling.exchanged),
        "states": "; ".join([f"self.{each} = {{}}" for each in names] or ["pass"]),
        "names": names,
        "slot": SLOTS[handling.slot],
        "clock": CLOCKS[handling.clock],
        "moves": MOVES[handling.moves],
        "start": dict(handling.start),
        "skips_first": int(handling.skips_first),
        "stored": [(each, stored.get(each, f"{each}_next")) for each in names],
        "rules": "\n".join(f"            {line}" for line in lines),
    }
    return FUNCTIONS + LEARNER.format(**filled)



