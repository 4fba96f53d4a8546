"""読者の最適化手法を、印刷された式と突き合わせる。"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from fumoto.checking.book import book, mistakes_in
from fumoto.checking.problems import PROBLEMS, STEPS, Trajectory, follow
from fumoto.checking.reader import ReaderError
from fumoto.checking.report import Finding, Report
from fumoto.equations import Equation
from fumoto.hints import Array, Arrays, Hyperparameters, Updates
from fumoto.methods import METHODS, Method, PrintedOptimizer
from fumoto.validation import fraction, non_negative, positive, real
from fumoto.variants import Variant

_RTOL = {"float64": 1e-9, "float32": 1e-4}
_VALID = {  # 引数の取りうる値。この本の実装と同じ
    "lr": positive,
    "eps": non_negative,
    **dict.fromkeys(("momentum", "decay_rate", "beta1", "beta2"), fraction),
}


def check(make: Callable[..., Any], name: str, **hyperparameters: float) -> Report:
    """``make(**hyperparameters)`` で作った最適化手法が、``name`` の式のとおりに動くかを調べる。

    ``make``: クラス、関数、lambda のどれでもよい。``update(params, grads)`` を持つものを返すこと。
    ``name``: ``"SGD"``, ``"Momentum"``, ``"Nesterov"``, ``"AdaGrad"``, ``"RMSProp"``, ``"AdaDelta"``, ``"Adam"``。
    手法の名前や引数がおかしければ ``ValueError`` / ``TypeError``。読者のコードの誤りは ``Report`` で返す。

    >>> class MySGD:
    ...     def __init__(self, lr):
    ...         self.lr = lr
    ...     def update(self, params, grads):
    ...         for key in params:
    ...             params[key] += self.lr * grads[key]
    >>> report = check(MySGD, "SGD", lr=0.1)
    >>> report.ok, report.equation, report.variant, report.step
    (False, 'eq-sgd-w', 'eq-sgd-w/sign-2', 1)
    """
    if not isinstance(name, str) or name not in METHODS:
        raise ValueError(f"name は {sorted(METHODS)} のどれかです(渡された値: {name!r})")
    hyperparameters = {key: _VALID.get(key, real)(key, value) for key, value in hyperparameters.items()}
    reader = _Reader(name, hyperparameters, METHODS[name], book())
    PrintedOptimizer(reader.method, reader.equations, **hyperparameters)  # 引数の名前を確かめる
    try:
        reader.trajectories = [follow(make, hyperparameters, problem) for problem in PROBLEMS]
    except ReaderError as error:
        return _not_run(make, reader, error)
    notes = sorted({note for trajectory in reader.trajectories for note in trajectory.notes})
    notes.append(f"(重みの組 {len(PROBLEMS)} 通り、それぞれ {STEPS} ステップ、この引数で確かめました)")

    difference = reader.first_difference(reader.method)
    if difference is None:
        notes[:0] = _indistinguishable(reader)
        return Report(True, f"一致: {name} の式と同じ動きをします。", notes=tuple(notes))
    for convention, other in _CONVENTIONS.get(name, {}).items():
        if reader.follows(other):
            return Report(True, f"一致: {convention}。", notes=tuple(notes), variant=convention)
    mistake = _known_mistake(reader)
    if mistake is None:
        notes.insert(0, str(difference))
        return Report(False, "不一致: 原因は分かりませんでした。", notes=tuple(notes), step=difference.step)
    notes.insert(0, f"はじめて違うのは {difference.step} ステップ目です。")
    return replace(mistake, notes=tuple(notes), step=difference.step)


def _not_run(make: Callable[..., Any], reader: "_Reader", error: ReaderError) -> Report:
    """読者のコードが走らなかった。状態をキーの間で共有して、形が合わなくなっただけかもしれない。"""
    try:
        reader.trajectories = [follow(make, reader.hyperparameters, PROBLEMS[-1])]
    except ReaderError:
        return Report(False, f"{reader.name} を確かめられませんでした。{error}", variant=error.variant)
    loop, explanation = _SHARED_STATE
    has_state = bool(PrintedOptimizer(reader.method, reader.equations, **reader.hyperparameters).state)
    if has_state and reader.first_difference(reader.method, loop=loop) is None:
        return Report(
            False, f"既知の間違い: {explanation}。", notes=(str(error),), variant="loop/shared-state"
        )
    return Report(False, f"{reader.name} を確かめられませんでした。{error}")


def _indistinguishable(reader: "_Reader") -> list[str]:
    """この引数では正しいものと見分けられない間違い(慣性が 0、学習率が 1 など)があれば、そう言う。"""
    blind = [
        v for label in reader.method.labels for v in mistakes_in(label) if reader.follows(reader.method, v)
    ]
    if not blind:
        return []
    mistakes = "、".join(f"{v.equation.label} の{v.kind}({v.equation.latex})" for v in blind[:3])
    return [
        f"この引数では、正しいものと見分けられない間違いがあります: {mistakes}。引数を変えて、もう一度確かめてください。"
    ]


# --- 比べる -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Difference:
    step: int
    key: str
    yours: Array
    expected: Array

    def __str__(self) -> str:
        return (
            f"はじめて違うのは {self.step} ステップ目の params[{self.key!r}] です。"
            f"\nあなたの値: {self.yours}\n式の値:     {self.expected}"
        )


@dataclass
class _Reader:
    """読者の最適化手法の足どりと、比べる相手。"""

    name: str
    hyperparameters: dict[str, float]
    method: Method
    equations: dict[str, Equation]
    trajectories: list[Trajectory] = field(default_factory=list)

    def first_difference(
        self,
        method: Method,
        *mistakes: Variant,
        loop: type[PrintedOptimizer] = PrintedOptimizer,
        hyperparameters: Hyperparameters | None = None,
    ) -> _Difference | None:
        """``method`` の式(``mistakes`` のところは間違えたもの)と違った最初の場所。最後まで同じなら None。"""
        equations = {**self.equations, **{v.equation.label: v.equation for v in mistakes}}
        with np.errstate(all="ignore"):
            for trajectory in self.trajectories:
                optimizer = loop(method, equations, **(hyperparameters or self.hyperparameters))
                difference = _compare(optimizer, trajectory)
                if difference is not None:
                    return difference
        return None

    def follows(self, method: Method, *mistakes: Variant, **options: Any) -> bool:
        try:
            return self.first_difference(method, *mistakes, **options) is None
        except KeyError:  # この手法の中では手に入らない値を使う間違い
            return False

    def has_state_of(self, method: Method, *mistakes: Variant) -> bool:
        """重みだけでなく、読者の持つ状態まで同じか(重みの動きが同じ間違いを見分けるため)。"""
        equations = {**self.equations, **{v.equation.label: v.equation for v in mistakes}}
        optimizer = PrintedOptimizer(method, equations, **self.hyperparameters)
        trajectory = self.trajectories[0]
        with np.errstate(all="ignore"):
            _compare(optimizer, trajectory, to_the_end=True)
        shared = optimizer.state.keys() & trajectory.state.keys()
        return bool(shared) and all(
            _close(trajectory.state[name].get(key), array, rtol=1e-6)
            for name in shared
            for key, array in optimizer.state[name].items()
        )


def _compare(optimizer: Updates, trajectory: Trajectory, to_the_end: bool = False) -> _Difference | None:
    """式の最適化手法を 1 つの問題の上で走らせ、読者の足どりと違った最初の場所を返す。"""
    params = {key: w.copy() for key, w in trajectory.problem.start.items()}
    for step, grads in enumerate(trajectory.problem.gradients, start=1):
        optimizer.update(params, grads)
        yours = trajectory.params[step - 1]
        for key, w in params.items():
            if not to_the_end and not _close(yours[key], w, _RTOL[w.dtype.name]):
                return _Difference(step, key, yours[key], w.copy())
    return None


def _close(yours: Any, expected: Array, rtol: float) -> bool:
    try:
        return np.allclose(yours, expected, rtol=rtol, atol=rtol * 1e-3, equal_nan=True)
    except (TypeError, ValueError):  # 読者の状態が、比べられない形や型である
        return False


# --- 既知の間違い -----------------------------------------------------------------------------------------


class _LastKeyOnly(PrintedOptimizer):
    """更新の行がループの外にあり、最後のキーだけが動く。"""

    chosen = -1

    def update(self, params: Arrays, grads: Arrays) -> None:
        copies = {key: w.copy() for key, w in params.items()}
        super().update(copies, grads)
        key = list(params)[self.chosen]
        params[key][...] = copies[key]


class _FirstKeyOnly(_LastKeyOnly):
    """return がループの中にあり、最初のキーだけが動く。"""

    chosen = 0


class _CounterPerKey(PrintedOptimizer):
    """更新の回数を、キーごとに 1 増やしている。"""

    def update(self, params: Arrays, grads: Arrays) -> None:
        for key in params:
            super().update({key: params[key]}, {key: grads[key]})


class _SharedState(PrintedOptimizer):
    """速度などの状態を、キーごとに分けずに使い回している。"""

    def update(self, params: Arrays, grads: Arrays) -> None:
        t = self.t
        for key in params:
            for arrays in self.state.values():
                for latest in list(arrays.values())[-1:]:
                    arrays[key] = latest
            self.t = t
            super().update({key: params[key]}, {key: grads[key]})
            for arrays in self.state.values():
                arrays[key] = arrays.pop(key)  # いま書いたものを最後に置く


_LOOPS = {
    "loop/last-key": (_LastKeyOnly, "更新の行がループの外にあり、最後のキーの重みしか動きません"),
    "loop/first-key": (_FirstKeyOnly, "最初のキーの重みしか動きません(ループの中で return していませんか)"),
    "loop/counter": (_CounterPerKey, "更新の回数が、update のたびではなくキーごとに増えています"),
}
_SHARED_STATE = (
    _SharedState,
    "速度などの状態が、キーごとに分かれていません(すべての重みで 1 つを使い回しています)",
)


_CONVENTIONS = {  # ほかの書き方: 説明 → 式の並び
    "Adam": {
        "補正を学習率にまとめた形(ε は補正前の √v に足す)": replace(
            METHODS["Adam"],
            labels=("eq-adam-lrt", "eq-adam-m", "eq-adam-v", "eq-adam-lrtw"),
            hyperparameters={**METHODS["Adam"].hyperparameters, "eps": "varepsilon_hat"},
        )
    },
    "Nesterov": {
        "更新前の速度で書いた形": replace(
            METHODS["Nesterov"], labels=("eq-nesterov-v", "eq-nesterov-expanded")
        )
    },
}


_WRITTEN_IN_THE_NOTES = {  # 原ノートの式をそのまま並べた手法
    "Momentum": ("eq-momentum-v", "eq-notes-momentum-w"),
    "AdaGrad": ("eq-adagrad-h", "eq-notes-adagrad-w"),
    "Adam": ("eq-adam-m", "eq-adam-v", "eq-notes-adam-w"),
}
_OFTEN_TOGETHER = ("hat", "time", "factor", "dropped", "inside", "root", "count")


def _known_mistake(reader: _Reader) -> Report | None:
    """読者の数値を再現する間違いの ``Report``。なければ None。"""
    bases = [reader.method, *_CONVENTIONS.get(reader.name, {}).values()]
    for base in bases:
        for identifier, (loop, explanation) in _LOOPS.items():
            if reader.first_difference(base, loop=loop) is None:
                return Report(False, f"既知の間違い: {explanation}。", variant=identifier)
    candidates = [v for label in _labels(bases) for v in mistakes_in(label)]
    found = _reproducing([(v,) for v in candidates], reader, bases)
    if not found and _follows_the_notes(reader):
        return _in_the_notes(reader)
    if not found:
        found = _reproducing(_pairs(candidates), reader, [reader.method])[:1]
    if not found:
        return None
    order = list(_labels(bases))[::-1]
    mistakes = sorted(found[0], key=lambda variant: order.index(variant.equation.label))
    findings = [Finding(v.kind, reader.equations[v.equation.label], v.equation) for v in mistakes]
    where = "、".join(f"{f.kind}({f.printed.page} の {f.printed.label})" for f in findings)
    return Report(
        False,
        f"既知の間違い: {where}。",
        tuple(findings),
        equation=mistakes[0].equation.label,
        variant=" + ".join(v.id for v in mistakes),
    )


def _labels(bases: Iterable[Method]) -> Iterable[str]:
    """式のラベル。同じ数値になる間違いが 2 つあれば先のものを言うので、w を更新する式を先に置く。"""
    return dict.fromkeys(label for base in bases for label in reversed(base.labels))


def _pairs(candidates: list[Variant]) -> list[tuple[Variant, ...]]:
    """よく一緒に起きる間違いの組。同じ種類のものを先に。"""
    often = [v for v in candidates if v.id.split("/")[1].startswith(_OFTEN_TOGETHER)]
    pairs = [(v, w) for v, w in combinations(often, 2) if v.equation.label != w.equation.label]
    return sorted(pairs, key=lambda pair: pair[0].kind != pair[1].kind)


def _reproducing(
    groups: Iterable[tuple[Variant, ...]], reader: _Reader, bases: list[Method]
) -> list[tuple[Variant, ...]]:
    """読者の数値を再現する間違いの組。読者の状態まで再現するものを先に並べる。"""
    found = []
    for group in groups:
        for base in bases:
            if all(v.equation.label in base.labels for v in group) and reader.follows(base, *group):
                found.append((not reader.has_state_of(base, *group), group))
                break
    return [group for _, group in sorted(found, key=lambda pair: pair[0])]


def _follows_the_notes(reader: _Reader) -> bool:
    if reader.name not in _WRITTEN_IN_THE_NOTES:
        return False
    needed = {name: s for name, s in reader.method.hyperparameters.items() if name != "eps"}
    notes = replace(reader.method, labels=_WRITTEN_IN_THE_NOTES[reader.name], hyperparameters=needed)
    values = {name: reader.hyperparameters[name] for name in needed}
    return reader.follows(notes, hyperparameters=values)


def _in_the_notes(reader: _Reader) -> Report:
    yours = reader.equations[_WRITTEN_IN_THE_NOTES[reader.name][-1]]
    printed = reader.equations[reader.method.labels[-1]]
    verdict = f"既知の間違い: 原ノートの式です({yours.page} の {yours.label})。"
    return Report(
        False,
        verdict,
        (Finding("原ノートの式", printed, yours),),
        equation=yours.label,
        variant=yours.label,
    )
