"""本で使うデータ。パッケージに同梱してあり、ネットワークには触れない。"""

import errno
import gzip
import hashlib
import math
import os
import stat
import struct
import zlib
from functools import cache
from pathlib import Path

import numpy as np

from fumoto.hints import Array

_FOLDER = Path(__file__).parent / "data" / "mnist"

# ファイル → (展開した中身の SHA-256, 中身の形)
_MNIST_FILES = {
    "train-images-idx3-ubyte.gz": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        (60000, 28, 28),
    ),
    "train-labels-idx1-ubyte.gz": (
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        (60000,),
    ),
    "t10k-images-idx3-ubyte.gz": (
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        (10000, 28, 28),
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        (10000,),
    ),
}


class DataError(Exception):
    """データのファイルが、あるべき姿でない。"""


def mnist(folder: str | Path | None = None) -> tuple[Array, Array, Array, Array]:
    """手書き数字 MNIST を ``(x_train, t_train, x_test, t_test)`` で返す。

    ``x_train``: ``(60000, 784)`` float32、0 以上 1 以下。``t_train``: ``(60000,)`` int64、0 から 9。
    ``x_test``, ``t_test``: 同じ形式で 10000 件。``folder``: IDX ファイル 4 つの置き場所(省くと同梱のもの)。
    返す配列は読み取り専用で、1 つのプロセスで一度だけ読む。
    ファイルがない・読めない・途中で切れている・取り違え・中身が違うときは、ファイル名と理由を言う ``DataError``。
    出典: LeCun et al. (1998) doi:10.1109/5.726791

    >>> x_train, t_train, x_test, t_test = mnist()
    >>> x_train.shape, x_train.dtype.name, t_train[:8].tolist()
    ((60000, 784), 'float32', [5, 0, 4, 1, 9, 2, 1, 3])
    """
    return _load_mnist(Path(os.path.realpath(folder)) if folder is not None else _FOLDER)


@cache
def _load_mnist(folder: Path) -> tuple[Array, Array, Array, Array]:
    x_train, t_train, x_test, t_test = mnist_bytes(folder)
    return features(x_train), t_train, features(x_test), t_test


@cache
def mnist_bytes(folder: Path = _FOLDER) -> tuple[Array, Array, Array, Array]:
    """``mnist`` と同じだが、画像はファイルにあるままの、形 ``(N, 28, 28)`` の uint8(0 から 255)。場所は 4 分の 1 で済む。"""
    x_train, t_train, x_test, t_test = (_read_idx(folder / name) for name in _MNIST_FILES)
    arrays = (x_train, t_train.astype(np.int64), x_test, t_test.astype(np.int64))
    for array in arrays:
        array.setflags(write=False)
    return arrays


def features(images: Array) -> Array:
    """uint8 の画像 ``(N, 28, 28)`` を、``mnist`` の返す形 ``(N, 784)``、0 以上 1 以下の float32 にする。書き換えられない。"""
    found = np.divide(images.reshape(len(images), -1), np.float32(255), dtype=np.float32)
    found.setflags(write=False)
    return found


def _read_idx(path: Path) -> Array:
    """IDX 形式(魔法数、次元ごとの大きさ、uint8 の並び)を読み、和を確かめて配列にする。"""
    expected_sum, shape = _MNIST_FILES[path.name]
    header = struct.pack(f">I{len(shape)}I", 0x0800 | len(shape), *shape)
    length = len(header) + math.prod(shape)
    content = _decompressed(path, length + 1)
    if not content:
        raise DataError(f"{path} は空です(途中で切れています)")
    if content[: len(header)] != header:
        raise DataError(
            f"{path} の見出しが違います。別のファイルと取り違えていませんか"
            f"(あるべき形: {shape}, 先頭: {content[: len(header)].hex()})"
        )
    if len(content) != length:
        actual = f"{len(content)} バイト" + ("以上" if len(content) > length else "")
        raise DataError(f"{path} の長さが違います(あるべき長さ: {length} バイト, 実際: {actual})")
    actual_sum = hashlib.sha256(content).hexdigest()
    if actual_sum != expected_sum:
        raise DataError(f"{path} の中身が違います(SHA-256 があるべき値: {expected_sum}, 実際: {actual_sum})")
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)


def _decompressed(path: Path, most: int) -> bytes:
    """gzip のファイルを展開した、はじめの ``most`` バイトまで。あとは読まない(小さなファイルが何 GB にもなりうる)。"""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # 読み始める前に。名前つきパイプは、開くと待ち続ける
            kind = "フォルダー" if stat.S_ISDIR(mode) else "特殊なファイル"
            raise DataError(f"{path} はふつうのファイルでなければなりません({kind}です)")
        with gzip.open(path) as file:
            return file.read(most)
    except FileNotFoundError:
        raise DataError(f"{path} がありません") from None
    except NotADirectoryError:
        raise DataError(f"{path} がありません(途中の名前がフォルダーではありません)") from None
    except PermissionError:
        raise DataError(f"{path} を読む権限がありません") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path} を展開できません(途中で切れているか壊れています): {error}") from None
    except OSError as error:
        looping = error.errno == errno.ELOOP
        reason = "リンクをたどると元に戻ります" if looping else f"読み込みの誤り: {error.strerror}"
        raise DataError(f"{path} を読めません({reason})") from None
