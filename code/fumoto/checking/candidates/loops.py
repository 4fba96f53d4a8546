"""キーを回るループの間違い: 式は正しいのに、どの重みを、どの状態で動かすかを間違えている。"""

from fumoto.hints import Arrays
from fumoto.printed import Method, PrintedOptimizer
from fumoto.printed.equation import Equations


class LastKeyOnly(PrintedOptimizer):
    """更新の行がループの外にあり、最後のキーだけが動く。"""

    chosen = -1

    def update(self, params: Arrays, grads: Arrays) -> None:
        copies = {key: w.copy() for key, w in params.items()}
        super().update(copies, grads)
        key = list(params)[self.chosen]
        params[key][...] = copies[key]


class FirstKeyOnly(LastKeyOnly):
    """return がループの中にあり、最初のキーだけが動く。"""

    chosen = 0


class CounterPerKey(PrintedOptimizer):
    """更新の回数を、キーごとに 1 増やしている。"""

    def update(self, params: Arrays, grads: Arrays) -> None:
        for key in params:
            super().update({key: params[key]}, {key: grads[key]})


class SharedState(PrintedOptimizer):
    """速度などの状態を、キーごとに分けずに使い回している。"""

    def update(self, params: Arrays, grads: Arrays) -> None:
        t = self.t
        for key in params:
            for arrays in self.state.values():
                for latest in list(arrays.values())[-1:]:
                    arrays[key] = latest
            self.t = t
            super().update({key: params[key]}, {key: grads[key]})
            for arrays in self.state.values():
                arrays[key] = arrays.pop(key)  # いま書いたものを最後に置く


class CoupledDecay(PrintedOptimizer):
    """重み減衰を、重みに直接かけずに、勾配に足している。減衰のない手法では、正しいものと同じ。"""

    def __init__(self, method: Method, equations: Equations | None = None, **hyperparameters: float):
        super().__init__(method, equations, **hyperparameters)
        self.decay = self.constants.get("lambda", 0.0)
        self.constants = {name: 0.0 if name == "lambda" else value for name, value in self.constants.items()}

    def update(self, params: Arrays, grads: Arrays) -> None:
        super().update(params, {key: grads[key] + self.decay * w for key, w in params.items()})


#: 名前 → (間違えた手法, 説明)。
LOOPS: dict[str, tuple[type[PrintedOptimizer], str]] = {
    "loop/last-key": (LastKeyOnly, "更新の行がループの外にあり、最後のキーの重みしか動きません"),
    "loop/first-key": (FirstKeyOnly, "最初のキーの重みしか動きません(ループの中で return していませんか)"),
    "loop/counter": (CounterPerKey, "更新の回数が、update のたびではなくキーごとに増えています"),
    "loop/coupled-decay": (CoupledDecay, "λw を勾配に足しています(切り離した重み減衰は、重みに直接かけます)"),
}
#: (名前, 間違えた手法, 説明)。形の違う重みの間では走らないことがあるので、ほかとは別に試す。
SHARED_STATE = (
    "loop/shared-state",
    SharedState,
    "速度などの状態が、キーごとに分かれていません(すべての重みで 1 つを使い回しています)",
)
