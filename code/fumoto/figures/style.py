"""図の共通の見た目と、図 1 枚を表す ``Picture``。手法の色と線は ``fumoto.figures.looks`` にある。

文字は図の中に輪郭として埋め込むので、読者の端末に日本語フォントがなくても読める。
"""

import functools
import io
from collections.abc import Callable
from typing import Any, ParamSpec

import matplotlib as mpl
import matplotlib_fontja  # 読み込むと IPAex ゴシックが使えるようになる
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fumoto.figures.looks import GRAY, Look
from fumoto.hints import Array
from fumoto.surfaces import Surface

matplotlib_fontja.japanize()

WIDTH = 5.0  # インチ。スマートフォンの画面の幅いっぱいに出したとき、ほぼ原寸になる
SIZE = 13  # どの文字もこの大きさ(添字を除く)。スマートフォンでも、図の説明文より小さくならない

RC: dict[Any, Any] = {
    "font.family": "IPAexGothic",
    "font.size": SIZE,
    "axes.titlesize": SIZE,
    "figure.labelsize": SIZE,
    "legend.frameon": False,
    "legend.handlelength": 2.0,
    "legend.columnspacing": 1.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "mathtext.fontset": "cm",
    "figure.dpi": 72,
    "svg.fonttype": "path",
    "savefig.bbox": None,
}


class Picture:
    """図 1 枚。ノートブックとページには SVG として現れる。

    同じ図からはいつも同じバイト列ができる(日時や版を書き込まず、ID の種は図の名前で決める)。
    """

    def __init__(self, name: str, rows: int = 1, columns: int = 1, height: float = 3.2, **subplots: Any):
        self.name = name
        with mpl.rc_context(RC):
            self.figure = Figure(figsize=(WIDTH, height), layout="constrained")
            self.axes = self.figure.subplots(rows, columns, **subplots)

    def _repr_svg_(self) -> str:
        output = io.StringIO()
        with mpl.rc_context({**RC, "svg.hashsalt": self.name}):
            self.figure.draw_without_rendering()
            self.figure.set_layout_engine("none")  # 配置は一度だけ決める。描くたびに動くとバイト列が変わる
            self.figure.savefig(output, format="svg", metadata={"Date": None, "Creator": None})
        return output.getvalue()

    def __repr__(self) -> str:
        return f"<図: {self.name}>"


P = ParamSpec("P")


def draw(function: Callable[P, Picture]) -> Callable[P, Picture]:
    """図の関数の飾り。中で作るものすべてに共通の見た目を使う。"""

    @functools.wraps(function)
    def styled(*arguments: P.args, **options: P.kwargs) -> Picture:
        with mpl.rc_context(RC):
            return function(*arguments, **options)

    return styled


def contours(ax: Axes, surface: Surface, levels: Array | None = None, points: int = 120) -> None:
    """地形の等高線を薄く描く。"""
    x_low, x_high, y_low, y_high = surface.window
    x, y = np.linspace(x_low, x_high, points), np.linspace(y_low, y_high, points)
    heights = surface(np.array(np.meshgrid(x, y)))
    if levels is None:
        levels = np.quantile(heights, np.linspace(0.02, 0.98, 14))
    ax.contour(x, y, heights, levels=np.unique(levels), colors="#9a9a9a", linewidths=0.7)
    if surface.minimum is not None:
        ax.plot(*surface.minimum, marker="+", color=GRAY, markersize=10, zorder=2)
    ax.set(xlim=(x_low, x_high), ylim=(y_low, y_high))
    ax.grid(False)


def path(
    ax: Axes, points: Array, look: Look, label: str | None = None, every: int = 1, **options: Any
) -> None:
    """道を線で、``every`` 歩ごとの位置を印で描く。"""
    style = look.line(linewidth=1.6, marker=look.marker, markersize=4, markevery=every, label=label)
    ax.plot(points[:, 0], points[:, 1], **{**style, **options})


def legend_on_map(ax: Axes, **options: Any) -> None:
    """等高線の上に重ねる凡例。線に紛れないように白い地をつける。"""
    ax.legend(frameon=True, framealpha=0.95, edgecolor="none", **options)


def legend_above(picture: Picture, ax: Axes, columns: int) -> None:
    """図の上に凡例を置く(線と重ならないように)。"""
    handles, labels = ax.get_legend_handles_labels()
    picture.figure.legend(handles, labels, loc="outside upper center", ncols=columns)
