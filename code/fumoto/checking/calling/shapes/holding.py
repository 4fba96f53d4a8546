"""重みの配列を名前で持つもの: ``Adam(W, b)`` と作り、``step(dW, db)`` と呼ぶ。``Adam(w)`` と ``step(g)`` も。"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fumoto.checking.calling.shapes import sequences
from fumoto.checking.calling.shapes.making import VERBS, Making, Verb, look
from fumoto.checking.calling.shapes.roles import Argument, Arguments, Role, arguments_of, role_of
from fumoto.checking.calling.shapes.units import in_groups
from fumoto.checking.calling.shapes.walking import Plan
from fumoto.checking.calling.values import normal


def holding(thing: Any) -> Plan | None:
    """``thing`` が、作るときの引数の名前に d をつけた勾配を受け取るクラスなら、その呼び方。"""
    if not isinstance(thing, type):
        return None
    made_with = arguments_of(thing)
    public = [name for name in dir(thing) if not name.startswith("_") and callable(look(thing, name))]
    for name in (*VERBS, *(public if not set(VERBS) & set(public) else ())):
        listed = [a for a in arguments_of(look(thing, name)).listed if a.name != "self"]
        required = [a.name for a in listed if a.required]
        held = [_held(each, made_with) for each in required]
        if (
            len(required) == 1
            and len(alone := _arrays(made_with)) == 1
            and role_of(required[0]) is Role.GRADS
        ):
            held = list(alone)
        elif len(held) < 2 or None in held:
            continue
        names = [str(each) for each in held]
        rest = [
            replace(a, keyword=True) for a in made_with.listed if a.name not in names and a.role is Role.VALUE
        ]
        parameters = Argument("parameters", Role.PARAMS, True, False, None)
        gradients = Argument(", ".join(required), Role.GRADS, True, False, None)
        build = _builder(thing, name, names, [a.name for a in rest])
        words = f"{thing.__name__}({', '.join(names)}) と作り、"
        return Plan(
            Making(words, Arguments((parameters, *rest), False), build),
            Verb(name, Arguments((gradients,), False)),
            sequences.in_a_list,
            f"配列を {len(names)} つずつ" if len(names) > 1 else "配列を 1 つずつ",
        )
    return None


def _arrays(made_with: Arguments) -> list[str]:
    """作るときに渡さなければならない、値でないもの。名前が複数形なら、配列 1 つではない。"""
    needed = [a.name for a in made_with.listed if a.required and a.role is not Role.VALUE]
    return [name for name in needed if not re.search(r"s_?$|list|dict|model|net", name)]


def _held(gradient: str, made_with: Arguments) -> str | None:
    """``dW`` や ``grad_W`` にあたる、作るときの引数。"""
    names = {normal(a.name): a.name for a in made_with.listed}
    plain = re.sub(r"^(d|grad|g)|grad$", "", normal(gradient), count=1)
    return names.get(plain)


def _builder(kind: type, verb: str, names: list[str], values: list[str]) -> Callable[..., Any]:
    class Held:
        """``parameters`` を、名前の数だけに分けて、1 組ずつ持たせる。"""

        def __init__(self, parameters: list[Any], **given: Any):
            self.parameters, self.groups = parameters, in_groups(parameters, len(names))
            own = {name: given[name] for name in values if name in given}
            self.made = [kind(**dict(zip(names, group, strict=True)), **own) for group in self.groups]

        def step(self, gradients: list[Any]) -> None:
            given = in_groups(gradients, len(names))
            for group, made, received in zip(self.groups, self.made, given, strict=True):
                getattr(made, verb)(*received)
                for name, w in zip(names, group, strict=True):  # 属性に、別の配列を入れなおしたかもしれない
                    if (new := look(made, name)) is not None and new is not w:
                        w[...] = new

    setattr(Held, verb, Held.step)
    return Held
