"""What ``make`` says on a machine that cannot make an environment, before it has begun."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    return folder


def fake_python(folder, *missing):
    """This Python, without the modules that are ``missing``; it makes no environment, but says that it would have."""
    shadow = folder / "modules"
    shadow.mkdir(parents=True)
    for module in missing:
        (shadow / f"{module}.py").write_text(f"raise ModuleNotFoundError('No module named {module}')\n")
    python = folder / "python3"
    python.write_text(
        f'#!/bin/sh\n[ "$1 $2" = "-m venv" ] && echo "makes $3" && exit 7\nPYTHONPATH={shadow} exec {sys.executable} "$@"\n'
    )
    python.chmod(0o755)
    return python


def run_make(project, *arguments, **more):
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    environment = {**inherited, **more}
    return subprocess.run(["make", *arguments], cwd=project, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("target", ["html", "test", "doctest", "serve"])
@pytest.mark.parametrize("missing", ["ensurepip", "venv"])
@pytest.mark.parametrize("on_path", [True, False], ids=["PATH", "PYTHON"])
def test_one_sentence_says_what_to_install_and_nothing_remains(project, tmp_path, target, missing, on_path):
    python = fake_python(tmp_path / "debian", missing)
    if on_path:
        done = run_make(project, target, PATH=f"{python.parent}:{os.environ['PATH']}")
    else:
        done = run_make(project, target, f"PYTHON={python}")
    assert done.returncode != 0
    said, *rest = done.stderr.strip().splitlines()
    assert "仮想環境を作れません" in said and "apt install python3-venv" in said
    assert [line.split(":")[0] for line in rest] == ["make"]  # that it has stopped
    assert done.stdout == ""
    assert sorted(path.name for path in project.iterdir()) == [
        "Makefile",
        "pyproject.toml",
        "requirements.lock",
    ]


def test_a_python_that_has_everything_makes_the_environment(project, tmp_path):
    done = run_make(project, "html", f"PYTHON={fake_python(tmp_path / 'complete')}")
    assert "makes .venv" in done.stdout and "仮想環境を作れません" not in done.stderr


def test_a_python_that_is_too_old_is_told_first(project, tmp_path):
    python = fake_python(tmp_path / "old", "ensurepip")
    (tmp_path / "old/modules/sitecustomize.py").write_text("import sys\nsys.version_info = (3, 10, 2)\n")
    done = run_make(project, "html", f"PYTHON={python}")
    assert "Python 3.11 以上が必要です" in done.stderr and "python3-venv" not in done.stderr
    assert done.returncode != 0 and not (project / ".venv").exists()
