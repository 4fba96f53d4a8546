"""最適化手法の直し方: 見つかったものを、印刷された式で確かめて言う。"""

import ast
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fumoto.checking.calling.optimizer import Observed, wanted_of
from fumoto.checking.calling.safety import ReaderError, within_time_limit
from fumoto.checking.candidates.disguised import forms
from fumoto.checking.candidates.engine import AS_PRINTED, IMPOSSIBLE, walk
from fumoto.checking.candidates.optimizer import ONLY_HERE
from fumoto.checking.candidates.recognition import agreement, conventional, exact
from fumoto.checking.computing.comparison import Comparison
from fumoto.checking.computing.constants import missing
from fumoto.checking.computing.problems import Problem, Trajectory
from fumoto.checking.repairing.search import Expected, repairs
from fumoto.checking.repairing.sources import text_of
from fumoto.checking.report import Report
from fumoto.hints import Hyperparameters

STEPS = 8  # 直すたびに、長くてもこれだけ走らせる
LARGEST = 1e-2  # ε とみなせる、いちばん大きな数


def repaired(
    thing: Any,
    seen: Observed,
    reader: Comparison,
    hyperparameters: Hyperparameters,
    problems: Sequence[Problem],
) -> Report | None:
    """``thing`` を 1 か所直すと式と同じ動きをする、という ``Report``。直し方が見つからなければ None。"""
    if missing(reader):
        return None
    names = tuple(reader.method.hyperparameters)
    wanted = wanted_of(thing, hyperparameters, problems, names, reader.method.name)
    try:
        text = text_of(thing)
        readers = _with_epsilons(reader, text) if text and "eps" not in seen.values(names) else [reader]
        ordered = reader.smallest_first.trajectories
        expected = [_expected(readers, path) for path in (ordered[0], ordered[-1])]
        found = within_time_limit(repairs, thing, text, wanted, problems, expected) if text else None
    except ReaderError:
        return None
    if found is None:
        return None
    edit, after = found
    again = (replace(each, trajectories=after.paths(names)) for each in readers)
    agreements = (agreement(each, (exact, conventional)) for each in again)
    if all(found is None or found.convention == ONLY_HERE for found in agreements):  # たまたま同じでは足りない
        return None
    return Report(False, f"既知の間違い: {edit.what}。{edit.fix}", variant=f"repair/{edit.id}")


def _with_epsilons(reader: Comparison, text: str) -> list[Comparison]:
    """ε が引数になければ、コードに書かれた小さな数のどれかである。"""
    if "eps" not in reader.method.hyperparameters:
        return [reader]
    try:
        numbers = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    except (SyntaxError, ValueError):
        return [reader]
    small = dict.fromkeys(x for x in numbers if isinstance(x, float) and 0 < x <= LARGEST)
    values = {reader.hyperparameters["eps"]: None, **small}
    return [replace(reader, hyperparameters={**reader.hyperparameters, "eps": eps}) for eps in values]


def _expected(readers: Iterable[Comparison], path: Trajectory) -> Expected:
    """印刷された式と、そのほかの書き方の、はじめの数歩。"""
    short = replace(path, problem=replace(path.problem, gradients=path.problem.gradients[:STEPS]))
    paths = []
    for reader in readers:
        for form in (AS_PRINTED, *forms(reader)):
            try:
                paths.append(walk(reader, form, short).params)
            except IMPOSSIBLE:
                continue
    steps = [
        {key: np.stack([path[step][key] for path in paths]) for key in w} for step, w in enumerate(paths[0])
    ]
    return Expected(short.problem, steps)
