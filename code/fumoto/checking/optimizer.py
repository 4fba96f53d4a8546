"""読者の最適化手法を、印刷された式と突き合わせる。"""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import permutations
from typing import Any

from fumoto.checking.calling.optimizer import Observed, observe
from fumoto.checking.calling.safety import ReaderError, in_the_meantime, one_check
from fumoto.checking.calling.shapes.making import is_made
from fumoto.checking.calling.values import NAMES, meanings, normal, number, pair
from fumoto.checking.candidates.optimizer import (
    indistinguishable,
    less_sure_mistake,
    rough_mistake,
    shared_state,
    single_mistake,
    two_mistakes,
    unknown,
)
from fumoto.checking.candidates.recognition import (
    Agreement,
    Test,
    agreement,
    conventional,
    exact,
    hinted,
    nearest,
    numerical,
    recognised,
)
from fumoto.checking.computing.comparison import Comparison
from fumoto.checking.computing.constants import missing, plausible
from fumoto.checking.computing.measurements import last_move
from fumoto.checking.computing.problems import PROBLEMS, problems_for, same_shapes_for
from fumoto.checking.decays import growing, without_its_decay
from fumoto.checking.diagnosing import diagnosed, readers_of, with_its_place, written_in, wrong_values
from fumoto.checking.repairing.optimizer import repaired
from fumoto.checking.report import Report
from fumoto.checking.telling import told
from fumoto.printed.methods import EVERY_METHOD, Method
from fumoto.validation import fraction, non_negative, positive, real

_VALID = {  # 引数の取りうる値。この本の実装と同じ
    "lr": positive,
    **dict.fromkeys(("eps", "weight_decay"), non_negative),
    **dict.fromkeys(("momentum", "decay_rate", "beta1", "beta2"), fraction),
}
_CONTAINED = {  # 手法 → 書き忘れがあるとなってしまう手法。書き忘れの方を言う
    "AdamW": ("SGD", "Adam"),
}


@one_check
def check(thing: Any, name: str | None = None, **hyperparameters: float) -> Report:
    """``thing`` が、``name`` の式のとおりに動くかを調べる。

    ``thing``: クラス、作ったもの、関数のどれでもよく、書いたままで渡せる(配列の辞書でもリストでも、書き換えても返しても)。どう呼んだかは
    ``report.how`` にある。
    ``name``: ``"SGD"``, ``"Momentum"``, ``"Nesterov"``(``"NAG"`` とも), ``"AdaGrad"``, ``"RMSProp"``, ``"AdaDelta"``, ``"Adam"``, ``"AdamW"``, ``"Lion"``, ``"Muon"``。
    省くと、動きから見分ける(``report.name``)。
    ``hyperparameters``: この本の名前(``lr`` など)でも、``thing`` の引数の名前でもよい(``betas`` は 2 つの数の組)。省いたものは既定値を使い、引数になければ動きから
    求める(``report.constants``)。
    手法の名前や引数がおかしければ ``ValueError`` / ``TypeError``。読者のコードの誤りは ``Report`` で返す。

    >>> class MySGD:
    ...     def __init__(self, lr=0.1):
    ...         self.lr = lr
    ...     def step(self, w, grad):
    ...         return w + self.lr * grad
    >>> report = check(MySGD, "SGD")
    >>> report.ok, report.equation, report.variant, report.step
    (False, 'eq-sgd-w', 'eq-sgd-w/sign-2', 1)
    """
    name = _method_name(name)
    both = {key: found for key, value in hyperparameters.items() if (found := pair(key, value)) is not None}
    single = {key: value for key, value in hyperparameters.items() if key not in both}
    for betas in both.values():  # betas=(0.9, 0.999)
        single |= dict(zip(("beta1", "beta2"), betas, strict=True))
    hyperparameters = {key: _VALID.get(key, real)(key, value) for key, value in single.items()}
    method = None if name is None else EVERY_METHOD[name]
    try:
        seen = _observed(thing, method, hyperparameters)
    except ReaderError as error:
        return _not_run(thing, method, hyperparameters, error)
    _refuse_unknown(thing, seen, method, hyperparameters)
    methods = list(EVERY_METHOD.values()) if method is None else [method]
    report = _agreeing(seen, methods, hyperparameters)
    if report is None:
        report = _different(thing, seen, method, hyperparameters)
        again = without_its_decay(seen, report, hyperparameters, partial(check, thing))
        return report if again is None else again
    if (wrong := growing(seen, report, hyperparameters, partial(check, thing))) is not None:
        return wrong
    if method is None and report.variant and not report.variant.startswith("convention/"):
        # 見分けるときは、どの手法の引数も少しずつ変えて走らせる。手法が分かれば、変えるのは、その手法の引数だけでよい
        return check(thing, report.name, **hyperparameters)
    return report


def _method_name(name: str | None) -> str | None:
    """``EVERY_METHOD`` の名前。大文字と小文字は区別しない。"""
    plain = {**{each.lower(): each for each in EVERY_METHOD}, "nag": "Nesterov"}
    if name is None or (isinstance(name, str) and name.lower() in plain):
        return name and plain[name.lower()]
    raise ValueError(f"name は {sorted(EVERY_METHOD)} のどれかです(渡された値: {name!r})")


def _observed(thing: Any, method: Method | None, hyperparameters: dict[str, float]) -> Observed:
    if method is not None:
        names = tuple(method.hyperparameters)
        return observe(thing, hyperparameters, problems_for(method), names, method.name)
    try:
        return observe(thing, hyperparameters, PROBLEMS)
    except ReaderError:  # 行列だけの手法かもしれない
        muon = EVERY_METHOD["Muon"]
        try:
            return observe(thing, hyperparameters, problems_for(muon))
        except ReaderError:
            pass
        raise


def _refuse_unknown(
    thing: Any, seen: Observed, method: Method | None, hyperparameters: dict[str, float]
) -> None:
    """受け取る引数がなく、手法の引数でもない名前は、使い方の誤り。あっても、取りうる値でなければ誤り。

    作ってあるものは、もう引数を受け取らない。値は、作ったときの引数の名前で言ってよい。
    """
    names = tuple(NAMES) if method is None else tuple(method.hyperparameters)
    if any(name not in names and not (is_made(thing) and meanings(names, {name: 0.0})) for name in seen.unplaced):
        raise TypeError(
            f"{'check' if method is None else method.name} の引数は {sorted(names)} です"
            f"(渡された引数: {sorted(hyperparameters)})"
        )
    for ours, (own, position) in meanings(names, seen.own).items():
        if own in hyperparameters and position is None:
            _VALID.get(ours, real)(own, hyperparameters[own])


# --- 一致 ---------------------------------------------------------------------------------------------------


def _agreeing(seen: Observed, methods: list[Method], hyperparameters: dict[str, float]) -> Report | None:
    """式(か別の書き方)と同じ動きをするという ``Report``。区別できない呼び方は、どれかが同じならよい。"""
    every = (seen, *seen.others)
    for tests in ((exact,), (conventional,)):
        for each in every:
            readers = readers_of(each, methods)
            found = recognised(readers, each.title, tests) or _with_another_epsilon(each, readers, tests)
            found = found or _with_unclear_betas(each, readers, tests)
            if found is not None:
                return _agreed(each, found, hyperparameters)
    return None


def _with_another_epsilon(
    seen: Observed, readers: list[Comparison], tests: tuple[Test, ...]
) -> Agreement | None:
    """属性に見えるだけの ε は、使われていないかもしれない。"""
    if (
        len(readers) != 1
        or "eps" not in readers[0].hyperparameters
        or seen.values(("eps",), only_passed=True)
    ):
        return None
    passed = {name: value for name, value in readers[0].hyperparameters.items() if name != "eps"}
    return agreement(replace(readers[0], hyperparameters=passed), tests)


_CLEAR = {"beta1", "b1", "beta2", "b2", "betas"}


def _with_unclear_betas(seen: Observed, readers: list[Comparison], tests: tuple[Test, ...]) -> Agreement | None:
    """β₁ と β₂ の引数の名前が、どちらがどちらかを言わないなら(``interp`` と ``beta`` など)、どちらでもよい。"""
    names = {normal(name): number(value) for name, value in seen.own.items()}
    clear = not _CLEAR.isdisjoint(names) or len(meanings(("beta1", "beta2"), seen.own)) == 2  # rho1 と rho2 など
    if clear or len(readers) != 1 or "beta2" not in readers[0].method.hyperparameters:
        return None  # はっきりした名前で入れ替わっているのは、間違い
    alone = [replace(path, elsewhere=None) for path in readers[0].trajectories]
    for beta1, beta2 in permutations([x for x in names.values() if x is not None and 0.5 < x < 1], 2):
        values = {**readers[0].hyperparameters, "beta1": beta1, "beta2": beta2}
        if found := agreement(replace(readers[0], hyperparameters=values, trajectories=alone), tests):
            return found
    return None


def _agreed(seen: Observed, found: Agreement, hyperparameters: dict[str, float]) -> Report:
    name = found.reader.method.name
    if (wrong := wrong_values(seen, found.reader, hyperparameters)) is not None:
        return told(wrong, seen, found.reader, hyperparameters, [])
    verdict = f"一致: {found.convention}。" if found.convention else f"一致: {name} の式と同じ動きをします。"
    blind = [] if found.convention else indistinguishable(found.reader)
    report = Report(True, verdict, variant=found.convention)
    return told(report, seen, found.reader, hyperparameters, blind)


# --- 不一致 -------------------------------------------------------------------------------------------------


def _different(
    thing: Any, seen: Observed, method: Method | None, hyperparameters: dict[str, float]
) -> Report:
    """式と違う動きをするときの ``Report``。"""
    before: list[str] = []
    if method is None and hinted(seen.title) is None and last_move(seen.trajectories) == -1:
        words = "どの呼び方でも、重みが動きませんでした(勾配だけを変えるものは、最適化手法ではありません)。手法の名前を渡すと、その手法として調べます。"
        return Report(False, f"手法を確かめられませんでした。{words}", how=seen.how)
    if method is None:
        readers = readers_of(seen, EVERY_METHOD.values())
        method = hinted(seen.title) or nearest(readers).method
        if method.name == "SGD" and seen.own.get("momentum"):  # PyTorch の SGD
            method = EVERY_METHOD["Momentum"]
        before = [f"手法の名前がなく、どの式とも一致しないので、最も近い {method.name} と比べました。"]
        with suppress(ReaderError):  # 少し変えて走らせる引数を、その手法のものだけにする
            seen = _observed(thing, method, hyperparameters)
    reader = readers_of(seen, [method])[0]
    others = [m for m in EVERY_METHOD.values() if m is not method]
    another = _at_a_glance(seen, [m for m in others if m.name not in _CONTAINED.get(method.name, ("SGD",))])
    if another is not None:
        return _another(seen, method, another, hyperparameters, before)
    if (found := agreement(reader, (numerical,))) is not None:
        return _agreed(seen, found, hyperparameters)
    tried, chosen, mistake = diagnosed(seen, method, single_mistake)
    if mistake is None:
        with in_the_meantime(repaired, thing, tried, chosen, hyperparameters, problems_for(method)) as edited:
            two = partial(two_mistakes, needless=lambda: edited.done() and edited.result() is not None)
            tried, chosen, mistake = diagnosed(seen, method, two)
            if mistake is None:
                tried, chosen, mistake = diagnosed(seen, method, less_sure_mistake)
        if (place := edited.result()) is not None:
            if mistake is not None:  # ほかの見つけ方より、1 か所の直し方
                tried, chosen, mistake = diagnosed(seen, method, rough_mistake)
            mistake = with_its_place(mistake, place)
    seen = tried
    if mistake is None or " + " in (mistake.variant or ""):
        another = recognised(readers_of(seen, others), seen.title, (exact, conventional))
        if another is not None:
            return _another(seen, method, another, hyperparameters, before)
    if mistake is None and (written := written_in(seen, reader)) is not None:
        return told(*written, hyperparameters, before)
    difference = chosen.first_difference(method) if not missing(chosen) else None
    step = difference.step if difference is not None else None
    if mistake is None:
        before += [*([str(difference)] if difference is not None else []), *unknown(chosen)]
        report = Report(False, "不一致: 原因は分かりませんでした。", step=step)
        return replace(told(report, seen, chosen, hyperparameters, before), constants={})
    before.append(f"はじめて違うのは {step} ステップ目です。")
    return told(replace(mistake, step=step), seen, chosen, hyperparameters, before)


def _at_a_glance(seen: Observed, methods: list[Method]) -> Agreement | None:
    """値が(ε のほかは)分かっていて、すぐに確かめられる、同じ動きの手法。"""
    readers = [reader for reader in readers_of(seen, methods) if set(missing(reader)) <= {"eps"}]
    return recognised(readers, seen.title, (exact,))


def _another(
    seen: Observed, method: Method, found: Agreement, hyperparameters: dict[str, float], before: list[str]
) -> Report:
    other = found.reader.method.name
    verdict = f"別の手法: {method.name} ではなく、{other} の式と同じ動きをします。"
    report = Report(False, verdict, variant=f"method/{other}")
    return told(report, seen, found.reader, hyperparameters, before)


def _not_run(
    thing: Any, method: Method | None, hyperparameters: dict[str, float], error: ReaderError
) -> Report:
    """読者のコードが走らなかった。状態をキーの間で取り違えて、形が合わなくなっただけかもしれない。形がどれも同じなら走る。"""
    failed = f"{'手法' if method is None else method.name} を確かめられませんでした。{error}"
    if method is None:
        return Report(False, failed, variant=error.variant)
    try:
        problems = (same_shapes_for(method),)
        seen = observe(thing, hyperparameters, problems, tuple(method.hyperparameters), method.name)
    except ReaderError:
        return Report(False, failed, variant=error.variant)
    _refuse_unknown(thing, seen, method, hyperparameters)
    for reader in plausible(readers_of(seen, [method])[0], most=1):
        found = shared_state(reader)
        if found is None and agreement(reader, (exact, conventional)) is None:
            found = single_mistake(reader)
            found = found if found is not None else repaired(thing, seen, reader, hyperparameters, problems)
        if found is not None:
            return replace(found, notes=(*found.notes, str(error)), how=seen.how, name=method.name)
    return Report(False, failed)
