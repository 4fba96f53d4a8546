"""読者の実装を、印刷された式と突き合わせる: 最適化手法、重みの初期値、Batch Normalization。

読者の実装と、ページの式だけから作ったものを、同じ入力で動かして比べる。違えば、式の書き間違いを 1 つずつ試し、
読者の数値を再現するものがあれば名前を言う。動かした以上のことは言わない。

どれも 3 つの問いからできている。どう呼ぶか(``calling``)、何を計算するか(``computing``)、違うなら何であるはずか(``candidates``)。
最適化手法では、もう 1 つ聞く。どこを直せばよいか(``repairing``)。
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fumoto.checking.batchnorm import check_batchnorm
    from fumoto.checking.initializer import check_initializer
    from fumoto.checking.optimizer import check
    from fumoto.checking.report import Report

__all__ = ["Report", "check", "check_batchnorm", "check_initializer"]

_HOMES = {
    "Report": "report",
    "check": "optimizer",
    "check_batchnorm": "batchnorm",
    "check_initializer": "initializer",
}


def __getattr__(name: str) -> Any:
    # 読者のコードを走らせる Python(calling の child)が、SymPy を読み込まずに済むように、使うときまで待つ
    if name in _HOMES:
        return getattr(import_module(f"fumoto.checking.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'fumoto.checking' has no attribute {name!r}")
