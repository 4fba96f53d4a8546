"""読者のコードを動かし、最適化手法のクラスを作り、更新を 1 ステップずつ行う。歩かせるのは worker.js。"""

import annotationlib  # noqa: F401  読者のクラスの型ヒントを読むときに、Brython が使う
import numpy as np
from placing import arguments
from words import Complaint, cannot, sentence  # noqa: F401

MODULE = "exercise"  # 読者のコードの __name__。"__main__" でないので、試し書きの部分は動かない
LONGEST = 2000  # 見せる print の字数

_EXAMPLE = "update(self, params, grads)"
_printed = []
_runs = []  # print を見せるのは、はじめの足どりだけ(同じコードを、問題の数だけ動かすので)


def _print(*values, sep=" ", end="\n", file=None, flush=False):
    if len(_runs) > 1:
        return
    _printed.append((" " if sep is None else sep).join(map(str, values)) + ("\n" if end is None else end))


def printed():
    """これまでに print したもの。"""
    text = "".join(_printed)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…\n(長いので、ここまで)"


def _input(*prompt):
    raise Complaint("この欄では input を使えません。値は、引数で受け取ってください。")


def run(code):
    """読者のコードを、何もないところから動かす。返すのは、定義された名前と値。"""
    _runs.append(code)
    names = {"__name__": MODULE, "print": _print, "input": _input}
    exec(code, names)
    return names


def class_of(names, title, method, example):
    """確かめるクラス。名前が違っても、``method`` のあるクラスが 1 つだけなら、それとみなす。"""
    classes = {name: value for name, value in own(names).items() if isinstance(value, type)}
    having = {value for value in classes.values() if hasattr(value, method)}
    chosen = classes.get(title) or (having.pop() if len(having) == 1 else None)
    if chosen is None:
        found = "、".join(sorted(classes)) or "なし"
        raise Complaint(
            f"クラス {title} が見つかりません。class {title}: と書き、その中に {example} を"
            f"定義してください(いまあるクラス: {found})。"
        )
    return chosen


def with_method(made, method, example):
    """``method`` を持つインスタンス。__init__ の中で作られたものでもよい。"""
    if not callable(getattr(made, method, None)):
        raise Complaint(
            f"クラス {type(made).__name__} に {method} がありません。def {example}: を、class の中に定義してください"
            "(字下げを __init__ とそろえてください)。"
        )
    return made


def own(names):
    """読者のコードで定義されたクラスと関数。"""
    return {name: value for name, value in names.items() if getattr(value, "__module__", None) == MODULE}


def start(names, title, hyperparameters, synonyms):
    """クラスのインスタンスと、渡せなかった引数の名前。"""
    found = class_of(names, title, "update", _EXAMPLE)
    given, unplaced = arguments(found, hyperparameters, synonyms)
    return with_method(found(**given), "update", _EXAMPLE), unplaced


def step(optimizer, params, grads):
    """更新を 1 ステップ。辞書を書き換えてもよく、同じ鍵の新しい辞書を返してもよい。"""
    keys = set(params)
    returned = optimizer.update(params, grads)
    return returned if isinstance(returned, dict) and set(returned) == keys else params


def listed(values, keys):
    """辞書の中の配列を、keys の順に。配列とみなせないものは型の名前。鍵が違えば None。"""
    return [as_array(values[key]) for key in keys] if set(values) == set(keys) else None


def as_array(value):
    try:
        return np.asarray(value)
    except Exception:  # 長さのそろわないリストなど
        return type(value).__name__


def states(optimizer, params):
    """インスタンスの状態のうち、名前ごとの値の辞書と、重みの順に並べたリスト。(属性, 名前, 配列) を並べたもの。"""
    return [
        (attribute, key, array)
        for attribute, values in _kept(optimizer, params)
        for key, value in values.items()
        if isinstance(key, str) and not isinstance(array := as_array(value), str)
    ]


def shows_states(optimizer, params):
    """状態を入れる辞書かリストが、属性に見えるか。"""
    return bool(_kept(optimizer, params))


def _kept(optimizer, params):
    found = []
    for attribute, values in attributes(optimizer).items():
        if isinstance(values, list) and len(values) == len(params):
            values = dict(zip(params, values, strict=True))
        if isinstance(values, dict):
            found.append((attribute, values))
    return found


def kept_by_shape(optimizer, params):
    """状態の辞書のキーが、重みの形そのものか。"""
    shapes = [w.shape for w in params.values()]
    found = [values for values in attributes(optimizer).values() if isinstance(values, dict) and values]
    return any(all(key in shapes for key in values) for values in found)


def attributes(made):
    """インスタンスの属性。"""
    slots = {
        name: getattr(made, name)
        for name in getattr(type(made), "__slots__", ())
        if hasattr(made, name)
    }
    return {**slots, **getattr(made, "__dict__", {})}


def numbers(optimizer):
    """クラスか、インスタンスの属性か、その辞書の中に書かれた数。(名前, 値) を並べたもの。"""
    kind = type(optimizer)
    own = {name: getattr(kind, name, None) for name in dir(kind) if not name.startswith("__")}
    own.update(attributes(optimizer))
    inside = [pair for values in own.values() if isinstance(values, dict) for pair in values.items()]
    return [
        (name, float(value))
        for name, value in [*own.items(), *inside]
        if isinstance(name, str) and isinstance(value, (int, float)) and not isinstance(value, bool)
    ]


def describe(error, code, names):
    """読者の間違いの (文, 行, 見出し)。"""
    return sentence(error, code, names)
