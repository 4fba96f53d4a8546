"""入力の並べ方: 標本×列、画像、列×標本。問題はどれも 標本×列 で、読者に渡すときに並べ替え、返ったものを戻す。"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fumoto.checking.calling.shapes.making import look
from fumoto.checking.computing.batchnorm import (
    IMAGE_PROBLEMS,
    PROBLEMS,
    Problem,
    image_problems_of,
    problems_of,
)
from fumoto.hints import Array, Shape


@dataclass(frozen=True)
class Layout:
    """並べ方 1 つ。``words``: それを言う言葉。``turned``: 行を読者の並べ方に。``restored``: その逆。``shape``: 列の数 → γ の形。"""

    words: str
    turned: Callable[[Array, Problem], Array]
    restored: Callable[[Array, Problem], Array]
    shape: Callable[[int], Shape]
    images: bool = False

    def problems(self, columns: int | None) -> tuple[Problem, ...]:
        """列の数が ``columns``(どれでもよければ None)の問題。"""
        if columns is None:
            return IMAGE_PROBLEMS if self.images else PROBLEMS
        return image_problems_of(columns) if self.images else problems_of(columns)


def _same(array: Array, problem: Problem) -> Array:
    return array.copy()


def _channels_last(rows: Array, problem: Problem) -> Array:
    assert problem.image is not None
    return rows.reshape(*problem.image, -1).copy()


def _pixels(images: Array, problem: Problem) -> Array:
    return images.reshape(-1, images.shape[-1])


def _channels_first(rows: Array, problem: Problem) -> Array:
    return np.ascontiguousarray(_channels_last(rows, problem).transpose(0, 3, 1, 2))


def _pixels_of_channels(images: Array, problem: Problem) -> Array:
    return _pixels(images.transpose(0, 2, 3, 1), problem)


def _transposed(array: Array, problem: Problem) -> Array:
    return np.ascontiguousarray(array.T)


def _flat(columns: int) -> Shape:
    return (columns,)


def _upright(columns: int) -> Shape:
    return (columns, 1)


def _spread(columns: int) -> Shape:
    return (1, columns, 1, 1)


ROWS = Layout("", _same, _same, _flat)
COLUMNS = Layout("列×標本 の配列を渡し、", _transposed, _transposed, _upright)
_FIRST = "画像 (枚数, チャンネル, 高さ, 幅) を渡し、"
IMAGES = (
    Layout(_FIRST, _channels_first, _pixels_of_channels, _flat, images=True),
    Layout(_FIRST, _channels_first, _pixels_of_channels, _spread, images=True),
    Layout(
        "画像 (枚数, 高さ, 幅, チャンネル) を渡し、", _channels_last, _pixels, _flat, images=True
    ),
)
#: どれで動くかを試す順。
LAYOUTS = (ROWS, *IMAGES)
_COLUMNS_FIRST = re.compile(
    r"\(\s*(units|features|n_?features|d|dim|n_?x|n\[l\]|n_?l|hidden\w*|neurons|layer_?size|channels|列\w*|特徴\w*)\s*,"
    r"\s*(examples|samples|m|n|n_?samples|batch(_?size)?|b|データ\w*|標本\w*|枚数)\s*\)|column per (example|sample)",
    re.IGNORECASE,
)


def layouts_for(thing: Any) -> tuple[Layout, ...]:
    """``thing`` で試す並べ方。説明に (units, examples) のような形が書いてあれば、列×標本 を先に。"""
    return (COLUMNS, *LAYOUTS) if _COLUMNS_FIRST.search(str(look(thing, "__doc__"))) else LAYOUTS
