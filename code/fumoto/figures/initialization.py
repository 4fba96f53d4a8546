"""8 章の図と表。"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from fumoto.experiments.initialization import (
    ACTIVATIONS,
    BLOCK,
    DEPTH,
    LARGE_LR,
    NODES,
    STEPS,
    Collapse,
    Distribution,
    MnistInitials,
    Propagation,
    Shares,
    UnitSpread,
    Widths,
    density,
)
from fumoto.figures.looks import BLACK, BLUE, GRAY, GREEN, ORANGE, PINK, RED, SERIES_LOOKS, Look
from fumoto.figures.style import Picture, draw, legend_above
from fumoto.figures.table import Table
from fumoto.hints import Array, Arrays

Distributions = Mapping[tuple[str, str], Distribution]  # (初期値, 活性化関数) → 結果
LAYERS = np.arange(1, DEPTH + 1)
INITIAL_LOOKS = {
    "1": Look(PINK, (0, (1, 1)), "v"),
    "0.01": Look(BLACK, (0, (6, 2, 1.5, 2)), "^"),
    "0.1": Look(BLUE, (0, (6, 2)), "s"),
    "Xavier": Look(GREEN, (0, (2, 1.5)), "D"),
    "He": Look(RED, "-", "o"),
}
ACTIVATION_LOOKS = dict(zip(ACTIVATIONS, SERIES_LOOKS, strict=False))
LABELS = {"1": "標準偏差 1", "0.01": "標準偏差 0.01", "0.1": "標準偏差 0.1", "0": "すべて 0"}


@draw
def sizes(distributions: Distributions) -> Picture:
    """ReLU の層を通るごとの、出力の大きさ(二乗平均の平方根)。"""
    picture = Picture("init-sizes", height=3.5)
    ax = picture.axes
    for initial in ("1", "He", "Xavier", "0.01"):
        look = INITIAL_LOOKS[initial]
        size = np.sqrt((distributions[initial, "ReLU"].outputs ** 2).mean(axis=(1, 2)))
        ax.plot(
            LAYERS, size, **look.line(marker=look.marker, markersize=6, label=LABELS.get(initial, initial))
        )
    ax.set(yscale="log", xlabel="層", ylabel="出力の大きさ(対数目盛)", xticks=LAYERS)
    legend_above(picture, ax, 2)
    return picture


@draw
def shares(result: Shares) -> Picture:
    """標準正規分布の密度と、標準偏差の 1 倍と 2 倍の内側。"""
    picture = Picture("init-shares", height=3.2)
    ax = picture.axes
    w = np.linspace(-3.5, 3.5, 400)
    ax.plot(w, density(w, 1.0), color=BLACK)
    for row, (k, color) in enumerate(((2, BLUE), (1, ORANGE))):
        inside = np.linspace(-k, k, 200)
        ax.fill_between(inside, density(inside, 1.0), color=color, alpha=0.35, linewidth=0)
        share = result.integral[k - 1]
        ax.annotate("", (-k, 0.46 + 0.06 * row), (k, 0.46 + 0.06 * row), arrowprops={"arrowstyle": "<->"})
        ax.text(k + 0.12, 0.445 + 0.06 * row, f"±{k}σ の内側: {share:.2%}")
    ax.set(
        xlabel=r"$w / \sigma$", ylabel="密度(σ = 1)", xticks=range(-3, 4), ylim=(0, 0.56), xlim=(-3.5, 6.1)
    )
    ax.spines["bottom"].set_bounds(-3.5, 3.5)
    return picture


@draw
def four_gaussians(result: Widths) -> Picture:
    """4 つの初期値の密度。上が正しい n、下が原ノートの n(どちらも縦軸は対数)。"""
    picture = Picture("init-four-gaussians", 2, 1, height=6.0, sharex=True, sharey=True)
    w = np.linspace(-0.45, 0.45, 1801)
    titles = ("正しい n = 100(前の層のノード数)", "原ノートの n = 100000(配列の要素の数)")
    for ax, title, stds in zip(picture.axes, titles, (result.right, result.notes), strict=True):
        for name, std in stds.items():
            look = INITIAL_LOOKS[name]
            ax.plot(w, density(w, std), **look.line(label=f"{name}: σ = {std:.2g}"))
        ax.set(yscale="log", xlim=(-0.47, 0.95), ylim=(0.03, 300), ylabel="密度(対数目盛)", title=title)
        ax.legend(loc="upper right")
    for name, weights in result.weights.items():
        counts, edges = np.histogram(weights, bins=60, range=(-0.45, 0.45))
        shown = counts > 10
        heights = counts / weights.size / np.diff(edges)
        middles = (edges[1:] + edges[:-1]) / 2
        look = INITIAL_LOOKS[name]
        picture.axes[0].plot(middles[shown], heights[shown], look.marker, color=look.color, markersize=3)
    picture.axes[1].set(xlabel="重み $w$", xticks=[-0.4, -0.2, 0, 0.2, 0.4])
    return picture


_RELU_RANGE = (1e-7, 1e5)


@draw
def histograms(distributions: Distributions, initial: str) -> Picture:
    """1 つの初期値についての、出力の分布。行が層、列が活性化関数。"""
    picture = Picture(f"init-histograms-{initial}", DEPTH, 3, height=5.4, sharex="col")
    for column, name in enumerate(ACTIVATIONS):
        look = ACTIVATION_LOOKS[name]
        for layer, ax in enumerate(picture.axes[:, column]):
            outputs = distributions[initial, name].outputs[layer]
            (_relu_panel if name == "ReLU" else _panel)(ax, outputs, name, look)
            ax.set_yticks([])
            ax.grid(False)
            ax.spines["left"].set_visible(False)
            if column == 0:
                ax.set_ylabel(f"{layer + 1} 層", rotation=0, ha="right", va="center")
        picture.axes[0, column].set_title(name)
    picture.axes[-1, 1].set_xlabel("出力(ReLU は 0 を除いて対数目盛)")
    return picture


def _panel(ax: Axes, outputs: Array, name: str, look: Look) -> None:
    low = 0 if name == "シグモイド" else -1
    counts, edges = np.histogram(outputs, bins=40, range=(low, 1))
    ax.stairs(counts / counts.max(), edges, fill=True, color=look.color)
    margin = 0.04 * (1 - low)
    ax.set(xlim=(low - margin, 1 + margin), ylim=(0, 1.08), xticks=[low, (low + 1) / 2, 1])
    ax.set_xticklabels(["0", "0.5", "1"] if low == 0 else ["−1", "0", "1"])


def _relu_panel(ax: Axes, outputs: Array, name: str, look: Look) -> None:
    positive = outputs[outputs > 0]
    edges = np.geomspace(*_RELU_RANGE, 49)
    counts, _ = np.histogram(positive, bins=edges)
    ax.stairs(counts / max(counts.max(), 1), edges, fill=True, color=look.color)
    ax.set(xscale="log", xlim=_RELU_RANGE, ylim=(0, 1.6), xticks=[1e-5, 1])
    ax.set_xticks([], minor=True)
    share = f"0 が {np.mean(outputs == 0):.0%}"
    ax.text(0.5, 1.0, share, transform=ax.transAxes, ha="center", va="top")  # 山の上に書く


def gradients_table(distributions: Distributions, initial: str) -> Table:
    """1 つの初期値についての、層ごとの勾配の大きさ、微分の小さい出力と死んだノードの割合。"""
    rows = []
    for name in ACTIVATIONS:
        result = distributions[initial, name]
        rows.append([f"{name}: 平均", *map(_short, result.mean)])
        if name == "ReLU":
            rows.append([f"{name}: 死んだ", *(f"{share:.1%}" for share in result.dead)])
            continue
        rows.append([f"{name}: 中央値", *map(_short, result.median)])
        rows.append([f"{name}: 飽和", *(f"{share:.0%}" for share in result.flat)])
    return Table(["", *(f"{layer} 層" for layer in LAYERS)], rows)


_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _short(value: float) -> str:
    """有効数字 2 桁。小さな値は 10 のべきで書く(表が広がらないように、文字のべきで)。"""
    if value == 0 or value >= 1e-3:
        return f"{float(f'{value:.2g}'):g}"
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits}×10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


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


@draw
def deep_sigmoid(distributions: Distributions, runs: MnistInitials) -> Picture:
    """上: Xavier の初期値での、層ごとの勾配。下: シグモイドのネットワークの MNIST の損失。"""
    picture = Picture("init-deep-sigmoid", 2, 1, height=6.2)
    top, bottom = picture.axes
    for name, look in ACTIVATION_LOOKS.items():
        mean = distributions["Xavier", name].mean
        top.plot(LAYERS, mean, **look.line(marker=look.marker, markersize=6, label=name))
    top.set(yscale="log", xlabel="層", ylabel="勾配の平均(対数目盛)", xticks=LAYERS)
    top.legend(loc="lower right")
    curves = {f"η = {lr:g}": run for lr, run in runs.sigmoid.items()}
    curves["tanh、η = 0.01"] = runs.small["tanh", "Xavier"]
    looks = (SERIES_LOOKS[0], SERIES_LOOKS[3], SERIES_LOOKS[1], Look(GRAY, (0, (1, 1)), "v"))
    for (label, run), look in zip(curves.items(), looks, strict=True):
        t, blocks = _averages(run.losses[:1])
        bottom.plot(t, blocks[0], **look.line(marker=look.marker, markersize=4, markevery=5, label=label))
    bottom.set(xlabel="ステップ", ylabel="訓練の損失", ylim=(0, 4.2))
    bottom.set_title("シグモイド(比べるために tanh も)")
    bottom.legend(ncols=2, loc="upper center")
    return picture


def _averages(losses: Array) -> tuple[Array, Array]:
    """``BLOCK`` ステップごとの平均と、その真ん中のステップ。"""
    blocks = losses.reshape(len(losses), -1, BLOCK).mean(axis=2)
    return (np.arange(blocks.shape[1]) + 0.5) * BLOCK, blocks


@draw
def mnist_losses(runs: MnistInitials) -> Picture:
    """初期値ごとの MNIST の損失。上が ReLU、下が tanh。線が種についての平均、帯が最小から最大。"""
    picture = Picture("init-mnist-losses", 2, 1, height=6.2, sharex=True, sharey=True)
    for ax, activation in zip(picture.axes, ("ReLU", "tanh"), strict=True):
        for initial in ("0.01", "0.1", "Xavier", "He"):
            look = INITIAL_LOOKS[initial]
            t, blocks = _averages(runs.small[activation, initial].losses)
            ax.plot(
                t,
                blocks.mean(axis=0),
                **look.line(
                    marker=look.marker, markersize=5, markevery=4, label=LABELS.get(initial, initial)
                ),
            )
            ax.fill_between(
                t, blocks.min(axis=0), blocks.max(axis=0), color=look.color, alpha=0.15, linewidth=0
            )
        ax.set(yscale="log", ylabel="訓練の損失(対数目盛)", title=activation)
        ax.set_yticks([0.3, 1, 2], ["0.3", "1", "2"])
        ax.set_yticks([], minor=True)
    picture.axes[1].set_xlabel("ステップ")
    legend_above(picture, picture.axes[0], 2)
    return picture


@draw
def swings(runs: MnistInitials) -> Picture:
    """損失の高さに対する、隣のステップとの振れ。印 1 つが 50 ステップ。"""
    picture = Picture("init-swings", height=3.9)
    ax = picture.axes
    for initial in ("0.1", "Xavier", "He"):
        run, look = runs.small["ReLU", initial], INITIAL_LOOKS[initial]
        blocks = run.losses.reshape(-1, BLOCK)
        swing = np.sqrt(np.mean(np.diff(blocks, axis=1) ** 2, axis=1) / 2)
        ax.plot(
            blocks.mean(axis=1),
            swing,
            look.marker,
            color=look.color,
            markersize=4,
            alpha=0.6,
            label=LABELS.get(initial, initial),
        )
    ax.set(xscale="log", xlabel="損失(50 ステップの平均、対数目盛)", ylabel="損失の振れ")
    ax.set_xticks([0.3, 0.5, 1, 2], ["0.3", "0.5", "1", "2"])
    ax.set_xticks([], minor=True)
    ax.invert_xaxis()
    legend_above(picture, ax, 3)
    return picture


@draw
def wrong_n(result: Collapse) -> Picture:
    """正しい n と原ノートの n での、各層の出力の標準偏差。"""
    picture = Picture("init-wrong-n", height=4.4)
    ax = picture.axes
    layers = np.arange(DEPTH + 1)
    for name, (right, notes) in result.spreads.items():
        marker = INITIAL_LOOKS[name].marker
        ax.plot(layers, right, color=BLUE, marker=marker, label=f"{name}、n = {NODES}")
        label = f"{name}、n = 100000"
        ax.plot(layers, notes, color=RED, linestyle=(0, (6, 2)), marker=marker, label=label)
    ax.set(yscale="log", xlabel="層(0 は入力)", ylabel="出力の標準偏差(対数目盛)", xticks=layers)
    legend_above(picture, ax, 2)
    return picture


def stds_table(stds: Arrays) -> Table:
    """重みの行列ごとの標準偏差。"""
    count = len(next(iter(stds.values())))
    header = ["初期値", *(f"{k} 番目の行列" for k in range(1, count + 1))]
    return Table(header, [[LABELS.get(name, name), *(f"{s:.3f}" for s in row)] for name, row in stds.items()])


def mnist_table(runs: MnistInitials) -> Table:
    """活性化関数と初期値ごとの、途中と最後の損失、損失 0.5 までのステップ。"""
    rows = []
    for (activation, initial), run in runs.small.items():
        steps = run.reaches(0.5)
        rows.append(
            [
                f"{activation}、{LABELS.get(initial, initial)}",
                _with_spread(run.mean(200, 400), 2),
                _with_spread(run.mean(STEPS - 200, STEPS), 3),
                "—" if np.isnan(steps).any() else f"{steps.mean():.0f} ステップ",
            ]
        )
    return Table(["損失", "200〜400 ステップ", "最後の 200 ステップ", "0.5 まで"], rows)


def swings_table(runs: MnistInitials) -> Table:
    """損失の振れ: 同じステップどうしと、同じ損失どうし(標準偏差 0.01 は学習しないので除く)。"""
    chosen = {
        f"{activation}、{LABELS.get(i, i)}": run for (activation, i), run in runs.small.items() if i != "0.01"
    }
    chosen |= {f"ReLU、{LABELS.get(i, i)}(η = {LARGE_LR})": run for i, run in runs.large.items()}
    rows = []
    for name, run in chosen.items():
        early, late = run.swing(100, 300), run.swing(-500, None)
        rows.append(
            [name, *(_with_spread(values, 3) for values in (early, late, run.swing_between(0.35, 0.5)))]
        )
    return Table(["振れ", "100〜300", "最後の 500", "損失 0.35〜0.5"], rows)


def _with_spread(values: Array, digits: int) -> str:
    return f"{values.mean():.{digits}f} ± {values.std(ddof=1):.{digits}f}"
