"""ε と減衰率に渡す値。減衰率は、これまでの平均に掛ける数(この本)とも、新しい値に掛ける数(PyTorch の momentum)とも書かれる。"""

from collections.abc import Mapping
from typing import Any

from fumoto.checking.calling.batchnorm.roles import Role, role_of
from fumoto.checking.calling.safety import call
from fumoto.checking.calling.shapes.visible import attributes
from fumoto.checking.calling.values import normal, number

Given = Mapping[str, float | None]  # この本の名前(decay_rate と eps) → 渡された値。決まっていなければ None
USUAL = {"decay_rate": 0.9, "eps": 1e-5}
OURS = {Role.DECAY_RATE: "decay_rate", Role.EPS: "eps"}
_ONE_MEANING = ("rho", "decayrate")  # この本の名前なら、これまでの平均に掛ける数でしかない


class Rates:
    """読者に渡した、ε と減衰率。

    ``known``: この本の意味での値。渡せず、属性にも見えなければ None。``either``: 減衰率が、どちらの意味か決まらないか。
    ``name``: 減衰率の、読者の引数の名前。``new``: それが、新しい値に掛ける数か。
    """

    def __init__(self, given: Given):
        self.given = given
        self.known: dict[str, float | None] = dict.fromkeys(USUAL)
        self.name, self.either, self.new = "", False, False

    def value(self, ours: str, name: str, default: Any = None) -> float:
        """読者の引数 ``name``(既定値は ``default``)に渡す値。"""
        own = number(default)
        usual = own if own is not None else USUAL[ours]
        given = self.given[ours]
        if ours == "eps":
            self.known[ours] = usual if given is None else given
            return usual if given is None else given
        self._read(name, own)
        if given is None:
            self.known[ours] = 1 - usual if self.new else usual
            return usual
        self.known[ours] = given
        return 1 - given if self.new else given

    def _read(self, name: str, own: float | None) -> None:
        """減衰率 ``name`` の意味。既定値が 0.5 より小さければ、新しい値に掛ける数として書かれている。"""
        one_meaning = normal(name) in _ONE_MEANING
        self.either = own is None and not one_meaning
        self.new = own is not None and own < 0.5 and not one_meaning
        self.name = name

    def see(self, made: Any) -> None:
        """渡せなかった値が、属性に見えるかもしれない。"""
        for name in {**attributes(type(made)), **attributes(made)}:
            ours = OURS.get(role_of(name, (Role.DECAY_RATE, Role.EPS)))
            if ours is None or self.known[ours] is not None:
                continue
            own = number(call(f"{name} を調べるとき", lambda name=name: getattr(made, name, None)))
            if own is not None:
                self.known[ours] = own
                if ours == "decay_rate":
                    self._read(name, own)
                    self.known[ours] = 1 - own if self.new else own
