"""読者の Batch Normalization を、印刷された式と突き合わせる: 順伝播、逆伝播、推論。"""

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from fumoto.checking.book import book, mistakes_in
from fumoto.checking.reader import ReaderError, call, refused_signature, within_time_limit
from fumoto.checking.report import Finding, Report
from fumoto.equations import Equation, Equations, parse
from fumoto.hints import Array, Hyperparameters, Shape
from fumoto.validation import fraction, positive
from fumoto.variants import Variant

_FORWARD = ("eq-batchnorm-mean", "eq-batchnorm-var", "eq-batchnorm-normalize", "eq-batchnorm-scale")
_RUNNING = ("eq-batchnorm-running-mean", "eq-batchnorm-running-var")
_STAGES = {  # 比べる順: 何を → どの式の間違いを疑うか
    "学習中の出力": _FORWARD,
    "γ の勾配": ("eq-batchnorm-dgamma",),
    "β の勾配": ("eq-batchnorm-dbeta",),
    "入力の勾配": ("eq-batchnorm-dx",),
    "推論の出力": _RUNNING,
}
_LAST = "推論の出力"
_OFTEN = {  # 式の木の 1 か所の変更では作れない、よくある書き間違い
    "eq-batchnorm-scale": (
        ("nothing", "γ と β が抜けている", r"y_i = \hat{x}_i"),
        ("bracket", "β にも γ が掛かっている", r"y_i = \gamma (\hat{x}_i + \beta)"),
    ),
    "eq-batchnorm-dgamma": (
        ("mean", "和ではなく平均をとっている", r"g_{\gamma} = \frac{1}{N} \sum_{i=1}^{N} d_i \hat{x}_i"),
    ),
    "eq-batchnorm-dbeta": (
        ("mean", "和ではなく平均をとっている", r"g_{\beta} = \frac{1}{N} \sum_{i=1}^{N} d_i"),
    ),
    "eq-batchnorm-dx": (
        (
            "constants",
            "平均と標準偏差を定数とみなしている",
            r"g_i = \frac{\gamma}{\sqrt{\sigma_B^2 + \varepsilon}} d_i",
        ),
    ),
}
_BIASED = r"s_{t+1} = \rho s_t + (1 - \rho) \sigma_B^2"  # 『ゼロから作る Deep Learning』の書き方


@dataclass(frozen=True)
class _Batch:
    x: Array
    dout: Array


Problem = tuple[Array, Array, list[_Batch], Array]  # γ、β、学習のミニバッチ、推論の入力
Found = dict[str, list[Array]]  # 比べる段階 → 値


def _problem(samples: int, columns: int, seed: int) -> Problem:
    """学習の 3 つのミニバッチと、推論の入力。列ごとに尺度が違い、小さな分散の列と一定の列がある。"""
    rng = np.random.default_rng(seed)
    scale = 10.0 ** np.linspace(1, -2.5, columns)
    scale[-1] = 0.0
    center = rng.normal(size=columns)
    batches = [
        _Batch(center + scale * rng.normal(size=(samples, columns)), rng.normal(size=(samples, columns)))
        for _ in range(3)
    ]
    gamma, beta = rng.uniform(0.5, 2.0, columns), rng.normal(size=columns)
    return gamma, beta, batches, center + rng.normal(size=(5, columns))


PROBLEMS = (_problem(6, 4, 0), _problem(5, 5, 1), _problem(2, 3, 2))  # 2 つ目は標本と列の数が同じ


def check_batchnorm(make: Callable[..., Any], *, decay_rate: float = 0.9, eps: float = 1e-5) -> Report:
    """``make(gamma, beta, decay_rate=…, eps=…)`` で作った Batch Normalization が、式のとおりに動くかを調べる。

    作られたものは、``forward(x, training)`` と ``backward(dout)``、``grads["gamma"]``, ``grads["beta"]``
    (または ``dgamma``, ``dbeta``)を持つこと。学習中の出力、勾配、推論の出力の順に比べ、はじめて違ったところの間違いを言う。
    移動平均の分散は、不偏分散から作っても(この本)、N で割った分散から作っても、1 から始めても(この本)、0 から始めても
    一致とする。推論は 2 度続けて行い、移動平均が変わらないことも確かめる。

    >>> from fumoto.batchnorm import BatchNorm
    >>> print(check_batchnorm(BatchNorm))
    一致: 学習中の出力、γ の勾配、β の勾配、入力の勾配、推論の出力が式のとおりです。
    (形 6×4、5×5、2×3 のミニバッチを 3 つずつと、推論 2 回を、この引数で確かめました)
    """
    equations = book()
    hyperparameters = {"decay_rate": fraction("decay_rate", decay_rate), "eps": positive("eps", eps)}
    try:
        followed = [within_time_limit(_follow, make, hyperparameters, problem) for problem in PROBLEMS]
    except ReaderError as error:
        return Report(False, f"BatchNorm を確かめられませんでした。{error}", variant=error.variant)
    shapes = "、".join(f"{len(batches[0].x)}×{len(gamma)}" for gamma, _, batches, _ in PROBLEMS)
    ran = f"(形 {shapes} のミニバッチを 3 つずつと、推論 2 回を、この引数で確かめました)"
    yours, expected = [found for found, _ in followed], list(_printed(equations, hyperparameters))
    for stage in _STAGES:
        if stage != _LAST and not _same(stage, yours, expected):
            return _diagnose(stage, yours, equations, hyperparameters, ran)
    report = _inference(yours, expected, equations, hyperparameters, ran)
    if any(moved for _, moved in followed) and report.variant != "inference/batch-statistics":
        verdict = "既知の間違い: 推論を 2 度続けると、出力か移動平均が変わります(推論では、移動平均を使うだけで変えません)。"
        return Report(False, verdict, notes=(ran,), variant="inference/updates")
    return report


def _inference(
    yours: list[Found],
    expected: Iterable[Found],
    equations: Equations,
    hyperparameters: Hyperparameters,
    ran: str,
) -> Report:
    """学習中の値は式のとおりだった。残る推論の出力を、ほかの書き方も許して比べる。"""
    if _same(_LAST, yours, expected):
        notes = _indistinguishable(yours, equations, hyperparameters)
        return Report(True, f"一致: {'、'.join(_STAGES)}が式のとおりです。", notes=(*notes, ran))
    for convention, (what, other, options) in _conventions(equations).items():
        if _same(_LAST, yours, _printed(other, hyperparameters, **options)):
            notes = _indistinguishable(yours, other, hyperparameters, **options)
            return Report(True, f"一致: {what}。", notes=(*notes, ran), variant=convention)
    return _diagnose(_LAST, yours, equations, hyperparameters, ran)


def _indistinguishable(
    yours: list[Found], equations: Equations, hyperparameters: Hyperparameters, **options: Any
) -> list[str]:
    """この減衰率では正しいものと見分けられない間違い(ρ = 0.5 で意味が逆、など)があれば、そう言う。"""
    rho = hyperparameters["decay_rate"]
    if min(rho, abs(rho - 0.5)) > 1e-3:  # ρ が 0 でなく、1 - ρ とも違えば、どの間違いも見分けられる
        return []
    blind = [
        explanation
        for where, explanation, wrong in _STRUCTURE.values()
        if where == _LAST and _same(_LAST, yours, wrong(equations, hyperparameters, **options))
    ]
    for label in _RUNNING:
        for v in mistakes_in(label):
            if _reproduces(_LAST, yours, _with(equations, v.equation), hyperparameters, **options):
                blind.append(f"{label} の{v.kind}({v.equation.latex})")
    if not blind:
        return []
    return [
        f"この引数では、正しいものと見分けられない間違いがあります: {'、'.join(blind[:3])}。"
        "引数を変えて、もう一度確かめてください。"
    ]


def _diagnose(
    stage: str, yours: list[Found], equations: Equations, hyperparameters: Hyperparameters, ran: str
) -> Report:
    for identifier, (where, explanation, wrong) in _STRUCTURE.items():
        possible = [(equations, {}), *((e, options) for _, e, options in _conventions(equations).values())]
        if where == stage and any(_same(stage, yours, wrong(e, hyperparameters, **o)) for e, o in possible):
            return Report(False, f"既知の間違い: {explanation}。", notes=(ran,), variant=identifier)
    for label in _STAGES[stage]:
        for mistake in _mistakes_in(label):
            if _reproduces(stage, yours, _with(equations, mistake.equation), hyperparameters):
                finding = Finding(mistake.kind, equations[label], mistake.equation)
                verdict = f"既知の間違い: {mistake.kind}({finding.printed.page} の {label})。"
                return Report(False, verdict, (finding,), (ran,), label, mistake.id)
    return Report(False, f"不一致: {stage}が違います。原因は分かりませんでした。", notes=(ran,))


def _conventions(equations: Equations) -> dict[str, tuple[str, Equations, dict[str, float]]]:
    """推論の移動平均の、ほかの書き方: 名前 → (説明, 式, 出発点)。"""
    biased = _with(equations, _biased())
    return {
        "biased-running-var": ("移動平均の分散を、N で割った分散から作る書き方です", biased, {}),
        "zero-start": ("分散の移動平均を 0 から始める書き方です", equations, {"start_var": 0.0}),
        "biased-zero-start": (
            "分散の移動平均を 0 から始め、N で割った分散から作る書き方です",
            biased,
            {"start_var": 0.0},
        ),
    }


def _reproduces(
    stage: str, yours: list[Found], equations: Equations, hyperparameters: Hyperparameters, **options: Any
) -> bool:
    try:
        return _same(stage, yours, _printed(equations, hyperparameters, **options))
    except (KeyError, ValueError):  # 形が合わないか、まだ計算していない値を使う間違い
        return False


@cache
def _mistakes_in(label: str) -> list[Variant]:
    often = [
        Variant(f"{label}/{slug}", kind, _like(label, latex)) for slug, kind, latex in _OFTEN.get(label, ())
    ]
    return [*mistakes_in(label), *often]


def _like(label: str, latex: str) -> Equation:
    """``label`` の式と同じ記号の宣言で ``latex`` を読む。"""
    printed = book()[label]
    return parse(latex, printed.domain, label=label, page=printed.page, line=printed.line)


def _biased() -> Equation:
    return _like("eq-batchnorm-running-var", _BIASED)


def _with(equations: Equations, *others: Equation) -> dict[str, Equation]:
    return {**equations, **{other.label: other for other in others}}


# --- 読者のものを走らせる ---------------------------------------------------------------------------------


def _follow(
    make: Callable[..., Any], hyperparameters: Hyperparameters, problem: Problem
) -> tuple[Found, bool]:
    """読者の値(段階 → 配列の並び)と、推論で何かが変わったか。"""
    gamma, beta, batches, x_test = problem
    if signature := refused_signature(make, gamma, beta, **hyperparameters):
        raise ReaderError(_how_to_adapt(make, signature))
    layer = call("作る", lambda: make(gamma.copy(), beta.copy(), **hyperparameters))
    found: Found = {stage: [] for stage in _STAGES}
    for batch in batches:
        x, dout = batch.x.copy(), batch.dout.copy()
        y = _array("forward の出力", _forward(layer, x, True), x.shape)
        _refuse_writing("forward", "x", x, batch.x)
        dx = call("backward(dout)", lambda d: layer.backward(d), dout)
        _refuse_writing("backward", "x", x, batch.x)
        _refuse_writing("backward", "dout", dout, batch.dout)
        found["学習中の出力"].append(y)
        found["入力の勾配"].append(_array("backward の出力", dx, batch.x.shape))
        for name, letter in (("gamma", "γ"), ("beta", "β")):
            found[f"{letter} の勾配"].append(_array(f"{letter} の勾配", _gradient(layer, name), gamma.shape))
    averages, outputs = _averages(layer), []
    for _ in range(2):
        x = x_test.copy()
        outputs.append(_array("推論の出力", _forward(layer, x, False), x.shape))
        _refuse_writing("forward", "x", x, x_test)
    found["推論の出力"].append(outputs[0])
    return found, not _equal([*averages, outputs[0]], [*_averages(layer), outputs[1]])


def _forward(layer: Any, x: Array, training: bool) -> Any:
    forward = call(f"forward(x, {training})", lambda: layer.forward)
    if signature := refused_signature(forward, x, training):
        text = f"forward(x, {training}) の形で呼べません(あなたの引数: {signature})。"
        if len(signature.parameters) > 1:
            flag = list(signature.parameters)[1]
            text += f"継承して、def forward(self, x, training): return super().forward(x, {flag}=training) を足してください。"
        raise ReaderError(text)
    return call(f"forward(x, {training})", lambda: forward(x, training))


_SAME_MEANING = {  # 読者の引数の名前 → この本の名前
    **dict.fromkeys(("momentum", "rho", "decay", "alpha"), "decay_rate"),
    **dict.fromkeys(("epsilon", "varepsilon"), "eps"),
}


def _how_to_adapt(make: Callable[..., Any], signature: inspect.Signature) -> str:
    """``make`` の引数の名前や並びが違う。この本の名前で呼べるようにする lambda を、具体的に書いて見せる。"""
    name = getattr(make, "__name__", "")
    name = name if name.isidentifier() else "MyBatchNorm"
    ours = ("gamma", "beta", "decay_rate", "eps")
    pairs = [(their, _SAME_MEANING.get(their, their)) for their in signature.parameters]
    for position in (0, 1):  # γ と β は、名前が違っても、はじめの 2 つだろう
        if position < len(pairs) and ours[position] not in [our for _, our in pairs]:
            pairs[position] = (pairs[position][0], ours[position])
    arguments = ", ".join(f"{their}={our}" for their, our in pairs if our in ours)
    text = (
        f"make(gamma, beta, decay_rate=…, eps=…) の形で呼べません(あなたの引数: {signature})。"
        f"次の形で渡してください: lambda gamma, beta, decay_rate, eps: {name}({arguments or '…'})。"
    )
    if "eps" not in [our for _, our in pairs]:
        text += "ε を引数で変えられないなら、その値を check_batchnorm の eps に渡してください。"
    return text


def _refuse_writing(method: str, name: str, array: Array, original: Array) -> None:
    if not np.array_equal(array, original):
        raise ReaderError(
            f"{method} が {name} を書き換えました。{name} は読むだけにしてください。",
            f"{method}/{name}-mutated",
        )


def _averages(layer: object) -> list[Array]:
    """見えるところにあれば、移動平均の写し。"""
    names = ("running_mean", "running_var")
    return [np.array(value) for name in names if (value := getattr(layer, name, None)) is not None]


def _equal(first: list[Array], second: list[Array]) -> bool:
    return len(first) == len(second) and all(
        np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(first, second, strict=True)
    )


def _gradient(layer: object, name: str) -> Any:
    grads = getattr(layer, "grads", {})
    value = grads.get(name) if isinstance(grads, dict) else None
    value = getattr(layer, f"d{name}", None) if value is None else value
    if value is None:
        raise ReaderError(f'backward のあとに grads["{name}"] も d{name} もありません。')
    return value


def _array(what: str, value: object, shape: Shape) -> Array:
    array = call(what, lambda: np.array(value))  # 読者が同じ配列を使い回しても、いまの値を残す
    if array.dtype.kind != "f":
        raise ReaderError(f"{what}が実数の配列ではありません(dtype={array.dtype})。")
    if array.shape != shape:
        axis = "足す軸が違いませんか。" if "勾配" in what and array.ndim == 1 else ""
        raise ReaderError(
            f"{what}の形が {array.shape} です({shape} のはずです)。{axis}", "axis" if axis else None
        )
    return array


# --- 式のとおりに動かす -----------------------------------------------------------------------------------


def _printed(equations: Equations, hyperparameters: Hyperparameters, **options: Any) -> Iterator[Found]:
    """問題ごとの値を順に。違いが見つかれば、残りの問題は計算しなくてよい。"""
    for problem in PROBLEMS:
        with np.errstate(all="ignore"):
            found = _run(equations, hyperparameters, problem, **options)
        yield found


def _run(
    equations: Equations,
    hyperparameters: Hyperparameters,
    problem: Problem,
    batch_at_inference: bool = False,
    start_var: float = 1.0,
) -> Found:
    gamma, beta, batches, x_test = problem
    known: dict[str, Any] = {
        "gamma": gamma,
        "beta": beta,
        "rho": hyperparameters["decay_rate"],
        "varepsilon": hyperparameters["eps"],
        "mu_t": np.zeros_like(gamma),
        "s_t": np.full_like(gamma, start_var),
    }
    found: Found = {stage: [] for stage in _STAGES}

    def compute(*labels: str) -> Array:
        for label in labels:
            equation = equations[label]
            known[equation.name] = equation.evaluate(**{s: known[s] for s in equation.symbols})
            if equation.name == "sigma_B_squared":
                known["sigma_B"] = np.sqrt(known["sigma_B_squared"])
        return known[equation.name]

    for batch in batches:
        known |= {"x": batch.x, "d": batch.dout, "N": len(batch.x)}
        found["学習中の出力"].append(compute(*_FORWARD))
        found["γ の勾配"].append(compute("eq-batchnorm-dgamma"))
        found["β の勾配"].append(compute("eq-batchnorm-dbeta"))
        found["入力の勾配"].append(compute("eq-batchnorm-dx"))
        compute(*_RUNNING)
        known |= {"mu_t": known["mu_next"], "s_t": known["s_next"]}
    known |= {"x": x_test, "N": len(x_test), "mu_B": known["mu_t"], "sigma_B": np.sqrt(known["s_t"])}
    if batch_at_inference:
        compute(*_FORWARD[:2])
    found["推論の出力"].append(compute(*_FORWARD[2:]))
    return found


def _same(stage: str, yours: list[Found], expected: Iterable[Found]) -> bool:
    """どの問題でも、``stage`` の値が同じか。float32 で計算する実装は、その精度で比べる。"""
    for mine, printed in zip(yours, expected, strict=True):
        single = any(array.dtype == np.float32 for arrays in mine.values() for array in arrays)
        tolerance = {"rtol": 1e-3, "atol": 1e-3} if single else {"rtol": 1e-6, "atol": 1e-8}
        for a, b in zip(mine[stage], printed[stage], strict=True):
            if a.shape != b.shape or not np.allclose(a, b, equal_nan=True, **tolerance):
                return False
    return True


def _normalized_across_columns(
    equations: Equations, hyperparameters: Hyperparameters, **options: Any
) -> list[Found]:
    """標本ごとに、列の向きに平均と分散をとったもの。"""
    results = []
    for gamma, beta, batches, _ in PROBLEMS:
        outputs = []
        for batch in batches:
            x = batch.x
            mean, var = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
            outputs.append(gamma * (x - mean) / np.sqrt(var + hyperparameters["eps"]) + beta)
        results.append({"学習中の出力": outputs})
    return results


_STRUCTURE: dict[str, tuple[str, str, Callable[..., Iterable[Found]]]] = {
    "forward/axis": (
        "学習中の出力",
        "標本の向きではなく、列の向きに平均と分散をとっています(Layer Normalization の計算です)",
        _normalized_across_columns,
    ),
    "running/reversed": (
        "推論の出力",
        "減衰率の意味が逆です(ρ を掛けるのは、これまでの平均の方です)",
        lambda equations, h, **o: _printed(equations, {**h, "decay_rate": 1 - h["decay_rate"]}, **o),
    ),
    "running/last-batch": (
        "推論の出力",
        "移動平均をとらず、最後のミニバッチの平均と分散を推論に使っています",
        lambda equations, h, **o: _printed(equations, {**h, "decay_rate": 0.0}, **o),
    ),
    "inference/batch-statistics": (
        "推論の出力",
        "推論でも、移動平均ではなくそのミニバッチの平均と分散を使っています",
        lambda equations, h, **o: _printed(equations, h, batch_at_inference=True, **o),
    ),
}
