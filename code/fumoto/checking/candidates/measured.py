"""数を測って作る候補: 歩幅の倍率、止まるステップ、書き込まれた値。"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from fumoto.checking.candidates.candidate import Candidate, Handling
from fumoto.checking.candidates.engine import AS_PRINTED, running, walk
from fumoto.checking.candidates.handlings import OTHER_VALUE
from fumoto.checking.computing.comparison import FRACTIONS, Comparison
from fumoto.checking.computing.measurements import last_move
from fumoto.hints import Array

_SINGLE = 1e-6  # 倍率の 1 からのずれがこれより小さければ、学習率を float32 にしただけである
_STEPS = 4  # 値を探すときに比べるステップ
_HOPELESS = 12  # 値を探すのを、ここで近づいていなければあきらめる


#: あるステップから先だけがおかしい間違いの名前 → 読者に言う一文。
TIMED = {
    "clock/ends": "{at} ステップ目を過ぎると、重みが動きません",
    "clock/stops": "更新の回数 t が、{at} で止まっています",
    "state/restarts": "{at} ステップごとに、状態が出発点に戻っています(エポックのたびに作り直していませんか)",
    "clock/restarts": "更新の回数 t を、{at} ステップごとに数えなおしています(エポックのたびに 0 に戻していませんか)",
    "loop/restarts": "{at} ステップごとに、状態も更新の回数 t も、はじめに戻っています",
}


def timed(reader: Comparison) -> Iterator[Candidate]:
    """あるステップから先だけがおかしいもの。"""

    def at_step(identifier: str, at: int, handling: Handling) -> Candidate:
        return Candidate(identifier, TIMED[identifier].format(at=at), handling=handling)

    last = last_move(reader.trajectories)
    if last > 0:
        yield at_step("clock/ends", last, Handling(ends_at=last))
    difference = reader.departs_from(lambda: running(reader, AS_PRINTED))
    if difference is not None and difference.step > 2:
        at = difference.step - 1
        yield at_step("clock/stops", at, Handling(stops_at=at))
        yield at_step("state/restarts", at, Handling(forgets=at))
        yield at_step("clock/restarts", at, Handling(restarts=at))
        yield at_step("loop/restarts", at, Handling(forgets=at, restarts=at))


def scaled(reader: Comparison) -> Iterator[Candidate]:
    """歩幅がどれも式の何倍かになっているもの。"""
    yield from scaling(reader, AS_PRINTED)


def scaling(reader: Comparison, candidate: Candidate) -> Iterator[Candidate]:
    """歩幅がどれも ``candidate`` の何倍かになっているもの。倍率は、はじめの歩みから測る。"""
    times = ratio(reader, candidate)
    if times is not None and abs(times - 1) > _SINGLE:
        words = _times_words(reader, candidate, times)
        yield Candidate("weight/times", words, handling=Handling(weight=("times", times)))


def fading(reader: Comparison) -> Iterator[Candidate]:
    """重みを 1 つ更新するたびに、学習率が同じ割合で変わるもの。割合は、1 歩目の、2 つ目のキーの歩みから測る。"""
    path = reader.trajectories[0]
    printed, start = walk(reader, AS_PRINTED, path), path.problem.start
    key = list(start)[min(1, len(start) - 1)]
    mine, theirs = (np.ravel(each.params[0][key] - start[key]) for each in (path, printed))
    place = int(np.argmax(abs(theirs))) if np.any(theirs) else 0
    c = float(f"{mine[place] / theirs[place]:.9g}") if np.any(theirs) else 1.0
    if 0 < c < 1:
        words = f"重みを 1 つ更新するたびに、学習率が {c:.6g} 倍になっています"
        yield Candidate("weight/fades", words, handling=Handling(weight=("fades", c)))


def ratio(reader: Comparison, candidate: Candidate) -> float | None:
    """はじめの歩みが、``candidate`` の歩みの何倍か。要素ごとに違うか、測れなければ None。"""
    path = reader.trajectories[0]
    start = path.problem.start
    params = {key: w.copy() for key, w in start.items()}
    with np.errstate(all="ignore"):
        try:
            running(reader, candidate).update(params, path.problem.gradients[0])
        except (KeyError, NameError, TypeError, ValueError, ArithmeticError):
            return None
        mine = np.concatenate([np.ravel(path.params[0][key] - w) for key, w in start.items()])
        theirs = np.concatenate([np.ravel(params[key] - w) for key, w in start.items()])
        use = np.isfinite(mine / theirs) & (np.abs(theirs) > 1e-7)
        ratios = mine[use] / theirs[use]
    if len(ratios) < 3 or not np.all(np.abs(ratios - ratios[0]) <= 1e-5 * np.abs(ratios[0])) or not ratios[0]:
        return None
    best = ratios[np.argmax(np.abs(theirs[use]))]
    return float(f"{best:.12g}")


def _times_words(reader: Comparison, candidate: Candidate, times: float) -> str:
    """歩幅の倍率の説明。引数の値で言えるなら、そう言う(引数を少し変えても、同じ言い方のできるもの)。"""
    sign = "符号が逆で、" if times < 0 else ""
    if np.isclose(times, -1, rtol=1e-9):
        return "符号が逆です(上る向きに動いています)"
    elsewhere = reader.elsewhere
    measured = [(reader.hyperparameters, times)]
    if elsewhere is not None and (other := ratio(elsewhere, candidate)) is not None:
        measured.append((elsewhere.hyperparameters, other))
    for name in reader.hyperparameters:
        for said, expected in _EXPRESSIONS.items():
            if "1 - " in said and name not in FRACTIONS:
                continue
            if all(np.isclose(abs(c), expected(values[name]), rtol=1e-7) for values, c in measured):
                if name == "lr" and said in _RATE:
                    return sign + _RATE[said]
                if name == "decay_rate" and "√" in said and reader.method.name == "RMSProp":
                    return f"{sign}h の式で、新しい値に掛ける 1 - ρ が抜けています(歩幅がどれも、式の √(1 - ρ) 倍です)"
                return f"{sign}歩幅がどれも、式の {said.format(name)} 倍です"
    return f"{sign}歩幅がどれも、式の {abs(times):.6g} 倍です"


_EXPRESSIONS: dict[str, Callable[[float], float]] = {
    "{}": lambda x: x,
    "1/{}": lambda x: 1 / x if x else np.inf,
    "(1 - {})": lambda x: 1 - x,
    "1/(1 - {})": lambda x: 1 / (1 - x) if x != 1 else np.inf,
    "√(1 - {})": lambda x: np.sqrt(1 - x),
}
_RATE = {"{}": "学習率を 2 度掛けています", "1/{}": "学習率が掛かっていません"}


def fixed_values(reader: Comparison) -> Iterator[Candidate]:
    """引数の 1 つを無視して、ほかの値で計算しているもの。その値を探す。"""
    for name, given in reader.hyperparameters.items():
        symbol = reader.method.hyperparameters[name]

        def with_value(value: float, symbol: str = symbol) -> Candidate:
            return replace(AS_PRINTED, handling=Handling(values=((symbol, value),)))

        transform = _one_minus if name in FRACTIONS else _itself
        value = _searched(reader, with_value, transform)
        if value is not None and not np.isclose(value, given, rtol=1e-4):
            words = OTHER_VALUE.format(name=name, given=f"{given:g}", value=f"{value:.6g}")
            yield replace(with_value(value), id=f"value/{name}", words=words)


#: 重み減衰について、(どこに入っているか, 符号, 読者に言う一文)。
DECAYS = (
    ("gradient", 1, "重み減衰が入っています(勾配に {c}×w を足しています)"),
    ("weight", 1, "重み減衰が入っています(毎回 {c}×ηw を引いています)"),
    ("gradient", -1, "重み減衰の符号が逆で、重みが大きくなります(勾配から {c}×w を引いています)"),
    ("weight", -1, "重み減衰の符号が逆で、重みが大きくなります(毎回 {c}×ηw を足しています)"),
)


def decays(reader: Comparison) -> Iterator[Candidate]:
    """重み減衰。その強さを探す。"""
    for what, sign, words in DECAYS:

        def with_value(value: float, what: str = what, sign: int = sign) -> Candidate:
            amount = ("decay", sign * value)
            handling = Handling(gradient=amount) if what == "gradient" else Handling(weight=amount)
            return Candidate(f"{what}/decay", "", handling=handling)

        value = _searched(reader, with_value, _itself)
        if value is not None:
            yield replace(with_value(value), id=f"{what}/decay-{sign * value:g}", words=words.format(c=f"{value:.6g}"))


CLIPPED = "勾配の要素を ±{c} で切っています(クリッピング)"


def clips(reader: Comparison) -> Iterator[Candidate]:
    """勾配を切る大きさ。"""

    def with_value(value: float) -> Candidate:
        words = CLIPPED.format(c=f"{value:.6g}")
        return Candidate(f"gradient/clip-{value:g}", words, handling=Handling(gradient=("clip", value)))

    value = _searched(reader, with_value, _itself)
    if value is not None:
        yield with_value(value)


def _itself(x: float) -> float:
    return x


def _one_minus(x: float) -> float:
    return 1 - x


def _searched(
    reader: Comparison, with_value: Callable[[float], Candidate], transform: Callable[[float], float]
) -> float | None:
    """``with_value(value)`` の動きが、はじめの数ステップで読者の足どりにいちばん近い ``value``。近くなければ None。"""

    def error(exponent: float) -> float:
        return _distance(reader, with_value(transform(10.0**exponent)))

    grid = np.linspace(-12, 0.5, 26) if transform is _itself else np.linspace(-4.5, 0, 26)
    errors = [error(x) for x in grid]
    best = int(np.argmin(errors))
    exponent = grid[best]
    if errors[best] > 1e-9:
        bounds = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
        if _lowest(error, bounds, _HOPELESS).fun > errors[best] / 4:
            return None  # 値が合っていれば、区間とともに 0 に近づく
        exponent = _lowest(error, bounds, 60).x
    found = transform(10.0**exponent)
    for digits in (2, 3, 4, 6, 9):
        rounded = float(f"{found:.{digits}g}") if transform is _itself else round(found, digits)
        if abs(rounded - found) <= 1e-5 * abs(found) and _distance(reader, with_value(rounded)) < 1e-6:
            return rounded
    return None


def _lowest(error: Callable[[float], float], bounds: tuple[float, float], most: int) -> Any:
    """``bounds`` の中で ``error`` が最も小さいところ(``x``)と、その値(``fun``)。``error`` は ``most`` 回までしか調べない。"""
    from scipy.optimize import minimize_scalar  # 読み込みに時間がかかるので、要るときだけ

    return minimize_scalar(error, bounds=bounds, method="bounded", options={"maxiter": most, "xatol": 1e-11})


def _distance(reader: Comparison, candidate: Candidate) -> float:
    """はじめの数ステップでの、歩みの違いの割合(要素の平均)。いちばん小さい問題で測る。"""
    path, total, count = reader.smallest_first.trajectories[0], 0.0, 0
    optimizer = running(reader, candidate)
    params = {key: w.copy() for key, w in path.problem.start.items()}
    with np.errstate(all="ignore"):
        for grads, yours in zip(path.problem.gradients[:_STEPS], path.params, strict=False):
            optimizer.update(params, grads)
            for key, w in params.items():
                apart = _relative(yours[key] - w, yours[key] - path.problem.start[key])
                total, count = total + float(np.sum(apart)), count + w.size
    return total / max(count, 1)


def _relative(apart: Array, moved: Array) -> Array:
    share = np.abs(apart) / (np.abs(moved) + 1e-300)
    return np.where(np.isfinite(share), np.minimum(share, 1.0), np.where(apart == 0, 0.0, 1.0))
