"""勾配の関数と出発点を受け取り、終わりまで走る関数: ``f(gradient, start, n_iter, …)``。重みを ``yield`` するものも。

どの引数が何かを、名前から読み取る。走らせるのは ``looping`` である。
"""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from fumoto.checking.calling.shapes.making import NOTHING, Making, Verb
from fumoto.checking.calling.shapes.objects import in_objects
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
    "batches nbatches numbatches iterationsperepoch stepsperepoch batchesperepoch innersteps inneriterations"
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

    ``called_as``: 呼び出しの形(省くと ``function`` と引数の名前)。
    """

    function: Callable[..., Any]
    arguments: Arguments
    gradient: str
    start: str
    separate: bool = False
    boxed: str = ""
    called_as: str = ""

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
    return [plain, replace(plain, separate=True), *_boxed(plain)]


_KEY = "W"  # 辞書に入れる、ただ 1 つの重みの名前
_BOXES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {  # 入れるもの → (入れる, 取り出す)
    "辞書": (lambda w: {_KEY: w}, lambda box: box[_KEY]),
    "リスト": (lambda w: [w], lambda box: box[0]),
}


def _boxed(loop: Loop) -> list[Loop]:
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
    if isinstance(returned, dict) and _KEY in returned:
        return returned[_KEY]
    if type(returned) is list and len(returned) == 1 and isinstance(returned[0], np.ndarray):
        return returned[0]
    return type(returned)(map(_unboxed, returned)) if type(returned) in (list, tuple) else returned


def _gradient_and_start(arguments: Arguments, starts: frozenset[str]) -> tuple[str | None, str | None]:
    """勾配の関数と、出発点の引数の名前。"""
    names = {normal(argument.name): argument.name for argument in arguments.listed}
    gradient = next((own for plain, own in names.items() if plain in GRADIENT), None)
    called = (own for plain, own in names.items() if re.fullmatch(r"(grad|nabla|d)[a-z]", plain))
    gradient = gradient or next(called, None)  # grad_U, dV
    start = next((own for plain, own in names.items() if plain in starts and own != gradient), None)
    if gradient is None and start is not None:  # score, f: 出発点のほかに、渡さなければならないものは 1 つ
        left = [a.name for a in arguments.listed if a.required and a.name != start and a.role is not Role.VALUE]
        left = [name for name in left if normal(name) not in COUNT | TOLERANCE]
        gradient = left[0] if len(left) == 1 else None
    return gradient, start


def _either_way(arguments: Arguments) -> list[tuple[str, str]]:
    """名前からは分からないとき: 省けない引数が 2 つなら、どちらが勾配の関数で、どちらが出発点でもよい。"""
    required = [a.name for a in arguments.listed if a.required and a.role is not Role.VALUE]
    required = [name for name in required if normal(name) not in COUNT | TOLERANCE | OBJECTIVE]
    return [(required[0], required[1]), (required[1], required[0])] if len(required) == 2 else []


_BOTH = (
    Argument("gradient_at", Role.OTHER, True, False, None),
    Argument("start", Role.OTHER, True, False, None),
)


def repeated(making: Making, verb: Verb) -> list[Loop]:
    """勾配の代わりに、勾配の関数を受け取る ``update(w, grad_func)`` なら、それを繰り返すものとしての呼び方。

    ``minimize(grad_func, w, n_iter)`` のように、回数も受け取るものは、自分で繰り返す。1 度だけ呼ぶ。
    """
    required = [argument for argument in verb.arguments.listed if argument.required]
    counts = {a.name: MANY for a in verb.arguments.listed if normal(a.name) in COUNT}
    if counts and not verb.name:
        return []  # 終わりまで走る関数そのもの
    functions = (
        GRADIENT if counts else {name for name in GRADIENT if re.search(r"f(un|unc|n|unction)?$", name)}
    )
    gradient = next((a for a in required if normal(a.name) in functions), None)
    alone = Role.PARAMS in verb.arguments.roles() and Role.GRADS not in verb.arguments.roles()
    holding = GRADIENT - {"grads", "gradients"} if alone else functions
    held = next((a for a in making.arguments.listed if a.required and normal(a.name) in holding), None)
    gradient = gradient or held  # 作るときに渡すもの
    w = next(
        (a for a in required if a is not gradient and (a.role is Role.PARAMS or normal(a.name) in START)),
        None,
    )
    if gradient is None or w is None:
        return _holding(making, verb, required) or _closed(making, verb, required)
    states = [a.name for a in required if a not in (gradient, w) and a.role in (Role.OTHER, Role.STATE)]
    kept = [name for name in states if name not in counts]
    started = [a.name for a in verb.arguments.listed if a.default is None and a.started]  # None から、自分で作るもの
    listed = (*making.arguments.listed, *verb.arguments.listed)
    values = [replace(a, keyword=True) for a in listed if a.role is Role.VALUE]
    own = {a.name for a in making.arguments.listed if a is held or a.name != gradient.name}

    def run(gradient_at: Callable[..., Array], start: Any, **given: Any) -> Any:
        given[gradient.name] = gradient_at
        made = making.build(**{name: value for name, value in given.items() if name in own})
        more = {name: value for name, value in given.items() if name not in own} | counts
        states: dict[str, Any] = {**{name: np.zeros_like(start) for name in kept}, **dict.fromkeys(started)}
        for _ in range(1 if counts else MANY):
            returned = verb.of(made)(**{w.name: start}, **states, **more)
            if states and isinstance(returned, tuple):
                returned, *others = returned
                states |= dict(zip(states, others, strict=False))
            start = start if returned is None else returned
        return start

    arguments = Arguments((*_BOTH, *values), False)
    called_as = f"{verb.name or 'あなたの関数 '}({w.name}, {gradient.name})"
    loop = Loop(run, arguments, "gradient_at", "start", called_as=called_as)
    return [loop, *_boxed(loop)]


def _closed(making: Making, verb: Verb, required: list[Argument]) -> list[Loop]:
    """``step(closure)`` の中で、勾配を計算しなおすもの。``closure`` は、いまの重みでの勾配を ``.grad`` に入れる。"""
    holds = [a for a in making.arguments.listed if a.required]
    if [normal(a.name) for a in required] != ["closure"] or [a.role for a in holds] != [Role.PARAMS]:
        return []
    values = [replace(a, keyword=True) for a in making.arguments.listed if a.role is Role.VALUE]

    def run(gradient_at: Callable[..., Array], start: Any, **given: Any) -> Any:
        unit = in_objects({_KEY: start})[0]
        unit.put({_KEY: np.zeros_like(start)})
        made = making.build(unit.weights, **given)

        def closure() -> float:
            unit.put({_KEY: gradient_at(unit.read()[_KEY])})
            return 0.0

        for _ in range(MANY):
            verb.of(made)(closure)
        return unit.read()[_KEY]

    return [Loop(run, Arguments((*_BOTH, *values), False), "gradient_at", "start", called_as=f"{verb.name}(closure)")]


def _holding(making: Making, verb: Verb, required: list[Argument]) -> list[Loop]:
    """出発点を渡して作り、``step(grad_fn)`` を繰り返すもの。"""
    holds = [a for a in making.arguments.listed if a.required]
    if len(required) != 1 or len(holds) != 1 or normal(required[0].name) not in GRADIENT:
        return []
    if holds[0].role is not Role.PARAMS and normal(holds[0].name) not in START:
        return []
    listed = (*making.arguments.listed, *verb.arguments.listed)
    values = [replace(a, keyword=True) for a in listed if a.role is Role.VALUE]
    own = {a.name for a in making.arguments.listed}

    def run(gradient_at: Callable[..., Array], start: Any, **given: Any) -> Any:
        made = making.build(start, **{name: value for name, value in given.items() if name in own})
        more = {name: value for name, value in given.items() if name not in own}
        returned = None
        for _ in range(MANY):
            returned = verb.of(made)(gradient_at, **more)
        return returned

    called_as = f"{verb.name or 'あなたの関数 '}({required[0].name})"
    loop = Loop(run, Arguments((*_BOTH, *values), False), "gradient_at", "start", called_as=called_as)
    return [loop, *_boxed(loop)]


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
