"""7 章の図: 活性化関数の飽和、層をさかのぼる勾配、すべて 0 の初期値、死んだ ReLU。"""

from collections.abc import Mapping

import numpy as np

from fumoto.experiments.saturation import Curve, LayerGradients, OneNeuron, ReluRun, Twins
from fumoto.figures.looks import GRAY, SERIES_LOOKS
from fumoto.figures.style import Picture, draw, legend_above
from fumoto.figures.table import Table
from fumoto.hints import Array, Arrays

FLAT = 0.0025  # 微分がこれより小さいところを灰色にする(最大値の 1 %)


@draw
def sigmoid(result: Curve) -> Picture:
    """シグモイド関数(上)とその微分(下)。微分がほとんど 0 の範囲は灰色。"""
    picture = Picture("sigmoid", 2, 1, height=4.6, sharex=True)
    value, slope = picture.axes
    value.plot(result.x, result.y, **SERIES_LOOKS[0].line())
    value.set(ylabel="$y$", title="シグモイド関数", yticks=[0, 0.5, 1])
    slope.plot(result.x, result.d, **SERIES_LOOKS[1].line())
    slope.plot(0, result.d.max(), "s", color=SERIES_LOOKS[1].color)
    slope.annotate(f"最大 {result.d.max():g}", (0, result.d.max()), (0.7, 0.235))
    slope.set(
        xlabel="入力 $x$",
        ylabel="$d$",
        title="その微分 $d = y(1-y)$",
        yticks=[0, 0.1, 0.2],
        ylim=(-0.01, 0.27),
    )
    edge = result.x[result.d >= FLAT].max()
    for ax in picture.axes:
        ax.axvspan(result.x[0], -edge, color=GRAY, alpha=0.15, linewidth=0)
        ax.axvspan(edge, result.x[-1], color=GRAY, alpha=0.15, linewidth=0)
        ax.set_xlim(result.x[0], result.x[-1])
    value.text(-9.7, 0.45, "飽和\n$y \\approx 0$", color=GRAY)
    value.text(9.7, 0.45, "飽和\n$y \\approx 1$", color=GRAY, ha="right")
    return picture


@draw
def relu(curves: Mapping[str, Curve]) -> Picture:
    """ReLU と Leaky ReLU の値(左)と微分(右)。"""
    picture = Picture("relu", 1, 2, height=3.0)
    for look, (name, result) in zip(SERIES_LOOKS, curves.items(), strict=False):
        picture.axes[0].plot(result.x, result.y, **look.line(label=name))
        for side in (result.x <= 0, result.x > 0):  # x = 0 で微分は跳ぶので、線をつながない
            picture.axes[1].plot(result.x[side], result.d[side], **look.line())
    picture.axes[0].set(xlabel="入力 $x$", title="値 $y$")
    picture.axes[1].set(xlabel="入力 $x$", title="微分 $d$", ylim=(-0.1, 1.1))
    legend_above(picture, picture.axes[0], 2)
    return picture


@draw
def one_neuron(result: OneNeuron) -> Picture:
    """正解の値ごとの、出力の移り変わり。連鎖律と原ノートの勾配。"""
    picture = Picture("one-neuron", 1, 2, height=3.3, sharey=True)
    for ax, target in zip(picture.axes, result.right, strict=True):
        ax.axhline(target, color=GRAY, linestyle=":", linewidth=1.2)
        for look, name, outputs in zip(
            SERIES_LOOKS,
            ("連鎖律", "$y(1-y)$ だけ"),
            (result.right[target], result.notes[target]),
            strict=False,
        ):
            ax.plot(outputs, **look.line(marker=look.marker, markersize=5, markevery=8, label=name))
        ax.set(title=f"正解の値 {target:g}", xlabel="ステップ", ylim=(0, 1))
    picture.axes[0].set_ylabel("出力 $y$")
    legend_above(picture, picture.axes[0], 2)
    return picture


@draw
def layers(results: Mapping[str, LayerGradients]) -> Picture:
    """層ごとの勾配の平均(上)と中央値(下)。いちばん上の層の値で割ってある。"""
    picture = Picture("layer-gradients", 2, 1, height=6.0, sharex=True)
    for look, (name, result) in zip(SERIES_LOOKS, results.items(), strict=False):
        for ax, table in zip(picture.axes, (result.mean, result.median), strict=True):
            if ax is picture.axes[1] and name.startswith("ReLU"):
                continue  # ノードの半分で 0 なので、中央値は意味を持たない
            relative = np.mean(table / table[:, -1:], axis=0)
            numbers = np.arange(1, len(relative) + 1)
            ax.plot(numbers, relative, **look.line(marker=look.marker, markersize=5, label=name))
    for ax, title in zip(picture.axes, ("勾配の絶対値の平均", "勾配の絶対値の中央値"), strict=True):
        ax.axhline(1, color=GRAY, linestyle=":", linewidth=1.2)
        ax.set(yscale="log", title=title, ylabel="10 層目を 1 として")
    picture.axes[1].set(xlabel="層(右が出力側。勾配は右から左へ進む)", xticks=numbers)
    legend_above(picture, picture.axes[0], 2)
    return picture


def layer_table(results: Mapping[str, LayerGradients]) -> Table:
    """飽和の割合と、1 層あたりの倍率(式と実測)。"""
    rows = []
    for name, result in results.items():
        flat = "—" if name.startswith("ReLU") else f"{result.flat.mean():.0%}"
        rows.append([name, flat, f"{result.factor.mean():.3g}", f"{result.measured_factor:.3g}"])
    return Table(["活性化関数と重み", "飽和の割合", "1 層あたり r(式)", "1 層あたり(実測)"], rows)


def zero_table(results: Mapping[str, Arrays]) -> Table:
    """すべて 0 から始めたときの、ステップごとの勾配の最大の絶対値。"""
    rows = []
    for name, sizes in results.items():
        groups = {"W1": ["W1"], "W2": ["W2"], "W3": ["W3"], "W4": ["W4"], "b4": ["b4"]}
        if name != "シグモイド":
            groups = {"W1〜W4 と b1〜b3": [key for key in sizes if key != "b4"], "b4": ["b4"]}
        for label, keys in groups.items():
            largest = np.max([sizes[key] for key in keys], axis=0)
            rows.append([f"{name} {label}", *("0" if value == 0 else f"{value:.0e}" for value in largest)])
    steps = len(next(iter(next(iter(results.values())).values())))
    return Table(["勾配", *(f"{step} 歩目" for step in range(1, steps + 1))], rows)


@draw
def twins(result: Twins) -> Picture:
    """同じ重みから始めたノードどうしの違いが、育っていく様子(縦軸は対数)。"""
    picture = Picture("twins", height=3.7)
    ax = picture.axes
    for look, (name, spread) in zip(SERIES_LOOKS, result.spread.items(), strict=False):
        shown = np.maximum(spread, 1e-18)  # ちょうど 0 なら、いちばん下に描く
        ax.plot(result.steps, shown, **look.line(marker=look.marker, markersize=5, label=name))
    ax.set(yscale="log", xlabel="ステップ", ylabel="ノードどうしの違い(対数目盛)", ylim=(1e-18, 10))
    legend_above(picture, ax, 2)
    return picture


@draw
def dead_rates(results: Mapping[float, list[ReluRun]], every: int = 50) -> Picture:
    """学習率ごとの、学習で新しく死んだノードの数。線が平均、帯が最小から最大。"""
    picture = Picture("dead-rates", height=3.6)
    ax = picture.axes
    for look, (lr, runs) in zip(SERIES_LOOKS, results.items(), strict=False):
        table = np.array([run.newly for run in runs])
        steps = every * np.arange(1, table.shape[1] + 1)
        ax.plot(
            steps,
            table.mean(axis=0),
            **look.line(marker=look.marker, markersize=5, label=rf"$\eta$ = {lr:g}"),
        )
        ax.fill_between(
            steps, table.min(axis=0), table.max(axis=0), color=look.color, alpha=0.15, linewidth=0
        )
    ax.set(xlabel="ステップ", ylabel="新しく死んだノードの数", ylim=(0, None))
    legend_above(picture, ax, 4)
    return picture


@draw
def dead_layer(results: Mapping[int, Array]) -> Picture:
    """2 番目の隠れ層で死なせたノードの数に対する、テストの正解率。"""
    picture = Picture("dead-layer", height=3.0)
    ax = picture.axes
    look, places = SERIES_LOOKS[0], range(len(results))
    ax.plot(places, [accuracy.mean() * 100 for accuracy in results.values()], **look.line())
    for place, accuracy in zip(places, results.values(), strict=True):
        ax.plot(
            [place] * len(accuracy), accuracy * 100, look.marker, color=look.color, markersize=6, alpha=0.7
        )
    ax.set(xlabel="死なせたノードの数(100 個のうち)", ylabel="テスト正解率(%)", ylim=(0, 100))
    ax.set_xticks(places, [str(killed) for killed in results])
    return picture


def cure_table(results: Mapping[str, Mapping[float, list[ReluRun]]]) -> Table:
    """条件と負の側の傾きごとの、死んだノードの数(はじめ → 終わり、合計の平均)とテストの正解率。"""
    rows = []
    for case, by_slope in results.items():
        for slope, runs in by_slope.items():
            name = "ReLU" if slope == 0 else f"Leaky(c = {slope:g})"
            start, end = (np.mean([getattr(run, field).sum() for run in runs]) for field in ("start", "end"))
            newly = np.mean([run.newly[-1] for run in runs])
            accuracy = np.mean([run.accuracy for run in runs])
            row = [f"{start:.0f}", f"{end:.0f}", f"{newly:.0f}", f"{accuracy:.1%}"]
            if any(np.isnan(run.loss) for run in runs):
                row = [f"{start:.0f}", "発散", "発散", "発散"]
            rows.append([f"{case}、{name}", *row])
    return Table(["条件", "はじめ", "終わり", "新しく", "テスト正解率"], rows)
