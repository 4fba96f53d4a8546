"""勾配の関数と出発点を受け取り、終わりまで走る関数: ``f(gradient, start, n_iter, …)``。

勾配の関数には、問題の勾配を順に返させる。渡された x が、そのステップの重みである。用意した勾配がなくなったところで止める。
1 歩ごとに、はじめから走らせ直す(走らせるたびに、同じ道を 1 歩だけ先まで行く)。
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fumoto.checking.calling.safety import ReaderError, call
from fumoto.checking.calling.shapes.making import NOTHING, filled
from fumoto.checking.calling.shapes.roles import Argument, Arguments, Role, arguments_of
from fumoto.checking.calling.shapes.units import alike
from fumoto.checking.calling.values import normal
from fumoto.hints import Array, Arrays


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GRADIENT = _words(
    "derivative gradient grad grads gradf gradfn gradfunc gradfun gradfunction gradientfn gradientfunc gradientfunction df "
    "dfdx dfx fgrad fprime fp dloss dldw gradloss lossgrad lossgradient costgrad jac nabla nablaf g gradientf derivativef "
    "deriv derivf fderiv dfunc dfun dcost dj dl getgradient computegradient computegrad evaluategradient gradientoff gradofx"
)
OBJECTIVE = _words(
    "objective f func fn fun function loss cost costfunction lossfunction lossfn objectivefunction energy"
)
START = _words(
    "x x0 w w0 theta theta0 start init initial initx initialx xinit startpoint startingpoint initpoint initialpoint point "
    "params initparams initialparams position xstart startx initialguess guess initialposition wstart winit initw initialw "
    "thetainit initialtheta inittheta weights initialweights initweights p p0 xy parameters vector initialvector startvalue"
)
COUNT = _words(
    "niter iterations numiters steps nsteps epochs maxiter stepnum maxiters numsteps nepochs n iters maxiterations "
    "niterations numiterations niters numepochs t maxsteps k nits itermax maxepochs stepmax iternum iter maxit numiter"
)
TOLERANCE = _words(
    "tol tolerance precision threshold stopcriterion stoppingthreshold convergence mintol epsstop gtol xtol"
)
BOUNDS = _words("bounds bound limits")
MANY = 1000


class _Enough(BaseException):
    """用意した勾配を使い切った。``Exception`` ではないので、読者の ``except`` には止められない。"""


@dataclass(frozen=True)
class Loop:
    """呼び方。``gradient`` と ``start``: 引数の名前。``separate``: 勾配の関数に、座標を別々に渡すか(2 つずつ)。"""

    function: Callable[..., Any]
    arguments: Arguments
    gradient: str
    start: str
    separate: bool = False

    anything = False

    @property
    def accepts(self) -> dict[str, Any]:
        """値を受け取る引数 → その既定値(なければ ``NOTHING``)。"""
        listed = self.arguments.listed
        return {a.name: NOTHING if a.required else a.default for a in listed if a.role is Role.VALUE}

    def called(self) -> str:
        return f"あなたの関数 ({self.gradient}, {self.start}, …)"

    @property
    def words(self) -> str:
        if self.separate:
            return "勾配を順に返す関数と、出発点の座標を 2 つずつ"
        return "勾配を順に返す関数と、出発点の配列を 1 つずつ"


def loops(function: Callable[..., Any]) -> list[Loop]:
    """``function`` が、終わりまで走る関数らしければ、その呼び方。"""
    arguments = arguments_of(function)
    names = {normal(argument.name): argument.name for argument in arguments.listed}
    gradient = next((own for plain, own in names.items() if plain in GRADIENT), None)
    start = next((own for plain, own in names.items() if plain in START | BOUNDS and own != gradient), None)
    if gradient is None or start is None:
        return []
    if normal(start) in BOUNDS:
        return [
            Loop(function, arguments, gradient, start, separate=True),
            Loop(function, arguments, gradient, start),
        ]
    return [
        Loop(function, arguments, gradient, start),
        Loop(function, arguments, gradient, start, separate=True),
    ]


class Looping:
    """``Loop`` のとおりに歩く、読者の最適化手法(``Walker``)。"""

    def __init__(self, loop: Loop, params: Arrays, values: dict[str, Any]):
        self.loop, self.values = loop, values
        self.start = {key: np.array(w) for key, w in params.items()}
        self.gradients: dict[str, list[Array]] = {key: [] for key in params}
        self.steps = 0

    def step(self, grads: Arrays) -> Arrays:
        self.steps += 1
        found = {}
        for key, w in self.start.items():
            self.gradients[key].append(np.array(grads[key]))
            found[key] = self._reached(w, self.gradients[key])
        return found

    def _reached(self, w: Array, gradients: list[Array]) -> Array:
        if not self.loop.separate:
            return self._run(w, gradients)
        flat, flat_gradients = np.ravel(w), [np.ravel(g) for g in gradients]
        odd = np.zeros(flat.size % 2, w.dtype)
        flat = np.concatenate([flat, odd])
        flat_gradients = [np.concatenate([g, odd]) for g in flat_gradients]
        pieces = [
            self._run(flat[i : i + 2], [g[i : i + 2] for g in flat_gradients]) for i in range(0, flat.size, 2)
        ]
        return np.concatenate(pieces)[: w.size].reshape(w.shape)

    def _run(self, w: Array, gradients: list[Array]) -> Array:
        """はじめから走らせ、``gradients`` を使い切ったときの x。"""
        seen: list[Array] = []

        def gradient(*x: Any) -> Array:
            seen.append(np.array(x[0] if len(x) == 1 else x))
            if len(seen) > len(gradients):
                raise _Enough
            return gradients[len(seen) - 1].copy()

        positional, named = filled(self.loop.arguments, lambda a: self._given(a, w, gradient), {})
        what = f"{self.steps} ステップ目までの実行"
        try:
            returned = call(what, lambda: self.loop.function(*positional, **named))
        except _Enough:
            return np.asarray(seen[-1]).reshape(w.shape)
        if len(seen) == len(gradients):
            items = [returned, *reversed(returned)] if isinstance(returned, list | tuple) else [returned]
            for item in items:
                if alike(item, w.shape):
                    return np.array(item)
        raise ReaderError(f"{what}で、勾配を {len(seen)} 回しか使わずに終わりました。")

    def _given(self, argument: Argument, w: Array, gradient: Callable[..., Any]) -> Any:
        if argument.name in self.values:
            return self.values[argument.name]
        plain = normal(argument.name)
        if argument.name == self.loop.gradient:
            return gradient
        if argument.name == self.loop.start:
            return np.stack([w, w], axis=-1) if plain in BOUNDS else w.copy()
        if plain in COUNT and (argument.required or isinstance(argument.default, int)):
            return MANY
        if plain in TOLERANCE:
            return -1.0
        if plain in OBJECTIVE and argument.required:
            return lambda *x: 0.0
        return NOTHING

    def settings(self) -> dict[str, Any]:
        return {}

    asked = settings

    def state(self) -> dict[str, dict[str, Any]]:
        return {}

    def notes(self) -> tuple[str, ...]:
        return ()

    def result(self) -> str:
        return "勾配の関数に渡された x を、そのステップの重みとしました"
