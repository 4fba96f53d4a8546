"""引数の役割を、名前から読み取る: 重み、勾配、回数、状態、学習率のような値。"""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

from fumoto.checking.calling.shapes.instructions import answers_in_pairs, called_in, counted_in, names_with
from fumoto.checking.calling.values import is_value, normal


class Role(Enum):
    """引数の役割。"""

    PARAMS = auto()  # 重み
    GRADS = auto()  # 勾配
    BIAS = auto()  # 重みと別に渡すバイアス
    BIAS_GRAD = auto()
    PAIRS = auto()  # (勾配, 重み) の並び
    MODEL = auto()  # 重みを持つもの: ネットワークや層
    TIME = auto()  # 何回目の更新か
    STATE = auto()  # 呼ぶ側が持つ状態
    CONFIG = auto()  # 値と状態を入れた辞書
    KEY = auto()  # 重みの名前
    SHAPE = auto()  # 重みの形
    VALUE = auto()  # 学習率や減衰率
    OTHER = auto()  # 名前からは分からない


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: 役割 → それを表す名前(``normal`` でそろえたもの)。
NAMED: dict[Role, frozenset[str]] = {
    Role.PARAMS: _words(
        "params parameters param parameter p ps w ws weights weight theta thetas x xs vars variables var variable "
        "values coef coefs coefficients tree pytree tensors tensor old current position point trainablevariables trainableparams "
        "重み パラメータ パラメーター 引数 paramlist modelparameters modelparams parameterlist weightlist varlist variablelist tensorlist paramdict parameterdict allparams"
    ),
    Role.GRADS: _words(
        "g gs gw gx dw dws dx dxs dp dtheta dthetas dparams dparam dparameters dweights dweight dvars dv nablaw nabla "
        "勾配 傾き updates djdw djdtheta dldw dldtheta dedw dlossdw deltaw derivative derivatives dl dj jac jacobian slope slopes"
    ),
    Role.BIAS: _words("b bias biases bs バイアス"),
    Role.BIAS_GRAD: _words("db dbs dbias dbiases gradb bgrad biasgrad gradbias gradbiases gb nablab djdb dldb deltab"),
    Role.PAIRS: _words("pairs gradvars gradsvars gvs paramsgrads gradsparams paramgradpairs gradparampairs pgs"),
    Role.MODEL: _words("model net network nn module layers layer target modules mlp"),
    Role.TIME: _words("t step iter iteration iterations epoch timestep time it i k n count counter globalstep stepcount nstep 回数 ステップ"),
    Role.CONFIG: _words(
        "config cfg conf optimconfig optimizerconfig optconfig updateconfig hyperparams hyperparameters hparams hparam "
        "hp hps hyper opts options settings configs"
    ),
    Role.KEY: _words(
        "key name layername layerid layeridx layerindex idx index id paramname paramid paramkey varname pname wname uid 名前 キー"
    ),
    Role.SHAPE: _words(
        "shape dim dims shapes inputshape paramshape paramsshape size ndim nparams numparams numparameters nparameters "
        "length dimension dimensions nfeatures numfeatures numweights nweights"
    ),
}  # fmt: skip


LAYERS = _words("nlayers numlayers numberoflayers layercount ntensors numtensors narrays numarrays nvars numvars nvariables nslots numslots ngroups")  # 層や配列の数
BATCH = _words("batchsize minibatchsize nsamples numsamples samplesize nexamples numexamples")  # 勾配を割る数。1 を渡す
SIZE = -1  # 回数の代わりに、要素の数を渡す
SIZES = ("n", "size", "len")  # 回数でなく、要素の数かもしれない引数


@dataclass(frozen=True)
class Argument:
    """読者の関数の引数 1 つ。``required``: 省けないか。``keyword``: 名前でしか渡せないか。

    ``started``: 関数が自分で入れなおすか。``called``: 関数の中で、関数として呼ばれるか。``pairs``: その答えは、損失と勾配の 2 つか。``counts``: ``range`` に渡されるか。
    """

    name: str
    role: Role
    required: bool
    keyword: bool
    default: Any
    started: bool = False
    called: bool = False
    pairs: bool = False
    counts: bool = False


@dataclass(frozen=True)
class Arguments:
    """読者の関数の引数の並び。``anything``: ``**kwargs`` があるか、並びが分からず、どんな名前でも渡せるか。"""

    listed: tuple[Argument, ...]
    anything: bool

    def roles(self) -> set[Role]:
        return {argument.role for argument in self.listed}


def role_of(name: str, default: Any = inspect.Parameter.empty) -> Role:
    """名前から読み取った役割。

    >>> [role_of(name).name for name in ("params", "grad_W", "dW", "learning_rate", "t", "velocity")]
    ['PARAMS', 'GRADS', 'GRADS', 'VALUE', 'TIME', 'OTHER']
    """
    plain = normal(name)
    if default is None and plain in _KEPT:  # 値なら、None ではない
        return Role.OTHER
    if plain == "momenta":  # 係数ではなく、いくつもの速度
        return Role.OTHER
    if isinstance(default, float) or (is_value(name) and plain not in ("e", "b1", "b2")):
        return Role.VALUE if is_value(name) else Role.OTHER
    if plain in BATCH:
        return Role.VALUE
    if plain in LAYERS:
        return Role.SHAPE
    for role in (Role.BIAS_GRAD, Role.PAIRS, Role.CONFIG, Role.KEY):
        if plain in NAMED[role]:
            return role
    if "and" in plain and ("grad" in plain or "var" in plain):
        return Role.PAIRS
    if (
        plain in NAMED[Role.GRADS]
        or (re.match(r"(grad|deriv)", plain) and not re.search(r"(fn|func|fun|function|at)$", plain))
        or re.search(r"(grads?|gradients?)$", plain)
    ):
        return Role.GRADS
    for role in (Role.PARAMS, Role.BIAS, Role.MODEL, Role.TIME, Role.SHAPE):
        if plain in NAMED[role]:
            return role
    if is_value(name):
        return Role.VALUE
    if re.search(r"(?<!hyper)(params|parameters|weights|variables|tensors|trainables)$", plain):
        return Role.PARAMS
    return Role.MODEL if re.search(r"(model|network|layers)$", plain) else Role.OTHER


def is_number(key: str) -> bool:
    """重みを、名前でなく番号で区別する引数か。

    >>> [is_number(name) for name in ("idx", "layer_id", "i", "key")]
    [True, True, True, False]
    """
    return re.search(r"(idx|index|id|^[ij])$", normal(key)) is not None


def arguments_of(function: Callable[..., Any]) -> Arguments:
    """``function`` の引数の並び。読者のものが何を返しても、例外にはならない。"""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except Exception:  # 並びの分からないものか、調べると例外を起こすもの。呼んでみるしかない
        return Arguments((), True)
    kinds = inspect.Parameter
    code = getattr(function, "__code__", None)
    stored = names_with("STORE_", code) if any(p.default is None for p in parameters) else set()
    called, counted = called_in(code), counted_in(code)
    listed = tuple(
        Argument(
            p.name,
            role_of(p.name, p.default),
            p.default is kinds.empty,
            p.kind is kinds.KEYWORD_ONLY,
            p.default,
            p.name in stored,
            p.name in called,
            p.name in called and answers_in_pairs(code, p.name),
            p.name in counted,
        )
        for p in parameters
        if p.kind not in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)
    )
    return Arguments(listed, any(p.kind is kinds.VAR_KEYWORD for p in parameters))


_KEPT = _words(
    "momentum mom v m s h u r vs ms vel velocity velocities cache caches state states optstate optimizerstate memory buffers buffer bufs buf mem mems "
    "momenta moment moments m1 m2 mt vt m0 v0 firstmoment secondmoment accumulator acc accumulators prev previous sqgrad vw mw sw"
)


_SWITCHES = _words("verbose debug seed axis warmup warmupsteps printevery logevery trace display nesterov amsgrad maximize dampening l1 clip clipnorm start")


def assignments(arguments: Arguments, held: set[Role]) -> list[Arguments]:
    """役割の決まらない引数にも役割をつけた並び。名前から決まらず、試してみるしかなければ 2 つ以上。

    ``held``: 作るときに渡したものの役割。重みと勾配がそろったあとに残る、省けない引数は、呼ぶ側が持つ状態である。

    >>> def update(a, b): ...
    >>> [[a.role.name for a in found.listed] for found in assignments(arguments_of(update), set())]
    [['PARAMS', 'GRADS'], ['GRADS', 'PARAMS']]
    >>> def step(w, dw, v, lr=0.1): ...
    >>> [[a.role.name for a in found.listed] for found in assignments(arguments_of(step), set())]
    [['PARAMS', 'GRADS', 'STATE', 'VALUE']]
    """
    listed = _known(arguments.listed, held)
    if (keyed := _by_index(listed)) != listed:
        return [*assignments(Arguments(keyed, arguments.anything), held), *_assigned(arguments, listed, held)]
    return _assigned(arguments, listed, held)


def _by_index(listed: tuple[Argument, ...]) -> tuple[Argument, ...]:
    """``i`` と ``j`` は、回数でなく、重みの番号かもしれない。"""
    return tuple(
        replace(a, role=Role.KEY) if a.role is Role.TIME and a.required and a.name in ("i", "j") else a for a in listed
    )


def _assigned(
    arguments: Arguments, listed: tuple[Argument, ...], held: set[Role]
) -> list[Arguments]:
    roles = {argument.role for argument in listed} | held
    open_places = [i for i, a in enumerate(listed) if a.role is Role.OTHER and a.required and "state" not in a.name]
    needs_params = not roles & {Role.PARAMS, Role.PAIRS, Role.MODEL}
    needs_grads = not roles & {Role.GRADS, Role.PAIRS}
    choices: list[dict[int, Role]] = [{}]
    if needs_params and needs_grads and len(open_places) >= 2:
        first, second = open_places[:2]
        choices = [{first: Role.PARAMS, second: Role.GRADS}, {first: Role.GRADS, second: Role.PARAMS}]
    elif needs_params and needs_grads and open_places:
        choices = [{open_places[0]: role} for role in (Role.PARAMS, Role.GRADS, Role.PAIRS)]
    elif needs_params != needs_grads and open_places:
        choices = [{open_places[0]: Role.PARAMS if needs_params else Role.GRADS}]
        if Role.MODEL in roles:  # 勾配は、層が自分で持っていて、残るのは状態かもしれない
            choices = [{}, *choices]
    return [Arguments(_with_states(listed, choice), arguments.anything) for choice in choices]


def _known(listed: tuple[Argument, ...], held: set[Role]) -> tuple[Argument, ...]:
    """2 つ目の重みや勾配、相手のないバイアスは、名前から分かったことにしない。"""
    if twins := _two_and_their_gradients(listed):
        return twins
    listed = tuple(replace(a, role=Role.OTHER) if _is_state_by_name(a, listed) else a for a in listed)
    roles = {argument.role for argument in listed} | held
    if Role.PARAMS in roles and roles.isdisjoint((Role.GRADS, Role.PAIRS)):  # update(x, delta)
        listed = tuple(replace(a, role=Role.GRADS) if a.required and normal(a.name) == "delta" else a for a in listed)
    paired = {Role.BIAS, Role.BIAS_GRAD} <= roles or {Role.MODEL, Role.GRADS, Role.BIAS_GRAD} <= roles
    alone = set() if paired else {Role.BIAS, Role.BIAS_GRAD}
    if {Role.PARAMS, Role.GRADS} <= roles:
        alone |= {Role.MODEL}
    seen: set[Role] = set()
    found = []
    for argument in listed:
        again = argument.role in seen and argument.role in (Role.PARAMS, Role.GRADS)
        seen.add(argument.role)
        found.append(replace(argument, role=Role.OTHER) if again or argument.role in alone else argument)
    return tuple(found)


def _is_state_by_name(argument: Argument, listed: tuple[Argument, ...]) -> bool:
    """値の名前でも、既定値がなく、その値にはほかの名前があるなら、状態である(``delta`` と ``eps``、``momentum`` と ``beta``)。"""
    others = {normal(a.name) for a in listed if a is not argument and a.role is Role.VALUE}
    values = {"delta": {"eps", "epsilon"}, "momentum": {"beta", "mu", "beta1", "gamma"}, "velocity": {"momentum"}}
    return argument.required and bool(values.get(normal(argument.name), set()) & others)


def _two_and_their_gradients(listed: tuple[Argument, ...]) -> tuple[Argument, ...]:
    """``f(gamma, beta, dgamma, dbeta)`` のように、2 つの重みと、それに d のついた名前の勾配。"""
    names = [normal(argument.name) for argument in listed if argument.required]
    pairs = [name for name in names if f"d{name}" in names or f"grad{name}" in names]
    if len(pairs) != 2 or "w" in pairs:
        return ()
    first, second = pairs
    roles = {first: Role.PARAMS, second: Role.BIAS}
    roles |= {f"{d}{name}": role for d in ("d", "grad") for name, role in ((first, Role.GRADS), (second, Role.BIAS_GRAD))}
    return tuple(replace(a, role=roles.get(normal(a.name), a.role)) for a in listed)


def _with_states(listed: tuple[Argument, ...], choice: dict[int, Role]) -> tuple[Argument, ...]:
    found = []
    for i, argument in enumerate(listed):
        role = choice.get(i, argument.role)
        left = role in (Role.OTHER, Role.SHAPE)
        plain, default = normal(argument.name), argument.default
        from_zero = type(default) in (int, float) and default == 0 and plain not in _SWITCHES
        named = plain in _KEPT or not _KEPT.isdisjoint(argument.name.lower().split("_"))
        kept = default is None and (named or argument.started)  # None なら自分で作るものは、状態
        if left and (argument.required or from_zero or kept):
            role = Role.STATE
        found.append(replace(argument, role=role))
    return tuple(found)
