"""A mistake in an initial value or in a Batch Normalization as the source of a learner's code, for CPython and for a page."""

from checking.planted import FUNCTIONS
from fumoto.checking.candidates.equations import mistakes_in
from fumoto.checking.candidates.initializer import SCALES
from fumoto.checking.candidates.normalization import STRUCTURE, written_as
from fumoto.checking.computing.batchnorm import FORWARD, GRADIENTS, RUNNING, STAGES
from fumoto.checking.computing.initializer import LABELS
from fumoto.checking.in_browser.formulas import of_equation
from fumoto.printed.pages import book

INDEXED = '''
def placed(a, axes, count):
    order = sorted(range(len(axes)), key=lambda at: axes[at])
    lengths = [1] * count
    for at, axis in enumerate(axes):
        lengths[axis] = a.shape[at]
    return np.transpose(a, order + list(range(len(axes), a.ndim))).reshape(lengths + list(a.shape[len(axes):]))


def summed(a, axis, low, high):
    count = high - low + 1
    if np.ndim(a) <= axis or (a.shape[axis] == 1 and count != 1):
        return a * count
    return np.sum(a, axis=axis, keepdims=True)


def squeezed(a, kept, count):
    return a if np.ndim(a) < count else a.reshape(a.shape[:kept] + a.shape[count:])


f.placed, f.along, f.squeezed = staticmethod(placed), staticmethod(summed), staticmethod(squeezed)
'''

LAYER = '''
class Learner:
    def __init__(self, gamma, beta, decay_rate, eps):
        rate = {rate}
        self.k = Known({{"gamma": gamma, "beta": beta, "rho": rate, "varepsilon": eps}})
        self.k.mu_t, self.k.s_t = np.zeros_like(gamma), np.ones_like(gamma)

    def forward(self, x, training):
        k = self.k
        k.x, k.N = x, len(x)
        if not training:
            return self.inferred(k, x)
{training}
        k.out = k.y
{running}
        k.mu_t, k.s_t = k.mu_next, k.s_next
        return k.out

    def inferred(self, k, x):
{batch}
        k.mu_B, k.sigma_B = {mean}, np.sqrt({var})
{inference}
        return k.y

    def backward(self, dout):
        k = self.k
        k.d = dout
        x, d, gamma, beta, x_hat = k.x, k.d, k.gamma, k.beta, k.x_hat
        std = np.sqrt(k.sigma_B_squared + k.varepsilon)
{gradients}
        self.grads = {{"gamma": {dgamma}, "beta": {dbeta}}}
        return {dx}
'''

THROUGH = "(d - d.mean(axis=0) - x_hat * (d * x_hat).mean(axis=0))"
SLOPE = "gamma / std * (d - {} - {})"
WHOLE_VARIANCE = "np.mean((x - {}) ** 2) + 0 * gamma"
BY_HAND = {  # name in BY_HAND of the candidates → what is written otherwise
    "rows": {"mean": "x.mean(axis=1, keepdims=True)", "var": "x.var(axis=1, keepdims=True)"},
    "whole variance": {"var": WHOLE_VARIANCE.format("x.mean(axis=0)")},
    "variance of all": {"var": WHOLE_VARIANCE.format("x.mean()")},
    "whole mean": {"mean": "x.mean() + 0 * k.gamma", "var": "x.var(axis=0)"},
    "around whole mean": {"mean": "x.mean() + 0 * k.gamma"},
    "all": {"mean": "x.mean() + 0 * k.gamma", "var": "x.var() + 0 * k.gamma"},
    "exchanged": {"dgamma": "d.sum(axis=0)", "dbeta": "(d * x_hat).sum(axis=0)"},
    "raw input": {"dgamma": "(d * x).sum(axis=0)"},
    "centred input": {"dgamma": "(d * x_hat * std).sum(axis=0)"},
    "output": {"dgamma": "(d * (gamma * x_hat + beta)).sum(axis=0)"},
    "scaled": {"dgamma": "gamma * (d * x_hat).sum(axis=0)"},
    "scaled beta": {"dbeta": "gamma * d.sum(axis=0)"},
    "whole": {"dgamma": "np.full_like(gamma, (d * x_hat).sum())"},
    "whole beta": {"dbeta": "np.full_like(gamma, d.sum())"},
    "passed on": {"dx": "d"},
    "only gamma": {"dx": "gamma * d"},
    "centred": {"dx": SLOPE.format("d.mean(axis=0)", "x_hat * std * (d * x_hat).mean(axis=0)")},
    "centred twice": {"dx": SLOPE.format("d.mean(axis=0)", "x_hat * std * (d * x_hat * std).mean(axis=0)")},
    "sums": {"dx": SLOPE.format("d.sum(axis=0)", "x_hat * (d * x_hat).sum(axis=0)")},
    "first not times N": {"dx": f"gamma / std * ({THROUGH} - d * (1 - 1 / len(d)))"},
    "half variance": {"dx": SLOPE.format("d.mean(axis=0)", "0.5 * x_hat * (d * x_hat).mean(axis=0)")},
    "double variance": {"dx": SLOPE.format("d.mean(axis=0)", "2 * x_hat * (d * x_hat).mean(axis=0)")},
    "times N": {"dx": f"len(d) * gamma / std * {THROUGH}"},
}


def _steps(labels, rules):
    lines = []
    for label in labels:
        equation = book()[label]
        lines.append(f"k.{equation.name} = {rules.get(label) or of_equation(equation)}")
        if equation.name == "sigma_B_squared":
            lines.append("k.sigma_B = np.sqrt(k.sigma_B_squared)")
    return "\n".join(f"        {line}" for line in lines)


def layer(rules=None, at_inference=None, batch=(), rate="decay_rate", **hand):
    """A layer that follows ``rules``: label → code; what is not there, as printed. ``hand``: what is written by hand."""
    rules = dict(rules or {})
    for name, label in (("mean", FORWARD[0]), ("var", FORWARD[1])):
        rules |= {label: hand[name]} if name in hand else {}
    gradients = [label for stage in GRADIENTS for label in STAGES[stage]]
    filled = {
        "rate": rate,
        "training": _steps(FORWARD, rules),
        "running": _steps(RUNNING, rules),
        "batch": _steps(FORWARD[:2], rules) if batch else "",
        "mean": "k.mu_B" if FORWARD[0] in batch else "k.mu_t",
        "var": "k.sigma_B_squared" if FORWARD[1] in batch else "k.s_t",
        "inference": _steps(FORWARD[2:], {**rules, **(at_inference or {})}),
        "gradients": _steps(gradients, rules),
        **{key: hand.get(key, f"k.{book()[label].name}") for key, label in zip(("dgamma", "dbeta", "dx"), gradients, strict=True)},
    }
    return FUNCTIONS + INDEXED + LAYER.format(**filled)


# A sum over i of what has no i: ``evaluate`` sums along the columns instead, and the page cannot calculate it.
NOT_COMPARED = ("eq-batchnorm-var/dropped-1",)


def layers():
    """(name, source) of the printed layer and of every mistake, except those in images."""
    yield "printed", layer()
    for label in (label for stage in STAGES.values() for label in stage):
        for mistake in mistakes_in(label):
            if mistake.id not in NOT_COMPARED:
                yield mistake.id, layer({label: of_equation(mistake.equation)})
    for name, wrong in STRUCTURE.items():
        if wrong.by_hand:
            if wrong.by_hand in BY_HAND:
                yield name, layer(**BY_HAND[wrong.by_hand])
            continue
        rules, at_inference = (
            {label: of_equation(written_as(book()[label], formula)) for label, formula in formulas}
            for formulas in (wrong.formulas, wrong.at_inference)
        )
        rate = "0.0" if wrong.no_average else "1 - decay_rate" if wrong.reversed_rate else "decay_rate"
        yield name, layer(rules, at_inference, wrong.batch, rate)


# --- initial values ---

DRAWN = {
    "": "rng.standard_normal((n_in, n_out))",
    "normal": "rng.standard_normal((n_in, n_out))",
    "uniform": "rng.uniform(-np.sqrt(3), np.sqrt(3), (n_in, n_out))",
    "truncated": "cut(rng, n_in, n_out)",
}
OTHER_N = {
    "n-out": "n_out",
    "n-sum": "n_in + n_out",
    "n-mean": "(n_in + n_out) // 2",
    "n-plus-1": "n_in + 1",
    "n-elements": "n_in * n_out",
}
FUNCTION = '''
def cut(rng, n_in, n_out):
    W = rng.standard_normal(n_in * n_out)
    while np.any(abs(W) > 2):
        again = abs(W) > 2
        W[again] = rng.standard_normal(int(again.sum()))
    return W.reshape(n_in, n_out) / 0.87963


def Learner(rng, n_in, n_out):
    k = Known({{"n": {n}, "m": n_out}})
    return {drawn} * {scale} * ({rule})
'''


def function(rule, drawn="", scale=1.0, n="n_in"):
    return FUNCTIONS + FUNCTION.format(rule=rule, drawn=DRAWN[drawn], scale=float(scale), n=n)


def functions():
    """(what it should be, name, source) of the printed initial values and of every mistake in one matrix."""
    for method, label in LABELS.items():
        printed = of_equation(book()[label])
        for drawn in ("normal", "uniform", "truncated"):
            yield method, f"printed-{drawn}", function(printed, drawn)
        yield method, "truncated-uncorrected", function(printed, "truncated", 0.87963)
        for other, theirs in LABELS.items():
            if other != method:
                yield method, f"another-{other}", function(of_equation(book()[theirs]))
        for mistake in mistakes_in(label):
            yield method, mistake.id, function(of_equation(mistake.equation))
            yield method, f"{mistake.id}-limit", function(of_equation(mistake.equation), "uniform", 3**0.5)
            yield method, f"{mistake.id}-width", function(of_equation(mistake.equation), "uniform", 3**-0.5)
        for slug, n in OTHER_N.items():
            yield method, slug, function(printed, n=n)
        for slug, (drawn, scale, _) in SCALES.items():
            yield method, slug, function(printed, drawn, scale)
        yield method, "constant", function("0.01")
        yield method, "unknown", function("0.0123 * k.n ** 0.3")
