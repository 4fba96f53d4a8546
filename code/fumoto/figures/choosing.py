"""手法の選び方のページの図。"""

import numpy as np

from fumoto.experiments.choosing import RangeTests
from fumoto.figures.looks import METHOD_LOOKS
from fumoto.figures.style import Picture, draw, legend_above


@draw
def range_tests(result: RangeTests, worst: float = 2.5) -> Picture:
    """学習率を上げていったときの損失(種 1 つ)。白抜きの印が最小、下の塗りつぶした印が、検証データで選んだ学習率。"""
    picture = Picture("range-tests", height=4.9)
    ax = picture.axes
    for name, test in result.tests.items():
        look = METHOD_LOOKS[name]
        lost = ~(test.losses < worst) & (test.rates > test.lowest)
        shown = np.where(np.cumsum(lost), np.nan, test.losses)  # 発散したあとは描かない
        ax.plot(test.rates, shown, **look.line(marker=look.marker, markersize=4, markevery=20, label=name))
        ax.plot(test.lowest, np.nanmin(test.losses), look.marker, color=look.color, markersize=11, mfc="none")
        ax.plot(result.chosen[name], 0.2, look.marker, color=look.color, markersize=7)
    ax.set(xscale="log", xlabel=r"学習率 $\eta$(1 歩ごとに上げる)", ylabel="ならした損失")
    legend_above(picture, ax, 3)
    return picture
