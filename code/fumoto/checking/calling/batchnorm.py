"""``make(gamma, beta, decay_rate=…, eps=…)`` で作り、``forward(x, training)`` と ``backward(dout)`` を持つ Batch Normalization を呼ぶ。"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from fumoto.checking.calling.safety import ReaderError, call, refused_signature, within_time_limit
from fumoto.checking.computing.batchnorm import STAGES, Found, Problem
from fumoto.hints import Array, Hyperparameters, Shape


def follow(
    make: Callable[..., Any], hyperparameters: Hyperparameters, problem: Problem
) -> tuple[Found, bool]:
    """読者のものを 1 つの問題の上で走らせる。返すのは、読者の値(段階 → 配列の並び)と、推論で何かが変わったか。

    走らなければ ``ReaderError``。
    """
    return within_time_limit(_follow, make, hyperparameters, problem)


def _follow(
    make: Callable[..., Any], hyperparameters: Hyperparameters, problem: Problem
) -> tuple[Found, bool]:
    gamma, beta, batches, x_test = problem.gamma, problem.beta, problem.batches, problem.x_test
    if signature := refused_signature(make, gamma, beta, **hyperparameters):
        raise ReaderError(_how_to_adapt(make, signature))
    layer = call("作る", lambda: make(gamma.copy(), beta.copy(), **hyperparameters))
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
    return found, not _equal([*averages, outputs[0]], [*_averages(layer), outputs[1]])


def _forward(layer: Any, x: Array, training: bool) -> Any:
    forward = call(f"forward(x, {training})", lambda: layer.forward)
    if signature := refused_signature(forward, x, training):
        text = f"forward(x, {training}) の形で呼べません(あなたの引数: {signature})。"
        if len(signature.parameters) > 1:
            flag = list(signature.parameters)[1]
            text += f"継承して、def forward(self, x, training): return super().forward(x, {flag}=training) を足してください。"
        raise ReaderError(text)
    return call(f"forward(x, {training})", lambda: forward(x, training))


_SAME_MEANING = {  # 読者の引数の名前 → この本の名前
    **dict.fromkeys(("momentum", "rho", "decay", "alpha"), "decay_rate"),
    **dict.fromkeys(("epsilon", "varepsilon"), "eps"),
}


def _how_to_adapt(make: Callable[..., Any], signature: inspect.Signature) -> str:
    """``make`` の引数の名前や並びが違う。この本の名前で呼べるようにする lambda を、具体的に書いて見せる。"""
    name = getattr(make, "__name__", "")
    name = name if name.isidentifier() else "MyBatchNorm"
    ours = ("gamma", "beta", "decay_rate", "eps")
    pairs = [(their, _SAME_MEANING.get(their, their)) for their in signature.parameters]
    for position in (0, 1):  # γ と β は、名前が違っても、はじめの 2 つだろう
        if position < len(pairs) and ours[position] not in [our for _, our in pairs]:
            pairs[position] = (pairs[position][0], ours[position])
    arguments = ", ".join(f"{their}={our}" for their, our in pairs if our in ours)
    text = (
        f"make(gamma, beta, decay_rate=…, eps=…) の形で呼べません(あなたの引数: {signature})。"
        f"次の形で渡してください: lambda gamma, beta, decay_rate, eps: {name}({arguments or '…'})。"
    )
    if "eps" not in [our for _, our in pairs]:
        text += "ε を引数で変えられないなら、その値を check_batchnorm の eps に渡してください。"
    return text


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
