"""MNIST のネットワークの、学習の 1 ステップにかかる時間。"""

import time
from functools import partial
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
from threadpoolctl import threadpool_limits

from fumoto.datasets import mnist
from fumoto.experiments.comparison import METHODS, MNIST_SIZES
from fumoto.layers import Affine
from fumoto.network import MLP
from fumoto.training import train

from . import pytorch
from .timing import interleaved, repeated, summaries, summary, timed

BATCH = 128
DISSECTED = ("SGD", "Momentum", "Adam")  # 内訳を測る手法
KINDS = ("default", "fused")


def measure(torch, quick):
    """1 ステップの全体、行列の積だけ、内訳、重みを分けて更新する時間、PyTorch の時間(ミリ秒)。"""
    rounds, n = (2, 2) if quick else (40, 50)
    x, t, _, _ = mnist()
    measures = {("products",): timed(repeated(products(*trained("SGD", x, t)[:1], x, t)))}
    for name in METHODS:
        measures["whole", name] = timed(partial(run_training, *trained(name, x, t), x, t))
    for name in DISSECTED:
        measures["parts", name] = partial(parts, *trained(name, x, t), x, t)
        for count, arrays in updates(name, x, t).items():
            measures["arrays", name, count] = timed(repeated(arrays))
    if torch:
        x_torch, t_torch = torch.from_numpy(x.copy()), torch.from_numpy(t.copy())
        make = partial(pytorch.training_step, torch, MNIST_SIZES, x_torch, t_torch, BATCH)
        competitors = pytorch.contenders(torch, KINDS, make)
        for key, (run, around) in competitors.items():
            measures["torch", *key] = timed(repeated(run), around)
    results = interleaved(measures, rounds, n)

    bare = results.pop(("products",))
    return {
        "batch": BATCH,
        "sizes": MNIST_SIZES,
        "rounds": rounds,
        "products": summary(bare),
        "whole": summaries(chosen(results, "whole")),
        "parts": {name: _dissected(rows, bare) for name, rows in chosen(results, "parts").items()},
        "arrays": {
            name: summaries({count: results["arrays", name, count] for count in ("one", "many")})
            for name in DISSECTED
        },
        "torch": pytorch.grouped(summaries(chosen(results, "torch"))),
        "blas_threads": blas_threads(x, t, rounds, n),
    }


def chosen(results, first):
    """鍵が ``first`` で始まるものを、残りの鍵(1 つならそのもの)で引けるようにする。"""
    return {key[1] if len(key) == 2 else key[1:]: value for key, value in results.items() if key[0] == first}


def trained(name, x, t):
    """1 ステップだけ学習したネットワークと、その手法と、乱数の源。"""
    rng = np.random.default_rng(0)
    network, optimizer = MLP(MNIST_SIZES, rng=rng), METHODS[name]()
    run_training(network, optimizer, rng, x, t, 1)
    return network, optimizer, rng


def run_training(network, optimizer, rng, x, t, n):
    train(network, optimizer, x, t, steps=n, batch_size=BATCH, rng=rng)


def products(network, x, t):
    """1 ステップの行列の積だけを計算する関数。配列は、そのネットワークのものを使う。

    順伝播の積、重みの勾配の積、入力の勾配の積。先頭の層の入力の勾配は、誰も使わないので計算しない。
    """
    network.gradient(x[:BATCH], t[:BATCH])
    layers = [layer for _, layer in network.layers if isinstance(layer, Affine)]
    rng = np.random.default_rng(0)
    douts = [rng.standard_normal((BATCH, layer.params["W"].shape[1]), np.float32) for layer in layers]
    pairs = list(zip(layers, douts, strict=True))

    def once():
        for layer in layers:
            layer.x @ layer.params["W"]
        for layer, dout in reversed(pairs):
            np.matmul(layer.x.T, dout, out=layer.grads["W"])
            if layer.input_gradient:
                dout @ layer.params["W"].T

    return once


def parts(network, optimizer, rng, x, t, n, clock=time.perf_counter):
    """本物の ``train`` を ``n`` 回まわし、部分 → 1 ステップあたりの秒 を返す。

    ``batch``: 番号を引き、画像を集める。``gradient``: 順伝播と逆伝播。``update``: 更新。``loop``: 残り。
    ``train`` が呼ぶ 3 つの関数の、入るときと出るときの時刻をとる。
    """
    spent = dict.fromkeys(("batch", "gradient", "update"), 0.0)
    drawn = 0.0

    def integers(*arguments):
        nonlocal drawn
        drawn = clock()
        return rng.integers(*arguments)

    def gradient(*arguments):
        start = clock()
        spent["batch"] += start - drawn
        result = type(network).gradient(network, *arguments)
        spent["gradient"] += clock() - start
        return result

    def update(*arguments):
        start = clock()
        type(optimizer).update(optimizer, *arguments)
        spent["update"] += clock() - start

    with patch.object(network, "gradient", gradient), patch.object(optimizer, "update", update):
        start = clock()
        run_training(network, optimizer, SimpleNamespace(integers=integers), x, t, n)
        spent["loop"] = clock() - start - sum(spent.values())
    return {part: seconds / n for part, seconds in spent.items()}


def _dissected(rows, bare):
    """部分ごとのまとめ。``gradient`` は、同じ周で測った行列の積と、残り(``rest``)に分ける。"""
    columns = {part: [row[part] for row in rows] for part in rows[0]}
    columns["rest"] = np.subtract(columns.pop("gradient"), bare)
    return summaries({"products": bare, **columns})


def updates(name, x, t):
    """同じ更新を、1 本の配列で行う関数(``one``)と、配列ごとに行う関数(``many``)。"""
    network = trained(name, x, t)[0]
    _, grads = network.gradient(x[:BATCH], t[:BATCH])
    one, many = METHODS[name](), METHODS[name]()
    apart = [{key: array.copy() for key, array in arrays.items()} for arrays in (network.params, grads)]
    return {"one": partial(one.update, network.params, grads), "many": partial(many.update, *apart)}


def blas_threads(x, t, rounds, n):
    """BLAS のスレッドの数 → 行列の積だけと、SGD の 1 ステップの時間。

    使い終わったスレッドはしばらく待ちながらコアを使うので、ほかのものとは別に測る。
    """
    network, optimizer, rng = trained("SGD", x, t)
    runs = {
        "products": repeated(products(network, x, t)),
        "SGD": partial(run_training, network, optimizer, rng, x, t),
    }
    measures = {
        (name, threads): timed(run, partial(threadpool_limits, threads, user_api="blas"))
        for threads in pytorch.THREADS
        for name, run in runs.items()
    }
    results = summaries(interleaved(measures, rounds, n))
    return {str(threads): {name: results[name, threads] for name in runs} for threads in pytorch.THREADS}
