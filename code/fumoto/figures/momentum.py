"""3 章の図。"""

import numpy as np

from fumoto.experiments.momentum import Acceleration, HollowEscape, SaddleEscape, WrongSign, ZigZag
from fumoto.figures.looks import BLUE, GRAY, METHOD_LOOKS, SERIES_LOOKS, Look
from fumoto.figures.style import Picture, contours, draw, legend_above, legend_on_map, path
from fumoto.surfaces import bowl, hollow

_COMPARED = {
    "GD": METHOD_LOOKS["SGD"],
    "同じ η": Look(BLUE, (0, (2, 1.5)), "^"),
    "同じ η/(1−α)": SERIES_LOOKS[1],
}
_LABELS = {"GD": "GD", "同じ η": "Momentum(同じ η)", "同じ η/(1−α)": "Momentum(同じ η/(1−α))"}


@draw
def wrong_sign(result: WrongSign) -> Picture:
    """符号の正しい道と間違った道、それぞれの高さ。"""
    picture = Picture("wrong-sign", 2, 1, height=5.4)
    top, bottom = picture.axes
    contours(top, bowl)
    path(top, result.right, SERIES_LOOKS[0], "$w + v$(正)")
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
