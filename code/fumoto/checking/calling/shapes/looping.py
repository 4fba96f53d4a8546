"""終わりまで走る関数を、1 歩ずつ進める。

勾配の関数には、問題の勾配を順に返させる。渡された x が、そのステップの重みである。読者の関数は別のスレッドで走り、次の勾配が
決まるまで、勾配の関数の中で待つ。
"""

import threading
from collections.abc import Callable
from itertools import pairwise
from queue import SimpleQueue
from typing import Any

import numpy as np

from fumoto.checking.calling.safety import ReaderError, call
from fumoto.checking.calling.shapes.loops import (
    BOUNDS,
    EPOCHS,
    INNER,
    MANY,
    OBJECTIVE,
    TOLERANCE,
    Loop,
    in_pairs,
    is_count,
)
from fumoto.checking.calling.shapes.making import NOTHING, filled
from fumoto.checking.calling.shapes.roles import Argument
from fumoto.checking.calling.shapes.units import alike, of_type
from fumoto.checking.calling.shapes.visible import numbers
from fumoto.checking.calling.values import normal
from fumoto.hints import Array, Arrays, Shape

ONCE = "勾配を、はじめの 1 度しか計算していません。ステップごとに、その重みのところで計算します。"


FEW = 4  # 終わりまで走らせるときの歩数


class _Enough(BaseException):
    """もう勾配はない。``Exception`` ではないので、読者の ``except`` には止められない。"""


def looping(loop: Loop, params: Arrays, values: dict[str, Any]) -> "_Looping":
    """``loop`` のとおりに、その重みから歩きはじめるもの。"""
    return _Looping(loop, params, values)


class _Looping:
    """``Loop`` のとおりに歩く、読者の最適化手法(``Walker``)。"""

    def __init__(self, loop: Loop, params: Arrays, values: dict[str, Any]):
        self.loop, self.values = loop, values
        self.runs: dict[str, list[_Run]] = {}  # 途中で走らなくなっても、__del__ が見る
        self.shapes = {key: np.shape(w) for key, w in params.items()}
        self.runs = {
            key: [_Run(loop, piece, values) for piece in self._pieces(np.array(w))]
            for key, w in params.items()
        }

    def _pieces(self, array: Array) -> list[Array]:
        """1 度に渡す配列。座標を別々に渡すなら、2 つずつ(余りの相手は 0)。"""
        if not self.loop.separate:
            return [array]
        flat = np.concatenate([np.ravel(array), np.zeros(array.size % 2, array.dtype)])
        return [flat[i : i + 2] for i in range(0, flat.size, 2)]

    def step(self, grads: Arrays) -> Arrays:
        found = {}
        for key, runs in self.runs.items():
            reached = [
                run.step(piece) for run, piece in zip(runs, self._pieces(np.array(grads[key])), strict=True)
            ]
            whole = np.concatenate(reached) if self.loop.separate and reached else np.asarray(reached)
            found[key] = np.ravel(whole)[: np.prod(self.shapes[key], dtype=int)].reshape(self.shapes[key])
        return found

    def __del__(self) -> None:
        for runs in self.runs.values():
            for run in runs:
                run.given.put(None)

    def settings(self) -> dict[str, Any]:
        """渡した辞書に見える、引数の値。"""
        return {name: value for config in self.loop.configs for name, value in numbers({**config.defaults, **config}).items()}

    def asked(self) -> dict[str, Any]:
        return {}

    def read(self) -> frozenset[str]:
        return frozenset()

    def state(self) -> dict[str, dict[str, Any]]:
        return {}

    def unseen(self) -> tuple[str, str] | None:
        """終わりまで走らせて分かること: 勾配がいつも出発点でのものか、返されたリストの中身がどれも同じ 1 つの配列か。"""
        key, runs = next(iter(self.runs.items()))
        count = next((a.name for a in self.loop.arguments.listed if is_count(a)), None)
        if count is None or not runs:
            return None
        run = _Run(self.loop, runs[0].start, {**self.values, count: FEW})
        asked = [run.start]
        for _ in range(FEW):
            run.given.put(np.ones_like(runs[0].start))
            kind, value = run.reached.get()
            if kind in ("error", "end"):
                break
            asked.append(np.reshape(value, run.start.shape))
        run.given.put(None)
        last = next((x for x in _items(value) if alike(x, run.start.shape)), None) if kind == "end" else None
        if last is not None and np.any(last != run.start) and all(np.array_equal(x, run.start) for x in asked):
            return "loop/gradient-at-start", key
        lists = [x for x in _items(value) if isinstance(x, list)] if kind == "end" else []
        same = any(a is b for x in lists for a, b in pairwise(x) if isinstance(a, np.ndarray))
        moved = len(asked) > 2 and not np.array_equal(asked[-1], asked[-2])
        same = same or (moved and any(_repeats(x, run.start.shape) for x in _items(value)))
        return ("loop/points-alike", key) if same else None

    def notes(self) -> tuple[str, ...]:
        stopping = [a.name for a in self.loop.arguments.listed if normal(a.name) in TOLERANCE]
        return (
            (f"{stopping[0]} で打ち切るところは、確かめていません(負の値を渡しました)。",) if stopping else ()
        )

    def result(self) -> str:
        return "勾配の関数に渡された x を、そのステップの重みとしました"


class _Run:
    """読者の関数の、1 回の実行。"""

    def __init__(self, loop: Loop, start: Array, values: dict[str, Any]):
        self.start, self.steps = start, 0
        self.given: SimpleQueue[Array | None] = SimpleQueue()
        self.reached: SimpleQueue[Any] = SimpleQueue()
        positional, named = filled(loop.arguments, self._giving(loop, start, values), {})
        arguments = (loop.function, positional, named, self.given, self.reached)
        threading.Thread(target=_run, args=arguments, daemon=True).start()
        self._next()

    def _giving(self, loop: Loop, start: Array, values: dict[str, Any]) -> Callable[[Argument], Any]:
        gradient = _waiting(self.given, self.reached)
        if any(a.pairs for a in loop.arguments.listed if a.name == loop.gradient):
            gradient = in_pairs(gradient)
        counts = [normal(a.name) for a in loop.arguments.listed if is_count(a)]
        self.counted = bool(counts)
        inner = len(counts) > 1 and not EPOCHS.isdisjoint(counts)

        def give(argument: Argument) -> Any:
            plain = normal(argument.name)
            if argument.name in values:
                return values[argument.name]
            if argument.name == loop.gradient:
                return gradient
            if argument.name == loop.start:
                return np.stack([start, start], axis=-1) if plain in BOUNDS else start.copy()
            if is_count(argument) and (argument.required or isinstance(argument.default, int)):
                return INNER if inner and plain not in EPOCHS else MANY
            if plain in TOLERANCE:
                return -1.0
            if plain in OBJECTIVE and argument.required:
                return lambda *x: 0.0
            return NOTHING

        return give

    def step(self, g: Array) -> Array:
        """勾配 ``g`` を渡し、次に勾配を聞かれたときの x。"""
        self.steps += 1
        self.given.put(g)
        return self._next()

    def _next(self) -> Array:
        kind, value = self.reached.get()
        if kind == "error":
            raise value
        if (kind, self.steps) == ("over", 2) or ((kind, self.steps) == ("end", 1) and self.counted):
            raise ReaderError(ONCE, "loop/gradient-once")
        if kind == "over":
            raise ReaderError("用意した勾配を使い切る前に終わりました。")
        if kind == "x":
            return of_type(np.reshape(value, self.start.shape), self.start)
        found = next((item for item in _items(value) if alike(item, self.start.shape)), None)
        if found is None or self.steps == 0:
            raise ReaderError(f"勾配を {self.steps} 回使ったところで終わり、重みを返しませんでした。")
        return of_type(np.array(found), self.start)


def _repeats(points: Any, shape: Shape) -> bool:
    """並べて返された点が、(出発点のほかは)どれも同じか。"""
    if not isinstance(points, np.ndarray) or points.ndim != len(shape) + 1 or len(points) <= FEW:
        return False
    return points.shape[1:] == shape and np.ptp(points[1:], axis=0).max(initial=0.0) == 0


def _items(value: Any) -> list[Any]:
    """返されたものの中で、終わりの重みかもしれないもの。"""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [value, *reversed(inside)]


def _waiting(given: "SimpleQueue[Array | None]", reached: "SimpleQueue[Any]") -> Callable[..., Array]:
    """読者に渡す、勾配の関数。x を知らせ、次の勾配を待つ。"""

    def gradient(*x: Any) -> Array:
        x = tuple(each for each in x if not isinstance(each, int))  # grad(x, i) の、何歩目か
        reached.put(("x", np.array(x[0] if len(x) == 1 else x)))
        if (g := given.get()) is None:
            raise _Enough
        return g

    return gradient


def _run(
    function: Callable[..., Any],
    positional: list[Any],
    named: dict[str, Any],
    given: "SimpleQueue[Array | None]",
    reached: "SimpleQueue[Any]",
) -> None:
    try:
        reached.put(("end", call("実行", lambda: function(*positional, **named))))
    except _Enough:
        return
    except ReaderError as error:
        reached.put(("error", error))
    except BaseException as error:  # sys.exit() など
        reached.put(("error", ReaderError(f"{type(error).__name__} で Python を終わらせようとしました。")))
    while given.get() is not None:  # 終わったあとも、聞かれれば同じことを言う
        reached.put(("over", None))
