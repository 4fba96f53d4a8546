"""手法の式にはない重み減衰を、読者のコードが引数に受け取るとき。"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from fumoto.checking.calling.optimizer import Observed
from fumoto.checking.calling.values import NAMES, normal, number
from fumoto.checking.report import Report
from fumoto.printed.methods import EVERY_METHOD

TRIED = 0.01  # 既定値が 0 のときに、代わりに渡す強さ


def _strengths(seen: Observed, report: Report, given: dict[str, float]) -> Iterator[tuple[str, float]]:
    """渡されなかった重み減衰の引数と、その値。減衰のある手法では、余分な減衰は間違いなので、何もない。"""
    if report.name is None or "weight_decay" in EVERY_METHOD[report.name].hyperparameters:
        return
    for own, value in seen.own.items():
        if normal(own) in NAMES["weight_decay"] and number(value) is not None and own in seen.passed and own not in given:
            yield own, float(value)


def without_its_decay(
    seen: Observed, report: Report, given: dict[str, float], check: Callable[..., Report]
) -> Report | None:
    """見つかったのが、PyTorch と同じ重み減衰だけなら、0 にして確かめた ``Report``。そうでなければ None。"""
    for own, value in _strengths(seen, report, given):
        if report.variant == f"gradient/decay-{value:g}":
            off = check(report.name, **given, **{own: 0.0})
            note = f"{own} は 0 にして確かめました({own}={value:g} では、PyTorch と同じく、勾配に λw を足します)。"
            return replace(off, notes=(note, *off.notes)) if off.ok else None
    return None


def growing(
    seen: Observed, report: Report, given: dict[str, float], check: Callable[..., Report]
) -> Report | None:
    """既定値の 0 では見えない重み減衰の、符号が逆だという ``Report``。そうでなければ None。"""
    for own, value in _strengths(seen, report, given):
        if value == 0:
            on = check(report.name, **given, **{own: TRIED})
            if "/decay--" in (on.variant or ""):
                note = f"{own}=0 では式と同じ動きです。{own}={TRIED:g} にして確かめました。"
                return replace(on, notes=(note, *on.notes))
    return None
