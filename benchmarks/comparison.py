"""6 章の MNIST の比較の全体にかかる時間。"""

import os
import time
from unittest import mock

from fumoto.experiments.comparison import MNIST_RATES, SEEDS, mnist_comparison, train_mnist
from fumoto.experiments.parallel import run_parallel
from fumoto.optimizers import SGD

from .timing import interleaved, summary, timed

PROCESSES = (1, 2)


@mock.patch.dict(os.environ, FUMOTO_RESULTS="")  # 取っておいた結果を読まず、計算させる
def measure(torch, quick):
    """プロセスの数ごとの時間(秒)。ワーカーの立ち上げ(``startup``)は、先に済ませて別に示す。"""
    steps, rounds = (1, 1) if quick else (2000, 3)
    startup = start_workers()
    measures = {
        str(processes): timed(lambda _, processes=processes: mnist_comparison(steps, processes), warm=False)
        for processes in PROCESSES
    }
    results = interleaved(measures, rounds, 1)
    return {
        "steps": steps,
        "trainings": sum(map(len, MNIST_RATES.values())) + len(MNIST_RATES) * len(SEEDS),
        "rounds": rounds,
        "startup": startup,
        "processes": {processes: summary(seconds, unit=1) for processes, seconds in results.items()},
    }


def start_workers():
    """このプロセスにもワーカーにも MNIST を読ませる。ワーカーの立ち上げにかかった秒を返す。"""
    job = (SGD, 0.01, 0, 1)
    run_parallel(train_mnist, [job], "MNIST を読む", 1)
    start = time.perf_counter()
    run_parallel(train_mnist, [job] * 4 * max(PROCESSES), "ワーカーを立ち上げる", max(PROCESSES))
    return time.perf_counter() - start
