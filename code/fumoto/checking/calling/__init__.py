"""どう呼ぶか: 読者が渡すものの形と、それを安全に走らせること。

- ``safety``: 読者のコードを別のプロセスで走らせ、例外や終わらない計算を、日本語の一文に直す
- ``process``: もう 1 つの Python を始め、仕事を送り、終わらせる
- ``child``: もう 1 つの Python の側
- ``optimizer``: 最適化手法の呼び方を決め、走らせる
- ``updates``: ``update(params, grads)`` の形の最適化手法
- ``reading``: 呼び方 1 つとは何か
- ``initializer``: ``make(rng, n_in, n_out)`` の形の重みの初期値
- ``batchnorm``: ``forward(x, training)`` と ``backward(dout)`` の形の Batch Normalization
"""
