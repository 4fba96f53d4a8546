"""測った機械と、計算に使うライブラリの説明。機械の名前やフォルダーは入れない。"""

import importlib
import os
import platform
import subprocess
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info


def torch_or_none():
    """PyTorch。入っていなければ None。"""
    try:
        return importlib.import_module("torch")
    except ModuleNotFoundError:
        return None


def describe(torch):
    """CPU、コアの数、版、BLAS の名前・CPU に合わせて選ばれた核・スレッドの数。"""
    numpys = (
        library for library in threadpool_info() if "scipy" not in Path(library["filepath"]).parent.name
    )
    blas = next((library for library in numpys if library["user_api"] == "blas"), {})
    return {
        "cpu": _cpu(),
        "cores": _cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": str(torch.__version__) if torch else None,
        "blas": f"{blas['internal_api']} {blas['version']}" if blas else None,
        "kernel": blas.get("architecture"),
        "blas_threads": blas.get("num_threads"),
    }


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _cpu():
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return platform.processor() or platform.machine()
