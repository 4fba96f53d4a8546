"""Batch Normalization の層を作り、``forward`` と ``backward`` を呼ぶ。

γ と β と一緒に作られ、勾配を ``grads["gamma"]`` か ``dgamma`` に残す層なら、引数の名前は何でもよい。
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fumoto.checking.calling.safety import ReaderError, call, within_time_limit
from fumoto.checking.calling.values import number
from fumoto.checking.computing.batchnorm import STAGES, Found, Problem
from fumoto.hints import Array, Shape

Given = Mapping[str, float | None]  # 引数の名前(decay_rate と eps) → 渡された値。決まっていなければ None
_USUAL = {"decay_rate": 0.9, "eps": 1e-5}
_SAME_MEANING = {  # 読者の引数の名前 → この本の名前
    **{name: name for name in ("gamma", "beta", *_USUAL)},
    **dict.fromkeys(("momentum", "rho", "decay", "alpha"), "decay_rate"),
    **dict.fromkeys(("epsilon", "varepsilon"), "eps"),
}


@dataclass(frozen=True)
class Followed:
    """1 つの問題で見えたこと。``found``: 段階 → 配列の並び。``moved``: 推論で何かが変わったか。

    ``values``: 減衰率と ε の値。渡せず、属性にも見えなければ None。
    """

    found: Found
    moved: bool
    values: dict[str, float | None]


def follow(make: Any, given: Given, problem: Problem) -> Followed:
    """読者のものを 1 つの問題の上で走らせる。走らなければ ``ReaderError``。"""
    return within_time_limit(_follow, make, given, problem)


def _follow(make: Any, given: Given, problem: Problem) -> Followed:
    gamma, beta, batches, x_test = problem.gamma, problem.beta, problem.batches, problem.x_test
    layer, values = _made(make, gamma.copy(), beta.copy(), given)
    found: Found = {stage: [] for stage in STAGES}
    for batch in batches:
        x, dout = batch.x.copy(), batch.dout.copy()
        y = _array("forward の出力", _forward(layer, x, True), x.shape)
        _refuse_writing("forward", "x", x, batch.x)
        dx = call("backward(dout)", lambda d: layer.backward(d), dout)
        _refuse_writing("backward", "x", x, batch.x)
        _refuse_writing("backward", "dout", dout, batch.dout)
        found["学習中の出力"].append(y)
        found["入力の勾配"].append(_array("backward の出力", dx, batch.x.shape))
        for name, letter in (("gamma", "γ"), ("beta", "β")):
            found[f"{letter} の勾配"].append(_array(f"{letter} の勾配", _gradient(layer, name), gamma.shape))
    averages, outputs = _averages(layer), []
    for _ in range(2):
        x = x_test.copy()
        outputs.append(_array("推論の出力", _forward(layer, x, False), x.shape))
        _refuse_writing("forward", "x", x, x_test)
    found["推論の出力"].append(outputs[0])
    return Followed(found, not _equal([*averages, outputs[0]], [*_averages(layer), outputs[1]]), values)


def _made(make: Any, gamma: Array, beta: Array, given: Given) -> tuple[Any, dict[str, float | None]]:
    """作った層と、減衰率と ε の値。"""
    try:
        signature = inspect.signature(make)
    except Exception:  # 引数の並びの分からないもの。この本の名前で呼んでみる
        signature = inspect.signature(lambda gamma, beta, decay_rate, eps: None)
    pairs, parameters = _pairs(signature), signature.parameters
    ours = {our: their for their, our in pairs if our in _SAME_MEANING.values()}
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        ours = {**{name: name for name in _USUAL}, **ours}
    others = [their for their, our in pairs if our not in ours]
    unknown = [their for their in others if parameters[their].default is inspect.Parameter.empty]
    in_order = any(p.kind is p.VAR_POSITIONAL for p in parameters.values())  # 何でも受け取る
    if unknown or not (in_order or {"gamma", "beta"} <= ours.keys()):
        raise ReaderError(_how_to_adapt(make, signature))
    values: dict[str, float | None] = dict.fromkeys(_USUAL)
    for our in _USUAL.keys() & ours.keys():
        default = number(parameters[ours[our]].default) if ours[our] in parameters else None
        values[our] = next(v for v in (given[our], default, _USUAL[our]) if v is not None)
    named = {ours[our]: value for our, value in values.items() if our in ours}
    if {"gamma", "beta"} <= ours.keys():
        layer = call("作る", lambda: make(**{ours["gamma"]: gamma, ours["beta"]: beta}, **named))
    else:
        layer = call("作る", lambda: make(gamma, beta, **named))
    for their, our in _SAME_MEANING.items():  # 書き込まれた値が、属性に見えるかもしれない
        if our in values and values[our] is None:
            values[our] = number(call(f"{their} を調べるとき", lambda name=their: getattr(layer, name, None)))
    return layer, values


def _pairs(signature: inspect.Signature) -> list[tuple[str, str]]:
    """読者の引数の名前と、それにあたるこの本の名前(なければ、読者の名前のまま)。"""
    named = [p.name for p in signature.parameters.values() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    pairs = [(their, _SAME_MEANING.get(their, their)) for their in named]
    for position, our in enumerate(("gamma", "beta")):  # 名前が違っても、はじめの 2 つだろう
        if position < len(pairs) and our not in [each for _, each in pairs]:
            pairs[position] = (pairs[position][0], our)
    return pairs


def _how_to_adapt(make: Callable[..., Any], signature: inspect.Signature) -> str:
    """``make`` の引数から、渡すものが分からない。この本の名前で呼べるようにする lambda を、具体的に書いて見せる。"""
    name = getattr(make, "__name__", "")
    name = name if name.isidentifier() else "MyBatchNorm"
    ours = ("gamma", "beta", *_USUAL)
    pairs = _pairs(signature)
    arguments = ", ".join(f"{their}={our if our in ours else '…'}" for their, our in pairs)
    return (
        f"make(gamma, beta, decay_rate=…, eps=…) の形で呼べません(あなたの引数: {signature})。"
        f"次の形で渡してください: lambda gamma, beta, decay_rate, eps: {name}({arguments or '…'})。"
    )


def _forward(layer: Any, x: Array, training: bool) -> Any:
    """``forward(x, training)``。学習中かどうかを渡すところがなければ、``train()`` と ``eval()`` か、``training`` などの属性で決める。"""
    what = f"forward(x, {training})"
    forward = call(what, lambda: layer.forward)
    try:
        parameters = list(inspect.signature(forward).parameters.values())
    except Exception:  # 引数の並びの分からないもの
        return call(what, lambda: forward(x, training))
    if len(parameters) < 2:
        if not call(what, lambda: _switched(layer, training)):
            raise ReaderError(
                f"{what} の形で呼べません。学習中か推論かを、2 つ目の引数で決められるようにしてください。"
            )
        return call(what, lambda: forward(x))
    flag = parameters[1]
    if flag.kind is flag.KEYWORD_ONLY:
        return call(what, lambda: forward(x, **{flag.name: training}))
    return call(what, lambda: forward(x, training))


def _switched(layer: Any, training: bool) -> bool:
    switch = getattr(layer, "train" if training else "eval", None)
    if callable(switch):
        switch()
        return True
    for name in ("training", "train", "is_training", "train_flg"):
        if isinstance(getattr(layer, name, None), bool):
            setattr(layer, name, training)
            return True
    return False


def _refuse_writing(method: str, name: str, array: Array, original: Array) -> None:
    if not np.array_equal(array, original):
        raise ReaderError(
            f"{method} が {name} を書き換えました。{name} は読むだけにしてください。",
            f"{method}/{name}-mutated",
        )


def _averages(layer: object) -> list[Array]:
    """見えるところにあれば、移動平均の写し。"""
    names = ("running_mean", "running_var")
    return [np.array(value) for name in names if (value := getattr(layer, name, None)) is not None]


def _equal(first: list[Array], second: list[Array]) -> bool:
    return len(first) == len(second) and all(
        np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(first, second, strict=True)
    )


def _gradient(layer: object, name: str) -> Any:
    grads = getattr(layer, "grads", {})
    value = grads.get(name) if isinstance(grads, dict) else None
    value = getattr(layer, f"d{name}", None) if value is None else value
    if value is None:
        raise ReaderError(f'backward のあとに grads["{name}"] も d{name} もありません。')
    return value


def _array(what: str, value: object, shape: Shape) -> Array:
    array = call(what, lambda: np.array(value))  # 読者が同じ配列を使い回しても、いまの値を残す
    if array.dtype.kind != "f":
        raise ReaderError(f"{what}が実数の配列ではありません(dtype={array.dtype})。")
    if array.shape != shape:
        axis = "足す軸が違いませんか。" if "勾配" in what and array.ndim == 1 else ""
        raise ReaderError(
            f"{what}の形が {array.shape} です({shape} のはずです)。{axis}", "axis" if axis else None
        )
    return array
