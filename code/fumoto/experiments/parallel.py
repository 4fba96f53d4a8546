"""たくさんの独立な学習を、プロセスに分けて並べて走らせる。"""

import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any

import joblib
from joblib.parallel import get_active_backend
from threadpoolctl import threadpool_limits
from tqdm import tqdm


def run_parallel(
    function: Callable[..., Any], jobs: Iterable[tuple[Any, ...]], description: str, processes: int = -1
) -> list[Any]:
    """``[function(*job) for job in jobs]`` を ``processes`` 個のプロセスで計算する(-1 は全部のコア)。

    行列が小さいので、BLAS を 2 スレッドにしても 2 倍の速さにはならない。1 プロセス 1 スレッドにして数で稼ぐ。
    進み具合は端末にだけ出る。結果の順は ``jobs`` の順で、プロセスの数によらない。
    ``joblib.parallel_config(backend="dask")`` の中では Dask のクラスターで走り、``processes`` は使わない。

    >>> run_parallel(pow, [(2, 3), (2, 4)], "例")
    [8, 16]
    """
    jobs = list(jobs)
    backend, _ = get_active_backend()
    results: Iterable[tuple[Any, list[str]]]
    if hasattr(backend, "client"):  # backend="dask" のとき
        results = _on_cluster(backend, function, jobs)
    else:
        parallel = joblib.Parallel(n_jobs=processes, return_as="generator")
        results = parallel(joblib.delayed(_on_one_thread)(function, job) for job in jobs)
    results = list(tqdm(results, desc=description, total=len(jobs), disable=not sys.stderr.isatty()))
    # 仕事が読み込んだモジュールをここでも読み込む。sys.modules を見れば、結果が何に依るかがわかる(本の組み直しが使う)
    for module in {module for _, modules in results for module in modules}:
        import_module(module)
    return [value for value, _ in results]


def _on_cluster(backend: Any, function: Callable[..., Any], jobs: list[tuple[Any, ...]]) -> Iterator[Any]:
    """``backend`` の Dask に仕事を渡し、結果を ``jobs`` の順に出す。

    ``joblib.Parallel`` に任せないわけは 2 つある。Dask があきらめた仕事(走らせたワーカーが何度も落ちた、など)を、
    いつまでも待つ。また、ワーカーが 1 つだけなら、クラスターを使わずにこのプロセスで走る。
    """
    backend.effective_n_jobs(-1)  # ワーカーが 1 つもなければ、しばらく待って TimeoutError
    functions = [function] * len(jobs)
    futures = backend.client.map(_on_one_thread, functions, jobs, pure=False, **backend.submit_kwargs)
    yield from (future.result() for future in futures)


def _on_one_thread(function: Callable[..., Any], job: tuple[Any, ...]) -> tuple[Any, list[str]]:
    """仕事の結果と、そのプロセスが読み込んでいる、このパッケージのモジュールの名前。"""
    with threadpool_limits(1):
        value = function(*job)
    return value, [name for name in sys.modules if name.partition(".")[0] == "fumoto"]
