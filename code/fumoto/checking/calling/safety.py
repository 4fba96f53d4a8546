"""読者のコードを安全に走らせる: 例外、終わらない計算、警告を、日本語の一文に直す。"""

import inspect
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

SECONDS = 10  # これだけ待っても終わらなければ、止まらないとみなす


T = TypeVar("T")


class ReaderError(Exception):
    """読者のコードを走らせられなかった理由(日本語の一文)。``variant``: 名前のある間違いなら、その名前。"""

    def __init__(self, message: str, variant: str | None = None):
        super().__init__(message)
        self.variant = variant


def within_time_limit(function: Callable[..., T], *arguments: Any) -> T:
    """``function(*arguments)`` を別のスレッドで走らせ、``SECONDS`` 秒で終わらなければ ``ReaderError``。"""
    result: list[Any] = []

    def work() -> None:
        try:
            result.append(function(*arguments))
        except BaseException as error:  # 読者のコードの sys.exit() も含む
            result.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(SECONDS)
    if not result:
        raise ReaderError(f"{SECONDS} 秒待っても終わりません。")
    if isinstance(result[0], Exception):
        raise result[0]
    if isinstance(result[0], BaseException):
        raise ReaderError(f"{type(result[0]).__name__} で Python を終わらせようとしました。")
    return result[0]


def call(what: str, function: Callable[..., T], *arguments: Any) -> T:
    """読者の ``function(*arguments)`` を呼ぶ。例外は、``what``(何をしたときか)と種類を言う ``ReaderError`` にする。"""
    try:
        with np.errstate(all="ignore"):
            return function(*arguments)
    except Exception as error:
        raise ReaderError(f"{what} で {type(error).__name__} が起きました: {error}") from None


def refused_signature(
    function: Callable[..., Any], *arguments: Any, **named: Any
) -> inspect.Signature | None:
    """``function(*arguments, **named)`` と呼べない ``function`` の、引数の並び(``Signature``)。呼べるなら None。"""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # 引数の並びの分からないもの。呼んでみるしかない
        return None
    try:
        signature.bind(*arguments, **named)
    except TypeError:
        return signature
    return None
