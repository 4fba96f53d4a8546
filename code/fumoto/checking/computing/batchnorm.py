"""Batch Normalization を、印刷された式のとおりに動かし、読者の値と比べる: 学習中の出力、勾配、推論の出力。"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fumoto.hints import Array, Hyperparameters

if TYPE_CHECKING:  # SymPy を読み込まずに、読者のコードを走らせられるように
    from fumoto.printed.equation import Equation, Equations

FORWARD = ("eq-batchnorm-mean", "eq-batchnorm-var", "eq-batchnorm-normalize", "eq-batchnorm-scale")
RUNNING = ("eq-batchnorm-running-mean", "eq-batchnorm-running-var")
STAGES = {  # 比べる順: 何を → どの式の間違いを疑うか
    "学習中の出力": FORWARD,
    "γ の勾配": ("eq-batchnorm-dgamma",),
    "β の勾配": ("eq-batchnorm-dbeta",),
    "入力の勾配": ("eq-batchnorm-dx",),
    "推論の出力": RUNNING,
}
TRAINING, INFERENCE = "学習中の出力", "推論の出力"
GRADIENTS = tuple(stage for stage in STAGES if stage not in (TRAINING, INFERENCE))

Found = dict[str, list[Array]]  # 比べる段階 → 値


@dataclass(frozen=True)
class Batch:
    """学習のミニバッチ 1 つと、その出力に届く勾配。"""

    x: Array
    dout: Array


@dataclass(frozen=True)
class Problem:
    """γ、β、学習のミニバッチ、推論の入力。

    ``image``: 入力が画像なら、(枚数, 高さ, 幅)。行は、画像 1 枚ずつの画素 1 つずつ、列はチャンネルになる。
    """

    gamma: Array
    beta: Array
    batches: list[Batch]
    x_test: Array
    image: tuple[int, int, int] | None = None


def make_problem(samples: int, columns: int, seed: int, tests: int = 5) -> Problem:
    """学習の 3 つのミニバッチと、推論の入力。列ごとに尺度が違い、小さな分散の列と一定の列がある。"""
    rng = np.random.default_rng(seed)
    scale = 10.0 ** np.linspace(1, -2.5, columns)
    scale[1:][-1:] = 0.0
    center = rng.normal(size=columns)
    batches = [
        Batch(center + scale * rng.normal(size=(samples, columns)), rng.normal(size=(samples, columns)))
        for _ in range(3)
    ]
    gamma, beta = rng.uniform(0.5, 2.0, columns), rng.normal(size=columns)
    return Problem(gamma, beta, batches, center + rng.normal(size=(tests, columns)))


def image_problem(image: tuple[int, int, int], channels: int, seed: int) -> Problem:
    """画像 (枚数, 高さ, 幅) の問題。平均と分散は、チャンネルごとに、全部の画像の全部の画素からとる。"""
    pixels = math.prod(image)
    return replace(make_problem(pixels, channels, seed, tests=pixels), image=image)


def problems_of(columns: int) -> tuple[Problem, ...]:
    """列の数が決まっているときの問題。"""
    return tuple(make_problem(samples, columns, seed) for seed, samples in enumerate((6, max(columns, 3), 2)))


def image_problems_of(channels: int) -> tuple[Problem, ...]:
    """チャンネルの数が決まっているときの、画像の問題。"""
    return tuple(image_problem(image, channels, seed) for seed, image in enumerate(_IMAGES))


_IMAGES = ((3, 2, 4), (2, 4, 3), (4, 3, 2))  # 向きの取り違えが現れるように、どの数も違う
PROBLEMS = (make_problem(6, 4, 0), make_problem(5, 5, 1), make_problem(2, 3, 2))  # 2 つ目は標本と列の数が同じ
IMAGE_PROBLEMS = tuple(image_problem(image, 5 + seed, seed) for seed, image in enumerate(_IMAGES))


@dataclass(frozen=True)
class Yours:
    """読者の値。``found``: 問題ごとの値。動かせなかった段階は、ない。``problems``: その問題。"""

    found: Sequence[Found]
    problems: tuple[Problem, ...]

    def stages(self) -> list[str]:
        """比べられる段階。比べる順に。"""
        return [stage for stage in STAGES if all(stage in found for found in self.found)]


def follow_equations(
    problems: Iterable[Problem], equations: "Equations", hyperparameters: Hyperparameters, **options: Any
) -> Iterator[Found]:
    """``problems`` の上で、式のとおりに動かしたときの値を、順に。違いが見つかれば、残りの問題は計算しなくてよい。

    ``batch_at_inference``: 推論でも、移動平均の代わりにそのミニバッチから求める式のラベル(平均、分散)。
    ``start_var``: 分散の移動平均の出発点。``at_inference``: 推論でだけ、代わりに使う式。
    """
    for problem in problems:
        with np.errstate(all="ignore"):
            found = _run(equations, hyperparameters, problem, **options)
        yield found


def _run(
    equations: "Equations",
    hyperparameters: Hyperparameters,
    problem: Problem,
    batch_at_inference: tuple[str, ...] = (),
    start_var: float = 1.0,
    at_inference: "tuple[Equation, ...]" = (),
) -> Found:
    gamma, beta, x_test = problem.gamma, problem.beta, problem.x_test
    known: dict[str, Any] = {
        "gamma": gamma,
        "beta": beta,
        "rho": hyperparameters["decay_rate"],
        "varepsilon": hyperparameters["eps"],
        "mu_t": np.zeros_like(gamma),
        "s_t": np.full_like(gamma, start_var),
    }
    found: Found = {stage: [] for stage in STAGES}

    def compute(*labels: str) -> Array:
        for label in labels:
            equation = equations[label]
            known[equation.name] = equation.evaluate(**{s: known[s] for s in equation.symbols})
            if equation.name == "sigma_B_squared":
                known["sigma_B"] = np.sqrt(known["sigma_B_squared"])
        return known[equation.name]

    for batch in problem.batches:
        known |= {"x": batch.x, "d": batch.dout, "N": len(batch.x)}
        found["学習中の出力"].append(compute(*FORWARD))
        found["γ の勾配"].append(compute("eq-batchnorm-dgamma"))
        found["β の勾配"].append(compute("eq-batchnorm-dbeta"))
        found["入力の勾配"].append(compute("eq-batchnorm-dx"))
        compute(*RUNNING)
        known |= {"mu_t": known["mu_next"], "s_t": known["s_next"]}
    known |= {"x": x_test, "N": len(x_test), "mu_B": known["mu_t"], "sigma_B": np.sqrt(known["s_t"])}
    averages = {name: known[name] for name in ("mu_B", "sigma_B")}
    if batch_at_inference:
        compute(*FORWARD[:2])
        for label, name in zip(FORWARD, averages, strict=False):
            if label not in batch_at_inference:
                known[name] = averages[name]
    if at_inference:  # 読み込みの遅い SymPy は、式を替えるときにだけ
        from fumoto.printed.equation import replaced

        equations = replaced(equations, *at_inference)
    found["推論の出力"].append(compute(*FORWARD[2:]))
    return found


def same(stage: str, yours: Yours, expected: Iterable[Found]) -> bool:
    """どの問題でも、``stage`` の値が同じか。float32 で計算する実装は、その精度で比べる。"""
    for mine, printed in zip(yours.found, expected, strict=True):
        single = any(array.dtype == np.float32 for arrays in mine.values() for array in arrays)
        tolerance = {"rtol": 1e-3, "atol": 1e-3} if single else {"rtol": 1e-6, "atol": 1e-8}
        for a, b in zip(mine[stage], printed[stage], strict=True):
            if a.shape != b.shape or not np.allclose(a, b, equal_nan=True, **tolerance):
                return False
    return True
