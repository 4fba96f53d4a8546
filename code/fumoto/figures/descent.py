"""1 章の図。"""

import numpy as np

from fumoto.experiments.descent import FirstDescent, Night
from fumoto.figures.looks import BLUE, GRAY, METHOD_LOOKS, ORANGE, RED
from fumoto.figures.style import Picture, draw
from fumoto.hints import Array


@draw
def night(result: Night) -> Picture:
    """山の断面と 2 人の道、懐中電灯で見える範囲。"""
    picture = Picture("night", rows=2, height=5.4, height_ratios=[3, 2])
    mountain, torch = picture.axes
    surface = result.surface
    x = np.linspace(surface.window[0], surface.window[1], 400)
    height = surface(x[None])
    mountain.fill_between(x, height, -0.5, color="#e8e4da")
    mountain.plot(x, height, color=GRAY, linewidth=1.2)
    careful, running = METHOD_LOOKS["SGD"], METHOD_LOOKS["Momentum"]
    for walk, look, lift in ((result.careful, careful, 0.0), (result.running, running, 0.35)):
        height = surface(walk.path[None]) + lift
        mountain.plot(walk.path, height, marker=look.marker, markersize=4.5, **look.line(linewidth=1))
        mountain.plot(walk.stops, height[-1], look.marker, color=look.color, ms=11, mfc="none")
    mountain.annotate(
        "一歩ずつ: 窪みで止まる", (result.careful.stops, 0.55), (-5.4, -0.3), color=careful.color
    )
    mountain.annotate("勢いをつけて: 通り抜ける", (0, 0), (-3.3, 2.0), color=running.color)
    mountain.text(0.3, -0.3, "麓のキャンプ", ha="center", color=GRAY)
    mountain.set(ylim=(-0.5, 3.3), xlabel="位置 $w$", ylabel="高さ $f(w)$", title="山を横から見た図")

    here = result.careful.path[0]
    near = np.linspace(here - 0.5, here + 0.5, 50)
    slope = surface.gradient(np.array([here]))[0]
    level = surface(np.array([here]))
    torch.plot(near, surface(near[None]), color=GRAY, linewidth=3, label="見えている地面")
    torch.plot(near, level + slope * (near - here), "--", color=ORANGE, label="足もとの傾き")
    torch.plot(here, level, careful.marker, color=careful.color, markersize=8)
    torch.annotate(
        "", (here + 0.35, level + 0.35 * slope), (here, level), arrowprops={"arrowstyle": "->", "lw": 2}
    )
    torch.set(xlabel="位置 $w$", ylabel="高さ", title="登山者に見えるもの(足もとの 1 m)")
    torch.legend(loc="lower left")
    return picture


@draw
def digits(x: Array, t: Array) -> Picture:
    """MNIST の画像を左から並べる。"""
    picture = Picture("digits", columns=len(x), height=0.95)
    for ax, image, label in zip(picture.axes, x, t, strict=True):
        ax.imshow(image.reshape(28, 28), cmap="gray_r")
        ax.set(xticks=[], yticks=[], title=str(label))
    return picture


@draw
def first_descent(result: FirstDescent) -> Picture:
    """最初の学習の損失(ミニバッチと、いつも同じ画像)と、当てずっぽうの損失。"""
    picture = Picture("first-descent", height=2.9)
    ax = picture.axes
    ax.plot(
        result.losses, ".", color=BLUE, markersize=4, label=f"そのときの {result.batch_size} 枚で測った損失"
    )
    ax.plot(result.steady, color=RED, linewidth=1.8, label=f"いつも同じ {result.same} 枚で測った損失")
    ax.axhline(result.chance, color=GRAY, linestyle=":")
    ax.text(len(result.losses), result.chance + 0.04, "当てずっぽう", ha="right", color=GRAY)
    ax.set(xlabel="ステップ", ylabel="損失 $E$", ylim=(0, 2.7))
    ax.legend(loc="center right")
    return picture
