"""候補を動かし、読者の足どりと比べる。"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from fumoto.checking.candidates.candidate import Candidate
from fumoto.checking.candidates.equations import written
from fumoto.checking.candidates.machine import machine
from fumoto.checking.computing.comparison import Comparison, same_state
from fumoto.checking.computing.problems import Trajectory
from fumoto.checking.report import Finding, Report

AS_PRINTED = Candidate("printed", "式のとおりです")

#: この手法の中では手に入らない値を使うか、形の合わない候補の起こす例外。
IMPOSSIBLE = (KeyError, NameError, TypeError, ValueError, ArithmeticError)


def running(reader: Comparison, candidate: Candidate) -> Any:
    """読者に渡した引数で動く ``candidate``。"""
    return machine(candidate, reader.method, reader.equations, reader.hyperparameters)


def follows(reader: Comparison, candidate: Candidate, precision: DTypeLike = np.float64) -> bool:
    """読者の足どりが、``candidate`` の動きと最後まで同じか。違うと早く分かるように、小さな問題から比べる。"""
    try:
        return reader.smallest_first.departs_from(lambda: running(reader, candidate), precision) is None
    except IMPOSSIBLE:
        return False


def follows_everywhere(
    reader: Comparison, candidate: Candidate, precision: DTypeLike = np.float64
) -> bool:
    """渡された引数でも、少し違う引数でも、``candidate`` の動きと同じか(少し違う引数で判断できなければ、渡された引数でだけ)。"""
    if not follows(reader, candidate, precision):
        return False
    elsewhere = reader.telling_elsewhere
    return elsewhere is None or follows(elsewhere, candidate, precision)


def matching(reader: Comparison, candidates: Iterable[Candidate]) -> list[Candidate]:
    """``candidates`` のうち、読者の足どりと同じもの。"""
    return [candidate for candidate in candidates if follows(reader, candidate)]


def with_its_state(reader: Comparison, found: list[Candidate]) -> Candidate:
    """重みの動きの同じ候補のうち、読者の持つ状態まで同じもの。なければ、はじめのもの。"""
    path = reader.trajectories[0]
    for candidate in found if len(found) > 1 else []:
        if same_state(path, last_state(reader, candidate, path)):
            return candidate
    return found[0]


def walk(reader: Comparison, candidate: Candidate, path: Trajectory) -> Trajectory:
    """``candidate`` を、``path`` の問題の上で歩かせた足どり。"""
    return _walked(reader, candidate, path)[1]


def last_state(reader: Comparison, candidate: Candidate, path: Trajectory) -> dict[str, dict[Any, Any]]:
    """``candidate`` を、``path`` の問題の上で歩かせたあとの状態。"""
    return _walked(reader, candidate, path)[0]


def _walked(
    reader: Comparison, candidate: Candidate, path: Trajectory
) -> tuple[dict[str, dict[Any, Any]], Trajectory]:
    """(最後の状態, 足どり)。"""
    optimizer = running(reader, candidate)
    params = {key: w.copy() for key, w in path.problem.start.items()}
    history = []
    with np.errstate(all="ignore"):
        for grads in path.problem.gradients:
            optimizer.update(params, grads)
            history.append({key: w.copy() for key, w in params.items()})
    return optimizer.state, replace(path, params=history, state={}, faults=(), elsewhere=None)


def report_on(reader: Comparison, candidates: list[Candidate], form: Candidate | None = None) -> Report:
    """``candidates`` が間違いの原因だという ``Report``。``form``: そのほかのところの書き方。"""
    findings = []
    for candidate in candidates:
        for name, formula in candidate.formulas:
            printed = reader.equations[name] if name.startswith("eq-") else None
            yours = written(printed, formula) if printed and candidate.label else None
            if printed and yours:
                findings.append(Finding(candidate.words, printed, yours))
    label = next((c.label for c in candidates if c.label), None)
    where = f"({reader.equations[label].page} の {label})" if label else ""
    words = "。さらに、".join(candidate.words for candidate in candidates)
    return Report(
        False,
        f"{'別の手法' if all(c.published for c in candidates) else '既知の間違い'}: {words}{where}。" + (f"ほかは、{form.words}。" if form else ""),
        tuple(findings),
        equation=label,
        variant=" + ".join(candidate.id for candidate in candidates),
    )
