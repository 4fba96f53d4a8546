"""読者のものから、更新する関数を得る: クラスから作る、関数に作らせる、作ってあるものを写す、関数そのものを使う。"""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from fumoto.checking.calling.safety import call
from fumoto.checking.calling.shapes.copying import own_copy, with_own_cells
from fumoto.checking.calling.shapes.instructions import names_with, started_at
from fumoto.checking.calling.shapes.roles import BATCH, NAMED, Argument, Arguments, Role, arguments_of
from fumoto.checking.calling.values import NAMES, USUAL, is_value, normal, number

#: 更新するメソッドの名前。もっともらしい順に。
VERBS = (
    *(
        "update",
        "step",
        "apply_gradients",
        "update_params",
        "update_parameters",
        "update_weights",
        "更新",
        "更新する",
        "optimize",
    ),
    *("minimize", "apply", "apply_grads", "apply_gradient", "compute_step", "get_update", "get_updates"),
    *("compute_update", "compute_updates", "update_one", "update_param", "update_parameter", "update_weight"),
    *("update_layer", "update_model", "take_step", "do_step", "train_step", "descend", "run", "next", "move"),
)
SETUPS = (
    "setup",
    "register",
    "add_param",
    "add_parameter",
    "set_parameters",
    "set_params",
    "attach",
    "bind",
    "initialize",
    "init",
    "build",
)


@dataclass(frozen=True)
class Making:
    """作り方 1 つ。``words``: それを言う言葉。``arguments``: 作るときの引数。``build``: 作る関数。"""

    words: str
    arguments: Arguments
    build: Callable[..., Any]


def makings(thing: Any) -> list[Making]:
    """``thing`` の作り方。もっともらしい順に。"""
    if isinstance(thing, type):
        return [Making("", arguments_of(thing), thing)]
    if is_made(thing):
        return [Making("作ってあるものの写しを使い、", Arguments((), False), lambda: own_copy(thing))]
    arguments = arguments_of(thing)
    itself = Making("", Arguments((), False), lambda: with_own_cells(thing, {}))
    made = Making("", arguments, thing)
    if arguments.roles() & {Role.GRADS, Role.PAIRS}:
        return [itself, *_wrapped(thing, arguments)]
    unknown = [a for a in arguments.listed if a.required and a.role not in (Role.VALUE, Role.CONFIG)]
    return [made, itself] if unknown else [made]


def _wrapped(thing: Any, arguments: Arguments) -> list[Making]:
    """``functools.wraps`` で、包んだ関数の引数を受け取るように見えて、値だけを受け取って更新する関数を返すもの。"""
    if look(thing, "__wrapped__") is None or len(inspect.signature(thing, follow_wrapped=False).parameters) > 1:
        return []
    values = tuple(replace(a, keyword=True) for a in arguments.listed if a.role is Role.VALUE)
    return [Making("", Arguments(values, False), thing)]


def is_made(thing: Any) -> bool:
    """クラスでも関数でもなく、もう作ってあるものか。"""
    return not isinstance(thing, type | functools.partial) and not inspect.isroutine(thing)


# --- 引数を並べる -------------------------------------------------------------------------------------------

NOTHING = object()  # 渡さない


def filled(
    arguments: Arguments, give: Callable[[Argument], Any], more: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """位置で渡すものと、名前で渡すもの。``give``: 引数 → 渡すもの(``NOTHING`` なら渡さない)。"""
    positional: list[Any] = []
    named = dict(more) if arguments.anything else {}
    by_name = False
    for argument in arguments.listed:
        value = give(argument)
        by_name = by_name or argument.keyword or value is NOTHING
        if value is NOTHING:
            continue
        if by_name:
            named[argument.name] = value
        else:
            positional.append(value)
    return positional, named


def usual(name: str) -> float:
    """読者の引数に、ほかに手がかりがないときに渡す値。"""
    plain = normal(name)
    if plain in BATCH:
        return 1
    return next((USUAL[ours][0] for ours, names in NAMES.items() if plain in names), 0.9)


class Asked(dict[str, Any]):
    """読者のコードに渡す、引数の値の辞書。どの名前で引かれたか、ないときの値は何だったかを覚える。

    ``zeros``: 値でない名前で引かれたら、状態のはじめとして入れるもの。省くと、ふつうの辞書と同じ ``KeyError``。
    ``count``: 回数を表す名前で引かれたときの、数えはじめ。``taken``: 値を受け取る引数の名前。そこで渡しているなら、辞書の中のものは状態である。
    """

    def __init__(
        self,
        values: dict[str, Any],
        zeros: Callable[[str], Any] | None = None,
        count: int = 0,
        taken: Iterable[str] = (),
    ):
        super().__init__(values)
        self.count = count
        self.taken = {ours for name in taken for ours, names in NAMES.items() if normal(name) in names}
        self.defaults: dict[str, Any] = {}
        self.zeros = zeros

    def __bool__(self) -> bool:
        return True  # config or {} で、別の辞書にされないように

    def get(self, name: str, default: Any = None) -> Any:
        if name not in self and number(default) is not None:
            self.defaults[name] = default
        return super().get(name, default)

    def __missing__(self, name: str) -> Any:
        if isinstance(name, str) and is_value(name) and not any(normal(name) in NAMES[ours] for ours in self.taken):
            self[name] = usual(name)
        elif isinstance(name, str) and normal(name) in NAMED[Role.TIME]:
            self[name] = self.count
        elif isinstance(name, str) and self.zeros is not None:
            self[name] = self.zeros(name)
        else:
            raise KeyError(name)
        return self[name]


# --- 更新する関数 -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verb:
    """更新する関数の呼び方。``name``: メソッドの名前(なければ、作ったものそのもの)。``before``, ``after``: 前と後に呼ぶもの。"""

    name: str | None
    arguments: Arguments
    before: str | None = None
    after: str | None = None

    def of(self, made: Any) -> Callable[..., Any]:
        return made if self.name is None else getattr(made, self.name)


def look(made: Any, name: str) -> Any:
    """読者のものの属性。なければ(見ると例外が起きても)None。"""
    try:
        return getattr(made, name, None)
    except Exception:  # 例外を起こすプロパティ
        return None


def verbs(made: Any) -> Iterator[Verb]:
    """``made`` の、更新する関数。もっともらしい順に。"""
    if inspect.isroutine(made) or isinstance(made, functools.partial):
        yield Verb(None, arguments_of(made))
        return
    if type(made) in (str, bytes, int, float, bool, list, dict, set, tuple, type(None)):
        return
    names = [name for name in dir(made) if not name.startswith("_")]
    found = [name for name in VERBS if name in names]
    for name in found or names:
        method = call(f"{name} を調べるとき", lambda name=name: getattr(made, name))
        if not callable(method) or isinstance(method, type):
            continue
        arguments = arguments_of(method)
        known = arguments.roles() & {Role.GRADS, Role.PAIRS, Role.PARAMS, Role.MODEL}
        if not found and not known and not any(a.called for a in arguments.listed):  # 勾配の関数を呼ぶものかもしれない
            continue
        before, after = (_beside(prefix, name, names) for prefix in ("pre", "post"))
        if not (before or after):
            before, after = _counting(made, name, names)
        yield Verb(name, arguments, before, after)
    if callable(made) and not isinstance(made, type):
        yield Verb(None, arguments_of(made))


def _beside(prefix: str, verb: str, names: list[str]) -> str | None:
    """``pre_update_params`` のような、更新の前と後に呼ぶメソッド。"""
    usual = [f"{prefix}_{verb}", f"{prefix}_update", f"{prefix}_step"]
    usual += ["zero_grad", "zero_grads", "clear_grads"] if prefix == "pre" else []
    return next((name for name in usual if name in names), None)


def _counting(made: Any, verb: str, names: list[str]) -> tuple[str | None, str | None]:
    """更新の前(か、回数が 1 から始まっていれば後)に呼ぶ ``tick()``: 更新する関数の読むだけの回数を進め、ほかから呼ばれないもの。"""
    codes = {name: look(look(made, name), "__code__") for name in names}
    counts = {n for n in names_with("LOAD_ATTR", codes[verb]) if normal(n) in NAMED[Role.TIME] and normal(n) != "epoch"}
    counts -= names_with("STORE_ATTR", codes[verb])
    called = set().union(*(names_with("LOAD_", look(method, "__code__")) for method in vars(type(made)).values()))
    ticks = [
        (name, count)
        for name in names
        for count in counts & names_with("STORE_ATTR", codes[name])
        if name not in called and not arguments_of(look(made, name)).roles()
    ]
    if len(ticks) != 1:
        return None, None
    name, count = ticks[0]
    begins = started_at(look(look(type(made), "__init__"), "__code__"), count)
    return (None, name) if begins == 1 else (name, None)


def in_turn(setup: Callable[..., Any], weights: Any) -> Iterator[tuple[Any, ...]]:
    """重みを渡しておくメソッドに渡すもの。``register(name, w)`` なら、1 つずつ。"""
    if sum(a.required for a in arguments_of(setup).listed) == 1:
        yield (weights,)
    else:
        yield from weights.items() if isinstance(weights, dict) else enumerate(weights)


def setups(made: Any) -> list[str]:
    """重みを渡しておくメソッド。"""
    found = []
    for name in SETUPS:
        method = look(made, name)
        needed = [a for a in arguments_of(method).listed if a.required] if callable(method) else []
        if len(needed) == 1 or (len(needed) == 2 and needed[0].role is Role.KEY):
            found.append(name)
    return found
