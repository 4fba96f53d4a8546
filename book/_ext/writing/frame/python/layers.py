"""読者の Batch Normalization の層を、1 つの問題の上で動かす: 学習の順伝播と逆伝播、推論。"""

import numpy as np
from gradients import in_layer, in_returned
from learner import as_array, attributes, class_of, with_method
from placing import parameters, parameters_of
from words import Complaint

from browser import self as worker

LETTERS = {"gamma": "γ", "beta": "β"}
FLAGS = ("training", "inference", "mode")
ONE_MEANING = ("rho", "decayrate")  # この本の名前なら、これまでの平均に掛ける数でしかない


class Used:
    """動いている層。``called``: 役 → 引数の名前(そろえたもの)。``values``: 渡したか、属性に見える値。

    ``rate``: 減衰率が、新しい値に掛ける数なら "new"、どちらの意味か決まらなければ "either"。``rate_name``: その名前。
    """

    def __init__(self, names, title, gamma, beta, given, called):
        self.called, self.values, self.rate = called, dict.fromkeys(given), ""
        self.rate_name = ""
        cls = class_of(names, title, "forward", "forward(self, x, training)")
        placed = self._placed(cls, {"gamma": gamma, "beta": beta}, given)
        self.layer, self.shape = with_method(cls(**placed), "forward", "forward(self, x, training)"), gamma.shape
        self._see(given)
        self.flag, self.kind = self._mode()
        self.back = getattr(self.layer, "backward", None)

    def role_of(self, name, wanted):
        plain = worker.plainName(name)
        return next((role for role in wanted if plain in self.called[role]), None)

    def _placed(self, cls, arrays, given):
        """作るときに渡す引数。γ と β は、名前から分からなければ、はじめの 2 つとみる。"""
        listed, required, open_ended = parameters_of(cls)
        roles = {name: self.role_of(name, ("gamma", "beta", *given)) for name in listed}
        for name, role in zip(listed, ("gamma", "beta")):
            if roles[name] is None and role not in roles.values():
                roles[name] = role
        placed = {}
        for name, role in roles.items():
            if role in arrays:
                placed[name] = arrays[role]
            elif role:
                placed[name] = self._value(role, name, _default(cls.__init__, name), given[role])
        if open_ended:
            placed.update({ours: self._value(ours, ours, None, x) for ours, x in given.items() if self.values[ours] is None})
        unknown = [name for name in required if name not in placed]
        if unknown or not {"gamma", "beta"} <= set(roles.values()):
            raise Complaint(
                f"{cls.__name__}(gamma, beta, decay_rate, eps) の形で作れません。"
                "def __init__(self, gamma, beta, decay_rate, eps): のように、4 つの値を受け取ってください。"
            )
        return placed

    def _value(self, ours, name, default, given):
        """読者の引数 ``name`` に渡す値。"""
        self.values[ours] = given
        if ours == "decay_rate":
            self._read(name, default)
        return 1 - given if self.rate == "new" and ours == "decay_rate" else given

    def _read(self, name, default):
        """減衰率の意味。既定値が 0.5 より小さければ、新しい値に掛ける数(PyTorch の momentum)として書かれている。"""
        self.rate_name = name
        if worker.plainName(name) not in ONE_MEANING:
            self.rate = "either" if default is None else "new" if default < 0.5 else ""

    def _see(self, given):
        """渡せなかった値が、属性に見えるかもしれない。"""
        for name, value in attributes(self.layer).items():
            ours = self.role_of(name, tuple(given))
            if ours and self.values[ours] is None and isinstance(value, (int, float)):
                if ours == "decay_rate":
                    self._read(name, value)
                self.values[ours] = 1 - value if self.rate == "new" and ours == "decay_rate" else value

    def _mode(self):
        """学習中かどうかを伝える引数か属性の名前と、その役。2 つ目の引数は、名前が違ってもそれとみる。"""
        listed, required, _ = parameters(type(self.layer).forward, 1)
        for name in listed[1:]:
            if role := self.role_of(name, FLAGS):
                return name, role
        for name in listed[1:2]:
            if name in required or isinstance(_default(type(self.layer).forward, name), bool):
                return name, "training"
        for name, value in attributes(self.layer).items():
            if isinstance(value, bool) and (role := self.role_of(name, FLAGS)):
                return f"self.{name}", role
        return None, None

    def forward(self, x, training):
        said = {"training": training, "inference": not training, "mode": "train" if training else "test"}.get(self.kind)
        before = x.copy()
        if self.flag is None:
            y = self.layer.forward(x)
        elif self.flag.startswith("self."):
            setattr(self.layer, self.flag[5:], said)
            y = self.layer.forward(x)
        else:
            y = self.layer.forward(x, **{self.flag: said})
        _refuse_writing("forward", "x", x, before)
        return _array("forward の出力" if training else "推論の出力", y, x.shape)

    def backward(self, dout):
        """段階 → 勾配。"""
        before = dout.copy()
        returned = self.back(dout)
        _refuse_writing("backward", "dout", dout, before)
        found = in_returned(returned)
        for which in LETTERS:
            if found.get(which) is None:
                found[which] = in_layer(self.layer, which, self.called[which])
            if found[which] is None:
                raise Complaint(
                    f'backward のあとに grads["{which}"] も d{which} もありません。'
                    f'{LETTERS[which]} の勾配を self.grads["{which}"] に入れてください。'
                )
        gradients = {"入力の勾配": _array("backward の出力", found["x"], dout.shape)}
        for which, letter in LETTERS.items():
            gradients[f"{letter} の勾配"] = _array(f"{letter} の勾配", found[which], self.shape)
        return gradients

    def averages(self):
        """見えるところにある、移動平均の写し。"""
        own = attributes(self.layer)
        return [np.array(value) for name, value in own.items() if self.role_of(name, ("mean", "var")) and value is not None]


def make(names, title, gamma, beta, given, called):
    return Used(names, title, gamma, beta, given, called)


def train(used, batches, backs):
    """学習中に見えた、段階 → 値の並び。``backs``: 逆伝播もするか。"""
    found = {"学習中の出力": []}
    for x, dout in batches:
        before = x.copy()
        found["学習中の出力"].append(used.forward(x, True))
        for stage, value in used.backward(dout).items() if backs and used.back else ():
            found.setdefault(stage, []).append(value)
        _refuse_writing("backward", "x", x, before)
    return found


def infer(used, x):
    """推論の出力と、2 度続けると出力か移動平均が変わるか。推論できなければ None。"""
    if used.flag is None:
        return None
    before = used.averages()
    first, second = used.forward(x.copy(), False), used.forward(x.copy(), False)
    return first, not _equal([*before, first], [*used.averages(), second])


def _default(function, name):
    """引数の既定値。なければ None。"""
    code, values = getattr(function, "__code__", None), getattr(function, "__defaults__", None) or ()
    if code is None:
        return None
    names = code.co_varnames[: code.co_argcount]
    own = dict(zip(names[len(names) - len(values) :], values))
    return {**own, **(function.__kwdefaults__ or {})}.get(name)


def _equal(first, second):
    return len(first) == len(second) and all(
        a.shape == b.shape and ((a == b) | (np.isnan(a) & np.isnan(b))).all() for a, b in zip(first, second)
    )


def _refuse_writing(method, name, array, original):
    if not _equal([array], [original]):
        raise Complaint(
            f"{method} が {name} を書き換えました。{name} は読むだけにしてください。", f"{method}/{name}-mutated"
        )


def _array(what, value, shape):
    if value is None:
        raise Complaint(f"{what}がありません(None)。return を書いていますか。")
    array = as_array(value)
    if isinstance(array, str) or array.dtype.kind != "f":
        kind = array if isinstance(array, str) else f"dtype={array.dtype}"
        raise Complaint(f"{what}が実数の配列ではありません({kind})。")
    if "の勾配" in what and array.size == max((0, *array.shape)):  # (1, D) や (D, 1)
        array = array.reshape(-1)
    if array.shape != shape:
        axis = "足す軸が違いませんか。" if "勾配" in what and array.ndim == 1 else ""
        raise Complaint(f"{what}の形が {array.shape} です({shape} のはずです)。{axis}", "axis" if axis else None)
    return array.copy()  # 読者が同じ配列を使い回しても、いまの値を残す
