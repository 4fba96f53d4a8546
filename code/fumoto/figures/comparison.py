"""6 章の図。"""

from collections.abc import Mapping

import numpy as np

from fumoto.experiments.comparison import (
    METHODS,
    STEPS,
    TUNED,
    Descents,
    MnistComparison,
    Runner,
    SaddleRace,
)
from fumoto.experiments.protocol import Report, Setting, difference
from fumoto.figures.looks import GRAY, METHOD_LOOKS
from fumoto.figures.style import Picture, contours, draw, legend_above, path
from fumoto.figures.table import Table
from fumoto.hints import Array, Arrays
from fumoto.surfaces import Surface

SHOWN_STEPS = 60


@draw
def race(runners: Mapping[str, Runner], surface: Surface) -> Picture:
    """等高線の上の 7 つの道。10 歩ごとに印をつける。"""
    paths = {name: runner.path[: SHOWN_STEPS + 1] for name, runner in runners.items()}
    return _paths(f"race-{surface.name}", paths, surface)


@draw
def saddle_race(result: SaddleRace, surface: Surface) -> Picture:
    """鞍点から抜ける 7 つの道。"""
    paths = {name: points[: SHOWN_STEPS + 1] for name, points in result.paths.items()}
    return _paths("saddle-race", paths, surface)


def _paths(name: str, paths: Arrays, surface: Surface) -> Picture:
    picture = Picture(name, height=5.3)
    ax = picture.axes
    contours(ax, surface)
    for method, points in paths.items():
        path(ax, points, METHOD_LOOKS[method], _on_surface(method), every=10, linewidth=1.3, markersize=5)
    ax.set(xlabel="$x$", ylabel="$y$")
    legend_above(picture, ax, 3)
    return picture


def _on_surface(method: str) -> str:
    """地形の上での手法の名前。勾配に誤差がなければ、SGD は勾配降下法である。"""
    return "GD" if method == "SGD" else method


@draw
def saddle_steps(result: SaddleRace) -> Picture:
    """鞍の軸からの距離に対する、抜けるまでの歩数。"""
    picture = Picture("saddle-steps", height=4.4)
    ax = picture.axes
    for name, steps in result.steps.items():
        look = METHOD_LOOKS[name]
        ax.plot(result.offsets, steps, **look.line(marker=look.marker, markersize=5, label=_on_surface(name)))
    ax.set(xscale="log", yscale="log", xlabel=r"軸からの距離 $\delta$", ylabel="抜けるまでの歩数(対数目盛)")
    ax.invert_xaxis()
    legend_above(picture, ax, 3)
    return picture


@draw
def fronts(found: Mapping[str, Mapping[str, Descents]]) -> Picture:
    """地形ごとの、着くまでの歩数と行き過ぎの折り合い。"""
    picture = Picture("fronts", 1, 2, height=4.6, sharey=True)
    for ax, (title, tried) in zip(picture.axes, found.items(), strict=True):
        for name, one in tried.items():
            front, look = one.front(), METHOD_LOOKS[name]
            steps, over = one.arrivals[front], 100 * one.overshoots[front]
            ax.step(
                steps,
                over,
                **look.line(marker=look.marker, markersize=4, label=_on_surface(name)),
                where="post",
            )
        ax.set(xscale="log", xlabel="着くまでの歩数(対数目盛)", title=title)
        ax.set_xlim(right=STEPS)
    picture.axes[0].set(ylabel="行き過ぎ(%)")
    legend_above(picture, picture.axes[0], 3)
    return picture


@draw
def mnist_losses(reports: Mapping[str, Report], width: int = 20) -> Picture:
    """MNIST の損失。種についての平均の線と、最小から最大までの帯。"""
    picture = Picture("mnist-losses", height=4.9)
    ax = picture.axes
    for name, found in reports.items():
        look = METHOD_LOOKS[name]
        smooth = _blocks(found.losses, width)
        t = (np.arange(smooth.shape[1]) + 0.5) * width
        ax.plot(
            t, smooth.mean(axis=0), **look.line(marker=look.marker, markersize=5, markevery=4, label=name)
        )
        ax.fill_between(t, smooth.min(axis=0), smooth.max(axis=0), color=look.color, alpha=0.12, linewidth=0)
    ax.set(yscale="log", xlabel="ステップ", ylabel="訓練の損失(対数目盛)")
    legend_above(picture, ax, 3)
    return picture


def _blocks(losses: Array, width: int) -> Array:
    """``width`` ステップごとの平均。"""
    seeds, steps = losses.shape
    return losses[:, : steps // width * width].reshape(seeds, -1, width).mean(axis=2)


@draw
def mnist_final(reports: Mapping[str, Report]) -> Picture:
    """最後の損失(左)とテストの正解率(右)。点が種 1 つ、縦線が平均。"""
    picture = Picture("mnist-final", 1, 2, height=3.4, sharey=True)
    loss, accuracy = picture.axes
    names = list(reports)[::-1]
    for row, name in enumerate(names):
        found, look = reports[name], METHOD_LOOKS[name]
        for ax, values in ((loss, found.training_loss), (accuracy, found.test_accuracy * 100)):
            ax.plot(values, [row] * len(values), look.marker, color=look.color, markersize=6, alpha=0.8)
            ax.plot(values.mean(), row, "|", color=GRAY, markersize=16, markeredgewidth=2)
    loss.set(yticks=range(len(names)), yticklabels=names, xlabel="最後の訓練の損失")
    accuracy.set(xlabel="テスト正解率(%)")
    return picture


@draw
def ranking(result: MnistComparison) -> Picture:
    """どこまで選ぶかを変えたときの、テスト画像の誤りの割合。点が種の平均、縦線が最小から最大。"""
    picture = Picture("ranking", height=5.0)
    ax = picture.axes
    for place, name in enumerate(METHODS):
        look = METHOD_LOOKS[name]
        errors = [100 * (1 - result.reports[tuned, name].test_accuracy) for tuned in TUNED]
        x = np.arange(len(TUNED)) + 0.05 * (place - len(METHODS) // 2)  # 縦線が重ならないように
        means = [error.mean() for error in errors]
        ax.plot(x, means, **look.line(marker=look.marker, markersize=6, label=name))
        ax.vlines(x, [e.min() for e in errors], [e.max() for e in errors], color=look.color, linewidth=1.2)
    ax.set(yscale="log", ylabel="テスト画像の誤り(%、対数目盛)", xticks=range(len(TUNED)), xticklabels=TUNED)
    ax.set_yticks([4, 5, 6, 8, 10, 12], labels=["4", "5", "6", "8", "10", "12"], minor=False)
    ax.minorticks_off()
    legend_above(picture, ax, 3)
    return picture


def race_table(found: Mapping[str, Mapping[str, Descents]], limit: float) -> Table:
    """地形ごとに(地形の名前 → 手法 → ``Descents``)、いちばん早い歩数と、行き過ぎを ``limit`` までに抑えたときの歩数。"""
    header = ["手法"]
    for title in found:
        header += [f"{title}: 歩数", "行き過ぎ", f"{limit:.0%} まで"]
    rows = []
    for method in next(iter(found.values())):
        row = [_on_surface(method)]
        for tried in (each[method] for each in found.values()):
            fast, careful = tried.fastest(), tried.fastest(limit)
            row += [_steps(tried, fast), "—" if fast is None else f"{tried.overshoots[fast]:.0%}"]
            row.append(_steps(tried, careful))
        rows.append(row)
    return Table(header, rows)


def _steps(tried: Descents, chosen: int | None) -> str:
    return "—" if chosen is None else f"{tried.arrivals[chosen]:.0f}"


def mnist_table(reports: Mapping[str, Report], reference: str = "SGD", compared: str = "手法") -> Table:
    """比べるものごとの、終わりの損失とテストの正解率、``reference`` との差の区間(0 を含まなければ ＊)、選ばれた設定。"""
    rows = []
    for name, found in reports.items():
        row = [name]
        for values, other, digits in (
            (found.training_loss, reports[reference].training_loss, 3),
            (found.test_accuracy * 100, reports[reference].test_accuracy * 100, 1),
        ):
            gap = difference(values, other, 2 * (len(reports) - 1))
            text = f"{gap.low:+.{digits}f}〜{gap.high:+.{digits}f}{'＊' if gap.clear else ''}"
            row += [f"{values.mean():.{digits}f}", "—" if name == reference else text.replace("-", "−")]
        rows.append([*row, _setting(found.setting)])
    header = [
        compared,
        "訓練の損失",
        f"{reference} との差",
        "正解率(%)",
        f"{reference} との差",
        "選ばれた設定",
    ]
    return Table(header, rows)


_SYMBOLS = {"lr": "η", "momentum": "α", "decay_rate": "ρ", "beta1": "β₁", "beta2": "β₂", "eps": "ε"}
_SYMBOLS |= {"weight_decay": "λ", "others": "AdamW の η"}


def _setting(setting: Setting) -> str:
    return "、".join(f"{_SYMBOLS[name]} = {value:g}" for name, value in setting.values)
