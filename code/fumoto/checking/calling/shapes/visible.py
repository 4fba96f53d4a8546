"""読者のものの外から見える値と、計算の中で使われる名前。"""

import inspect
from typing import Any

from fumoto.checking.calling.shapes.instructions import constants_in, names_with, steps
from fumoto.checking.calling.shapes.making import look
from fumoto.checking.calling.shapes.roles import arguments_of
from fumoto.checking.calling.shapes.surroundings import functions_of
from fumoto.checking.calling.values import is_value, number, pair

_NOT_WRITTEN = {"NotImplementedError", "NotImplemented"}


def held(made: Any) -> dict[str, Any]:
    """作ったものの属性か、``self.config["lr"]`` か ``self.config.lr`` のように属性の中に見える、引数の値。"""
    own = {**class_numbers(type(made)), **attributes(made)}
    inside = [numbers(value if isinstance(value, dict) else attributes(value)) for value in own.values()]
    return {**{name: value for each in inside for name, value in each.items()}, **numbers(own)}


def numbers(names: dict[Any, Any]) -> dict[str, Any]:
    """引数の名前と値であるもの。"""
    return {
        name: value
        for name, value in names.items()
        if isinstance(name, str) and is_value(name) and (number(value) is not None or pair(name, value))
    }


def class_numbers(kind: type) -> dict[str, Any]:
    """クラスに、属性として書かれた、引数の値。"""
    return {name: value for base in reversed(kind.__mro__) for name, value in numbers(dict(vars(base))).items()}


def outside(function: Any) -> dict[str, Any]:
    """関数と、それの呼ぶ同じファイルの関数の使う、関数の外の変数と、引数の既定値の辞書の中身。"""
    found: dict[str, Any] = {}
    for each in reversed(functions_of(look(function, "__func__") or function)):
        for default in filter(lambda value: isinstance(value, dict), each.__defaults__ or ()):
            found |= default
        try:
            used = inspect.getclosurevars(each)
        except (TypeError, ValueError):  # まだ値のない変数を使う
            continue
        found |= {**used.globals, **used.nonlocals}
    return found


def attributes(made: Any) -> dict[str, Any]:
    """作ったものの属性。"""
    own = look(made, "__dict__")
    slots = look(type(made), "__slots__")
    if not isinstance(own, dict) and isinstance(slots, tuple | list):
        own = {name: look(made, name) for name in slots}
    return dict(own) if isinstance(own, dict) else {}


def read_by(made: Any, verb: str | None) -> set[str]:
    """更新する関数が読む、変数と属性の名前。何もしないかもしれない引数(``nesterov=False`` など)があれば、どれも読むとは限らない。"""
    switches = [name for name, value in attributes(made).items() if value is False]
    return set() if switches else names_with("LOAD_", look(look(made, verb) if verb else made, "__code__"))


def written_numbers(thing: Any) -> tuple[float, ...]:
    """関数かクラスに書かれた小数: 式の中の数と、名前からは何か分からない引数の既定値。学習率や ε かもしれない。"""
    kind = thing if isinstance(thing, type) or inspect.isroutine(thing) else type(thing)
    found = [x for each in functions_of(kind) for x in _numbers_of(each)]
    rest = [x for x in found if any(abs(1 - x - y) < 1e-12 for y in found if y > x)]  # 1 - 0.9 かもしれないものは、終わりに
    return tuple(dict.fromkeys([*(x for x in found if x not in rest), *rest]))


def _numbers_of(function: Any) -> list[float]:
    """引数の既定値と、式の中の数。書かれた順に。"""
    listed = arguments_of(function).listed
    unknown = [a.default for a in listed if isinstance(a.default, float) and not is_value(a.name)]
    return unknown + [x for x in constants_in(function.__code__) if isinstance(x, float) and 0 < x < 1]


def is_not_written(method: Any) -> bool:
    """``pass`` か ``raise NotImplementedError`` だけのメソッドか: 引数を何も読まない。"""
    code = getattr(method, "__code__", None)
    if code is None or not set(code.co_names) <= _NOT_WRITTEN:
        return False
    return not any("FAST" in step.name or "DEREF" in step.name for step in steps(code))
