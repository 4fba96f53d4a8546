"""違うなら、何であるはずか: 読者の数値を再現するものを、候補の中から探す。

候補の表
    - ``equations``: 式 1 本の書き間違い。機械で作ったものと、``often`` の表のもの
    - ``often``: 機械では作れない、よくある書き間違い
    - ``conventions``: 間違いではない、ほかの書き方
    - ``notes``: 原ノートの式をそのまま並べた手法
    - ``loops``: キーを回るループの間違い
    - ``node_counts``: 初期値の式の n の取り違え
    - ``normalization``: Batch Normalization の、式 1 本では書けない間違い

候補を試す
    - ``optimizer``, ``initializer``, ``batchnorm``
    - ``recognition``: 読者のものが、どの手法かを見分ける
"""
