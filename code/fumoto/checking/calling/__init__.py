"""どう呼ぶか: 読者が渡すものの形と、それを安全に走らせること。

- ``safety``: 読者のコードを別のプロセスで走らせ、例外や終わらない計算を、日本語の一文に直す
- ``process``: もう 1 つの Python を始め、仕事を送り、終わらせる
- ``child``: もう 1 つの Python の側
- ``reading``: 読者のものの呼び方 1 つ
- ``optimizer``: 最適化手法の呼び方を決め、問題の上で走らせる
- ``trying``: 呼び方を、小さな問題で試して選ぶ
- ``values``: 引数の呼び名と、よく使われる値
- ``shapes``: 最適化手法の形。作り方、入れもの、結果の読み方
- ``initializer``: ``make(rng, n_in, n_out)`` の形の重みの初期値
- ``batchnorm``: ``forward(x, training)`` と ``backward(dout)`` の形の Batch Normalization
"""
