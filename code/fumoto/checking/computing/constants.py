"""読者のコードに書き込まれていて、引数では分からない値を、動きから求める。

学習率は、はじめの 1 歩の大きさから分かる(どの手法でも、1 歩は学習率に比例する)。ε は、小さな勾配での 1 歩から分かる。減衰率は、よく使われる
値を試し、なければ、はじめの数歩を再現する値を数値的に求める。どれも、求めたあとで、足どりの全部が一致することを確かめる。
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice, product
from typing import Any, TypeVar

import numpy as np

from fumoto.checking.calling.values import USUAL
from fumoto.checking.computing.comparison import Comparison
from fumoto.checking.computing.problems import Trajectory
from fumoto.hints import Array
from fumoto.printed import PrintedOptimizer

T = TypeVar("T")

STEPS = 6  # 数値的に求めるときに使う歩数
LEAST = (1e-3, 1 - 1e-7)  # 減衰率とみなせる値
CLOSE = 0.02  # 測った ε が、よく使われる値とみなせる近さ(対数の差)


def missing(reader: Comparison) -> list[str]:
    """手法の引数のうち、値の分かっていないもの。"""
    return [name for name in reader.method.hyperparameters if name not in reader.hyperparameters]


def follows(reader: Comparison) -> bool:
    """値のそろった ``reader`` の足どりが、式と最後まで同じか。"""
    return reader.follows(reader.method)


def found_out(
    reader: Comparison, test: Callable[[Comparison], T], most: int | None = None
) -> tuple[Comparison, T] | None:
    """``test`` が真(か、None でないもの)になるように、分からない値を補った ``reader`` と、``test`` の値。なければ None。

    ``most``: 試す組み合わせの数の上限。
    """
    for complete in islice(completed(reader), most):
        if missing(reader) and not test(small(complete)):
            continue
        if found := test(complete):
            return complete, found
    return None


def small(reader: Comparison) -> Comparison:
    """いちばん小さな問題だけの ``reader``。たくさんの値を試すときに、全部の問題で確かめる前に使う。"""
    exact = [path for path in reader.trajectories if _is_double(path)] or reader.trajectories
    return replace(
        reader, trajectories=[min(exact, key=lambda path: sum(w.size for w in path.problem.start.values()))]
    )


def _is_double(path: Trajectory) -> bool:
    return all(w.dtype == np.float64 for w in path.problem.start.values())


def completed(reader: Comparison) -> Iterator[Comparison]:
    """分からない値を、コードに書かれた数か、よく使われる値で補ったもの。ありそうなものから順に。学習率は測る。"""
    if guessed := _guessed(reader):
        yield from completed(replace(reader, hyperparameters={**reader.hyperparameters, **guessed}, written=()))
    unknown = [name for name in missing(reader) if name != "lr"]
    choices = [list(enumerate(_usual(name, reader.method.name))) for name in unknown]
    for combination in sorted(product(*choices), key=lambda each: sum(rank for rank, _ in each)):
        values = {name: value for name, (_, value) in zip(unknown, combination, strict=True)}
        yield from _with_rate(replace(reader, hyperparameters={**reader.hyperparameters, **values}))


def _usual(name: str, method: str) -> tuple[float, ...]:
    """よく使われる値。減衰のない Muon や Lion はあっても、減衰のない AdamW は、AdamW ではない。"""
    none = (0.0,) if name == "weight_decay" and method != "AdamW" else ()
    return none + USUAL[name]


_SIZES = {"eps": (0.0, 1e-4), "lr": (1e-4, 0.5), "weight_decay": (1e-4, 0.5)}  # コードに書かれた数の、ありそうな大きさ。ほかは減衰率
_RATES = (0.5, 1.0)


def _guessed(reader: Comparison) -> dict[str, float]:
    """分からない値の、コードに書かれた数からの見当: 大きさから ε か学習率か減衰率とみて、書かれた順に当てる。"""
    left, found = list(reader.written), {}
    for name in missing(reader):
        if name == "weight_decay" and reader.method.name != "AdamW":  # なくてもよい。書かれた数は、別の何かかもしれない
            continue
        low, high = _SIZES.get(name, _RATES)
        value = next((x for x in left if low <= x < high), None)
        if value is not None:
            left.remove(value)
            found[name] = value
    return found


def _with_rate(reader: Comparison) -> Iterator[Comparison]:
    """学習率が分からなければ、測って補ったもの。"""
    if missing(reader) != ["lr"]:
        yield reader
        return
    rates = rounded(abs(learning_rate(reader)))  # 負の学習率は、符号の間違い
    if reader.method.name == "AdaDelta":
        rates = list(dict.fromkeys([1.0, *rates]))  # 学習率のないのが、もとの形
    for rate in rates:
        yield replace(reader, hyperparameters={**reader.hyperparameters, "lr": rate})


def rounded(value: float) -> list[float]:
    """測った値と、それを丸めたもの。桁の少ないものから順に。

    >>> rounded(0.010000000000000113)
    [0.01, 0.010000000000000113]
    """
    if not np.isfinite(value) or value == 0:
        return []
    candidates = [float(f"{value:.{digits}g}") for digits in range(1, 9)]
    near = [candidate for candidate in candidates if abs(candidate - value) <= 1e-6 * abs(value)]
    return list(dict.fromkeys([*near, value]))


def learning_rate(reader: Comparison) -> float:
    """1 歩目の大きさの、学習率を 1 としたときの大きさに対する比。ε などの効かない、いちばん大きく動いた要素で測る。"""
    yours, unit = changes(reader, {**reader.hyperparameters, "lr": 1.0}, steps=1)
    with np.errstate(all="ignore"):
        place = np.nanargmax(np.where(np.isfinite(unit[0]), abs(unit[0]), np.nan)) if np.any(unit[0]) else 0
        return float(yours[0][place] / unit[0][place])


def changes(reader: Comparison, values: Mapping[str, float], steps: int) -> tuple[list[Array], list[Array]]:
    """はじめの ``steps`` 歩の、読者の重みの変化と、式の重みの変化(どれも 1 列に並べたもの)。"""
    trajectory = small(reader).trajectories[0]
    yours, printed = [], []
    optimizer = PrintedOptimizer(reader.method, reader.equations, **values)
    params = {key: w.copy() for key, w in trajectory.problem.start.items()}
    before = {key: w.copy() for key, w in params.items()}
    with np.errstate(all="ignore"):
        for step in range(steps):
            own = {key: w.copy() for key, w in params.items()}
            optimizer.update(params, trajectory.problem.gradients[step])
            printed.append(_flat(params) - _flat(own))
            yours.append(_flat(trajectory.params[step]) - _flat(before))
            before = trajectory.params[step]
    return yours, printed


def _flat(params: Mapping[str, Any]) -> Array:
    return np.concatenate([np.ravel(np.asarray(w, np.float64)) for w in params.values()])


# --- 測る ---------------------------------------------------------------------------------------------------


def measured(reader: Comparison, test: Callable[[Comparison], T]) -> tuple[Comparison, T] | None:
    """よく使われる値ではなかったとき: 分からない値を、足どりから数値的に求めて確かめる。"""
    unknown = [name for name in missing(reader) if name != "lr"]
    if not unknown:
        return None
    try:
        solution = _solve(reader, unknown)
    except (KeyError, ValueError, FloatingPointError):  # この手法の形には合わない足どり
        return None
    if any(
        not LEAST[0] < value < LEAST[1]
        for name, value in zip(unknown, solution, strict=True)
        if name != "eps"
    ):
        return None  # 減衰率が 0 や 1 なのは、値ではなく、書き間違い
    for values in product(*(rounded(value) for value in solution)):
        own = dict(zip(unknown, map(float, values), strict=True))
        for complete in _with_rate(replace(reader, hyperparameters={**reader.hyperparameters, **own})):
            if found := test(complete):
                return complete, found
    return None


def _solve(reader: Comparison, unknown: list[str]) -> list[float]:
    """はじめの数歩の変化を、最もよく再現する値。"""
    from scipy.optimize import least_squares

    def values(point: Array) -> dict[str, float]:
        own = {
            n: float(10**x if n == "eps" else 1 / (1 + np.exp(-x)))
            for n, x in zip(unknown, point, strict=True)
        }
        known = {**reader.hyperparameters, **own}
        if "lr" not in known:
            known["lr"] = learning_rate(replace(reader, hyperparameters=known))
        return known

    def residual(point: Array) -> Array:
        yours, printed = map(np.concatenate, changes(reader, values(point), STEPS))
        size = abs(yours) + abs(printed)
        with np.errstate(all="ignore"):
            apart = (printed - yours) / np.where(size > 0, size, 1.0)
        return np.nan_to_num(apart, nan=1.0, posinf=1.0, neginf=-1.0)

    start = [-6.0 if name == "eps" else 2.2 for name in unknown]
    best = least_squares(residual, start, xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=60)
    found = values(best.x)
    return [found[name] for name in unknown]


def epsilon_first(reader: Comparison) -> list[float]:
    """よく使われる ε を、動きから測ったものに近い順に並べたもの。式と違う動きをするコードの ε の見当をつける。

    はじめの 1 歩が g ÷ (c|g| + ε) に比例するなら、2 つの小さな勾配での 1 歩から ε ÷ c が分かる。c は 1 か √(1 − ρ)。
    """
    trajectory = small(reader).trajectories[0]
    g = _flat(trajectory.problem.gradients[0])
    change = _flat(trajectory.params[0]) - _flat(trajectory.problem.start)
    order = [i for i in np.argsort(abs(g)) if g[i] != 0 and change[i] != 0][:2]
    usual = list(USUAL["eps"])
    if len(order) < 2:
        return usual
    least, next_ = order
    ratio = (change[least] / g[least]) / (change[next_] / g[next_])
    with np.errstate(all="ignore"):
        over_c = (abs(g[next_]) - ratio * abs(g[least])) / (ratio - 1)
    rates = [
        reader.hyperparameters[name] for name in ("decay_rate", "beta2") if name in reader.hyperparameters
    ]
    scales = [1.0, *(np.sqrt(1 - rate) for rate in rates)]

    def apart(eps: float) -> float:
        if not np.isfinite(over_c) or over_c <= 0 or eps == 0:
            return 1.0
        return min(abs(np.log10(over_c * c / eps)) for c in scales)

    return sorted(usual, key=lambda eps: apart(eps) if apart(eps) < CLOSE else 1.0)


def plausible(reader: Comparison, most: int = 2) -> list[Comparison]:
    """式と違う動きをするコードの、分からない値を補ったもの。もっともらしい順に ``most`` 個まで。"""
    if missing(reader) == ["weight_decay"]:
        most = 1
    if _guessed(reader) or "eps" not in missing(reader):
        return list(islice(completed(reader), most))
    found: list[Comparison] = []
    for eps in epsilon_first(reader)[:most]:
        known = replace(reader, hyperparameters={**reader.hyperparameters, "eps": eps})
        found += islice(completed(known), 1)
    return found
