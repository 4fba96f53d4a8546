"""Every claim is tried over its whole domain and just outside it, and with a mistake in it."""

import itertools
import os
from dataclasses import dataclass, replace
from pathlib import Path

# Also where a page runs, in book/: what Hypothesis writes down belongs beside what it writes for the other tests
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path(__file__).parents[2] / ".hypothesis"))

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings, target
from hypothesis import strategies as st

from fumoto.experiments.kept import kept
from fumoto.experiments.parallel import run_parallel
from fumoto.printed import Domain, EquationError
from fumoto.printed.claims import SEED

OUTSIDE = 0.05  # how far outside: a part of the interval, or of the end if that is less
LARGE = 100.0  # the ends of the real numbers
GRID = 10**6  # the search goes over this many steps of an interval
OPEN = 1e-3  # how near to an end that does not belong to the interval
CORNERS = 256  # more of them are drawn from
EDGES = 8  # at most so many samples with one variable at its end
UNDEFINED = (ValueError, ArithmeticError)


@dataclass(frozen=True)
class Edge:
    """What was found just outside one end: 'false' or 'undefined', or that it holds and was declared 'sufficient'.

    Mistakes: 'true' (it holds and was not declared so) and 'false, not sufficient' (the other way round).
    """

    variable: str
    side: str
    value: float
    found: str


@dataclass(frozen=True)
class Examined:
    """``margin``: the smallest of the samples; ``failure``: where the claim does not hold, in words.

    ``comparisons``: how many the claim makes; ``caught``: how many of them can fail.
    """

    samples: int
    margin: float
    failure: str
    edges: tuple[Edge, ...]
    comparisons: int
    caught: int


@kept
def examine(function, domain, sufficient, samples=200):
    """Try ``function`` at the corners, the edges and random samples of ``domain``; then step outside and spoil."""
    rng = np.random.default_rng(0)
    tried = [
        (sample, _compared(function, sample))
        for sample in [
            *_corners(domain, rng),
            *_edges(domain, rng, min(EDGES, samples // 5)),
            *_random(domain, rng, samples),
        ]
    ]
    counterexamples = [each for each in tried if _margin(each[1]) <= 0]
    comparisons = max(len(found) for _, found in tried)
    return Examined(
        len(tried),
        min(_margin(found) for _, found in tried),
        _failure(*counterexamples[0]) if counterexamples else "",
        tuple(_outside(function, domain, sufficient, *end) for end in _ends(domain)),
        comparisons,
        sum(any(found[k].spoiled <= 0 for _, found in tried) for k in range(comparisons)),
    )


@kept
def search(function, domain, searched=100):
    """A counterexample that Hypothesis finds, in words; empty if there is none.

    What it tries depends on the modules that happen to be loaded, so the page says nothing of it: the tests do.
    """
    found = []
    _search(
        function, domain, searched, lambda *tried: found.append(tried) if _margin(tried[1]) <= 0 else None
    )
    return _failure(*found[0]) if found else ""


def _failure(sample, comparisons):
    return f"{_said(sample)}: {min(comparisons, key=lambda one: one.margin).said}"


def _compared(function, sample):
    with np.errstate(all="ignore"):
        found = function(**sample)
    return found if isinstance(found, list) else [found]


def _margin(comparisons):
    return min(one.margin for one in comparisons)


def _said(sample):
    return ", ".join(
        f"{name} = {value:.6g}" if isinstance(value, float) else f"{name} = {value}"
        for name, value in sample.items()
    )


# --- samples ----------------------------------------------------------------------------------------------


def _end_values(domain):
    if domain.members:
        return list(domain.members)
    if domain.integer:
        return sorted({domain.low, domain.high})
    if not domain.is_interval:
        return [-LARGE, LARGE]
    return [domain.at(OPEN if domain.open_low else 0), domain.at(1 - OPEN if domain.open_high else 1)]


def _corners(domain, rng):
    values = {
        name: list(range(one.low, one.high + 1)) if name == SEED else _end_values(one)
        for name, one in domain.items()
    }
    corners = [dict(zip(values, corner, strict=True)) for corner in itertools.product(*values.values())]
    if len(corners) <= CORNERS:
        return corners
    return [corners[k] for k in rng.choice(len(corners), CORNERS, replace=False)]


def _edges(domain, rng, number):
    for name, one in domain.items():
        for end in _end_values(one) if len(domain) > 1 and name != SEED else ():
            yield from ({**sample, name: end} for sample in _random(domain, rng, number))


def _random(domain, rng, number):
    for _ in range(number):
        yield {
            name: one.at(rng.uniform(OPEN, 1 - OPEN)) if one.is_interval else _plain(one.sample(rng))
            for name, one in domain.items()
        }


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


def _search(function, domain, examples, seen):
    """Let Hypothesis look for the smallest margin; ``seen(sample, comparisons)`` gets what it tried."""
    if not examples:
        return

    @settings(
        max_examples=examples,
        phases=[Phase.generate, Phase.target],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.fixed_dictionaries({name: _strategy(one) for name, one in domain.items()}))
    def search(drawn):
        sample = {name: _value(one, drawn[name]) for name, one in domain.items()}
        found = _compared(function, sample)
        target(-max(min(_margin(found), 1e3), -1e3))
        seen(sample, found)

    search()


def _strategy(domain: Domain):
    if domain.members:
        return st.sampled_from(domain.members)
    if domain.integer:
        return st.integers(domain.low, domain.high)
    return st.integers(0, GRID)


def _value(domain, drawn):
    """The value for what ``_strategy`` drew; Hypothesis climbs better on whole numbers than on fractions."""
    if domain.members or domain.integer:
        return drawn
    if not domain.is_interval:
        return LARGE * (2 * drawn / GRID - 1)
    first, last = OPEN if domain.open_low else 0, 1 - OPEN if domain.open_high else 1
    return domain.at(first + (last - first) * drawn / GRID)


# --- just outside -----------------------------------------------------------------------------------------


def _ends(domain):
    """(variable, side, value just outside) of every bounded variable."""
    for name, one in domain.items():
        if one.is_interval:
            yield name, "below", max(one.at(-OUTSIDE), _beside(one.low, -1))
            yield name, "above", min(one.at(1 + OUTSIDE), _beside(one.high, 1))
        elif one.integer and name != SEED:
            yield name, "below", one.low - 1
            yield name, "above", one.high + 1


def _beside(end, direction):
    """A part of the end away from it. In [38, 1000] a part of the interval would be outside of all that makes sense."""
    return end + direction * OUTSIDE * (abs(end) or np.inf)


class _Failed(Exception):
    pass


def _outside(function, domain, sufficient, name, side, value):
    others = {other: one for other, one in domain.items() if other != name}
    rng = np.random.default_rng(1)
    declared = (name, side) in sufficient  # that it goes on holding: a few samples are enough to refute that

    def stop_if_false(sample, found):
        if _margin(found) <= 0:
            raise _Failed

    try:
        corners, drawn = _corners(others, rng), 40
        if declared:
            corners, drawn = [corners[k] for k in rng.permutation(len(corners))[:8]], 8
        for sample in [*corners, *_random(others, rng, drawn)]:
            stop_if_false(sample, _compared(function, {**sample, name: value}))
        if others and not declared:
            _search(lambda **sample: function(**sample, **{name: value}), others, 100, stop_if_false)
    except _Failed:
        return Edge(name, side, value, "false, not sufficient" if declared else "false")
    except UNDEFINED:
        return Edge(name, side, value, "undefined")
    return Edge(name, side, value, "sufficient" if declared else "true")


# --- the whole book ---------------------------------------------------------------------------------------


def examine_all(claims, checks, seeds=None, processes=-1):
    """[(claim, what was found, or None for a citation)] of every claim, in the order of the pages.

    ``seeds``: as in ``job``. A claim without a function and a function without a claim are an ``EquationError``. A claim
    that fails is not: who tries something in the code may see what becomes of the book; the tests say what has become
    false.
    """
    measured = [claim for claim in claims.values() if claim.kind != "報告"]
    missing = [
        f"{claim.where}: 主張 {claim.name} を確かめる関数がありません"
        for claim in measured
        if claim.name not in checks
    ]
    missing += [
        f"関数 {name} の主張が、どのページにもありません"
        for name in checks
        if name not in {c.name for c in measured}
    ]
    if missing:
        raise EquationError("\n".join(missing))
    jobs = [job(claim, checks[claim.name], seeds) for claim in measured]
    found = dict(
        zip(
            [claim.name for claim in measured],
            run_parallel(examine, jobs, "主張を確かめる", processes),
            strict=True,
        )
    )
    return [(claim, found.get(claim.name)) for claim in claims.values()]


def job(claim, registered, seeds=None):
    """The arguments of ``examine``. ``seeds``: of a claim that trains networks, only so many of the first seeds."""
    domain = claim.domain
    if seeds and registered.samples == 0 and SEED in domain:
        domain = {**domain, SEED: replace(domain[SEED], high=domain[SEED].low + seeds - 1)}
    return registered.function, domain, claim.sufficient, registered.samples


def problem(claim, found):
    """What is wrong with a claim, with its page and line; empty if nothing is."""
    name = f"{claim.where}: 主張 {claim.name}"
    if found.failure:
        return f"{name} は、範囲の中で成り立ちません({found.failure})"
    for edge in found.edges:
        if edge.found == "true":
            side = "下" if edge.side == "below" else "上"
            return (
                f"{name} は、{edge.variable} の範囲のすぐ{side}({edge.value:.6g})でも成り立ちます。"
                "範囲を広げるか、sufficient と書いてください"
            )
        if edge.found == "false, not sufficient":
            return f"{name} は、sufficient と書いた {edge.variable} の範囲のすぐ外({edge.value:.6g})では成り立ちません"
    if found.caught < found.comparisons:
        return f"{name} の比べ方は、{found.comparisons} 個のうち {found.caught} 個しか失敗できません"
    return ""
