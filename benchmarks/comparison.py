"""6 章の MNIST の比較の全体にかかる時間。"""

import os
import time
from functools import partial
from unittest import mock

from fumoto.experiments.comparison import NETWORK, mnist_comparison
from fumoto.experiments.parallel import run_parallel
from fumoto.experiments.protocol import RUNGS, Rung, learn
from fumoto.optimizers import SGD

from .timing import interleaved, summary, timed

PROCESSES = (1, 2)


@mock.patch.dict(os.environ, FUMOTO_RESULTS="")  # 取っておいた結果を読まず、計算させる
def measure(torch, quick):
    """プロセスの数ごとの時間(秒)。ワーカーの立ち上げ(``startup``)は、先に済ませて別に示す。"""
    rungs, rounds = ((Rung(5, (1001,), 1),), 1) if quick else (RUNGS, 3)
    startup, work = start_workers(), []
    measures = {
        str(processes): timed(
            lambda _, processes=processes: work.append(mnist_comparison(rungs, processes).work()), warm=False
        )
        for processes in PROCESSES
    }
    results = interleaved(measures, rounds, 1)
    trainings, steps = work[0]
    return {
        "steps": steps,
        "trainings": trainings,
        "rounds": rounds,
        "startup": startup,
        "processes": {processes: summary(seconds, unit=1) for processes, seconds in results.items()},
    }


def start_workers():
    """このプロセスにもワーカーにも MNIST を読ませる。ワーカーの立ち上げにかかった秒を返す。"""
    job = (NETWORK, partial(SGD, lr=0.01), 1, 5)
    run_parallel(learn, [job], "MNIST を読む", 1)
    start = time.perf_counter()
    run_parallel(learn, [job] * 4 * max(PROCESSES), "ワーカーを立ち上げる", max(PROCESSES))
    return time.perf_counter() - start
