"""最適化手法の候補を試す: 読者の足どりを再現する、ほかの書き方か間違いを探す。"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations

from fumoto.checking.candidates.conventions import OPTIMIZERS
from fumoto.checking.candidates.equations import mistakes_in
from fumoto.checking.candidates.loops import LOOPS, SHARED_STATE
from fumoto.checking.candidates.notes import NOTES
from fumoto.checking.computing.comparison import Comparison
from fumoto.checking.report import Finding, Report
from fumoto.printed import Method, PrintedOptimizer, Variant

_OFTEN_TOGETHER = ("hat", "time", "factor", "dropped", "inside", "root", "count")


def convention(reader: Comparison) -> str | None:
    """読者の足どりと同じ、ほかの書き方の説明。なければ None。"""
    others = OPTIMIZERS.get(reader.method.name, {})
    return next((what for what, other in others.items() if reader.follows(other)), None)


def indistinguishable(reader: Comparison) -> list[str]:
    """この引数では正しいものと見分けられない間違い(慣性が 0、学習率が 1 など)があれば、そう言う。"""
    blind = [
        v for label in reader.method.labels for v in mistakes_in(label) if reader.follows(reader.method, v)
    ]
    if not blind:
        return []
    mistakes = "、".join(f"{v.equation.label} の{v.kind}({v.equation.latex})" for v in blind[:3])
    return [
        f"この引数では、正しいものと見分けられない間違いがあります: {mistakes}。引数を変えて、もう一度確かめてください。"
    ]


def shared_state(reader: Comparison) -> Report | None:
    """状態をキーの間で共有しているという ``Report``。そうでなければ None。"""
    identifier, loop, explanation = SHARED_STATE
    has_state = bool(PrintedOptimizer(reader.method, reader.equations, **reader.hyperparameters).state)
    if not has_state or reader.first_difference(reader.method, loop=loop) is not None:
        return None
    return Report(False, f"既知の間違い: {explanation}。", variant=identifier)


def known_mistake(reader: Comparison) -> Report | None:
    """読者の数値を再現する間違いの ``Report``。なければ None。"""
    bases = [reader.method, *OPTIMIZERS.get(reader.method.name, {}).values()]
    for base in bases:
        for identifier, (loop, explanation) in LOOPS.items():
            if reader.first_difference(base, loop=loop) is None:
                return Report(False, f"既知の間違い: {explanation}。", variant=identifier)
    candidates = [v for label in _labels(bases) for v in mistakes_in(label)]
    found = _reproducing([(v,) for v in candidates], reader, bases)
    if not found and _follows_the_notes(reader):
        return _in_the_notes(reader)
    if not found:
        found = _reproducing(_pairs(candidates), reader, [reader.method])[:1]
    if not found:
        return None
    order = list(_labels(bases))[::-1]
    mistakes = sorted(found[0], key=lambda variant: order.index(variant.equation.label))
    findings = [Finding(v.kind, reader.equations[v.equation.label], v.equation) for v in mistakes]
    where = "、".join(f"{f.kind}({f.printed.page} の {f.printed.label})" for f in findings)
    return Report(
        False,
        f"既知の間違い: {where}。",
        tuple(findings),
        equation=mistakes[0].equation.label,
        variant=" + ".join(v.id for v in mistakes),
    )


def _labels(bases: Iterable[Method]) -> Iterable[str]:
    """式のラベル。同じ数値になる間違いが 2 つあれば先のものを言うので、w を更新する式を先に置く。"""
    return dict.fromkeys(label for base in bases for label in reversed(base.labels))


def _pairs(candidates: list[Variant]) -> list[tuple[Variant, ...]]:
    """よく一緒に起きる間違いの組。同じ種類のものを先に。"""
    often = [v for v in candidates if v.id.split("/")[1].startswith(_OFTEN_TOGETHER)]
    pairs = [(v, w) for v, w in combinations(often, 2) if v.equation.label != w.equation.label]
    return sorted(pairs, key=lambda pair: pair[0].kind != pair[1].kind)


def _reproducing(
    groups: Iterable[tuple[Variant, ...]], reader: Comparison, bases: list[Method]
) -> list[tuple[Variant, ...]]:
    """読者の数値を再現する間違いの組。読者の状態まで再現するものを先に並べる。"""
    found = []
    for group in groups:
        for base in bases:
            if all(v.equation.label in base.labels for v in group) and reader.follows(base, *group):
                found.append((not reader.has_state_of(base, *group), group))
                break
    return [group for _, group in sorted(found, key=lambda pair: pair[0])]


def _follows_the_notes(reader: Comparison) -> bool:
    if reader.method.name not in NOTES:
        return False
    needed = {name: symbol for name, symbol in reader.method.hyperparameters.items() if name != "eps"}
    notes = replace(reader.method, labels=NOTES[reader.method.name], hyperparameters=needed)
    values = {name: reader.hyperparameters[name] for name in needed}
    return reader.follows(notes, hyperparameters=values)


def _in_the_notes(reader: Comparison) -> Report:
    yours = reader.equations[NOTES[reader.method.name][-1]]
    printed = reader.equations[reader.method.labels[-1]]
    verdict = f"既知の間違い: 原ノートの式です({yours.page} の {yours.label})。"
    return Report(
        False,
        verdict,
        (Finding("原ノートの式", printed, yours),),
        equation=yours.label,
        variant=yours.label,
    )
