"""名前のない読者のものが、どの手法かを見分ける: どの手法の式と同じ動きをするか、なければどれに最も近いか。"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from fumoto.checking.calling.values import normal
from fumoto.checking.candidates.optimizer import convention
from fumoto.checking.computing.comparison import Comparison
from fumoto.checking.computing.constants import changes, completed, follows, found_out, measured, missing
from fumoto.printed.methods import EVERY_METHOD, Method


@dataclass(frozen=True)
class Agreement:
    """式と同じ動きをするという結論。``reader``: 値のそろったもの。``convention``: 別の書き方なら、その説明。"""

    reader: Comparison
    convention: str | None = None


GUESSED = 0.02  # 補った値 1 つを、これだけ遠いとみなす
MOST = 24  # 別の書き方を試す、値の組み合わせの数
Test = Callable[[Comparison], Agreement | None]  # 同じ動きをするかの調べ方


def exact(reader: Comparison) -> Agreement | None:
    """``reader`` の手法の式と、最後まで同じ動きをするか。分からない値は、よく使われる値で補う。"""
    found = found_out(reader, follows)
    return Agreement(found[0]) if found else None


def conventional(reader: Comparison) -> Agreement | None:
    """``reader`` の手法の、別の書き方と同じ動きをするか。"""
    found = found_out(reader, convention, MOST)
    return Agreement(*found) if found else None


def numerical(reader: Comparison) -> Agreement | None:
    """分からない値を数値的に求めれば、式と同じ動きをするか。"""
    found = measured(reader, follows)
    return Agreement(found[0]) if found else None


def agreement(
    reader: Comparison, tests: tuple[Test, ...] = (exact, conventional, numerical)
) -> Agreement | None:
    """``reader`` の手法の式か、その別の書き方と、最後まで同じ動きをするか。"""
    try:
        return next((found for test in tests if (found := test(reader)) is not None), None)
    except (KeyError, ValueError):  # 行列の手法を、行列でない重みで動かせない
        return None


def recognised(
    readers: list[Comparison], title: str = "", tests: tuple[Test, ...] = (exact, conventional, numerical)
) -> Agreement | None:
    """どの手法か。名前に手法の名前が入っていれば、その手法を先に試す。あとは簡単な手法から。"""
    method = hinted(title)
    hinted_at = [reader for reader in readers if reader.method is method]
    for reader in hinted_at:
        if (found := agreement(reader, tests)) is not None:
            return found
    every = (agreement(reader, (test,)) for test in tests for reader in readers if reader not in hinted_at)
    return next((found for found in every if found is not None), None)


_NAMES = {name: normal(name) for name in EVERY_METHOD}


def hinted(title: str) -> Method | None:
    """クラスや関数の名前に入っている、手法の名前。いくつもあれば、いちばん長いもの。

    >>> hinted("MyAdamW_v2").name, hinted("adam_wrong").name, hinted("sgd_with_momentum").name, hinted("Optimizer")
    ('AdamW', 'Adam', 'Momentum', None)
    """
    words = [normal(word) for word in re.findall(r"[A-Z]*[a-z]+|[A-Z]+", title)]
    joined = {"".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1)}
    found = [name for name, plain in _NAMES.items() if plain in joined]
    found = found or [name for name, plain in _NAMES.items() if plain in normal(title)]
    return EVERY_METHOD[max(found, key=len)] if found else None


def nearest(readers: Iterable[Comparison]) -> Comparison:
    """はじめの数歩の変化の大きさが、最も近い手法。同じくらいなら、値を補わずに済むもの。"""
    return min(readers, key=lambda reader: _distance(reader) + GUESSED * len(missing(reader)))


def _distance(reader: Comparison) -> float:
    try:
        complete = next(completed(reader), None)
        if complete is None:
            return 1.0
        yours, printed = map(np.concatenate, changes(complete, complete.hyperparameters, steps=5))
    except (KeyError, ValueError):
        return 1.0
    size = abs(yours) + abs(printed)
    if not np.any(size > 0):
        return 1.0
    either = [abs(yours - printed), abs(yours + printed)]  # 向きが逆でも、手法の見当はつく
    return min(
        float(np.mean(np.nan_to_num(each[size > 0] / size[size > 0], nan=1.0, posinf=1.0))) for each in either
    )
