"""時間の測り方: 競うものを順番に少しずつ走らせ、それを何周もくり返す。

1 つずつ続けて測ると、途中で機械が忙しくなったときに、そのとき測っていたものだけが遅く見える。
"""

import time
from contextlib import nullcontext

import numpy as np

ENOUGH = 0.25  # 一度に続けて測るのは、だいたいこの秒数まで。混んだ機械では、桁違いに遅いものがある
PERCENTILES = {"low": 25, "median": 50, "high": 75}


def timed(run, around=nullcontext, warm=True, clock=time.perf_counter):
    """``run(n)`` を測る関数 ``measure(n)`` を作る。返すのは、中身 1 回あたりの秒。

    ``run(n)``: 中身を ``n`` 回くり返す。
    はじめに 1 回、測らずに走らせ、``n`` 回では ``ENOUGH`` 秒を超えそうなら回数を減らす。
    ``warm=False`` なら、はじめの 1 回を走らせず、回数も減らさない。
    ``around``: 走らせている間だけの設定(スレッドの数など)。コンテキストマネージャーを作る関数。
    """

    def measure(n):
        with around():
            if warm:
                start = clock()
                run(1)
                n = max(1, min(n, int(ENOUGH / max(clock() - start, 1e-9))))
            start = clock()
            run(n)
            return (clock() - start) / n

    return measure


def repeated(function):
    """引数のない関数を、``n`` 回くり返す関数にする。"""

    def run(n):
        for _ in range(n):
            function()

    return run


def interleaved(measures, rounds, n):
    """名前 → ``measure(n)`` を順番に呼び、名前 → 結果の並び(長さ ``rounds``)を返す。

    一周ごとに順番を逆にする。いつも同じものの直後に測られる、ということがないように。
    """
    results = {name: [] for name in measures}
    names = list(measures)
    for _ in range(rounds):
        for name in names:
            results[name].append(measures[name](n))
        names.reverse()
    return results


def summary(seconds, unit=1e-3):
    """秒の並びの中央値と四分位(``unit`` 秒を 1 とする)。"""
    values = np.percentile(seconds, list(PERCENTILES.values())) / unit
    return dict(zip(PERCENTILES, values.tolist(), strict=True))


def summaries(results, unit=1e-3):
    """``interleaved`` の結果の、名前 → ``summary``。"""
    return {name: summary(seconds, unit) for name, seconds in results.items()}
