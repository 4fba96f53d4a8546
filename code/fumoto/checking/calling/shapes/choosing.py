"""読者のものに合いそうな呼び方を、もっともらしい順に並べる。

名前から決まらないこと(引数の順、t を 0 と 1 のどちらから数えるか)は、同じ組の中に並べておき、試してから選ぶ。
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

from fumoto.checking.calling.safety import ReaderError, call
from fumoto.checking.calling.shapes import arrays, dictionaries, layers, objects, sequences
from fumoto.checking.calling.shapes.counting import counts
from fumoto.checking.calling.shapes.holding import holding
from fumoto.checking.calling.shapes.loops import GRADIENT, Loop, generated, loops
from fumoto.checking.calling.shapes.making import (
    NOTHING,
    Making,
    Verb,
    filled,
    makings,
    setups,
    verbs,
)
from fumoto.checking.calling.shapes.opening import opened, started, takes_state
from fumoto.checking.calling.shapes.owning import owning
from fumoto.checking.calling.shapes.repeating import repeated
from fumoto.checking.calling.shapes.roles import (
    LAYERS,
    Argument,
    Arguments,
    Role,
    arguments_of,
    assignments,
)
from fumoto.checking.calling.shapes.units import Split, Unit, example
from fumoto.checking.calling.shapes.walking import Plan
from fumoto.checking.calling.values import normal

Kind = tuple[Split, str, bool]  # 入れもの、それを言う言葉、作ったもの 1 つで全部を動かすか

_BOTH: tuple[Kind, ...] = (  # 重みと勾配を渡すとき
    (dictionaries.in_a_dictionary, "配列の辞書", True),
    (sequences.in_a_list, "配列のリスト", True),
    (arrays.one_by_one, "配列を 1 つずつ(1 つごとに新しく作って)", False),
    (objects.in_objects, ".data を持つもののリスト", True),
    (layers.in_dictionaries, "層ごとの配列の辞書のリスト", True),
    (sequences.in_a_tuple, "配列のタプル", True),
    (sequences.layer_by_layer, "層ごとの (重み, バイアス) の組のリスト", True),
    (objects.in_named_objects, ".data を持つものの辞書", True),
    (arrays.flat_one_by_one, "1 次元の配列を 1 つずつ(1 つごとに新しく作って)", False),
)
_NAMED: tuple[Kind, ...] = (  # 名前を決めてかかるとき
    (dictionaries.in_a_course, "W1, b1 の辞書と dW1, db1 の辞書", True),
    (dictionaries.in_a_layered_dictionary, "W1, b1, … という名前の配列の辞書", True),
    (dictionaries.two_layers_at_a_time, "W1, b1, W2, b2 の辞書を 1 つずつ(1 つごとに新しく作って)", False),
    (dictionaries.one_layer_at_a_time, "W, b の辞書を 1 つずつ(1 つごとに新しく作って)", False),
    (dictionaries.one_small_layer_at_a_time, "w, b の辞書を 1 つずつ(1 つごとに新しく作って)", False),
    (
        dictionaries.one_layer_of_a_course,
        "W, b の辞書と dW, db の辞書を 1 組ずつ(1 組ごとに新しく作って)",
        False,
    ),
    (
        dictionaries.one_small_layer_of_a_course,
        "w, b の辞書と dw, db の辞書を 1 組ずつ(1 組ごとに新しく作って)",
        False,
    ),
)
_KEYED: tuple[Kind, ...] = ((arrays.one_by_one, "配列を 1 つずつ", True), *_BOTH, *_NAMED)
_OBJECTS: tuple[Kind, ...] = (  # 勾配も持つ重みを渡すとき
    (objects.in_objects, ".data と .grad を持つもののリスト", True),
    (objects.object_by_object, ".data と .grad を持つものを 1 つずつ", True),
    (objects.object_by_object, ".data と .grad を持つものを 1 つずつ(1 つごとに新しく作って)", False),
    (objects.in_variables, ".grad を持つ配列のリスト", True),
    (objects.in_objects_of_values, ".value.grad を持つもののリスト", True),
    (objects.in_named_objects, ".data と .grad を持つものの辞書", True),
    (objects.in_remembering_objects, ".data と .grad と 0 の状態を持つもののリスト", True),
    (objects.in_short_objects, ".d と .g を持つもののリスト", True),
    (objects.in_named_short_objects, ".d と .g を持つものの辞書", True),
)
_LAYERS: tuple[Kind, ...] = (
    (layers.in_layers, "重みと勾配を持つ層のリスト", True),
    (layers.layer_by_layer, "重みと勾配を持つ層を 1 つずつ", True),
    (layers.in_a_network, "層とパラメーターを持つネットワーク", True),
    (layers.in_a_network_of_arrays, "parameters() と gradients() が配列を返すネットワーク", True),
    (sequences.in_a_model, "重みのリストと勾配のリストを持つネットワーク", True),
    (layers.in_layers_of_lists, "params と grads がリストの層のリスト", True),
    (layers.list_layer_by_layer, "params と grads がリストの層を 1 つずつ", True),
    (layers.layer_by_layer, "重みと勾配を持つ層を 1 つずつ(1 つごとに新しく作って)", False),
    (layers.in_remembering_layers, "重みと勾配と 0 の状態を持つ層のリスト", True),
    (layers.remembering_layer_by_layer, "重みと勾配と 0 の状態を持つ層を 1 つずつ", True),
)
_PAIRS: tuple[Kind, ...] = (
    (sequences.in_pairs, "(勾配, 重み) の組のリスト", True),
    (sequences.in_reversed_pairs, "(重み, 勾配) の組のリスト", True),
    (sequences.in_pairs_of_variables, "(勾配, assign_sub などを持つ重み) の組のリスト", True),
    (objects.in_pairs_of_objects, "(勾配, .value を持つもの) の組のリスト", True),
)
_WITH_BIAS: tuple[Kind, ...] = (
    (arrays.weight_and_bias, "重みとバイアスを 1 組ずつ(1 組ごとに新しく作って)", False),
    (arrays.weights_and_biases, "重みのリストとバイアスのリスト", True),
)
_CHANGES: tuple[Kind, ...] = (  # 勾配だけを渡すとき
    (arrays.one_by_one, "勾配の配列を 1 つずつ(1 つごとに新しく作って)", False),
    (dictionaries.in_a_dictionary, "勾配の配列の辞書", True),
    (sequences.in_a_list, "勾配の配列のリスト", True),
)
_NAMES_MATTER = [split for split, _, _ in _NAMED]


def kinds(roles: set[Role]) -> tuple[Kind, ...]:
    """渡すものの役割 → 試す入れもの。もっともらしい順に。"""
    if Role.PAIRS in roles:
        return _PAIRS
    if Role.BIAS in roles:
        bias = _WITH_BIAS
        return ((bias[0][0], "重みとバイアスを 1 組ずつ", True), *bias) if Role.KEY in roles else bias
    if Role.MODEL in roles and Role.BIAS_GRAD in roles:
        return _LAYERS[1:2]
    if Role.MODEL in roles and Role.PARAMS not in roles:
        return (*_LAYERS, *_OBJECTS, *(_BOTH if Role.GRADS in roles else ()))
    if Role.PARAMS in roles and Role.GRADS in roles:
        return _KEYED if Role.KEY in roles else (*_BOTH, *_NAMED)
    if Role.PARAMS in roles:
        return (*_OBJECTS, *_LAYERS, *_PAIRS)
    return _CHANGES if Role.GRADS in roles else ()


_OWN_GRADIENT = (
    "データから、自分で勾配を計算しています。勾配を受け取る更新のところを、update(params, grads) か f(勾配の関数, 出発点) の形に"
    "取り出して渡してください。"
)
_GRADIENTS = {Role.GRADS, Role.PAIRS, Role.BIAS_GRAD}
_DATA = {"x", "xtrain", "trainx", "xs", "inputs", "features", "data", "xy", "xdata"}
_LABELS = {"y", "t", "ytrain", "trainy", "ys", "labels", "targets", "target", "ydata", "label", "ttrain"}


def _fits(arguments: Arguments) -> bool:
    """``fit(X, y)`` のように、勾配でなくデータを受け取るか。"""
    required = [argument for argument in arguments.listed if argument.required]
    plain = {normal(argument.name) for argument in required}
    gradient = plain & GRADIENT or arguments.roles() & _GRADIENTS
    return bool(plain & _DATA and plain & _LABELS and not gradient)


def groups(
    thing: Any,
    values_for: Callable[[dict[str, Any], bool], dict[str, Any]],
    starts: Mapping[str, Callable[..., Any]],
) -> Iterator[list[Plan | Loop]]:
    """試す呼び方の組。組の中のものは、名前からは区別できない。

    ``values_for(accepts, anything)``: 受け取る引数 → そこに渡す値。``starts``: 同じファイルの、状態を作るもの。作るものがなければ、そのわけを言う
    ``ReaderError``。
    """
    why: ReaderError | None = None
    if inspect.isroutine(thing) and _fits(arguments_of(thing)):
        raise ReaderError(_OWN_GRADIENT)
    if yielding := generated(thing):
        yield list(yielding)
        return
    found = False
    for held in filter(None, (holding(thing), owning(thing))):
        found = True
        for times in counts(held):
            yield [replace(held, first_t=t) for t in times]
    written = {name: start for name, start in starts.items() if takes_state(thing) and not isinstance(start, partial)}
    others = {name: start for name, start in starts.items() if name not in written}
    # 状態を作る関数が書かれていれば、それを。そうでなければ、自分で状態を作るかもしれないので、まず読者のものに任せる
    for making in (*started(thing, written), *makings(thing), *started(thing, others)):
        try:
            made = _sample(making, values_for)
            every = list(verbs(made))
            takes_gradients = any(verb.arguments.roles() & _GRADIENTS for verb in every)
            if any(_fits(verb.arguments) for verb in every) and not takes_gradients:
                raise ReaderError(_OWN_GRADIENT)
            for verb in every:
                for loop in repeated(making, verb):
                    found = True
                    yield [loop]
                for group in _with_verb(making, verb, made):
                    found = True
                    yield list(group)
        except ReaderError as error:
            why = why or error
    for loop in loops(thing) if inspect.isroutine(thing) else ():
        found = True
        yield [loop]
    if not found:
        raise why or ReaderError(
            "update(params, grads) というメソッドがありません。それにあたるメソッドも見つかりません。"
        )


def _with_verb(making: Making, verb: Verb, made: Any) -> Iterator[list[Plan]]:
    """1 つの関数の呼び方。返されるのが重みの変化であるものは、最後に試す。"""
    held = making.arguments.roles() & {Role.PARAMS, Role.MODEL, Role.GRADS}
    held |= making.arguments.roles() & {Role.BIAS} if Role.PARAMS in held else set()
    assigned = assignments(verb.arguments, held)
    for change in (False, True):
        for setup in (None, *(setups(made) if not held else ())):
            given = held | ({Role.MODEL} if setup else set())
            orders = [(Verb(verb.name, a, verb.before, verb.after), given | a.roles()) for a in assigned]
            alike = len({frozenset(roles) for _, roles in orders}) == 1
            together = [orders] if alike else [[order] for order in orders]  # 順だけが違うものは、1 つの組に
            for order in together:
                for split, words, shared in kinds(order[0][1]):
                    if change and (Role.MODEL in order[0][1] or split in [kind[0] for kind in _OBJECTS]):
                        continue
                    alone = order[0][1].isdisjoint((Role.PARAMS, Role.MODEL))
                    if not change and alone and split in [kind[0] for kind in _CHANGES]:
                        continue
                    plans = [
                        Plan(
                            making,
                            v,
                            split,
                            words,
                            shared,
                            setup,
                            change=change,
                            named=split in _NAMES_MATTER,
                        )
                        for v, _ in order
                    ]
                    yield from _variants(plans)


def _variants(plans: list[Plan]) -> Iterator[list[Plan]]:
    """渡す状態のはじめ、t の数えはじめ、返されるものの中の重みの場所。"""
    first = plans[0].verb.arguments
    initials = _initials(first)
    places = (False, True) if Role.STATE in first.roles() else (False,)
    for initial, times in product(initials, counts(plans[0])):
        yield [
            replace(plan, initial=initial, first_t=t, last=last)
            for t in times
            for last in places
            for plan in plans
        ]


_TOGETHER = ("pairs", "both", "counted")  # 2 つの状態を、1 つの引数で


def _initials(arguments: Arguments) -> tuple[str, ...]:
    states = [a for a in arguments.listed if a.role is Role.STATE]
    if not states:
        return ("zeros", "filled") if Role.CONFIG in arguments.roles() else ("zeros",)
    # None を渡せば、読者のコードが自分で状態を作る。そこに間違いがあるかもしれない
    if any("state" in a.name for a in states):
        return ("none", "dict", "filled", "zeros", *_TOGETHER)
    return ("none", "zeros", "dict", "filled", *_TOGETHER)


_HELD = (Role.PARAMS, Role.BIAS, Role.MODEL, Role.SHAPE)
_SAMPLED = (arrays.weights_and_biases, sequences.in_a_list, dictionaries.in_a_dictionary, objects.in_objects, layers.in_a_network, arrays.one_by_one)


def _sample(making: Making, values_for: Callable[[dict[str, Any], bool], dict[str, Any]]) -> Any:
    """どんなメソッドがあるかを見るために、1 つ作ってみたもの。"""
    if isinstance(making.build, type):
        try:
            return opened(object.__new__(making.build))
        except TypeError:
            pass
    accepts = {
        a.name: NOTHING if a.required else a.default for a in making.arguments.listed if a.role is Role.VALUE
    }
    values = values_for(accepts, making.arguments.anything)
    more = {name: value for name, value in values.items() if name not in accepts}
    why = None
    for split in _SAMPLED:
        unit = split(example())[0]

        def give(argument: Argument, unit: Unit = unit) -> Any:
            if argument.name in values:
                return values[argument.name]
            if argument.required and normal(argument.name) in GRADIENT and argument.role is Role.OTHER:
                return lambda *x: x[0]
            if not argument.required or argument.role not in _HELD:
                return NOTHING
            if normal(argument.name) in LAYERS:
                return len(unit.keys)
            return {Role.SHAPE: unit.shape, Role.BIAS: unit.bias}.get(argument.role, unit.weights)

        positional, named = filled(making.arguments, give, more)
        try:
            return opened(call("作る", lambda p=positional, n=named: making.build(*p, **n)))
        except ReaderError as error:
            why = why or error
        if making.arguments.roles().isdisjoint(_HELD):
            break
    raise why or ReaderError("作れませんでした。")
