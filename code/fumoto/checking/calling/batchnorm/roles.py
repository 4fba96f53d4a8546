"""引数の役割を、名前から読み取る: 入力、γ と β、移動平均、学習中か推論か、ε や減衰率。"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any

from fumoto.checking.calling.safety import ReaderError, call
from fumoto.checking.calling.shapes.making import NOTHING, filled
from fumoto.checking.calling.shapes.roles import Argument, Arguments, arguments_of
from fumoto.checking.calling.values import NAMES, normal


class Role(Enum):
    """引数の役割。"""

    X = auto()  # 入力
    DOUT = auto()  # 出力に届く勾配
    CACHE = auto()  # 順伝播が残したもの
    GAMMA = auto()
    BETA = auto()
    PARAMS = auto()  # γ と β を入れた辞書
    CONFIG = auto()  # 設定と移動平均を入れた辞書
    MEAN = auto()  # 平均の移動平均
    VAR = auto()  # 分散の移動平均
    TRAINING = auto()  # 学習中なら True
    INFERENCE = auto()  # 推論なら True
    MODE = auto()  # "train" か "test"
    SIZE = auto()  # 列の数
    AXES = auto()  # 入力の次元(2 か 4)
    DECAY_RATE = auto()
    EPS = auto()
    LR = auto()  # 逆伝播の中で重みを更新する層の、学習率
    OTHER = auto()


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


#: 役割 → それを表す名前(``normal`` でそろえたもの)。はっきりしたものから順に。
NAMED: dict[Role, tuple[str, ...]] = {
    Role.X: _words("x inputs input inp z a h data batch xs inputdata inputtensor activations features feature u values 入力"),
    Role.DOUT: _words("dout dy douts gradoutput gradout outputgrad outgrad grad upstream upstreamgrad dz da dh d dl delta gradients accumgrad gy g 勾配"),
    Role.CACHE: _words("cache ctx context saved memory caches tape"),
    Role.GAMMA: _words("gamma weight scale g w gammas weights"),
    Role.BETA: _words("beta bias shift offset b betas biases"),
    Role.PARAMS: _words("params parameters param p theta paramdict"),
    Role.CONFIG: _words("bnparam bnparams bnconfig bnstate config cfg conf state states stats running runningstats options opts hparams bn buffers"),
    Role.MEAN: _words("runningmean movingmean runmean movmean avgmean meanavg emamean popmean rmean rm runningmu movingavgmean movingaveragemean meanrunning globalmean runningavg movingaverage meanema"),
    Role.VAR: _words("runningvar movingvar runvar movvar avgvar varavg emavar popvar rvar rv runningvariance movingvariance movingavgvar movingaveragevar varrunning globalvar runningsigma2 runningsigma movingaveragevariance varema"),
    Role.TRAINING: _words("training train trainflg istraining istrain trainflag trainmode trainingmode trainingflag 学習中"),
    Role.INFERENCE: _words("test istest testmode testing testflg inference isinference eval iseval evalmode evaluate userunning userunningstats userunningaverage useglobalstats usemoving 推論"),
    Role.MODE: _words("mode phase モード"),
    Role.SIZE: _words("numfeatures nfeatures features dim d dims numchannels channels nchannels c size n inputdim inputsize indim insize infeatures nin units nunits nodes nodenum width hidden hiddensize hiddendim numfeature nfeature featuredim featuresize shape inputshape m 列数"),
    Role.AXES: _words("numdims ndim ndims rank"),
    Role.DECAY_RATE: _words("momentum rho decay decayrate alpha mom decayfactor momentumrate movingdecay emadecay movingaveragedecay averagedecay"),
    Role.EPS: tuple(name for name in NAMES["eps"] if name not in ("offset", "delta")),
    Role.LR: _words("lr learningrate eta"),
}  # fmt: skip

MAKING = (Role.GAMMA, Role.BETA, Role.SIZE, Role.AXES, Role.DECAY_RATE, Role.EPS, Role.MEAN, Role.VAR)
FORWARD = (
    *(Role.X, Role.GAMMA, Role.BETA, Role.PARAMS, Role.CONFIG, Role.MEAN, Role.VAR, Role.TRAINING),
    *(Role.INFERENCE, Role.MODE, Role.DECAY_RATE, Role.EPS, Role.AXES),
)
BACKWARD = (Role.CACHE, Role.X, Role.GAMMA, Role.BETA, Role.PARAMS, Role.CONFIG, Role.DOUT, Role.EPS, Role.LR)
FLAGS = (Role.TRAINING, Role.INFERENCE, Role.MODE)


def role_of(name: str, wanted: tuple[Role, ...], default: Any = None) -> Role:
    """名前から読み取った役割。``wanted`` の中のどれでもなければ ``OTHER``。

    >>> [role_of(name, FORWARD).name for name in ("X", "moving_mean", "train_flg", "axis")]
    ['X', 'MEAN', 'TRAINING', 'OTHER']
    >>> role_of("mode", FORWARD, default=True).name, role_of("training", FORWARD, default="train").name
    ('TRAINING', 'MODE')
    """
    plain = normal(name)
    found = next((role for role in wanted if plain in NAMED[role]), Role.OTHER)
    if found in FLAGS and isinstance(default, str):
        return Role.MODE
    if found is Role.MODE and isinstance(default, bool):
        return Role.TRAINING
    return found


Taken = dict[str, tuple[Argument, Role]]  # 引数の名前 → 引数と、その役割


def taken_by(function: Any, wanted: tuple[Role, ...], first: Role | None = None) -> Taken:
    """``function`` の受け取るもの。``first``: 名前から分からないとき、はじめの、役割の決まらない引数の役割。"""
    found: Taken = {}
    for argument in arguments_of(function).listed:
        role = role_of(argument.name, wanted, argument.default)
        if role in [other for _, other in found.values()]:  # 同じ役割は、1 つだけ
            role = Role.OTHER
        found[argument.name] = (argument, role)
    if first is not None and first not in [role for _, role in found.values()]:
        name = next((name for name, (a, role) in found.items() if role is Role.OTHER and a.required), None)
        if name is not None:
            found[name] = (found[name][0], first)
    return found


def roles_in(taken: Taken) -> set[Role]:
    return {role for _, role in taken.values()}


def call_with(
    what: str, function: Callable[..., Any], taken: Taken, values: Mapping[Role, Callable[[Argument], Any]]
) -> Any:
    """``function`` を、役割 → 渡すもの(引数から決める関数)の ``values`` を渡して呼ぶ。渡すものの分からない引数があれば ``ReaderError``。"""
    unknown = [name for name, (a, role) in taken.items() if a.required and role not in values]
    if unknown:
        raise ReaderError(f"{what} の引数 {'、'.join(unknown)} に、何を渡せばよいか分かりません。")
    roles = {name: role for name, (_, role) in taken.items()}
    positional, named = filled(
        Arguments(tuple(a for a, _ in taken.values()), False),
        lambda a: values[roles[a.name]](a) if roles[a.name] in values else NOTHING,
        {},
    )
    return call(what, lambda: function(*positional, **named))
