"""読者の関数が返したものの中から、重みを見つける。変化なら、その向きを見る。"""

from typing import Any

import numpy as np

from fumoto.checking.calling.shapes.making import NOTHING
from fumoto.checking.calling.shapes.units import Unit


def weights_in(returned: Any, unit: Unit, last: bool) -> tuple[Any, list[Any]]:
    """返されたものの中の、重みと、それ以外。"""
    if unit.matches(returned):
        return returned, []
    if not isinstance(returned, tuple | list):
        return NOTHING, []
    items = list(returned)
    width = 2 if unit.bias is not None else 1  # (w, b, 状態…)
    places = range(len(items) - width + 1)
    for i in reversed(places) if last else places:
        part = items[i] if width == 1 else tuple(items[i : i + 2])
        if unit.matches(part):
            return part, items[:i] + items[i + width :]
    return NOTHING, items


def direction(change: Any, gradients: Any) -> float:
    """変化と勾配の、向きの比べ。"""
    if isinstance(change, dict):
        return sum(direction(c, g) for c, g in zip(change.values(), gradients.values(), strict=False))
    if isinstance(change, list | tuple):
        return sum(direction(c, g) for c, g in zip(change, gradients, strict=False))
    return float(np.sum(np.sign(change) * np.sign(gradients)))


def pour(gradients: Any, into: Any) -> None:
    """作るときに渡しておいた勾配の配列に、いまの勾配を書く。"""
    if isinstance(into, np.ndarray):
        into[...] = gradients
    else:
        for place in into if isinstance(into, dict) else range(len(into)):
            pour(gradients[place], into[place])
