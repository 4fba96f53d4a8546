"""一部の重みだけがおかしい間違い: おかしな重みに共通の性質と、その原因。"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from fumoto.checking.candidates.conventions import conventions
from fumoto.checking.candidates.disguised import in_another_form
from fumoto.checking.candidates.engine import AS_PRINTED, follows, walk
from fumoto.checking.computing.comparison import Comparison
from fumoto.checking.computing.measurements import last_move
from fumoto.checking.computing.problems import Trajectory
from fumoto.checking.report import Report


def single_keys(reader: Comparison, search: Callable[[Comparison], Report | None]) -> Report | None:
    """正しく動く重みと、おかしな重みがあるなら、おかしな重みだけで原因を探す(``search``)。"""
    right: set[str] = set()
    wrong: set[str] = set()
    for path in reader.trajectories:
        printed = walk(reader, AS_PRINTED, path)
        for key, start in path.problem.start.items():
            if not any(np.any(w[key] != start) for w in printed.params):
                continue  # 勾配がいつも 0 か、要素のない重み
            (right if reader.agrees_on(path, printed, key) else wrong).add(key)
    still = {key for key in wrong if all(_stays(path, key) for path in reader.trajectories)}
    if not right and still and wrong - still:
        return _moving_only(reader, still, wrong - still, search)
    wrong_paths = [path.only(wrong) for path in reader.trajectories if wrong & path.problem.start.keys()]
    if not right or not wrong:
        return None
    which = _described(reader.trajectories, right, wrong)
    alone = replace(reader, trajectories=wrong_paths)
    if last_move(wrong_paths) == -1:
        return Report(
            False,
            f"既知の間違い: {which}が、まったく動きません。ほかの重みは式のとおりです。",
            variant="keys/still",
        )
    found = search(alone)
    if found is not None:
        verdict = found.verdict.removeprefix("既知の間違い: ")
        return replace(
            found, verdict=f"既知の間違い: {which}だけがおかしく、{verdict}", variant=f"keys/{found.variant}"
        )
    return None


def _layers(path: Trajectory) -> list[str]:
    """重みとバイアスが 1 組ずつ並んでいるとみなしたキー。層が 1 つなら、空。"""
    keys = list(path.problem.start)
    return [] if len(keys) <= 2 else keys + len(keys) % 2 * [""]


def _stays(path: Trajectory, key: str) -> bool:
    """重み ``key`` が、``path`` で少しも動かないか(なければ、動かないとみなす)。"""
    start = path.problem.start
    return key not in start or all(np.array_equal(w[key], start[key]) for w in path.params)


def _moving_only(
    reader: Comparison, still: set[str], moving: set[str], search: Callable[[Comparison], Report | None]
) -> Report | None:
    """動かない重みのほかに、動く重みもおかしいもの。"""
    paths = [path.only(moving) for path in reader.trajectories if moving & path.problem.start.keys()]
    alone = replace(reader, trajectories=paths)
    which = _described(reader.trajectories, moving, still)
    if (form := next((c for c in conventions(reader.method.name) if follows(alone, c)), None)) is not None:
        if (found := in_another_form(reader)) is not None:
            return found
        words = f"{which}が、まったく動きません。ほかの重みは、{form.words}"
        return Report(False, f"既知の間違い: {words}。", variant="keys/still")
    found = search(alone)
    if found is None:
        return None
    words = f"{which}が、まったく動きません。さらに、{found.verdict.removeprefix('既知の間違い: ')}"
    return replace(found, verdict=f"既知の間違い: {words}", variant=f"keys/still + {found.variant}")


def _described(paths: Sequence[Trajectory], right: set[str], wrong: set[str]) -> str:
    """おかしな重みの、共通の性質。"""
    arrays = {key: w for path in paths for key, w in path.problem.start.items()}
    for ndim, what in (
        (0, "0 次元の重み"),
        (1, "1 次元の重み"),
        (2, "2 次元の重み(行列)"),
        (3, "3 次元の重み"),
    ):
        if wrong == {key for key in wrong | right if arrays[key].ndim == ndim}:
            return what
    if wrong == {key for key in wrong | right if arrays[key].ndim < 2}:
        return "行列でない重み(0 次元と 1 次元)"
    if wrong == {"turned"}:
        return "メモリーに続けて並んでいない重み(転置した行列など。ravel や reshape が写しを返します)"
    if all(arrays[key].dtype == np.float32 for key in wrong) and not any(
        arrays[key].dtype == np.float32 for key in right
    ):
        return "float32 の重み"
    for end, what in ((0, "はじめの重み"), (-1, "おわりの重み")):
        if wrong == {list(path.problem.start)[end] for path in paths} & (wrong | right):
            return f"{what}({'、'.join(sorted(wrong))})"
    for part, what in ((slice(0, 2), "はじめの層"), (slice(-2, None), "おわりの層")):
        if wrong == {key for path in paths for key in _layers(path)[part]} & (wrong | right):
            return f"{what}の重み({'、'.join(sorted(wrong))})"
    for letter in dict.fromkeys("".join(sorted(wrong))):
        if wrong == {key for key in wrong | right if letter in key}:
            return f"名前に {letter} の入る重み({'、'.join(sorted(wrong))})"
    return f"重み {'、'.join(sorted(wrong))} "
