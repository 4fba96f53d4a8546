"""読者の重みの初期値を、印刷された式の標準偏差と突き合わせる。"""

import re
from dataclasses import replace
from typing import Any

from fumoto.checking.calling.initializer import draw_weights
from fumoto.checking.calling.safety import ReaderError, one_check
from fumoto.checking.candidates.initializer import degenerate, diagnose
from fumoto.checking.computing.initializer import (
    LABELS,
    SHAPES,
    SIGMAS,
    TRUNCATED_STD,
    agrees,
    centered,
    distribution,
)
from fumoto.checking.report import Report
from fumoto.hints import Array
from fumoto.printed.pages import book

_OTHER_DISTRIBUTION = "要素の分布は、正規分布でも一様分布でもないようです(平均と標準偏差だけを比べました)。"


_TITLES = {"xavier": r"xavier", "glorot": r"glorot", "he": r"(^|_)he(_|$)|kaiming"}  # それらしい関数の名前
_USUAL = "あなたの関数を、(rng, n_in, n_out) の順に呼びました。"


@one_check
def check_initializer(make: Any, name: str | None = None) -> Report:
    """``make`` の作る重みが、``name`` の式の標準偏差を持つかを調べる。

    ``make``: 形 ``(n_in, n_out)`` の配列を返す関数。引数は ``(rng, n_in, n_out)``(``rng`` は ``numpy.random.Generator``)でも、
    ``(n_in, n_out)`` でも、形 ``(shape)`` でもよい。
    ``name``: ``"xavier"``(``eq-xavier-std``), ``"glorot"``(``eq-glorot-std``), ``"he"``(``eq-he-std``)。ほかは ``ValueError``。
    省くと、どれかと同じならそれ、同じでなければ、関数の名前から思われるものと比べる(``report.name``)。
    大きさの違う行列をいくつか作り、要素の平均と標準偏差を、要素の数から決まる誤差の範囲で比べる。すべて 0 の列や、
    同じ列・行の繰り返しも見つける。

    >>> import numpy as np
    >>> def my_he(n_in, n_out):
    ...     return np.random.normal(0.0, 2 / n_in, (n_in, n_out))
    >>> report = check_initializer(my_he)
    >>> report.ok, report.name, report.equation, report.variant
    (False, 'he', 'eq-he-std', 'eq-he-std/root-1')
    """
    if name is not None and (not isinstance(name, str) or name not in LABELS):
        raise ValueError(f"name は {sorted(LABELS)} のどれかです(渡された値: {name!r})")
    try:
        drawn = draw_weights(make, SHAPES)
    except ReaderError as error:
        failed = f"{f'{name} ' if name else '重み'}の初期値を確かめられませんでした。{error}"
        return Report(False, failed, variant=error.variant, name=name)
    name = name or _meant(drawn.title, drawn.weights)
    if name is None:
        none = f"重みの初期値を確かめられませんでした。{'、'.join(LABELS)} のどの標準偏差でもありません。"
        return Report(False, none, how=drawn.how)
    report = _compared(name, drawn.weights)
    notes = report.notes if drawn.how == _USUAL else (f"呼び方: {drawn.how}", *report.notes)
    return replace(report, notes=notes, how=drawn.how, name=name)


def _meant(title: str, weights: list[Array]) -> str | None:
    """名前から思われる初期値。名前から分からなければ、標準偏差が同じもの。それもなければ None。"""
    named = [name for name, pattern in _TITLES.items() if re.search(pattern, title, re.I)]
    agreeing = [name for name, label in LABELS.items() if agrees(book()[label], weights)]
    return next(iter([*(name for name in agreeing if name in named), *named, *agreeing]), None)


def _compared(name: str, weights: list[Array]) -> Report:
    printed = book()[LABELS[name]]
    sizes = "、".join(f"{n_in}×{n_out}" for n_in, n_out in SHAPES)
    ran = f"({sizes} の行列の要素の平均と標準偏差を、標準誤差の {SIGMAS} 倍までで比べました)"
    for W in weights:
        if fault := degenerate(W):
            variant, text = fault
            return Report(False, f"不一致: {text}。", notes=(ran,), equation=printed.label, variant=variant)
        if not centered(W):
            text = (
                f"不一致: 平均が 0 ではありません({W.shape} で平均 {W.mean():.3g}、標準偏差 {W.std():.3g})。"
            )
            return Report(False, text, notes=(ran,), equation=printed.label, variant="mean")
    if agrees(printed, weights):
        found = distribution(weights)
        if found == "uniform":
            text = "一致: 一様乱数で、標準偏差が式と同じ書き方です。"
            return Report(True, text, notes=(ran,), variant="uniform")
        if found == "truncated":
            text = "一致: 切断正規分布で、標準偏差が式と同じ書き方です(Keras 3 の HeNormal や GlorotNormal)。"
            return Report(True, text, notes=(ran,), variant="truncated")
        notes = (ran,) if found == "normal" else (_OTHER_DISTRIBUTION, ran)
        return Report(True, "一致: 要素の標準偏差は式のとおりです。", notes=notes)
    if distribution(weights) == "truncated" and agrees(printed, weights, scale=TRUNCATED_STD):
        text = "一致: 正規分布を ±2σ で切った書き方です(切ったあとの標準偏差は、式の 0.88 倍になります)。"
        return Report(True, text, notes=(ran,), variant="truncated-uncorrected")
    return diagnose(printed, name, weights, ran)
