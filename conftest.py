"""Runs the examples in the book's pages and in README.md (``python`` blocks) as tests."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from doctest import NORMALIZE_WHITESPACE

from sybil import Sybil
from sybil.parsers.myst import DocTestDirectiveParser, PythonCodeBlockParser

pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(doctest_optionflags=NORMALIZE_WHITESPACE), DocTestDirectiveParser()],
    patterns=["book/*.md", "README.md"],
).pytest()
