"""9 章の図。"""

import numpy as np
from matplotlib.patches import Rectangle

from fumoto.experiments.batchnorm import PAIRS, Compared, Inference, Outlier, Reach, Settling
from fumoto.experiments.protocol import Tuned, difference
from fumoto.figures.looks import BLACK, BLUE, GRAY, GREEN, RED, SERIES_LOOKS, SKY, Look
from fumoto.figures.style import Picture, draw, legend_above
from fumoto.figures.table import Table, interval
from fumoto.hints import Array, Arrays

_NAMES = {"min-max": "Min-Max", "z-score": "標準化", "四分位": "四分位"}
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
def outlier_widths(result: Outlier) -> Picture:
    """外れ値の距離に対する、残りの標本の広がり。"""
    picture = Picture("outlier-widths", height=3.4)
    ax = picture.axes
    for position, (name, label) in enumerate(_NAMES.items()):
        look = _look(position)
        ax.plot(
            result.distances,
            result.widths[name],
            **look.line(marker=look.marker, markersize=5, markevery=2, label=label),
        )
    ax.set(xscale="log", yscale="log", xlabel="外れ値の距離(標準偏差の何倍か)")
    ax.set_ylabel("残りの標本の広がり\n(外れ値なしを 1 とする)")
    ax.legend()
    return picture


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
def weight_scales(result: Compared) -> Picture:
    """重みの標準偏差ごとの、テストの正解率(上)と選ばれた学習率(下)。印が種 1 つ、横線が平均。"""
    picture = Picture("weight-scales", 2, 1, height=5.2, sharex=True, height_ratios=[2, 1])
    top, bottom = picture.axes
    scales = list(dict.fromkeys(std for std, _ in result.reports))
    for position, (place, label) in enumerate((("前", "BatchNorm あり"), ("なし", "BatchNorm なし"))):
        look = _look(position)
        x = np.arange(len(scales)) + 0.16 * position - 0.08  # 重ならないように左右にずらす
        accuracy = 100 * np.array([result.reports[std, place].test_accuracy for std in scales])
        top.plot(x, accuracy, look.marker, color=look.color, markersize=5, alpha=0.7)
        top.plot(x, accuracy.mean(axis=1), "_", color=GRAY, markersize=20, markeredgewidth=2)
        rates = [result.rate((std, place)) for std in scales]
        bottom.plot(x, rates, look.marker, color=look.color, markersize=7, label=label)
    top.set(ylim=(0, 102), ylabel="テスト正解率(%)")
    bottom.set(yscale="log", ylim=(5e-4, 4), xlabel="重みの初期値の標準偏差", ylabel=r"選ばれた $\eta$")
    bottom.set_xticks(range(len(scales)), [f"{std:g}" for std in scales])
    bottom.set_yticks([0.001, 0.01, 0.1, 1], ["0.001", "0.01", "0.1", "1"])
    bottom.minorticks_off()
    legend_above(picture, bottom, 2)
    return picture


@draw
def placement(result: Compared) -> Picture:
    """活性化関数(行)ごとに、学習率に対する検証用の損失(左)と、選んだ学習率でのテスト画像の誤り(右)。"""
    activations = list(dict.fromkeys(activation for activation, _ in result.reports))
    picture = Picture("batchnorm-placement", len(activations), 2, height=6.0, sharex="col")
    for (tried, final), activation in zip(picture.axes, activations, strict=True):
        places = [place for name, place in result.reports if name == activation]
        for position, place in enumerate(places):
            look, key = _look(position), (activation, place)
            rates, losses = _shortest(result.tuned[key])
            learned = losses < DIVERGED
            style = look.line(marker=look.marker, markersize=5, label=_LABELS[place])
            tried.plot(rates[learned], losses[learned], **style)
            lost = rates[~learned]
            height = 4.0 * 1.3 ** (1 - position)  # 重ならないように上下にずらす
            tried.plot(
                lost, np.full(len(lost), height), look.marker, color=look.color, markersize=7, mfc="none"
            )
            errors = 100 * (1 - result.reports[key].test_accuracy)
            final.plot([position] * len(errors), errors, look.marker, color=look.color, alpha=0.7)
            final.plot(position, errors.mean(), "_", color=GRAY, markersize=20, markeredgewidth=2)
        tried.set(xscale="log", yscale="log", ylim=(0.25, 6.5), ylabel="検証データの損失", title=activation)
        tried.set_xticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
        tried.set_yticks([0.3, 1, 3], ["0.3", "1", "3"])
        final.set(yscale="log", ylim=(4, 110), ylabel="テスト画像の誤り(%)", title=activation)
        final.set_yticks([5, 10, 20, 50, 100], ["5", "10", "20", "50", "100"])
        final.set(xlim=(-0.5, len(places) - 0.5))
        final.set_xticks(range(len(places)), places)
        for ax in (tried, final):
            ax.minorticks_off()
    picture.axes[-1, 0].set_xlabel(r"学習率 $\eta$(上の白抜きは発散)")
    picture.axes[-1, 1].set_xlabel("置き場所")
    legend_above(picture, picture.axes[0, 0], 2)
    return picture


DIVERGED = 6.0  # 検証用の損失がこれより大きければ、発散とみなす


def _shortest(tuned: Tuned) -> tuple[Array, Array]:
    """全部の学習率を試した、いちばん短い学習の、学習率(小さいものから)と損失。"""
    steps = min(trial.steps for trial in tuned.trials)
    found = {dict(one.setting.values)["lr"]: one.loss for one in tuned.trials if one.steps == steps}
    rates = sorted(found)
    return np.array(rates), np.array([found[rate] for rate in rates])


@draw
def inference(result: Inference, settling: Settling) -> Picture:
    """推論の仕方ごとの正解率(上)と、移動平均が落ち着くまで(下)。"""
    picture = Picture("batchnorm-inference", 2, 1, height=6.0)
    top, bottom = picture.axes
    top.axhline(result.running * 100, color=GRAY, linewidth=1.4, label="移動平均")
    for look, values, label in (
        (_look(0), result.mixed, "組自身(無作為に組む)"),
        (_look(1), result.skewed, "組自身(同じ数字だけ)"),
    ):
        top.plot(result.sizes, values * 100, **look.line(marker=look.marker, markersize=5, label=label))
    top.set(xscale="log", ylim=(0, 102), xlabel="推論のときの組の大きさ", ylabel="テスト正解率(%)")
    top.set_xticks([1, 4, 16, 64, 256], ["1", "4", "16", "64", "256"])
    top.minorticks_off()
    top.legend(loc="center right", bbox_to_anchor=(1.0, 0.45))
    epochs = np.arange(1, len(settling.own) + 1)
    bottom.plot(epochs, settling.running * 100, color=GRAY, marker="s", markersize=4, label="移動平均")
    bottom.plot(
        epochs,
        settling.own * 100,
        color=GREEN,
        linestyle=(0, (2, 1.5)),
        marker="^",
        markersize=5,
        label="1000 枚自身の平均と分散",
    )
    bottom.set(ylim=(0, 102), xticks=[1, 5, 10, 15, 20], xlabel="1000 枚を何巡したか", ylabel="訓練正解率(%)")
    bottom.legend(loc="lower right")
    return picture


def placement_table(result: Compared) -> Table:
    """選ばれた学習率、最後の訓練の損失、テストの正解率と、それの「なし」と「前」との差の区間(0 を含まなければ ＊)。"""
    rows = []
    for (activation, place), found in result.reports.items():
        row = [str(activation), place, f"{result.rate((activation, place)):g}"]
        row += [f"{found.training_loss.mean():.2f}", f"{100 * found.test_accuracy.mean():.1f}"]
        for other in ("なし", "前"):
            against = result.reports[activation, other].test_accuracy
            gap = difference(100 * found.test_accuracy, 100 * against, PAIRS)
            row.append(interval(gap.low, gap.high, 1) if place not in ("なし", other) else "—")
        rows.append(row)
    header = ["", "置き場所", "η", "訓練の損失", "正解率(%)", "なしとの差", "前との差"]
    return Table(header, rows)
