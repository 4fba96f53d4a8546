"""突き合わせに使う問題と、その上での読者の最適化手法の足どり。"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from fumoto.hints import Arrays, Shape
from fumoto.printed.methods import MUON, Method

STEPS = 60


@dataclass(frozen=True)
class Problem:
    """重みの出発点と、``STEPS`` 回分の勾配。"""

    start: Arrays
    gradients: list[Arrays]


def make_problem(shapes: Mapping[str, Shape], dtype: DTypeLike, seed: int) -> Problem:
    """大きさが 1e-6 から 1e3(float32 では 1e2)の勾配。``never`` はいつも 0、ほかもときどき 0 になる。"""
    rng = np.random.default_rng(seed)
    largest = 3 if dtype == np.float64 else 2
    start = {key: np.asarray(rng.normal(size=shape), dtype) for key, shape in shapes.items()}
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
    return Problem(start, gradients)


PROBLEMS = (  # 最後のものは、どのキーも同じ形である
    make_problem({"W": (2, 3), "b": (3,), "scalar": (), "never": (2,)}, np.float64, 0),
    make_problem({"only": (4,)}, np.float64, 1),
    make_problem({"z": (2,), "a": (2,)}, np.float32, 2),
)

MATRIX_PROBLEMS = (  # 行列だけの手法に
    make_problem({"W": (2, 3), "V": (3, 2), "never": (2, 2)}, np.float64, 0),
    make_problem({"only": (3, 3)}, np.float64, 1),
    make_problem({"z": (2, 2), "a": (2, 2)}, np.float64, 2),
)


def problems_for(method: Method) -> tuple[Problem, ...]:
    """``method`` を走らせる問題。"""
    return MATRIX_PROBLEMS if method is MUON else PROBLEMS


@dataclass(frozen=True)
class Trajectory:
    """ステップごとの重み、最後の状態(読者が ``v`` などの名前で持っていれば)、読者に伝えること。"""

    problem: Problem
    params: list[Arrays]
    state: dict[str, dict[str, Any]]
    notes: tuple[str, ...]
