"""付録「速さの見取り図」: ``make bench`` が測った結果を読む。ここでは何も測らない。

結果は、部分(``step``, ``update``, ``comparison``, ``build``)の名前で引く辞書である。
測った時間は ``{"low", "median", "high"}``(下の四分位、中央値、上の四分位)で、
``step`` と ``update`` ではミリ秒、``comparison`` と ``build`` では秒である。
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[1] / "data" / "speed.json"
Measured = dict[str, Any]  # JSON の辞書
PARTS = ("products", "batch", "rest", "update", "loop")  # 1 ステップの内訳


def results(path: Path | None = None) -> Measured:
    """測った結果の全部。``path``: 結果のファイル(省くと同梱のもの)。"""
    return json.loads((path or DATA).read_text(encoding="utf-8"))


def parts_sum(step: Measured, name: str) -> float:
    """手法 ``name`` の内訳の中央値を足した時間(ミリ秒)。"""
    return sum(step["parts"][name][part]["median"] for part in PARTS)


def torch_series(section: Measured) -> dict[tuple[str, int], Measured]:
    """PyTorch の結果を ``(作り方, スレッドの数) → 手法 → 時間`` に並べる。測っていなければ空。"""
    return {
        (kind, int(threads)): times
        for kind, groups in section["torch"].items()
        for threads, times in groups.items()
    }


@dataclass(frozen=True)
class Traffic:
    """1 回の更新とメモリーの行き来。

    ``item_bytes``: 重み 1 つにつき、少なくとも行き来するバイト数。``gigabytes``: それを時間で割った、毎秒の GB。
    ``share``: 写しの毎秒の GB に対する割合。``limit``: 写しと同じ速さで行き来したときの時間(ミリ秒)。
    """

    item_bytes: int
    gigabytes: float
    share: float
    limit: float


def traffic(update: Measured) -> dict[str, Traffic]:
    """手法 → ``Traffic``。"""
    found = {}
    for name, moved in update["bytes"].items():
        limit = update["copy"]["median"] * moved / update["copy_bytes"]
        time = update["methods"][name]["median"]
        found[name] = Traffic(moved // update["elements"], _gigabytes(moved, time), limit / time, limit)
    return found


def copy_gigabytes(update: Measured) -> float:
    """配列を写すときに行き来する、毎秒の GB(読む分と書く分の和)。"""
    return _gigabytes(update["copy_bytes"], update["copy"]["median"])


def _gigabytes(moved: float, milliseconds: float) -> float:
    return moved / (milliseconds * 1e-3) / 1e9


def unblocked_ratio(update: Measured) -> float:
    """Adam の更新で、区切らないときの時間が、``BLOCK`` 個ずつに区切ったときの何倍か。"""
    return _ratio(update["blocks"], str(update["elements"]), str(update["block"]))


def arrays_ratio(step: Measured, name: str) -> float:
    """手法 ``name`` の更新で、配列ごとに行う時間が、1 本の配列で行う時間の何倍か。"""
    return _ratio(step["arrays"][name], "many", "one")


def speedup(comparison: Measured) -> float:
    """MNIST の比較で、1 プロセスの時間が、2 プロセスの時間の何倍か。"""
    return _ratio(comparison["processes"], "1", "2")


def _ratio(times: Measured, numerator: str, denominator: str) -> float:
    return times[numerator]["median"] / times[denominator]["median"]
