"""2 つの間違いの組: 表の候補を 2 つ一緒に動かす。"""

from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache
from itertools import combinations
from typing import Any

from fumoto.checking.candidates.candidate import AS_PRINTED, Candidate, Handling
from fumoto.checking.candidates.conventions import conventions
from fumoto.checking.candidates.measured import scaling
from fumoto.checking.candidates.table import mistakes
from fumoto.checking.computing.comparison import Comparison

#: ほかの間違いと一緒には、まず起きないもの。組の数を減らすために外す。
RARE = {
    *(
        "epsilon-root",
        "epsilon-squared-inside",
        "epsilon-times",
        "epsilon-subtracted",
        "epsilon-on-top",
        "rate-inside",
    ),
    *(
        "cube-root",
        "fourth-root",
        "square-not-root",
        "cubed",
        "nadam",
        *("amsgrad", "amsgrad-hat", "amsgrad-folded", "amsgrad-plain"),
        "adamax",
        "variance",
    ),
    *(
        "adabelief",
        "adabelief-epsilon",
        "one-hat",
        "over-count",
        "m-power",
        "m-one-plus",
        "m-all-at-once",
    ),
    *(
        "v-power",
        "v-one-plus",
        "v-all-at-once",
        "m-squared",
        "v-squared",
        "rate-root-of-both",
        "rate-corrected-twice",
    ),
    *(f"{name}-{slug}" for name in "mvc" for slug in ("bracket", "updated-twice", "one-minus-both", "added", "both")),
    *(
        f"{slug}-{side}"
        for slug in ("times-t", "no-power", "squared-power", "only-power", "multiplied", "bracket", "over-count", "one-plus", "count-early")
        for side in "mv"
    ),
    *("elementwise", "elementwise-wide", "elementwise-wide-plus", "elementwise-both", "cubic", "identity-missing"),
    *("square-missing", "length-of-sum", "length-of-largest", "not-orthogonal", "sign", "exact", "coefficient-sign"),
    *("momentum-after-average", "momentum-after-plain", "decay-scaled", "first-axis", "last-axis", "difference"),
    *("last-2", "last-5", "last-10", "rate-squared"),
    *(
        "power",
        "one-plus",
        "all-at-once",
        "squared-power",
        "weights-in-u",
        "exchanged-gradients",
        "sign-only",
    ),
}


#: ほかの間違いと一緒に、勾配に入り込みやすいもの。
SLIPPED_IN = (
    *("clip-1", "clip-5", "clip-0.5", "clip-0.1", "clip-10", "clip-norm-1", "clip-norm-5", "clip-global-norm-1", "clip-global-norm-5"),
    *("decay-0.0001", "decay-0.0005", "decay-0.01"),
)


def combined(reader: Comparison) -> Iterator[tuple[Candidate, Candidate, Candidate]]:
    """(1 つ目, 2 つ目, 2 つを合わせたもの)。符号や歩幅の間違いとの組を先に。"""
    listed = [c for c in mistakes(reader.method, reader.equations) if not c.method]
    written = [*conventions(reader.method.name), *(c for c in listed if c.formulas)]
    for first in written:
        for scale in scaling(reader, first):
            yield first, scale, together(first, scale)
    for other in (c for c in mistakes(reader.method, reader.equations) if c.method):
        for scale in scaling(reader, other):
            yield other, scale, together(other, scale)
    written = [c for c in written if not c.convention and c.id.split("/")[1] not in RARE]
    for first, second in combinations(written, 2):
        if not _overlap(first, second):
            yield first, second, together(first, second)
    handled = [c for c in listed if not c.formulas and c.id.startswith(("loop/", "clock/", "state/"))]
    slipped = {f"gradient/{what}" for what in SLIPPED_IN}
    handled += [c for c in listed if c.id in slipped]
    for first in written:
        for second in handled:
            yield first, second, together(first, second)
    for first, second in combinations(handled, 2):
        yield first, second, together(first, second)


def together(first: Candidate, second: Candidate) -> Candidate:
    """2 つの候補を一緒に動かすもの。同じところを変えるなら、2 つ目の方を使う。"""
    return Candidate(
        f"{first.id} + {second.id}",
        first.words,
        first.label,
        (*first.formulas, *second.formulas),
        _handled(first.handling, second.handling),
        first.method,
        first.convention,
        first.published,
    )


@cache
def _handled(first: Handling, second: Handling) -> Handling:
    """2 つの動かし方を一緒にしたもの。"""
    changed = _changed(second)
    return replace(first, **changed) if changed else first


def _changed(handling: Handling) -> dict[str, Any]:
    """正しい動かし方と違うところ。"""
    return {
        field.name: getattr(handling, field.name)
        for field in fields(Handling)
        if getattr(handling, field.name) != getattr(AS_PRINTED, field.name)
    }


def _overlap(first: Candidate, second: Candidate) -> bool:
    return bool({label for label, _ in first.formulas} & {label for label, _ in second.formulas})
