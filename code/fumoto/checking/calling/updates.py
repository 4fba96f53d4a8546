"""``update(params, grads)`` を持つものを作るクラスか関数。``params`` と ``grads`` は配列の辞書で、``params`` はその場で書き換える。"""

from collections.abc import Callable
from typing import Any

import numpy as np

from fumoto.checking.calling.reading import Reading
from fumoto.checking.calling.safety import ReaderError, call
from fumoto.hints import Arrays


def reading(make: Callable[..., Any]) -> Reading:
    """``make(**hyperparameters)`` で作り、``update(params, grads)`` を呼ぶ。"""
    how = "update(params, grads) に、配列の辞書を渡しました"
    return Reading(how, lambda params, **hyperparameters: Updating(make, params, hyperparameters))


class Updating:
    """``Walker``。"""

    def __init__(self, make: Callable[..., Any], params: Arrays, hyperparameters: dict[str, float]):
        self.params, self.replaced, self.ignored, self.steps = params, False, False, 0
        self.optimizer = call("作る", lambda: make(**hyperparameters))
        if call("作る", lambda: make(**hyperparameters)) is self.optimizer:
            raise ReaderError("2 度作っても同じものが返ります。呼ばれるたびに新しく作ってください。")
        if not callable(call("update を調べるとき", lambda: getattr(self.optimizer, "update", None))):
            raise ReaderError("update(params, grads) というメソッドがありません。")

    def step(self, grads: Arrays) -> Arrays:
        if self.ignored:
            raise ReaderError(
                "update は値を返しましたが、params の配列は変わっていません。その場で書き換えてください。"
            )
        self.steps += 1
        arrays = dict(self.params)
        before = {key: np.array(w) for key, w in arrays.items()} if self.steps == 1 else {}
        what = f"{self.steps} ステップ目の update"
        returned = call(what, lambda g: self.optimizer.update(self.params, g), grads)
        same = [self.params.get(key) is w for key, w in arrays.items()]
        self.replaced = self.replaced or not all(same)
        self.ignored = bool(before) and returned is not None and all(same) and _unchanged(arrays, before)
        return self.params

    def state(self) -> dict[str, dict[str, Any]]:
        """``optimizer.v`` や ``optimizer.state["v"]`` のような、キー → 配列の辞書。"""
        own = dict(getattr(self.optimizer, "__dict__", {}))
        state = own.pop("state", None)
        named = {**own, **state} if isinstance(state, dict) else own
        return {name: value for name, value in named.items() if isinstance(value, dict)}

    def notes(self) -> tuple[str, ...]:
        replaced = "配列を書き換えず、辞書の中身を差し替えています(値だけを調べました)。"
        return (replaced,) if self.replaced else ()


def _unchanged(params: Arrays, start: Arrays) -> bool:
    return all(np.array_equal(w, start[key]) for key, w in params.items())
