"""もう 1 つの Python の側: 仕事を受け取り、読者のコードを走らせ、答えを返す。SymPy は読み込まない。"""

import builtins
import faulthandler
import io
import os
import pickle
import random
import sys
import warnings
from types import BuiltinFunctionType, FunctionType
from typing import Any, NoReturn

import numpy as np

from fumoto.checking.calling import safety
from fumoto.checking.calling.process import HEADER
from fumoto.checking.calling.safety import ReaderError, in_japanese

MEGABYTES = 100  # 読者のコードが印字してよい量
_ROOTS = {"numpy", "fumoto", "collections"}  # 答えに入れてよいクラスの出どころ
_BUILTINS = (complex, bytearray, set, frozenset, range, slice, BuiltinFunctionType)


def serve(gigabytes: int) -> NoReturn:
    """標準入力から仕事を 1 つずつ受け取り、標準出力に答えを返す。仕事が来なくなれば、終わる。

    読者のコードが読み書きする標準入出力は、別のものに替えておく。
    """
    jobs, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    sink = _Sink()
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.stderr = io.TextIOWrapper(io.BufferedWriter(sink), encoding="utf-8", errors="replace")
    builtins.input = _no_input
    warnings.simplefilter("ignore")
    _limit_memory(gigabytes)
    safety._inside = True
    while len(header := jobs.read(HEADER.size)) == HEADER.size:
        seconds, size = HEADER.unpack(header)
        job, sink.bytes = jobs.read(size), 0
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002  種を決めない乱数を使うコードにも、いつも同じことを言う
        faulthandler.dump_traceback_later(seconds + 1, exit=True, file=nowhere)  # 親がいなくなっても残らない
        answer = _answer(job)
        faulthandler.cancel_dump_traceback_later()
        answers.write(HEADER.pack(0.0, len(answer)) + answer)
        answers.flush()
    os._exit(0)


def _answer(job: bytes) -> bytes:
    try:
        try:
            function, arguments = pickle.loads(job)
        except Exception as error:  # この Python では読み込めないモジュール
            return _packed(("unloadable", in_japanese(error)))
        return _packed(("value", function(*arguments)))
    except ReaderError as error:
        return _packed(("error", str(error), error.variant))
    except BaseException as error:  # sys.exit() も含む
        return _packed(("error", in_japanese(error)))


def _packed(answer: tuple[Any, ...]) -> bytes:
    buffer = io.BytesIO()
    _Answers(buffer).dump(answer)
    return buffer.getvalue()


class _Answers(pickle.Pickler):
    """読者のクラスのものを ``None`` に替える。親の Python で、読者のコードが走らないように。"""

    def reducer_override(self, value: Any) -> Any:
        kind = value if issubclass(type(value), type | FunctionType) else type(value)
        known = value is kind and kind.__module__ == "builtins"
        if known or type(value) in _BUILTINS or str(kind.__module__).partition(".")[0] in _ROOTS:
            return NotImplemented
        return type(None), ()


class _Sink(io.RawIOBase):
    """印字されたものを捨てる。多すぎれば ``ReaderError``。"""

    bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.bytes += len(data)
        if self.bytes > MEGABYTES * 10**6:
            raise ReaderError(f"{MEGABYTES} MB より多く印字しました。")
        return len(data)


def _no_input(prompt: object = "") -> NoReturn:
    raise ReaderError("input() を呼びました。確かめの間は、キーボードから入力できません。")


def _limit_memory(gigabytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows にはない。時間の制限だけになる
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    try:
        resource.setrlimit(resource.RLIMIT_DATA, (gigabytes * 2**30, hard))
    except (OSError, ValueError):  # もっと厳しい制限が、もうある
        return
