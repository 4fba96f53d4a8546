"""読者の、重みの初期値の関数を見つけ、重みを作らせる。"""

import numpy as np
from learner import as_array, own
from placing import parameters
from words import Complaint

from browser import self as worker

ORDERS = {  # 名前から役の分からない引数の数 → 渡すものの順
    1: ["shape"],
    2: ["n_in", "n_out"],
    3: ["rng", "n_in", "n_out"],
}
TURNED = "形が (n_out, n_in) です(PyTorch や deeplearning.ai の順)。この本の層の重みは (n_in, n_out) なので、渡すときは転置します。"


def draw(names, title, n_in, n_out):
    """作られた重みと、読者に伝えること。続けて 2 度と、同じ種でもう 1 度作らせて、乱数の使い方も調べる。"""
    function = _function(names, title)
    roles = _roles(function)
    rng, again = np.random.default_rng(0), np.random.default_rng(0)
    made, second, repeated = (
        _weights(function, roles, {"rng": source, "seed": seed, "n_in": n_in, "n_out": n_out, "shape": (n_in, n_out)})
        for source, seed in ((rng, 0), (rng, 1), (again, 0))
    )
    given = next((role for role in ("rng", "seed") if role in roles.values()), None)
    if given and not np.array_equal(made, repeated):
        raise Complaint(
            f"同じ種の {given} を渡しても、同じ値になりません。渡された {given} を使っていますか。", "rng"
        )
    if np.array_equal(made, second) and made.std() > 0:
        raise Complaint("続けて 2 度作ると、同じ値になります。種を固定していませんか。", "seed")
    if made.shape == (n_in, n_out):
        return made, []
    _refuse_the_other_order(roles, made)
    return made.T, [TURNED]


def _function(names, title):
    """確かめる関数。名前が違っても、関数が 1 つだけなら、それとみなす。"""
    functions = {name: value for name, value in own(names).items() if hasattr(value, "__code__")}
    if title in functions:
        return functions[title]
    if len(functions) == 1:
        return next(iter(functions.values()))
    found = "、".join(sorted(functions)) or "なし"
    raise Complaint(
        f"関数 {title} が見つかりません。def {title}(rng, n_in, n_out): と書いてください(いまある関数: {found})。"
    )


def _roles(function):
    """渡す引数 → 役。役の分からない引数が 1 つだけなら乱数の源、ほかは並びの順とみる。"""
    listed, required, _ = parameters(function)
    roles = {name: worker.roleOf(name) for name in listed}
    taken = {name: role for name, role in roles.items() if name in required or role in ("rng", "seed")}
    unknown = [name for name, role in taken.items() if not role]
    if len(unknown) == 1 and "rng" not in taken.values():
        taken[unknown[0]] = "rng"
    sizes = sorted(role for role in taken.values() if role not in ("rng", "seed"))
    if sizes in (["n_in", "n_out"], ["shape"]):
        return taken
    if len(required) in ORDERS:
        return dict(zip(required, ORDERS[len(required)]))
    raise Complaint(
        f"{function.__name__}(rng, n_in, n_out) の形で呼べません。引数を rng, n_in, n_out の 3 つにしてください。"
    )


def _weights(function, roles, values):
    if "rng" not in roles.values():  # np.random を使うのだろう
        np.random.seed(values["seed"])  # noqa: NPY002
    returned = function(**{name: values[role] for name, role in roles.items()})
    if returned is None:
        raise Complaint("関数が何も返しません(None)。終わりに return 重み と書いてください。")
    W, kind = as_array(returned), type(returned).__name__
    if isinstance(W, str):
        raise Complaint(f"重みの行列を 1 つだけ返してください(返されたもの: {kind})。")
    if W.dtype.kind != "f":
        raise Complaint(f"実数の配列を返してください(返されたもの: {kind}、dtype={W.dtype})。")
    if W.shape not in (values["shape"], values["shape"][::-1]):
        raise Complaint(f"形が {values['shape']} ではありません(返された形: {W.shape})。")
    if not np.isfinite(W).all():
        raise Complaint("重みに nan か inf があります。")
    return W.astype(np.float64)


def _refuse_the_other_order(roles, W):
    """この本の層に渡す形で書かれたのに、逆の形を返すもの。"""
    if "shape" in roles.values():
        raise Complaint(f"渡された形と逆の形です(渡した形: {W.shape[::-1]}、返された形: {W.shape})。")
    if list(roles) == ["rng", "n_in", "n_out"]:
        raise Complaint(
            f"形が (n_out, n_in) です。この本の重みは (n_in, n_out) です(返された形: {W.shape})。"
        )
