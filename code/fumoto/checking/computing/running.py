"""読者の最適化手法を、問題の上で歩かせる。"""

import numpy as np

from fumoto.checking.calling.reading import Reading
from fumoto.checking.calling.safety import ReaderError
from fumoto.checking.computing.problems import Problem, Trajectory
from fumoto.hints import Array, Arrays, Hyperparameters


def follow(reading: Reading, hyperparameters: Hyperparameters, problem: Problem) -> Trajectory:
    """1 つの問題の上での足どり。走らないか、重みや勾配をおかしくすれば ``ReaderError``。"""
    params = {key: w.copy() for key, w in problem.start.items()}
    walker = reading.start(params, **hyperparameters)
    history = []
    for step, gradients in enumerate(problem.gradients, start=1):
        grads = {key: g.copy() for key, g in gradients.items()}
        params = walker.step(grads)
        _inspect(step, params, grads, gradients, problem)
        history.append({key: np.array(w) for key, w in params.items()})
    notes = list(walker.notes())
    broken = [step for step, w in enumerate(history, start=1) if not _finite(w)]
    if broken:
        notes.append(f"{broken[0]} ステップ目に nan か inf が現れました。勾配が 0 の重みもあります。")
    return Trajectory(problem, history, walker.state(), tuple(notes))


def _finite(params: Arrays) -> bool:
    return all(np.all(np.isfinite(w)) for w in params.values())


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
