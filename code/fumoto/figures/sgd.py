"""2 章の図。"""

import numpy as np

from fumoto.experiments.sgd import ConvergenceLimit, GradientNoise, LearningRates
from fumoto.figures.looks import BLACK, BLUE, GRAY, RED, SERIES_LOOKS
from fumoto.figures.style import Picture, contours, draw, path
from fumoto.surfaces import bowl


@draw
def learning_rates(result: LearningRates) -> Picture:
    """学習率ごとの道を 4 枚並べる。"""
    picture = Picture("learning-rates", 2, 2, height=4.6, sharex=True, sharey=True)
    titles = ("小さすぎる", "上下はすぐ収まる", "往復して近づく", "発散する")
    for ax, title, look, (rate, points) in zip(
        picture.axes.flat, titles, SERIES_LOOKS, result.paths.items(), strict=False
    ):
        contours(ax, bowl)
        path(ax, points, look)
        ax.set(title=f"$\\eta$ = {rate}: {title}", xlabel="$x$", ylabel="$y$")
        ax.label_outer()
        ax.text(0.97, 0.04, f"残り {result.left[rate]:.2g}", ha="right", transform=ax.transAxes)
    return picture


@draw
def convergence_limit(result: ConvergenceLimit) -> Picture:
    """1 歩ごとに距離が何倍になるかを、学習率に対して描く。"""
    picture = Picture("convergence-limit", height=3.2)
    ax = picture.axes
    ax.plot(result.rates, result.exact, color=GRAY, label=r"2 つの向きの $|r|$ の大きい方(計算)")
    ax.plot(result.rates, result.measured, "o", color=BLUE, markersize=4, label="動かして測った値")
    ax.axhline(1, color=BLACK, linewidth=1, linestyle=":")
    ax.axvline(result.limit, color=RED, linestyle="--", label=r"$2/\lambda_{max}$")
    ax.text(0.03, 1.02, "↑ 遠ざかる", color=GRAY)
    ax.text(0.03, 0.87, "↓ 近づく", color=GRAY)
    ax.set(xlabel=r"学習率 $\eta$", ylabel="1 歩ごとの距離の倍率", ylim=(0.8, 1.45))
    ax.legend()
    return picture


@draw
def gradient_noise(result: GradientNoise) -> Picture:
    """ミニバッチの大きさに対する、勾配のばらつき(両対数)。"""
    picture = Picture("gradient-noise", height=3.5)
    ax = picture.axes
    sizes = result.batch_sizes
    ax.plot(sizes, result.exact_with, color=BLUE, label=r"復元: $1/\sqrt{B}$ に比例(計算)")
    ax.plot(sizes, result.with_replacement, "o", color=BLUE, label="復元: 測った値")
    partial = sizes < result.samples
    sizes_fine = np.geomspace(1, result.samples * 0.9999, 200)
    factor = result.correction(sizes_fine) / np.sqrt(sizes_fine)
    ax.plot(sizes_fine, result.exact_with[0] * factor, "--", color=RED, label="非復元: 補正つき(計算)")
    ax.plot(sizes[partial], result.without_replacement[partial], "^", color=RED, label="非復元: 測った値")
    ax.set(xscale="log", yscale="log", xlabel="ミニバッチの大きさ $B$", ylabel="全体の勾配との差(誤差)")
    ax.set_ylim(result.without_replacement[partial].min() / 2, result.exact_with[0] * 2)
    ax.legend(loc="lower left")
    return picture
