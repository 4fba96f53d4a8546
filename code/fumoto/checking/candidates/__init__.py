"""違うなら、何であるはずか: 読者の数値を再現するものを、候補の中から探す。

候補の表
    - ``candidate``: 候補 1 つ。ただのデータ
    - ``table``: 手法ごとに、何を、どの順に試すか。表として取り出せる
    - ``slips``: よくある書き間違いと、ほかの手法との取り違え。式は ``before_adam`` と ``from_adam``、共通の形は ``patterns``
    - ``handlings``: 式の動かし方の間違い(ループ、状態、回数、勾配や重みにする余計なこと、引数の値)
    - ``conventions``: 間違いではない、ほかの書き方
    - ``equations``: 式 1 本の書き間違い。機械で作ったものと、``often`` の表のもの
    - ``often``: 機械では作れない、初期値と Batch Normalization の書き間違い
    - ``notes``: 原ノートの式をそのまま並べた手法
    - ``node_counts``: 初期値の式の n の取り違え
    - ``said``: 初期値と Batch Normalization の結果の文。ページの欄も同じ文を言う
    - ``biases``: 重みと一緒に返されたバイアス
    - ``normalization``: Batch Normalization の、式 1 本では書けない間違い

候補を動かす
    - ``machine``: 候補の言うとおりに動く最適化手法
    - ``vocabulary``: 候補に書ける言葉
    - ``engine``: 候補を動かし、読者の足どりと比べる

候補を試す
    - ``optimizer``, ``initializer``, ``batchnorm``
    - ``measured``: 数を測って作る候補(歩幅の倍率、書き込まれた値、重み減衰の強さ)
    - ``schedules``: 学習率がステップとともに変わるもの
    - ``together``: 2 つの間違いの組
    - ``recognition``: 読者のものが、どの手法かを見分ける
    - ``derived``: 機械で作った、最適化手法の式の書き間違い
    - ``sight``: 足どりを見れば分かる間違い
    - ``keys``: 一部の重みだけがおかしい間違い
    - ``disguised``: 姿を変えた間違い(ほかの書き方の上のもの、隠したもの)
"""
