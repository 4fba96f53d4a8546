"""What differs between a printed equation and a learner's: shown in words, underlined in mathematics."""

import re

import pytest

from fumoto.checking.report import Finding
from fumoto.printed import read, variants
from fumoto.printed.differences import NOTHING, difference, marked

BOOK = read()


def variant(identifier):
    label = identifier.split("/")[0]
    return BOOK[label], next(v.equation for v in variants(BOOK[label]) if v.id == identifier)


@pytest.mark.parametrize(
    ("identifier", "parts", "text"),
    [
        ("eq-momentum-w/sign-2", ("v_{t+1}", "- v_{t+1}"), r"w_{t+1} = w_t - \underline{v_{t+1}}"),
        ("eq-momentum-w/dropped-2", ("v_{t+1}", "(なし)"), r"w_{t+1} = w_t"),
        ("eq-momentum-w/time-1", ("v_{t+1}", "v_t"), r"w_{t+1} = w_t + \underline{v_t}"),
        (
            "eq-adam-w/root-1",
            (r"\sqrt{\hat{v}_{t+1}}", r"\hat{v}_{t+1}"),
            r"w_{t+1} = w_t - \frac{\eta \hat{m}_{t+1}}{\varepsilon + \underline{\hat{v}_{t+1}}}",
        ),
        (
            "eq-batchnorm-var/count-1",
            ("N", "-1 + N"),
            r"\sigma_B^2 = \frac{\sum_{i=1}^{N} \left(x_i - \mu_B\right)^{2}}{\underline{\left(-1 + N\right)}}",
        ),
    ],
)
def test_the_part_that_differs_is_shown_and_underlined(identifier, parts, text):
    printed, yours = variant(identifier)
    assert (difference(printed, yours), marked(printed, yours)) == (parts, text)


@pytest.mark.parametrize("label", BOOK)
def test_every_mistake_in_the_book_can_be_shown(label):
    for mistake in variants(BOOK[label]):
        gone, new = difference(BOOK[label], mistake.equation)
        text = marked(BOOK[label], mistake.equation)
        assert gone != new, mistake.id
        for latex in (gone, new, text):
            assert latex.count("{") == latex.count("}"), mistake.id
            assert "X_{" not in latex, mistake.id
        assert new == "(なし)" or r"\underline" in text, mistake.id


@pytest.mark.parametrize("label", BOOK)
def test_only_the_place_that_differs_is_underlined(label):
    """The same symbol elsewhere in the equation, or in the bounds of a sum, is not underlined."""
    for mistake in variants(BOOK[label]):
        new, text = difference(BOOK[label], mistake.equation)[1], marked(BOOK[label], mistake.equation)
        parts = re.sub(r"\\left\(.*?\\right\)", "", new).split(", ")  # the comma of a maximum is no separator
        assert text.count(r"\underline") == (0 if new == NOTHING else len(parts)), (mistake.id, text)


def test_a_missing_part_is_said_in_words_and_nothing_is_said_to_be_underlined():
    printed, yours = variant("eq-momentum-w/dropped-2")
    finding = Finding("項が抜けている", printed, yours)
    assert "あなたの計算($v_{t+1}$ が抜けています)" in finding._repr_markdown_()
    assert "下線" not in finding._repr_markdown_()
    assert "違い: v_{t+1} が抜けています" in str(finding)
    extra = Finding("項が余分", yours, printed)
    assert "違い: v_{t+1} が余分です" in str(extra)
    assert "下線が違うところ" in extra._repr_markdown_()
