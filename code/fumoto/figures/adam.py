"""5 章の図と表。"""

from collections.abc import Iterable

import numpy as np

from fumoto.experiments.adam import (
    Bias,
    Dedented,
    FirstPaths,
    MovingAverage,
    Overshoot,
    TwoForms,
    Valleys,
    WrongEnd,
)
from fumoto.experiments.defaults import Defaults
from fumoto.figures.looks import BLUE, GRAY, METHOD_LOOKS, RED, SERIES_LOOKS
from fumoto.figures.paths import path_picture
from fumoto.figures.style import Picture, draw, legend_above
from fumoto.figures.table import Table
from fumoto.surfaces import bowl

_SYMBOLS = {
    "lr": r"\eta",
    "momentum": r"\alpha",
    "decay_rate": r"\rho",
    "beta1": r"\beta_1",
    "beta2": r"\beta_2",
    "start": "h_0",
    "eps": r"\varepsilon",
}


def first_paths(result: FirstPaths) -> Picture:
    """RMSProp の道と、Adam の道。"""
    return path_picture("adam-paths", bowl, result.paths)


def defaults_table(methods: Iterable[Defaults]) -> Table:
    """手法の、重み 1 つにつき覚えておく数と、引数の既定値。引数ごとに 1 行。"""
    rows = []
    for method in methods:
        first = [method.name, str(method.memory)]
        for argument in {**method.here, **method.pytorch}:
            values = (method.here, method.pytorch, method.keras)
            rows.append(
                [*first, f"${_SYMBOLS[argument]}$", *(_number(known.get(argument)) for known in values)]
            )
            first = ["", ""]
    return Table(["手法", "覚える数", "引数", "この本", "PyTorch", "Keras"], rows, words=True)


def _number(value: float | None) -> str:
    """小さな数は 10 のべきで書く。引数がなければ「なし」。

    >>> _number(1e-8), _number(0.001), _number(None)
    ('$10^{-8}$', '0.001', 'なし')
    """
    if value is None:
        return "なし"
    mantissa, _, exponent = f"{value:g}".partition("e")
    return f"$10^{{{int(exponent)}}}$" if exponent and mantissa == "1" else f"{value:g}"


@draw
def valleys(result: Valleys) -> Picture:
    """条件数に対する、谷底に近づくまでの歩数。"""
    picture = Picture(f"valleys-{result.angle:g}", height=3.9)
    ax = picture.axes
    for name, steps in result.steps.items():
        look = METHOD_LOOKS["SGD" if name == "GD" else name]
        ax.plot(result.kappas, steps, **look.line(marker=look.marker, markersize=6, label=name))
    ax.set(xscale="log", yscale="log", ylim=(2, 5000), xlabel=r"条件数 $\kappa$", ylabel="歩数")
    legend_above(picture, ax, 2)
    return picture


@draw
def wrong_end(result: WrongEnd) -> Picture:
    """線分の上の、Adam と AMSGrad の位置。"""
    picture = Picture("wrong-end", height=3.2)
    ax = picture.axes
    for (name, places), look in zip(
        result.places.items(), (METHOD_LOOKS["Adam"], SERIES_LOOKS[0]), strict=True
    ):
        every = len(places) // 8
        ax.plot(places, **look.line(marker=look.marker, markevery=every, markersize=6, label=name))
    ax.set(xlabel="ステップ $t$", ylabel="位置 $w_t$", yticks=[-1, 0, 1])
    ax.legend(loc="center right")
    return picture


@draw
def moving_average(result: MovingAverage) -> Picture:
    """過去の勾配にかかる重みと、一定の勾配のもとでの歩幅。"""
    picture = Picture("moving-average", 2, 1, height=5.2)
    weights, steps = picture.axes
    k = np.arange(len(result.weights))
    adagrad = METHOD_LOOKS["AdaGrad"]
    rmsprop = METHOD_LOOKS["RMSProp"]
    weights.plot(k, result.weights / result.weights[0], **{**rmsprop.line(label="RMSProp"), "linestyle": "-"})
    weights.plot(k, np.ones_like(result.weights), **adagrad.line(label="AdaGrad(全部同じ重み)"))
    weights.axvline(result.window, color=GRAY, linestyle=":")
    weights.text(result.window + 6, 0.82, r"$1/(1-\rho)$ = " + f"{result.window:.0f} 回前", color=GRAY)
    weights.set(xlabel="何回前の勾配か $k$", ylabel="重み(最新を 1 として)", ylim=(0, 1.1))
    weights.legend(loc="center right")
    t = np.arange(1, len(result.steps) + 1)
    steps.plot(t, result.steps, color=BLUE)
    steps.axhline(1, color=GRAY, linestyle=":")
    steps.set(
        xscale="log",
        xlabel="ステップ $t$",
        ylabel=r"歩幅 / $\eta$",
        title="勾配が一定のときの RMSProp の歩幅",
    )
    return picture


@draw
def bias(result: Bias) -> Picture:
    """m の平均と、補正した m の平均。"""
    picture = Picture("bias", height=3.3)
    ax = picture.axes
    ax.plot(result.t, 1 - result.beta1**result.t, color=GRAY, label=r"$1-\beta_1^t$(計算)")
    ax.plot(result.t, result.mean, "o", color=BLUE, markersize=4, label="$m_t$ の平均(測った値)")
    ax.plot(result.t, result.corrected, "s", color=RED, markersize=4, label=r"$\hat{m}_t$ の平均(測った値)")
    ax.axhline(1, color=GRAY, linewidth=0.8, linestyle=":")
    ax.set(xlabel="ステップ $t$", ylabel="勾配の平均を 1 として", ylim=(0, 1.15))
    ax.legend(loc="lower right")
    return picture


@draw
def overshoot(result: Overshoot) -> Picture:
    """補正のない Adam の歩幅が、補正のある Adam の何倍か(横軸は対数)。"""
    picture = Picture("overshoot", height=3.3)
    ax = picture.axes
    ax.plot(result.t, result.ratio, color=RED)
    ax.axhline(1, color=GRAY, linestyle=":")
    ax.plot(result.worst_t, result.worst_ratio, "o", color=RED)
    ax.annotate(
        f"{result.worst_t} 歩目に {result.worst_ratio:.2f} 倍",
        (result.worst_t, result.worst_ratio),
        (30, result.worst_ratio - 0.1),
    )
    ax.plot(result.recovered_t, 1.01, "s", color=BLUE)
    ax.annotate(f"{result.recovered_t} 歩で 1 % 以内", (result.recovered_t, 1.01), (600, 1.6), color=BLUE)
    ax.set(
        xscale="log", xlabel="ステップ $t$(対数目盛)", ylabel="歩幅の比(補正なし / 補正あり)", ylim=(0, 7.2)
    )
    return picture


@draw
def two_forms(result: TwoForms) -> Picture:
    """勾配の大きさに対する、Adam の 2 つの形の最初の一歩。"""
    picture = Picture("two-forms", height=3.3)
    ax = picture.axes
    ax.plot(result.gradients, result.algorithm1, **SERIES_LOOKS[0].line(marker="o", label="アルゴリズム 1"))
    ax.plot(
        result.gradients,
        result.lr_t_form,
        **SERIES_LOOKS[1].line(marker="s", label="学習率にまとめた形"),
    )
    ax.axvline(result.eps, color=GRAY, linestyle=":")
    ax.text(1.3 * result.eps, 0.93, r"$\varepsilon$", color=GRAY)
    ax.set(xscale="log", xlabel="勾配の大きさ $|g|$", ylabel=r"最初の一歩 / $\eta$")
    ax.legend()
    return picture


@draw
def dedented(result: Dedented) -> Picture:
    """字下げの正しい Adam と原ノートの Adam の、MNIST の損失。"""
    picture = Picture("dedented", height=3.2)
    ax = picture.axes
    ax.plot(
        result.right_losses,
        **SERIES_LOOKS[0].line(label=f"正しい字下げ: 配列 {len(result.right_moved)} 個が動く"),
    )
    ax.plot(
        result.notes_losses, **SERIES_LOOKS[1].line(label=f"原ノート: {len(result.notes_moved)} 個だけが動く")
    )
    ax.set(xlabel="ステップ", ylabel="損失", ylim=(0, 2.6))
    ax.legend(loc="center right")
    return picture
