"""引数の呼び名: 読者の名前(learning_rate, rho1, betas など)と、この本の名前(lr, beta1 など)。

同じ文字でも、手法によって意味が違う(Momentum の beta は慣性、RMSProp の beta は減衰率)。そこで、手法の引数を 1 つずつ、
はっきりした名前から順に探す。alpha が学習率なのは、ほかに学習率らしい名前がないときだけになる。
"""

import unicodedata
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

#: この本の名前 → 読者の名前(``normal`` でそろえたもの)。はっきりしたものから順に。
NAMES: dict[str, tuple[str, ...]] = {
    "lr": (
        *("lr", "learningrate", "learnrate", "lrate", "stepsize", "eta", "learningrateinit", "initlr", "lrinit"),
        *("initiallr", "initiallearningrate", "baselr", "lr0", "eta0", "rate", "学習率", "学習係数", "歩幅", "alpha", "alpha0", "dt"),
    ),
    "momentum": (
        *("momentum", "mu", "mom", "momentumcoef", "momentumcoefficient", "momentumrate", "momentumfactor"),
        *("momentumterm", "momentumdecay", "mass", "inertia", "慣性", "慣性項", "慣性係数", "beta", "gamma", "alpha", "rho", "beta1", "decay", "decayrate"),
    ),
    "decay_rate": (
        *("decayrate", "rho", "decayfactor", "decayconstant", "forgettingfactor", "smoothingconstant"),
        *("discountingfactor", "減衰率", "忘却率", "decay", "beta", "gamma", "alpha", "beta2", "momentum", "beta1", "mu"),
    ),
    "beta1": ("beta1", "b1", "rho1", "betam", "decay1", "decayrate1", "gamma1", "mu1", "beta", "momentum", "mu"),
    "beta2": ("beta2", "b2", "rho2", "betav", "decay2", "decayrate2", "gamma2", "mu2", "decayrate", "rho", "gamma"),
    "eps": (
        *("eps", "epsilon", "varepsilon", "tiny", "epsilonhat", "epshat", "fudgefactor", "smoothingterm", "smoothing"),
        *("微小値", "微小量", "イプシロン", "stability", "stabilizer", "smallnumber", "smallconstant", "smallvalue", "offset", "delta", "epsi", "ep", "e"),
    ),
    "weight_decay": (
        *("weightdecay", "weightdecayrate", "weightdecaycoefficient", "wd", "lambda", "lam", "lmbda", "lambd", "lmd"),
        *("重み減衰", "荷重減衰", "l2", "l2reg", "reg", "regularization", "decay"),
    ),
}  # fmt: skip

#: 2 つの減衰率を並べて渡す引数。
PAIRS = ("betas", "beta", "rhos", "momenta", "momentums", "decays", "decayrates")

#: この本の名前 → よく使われる値。よく見るものから順に。
USUAL: dict[str, tuple[float, ...]] = {
    "lr": (0.01, 0.001, 0.1, 1.0),
    "momentum": (0.9, 0.5, 0.99, 0.95, 0.8),
    "decay_rate": (0.9, 0.99, 0.95, 0.999),
    "beta1": (0.9, 0.5, 0.95, 0.8, 0.99),
    "beta2": (0.999, 0.99, 0.9, 0.9999, 0.98, 0.95),
    "eps": (1e-8, 1e-7, 1e-6, 1e-10, 1e-5, 1e-4, 1e-9, 1e-12, 1e-3, 1e-15, 1e-16),
    "weight_decay": (0.01, 0.1, 0.001, 1e-4, 5e-4),
}

#: この本の名前 → 文の中での呼び方。
WORDS = {
    "lr": "学習率 η",
    "momentum": "慣性の係数 α",
    "decay_rate": "減衰率 ρ",
    "beta1": "β₁",
    "beta2": "β₂",
    "eps": "ε",
    "weight_decay": "重み減衰 λ",
}

_GREEK = {  # 字 → その名前
    **{"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "eps", "ϵ": "eps"},
    **{"η": "eta", "λ": "lambda", "μ": "mu", "ρ": "rho"},
}


def normal(name: str) -> str:
    """名前を、書き方の違いのない形にそろえる。

    >>> normal("Learning_Rate"), normal("β_1"), normal("lambda_")
    ('learningrate', 'beta1', 'lambda')
    """
    plain = unicodedata.normalize("NFKC", name).lower().replace("_", "")
    return "".join(_GREEK.get(letter, letter) for letter in plain)


_EVERY = {name for names in NAMES.values() for name in names} | set(PAIRS)


def is_value(name: str) -> bool:
    """学習率や減衰率のような、引数の名前か。"""
    return normal(name) in _EVERY


def number(value: object) -> float | None:
    """実数なら float にしたもの。そうでなければ None。"""
    return float(value) if isinstance(value, Real) and not isinstance(value, bool) else None


def pair(name: str, value: object) -> tuple[float, float] | None:
    """``betas=(0.9, 0.999)`` のような、2 つの数を並べた引数の値。そうでなければ None。"""
    if normal(name) not in PAIRS or not isinstance(value, tuple | list) or len(value) != 2:
        return None
    first, second = map(number, value)
    return None if first is None or second is None else (first, second)


Place = tuple[str, int | None]  # 読者の名前と、2 つ並んだ値なら何番目か


def meanings(wanted: Iterable[str], own: Mapping[str, Any]) -> dict[str, Place]:
    """手法の引数 ``wanted`` が、読者の引数 ``own``(名前 → 値)のどれにあたるか。見つからないものは含まない。

    >>> meanings(["lr", "momentum"], {"alpha": 0.1, "beta": 0.9})
    {'lr': ('alpha', None), 'momentum': ('beta', None)}
    >>> meanings(["lr", "decay_rate", "eps"], {"lr": 0.1, "alpha": 0.99, "epsilon": 1e-8})
    {'lr': ('lr', None), 'decay_rate': ('alpha', None), 'eps': ('epsilon', None)}
    >>> meanings(["lr", "beta1", "beta2"], {"lr": 0.1, "betas": (0.9, 0.999)})
    {'lr': ('lr', None), 'beta1': ('betas', 0), 'beta2': ('betas', 1)}
    """
    wanted = list(wanted)
    single: dict[str, str] = {}
    found: dict[str, Place] = {}
    for name, value in own.items():
        if pair(name, value):
            found |= {beta: (name, i) for i, beta in enumerate(("beta1", "beta2")) if beta in wanted}
        else:
            single.setdefault(normal(name), name)
    used = {place[0] for place in found.values()}
    for ours in wanted:
        for name in NAMES.get(ours, (ours,)):
            if ours not in found and name in single and single[name] not in used:
                found[ours] = (single[name], None)
                used.add(single[name])
    return {ours: found[ours] for ours in wanted if ours in found}


def values_of(wanted: Iterable[str], own: Mapping[str, Any]) -> dict[str, float]:
    """手法の引数の値。読者の引数の値 ``own`` から読み取れるものだけ。

    >>> values_of(["lr", "beta1", "beta2", "eps"], {"eta": 0.1, "betas": (0.9, 0.999)})
    {'lr': 0.1, 'beta1': 0.9, 'beta2': 0.999}
    """
    found = {}
    for ours, (name, position) in meanings(wanted, own).items():
        value = number(own[name] if position is None else own[name][position])
        if value is not None:
            found[ours] = value
    return found


def changed(own: Mapping[str, Any], place: Place, value: float) -> dict[str, Any]:
    """``own`` の 1 か所を ``value`` にしたもの。

    >>> changed({"betas": (0.9, 0.999)}, ("betas", 1), 0.99)
    {'betas': (0.9, 0.99)}
    """
    name, position = place
    if position is None:
        return {**own, name: value}
    numbers = list(own[name])
    numbers[position] = value
    return {**own, name: type(own[name])(numbers)}
