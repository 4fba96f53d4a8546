"""読者の関数の命令(バイトコード)から分かること。読者のコードの走るところでは、もとの文は見えない。"""

import dis
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from types import CodeType
from typing import Any


def names_with(operation: str, code: Any) -> set[str]:
    """``code`` の中で、``operation`` で始まる命令(``STORE_`` か ``LOAD_``)の使う、変数と属性の名前。"""
    if not isinstance(code, CodeType):
        return set()
    used = [each.argval for each in dis.get_instructions(code) if each.opname.startswith(operation)]
    inside = set().union(*(names_with(operation, each) for each in code.co_consts))
    return inside | {name for names in used for name in (names if isinstance(names, tuple) else [names])}


@dataclass(frozen=True)
class Step:
    """命令 1 つ。``name``: 命令の名前。``value``: 扱う変数の名前や定数。"""

    name: str
    value: Any


def steps(code: Any) -> Iterator[Step]:
    """``code`` の命令。2 つの変数を一度に扱う命令(``LOAD_FAST_LOAD_FAST`` など)は、2 つに分ける。"""
    for each in dis.get_instructions(code) if isinstance(code, CodeType) else ():
        two = isinstance(each.argval, tuple) and "FAST" in each.opname
        if two and each.opname.startswith("STORE_FAST_LOAD"):
            yield Step("STORE_FAST", each.argval[0])
            yield Step("LOAD_FAST", each.argval[1])
        else:
            yield from (Step(each.opname, value) for value in (each.argval if two else (each.argval,)))


_LATER = sys.version_info >= (3, 13)  # PUSH_NULL は、呼ばれるものを積む命令の次にあるか(それより前の Python では、前)


def called_in(code: Any) -> set[str]:
    """``code`` の中で、関数として呼ばれる変数の名前。

    >>> sorted(called_in((lambda f, w, h: f(w) + h).__code__))
    ['f']
    """
    if not isinstance(code, CodeType):
        return set()
    beside = ((b, a) if _LATER else (a, b) for a, b in pairwise(steps(code)))
    names = {each.value for null, each in beside if null.name == "PUSH_NULL" and isinstance(each.value, str)}
    return names.union(*map(called_in, code.co_consts))


def answers_in_pairs(code: Any, variable: str) -> bool:
    """``loss, grad = variable(w)`` のように、関数 ``variable`` の答えを 2 つに分けて受け取るか。

    >>> def step(loss_and_grad, w):
    ...     loss, g = loss_and_grad(abs(w))
    ...     return w - g
    >>> answers_in_pairs(step.__code__, "loss_and_grad"), answers_in_pairs(step.__code__, "w")
    (True, False)
    """
    if variable not in called_in(code):
        return False
    asked = False
    for first, second in pairwise(steps(code)):
        asked = (asked and not first.name.startswith("STORE")) or first.value == variable
        if asked and first.name.startswith("CALL") and second.name == "UNPACK_SEQUENCE":
            return bool(second.value == 2)
    return False


def counted_in(code: Any) -> set[str]:
    """``range(n)`` や ``range(1, n + 1)`` の、``n`` の名前。

    >>> sorted(counted_in((lambda n, k: [i * k for i in range(1, n + 1)]).__code__))
    ['n']
    """
    found: set[str] = set()
    counting = False
    for each in steps(code):
        if each.value == "range":
            counting = True
        elif counting and each.name.startswith("LOAD_FAST"):
            found.add(each.value)
        elif each.name.startswith(("CALL", "GET_ITER")):
            counting = False
    return found


def started_at(code: Any, attribute: str) -> Any:
    """``self.attribute = 1`` のように入れる定数。なければ None。"""
    constant = None
    for each in steps(code):
        if each.name == "STORE_ATTR" and each.value == attribute:
            return constant
        constant = each.value if each.name in ("LOAD_CONST", "LOAD_SMALL_INT") else constant
    return None


def constants_in(code: CodeType) -> Iterator[Any]:
    """``code`` と、その中の関数に書かれた定数。``lr, beta = 0.01, 0.9`` や ``{"w": …, "v": …}`` の、組になっているものも 1 つずつ。"""
    for each in code.co_consts:
        yield from each if isinstance(each, tuple) else (each,)
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from constants_in(each)


def strings_in(code: CodeType) -> list[str]:
    """``code`` と、その中の関数に書かれた文字列。"""
    return [each for each in constants_in(code) if isinstance(each, str)]


def unpacked(code: CodeType, variable: str) -> list[str]:
    """``w, m, t = variable`` のように分けて入れる、変数の名前。

    >>> def step(state, g):
    ...     w, m, t = state
    ...     return w
    >>> unpacked(step.__code__, "state")
    ['w', 'm', 't']
    """
    every = list(steps(code))
    for i, (first, second) in enumerate(pairwise(every)):
        if first.value == variable and second.name == "UNPACK_SEQUENCE":
            stored = [each.value for each in every[i + 2 : i + 2 + second.value]]
            return stored if all(isinstance(name, str) for name in stored) else []
    return []


def attributes_in(code: CodeType, variable: str) -> list[str]:
    """``variable.name`` として読み書きされる、属性の名前。

    >>> def step(state, g):
    ...     state.w -= state.rate * g
    >>> attributes_in(step.__code__, "state")
    ['w', 'rate']
    """
    every = [each for each in steps(code) if each.name != "COPY"]  # state.w -= … は、state を写してから
    used = (b.value for a, b in pairwise(every) if a.value == variable and b.name in ("LOAD_ATTR", "STORE_ATTR"))
    return list(dict.fromkeys(used))
