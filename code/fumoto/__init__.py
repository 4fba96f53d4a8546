"""Fumoto(麓): 『麓へ — 動かして確かめる、ニューラルネットの学習』のパッケージ。

ページ → experiments → training → network, layers, optimizers の順に呼び、
結果 → figures → ページ の順に戻る。必要なモジュールを名前で読み込む(例: ``fumoto.optimizers``)。
自分の実装を確かめる ``check``, ``check_initializer``, ``check_batchnorm`` だけは、``from fumoto import check`` のように使える。
"""

from typing import Any


def __getattr__(name: str) -> Any:
    # SymPy の読み込みは遅いので、check を使うときまで待つ
    if name in ("check", "check_initializer", "check_batchnorm"):
        from fumoto import checking

        return getattr(checking, name)
    raise AttributeError(f"module 'fumoto' has no attribute {name!r}")
