"""手法 1 つを、ブラウザーの中で確かめるのに要るもの: 式、候補、問題、引数の呼び名、読者に言う言葉。"""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from fumoto.checking.calling.shapes.loops import INNER
from fumoto.checking.calling.shapes.walking import REPLACED
from fumoto.checking.calling.values import NAMES, USUAL, WORDS
from fumoto.checking.candidates.candidate import AS_PRINTED, Candidate
from fumoto.checking.candidates.conventions import DAMPENED, DAMPENED_RULE, OPTIMIZERS, conventions
from fumoto.checking.candidates.derived import is_often, labels_of
from fumoto.checking.candidates.disguised import HIDDEN
from fumoto.checking.candidates.equations import mistakes_in, written
from fumoto.checking.candidates.handlings import EXCHANGED, FAULTS, OFTEN_WRITTEN, OTHER_VALUE
from fumoto.checking.candidates.measured import CLIPPED, DECAYS, TIMED
from fumoto.checking.candidates.optimizer import BESIDES, ONLY_HERE, SINGLE, UNSEEN, WRITTEN_IN
from fumoto.checking.candidates.sight import REBOUND, SIGHTS
from fumoto.checking.candidates.slips import slips
from fumoto.checking.candidates.table import mistakes
from fumoto.checking.candidates.together import RARE, SLIPPED_IN
from fumoto.checking.computing.problems import Problem, problems_for, same_shapes_for
from fumoto.checking.computing.running import CHANGED, INSTEAD_OF_0
from fumoto.checking.in_browser.formulas import of_equation, of_formula
from fumoto.checking.in_browser.rules import Rules, array_of, place, row_of
from fumoto.printed import Method
from fumoto.printed.differences import marked
from fumoto.printed.javascript import literal
from fumoto.printed.methods import EVERY_METHOD, state_names
from fumoto.printed.pages import book


def method_script(name: str) -> str:
    """手法 ``name`` の表を ``globalThis.fumoto.tables`` に置くスクリプト。"""
    method = EVERY_METHOD[name]
    rules: Rules = {}
    table = {
        "name": name,
        "methods": {each.name: _method(each, rules) for each in (method, *_others(method))},
        "conventions": [_candidate(c, rules) for c in conventions(name)],
        "mistakes": [_candidate(c, rules) for c in mistakes(method, book())],
        "derived": _derived(method, rules),
        "bases": [_method(each, rules) for each in (method, *OPTIMIZERS.get(name, {}).values())],
        "rewrites": _rewrites(method, rules),
        "slips": len(list(slips(name))),
        "dampened": place(rules, of_formula(DAMPENED_RULE)),
    }
    return f"fumoto.tables[{literal(name)}] = {{...{literal(table)}, rules: {array_of(rules)}}};\n"


def common_script() -> str:
    """どの手法にも要るもの: 問題、引数の呼び名、読者に言う言葉を ``globalThis.fumoto`` に置くスクリプト。"""
    common = {
        "names": NAMES,
        "usual": USUAL,
        "words": WORDS,
        "faults": FAULTS,
        "changed": CHANGED,
        "insteadOf0": INSTEAD_OF_0,
        "oftenWritten": OFTEN_WRITTEN,
        "sights": SIGHTS,
        "timedWords": TIMED,
        "decays": DECAYS,
        "besides": sorted(BESIDES),
        "rare": sorted(RARE),
        "slippedIn": [f"gradient/{what}" for what in SLIPPED_IN],
        "inner": INNER,
        "said": {
            **{"single": SINGLE, "onlyHere": ONLY_HERE, "writtenIn": WRITTEN_IN, "unseen": UNSEEN, "hidden": HIDDEN},
            **{"otherValue": OTHER_VALUE, "exchanged": EXCHANGED, "clipped": CLIPPED, "dampened": DAMPENED, "replaced": REPLACED, "rebound": REBOUND},
        },
    }
    return f"Object.assign(fumoto, {literal(common)});\n"


def problems_script(name: str) -> str:
    """手法 ``name`` を走らせる問題を ``globalThis.fumoto.problems`` に置くスクリプト。"""
    method = EVERY_METHOD[name]
    problems = [_problem(problem) for problem in problems_for(method)]
    return f"fumoto.problems = {literal(problems)};\nfumoto.sameShapes = {literal(_problem(same_shapes_for(method)))};\n"


def _others(method: Method) -> list[Method]:
    return [each for each in EVERY_METHOD.values() if each is not method]


def _method(method: Method, rules: Rules) -> dict[str, Any]:
    printed = [book()[label] for label in method.labels]
    return {
        "name": method.name,
        "labels": method.labels,
        "hyperparameters": method.hyperparameters,
        "states": state_names(printed),
        "equations": {e.label: row_of(rules, e) for e in printed},
    }


def _candidate(candidate: Candidate, rules: Rules) -> dict[str, Any]:
    handling = _changed(candidate)
    if candidate.handling.first:
        handling["first"] = _placed(candidate.handling.first, rules)
    found = {
        "id": candidate.id,
        "words": candidate.words,
        "label": candidate.label,
        "formulas": _placed(candidate.formulas, rules),
        "handling": handling,
        "method": candidate.method,
        "published": candidate.published,
        "findings": _findings(candidate),
    }
    return {key: value for key, value in found.items() if value}


def _changed(candidate: Candidate) -> dict[str, Any]:
    """正しい動かし方と違うところだけ。"""
    own, usual = candidate.handling, AS_PRINTED
    return {f.name: getattr(own, f.name) for f in fields(usual) if getattr(own, f.name) != getattr(usual, f.name)}


def _placed(formulas: Iterable[tuple[str, str]], rules: Rules) -> list[tuple[str, int]]:
    return [(label, place(rules, of_formula(formula))) for label, formula in formulas]


def _findings(candidate: Candidate) -> list[dict[str, str]]:
    """間違えた式の、読者に見せる LaTeX。"""
    found = []
    for label, formula in candidate.formulas if candidate.label else ():
        printed = book()[label] if label.startswith("eq-") else None
        if printed is not None and (yours := written(printed, formula)) is not None:
            found.append({"label": label, "yours": marked(printed, yours)})
    return found


def _derived(method: Method, rules: Rules) -> list[dict[str, Any]]:
    """機械で作った、式 1 本の書き間違い。"""
    bases = [method, *OPTIMIZERS.get(method.name, {}).values()]
    return [
        {
            "id": v.id,
            "kind": v.kind,
            "often": is_often(v),
            "label": label,
            "rule": place(rules, of_equation(v.equation)),
            "yours": marked(book()[label], v.equation),
        }
        for label in labels_of(bases)
        for v in mistakes_in(label)
    ]


def _rewrites(method: Method, rules: Rules) -> dict[str, dict[int, int]]:
    """ほかの書き方の名前 → {間違いの右辺の番号: その書き方の上での右辺の番号}。"""
    found: dict[str, dict[int, int]] = {}
    for form in conventions(method.name):
        for candidate in mistakes(method, book()) if form.rewrites else ():
            for _, formula in candidate.formulas:
                other = formula
                for printed, replacement in form.rewrites:
                    other = other.replace(printed, replacement)
                if other != formula:
                    found.setdefault(form.id, {})[place(rules, of_formula(formula))] = place(rules, of_formula(other))
    return found


def _problem(problem: Problem) -> dict[str, Any]:
    keys = [
        {
            "key": key,
            "shape": w.shape,
            "dtype": str(w.dtype),
            "order": "F" if w.ndim > 1 and w.flags.f_contiguous and not w.flags.c_contiguous else "C",
            "start": w.ravel().tolist(),
        }
        for key, w in problem.start.items()
    ]
    gradients = [[grads[key].ravel().tolist() for key in problem.start] for grads in problem.gradients]
    return {"keys": keys, "gradients": gradients, "disturbed": problem.disturbed}
