"""読者の最適化手法の呼び方を決め、問題の上で走らせる。"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fumoto.checking.calling import updates
from fumoto.checking.calling.safety import within_time_limit
from fumoto.checking.computing.problems import Problem, Trajectory
from fumoto.checking.computing.running import follow
from fumoto.hints import Hyperparameters


@dataclass(frozen=True)
class Observed:
    """読者のものを走らせて、見えたこと。``how``: 呼び方の一文。``trajectories``: 問題ごとの足どり。"""

    how: str
    trajectories: list[Trajectory]


def observe(
    thing: Callable[..., Any], hyperparameters: Hyperparameters, problems: Sequence[Problem]
) -> Observed:
    """読者のものを、問題の上で 1 つずつ走らせる。走らなければ ``ReaderError``。"""
    return within_time_limit(_observe, thing, hyperparameters, problems)


def _observe(
    thing: Callable[..., Any], hyperparameters: Hyperparameters, problems: Sequence[Problem]
) -> Observed:
    reading = updates.reading(thing)
    return Observed(reading.how, [follow(reading, hyperparameters, problem) for problem in problems])
