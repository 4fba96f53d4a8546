"""3 章の図。"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from fumoto.experiments.momentum import (
    Acceleration,
    FirstPaths,
    HollowEscape,
    NarrowValley,
    Roots,
    SaddleEscape,
    WrongSign,
    ZigZag,
    ZigZagMap,
)
from fumoto.figures.looks import BLACK, BLUE, GRAY, METHOD_LOOKS, SERIES_LOOKS, Look
from fumoto.figures.style import Picture, contours, draw, legend_above, legend_on_map, path
from fumoto.hints import Array
from fumoto.surfaces import bowl, hollow

_COMPARED = {
    "GD": METHOD_LOOKS["SGD"],
    "同じ η": Look(BLUE, (0, (2, 1.5)), "^"),
    "同じ η/(1−α)": SERIES_LOOKS[1],
}
_LABELS = {"GD": "GD", "同じ η": "Momentum(同じ η)", "同じ η/(1−α)": "Momentum(同じ η/(1−α))"}


def _number_steps(ax: Axes, points: Array, last: int, color: str) -> None:
    """出発点と、``last`` 歩目までの番号を、点の谷底と反対の側に書く。"""
    for step, (x, y) in enumerate(points[: last + 1]):
        ax.annotate(
            str(step) if step else "出発点",
            (x, y),
            xytext=(0, 10 if y > 0 else -10),
            textcoords="offset points",
            ha="center" if step else "left",
            va="center",
            color=color,
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )


@draw
def narrow_valley(result: NarrowValley) -> Picture:
    """細い谷を下りる勾配降下法の道。"""
    picture = Picture("narrow-valley", height=3.4)
    ax = picture.axes
    contours(ax, bowl)
    path(ax, result.path, METHOD_LOOKS["SGD"])
    ax.set(xlabel="$x$", ylabel="$y$")
    _number_steps(ax, result.path, 5, BLACK)
    return picture


@draw
def first_paths(result: FirstPaths) -> Picture:
    """勾配降下法とモーメンタム法の道。"""
    picture = Picture("momentum-path", height=3.8)
    ax = picture.axes
    contours(ax, bowl)
    path(ax, result.paths["GD"], METHOD_LOOKS["SGD"], "GD", alpha=0.6)
    path(ax, result.paths["Momentum"], METHOD_LOOKS["Momentum"], "Momentum")
    _number_steps(ax, result.paths["Momentum"], 5, BLUE)
    ax.set(xlabel="$x$", ylabel="$y$")
    legend_above(picture, ax, 2)
    return picture


@draw
def momentum_roots(result: Roots) -> Picture:
    """特性方程式の根の動きと、大きい方の根の大きさ。"""
    picture = Picture("momentum-roots", 2, 1, height=6.4, height_ratios=[3, 2])
    plane, rate = picture.axes
    turn = np.linspace(0, 2 * np.pi, 361)
    plane.plot(np.cos(turn), np.sin(turn), ":", color=GRAY, linewidth=1.2)
    looks = [METHOD_LOOKS["SGD"], *SERIES_LOOKS[1:]]
    for (alpha, both), look in zip(result.roots.items(), looks, strict=False):
        slopes, label = result.slopes[alpha], rf"$\alpha$ = {alpha:g}"
        plane.plot(both.real.T, both.imag.T, **look.line())
        meeting = np.sqrt(alpha) * np.array([-1, 1])
        plane.plot(meeting, [0, 0], look.marker, color=look.color)
        for root in both[:, [len(slopes) // 4, len(slopes) // 4 + 2]] if alpha else []:
            (x, from_x), (y, from_y) = root.real[::-1], root.imag[::-1]
            plane.annotate(
                "",
                (x, y),
                (from_x, from_y),
                arrowprops={"arrowstyle": "->", "color": look.color, "mutation_scale": 20},
            )
        rate.plot(slopes, np.abs(both).max(axis=0), **look.line(label=label))
        rate.plot(result.tried[alpha], result.measured[alpha], look.marker, color=look.color, markersize=5)
    for x, text, side in ((1.06, r"$\eta\lambda = 0$", "left"), (-1.06, r"$2(1 + \alpha)$", "right")):
        plane.text(x, 0.08, text, ha=side)
    plane.set(
        xlabel="実部", ylabel="虚部", xlim=(-1.9, 1.9), ylim=(-1.1, 1.1), aspect="equal", title="2 つの根"
    )
    rate.set(xlabel=r"$\eta\lambda$", ylabel="1 歩ごとの倍率", ylim=(0, 1.05), title="大きい方の根の大きさ")
    legend_above(picture, rate, 3)
    return picture


@draw
def zigzag_map(result: ZigZagMap) -> Picture:
    """谷を横切る道のりの、勾配降下法との比の地図。"""
    picture = Picture("zigzag-map", 2, 1, height=7.0, sharex=True, sharey=True)
    doublings = [-4, -3, -2, -1, -0.01, 0.01, 1, 2, 3, 4]  # 比の対数。真ん中は、ほとんど 1 のところ
    for ax, (name, ratios) in zip(picture.axes, result.ratios.items(), strict=True):
        grid = result.slopes, result.momenta, np.log2(ratios)
        colored = ax.contourf(*grid, levels=doublings, cmap="PuOr_r", extend="both")
        ax.contourf(*grid, levels=[-9, -0.01], colors="none", hatches=["//"])
        lines = ax.contour(*grid, levels=[-2, -1, 1, 2, 3, 4], colors=BLACK, linewidths=0.7, linestyles="-")
        labels = ax.clabel(lines, fmt=_power_of_two)
        for label in labels:
            label.set_path_effects([withStroke(linewidth=3, foreground="white")])
        ax.set(ylabel=r"慣性 $\alpha$", title=f"Momentum({name})")
        ax.grid(False)
    border = result.slopes[result.slopes >= 1]
    picture.axes[0].plot(border, border - 1, color=BLACK, linestyle=(0, (6, 2)), linewidth=2.4)
    picture.axes[0].set(ylim=(0, result.momenta[-1]))
    picture.axes[-1].set(xlabel=r"GD の $\eta\lambda$")
    bar = picture.figure.colorbar(colored, ax=picture.axes, label="道のり ÷ GD の道のり", aspect=40)
    ticks = [-4, -2, 0, 2, 4]
    bar.set_ticks(ticks, labels=[_power_of_two(tick) for tick in ticks])
    return picture


def _power_of_two(exponent: float) -> str:
    return f"{2**exponent:g}" if exponent >= 0 else f"1/{2**-exponent:g}"


@draw
def wrong_sign(result: WrongSign) -> Picture:
    """符号の正しい道と間違った道、それぞれの高さ。"""
    picture = Picture("wrong-sign", 2, 1, height=5.4)
    top, bottom = picture.axes
    contours(top, bowl)
    path(top, result.right, SERIES_LOOKS[0], "$w + v$(正しい式)")
    path(top, result.notes, SERIES_LOOKS[1], "$w - v$(原ノート)")
    legend_on_map(top, loc="lower right")
    top.set_title("道")
    bottom.plot(result.right_height, **SERIES_LOOKS[0].line(marker="o", markersize=4))
    bottom.plot(result.notes_height, **SERIES_LOOKS[1].line(marker="s", markersize=4))
    bottom.set(yscale="log", xlabel="ステップ", ylabel="高さ $E(w_t)$", title="高さ")
    return picture


@draw
def saddle_escape(result: SaddleEscape) -> Picture:
    """鞍点の軸からの距離に対する、抜けるまでの歩数。"""
    picture = Picture("saddle-escape", height=4.1)
    ax = picture.axes
    series = {"GD": result.sgd, "同じ η": result.equal_rate, "同じ η/(1−α)": result.equal_speed}
    for name, steps in series.items():
        look = _COMPARED[name]
        ax.plot(result.offsets, steps, **look.line(marker=look.marker, markersize=5, label=_LABELS[name]))
    ax.set(xscale="log", xlabel=r"軸からの距離 $\delta$", ylabel="抜けるまでの歩数")
    ax.invert_xaxis()
    legend_above(picture, ax, 1)
    return picture


@draw
def hollow_escape(result: HollowEscape) -> Picture:
    """窪みの深さに対する、止まった場所。"""
    picture = Picture("hollow-escape", 2, 1, height=5.2, height_ratios=[2, 3])
    shape, stops = picture.axes
    x = np.linspace(-5, 1, 300)
    for depth, look in zip((0.2, 0.6, 1.5), SERIES_LOOKS, strict=False):
        shape.plot(x, hollow(depth)(x[None]), **look.line(label=f"深さ {depth}"))
    shape.set(xlabel="位置 $w$", ylabel="高さ", title="窪みの形")
    shape.legend()
    for (momentum, where), look in zip(result.stops.items(), SERIES_LOOKS, strict=True):
        stops.plot(
            result.depths,
            where,
            **look.line(marker=look.marker, markersize=4, markevery=3, label=rf"$\alpha$ = {momentum}"),
        )
    stops.axhline(0, color=GRAY, linewidth=0.8)
    stops.set(xlabel="窪みの深さ", ylabel="止まった場所", title="0 なら谷底、−3 の近くなら窪みの中")
    stops.legend(loc="center right")
    return picture


@draw
def zigzag(result: ZigZag) -> Picture:
    """ジグザグの道と、学習率に対する横の道のり。"""
    picture = Picture("zigzag", 2, 1, height=6.3)
    top, bottom = picture.axes
    contours(top, bowl)
    for name, points in result.paths.items():
        path(top, points, _COMPARED[name], _LABELS[name])
    top.set_title(rf"$\eta$ = {result.shown_rate} での道")
    for name, travel in result.travel.items():
        look = _COMPARED[name]
        bottom.plot(
            result.rates,
            travel,
            **look.line(marker=look.marker, markersize=4, markevery=3, label=_LABELS[name]),
        )
    bottom.set(
        yscale="log", xlabel=r"GD の学習率 $\eta$", ylabel="y 方向の道のりの合計", title="η を変えたとき"
    )
    legend_above(picture, bottom, 1)
    return picture


@draw
def acceleration(result: Acceleration) -> Picture:
    """条件数に対する、ずれを決めた割合まで縮める歩数。"""
    picture = Picture("acceleration", height=4.6)
    ax = picture.axes
    looks = [METHOD_LOOKS["SGD"], *SERIES_LOOKS[1:]]
    for (name, steps), look in zip(result.steps.items(), looks, strict=False):
        ax.plot(result.kappas, steps, **look.line(marker=look.marker, markersize=5, label=name))
    ax.set(xscale="log", yscale="log", xlabel=r"条件数 $\kappa$", ylabel="歩数")
    legend_above(picture, ax, 2)
    return picture
