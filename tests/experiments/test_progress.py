"""The progress bar of long experiments: in a terminal, and nowhere else."""

import subprocess
import sys

import pytest

CODE = (
    "from fumoto.experiments.parallel import run_parallel; run_parallel(pow, [(2, 3)], 'しるし', processes=1)"
)


def test_no_progress_bar_where_stderr_is_not_a_terminal():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout == done.stderr == ""


def test_progress_bar_in_a_terminal():
    pty = pytest.importorskip("pty", reason="no pseudo-terminals on this system")
    import os
    import termios

    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (24, 80))
    subprocess.run([sys.executable, "-c", CODE], stderr=follower, check=True)
    os.close(follower)
    shown = os.read(leader, 100_000).decode()
    os.close(leader)
    assert "しるし: 100%" in shown
