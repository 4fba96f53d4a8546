"""間違いではない、ほかの書き方。読者のものがこれと同じなら、一致とし、その名前を言う。"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product

from fumoto.checking.candidates.candidate import Candidate, Handling
from fumoto.printed import METHODS, Method

_FOLDED = "補正を学習率にまとめた形(ε は補正前の √v に足す)"

#: 手法の名前 → {説明: 式の並び}。
OPTIMIZERS: dict[str, dict[str, Method]] = {
    "Adam": {
        _FOLDED: replace(
            METHODS["Adam"],
            labels=("eq-adam-lrt", "eq-adam-m", "eq-adam-v", "eq-adam-lrtw"),
            hyperparameters={**METHODS["Adam"].hyperparameters, "eps": "varepsilon_hat"},
        )
    },
    "Nesterov": {
        "更新前の速度で書いた形": replace(
            METHODS["Nesterov"], labels=("eq-nesterov-v", "eq-nesterov-expanded")
        )
    },
}


_EMA = "alpha * v_t - (1 - alpha) * eta * g_t"
_VELOCITY = {"Momentum": "eq-momentum-v"}
DAMPENED_RULE = "alpha * v_t - (1 - d) * eta * g_t"
_INSIDE = "w_t - eta * g_t / sqrt(h_next + varepsilon)"
_LARGER = "w_t - eta * g_t / max(sqrt(h_next), varepsilon)"
_RATE = "eta * sqrt(1 - beta_2**(t + 1)) / (1 - beta_1**(t + 1)) * m_next / (sqrt(v_next) + varepsilon)"

_SCALE = "sqrt(max(1, m / n))"
_SCALES = (  # 歩幅に掛けるもの
    ("", "", _SCALE),
    ("transposed", "PyTorch の Muon のように、行列をこの本の転置とみなす(歩幅の m/n が n/m になる)", "sqrt(max(1, n / m))"),
    ("unscaled", "歩幅に √max(1, m/n) を掛けない(Jordan のブログの擬似コード)", "1"),
    ("rms", "歩幅を 0.2 √max(n, m) 倍して、AdamW にそろえる(PyTorch の Muon の match_rms_adamw)", "0.2 * sqrt(max(n, m))"),
)  # fmt: skip
_SUMS: tuple[tuple[str, str, dict[str, str]], ...] = (("", "", {}), ("sum", "m を、平均でなく和にする(割り算で消える)", {"eq-muon-m": "alpha * m_t + g_t", "eq-muon-u": "alpha * m_next + g_t"}))  # fmt: skip
_LENGTHS: tuple[tuple[str, str, dict[str, str]], ...] = (("", "", {}), ("plus", "長さと ε の大きい方でなく、長さ + ε で割る", {"eq-muon-x": "u / (G + varepsilon)"}))  # fmt: skip


_AHEAD: tuple[tuple[str, str, dict[str, str]], ...] = (("", "", {}), ("not-ahead", "先読みをしない(PyTorch の nesterov=False)", {"eq-muon-u": "m_next"}))  # fmt: skip


_EXACT = "反復の代わりに、特異値分解で、特異値をちょうど 1 にする"


def _muon_forms() -> Iterator[Candidate]:
    """Muon の、公開されている書き方の組み合わせ。特異値分解のほかは、どれも、著者や PyTorch のコードにある。"""
    for ahead, scale in product(_AHEAD, _SCALES):  # 直交化すれば、m が平均でも和でも同じである
        parts = [part for part in (ahead, scale) if part[0]]
        words = "、".join(words for _, words, _ in (("", _EXACT, None), *parts))
        formulas = {**ahead[2], "eq-muon-w": f"(1 - eta * lam) * w_t - eta * {scale[2]} * orthogonal(u)"}
        identifier = f"convention/{'-'.join(['exact', *(slug for slug, _, _ in parts)])}"
        yield Candidate(identifier, f"{words}書き方です", None, tuple(formulas.items()), convention=True)
    for ahead, scale, total, length in product(_AHEAD, _SCALES, _SUMS, _LENGTHS):
        parts = [part for part in (ahead, scale, total, length) if part[0]]
        formulas = {**total[2], **length[2], **ahead[2]}
        if scale[0]:
            formulas["eq-muon-w"] = f"(1 - eta * lam) * w_t - eta * {scale[2]} * O_next"
        alike = bool(total[0]) and not length[0]  # 平均でも和でも、長さで割れば同じである
        if parts and not alike:
            words = "、".join(words for _, words, _ in parts)
            identifier = f"convention/{'-'.join(slug for slug, _, _ in parts)}"
            rewrites = ((_SCALE, scale[2]),) if scale[0] else ()
            yield Candidate(
                identifier, f"{words}書き方です", None, tuple(formulas.items()), convention=True, rewrites=rewrites
            )


#: 手法の名前 → (名前, 説明, {式のラベル: 右辺}, 状態の出発点) の並び。説明には、その書き方をするライブラリを書く。
_ROWS: dict[str, tuple[tuple[str, str, dict[str, str], dict[str, float]], ...]] = {
    "Momentum": (("ema", "速度を、勾配の指数移動平均にした書き方です(歩幅は、式の 1 - α 倍になります)", {"eq-momentum-v": _EMA}, {}),),
    "Nesterov": (
        ("ema", "速度を、勾配の指数移動平均にした書き方です(歩幅は、式の 1 - α 倍になります)", {"eq-nesterov-v": _EMA, "eq-nesterov-w": "w_t + alpha * v_next - (1 - alpha) * eta * g_t"}, {}),
    ),
    "AdaGrad": (
        ("inside", "ε を平方根の中に足す書き方です(D2L の本のコード)", {"eq-adagrad-w": _INSIDE}, {}),
        ("keras", "Keras 3 の Adagrad の書き方です(ε を平方根の中に足し、h を 0.1 から始めます)", {"eq-adagrad-w": _INSIDE}, {"h": 0.1}),
        ("inside-ones", "ε を平方根の中に足し、h を 1 から始める書き方です(Keras 3 の initial_accumulator_value=1)", {"eq-adagrad-w": _INSIDE}, {"h": 1.0}),
        ("tensorflow", "TensorFlow 1 の AdagradOptimizer の書き方です(ε がなく、h を 0.1 から始めます)", {"eq-adagrad-w": "w_t - eta * g_t / sqrt(h_next)"}, {"h": 0.1}),
        ("tensorflow-2", "TensorFlow 2 の Adagrad(ApplyAdagradV2)の書き方です(h を 0.1 から始めます)", {}, {"h": 0.1}),
        ("larger", "√h と ε の大きい方で割る書き方です", {"eq-adagrad-w": _LARGER}, {}),
    ),
    "RMSProp": (
        ("inside", "Keras 3 の RMSprop の書き方です(ε を平方根の中に足します)", {"eq-rmsprop-w": _INSIDE}, {}),
        ("tensorflow", "TensorFlow 1 の RMSPropOptimizer の書き方です(ε を平方根の中に足し、h を 1 から始めます)", {"eq-rmsprop-w": _INSIDE}, {"h": 1.0}),
        ("larger", "√h と ε の大きい方で割る書き方です", {"eq-rmsprop-w": _LARGER}, {}),
    ),
    "Adam": ((_FOLDED, _FOLDED, {"eq-adam-w": f"w_t - {_RATE}"}, {}),),
    "AdamW": (
        (_FOLDED, _FOLDED, {"eq-adamw-w": f"(1 - eta * lam) * w_t - {_RATE}"}, {}),
        ("hugging-face", "減衰を、更新したあとの重みに掛ける書き方です(Hugging Face の transformers 4 の AdamW)", {"eq-adamw-w": "(1 - eta * lam) * (w_t - eta * m_hat_next / (sqrt(v_hat_next) + varepsilon))"}, {}),
        ("hugging-face-folded", "補正を学習率にまとめ、減衰を、更新したあとの重みに掛ける書き方です(Hugging Face の transformers 4 の AdamW)", {"eq-adamw-w": f"(1 - eta * lam) * (w_t - {_RATE})"}, {}),
    ),
}  # fmt: skip


_SPARED = "行列でない重み(バイアスなど)には、重み減衰をかけない書き方です(nanoGPT のコード)"


def conventions(method: str) -> Iterator[Candidate]:
    """``method`` の、間違いではないほかの書き方。"""
    for slug, words, formulas, start in _ROWS.get(method, ()):
        handling = Handling(start=tuple(start.items()))
        identifier = f"convention/{slug}"
        yield Candidate(identifier, words, None, tuple(formulas.items()), handling, convention=True)
    if method in METHODS and "lambda" in METHODS[method].hyperparameters.values():
        spared = Handling(spared=("lambda", "lam"))
        yield Candidate("convention/spared", _SPARED, None, (), spared, convention=True)
        for slug, words, formulas, _ in _ROWS.get(method, ()):
            identifier, both = f"convention/spared-{slug}", f"{_SPARED}。{words}"
            yield Candidate(identifier, both, None, tuple(formulas.items()), spared, convention=True)
    if method == "Muon":
        yield from _muon_forms()
    if method in _VELOCITY:
        label = _VELOCITY[method]
        words = "PyTorch の SGD の dampening を momentum と同じ値にした書き方です(はじめのステップのほかは、勾配を 1 - α 倍して足します)"
        handling = Handling(first=((label, "-eta * g_t"),))
        yield Candidate(
            "convention/dampening-momentum", words, None, ((label, _EMA),), handling, convention=True
        )


DAMPENED = "PyTorch の SGD の dampening が {dampening} の書き方です(はじめのステップのほかは、勾配を {rest} 倍して足します)"


def dampened(method: str, dampening: float) -> Candidate | None:
    """勾配に ``1 - dampening`` を掛けて足し、はじめのステップだけは掛けない、PyTorch の SGD の書き方。"""
    if method not in _VELOCITY:
        return None
    label = _VELOCITY[method]
    words = DAMPENED.format(dampening=f"{dampening:.4g}", rest=f"{1 - dampening:.4g}")
    handling = Handling(first=((label, "-eta * g_t"),), values=(("d", dampening),))
    formulas = ((label, DAMPENED_RULE),)
    return Candidate("convention/dampening", words, None, formulas, handling, convention=True)


@dataclass(frozen=True)
class RunningAverage:
    """Batch Normalization の移動平均の、ほかの書き方。

    ``what``: 説明。``equations``: ラベル → ページの式の代わりに使う式。``options``: 式を動かすときの、ほかの設定。
    """

    what: str
    equations: dict[str, str] = field(default_factory=dict)
    options: dict[str, float] = field(default_factory=dict)


_BIASED = {"eq-batchnorm-running-var": r"s_{t+1} = \rho s_t + (1 - \rho) \sigma_B^2"}
_ZERO_START = {"start_var": 0.0}

#: 名前 → 書き方。3 つ目が『ゼロから作る Deep Learning』の書き方。
RUNNING_AVERAGES = {
    "biased-running-var": RunningAverage("移動平均の分散を、N で割った分散から作る書き方です", _BIASED),
    "zero-start": RunningAverage("分散の移動平均を 0 から始める書き方です", options=_ZERO_START),
    "biased-zero-start": RunningAverage(
        "分散の移動平均を 0 から始め、N で割った分散から作る書き方です", _BIASED, _ZERO_START
    ),
}
