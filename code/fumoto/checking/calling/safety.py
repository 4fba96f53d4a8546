"""読者のコードを安全に走らせる: 別のプロセスで走らせ、例外や終わらない計算を、日本語の一文に直す。

``@one_check`` のついた関数 1 回につき、プロセスは 1 つ、待つ時間は全部で ``SECONDS`` 秒である。別のプロセスに送れないものは、
この Python の別のスレッドで走らせ、そのことを結果に書く。
"""

import inspect
import pickle
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from fumoto.checking.calling import process

if TYPE_CHECKING:
    from fumoto.checking.report import Report

SECONDS = 9.0  # 1 回の確かめで、読者のコードを待つ時間。これで終わらなければ、止まらないとみなす
GIGABYTES = 1  # 読者のコードが使ってよいメモリ
LONGEST = 300  # 読者の例外の説明を、ここまで写す(文字)
IN_A_THREAD = "別のプロセスに送れないものがあったので、この Python の中で走らせました。"

_inside = False  # もう 1 つの Python の中か。そこから、さらにもう 1 つは始めない

P = ParamSpec("P")
T = TypeVar("T")


class ReaderError(Exception):
    """読者のコードを走らせられなかった理由(日本語の一文)。``variant``: 名前のある間違いなら、その名前。"""

    def __init__(self, message: str, variant: str | None = None):
        super().__init__(message)
        self.variant = variant


def within_time_limit(function: Callable[..., T], *arguments: Any) -> T:
    """``function(*arguments)`` を別のプロセスで走らせた値。走らないか、時間の中に終わらなければ ``ReaderError``。

    値に入れてよいのは、数、文字列、配列、この本のクラスと、それを並べたもの。読者のクラスのものは ``None`` になる。

    >>> within_time_limit(divmod, 7, 3)
    (2, 1)
    >>> within_time_limit(exit)
    Traceback (most recent call last):
    fumoto.checking.calling.safety.ReaderError: SystemExit で Python を終わらせようとしました。
    """
    with workplace() as place:
        return place.run(function, *arguments)


def one_check(check: "Callable[P, Report]") -> "Callable[P, Report]":
    """確かめ 1 回。読者のコードを走らせるプロセスを始めてから ``check`` を呼び、終わったら片づける。"""

    @wraps(check)
    def timed(*args: P.args, **kwargs: P.kwargs) -> "Report":
        with workplace() as place:
            place.begin()
            report = check(*args, **kwargs)
            return replace(report, notes=(*report.notes, *place.notes)) if place.notes else report

    return timed


@contextmanager
def workplace() -> "Iterator[_Workplace]":
    """読者のコードを走らせる場所。入れ子なら、外側と同じ場所。出るときに、走っているものを終わらせる。"""
    if (outer := _here.get()) is not None:
        yield outer
        return
    place = _Workplace()
    token = _here.set(place)
    try:
        yield place
    finally:
        _here.reset(token)
        place.close()


class _Workplace:
    """プロセス 1 つと、読者のコードを待つ時間の残り。プロセスは、終わらないか途中で死ねば、次に要るときに作り直す。"""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.begin()

    def begin(self, seconds: float | None = None) -> None:
        """読者のコードを全部で ``seconds`` 秒(省くと ``SECONDS``)待つことにし、プロセスを始めておく。始まるのは待たない。"""
        self.seconds = self.budget = SECONDS if seconds is None else seconds
        self.notes = tuple[str, ...]()
        self._start()

    def _start(self) -> None:
        if self.process is None and not _inside:
            with suppress(OSError):  # プロセスを始められない環境では、スレッドで走らせる
                self.process = process.start(GIGABYTES)

    def run(self, function: Callable[..., T], *arguments: Any) -> T:
        self.deadline = time.monotonic() + self.budget
        try:
            return self._elsewhere(function, arguments)
        except TimeoutError:
            self.close()
            raise ReaderError(f"{self.seconds:g} 秒待っても終わりません。") from None
        finally:  # 走らせている間だけを計る
            self.budget = self.deadline - time.monotonic()

    def _elsewhere(self, function: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        try:
            job = in_a_thread(self._left(), process.packed, (function, arguments))
        except (TimeoutError, ReaderError):
            raise
        except Exception:  # 鍵や、開いたファイルを持っている
            return self._in_this_python(function, arguments)
        self._start()
        if self.process is None:
            return self._in_this_python(function, arguments)
        left = self._left()
        try:
            kind, *answer = in_a_thread(left, process.ask, self.process, job, left)
        except TimeoutError:
            raise
        except (EOFError, OSError, pickle.UnpicklingError):
            how = process.how_it_died(self.process)
            self.close()
            raise ReaderError(how) from None
        if kind == "unloadable":
            return self._in_this_python(function, arguments)
        if kind == "error":
            raise ReaderError(*answer)
        return answer[0]

    def _in_this_python(self, function: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        self.notes = (IN_A_THREAD,)
        try:
            return in_a_thread(self._left(), function, *arguments)
        except (TimeoutError, ReaderError):
            raise
        except Exception as error:
            raise ReaderError(f"{in_japanese(error)}") from None

    def _left(self) -> float:
        if (left := self.deadline - time.monotonic()) <= 0:
            raise TimeoutError
        return left

    def close(self) -> None:
        if self.process is not None:
            process.end(self.process)
        self.process = None


_here: ContextVar[_Workplace | None] = ContextVar("_here", default=None)


def in_a_thread(seconds: float, function: Callable[..., T], *arguments: Any) -> T:
    """``function(*arguments)`` を別のスレッドで走らせた値。``seconds`` 秒で終わらなければ ``TimeoutError``。"""
    outcome: list[Any] = []

    def work() -> None:
        try:
            outcome.append((function(*arguments), None))
        except BaseException as error:  # 読者のコードの sys.exit() も含む
            outcome.append((None, error))

    thread = threading.Thread(target=work, daemon=True)
    try:
        thread.start()
        thread.join(seconds)
    except RuntimeError:  # スレッドのない環境(ブラウザーの中)
        work()
    if not outcome:
        raise TimeoutError
    value, error = outcome[0]
    if isinstance(error, Exception):
        raise error
    if error is not None:
        raise ReaderError(in_japanese(error))
    return value


@contextmanager
def in_the_meantime(function: Callable[..., T], *arguments: Any) -> "Iterator[Future[T]]":
    """``with`` の中のことをする間に、``function(*arguments)`` を別のスレッドで始める。出るときには、終わっている。"""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(copy_context().run, function, *arguments)


def is_inside() -> bool:
    """読者のコードを走らせるための、もう 1 つの Python の中か。"""
    return _inside


def call(what: str, function: Callable[..., T], *arguments: Any) -> T:
    """読者の ``function(*arguments)`` を呼ぶ。例外は、``what``(何をしたときか)と種類を言う ``ReaderError`` にする。"""
    try:
        with np.errstate(all="ignore"):
            return function(*arguments)
    except ReaderError:
        raise
    except Exception as error:
        raise ReaderError(f"{what} で {in_japanese(error)}") from None


def in_japanese(error: BaseException) -> str:
    """読者のコードの例外を言う一文。

    >>> in_japanese(KeyError("W1"))
    "KeyError が起きました: 'W1'"
    """
    name = type(error).__name__
    if not isinstance(error, Exception):
        return f"{name} で Python を終わらせようとしました。"
    if isinstance(error, MemoryError):
        return f"{name} が起きました: 使えるメモリは {GIGABYTES} GB までです。"
    if isinstance(error, RecursionError):
        return f"{name} が起きました: 関数が自分自身を呼び続けています。"
    try:
        text = " ".join(str(error).split())
    except BaseException:  # __str__ が例外を起こす例外
        text = "(説明を読めません)"
    return f"{name} が起きました: {text if len(text) <= LONGEST else text[:LONGEST] + '…'}"


def refused_signature(
    function: Callable[..., Any], *arguments: Any, **named: Any
) -> inspect.Signature | None:
    """``function(*arguments, **named)`` と呼べない ``function`` の、引数の並び(``Signature``)。呼べるなら None。"""
    try:
        signature = inspect.signature(function)
    except Exception:  # 引数の並びの分からないもの。呼んでみるしかない
        return None
    try:
        signature.bind(*arguments, **named)
    except TypeError:
        return signature
    return None
