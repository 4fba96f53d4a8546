"""付録「速さの見取り図」の図と表。"""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from fumoto.experiments import speed
from fumoto.experiments.speed import Measured
from fumoto.figures.looks import BLACK, BLUE, GRAY, GREEN, METHOD_LOOKS, ORANGE, RED, SKY, YELLOW, Look
from fumoto.figures.style import Picture, draw, legend_above
from fumoto.figures.table import Table

PARTS = {  # 部分 → (名前, 色, 模様)
    "products": ("行列の積", BLUE, ""),
    "batch": ("ミニバッチ", ORANGE, "//"),
    "rest": ("ほかの計算", SKY, ".."),
    "update": ("更新", GREEN, "xx"),
    "loop": ("ループ", YELLOW, "||"),
}
OWN = Look(RED, marker="X")
KINDS = {
    "default": Look(BLUE, marker="o"),
    "foreach": Look(ORANGE, marker="^"),
    "fused": Look(GREEN, marker="s"),
}
KIND_NAMES = {"default": "標準", "foreach": "foreach", "fused": "fused"}


def _in_order(times: Measured) -> Measured:
    """手法をこの本の順に並べる(結果のファイルでは、名前の順に並んでいる)。"""
    return {name: times[name] for name in METHOD_LOOKS if name in times}


@draw
def step_parts(step: Measured) -> Picture:
    """1 ステップの内訳の積み上げ棒。菱形が、分けずに測った全体。"""
    picture = Picture("speed-step-parts", height=3.1)
    ax = picture.axes
    names = list(_in_order(step["parts"]))[::-1]
    left = [0.0] * len(names)
    for part, (label, color, hatch) in PARTS.items():
        widths = [step["parts"][name][part]["median"] for name in names]
        ax.barh(names, widths, 0.6, left, color=color, hatch=hatch, edgecolor="white", label=label)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    whole = [step["whole"][name]["median"] for name in names]
    ax.plot(whole, names, "D", color=BLACK, markersize=7, mfc="none", mew=1.6, label="全体")
    ax.axvline(step["products"]["median"], **_PRODUCTS_LINE)
    ax.set(xlabel="1 ステップの時間(ミリ秒)", xlim=(0, None))
    ax.grid(False, axis="y")
    legend_above(picture, ax, 3)
    return picture


_PRODUCTS_LINE = {"color": BLACK, "linestyle": (0, (4, 2)), "linewidth": 1.4, "label": "行列の積だけ"}


@draw
def step_methods(step: Measured) -> Picture:
    """手法ごとの 1 ステップの時間。横線が四分位、破線が行列の積だけの時間。"""
    picture = Picture("speed-step-methods", height=4.9)
    _times(picture.axes, step["whole"], speed.torch_series(step))
    picture.axes.axvline(step["products"]["median"], **_PRODUCTS_LINE)
    picture.axes.set_xlabel("1 ステップの時間(ミリ秒、対数目盛)")
    legend_above(picture, picture.axes, 3)
    return picture


@draw
def update_methods(update: Measured) -> Picture:
    """手法ごとの更新の時間。縦の短い線が、写しと同じ速さでメモリーと行き来したときの時間。"""
    picture = Picture("speed-update-methods", height=5.4)
    ax = picture.axes
    _times(ax, update["methods"], speed.torch_series(update))
    limits = [flow.limit for flow in _in_order(speed.traffic(update)).values()]
    ax.plot(limits, range(len(limits)), "|", color=BLACK, markersize=20, mew=2, label="写しと同じ速さ")
    ax.set_xlabel("更新 1 回の時間(ミリ秒、対数目盛)")
    legend_above(picture, ax, 3)
    return picture


def _times(ax: Axes, own: Measured, series: Mapping[tuple[str, int], Measured]) -> None:
    """手法を縦に並べ、この本と PyTorch の時間を、少しずつ縦にずらして描く。白抜きが 2 スレッド。"""
    own = _in_order(own)
    rows = {"この本": (own, OWN, 1)}
    for (kind, threads), times in series.items():
        rows[f"{KIND_NAMES[kind]}・{threads}"] = times, KINDS[kind], threads
    for number, (label, (times, look, threads)) in enumerate(rows.items()):
        y = [list(own).index(name) + 0.7 * ((number + 0.5) / len(rows) - 0.5) for name in times]
        median, low, high = ([time[key] for time in times.values()] for key in ("median", "low", "high"))
        ax.hlines(y, low, high, color=look.color, linewidth=1.2)
        fill = look.color if threads == 1 else "white"
        ax.plot(median, y, look.marker, color=look.color, mfc=fill, markersize=5.5, label=label)
    ax.set(yticks=range(len(own)), yticklabels=list(own))
    ax.grid(False, axis="y")
    for border in range(1, len(own)):
        ax.axhline(border - 0.5, color="#dddddd", linewidth=0.6)
    ax.set_ylim(len(own) - 0.5, -0.5)
    ax.set_xscale("log")
    left, right = ax.get_xlim()
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 4, 5, 6, 8) if right < 10 * left else (1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())


@draw
def update_blocks(update: Measured) -> Picture:
    """一度に計算する要素の数に対する、Adam の更新の時間。右端が、区切らないとき。"""
    picture = Picture("speed-update-blocks", height=3.4)
    ax = picture.axes
    times = {int(size): time for size, time in update["blocks"].items()}
    sizes = sorted(times)
    low, median, high = ([times[size][key] for size in sizes] for key in ("low", "median", "high"))
    ax.fill_between(sizes, low, high, color=RED, alpha=0.2, linewidth=0)
    ax.plot(sizes, median, "-o", color=RED, markersize=5)
    used, whole = update["block"], update["elements"]
    ax.plot(used, times[used]["median"], "o", color=BLACK, markersize=11, mfc="none", mew=1.6)
    ax.plot(whole, times[whole]["median"], "s", color=GRAY, markersize=11, mfc="none", mew=1.6)
    ax.set(
        xscale="log", xlabel="一度に計算する要素の数(対数目盛)", ylabel="更新の時間(ミリ秒)", ylim=(0, None)
    )
    return picture


def _time(time: Measured, digits: int, spread: bool = True) -> str:
    """中央値。``spread`` なら、四分位も書く。"""
    text = f"{time['median']:.{digits}f}"
    return f"{text}({time['low']:.{digits}f}–{time['high']:.{digits}f})" if spread else text


def machine_table(results: Measured) -> Table:
    """測った機械。"""
    machine = results["machine"]
    names = {
        "cpu": "CPU",
        "cores": "使えるコア",
        "system": "OS",
        "python": "Python",
        "numpy": "NumPy",
        "torch": "PyTorch",
        "blas": "BLAS",
        "kernel": "BLAS が選んだ CPU の型",
        "blas_threads": "BLAS のスレッド",
    }
    missing = {"torch": "なし"}
    rows = [
        [label, str(missing.get(key, "不明") if machine[key] is None else machine[key])]
        for key, label in names.items()
    ]
    return Table(["もの", "値"], rows, words=True)


def parts_table(step: Measured) -> Table:
    """1 ステップの内訳と、その合計と、分けずに測った全体(ミリ秒)。"""
    rows = [
        [
            name,
            *(f"{parts[part]['median']:.3f}" for part in PARTS),
            f"{speed.parts_sum(step, name):.3f}",
            f"{step['whole'][name]['median']:.3f}",
        ]
        for name, parts in _in_order(step["parts"]).items()
    ]
    return Table(["手法", *(label for label, _, _ in PARTS.values()), "合計", "全体"], rows)


def step_table(step: Measured) -> Table:
    """手法ごとの 1 ステップの時間と、行列の積だけの時間の何倍か。"""
    products = step["products"]
    rows = [["行列の積だけ", _time(products, 3), "1.00"]]
    rows += [
        [name, _time(time, 3), f"{time['median'] / products['median']:.2f}"]
        for name, time in _in_order(step["whole"]).items()
    ]
    return Table(["手法", "1 ステップ(ミリ秒)", "行列の積の何倍"], rows)


def arrays_table(step: Measured) -> Table:
    """同じ更新を、1 本の配列で行う時間と、配列ごとに行う時間(ミリ秒)。"""
    rows = [
        [name, _time(times["one"], 3), _time(times["many"], 3), f"{speed.arrays_ratio(step, name):.2f}"]
        for name, times in _in_order(step["arrays"]).items()
    ]
    return Table(["手法", "1 本(ミリ秒)", "配列ごと(ミリ秒)", "何倍"], rows)


def blas_table(step: Measured) -> Table:
    """BLAS のスレッドの数ごとの時間(ミリ秒)。"""
    rows = [
        [threads, _time(times["products"], 3), _time(times["SGD"], 3)]
        for threads, times in step["blas_threads"].items()
    ]
    return Table(["BLAS のスレッド", "行列の積だけ(ミリ秒)", "SGD の 1 ステップ(ミリ秒)"], rows)


def torch_table(own: Measured, section: Measured, digits: int, spread: bool = False) -> Table:
    """この本(``own``)と PyTorch の時間(ミリ秒)。PyTorch を測っていなければ、この本の列だけ。"""
    series = speed.torch_series(section)
    header = ["手法", "この本", *(f"{KIND_NAMES[kind]}・{threads}" for kind, threads in series)]
    rows = [
        [
            name,
            _time(time, digits, spread),
            *(_time(times[name], digits, spread) if name in times else "—" for times in series.values()),
        ]
        for name, time in _in_order(own).items()
    ]
    return Table(header, rows)


def update_table(update: Measured) -> Table:
    """手法ごとの更新の時間、少なくとも行き来するバイト数、その速さと、写しに対する割合。"""
    copied = f"{speed.copy_gigabytes(update):.1f}"
    rows = [
        [
            "写すだけ",
            _time(update["copy"], 1),
            str(update["copy_bytes"] // update["elements"]),
            copied,
            "100%",
        ]
    ]
    for name, flow in _in_order(speed.traffic(update)).items():
        time = _time(update["methods"][name], 1)
        rows.append([name, time, str(flow.item_bytes), f"{flow.gigabytes:.1f}", f"{flow.share:.0%}"])
    return Table(["手法", "時間(ミリ秒)", "重み 1 つのバイト数", "毎秒の GB", "写しに対する割合"], rows)


def blocks_table(update: Measured) -> Table:
    """一度に計算する要素の数ごとの、Adam の更新の時間。"""
    rows = [
        ["区切らない" if size == update["elements"] else str(size), _time(update["blocks"][str(size)], 1)]
        for size in sorted(map(int, update["blocks"]))
    ]
    return Table(["一度に計算する要素の数", "時間(ミリ秒)"], rows)


def comparison_table(comparison: Measured) -> Table:
    """プロセスの数ごとの、MNIST の比較の全体の時間。"""
    rows = [[processes, _time(time, 1)] for processes, time in comparison["processes"].items()]
    return Table(["プロセス", "時間(秒)"], rows)


def build_table(build: Measured) -> Table:
    """本を組む時間(秒)。"""
    rows = [
        ["はじめて", f"{build['cold']:.1f}"],
        ["何も変えずに", _time(build["unchanged"], 1)],
        ["6 章に文を 1 つ足して", _time(build["sentence"], 1)],
        ["Adam のコードを書き換えて", f"{build['adam']:.1f}"],
    ]
    return Table(["組むとき", "時間(秒)"], rows)


def pages_table(build: Measured) -> Table:
    """はじめて組むときの、ページごとの計算の時間(秒)。長い順。"""
    pages = sorted(build["pages"].items(), key=lambda page: -page[1])
    return Table(["ページ", "計算の時間(秒)"], [[name, f"{seconds:.1f}"] for name, seconds in pages])


def step_tables(step: Measured) -> list[Table]:
    """端末に出す、1 ステップの表。"""
    torch = torch_table(step["whole"], step, 3, spread=True)
    return [step_table(step), parts_table(step), arrays_table(step), torch, blas_table(step)]


def update_tables(update: Measured) -> list[Table]:
    """端末に出す、更新の表。"""
    return [
        update_table(update),
        torch_table(update["methods"], update, 1, spread=True),
        blocks_table(update),
    ]


def comparison_tables(comparison: Measured) -> list[Table]:
    """端末に出す、MNIST の比較の表。"""
    rows = [
        ["ワーカーの立ち上げ(秒)", f"{comparison['startup']:.1f}"],
        ["2 プロセスで何倍速いか", f"{speed.speedup(comparison):.2f}"],
    ]
    return [comparison_table(comparison), Table(["ほかに", "値"], rows)]


def build_tables(build: Measured) -> list[Table]:
    """端末に出す、本を組む時間の表。"""
    return [build_table(build), pages_table(build)]


TABLES = {
    "step": step_tables,
    "update": update_tables,
    "comparison": comparison_tables,
    "build": build_tables,
}
