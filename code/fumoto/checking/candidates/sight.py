"""足どりを見れば分かる間違い。"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fumoto.checking.candidates.candidate import Candidate
from fumoto.checking.candidates.engine import follows, last_state, report_on
from fumoto.checking.candidates.handlings import FAULTS
from fumoto.checking.candidates.slips import slips
from fumoto.checking.computing.comparison import Comparison
from fumoto.checking.computing.measurements import last_move
from fumoto.checking.report import Report
from fumoto.hints import Array

#: 見れば分かる間違いの名前 → 読者に言う一文。
SIGHTS = {
    "clock/early": "はじめの更新で、どの重みも nan になります。更新の回数 t を 0 から数えて、補正の 1 - β⁰ = 0 で割っていませんか(t は、1 から数えます)。平方根の中が負になっていることもあります",
    "loop/one-number": "重みの要素を 1 つずつ動かすたびに、勾配を計算しなおしています。勾配は 1 度だけ計算し、全部の要素を一緒に動かします",
    "loop/nothing-moves": "update を呼んでも、重みがまったく動きません。w = w - … は、名前を付け替えるだけで、params の配列を書き換えません。w -= … か w[...] = … と書きます(ほかに、重みの写しを動かしている、状態を残していないか ε がないために歩みがいつも 0 である、yield や async のために中身が動いていない、など)",
    "loop/explodes": "直交化の反復が発散して、はじめの更新で重みが nan か無限大になります(u を長さで割っていないか、係数の符号や順が違います)",
    "state/negative": "平方根をとる状態が負になり、重みが nan になります(勾配の 2 乗を、足すところで引いていませんか)",
}

#: 歩みがいつも 0 の間違いと見分けられないときに、添える一文。
REBOUND = "ただし、状態が見えないので、w = w - … のように、重みを書き換えていないだけかもしれません。"


def at_sight(reader: Comparison) -> Report | None:
    """足どりから直に分かるもの。"""
    for path in reader.trajectories:
        for fault in path.faults:
            return Report(False, f"既知の間違い: {FAULTS[fault.id]}。", variant=fault.id)
    if _all_nan_at_once(reader) and root_of_negative(reader) is None:
        return _seen("clock/early", next(e for e in reader.method.labels if "t" in reader.equations[e].symbols))
    if _one_number_a_step(reader):
        return _seen("loop/one-number", reader.method.labels[-1])
    if last_move(reader.trajectories) == -1:
        # 歩みの式を間違えて、歩みがいつも 0 になるもの。重みを書き換え忘れたのかどうかは、状態を見れば分かる
        for candidate in slips(reader.method.name):
            if not follows(reader, candidate):
                continue
            found = report_on(reader, [candidate])
            if not any(path.state for path in reader.trajectories):
                return replace(found, verdict=found.verdict + REBOUND)
            if _states_stay_alike(reader, candidate):
                return found
        return _seen("loop/nothing-moves", reader.method.labels[-1])
    return None


def exploding(reader: Comparison) -> Report | None:
    """1 歩目に、有限でなくなった重みのある Muon。丸め誤差もともに育つので、どの間違いかは、足どりからは決まらない。"""
    first = [w for path in reader.trajectories for w in path.params[0].values()]
    if reader.method.name != "Muon" or all(np.isfinite(w).all() for w in first):
        return None
    return _seen("loop/explodes", "eq-muon-x")


def root_of_negative(reader: Comparison) -> Report | None:
    """2 乗の平均か和であるはずの状態が負で、nan になった重みのあるもの。どの重みも nan なら、足どりからは何も分からない。

    いつも正の状態が別に見えていれば、それが 2 乗の平均か和だろうから、負のものは、わざとそうしたのかもしれない。
    """
    squares = [e for e in reader.method.labels if reader.equations[e].name in ("h_next", "v_next")]
    nan = any(np.isnan(w).any() for path in reader.trajectories for w in path.params[-1].values())
    if "eps" not in reader.method.hyperparameters or not squares or not nan:
        return None
    signs = {_sign(reader, name) for path in reader.trajectories for name in path.state}
    return _seen("state/negative", squares[0]) if -1 in signs and 1 not in signs else None


def _sign(reader: Comparison, name: str) -> int:
    """読者の持つ状態 ``name`` の符号。どれも 0 か、正と負がどちらもあるか、nan があれば 0。"""
    arrays = [np.asarray(x) for path in reader.trajectories for x in path.state.get(name, {}).values()]
    return int(all(np.all(x >= 0) for x in arrays)) - int(all(np.all(x <= 0) for x in arrays))


def _seen(identifier: str, label: str) -> Report:
    return Report(False, f"既知の間違い: {SIGHTS[identifier]}。", equation=label, variant=identifier)


def _states_stay_alike(reader: Comparison, candidate: Candidate) -> bool:
    """見えている状態のうち、動いたものと 0 のままのものの数が、どちらもあって、``candidate`` と同じか。"""
    path = reader.trajectories[0]
    moved, still = _moved(path.state)
    return still > 0 and (moved, still) == _moved(last_state(reader, candidate, path))


def _moved(states: Mapping[str, Mapping[Any, Array]]) -> tuple[int, int]:
    """(動いた状態の数, 0 のままの状態の数)。"""
    moved = [any(np.any(x) for x in own.values()) for own in states.values() if own]
    return sum(moved), len(moved) - sum(moved)


def _one_number_a_step(reader: Comparison) -> bool:
    """どのステップでも、要素が 1 つずつ(はじめの軸に沿って)順に動くか。"""
    places_seen = set()
    for path in reader.trajectories:
        before = path.problem.start
        for w in path.params[:6]:
            moved = {
                key: np.flatnonzero(
                    np.any(np.atleast_2d(np.atleast_1d(w[key]).T != np.atleast_1d(before[key]).T), axis=0)
                )
                for key in w
                if np.ndim(w[key]) == 1 and w[key].size > 1
            }
            before = w
            if any(len(places) > 1 for places in moved.values()):
                return False
            places_seen |= {int(place) for places in moved.values() for place in places}
    return len(places_seen) > 1


def _all_nan_at_once(reader: Comparison) -> bool:
    """回数を数える手法で、1 歩目に、どの重みも nan になったか。ほかの書き間違いでは、勾配が 0 でない重みは nan にならない。"""
    counted = any("t" in reader.equations[label].symbols for label in reader.method.labels)
    return counted and all(np.isnan(w).all() for path in reader.trajectories for w in path.params[0].values())
