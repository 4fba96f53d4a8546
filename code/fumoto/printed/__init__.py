"""印刷された式: 本のページから読み、計算し、書き間違え、JavaScript にする。

使うものは、どれも ``from fumoto.printed import read`` のように、ここから読み込める。中は次のように分かれている。

式を読む
    - ``pages``: 本のページから、印刷された式を読み出す(``read``)
    - ``parsing``: LaTeX の式を、SymPy の式にする(``parse``)
    - ``tokens``: LaTeX の式を記号や命令に切り分ける。人と読み方の分かれる書き方は断る
    - ``symbols``: 印刷された記号と、Python から使うときの名前
    - ``domains``: 記号の取りうる値。``% domain:`` の行(``Domain``)
    - ``claims``: 文章の主張。``% claim:`` の行(``Claim``)
    - ``errors``: 読めなかったときの誤り(``EquationError``)

式を計算する
    - ``equation``: 印刷された式 1 本(``Equation``)
    - ``evaluation``: SymPy の右辺を、NumPy で計算する
    - ``expressions``: SymPy の式を扱う小さな道具
    - ``methods``: 式の並びから、動く最適化手法を組み立てる(``METHODS``, ``PrintedOptimizer``)

式を間違える
    - ``mutation``: 人がよくする書き間違いを作る(``variants``)
    - ``differences``: 2 つの式の違うところを見つける

式をブラウザーで動かす
    - ``javascript``: 式を JavaScript として書き出す
    - ``playground``: 動かせる図のスクリプト
    - ``histograms``: 5 つの層を通る値の分布のスクリプト
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fumoto.printed.domains import Domain
    from fumoto.printed.equation import Equation
    from fumoto.printed.errors import EquationError
    from fumoto.printed.methods import METHODS, Method, PrintedOptimizer
    from fumoto.printed.mutation import Variant, variants
    from fumoto.printed.pages import book_folder, read
    from fumoto.printed.parsing import parse

__all__ = [
    "METHODS",
    "Domain",
    "Equation",
    "EquationError",
    "Method",
    "PrintedOptimizer",
    "Variant",
    "book_folder",
    "parse",
    "read",
    "variants",
]

_HOMES = {
    "domains": ("Domain",),
    "equation": ("Equation",),
    "errors": ("EquationError",),
    "methods": ("METHODS", "Method", "PrintedOptimizer"),
    "mutation": ("Variant", "variants"),
    "pages": ("book_folder", "read"),
    "parsing": ("parse",),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    # SymPy の読み込みは遅いので、使うときまで待つ
    if name in _MODULE_OF:
        return getattr(import_module(f"fumoto.printed.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'fumoto.printed' has no attribute {name!r}")
