"""もう 1 つの Python の中で、読者のコードを 1 か所ずつ直しては走らせる。

直すのは、関数の ``__code__`` だけである。作り方も呼び方も、はじめに決めたものをそのまま使える。
"""

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from fumoto.checking.calling.optimizer import Observed, chosen, seen_with
from fumoto.checking.calling.safety import is_inside
from fumoto.checking.calling.trying import Trial, Wanted
from fumoto.checking.repairing import expressions, statements, variables
from fumoto.checking.repairing.edits import Edit
from fumoto.checking.repairing.places import Scope, spots
from fumoto.checking.repairing.sources import Editable, editable
from fumoto.checking.repairing.statements import blocks
from fumoto.hints import Arrays

if TYPE_CHECKING:
    from fumoto.checking.computing.problems import Problem

MOST = 4000  # 試す直し方の数
STUCK = 0.2  # 1 つの直し方が、これより長くかかれば、止まらないとみなす(秒)


@dataclass(frozen=True)
class Expected:
    """直したコードがするはずの動き。``steps``: 1 歩ごとの重み。重みのはじめの軸は、書き方である。"""

    problem: "Problem"
    steps: list[Arrays]


def repairs(
    thing: Any, text: str, wanted: Wanted, problems: "Sequence[Problem]", expected: Sequence[Expected]
) -> tuple[Edit, Observed] | None:
    """``thing`` を 1 か所だけ直して、``expected`` のとおりに動いたもの。直し方と、全部の問題の上で見えたこと。なければ None。"""
    functions = editable(thing, text) if is_inside() else []  # 読者のいる Python では、読者のコードを直さない
    if not functions:
        return None
    trial = chosen(thing, wanted, problems)[0]
    agrees = _agrees(trial)
    edits = _edits(functions, _kinds(functions, agrees, expected))
    for edit in islice(edits, MOST):
        with suppress(Exception):
            with _not_stuck(STUCK):
                right = all(map(agrees, expected))
            if right:
                with _not_stuck(10 * STUCK):
                    return edit, seen_with(trial, wanted, problems)
    return None


def _edits(functions: list[Editable], kinds: list[Callable[[str], str]]) -> Iterator[Edit]:
    """直し方を 1 つずつ。次に進むまで、読者の関数は、直した文のとおりに動く。"""
    scopes = [Scope.of(each.node, each.top, kind) for each, kind in zip(functions, kinds, strict=True)]
    for changes, rewrites in (
        ((*expressions.KINDS, *variables.KINDS), statements.KINDS),
        (variables.LAST, statements.LAST),
    ):
        for change in changes:
            for each, scope in zip(functions, scopes, strict=True):
                for place in spots(each.node):
                    yield from _running(each, change(place, scope))
        for rewrite in rewrites:
            for each, scope in zip(functions, scopes, strict=True):
                for block in blocks(each.node):
                    yield from _running(each, rewrite(block, scope))


def _running(each: Editable, edits: Iterator[Edit]) -> Iterator[Edit]:
    original = each.function.__code__
    for edit in edits:
        try:
            code = each.code()
            if code is None or code.co_freevars != original.co_freevars:
                continue
            each.function.__code__ = code
        except (SyntaxError, ValueError, TypeError, RecursionError):  # 文として成り立たない
            continue
        try:
            yield edit
        finally:
            each.function.__code__ = original


def _kinds(
    functions: list[Editable], agrees: Callable[[Expected], bool], expected: Sequence[Expected]
) -> list[Callable[[str], str]]:
    """関数ごとの、式の文 → その値の種類。1 度走らせて、終わりの値から知る。"""
    codes = [each.function.__code__ for each in functions]
    frames: dict[int, tuple[dict[str, Any], dict[str, Any]]] = {}

    def watch(frame: Any, event: str, _: Any) -> None:
        if event == "return" and frame.f_code in codes:
            frames[codes.index(frame.f_code)] = (frame.f_globals, dict(frame.f_locals))

    sys.setprofile(watch)
    try:
        with suppress(Exception), _not_stuck(STUCK):
            agrees(expected[0])
    finally:
        sys.setprofile(None)
    return [partial(_kind, *frames.get(i, ({}, {}))) for i in range(len(functions))]


def _kind(names: dict[str, Any], inside: dict[str, Any], text: str) -> str:
    try:
        value = eval(text, names, inside)  # 読者の変数か属性か要素
    except Exception:
        return ""
    if isinstance(value, np.ndarray) and value.ndim:
        return "array"
    if np.isscalar(value) or isinstance(value, np.ndarray):
        return "number" if value else ""  # 0 は、まだ配列になっていない状態かもしれない
    return "other"


def _agrees(trial: Trial) -> Callable[[Expected], bool]:
    """直したコードが、はじめの数歩で、どれかの書き方のとおりに動くか。"""
    reading = trial.reading({})

    def agrees(expected: Expected) -> bool:
        reading.rewind()
        walk = reading.start({key: w.copy() for key, w in expected.problem.start.items()})
        alike: Any = True
        for gradients, step in zip(expected.problem.gradients, expected.steps, strict=False):
            params = walk.step({key: g.copy() for key, g in gradients.items()})
            for key, forms in step.items():
                if np.shape(params[key]) != forms.shape[1:]:
                    return False
                close = np.abs(params[key] - forms) <= 1e-7 * np.abs(forms) + 1e-12
                alike = alike & close.reshape(len(forms), -1).all(axis=1)
                if not np.any(alike):
                    return False
        return True

    return agrees


@contextmanager
def _not_stuck(seconds: float) -> Iterator[None]:
    """終わらなくなった直し方を、途中で止める。止められない環境(Windows)では、全体の時間の限りまで待つ。"""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: Any) -> NoReturn:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
