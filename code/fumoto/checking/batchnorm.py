"""読者の Batch Normalization を、印刷された式と突き合わせる: 順伝播、逆伝播、推論。"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fumoto.checking.calling.batchnorm import follow
from fumoto.checking.calling.safety import ReaderError, one_check
from fumoto.checking.candidates.batchnorm import diagnose, inference
from fumoto.checking.computing.batchnorm import (
    INFERENCE,
    PROBLEMS,
    STAGES,
    TRAINING,
    Yours,
    follow_equations,
    same,
)
from fumoto.checking.report import Report
from fumoto.printed.equation import Equations
from fumoto.printed.pages import book
from fumoto.validation import fraction, positive

_EPS = (1e-5, 1e-7, 1e-8, 1e-6, 1e-3, 1e-10, 1e-12)  # よく書き込まれている値。先のものほど、ありそうである
_DECAY_RATES = (0.9, 0.99, 0.999, 0.95, 0.1, 0.5)


@one_check
def check_batchnorm(make: Any, *, decay_rate: float | None = None, eps: float | None = None) -> Report:
    """``make`` の作る Batch Normalization が、式のとおりに動くかを調べる。

    ``make``: γ と β を受け取るクラスか関数。減衰率と ε の引数は、この本の名前(``decay_rate``, ``eps``)でも、``momentum`` や
    ``epsilon`` でもよい。なければ、書き込まれた値を動きから求める(``report.constants``)。
    ``decay_rate``, ``eps``: 渡す値。省くと、``make`` の既定値(なければ 0.9 と 1e-5)。
    作られたものは、``forward(x, training)`` と ``backward(dout)``、``grads["gamma"]``, ``grads["beta"]``
    (または ``dgamma``, ``dbeta``)を持つこと。学習中の出力、勾配、推論の出力の順に比べ、はじめて違ったところの間違いを言う。
    移動平均の分散は、不偏分散から作っても(この本)、N で割った分散から作っても、1 から始めても(この本)、0 から始めても
    一致とする。推論は 2 度続けて行い、移動平均が変わらないことも確かめる。

    >>> from fumoto.batchnorm import BatchNorm
    >>> print(check_batchnorm(BatchNorm))
    一致: 学習中の出力、γ の勾配、β の勾配、入力の勾配、推論の出力が式のとおりです。
    (形 6×4、5×5、2×3 のミニバッチを 3 つずつと、推論 2 回を、この引数で確かめました)
    """
    equations = book()
    given = {
        "decay_rate": None if decay_rate is None else fraction("decay_rate", decay_rate),
        "eps": None if eps is None else positive("eps", eps),
    }
    try:
        followed = [follow(make, given, problem) for problem in PROBLEMS]
    except ReaderError as error:
        return Report(False, f"BatchNorm を確かめられませんでした。{error}", variant=error.variant)
    shapes = "、".join(f"{len(problem.batches[0].x)}×{len(problem.gamma)}" for problem in PROBLEMS)
    ran = f"(形 {shapes} のミニバッチを 3 つずつと、推論 2 回を、この引数で確かめました)"
    yours = Yours([each.found for each in followed], PROBLEMS)
    known = {name: value if value is not None else given[name] for name, value in followed[0].values.items()}
    moved = any(each.moved for each in followed)
    tried = ((v, _compared(yours, moved, equations, v, ran)) for v in _plausible(yours, equations, known))
    values, report = _first(tried)
    constants = {name: value for name, value in values.items() if known[name] is None}
    words = {"eps": "ε", "decay_rate": "減衰率 ρ"}
    told = [f"{words[name]} は {value:g} と書き込まれています。" for name, value in constants.items()]
    notes = (*told, *report.notes) if report.ok else report.notes
    return replace(report, notes=notes, constants=constants, name="BatchNorm")


def _plausible(
    yours: Yours, equations: Equations, known: dict[str, float | None]
) -> Iterator[dict[str, float]]:
    """分からない ε と減衰率を補った値。読者の値と同じになるものがあればそれ、なければ、よくある ε のどれも。"""
    usual = {"decay_rate": _DECAY_RATES[0], "eps": _EPS[0]}
    values = {name: usual[name] if value is None else value for name, value in known.items()}
    several = [{**values, "eps": eps} for eps in _EPS] if known["eps"] is None else [values]
    agreeing = [
        each for each in several if same(TRAINING, yours, follow_equations(yours.problems, equations, each))
    ]
    for each in agreeing[:1]:
        rates = _DECAY_RATES if known["decay_rate"] is None else ()
        others = ({**each, "decay_rate": rate} for rate in rates)
        yield next((v for v in others if _averages_agree(yours, equations, v)), each)
    if not agreeing:
        yield from several


def _averages_agree(yours: Yours, equations: Equations, values: dict[str, float]) -> bool:
    return inference(
        yours, list(follow_equations(yours.problems, equations, values)), equations, values, ""
    ).ok


def _first(tried: Iterator[tuple[dict[str, float], Report]]) -> tuple[dict[str, float], Report]:
    """一致したか、間違いに名前のついた、はじめのもの。なければ、はじめのもの。"""
    first = next(tried)
    named = (each for each in (first, *tried) if each[1].ok or each[1].variant)
    return next(named, first)


def _compared(
    yours: Yours, moved: bool, equations: Equations, hyperparameters: dict[str, float], ran: str
) -> Report:
    expected = list(follow_equations(yours.problems, equations, hyperparameters))
    for stage in STAGES:
        if stage != INFERENCE and not same(stage, yours, expected):
            return diagnose(stage, yours, equations, hyperparameters, ran)
    report = inference(yours, expected, equations, hyperparameters, ran)
    if moved and report.variant != "inference/batch-statistics":
        verdict = "既知の間違い: 推論を 2 度続けると、出力か移動平均が変わります(推論では、移動平均を使うだけで変えません)。"
        return Report(False, verdict, notes=(ran,), variant="inference/updates")
    return report
