"""たくさんの独立な学習を、プロセスに分けて並べて走らせる。"""

import sys

import joblib
from threadpoolctl import threadpool_limits
from tqdm import tqdm


def run_parallel(function, jobs, description, processes=-1):
    """``[function(*job) for job in jobs]`` を ``processes`` 個のプロセスで計算する(-1 は全部のコア)。

    行列が小さいので BLAS を 2 スレッドで動かしても速くならない。1 プロセス 1 スレッドにして数で稼ぐ。
    進み具合は端末にだけ出る。結果の順は ``jobs`` の順で、プロセスの数によらない。

    >>> run_parallel(pow, [(2, 3), (2, 4)], "例")
    [8, 16]
    """
    jobs = list(jobs)
    parallel = joblib.Parallel(n_jobs=processes, return_as="generator")
    results = parallel(joblib.delayed(_on_one_thread)(function, job) for job in jobs)
    return list(tqdm(results, desc=description, total=len(jobs), disable=not sys.stderr.isatty()))


def _on_one_thread(function, job):
    with threadpool_limits(1):
        return function(*job)
