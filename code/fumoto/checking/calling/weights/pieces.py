"""返されたものの中の、重みとバイアスの組を、順に取り出す: 配列、(W, b)、辞書、リスト、層やネットワーク。"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fumoto.checking.calling.shapes.visible import attributes
from fumoto.hints import Array

_NAMED = re.compile(  # 「W1」「layer1.weight」「b_hidden」。どの層のものかは、残りの部分で決まる
    r"(?:(?P<before>.*)[._/ ])?"
    r"(?:(?P<weight>w|weights?|kernels?|theta|filters?|coefs?|重み)|b|bias|biases|intercepts?|バイアス)"
    r"(?P<after>\d\w*|[._ ]\w+)?_?",
    re.I,
)
_NOT_WEIGHTS = re.compile(
    r"d[A-Z]\w*|.*(grad|cache|velocit|moment|optim|hist|mask).*|[vm]|loss\w*", re.I | re.A
)
_DEEPEST = 5  # 層の入った辞書の入ったネットワークより深くは、たどらない


@dataclass(frozen=True)
class Piece:
    """重みと、一緒にあったバイアス。どちらも、読者の持つものそのまま。"""

    W: Any
    b: Any = None
    name: str = ""
    bias_name: str = ""


def pieces_in(value: Any) -> list[Piece]:
    """``value`` の中の、重みとバイアスの組。なければ空。

    >>> W1, W2, b = np.ones((2, 3)), np.ones((3, 4)), np.zeros(3)
    >>> [(piece.name, piece.bias_name) for piece in pieces_in({"W1": W1, "b1": b, "W2": W2})]
    [('W1', 'b1'), ('W2', '')]
    >>> [piece.name for piece in pieces_in([(W1, b), (W2, None)])]
    ['[0]', '[1]']
    """
    found: dict[int, Piece] = {}  # 同じ配列を、辞書と層の両方が持っていることがある
    for piece in _inside(value, "", _DEEPEST):
        found.setdefault(id(piece.W), piece)
    return list(found.values())


def _inside(value: Any, name: str, depth: int) -> Iterator[Piece]:
    if _is_weights(value):
        yield Piece(value, name=name)
    elif (
        depth == 0
        or isinstance(value, str | bytes | type | np.ndarray)
        or callable(getattr(value, "random", None))
    ):
        return
    elif isinstance(value, Mapping):
        yield from _in_mapping(value, name, depth)
    elif isinstance(value, tuple | list):
        yield from _in_sequence(value, name, depth)
    else:
        yield from _in_mapping(attributes(value), name, depth)


def _in_mapping(value: Mapping[Any, Any], name: str, depth: int) -> Iterator[Piece]:
    usable = {str(k): v for k, v in value.items() if not _NOT_WEIGHTS.fullmatch(str(k))}
    weights: dict[tuple[str, str], str] = {}  # どの層か → 名前
    biases: dict[tuple[str, str], str] = {}
    for key in usable:
        if match := _NAMED.fullmatch(key):
            place = match["before"] or "", (match["after"] or "").strip("._ ")
            (weights if match["weight"] else biases).setdefault(place, key)
    prefix = f"{name}." if name else ""
    for place, key in _in_order(weights):
        bias_key = biases.get(place, "")
        W, b = usable[key], usable.get(bias_key)
        if _is_weights(W):
            yield Piece(W, b, prefix + key, prefix + bias_key if bias_key else "")
        elif isinstance(W, tuple | list | Mapping):
            together = _two_lists(W, b) if b is not None else None
            yield from together if together is not None else _inside(W, prefix + key, depth - 1)
    for key, inner in usable.items():
        if key not in weights.values() and key not in biases.values():
            yield from _inside(inner, prefix + key, depth - 1)


def _in_order(places: dict[tuple[str, str], str]) -> Iterable[tuple[tuple[str, str], str]]:
    """番号がついていれば、番号の順。"""
    if all(after.isdigit() for _, after in places):
        return sorted(places.items(), key=lambda item: int(item[0][1]))
    return places.items()


def _in_sequence(items: tuple[Any, ...] | list[Any], name: str, depth: int) -> Iterator[Piece]:
    if len(items) == 2 and (together := _two_lists(*items)) is not None:
        yield from together
        return
    i = 0
    while i < len(items):
        W, b = items[i], items[i + 1] if i + 1 < len(items) else None
        here = f"{name}[{i}]" if len(items) > 1 or name else ""
        pair = len(items) == 2 and i == 0
        if _is_weights(W) and (is_bias(b) or (pair and b is None)):
            yield Piece(
                W,
                b,
                name if pair else here,
                (f"{name} の b" if name else "b") if pair else f"{name}[{i + 1}]",
            )
            i += 2
        else:
            yield from _inside(W, here, depth - 1)
            i += 1


def _two_lists(first: Any, second: Any) -> list[Piece] | None:
    """重みのリストと、バイアスのリスト(か辞書)。そうでなければ None。"""
    pair = [list(each.values()) if isinstance(each, Mapping) else each for each in (first, second)]
    if (
        not all(isinstance(each, tuple | list) for each in pair)
        or len(pair[0]) != len(pair[1])
        or not pair[0]
    ):
        return None
    if not (all(map(_is_weights, pair[0])) and all(map(is_bias, pair[1]))):
        return None
    return [Piece(W, b, f"重み[{i}]", f"バイアス[{i}]") for i, (W, b) in enumerate(zip(*pair, strict=True))]


def _is_weights(value: Any) -> bool:
    array = as_array(value)
    return array is not None and array.ndim in (2, 4) and min(array.shape) > 1


def is_bias(value: Any) -> bool:
    """バイアスらしいか: 1 列に並んだ数か、数 1 つ。"""
    array = as_array(value)
    return array is not None and array.ndim <= 2 and (array.ndim < 2 or min(array.shape) == 1)


def as_array(value: Any) -> Array | None:
    """数の配列か、数のリスト(のリスト)なら、その写し。"""
    if isinstance(value, tuple | list):
        rows = [row for row in value if isinstance(row, tuple | list | np.ndarray)]
        if any(np.ndim(row[0]) for row in rows if len(row)) or (rows and len(rows) != len(value)):
            return None
    elif not isinstance(value, np.ndarray | float | int | np.generic) or isinstance(value, bool):
        return None
    try:
        array = np.array(value)
    except Exception:  # 長さの違う行
        return None
    return array if array.dtype.kind in "fiu" else None
