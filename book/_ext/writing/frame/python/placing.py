"""引数の呼び名: この本の名前(lr など)の値を、読者の __init__ のどの引数に渡すか。"""

from words import Complaint

from browser import self as worker

PAIRS = ("betas", "beta", "rhos", "momentums", "decays")  # 2 つの減衰率を並べて渡す引数


def arguments(cls, hyperparameters, synonyms):
    """渡す引数と、渡せなかった名前。手法の引数を 1 つずつ、はっきりした呼び名から順に探す。"""
    own, required, open_ended = parameters_of(cls)
    plain = {worker.plainName(name): name for name in own}
    given = {}
    pair = next((plain[name] for name in PAIRS if name in plain), None)
    if pair and {"beta1", "beta2"} <= set(hyperparameters) and not {"beta1", "beta2"} & set(plain):
        given[pair] = (hyperparameters["beta1"], hyperparameters["beta2"])
    placed = {"beta1", "beta2"} if given else set()
    for ours, value in hyperparameters.items():
        if ours in placed:
            continue
        called = (plain.get(name) for name in [worker.plainName(ours), *synonyms.get(ours, ())])
        free = next((name for name in called if name and name not in given), None)
        if free or open_ended:
            given[free or ours] = value
            placed.add(ours)
    missing = [name for name in required if name not in given]
    if missing:
        raise Complaint(
            f"{cls.__name__} の __init__ の引数 {'、'.join(missing)} に何を渡せばよいか分かりません。"
            f"この問題で渡すのは {'、'.join(hyperparameters)} です。"
        )
    return given, [name for name in hyperparameters if name not in placed]


def parameters_of(cls):
    """__init__ の (引数, 省けない引数, **kwargs があるか)。"""
    init = cls.__init__
    if hasattr(init, "__parameters__"):  # dataclass が作ったもの
        return init.__parameters__
    if init is object.__init__ or not hasattr(init, "__code__"):
        return [], [], False
    return parameters(init, skipped=1)


def parameters(function, skipped=0):
    """関数の (引数, 省けない引数, **kwargs があるか)。``skipped``: 数えない、はじめの引数の数(self)。"""
    code = function.__code__
    count, only = code.co_argcount, code.co_kwonlyargcount
    own = list(code.co_varnames[skipped:count])
    required = own[: len(own) - len(function.__defaults__ or ())]
    keywords = list(code.co_varnames[count : count + only])
    required += [name for name in keywords if name not in (function.__kwdefaults__ or {})]
    return own + keywords, required, bool(code.co_flags & 8)
