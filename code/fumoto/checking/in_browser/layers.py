"""重みの初期値と Batch Normalization を、ブラウザーの中で確かめるのに要るもの: 式、候補、問題、読者に言う言葉。"""

from typing import Any

from fumoto.checking.calling.batchnorm.rates import USUAL
from fumoto.checking.calling.batchnorm.roles import NAMED
from fumoto.checking.calling.weights.roles import ROLES
from fumoto.checking.candidates.conventions import RUNNING_AVERAGES
from fumoto.checking.candidates.equations import like, mistakes_in
from fumoto.checking.candidates.initializer import SCALES
from fumoto.checking.candidates.node_counts import WRONG_N
from fumoto.checking.candidates.normalization import STRUCTURE, written_as
from fumoto.checking.candidates.said import AGREES, BATCHNORM, DIFFERS, INITIALIZER, KNOWN
from fumoto.checking.computing.batchnorm import FORWARD, PROBLEMS, RUNNING, STAGES, Problem
from fumoto.checking.computing.initializer import KURTOSES, KURTOSIS_ERROR, LABELS, SIGMAS, TRUNCATED_STD
from fumoto.checking.in_browser.formulas import of_equation
from fumoto.checking.in_browser.rules import Rules, array_of, place, row_of
from fumoto.hints import Array
from fumoto.printed.differences import marked
from fumoto.printed.javascript import literal
from fumoto.printed.pages import book

#: 作らせる行列。要素を 1 つずつ引くコードでも、待たせない大きさ
_SIZES = ((40, 200), (200, 40), (196, 50))
_VERDICTS = {"agreed": AGREES, "differs": DIFFERS, "known": KNOWN}


def initializer_script() -> str:
    """重みの初期値の表を ``globalThis.fumoto.initializers`` に置くスクリプト。"""
    rules: Rules = {}
    table = {
        "labels": LABELS,
        "equations": {label: row_of(rules, book()[label]) for label in LABELS.values()},
        "derived": {label: _derived(label, rules) for label in LABELS.values()},
        "scales": [{"id": slug, "drawn": drawn, "scale": scale, "words": words} for slug, (drawn, scale, words) in SCALES.items()],
        "wrongN": {slug: words for slug, (words, _) in WRONG_N.items()},
        "sizes": _SIZES,
        "sigmas": SIGMAS,
        "truncated": TRUNCATED_STD,
        "kurtoses": KURTOSES,
        "kurtosisError": KURTOSIS_ERROR,
        "said": _VERDICTS | INITIALIZER,
        "roles": ROLES,
    }
    return f"fumoto.initializers = {{...{literal(table)}, rules: {array_of(rules)}}};\n"


def batchnorm_script() -> str:
    """Batch Normalization の表を ``globalThis.fumoto.batchnorm`` に置くスクリプト。"""
    rules: Rules = {}
    labels = [label for stage in STAGES.values() for label in stage]
    table = {
        "forward": FORWARD,
        "running": RUNNING,
        "gradients": labels[len(FORWARD) : -len(RUNNING)],
        "equations": {label: row_of(rules, book()[label]) for label in labels},
        "structures": [_structure(identifier, rules) for identifier in STRUCTURE],
        "conventions": [_running_average(name, rules) for name in RUNNING_AVERAGES],
        "derived": [{"stage": stage, **each} for stage, own in STAGES.items() for label in own for each in _derived(label, rules)],
        "problems": [_problem(problem) for problem in PROBLEMS],
        "names": {role.name.lower(): names for role, names in NAMED.items()},
        "usual": USUAL,
        "said": _VERDICTS | BATCHNORM,
    }
    return f"fumoto.batchnorm = {{...{literal(table)}, rules: {array_of(rules)}}};\n"


def _derived(label: str, rules: Rules) -> list[dict[str, Any]]:
    printed = book()[label]
    return [
        {
            **{"id": v.id, "kind": v.kind, "label": label, "symbols": v.equation.symbols, "latex": v.equation.latex},
            **{"rule": place(rules, of_equation(v.equation)), "yours": marked(printed, v.equation)},
        }
        for v in mistakes_in(label)
    ]


def _structure(identifier: str, rules: Rules) -> dict[str, Any]:
    own = STRUCTURE[identifier]

    def placed(formulas: tuple[tuple[str, str], ...]) -> list[tuple[str, int]]:
        return [(label, place(rules, of_equation(written_as(book()[label], formula)))) for label, formula in formulas]

    found = {
        **{"id": identifier, "stage": own.stage, "words": own.words, "byHand": own.by_hand, "also": own.also},
        **{"formulas": placed(own.formulas), "atInference": placed(own.at_inference), "batch": own.batch},
        **{"reversed": own.reversed_rate, "noAverage": own.no_average},
    }
    return {key: value for key, value in found.items() if value}


def _running_average(name: str, rules: Rules) -> dict[str, Any]:
    own = RUNNING_AVERAGES[name]
    placed = {label: place(rules, of_equation(like(label, latex))) for label, latex in own.equations.items()}
    options = {"startVar": own.options["start_var"]} if own.options else {}
    return {"id": name, "words": own.what, "rules": placed, "options": options}


def _problem(problem: Problem) -> dict[str, Any]:
    batches = [{"x": _array(batch.x), "dout": _array(batch.dout)} for batch in problem.batches]
    return {"gamma": _array(problem.gamma), "beta": _array(problem.beta), "batches": batches, "test": _array(problem.x_test)}


def _array(array: Array) -> dict[str, Any]:
    return {"shape": array.shape, "values": array.ravel().tolist()}
