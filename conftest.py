"""For every test: the examples in the book's pages and in README.md are run, processes share the cores, and what was
skipped is summed up."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
if processes := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):  # each trains with its share of the cores
    os.environ.setdefault("LOKY_MAX_CPU_COUNT", str(max(1, (os.cpu_count() or 1) // int(processes))))

from collections import Counter
from doctest import NORMALIZE_WHITESPACE

from sybil import Sybil
from sybil.parsers.myst import DocTestDirectiveParser, PythonCodeBlockParser

collect_ignore = ["book/_ext/writing/frame"]  # runs in a browser: its math or copy would stand before Python's own

pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(doctest_optionflags=NORMALIZE_WHITESPACE), DocTestDirectiveParser()],
    patterns=["book/*.md", "README.md"],
).pytest()


MISSING = {  # a word in the reason of a skip → what is missing
    "playwright": "ブラウザー",
    "chromium": "ブラウザー",
    "distributed": "クラスター",
    "torch": "PyTorch",
    "make html": "組んだ本",
    "node": "Node.js",
}


def pytest_terminal_summary(terminalreporter):
    """Instead of a line for each skipped test: how many of what kind, and what runs them."""
    reasons = [report.longrepr[-1].lower() for report in terminalreporter.stats.get("skipped", [])]
    kinds = Counter(next((MISSING[word] for word in MISSING if word in r), "そのほか") for r in reasons)
    if kinds:
        listed = "、".join(f"{kind} {number}" for kind, number in sorted(kinds.items()))
        slow = "本を組み直すテストと、速さを測るテストも走らせていません。" * (
            "not build" in terminalreporter.config.option.markexpr
        )
        terminalreporter.write_line(f"ないので飛ばしたテスト: {listed}。{slow}")
        terminalreporter.write_line(
            "組んだ本のテストは make html のあとで走ります。.ci/run は、足りないものを入れて全部を走らせます。"
        )
