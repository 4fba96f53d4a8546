"""PyTorch の相手: 同じ手法、同じ大きさのネットワーク、同じデータ。"""

import inspect
from contextlib import contextmanager
from functools import partial
from itertools import pairwise

THREADS = (1, 2)


def methods(torch):
    """手法の名前 → その手法を作る関数。学習率などは、この本の既定の値。"""
    optim = torch.optim
    return {
        "SGD": partial(optim.SGD, lr=0.01),
        "Momentum": partial(optim.SGD, lr=0.01, momentum=0.9),
        "NAG": partial(optim.SGD, lr=0.01, momentum=0.9, nesterov=True),
        "AdaGrad": partial(optim.Adagrad, lr=0.01),
        "RMSProp": partial(optim.RMSprop, lr=0.01),
        "AdaDelta": partial(optim.Adadelta, lr=1.0),
        "Adam": partial(optim.Adam, lr=0.001),
    }


def variants(method, kinds):
    """``kinds`` のうち、その手法にある作り方だけを、名前 → 引数 にして返す。"""
    offered = inspect.signature(method.func).parameters
    options = {"default": {}, "foreach": {"foreach": True}, "fused": {"fused": True}}
    return {kind: options[kind] for kind in kinds if kind == "default" or kind in offered}


def contenders(torch, kinds, make):
    """``(作り方, スレッドの数, 手法) → (動かす関数, スレッドの数の設定)``。

    ``make(手法を作る関数)``: 1 回分を動かす関数を作る。
    """
    found = {}
    for name, method in methods(torch).items():
        for kind, options in variants(method, kinds).items():
            run = make(partial(method, **options))
            for threads in THREADS:
                found[kind, threads, name] = run, partial(_threads, torch, threads)
    return found


def grouped(results):
    """``(作り方, スレッドの数, 手法) → 値`` を、作り方 → スレッドの数 → 手法 → 値 に直す。"""
    groups = {}
    for (kind, threads, name), value in results.items():
        groups.setdefault(kind, {}).setdefault(str(threads), {})[name] = value
    return groups


@contextmanager
def _threads(torch, number):
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def network(torch, sizes):
    """全結合層と ReLU を交互に並べたネットワーク。"""
    layers = []
    for n_in, n_out in pairwise(sizes):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def training_step(torch, sizes, x, t, batch, method):
    """学習の 1 ステップ: ミニバッチを引き、勾配を計算し、更新し、損失を数にする。"""
    model = network(torch, sizes)
    optimizer = method(model.parameters())
    loss_function = torch.nn.CrossEntropyLoss()

    def step():
        chosen = torch.randint(0, len(x), (batch,))
        optimizer.zero_grad()
        loss = loss_function(model(x[chosen]), t[chosen])
        loss.backward()
        optimizer.step()
        return loss.item()

    return step
