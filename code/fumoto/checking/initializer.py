"""読者の重みの初期値を、印刷された式の標準偏差と突き合わせる。"""

import re
from dataclasses import replace
from typing import Any

from fumoto.checking.calling.initializer import draw_weights
from fumoto.checking.calling.safety import ReaderError, one_check
from fumoto.checking.calling.weights.layer import Layer
from fumoto.checking.calling.weights.roles import in_words
from fumoto.checking.candidates.biases import notes_on_biases, odd_bias
from fumoto.checking.candidates.initializer import called, degenerate, diagnose, scaled, written_wrongly
from fumoto.checking.candidates.node_counts import WRONG_N
from fumoto.checking.candidates.said import AGREES, DIFFERS
from fumoto.checking.candidates.said import INITIALIZER as SAID
from fumoto.checking.computing.initializer import (
    LABELS,
    SIGMAS,
    TRUNCATED_STD,
    agrees,
    centered,
    distribution,
)
from fumoto.checking.repairing.sources import text_of
from fumoto.checking.report import Report
from fumoto.printed.pages import book

_TITLES = {"xavier": r"xavier", "glorot": r"glorot", "he": r"(^|_)he(_|$)|kaiming"}  # それらしい関数の名前
_USUAL = "あなたの関数を、(rng, n_in, n_out) の順に呼びました。"
_BOTH = SAID["both"].format_map(LABELS)


@one_check
def check_initializer(make: Any, name: str | None = None) -> Report:
    """``make`` の作る重みが、``name`` の式の標準偏差を持つかを調べる。

    ``make``: 重みを返す関数か、重みを持つ層やネットワークのクラス。引数は ``(rng, n_in, n_out)``、``(n_in, n_out)``、
    形 ``(shape)``、ネットワークのノード数のリスト ``(sizes)`` など。重みは配列 1 つでも、``(W, b)`` でも、``W1``, ``b1``, … の辞書やリストでもよい。
    ``name``: ``"xavier"``(``eq-xavier-std``), ``"glorot"``(``eq-glorot-std``), ``"he"``(``eq-he-std``)。ほかは ``ValueError``。
    省くと、どれかと同じならそれ、同じでなければ、関数の名前から思われるものと比べる(``report.name``)。n_in と n_out の両方を使う
    ものは、``"xavier"`` でも ``eq-glorot-std`` と比べる。
    大きさの違う行列をいくつか作り、要素の平均と標準偏差を、要素の数から決まる誤差の範囲で比べる。すべて 0 の列や、
    同じ列・行の繰り返し、0 でないバイアスも見つける。

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
        drawn = draw_weights(make, name, text_of(make))
    except ReaderError as error:
        failed = f"{f'{name} ' if name else '重み'}の初期値を確かめられませんでした。{error}"
        return Report(False, failed, variant=error.variant, name=name)
    name = name or _meant(drawn.title, drawn.layers)
    if name is None:
        none = f"重みの初期値を確かめられませんでした。{'、'.join(LABELS)} のどの標準偏差でもありません。"
        return Report(False, none, how=drawn.how)
    form = _form(name, drawn.layers)
    report = _with_biases(_compared(form, drawn.layers), form, drawn.layers)
    notes = report.notes if drawn.how == _USUAL else (f"呼び方: {drawn.how}", *report.notes)
    both = (_BOTH,) if form != name else ()
    return replace(report, notes=(*both, *drawn.notes, *notes), how=drawn.how, name=form)


def _meant(title: str, layers: list[Layer]) -> str | None:
    """名前から思われる初期値。名前から分からなければ、標準偏差が同じもの。それもなければ None。"""
    named = [name for name, pattern in _TITLES.items() if re.search(pattern, in_words(title), re.I)]
    agreeing = [name for name, label in LABELS.items() if agrees(book()[label], layers)]
    return next(iter([*(name for name in agreeing if name in named), *named, *agreeing]), None)


def _form(name: str, layers: list[Layer]) -> str:
    """比べる式。Xavier のつもりで n_in と n_out の両方を使っているなら、Glorot の式。"""
    if name != "xavier" or agrees(book()[LABELS["xavier"]], layers):
        return name
    glorot = book()[LABELS["glorot"]]
    causes = (written_wrongly(glorot, layers, both=True), scaled(glorot, layers))
    channels = agrees(glorot, layers, WRONG_N["n-both-channels"][1])
    return "glorot" if agrees(glorot, layers) or channels or any(each is not None for each in causes) else name


def _compared(name: str, layers: list[Layer]) -> Report:
    printed = book()[LABELS[name]]
    sizes = "、".join(dict.fromkeys(map(called, layers)))
    ran = f"({SAID['tried'].format(sizes=sizes, sigmas=SIGMAS)})"
    for layer in layers:
        if fault := degenerate(layer.W):
            variant, text = fault
            text = f"{layer.name}: {text}" if layer.name else text
            return Report(False, DIFFERS.format(what=text), notes=(ran,), equation=printed.label, variant=variant)
        if not centered(layer.W):
            return Report(False, _off_center(layer), notes=(ran,), equation=printed.label, variant="mean")
    wrong = [layer for layer in layers if not agrees(printed, [layer])]
    if not wrong:
        return _agreeing(layers, ran)
    if distribution(layers) == "truncated" and agrees(printed, layers, scale=TRUNCATED_STD):
        text = SAID["cut"].format(times=f"{TRUNCATED_STD:.2f}")
        return Report(True, AGREES.format(what=text), notes=(ran,), variant="truncated-uncorrected")
    report = diagnose(printed, name, layers, ran)
    if report.variant is not None or len(wrong) == len(layers):
        return report
    names = dict.fromkeys(layer.name for layer in wrong)
    if len(names) == len(dict.fromkeys(layer.name for layer in layers)):  # ある大きさのときだけ違う
        return report
    only = f"違うのは {'、'.join(names)} だけです。ほかの層は式のとおりです。"
    report = diagnose(printed, name, wrong, ran)
    return replace(report, notes=(only, *report.notes))


def _agreeing(layers: list[Layer], ran: str) -> Report:
    found = distribution(layers)
    if found in ("uniform", "truncated"):
        return Report(True, AGREES.format(what=SAID[found]), notes=(ran,), variant=found)
    notes = (ran,) if found == "normal" else (SAID["other"], ran)
    return Report(True, AGREES.format(what=SAID["normal"]), notes=notes)


def _off_center(layer: Layer) -> str:
    W = layer.W
    name = f"{layer.name} の" if layer.name else ""
    same_sign = W.min() >= 0 or W.max() <= 0
    why = SAID["same sign"] if same_sign else ""
    measured = {"shape": W.shape, "mean": f"{W.mean():.3g}", "std": f"{W.std():.3g}"}
    return DIFFERS.format(what=SAID["mean"].format(name=name, why=why, **measured))


def _with_biases(report: Report, name: str, layers: list[Layer]) -> Report:
    """重みが式のとおりなら、バイアスも調べた結果。重みが違えば、それを先に言う。"""
    odd = odd_bias(name, layers)
    if odd is None:
        return replace(report, notes=(*notes_on_biases(layers), *report.notes))
    variant, text = odd
    if not report.ok:
        return replace(report, notes=(f"{text}。", *report.notes))
    verdict = f"不一致: 重みは式のとおりですが、{text}。"
    return Report(False, verdict, notes=report.notes, equation=book()[LABELS[name]].label, variant=variant)
