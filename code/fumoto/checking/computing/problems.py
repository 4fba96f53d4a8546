"""突き合わせに使う問題と、その上での読者の最適化手法の足どり。"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from fumoto.hints import Array, Arrays, Hyperparameters, Shape
from fumoto.printed.methods import MUON, Method

STEPS = 60


@dataclass(frozen=True)
class Problem:
    """重みの出発点と、``STEPS`` 回分の勾配。

    ``disturbed``: もう 1 つのインスタンスとかわるがわる動かしたときと、勾配をいつも同じ配列に書いて渡したときに、
    足どりが変わらないかも調べ、少し違う引数でも走らせるか。
    """

    start: Arrays
    gradients: list[Arrays]
    disturbed: bool = False

    @cached_property
    def only_matrices(self) -> bool:
        """行列だけの問題か。"""
        return all(w.ndim == 2 for w in self.start.values())

    def only(self, keys: set[str]) -> "Problem":
        """``keys`` の重みだけの問題。"""
        gradients = [_only(grads, keys) for grads in self.gradients]
        return replace(self, start=_only(self.start, keys), gradients=gradients)


def make_problem(shapes: Mapping[str, Shape], dtype: DTypeLike, seed: int, **options: bool) -> Problem:
    """大きさが 1e-6 から 1e3(float32 では 1e2)の勾配。

    ``never`` はいつも 0、ほかもときどき 0 になる。``turned`` の要素は、転置した行列の順にメモリーに並ぶ。
    """
    rng = np.random.default_rng(seed)
    largest = 3 if dtype == np.float64 else 2
    start = {
        key: np.array(rng.normal(size=shape), dtype, order="F" if key == "turned" else "C")
        for key, shape in shapes.items()
    }
    gradients = []
    for step in range(STEPS):
        grads = {}
        for key, shape in shapes.items():
            size = rng.uniform(-6, largest, size=shape)
            if step == 0:  # はじめの勾配には、どの大きさもある
                size = np.linspace(-6, largest, size.size).reshape(shape)
            g = rng.normal(size=shape) * 10.0**size
            keep = 0.0 if key == "never" else (rng.random(size=shape) > 0.1)
            grads[key] = np.asarray(g * keep, dtype)
        gradients.append(grads)
    return Problem(start, gradients, **options)


LATE = 10  # ``late`` に勾配が 1 度だけ来るステップ(0 から)


def make_measured() -> Problem:
    """手法の反応を測る問題: はじめだけの勾配、途中の 1 度だけの勾配、いつも同じ勾配、その 10 倍の勾配。"""
    start = {key: np.array([1.0, -2.0]) for key in ("first", "late", "same", "tenfold")}
    g, nothing = np.array([1.0, -0.25]), np.zeros(2)
    gradients = [
        {
            "first": g if step == 0 else nothing,
            "late": g if step == LATE else nothing,
            "same": g,
            "tenfold": 10 * g,
        }
        for step in range(STEPS)
    ]
    return Problem(start, gradients)


MEASURED = make_measured()
_SHAPES = {
    "W": (2, 3),
    "b": (3,),
    "scalar": (),
    "never": (2,),
    "turned": (3, 2),
    "cube": (2, 1, 2),
    "empty": (0,),
}

PROBLEMS = (  # 最後のものは、どのキーも同じ形である
    make_problem(_SHAPES, np.float64, 0),
    make_problem({"only": (4,)}, np.float64, 1, disturbed=True),
    MEASURED,
    make_problem({"z": (2,), "a": (2,), "ab": (2,)}, np.float32, 2),
)

SAME_SHAPES = make_problem(dict.fromkeys("zadb", (4,)), np.float64, 3)  # 形が違うと走らないものに

MATRIX_PROBLEMS = (  # 行列だけの手法に
    make_problem({"W": (2, 3), "V": (3, 2), "never": (2, 2), "turned": (3, 2)}, np.float64, 0),
    make_problem({"only": (2, 3)}, np.float64, 1, disturbed=True),
    make_problem({"z": (2, 2), "a": (2, 2), "ab": (2, 2)}, np.float64, 2),
)


def problems_for(method: Method) -> tuple[Problem, ...]:
    """``method`` を走らせる問題。"""
    return MATRIX_PROBLEMS if method is MUON else PROBLEMS


def same_shapes_for(method: Method) -> Problem:
    """``method`` を走らせる問題のうち、重みの形がどれも同じもの。"""
    return MATRIX_PROBLEMS[-1] if method is MUON else SAME_SHAPES


@dataclass(frozen=True)
class Fault:
    """式と比べるまでもなく分かる、おかしなふるまい。``id``: 候補の表での名前。``step``: 1 から。"""

    id: str
    step: int
    key: str
    yours: Array
    expected: Array


@dataclass(frozen=True)
class Trajectory:
    """ステップごとの重み、最後の状態(読者が ``v`` などの名前で持っていれば)、読者に伝えること、おかしなふるまい。

    ``elsewhere``: 同じ問題を、少し違う引数 ``values`` で走らせた足どり(走らせたときだけ)。
    """

    problem: Problem
    params: list[Arrays]
    state: dict[str, dict[str, Any]]
    notes: tuple[str, ...]
    faults: tuple[Fault, ...] = ()
    elsewhere: "Trajectory | None" = None
    values: Hyperparameters = field(default_factory=dict)

    @cached_property
    def tolerances(self) -> dict[tuple[Any, ...], Array]:
        """比べるときに許すずれの、計算したもの。"""
        return {}

    @cached_property
    def ends_finite(self) -> bool:
        """終わりの重みの、どの要素も有限か。"""
        return all(np.all(np.isfinite(w)) for w in self.params[-1].values())

    @cached_property
    def lost_at(self) -> int:
        """どの要素も有限でなくなったステップ(そのあとには、比べるものがない)。なければ 0。"""
        steps = enumerate(self.params, start=1)
        return next((step for step, params in steps if not any(np.isfinite(w).any() for w in params.values())), 0)

    @cached_property
    def elements(self) -> int:
        """重みの要素の数。"""
        return sum(w.size for w in self.problem.start.values())

    @cached_property
    def in_float32(self) -> bool:
        """どの重みも、float32 で表せる値か(重みを float32 に丸めているか)。"""
        with np.errstate(all="ignore"):
            every = (np.array_equal(w, w.astype(np.float32), equal_nan=True) for params in self.params for w in params.values())
            return all(every)

    @cached_property
    def largest(self) -> list[Arrays]:
        """ステップごとの、それまでに要素がとったいちばん大きな絶対値。丸め誤差は、これに比例する。"""
        return self._running(lambda largest, w, before: np.fmax(largest, _size(w)), _size)

    @cached_property
    def walked(self) -> list[Arrays]:
        """ステップごとの、それまでに要素が動いた道のり。"""
        return self._running(lambda path, w, before: path + _size(w - before), np.zeros_like)

    def _running(self, add: Any, first: Any) -> list[Arrays]:
        total = {key: first(np.asarray(w, np.float64)) for key, w in self.problem.start.items()}
        before, found = self.problem.start, []
        with np.errstate(all="ignore"):
            for params in self.params:
                total = {key: add(total[key], params[key].astype(np.float64), before[key]) for key in total}
                before = params
                found.append(total)
        return found

    def only(self, keys: set[str]) -> "Trajectory":
        """``keys`` の重みだけの足どり。"""
        params = [_only(w, keys) for w in self.params]
        state = {
            name: {key: a for key, a in arrays.items() if key in keys} for name, arrays in self.state.items()
        }
        elsewhere = self.elsewhere and self.elsewhere.only(keys)
        return replace(self, problem=self.problem.only(keys), params=params, state=state, elsewhere=elsewhere)


def _only(arrays: Arrays, keys: set[str]) -> Arrays:
    return {key: array for key, array in arrays.items() if key in keys}


def _size(w: Array) -> Array:
    """絶対値。有限でなければ 0。"""
    return np.where(np.isfinite(w), np.abs(w), 0.0)
