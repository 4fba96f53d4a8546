"""Every claim of the pages holds in its whole domain, fails just outside, and can fail."""

import numpy as np
import pytest

from claims import CLAIMS
from claims.harness import examine, examine_all, job, problem, search
from claims.registry import Registered, between, claim, close, equal, less
from claims.walking import along, walk
from fumoto.experiments.adagrad import follow
from fumoto.experiments.comparison import METHODS
from fumoto.figures.claims import claims_table
from fumoto.printed import EquationError
from fumoto.printed.claims import read_claim, read_claims
from fumoto.surfaces import valleys
from fumoto.training import descend

PAGES = read_claims()
MEASURED = [claim.name for claim in PAGES.values() if claim.kind != "報告"]


def test_every_claim_has_a_function_and_every_function_a_claim():
    assert {claim.name for claim in PAGES.values() if claim.kind != "報告"} == CLAIMS.keys()


@pytest.mark.parametrize("name", MEASURED)
def test_a_claim_holds_inside_fails_outside_and_can_fail(name):
    assert problem(PAGES[name], examine(*job(PAGES[name], CLAIMS[name]))) == ""


@pytest.mark.parametrize("method", METHODS)
def test_the_walks_of_the_claims_are_those_of_the_book(method):
    first, second = (METHODS[method](lr=0.1) for _ in range(2))
    path = descend(first, valleys, valleys.start, 50)
    np.testing.assert_array_equal(walk(second, valleys.gradient, valleys.start, 50), path)
    assert second.t == first.t
    assert all(np.array_equal(second.state[name], first.state[name]["w"]) for name in first.state_names)
    gradients = np.random.default_rng(0).normal(size=50)
    first, second = (METHODS[method](lr=0.1) for _ in range(2))
    np.testing.assert_allclose(along(second, gradients), follow(first, gradients), rtol=1e-12)


@pytest.mark.parametrize("name", [name for name in MEASURED if CLAIMS[name].searched])
def test_a_search_finds_no_counterexample(name):
    assert search(CLAIMS[name].function, PAGES[name].domain, CLAIMS[name].searched) == ""


# --- the harness notices ----------------------------------------------------------------------------------


def examined(function, declared, **how):
    made = read_claim(f"x | 測定 | {declared} | 本文の数値", "page.md", 7)
    found = examine.kept(function, made.domain, made.sufficient, **how)
    return found, problem(made, found)


def below_one(a, b=0.0):
    return less(a + 0 * b, 1.0)


def test_a_sound_claim_has_no_problem():
    found, wrong = examined(below_one, "a in [0, 1) sufficient below; b in R")
    assert wrong == ""
    assert found.samples > 230
    assert 0 < found.margin < 0.01
    assert [edge.found for edge in found.edges] == ["sufficient", "false"]


def test_a_domain_wider_than_the_truth_is_noticed():
    _, wrong = examined(below_one, "a in [0, 1.2] sufficient below")
    assert wrong.startswith("page.md:7: 主張 x は、範囲の中で成り立ちません(a = 1.2: 1.2 < 1")


def test_a_condition_that_is_not_needed_is_noticed():
    _, wrong = examined(below_one, "a in [0, 0.8] sufficient below")
    assert wrong.startswith("page.md:7: 主張 x は、a の範囲のすぐ上(0.84)でも成り立ちます")
    _, wrong = examined(below_one, "a in [0, 1) sufficient below; b in [0, 1]")
    assert "b の範囲のすぐ下" in wrong


def test_an_end_called_sufficient_at_which_the_claim_fails_is_noticed():
    _, wrong = examined(below_one, "a in [0, 1) sufficient")
    assert wrong.startswith("page.md:7: 主張 x は、sufficient と書いた a の範囲のすぐ外(1.05)では")


def test_outside_is_a_part_of_the_end_if_that_is_nearer():
    found, _ = examined(lambda a: less(37, a), "a in [38, 1000] sufficient above")
    assert [(edge.value, edge.found) for edge in found.edges] == [(36.1, "false"), (1048.1, "sufficient")]


def test_the_end_of_what_can_be_computed_is_an_edge():
    def root(a):
        if a < 0:
            raise ValueError("a")
        return less(a, 1.0)

    found, wrong = examined(root, "a in [0, 1)")
    assert (found.edges[0].found, wrong) == ("undefined", "")


def test_a_narrow_hole_in_the_domain_is_found_by_the_search():
    """Random samples rarely hit the hole; the margins lead there."""

    def hole(a, b):
        return less(1e-4, (a - 0.371) ** 2 + (b - 0.689) ** 2)

    domain = read_claim("x | 測定 | a in [0, 1]; b in [0, 1] | 演習").domain
    assert examine.kept(hole, domain, frozenset(), samples=0).failure == ""
    assert search.kept(hole, domain, 400).startswith("a = 0.3")


def test_a_comparison_that_cannot_fail_is_noticed():
    _, wrong = examined(lambda a: [less(a, 1.0), close(0.0, 0.0, rel=0.2)], "a in [0, 1) sufficient below")
    assert wrong == "page.md:7: 主張 x の比べ方は、2 個のうち 1 個しか失敗できません"


def test_nan_is_no_agreement():
    for comparison in (
        less(float("nan"), 1),
        close(float("nan"), 1),
        between(float("nan"), 0, 1),
        equal(float("nan"), 1),
    ):
        assert comparison.margin < 0


def test_a_page_tries_the_first_seed_of_a_claim_that_trains_and_all_of_one_that_does_not():
    made = read_claim("x | 測定 | a in [0, 1) sufficient below; seed in 101..105 | 演習")
    for samples, seeds in ((0, {101}), (200, {101, 102, 103, 104, 105})):
        domain = job(made, Registered(below_one, samples, 0), seeds=1)[1]
        assert {*range(domain["seed"].low, domain["seed"].high + 1)} == seeds
    assert job(made, Registered(below_one, 0, 0))[1] == made.domain


def test_a_claim_without_a_function_and_a_function_without_a_claim_are_named():
    claims = {"x": read_claim("x | 測定 | a in [0, 1) | 演習", "page.md", 7)}
    with pytest.raises(
        EquationError, match=r"page\.md:7: 主張 x を確かめる関数がありません\n関数 y の主張が、"
    ):
        examine_all(claims, {"y": None})


@pytest.mark.parametrize(
    ("declared", "shown"),
    [
        ("a in [0, 1) sufficient below", "成立、不成立"),
        ("a in [0, 0.8] sufficient below", "成立、断りなく成立"),
        ("a in [0, 1) sufficient", "成立、断りに反して不成立"),
        ("a in [0, 1.2] sufficient below", "成り立ちません(a = 1.2: 1.2 < 1"),
    ],
)
def test_the_table_shows_what_was_found_even_of_a_claim_with_a_problem(declared, shown):
    found, _ = examined(below_one, declared)
    made = read_claim(f"x | 測定 | {declared} | 演習", "page.md", 7)
    assert shown in repr(claims_table([(made, found)], "page.md"))


def test_two_functions_for_one_claim_are_refused():
    name = next(iter(CLAIMS))
    with pytest.raises(ValueError, match=f"two functions check the claim {name}"):
        claim(name)(below_one)
