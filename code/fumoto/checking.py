"""読者の最適化手法を、印刷された式と突き合わせる。

``check(make, "Adam", lr=0.01, …)`` は、読者の実装と、ページの式だけから作った最適化手法を、
いくつもの重みの組の上で同じだけ走らせて比べる。違えば、式の書き間違いを 1 つずつ試し、
読者の数値を再現するものがあれば名前を言う。動かした以上のことは言わない。
"""

import threading
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from fumoto.equations import read
from fumoto.methods import METHODS, PrintedOptimizer
from fumoto.variants import variants

STEPS = 60
SECONDS = 10  # これだけ待っても終わらなければ、止まらないとみなす


@dataclass(frozen=True)
class Report:
    """突き合わせの結果。``if check(...)`` のように真偽としても使える。

    ``ok``: 式と一致したか。``equation``: 間違いのある式のラベル。``variant``: 間違いの名前。
    ``step``: はじめて違ったステップ(1 から)。``str(report)`` は日本語の説明である。
    """

    ok: bool
    text: str
    equation: str | None = None
    variant: str | None = None
    step: int | None = None

    def __bool__(self):
        return self.ok

    def __str__(self):
        return self.text

    __repr__ = __str__


@cache
def _book():
    return read()


@cache
def _mistakes_in(label):
    return variants(_book()[label])


def check(make, name, **hyperparameters):
    """``make(**hyperparameters)`` で作った最適化手法が、``name`` の式のとおりに動くかを調べる。

    ``make``: クラス、関数、lambda のどれでもよい。``update(params, grads)`` を持つものを返すこと。
    ``name``: ``"SGD"``, ``"Momentum"``, ``"Nesterov"``, ``"AdaGrad"``, ``"RMSProp"``, ``"AdaDelta"``, ``"Adam"``。
    手法の名前や引数がおかしければ ``ValueError`` / ``TypeError``。読者のコードの誤りは ``Report`` で返す。

    >>> class MySGD:
    ...     def __init__(self, lr):
    ...         self.lr = lr
    ...     def update(self, params, grads):
    ...         for key in params:
    ...             params[key] += self.lr * grads[key]
    >>> report = check(MySGD, "SGD", lr=0.1)
    >>> report.ok, report.equation, report.variant, report.step
    (False, 'eq-sgd-w', 'eq-sgd-w/sign-2', 1)
    """
    if name not in METHODS:
        raise ValueError(f"name は {sorted(METHODS)} のどれかです(渡された値: {name!r})")
    equations = _book()
    method = METHODS[name]
    PrintedOptimizer(method, equations, **hyperparameters)  # 引数の名前を確かめる
    try:
        trajectories = [_follow(make, hyperparameters, problem) for problem in _PROBLEMS]
    except _ReaderError as error:
        return Report(False, f"{name} を確かめられませんでした。{error}")
    notes = sorted({note for trajectory in trajectories for note in trajectory.notes})
    ran = f"(重みの組 {len(_PROBLEMS)} 通り、それぞれ {STEPS} ステップ、この引数で確かめました)"
    tail = "".join(f"\n{note}" for note in notes) + f"\n{ran}"

    difference = _first_difference(trajectories, method, equations, hyperparameters)
    if difference is None:
        return Report(True, f"一致: {name} の式と同じ動きをします。{tail}")
    for convention, other in _CONVENTIONS.get(name, {}).items():
        if _first_difference(trajectories, other, equations, hyperparameters) is None:
            return Report(True, f"一致: {convention}。{tail}", variant=convention)
    mistake = _known_mistake(trajectories, method, equations, hyperparameters)
    if mistake is not None:
        label, variant, explanation = mistake
        text = f"既知の間違い: {explanation}\nはじめて違うのは {difference.step} ステップ目です。{tail}"
        return Report(False, text, label, variant, difference.step)
    return Report(False, f"不一致: 原因は分かりませんでした。{difference}{tail}", step=difference.step)


# --- 走らせる問題 -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Problem:
    """重みの出発点と、``STEPS`` 回分の勾配。"""

    start: dict
    gradients: list


def _problem(shapes, dtype, seed):
    """大きさが 1e-6 から 1e2 の勾配。``never`` はいつも 0、ほかもときどき 0 になる。"""
    rng = np.random.default_rng(seed)
    start = {key: np.asarray(rng.normal(size=shape), dtype) for key, shape in shapes.items()}
    gradients = []
    for _ in range(STEPS):
        grads = {}
        for key, shape in shapes.items():
            g = rng.normal(size=shape) * 10.0 ** rng.uniform(-6, 2, size=shape)
            keep = 0.0 if key == "never" else (rng.random(size=shape) > 0.1)
            grads[key] = np.asarray(g * keep, dtype)
        gradients.append(grads)
    return _Problem(start, gradients)


_PROBLEMS = (
    _problem({"W": (2, 3), "b": (3,), "scalar": (), "never": (2,)}, np.float64, 0),
    _problem({"only": (4,)}, np.float64, 1),
    _problem({"z": (2,), "a": (2,)}, np.float32, 2),
)
_RTOL = {"float64": 1e-9, "float32": 1e-4}


# --- 読者のコードを走らせる -------------------------------------------------------------------------------


class _ReaderError(Exception):
    """読者のコードを走らせられなかった理由(日本語の一文)。"""


@dataclass(frozen=True)
class _Trajectory:
    """ステップごとの重み、最後の状態(読者が ``v`` などの名前で持っていれば)、読者に伝えること。"""

    problem: _Problem
    params: list
    state: dict
    notes: tuple


def _follow(make, hyperparameters, problem):
    result = []

    def work():
        try:
            result.append(_steps(make, hyperparameters, problem))
        except Exception as error:
            result.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(SECONDS)
    if not result:
        raise _ReaderError(f"{SECONDS} 秒待っても終わりません。")
    if isinstance(result[0], Exception):
        raise result[0]
    return result[0]


def _steps(make, hyperparameters, problem):
    params = {key: w.copy() for key, w in problem.start.items()}
    optimizer = _call("作る", 0, lambda: make(**hyperparameters))
    if not callable(getattr(optimizer, "update", None)):
        raise _ReaderError("update(params, grads) というメソッドがありません。")
    history, replaced = [], False
    for step, gradients in enumerate(problem.gradients, start=1):
        grads = {key: g.copy() for key, g in gradients.items()}
        arrays = dict(params)
        returned = _call("update", step, lambda g=grads: optimizer.update(params, g))
        _inspect(step, params, grads, gradients, problem)
        replaced = replaced or any(params[key] is not arrays[key] for key in params)
        history.append({key: np.array(w) for key, w in params.items()})
        if step == 1 and returned is not None and _unchanged(params, problem.start):
            raise _ReaderError(
                "update は値を返しましたが、params の配列は変わっていません。その場で書き換えてください。"
            )
    notes = []
    if replaced:
        notes.append("配列を書き換えず、辞書の中身を差し替えています(値だけを調べました)。")
    broken = [step for step, w in enumerate(history, start=1) if not _finite(w)]
    if broken:
        notes.append(f"{broken[0]} ステップ目に nan か inf が現れました。勾配が 0 の重みもあります。")
    return _Trajectory(problem, history, _state_of(optimizer), tuple(notes))


def _finite(params):
    return all(np.all(np.isfinite(w)) for w in params.values())


def _state_of(optimizer):
    """``optimizer.v`` や ``optimizer.state["v"]`` のような、キー → 配列の辞書。"""
    named = {**vars(optimizer), **getattr(optimizer, "state", {})} if hasattr(optimizer, "__dict__") else {}
    return {name: value for name, value in named.items() if isinstance(value, dict) and name != "state"}


def _call(what, step, function):
    try:
        with np.errstate(all="ignore"):
            return function()
    except Exception as error:
        when = f"{step} ステップ目の " if step else ""
        raise _ReaderError(f"{when}{what} で {type(error).__name__} が起きました: {error}") from None


def _inspect(step, params, grads, gradients, problem):
    if params.keys() != problem.start.keys():
        raise _ReaderError(f"{step} ステップ目に params のキーが変わりました。")
    for key, start in problem.start.items():
        if grads.keys() != gradients.keys() or not np.array_equal(grads[key], gradients[key]):
            raise _ReaderError(
                f"{step} ステップ目に grads を書き換えました。grads は読むだけにしてください。"
            )
        if np.shape(params[key]) != start.shape:
            raise _ReaderError(f"{step} ステップ目に params[{key!r}] の形が変わりました。")


def _unchanged(params, start):
    return all(np.array_equal(params[key], start[key]) for key in start)


# --- 比べる -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Difference:
    step: int
    key: str
    yours: np.ndarray
    expected: np.ndarray

    def __str__(self):
        return (
            f"\nはじめて違うのは {self.step} ステップ目の params[{self.key!r}] です。"
            f"\nあなたの値: {self.yours}\n式の値:     {self.expected}"
        )


def _first_difference(trajectories, method, equations, hyperparameters, loop=None):
    """式の最適化手法と違った最初の場所。最後まで同じなら None。"""
    with np.errstate(all="ignore"):
        for trajectory in trajectories:
            optimizer = (loop or PrintedOptimizer)(method, equations, **hyperparameters)
            params = {key: w.copy() for key, w in trajectory.problem.start.items()}
            for step, grads in enumerate(trajectory.problem.gradients, start=1):
                optimizer.update(params, grads)
                yours = trajectory.params[step - 1]
                for key, w in params.items():
                    rtol = _RTOL[w.dtype.name]
                    if not np.allclose(yours[key], w, rtol=rtol, atol=rtol * 1e-3, equal_nan=True):
                        return _Difference(step, key, yours[key], w.copy())
    return None


def _same_state(trajectory, method, equations, hyperparameters):
    """重みだけでなく、読者の持つ状態まで同じか(重みの動きが同じ間違いを見分けるため)。"""
    optimizer = PrintedOptimizer(method, equations, **hyperparameters)
    params = {key: w.copy() for key, w in trajectory.problem.start.items()}
    with np.errstate(all="ignore"):
        for grads in trajectory.problem.gradients:
            optimizer.update(params, grads)
    shared = optimizer.state.keys() & trajectory.state.keys()
    return bool(shared) and all(
        np.allclose(trajectory.state[name].get(key, np.nan), array, rtol=1e-6, atol=1e-12, equal_nan=True)
        for name in shared
        for key, array in optimizer.state[name].items()
    )


# --- 既知の間違い -----------------------------------------------------------------------------------------


class _LastKeyOnly(PrintedOptimizer):
    """更新の行がループの外にあり、最後のキーだけが動く。"""

    chosen = -1

    def update(self, params, grads):
        copies = {key: w.copy() for key, w in params.items()}
        super().update(copies, grads)
        key = list(params)[self.chosen]
        params[key][...] = copies[key]


class _FirstKeyOnly(_LastKeyOnly):
    """return がループの中にあり、最初のキーだけが動く。"""

    chosen = 0


class _CounterPerKey(PrintedOptimizer):
    """更新の回数を、キーごとに 1 増やしている。"""

    def update(self, params, grads):
        for key in params:
            super().update({key: params[key]}, {key: grads[key]})


_LOOPS = {
    "loop/last-key": (_LastKeyOnly, "更新の行がループの外にあり、最後のキーの重みしか動きません"),
    "loop/first-key": (_FirstKeyOnly, "最初のキーの重みしか動きません(ループの中で return していませんか)"),
    "loop/counter": (_CounterPerKey, "更新の回数が、update のたびではなくキーごとに増えています"),
}


_CONVENTIONS = {  # ほかの書き方: 説明 → 式の並び
    "Adam": {
        "補正を学習率にまとめた形(ε は補正前の √v に足す)": replace(
            METHODS["Adam"],
            labels=("eq-adam-lrt", "eq-adam-m", "eq-adam-v", "eq-adam-lrtw"),
            hyperparameters={**METHODS["Adam"].hyperparameters, "eps": "varepsilon_hat"},
        )
    },
    "Nesterov": {
        "更新前の速度で書いた形": replace(
            METHODS["Nesterov"], labels=("eq-nesterov-v", "eq-nesterov-expanded")
        )
    },
}


_WRITTEN_IN_THE_NOTES = {  # 原ノートの式をそのまま並べた手法
    "Momentum": ("eq-momentum-v", "eq-notes-momentum-w"),
    "AdaGrad": ("eq-adagrad-h", "eq-notes-adagrad-w"),
    "Adam": ("eq-adam-m", "eq-adam-v", "eq-notes-adam-w"),
}
_OFTEN_TOGETHER = ("hat", "time", "factor", "dropped", "inside", "root", "count")


def _known_mistake(trajectories, method, equations, hyperparameters):
    """読者の数値を再現する間違いの (ラベル, 名前, 説明)。なければ None。"""
    bases = [method, *_CONVENTIONS.get(method.name, {}).values()]
    for base in bases:
        for identifier, (loop, explanation) in _LOOPS.items():
            if _first_difference(trajectories, base, equations, hyperparameters, loop) is None:
                return None, identifier, explanation
    candidates = [v for label in _labels(bases) for v in _mistakes_in(label)]
    found = _reproducing([(v,) for v in candidates], trajectories, bases, equations, hyperparameters)
    if not found:
        label = _in_the_notes(trajectories, method, equations, hyperparameters)
        if label is not None:
            return (
                label,
                label,
                f"原ノートの式です({equations[label].page})。\n原ノートの式: {equations[label].latex}",
            )
        often = [v for v in candidates if v.id.split("/")[1].startswith(_OFTEN_TOGETHER)]
        pairs = [
            (v, w)
            for i, v in enumerate(often)
            for w in often[i + 1 :]
            if v.equation.label != w.equation.label
        ]
        pairs.sort(key=lambda pair: pair[0].kind != pair[1].kind)  # 同じ種類の間違いを先に
        found = _reproducing(pairs, trajectories, [method], equations, hyperparameters)[:1]
    if not found:
        return None
    order = list(_labels(bases))[::-1]
    mistakes = sorted(found[0], key=lambda variant: order.index(variant.equation.label))
    return (
        mistakes[0].equation.label,
        " + ".join(v.id for v in mistakes),
        "\n".join(_explanation(v, equations) for v in mistakes),
    )


def _labels(bases):
    """式のラベル。同じ数値になる間違いが 2 つあれば先のものを言うので、w を更新する式を先に置く。"""
    return dict.fromkeys(label for base in bases for label in reversed(base.labels))


def _reproducing(groups, trajectories, bases, equations, hyperparameters):
    """読者の数値を再現する間違いの組。読者の状態まで再現するものを先に並べる。"""
    found = []
    for group in groups:
        wrong = {**equations, **{v.equation.label: v.equation for v in group}}
        for base in bases:
            if all(v.equation.label in base.labels for v in group) and _reproduces(
                trajectories, base, wrong, hyperparameters
            ):
                found.append((not _same_state(trajectories[0], base, wrong, hyperparameters), group))
                break
    return [group for _, group in sorted(found, key=lambda pair: pair[0])]


def _in_the_notes(trajectories, method, equations, hyperparameters):
    labels = _WRITTEN_IN_THE_NOTES.get(method.name)
    if labels is None:
        return None
    needed = {name: s for name, s in method.hyperparameters.items() if name != "eps"}
    notes = replace(method, labels=labels, hyperparameters=needed)
    values = {name: hyperparameters[name] for name in needed}
    return labels[-1] if _reproduces(trajectories, notes, equations, values) else None


def _explanation(variant, equations):
    printed = equations[variant.equation.label]
    return (
        f"{variant.kind}({printed.page} の {printed.label})。"
        f"\n印刷された式: {printed.latex}\nあなたの計算: {variant.equation.latex}"
    )


def _reproduces(trajectories, method, equations, hyperparameters):
    try:
        return _first_difference(trajectories, method, equations, hyperparameters) is None
    except KeyError:  # この手法の中では手に入らない値を使う間違い
        return False
