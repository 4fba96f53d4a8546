"""Batch Normalization の呼び方を選び、問題の上で走らせる。"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fumoto.checking.calling.batchnorm.functions import FunctionInUse
from fumoto.checking.calling.batchnorm.gradients import shape_of
from fumoto.checking.calling.batchnorm.layers import LayerInUse
from fumoto.checking.calling.batchnorm.layouts import Layout, layouts_for
from fumoto.checking.calling.batchnorm.making import columns_in, layout_of, made_of
from fumoto.checking.calling.batchnorm.modes import WORDS
from fumoto.checking.calling.batchnorm.partners import Together, together
from fumoto.checking.calling.batchnorm.rates import Given, Rates
from fumoto.checking.calling.batchnorm.using import InUse
from fumoto.checking.calling.safety import ReaderError, call, within_time_limit
from fumoto.checking.computing.batchnorm import INFERENCE, TRAINING, Found, Problem
from fumoto.hints import Array, Shape

_LETTERS = {"gamma": "γ", "beta": "β"}


@dataclass(frozen=True)
class Followed:
    """見えたこと。``found``: 問題 ``problems`` ごとに、段階 → 配列の並び。動かせなかった段階は、ない。

    ``moved``: 推論で何かが変わったか。``how``: 呼び方の一文。``values``: 減衰率と ε の、この本の意味での値。渡せず、属性にも見えなければ
    None。``rate``: 減衰率の引数の名前。``either``: それが、どちらの意味か決まらないか。``new``: 新しい値に掛ける数か。``backwards``: 逆伝播の関数の名前。
    ``failed``: 推論だけが走らなかったなら、そのわけ。
    """

    found: tuple[Found, ...]
    problems: tuple[Problem, ...]
    moved: bool
    how: str
    values: dict[str, float | None]
    rate: str
    either: bool
    new: bool
    backwards: tuple[str, ...] = ()
    failed: str = ""


def follow(make: Any, given: Given, which: int = 0) -> Followed:
    """読者のものを問題の上で走らせる。走らなければ ``ReaderError``。``which``: 何番目の逆伝播か。"""
    return within_time_limit(_follow, make, given, which)


@dataclass(frozen=True)
class _Way:
    """呼び方 1 つ。``start``: 問題から、動いているものと、作り方の言葉。"""

    start: Callable[[Problem, Rates], tuple[InUse, str]]
    layout: Layout
    problems: tuple[Problem, ...]


def _follow(make: Any, given: Given, which: int) -> Followed:
    make = together(make)
    way = _chosen(make, given, which)
    found, moved, failed = [], False, ""
    for problem in way.problems:
        rates = Rates(given)
        used, words = way.start(problem, rates)
        found.append(_trained(used, way.layout, problem))
        try:
            moved = _inferred(used, way.layout, problem, found[-1]) or moved
        except ReaderError as error:  # 学習中の間違いのせいかもしれない
            failed = failed or str(error)
    how = f"{words}{way.layout.words}{used.how()}"
    backs = tuple(back.__name__ for back in make.backwards) if isinstance(make, Together) else ()
    return Followed(
        tuple(found), way.problems, moved, how, rates.known, rates.name, rates.either, rates.new, backs, failed
    )


# --- 呼び方を選ぶ -------------------------------------------------------------------------------------------


def _chosen(make: Any, given: Given, which: int) -> _Way:
    """はじめのミニバッチで動いた呼び方。どれも動かなければ、はじめの呼び方の ``ReaderError``。"""
    errors = []
    for layout in layouts_for(make.forward if isinstance(make, Together) else make):
        try:
            return _with_words(make, given, which, layout)
        except _WrongShape:
            raise
        except ReaderError as error:
            errors.append(error)
    raise errors[0]


class _WrongShape(ReaderError):
    """動いたが、出力の形が違う。ほかの並べ方で試しても、直らない。"""


def _with_words(make: Any, given: Given, which: int, layout: Layout) -> _Way:
    """学習中か推論かを文字列で伝えるなら、学習中と推論の出力が違う言葉を使う。"""
    first = _way(make, which, layout, WORDS[0])
    problem: ReaderError | None = None
    try:
        if _tried(first, given):
            return first
    except ReaderError as error:
        problem = error
    for words in WORDS[1:]:
        way = _way(make, which, layout, words)
        try:
            if _tried(way, given):
                return way
        except ReaderError:
            continue
    if problem is not None:
        raise problem
    return first


def _way(make: Any, which: int, layout: Layout, words: tuple[str, str]) -> _Way:
    if isinstance(make, Together):
        back = make.backwards[which] if make.backwards else None

        def use(problem: Problem, rates: Rates) -> tuple[InUse, str]:
            gamma, beta = (each.reshape(layout.shape(len(each))) for each in (problem.gamma, problem.beta))
            return FunctionInUse(make.forward, back, gamma.copy(), beta.copy(), rates, words), ""

        return _Way(use, layout, layout.problems(None))
    layout = layout_of(make, layout)

    def build(problem: Problem, rates: Rates) -> tuple[InUse, str]:
        layer, said = made_of(make, problem, rates, layout)
        return LayerInUse(layer, problem.gamma, problem.beta, rates, words), said

    return _Way(build, layout, layout.problems(columns_in(make)))


def _tried(way: _Way, given: Given) -> bool:
    """はじめのミニバッチで、出力が正しい形で返るか。文字列で伝えるなら、学習中と推論で出力が違うか。"""
    problem = way.problems[0]
    used, _ = way.start(problem, Rates(given))
    x = way.layout.turned(problem.batches[0].x, problem)
    returned = used.forward(x, True)
    try:
        trained = _array("forward の出力", returned, x.shape)
    except ReaderError as error:
        if len(shape_of(returned) or ()) > x.ndim:  # 画像のための形と計算されたのかもしれない
            raise
        raise _WrongShape(str(error)) from None
    if not used.writes_mode:
        return True
    return not np.allclose(trained, _array("推論の出力", used.forward(x, False), x.shape), equal_nan=True)


# --- 走らせる -----------------------------------------------------------------------------------------------


def _trained(used: InUse, layout: Layout, problem: Problem) -> Found:
    """学習中に見えた値。"""
    found: Found = {TRAINING: []}
    for batch in problem.batches:
        found[TRAINING].append(_forward("forward の出力", used, layout, problem, batch.x, True))
        for stage, value in _backward(used, layout, problem, batch.dout):
            found.setdefault(stage, []).append(value)
    return found


def _inferred(used: InUse, layout: Layout, problem: Problem, found: Found) -> bool:
    """推論の出力を ``found`` に加える。値は、推論で何かが変わったか。"""
    if not used.infers:
        return False
    averages = used.averages()
    first, second = (_forward("推論の出力", used, layout, problem, problem.x_test, False) for _ in range(2))
    found[INFERENCE] = [first]
    return not _equal([*averages, first], [*used.averages(), second])


def _forward(what: str, used: InUse, layout: Layout, problem: Problem, rows: Array, training: bool) -> Array:
    x = layout.turned(rows, problem)
    y = _array(what, used.forward(x, training), x.shape)
    _refuse_writing("forward", "x", x, layout.turned(rows, problem))
    return layout.restored(y, problem)


def _backward(used: InUse, layout: Layout, problem: Problem, rows: Array) -> Iterator[tuple[str, Array]]:
    if not used.backs:
        return
    x, dout = used.x.copy(), layout.turned(rows, problem)
    gradients = used.backward(dout)
    _refuse_writing("backward", "x", used.x, x)
    _refuse_writing("backward", "dout", dout, layout.turned(rows, problem))
    if not gradients:
        return
    yield "入力の勾配", layout.restored(_array("backward の出力", gradients["x"], dout.shape), problem)
    for name, letter in _LETTERS.items():
        yield f"{letter} の勾配", _array(f"{letter} の勾配", gradients[name], problem.gamma.shape)


def _refuse_writing(method: str, name: str, array: Array, original: Array) -> None:
    if not np.array_equal(array, original):
        raise ReaderError(
            f"{method} が {name} を書き換えました。{name} は読むだけにしてください。",
            f"{method}/{name}-mutated",
        )


def _equal(first: list[Array], second: list[Array]) -> bool:
    return len(first) == len(second) and all(
        np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(first, second, strict=True)
    )


def _array(what: str, value: object, shape: Shape) -> Array:
    array = call(what, lambda: np.array(value))  # 読者が同じ配列を使い回しても、いまの値を残す
    if array.dtype.kind != "f":
        raise ReaderError(f"{what}が実数の配列ではありません(dtype={array.dtype})。")
    if "の勾配" in what and array.size == max(array.shape, default=0):  # (1, D) や (D, 1)
        array = array.reshape(-1)
    if array.shape != shape:
        axis = "足す軸が違いませんか。" if "勾配" in what and array.ndim == 1 else ""
        raise ReaderError(
            f"{what}の形が {array.shape} です({shape} のはずです)。{axis}", "axis" if axis else None
        )
    return array
