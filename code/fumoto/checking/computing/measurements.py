"""手法の反応を測る: 1 つの勾配が重みに与える影響、勾配の大きさと歩幅の関係、同じ勾配を渡し続けたときの歩幅。

``problems.MEASURED`` の上の足どりから測る。式を仮定しないので、原因の分からない間違いの説明にもなる。
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fumoto.checking.computing.problems import LATE, MEASURED, Trajectory
from fumoto.hints import Array

_SAME = 1e-6  # 測った比が、これだけの違いの中でそろえば、いつも同じとみなす


@dataclass(frozen=True)
class Response:
    """測った反応。``first``: はじめの勾配 1 つのあとの歩み。``late``: 途中の勾配 1 つのあとの歩み。``same``, ``tenfold``: 勾配が一定のときの歩み。"""

    first: Array
    late: Array
    same: Array
    tenfold: Array

    @property
    def ratio(self) -> float | None:
        """1 つの勾配の影響が、1 ステップごとに何倍になるか。いつも同じでなければ None。"""
        return _ratio(self.first)

    @property
    def dampening(self) -> float | None:
        """途中の勾配が、はじめの勾配より小さく足される割合(PyTorch の dampening)。測れなければ None。"""
        ratio = _divided(self.late[0], self.first[0])
        return None if ratio is None else 1 - ratio

    @property
    def scaling(self) -> float | None:
        """勾配を 10 倍にしたとき、はじめの歩みが何倍になるか。測れなければ None。"""
        return _divided(self.tenfold[0], self.same[0])


def _divided(above: float, below: float) -> float | None:
    """割り算。割れなければ None。"""
    with np.errstate(all="ignore"):
        ratio = np.float64(above) / np.float64(below)
    return float(ratio) if np.isfinite(ratio) else None


def _ratio(steps: Array) -> float | None:
    with np.errstate(all="ignore"):
        ratios = steps[1:6] / steps[:5]
        alike = np.all(np.abs(ratios - ratios[0]) <= _SAME * np.abs(ratios[0]))
    return float(ratios[0]) if alike and ratios[0] else None


def response(trajectories: Sequence[Trajectory]) -> Response | None:
    """``MEASURED`` の上の足どりから測った反応。そこを走っていなければ None。"""
    found = next((path for path in trajectories if path.problem.start.keys() == MEASURED.start.keys()), None)
    if found is None:
        return None
    late = _steps(found, "late")[LATE:] - _steps(found, "late")[LATE - 1]
    return Response(_steps(found, "first"), late, _steps(found, "same"), _steps(found, "tenfold"))


def _steps(path: Trajectory, key: str) -> Array:
    """``key`` のはじめの要素の、ステップごとの歩み。"""
    w = np.array([path.problem.start[key][0], *(params[key][0] for params in path.params)], np.float64)
    with np.errstate(all="ignore"):
        return np.diff(w)


def last_move(trajectories: Sequence[Trajectory]) -> int:
    """どの重みも、これより後では動かないステップ。動き続けるなら 0、はじめから動かないなら -1。"""
    last = 0
    for path in trajectories:
        before = path.problem.start
        for step, params in enumerate(path.params, start=1):
            if any(not np.array_equal(w, before[key], equal_nan=True) for key, w in params.items()):
                last = max(last, step)
            before = params
    longest = max(len(path.params) for path in trajectories)
    return -1 if last == 0 else 0 if last >= longest - 2 else last


def explained(trajectories: Sequence[Trajectory], lr: float, expected: Response | None) -> list[str]:
    """測って分かったこと(読者に言う文)。``expected``: 式のとおりの手法の反応。"""
    found = response(trajectories)
    if found is None:
        return []
    sentences = []
    if found.ratio is not None and found.first[0]:
        size, ratio = -found.first[0] / lr, found.ratio
        steps = "、".join(f"{size * ratio**k:.4g}η" for k in range(3))
        sentences.append(
            f"測ったこと: 大きさ 1 の勾配 1 つの影響が {steps}… と変わります(1 ステップごとに {ratio:.6g} 倍)。"
        )
    mine, printed = found.scaling, expected.scaling if expected else None
    if mine is not None and (printed is None or abs(mine - printed) > 1e-3 * abs(printed)):
        said = f"(式では {printed:.4g} 倍)" if printed is not None else ""
        sentences.append(f"測ったこと: 勾配を 10 倍にすると、はじめの歩幅は {mine:.4g} 倍です{said}。")
    if expected is not None and np.all(np.isfinite(found.same)):
        places = (0, 1, 9, len(found.same) - 1)
        yours, ours = (
            "、".join(f"{steps[place] / -lr:.4g}η" for place in places)
            for steps in (found.same, expected.same)
        )
        if yours != ours:
            sentences.append(
                f"測ったこと: 大きさ 1 の勾配を渡し続けると、1、2、10、{len(found.same)} ステップ目の歩幅は"
                f" {yours} です(式では {ours})。"
            )
    return sentences
