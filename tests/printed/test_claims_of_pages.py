"""``% claim:`` is read from the pages, and refused by page and line where it cannot be."""

import pytest

from fumoto.printed import EquationError
from fumoto.printed.claims import read_claim, read_claims


def page(tmp_path, text, name="page.md"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_claims_under_prose_bullets_and_in_boxes_are_read_and_those_in_code_are_not(tmp_path):
    claims = read_claims(
        page(
            tmp_path,
            "文。\n% claim: one | 測定 | a in [0, 1] | 演習\n\n- 箇条\n  % claim: two | 報告 | choi2019 | 演習\n\n"
            "```{correction} 題\n:name: x\n本文\n% claim: three | 証明 | a in R | 演習\n```\n\n"
            "```text\n% claim: four | 測定 | a in R | 演習\n```\n\n```{code-cell} ipython3\n% claim: five\n```\n",
        )
    )
    assert {name: claim.line for name, claim in claims.items()} == {"one": 2, "two": 5, "three": 10}
    assert claims["two"].source == "choi2019"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x | 測定 | a in [0, 1]", "'% claim: 名前 | 種類 | 範囲 | 図' と書いてください"),
        ("X | 測定 | a in R | 演習", "英小文字と数字とハイフン"),
        ("x | 予想 | a in R | 演習", "種類は 証明、測定、報告 のどれかです: '予想'"),
        ("x | 測定 | a in [1, 0] | 演習", "主張 x: 範囲を読めません"),
        ("x | 測定 | a in [0, 1]; a in R | 演習", "a が 2 度宣言されています"),
        ("x | 測定 | a in [0, 1] enough | 演習", "範囲を読めません"),
        ("x | 測定 | a in {p, p} | 演習", "範囲を読めません"),
    ],
)
def test_what_cannot_be_read_is_named_with_page_and_line(text, said):
    with pytest.raises(EquationError, match=r"page\.md:3") as error:
        read_claim(text, "page.md", 3)
    assert said in str(error.value)


def test_the_same_name_twice_is_refused(tmp_path):
    page(tmp_path, "% claim: x | 測定 | a in R | 演習\n", "a.md")
    page(tmp_path, "\n% claim: x | 測定 | a in R | 演習\n", "b.md")
    with pytest.raises(EquationError, match=r"b\.md:2: 主張 x が a\.md:1 と重複しています"):
        read_claims(tmp_path)


def test_names_numbers_and_powers_of_ten():
    domain = read_claim(
        r"x | 測定 | \delta in [10^{-6}, 0.1); surface in {bowl, ravine}; k in {1, 0.5}; \lambda in R | 演習"
    ).domain
    assert list(domain) == ["delta", "surface", "k", "lambda_"]
    assert (domain["delta"].low, domain["delta"].open_high, domain["delta"].is_logarithmic) == (
        1e-6,
        True,
        True,
    )
    assert domain["surface"].members == ("bowl", "ravine")
    assert domain["k"].members == (1.0, 0.5)
