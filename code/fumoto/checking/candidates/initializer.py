"""重みの初期値の候補を試す: 読者の重みの標準偏差を再現する間違いを探す。"""

from dataclasses import replace
from itertools import product

import numpy as np

from fumoto.checking.calling.weights.layer import Layer
from fumoto.checking.candidates.equations import mistakes_in
from fumoto.checking.candidates.node_counts import WRONG_N
from fumoto.checking.candidates.said import DIFFERS, KNOWN
from fumoto.checking.candidates.said import INITIALIZER as SAID
from fumoto.checking.computing.initializer import (
    LABELS,
    SIGMAS,
    TRUNCATED_STD,
    agrees,
    distribution,
    expected_std,
    powers,
)
from fumoto.checking.report import Finding, Report
from fumoto.hints import Array
from fumoto.printed import Equation, Variant
from fumoto.printed.pages import book


def degenerate(W: Array) -> tuple[str, str] | None:
    """乱数で作った行列にはない形なら (名前, 説明)、そうでなければ None。"""
    if not W.any():
        return "zeros", SAID["zeros"]
    if not W.any(axis=0).all():
        return "zero-column", SAID["zero-column"].format(shape=W.shape)
    for lines, slug, what in ((W.T, "repeated-column", "列"), (W, "repeated-row", "行")):
        if len({line.tobytes() for line in lines}) < len(lines):
            return slug, SAID["repeated"].format(shape=W.shape, lines=what)
    return None


def diagnose(printed: Equation, name: str, layers: list[Layer], ran: str) -> Report:
    """重みの標準偏差が式と違うときの ``Report``。``ran``: 何を比べたかの一文。"""
    mistakes = mistakes_in(printed.label)
    another = _another_initial_value(name, layers)
    if (found := written_wrongly(printed, layers)) is not None:
        return replace(found, notes=(f"{another}。", ran) if another else (ran,))
    if another:
        verdict, identifier = KNOWN.format(what=another), f"{printed.label}/another"
        return Report(False, verdict, (), (ran,), printed.label, identifier)
    for v, (slug, (what, n)) in product([Variant(printed.label, "", printed), *mistakes], WRONG_N.items()):
        if agrees(v.equation, layers, n):
            also = _also(v) if v.kind else ""
            text = SAID["wrong n"].format(n=what, also=also)
            return Report(False, KNOWN.format(what=text), (), (ran,), printed.label, f"{v.id}/{slug}")
    if (found := scaled(printed, layers)) is not None:
        return replace(found, notes=(ran,))
    if constant := _constant(layers):
        text = SAID["constant"].format(value=f"{constant:.4g}")
        return Report(False, KNOWN.format(what=text), (), (ran,), printed.label, f"{printed.label}/constant")
    table = "\n".join(
        SAID["values"].format(layer=called(layer), yours=f"{layer.W.std():.4g}", printed=f"{expected_std(printed, layer):.4g}")
        for layer in layers
    )
    c, a, b = powers(layers)
    measured = f"測ったこと: 標準偏差は、およそ {c:.2g} × n_in の {a:.2f} 乗 × n_out の {b:.2f} 乗です。"
    notes = (
        (table, measured, ran) if len(layers) > 2 else (table, ran)
    )  # 2 つの層からは、2 つの乗は決まらない
    return Report(False, DIFFERS.format(what=SAID["unknown"]), (), notes, printed.label)


def written_wrongly(printed: Equation, layers: list[Layer], both: bool = False) -> Report | None:
    """式の書き間違いで説明できるなら、その ``Report``。``both``: n と m の両方を使うものだけを調べるか。"""
    for v in mistakes_in(printed.label):
        if (not both or {"n", "m"} <= set(v.equation.symbols)) and agrees(v.equation, layers):
            finding = Finding(v.kind, printed, v.equation)
            verdict = KNOWN.format(what=f"{v.kind}({printed.page} の {printed.label})")
            return Report(False, verdict, (finding,), (), printed.label, v.id)
    return None


def scaled(printed: Equation, layers: list[Layer]) -> Report | None:
    """標準偏差の、式に対する倍率で説明できるなら、その ``Report``。一様乱数では、端の式の書き間違いも調べる。"""
    drawn = distribution(layers)
    for slug, (shape, scale, words) in SCALES.items():
        if shape in ("", drawn) and agrees(printed, layers, scale=scale):
            return Report(False, KNOWN.format(what=words), (), (), printed.label, f"{printed.label}/{slug}")
    for v in mistakes_in(printed.label) if drawn == "uniform" else ():
        if "/root-" in v.id and agrees(v.equation, layers, scale=np.sqrt(3)):
            verdict = KNOWN.format(what=SAID["limit"].format(kind=v.kind))
            return Report(False, verdict, (), (), printed.label, f"{v.id}/limit")
        if {"n", "m"} & set(v.equation.symbols) and agrees(v.equation, layers, scale=1 / np.sqrt(3)):
            verdict = KNOWN.format(what=SCALES["uniform-width"][2] + _also(v))
            return Report(False, verdict, (), (), printed.label, f"{v.id}/uniform-width")
    return None


def _also(v: Variant) -> str:
    return SAID["also"].format(kind=v.kind, latex=v.equation.latex)


def called(layer: Layer) -> str:
    """層の呼び名と大きさ。"""
    return f"{layer.name}({layer.n_in}×{layer.n_out})" if layer.name else f"{layer.n_in}×{layer.n_out}"


#: 名前 → (分布, 式の標準偏差の何倍か, 読者に言う一文)。分布が空なら、どの分布でも。
SCALES: dict[str, tuple[str, float, str]] = {
    "uniform-width": (
        "uniform",
        1 / np.sqrt(3),
        "一様乱数の端が ±σ です。標準偏差を σ にするには、端を ±√3 σ にします",
    ),
    "uniform-half-width": (
        "uniform",
        1 / np.sqrt(12),
        "一様乱数の幅(端から端まで)が σ です。標準偏差を σ にするには、端を ±√3 σ にします",
    ),
    "normal-width": ("normal", np.sqrt(3), "一様乱数の端 ±√3 σ を、正規乱数の標準偏差に使っています"),
    "truncated-width": (
        "truncated",
        np.sqrt(3) * TRUNCATED_STD,
        "一様乱数の端 ±√3 σ を、正規乱数の標準偏差に使っています",
    ),
    "twice": ("", 2.0, "標準偏差が、式の 2 倍です"),
    "half": ("", 0.5, "標準偏差が、式の半分です"),
    "tenth": ("", 0.1, "標準偏差が、式の 0.1 倍です"),
    "hundredth": ("", 0.01, "標準偏差が、式の 0.01 倍です"),
}


def _constant(layers: list[Layer]) -> float | None:
    """標準偏差が、どの大きさの行列でも誤差の範囲で同じなら、その値。"""
    value = float(np.mean([layer.W.std() for layer in layers]))
    close = all(abs(each.W.std() - value) <= SIGMAS * value / np.sqrt(each.W.size) for each in layers)
    return float(f"{value:.2g}") if close else None


def _another_initial_value(name: str, layers: list[Layer]) -> str | None:
    """本のほかの初期値と同じ標準偏差なら、その名前。"""
    for other, label in LABELS.items():
        if other != name and agrees(book()[label], layers):
            return SAID["another"].format(name=name, other=other, where=f"{book()[label].page} の {label}")
    return None
