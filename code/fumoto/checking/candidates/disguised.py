"""姿を変えた間違い: ほかの書き方の上のもの、平方根の中の絶対値で隠したもの、float16 に丸めたもの。"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fumoto.checking.candidates.candidate import Candidate
from fumoto.checking.candidates.conventions import conventions, dampened
from fumoto.checking.candidates.engine import AS_PRINTED, follows, follows_everywhere, report_on, walk
from fumoto.checking.candidates.table import mistakes
from fumoto.checking.computing.comparison import Comparison
from fumoto.checking.computing.measurements import response
from fumoto.checking.computing.problems import Trajectory
from fumoto.checking.report import Report


def forms(reader: Comparison) -> Iterator[Candidate]:
    """間違いでない、ほかの書き方。足どりから測った dampening のものも。"""
    yield from conventions(reader.method.name)
    found = response(reader.trajectories)
    if found is not None and found.dampening is not None and 1e-6 < abs(found.dampening) < 1:
        other = dampened(reader.method.name, round(found.dampening, 9))
        if other:
            yield other


def in_another_form(reader: Comparison) -> Report | None:
    """ほかの書き方の上での間違い。"""
    found = next((each for each in on_forms(reader) if follows_everywhere(reader, each[-1])), None)
    return None if found is None else report_on(reader, [found[0]], found[1])


def on_forms(reader: Comparison) -> Iterator[tuple[Candidate, Candidate | None, Candidate]]:
    """(間違い, ほかの書き方, その上での間違い)。同じ式を変えるなら、間違いの方を使う。書き方の式がどれも間違いに替われば、書き方は None。"""
    plain = [c for c in mistakes(reader.method, reader.equations) if not c.method]
    for other in forms(reader):
        changed = dict(other.formulas)
        for candidate in plain:
            slipped = {label: _rewritten(formula, other) for label, formula in candidate.formulas}
            same = bool(slipped.keys() & changed.keys())
            if same and other.handling.start:
                continue
            start = candidate.handling.start or other.handling.start
            own = other.handling
            handling = replace(candidate.handling, start=start, first=own.first, values=own.values, spared=own.spared)
            slip = candidate if candidate.formulas else replace(candidate, label=None)
            said = other if changed.keys() - slipped.keys() or not same else None
            yield slip, said, replace(candidate, formulas=tuple((changed | slipped).items()), handling=handling)


def _rewritten(formula: str, form: Candidate) -> str:
    for printed, other in form.rewrites:
        formula = formula.replace(printed, other)
    return formula


HIDDEN = "{words}。負になるはずのない値の平方根を、絶対値で隠しています"


def hidden(reader: Comparison) -> Report | None:
    """間違いのせいで負になった値を、平方根の中の絶対値で隠したもの。"""
    for candidate in mistakes(reader.method, reader.equations):
        patched = replace(candidate, handling=replace(candidate.handling, patched=True))
        if not candidate.method and follows(reader, patched) and not follows(reader, candidate):
            words = HIDDEN.format(words=candidate.words)
            return report_on(reader, [replace(candidate, words=words)])
    return None


def half_precision(reader: Comparison) -> Report | None:
    """状態が float16 で、足どりが式のものに近いもの。計算の途中のどこで丸めるかは、書き方によって違う。"""
    for path in reader.trajectories:
        kinds = {np.asarray(state).dtype for arrays in path.state.values() for state in arrays.values()}
        if np.dtype(np.float16) in kinds and _nearly(path, walk(reader, AS_PRINTED, path)):
            words = "状態が float16 です(有効数字が 3 桁ほどしかありません)"
            return Report(False, f"既知の間違い: {words}。", variant="state/float16")
    return None


def _nearly(path: Trajectory, printed: Trajectory) -> bool:
    """はじめの数歩の歩みが、半分より多くの要素で、1 % も違わないか。"""
    apart = []
    for mine, theirs in zip(path.params[:5], printed.params[:5], strict=True):
        for key, start in path.problem.start.items():
            moved = theirs[key] - start
            apart += list(np.ravel(abs(mine[key] - theirs[key]) < 0.01 * abs(moved))[np.ravel(moved) != 0])
    return bool(apart) and float(np.mean(apart)) > 0.5
