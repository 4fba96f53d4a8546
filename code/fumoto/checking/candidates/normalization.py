"""Batch Normalization の間違いのうち、式 1 本の書き間違いではないもの: 向き、移動平均の意味、推論で使う値、勾配の取り違え。"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fumoto.checking.candidates.equations import written
from fumoto.checking.computing.batchnorm import (
    FORWARD,
    INFERENCE,
    TRAINING,
    Found,
    Problem,
    follow_equations,
)
from fumoto.hints import Array, Hyperparameters
from fumoto.printed.equation import Equation, Equations, replaced

Problems = tuple[Problem, ...]
_ByHand = Callable[[Problems, Equations, Hyperparameters], Iterator[Found]]

GAMMA, BETA, INPUT = "γ の勾配", "β の勾配", "入力の勾配"
_MEAN, _VAR, _NORMALIZE, _SCALE = FORWARD


@dataclass(frozen=True)
class Structure:
    """間違い 1 つ。

    ``stage``: 違いの現れる段階。``words``: 読者に言う一文。``formulas``: (ラベル, 右辺)。代わりに使う式。``at_inference``: 推論でだけ、代わりに使う式。
    ``reversed_rate``: 減衰率 ρ を 1 - ρ にするか。``no_average``: 移動平均をとらないか。``batch``: 推論でミニバッチから求める式。
    ``by_hand``: 式で書けないものを計算する関数の名前(``BY_HAND``)。``also``: 同じ間違いの現れる、ほかの段階。
    """

    stage: str
    words: str
    formulas: tuple[tuple[str, str], ...] = ()
    at_inference: tuple[tuple[str, str], ...] = ()
    reversed_rate: bool = False
    no_average: bool = False
    batch: tuple[str, ...] = field(default=())
    by_hand: str = ""
    also: tuple[str, ...] = ()


def follow(
    structure: Structure,
    problems: Problems,
    equations: Equations,
    h: Hyperparameters,
    **options: Any,
) -> Iterable[Found]:
    """``structure`` のとおりに間違えて動かしたときの値。"""
    if structure.by_hand:
        return BY_HAND[structure.by_hand](problems, equations, h)
    rate = 1 - h["decay_rate"] if structure.reversed_rate else h["decay_rate"]
    values = {**h, "decay_rate": 0.0 if structure.no_average else rate}
    inference = tuple(_written(equations[label], formula) for label, formula in structure.at_inference)
    wrong = replaced(
        equations, *(_written(equations[label], formula) for label, formula in structure.formulas)
    )
    return follow_equations(
        problems, wrong, values, batch_at_inference=structure.batch, at_inference=inference, **options
    )


def _written(printed: Equation, formula: str) -> Equation:
    found = written(printed, formula)
    if found is None:
        raise ValueError(f"{printed.label} の記号では書けません: {formula}")
    return found


def _normalized(axis: int | None) -> _ByHand:
    """平均と分散を、``axis`` の向き(None なら全部の要素)にとったもの。"""

    def run(problems: Problems, equations: Equations, h: Hyperparameters) -> Iterator[Found]:
        for problem in problems:
            outputs = []
            for batch in problem.batches:
                mean, var = (f(batch.x, axis=axis, keepdims=True) for f in (np.mean, np.var))
                outputs.append(problem.gamma * (batch.x - mean) / np.sqrt(var + h["eps"]) + problem.beta)
            yield {TRAINING: outputs}

    return run


def _exchanged(problems: Problems, equations: Equations, h: Hyperparameters) -> Iterator[Found]:
    """γ と β の勾配が入れ替わったもの。"""
    for found in follow_equations(problems, equations, h):
        yield {GAMMA: found[BETA], BETA: found[GAMMA]}


def _gradients(change: Callable[[Any, Any, Array], Array], stage: str) -> _ByHand:
    """勾配 1 つを、ミニバッチと γ と x̂ から求め直したもの。"""

    def run(problems: Problems, equations: Equations, h: Hyperparameters) -> Iterator[Found]:
        for problem in problems:
            values = []
            for batch in problem.batches:
                x_hat = (batch.x - batch.x.mean(axis=0)) / np.sqrt(batch.x.var(axis=0) + h["eps"])
                values.append(change(problem, batch, x_hat))
            yield {stage: values}

    return run


BY_HAND: dict[str, _ByHand] = {
    "rows": _normalized(1),
    "all": _normalized(None),
    "exchanged": _exchanged,
    "raw input": _gradients(lambda p, b, x_hat: np.sum(b.dout * b.x, axis=0), GAMMA),
    "output": _gradients(lambda p, b, x_hat: np.sum(b.dout * (p.gamma * x_hat + p.beta), axis=0), GAMMA),
    "scaled": _gradients(lambda p, b, x_hat: p.gamma * np.sum(b.dout * x_hat, axis=0), GAMMA),
    "scaled beta": _gradients(lambda p, b, x_hat: p.gamma * np.sum(b.dout, axis=0), BETA),
    "whole": _gradients(lambda p, b, x_hat: np.full_like(p.gamma, np.sum(b.dout * x_hat)), GAMMA),
    "whole beta": _gradients(lambda p, b, x_hat: np.full_like(p.gamma, np.sum(b.dout)), BETA),
    "passed on": _gradients(lambda p, b, x_hat: b.dout, INPUT),
    "only gamma": _gradients(lambda p, b, x_hat: p.gamma * b.dout, INPUT),
}

_STD = "sqrt(sigma_B**2 + varepsilon)"
_RM, _RV = "eq-batchnorm-running-mean", "eq-batchnorm-running-var"
_MOVED = "mu_t"
_UNBIASED = "N / (N - 1) * sigma_B**2"

#: 名前 → 間違い。先のものほど、ありそうである。
STRUCTURE: dict[str, Structure] = {
    "forward/axis": Structure(TRAINING, "標本の向きではなく、列の向きに平均と分散をとっています(Layer Normalization の計算です)", by_hand="rows"),
    "forward/all": Structure(TRAINING, "列ごとでなく、全部の要素で 1 つの平均と分散をとっています", by_hand="all"),
    "forward/gamma-twice": Structure(TRAINING, "γ を 2 度掛けています", ((_SCALE, "gamma**2 * x_hat + beta"),)),
    "forward/no-mean": Structure(TRAINING, "平均を引いていません", ((_NORMALIZE, f"x / {_STD}"),)),
    "forward/exchanged": Structure(TRAINING, "γ と β が入れ替わっています", ((_SCALE, "beta * x_hat + gamma"),)),
    "forward/epsilon-twice": Structure(TRAINING, "ε を、根号の中と外の 2 か所に足しています", ((_NORMALIZE, f"(x - mu_B) / ({_STD} + varepsilon)"),)),
    "backward/exchanged": Structure(GAMMA, "γ と β の勾配が入れ替わっています", by_hand="exchanged", also=(BETA,)),
    "backward/raw-input": Structure(GAMMA, "x̂ でなく、正規化する前の x を掛けて足しています", by_hand="raw input"),
    "backward/output": Structure(GAMMA, "x̂ でなく、出力 y を掛けて足しています", by_hand="output"),
    "backward/gamma-scaled": Structure(GAMMA, "γ の勾配に、余分な γ が掛かっています", by_hand="scaled"),
    "backward/gamma-whole": Structure(GAMMA, "列ごとでなく、全部の要素で足しています", by_hand="whole"),
    "backward/beta-scaled": Structure(BETA, "β の勾配に、余分な γ が掛かっています", by_hand="scaled beta"),
    "backward/beta-whole": Structure(BETA, "列ごとでなく、全部の要素で足しています", by_hand="whole beta"),
    "backward/passed-on": Structure(INPUT, "届いた勾配を、そのまま返しています", by_hand="passed on"),
    "backward/only-gamma": Structure(INPUT, "届いた勾配に γ を掛けただけで返しています", by_hand="only gamma"),
    "running/reversed": Structure(INFERENCE, "減衰率の意味が逆です(ρ を掛けるのは、これまでの平均の方です。PyTorch の momentum は 1 - ρ にあたります)", reversed_rate=True),
    "running/last-batch": Structure(INFERENCE, "移動平均をとらず、最後のミニバッチの平均と分散を推論に使っています", no_average=True),
    "running/mean-reversed": Structure(INFERENCE, "平均の移動平均だけ、減衰率の意味が逆です", ((_RM, "(1 - rho) * mu_t + rho * mu_B"),)),
    "running/var-reversed": Structure(INFERENCE, "分散の移動平均だけ、減衰率の意味が逆です", ((_RV, f"(1 - rho) * s_t + rho * {_UNBIASED}"),)),
    "running/var-reversed-biased": Structure(INFERENCE, "分散の移動平均だけ、減衰率の意味が逆です", ((_RV, "(1 - rho) * s_t + rho * sigma_B**2"),)),
    "running/still": Structure(INFERENCE, "移動平均が、はじめの値のまま動いていません", ((_RM, _MOVED), (_RV, "s_t"))),
    "running/mean-last": Structure(INFERENCE, "平均だけ、移動平均をとらず、最後のミニバッチのものを使っています", ((_RM, "mu_B"),)),
    "running/var-last": Structure(INFERENCE, "分散だけ、移動平均をとらず、最後のミニバッチのものを使っています", ((_RV, _UNBIASED),)),
    "running/standard-deviation": Structure(INFERENCE, "分散でなく、標準偏差の移動平均をとっています", ((_RV, "rho * s_t + (1 - rho) * sqrt(sigma_B**2)"),)),
    "running/with-epsilon": Structure(INFERENCE, "移動平均の分散に、ε を足しています", ((_RV, f"rho * s_t + (1 - rho) * ({_UNBIASED} + varepsilon)"),)),
    "inference/batch-statistics": Structure(INFERENCE, "推論でも、移動平均ではなくそのミニバッチの平均と分散を使っています", batch=(_MEAN, _VAR)),
    "inference/batch-mean": Structure(INFERENCE, "推論で、平均だけ、移動平均ではなくそのミニバッチのものを使っています", batch=(_MEAN,)),
    "inference/batch-variance": Structure(INFERENCE, "推論で、分散だけ、移動平均ではなくそのミニバッチのものを使っています", batch=(_VAR,)),
    "inference/no-epsilon": Structure(INFERENCE, "推論で、ε を足していません", at_inference=((_NORMALIZE, "(x - mu_B) / sqrt(sigma_B**2)"),)),
    "inference/epsilon-outside": Structure(INFERENCE, "推論で、ε が根号の外にあります", at_inference=((_NORMALIZE, "(x - mu_B) / (sqrt(sigma_B**2) + varepsilon)"),)),
    "inference/no-root": Structure(INFERENCE, "推論で、平方根をとらず、分散で割っています", at_inference=((_NORMALIZE, "(x - mu_B) / (sigma_B**2 + varepsilon)"),)),
    "inference/no-division": Structure(INFERENCE, "推論で、標準偏差で割っていません", at_inference=((_NORMALIZE, "x - mu_B"),)),
    "inference/plus-mean": Structure(INFERENCE, "推論で、平均を引かずに足しています", at_inference=((_NORMALIZE, f"(x + mu_B) / {_STD}"),)),
    "inference/multiplied": Structure(INFERENCE, "推論で、標準偏差で割らずに掛けています", at_inference=((_NORMALIZE, f"(x - mu_B) * {_STD}"),)),
    "inference/unscaled": Structure(INFERENCE, "推論で、γ も β も使っていません", at_inference=((_SCALE, "x_hat"),)),
    "inference/no-beta": Structure(INFERENCE, "推論で、β を足していません", at_inference=((_SCALE, "gamma * x_hat"),)),
    "inference/no-gamma": Structure(INFERENCE, "推論で、γ を掛けていません", at_inference=((_SCALE, "x_hat + beta"),)),
    "inference/gamma-twice": Structure(INFERENCE, "推論で、γ を 2 度掛けています", at_inference=((_SCALE, "gamma**2 * x_hat + beta"),)),
    "inference/bracket": Structure(INFERENCE, "推論で、β にも γ が掛かっています", at_inference=((_SCALE, "gamma * (x_hat + beta)"),)),
    "inference/exchanged": Structure(INFERENCE, "推論で、γ と β が入れ替わっています", at_inference=((_SCALE, "beta * x_hat + gamma"),)),
    "inference/untouched": Structure(INFERENCE, "推論で、何もせずに入力を返しています", at_inference=((_SCALE, "x"),)),
}  # fmt: skip
