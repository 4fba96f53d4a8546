"""初期値を作るものの呼び方を、もっともらしい順に並べる。"""

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from fumoto.checking.calling.shapes.making import is_made
from fumoto.checking.calling.weights.problems import FILTERS, MATRIX, NETWORK
from fumoto.checking.calling.weights.roles import role_of

#: 種類 → その大きさを言う引数の役の組。
_SIZES: dict[str, tuple[set[str], ...]] = {
    MATRIX: ({"n_in", "n_out"}, {"shape"}, {"array"}, {"n_in", "hidden"}, {"hidden", "n_out"}),
    NETWORK: ({"sizes"}, {"n_in", "hidden", "n_out"}, {"n_in", "hiddens", "n_out"}),
    FILTERS: ({"n_in", "n_out", "kernel"}, {"shape"}),
}
_OF_SIZES = set().union(*(known for every in _SIZES.values() for known in every))
_RANDOM = ("rng", "seed")
_CHOICES = ("method", "activation")  # ほかに要るかもしれない引数
_IN_TURN: dict[int, tuple[tuple[str, ...], ...]] = {  # 名前から分からない引数の数 → 渡すものの並び
    1: (("shape",), ("sizes",)),
    2: (
        ("n_in", "n_out"),
        ("n_out", "n_in"),
        ("shape", "rng"),
        ("rng", "shape"),
        ("sizes", "rng"),
        ("rng", "sizes"),
    ),
    3: (
        ("rng", "n_in", "n_out"),
        ("n_in", "n_out", "rng"),
        ("n_in", "hidden", "n_out"),
        ("n_out", "n_in", "rng"),
    ),
}
_METHODS = (
    *(
        "__call__",
        "init",
        "initialize",
        "init_weights",
        "initialize_weights",
        "init_params",
        "init_parameters",
    ),
    *("initialize_parameters", "reset_parameters", "build", "setup", "sample", "draw", "generate", "create"),
)
_LIKELY = re.compile(r"(^|_)(he|init|new|random)|xavier|glorot|kaiming|weights|params|normal|uniform", re.I)


@dataclass(frozen=True)
class Given:
    """渡すもの 1 つ。``role``: 引数の役。``name``: 名前で渡すなら、読者の名前。``star``: 並べて渡すか。"""

    role: str
    name: str = ""
    star: bool = False


@dataclass(frozen=True)
class Call:
    """呼ぶこと 1 つ。``method``: メソッドの名前。空なら、そのものを呼ぶ。"""

    method: str
    given: tuple[Given, ...]


@dataclass(frozen=True)
class Way:
    """呼び方 1 つ。``kind``: 作らせるものの種類。``calls``: 順に呼ぶこと。"""

    kind: str
    calls: tuple[Call, ...]

    @property
    def roles(self) -> frozenset[str]:
        """渡すものの役。"""
        return frozenset(given.role for call in self.calls for given in call.given)

    def words(self, what: str) -> str:
        """``what``(関数やクラス)の呼び方を言う言葉。"""
        first, *then = self.calls
        order = f"({', '.join(given.role for given in first.given)}) の順に"
        if not then:
            return f"{what}{f'の {first.method} ' if first.method else ''}を、{order}呼びました"
        made = f"{what}を{f'、{order}渡して' if first.given else ''}作り"
        order = ", ".join(given.role for given in then[0].given)
        return f"{made}、{then[0].method} を{f' ({order}) の順に' if order else ''}呼びました"


def ways(thing: Any, choices: dict[str, str], name: str | None = None) -> list[Way]:
    """``thing`` の呼び方。``choices``: 選べる引数の役(``method``)→ 渡してみる値。``name``: その名前のメソッドがあれば、先に試す。"""
    found = _ways(thing, choices)
    return sorted(found, key=lambda way: name is None or name not in way.calls[-1].method.lower())


def _ways(thing: Any, choices: dict[str, str]) -> list[Way]:
    if isinstance(thing, type):
        return list(dict.fromkeys([*_made_with_sizes(thing, choices), *_methods(thing, choices)]))
    if is_made(thing):
        direct = _ways_of(thing, choices) if callable(thing) else []
        named = [way for method in _names(thing) for way in _ways_of(getattr(thing, method), choices, method)]
        return [*direct, *named]
    found = _ways_of(thing, choices)
    return found if any(each.calls[0].given for each in found) else [*_methods(thing, choices), *found]


def _made_with_sizes(cls: type, choices: dict[str, str]) -> Iterator[Way]:
    """大きさを渡して作るクラス。作っただけでは重みのないものは、引数の要らないメソッドも呼ぶ。"""
    for way in _ways_of(cls, choices):
        if way.roles - {*_RANDOM, *_CHOICES}:
            yield way
            for method in _METHODS[1:]:
                if callable(getattr(cls, method, None)):
                    with suppress(TypeError, ValueError):
                        own = list(inspect.signature(getattr(cls, method)).parameters.values())[1:]
                        if all(p.default is not p.empty or role_of(p.name) in _RANDOM for p in own):
                            yield Way(way.kind, (*way.calls, Call(method, tuple(_random_of(own)))))


def _methods(maker: Callable[..., Any], choices: dict[str, str]) -> Iterator[Way]:
    """大きさを渡さずに作ったものの、メソッド。"""
    try:
        random = _random_of(list(inspect.signature(maker).parameters.values()))
        made = maker(
            **{given.name: np.random.default_rng(0) if given.role == "rng" else 0 for given in random}
        )
    except Exception:  # ほかにも引数が要る
        return
    first = Call("", tuple(random))
    if inspect.isroutine(made):
        yield from (
            Way(way.kind, (first, Call("__call__", way.calls[0].given))) for way in _ways_of(made, choices)
        )
        return
    for method in _names(made):
        for way in _ways_of(getattr(made, method), choices, method):
            yield Way(way.kind, (first, *way.calls))


def _names(made: Any) -> list[str]:
    """作ったものの、重みを作りそうなメソッドの名前。"""
    own = {name for base in type(made).__mro__ if base is not object for name, member in vars(base).items()
           if callable(member) or isinstance(member, staticmethod | classmethod)}  # fmt: skip
    likely = sorted(name for name in own if not name.startswith("_") and _LIKELY.search(name))
    return [name for name in dict.fromkeys((*_METHODS, *likely)) if name in own]


def _ways_of(function: Any, choices: dict[str, str], method: str = "") -> list[Way]:
    """関数かメソッド 1 つの呼び方。"""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # 引数の並びの分からないもの
        return [_way(MATRIX, [Given(role) for role in _IN_TURN[3][0]], method)]
    return list(dict.fromkeys([*_by_name(parameters, choices, method), *_by_place(parameters, method)]))


def _by_name(parameters: list[inspect.Parameter], choices: dict[str, str], method: str) -> Iterator[Way]:
    """名前から役の分かる呼び方。役の分からない引数が 1 つだけなら、乱数の源とみる。"""
    taken = _taken(parameters, choices)
    windows = [p for p in parameters if role_of(p.name) == "kernel" and isinstance(p.default, int)]  # kernel_size=3
    for each in ([p for p in parameters if p in taken or p in windows], taken) if windows else (taken,):
        yield from _by_roles(each, choices, method)


def _by_roles(taken: list[inspect.Parameter], choices: dict[str, str], method: str) -> Iterator[Way]:
    roles = [role_of(p.name) for p in taken]
    if roles.count("") == 1 and "rng" not in roles:
        roles = [role or "rng" for role in roles]
    for meant in _readings(roles):
        clear = (
            len({*meant} - {"kernel"}) == len(meant) - meant.count("kernel")  # 窓の高さと幅は、どちらも kernel
            and {""}.isdisjoint(meant)
            and choices.keys() >= set(meant) & set(_CHOICES)
        )
        sizes = set(meant) - {*_RANDOM, *_CHOICES}
        given = _given(taken, meant)
        yield from (_way(kind, given, method) for kind, known in _SIZES.items() if clear and sizes in known)


def _taken(parameters: list[inspect.Parameter], choices: dict[str, str]) -> list[inspect.Parameter]:
    """渡す引数: 省けないもの、乱数の源か種、``*sizes``、選べるもの。"""
    random = [given.name for given in _random_of(parameters)]
    free = not any(map(_is_required, parameters))  # 大きさも、どれも省ける
    return [
        p
        for p in parameters
        if (p.kind is p.VAR_POSITIONAL and role_of(p.name) in ("shape", "sizes"))
        or _is_required(p)
        or (free and role_of(p.name) in _OF_SIZES and isinstance(p.default, int | tuple | list))
        or p.name in random
        or (role_of(p.name) in choices and isinstance(p.default, str))
    ]


def _given(taken: list[inspect.Parameter], roles: list[str]) -> list[Given]:
    """名前で渡す。``*sizes`` があれば、その前のものは並びで渡す。"""
    stars = any(p.kind is p.VAR_POSITIONAL for p in taken)
    given = []
    for p, role in zip(taken, roles, strict=True):
        by_place = p.kind in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL) or (stars and p.kind is not p.KEYWORD_ONLY)
        given.append(Given(role, "" if by_place else p.name, p.kind is p.VAR_POSITIONAL))
    return given


def _is_required(p: inspect.Parameter) -> bool:
    return p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)


def _readings(roles: list[str]) -> list[list[str]]:
    """形を言う引数は、ノード数のリストのことも、重みの配列のこともある。"""
    others = {"shape": ("shape", "sizes"), "array": ("array",), "hidden": ("hidden", "hiddens")}
    found: list[list[str]] = [[]]
    for role in roles:
        found = [[*before, each] for before in found for each in others.get(role, (role,))]
    return found


def _by_place(parameters: list[inspect.Parameter], method: str) -> Iterator[Way]:
    """並びで決める呼び方。"""
    required = [p for p in parameters if _is_required(p)]
    anything = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    if not required and not anything:
        return
    by_place = [p for p in required if p.kind is not p.KEYWORD_ONLY]
    random = [given for given in _random_of(parameters) if given.name not in {p.name for p in required}]
    in_turn = _IN_TURN.get(len(by_place), _IN_TURN[3][:1]) if not anything else _IN_TURN[3][:1]
    clear = [
        role if role in ("n_in", "n_out", *_RANDOM) else "" for role in (role_of(p.name) for p in by_place)
    ]
    for roles in sorted(in_turn, key=lambda roles: _clashes(roles, clear)):
        given = [*map(Given, roles), *([] if set(roles) & set(_RANDOM) else random)]
        yield from (
            _way(kind, given, method) for kind, known in _SIZES.items() if set(roles) - set(_RANDOM) in known
        )


def _clashes(roles: tuple[str, ...], clear: list[str]) -> int:
    """名前から分かる役と違うものを、いくつの引数に渡すことになるか。"""
    return sum(ours not in ("", given) for ours, given in zip(clear, roles, strict=False))


def _random_of(parameters: list[inspect.Parameter]) -> list[Given]:
    """乱数の源を受け取る引数。なければ、種を受け取る引数。"""
    for role in _RANDOM:
        if named := [
            p.name for p in parameters if role_of(p.name) == role and p.kind is not p.POSITIONAL_ONLY
        ]:
            return [Given(role, named[0])]
    return []


def _way(kind: str, given: list[Given], method: str) -> Way:
    return Way(kind, (Call(method, tuple(given)),))
