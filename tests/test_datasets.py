"""MNIST: what is loaded, and what is said when a file is not what it should be."""

import errno
import gzip
import os
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from fumoto import datasets
from fumoto.datasets import DataError, mnist

NAMES = list(datasets._MNIST_FILES)


@pytest.fixture
def folder(tmp_path):
    for name in NAMES:
        shutil.copy(datasets._FOLDER / name, tmp_path / name)
    return tmp_path


def test_shapes_types_and_range():
    x_train, t_train, x_test, t_test = mnist()
    assert (x_train.shape, x_train.dtype) == ((60000, 784), np.float32)
    assert (x_test.shape, x_test.dtype) == ((10000, 784), np.float32)
    assert (t_train.shape, t_train.dtype) == ((60000,), np.int64)
    assert (t_test.shape, t_test.dtype) == ((10000,), np.int64)
    assert x_train.min() == x_test.min() == 0
    assert x_train.max() == x_test.max() == 1
    assert set(t_train) == set(t_test) == set(range(10))


def test_is_loaded_once_and_cannot_be_spoiled():
    assert mnist()[0] is mnist()[0]
    with pytest.raises(ValueError, match="read-only"):
        mnist()[0][0, 0] = 1


def test_no_pickle_is_used():
    source = Path(datasets.__file__).read_text(encoding="utf-8")
    assert "pickle" not in source
    assert "np.load" not in source


def test_missing_file_is_named(folder):
    (folder / NAMES[2]).unlink()
    with pytest.raises(DataError, match=f"{NAMES[2]} がありません"):
        mnist(folder)


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match="がありません"):
        mnist(tmp_path / "nowhere")


def test_truncated_archive_is_named(folder):
    content = (folder / NAMES[0]).read_bytes()
    (folder / NAMES[0]).write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=f"{NAMES[0]} を展開できません"):
        mnist(folder)


def test_empty_file_is_named(folder):
    (folder / NAMES[0]).write_bytes(b"")
    with pytest.raises(DataError, match=f"{NAMES[0]} は空です"):
        mnist(folder)


def test_not_an_archive_is_named(folder):
    (folder / NAMES[1]).write_bytes(b"<html>not found</html>")
    with pytest.raises(DataError, match=f"{NAMES[1]} を展開できません"):
        mnist(folder)


def test_truncated_content_is_named(folder):
    content = gzip.decompress((folder / NAMES[3]).read_bytes())
    (folder / NAMES[3]).write_bytes(gzip.compress(content[:-1]))
    with pytest.raises(DataError, match=f"{NAMES[3]} の長さが違います.*10008.*10007"):
        mnist(folder)


def test_swapped_files_are_named(folder):
    shutil.copy(datasets._FOLDER / NAMES[2], folder / NAMES[0])
    with pytest.raises(DataError, match=f"{NAMES[0]} の見出しが違います"):
        mnist(folder)


def test_altered_content_is_named(folder):
    content = bytearray(gzip.decompress((folder / NAMES[1]).read_bytes()))
    content[100] ^= 1
    (folder / NAMES[1]).write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(DataError, match=f"{NAMES[1]} の中身が違います"):
        mnist(folder)


# --- a file that is not what it should be, in any way -------------------------------------------------------


def test_no_more_than_promised_is_unpacked(folder):
    """0.1 MB that would be 100 MB: one byte more than promised tells that it is too long."""
    header = gzip.decompress((folder / NAMES[3]).read_bytes())[:8]
    with gzip.open(folder / NAMES[3], "wb", compresslevel=9) as file:
        file.write(header)
        for _ in range(100):
            file.write(bytes(1_000_000))
    assert (folder / NAMES[3]).stat().st_size < 200_000
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=f"{NAMES[3]} の長さが違います.*10008 .*10009 バイト以上"):
            datasets._read_idx(folder / NAMES[3])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


def test_one_byte_too_many_is_named(folder):
    content = gzip.decompress((folder / NAMES[3]).read_bytes())
    (folder / NAMES[3]).write_bytes(gzip.compress(content + b"0"))
    with pytest.raises(DataError, match=f"{NAMES[3]} の長さが違います.*10009"):
        mnist(folder)


def replaced_by_folder(path):
    path.mkdir()


def replaced_by_loop(path):
    path.symlink_to(path)


def replaced_by_pipe(path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes on this system")
    os.mkfifo(path)


def replaced_by_a_link_to_nothing(path):
    path.symlink_to(path.with_name("nothing"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (replaced_by_folder, "ふつうのファイルでなければなりません(フォルダーです)"),
        (replaced_by_loop, "を読めません(リンクをたどると元に戻ります)"),
        (replaced_by_pipe, "ふつうのファイルでなければなりません(特殊なファイルです)"),
        (replaced_by_a_link_to_nothing, "がありません"),
        (lambda path: path.write_bytes(gzip.compress(b"")), "は空です"),
        (lambda path: path.write_bytes(gzip.compress(bytes(10008))), "の見出しが違います"),  # no magic number
        (
            lambda path: path.write_bytes(
                gzip.compress(b"\0\0\x08\x01\0\0\0\x09" + bytes(10000))
            ),  # 9 labels
            "の見出しが違います",
        ),
        (lambda path: path.write_bytes(gzip.compress(bytes(10008))[:-9]), "を展開できません"),
        (lambda path: path.write_bytes(b"\x1f\x8b\x08"), "を展開できません"),
    ],
)
def test_what_stands_in_the_place_of_the_file_is_named(folder, spoil, message):
    (folder / NAMES[3]).unlink()
    spoil(folder / NAMES[3])
    with pytest.raises(DataError) as caught:
        mnist(folder)
    assert NAMES[3] in str(caught.value) and message in str(caught.value)


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.EACCES, "を読む権限がありません"), (errno.EIO, "を読めません(読み込みの誤り: ")],
)
def test_a_file_that_cannot_be_read_is_named(folder, monkeypatch, number, message):
    def refuse(path):  # root may read everything, so a mode of 000 would not do
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(datasets.gzip, "open", refuse)
    with pytest.raises(DataError) as caught:
        mnist(folder)
    assert NAMES[0] in str(caught.value) and message in str(caught.value)


def test_a_loop_or_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(DataError, match="リンクをたどると元に戻ります"):
        mnist(tmp_path / "loop")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="途中の名前がフォルダーではありません"):
        mnist(tmp_path / "file")
