"""読者のものの呼び方: どんな形で書かれていても、配列の辞書を 1 歩ずつ動かすものとして扱う。"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from fumoto.hints import Arrays


class Walker(Protocol):
    """重みを持って歩いている、読者の最適化手法 1 つ。"""

    def step(self, grads: Arrays) -> Arrays:
        """1 歩進み、いまの重みを返す。走らなければ ``ReaderError``。"""

    def state(self) -> dict[str, dict[str, Any]]:
        """``v`` や ``h`` のような名前 → キー → 配列。読者が辞書で持っていないものは、ない。"""

    def notes(self) -> tuple[str, ...]:
        """歩かせて分かった、読者に伝えること。"""

    def unseen(self) -> tuple[str, str] | None:
        """足どりには現れない間違い: (候補の表での名前, 重み)。なければ None。"""


def nothing() -> None:
    """戻すものがない。"""


@dataclass(frozen=True)
class Reading:
    """呼び方 1 つ。``how``: 読者に言う、呼び方の一文。``start(params, **hyperparameters)``: その重みから歩きはじめる。``rewind()``: 読者の関数の外に残った状態を、はじめに戻す。"""

    how: str
    start: Callable[..., Walker]
    rewind: Callable[[], None] = nothing
