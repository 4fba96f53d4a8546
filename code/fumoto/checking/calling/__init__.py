"""どう呼ぶか: 読者が渡すものの形と、それを安全に走らせること。

- ``safety``: 例外、終わらない計算、警告を、日本語の一文に直す
- ``optimizer``: ``update(params, grads)`` の形の最適化手法
- ``initializer``: ``make(rng, n_in, n_out)`` の形の重みの初期値
- ``batchnorm``: ``forward(x, training)`` と ``backward(dout)`` の形の Batch Normalization
"""
