"""MNIST: what is loaded, and what is said when a file is not what it should be."""

import gzip
import shutil
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
