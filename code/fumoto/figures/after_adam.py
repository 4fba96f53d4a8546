"""10 章の図。"""

import numpy as np

from fumoto.experiments.after_adam import ClippedPaths, DecayPaths, ScheduledWalks, SingularValues
from fumoto.figures.looks import GRAY, SERIES_LOOKS
from fumoto.figures.style import Picture, draw, legend_above


@draw
def decay_paths(result: DecayPaths) -> Picture:
    """勾配の大きさごとの、重みの縮み方。左が L2、右が AdamW。"""
    picture = Picture("decay-paths", 1, 2, height=3.3, sharey=True)
    titles = {"L2": r"Adam に $\lambda w$ を渡す", "AdamW": "AdamW"}
    for ax, (name, path) in zip(picture.axes, result.paths.items(), strict=True):
        every = len(path) // 6
        for k, (size, look) in enumerate(zip(result.sizes, SERIES_LOOKS, strict=False)):
            marks = look.line(marker=look.marker, markersize=6, markevery=(k * every // 3, every))
            ax.plot(path[:, k], **marks, label=f"大きさ {size:g}")
        ax.set(xlabel="ステップ $t$", title=titles[name], ylim=(0, 1.05))
    picture.axes[0].set_ylabel("重み $w_t$")
    legend_above(picture, picture.axes[0], columns=len(result.sizes))
    return picture


@draw
def scheduled_walks(result: ScheduledWalks) -> Picture:
    """学習率の変え方と、谷底からの距離。"""
    picture = Picture("scheduled-walks", 2, 1, height=5.0, sharex=True)
    above, below = picture.axes
    for k, ((name, rates), look) in enumerate(zip(result.rates.items(), SERIES_LOOKS, strict=False)):
        every = len(rates) // 6
        marks = look.line(marker=look.marker, markersize=6, markevery=(k * every // 4, every))
        above.plot(rates, **marks, label=name)
        below.plot(result.distances[name], **marks)
    above.set(ylabel=r"学習率 $\eta_t$", ylim=(0, 1.1 * result.lr))
    below.set(xlabel="ステップ $t$", ylabel="谷底からの距離", yscale="log")
    legend_above(picture, above, columns=2)
    return picture


@draw
def clipped_paths(result: ClippedPaths) -> Picture:
    """クリップしない道と、クリップした道。縦軸は、0 のまわりだけふつうの目盛り、外は対数。"""
    picture = Picture("clipped-paths", height=3.6)
    ax = picture.axes
    for (limit, path), look in zip(result.paths.items(), SERIES_LOOKS, strict=False):
        label = "クリップなし" if limit == np.inf else rf"$G_{{max}}$ = {limit:g}"
        shown = path[np.abs(path) < 1e6]
        ax.plot(shown, **look.line(marker=look.marker, markersize=5, label=label))
    ax.axhline(0, color=GRAY, linewidth=0.8, linestyle=":")
    ax.set_yscale("symlog", linthresh=10, linscale=2)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set(xlabel="ステップ $t$", ylabel="位置 $w_t$")
    legend_above(picture, ax, columns=3)
    return picture


@draw
def singular_values(result: SingularValues) -> Picture:
    """反復する前の特異値に対する、反復したあとの値(横軸は対数)。"""
    picture = Picture("singular-values", height=3.6)
    ax = picture.axes
    ax.axhline(1, color=GRAY, linewidth=0.8, linestyle=":")
    ax.plot(result.before, result.before, color=GRAY, label="はじめ")
    for (steps, after), look in zip(result.after.items(), SERIES_LOOKS, strict=False):
        ax.plot(result.before, after, **look.line(marker=look.marker, markersize=4, label=f"{steps} 回"))
    ax.set(
        xscale="log", xlabel=r"長さで割った行列の特異値 $\sigma$", ylabel="反復したあとの値", ylim=(0, 1.3)
    )
    legend_above(picture, ax, columns=4)
    return picture
