"""1 つの呼び方で、1 つの大きさの重みを作らせる。"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from fumoto.checking.calling.safety import call
from fumoto.checking.calling.weights.pieces import pieces_in
from fumoto.checking.calling.weights.problems import Problem
from fumoto.checking.calling.weights.sources import OtherSource, Source, refused, seeded_from
from fumoto.checking.calling.weights.ways import Call, Given, Way


def made_by(thing: Any, way: Way, problem: Problem, rng: Source, seed: int, choices: dict[str, str]) -> Any:
    """``thing`` を ``way`` で呼んで作らせたもの。重みの入ったものが返されなければ、メソッドの持ち主か、渡した配列。"""
    array = np.zeros(problem.values["shape"]) if "array" in way.roles else None
    values = {**problem.values, **choices, "rng": rng, "seed": seed, "array": array}
    owner = thing
    with seeded_from(None if "rng" in way.roles else int(rng.integers(2**32))):
        for each in way.calls:
            target = getattr(owner, each.method) if each.method else owner
            returned = _called(target, each, values, rng)
            if each is not way.calls[-1] and (returned is not None or not each.method):
                owner = returned
    if returned is None and array is not None:
        return array
    if way.calls[-1].method and not pieces_in(returned) and pieces_in(owner):
        return owner
    return returned


def _called(target: Any, each: Call, values: dict[str, Any], rng: Source) -> Any:
    placed: list[Any] = []
    for given in each.given:
        if not given.name:
            placed.extend(values[given.role] if given.star else [values[given.role]])
    named = {given.name: values[given.role] for given in each.given if given.name}
    what = f"make({', '.join(_shown(given, values) for given in each.given)})"

    def run() -> Any:
        try:
            returned = target(*placed, **named)
            return list(returned) if isinstance(returned, Iterator) else returned  # yield するもの
        except AttributeError as error:
            if refused(error, rng):
                raise OtherSource(f"{what} で AttributeError が起きました: {error}") from None
            raise

    return call(what, run)


def _shown(given: Given, values: dict[str, Any]) -> str:
    value = values[given.role]
    if given.role in ("rng", "array"):
        return given.role
    return ", ".join(map(str, value)) if given.star else repr(value)
