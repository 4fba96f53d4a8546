"""The book's sweeps on a Dask cluster: the same bits as at home, also when a worker dies half-way."""

import contextlib
import hashlib
import importlib
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from dataclasses import fields
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pytest

from fumoto.experiments import comparison, parallel, protocol
from fumoto.experiments.parallel import run_parallel
from fumoto.experiments.protocol import Rung

PAGE = Path(__file__).resolve().parents[2] / "book" / "appendix-cluster.md"
METHODS = ("SGD", "Momentum", "AdaDelta", "Adam")  # four jobs to begin with: two for each worker
RUNGS = (Rung(10, (1001,), 1),)


def _without_the_last(trials, name):
    """The default and one other learning rate, and the same again: two settings of each method."""
    default, rates, _ = trials(name).items()
    return dict([default, rates, (comparison.TUNED[-1], rates[1])])


@pytest.fixture(autouse=True, scope="module")
def few_jobs():
    """The book's comparison of chapter 6, with fewer methods, settings and seeds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUMOTO_RESULTS", "")  # computed each time, not kept
        patch.setattr(comparison, "LINE", 1)
        patch.setattr(comparison, "trials", partial(_without_the_last, comparison.trials))
        patch.setattr(comparison, "METHODS", {name: comparison.METHODS[name] for name in METHODS})
        patch.setattr(comparison, "PILOT", 2)
        patch.setattr(comparison, "seeds_needed", lambda *options: 2)
        yield


@pytest.fixture
def start(tmp_path):
    """``start(workers)``: a cluster of worker processes with one thread each, on this machine only."""
    if os.environ.get("FUMOTO_REQUIRE_CLUSTER") == "1":
        try:
            distributed = importlib.import_module("distributed")
        except ModuleNotFoundError as error:
            pytest.fail(f"FUMOTO_REQUIRE_CLUSTER=1, but {error}")
    else:
        distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    import dask

    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(temporary_directory=str(tmp_path)))

        def start(workers=2):
            cluster = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
                silence_logs="CRITICAL",
            )
            stack.enter_context(cluster)
            client = stack.enter_context(distributed.Client(cluster))
            # distributed cannot close a worker that is just being started again
            stack.callback(client.wait_for_workers, workers, timeout=20)
            return client

        yield start


@pytest.fixture(scope="module")
def at_home(few_jobs):
    return comparison.mnist_comparison(RUNGS)


def on_cluster(call, seconds=60):
    """``call()`` with the Dask backend; a call that never ends fails instead of stopping the test session."""
    outcome = Future()

    def run():
        try:
            with joblib.parallel_config(backend="dask"):
                outcome.set_result(call())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return outcome.result(seconds)


def named(job):
    """A short name of a job, the same in every process."""
    return hashlib.sha256(repr(job).encode()).hexdigest()[:12]


def wait_until(condition, seconds=50):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def kill(pid):
    """SIGKILL; returns when the process is gone."""
    import psutil  # comes with distributed

    psutil.Process(pid).kill()
    wait_until(lambda: not psutil.pid_exists(pid))


def assert_same_bits(result, expected):
    assert result.tuned == expected.tuned
    assert list(result.reports) == list(expected.reports)
    for key, found in result.reports.items():
        for field in fields(found)[1:]:
            array, other = getattr(found, field.name), getattr(expected.reports[key], field.name)
            assert array.dtype == other.dtype
            np.testing.assert_array_equal(array, other)


def test_mnist_sweep_on_a_cluster_is_the_same_to_the_last_bit(start, at_home):
    client = start()
    assert not any(client.run(lambda: "fumoto" in sys.modules).values())
    assert_same_bits(on_cluster(lambda: comparison.mnist_comparison(RUNGS)), at_home)
    assert all(client.run(lambda: "fumoto" in sys.modules).values())  # both workers took part


def test_mnist_sweep_survives_the_death_of_a_worker(start, at_home, monkeypatch, tmp_path):
    """No luck with timing: the first job waits for the second, and all others wait for the death.

    Each job writes down its process. As soon as the first result is here and each worker is in the middle of
    another job, one of the workers is killed.
    """
    client = start()
    pids = set(client.run(os.getpid).values())
    assert len(pids) == 2
    started, finished, dead = (tmp_path / name for name in ("started", "finished", "dead"))
    started.mkdir()
    finished.mkdir()
    received, received_at_death, interrupted = [], [], []

    def unfinished():
        """``(job, process)`` of the jobs that were begun and not ended."""
        marks = set(os.listdir(started)) - set(os.listdir(finished))
        return [(job, int(pid)) for job, _, pid in (mark.rpartition(" ") for mark in sorted(marks))]

    def watched(function, first, second):
        def run(*job):
            name = named(job)
            mark = f"{name} {os.getpid()}"
            (started / mark).touch()
            if name == first:
                wait_until(lambda: any(finished.glob(f"{second} *")))
            elif name != second:
                wait_until(dead.exists)
            result = function(*job)
            (finished / mark).touch()
            return result

        return run

    def run_watched(function, jobs, *options):
        if not dead.exists():
            function = watched(function, *map(named, jobs[:2]))
        return run_parallel(function, jobs, *options)

    def kill_one_worker_at_the_first_result(results, **options):
        for result in results:
            received.append(result)
            if not dead.exists():
                wait_until(lambda: len(unfinished()) == 2)
                interrupted.extend(unfinished())
                kill(interrupted[0][1])
                received_at_death.append(len(received))
                dead.touch()
            yield result

    monkeypatch.setattr(protocol, "run_parallel", run_watched)
    monkeypatch.setattr(parallel, "tqdm", kill_one_worker_at_the_first_result)
    runs = on_cluster(lambda: comparison.mnist_comparison(RUNGS))

    assert received_at_death == [1]  # one result had come back, and
    assert {pid for _, pid in interrupted} == pids  # both workers were in the middle of a job
    assert unfinished() == interrupted[:1]  # the victim never ended its job
    ended = {mark.rpartition(" ")[0] for mark in os.listdir(finished)}
    assert interrupted[0][0] in ended  # but somebody else did
    assert len(ended) == len(METHODS)
    assert_same_bits(runs, at_home)


def test_results_come_in_the_order_of_the_jobs(start, tmp_path):
    start()

    def run(number):
        if number == 0:
            wait_until((tmp_path / "1").exists)
        (tmp_path / str(number)).touch()
        return number

    assert on_cluster(lambda: run_parallel(run, [(0,), (1,)], "")) == [0, 1]


def test_one_worker_is_a_cluster_too(start):
    client = start(workers=1)
    (worker,) = client.run(os.getpid).values()
    for processes in (-1, 1):
        assert on_cluster(lambda n=processes: run_parallel(os.getpid, [(), ()], "", n)) == [worker, worker]


def test_job_that_kills_every_worker_is_an_error_and_not_a_long_wait(start):
    start()
    with pytest.raises(Exception, match="all those workers died"):
        on_cluster(lambda: run_parallel(os._exit, [(1,)], ""))


def test_error_of_a_job_is_raised_here(start):
    start()
    with pytest.raises(ZeroDivisionError):
        on_cluster(lambda: run_parallel(divmod, [(1, 1), (1, 0)], ""))


@pytest.mark.parametrize("number", range(3))
def test_code_on_the_page_runs(start, monkeypatch, capsys, number):
    client = start()
    code = re.findall(r"^```py\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)[number]
    code = code.replace("tcp://scheduler:8786", client.scheduler.address)
    short = comparison.mnist_comparison
    monkeypatch.setattr(comparison, "mnist_comparison", lambda: short(RUNGS))
    names = {}
    exec(code, names)
    if "runs" in names:
        assert list(names["runs"].best()) == list(comparison.METHODS)
    else:
        assert capsys.readouterr().out.count("True") == 2


def test_one_process_at_home_is_this_process():
    assert run_parallel(os.getpid, [(), ()], "", processes=1) == [os.getpid()] * 2


def test_dask_is_not_imported_unless_it_is_asked_for():
    code = (
        "import sys; from fumoto.experiments import comparison, parallel;"
        "parallel.run_parallel(pow, [(2, 3)], '', processes=1);"
        "sys.exit(bool({'dask', 'distributed'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
