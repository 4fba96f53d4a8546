"""The commands of the Makefile: make help lists every one, and make alone builds the book."""

import re
import shutil
import subprocess

import pytest

from built import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(*arguments):
    done = subprocess.run(
        ["make", "--no-print-directory", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_help_says_in_one_line_what_every_command_does():
    [commands] = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    listed = re.findall(r"^make (\w+) +(.*)$", make("help"), re.M)
    assert [name for name, _ in listed] == commands.split()
    assert all(re.search("[ぁ-ん]", said) for _, said in listed)


def test_make_alone_builds_the_book():
    assert make("--dry-run") == make("--dry-run", "html")
