"""読者の関数に渡す乱数の源。``Generator`` で走らなければ、``RandomState``、標準ライブラリの ``random.Random`` を渡す。"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from fumoto.checking.calling.safety import ReaderError

Source = Any  # Generator、RandomState、random.Random のどれか

#: 呼び名 → 種から作る関数。
SOURCES: dict[str, Callable[[int], Source]] = {
    "Generator": np.random.default_rng,
    "RandomState": np.random.RandomState,
    "random.Random": random.Random,
}


class OtherSource(ReaderError):
    """読者の関数が、渡した乱数の源にないメソッドを呼んだ。"""


def refused(error: BaseException, rng: Source) -> bool:
    """``error`` は、``rng`` にメソッドがないという誤りか。"""
    return isinstance(error, AttributeError) and error.obj is rng


@contextmanager
def seeded_from(seed: int | None) -> Iterator[None]:
    """``np.random`` や ``random`` を使う関数のために、その種を決め、終わったら元に戻す。``seed`` が None なら、何もしない。"""
    if seed is None:
        yield
        return
    before = np.random.get_state(), random.getstate()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before[0])  # noqa: NPY002
        random.setstate(before[1])
