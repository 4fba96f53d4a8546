"""Batch Normalization の間違いのうち、式 1 本の書き間違いではないもの: 向き、移動平均の意味、推論で使う値。"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from fumoto.checking.computing.batchnorm import INFERENCE, PROBLEMS, TRAINING, Found, follow_equations
from fumoto.hints import Hyperparameters
from fumoto.printed.equation import Equations


def _across_columns(equations: Equations, hyperparameters: Hyperparameters, **options: Any) -> list[Found]:
    """標本ごとに、列の向きに平均と分散をとったもの。"""
    results = []
    for problem in PROBLEMS:
        outputs = []
        for batch in problem.batches:
            x = batch.x
            mean, var = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
            x_hat = (x - mean) / np.sqrt(var + hyperparameters["eps"])
            outputs.append(problem.gamma * x_hat + problem.beta)
        results.append({TRAINING: outputs})
    return results


#: 名前 → (違いの現れる段階, 説明, 間違えて動かす関数)。
STRUCTURE: dict[str, tuple[str, str, Callable[..., Iterable[Found]]]] = {
    "forward/axis": (
        TRAINING,
        "標本の向きではなく、列の向きに平均と分散をとっています(Layer Normalization の計算です)",
        _across_columns,
    ),
    "running/reversed": (
        INFERENCE,
        "減衰率の意味が逆です(ρ を掛けるのは、これまでの平均の方です)",
        lambda equations, h, **o: follow_equations(equations, {**h, "decay_rate": 1 - h["decay_rate"]}, **o),
    ),
    "running/last-batch": (
        INFERENCE,
        "移動平均をとらず、最後のミニバッチの平均と分散を推論に使っています",
        lambda equations, h, **o: follow_equations(equations, {**h, "decay_rate": 0.0}, **o),
    ),
    "inference/batch-statistics": (
        INFERENCE,
        "推論でも、移動平均ではなくそのミニバッチの平均と分散を使っています",
        lambda equations, h, **o: follow_equations(equations, h, batch_at_inference=True, **o),
    ),
}
