"""A claim finds the sentence above it."""

import pytest
from docutils import nodes

from reading.claim_marks import _CLAIM, _end, _sentence_before

PARAGRAPH = nodes.paragraph("", "A sentence.")
FIGURE = nodes.container("", nodes.paragraph("", "Without JavaScript."), nodes.caption("", "What to see."))
COLUMNS = [
    nodes.definition("", nodes.paragraph("", text)) for text in ("What is right.", "How it was shown.")
]
ENTRY = nodes.definition_list("", nodes.definition_list_item("", nodes.term("", "A correction"), *COLUMNS))
CODE = nodes.raw("", "<script></script>", format="html")


@pytest.mark.parametrize(
    ("above", "found"),
    [
        ([PARAGRAPH], "A sentence."),
        ([PARAGRAPH, FIGURE], "What to see."),
        ([PARAGRAPH, ENTRY], "How it was shown."),
        ([FIGURE, CODE], "What to see."),  # the code of the living figures follows the last one of a page
        ([CODE], None),
        ([], None),
    ],
)
def test_the_sentence_before_a_claim(above, found):
    comment = nodes.comment("", "claim: x")
    nodes.section("", *(node.deepcopy() for node in above), comment)
    sentence = _sentence_before(comment)
    assert (sentence and sentence.astext()) == found


def test_several_claims_of_one_sentence_are_all_found():
    """The comment of several lines keeps the spaces before all but the first."""
    assert _CLAIM.findall("claim: one | 測定\n claim: two-2 | 証明\nnot a claim: three") == ["one", "two-2"]


PAGE = r"""
Text.
% claim: first | 測定 | \alpha in (0, 0.9] sufficient above; \eta in [0.84, 1) | fig-a
  % claim: second | 測定 | \eta in [0.05, 2] | fig-a
"""


def test_the_ends_of_a_claim_are_read_from_its_declaration():
    assert _end(PAGE, r"first \eta low") == "0.84"
    assert _end(PAGE, r"first \alpha high") == "0.9"
    assert _end(PAGE, r"second \eta low") == "0.05"


@pytest.mark.parametrize("wanted", [r"third \eta low", r"first \kappa low", r"first \eta middle"])
def test_an_end_that_no_claim_of_the_page_has_is_an_error(wanted):
    with pytest.raises(ValueError, match="という端がありません"):
        _end(PAGE, wanted)
