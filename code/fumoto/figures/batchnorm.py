"""9 章の図。"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from fumoto.experiments.batchnorm import (
    FEWER,
    PAIRS,
    RUNGS,
    SIZES,
    STEPS,
    TRIALS,
    AlongGradient,
    Compared,
    Decayed,
    Inference,
    Key,
    Outlier,
    Reach,
    Shaking,
)
from fumoto.experiments.protocol import BATCH_SIZE, Tuned
from fumoto.figures.looks import BLACK, BLUE, GRAY, RED, SERIES_LOOKS, SKY, Look
from fumoto.figures.style import Picture, draw, legend_above
from fumoto.figures.table import Table, interval
from fumoto.hints import Array, Arrays

_LABELS = {"なし": "BatchNorm なし", "前": "活性化関数の前", "後": "活性化関数の後"}


def _look(position: int) -> Look:
    return SERIES_LOOKS[position]


@draw
def histograms(outputs: Arrays) -> Picture:
    """置き場所(行)ごとの、5 つの層(列)の出力の分布。``outputs[置き場所]``: ``(層の数, 標本, ノード)``。"""
    picture = Picture("batchnorm-histograms", len(outputs), 5, height=4.9, sharey="row")
    for row, (place, layers) in zip(picture.axes, outputs.items(), strict=True):
        low, high = (-3, 3) if place == "後" else (0, 1)
        for ax, values in zip(row, layers, strict=True):
            bins = np.linspace(low, high, 31)
            ax.hist(values.ravel(), bins, color=BLUE, weights=np.full(values.size, 100 / values.size))
            ax.set(xlim=(low, high), xticks=[low, high])
            ax.grid(False)
        title = _LABELS[place] if place == "なし" else f"{_LABELS[place]}に置く"
        row[2].set_title(title, pad=10)
        row[0].set_ylabel("割合(%)")
    for number, ax in enumerate(picture.axes[-1], start=1):
        ax.set_xlabel(f"{number} 層")
    _apart(picture)
    return picture


def _apart(picture: Picture) -> None:
    """段の間を空ける(題が、上の段の名前に見えないように)。"""
    picture.figure.set_layout_engine("constrained", hspace=0.15)


@draw
def paths() -> Picture:
    """入力 x_i へ戻る勾配の、3 つの道(計算グラフ)。数は使わない。"""
    picture = Picture("batchnorm-paths", height=3.7)
    ax = picture.axes
    nodes = {
        "x": (0.0, 1.0, "$x_i$"),
        "var": (1.0, 0.3, r"$\sigma_B^2$"),
        "mean": (0.55, -0.75, r"$\mu_B$"),
        "own": (2.4, 1.0, r"$\hat{x}_i$"),
        "other": (2.4, -0.45, r"$\hat{x}_j$"),
        "y": (3.2, 1.0, "$y_i$"),
        "others": (3.2, -0.45, "$y_j$"),
    }
    for first, second, position in (
        *(("own", "x", 0),),
        *(("own", "var", 1), ("other", "var", 1), ("var", "x", 1)),
        *(("own", "mean", 2), ("other", "mean", 2), ("mean", "x", 2)),
        *(("y", "own", None), ("others", "other", None)),
    ):
        look = Look(GRAY, "-") if position is None else _look(position)
        style = {"arrowstyle": "-|>", "shrinkA": 15, "shrinkB": 15, "lw": 1.8, **look.line()}
        ax.annotate("", nodes[second][:2], nodes[first][:2], arrowprops=style)
    for x, y, text in nodes.values():
        ax.text(x, y, text, ha="center", va="center", bbox={"boxstyle": "circle", "fc": "white", "ec": GRAY})
    for x, y, text, position in (
        (1.2, 1.14, r"① $1/\sqrt{\sigma_B^2 + \varepsilon}$", 0),
        (1.17, 0.72, r"② $2(x_i - \mu_B)/N$", 1),
        (0.0, -0.15, r"③ $1/N$", 2),
        (2.42, 0.17, r"$-\hat{x}_j/(2 (\sigma_B^2 + \varepsilon))$", 1),
        (1.6, -0.83, r"$-1/\sqrt{\sigma_B^2 + \varepsilon}$", 2),
        (2.8, 1.12, r"$\gamma$", None),
        (2.8, -0.33, r"$\gamma$", None),
    ):
        color = GRAY if position is None else _look(position).color
        ax.text(
            x, y, text, ha="center", color=color, bbox={"fc": "white", "ec": "none", "pad": 1, "alpha": 0.8}
        )
    ax.text(2.8, -0.95, "ほかの標本", ha="center", color=GRAY)
    ax.set(xlim=(-0.4, 3.5), ylim=(-1.15, 1.45))
    ax.axis("off")
    return picture


@draw
def reach(result: Reach) -> Picture:
    """1 マスの出力(太い枠)のために平均をとるマス(色と点)。層ごとの標本 × ノードの表。"""
    picture = Picture("norm-reach", 2, 2, height=4.9)
    row, column = result.at
    for ax, (name, cells) in zip(picture.axes.flat, result.cells.items(), strict=True):
        samples, nodes = cells.shape
        for i, k in np.ndindex(cells.shape):
            ax.add_patch(Rectangle((k, i), 1, 1, fc=SKY if cells[i, k] else "white", ec=GRAY, lw=0.8))
        used = np.argwhere(cells) + 0.5
        ax.plot(used[:, 1], used[:, 0], "o", color=BLACK, markersize=4)
        ax.add_patch(Rectangle((column, row), 1, 1, fill=False, ec=RED, lw=3, zorder=3))
        ax.set(xlim=(-0.1, nodes + 0.1), ylim=(samples + 0.1, -0.1), xticks=[], yticks=[], aspect="equal")
        ax.set(title=name, xlabel="ノード", ylabel="標本")
        ax.spines[["left", "bottom"]].set_visible(False)
        ax.grid(False)
    _apart(picture)
    return picture


@draw
def placement(result: Compared) -> Picture:
    """活性化関数(行)ごとに、学習率に対する検証用の損失(左)と、選んだ学習率でのテスト画像の誤り(右)。"""
    activations = list(dict.fromkeys(activation for activation, _ in result.reports))
    picture = Picture("batchnorm-placement", len(activations), 2, height=6.0, sharex="col")
    for (tried, final), activation in zip(picture.axes, activations, strict=True):
        places = [place for name, place in result.reports if name == activation]
        for position, place in enumerate(places):
            _losses(tried, result.tuned[activation, place], position, _LABELS[place])
            errors = 100 * (1 - result.reports[activation, place].test_accuracy)
            _seeds(final, position, errors, _look(position))
        tried.set(ylim=(0.25, 6.5), ylabel="検証データの損失", title=activation)
        tried.set_xticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
        _error_axis(final, places)
        final.set(title=activation, ylim=(4, 110))
        tried.minorticks_off()
    picture.axes[-1, 0].set_xlabel(r"学習率 $\eta$(上の白抜きは発散)")
    picture.axes[-1, 1].set_xlabel("置き場所")
    legend_above(picture, picture.axes[0, 0], 2)
    return picture


DIVERGED = 6.0  # 検証用の損失がこれより大きければ、発散とみなす


def _losses(ax: Axes, tuned: Tuned, position: int, label: str) -> None:
    """学習率と損失の線。発散したものは、上に白抜きの印で。"""
    look, (rates, losses) = _look(position), _tried(tuned)
    learned = losses < DIVERGED
    ax.plot(rates[learned], losses[learned], **look.line(marker=look.marker, markersize=5, label=label))
    height = 4.0 * 1.3 ** (1 - position)  # 重ならないように上下にずらす
    lost = rates[~learned]
    ax.plot(lost, np.full(len(lost), height), look.marker, color=look.color, markersize=7, mfc="none")
    ax.set(xscale="log", yscale="log")
    ax.set_yticks([0.3, 1, 3], ["0.3", "1", "3"])


def _tried(tuned: Tuned) -> tuple[Array, Array]:
    """全部の学習率を試した、いちばん短い学習の、学習率(小さいものから)と損失。"""
    steps = min(trial.steps for trial in tuned.trials)
    found = {dict(one.setting.values)["lr"]: one.loss for one in tuned.trials if one.steps == steps}
    rates = sorted(found)
    return np.array(rates), np.array([found[rate] for rate in rates])


def _seeds(ax: Axes, at: float, values: Array, look: Look, label: str | None = None) -> None:
    """種 1 つずつの印と、平均の横線。"""
    ax.plot([at] * len(values), values, look.marker, color=look.color, alpha=0.7, label=label)
    ax.plot(at, values.mean(), "_", color=GRAY, markersize=20, markeredgewidth=2)


def _error_axis(ax: Axes, names: Sequence[str]) -> None:
    ax.set(yscale="log", ylabel="テスト画像の誤り(%)", xlim=(-0.5, len(names) - 0.5))
    ax.set_yticks([5, 10, 20, 50, 100], ["5", "10", "20", "50", "100"])
    ax.set_xticks(range(len(names)), names)
    ax.minorticks_off()


LEARNED = 2.1  # 検証用の損失がこれより小さければ、学びはじめたとみなす(当てずっぽうなら 2.3)


def scales_table(result: Mapping[Key, Tuned]) -> Table:
    """重みの標準偏差ごとの、いちばん小さい検証用の損失、その学習率、学びはじめた学習率の数。"""
    rows = []
    for (std, place), found in result.items():
        rates, losses = _tried(found)
        learned = f"{np.sum(losses < LEARNED)} / {len(losses)}"
        best = (
            [f"{losses.min():.2f}", f"{rates[losses.argmin()]:g}"] if (losses < LEARNED).any() else ["—", "—"]
        )
        rows.append([f"{std:g}", "なし" if place == "なし" else "あり", learned, *best])
    return Table(["標準偏差", "BatchNorm", "学びはじめた η の数", "最小の損失", "その η"], rows)


@draw
def batches(small: Compared, answers: Inference) -> Picture:
    """左: 学習のミニバッチの大きさごとの、テスト画像の誤り。右: 推論の組の大きさごとの、テスト画像の誤り。"""
    picture = Picture("batchnorm-inference", 1, 2, height=4.3, sharey=True)
    left, right = picture.axes
    sizes = list(dict.fromkeys(size for size, _ in small.reports))
    _error_axis(left, [f"{size}" for size in sizes])
    for position, name in enumerate(("BatchNorm", "LayerNorm")):
        look, errors = _look(position), [100 * (1 - small.reports[n, name].test_accuracy) for n in sizes]
        places = np.arange(len(sizes)) + 0.24 * position - 0.12  # 重ならないように左右にずらす
        at = np.repeat(places, [len(values) for values in errors])
        marks = np.concatenate(errors)
        left.plot(at, marks, look.marker, color=look.color, markersize=4, alpha=0.7, label=name)
        means = [values.mean() for values in errors]
        left.plot(places, means, **look.line(linewidth=1.2))
    without = 100 * (1 - small.reports[sizes[0], "なし"].test_accuracy)
    left.plot([0] * len(without), without, "v", color=GRAY, markersize=4, label="なし")
    left.set(ylim=(1.6, 110), xlabel="学習の\nミニバッチの画像の数")
    left.legend(loc="lower left", handlelength=1.5)
    right.axhline(100 * (1 - answers.running), color=GRAY, linewidth=1.4, label="移動平均")
    for position, values, label in ((2, answers.mixed, "無作為に組む"), (3, answers.skewed, "同じ数字だけ")):
        look = _look(position)
        right.plot(
            answers.sizes, 100 * (1 - values), **look.line(marker=look.marker, markersize=5, label=label)
        )
    right.set(xscale="log", xlabel="推論の組の画像の数")
    right.set_xticks(answers.sizes, [f"{size}" for size in answers.sizes])
    right.minorticks_off()
    legend_above(picture, right, 3)
    return picture


@draw
def why(along: AlongGradient, shaking: Shaking) -> Picture:
    """左: 勾配の逆向きにまっすぐ進んだときの損失。右: 揺らしたときのテスト画像の誤り。"""
    picture = Picture("batchnorm-why", 1, 2, height=3.9)
    line, final = picture.axes
    for position, (place, left) in enumerate(along.left.items()):
        look = _look(position)
        for number, losses in enumerate(left):
            label = f"BatchNorm {'なし' if place == 'なし' else 'あり'}" if number == 0 else None
            style = look.line(marker=look.marker, markersize=4, markevery=3, linewidth=1.3, label=label)
            line.plot(along.predicted, losses, **style)
    line.set(
        xscale="log",
        ylim=(0.6, 1.4),
        ylabel="損失(はじめを 1 とする)",
        xlabel="進んだ距離(見積もり\nの損失の減り)",
    )
    line.set_xticks([0.01, 0.1, 1], ["0.01", "0.1", "1"])
    line.minorticks_off()
    places = list(shaking.drift)
    for position, place in enumerate(places):
        errors = 100 * (1 - shaking.compared.reports["ReLU", place].test_accuracy)
        _seeds(final, position, errors, _look(position))
    _error_axis(final, ["なし", "あり", "あり\n+揺れ"])
    final.set(ylim=(5, 15))
    final.set_yticks([5, 7, 10, 15], ["5", "7", "10", "15"])
    final.set_xlabel("BatchNorm")
    legend_above(picture, line, 2)
    return picture


@draw
def decayed(result: Decayed) -> Picture:
    """重みの列の長さの 2 乗(隠れ層の平均)の動き。重み減衰のあるなしと、3 つの出発点。"""
    picture = Picture("batchnorm-decay", height=3.4)
    ax = picture.axes
    for position, decay in enumerate((0.0, result.decay)):
        look = _look(position)
        style = look.line(marker=look.marker, markersize=5, markevery=result.steps // 6)
        lines = np.transpose([lengths for (used, _), lengths in result.lengths.items() if used == decay])
        ax.plot(lines, **style, label=[rf"$\lambda = {decay:g}$"] + [None] * (lines.shape[1] - 1))
    ax.set(yscale="log", xlabel="ステップ", ylabel=r"列の長さの 2 乗 $\nu$(平均)")
    legend_above(picture, ax, 2)
    return picture


def numbers(
    spoiled: Outlier,
    placed: Compared,
    small: Compared,
    along: AlongGradient,
    shaken: Shaking,
    lengths: Decayed,
    answers: Inference,
) -> dict[str, str | float]:
    """文と図の説明に出す数と区間。"""

    def gap(compared: Compared, first: Key, second: Key, comparisons: int) -> str:
        found = compared.gap(first, second, comparisons)
        return interval(found.low, found.high, 1)

    sizes = list(dict.fromkeys(size for size, _ in small.reports))
    return {
        **{"outlier-samples": spoiled.samples, "outlier-value": spoiled.value},
        **{"outlier-minmax": spoiled.left["min-max"], "outlier-z": spoiled.left["z-score"]},
        **{"outlier-quartiles": spoiled.left["四分位"], "bn-sizes": "-".join(map(str, SIZES))},
        **{
            "batch-trials": FEWER,
            "learned": LEARNED,
            "bn-batch": BATCH_SIZE,
            "bn-trials": TRIALS,
            "bn-steps": STEPS,
            "bn-short": RUNGS[0].steps,
        },
        **{"bn-seeds": placed.seeds, "batch-seeds": small.seeds, "noise": shaken.strength},
        **{f"gap-{n}": gap(small, (n, "BatchNorm"), (n, "LayerNorm"), len(sizes)) for n in sizes},
        "gap-relu": gap(placed, ("ReLU", "後"), ("ReLU", "前"), PAIRS),
        "gap-sigmoid": gap(placed, ("シグモイド", "後"), ("シグモイド", "前"), PAIRS),
        "gap-shaken": gap(shaken.compared, ("ReLU", "揺らす"), ("ReLU", "なし"), 1),
        **{"answers-lr": answers.lr, "answers-images": answers.images, "running": 10 * answers.running},
        **{"skewed-max": 100 * answers.skewed.max().item(), "along-loss": along.loss, "along-lr": along.lr},
        **{"along-images": along.images, "best-none": 100 * along.best("なし").mean().item()},
        **{"best-before": 100 * along.best("前").mean().item(), "drift-none": shaken.drift["なし"]},
        **{"drift-shaken": shaken.drift["揺らす"], "decay": lengths.decay, "decay-lr": lengths.lr},
        **{"decay-steps": lengths.steps},
    }
