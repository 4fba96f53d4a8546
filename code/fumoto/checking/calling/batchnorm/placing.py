"""作ったあとの層の中に、γ と β を入れる: 属性か、``params["gamma"]`` のような辞書か、``gamma.data`` に。"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fumoto.checking.calling.batchnorm.roles import NAMED, Role
from fumoto.checking.calling.shapes.making import look
from fumoto.checking.calling.shapes.visible import attributes
from fumoto.checking.calling.values import normal, number
from fumoto.hints import Array

BOTH = {"gamma": Role.GAMMA, "beta": Role.BETA}


@dataclass(frozen=True)
class Place:
    """γ か β のあるところ。``said``: それを言う言葉。``box``: 入れもの(層か辞書か ``.data`` を持つもの)。``name``: その中の名前。"""

    said: str
    box: Any
    name: str

    def value(self) -> Any:
        return self.box[self.name] if isinstance(self.box, dict) else getattr(self.box, self.name)

    def put(self, new: Array) -> None:
        """``new`` を入れる。ほかの名前でも見えている配列なら、その配列に書く。"""
        old = self.value()
        if isinstance(old, np.ndarray):
            new = new.reshape(old.shape)
            if old.dtype == new.dtype and old.flags.writeable:
                old[...] = new
                return
        if isinstance(self.box, dict):
            self.box[self.name] = new
        else:
            setattr(self.box, self.name, new)


def places(made: Any, which: str) -> list[Place]:
    """``made`` の中で、``which``(``"gamma"`` か ``"beta"``)のあるところ。"""
    boxes = [(made, attributes(made), "{}")]
    boxes += [
        (box, box, f'{name}["{{}}"]') for name, box in attributes(made).items() if isinstance(box, dict)
    ]
    return [place for box, inside, said in boxes for place in _in(box, inside, said, which)]


def _in(box: Any, inside: dict[Any, Any], said: str, which: str) -> Iterator[Place]:
    """``box`` の中の、名前のいちばんはっきりしたもの。"""
    plain = {normal(name): name for name in inside if isinstance(name, str)}
    for name in NAMED[BOTH[which]]:
        if name in plain and (place := _place(box, plain[name], inside[plain[name]], said)):
            yield place
            return


def _place(box: Any, name: str, value: Any, said: str) -> Place | None:
    if (isinstance(value, np.ndarray) and value.dtype.kind in "fi") or number(value) is not None:
        return Place(said.format(name), box, name)
    if isinstance(value, list) and value and all(number(each) is not None for each in value):
        return Place(said.format(name), box, name)
    for inner in ("data", "value"):  # Parameter
        if isinstance(look(value, inner), np.ndarray):
            return Place(f"{said.format(name)}.{inner}", value, inner)
    return None


def columns_of(made: Any) -> int | None:
    """``made`` の γ の長さ。数か、なければ None。"""
    return next((np.size(p.value()) for p in places(made, "gamma") if np.ndim(p.value())), None)
