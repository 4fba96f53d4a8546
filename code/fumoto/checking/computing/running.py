"""読者の最適化手法を、問題の上で歩かせる。"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fumoto.checking.calling.reading import Reading, Walker
from fumoto.checking.calling.safety import ReaderError
from fumoto.checking.computing.problems import Fault, Problem, Trajectory
from fumoto.hints import Array, Arrays, Hyperparameters

#: 引数の名前 → 何倍にするか。どれも違うので、たまたま同じ値になる 2 つの間違いを見分けられる。
CHANGED = {
    "lr": 0.73,
    "momentum": 0.83,
    "decay_rate": 0.87,
    "beta1": 0.79,
    "beta2": 0.91,
    "eps": 3.7,
    "weight_decay": 1.9,
}
INSTEAD_OF_0 = {"momentum": 0.4, "decay_rate": 0.6, "beta1": 0.4, "beta2": 0.6, "weight_decay": 0.03}


def follow(reading: Reading, hyperparameters: Hyperparameters, problem: Problem) -> Trajectory:
    """1 つの問題の上での足どり。走らないか、重みや勾配をおかしくすれば ``ReaderError``。

    あまり使わない形(0 次元、3 次元、空)の配列か、勾配が 0 になる配列でだけ走らないなら、それを除いて走らせ、そう伝える。
    """
    try:
        return _follow(reading, hyperparameters, problem)
    except ReaderError as error:
        for what, keys in _without_unusual(problem):
            try:
                found = _follow(reading, hyperparameters, problem.only(keys))
            except ReaderError:
                continue
            note = f"{what}では走らなかったので、それを除いて確かめました({error})"
            return replace(found, notes=(*found.notes, note))
        raise


def _without_unusual(problem: Problem) -> Iterator[tuple[str, set[str]]]:
    """(除いたもの, 残りのキー)。1 種類だけ除いたものを先に。"""
    unusual: dict[str, set[str]] = {"空": set(), "3 次元": set(), "0 次元": set()}
    for key, w in problem.start.items():
        if w.size == 0 or w.ndim in (0, 3):
            unusual["空" if w.size == 0 else f"{w.ndim} 次元"].add(key)
    found = {what: keys for what, keys in unusual.items() if keys}
    for what, keys in found.items():
        yield f"{what}の配列", problem.start.keys() - keys
    if len(found) > 1:
        yield f"{'、'.join(found)}の配列", problem.start.keys() - set().union(*found.values())
    still = {key for key in problem.start if any(not np.any(grads[key]) for grads in problem.gradients)}
    if still and still != problem.start.keys():  # 勾配が 0 なら打ち切るもの
        yield "勾配が 0 になることのある配列", problem.start.keys() - still


def _follow(reading: Reading, hyperparameters: Hyperparameters, problem: Problem) -> Trajectory:
    params = _copies(problem.start)
    reading.rewind()
    walker = reading.start(params, **hyperparameters)
    history = []
    for step, gradients in enumerate(problem.gradients, start=1):
        grads = _copies(gradients)
        params = walker.step(grads)
        _inspect(step, params, grads, gradients, problem)
        history.append({key: np.array(w) for key, w in params.items()})
    notes = list(walker.notes())
    broken = [step for step, w in enumerate(history, start=1) if not _finite(w)]
    if broken:
        notes.append(f"{broken[0]} ステップ目に nan か inf が現れました。勾配が 0 の重みもあります。")
    fault, elsewhere = _widened(history, problem, notes) or _unseen(walker, history), None
    if problem.disturbed:
        fault = fault or _twins(reading, hyperparameters, problem, history)
        fault = fault or _reusing(reading, hyperparameters, problem, history)
        elsewhere = _elsewhere(reading, hyperparameters, replace(problem, disturbed=False))
    faults = (fault,) if fault else ()
    return Trajectory(problem, history, walker.state(), tuple(notes), faults, elsewhere)


def _elsewhere(reading: Reading, hyperparameters: Hyperparameters, problem: Problem) -> Trajectory | None:
    """少し違う引数での足どり。その引数で走らなければ None。"""
    values = {
        name: value * CHANGED.get(name, 1.0) if value else INSTEAD_OF_0.get(name, 0.0)
        for name, value in hyperparameters.items()
    }
    try:
        return replace(_follow(reading, values, problem), values=values)
    except ReaderError:
        return None


def _copies(arrays: Arrays) -> Arrays:
    return {key: array.copy(order="K") for key, array in arrays.items()}


def _reusing(
    reading: Reading, hyperparameters: Hyperparameters, problem: Problem, history: list[Arrays]
) -> Fault | None:
    """勾配をいつも同じ配列に書いて渡す。足どりが変わるなら、前の勾配の配列を写さずに取っておいている。"""
    reading.rewind()
    walker = reading.start(_copies(problem.start), **hyperparameters)
    grads = _copies(problem.gradients[0])
    for step, (gradients, expected) in enumerate(zip(problem.gradients, history, strict=True), start=1):
        for key, g in gradients.items():
            grads[key][...] = g
        params = walker.step(grads)
        for key, g in gradients.items():
            if not _same(params[key], expected[key]) or not np.array_equal(grads[key], g):
                return Fault("loop/gradient-kept", step, key, np.array(params[key]), expected[key])
    return None


def _twins(
    reading: Reading, hyperparameters: Hyperparameters, problem: Problem, history: list[Arrays]
) -> Fault | None:
    """もう 1 つのインスタンスと、かわるがわる動かす。足どりが変わるなら、状態を共有している。"""
    reading.rewind()
    walker = reading.start(_copies(problem.start), **hyperparameters)
    other = reading.start(_copies(problem.start), **hyperparameters)
    for step, (gradients, expected) in enumerate(zip(problem.gradients, history, strict=True), start=1):
        other.step({key: -g for key, g in gradients.items()})
        params = walker.step(_copies(gradients))
        for key, w in expected.items():
            if not _same(params[key], w):
                return Fault("loop/shared-between-instances", step, key, np.array(params[key]), w)
    return None


def _same(first: object, second: Array) -> bool:
    return np.array_equal(np.asarray(first), second, equal_nan=True)


FIRST = 5  # 速度が float64 でも、はじめの 1 歩は float32 の勾配だけで決まる


def _widened(history: list[Arrays], problem: Problem, notes: list[str]) -> Fault | None:
    """float32 の重みが float64 になったか。更新の量まで float64 で計算しているなら、書き方の違いとみなす。"""
    for key, w in history[0].items():
        start = problem.start[key]
        if start.dtype != np.float32 or w.dtype != np.float64:
            continue
        steps = np.diff([start, *(params[key] for params in history[:FIRST])], axis=0)
        with np.errstate(all="ignore"):
            rounded = np.abs(steps - steps.astype(np.float32)) <= 1e-15 * np.abs(start)
        if not np.all(rounded):
            notes.append("float32 の重みが、float64 になりました(更新を float64 で計算しています)。")
            return None
        return Fault("loop/float64", 1, key, w, w.astype(np.float32))
    return None


def _unseen(walker: Walker, history: list[Arrays]) -> Fault | None:
    """足どりには現れない間違い: 状態を配列の形で引いている、途中の点をどれも同じ配列で返している。"""
    if (found := walker.unseen()) is None:
        return None
    identifier, key = found
    return Fault(identifier, 1, key, history[0][key], history[0][key])


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
