"""7 章の図: 多項式の過学習、初期値の大きさと汎化、重み減衰。"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from fumoto.experiments.overfitting import PolynomialFits, SmallData, values
from fumoto.figures.looks import BLACK, BLUE, GRAY, RED, SERIES_LOOKS, Look
from fumoto.figures.style import Picture, draw, legend_above
from fumoto.figures.table import Table
from fumoto.hints import Array


@draw
def fits(result: PolynomialFits) -> Picture:
    """11 個の点に当てはめた直線と 10 次式、そこへ来る新しい点。"""
    picture = Picture("polynomial-fits", 1, 2, height=3.4, sharey=True)
    for ax, color, (degree, curve) in zip(picture.axes, (BLUE, RED), result.curves.items(), strict=True):
        ax.plot(*result.fresh, "x", color=GRAY, markersize=4, label="新しい点")
        ax.plot(result.grid, curve, color=color)
        ax.plot(*result.points, "o", color=BLACK, markersize=5.5, label="訓練の 11 点")
        ax.set(title=f"{degree} 次", xlabel="$u$", ylim=(-2.6, 2.6))
    picture.axes[0].set_ylabel("$s$")
    legend_above(picture, picture.axes[0], 2)
    return picture


@draw
def errors(result: PolynomialFits) -> Picture:
    """次数に対する訓練とテストの誤差。線が引き直しの中央値、帯が 10 % から 90 % 点。"""
    picture = Picture("polynomial-errors", height=3.5)
    ax = picture.axes
    for look, name, table in zip(
        SERIES_LOOKS,
        ("訓練の誤差", "新しい点での誤差"),
        (result.train_errors, result.test_errors),
        strict=False,
    ):
        low, middle, high = np.quantile(table, (0.1, 0.5, 0.9), axis=0)
        ax.plot(result.degrees, middle, **look.line(marker=look.marker, markersize=6, label=name))
        ax.fill_between(result.degrees, low, high, color=look.color, alpha=0.15, linewidth=0)
    ax.set(
        yscale="log",
        ylim=(1e-3, 3),
        xticks=result.degrees,
        xlabel="多項式の次数",
        ylabel="誤差 $E$(対数目盛)",
    )
    legend_above(picture, ax, 2)
    return picture


@draw
def scales(results: Mapping[str, Mapping[float, list[SmallData]]]) -> Picture:
    """初期値の大きさに対するテストの正解率(上)と損失(下)。線が平均、帯が最小から最大。"""
    picture = Picture("initial-scale", 2, 1, height=5.4, sharex=True)
    for look, (method, runs) in zip(SERIES_LOOKS, results.items(), strict=False):
        for ax, name, factor in ((picture.axes[0], "test_accuracy", 100), (picture.axes[1], "test_loss", 1)):
            _band(ax, list(runs), [values(runs[scale], name) * factor for scale in runs], look, method)
    for ax in picture.axes:
        ax.axvline(1, color=GRAY, linestyle=":", linewidth=1.2)
    picture.axes[0].text(1.03, 56, "He", color=GRAY)
    picture.axes[0].set(ylabel="テスト正解率(%)")
    ticks = list(next(iter(results.values())))
    picture.axes[1].set(
        xscale="log", yscale="log", xlabel="初期値を He の何倍にしたか", ylabel="テストの損失(対数目盛)"
    )
    picture.axes[1].set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    picture.axes[1].set_yticks([0.5, 1, 2, 5], ["0.5", "1", "2", "5"])
    picture.axes[1].minorticks_off()
    legend_above(picture, picture.axes[0], 2)
    return picture


@draw
def decays(results: Mapping[float, Mapping[float, list[SmallData]]]) -> Picture:
    """重み減衰の強さに対するテストの正解率(上)と損失(下)。線が平均、帯が最小から最大。"""
    picture = Picture("weight-decay", 2, 1, height=5.2, sharex=True)
    for look, (scale, runs) in zip(SERIES_LOOKS, results.items(), strict=False):
        label = "He から" if scale == 1 else f"He の {scale:g} 倍から"
        for ax, name, factor in ((picture.axes[0], "test_accuracy", 100), (picture.axes[1], "test_loss", 1)):
            _band(ax, range(len(runs)), [values(run, name) * factor for run in runs.values()], look, label)
    strengths = [f"{decay:g}" for decay in next(iter(results.values()))]
    picture.axes[0].set(ylabel="テスト正解率(%)")
    picture.axes[1].set(xlabel=r"重み減衰の強さ $\lambda$", ylabel="テストの損失", ylim=(0, None))
    picture.axes[1].set_xticks(range(len(strengths)), strengths)
    legend_above(picture, picture.axes[0], 2)
    return picture


def _band(ax: Axes, x: Sequence[float], columns: Iterable[Array], look: Look, label: str) -> None:
    table = np.array(columns)
    ax.plot(x, table.mean(axis=1), **look.line(marker=look.marker, markersize=6, label=label))
    ax.fill_between(x, table.min(axis=1), table.max(axis=1), color=look.color, alpha=0.15, linewidth=0)


def scale_table(results: Mapping[str, Mapping[float, list[SmallData]]]) -> Table:
    """手法と倍率ごとの、訓練の損失、重みの動き、使っている方向の数。"""
    rows = []
    for method, by_scale in results.items():
        for scale, runs in by_scale.items():
            loss, accuracy = values(runs, "train_loss"), values(runs, "train_accuracy")
            rows.append(
                [
                    f"{method} × {scale:g}",
                    f"{loss.max():.3f}",
                    f"{accuracy.min():.0%}",
                    f"{values(runs, 'test_accuracy').mean():.1%}",
                    f"{values(runs, 'moved').mean():.1f}",
                    f"{values(runs, 'directions').mean():.1f}",
                ]
            )
    header = ["手法と倍率", "訓練の損失", "訓練正解率", "テスト正解率", "重みの動き", "方向の数"]
    return Table(header, rows)


def decay_table(results: Mapping[float, Mapping[float, list[SmallData]]]) -> Table:
    """出発点と λ ごとの、訓練の損失、テストの正解率と損失(平均)。"""
    rows = []
    for scale, by_decay in results.items():
        for decay, runs in by_decay.items():
            names = ("train_loss", "test_accuracy", "test_loss")
            loss, accuracy, test_loss = (values(runs, name).mean() for name in names)
            start = f"He × {scale:g}、λ = {decay:g}"
            rows.append([start, f"{loss:.3f}", f"{accuracy:.1%}", f"{test_loss:.2f}"])
    return Table(["出発点と強さ", "訓練の損失", "テスト正解率", "テストの損失"], rows)
