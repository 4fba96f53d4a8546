"""勾配の関数と出発点を受け取り、終わりまで走る関数: ``f(gradient, start, n_iter, …)``。重みを ``yield`` するものも。

どの引数が何かを、名前から読み取る。走らせるのは ``looping`` である。
"""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from fumoto.checking.calling.shapes.making import NOTHING, Asked
from fumoto.checking.calling.shapes.roles import Argument, Arguments, Role, arguments_of
from fumoto.checking.calling.values import normal
from fumoto.hints import Array


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
    "thetainit initialtheta inittheta weights initialweights initweights p p0 xy parameters vector initialvector startvalue "
    "q q0 par pars start0 z z0 u0 y0 beta0"
)
COUNT = _words(
    "niter iterations numiters steps nsteps epochs maxiter stepnum maxiters numsteps nepochs n iters maxiterations "
    "niterations numiterations niters numepochs t maxsteps k nits itermax maxepochs stepmax iternum iter maxit numiter "
    "batches nbatches numbatches iterationsperepoch stepsperepoch batchesperepoch innersteps inneriterations nsamples numsamples samples ntimes nsim horizon duration nmax kmax tmax rounds nrounds generations ticks nticks"
)
EPOCHS = _words("epoch epochs nepochs numepochs maxepochs")
TOLERANCE = _words(
    "tol tolerance precision threshold stopcriterion stoppingthreshold convergence mintol epsstop gtol xtol"
)
BOUNDS = _words("bounds bound limits")
MANY = 1000
INNER = (
    4  # エポックを数える引数もあるとき、エポックの中で回る数。エポックのたびに作り直されるものがわかるように
)


@dataclass(frozen=True)
class Loop:
    """呼び方。``gradient`` と ``start``: 引数の名前。``separate``: 勾配の関数に、座標を別々に渡すか(2 つずつ)。``boxed``: 配列を 1 つ入れて渡すもの(``"辞書"`` か ``"リスト"``。なければ空)。

    ``called_as``: 呼び出しの形(省くと ``function`` と引数の名前)。``configs``: 渡した、値の辞書。
    """

    function: Callable[..., Any]
    arguments: Arguments
    gradient: str
    start: str
    separate: bool = False
    boxed: str = ""
    called_as: str = ""
    configs: list[Asked] = field(default_factory=list)

    anything = False

    unnamed: ClassVar[dict[str, float]] = {}  # ループでは、名前から分からない引数を、値とみなさない
    class_values: ClassVar[dict[str, Any]] = {}

    @property
    def accepts(self) -> dict[str, Any]:
        """値を受け取る引数 → その既定値(なければ ``NOTHING``)。"""
        listed = self.arguments.listed
        return {a.name: NOTHING if a.required else a.default for a in listed if a.role is Role.VALUE}

    def called(self) -> str:
        return self.called_as or f"あなたの関数 ({self.gradient}, {self.start}, …)"

    @property
    def words(self) -> str:
        if self.separate:
            return "勾配を順に返す関数と、出発点の座標を 2 つずつ"
        if self.boxed:
            return f"勾配の{self.boxed}を順に返す関数と、出発点の配列の{self.boxed}を 1 つずつ"
        return "勾配を順に返す関数と、出発点の配列を 1 つずつ"


def loops(function: Callable[..., Any]) -> list[Loop]:
    """``function`` が、終わりまで走る関数らしければ、その呼び方。"""
    arguments = arguments_of(function)
    gradient, start = _gradient_and_start(arguments, START | BOUNDS)
    if gradient is None or start is None:
        return [each for names in _either_way(arguments) for each in _with_boxes(Loop(function, arguments, *names))]
    if normal(start) in BOUNDS:
        return [
            Loop(function, arguments, gradient, start, separate=True),
            Loop(function, arguments, gradient, start),
        ]
    return _with_boxes(Loop(function, arguments, gradient, start))


def _with_boxes(plain: Loop) -> list[Loop]:
    return [plain, replace(plain, separate=True), *boxed(plain)]


KEY = "W"  # 辞書に入れる、ただ 1 つの重みの名前
_BOXES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {  # 入れるもの → (入れる, 取り出す)
    "辞書": (lambda w: {KEY: w}, lambda box: box[KEY]),
    "リスト": (lambda w: [w], lambda box: box[0]),
}


def in_pairs(gradient: Callable[..., Any]) -> Callable[..., Any]:
    """損失(ここでは 0)と勾配を返す関数。"""
    return lambda *x: (0.0, gradient(*x))


def boxed(loop: Loop) -> list[Loop]:
    """配列の代わりに、それを 1 つ入れた辞書かリストを渡し、勾配も同じように返すもの。"""
    return [replace(loop, function=partial(_in_a_box, loop, name), boxed=name) for name in _BOXES]


def _in_a_box(loop: Loop, name: str, *positional: Any, **named: Any) -> Any:
    box, unbox = _BOXES[name]
    bound = inspect.signature(loop.function).bind(*positional, **named)
    gradient, w = bound.arguments[loop.gradient], bound.arguments[loop.start]
    bound.arguments[loop.gradient] = lambda params, *count: box(gradient(unbox(params)))
    bound.arguments[loop.start] = box(w)
    return _unboxed(loop.function(*bound.args, **bound.kwargs))


def _unboxed(returned: Any) -> Any:
    """返された入れものを、その中の配列にする。道のりなら、1 歩ごとに。"""
    if isinstance(returned, dict) and KEY in returned:
        return returned[KEY]
    if type(returned) is list and len(returned) == 1 and isinstance(returned[0], np.ndarray):
        return returned[0]
    return type(returned)(map(_unboxed, returned)) if type(returned) in (list, tuple) else returned


def _gradient_and_start(arguments: Arguments, starts: frozenset[str]) -> tuple[str | None, str | None]:
    """勾配の関数と、出発点の引数の名前。"""
    names = {normal(argument.name): argument.name for argument in arguments.listed}
    gradient = next((own for plain, own in names.items() if plain in GRADIENT), None)
    alike = (own for plain, own in names.items() if re.fullmatch(r"(grad|nabla|d)[a-z]", plain))
    called = (a.name for a in arguments.listed if is_gradient_function(a))
    gradient = gradient or next(alike, None) or next(called, None)  # grad_U, dV。名前から分からなければ、関数として呼ばれるもの
    start = next((own for plain, own in names.items() if plain in starts and own != gradient), None)
    if gradient is None and start is not None:  # score, f: 出発点のほかに、渡さなければならないものは 1 つ
        left = [a.name for a in arguments.listed if a.required and a.name != start and a.role is not Role.VALUE]
        left = [name for name in left if normal(name) not in COUNT | TOLERANCE]
        gradient = left[0] if len(left) == 1 else None
    return gradient, start


def is_count(argument: Argument) -> bool:
    """繰り返す回数か: 名前がそうであるか、``range`` に渡されるか、整数の既定値を持つか。"""
    named = normal(argument.name) in COUNT
    unknown = argument.counts or (type(argument.default) is int and argument.default > 1)
    return named or (unknown and argument.role in (Role.OTHER, Role.TIME) and not argument.called)


def is_gradient_function(argument: Argument) -> bool:
    """勾配の関数か: 省けず、関数の中で呼ばれていて、損失の名前でない引数か。"""
    return argument.required and argument.called and (argument.pairs or normal(argument.name) not in OBJECTIVE)


def _either_way(arguments: Arguments) -> list[tuple[str, str]]:
    """名前からは分からないとき: 省けない引数が 2 つなら、どちらが勾配の関数で、どちらが出発点でもよい。"""
    required = [a.name for a in arguments.listed if a.required and a.role is not Role.VALUE]
    required = [name for name in required if normal(name) not in COUNT | TOLERANCE | OBJECTIVE]
    return [(required[0], required[1]), (required[1], required[0])] if len(required) == 2 else []


def generated(function: Callable[..., Any]) -> list[Loop]:
    """``function`` が、重みを順に ``yield`` するものなら、その呼び方。勾配は、関数で渡すか、``send`` で渡す。"""
    if not inspect.isgeneratorfunction(function):
        return []
    arguments = arguments_of(function)
    gradient, start = _gradient_and_start(arguments, START)
    if start is None:
        return []

    def exhausted(*positional: Any, **named: Any) -> Any:
        *_, w = function(*positional, **named)
        return w

    def answered(gradient_at: Callable[..., Array], *positional: Any, **named: Any) -> Any:
        steps = function(*positional, **named)
        w = next(steps)
        while True:
            try:
                w = steps.send(gradient_at(w))
            except StopIteration:
                return w

    if gradient is not None:
        return [Loop(exhausted, arguments, gradient, start)]
    asked = Argument("gradient_at", Role.OTHER, True, False, None)
    arguments = replace(arguments, listed=(asked, *arguments.listed))
    return [Loop(answered, arguments, asked.name, start, called_as=f"あなたのジェネレーター ({start}, …)")]
