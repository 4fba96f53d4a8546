"""読者のものの外から見える値と、計算の中で使われる名前。"""

import dis
import inspect
from typing import Any

from fumoto.checking.calling.shapes.making import look
from fumoto.checking.calling.shapes.roles import names_with
from fumoto.checking.calling.values import is_value, number, pair

_NOT_WRITTEN = {"NotImplementedError", "NotImplemented"}


def held(made: Any) -> dict[str, Any]:
    """作ったものの属性か、``self.config["lr"]`` のように属性の辞書に見える、引数の値。"""
    own = attributes(made)
    inside = [numbers(value) for value in own.values() if isinstance(value, dict)]
    return {**{name: value for each in inside for name, value in each.items()}, **numbers(own)}


def numbers(names: dict[Any, Any]) -> dict[str, Any]:
    """引数の名前と値であるもの。"""
    return {
        name: value
        for name, value in names.items()
        if isinstance(name, str) and is_value(name) and (number(value) is not None or pair(name, value))
    }


def outside(function: Any) -> dict[str, Any]:
    """関数の使う、関数の外の変数。"""
    try:
        used = inspect.getclosurevars(function)
    except (TypeError, ValueError):  # Python で書かれた関数でないか、まだ値のない変数を使う
        return {}
    return {**used.globals, **used.nonlocals}


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


def is_not_written(method: Any) -> bool:
    """``pass`` か ``raise NotImplementedError`` だけのメソッドか: 引数を何も読まない。"""
    code = getattr(method, "__code__", None)
    if code is None or not set(code.co_names) <= _NOT_WRITTEN:
        return False
    return not any("FAST" in step.opname or "DEREF" in step.opname for step in dis.get_instructions(code))
