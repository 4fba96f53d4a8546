"""読者の最適化手法の足どりを、印刷された式だけから作った手法の足どりと比べる。"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fumoto.checking.computing.problems import Trajectory
from fumoto.hints import Array, Hyperparameters, Updates
from fumoto.printed import Method, PrintedOptimizer, Variant
from fumoto.printed.equation import Equations, replaced

RTOL = {"float64": 1e-9, "float32": 1e-4}


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
    """読者の最適化手法の足どりと、比べる相手の手法、引数、式。"""

    method: Method
    hyperparameters: Hyperparameters
    equations: Equations
    trajectories: list[Trajectory] = field(default_factory=list)

    def first_difference(
        self,
        method: Method,
        *mistakes: Variant,
        loop: type[PrintedOptimizer] = PrintedOptimizer,
        hyperparameters: Hyperparameters | None = None,
    ) -> Difference | None:
        """``method`` の式(``mistakes`` のところは間違えたもの)と違った最初の場所。最後まで同じなら None。"""
        equations = self._with(mistakes)
        with np.errstate(all="ignore"):
            for trajectory in self.trajectories:
                optimizer = loop(method, equations, **(hyperparameters or self.hyperparameters))
                difference = _compare(optimizer, trajectory)
                if difference is not None:
                    return difference
        return None

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
        with np.errstate(all="ignore"):
            _compare(optimizer, trajectory, to_the_end=True)
        shared = optimizer.state.keys() & trajectory.state.keys()
        return bool(shared) and all(
            close(trajectory.state[name].get(key), array, rtol=1e-6)
            for name in shared
            for key, array in optimizer.state[name].items()
        )

    def _with(self, mistakes: tuple[Variant, ...]) -> Equations:
        return replaced(self.equations, *(mistake.equation for mistake in mistakes))


def _compare(optimizer: Updates, trajectory: Trajectory, to_the_end: bool = False) -> Difference | None:
    """式の最適化手法を 1 つの問題の上で走らせ、読者の足どりと違った最初の場所を返す。"""
    params = {key: w.copy() for key, w in trajectory.problem.start.items()}
    for step, grads in enumerate(trajectory.problem.gradients, start=1):
        optimizer.update(params, grads)
        yours = trajectory.params[step - 1]
        for key, w in params.items():
            if not to_the_end and not close(yours[key], w, RTOL[w.dtype.name]):
                return Difference(step, key, yours[key], w.copy())
    return None


def close(yours: Any, expected: Array, rtol: float) -> bool:
    """``yours`` が ``expected`` と、丸めの範囲で同じか。"""
    try:
        return np.allclose(yours, expected, rtol=rtol, atol=rtol * 1e-3, equal_nan=True)
    except (TypeError, ValueError):  # 読者の状態が、比べられない形や型である
        return False
