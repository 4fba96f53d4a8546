"""8 章の図: 活性化関数、すべて 0 の初期値。"""

from collections.abc import Mapping

import numpy as np

from fumoto.experiments.saturation import Curve
from fumoto.figures.looks import SERIES_LOOKS
from fumoto.figures.style import Picture, draw, legend_above
from fumoto.figures.table import Table
from fumoto.hints import Arrays


@draw
def activations(curves: Mapping[str, Curve]) -> Picture:
    """活性化関数の値(上)と微分(下)。"""
    picture = Picture("activations", 2, 1, height=5.0, sharex=True)
    value, slope = picture.axes
    for look, (name, found) in zip(SERIES_LOOKS, curves.items(), strict=False):
        style = look.line(marker=look.marker, markersize=5)
        value.plot(found.a, found.y, **style, markevery=40, label=name)
        for side in (found.a <= 0, found.a > 0):  # ReLU の微分は a = 0 で跳ぶので、線をつながない
            slope.plot(found.a[side], found.slope[side], **style, markevery=40)
    value.set(ylabel="値 $y$", ylim=(-1.2, 2.2))
    slope.set(xlabel="入力 $a$", ylabel=r"微分 $\psi$", ylim=(-0.05, 1.1), yticks=[0, 0.25, 0.5, 1])
    legend_above(picture, value, 2)
    return picture


def zero_table(results: Mapping[str, Arrays]) -> Table:
    """すべて 0 から始めたときの、ステップごとの勾配の最大の絶対値。"""
    rows = []
    for name, sizes in results.items():
        groups = {key: [key] for key in ("W1", "W2", "W3", "W4", "b4")}
        if name != "シグモイド":
            groups = {"W1〜W4 と b1〜b3": [key for key in sizes if key != "b4"], "b4": ["b4"]}
        for label, keys in groups.items():
            largest = np.max([sizes[key] for key in keys], axis=0)
            rows.append([f"{name} {label}", *("0" if value == 0 else f"{value:.0e}" for value in largest)])
    steps = len(next(iter(next(iter(results.values())).values())))
    return Table(["勾配", *(f"{step} 歩目" for step in range(1, steps + 1))], rows)
