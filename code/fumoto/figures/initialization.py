"""8 章の図と表。"""

import re
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from fumoto.experiments.initialization import (
    ACTIVATIONS,
    COMPARED,
    DEPTH,
    Compared,
    Distribution,
    Propagation,
    UnitSpread,
)
from fumoto.figures.comparison import mnist_table as comparison_table
from fumoto.figures.looks import BLACK, BLUE, GREEN, PINK, RED, SERIES_LOOKS, Look
from fumoto.figures.style import Picture, draw, legend_above
from fumoto.figures.table import Table
from fumoto.hints import Array

Distributions = Mapping[tuple[str, str], Distribution]  # (初期値, 活性化関数) → 結果
BLOCK = 20  # 損失を平均する幅
LAYERS = np.arange(1, DEPTH + 1)
INITIAL_LOOKS = {
    "1": Look(PINK, (0, (1, 1)), "v"),
    "0.01": Look(BLACK, (0, (6, 2, 1.5, 2)), "^"),
    "0.1": Look(BLUE, (0, (6, 2)), "s"),
    "Xavier": Look(GREEN, (0, (2, 1.5)), "D"),
    "He": Look(RED, "-", "o"),
    "4/√n": Look(BLUE, (0, (6, 2)), "s"),
}
ACTIVATION_LOOKS = dict(zip(ACTIVATIONS, SERIES_LOOKS, strict=False))
LABELS = {"1": "標準偏差 1", "0.01": "標準偏差 0.01", "0.1": "標準偏差 0.1"}


_RELU_RANGE = (1e-7, 1e5)


@draw
def histograms(distributions: Distributions) -> Picture:
    """1 層(線)と 5 層(塗り)の出力の分布。行が初期値、列が活性化関数。"""
    shown = ("1", "0.01", "Xavier", "He")
    picture = Picture("init-histograms", len(shown), 3, height=5.8, sharex="col")
    for column, name in enumerate(ACTIVATIONS):
        for initial, ax in zip(shown, picture.axes[:, column], strict=True):
            outputs = distributions[initial, name].outputs
            (_relu_panel if name == "ReLU" else _panel)(ax, outputs, name)
            ax.set_yticks([])
            ax.grid(False)
            ax.spines["left"].set_visible(False)
            if column == 0:
                label = LABELS.get(initial, initial).replace(" ", "\n")
                ax.set_ylabel(label, rotation=0, ha="right", va="center")
        picture.axes[0, column].set_title(name)
    picture.axes[-1, 1].set_xlabel("出力(ReLU は 0 を除いて対数目盛)")
    return picture


def _panel(ax: Axes, outputs: Array, name: str) -> None:
    low = 0 if name == "シグモイド" else -1
    _stairs(ax, outputs, np.linspace(low, 1, 41), ACTIVATION_LOOKS[name])
    margin = 0.04 * (1 - low)
    ax.set(xlim=(low - margin, 1 + margin), ylim=(0, 1.08), xticks=[low, (low + 1) / 2, 1])
    ax.set_xticklabels(["0", "0.5", "1"] if low == 0 else ["−1", "0", "1"])


def _relu_panel(ax: Axes, outputs: Array, name: str) -> None:
    _stairs(ax, outputs, np.geomspace(*_RELU_RANGE, 49), ACTIVATION_LOOKS[name])
    ax.set(xscale="log", xlim=_RELU_RANGE, ylim=(0, 1.08), xticks=[1e-5, 1])
    ax.set_xticks([], minor=True)


def _stairs(ax: Axes, outputs: Array, edges: Array, look: Look) -> None:
    first, last = (np.histogram(outputs[layer], bins=edges)[0] for layer in (0, -1))
    ax.stairs(last / last.max(), edges, fill=True, color=look.color, alpha=0.7)
    ax.stairs(first / first.max(), edges, color=BLACK, linewidth=1.2)


@draw
def unit_spread(result: UnitSpread, units: int = 20, samples: int = 40) -> Picture:
    """標準偏差 0.01 のシグモイド。上の 2 段が 1 層と 5 層の出力、下が散らばりの 2 つの成分。"""
    picture = Picture("init-unit-spread", 3, 1, height=6.6, height_ratios=[3, 3, 4])
    for ax, layer in zip(picture.axes[:2], (0, DEPTH - 1), strict=True):
        outputs = result.outputs[layer, :samples, :units]
        positions = np.broadcast_to(np.arange(1, units + 1), outputs.shape)
        ax.plot(positions.ravel(), outputs.ravel(), ".", color=BLUE, markersize=3, alpha=0.5)
        ax.set(
            ylim=(0.4, 0.6),
            ylabel="出力",
            title=f"{layer + 1} 層: 点 1 つが標本 1 つ",
            xticks=[1, 5, 10, 15, 20],
        )
    picture.axes[1].set_xlabel("ノードの番号")
    ax = picture.axes[2]
    for name, values, look in (
        ("ノードの間", result.between["シグモイド"], SERIES_LOOKS[1]),
        ("標本の間(同じノード)", result.within["シグモイド"], SERIES_LOOKS[0]),
    ):
        ax.plot(LAYERS, values, **look.line(marker=look.marker, markersize=6, label=name))
    ax.set(yscale="log", xlabel="層", ylabel="標準偏差(対数目盛)", xticks=LAYERS)
    ax.legend(loc="lower left")
    return picture


@draw
def propagation(result: Propagation) -> Picture:
    """ReLU の層 50 枚を通る値の二乗平均。細い線が He のネットワーク 1 つ、太い線が平均。"""
    picture = Picture("init-propagation", height=4.5)
    ax = picture.axes
    layers = np.arange(next(iter(result.squares.values())).shape[1])
    for single in result.squares["He"][:30]:
        ax.plot(layers, single, color=RED, linewidth=0.6, alpha=0.3)
    labels = {
        "He": r"He: $\sqrt{2/n}$",
        "Xavier": r"Xavier: $\sqrt{1/n}$",
        "原ノート": r"原ノート: $2/\sqrt{n}$",
    }
    looks = {
        "He": INITIAL_LOOKS["He"],
        "Xavier": INITIAL_LOOKS["Xavier"],
        "原ノート": Look(BLUE, (0, (6, 2)), "s"),
    }
    for name, squares in result.squares.items():
        look = looks[name]
        ax.plot(
            layers,
            squares.mean(axis=0),
            **look.line(marker=look.marker, markersize=6, markevery=10, label=labels[name]),
        )
    ax.set(yscale="log", xlabel="層", ylabel="値の二乗平均(対数目盛)")
    legend_above(picture, ax, 2)
    return picture


_SHOWN = {  # 線の名前 → (初期値, 活性化関数)
    "シグモイド 0.01": ("0.01", "シグモイド"),
    "シグモイド Xavier": ("Xavier", "シグモイド"),
    "シグモイド 1": ("1", "シグモイド"),
    "シグモイド 4/√n": ("4/√n", "シグモイド"),
    "tanh 1": ("1", "tanh"),
}


@draw
def layer_gradients(distributions: Distributions) -> Picture:
    """層ごとの勾配の絶対値の平均。いちばん上の層の値で割ってある。"""
    picture = Picture("layer-gradients", height=4.2)
    ax = picture.axes
    for look, (name, key) in zip(SERIES_LOOKS, _SHOWN.items(), strict=True):
        mean = distributions[key].mean
        ax.plot(LAYERS, mean / mean[-1], **look.line(marker=look.marker, markersize=6, label=name))
    ax.set(
        yscale="log",
        xlabel="層(勾配は右から左へ進む)",
        ylabel=f"勾配({DEPTH} 層目を 1 とする)",
        xticks=LAYERS,
    )
    legend_above(picture, ax, 2)
    return picture


@draw
def rates(runs: Compared) -> Picture:
    """学習率に対する、検証データの損失。上から、活性化関数ごと。"""
    picture = Picture("init-rates", len(COMPARED), 1, height=7.4, sharex=True, sharey=True)
    for ax, activation in zip(picture.axes, COMPARED, strict=True):
        for initial in COMPARED[activation]:
            look = INITIAL_LOOKS[initial]
            lr, loss = runs.by_rate((activation, initial))
            label = LABELS.get(initial, initial)
            ax.plot(lr, loss, **look.line(marker=look.marker, markersize=6, label=label))
        ax.set(xscale="log", yscale="log", ylim=(0.2, 3.0), ylabel="検証の損失", title=activation)
        ax.set_yticks([0.3, 0.5, 1, 2], ["0.3", "0.5", "1", "2"])
        ax.set_yticks([], minor=True)
    legend_above(picture, picture.axes[0], 2)
    picture.axes[-1].legend(loc="lower left")
    picture.axes[-1].set_xlabel(r"学習率 $\eta$(対数目盛)")
    return picture


@draw
def deep(runs: Compared) -> Picture:
    """それぞれに合う学習率での、訓練の損失。線が種についての平均、帯が最小から最大。"""
    picture = Picture("residual", height=3.8)
    ax = picture.axes
    for look, ((_, name), found) in zip(SERIES_LOOKS, runs.reports.items(), strict=False):
        blocks = found.losses.reshape(len(runs.seeds), -1, BLOCK).mean(axis=2)
        t = (np.arange(blocks.shape[1]) + 0.5) * BLOCK
        ax.plot(t, blocks.mean(axis=0), **look.line(marker=look.marker, markersize=5, label=name))
        ax.fill_between(t, blocks.min(axis=0), blocks.max(axis=0), color=look.color, alpha=0.15, linewidth=0)
    ax.set(xlabel="ステップ", ylabel="訓練の損失", ylim=(0, None))
    legend_above(picture, ax, 3)
    return picture


def mnist_table(runs: Compared) -> Table:
    """活性化関数と初期値ごとの、終わりの損失とテストの正解率、同じ活性化関数の He との差の区間。"""
    tables = [
        comparison_table(
            {f"{activation}、{LABELS.get(i, i)}": found for i, found in runs.of(activation).items()},
            f"{activation}、He",
            "初期値",
        )
        for activation in COMPARED
    ]
    header = [re.sub(".*、He", "He", title) for title in tables[0].header]
    return Table(header, [row for table in tables for row in table.rows])


def group_table(runs: Compared, reference: str, compared: str) -> Table:
    """1 つの組しかない比較の表。"""
    return comparison_table({name: found for (_, name), found in runs.reports.items()}, reference, compared)
