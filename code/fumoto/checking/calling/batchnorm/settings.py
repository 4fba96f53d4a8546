"""設定と移動平均、または γ と β を入れて、読者の関数に渡す辞書。引かれた名前の役割を見て、渡す値を決める。"""

from collections.abc import Callable
from typing import Any

import numpy as np

from fumoto.checking.calling.batchnorm.roles import FLAGS, Role, role_of
from fumoto.hints import Array

_VALUES = (Role.EPS, Role.DECAY_RATE)
_HELD = (Role.GAMMA, Role.BETA, Role.MEAN, Role.VAR)


_BARE = {"mean": Role.MEAN, "mu": Role.MEAN, "var": Role.VAR, "variance": Role.VAR}  # 状態の辞書の中なら、移動平均


class Settings(dict[str, Any]):
    """``bn_param["mode"]``, ``bn_param.get("eps", 1e-5)``, ``params["gamma"]`` に答える辞書。

    ``give``: (役割, 名前, 既定値) → 渡す値。学習中かどうかは、そのたびに聞く。``gamma``, ``beta``: 入っている値。
    ``averages``: 移動平均のはじめ(入っていると読者が思っている名前で引かれたとき)。
    """

    def __init__(self, give: Callable[[Role, str, Any], Any], averages: dict[Role, Array] | None = None, **held: Array):
        super().__init__(held)
        self.give, self.used, self.starts = give, set[Role](), averages or {}

    def get(self, name: str, default: Any = None) -> Any:
        return self._found(name, default, lambda: default)

    def __getitem__(self, name: str) -> Any:
        return self._found(name, None, lambda: self._started(name))

    def _started(self, name: str) -> Any:
        """まだ入っていない移動平均の、はじめの値。"""
        role = self.average(name)
        if role not in self.starts:
            return super().__getitem__(name)
        self[name] = self.starts[role].copy()
        return self[name]

    def average(self, name: Any) -> Role:
        """どちらの移動平均の名前か。どちらでもなければ ``OTHER``。"""
        role = role_of(name, (Role.MEAN, Role.VAR)) if isinstance(name, str) else Role.OTHER
        return _BARE.get(str(name).lower(), role)

    def __bool__(self) -> bool:
        return True  # bn_param or {} で、別の辞書にされないように

    def arrays(self) -> list[Array]:
        """読者が残した移動平均の写し。"""
        kept = {name: self.average(name) for name in self}
        return [
            np.array(super(Settings, self).__getitem__(n)) for n, r in kept.items() if r is not Role.OTHER
        ]

    def setdefault(self, name: str, default: Any = None) -> Any:
        if name not in self and role_of(name, (*_VALUES, *FLAGS)) is Role.OTHER:
            self[name] = default
        return self.get(name, default)

    def _found(self, name: Any, default: Any, otherwise: Callable[[], Any]) -> Any:
        role = role_of(name, (*FLAGS, *_VALUES, *_HELD)) if isinstance(name, str) else Role.OTHER
        self.used.add(role)
        if role in FLAGS:
            return self.give(role_of(name, FLAGS, default), name, default)
        if role in _VALUES and name not in self:
            return self.give(role, name, default)
        if name in self or role not in (Role.GAMMA, Role.BETA):
            return self.get_own(name, otherwise)
        return self.get_own({Role.GAMMA: "gamma", Role.BETA: "beta"}[role], otherwise)  # params["W"] など

    def get_own(self, name: Any, otherwise: Callable[[], Any]) -> Any:
        """入っているもの。なければ ``otherwise()``。"""
        return super().__getitem__(name) if name in self else otherwise()
