"""動いている Batch Normalization に共通のこと: 引数を役割で渡し、返されたものから出力を見つける。"""

from collections.abc import Callable
from typing import Any

import numpy as np

from fumoto.checking.calling.batchnorm.gradients import shape_of
from fumoto.checking.calling.batchnorm.modes import said
from fumoto.checking.calling.batchnorm.rates import OURS, Rates
from fumoto.checking.calling.batchnorm.roles import FLAGS, Role, Taken, call_with, roles_in
from fumoto.checking.calling.batchnorm.settings import Settings
from fumoto.checking.calling.safety import ReaderError
from fumoto.hints import Array

_OUTPUTS = ("out", "y", "output", "Y", "a", "z")


class InUse:
    """動いている層か関数。

    ``infers``: 推論ができるか。``backs``: 逆伝播があるか。``words``: 学習中と推論を伝える文字列。``writes_mode``: それを使うか。
    ``averages_here``: 移動平均を関数に渡すとき、いまの値。``extras``: 順伝播が、出力のほかに返したもの。
    """

    infers, backs, writes_mode = True, True, False

    def __init__(self, gamma: Array, beta: Array, rates: Rates, words: tuple[str, str]):
        self.gamma, self.beta, self.rates, self.words = gamma, beta, rates, words
        self.averages_here = {Role.MEAN: np.zeros_like(gamma), Role.VAR: np.ones_like(gamma)}
        self.config = Settings(self._setting, dict(self.averages_here))
        self.params = Settings(self._setting, gamma=gamma, beta=beta)
        self.extras: list[Any] = []
        self.training, self.x = True, gamma

    def forward(self, x: Array, training: bool) -> Any:
        """``x`` を通した出力。"""
        raise NotImplementedError

    def backward(self, dout: Array) -> dict[str, Any]:
        """``"x"``, ``"gamma"``, ``"beta"`` の勾配。"""
        raise NotImplementedError

    def how(self) -> str:
        """呼び方の言葉。"""
        raise NotImplementedError

    def averages(self) -> list[Array]:
        """見えるところにある、移動平均の写し。"""
        return [np.array(value) for value in self.averages_here.values()] + self.config.arrays()

    def called(self, what: str, function: Callable[..., Any], taken: Taken, x: Array, training: bool) -> Any:
        """順伝播の ``function`` を呼ぶ。"""
        self.training, self.x = training, x
        return call_with(what, function, taken, {Role.X: lambda a: x, **self._known(), **self._flags()})

    def called_back(self, what: str, function: Callable[..., Any], taken: Taken, dout: Array) -> Any:
        """逆伝播の ``function`` を呼ぶ。役割の分からない引数には、順伝播が返したものを順に渡す。"""
        needed = [name for name, (a, _) in taken.items() if a.required]
        if Role.DOUT not in roles_in(taken) and needed:
            taken = {**taken, needed[0]: (taken[needed[0]][0], Role.DOUT)}
        left = list(self.extras)
        if Role.CACHE in roles_in(taken) and not left:
            raise ReaderError(f"{what} に渡す cache を、順伝播が返していません。")
        for name, (a, role) in taken.items():
            if role is Role.OTHER and a.required and left:
                taken = {**taken, name: (a, Role.CACHE)}
        known = {Role.DOUT: lambda a: dout, Role.X: lambda a: self.x, Role.LR: lambda a: 0.0, **self._known()}
        several = [role for _, role in taken.values()].count(Role.CACHE) > 1
        whole = left[0] if len(left) == 1 or (left and not isinstance(left[0], np.ndarray)) else tuple(left)
        cache = (lambda a: left.pop(0)) if several else (lambda a: whole)
        return call_with(what, function, taken, {**known, Role.CACHE: cache})

    def output(self, returned: Any, x: Array) -> Any:
        """返されたものの中の出力。ほかのものは ``extras`` に残す。"""
        self.extras = []
        if isinstance(returned, dict):
            return next((returned[name] for name in _OUTPUTS if name in returned), returned)
        if not isinstance(returned, tuple | list) or not returned:
            return returned
        place = next((i for i, each in enumerate(returned) if shape_of(each) == x.shape), 0)
        self.extras = [each for i, each in enumerate(returned) if i != place]
        return returned[place]

    def _known(self) -> dict[Role, Callable[..., Any]]:
        return {
            Role.GAMMA: lambda a: self.gamma,
            Role.BETA: lambda a: self.beta,
            Role.PARAMS: lambda a: self.params,
            Role.CONFIG: lambda a: self.config,
            Role.AXES: lambda a: self.x.ndim,
            **{role: lambda a, role=role: self.averages_here[role] for role in self.averages_here},
            **{role: lambda a, ours=o: self.rates.value(ours, a.name, a.default) for role, o in OURS.items()},
        }

    def _flags(self) -> dict[Role, Callable[..., Any]]:
        return {role: lambda a, role=role: said(role, self.training, self.words) for role in FLAGS}

    def _setting(self, role: Role, name: str, default: Any) -> Any:
        """設定の辞書の ``name`` の値。"""
        if role in FLAGS:
            self.writes_mode = self.writes_mode or role is Role.MODE
            return said(role, self.training, self.words)
        return self.rates.value(OURS[role], name, default)
