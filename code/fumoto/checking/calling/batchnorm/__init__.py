"""読者の Batch Normalization の形。何でできていて、どう呼ぶかを、名前と引数から決め、小さく動かして確かめる。

引数
    - ``roles``: 引数の役割を、名前から読み取る(入力、γ、β、列の数、学習中か推論か)
    - ``rates``: ε と減衰率に渡す値。momentum の 2 つの意味も
    - ``layouts``: 入力の並べ方。標本×列、画像、列×標本

層
    - ``making``: クラス、層を作る関数、作ってある層の写しから、層を 1 つ得る
    - ``placing``: 作ったあとの層の中に、γ と β を入れる
    - ``modes``: 学習中か推論かの伝え方。引数、属性、``train()`` と ``eval()``、文字列
    - ``layers``: 層の順伝播、逆伝播、移動平均
    - ``gradients``: 逆伝播のあとの、γ と β の勾配のあるところ

関数
    - ``functions``: ``batchnorm_forward(x, gamma, beta, bn_param)`` のような関数を、層のように使う
    - ``partners``: 同じファイルの ``batchnorm_backward`` を見つけ、組にする

    - ``following``: 呼び方を選び、問題の上で走らせる
"""
