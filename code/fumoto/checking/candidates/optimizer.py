"""最適化手法の候補を試す: 読者の足どりを再現する、ほかの書き方か間違いを探す。"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, combinations, takewhile

import numpy as np

from fumoto.checking.candidates.candidate import Candidate, Handling
from fumoto.checking.candidates.derived import derived, labels_of, pairs
from fumoto.checking.candidates.disguised import forms, half_precision, hidden, in_another_form, on_forms
from fumoto.checking.candidates.engine import (
    AS_PRINTED,
    follows,
    follows_everywhere,
    matching,
    report_on,
    walk,
    with_its_state,
)
from fumoto.checking.candidates.equations import mistakes_in
from fumoto.checking.candidates.handlings import FAULTS, exchanged_values, other_values
from fumoto.checking.candidates.keys import single_keys
from fumoto.checking.candidates.measured import (
    clips,
    decays,
    fading,
    fixed_values,
    scaled,
    timed,
)
from fumoto.checking.candidates.schedules import schedule, schedule_of
from fumoto.checking.candidates.sight import at_sight, exploding, root_of_negative
from fumoto.checking.candidates.table import mistakes
from fumoto.checking.candidates.together import combined
from fumoto.checking.computing.comparison import Comparison
from fumoto.checking.computing.measurements import explained, response
from fumoto.checking.report import Report

ONLY_HERE = "この引数では、式と同じ動きです。ただし、引数を少し変えると、式と違う動きをします"
UNSEEN = "渡された引数ではたまたま式と同じ動きですが、引数を少し変えると違います"
WRITTEN_IN = "式と同じ動きです。ただし、{names} は、渡しても使われず、この値が書き込まれています"
SINGLE = "式と同じ動きです。ただし、計算のどこかが float32 の精度です"


# --- 間違いでないもの -------------------------------------------------------------------------------------


def convention(reader: Comparison) -> str | None:
    """読者の足どりと同じ、ほかの書き方の説明。なければ None。"""
    if follows(reader, AS_PRINTED):  # 違うのは、少し違う引数で走らせたときだけである
        return _only_here(reader)
    others = list(forms(reader))
    elsewhere = reader.elsewhere
    for other in others:
        if follows(reader, other) and (elsewhere is None or follows(elsewhere, other)):
            return other.words
    for other in (AS_PRINTED, *others):
        if follows(reader, other, np.float32):
            # 粗く比べても同じというだけでは足りない。細かく比べて、名前のある間違いと同じなら、そちらである
            if _first(reader, _exact_mistake, _steps) is not None or (
                other is not AS_PRINTED and _two_mistakes(reader) is not None
            ):
                return None
            return SINGLE if other is AS_PRINTED else f"{other.words}(計算のどこかが float32 の精度です)"
    return None


def _only_here(reader: Comparison) -> str | None:
    """渡された引数でだけ式と同じ動きをする、という説明。名前のある間違いのせいなら None。"""
    elsewhere = reader.elsewhere
    if elsewhere is None or follows(elsewhere, AS_PRINTED):
        return None
    for other in forms(reader):
        if follows(elsewhere, other):
            return other.words
    symbols = reader.method.hyperparameters
    written_in = [
        name for name, value in reader.hyperparameters.items() if value not in (0, 1)
    ]  # 0 と 1 は、書き忘れ
    for count in range(1, len(symbols) + 1):
        for names in combinations(written_in, count):
            values = tuple((symbols[name], reader.hyperparameters[name]) for name in names)
            if follows(elsewhere, replace(AS_PRINTED, handling=Handling(values=values))):
                return WRITTEN_IN.format(names="、".join(names))
    if _first(reader, _exact_mistake, _steps) is not None:
        return None
    if follows(elsewhere, AS_PRINTED, np.float32):
        return SINGLE
    return ONLY_HERE


def indistinguishable(reader: Comparison) -> list[str]:
    """この引数では正しいものと見分けられない間違い(慣性が 0、学習率が 1 など)があれば、そう言う。"""
    if not _special(list(reader.hyperparameters.values())):
        return []
    elsewhere = reader.elsewhere
    if elsewhere is not None and follows(elsewhere, AS_PRINTED):
        return []
    seen = [reader] if elsewhere is None else [reader, elsewhere]
    blind = [
        v
        for label in labels_of([reader.method])
        for v in mistakes_in(label)
        if all(one.follows(reader.method, v) for one in seen)
    ]
    if not blind:
        return []
    order = list(dict.fromkeys(reader.method.labels))
    blind.sort(key=lambda v: order.index(v.equation.label))
    mistakes = "、".join(f"{v.equation.label} の{v.kind}({v.equation.latex})" for v in blind[:3])
    return [
        f"この引数では、正しいものと見分けられない間違いがあります: {mistakes}。引数を変えて、もう一度確かめてください。"
    ]


def _special(values: list[float]) -> bool:
    """0、1、0.5、ごく小さな数、同じ数、足して 1 になる数があるか。なければ、どの間違いも足どりを変える。"""
    lone = any(abs(value - round(2 * value) / 2) < 1e-9 for value in values)
    return lone or any(abs(a - b) < 1e-9 or abs(a + b - 1) < 1e-9 for a, b in combinations(values, 2))


# --- 名前のある間違い -------------------------------------------------------------------------------------


def shared_state(reader: Comparison) -> Report | None:
    """状態をキーの間で共有しているか、勾配を別のキーに割り当てているという ``Report``。そうでなければ None。"""
    found = (
        candidate
        for candidate in mistakes(reader.method, reader.equations)
        if candidate.id.startswith("loop/shared") or candidate.handling.order != "by key"
    )
    return next((report_on(reader, [c]) for c in found if follows(reader, c)), None)


def single_mistake(reader: Comparison) -> Report | None:
    """読者の数値を再現する、1 つの間違いの ``Report``。なければ None。"""
    beside = next((f for path in reader.trajectories for f in path.faults if f.id in BESIDES), None)
    if beside is not None:
        without = replace(reader, trajectories=[replace(path, faults=()) for path in reader.trajectories])
        right = follows(without, AS_PRINTED) or convention(without) is not None
        if not right and (found := single_mistake(without)) is not None:
            return replace(found, notes=(*found.notes, f"ほかにも、{FAULTS[beside.id]}。"))
    every_key = partial(single_keys, search=_exact_mistake)
    searches = (at_sight, _exact_mistake, every_key, in_another_form, exploding, hidden, half_precision, _steps, _measured)
    return _said(reader, _first(reader, *searches))


BESIDES = {"loop/gradient-kept", "loop/shared-between-instances"}  # ほかの間違いがあれば、そちらを言う


def two_mistakes(reader: Comparison, needless: Callable[[], bool] = lambda: False) -> Report | None:
    """1 つでは見つからないときに探す、2 つの間違いの ``Report``。なければ None。``needless``: もう探さなくてよくなったか。

    状態が負なら、足どりがほとんど nan なので、2 つの間違いは決められない。
    """
    listed = partial(_two_mistakes, needless=needless)
    return _said(reader, _first(reader, root_of_negative, pairs, listed, _scheduled, until=needless))


def less_sure_mistake(reader: Comparison) -> Report | None:
    """渡された引数でだけ同じものと、粗く比べて同じもの。なければ None。"""
    return _said(reader, _first(reader, _here_only, rough_mistake))


def _said(reader: Comparison, found: Report | None) -> Report | None:
    """渡された引数では間違いが見えないなら、そう言い添える。"""
    if (
        found is not None
        and not any(path.faults for path in reader.trajectories)
        and follows(reader, AS_PRINTED)
    ):
        return replace(found, verdict=f"{found.verdict.removesuffix('。')}({UNSEEN})。")
    return found


def _first(
    reader: Comparison,
    *searches: Callable[[Comparison], Report | None],
    until: Callable[[], bool] = lambda: False,
) -> Report | None:
    """``searches`` を順に試し、はじめに見つかったもの。``until`` が真になれば、やめる。"""
    tried = takewhile(lambda _: not until(), searches)
    return next((found for search in tried if (found := search(reader)) is not None), None)


def unknown(reader: Comparison) -> list[str]:
    """原因の分からないときに、測って分かったことを言う文。"""
    measured = [path for path in reader.trajectories if response([path])]
    if not measured or "lr" not in reader.hyperparameters:
        return []
    printed = walk(reader, AS_PRINTED, measured[0])
    return explained(measured, reader.hyperparameters["lr"], response([printed]))


def _exact_mistake(reader: Comparison) -> Report | None:
    """少し違う引数でも読者の足どりを再現する間違い。表にあるものを先に、機械で作ったものを後に。"""
    sure = [c for c in _candidates(reader) if follows_everywhere(reader, c)]
    if sure:
        return report_on(reader, [with_its_state(reader, sure)])
    return derived(reader, everywhere=True)


def _here_only(reader: Comparison) -> Report | None:
    """渡された引数でだけ読者の足どりを再現する間違い。ほかに何も見つからないときに言う。"""
    listed = matching(reader, _candidates(reader))
    return report_on(reader, listed[:1]) if listed else derived(reader)


def rough_mistake(reader: Comparison) -> Report | None:
    """丸め誤差の育つ計算や、float32 で計算したところのあるもの。"""
    plain = ((candidate, None, candidate) for candidate in _candidates(reader))
    listed = chain(plain, on_forms(reader))
    found = next((each for each in listed if follows_everywhere(reader, each[-1], np.float32)), None)
    return None if found is None else report_on(reader, [found[0]], found[1])


def _candidates(reader: Comparison) -> Iterator[Candidate]:
    yield from mistakes(reader.method, reader.equations)
    yield from timed(reader)
    yield from exchanged_values(reader.method, reader.equations, reader.hyperparameters)
    yield from other_values(reader.method, reader.hyperparameters)


def _steps(reader: Comparison) -> Report | None:
    """歩幅が、式の何倍かであるか、ステップとともに変わるもの。"""
    found = next((c for c in chain(scaled(reader), fading(reader)) if follows_everywhere(reader, c)), None)
    if found is not None:
        return report_on(reader, [found])
    words = schedule(reader)
    return None if words is None else Report(False, f"既知の間違い: {words}。", variant="rate/schedule")


def _scheduled(reader: Comparison) -> Report | None:
    """表にある間違いに加えて、歩幅がステップとともに変わるもの。"""
    for candidate in mistakes(reader.method, reader.equations):
        if not candidate.method and (words := schedule_of(reader, candidate)) is not None:
            found = report_on(reader, [candidate])
            verdict = f"{found.verdict.removesuffix('。')}。さらに、{words}。"
            return replace(found, verdict=verdict, variant=f"{found.variant} + rate/schedule")
    return None


def _measured(reader: Comparison) -> Report | None:
    """数を測って作る候補。"""
    searches = (fixed_values(reader), decays(reader), clips(reader))
    found = next((c for search in searches for c in search if follows_everywhere(reader, c)), None)
    return None if found is None else report_on(reader, [found])


def _two_mistakes(reader: Comparison, needless: Callable[[], bool] = lambda: False) -> Report | None:
    """表にある 2 つの間違い。"""
    for first, second, both in takewhile(lambda _: not needless(), combined(reader)):
        if follows(reader, both):
            alone = next((each for each in (first, second) if follows(reader, each)), None)
            return report_on(reader, [first, second] if alone is None else [alone])
    return None


