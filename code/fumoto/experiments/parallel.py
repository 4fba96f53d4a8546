"""たくさんの独立な学習を、プロセスに分けて並べて走らせる。"""

import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any

import joblib
from joblib.parallel import get_active_backend
from tqdm import tqdm

from fumoto.experiments.kept import MISSING, compute, places


def run_parallel(
    function: Callable[..., Any], jobs: Iterable[tuple[Any, ...]], description: str, processes: int = -1
) -> list[Any]:
    """``[function(*job) for job in jobs]`` を ``processes`` 個のプロセスで計算する(-1 は全部のコア)。

    行列が小さいので、BLAS を 2 スレッドにしても 2 倍の速さにはならない。1 プロセス 1 スレッドにして数で稼ぐ。
    ``function`` に ``kept`` の飾りがあれば、取っておいた結果を使い、足りない仕事だけを計算する。
    進み具合は端末にだけ出る。結果の順は ``jobs`` の順で、プロセスの数によらない。
    ``joblib.parallel_config(backend="dask")`` の中では Dask のクラスターで走り、``processes`` は使わない。

    >>> run_parallel(pow, [(2, 3), (2, 4)], "例")
    [8, 16]
    """
    jobs = list(jobs)
    kept_at = places(function, jobs)
    results = [place.load() for place in kept_at]
    missing = [number for number, value in enumerate(results) if value is MISSING]
    computed = tqdm(
        _computed(function, [jobs[number] for number in missing], processes),
        desc=description,
        initial=len(jobs) - len(missing),
        total=len(jobs),
        disable=not sys.stderr.isatty(),
    )
    for number, (value, imported, name) in zip(missing, computed, strict=True):
        for module in imported:  # sys.modules を見れば、結果が何に依るかがわかるように(本の組み直しが使う)
            import_module(module)
        place = kept_at[number]
        if place.path and place.path.name == name:  # 同じコードで計算された
            place.save(value, imported)
        results[number] = value
    return results


def _computed(
    function: Callable[..., Any], jobs: list[tuple[Any, ...]], processes: int
) -> Iterable[tuple[Any, list[str], str]]:
    """仕事の順に、``compute`` の返すもの。"""
    backend, _ = get_active_backend()
    if hasattr(backend, "client"):  # backend="dask" のとき
        return _on_cluster(backend, function, jobs)
    parallel = joblib.Parallel(n_jobs=processes, return_as="generator", initializer=_load_images)
    return parallel(joblib.delayed(compute)(function, job) for job in jobs)


def _load_images() -> None:
    """ワーカーの、はじめの仕事の前に。

    はじめの仕事のあとで 300 MB 太ったワーカーを、joblib はメモリーの漏れとみなして作り直す。画像を後から読むと、
    そのたびに作り直され、読み直すことになる。
    """
    from fumoto.datasets import mnist
    from fumoto.experiments.protocol import split  # protocol は、このモジュールを使う

    mnist()
    split()


def _on_cluster(backend: Any, function: Callable[..., Any], jobs: list[tuple[Any, ...]]) -> Iterator[Any]:
    """``backend`` の Dask に仕事を渡し、結果を ``jobs`` の順に出す。

    ``joblib.Parallel`` に任せないわけは 2 つある。Dask があきらめた仕事(走らせたワーカーが何度も落ちた、など)を、
    いつまでも待つ。また、ワーカーが 1 つだけなら、クラスターを使わずにこのプロセスで走る。
    """
    backend.effective_n_jobs(-1)  # ワーカーが 1 つもなければ、しばらく待って TimeoutError
    functions = [function] * len(jobs)
    futures = backend.client.map(compute, functions, jobs, pure=False, **backend.submit_kwargs)
    yield from (future.result() for future in futures)
