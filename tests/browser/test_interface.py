"""What counts as English in the interface (``test_book.py`` reads every page)."""

import pytest

from .interface import is_english


@pytest.mark.parametrize(
    "text", ["Link to this heading", "Search...", "Toggle hidden content", "Copy", "Page"]
)
def test_english_would_be_noticed(text):
    assert is_english(text)


@pytest.mark.parametrize(
    "text",
    [
        "4. AdaGrad",
        "9. 正規化",
        "Ctrl",
        "この見出しへのリンク",
        "He(0.14)",
        "fumoto.network.MLP",
        "eq-adam-m",
    ],
)
def test_names_are_allowed(text):
    assert not is_english(text)
