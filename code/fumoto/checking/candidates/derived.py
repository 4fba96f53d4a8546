"""機械で作った書き間違いと、原ノートの式を試す。"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations

from fumoto.checking.candidates.conventions import OPTIMIZERS
from fumoto.checking.candidates.equations import mistakes_in
from fumoto.checking.candidates.notes import NOTES
from fumoto.checking.computing.comparison import Comparison
from fumoto.checking.report import Finding, Report
from fumoto.printed import Method, Variant

_OFTEN_TOGETHER = ("hat", "time", "factor", "dropped", "inside", "root", "count")


def derived(reader: Comparison, everywhere: bool = False) -> Report | None:
    """式の木の 1 か所を変えた間違いか、原ノートの式。"""
    bases = [reader.method, *OPTIMIZERS.get(reader.method.name, {}).values()]
    candidates = [v for label in labels_of(bases) for v in mistakes_in(label)]
    found = _reproducing([(v,) for v in candidates], reader, bases, everywhere)
    if not found and _follows_the_notes(reader):
        return _in_the_notes(reader)
    return _report(reader, bases, found[0]) if found else None


def pairs(reader: Comparison) -> Report | None:
    """よく一緒に起きる 2 つの間違い。"""
    candidates = [v for label in labels_of([reader.method]) for v in mistakes_in(label)]
    found = _reproducing(_together(candidates), reader, [reader.method])[:1]
    return _report(reader, [reader.method], found[0]) if found else None


def _report(reader: Comparison, bases: list[Method], found: tuple[Variant, ...]) -> Report:
    order = list(labels_of(bases))[::-1]
    mistakes = sorted(found, key=lambda variant: order.index(variant.equation.label))
    findings = [Finding(v.kind, reader.equations[v.equation.label], v.equation) for v in mistakes]
    where = "、".join(f"{f.kind}({f.printed.page} の {f.printed.label})" for f in findings)
    return Report(
        False,
        f"既知の間違い: {where}。",
        tuple(findings),
        equation=mistakes[0].equation.label,
        variant=" + ".join(v.id for v in mistakes),
    )


def labels_of(bases: Iterable[Method]) -> Iterable[str]:
    """式のラベル。同じ数値になる間違いが 2 つあれば先のものを言うので、w を更新する式を先に置く。"""
    return dict.fromkeys(label for base in bases for label in reversed(base.labels))


def is_often(variant: Variant) -> bool:
    """ほかの書き間違いと一緒に、よく起きるか。行列の式は、どれも少しの間違いで大きく変わり、2 つ一緒に間違えていれば、1 つずつ直すしかない。"""
    return variant.id.split("/")[1].startswith(_OFTEN_TOGETHER) and not variant.equation.indices


def _together(candidates: list[Variant]) -> list[tuple[Variant, ...]]:
    """よく一緒に起きる間違いの組。同じ種類のものを先に。"""
    pairs = [(v, w) for v, w in combinations(filter(is_often, candidates), 2) if v.equation.label != w.equation.label]
    return sorted(pairs, key=lambda pair: pair[0].kind != pair[1].kind)


def _reproducing(
    groups: Iterable[tuple[Variant, ...]],
    reader: Comparison,
    bases: list[Method],
    everywhere: bool = False,
) -> list[tuple[Variant, ...]]:
    """読者の数値を再現する間違いの組。読者の状態まで再現するものを先に並べる。"""
    found, quick = [], reader.smallest_first  # 違うと早く分かるように
    elsewhere = reader.telling_elsewhere
    for group in groups:
        for base in bases:
            if all(v.equation.label in base.labels for v in group) and quick.follows(base, *group):
                unsure = elsewhere is not None and not elsewhere.follows(base, *group)
                if not (unsure and everywhere):
                    found.append((unsure, not reader.has_state_of(base, *group), group))
                    break
    return [group for *_, group in sorted(found, key=lambda place: place[:2])]


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
