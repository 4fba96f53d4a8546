"""7 章の図: 多項式の過学習、早期終了、過学習を抑える方法の比較、初期値の大きさ。"""

from collections.abc import Sequence
from functools import partial
from typing import cast

import numpy as np
from matplotlib.axes import Axes

from fumoto.experiments.overfitting import (
    CHOSEN,
    FIXED,
    METHODS,
    NONE,
    SCALES,
    Course,
    Key,
    PolynomialFits,
    Regularized,
)
from fumoto.experiments.protocol import difference
from fumoto.figures.looks import BLACK, BLUE, GRAY, GREEN, RED, SERIES_LOOKS
from fumoto.figures.style import Picture, draw, legend_above
from fumoto.figures.table import Table, interval


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
    """次数に対する訓練と新しい点の誤差(上。線が引き直しの中央値、帯が 10 % から 90 % 点)と、選んだ次数(下)。"""
    picture = Picture("polynomial-errors", 2, 1, height=5.2, sharex=True, height_ratios=(2, 1))
    top, bottom = picture.axes
    for look, name, table in zip(
        SERIES_LOOKS,
        ("訓練の誤差", "新しい点での誤差"),
        (result.train_errors, result.test_errors),
        strict=False,
    ):
        low, middle, high = np.quantile(table, (0.1, 0.5, 0.9), axis=0)
        top.plot(result.degrees, middle, **look.line(marker=look.marker, markersize=6, label=name))
        top.fill_between(result.degrees, low, high, color=look.color, alpha=0.15, linewidth=0)
    top.set(yscale="log", ylim=(1e-3, 3), ylabel="誤差 $E$(対数目盛)")
    counts = [np.mean(result.chosen == degree) * 100 for degree in result.degrees]
    bottom.bar(result.degrees, counts, color=GREEN)
    bottom.set(xticks=result.degrees, xlabel="多項式の次数", ylabel="選んだ割合(%)")
    legend_above(picture, top, 2)
    return picture


@draw
def course(result: Course) -> Picture:
    """歩数に対する、訓練と検証の損失(上)と、間違った正解を覚えた割合(下)。縦の線が、止めるところ。"""
    picture = Picture("early-stopping", 2, 1, height=5.2, sharex=True)
    top, bottom = picture.axes
    for look, name, values in zip(
        SERIES_LOOKS,
        ("訓練の損失", "検証の損失"),
        (result.training_loss, result.validation_loss),
        strict=False,
    ):
        top.plot(result.steps, values, **look.line(marker=look.marker, markersize=4, label=name))
    bottom.plot(result.steps, 100 * result.memorized, color=BLACK, marker="D", markersize=4)
    for ax in picture.axes:
        ax.axvline(result.steps[result.stop], color=GRAY, linestyle=":", linewidth=1.6)
    top.set(ylabel="損失", ylim=(0, None))
    bottom.set(xlabel="ステップ", ylabel="覚えた割合(%)", ylim=(0, 104))
    legend_above(picture, top, 2)
    return picture


@draw
def methods(result: Regularized) -> Picture:
    """方法ごとのテスト画像の損失(上)と正解率(下)。左は学習率が既定のまま、右は学習率も選ぶ。"""
    picture = Picture("regularizers", 2, 2, height=6.2, sharex=True, sharey="row")
    for column, rate in enumerate((FIXED, CHOSEN)):
        keys = [(rate, method) for method in METHODS]
        _dots(picture.axes[0, column], picture.axes[1, column], result, keys)
        picture.axes[0, column].set_title(rate)
        picture.axes[1, column].set_xticks(range(len(keys)), list(METHODS), rotation=90)
    picture.axes[0, 0].set_ylabel("テストの損失")
    picture.axes[1, 0].set_ylabel("テスト正解率(%)")
    return picture


@draw
def scales(result: Regularized) -> Picture:
    """初期値の大きさごとのテスト画像の損失(上)と正解率(下)。学習率は、大きさごとに選んだもの。"""
    picture = Picture("initial-scale", 2, 1, height=4.8, sharex=True)
    keys = [(CHOSEN, scale) for scale in SCALES]
    top, bottom = picture.axes
    _dots(top, bottom, result, keys)
    top.set(yscale="log", ylabel="テストの損失")
    bottom.set_ylabel("テスト正解率(%)")
    picture.axes[0].set_yticks([1, 2, 3], ["1", "2", "3"])
    picture.axes[0].minorticks_off()
    picture.axes[1].set_xticks(range(len(keys)), [f"{scale:g}" for scale in SCALES])
    picture.axes[1].set_xlabel("初期値を He の何倍にしたか")
    return picture


def _dots(top: Axes, bottom: Axes, result: Regularized, keys: Sequence[Key]) -> None:
    """種ごとの値を印で、平均を横線で。"""
    for position, key in enumerate(keys):
        found = result.reports[key]
        for ax, values in ((top, found.test_loss), (bottom, 100 * found.test_accuracy)):
            look = SERIES_LOOKS[0] if key[1] in (NONE, 1.0) else SERIES_LOOKS[1]
            ax.plot([position] * len(values), values, look.marker, color=look.color, alpha=0.6, markersize=5)
            ax.plot(position, values.mean(), "_", color=BLACK, markersize=18, markeredgewidth=2)
    top.set(xlim=(-0.6, len(keys) - 0.4))


def methods_table(result: Regularized) -> Table:
    """学習率の決め方と方法ごとの、選んだ設定、訓練の損失、「なし」との差の区間(0 を含まなければ ＊)。"""
    keys = [(rate, method) for rate in (FIXED, CHOSEN) for method in METHODS]
    rows = []
    for rate, method in keys:
        found, none = result.reports[rate, method], result.reports[rate, NONE]
        row = [rate, method, *_setting(result, (rate, method)), f"{found.training_loss.mean():.2f}"]
        for name, factor, digits in (("test_loss", 1, 2), ("test_accuracy", 100, 1)):
            gap = difference(
                factor * getattr(found, name), factor * getattr(none, name), comparisons=len(METHODS) - 1
            )
            row.append("—" if method == NONE else interval(gap.low, gap.high, digits))
        rows.append(row)
    header = ["", "方法", "η", "強さ", "訓練の損失", "損失の差", "正解率の差(ポイント)"]
    return Table(header, rows)


def _setting(result: Regularized, key: Key) -> tuple[str, str]:
    """選んだ学習率と強さ。"""
    setting = result.reports[key].setting
    lr, *own = (value for _, value in setting.values)
    network = cast("partial[object]", setting.network).keywords
    strength = [*own, network["weight_decay"], network["dropout"]]
    return f"{lr:g}", f"{max(strength):g}" if METHODS[str(key[1])][1] else "—"
