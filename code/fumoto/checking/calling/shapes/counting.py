"""更新の回数を、いくつから数えるか。"""

import inspect
import re

from fumoto.checking.calling.shapes.making import look
from fumoto.checking.calling.shapes.roles import SIZE, SIZES, Arguments, Role
from fumoto.checking.calling.shapes.walking import Plan
from fumoto.checking.calling.values import normal


def counts(plan: Plan) -> tuple[tuple[int, ...], ...]:
    """数えはじめの組。組の中のものは、名前からは区別できない。先の組で走れば、あとの組は試さない。"""
    arguments = plan.verb.arguments
    if Role.TIME in arguments.roles():
        if (said := _said_start(plan, arguments)) is not None:
            return ((said,),)
        sizes = any(a.role is Role.TIME and normal(a.name) in SIZES for a in arguments.listed)
        return ((1, 0, SIZE),) if sizes else ((1, 0),)
    if Role.CONFIG in arguments.roles() | plan.making.arguments.roles():
        return ((0,), (1,))  # 辞書の中の回数。使う前に進めるなら 0 から、使ってから進めるなら 1 から
    return ((1,),)


_FROM = re.compile(r"(?:from|at|with|=)\s*([01])(?!\d|\.\d)|(?<![\d.])([01])\s*(?:から|で始|スタート|-based)")


def _said_start(plan: Plan, arguments: Arguments) -> int | None:
    """回数の数えはじめを、既定値か、読者の説明が言っていれば、それ。"""
    time = next((a for a in arguments.listed if a.role is Role.TIME), None)
    if time is None or time.default == 1:
        return None if time is None else 1
    function = look(plan.making.build, plan.verb.name) if plan.verb.name else plan.making.build()
    lines = (inspect.getdoc(function) or "").splitlines()
    word = re.compile(rf"(?<![A-Za-z_]){re.escape(time.name)}(?![A-Za-z_])|回数|iteration|step", re.I)
    found = [match for line in lines if word.search(line) for match in _FROM.finditer(line)]
    return int(found[0][1] or found[0][2]) if found else None
