"""読者の最適化手法を、印刷された式と突き合わせる。"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fumoto.checking.calling.optimizer import observe
from fumoto.checking.calling.safety import ReaderError
from fumoto.checking.candidates.optimizer import (
    convention,
    indistinguishable,
    known_mistake,
    shared_state,
    unknown,
)
from fumoto.checking.computing.comparison import Comparison
from fumoto.checking.computing.problems import STEPS, problems_for
from fumoto.checking.report import Report
from fumoto.printed import PrintedOptimizer
from fumoto.printed.methods import EVERY_METHOD
from fumoto.printed.pages import book
from fumoto.validation import fraction, non_negative, positive, real

_VALID = {  # 引数の取りうる値。この本の実装と同じ
    "lr": positive,
    **dict.fromkeys(("eps", "weight_decay"), non_negative),
    **dict.fromkeys(("momentum", "decay_rate", "beta1", "beta2"), fraction),
}


def check(make: Callable[..., Any], name: str, **hyperparameters: float) -> Report:
    """``make(**hyperparameters)`` で作った最適化手法が、``name`` の式のとおりに動くかを調べる。

    ``make``: クラス、関数、lambda のどれでもよい。``update(params, grads)`` を持つものを返すこと。
    ``name``: ``"SGD"``, ``"Momentum"``, ``"Nesterov"``, ``"AdaGrad"``, ``"RMSProp"``, ``"AdaDelta"``, ``"Adam"``, ``"AdamW"``, ``"Lion"``, ``"Muon"``。
    手法の名前や引数がおかしければ ``ValueError`` / ``TypeError``。読者のコードの誤りは ``Report`` で返す。

    >>> class MySGD:
    ...     def __init__(self, lr):
    ...         self.lr = lr
    ...     def update(self, params, grads):
    ...         for key in params:
    ...             params[key] += self.lr * grads[key]
    >>> report = check(MySGD, "SGD", lr=0.1)
    >>> report.ok, report.equation, report.variant, report.step
    (False, 'eq-sgd-w', 'eq-sgd-w/sign-2', 1)
    """
    if not isinstance(name, str) or name not in EVERY_METHOD:
        raise ValueError(f"name は {sorted(EVERY_METHOD)} のどれかです(渡された値: {name!r})")
    hyperparameters = {key: _VALID.get(key, real)(key, value) for key, value in hyperparameters.items()}
    reader = Comparison(EVERY_METHOD[name], hyperparameters, book())
    PrintedOptimizer(reader.method, reader.equations, **hyperparameters)  # 引数の名前を確かめる
    problems = problems_for(reader.method)
    try:
        paths = observe(make, hyperparameters, problems).trajectories
    except ReaderError as error:
        return _not_run(make, reader, error)
    reader = replace(reader, trajectories=paths)
    notes = sorted({note for path in paths for note in path.notes})
    notes.append(f"(重みの組 {len(problems)} 通り、それぞれ {STEPS} ステップ、この引数で確かめました)")

    difference = reader.first_difference(reader.method)
    if difference is None:
        notes[:0] = indistinguishable(reader)
        return Report(True, f"一致: {name} の式と同じ動きをします。", notes=tuple(notes))
    if other := convention(reader):
        return Report(True, f"一致: {other}。", notes=tuple(notes), variant=other)
    mistake = known_mistake(reader)
    if mistake is None:
        notes[:0] = [str(difference), *unknown(reader)]
        return Report(False, "不一致: 原因は分かりませんでした。", notes=tuple(notes), step=difference.step)
    notes.insert(0, f"はじめて違うのは {difference.step} ステップ目です。")
    return replace(mistake, notes=tuple(notes), step=difference.step)


def _not_run(make: Callable[..., Any], reader: Comparison, error: ReaderError) -> Report:
    """読者のコードが走らなかった。状態をキーの間で共有して、形が合わなくなっただけかもしれない。"""
    failed = f"{reader.method.name} を確かめられませんでした。{error}"
    try:
        seen = observe(make, reader.hyperparameters, problems_for(reader.method)[-1:])
    except ReaderError:
        return Report(False, failed, variant=error.variant)
    shared = shared_state(replace(reader, trajectories=seen.trajectories))
    return Report(False, failed) if shared is None else replace(shared, notes=(str(error),))
