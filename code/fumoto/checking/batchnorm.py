"""読者の Batch Normalization を、印刷された式と突き合わせる: 順伝播、逆伝播、推論。"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fumoto.checking.calling.batchnorm.following import Followed, follow
from fumoto.checking.calling.batchnorm.partners import Together, together
from fumoto.checking.calling.batchnorm.rates import Given
from fumoto.checking.calling.safety import ReaderError, one_check
from fumoto.checking.candidates.batchnorm import agreement, diagnose, inference
from fumoto.checking.candidates.said import AGREES, KNOWN
from fumoto.checking.candidates.said import BATCHNORM as SAID
from fumoto.checking.computing.batchnorm import (
    GRADIENTS,
    INFERENCE,
    TRAINING,
    Yours,
    follow_equations,
    same,
)
from fumoto.checking.report import Report
from fumoto.printed.equation import Equations
from fumoto.printed.pages import book
from fumoto.validation import fraction, positive

# よく書き込まれている値。先のものほど、ありそうである
_EPS = (1e-5, 1e-7, 1e-8, 1e-6, 1e-3, 1e-10, 1e-12, 1e-4, 1e-9, 2e-5, 1e-15, 1e-16)
_DECAY_RATES = (0.9, 0.99, 0.999, 0.95, 0.1, 0.5, 0.98, 0.8, 0.997)


@one_check
def check_batchnorm(make: Any, *, decay_rate: float | None = None, eps: float | None = None) -> Report:
    """``make`` の作る Batch Normalization が、式のとおりに動くかを調べる。

    ``make``: 層のクラス(γ と β か、列の数を受け取る)、層を作る関数、作ってある層、または ``(x, gamma, beta, …)`` から計算する
    関数。減衰率と ε の引数は、この本の名前(``decay_rate``, ``eps``)でも、``momentum`` や ``epsilon`` でもよい。なければ、書き込まれた
    値を動きから求める(``report.constants``)。
    ``decay_rate``, ``eps``: 渡す値。省くと、``make`` の既定値(なければ 0.9 と 1e-5)。
    呼び方は、名前と引数から決める(``report.how``)。学習中の出力、勾配、推論の出力の順に比べ、はじめて違ったところの間違いを言う。
    逆伝播か推論がなければ、確かめなかったと言う。
    移動平均の分散は、不偏分散から作っても(この本)、N で割った分散から作っても、1 から始めても(この本)、0 から始めても
    一致とする。推論は 2 度続けて行い、移動平均が変わらないことも確かめる。

    >>> from fumoto.batchnorm import BatchNorm
    >>> print(check_batchnorm(BatchNorm))
    一致: 学習中の出力、γ の勾配、β の勾配、入力の勾配、推論の出力が式のとおりです。
    (形 6×4、5×5、2×3 のミニバッチを 3 つずつと、推論 2 回を、この引数で確かめました)
    """
    given = {
        "decay_rate": None if decay_rate is None else fraction("decay_rate", decay_rate),
        "eps": None if eps is None else positive("eps", eps),
    }
    make = together(make)
    report, *others = _each_backward(make, given)
    report = next((other for other in others if report.ok and not other.ok), report)
    if report.variant == "forward/axis" and isinstance(make, Together):
        return replace(report, notes=(*report.notes, _WHICH_WAY))
    return report


def _each_backward(make: Any, given: Given) -> Iterator[Report]:
    """逆伝播の関数がいくつかあれば、1 つずつと組にした結果。"""
    which, names = 0, tuple[str, ...](("",))
    while which < len(names):
        try:
            followed = follow(make, given, which)
        except ReaderError as error:
            yield Report(False, f"BatchNorm を確かめられませんでした。{error}", variant=error.variant)
            return
        names = followed.backwards or names
        yield _judged(followed, given)
        which += 1


def _judged(followed: Followed, given: Given) -> Report:
    equations, ran = book(), _ran(followed)
    yours = Yours(followed.found, followed.problems)
    known = {name: value if value is not None else given[name] for name, value in followed.values.items()}
    tried = (
        (v, _compared(yours, followed.moved, equations, v, ran))
        for v in _plausible(yours, equations, known, followed.either)
    )
    values, report = _first(tried)
    if followed.failed and report.variant is None:
        return Report(False, f"BatchNorm を確かめられませんでした。{followed.failed}", how=followed.how)
    new = followed.new or (followed.either and values["decay_rate"] != known["decay_rate"])
    constants = {name: value for name, value in values.items() if known[name] is None}
    if INFERENCE not in yours.stages():  # 移動平均は見ていない
        constants.pop("decay_rate", None)
        new = False
    notes = _told(followed, yours, constants, report.ok, new)
    variant = report.variant or ("pytorch-momentum" if new and report.ok else None)
    return replace(
        report,
        notes=(*notes, *report.notes),
        constants=constants,
        name="BatchNorm",
        how=followed.how,
        variant=variant,
    )


def _plausible(
    yours: Yours, equations: Equations, known: dict[str, float | None], either: bool
) -> Iterator[dict[str, float]]:
    """分からない ε と減衰率を補った値。読者の値と同じになるものがあればそれ、なければ、よくある値のどれも。"""
    values = {
        "decay_rate": _DECAY_RATES[0],
        "eps": _EPS[0],
        **{name: value for name, value in known.items() if value is not None},
    }
    several = [{**values, "eps": eps} for eps in _EPS] if known["eps"] is None else [values]
    agreeing = [
        each for each in several if same(TRAINING, yours, follow_equations(yours.problems, equations, each))
    ]
    rate = values["decay_rate"]
    rates = _DECAY_RATES if known["decay_rate"] is None else (rate, 1 - rate) if either else (rate,)
    for each in agreeing[:1] if INFERENCE in yours.stages() else ():
        others = [{**each, "decay_rate": rate} for rate in rates]
        agreeing = [v for v in others if _averages_agree(yours, equations, v)][:1] or others
    yield from agreeing or several


def _averages_agree(yours: Yours, equations: Equations, values: dict[str, float]) -> bool:
    expected = list(follow_equations(yours.problems, equations, values))
    return agreement(yours, expected, equations, values, "") is not None


def _first(tried: Iterator[tuple[dict[str, float], Report]]) -> tuple[dict[str, float], Report]:
    """一致したか、間違いに名前のついた、はじめのもの。なければ、はじめのもの。"""
    first = next(tried)
    named = (each for each in (first, *tried) if each[1].ok or each[1].variant)
    return next(named, first)


def _compared(
    yours: Yours, moved: bool, equations: Equations, hyperparameters: dict[str, float], ran: str
) -> Report:
    expected = list(follow_equations(yours.problems, equations, hyperparameters))
    for stage in yours.stages():
        if stage != INFERENCE and not same(stage, yours, expected):
            return diagnose(stage, yours, equations, hyperparameters, ran)
    if INFERENCE not in yours.stages():
        return Report(True, AGREES.format(what=SAID["agrees"].format(stages="、".join(yours.stages()))), notes=(ran,))
    report = inference(yours, expected, equations, hyperparameters, ran)
    if moved and report.variant != "inference/batch-statistics":
        return Report(False, KNOWN.format(what=SAID["updates"]), notes=(ran,), variant="inference/updates")
    return report


# --- 書き足すこと -------------------------------------------------------------------------------------------

_WHICH_WAY = "列×標本 の配列を受け取る関数なら、説明(docstring)に x の形を (features, samples) のように書くと、その並べ方で調べます。"
_USUAL = "γ と β を渡して作り、forward(x, training) と backward(dout) を呼びました。"
_WORDS = {"eps": "ε", "decay_rate": "減衰率 ρ"}


def _told(
    followed: Followed, yours: Yours, constants: dict[str, float], ok: bool, new: bool
) -> Iterator[str]:
    """呼び方、書き込まれた値、減衰率の意味、確かめていないこと。"""
    if followed.how != _USUAL:
        yield f"呼び方: {followed.how}"
    if ok:
        yield from (
            f"{_WORDS[name]} は {value:g} と書き込まれています。" for name, value in constants.items()
        )
    if ok and new:
        yield SAID["new"].format(rate=followed.rate)
    if not set(GRADIENTS) <= set(yours.stages()):
        yield SAID["no backward"]
    if INFERENCE not in yours.stages():
        yield SAID["no inference"]


def _ran(followed: Followed) -> str:
    sizes = (
        f"{problem.image[0]}×{len(problem.gamma)}×{problem.image[1]}×{problem.image[2]}"
        if problem.image
        else f"{len(problem.batches[0].x)}×{len(problem.gamma)}"
        for problem in followed.problems
    )
    inferred = SAID["inferred"] if INFERENCE in followed.found[0] else ""
    return f"({SAID['tried'].format(sizes='、'.join(sizes), inferred=inferred)})"
