"""本の実験。章ごとに 1 ファイル。どの関数もデータを返すだけで、図は描かない。

乱数を使う実験は種を引数で受け取り、その中で ``numpy.random.Generator`` を作る。

章: ``descent`` (1)、``sgd`` (2)、``momentum`` (3)、``adagrad`` (4)、``adam`` (5)、``comparison`` (6)、``overfitting`` (7)、
``saturation`` と ``initialization`` (8)、``batchnorm`` (9)。付録: ``verification`` (検証表)、``speed`` (速さの見取り図)。

走らせる仕組み: たくさんの学習を並べる ``parallel``、長くかかる結果を取っておく ``kept``、結果を決めるものの指紋 ``fingerprint``。
"""
