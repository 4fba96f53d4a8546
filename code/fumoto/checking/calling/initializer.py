"""重みの初期値を作る関数を呼ぶ: ``(rng, n_in, n_out)``、``(n_in, n_out)``、``(shape)`` の形のどれでもよい。"""

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fumoto.checking.calling.safety import ReaderError, call, within_time_limit
from fumoto.hints import Array, Rng, Shape

SEED = 0
_ROLES = {  # 引数の役 → 名前
    "rng": r"rng|random_?(state|generator)?|gen(erator)?",
    "shape": r"shape|size|dims?",
    "n_in": r"n_?in|fan_?in|nin|d_?in|in(put)?(_?(size|dim|features?|nodes?|units?))?|n_?input|prev\w*|rows",
    "n_out": r"n_?out|fan_?out|nout|d_?out|out(put)?(_?(size|dim|features?|nodes?|units?))?|n_?output|next\w*|cols",
}
_USUAL = {3: ("rng", "n_in", "n_out"), 2: ("n_in", "n_out"), 1: ("shape",)}  # 名前から分からないとき


@dataclass(frozen=True)
class Drawn:
    """作られた重み。``how``: 呼び方の一文。``title``: 関数の名前。"""

    how: str
    title: str
    weights: list[Array]


def draw_weights(make: Any, shapes: Iterable[tuple[int, int]]) -> Drawn:
    """``shapes`` の重みを 1 つずつ作る。乱数の使い方か返すものがおかしければ ``ReaderError``。"""
    return within_time_limit(_drawn, make, list(shapes))


def _drawn(make: Any, shapes: list[tuple[int, int]]) -> Drawn:
    roles, named = _roles(make)
    weights = []
    for shape in shapes:
        rng, again = np.random.default_rng(SEED), np.random.default_rng(SEED)
        W, second, repeated = (_draw(make, roles, named, source, shape) for source in (rng, rng, again))
        if "rng" in roles and not np.array_equal(W, repeated):
            raise ReaderError(
                "同じ種の rng を渡しても、同じ値になりません。渡された rng を使っていますか。", "rng"
            )
        if np.array_equal(W, second) and W.std() > 0:
            raise ReaderError("続けて 2 度作ると、同じ値になります。種を固定していませんか。", "seed")
        weights.append(W)
    title = str(getattr(make, "__name__", ""))
    return Drawn(f"あなたの関数を、({', '.join(roles)}) の順に呼びました。", title, weights)


def _roles(make: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """渡すものの並びと、それを受け取る引数の名前(順に渡すなら空)。名前から役の分からない引数は、並びで決める。"""
    try:
        parameters = inspect.signature(make).parameters.values()
    except (TypeError, ValueError):
        return _USUAL[3], ()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return _USUAL[3], ()
    known = {p.name: role for p in parameters if (role := _role(p.name))}
    required = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    taken = [p for p in parameters if p in required or known.get(p.name) == "rng"]
    roles = tuple(known.get(p.name, "") for p in taken)
    complete = set(roles) - {"rng"} in ({"n_in", "n_out"}, {"shape"}) and len(set(roles)) == len(roles)
    if complete and all(p.kind is not p.POSITIONAL_ONLY for p in taken):
        return roles, tuple(p.name for p in taken)
    return _USUAL.get(len(required), _USUAL[3]), ()


def _role(name: str) -> str | None:
    return next((role for role, pattern in _ROLES.items() if re.fullmatch(pattern, name.lower())), None)


def _draw(
    make: Callable[..., Any], roles: tuple[str, ...], named: tuple[str, ...], rng: Rng, shape: Shape
) -> Array:
    values = {"rng": rng, "shape": shape, "n_in": shape[0], "n_out": shape[1]}
    given = [values[role] for role in roles]
    what = f"make({', '.join('rng' if value is rng else str(value) for value in given)})"
    with _SeededFrom(rng if "rng" not in roles else None):
        if named:
            value = call(what, lambda: make(**dict(zip(named, given, strict=True))))
        else:
            value = call(what, lambda: make(*given))
    W = call("make の返した値", lambda: np.array(value))
    if W.dtype.kind != "f":
        raise ReaderError(
            f"実数の配列を返してください(返されたもの: {type(value).__name__}、dtype={W.dtype})。"
        )
    if W.shape == shape[::-1]:
        raise ReaderError(
            f"形が (n_out, n_in) です。この本の重みは (n_in, n_out) です(返された形: {W.shape})。"
        )
    if W.shape != shape:
        raise ReaderError(f"形が {shape} ではありません(返された形: {W.shape})。")
    if not np.all(np.isfinite(W)):
        raise ReaderError("重みに nan か inf があります。")
    return W.astype(np.float64)


class _SeededFrom:
    """``np.random`` を使う関数のために、その種を ``rng`` から決め、終わったら元に戻す。``rng`` がなければ、何もしない。"""

    def __init__(self, rng: Rng | None):
        self.rng = rng

    def __enter__(self) -> None:
        if self.rng is not None:
            self.before = np.random.get_state()  # noqa: NPY002
            np.random.seed(self.rng.integers(2**32))  # noqa: NPY002

    def __exit__(self, *error: object) -> None:
        if self.rng is not None:
            np.random.set_state(self.before)  # noqa: NPY002
