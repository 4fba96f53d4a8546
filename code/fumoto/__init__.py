"""Fumoto(麓): 『麓へ — 動かして確かめる、ニューラルネットの学習』のパッケージ。

ページ → experiments → training → network, layers, optimizers の順に呼び、
結果 → figures → ページ の順に戻る。必要なモジュールを名前で読み込む(例: ``fumoto.optimizers``)。
"""
