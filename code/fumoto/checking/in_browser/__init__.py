"""本を読むブラウザーの中で、読者の最適化手法を確かめるためのもの: 候補の表と式を、JavaScript から読める形で書き出す。

- ``formulas``: 式の右辺を、配列について計算する JavaScript にする
- ``rules``: 右辺の JavaScript を、重複なく並べたもの
- ``tables``: 手法 1 つの式、候補、問題、読者に言う言葉
- ``layers``: 重みの初期値と Batch Normalization の、同じもの

書き出したものを動かすのは ``book/_static/write`` の JavaScript である。そこでの探し方は ``fumoto.checking`` と同じで、
同じ読者のコードに、同じことを言う(``tests/browser/test_verdicts.py``)。
"""
