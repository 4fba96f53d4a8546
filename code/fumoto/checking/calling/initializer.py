"""重みの初期値を作るものを呼ぶ: 行列 1 つでも、ネットワークの全部の層でも、クラスでも、畳み込みのフィルターでもよい。"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from fumoto.checking.calling.safety import ReaderError, within_time_limit
from fumoto.checking.calling.weights import orders
from fumoto.checking.calling.weights.layer import Layer
from fumoto.checking.calling.weights.matching import Made, matched
from fumoto.checking.calling.weights.problems import FILTERS, MATRIX, NETWORK, Problem, problems
from fumoto.checking.calling.weights.running import made_by
from fumoto.checking.calling.weights.sources import SOURCES, OtherSource
from fumoto.checking.calling.weights.ways import Way, ways

_TURNED = "形が (n_out, n_in) です(PyTorch や deeplearning.ai の順)。この本の層の重みは (n_in, n_out) なので、渡すときは転置します。"
_SAID = "渡した形を、書いてあるとおり (n_out, n_in) の順とみました(PyTorch や deeplearning.ai の順)。"
_COLUMN = "バイアスの形から、渡した大きさを (n_out, n_in) の順とみました(deeplearning.ai の順)。"
_FIXED = "種を関数の中で決めているので、呼ぶたびに同じ値です。"


@dataclass(frozen=True)
class Drawn:
    """作られた層。``how``: 呼び方の一文。``title``: 関数の名前。``notes``: 読者に伝えること。"""

    how: str
    title: str
    layers: list[Layer]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Chosen:
    """決めた呼び方。``source``: 渡す乱数の源の名前。``text``: 読者の文。"""

    way: Way
    source: str
    problems: list[Problem]
    choices: dict[str, str]
    text: str


def draw_weights(make: Any, name: str | None = None, text: str | None = None) -> Drawn:
    """``make`` に、大きさの違う重みをいくつか作らせる。乱数の使い方か返すものがおかしければ ``ReaderError``。

    ``name``: 何の初期値か。``text``: 読者の書いたファイル(かセル)の全文。
    """
    return within_time_limit(_drawn, make, name, text)


def _drawn(make: Any, name: str | None, whole: str | None) -> Drawn:
    text = orders.own_text(whole, make)
    chosen = _chosen(make, name, text)
    layers, notes = list[Layer](), dict[str, None]()
    for problem in chosen.problems:
        made, fixed = _thrice(make, chosen, problem)
        if fixed:
            notes[_FIXED] = None
        if made.turned:
            _refuse_the_other_order(chosen, made)
            notes[_TURNED] = None
        for is_out_first, said in (
            (_shape_is_out_first(chosen), _SAID),
            (_bias_is_out_first(chosen, made), _COLUMN),
        ):
            if is_out_first:
                made = replace(made, layers=[_turned(each) for each in made.layers])
                notes[said] = None
                break
        layers.extend(made.layers)
    return Drawn(
        _how(make, chosen, layers), str(getattr(make, "__name__", type(make).__name__)), layers, tuple(notes)
    )


def _choices(name: str | None, text: str) -> dict[str, str]:
    """選べる引数に渡すもの。初期値の名前を選ぶ引数には、文に書いてあるときだけ渡す。"""
    activation = {"activation": "relu" if name == "he" else "tanh"}
    written = name is not None and (f'"{name}"' in text or f"'{name}'" in text)
    return {**activation, "method": name} if written and name is not None else activation


# --- 呼び方を決める -----------------------------------------------------------------------------------------


def _chosen(make: Any, name: str | None, text: str) -> _Chosen:
    """走って、頼んだ大きさの重みを返す、はじめの呼び方。なければ、はじめの呼び方で起きたことを言う ``ReaderError``。"""
    choices = _choices(name, text)
    first: ReaderError | None = None
    fallback: _Chosen | None = None
    for way in _in_order(ways(make, choices, name), text):
        for source in SOURCES if "rng" in way.roles else list(SOURCES)[:1]:
            chosen = _Chosen(
                way, source, problems(way.kind, way.roles, orders.channels_last(text)), choices, text
            )
            try:
                made = _once(make, chosen, chosen.problems[0], SOURCES[source](0), 0)
            except OtherSource as error:
                first = first or error
                continue
            except ReaderError as error:
                first = first or error
                break
            if way.kind == MATRIX and "shape" in way.roles and not made.bare:
                fallback = fallback or chosen  # ノード数のリスト 2 つ分かもしれない
                break
            return chosen
    if fallback is None:
        raise first or ReaderError("ノード数か形を受け取る関数ではありません。")
    return fallback


def _in_order(found: list[Way], text: str) -> list[Way]:
    """畳み込みの話なら、フィルターを先に試す。"""
    if not orders.about_filters(text):
        return found
    return sorted(found, key=lambda way: way.kind != FILTERS)


def _once(make: Any, chosen: _Chosen, problem: Problem, rng: Any, seed: int) -> Made:
    return matched(made_by(make, chosen.way, problem, rng, seed, chosen.choices), problem)


# --- 作らせる -----------------------------------------------------------------------------------------------


def _thrice(make: Any, chosen: _Chosen, problem: Problem) -> tuple[Made, bool]:
    """作られたものと、種が関数の中で決まっているか。続けて 2 度と、同じ種でもう 1 度作って、乱数の使い方を調べる。"""
    new = SOURCES[chosen.source]
    rng, again = new(0), new(0)
    made, second, repeated = (
        _once(make, chosen, problem, source, seed) for source, seed in ((rng, 0), (rng, 1), (again, 0))
    )
    roles = chosen.way.roles
    given = "rng" if "rng" in roles else "seed" if "seed" in roles else ""
    if given and not _same(made, repeated):
        raise ReaderError(
            f"同じ種の {given} を渡しても、同じ値になりません。渡された {given} を使っていますか。", "rng"
        )
    if one := next(_from_the_same_numbers(made), None):
        raise ReaderError(f"{one} が、同じ乱数から作られています。層ごとに種を固定していませんか。", "seed")
    fixed = _same(made, second) and any(layer.W.std() > 0 for layer in made.layers)
    if fixed and (given or chosen.way.kind != NETWORK):
        raise ReaderError("続けて 2 度作ると、同じ値になります。種を固定していませんか。", "seed")
    return made, fixed


def _same(first: Made, second: Made) -> bool:
    return all(np.array_equal(a.W, b.W) for a, b in zip(first.layers, second.layers, strict=True))


def _from_the_same_numbers(made: Made) -> Iterator[str]:
    """倍率のほかは同じ並びで始まる、2 つの層の名前。"""
    starts = [(layer.name, (layer.W.T if made.turned else layer.W).ravel()[:50] / layer.W.std())
              for layer in made.layers if layer.W.std() > 0]  # fmt: skip
    for (one, first), (other, second) in combinations(starts, 2):
        if np.ptp(first) > 0 and np.corrcoef(first, second)[0, 1] > 0.999:
            yield f"{one} と {other}"


# --- 形の向き -----------------------------------------------------------------------------------------------


def _shape_is_out_first(chosen: _Chosen) -> bool:
    by_shape = not {"shape", "array"}.isdisjoint(chosen.way.roles) and chosen.way.kind == MATRIX
    return by_shape and orders.out_first(chosen.text)


def _bias_is_out_first(chosen: _Chosen, made: Made) -> bool:
    """名前から順の分からない大きさの、はじめの数だけの、縦に並んだバイアスが返されたか。"""
    named = any(given.name for given in chosen.way.calls[-1].given if given.role in ("n_in", "n_out"))
    if chosen.way.kind != MATRIX or named or made.turned:
        return False
    return all(layer.b is not None and layer.b.shape == (layer.n_in, 1) for layer in made.layers)


def _turned(layer: Layer) -> Layer:
    return replace(layer, W=layer.W.T, sizes=layer.sizes[::-1])


def _refuse_the_other_order(chosen: _Chosen, made: Made) -> None:
    """形を渡されたのに逆の形を返すものと、この本の層に渡す形で書かれ、ほかの順だとは書かれていないもの。"""
    W = made.layers[0].W.T
    if not {"shape", "array"}.isdisjoint(chosen.way.roles):
        raise ReaderError(f"渡された形と逆の形です(渡した形: {W.T.shape}、返された形: {W.shape})。")
    names = [given.name for given in chosen.way.calls[0].given]
    if made.bare and names == ["rng", "n_in", "n_out"] and not orders.out_first(chosen.text):
        raise ReaderError(
            f"形が (n_out, n_in) です。この本の重みは (n_in, n_out) です(返された形: {W.shape})。"
        )


def _how(make: Any, chosen: _Chosen, layers: list[Layer]) -> str:
    """呼び方を言う文。"""
    what = "クラス" if isinstance(make, type) else "関数" if hasattr(make, "__name__") else "もの"
    sizes, way = chosen.problems[0].values, chosen.way
    shown = (
        "sizes" if "sizes" in way.roles else "shape" if way.kind == FILTERS and "shape" in way.roles else ""
    )
    example = f"({shown} は {sizes[shown]} など)" if shown else ""
    source = f"rng には {chosen.source} を渡しました。" if chosen.source != "Generator" else ""
    names = "、".join(dict.fromkeys(each for layer in layers for each in _names(layer)))
    read = f"読んだのは {names} です。" if names else ""
    words = way.words(what)
    if isinstance(make, type) and len(way.calls) == 1:
        words = words.replace("呼びました", "渡して作りました")
    return f"あなたの{words}{example}。{source}{read}"


def _names(layer: Layer) -> list[str]:
    return [each for each in (layer.name, layer.bias_name) if each] if layer.name else []
