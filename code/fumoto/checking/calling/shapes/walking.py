"""更新する関数を呼び、結果を重みとして読む。"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fumoto.checking.calling.safety import ReaderError, call
from fumoto.checking.calling.shapes.making import NOTHING, Asked, Making, Verb, filled, in_turn, look
from fumoto.checking.calling.shapes.opening import opened
from fumoto.checking.calling.shapes.results import direction, pour, weights_in
from fumoto.checking.calling.shapes.roles import LAYERS, SIZE, Argument, Role, is_number
from fumoto.checking.calling.shapes.units import PADDING, Split, Unit, copy_of, unchanged, zero_states
from fumoto.checking.calling.shapes.visible import attributes, class_numbers, held, numbers, outside, read_by
from fumoto.checking.calling.values import normal
from fumoto.hints import Arrays

REPLACED = "配列を書き換えず、辞書の中身を差し替えています(値だけを調べました)。"


@dataclass(frozen=True)
class Plan:
    """呼び方 1 つ。

    ``split``: 重みを入れものに分ける関数。``words``: 入れものを言う言葉。``shared``: 全部の入れものに、作ったもの 1 つを使うか。
    ``setup``: 作ったあとに重みを渡すメソッド。``first_t``: はじめの更新の t。``SIZE`` なら、回数でなく、要素の数を渡す。
    ``initial``: 渡す状態のはじめ(``"zeros"``, ``"none"``, ``"dict"``, どの名前にも 0 のある ``"filled"``, 重みごとに 2 つの 0 の ``"pairs"``, 2 つの
    0 の ``"both"``, それに回数を加えた ``"counted"``)。``change``: 返されるのは、重みでなくその変化か。
    ``last``: 同じ形のものがいくつも返されるとき、重みは、はじめのものでなく終わりのものか。
    ``named``: 重みの名前を決めてかかる読者のための、入れものか。
    """

    making: Making
    verb: Verb
    split: Split
    words: str
    shared: bool = True
    setup: str | None = None
    first_t: int = 1
    initial: str = "zeros"
    change: bool = False
    last: bool = False
    named: bool = False

    @property
    def accepts(self) -> dict[str, Any]:
        """値を受け取る引数 → その既定値(なければ ``NOTHING``)。"""
        listed = (*self.making.arguments.listed, *self.verb.arguments.listed)
        return {a.name: NOTHING if a.required else a.default for a in listed if a.role is Role.VALUE}

    @property
    def unnamed(self) -> dict[str, float]:
        """既定値が小数の、名前からは何の値か分からない引数。"""
        listed = (*self.making.arguments.listed, *self.verb.arguments.listed)
        return {a.name: a.default for a in listed if a.role is Role.OTHER and type(a.default) is float}

    @property
    def anything(self) -> bool:
        """どんな名前の値でも受け取るか。"""
        return self.making.arguments.anything or self.verb.arguments.anything

    @property
    def class_values(self) -> dict[str, Any]:
        """作るクラスに、属性として書かれた値。"""
        return class_numbers(self.making.build) if isinstance(self.making.build, type) else {}

    @property
    def takes_many(self) -> bool:
        """名前からは、重みをいくつも一度に受け取るように見えるか。"""
        listed = (*self.making.arguments.listed, *self.verb.arguments.listed)
        return self.shared and any(a.role is Role.PARAMS and a.name.rstrip("_").endswith("s") for a in listed)

    def called(self) -> str:
        """呼び出しの形: ``update(params, grads)``。"""
        passed = [a.name for a in self.verb.arguments.listed if a.name and a.role not in (Role.VALUE, Role.OTHER)]
        return f"{self.verb.name or 'あなたの関数 '}({', '.join(passed)})"


def _held(unit: Unit) -> dict[Role, Any]:
    """入れものの持っているもの。"""
    weights = dict.fromkeys((Role.PARAMS, Role.MODEL, Role.PAIRS), unit.weights)
    return weights | {Role.GRADS: unit.gradients, Role.BIAS: unit.bias, Role.BIAS_GRAD: unit.bias_gradient}


def walking(plan: Plan, params: Arrays, values: dict[str, Any]) -> "_Walk":
    """``plan`` のとおりに、その重みから歩きはじめるもの。``values``: 読者の引数の名前 → 値。"""
    return _Walk(plan, params, values)


class _Walk:
    """``Plan`` のとおりに歩く、読者の最適化手法(``Walker``)。"""

    def __init__(self, plan: Plan, params: Arrays, values: dict[str, Any]):
        self.plan, self.keys, self.updates = plan, list(params), 0
        listed = (*plan.making.arguments.listed, *plan.verb.arguments.listed)
        self.values = values
        self.rest = {name: value for name, value in values.items() if name not in {a.name for a in listed}}
        self.configs: list[Any] = []
        self.in_place = self.returned = self.replaced = False
        self.sign = 0.0
        self.units = list(plan.split(params))
        self.kept: list[dict[str, Any]] = [{} for _ in self.units]
        for unit in self.units:  # 作るときに勾配の入れものを渡す形のために
            unit.put({key: np.zeros_like(w) for key, w in params.items()})
        self.poured = [unit.gradients for unit in self.units]
        shared = self._make(self.units[0]) if plan.shared else None
        self.made = [self._make(unit) if shared is None else shared for unit in self.units]

    # --- 作る

    def _make(self, unit: Unit) -> Any:
        make, arguments = self.plan.making.build, self.plan.making.arguments
        positional, named = filled(arguments, lambda argument: self._given(argument, unit), self.rest)
        made = call("作る", lambda: make(*positional, **named))
        if self.plan.setup is not None:
            setup = getattr(made, self.plan.setup)
            for given in in_turn(setup, unit.registered):
                call(self.plan.setup, setup, *given)
        return opened(made)

    def _given(self, argument: Argument, unit: Unit) -> Any:
        """作るときの引数に渡すもの。"""
        if argument.name in self.values:
            return self.values[argument.name]
        if argument.role is Role.CONFIG and (argument.required or argument.default is None):
            return self._config(self.rest)
        if not argument.required:
            return NOTHING
        if argument.role is Role.SHAPE:
            return len(self.units) if normal(argument.name) in LAYERS else unit.shape
        return _held(unit).get(argument.role, NOTHING)

    def _config(self, values: dict[str, Any], zeros: Callable[[str], Any] | None = None) -> Any:
        self.configs.append(Asked(values, zeros, self.plan.first_t))
        return self.configs[-1]

    # --- 1 歩

    def step(self, grads: Arrays) -> Arrays:
        self.updates += 1
        step = self.updates
        distinct = list({id(made): made for made in self.made}.values())
        self._beside(step, self.plan.verb.before, distinct)
        for unit, made, kept, poured in zip(self.units, self.made, self.kept, self.poured, strict=True):
            unit.put(grads)
            if Role.GRADS in self.plan.making.arguments.roles():
                pour(unit.gradients, poured)
            before = {key: (w, copy_of(w)) for key, w in unit.read().items()}
            verb = self.plan.verb
            what = f"{step} ステップ目の {verb.name or '呼び出し'}"
            passed = partial(self._passed, unit, kept)
            positional, named = filled(verb.arguments, passed, self.rest)
            returned = call(what, _called, verb, made, positional, named)
            self._take(unit, kept, returned, before)
        self._beside(step, self.plan.verb.after, distinct)
        return self._now()

    def _beside(self, step: int, name: str | None, distinct: list[Any]) -> None:
        for made in distinct if name else ():
            call(f"{step} ステップ目の {name}", getattr(made, str(name)))

    def _passed(self, unit: Unit, kept: dict[str, Any], argument: Argument) -> Any:
        """更新する関数の引数に渡すもの。"""
        role = argument.role
        if argument.name in self.values:
            return self.values[argument.name]
        if role in _held(unit):
            return _held(unit)[role]
        if role is Role.KEY:
            return self.units.index(unit) if is_number(argument.name) else unit.keys[0]
        if role is Role.TIME:
            t = kept.get(argument.name, self.plan.first_t + self.updates - 1)
            t = t if self.plan.first_t != SIZE else np.size(unit.weights)
            return t if argument.required or isinstance(argument.default, int) else NOTHING
        if role in (Role.STATE, Role.CONFIG):
            if argument.name not in kept:
                kept[argument.name] = self._initial(argument, unit)
            return kept[argument.name]
        return NOTHING

    def _initial(self, argument: Argument, unit: Unit) -> Any:
        initial = self.plan.initial
        zeros = unit.zeros if initial == "filled" else None
        if argument.role is Role.CONFIG:
            own = isinstance(argument.default, dict) and argument.default and not self.rest  # 値の入った辞書が、もうある
            return NOTHING if own else self._config(self.rest, zeros)
        made: dict[str, Any] = {"none": None, "dict": {}, "filled": Asked({}, zeros, taken=self.plan.accepts)}
        return made[initial] if initial in made else zero_states(unit, argument.name, initial)

    # --- 結果を読む

    def _take(self, unit: Unit, kept: dict[str, Any], returned: Any, before: dict[str, Any]) -> None:
        after = unit.read()
        same = [after.get(key) is w for key, (w, _) in before.items()]
        moved = not all(same) or any(not unchanged(after[key], old) for key, (_, old) in before.items())
        weights, others = weights_in(returned, unit, self.plan.last)
        weights = NOTHING if any(weights is state for state in kept.values()) else weights  # 渡した状態そのもの
        if moved and not self.returned:
            self.in_place = True
            self.replaced = self.replaced or not all(same)
        elif weights is not NOTHING and not self.in_place:
            self.returned = True
            unit.adopt(self._changed(unit, weights) if self.plan.change else weights)
        elif self.plan.change and not self.in_place:  # 重みを渡していないのだから、動かないとは言えない
            raise ReaderError("返されたものの中に、重みの変化にあたる、勾配と同じ形のものがありません。")
        self._keep(kept, others)

    def _changed(self, unit: Unit, change: Any) -> Any:
        if self.sign == 0.0:  # 下る向きに
            self.sign = 1.0 if direction(change, unit.gradients) < 0 else -1.0
        return unit.combine(change, self.sign)

    def _keep(self, kept: dict[str, Any], others: list[Any]) -> None:
        """返された状態を、次に渡すために取っておく。"""
        config = [a.name for a in self.plan.verb.arguments.listed if a.role is Role.CONFIG]
        names = [a.name for a in self.plan.verb.arguments.listed if a.role is Role.STATE]
        timed = Role.TIME in self.plan.verb.arguments.roles() and len(others) > len(names)
        counts = [x for x in others if timed and isinstance(x, int | np.integer)]
        others = [x for x in others if not any(x is count for count in counts)]
        for argument in self.plan.verb.arguments.listed:
            if argument.role is Role.TIME and counts:  # 返された回数を、次に渡す
                kept[argument.name] = counts[0]
        if config and not names:
            others = [x for x in others if isinstance(x, dict)]
            names = config
        kept |= dict(zip(names, others, strict=False))

    def _now(self) -> Arrays:
        if len(self.units) == 1 and not self.units[0].keys[-1].startswith(PADDING):
            return self.units[0].read()
        found = {key: w for unit in self.units for key, w in unit.read().items()}
        return {key: found[key] for key in self.keys if key in found}

    # --- 見えるもの

    def settings(self) -> dict[str, Any]:
        """読者の関数の外に書かれた定数か、作ったものの属性か、渡した辞書に見える、引数の値。"""
        made = self.made[0]
        verb = look(made, "function") or self.plan.verb.of(made)  # opening の包んだものの、中の関数
        return numbers(outside(look(verb, "func") or verb)) | held(made) | self.asked()

    def read(self) -> frozenset[str]:
        """更新する関数が読む、変数と属性の名前。"""
        return frozenset(read_by(self.made[0], self.plan.verb.name))

    def asked(self) -> dict[str, Any]:
        """渡した辞書に見える、引数の値: 入れておいたもの、読者が入れたもの、ないときの値として読者が書いたもの。"""
        kept = [value for kept in self.kept[:1] for value in kept.values() if isinstance(value, dict)]
        found: dict[str, Any] = {}
        for config in [*self.configs, *kept]:
            found |= {**numbers(getattr(config, "defaults", {})), **numbers(config)}
        return found

    def state(self) -> dict[str, dict[str, Any]]:
        """``optimizer.v`` や ``optimizer.state["v"]`` のような、キー → 配列の辞書。"""
        if self.plan.shared and not any(self.kept):
            own = attributes(self.made[0])
            inside = own.pop("state", None)
            named = {**own, **inside} if isinstance(inside, dict) else own
            return {name: keyed for name, value in named.items() if (keyed := self._keyed(value)) is not None}
        found: dict[str, dict[str, Any]] = {}
        for unit, made, kept in zip(self.units, self.made, self.kept, strict=True):
            for name, value in {**attributes(made), **kept}.items():
                if len(unit.keys) == 1 and isinstance(value, np.ndarray | np.generic | float):
                    found.setdefault(name, {})[unit.keys[0]] = value
        return found

    def _keyed(self, value: Any) -> dict[str, Any] | None:
        if isinstance(value, list) and len(value) == len(self.keys):
            value = dict(zip(self.keys, value, strict=True))
        if not isinstance(value, dict):
            return None
        return {key: each for key, each in value.items() if isinstance(each, np.ndarray | np.generic | float | int)}

    def unseen(self) -> tuple[str, str] | None:
        """状態の辞書のキーが、重みの形そのものか。形の違う重みだけなら、動きは正しい。"""
        for unit, made in zip(self.units, self.made, strict=True):
            shapes = [np.shape(w) for w in unit.read().values()]
            for value in attributes(made).values():
                if isinstance(value, dict) and value and all(key in shapes for key in value):
                    return "loop/kept-by-shape", unit.keys[0]
        return None

    def notes(self) -> tuple[str, ...]:
        plain = isinstance(self.units[0].weights, dict)
        return (REPLACED,) if self.replaced and plain else ()

    def result(self) -> str:
        """結果をどこから読んだかを言う言葉。"""
        if self.returned and self.plan.change:
            return f"返された変化を重み{'に足しました' if self.sign > 0 else 'から引きました'}"
        if self.returned:
            return "返された値を次の重みとしました"
        return "書き換えられた重みを読みました"


def _called(verb: Verb, made: Any, positional: list[Any], named: dict[str, Any]) -> Any:
    return verb.of(made)(*positional, **named)
