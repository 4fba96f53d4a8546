"""4 章の図。"""

import numpy as np

from fumoto.experiments.adagrad import (
    Bowl,
    ConstantGradient,
    FirstPath,
    Frequency,
    Outlier,
    OwnRates,
    RateAndStep,
)
from fumoto.figures.looks import BLUE, GRAY, METHOD_LOOKS, RED, SERIES_LOOKS
from fumoto.figures.paths import path_picture
from fumoto.figures.style import Picture, draw, legend_above
from fumoto.surfaces import bowl


def own_rates(result: OwnRates) -> Picture:
    """共通の学習率の道と、座標ごとの学習率の道。"""
    return path_picture("own-rates", bowl, result.paths)


def first_path(result: FirstPath) -> Picture:
    """勾配降下法の道と、AdaGrad の道。"""
    return path_picture("adagrad-path", bowl, result.paths)


@draw
def rate_and_step(result: RateAndStep) -> Picture:
    """勾配を定数倍したときの、学習率(上)と歩幅(下)。"""
    picture = Picture("rate-and-step", 2, 1, height=4.8, sharex=True)
    t = np.arange(1, len(result.rates) + 1)
    for column, (scale, look) in enumerate(zip(result.scales, SERIES_LOOKS, strict=False)):
        style = look.line(
            marker=look.marker, markersize=5, markevery=(4 * column, 12), label=f"勾配 × {scale:g}"
        )
        picture.axes[0].plot(t, result.rates[:, column], **style)
        picture.axes[1].plot(t, result.steps[:, column], **style)
    picture.axes[0].set(
        yscale="log", ylabel=r"学習率 $\eta/\sqrt{h}$", title="学習率は勾配の倍率に反比例する"
    )
    picture.axes[1].set(xlabel="ステップ", ylabel="歩幅", title="歩幅はどの倍率でも同じ(線が重なる)")
    legend_above(picture, picture.axes[0], 3)
    return picture


@draw
def frequency(result: Frequency) -> Picture:
    """よく現れる特徴とまれな特徴の、重みの動き。SGD と AdaGrad。"""
    picture = Picture("frequency", 2, 1, height=5.2, sharex=True)
    for ax, (name, moved) in zip(picture.axes, result.moved.items(), strict=True):
        ax.plot(moved[:, 0], **SERIES_LOOKS[0].line(label="毎回現れる特徴"))
        ax.plot(moved[:, 1], **SERIES_LOOKS[1].line(label=f"{result.period} 回に 1 回の特徴"))
        ax.set(title=name, ylabel="動いた距離の合計")
        ax.legend()
    picture.axes[1].set_xlabel("ステップ")
    return picture


@draw
def constant_gradient(result: ConstantGradient) -> Picture:
    """一定の勾配のもとでの、学習率と進んだ距離。"""
    picture = Picture("constant-gradient", 2, 1, height=5.0, sharex=True)
    rate, distance = picture.axes
    marks = np.unique(np.geomspace(1, len(result.t), 14).astype(int)) - 1
    rate.plot(result.t, result.lr / np.sqrt(result.t), color=GRAY, label=r"$\eta/\sqrt{t}$")
    rate.plot(result.t[marks], result.rate[marks], "o", color=BLUE, label="動かして測った値")
    rate.set(xscale="log", yscale="log", ylabel="学習率", title="学習率は 0 に近づく")
    rate.legend()
    distance.plot(result.t, 2 * result.lr * np.sqrt(result.t), color=GRAY, label=r"$2\eta\sqrt{t}$")
    distance.plot(result.t[marks], result.distance[marks], "s", color=RED, label="動かして測った値")
    distance.set(
        yscale="log", xlabel="ステップ $t$", ylabel="進んだ距離", title="それでも距離は際限なく伸びる"
    )
    distance.legend()
    return picture


@draw
def on_bowl(result: Bowl) -> Picture:
    """椀の上での h と w。"""
    picture = Picture("adagrad-on-bowl", 2, 1, height=4.6, sharex=True)
    total, position = picture.axes
    total.plot(result.h, color=BLUE)
    total.set(ylabel="$h_t$", title="h は頭打ちになる", ylim=(0, None), xlim=(0, len(result.h) - 1))
    position.plot(np.abs(result.w), color=RED)
    position.set(yscale="log", xlabel="ステップ $t$", ylabel="谷底からの距離 $|w_t|$", title="w は谷底に着く")
    position.set_ylim(1e-16, 2)
    return picture


@draw
def outlier(result: Outlier) -> Picture:
    """最初の勾配の倍率に対する、谷底の近くに着くまでの歩数。"""
    picture = Picture("outlier", height=3.3)
    ax = picture.axes
    for name, steps in result.steps.items():
        look = METHOD_LOOKS[name]
        ax.plot(result.scales, steps, **look.line(marker=look.marker, markersize=6, label=name))
    ax.set(xscale="log", yscale="log", xlabel="最初の勾配を何倍にしたか", ylabel="谷底の近くまでの歩数")
    ax.legend()
    return picture
