"""読者の重みの初期値を、印刷された式の標準偏差と突き合わせる。"""

from collections.abc import Callable
from itertools import product

import numpy as np

from fumoto.checking.book import book, mistakes_in
from fumoto.checking.reader import ReaderError, call, within_time_limit
from fumoto.checking.report import Finding, Report
from fumoto.equations import Equation, parse
from fumoto.hints import Array, Initializer, Rng

LABELS = {"xavier": "eq-xavier-std", "glorot": "eq-glorot-std", "he": "eq-he-std"}
SHAPES = ((50, 400), (400, 50), (784, 100))
SEED = 0
SIGMAS = 5  # 標準偏差の推定が、まぐれでこれだけ外れることはない

_NORMAL, _UNIFORM = 3.0, 1.8  # 尖度(平均からのずれの 4 乗の平均 ÷ 分散の 2 乗)
_KURTOSIS_ERROR = 0.2  # 正規乱数 20000 個から測った尖度の標準誤差は 0.035
_OTHER_DISTRIBUTION = "要素の分布は、正規分布でも一様分布でもないようです(平均と標準偏差だけを比べました)。"

_WRONG_N = {
    "n-out": ("次の層のノード数", lambda n_in, n_out: n_out),
    "n-elements": ("行列の要素の数 n_in × n_out ", lambda n_in, n_out: n_in * n_out),
}
_OFTEN = {  # 式の木の 1 か所の変更では作れない、よくある書き間違い
    "he": ((r"\sigma = \frac{2}{\sqrt{n}}", "根号が 2 にかかっていない"),),
    "xavier": (),
    "glorot": (),
}


def check_initializer(make: Initializer, name: str) -> Report:
    """``make(rng, n_in, n_out)`` の作る重みが、``name`` の式の標準偏差を持つかを調べる。

    ``make``: 形 ``(n_in, n_out)`` の配列を返す関数。``rng`` は ``numpy.random.Generator``。
    ``name``: ``"xavier"``(``eq-xavier-std``), ``"glorot"``(``eq-glorot-std``), ``"he"``(``eq-he-std``)。ほかは ``ValueError``。
    大きさの違う 3 つの行列を作り、要素の平均と標準偏差を、要素の数から決まる誤差の範囲で比べる。すべて 0 の列や、
    同じ列・行の繰り返しも見つける。

    >>> def my_he(rng, n_in, n_out):
    ...     return rng.normal(0.0, 2 / n_in, (n_in, n_out))
    >>> report = check_initializer(my_he, "he")
    >>> report.ok, report.equation, report.variant
    (False, 'eq-he-std', 'eq-he-std/root-1')
    """
    if not isinstance(name, str) or name not in LABELS:
        raise ValueError(f"name は {sorted(LABELS)} のどれかです(渡された値: {name!r})")
    printed = book()[LABELS[name]]
    try:
        weights = within_time_limit(_weights, make)
    except ReaderError as error:
        return Report(False, f"{name} の初期値を確かめられませんでした。{error}", variant=error.variant)
    sizes = "、".join(f"{n_in}×{n_out}" for n_in, n_out in SHAPES)
    ran = f"({sizes} の行列の要素の平均と標準偏差を、標準誤差の {SIGMAS} 倍までで比べました)"
    for W in weights:
        if degenerate := _degenerate(W):
            variant, text = degenerate
            return Report(False, f"不一致: {text}。", notes=(ran,), equation=printed.label, variant=variant)
        if abs(W.mean()) > SIGMAS * W.std() / np.sqrt(W.size):
            text = (
                f"不一致: 平均が 0 ではありません({W.shape} で平均 {W.mean():.3g}、標準偏差 {W.std():.3g})。"
            )
            return Report(False, text, notes=(ran,), equation=printed.label, variant="mean")
    if _agrees(printed, weights):
        kurtoses = np.array([_kurtosis(W) for W in weights])
        if np.all(abs(kurtoses - _UNIFORM) < _KURTOSIS_ERROR):
            text = "一致: 一様乱数で、標準偏差が式と同じ書き方です。"
            return Report(True, text, notes=(ran,), variant="uniform")
        normal = np.all(abs(kurtoses - _NORMAL) < _KURTOSIS_ERROR)
        notes = (ran,) if normal else (_OTHER_DISTRIBUTION, ran)
        return Report(True, "一致: 要素の標準偏差は式のとおりです。", notes=notes)
    return _diagnose(printed, name, weights, ran)


def _diagnose(printed: Equation, name: str, weights: list[Array], ran: str) -> Report:
    others = [(v.id, v.kind, v.equation) for v in mistakes_in(printed.label)]
    for number, (latex, kind) in enumerate(_OFTEN[name], start=1):
        others.append(
            (f"{printed.label}/often-{number}", kind, parse(latex, "n in 1..1000", label=printed.label))
        )
    another = _another_initial_value(name, weights)
    for identifier, kind, other in others:
        if _agrees(other, weights):
            finding = Finding(kind, printed, other)
            verdict = f"既知の間違い: {kind}({printed.page} の {printed.label})。"
            notes = (f"{another}です。", ran) if another else (ran,)
            return Report(False, verdict, (finding,), notes, printed.label, identifier)
    if another:
        verdict, identifier = f"既知の間違い: {another}です。", f"{printed.label}/another"
        return Report(False, verdict, (), (ran,), printed.label, identifier)
    for (identifier, kind, other), (slug, (what, n)) in product(
        [(printed.label, "", printed), *others], _WRONG_N.items()
    ):
        if _agrees(other, weights, n):
            also = f"。さらに{kind}: {other.latex}" if kind else ""
            verdict = f"既知の間違い: n に、前の層のノード数ではなく{what}を使っています{also}。"
            return Report(False, verdict, (), (ran,), printed.label, f"{identifier}/{slug}")
    if _agrees(printed, weights, scale=1 / np.sqrt(3)):
        verdict = "既知の間違い: 一様乱数の端が ±σ です。標準偏差を σ にするには、端を ±√3 σ にします。"
        return Report(False, verdict, (), (ran,), printed.label, f"{printed.label}/uniform-width")
    table = "\n".join(
        f"{n_in}×{n_out}: あなたの標準偏差 {W.std():.4g}、式の値 {_expected(printed, n_in, n_out):.4g}"
        for (n_in, n_out), W in zip(SHAPES, weights, strict=True)
    )
    return Report(False, "不一致: 原因は分かりませんでした。", (), (table, ran), printed.label)


def _another_initial_value(name: str, weights: list[Array]) -> str | None:
    """本のほかの初期値と同じ標準偏差なら、その名前。"""
    for other, label in LABELS.items():
        if other != name and _agrees(book()[label], weights):
            return f"{name} ではなく {other} の初期値({book()[label].page} の {label})の標準偏差"
    return None


def _degenerate(W: Array) -> tuple[str, str] | None:
    """乱数で作った行列にはない形なら (名前, 説明)、そうでなければ None。"""
    if not W.any():
        return "zeros", "重みがすべて 0 です。どのノードも同じ値のまま変わらず、学習できません"
    if not W.any(axis=0).all():
        return "zero-column", f"{W.shape} の行列に、すべて 0 の列があります。その列のノードには何も届きません"
    for lines, slug, what in ((W.T, "repeated-column", "列"), (W, "repeated-row", "行")):
        if len({line.tobytes() for line in lines}) < len(lines):
            text = f"{W.shape} の行列に、同じ{what}が 2 つ以上あります。要素ごとに別の乱数を引いてください"
            return slug, text
    return None


def _expected(equation: Equation, n_in: int, n_out: int, n: Callable[[int, int], int] | None = None) -> float:
    values = {"n": n_in if n is None else n(n_in, n_out), "m": n_out}
    with np.errstate(all="ignore"):
        return equation.evaluate(**{name: values[name] for name in equation.symbols}).item()


def _agrees(
    equation: Equation, weights: list[Array], n: Callable[[int, int], int] | None = None, scale: float = 1.0
) -> bool:
    """どの行列の標準偏差も、式の値と誤差の範囲で同じか。"""
    for (n_in, n_out), W in zip(SHAPES, weights, strict=True):
        expected = scale * _expected(equation, n_in, n_out, n)
        if not abs(W.std() - expected) <= SIGMAS * expected / np.sqrt(2 * W.size):
            return False
    return True


def _kurtosis(W: Array) -> float:
    squares = np.square(W - W.mean())
    return np.mean(np.square(squares)) / np.mean(squares) ** 2


def _weights(make: Initializer) -> list[Array]:
    """形と乱数の使い方を確かめながら、``SHAPES`` の重みを 1 つずつ作る。"""
    weights = []
    for shape in SHAPES:
        rng, again = np.random.default_rng(SEED), np.random.default_rng(SEED)
        W, second, repeated = (_draw(make, source, shape) for source in (rng, rng, again))
        if not np.array_equal(W, repeated):
            raise ReaderError(
                "同じ種の rng を渡しても、同じ値になりません。渡された rng を使っていますか。", "rng"
            )
        if np.array_equal(W, second) and W.std() > 0:
            raise ReaderError("続けて 2 度作ると、同じ値になります。種を固定していませんか。", "seed")
        weights.append(W)
    return weights


def _draw(make: Initializer, rng: Rng, shape: tuple[int, int]) -> Array:
    value = call(f"make(rng, {shape[0]}, {shape[1]})", lambda: make(rng, *shape))
    W = call("make の返した値", lambda: np.array(value))
    if W.dtype.kind != "f":
        raise ReaderError(
            f"実数の配列を返してください(返されたもの: {type(value).__name__}、dtype={W.dtype})。"
        )
    if W.shape == shape[::-1]:
        raise ReaderError(
            f"形が (n_out, n_in) です。この本の重みは (n_in, n_out) です(返された形: {W.shape})。"
        )
    if W.shape != shape:
        raise ReaderError(f"形が {shape} ではありません(返された形: {W.shape})。")
    if not np.all(np.isfinite(W)):
        raise ReaderError("重みに nan か inf があります。")
    return W.astype(np.float64)
