"""学習率がステップとともに変わるもの: 歩幅の倍率を、ステップごとに測る。"""

from dataclasses import replace

import numpy as np

from fumoto.checking.candidates.candidate import Candidate
from fumoto.checking.candidates.engine import AS_PRINTED, IMPOSSIBLE, walk
from fumoto.checking.computing.comparison import Comparison
from fumoto.checking.computing.problems import Trajectory
from fumoto.hints import Array


def schedule(reader: Comparison) -> str | None:
    """歩幅が、どの重みでも同じ倍率で、ステップとともに変わっていれば、その説明。"""
    path = reader.trajectories[0]
    factors = _factors(path, walk(reader, AS_PRINTED, path))
    return None if factors is None else _schedule_words(np.array(factors))


def schedule_of(reader: Comparison, base: Candidate) -> str | None:
    """歩幅が、``base`` のものの同じ倍率で、ステップとともに小さくなっていれば、その説明。形の分かるものだけ。"""
    seen: list[list[float]] = []
    exact = [p for p in reader.trajectories if all(w.dtype == np.float64 for w in p.problem.start.values())]
    for path in sorted(exact, key=lambda each: each.elements):
        problem = replace(path.problem, gradients=path.problem.gradients[:2])
        start = replace(path, problem=problem, params=path.params[:2])
        for part in (start, path):  # たいていは、はじめの 2 歩で違うと分かる
            try:
                factors = _factors(part, walk(reader, base, part))
            except IMPOSSIBLE:
                return None
            if factors is None or (seen and not np.allclose(factors, seen[0][: len(factors)], rtol=1e-5)):
                return None
        seen.append(factors or [])
    words = _schedule_words(np.array(seen[0]))
    return words if words and abs(seen[0][1] / seen[0][0] - 1) > 1e-3 and "小さく" in words else None


def _factors(path: Trajectory, printed: Trajectory) -> list[float] | None:
    """ステップごとの、歩幅の倍率。どれかのステップで、重みによって違えば None。"""
    factors: list[float] = []
    before = printed_before = path.problem.start
    for step, (mine, theirs) in enumerate(zip(path.params, printed.params, strict=True)):
        with np.errstate(all="ignore"):
            moved = np.concatenate([np.ravel(mine[key] - before[key]) for key in before])
            expected = np.concatenate([np.ravel(theirs[key] - printed_before[key]) for key in before])
            slack = (
                1e-14
                * (step + 2) ** 2
                * np.concatenate([np.ravel(path.largest[step][key]) for key in before])
            )
        largest = int(np.argmax(np.abs(expected)))
        if not np.all(np.isfinite(moved)) or not np.all(np.isfinite(expected)) or not expected[largest]:
            return None
        factor = moved[largest] / expected[largest]
        if len(factors) >= 5 and abs(factor) < 1e-9 * abs(factors[0]):
            return factors  # 小さくなりすぎて、もう見えない
        if np.any(np.abs(moved - factor * expected) > 1e-6 * np.abs(factor * expected) + 10 * slack):
            return None
        factors.append(factor)
        before, printed_before = mine, theirs
    return factors


def _schedule_words(factors: Array) -> str | None:
    """``factors``: ステップごとの、歩幅の倍率。"""
    t = np.arange(1, len(factors) + 1)
    if np.all(np.minimum(np.abs(factors), np.abs(factors - 1)) < 1e-6):
        still = t[np.abs(factors) < 1e-6]
        if len(still) in (0, len(t)):
            return None
        return f"動かないステップがあります(はじめは {still[0]} ステップ目、{len(t)} ステップのうち {len(still)} 回)"
    if np.any(factors <= 0) or np.allclose(factors, factors[0], rtol=1e-6):
        return None
    inverse = np.diff(1 / factors)
    shape = "変わります"
    if np.allclose(factors[1:] / factors[:-1], factors[1] / factors[0], rtol=1e-5):
        shape = f" {factors[1] / factors[0]:.6g} 倍ずつ変わります"
    elif np.allclose(factors * np.sqrt(t), factors[0], rtol=1e-5):
        shape = " 1/√t で小さくなります"
    elif np.allclose(inverse, inverse[0], rtol=1e-4):
        shape = " 1/(1 + kt) の形で小さくなります"
    said = "、".join(f"{factor:.4g}" for factor in factors[:3])
    return f"学習率が、ステップとともに{shape}(はじめの 3 ステップは、式の {said} 倍)"
