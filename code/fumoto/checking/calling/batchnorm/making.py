"""クラス、層を作る関数、作ってある層の写しから、γ と β の入った層を 1 つ得る。"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from fumoto.checking.calling.batchnorm.layouts import COLUMNS, Layout
from fumoto.checking.calling.batchnorm.placing import columns_of, places
from fumoto.checking.calling.batchnorm.rates import OURS, USUAL, Rates
from fumoto.checking.calling.batchnorm.roles import MAKING, Role, Taken, call_with, roles_in, taken_by
from fumoto.checking.calling.safety import ReaderError, call
from fumoto.checking.calling.shapes.copying import own_copy
from fumoto.checking.calling.shapes.making import is_made
from fumoto.checking.computing.batchnorm import Problem
from fumoto.hints import Array

_AVERAGES = {  # 移動平均の属性 → はじめの値
    **dict.fromkeys(("running_mean", "moving_mean"), 0.0),
    **dict.fromkeys(("running_var", "moving_var", "moving_variance", "running_variance"), 1.0),
}


def made_of(make: Any, problem: Problem, rates: Rates, layout: Layout) -> tuple[Any, str]:
    """``problem`` の γ と β を持つ層と、作り方の言葉。"""
    if is_made(make):
        layer = own_copy(make)
        return layer, "作ってあるものの写しを使い、" + _started(layer) + _filled(layer, problem)
    signature = _signature(make)
    taken = _taken(make, signature)
    roles = roles_in(taken)
    kinds = {p.kind for p in signature.parameters.values()}
    in_order = inspect.Parameter.VAR_POSITIONAL in kinds and Role.SIZE not in roles  # 何でも受け取る
    unknown = [a.name for a, role in taken.values() if role is Role.OTHER and a.required]
    both = {Role.GAMMA, Role.BETA} <= roles
    if unknown or (roles & {Role.GAMMA, Role.BETA} and not both):
        raise ReaderError(_how_to_adapt(make, signature))
    gamma, beta = (each.reshape(layout.shape(len(each))).copy() for each in (problem.gamma, problem.beta))
    if in_order or (both and Role.SIZE not in roles):
        more = inspect.Parameter.VAR_KEYWORD in kinds
        layer = _with_both(make, taken, gamma, beta, rates, more, by_name=both)
        words = "γ と β を渡して作り、"
    else:
        layer = call_with("作る", make, taken, _values(gamma, beta, rates, layout))
        words = "列の数を渡して作り、" if Role.SIZE in roles else "引数なしで作り、"
        words += "" if both else _filled(layer, problem)
    rates.see(layer)
    return layer, words


def layout_of(make: Any, layout: Layout) -> Layout:
    """作った層の γ の形が (列の数, 1) なら、入力は列×標本である。"""
    try:
        layer, _ = made_of(make, layout.problems(columns_in(make))[0], Rates(dict.fromkeys(USUAL)), layout)
    except ReaderError:
        return layout
    shapes = [np.shape(place.value()) for place in places(layer, "gamma")]
    upright = any(len(shape) == 2 and shape[1] == 1 < shape[0] for shape in shapes)
    return COLUMNS if upright and not layout.images else layout


def columns_in(make: Any) -> int | None:
    """作ってある層なら、その列の数。どれでもよければ None。"""
    return columns_of(make) if is_made(make) else None


def _taken(make: Any, signature: inspect.Signature) -> Taken:
    """作るときに受け取るもの。名前から分からない、省けない引数は、1 つなら列の数、はじめの 2 つなら γ と β だろう。"""
    taken = taken_by(make, MAKING)
    if not taken and not signature.parameters:
        return taken
    needed = [name for name, (a, role) in taken.items() if a.required and role is Role.OTHER]
    roles = roles_in(taken)
    if Role.SIZE not in roles and len(needed) == 1 and not roles & {Role.GAMMA, Role.BETA}:
        taken[needed[0]] = (taken[needed[0]][0], Role.SIZE)
    elif Role.SIZE not in roles:
        for name, role in zip(list(taken)[:2], (Role.GAMMA, Role.BETA), strict=False):
            if name in needed and role not in roles:
                taken[name] = (taken[name][0], role)
    return taken


def _values(gamma: Array, beta: Array, rates: Rates, layout: Layout) -> dict[Role, Callable[..., Any]]:
    size = gamma.size
    return {
        Role.GAMMA: lambda a: gamma,
        Role.BETA: lambda a: beta,
        Role.SIZE: lambda a: (size,) if "shape" in a.name.lower() else size,
        Role.AXES: lambda a: 4 if layout.images else 2,
        **{role: lambda a, ours=ours: rates.value(ours, a.name, a.default) for role, ours in OURS.items()},
    }


def _with_both(
    make: Any, taken: Taken, gamma: Array, beta: Array, rates: Rates, more: bool, by_name: bool
) -> Any:
    """γ と β を渡して作る。``more``: どんな名前の引数でも受け取るか。"""
    named = {a.name: rates.value(OURS[r], a.name, a.default) for a, r in taken.values() if r in OURS}
    if more:
        named |= {ours: rates.value(ours, ours) for ours in USUAL if rates.known[ours] is None}
    if not by_name:
        return call("作る", lambda: make(gamma, beta, **named))
    names = {role: name for name, (_, role) in taken.items()}
    both = {names[Role.GAMMA]: gamma, names[Role.BETA]: beta}
    averages = {Role.MEAN: np.zeros_like(gamma), Role.VAR: np.ones_like(gamma)}
    both |= {a.name: averages[role] for a, role in taken.values() if a.required and role in averages}
    return call("作る", lambda: make(**both, **named))


def _filled(layer: Any, problem: Problem) -> str:
    """``layer`` の γ と β に値を入れる。どこに入れたかの言葉。"""
    said = []
    for which, letter in (("gamma", "γ"), ("beta", "β")):
        found = places(layer, which)
        if not found:
            raise ReaderError(
                f"作ったものの中に {letter} が見つかりません({which} という名前の、長さが列の数の配列にしてください)。"
            )
        for place in found:
            call(f"{place.said} に値を入れるとき", place.put, getattr(problem, which).copy())
        said.append(found[0].said)
    return f"{said[0]} と {said[1]} に値を入れ、"


def _started(layer: Any) -> str:
    """学習したあとの層なら、見える移動平均をはじめの値に戻す。"""
    back = False
    for name, start in _AVERAGES.items():
        value = getattr(layer, name, None)
        if isinstance(value, np.ndarray) and not np.all((value == start) | (value == 0)):
            value[...] = start
            back = True
    return "移動平均をはじめの値に戻し、" if back else ""


def _signature(make: Any) -> inspect.Signature:
    try:
        return inspect.signature(make)
    except Exception:  # 引数の並びの分からないもの。この本の名前で呼んでみる
        return inspect.signature(lambda gamma, beta, decay_rate, eps: None)


def _how_to_adapt(make: Callable[..., Any], signature: inspect.Signature) -> str:
    """``make`` の引数から、渡すものが分からない。この本の名前で呼べるようにする lambda を、具体的に書いて見せる。"""
    name = getattr(make, "__name__", "")
    name = name if name.isidentifier() else "MyBatchNorm"
    ours = {Role.GAMMA: "gamma", Role.BETA: "beta", Role.DECAY_RATE: "decay_rate", Role.EPS: "eps"}
    arguments = ", ".join(
        f"{their}={ours.get(role, '…')}" for their, (_, role) in _taken(make, signature).items()
    )
    return (
        f"make(gamma, beta, decay_rate=…, eps=…) の形で呼べません(あなたの引数: {signature})。"
        f"次の形で渡してください: lambda gamma, beta, decay_rate, eps: {name}({arguments or '…'})。"
    )
