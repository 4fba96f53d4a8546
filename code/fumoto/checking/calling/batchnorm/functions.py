"""``batchnorm_forward(x, gamma, beta, bn_param)`` のような関数を、層のように使う。移動平均は、関数に渡し、返されるか書かれたものを残す。"""

from collections.abc import Callable
from typing import Any

import numpy as np

from fumoto.checking.calling.batchnorm.gradients import in_returned, shape_of
from fumoto.checking.calling.batchnorm.rates import Rates
from fumoto.checking.calling.batchnorm.roles import (
    BACKWARD,
    FLAGS,
    FORWARD,
    Role,
    Taken,
    role_of,
    roles_in,
    taken_by,
)
from fumoto.checking.calling.batchnorm.using import InUse
from fumoto.checking.calling.safety import ReaderError
from fumoto.checking.calling.shapes.making import is_made
from fumoto.hints import Array

_AVERAGES = (Role.MEAN, Role.VAR)


def is_function(thing: Any) -> bool:
    """層を作るのでなく、入力と γ と β を受け取って計算する関数か。"""
    if isinstance(thing, type) or is_made(thing):
        return False
    taken = taken_by(thing, FORWARD)
    roles = roles_in(taken)
    first = next((role for _, role in taken.values()), None)
    return (Role.X in roles or first is Role.OTHER) and (
        {Role.GAMMA, Role.BETA} <= roles or Role.PARAMS in roles
    )


class FunctionInUse(InUse):
    """使っている関数。``function``: 順伝播。``back``: 逆伝播(なければ None)。"""

    def __init__(
        self,
        function: Callable[..., Any],
        back: Callable[..., Any] | None,
        gamma: Array,
        beta: Array,
        rates: Rates,
        words: tuple[str, str],
    ):
        super().__init__(gamma, beta, rates, words)
        self.function, self.back, self.backs = function, back, back is not None
        self.taken: Taken = taken_by(function, FORWARD, Role.X)
        roles = roles_in(self.taken)
        self.infers = bool(roles & set(FLAGS))  # 設定の辞書で伝えるなら、動かしたあとに分かる
        self.writes_mode = Role.MODE in roles
        if not roles & set(_AVERAGES):
            self.averages_here = {}

    def forward(self, x: Array, training: bool) -> Any:
        before = {role: value.copy() for role, value in self.averages_here.items()}
        out = self.output(self.called(self._title(), self.function, self.taken, x, training), x)
        self.infers = self.infers or bool(self.config.used & set(FLAGS))
        if all(np.array_equal(before[role], value) for role, value in self.averages_here.items()):
            self._keep()
        return out

    def _keep(self) -> None:
        """返された移動平均を残す。書き換えられていれば、それがもう、いまの値である。"""
        for each in self.extras:
            named = {name for name in each if self.config.average(name) is not Role.OTHER} if isinstance(each, dict) else set()
            if any(role_of(str(name), _AVERAGES) is not Role.OTHER for name in named) or named & self.config.keys():
                self.config.update(each)
        arrays = [i for i, each in enumerate(self.extras) if shape_of(each) and each.size == self.gamma.size]
        if self.averages_here and len(arrays) >= 2:
            for role, i in zip(_AVERAGES, arrays[-2:], strict=True):
                self.averages_here[role] = np.array(self.extras[i])
            self.extras = [each for i, each in enumerate(self.extras) if i not in arrays[-2:]]

    def backward(self, dout: Array) -> dict[str, Any]:
        assert self.back is not None
        name = self.back.__name__
        returned = self.called_back(
            f"{name}(dout, cache)", self.back, taken_by(self.back, BACKWARD, Role.DOUT), dout
        )
        found = in_returned(returned, dout.shape)
        if all(found.get(which) is None for which in ("x", "gamma", "beta")):  # まだ書かれていない
            self.backs = False
            return {}
        if missing := [which for which in ("x", "gamma", "beta") if found.get(which) is None]:
            raise ReaderError(f"{name} は (dx, dgamma, dbeta) を返してください(d{missing[0]} がありません)。")
        return found

    def _title(self) -> str:
        return f"{getattr(self.function, '__name__', '関数')}({', '.join(self._passed())})"

    def _passed(self) -> list[str]:
        return [name for name, (_, role) in self.taken.items() if role is not Role.OTHER]

    def how(self) -> str:
        name = self.back.__name__ if self.back else ""
        return f"{self._title()}{f' と {name}(dout, …)' * self.backs} を呼びました。"
