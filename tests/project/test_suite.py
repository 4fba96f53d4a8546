"""How the suite itself runs: what it skips is said in two lines, whatever the number of processes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SKIPS = """
import pytest

REASONS = ["playwright is not installed", "No Chromium here", "torch is missing", "the moon is not full"]


@pytest.mark.parametrize("number", range(40))
def test_something(number):
    pytest.skip(REASONS[number % 4])
"""


@pytest.mark.parametrize("processes", ["0", "2"])
def test_what_is_skipped_is_said_in_two_lines(tmp_path, processes):
    for name in ("conftest.py", "pyproject.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "test_skips.py").write_text(SKIPS, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-n", processes, "test_skips.py"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout
    [counted] = re.findall("^ないので飛ばしたテスト: (.*?)。", said, re.M)
    assert counted == "PyTorch 10、そのほか 10、ブラウザー 20"
    assert ".ci/run" in said
    assert len(said.splitlines()) < 10
