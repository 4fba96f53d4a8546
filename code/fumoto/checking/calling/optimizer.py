"""``update(params, grads)`` の形の最適化手法を呼ぶ。``params`` と ``grads`` は配列の辞書で、``params`` はその場で書き換える。"""

from collections.abc import Callable
from typing import Any

import numpy as np

from fumoto.checking.calling.safety import ReaderError, call, within_time_limit
from fumoto.checking.computing.problems import Problem, Trajectory
from fumoto.hints import Array, Arrays, Hyperparameters


def follow(make: Callable[..., Any], hyperparameters: Hyperparameters, problem: Problem) -> Trajectory:
    """読者の最適化手法を 1 つの問題の上で走らせる。走らなければ ``ReaderError``。"""
    return within_time_limit(_steps, make, hyperparameters, problem)


def _steps(make: Callable[..., Any], hyperparameters: Hyperparameters, problem: Problem) -> Trajectory:
    params = {key: w.copy() for key, w in problem.start.items()}
    optimizer = call("作る", lambda: make(**hyperparameters))
    if call("作る", lambda: make(**hyperparameters)) is optimizer:
        raise ReaderError("2 度作っても同じものが返ります。呼ばれるたびに新しく作ってください。")
    if not callable(call("update を調べるとき", lambda: getattr(optimizer, "update", None))):
        raise ReaderError("update(params, grads) というメソッドがありません。")
    history, replaced = [], False
    for step, gradients in enumerate(problem.gradients, start=1):
        grads = {key: g.copy() for key, g in gradients.items()}
        arrays = dict(params)
        returned = call(f"{step} ステップ目の update", lambda g: optimizer.update(params, g), grads)
        _inspect(step, params, grads, gradients, problem)
        replaced = replaced or any(params[key] is not arrays[key] for key in params)
        history.append({key: np.array(w) for key, w in params.items()})
        if step == 1 and returned is not None and _unchanged(params, problem.start):
            raise ReaderError(
                "update は値を返しましたが、params の配列は変わっていません。その場で書き換えてください。"
            )
    notes = []
    if replaced:
        notes.append("配列を書き換えず、辞書の中身を差し替えています(値だけを調べました)。")
    broken = [step for step, w in enumerate(history, start=1) if not _finite(w)]
    if broken:
        notes.append(f"{broken[0]} ステップ目に nan か inf が現れました。勾配が 0 の重みもあります。")
    return Trajectory(problem, history, _state_of(optimizer), tuple(notes))


def _finite(params: Arrays) -> bool:
    return all(np.all(np.isfinite(w)) for w in params.values())


def _state_of(optimizer: object) -> dict[str, dict[str, Any]]:
    """``optimizer.v`` や ``optimizer.state["v"]`` のような、キー → 配列の辞書。"""
    own = dict(getattr(optimizer, "__dict__", {}))
    state = own.pop("state", None)
    named = {**own, **state} if isinstance(state, dict) else own
    return {name: value for name, value in named.items() if isinstance(value, dict)}


def _inspect(step: int, params: Arrays, grads: Arrays, gradients: Arrays, problem: Problem) -> None:
    if params.keys() != problem.start.keys():
        raise ReaderError(f"{step} ステップ目に params のキーが変わりました。")
    for key, start in problem.start.items():
        if grads.keys() != gradients.keys() or not np.array_equal(grads[key], gradients[key]):
            raise ReaderError(
                f"{step} ステップ目に grads を書き換えました。grads は読むだけにしてください。",
                variant="loop/gradient-mutated",
            )
        w = _array_or_none(params[key])
        if w is None or w.dtype.kind != "f":
            what = type(params[key]).__name__ if w is None else f"dtype={w.dtype}"
            raise ReaderError(f"{step} ステップ目に params[{key!r}] が実数の配列でなくなりました({what})。")
        if w.shape != start.shape:
            raise ReaderError(f"{step} ステップ目に params[{key!r}] の形が変わりました。")


def _array_or_none(value: object) -> Array | None:
    try:
        return np.asarray(value)
    except Exception:  # 長さのそろわないリストなど
        return None


def _unchanged(params: Arrays, start: Arrays) -> bool:
    return all(np.array_equal(params[key], start[key]) for key in start)
