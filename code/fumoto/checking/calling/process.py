"""読者のコードを走らせる、もう 1 つの Python: 始め、仕事を送り、答えを受け取り、終わらせる。

``python -c`` で始める。0.1 秒で始まり、SymPy を読み込まず、呼んだ側のスクリプトを読み直さない(``__main__`` の守りが要らない)。
joblib の loky は、はじめの 1 回に 0.7 秒かかり、終わらない計算を途中で止められない。
"""

import io
import os
import pickle
import signal
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

HEADER = struct.Struct("<dQ")  # 待つ秒数と、続くバイト数
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg", **_ONE_THREAD}  # いつも同じ順、窓を開かない
_DISTRIBUTED = {"site-packages", "dist-packages"}

Process = subprocess.Popen  # 型の名前


def start(gigabytes: int) -> "Process[bytes]":
    """仕事を待つ Python を始める。始まるのは待たない。始められなければ ``OSError``。"""
    from fumoto.checking.calling.child import serve

    if not sys.executable:  # ほかのプログラムに組み込まれた Python
        raise OSError
    path = [folder for folder in sys.path if isinstance(folder, str)]
    program = (
        f"import sys; sys.path[:] = {path!a}\n"
        f"from {serve.__module__} import {serve.__name__}; {serve.__name__}({gigabytes})"
    )
    return subprocess.Popen(
        [sys.executable, "-P", "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **_ENVIRONMENT},
        start_new_session=True,  # 読者のコードが始めたものも、まとめて終わらせられるように
    )


def ask(process: "Process[bytes]", job: bytes, seconds: float) -> tuple[Any, ...]:
    """仕事を送り、答えを待つ。途中で死ねば ``EOFError`` か ``OSError``。``seconds``: この後は、向こうも自分で死ぬ。"""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(HEADER.pack(seconds, len(job)) + job)
    process.stdin.flush()
    header = process.stdout.read(HEADER.size)
    if len(header) < HEADER.size:
        raise EOFError
    _, size = HEADER.unpack(header)
    answer = process.stdout.read(size)
    if len(answer) < size:
        raise EOFError
    return pickle.loads(answer)


def how_it_died(process: "Process[bytes]") -> str:
    """答えずに死んだわけを言う一文。"""
    try:
        code = process.wait(1.0)
    except subprocess.TimeoutExpired:  # 答えの口だけを閉じた
        return "確かめを続けられなくなりました(標準出力などを閉じていませんか)。"
    if code >= 0:
        return f"途中で Python を終わらせました(os._exit など。終了コード {code})。"
    with suppress(ValueError):
        return f"途中で Python が死にました({signal.Signals(-code).name})。再帰が深すぎるか、メモリの外に書いています。"
    return f"途中で Python が死にました(終了コード {code})。"


def end(process: "Process[bytes]") -> None:
    """終わらせる。読者のコードが始めたプロセスも、残さない。"""
    if hasattr(os, "killpg"):
        with suppress(OSError):  # もう誰もいない
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(OSError):
        process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):
            if pipe is not None:
                pipe.close()


def packed(thing: Any) -> bytes:
    """``thing`` を、もう 1 つの Python が読めるバイト列にする。読者の書いたモジュールは、読み直さずに、中身を送る。

    読み直すと、そのファイルの終わりにある ``check(...)`` が、また走ってしまう。送れないものなら、いろいろな例外が起きる。
    """
    import cloudpickle  # 読み込みに 20 ミリ秒かかるので、使うときまで待つ

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, value: Any) -> Any:
            if type(value).__name__ in ("ExitAutocall", "ZMQExitAutocall"):  # ノートブックの exit
                return getattr, (sys.modules["builtins"], "exit")
            return super().reducer_override(value)

    known = cloudpickle.list_registry_pickle_by_value()
    own = [module for module in _readers_modules() if module.__name__ not in known]
    buffer = io.BytesIO()
    for module in own:
        cloudpickle.register_pickle_by_value(module)
    try:
        Pickler(buffer).dump(thing)
    finally:
        for module in own:
            cloudpickle.unregister_pickle_by_value(module)
    return buffer.getvalue()


def _readers_modules() -> list[ModuleType]:
    """読み込まれているモジュールのうち、Python にもライブラリにも、この本にも属さないもの。"""
    ours = Path(__file__).resolve().parents[2]
    homes = (str(Path(os.__file__).parent), str(ours))
    found = []
    for name, module in list(sys.modules.items()):
        if not isinstance(module, ModuleType) or name == "__main__":
            continue
        inside = object.__getattribute__(module, "__dict__")  # 遅れて読み込まれるモジュールを、起こさない
        file = inside.get("__file__")
        if not isinstance(file, str) or inside.get("__name__") != name or file.startswith(homes):
            continue
        if not _DISTRIBUTED & set(Path(file).parts):
            found.append(module)
    return found
