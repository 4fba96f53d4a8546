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
    inference = tuple(written_as(equations[label], formula) for label, formula in structure.at_inference)
    wrong = replaced(
        equations, *(written_as(equations[label], formula) for label, formula in structure.formulas)
    )
    return follow_equations(
        problems, wrong, values, batch_at_inference=structure.batch, at_inference=inference, **options
    )


def written_as(printed: Equation, formula: str) -> Equation:
    """候補の右辺 ``formula`` を、``printed`` の左辺を持つ式にする。ページの記号で書けなければ ``ValueError``。"""
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


def _mixed(mean_over: int | None, around: int | None, var_over: int | None) -> _ByHand:
    """平均と分散を、別の向き(None なら全部の要素)にとったもの。``around``: 分散をとるとき引く平均の向き。"""

    def run(problems: Problems, equations: Equations, h: Hyperparameters) -> Iterator[Found]:
        for problem in problems:
            outputs = []
            for batch in problem.batches:
                var = np.mean((batch.x - batch.x.mean(axis=around)) ** 2, axis=var_over)
                x_hat = (batch.x - batch.x.mean(axis=mean_over)) / np.sqrt(var + h["eps"])
                outputs.append(problem.gamma * x_hat + problem.beta)
            yield {TRAINING: outputs}

    return run


def _normalized_images(*axes: int) -> _ByHand:
    """画像の平均と分散を、(枚数, チャンネル, 高さ, 幅) のうち ``axes`` の向きにとったもの。画像でない問題では、何も出さない。"""

    def run(problems: Problems, equations: Equations, h: Hyperparameters) -> Iterator[Found]:
        for problem in problems:
            outputs = []
            for batch in problem.batches if problem.image else ():
                images = batch.x.reshape(*problem.image, -1)  # type: ignore[misc]
                last = tuple({0: 0, 1: 3, 2: 1, 3: 2}[axis] for axis in axes)
                mean, var = (f(images, axis=last, keepdims=True) for f in (np.mean, np.var))
                normal = ((images - mean) / np.sqrt(var + h["eps"])).reshape(batch.x.shape)
                outputs.append(problem.gamma * normal + problem.beta)
            yield {TRAINING: outputs or [np.zeros(0)] * len(problem.batches)}

    return run


def _slope(change: Callable[[Array, Array, Array], Array]) -> _ByHand:
    """入力の勾配の括弧の中を、届いた勾配 d、x̂、x - μ から求め直したもの。"""
    return _gradients(lambda p, b, x_hat, std: p.gamma / std * change(b.dout, x_hat, x_hat * std), INPUT)


def _mean(array: Array) -> Array:
    return array.mean(axis=0)


def _exchanged(problems: Problems, equations: Equations, h: Hyperparameters) -> Iterator[Found]:
    """γ と β の勾配が入れ替わったもの。"""
    for found in follow_equations(problems, equations, h):
        yield {GAMMA: found[BETA], BETA: found[GAMMA]}


def _gradients(change: Callable[[Any, Any, Array, Array], Array], stage: str) -> _ByHand:
    """勾配 1 つを、ミニバッチと γ と x̂ と標準偏差から求め直したもの。"""

    def run(problems: Problems, equations: Equations, h: Hyperparameters) -> Iterator[Found]:
        for problem in problems:
            values = []
            for batch in problem.batches:
                std = np.sqrt(batch.x.var(axis=0) + h["eps"])
                x_hat = (batch.x - batch.x.mean(axis=0)) / std
                values.append(change(problem, batch, x_hat, std))
            yield {stage: values}

    return run


def _by_images(first: bool, second: bool) -> _ByHand:
    """入力の勾配の和を、全部の画素の数でなく、画像の枚数で割ったもの。"""

    def change(p: Any, b: Any, x_hat: Array, std: Array) -> Array:
        more = len(b.x) / p.image[0] if p.image else 1.0
        sums = (more if first else 1.0) * _mean(b.dout), (more if second else 1.0) * _mean(b.dout * x_hat)
        return p.gamma / std * (b.dout - sums[0] - x_hat * sums[1])

    return _gradients(change, INPUT)


def _unbiased_by_images(problems: Problems, equations: Equations, h: Hyperparameters) -> Iterator[Found]:
    """移動平均の分散を、全部の画素の数でなく、画像の枚数 N で N / (N - 1) 倍したもの。"""
    for problem in problems:
        n = problem.image[0] if problem.image else len(problem.batches[0].x)
        formula = f"rho * s_t + (1 - rho) * {n} / ({n} - 1) * sigma_B**2"
        wrong = replaced(equations, written_as(equations[_RV], formula))
        yield from follow_equations((problem,), wrong, h)


def _dx(p: Any, b: Any, x_hat: Array, std: Array) -> Array:
    return p.gamma / std * (b.dout - _mean(b.dout) - x_hat * _mean(b.dout * x_hat))


BY_HAND: dict[str, _ByHand] = {
    "rows": _normalized(1),
    "whole variance": _mixed(0, 0, None),
    "variance of all": _mixed(0, None, None),
    "all": _normalized(None),
    "whole mean": _mixed(None, 0, 0),
    "around whole mean": _mixed(None, None, 0),
    "exchanged": _exchanged,
    "raw input": _gradients(lambda p, b, x_hat, std: np.sum(b.dout * b.x, axis=0), GAMMA),
    "centred input": _gradients(lambda p, b, x_hat, std: np.sum(b.dout * x_hat * std, axis=0), GAMMA),
    "output": _gradients(lambda p, b, x_hat, std: np.sum(b.dout * (p.gamma * x_hat + p.beta), axis=0), GAMMA),
    "scaled": _gradients(lambda p, b, x_hat, std: p.gamma * np.sum(b.dout * x_hat, axis=0), GAMMA),
    "scaled beta": _gradients(lambda p, b, x_hat, std: p.gamma * np.sum(b.dout, axis=0), BETA),
    "whole": _gradients(lambda p, b, x_hat, std: np.full_like(p.gamma, np.sum(b.dout * x_hat)), GAMMA),
    "whole beta": _gradients(lambda p, b, x_hat, std: np.full_like(p.gamma, np.sum(b.dout)), BETA),
    "passed on": _gradients(lambda p, b, x_hat, std: b.dout, INPUT),
    "centred": _slope(lambda d, x_hat, x_mu: d - _mean(d) - x_mu * _mean(d * x_hat)),
    "centred twice": _slope(lambda d, x_hat, x_mu: d - _mean(d) - x_mu * _mean(d * x_mu)),
    "sums": _slope(lambda d, x_hat, x_mu: d - d.sum(axis=0) - x_hat * np.sum(d * x_hat, axis=0)),
    "first not times N": _gradients(lambda p, b, x_hat, std: _dx(p, b, x_hat, std) - p.gamma / std * b.dout * (1 - 1 / len(b.x)), INPUT),
    "half variance": _slope(lambda d, x_hat, x_mu: d - _mean(d) - 0.5 * x_hat * _mean(d * x_hat)),
    "double variance": _slope(lambda d, x_hat, x_mu: d - _mean(d) - 2 * x_hat * _mean(d * x_hat)),
    "times N": _gradients(lambda p, b, x_hat, std: len(b.x) * _dx(p, b, x_hat, std), INPUT),
    "by images": _by_images(True, True),
    "by images, second": _by_images(False, True),
    "by images, first": _by_images(True, False),
    "unbiased by images": _unbiased_by_images,
    "instance": _normalized_images(2, 3),
    "pixels": _normalized_images(0),
    "one image": _normalized_images(1, 2, 3),
    "rows of images": _normalized_images(0, 3),
    "columns of images": _normalized_images(0, 2),
    "only gamma": _gradients(lambda p, b, x_hat, std: p.gamma * b.dout, INPUT),
}

_STD = "sqrt(sigma_B**2 + varepsilon)"
_RM, _RV = "eq-batchnorm-running-mean", "eq-batchnorm-running-var"
_MOVED = "mu_t"
_UNBIASED = "N / (N - 1) * sigma_B**2"

#: 名前 → 間違い。先のものほど、ありそうである。
STRUCTURE: dict[str, Structure] = {
    "forward/axis": Structure(TRAINING, "標本の向きではなく、列の向きに平均と分散をとっています(Layer Normalization の計算です)", by_hand="rows"),
    "forward/instance": Structure(TRAINING, "全部の画像でなく、画像 1 枚ごとに平均と分散をとっています(Instance Normalization の計算です)", by_hand="instance"),
    "forward/one-image": Structure(TRAINING, "チャンネルごとでなく、画像 1 枚ごとに、全部のチャンネルで平均と分散をとっています(Layer Normalization の計算です)", by_hand="one image"),
    "forward/pixels": Structure(TRAINING, "チャンネルごとでなく、画素の位置ごとに平均と分散をとっています", by_hand="pixels"),
    "forward/pixel-rows": Structure(TRAINING, "平均と分散を、画像の高さの向きにとっていません", by_hand="rows of images"),
    "forward/pixel-columns": Structure(TRAINING, "平均と分散を、画像の幅の向きにとっていません", by_hand="columns of images"),
    "forward/all": Structure(TRAINING, "列ごとでなく、全部の要素で 1 つの平均と分散をとっています", by_hand="all"),
    "forward/whole-mean": Structure(TRAINING, "平均を、列ごとでなく、全部の要素で 1 つにしています", by_hand="whole mean"),
    "forward/around-whole-mean": Structure(TRAINING, "平均を、列ごとでなく、全部の要素で 1 つにしています", by_hand="around whole mean"),
    "forward/whole-variance": Structure(TRAINING, "分散を、列ごとでなく、全部の要素で 1 つにしています", by_hand="whole variance"),
    "forward/variance-of-all": Structure(TRAINING, "分散を、列ごとでなく、全部の要素で 1 つにしています", by_hand="variance of all"),
    "forward/gamma-twice": Structure(TRAINING, "γ を 2 度掛けています", ((_SCALE, "gamma**2 * x_hat + beta"),)),
    "forward/no-mean": Structure(TRAINING, "平均を引いていません", ((_NORMALIZE, f"x / {_STD}"),)),
    "forward/exchanged": Structure(TRAINING, "γ と β が入れ替わっています", ((_SCALE, "beta * x_hat + gamma"),)),
    "forward/epsilon-twice": Structure(TRAINING, "ε を、根号の中と外の 2 か所に足しています", ((_NORMALIZE, f"(x - mu_B) / ({_STD} + varepsilon)"),)),
    "backward/exchanged": Structure(GAMMA, "γ と β の勾配が入れ替わっています", by_hand="exchanged", also=(BETA,)),
    "backward/raw-input": Structure(GAMMA, "x̂ でなく、正規化する前の x を掛けて足しています", by_hand="raw input"),
    "backward/centred-input": Structure(GAMMA, "x̂ でなく、標準偏差で割る前の x - μ を掛けて足しています", by_hand="centred input"),
    "backward/output": Structure(GAMMA, "x̂ でなく、出力 y を掛けて足しています", by_hand="output"),
    "backward/gamma-scaled": Structure(GAMMA, "γ の勾配に、余分な γ が掛かっています", by_hand="scaled"),
    "backward/gamma-whole": Structure(GAMMA, "列ごとでなく、全部の要素で足しています", by_hand="whole"),
    "backward/beta-scaled": Structure(BETA, "β の勾配に、余分な γ が掛かっています", by_hand="scaled beta"),
    "backward/beta-whole": Structure(BETA, "列ごとでなく、全部の要素で足しています", by_hand="whole beta"),
    "backward/passed-on": Structure(INPUT, "届いた勾配を、そのまま返しています", by_hand="passed on"),
    "backward/centred": Structure(INPUT, "2 つの x̂ のうち 1 つが、標準偏差で割る前の x - μ です", by_hand="centred"),
    "backward/centred-twice": Structure(INPUT, "2 つの x̂ が、2 つとも、標準偏差で割る前の x - μ です", by_hand="centred twice"),
    "backward/sums": Structure(INPUT, "2 つの和を、N で割って平均にしていません", by_hand="sums"),
    "backward/first-not-times-N": Structure(INPUT, "1 つ目の項に、N が掛かっていません(全体を N で割る書き方では、はじめの項は N 倍です)", by_hand="first not times N"),
    "backward/half-variance": Structure(INPUT, "分散を通る道が半分です(2 乗の微分の 2 が抜けていませんか)", by_hand="half variance"),
    "backward/double-variance": Structure(INPUT, "分散を通る道が 2 倍です(平方根の微分の 1/2 が抜けていませんか)", by_hand="double variance"),
    "backward/times-N": Structure(INPUT, "全体が N 倍です(N で割るのが抜けています)", by_hand="times N"),
    "backward/by-images": Structure(INPUT, "和を、全部の画素の数でなく、画像の枚数で割っています", by_hand="by images"),
    "backward/by-images-second": Structure(INPUT, "2 つ目の和を、全部の画素の数でなく、画像の枚数で割っています", by_hand="by images, second"),
    "backward/by-images-first": Structure(INPUT, "1 つ目の和を、全部の画素の数でなく、画像の枚数で割っています", by_hand="by images, first"),
    "backward/only-gamma": Structure(INPUT, "届いた勾配に γ を掛けただけで返しています", by_hand="only gamma"),
    "running/reversed": Structure(INFERENCE, "減衰率の意味が逆です(ρ を掛けるのは、これまでの平均の方です。PyTorch の momentum は 1 - ρ にあたります)", reversed_rate=True),
    "running/last-batch": Structure(INFERENCE, "移動平均をとらず、最後のミニバッチの平均と分散を推論に使っています", no_average=True),
    "running/mean-reversed": Structure(INFERENCE, "平均の移動平均だけ、減衰率の意味が逆です", ((_RM, "(1 - rho) * mu_t + rho * mu_B"),)),
    "running/var-reversed": Structure(INFERENCE, "分散の移動平均だけ、減衰率の意味が逆です", ((_RV, f"(1 - rho) * s_t + rho * {_UNBIASED}"),)),
    "running/var-reversed-biased": Structure(INFERENCE, "分散の移動平均だけ、減衰率の意味が逆です", ((_RV, "(1 - rho) * s_t + rho * sigma_B**2"),)),
    "running/still": Structure(INFERENCE, "移動平均が、はじめの値のまま動いていません", ((_RM, _MOVED), (_RV, "s_t"))),
    "running/mean-not-decayed": Structure(INFERENCE, "平均の移動平均で、これまでの平均に ρ を掛けていません", ((_RM, "mu_t + (1 - rho) * mu_B"),)),
    "running/var-not-decayed": Structure(INFERENCE, "分散の移動平均で、これまでの分散に ρ を掛けていません", ((_RV, f"s_t + (1 - rho) * {_UNBIASED}"),)),
    "running/var-not-decayed-biased": Structure(INFERENCE, "分散の移動平均で、これまでの分散に ρ を掛けていません", ((_RV, "s_t + (1 - rho) * sigma_B**2"),)),
    "running/unbiased-by-images": Structure(INFERENCE, "不偏分散の N / (N - 1) の N が、全部の画素の数でなく、画像の枚数です", by_hand="unbiased by images"),
    "running/mean-last": Structure(INFERENCE, "平均だけ、移動平均をとらず、最後のミニバッチのものを使っています", ((_RM, "mu_B"),)),
    "running/var-last": Structure(INFERENCE, "分散だけ、移動平均をとらず、最後のミニバッチのものを使っています", ((_RV, _UNBIASED),)),
    "running/standard-deviation": Structure(INFERENCE, "分散でなく、標準偏差の移動平均をとっています", ((_RV, "rho * s_t + (1 - rho) * sqrt(sigma_B**2)"),)),
    "running/standard-deviation-with-epsilon": Structure(INFERENCE, "分散でなく、標準偏差の移動平均をとっています", ((_RV, "rho * s_t + (1 - rho) * sqrt(sigma_B**2 + varepsilon)"),)),
    "running/mean-of-var": Structure(INFERENCE, "平均の移動平均に、分散を入れています", ((_RM, "rho * mu_t + (1 - rho) * sigma_B**2"),)),
    "running/var-of-mean": Structure(INFERENCE, "分散の移動平均に、平均を入れています", ((_RV, "rho * s_t + (1 - rho) * mu_B"),)),
    "running/var-from-mean": Structure(INFERENCE, "分散の移動平均を、これまでの分散でなく、平均の移動平均から作っています", ((_RV, f"rho * mu_next + (1 - rho) * {_UNBIASED}"),)),
    "running/var-from-mean-biased": Structure(INFERENCE, "分散の移動平均を、これまでの分散でなく、平均の移動平均から作っています", ((_RV, "rho * mu_next + (1 - rho) * sigma_B**2"),)),
    "running/var-from-old-mean": Structure(INFERENCE, "分散の移動平均を、これまでの分散でなく、平均の移動平均から作っています", ((_RV, f"rho * mu_t + (1 - rho) * {_UNBIASED}"),)),
    "running/var-from-old-mean-biased": Structure(INFERENCE, "分散の移動平均を、これまでの分散でなく、平均の移動平均から作っています", ((_RV, "rho * mu_t + (1 - rho) * sigma_B**2"),)),
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
