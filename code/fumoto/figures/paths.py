"""地形の上の道を 1 枚に描く。どの章の「はじめの道」の図も、これで描く。"""

from fumoto.figures.looks import BLACK, METHOD_LOOKS, SERIES_LOOKS
from fumoto.figures.style import Picture, contours, draw, legend_on_map, path
from fumoto.hints import Arrays
from fumoto.surfaces import Surface

_LOOKS = {**METHOD_LOOKS, "GD": METHOD_LOOKS["SGD"]}


@draw
def path_picture(name: str, surface: Surface, paths: Arrays, legend: str = "lower right") -> Picture:
    """``surface`` の等高線と、凡例での名前 → 道。1 歩ごとに印をつけ、出発点を輪で囲む。

    ``paths``: 名前 → 形 ``(歩数 + 1, 2)`` の配列。手法の名前には、その手法の色と印を使う。
    ``legend``: 凡例の場所(道と重ならないように選ぶ)。
    """
    picture = Picture(name, height=3.1)
    ax = picture.axes
    contours(ax, surface)
    others = iter(SERIES_LOOKS[1:])
    for label, points in paths.items():
        path(ax, points, _LOOKS.get(label) or next(others), label, markersize=5)
    start = next(iter(paths.values()))[0]
    ax.plot(*start, "o", color=BLACK, markersize=13, markerfacecolor="none")
    ax.annotate("出発点", start, (0, 11), textcoords="offset points", ha="center")
    ax.set(xlabel="$x$", ylabel="$y$")
    legend_on_map(ax, loc=legend)
    return picture
