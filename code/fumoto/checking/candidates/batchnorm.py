"""Batch Normalization の候補を試す: 読者の値を再現する、ほかの書き方か間違いを探す。"""

from collections.abc import Iterable
from typing import Any

from fumoto.checking.candidates.conventions import RUNNING_AVERAGES
from fumoto.checking.candidates.equations import like, mistakes_in
from fumoto.checking.candidates.normalization import STRUCTURE, follow
from fumoto.checking.candidates.said import AGREES, DIFFERS, KNOWN
from fumoto.checking.candidates.said import BATCHNORM as SAID
from fumoto.checking.computing.batchnorm import (
    INFERENCE,
    RUNNING,
    STAGES,
    Found,
    Yours,
    follow_equations,
    same,
)
from fumoto.checking.report import Finding, Report
from fumoto.hints import Hyperparameters
from fumoto.printed.equation import Equations, replaced

_STILL_0 = "eq-batchnorm-running-mean/dropped"


def inference(
    yours: Yours, expected: Iterable[Found], equations: Equations, hyperparameters: Hyperparameters, ran: str
) -> Report:
    """学習中の値は式のとおりだった。残る推論の出力を、ほかの書き方も許して比べた ``Report``。"""
    found = agreement(yours, expected, equations, hyperparameters, ran)
    return found or diagnose(INFERENCE, yours, equations, hyperparameters, ran)


def agreement(
    yours: Yours, expected: Iterable[Found], equations: Equations, hyperparameters: Hyperparameters, ran: str
) -> Report | None:
    """推論の出力が、式か、ほかの書き方のとおりなら、そう言う ``Report``。"""
    if same(INFERENCE, yours, expected):
        notes = _indistinguishable(yours, equations, hyperparameters)
        text = SAID["agrees"].format(stages="、".join(yours.stages()))
        return Report(True, AGREES.format(what=text), notes=(*notes, ran))
    for convention, (what, other, options) in _conventions(equations).items():
        if same(INFERENCE, yours, follow_equations(yours.problems, other, hyperparameters, **options)):
            notes = _indistinguishable(yours, other, hyperparameters, **options)
            return Report(True, AGREES.format(what=what), notes=(*notes, ran), variant=convention)
    return None


def diagnose(
    stage: str, yours: Yours, equations: Equations, hyperparameters: Hyperparameters, ran: str
) -> Report:
    """``stage`` の値が式と違うときの ``Report``。``ran``: 何を動かして比べたかの一文。"""
    possible: list[tuple[Equations, dict[str, float]]] = [(equations, {})]
    possible += [(e, options) for _, e, options in _conventions(equations).values()]
    for identifier, wrong in STRUCTURE.items():
        if wrong.stage == stage and any(
            all(
                same(where, yours, follow(wrong, yours.problems, e, hyperparameters, **o))
                for where in (stage, *wrong.also)
            )
            for e, o in possible
        ):
            return Report(False, KNOWN.format(what=wrong.words), notes=(ran,), variant=identifier)
    for label in STAGES[stage]:
        for mistake in mistakes_in(label):
            if any(
                _reproduces(stage, yours, replaced(e, mistake.equation), hyperparameters, **options)
                for e, options in (possible if stage == INFERENCE else possible[:1])
            ):
                finding = Finding(mistake.kind, equations[label], mistake.equation)
                verdict = KNOWN.format(what=f"{mistake.kind}({finding.printed.page} の {label})")
                also = (SAID["still 0"],) if mistake.id.startswith(_STILL_0) else ()
                return Report(False, verdict, (finding,), (*also, ran), label, mistake.id)
    return Report(False, DIFFERS.format(what=SAID["unknown"].format(stage=stage)), notes=(ran,))


def _indistinguishable(
    yours: Yours, equations: Equations, hyperparameters: Hyperparameters, **options: Any
) -> list[str]:
    """この減衰率では正しいものと見分けられない間違い(ρ = 0.5 で意味が逆、など)があれば、そう言う。"""
    rho = hyperparameters["decay_rate"]
    if min(rho, abs(rho - 0.5)) > 1e-3:  # ρ が 0 でなく、1 - ρ とも違えば、どの間違いも見分けられる
        return []
    blind = [
        wrong.words
        for wrong in STRUCTURE.values()
        if wrong.stage == INFERENCE
        and same(INFERENCE, yours, follow(wrong, yours.problems, equations, hyperparameters, **options))
    ]
    for label in RUNNING:
        for v in mistakes_in(label):
            if _reproduces(INFERENCE, yours, replaced(equations, v.equation), hyperparameters, **options):
                blind.append(f"{label} の{v.kind}({v.equation.latex})")
    if not blind:
        return []
    return [
        f"この引数では、正しいものと見分けられない間違いがあります: {'、'.join(blind[:3])}。"
        "引数を変えて、もう一度確かめてください。"
    ]


def _conventions(equations: Equations) -> dict[str, tuple[str, Equations, dict[str, float]]]:
    """推論の移動平均の、ほかの書き方: 名前 → (説明, 式, 出発点)。"""
    return {
        name: (
            average.what,
            replaced(equations, *(like(label, latex) for label, latex in average.equations.items())),
            average.options,
        )
        for name, average in RUNNING_AVERAGES.items()
    }


def _reproduces(
    stage: str, yours: Yours, equations: Equations, hyperparameters: Hyperparameters, **options: Any
) -> bool:
    try:
        return same(stage, yours, follow_equations(yours.problems, equations, hyperparameters, **options))
    except (KeyError, ValueError):  # 形が合わないか、まだ計算していない値を使う間違い
        return False
