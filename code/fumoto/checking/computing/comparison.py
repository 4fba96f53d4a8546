"""読者の最適化手法の足どりを、印刷された式だけから作った手法の足どりと比べる。

許すずれは、丸め誤差の上限から決める。1 回の計算は ``eps`` × 重みの大きさ だけずれ、慣性のある手法ではそれが速度に残って
毎回足されるので、k ステップでは k² に比例しうる。1 - β の引き算は、有効数字を 1/(1 - β) 倍だけ失う。途中の計算だけが float32 なら、ずれるのは
歩みであって、重みではない。
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from fumoto.checking.computing.problems import Trajectory
from fumoto.hints import Array, Hyperparameters, Updates
from fumoto.printed import Method, PrintedOptimizer, Variant
from fumoto.printed.equation import Equations, replaced

FRACTIONS = ("momentum", "decay_rate", "beta1", "beta2")
_TOO_LARGE = 1e12  # float32 では、これより大きな重みの途中の計算が、いつあふれるか分からない
_ENOUGH = 12  # これだけの要素が有限の値のまま動いて一致しなければ、一致とは言わない
_OVERFLOWING = 1e-10  # いちばん大きな数のこれだけ倍より大きければ、あふれる手前である


@dataclass(frozen=True)
class Difference:
    """はじめて違ったところ。``step``: 1 から。"""

    step: int
    key: str
    yours: Array
    expected: Array

    def __str__(self) -> str:
        return (
            f"はじめて違うのは {self.step} ステップ目の params[{self.key!r}] です。"
            f"\nあなたの値: {self.yours}\n式の値:     {self.expected}"
        )


@dataclass(frozen=True)
class Comparison:
    """読者の最適化手法の足どりと、比べる相手の手法、引数、式。``written``: 読者のコードに書かれた小数。どれが何かは、分からない。"""

    method: Method
    hyperparameters: Hyperparameters
    equations: Equations
    trajectories: list[Trajectory] = field(default_factory=list)
    written: tuple[float, ...] = ()

    def first_difference(
        self,
        method: Method,
        *mistakes: Variant,
        hyperparameters: Hyperparameters | None = None,
    ) -> Difference | None:
        """``method`` の式(``mistakes`` のところは間違えたもの)と違った最初の場所。最後まで同じなら None。

        印刷されたとおりの式なら、少し違う引数で走らせた足どりとも比べる。
        """
        equations = self._with(mistakes)
        values = hyperparameters or self.hyperparameters
        difference = self.departs_from(lambda: PrintedOptimizer(method, equations, **values))
        elsewhere = self.elsewhere
        if difference is not None or elsewhere is None or mistakes or method is not self.method:
            return difference
        return elsewhere.departs_from(
            lambda: PrintedOptimizer(method, equations, **elsewhere.hyperparameters)
        )

    @property
    def elsewhere(self) -> "Comparison | None":
        """少し違う引数で走らせた足どりとの比較。走らせていなければ None。"""
        paths = [path.elsewhere for path in self.trajectories if path.elsewhere is not None]
        if not paths:
            return None
        values = {**self.hyperparameters, **paths[0].values}
        own = {name: value for name, value in values.items() if name in self.method.hyperparameters}
        return replace(self, hyperparameters=own, trajectories=paths)

    @property
    def telling_elsewhere(self) -> "Comparison | None":
        """少し違う引数での比較。走らせていないか、判断できなければ None。"""
        elsewhere = self.elsewhere
        return elsewhere if elsewhere is not None and elsewhere.tells else None

    def departs_from(
        self, make: Callable[[], Updates], precision: DTypeLike = np.float64
    ) -> Difference | None:
        """``make()`` の作る手法と違った最初の場所。最後まで同じなら None。

        ``precision``: 読者が途中の計算に使っているとみなす精度。重みの精度より細かければ、重みの精度で比べる。
        """
        for trajectory in self.trajectories:
            for fault in trajectory.faults:
                return Difference(fault.step, fault.key, fault.yours, fault.expected)
        with np.errstate(all="ignore"):
            for trajectory in self.trajectories:
                difference = _compare(make(), trajectory, precision, self._lost)
                if difference is not None:
                    return difference
        return None if self.tells else self._first_move()

    @cached_property
    def smallest_first(self) -> "Comparison":
        """小さな問題から比べるもの。nan になった足どりは、どの候補とも同じに見えるので、後にする。"""
        ordered = sorted(self.trajectories, key=lambda path: (not path.ends_finite, path.elements))
        return replace(self, trajectories=ordered)

    @property
    def tells(self) -> bool:
        """判断できるだけ動いた足どりがあるか。はじめの数歩で nan になれば、どの候補とも同じに見える。"""
        return any(map(_tells, self.trajectories))

    def agrees_on(self, path: Trajectory, expected: Trajectory, key: str) -> bool:
        """``path`` の ``key`` の重みだけが、``expected`` のものと最後まで同じか。"""
        steps = enumerate(zip(path.params, expected.params, strict=True), start=1)
        with np.errstate(all="ignore"):
            return not any(
                np.any(_off(path, step, key, w[key], np.float64, self._lost)) for step, (_, w) in steps
            )

    def follows(self, method: Method, *mistakes: Variant, **options: Any) -> bool:
        """読者の足どりが、``method`` の式(``mistakes`` のところは間違えたもの)と最後まで同じか。"""
        try:
            return self.first_difference(method, *mistakes, **options) is None
        except (KeyError, ValueError):  # この手法の中では手に入らない値を使うか、形の合わない間違い
            return False

    def has_state_of(self, method: Method, *mistakes: Variant) -> bool:
        """重みだけでなく、読者の持つ状態まで同じか(重みの動きが同じ間違いを見分けるため)。"""
        optimizer = PrintedOptimizer(method, self._with(mistakes), **self.hyperparameters)
        trajectory = self.trajectories[0]
        params = {key: w.copy() for key, w in trajectory.problem.start.items()}
        with np.errstate(all="ignore"):
            for grads in trajectory.problem.gradients:
                optimizer.update(params, grads)
        return same_state(trajectory, optimizer.state)

    def _with(self, mistakes: tuple[Variant, ...]) -> Equations:
        return replaced(self.equations, *(mistake.equation for mistake in mistakes))

    @property
    def _lost(self) -> float:
        """1 - β の引き算が失う有効数字: 誤差が何倍になるか。"""
        return max(
            [1.0, *(1 / (1 - value) for name, value in self.hyperparameters.items() if name in FRACTIONS)]
        )

    def _first_move(self) -> Difference:
        """有限の値のまま動いたところがないときの、はじめのところ。"""
        trajectory = self.trajectories[0]
        key = next(iter(trajectory.problem.start))
        return Difference(1, key, trajectory.params[0][key], trajectory.problem.start[key])


def tolerance(trajectory: Trajectory, step: int, key: str, precision: DTypeLike, lost: float) -> Array:
    """``step`` ステップ目(1 から)の ``params[key]`` に許すずれ。"""
    asked = step, key, precision, lost
    if asked not in trajectory.tolerances:  # どの候補にも同じ
        trajectory.tolerances[asked] = _tolerance(trajectory, step, key, precision, lost)
    return trajectory.tolerances[asked]


def _tolerance(trajectory: Trajectory, step: int, key: str, precision: DTypeLike, lost: float) -> Array:
    own = np.finfo(trajectory.problem.start[key].dtype).eps
    coarser = max(np.finfo(precision).eps - own, 0.0)
    largest, walked = trajectory.largest[step - 1][key], trajectory.walked[step - 1][key]
    if trajectory.problem.only_matrices:  # 行列の積では、どの要素の丸め誤差も、いちばん大きな要素に比例する
        largest, walked = largest.max(), walked.max()
    allowed = own * (2 * (step + 1) ** 2 * largest + 2 * lost * walked)
    rounded = 2 * (step + 1) * largest if trajectory.in_float32 else 0.0
    return allowed + coarser * (rounded + 2 * lost * walked) + np.finfo(np.float64).tiny


def _compare(
    optimizer: Updates, trajectory: Trajectory, precision: DTypeLike, lost: float
) -> Difference | None:
    """式の最適化手法を 1 つの問題の上で走らせ、読者の足どりと違った最初の場所を返す。"""
    params = {key: w.copy(order="K") for key, w in trajectory.problem.start.items()}
    for step, grads in enumerate(trajectory.problem.gradients, start=1):
        optimizer.update(params, grads)
        yours = trajectory.params[step - 1]
        for key, w in params.items():
            if np.any(_off(trajectory, step, key, w, precision, lost)):
                return Difference(step, key, yours[key], w.copy())
        if step == trajectory.lost_at:
            return None
    return None


def _off(
    trajectory: Trajectory, step: int, key: str, expected: Array, precision: DTypeLike, lost: float
) -> Array:
    """要素ごとに、読者の重みが ``expected`` と、丸め誤差より大きく違うか。"""
    yours = trajectory.params[step - 1][key]
    apart = np.abs(yours - expected) > tolerance(trajectory, step, key, precision, lost)
    finite = np.where(np.isfinite(yours), yours, expected)  # あふれる手前では、掛ける順で、あふれるかどうかが変わる
    overflowing = np.abs(finite) > np.finfo(expected.dtype).max * _OVERFLOWING
    apart = np.where(np.isfinite(yours) != np.isfinite(expected), ~overflowing, apart)
    huge = np.abs(expected) > _TOO_LARGE  # ここまで大きくなるあいだに、丸め誤差も何倍にもなる
    if not huge.any():
        return apart
    return apart & ~(huge & ((expected.dtype == np.float32) | (np.abs(yours / expected - 1) < 1e-3)))


def _tells(trajectory: Trajectory) -> bool:
    """どの値も有限か、有限の値のまま動いた要素が、判断に足りるだけあるか(nan どうしの一致は、一致に数えない)。

    数えるのは、勾配のある要素だけ。勾配のない要素は、重みの減衰でも動く。
    """
    if trajectory.ends_finite:
        return True
    before, moved = trajectory.problem.start, 0
    for params, grads in zip(trajectory.params, trajectory.problem.gradients, strict=True):
        for key, w in params.items():
            moved += int(np.sum(np.isfinite(w) & (w != before[key]) & (grads[key] != 0)))
        before = params
    return moved >= _ENOUGH


def same_state(trajectory: Trajectory, state: Mapping[str, Mapping[Any, Array]]) -> bool:
    """読者の持つ状態が、``state`` と同じか。同じ名前のものがなければ False。"""
    shared = state.keys() & trajectory.state.keys()
    return bool(shared) and all(
        close(trajectory.state[name].get(key), array, rtol=1e-6)
        for name in shared
        for key, array in state[name].items()
    )


def close(yours: Any, expected: Array, rtol: float) -> bool:
    """``yours`` が ``expected`` と、丸めの範囲で同じか。"""
    try:
        return np.allclose(yours, expected, rtol=rtol, atol=rtol * 1e-3, equal_nan=True)
    except (TypeError, ValueError):  # 読者の状態が、比べられない形や型である
        return False
