"""重みの初期値の候補を試す: 読者の重みの標準偏差を再現する間違いを探す。"""

from itertools import product

import numpy as np

from fumoto.checking.candidates.equations import mistakes_in
from fumoto.checking.candidates.node_counts import WRONG_N
from fumoto.checking.computing.initializer import (
    LABELS,
    SHAPES,
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
        return "zeros", "重みがすべて 0 です。どのノードも同じ値のまま変わらず、学習できません"
    if not W.any(axis=0).all():
        return "zero-column", f"{W.shape} の行列に、すべて 0 の列があります。その列のノードには何も届きません"
    for lines, slug, what in ((W.T, "repeated-column", "列"), (W, "repeated-row", "行")):
        if len({line.tobytes() for line in lines}) < len(lines):
            text = f"{W.shape} の行列に、同じ{what}が 2 つ以上あります。要素ごとに別の乱数を引いてください"
            return slug, text
    return None


def diagnose(printed: Equation, name: str, weights: list[Array], ran: str) -> Report:
    """重みの標準偏差が式と違うときの ``Report``。``ran``: 何を比べたかの一文。"""
    mistakes = mistakes_in(printed.label)
    another = _another_initial_value(name, weights)
    for v in mistakes:
        if agrees(v.equation, weights):
            finding = Finding(v.kind, printed, v.equation)
            verdict = f"既知の間違い: {v.kind}({printed.page} の {printed.label})。"
            notes = (f"{another}です。", ran) if another else (ran,)
            return Report(False, verdict, (finding,), notes, printed.label, v.id)
    if another:
        verdict, identifier = f"既知の間違い: {another}です。", f"{printed.label}/another"
        return Report(False, verdict, (), (ran,), printed.label, identifier)
    for v, (slug, (what, n)) in product([Variant(printed.label, "", printed), *mistakes], WRONG_N.items()):
        if agrees(v.equation, weights, n):
            also = f"。さらに{v.kind}: {v.equation.latex}" if v.kind else ""
            verdict = f"既知の間違い: n に、前の層のノード数ではなく{what}を使っています{also}。"
            return Report(False, verdict, (), (ran,), printed.label, f"{v.id}/{slug}")
    drawn = distribution(weights)
    for slug, (shape, scale, words) in _SCALES.items():
        if shape in ("", drawn) and agrees(printed, weights, scale=scale):
            return Report(
                False, f"既知の間違い: {words}。", (), (ran,), printed.label, f"{printed.label}/{slug}"
            )
    if constant := _constant(weights):
        verdict = f"既知の間違い: 標準偏差が、ノード数によらず、いつも {constant:.4g} です。"
        return Report(False, verdict, (), (ran,), printed.label, f"{printed.label}/constant")
    table = "\n".join(
        f"{n_in}×{n_out}: あなたの標準偏差 {W.std():.4g}、式の値 {expected_std(printed, n_in, n_out):.4g}"
        for (n_in, n_out), W in zip(SHAPES, weights, strict=True)
    )
    c, a, b = powers(weights)
    measured = f"測ったこと: 標準偏差は、およそ {c:.2g} × n_in の {a:.2f} 乗 × n_out の {b:.2f} 乗です。"
    return Report(False, "不一致: 原因は分かりませんでした。", (), (table, measured, ran), printed.label)


#: 名前 → (分布, 式の標準偏差の何倍か, 読者に言う一文)。分布が空なら、どの分布でも。
_SCALES: dict[str, tuple[str, float, str]] = {
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


def _constant(weights: list[Array]) -> float | None:
    """標準偏差が、どの大きさの行列でも誤差の範囲で同じなら、その値。"""
    value = float(np.mean([W.std() for W in weights]))
    close = all(abs(W.std() - value) <= SIGMAS * value / np.sqrt(W.size) for W in weights)
    return float(f"{value:.2g}") if close else None


def _another_initial_value(name: str, weights: list[Array]) -> str | None:
    """本のほかの初期値と同じ標準偏差なら、その名前。"""
    for other, label in LABELS.items():
        if other != name and agrees(book()[label], weights):
            return f"{name} ではなく {other} の初期値({book()[label].page} の {label})の標準偏差"
    return None
