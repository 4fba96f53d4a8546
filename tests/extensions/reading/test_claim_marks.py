"""A claim finds the sentence above it."""

import pytest
from docutils import nodes

from reading.claim_marks import _CLAIM, _sentence_before

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
