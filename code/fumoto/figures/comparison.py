"""6 章の図。"""

from collections.abc import Mapping

import numpy as np

from fumoto.experiments.comparison import MnistRun, Runner, SaddleRace
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
        path(ax, points, METHOD_LOOKS[method], method, every=10, linewidth=1.3, markersize=5)
    ax.set(xlabel="$x$", ylabel="$y$")
    legend_above(picture, ax, 3)
    return picture


@draw
def saddle_steps(result: SaddleRace) -> Picture:
    """鞍の軸からの距離に対する、抜けるまでの歩数。"""
    picture = Picture("saddle-steps", height=4.4)
    ax = picture.axes
    for name, steps in result.steps.items():
        look = METHOD_LOOKS[name]
        ax.plot(result.offsets, steps, **look.line(marker=look.marker, markersize=5, label=name))
    ax.set(xscale="log", yscale="log", xlabel=r"軸からの距離 $\delta$", ylabel="抜けるまでの歩数(対数目盛)")
    ax.invert_xaxis()
    legend_above(picture, ax, 3)
    return picture


@draw
def mnist_losses(runs: Mapping[str, MnistRun], width: int = 50) -> Picture:
    """MNIST の損失。種についての平均の線と、最小から最大までの帯。"""
    picture = Picture("mnist-losses", height=4.9)
    ax = picture.axes
    for name, run in runs.items():
        look = METHOD_LOOKS[name]
        smooth = _blocks(run.losses, width)
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
def mnist_final(runs: Mapping[str, MnistRun]) -> Picture:
    """最後の損失(左)とテストの正解率(右)。点が種 1 つ、縦線が平均。"""
    picture = Picture("mnist-final", 1, 2, height=3.4, sharey=True)
    loss, accuracy = picture.axes
    names = list(runs)[::-1]
    for row, name in enumerate(names):
        run, look = runs[name], METHOD_LOOKS[name]
        for ax, values in ((loss, run.final_losses), (accuracy, run.accuracy * 100)):
            ax.plot(values, [row] * len(values), look.marker, color=look.color, markersize=6, alpha=0.8)
            ax.plot(values.mean(), row, "|", color=GRAY, markersize=16, markeredgewidth=2)
    loss.set(yticks=range(len(names)), yticklabels=names, xlabel="最後の損失")
    accuracy.set(xlabel="テスト正解率(%)")
    return picture


@draw
def mnist_sweep(runs: Mapping[str, MnistRun]) -> Picture:
    """学習率に対する最後の損失。選ばれた学習率を大きな印で示す。"""
    picture = Picture("mnist-sweep", height=4.4)
    ax = picture.axes
    for name, run in runs.items():
        look = METHOD_LOOKS[name]
        rates = [lr for lr, loss in run.sweep.items() if np.isfinite(loss)]
        losses = [run.sweep[lr] for lr in rates]
        ax.plot(rates, losses, **look.line(marker=look.marker, markersize=4, label=name))
        ax.plot(run.lr, run.sweep[run.lr], look.marker, color=look.color, markersize=10, mfc="none")
    ax.set(xscale="log", yscale="log", xlabel=r"学習率 $\eta$", ylabel="最後の損失(種 1 つ)")
    legend_above(picture, ax, 3)
    return picture


def race_table(races: Mapping[str, Mapping[str, Runner]]) -> Table:
    """地形ごとの ``race`` の結果(地形の名前 → 結果)を 1 つの表にする。"""
    header = ["手法"]
    for name in races:
        header += [f"{name}: η", "歩数", "行き過ぎ"]
    rows = []
    for method in next(iter(races.values())):
        row = [method]
        for runners in races.values():
            runner = runners[method]
            mark = "＊" if runner.leaves else ""
            row += [f"{runner.lr:g}", f"{runner.arrival}{mark}", f"{runner.overshoot:.0%}"]
        rows.append(row)
    return Table(header, rows)


def mnist_table(runs: Mapping[str, MnistRun]) -> Table:
    """手法ごとの、選ばれた学習率、最後の損失、テストの正解率(平均 ± 標準偏差)。"""
    rows = []
    for name, run in runs.items():
        losses, accuracy = run.final_losses, run.accuracy * 100
        rows.append(
            [
                name,
                f"{run.lr:g}",
                f"{losses.mean():.3f} ± {losses.std(ddof=1):.3f}",
                f"{accuracy.mean():.1f} ± {accuracy.std(ddof=1):.1f}",
                "はい" if run.clearly_below(runs["SGD"]) else "—",
            ]
        )
    return Table(["手法", "η", "最後の損失", "テスト正解率(%)", "全種で SGD より低い"], rows)
