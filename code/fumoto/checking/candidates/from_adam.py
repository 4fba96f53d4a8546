"""Adam、AdamW、Lion、Muon の、よくある書き間違い。右辺は ``Candidate.formulas`` の書き方で書く(λ は ``lam``)。"""

from collections.abc import Iterator

from fumoto.checking.candidates.candidate import Candidate, Handling
from fumoto.checking.candidates.patterns import Row, averaged, divided

_M, _AV, _MH, _VH = "eq-adam-m", "eq-adam-v", "eq-adam-mhat", "eq-adam-vhat"


_RATE = "sqrt(1 - beta_2**(t + 1)) / (1 - beta_1**(t + 1))"
_AMSGRAD = (  # ライブラリによって、補正の仕方が違う
    ("", "PyTorch の Adam の amsgrad=True", "v_next", "m_hat_next / (sqrt(x_next / (1 - beta_2**(t + 1))) + varepsilon)"),
    ("-hat", "Optax の amsgrad", "v_hat_next", "m_hat_next / (sqrt(x_next) + varepsilon)"),
    ("-folded", "Keras 3 の Adam の amsgrad=True", "v_next", f"{_RATE} * m_next / (sqrt(x_next) + varepsilon)"),
    ("-plain", "論文の、バイアス補正のない形", "v_next", "m_next / (sqrt(x_next) + varepsilon)"),
)  # fmt: skip


def sided(slug: str, words: str, formulas: dict[str, str]) -> Iterator[Row]:
    """m̂ と v̂ の両方での間違いと、片方だけでの間違い。"""
    yield slug, words, formulas
    yield f"{slug}-m", f"{words}(m の補正だけ)", {_MH: formulas[_MH]}
    yield f"{slug}-v", f"{words}(v の補正だけ)", {_VH: formulas[_VH]}


def adam(w: str, weight: str) -> tuple[Row, ...]:
    """Adam と AdamW に共通の間違い。``w``: 重みの式のラベル。``weight``: 減衰のあとの重み。"""

    def moved(step: str) -> str:
        return f"{weight} - eta * {step}"

    return (
        ("uncorrected", "バイアス補正がありません", {_MH: "m_next", _VH: "v_next"}),
        *sided("times-t", "バイアス補正で、β の t 乗でなく β × t を使っています", {_MH: "m_next / (1 - beta_1 * (t + 1))", _VH: "v_next / (1 - beta_2 * (t + 1))"}),
        *sided("no-power", "バイアス補正が、いつも 1 - β です(更新の回数 t が 1 のまま増えていないか、β に t 乗がついていません)", {_MH: "m_next / (1 - beta_1)", _VH: "v_next / (1 - beta_2)"}),
        *sided("squared-power", "バイアス補正の β が、t 乗でなく 2 乗です", {_MH: "m_next / (1 - beta_1**2)", _VH: "v_next / (1 - beta_2**2)"}),
        *sided("only-power", "バイアス補正で、1 - βᵗ でなく βᵗ で割っています", {_MH: "m_next / beta_1**(t + 1)", _VH: "v_next / beta_2**(t + 1)"}),
        *sided("one-plus", "バイアス補正で、1 - βᵗ でなく 1 + βᵗ で割っています", {_MH: "m_next / (1 + beta_1**(t + 1))", _VH: "v_next / (1 + beta_2**(t + 1))"}),
        *sided("multiplied", "バイアス補正の 1 - βᵗ で、割らずに掛けています", {_MH: "m_next * (1 - beta_1**(t + 1))", _VH: "v_next * (1 - beta_2**(t + 1))"}),
        *sided("bracket", "バイアス補正の括弧が違います((1 - β)ᵗ になっています)", {_MH: "m_next / (1 - beta_1)**(t + 1)", _VH: "v_next / (1 - beta_2)**(t + 1)"}),
        *sided("count-early", "バイアス補正の回数 t が 1 つ小さく、0 から始まっています", {_MH: "m_next / (1 - sign(t) * beta_1**t)", _VH: "v_next / (1 - sign(t) * beta_2**t)"}),
        *sided("plus-one-outside", "バイアス補正の指数の括弧がなく、1 - βᵗ + 1 になっています", {_MH: "m_next / (2 - beta_1**t)", _VH: "v_next / (2 - beta_2**t)"}),
        *sided("over-count", "バイアス補正の代わりに、回数 t で割っています", {_MH: "m_next / (t + 1)", _VH: "v_next / (t + 1)"}),
        *sided("power-squared", "バイアス補正の βᵗ に、毎回 β でなく自分自身を掛けています(指数が 1、2、4、8、… と 2 倍になります)", {_MH: "m_next / (1 - beta_1**(2**t))", _VH: "v_next / (1 - beta_2**(2**t))"}),
        *sided("count-late", "バイアス補正の回数 t が 1 つ大きく、2 から始まっています", {_MH: "m_next / (1 - beta_1**(t + 2))", _VH: "v_next / (1 - beta_2**(t + 2))"}),
        ("betas-exchanged", "β₁ と β₂ が、どこでも入れ替わっています", {_M: "beta_2 * m_t + (1 - beta_2) * g_t", _AV: "beta_1 * v_t + (1 - beta_1) * g_t**2", _MH: "m_next / (1 - beta_2**(t + 1))", _VH: "v_next / (1 - beta_1**(t + 1))"}),
        ("betas-exchanged-in-hats", "バイアス補正の β₁ と β₂ が入れ替わっています", {_MH: "m_next / (1 - beta_2**(t + 1))", _VH: "v_next / (1 - beta_1**(t + 1))"}),
        ("betas-exchanged-in-averages", "m と v の式の β₁ と β₂ が入れ替わっています(補正は正しい β です)", {_M: "beta_2 * m_t + (1 - beta_2) * g_t", _AV: "beta_1 * v_t + (1 - beta_1) * g_t**2"}),
        ("beta1-in-v", "v に、β₂ でなく β₁ を使っています", {_AV: "beta_1 * v_t + (1 - beta_1) * g_t**2", _VH: "v_next / (1 - beta_1**(t + 1))"}),
        ("beta2-in-m", "m に、β₁ でなく β₂ を使っています", {_M: "beta_2 * m_t + (1 - beta_2) * g_t", _MH: "m_next / (1 - beta_2**(t + 1))"}),
        ("beta1-in-v-only", "v の式に、β₂ でなく β₁ を使っています(補正は β₂ です)", {_AV: "beta_1 * v_t + (1 - beta_1) * g_t**2"}),
        ("beta2-in-m-only", "m の式に、β₁ でなく β₂ を使っています(補正は β₁ です)", {_M: "beta_2 * m_t + (1 - beta_2) * g_t"}),
        ("beta1-in-vhat", "v の補正に、β₂ でなく β₁ を使っています", {_VH: "v_next / (1 - beta_1**(t + 1))"}),
        ("beta2-in-mhat", "m の補正に、β₁ でなく β₂ を使っています", {_MH: "m_next / (1 - beta_2**(t + 1))"}),
        ("beta1-mixed-v", "v の式の 1 - β₂ が、1 - β₁ になっています", {_AV: "beta_2 * v_t + (1 - beta_1) * g_t**2"}),
        ("beta2-mixed-m", "m の式の 1 - β₁ が、1 - β₂ になっています", {_M: "beta_1 * m_t + (1 - beta_2) * g_t"}),
        ("v-of-scaled", "v に、勾配でなく、1 - β₁ を掛けた勾配の 2 乗をためています(m のための掛け算で、勾配そのものが書き換わっています)", {_AV: "beta_2 * v_t + (1 - beta_2) * ((1 - beta_1) * g_t)**2"}),
        ("v-difference", "v の式で、括弧の位置が違い、勾配と v の差を 2 乗しています", {_AV: "v_t + (1 - beta_2) * (g_t - v_t)**2"}),
        ("v-from-m", "v の式で、前の v のところに m(更新したもの)を使っています", {_AV: "beta_2 * m_next + (1 - beta_2) * g_t**2"}),
        ("v-from-old-m", "v の式で、前の v のところに前の m を使っています", {_AV: "beta_2 * m_t + (1 - beta_2) * g_t**2"}),
        ("m-from-v", "m の式で、前の m のところに前の v を使っています", {_M: "beta_1 * v_t + (1 - beta_1) * g_t"}),
        ("v-of-m", "v を、勾配の二乗でなく、m の二乗から作っています", {_AV: "beta_2 * v_t + (1 - beta_2) * m_next**2"}),
        ("reversed", "β と 1 - β が、m と v の両方で入れ替わっています", {_M: "(1 - beta_1) * m_t + beta_1 * g_t", _AV: "(1 - beta_2) * v_t + beta_2 * g_t**2"}),
        ("sums", "1 - β が、m と v の両方で抜けています", {_M: "beta_1 * m_t + g_t", _AV: "beta_2 * v_t + g_t**2"}),
        ("weight-squared", "1 - β₂ まで 2 乗しています。2 乗するのは勾配だけです", {_AV: "beta_2 * v_t + ((1 - beta_2) * g_t)**2"}),
        ("square-in-m", "m に、勾配でなく勾配の二乗を足しています", {_M: "beta_1 * m_t + (1 - beta_1) * g_t**2"}),
        ("exchanged-gradients", "m に勾配の二乗、v に勾配を足しています(逆です)", {_M: "beta_1 * m_t + (1 - beta_1) * g_t**2", _AV: "beta_2 * v_t + (1 - beta_2) * g_t"}),
        *((f"m-{slug}", f"m の式で、{words}", formulas) for slug, words, formulas in averaged(_M, "beta_1", "m_t", "g_t", "β₁")),
        *((f"v-{slug}", f"v の式で、{words}", formulas) for slug, words, formulas in averaged(_AV, "beta_2", "v_t", "g_t**2", "β₂")),
        *((f"mv-{one[0]}", f"m と v の両方の式で、{one[1].replace('β₁', 'β')}", one[2] | other[2]) for one, other in zip(averaged(_M, "beta_1", "m_t", "g_t", "β₁"), averaged(_AV, "beta_2", "v_t", "g_t**2", "β₂"), strict=True) if one[0] not in ("reversed", "sum")),
        ("v-total", "v に、勾配の二乗を、配列全体で足したものを使っています", {_AV: "beta_2 * v_t + (1 - beta_2) * total(g_t**2)"}),
        ("v-mean", "v に、勾配の二乗を、配列全体で平均したものを使っています", {_AV: "beta_2 * v_t + (1 - beta_2) * mean(g_t**2)"}),
        ("m-latest", "m が、ためた平均でなく、いまの勾配だけです", {_M: "g_t"}),
        ("v-latest", "v が、ためた平均でなく、いまの勾配の二乗だけです", {_AV: "g_t**2"}),
        ("v-sum-without-rate", "v が平均でなく和です(β₂ がありません)", {_AV: "v_t + g_t**2"}),
        ("v-weights", "v に、勾配でなく、重みの二乗をためています", {_AV: "beta_2 * v_t + (1 - beta_2) * w_t**2"}),
        ("v-absolute", "v に、勾配の二乗でなく絶対値をためています", {_AV: "beta_2 * v_t + (1 - beta_2) * abs(g_t)"}),
        ("gradient-on-top", "分子に、m でなく、いまの勾配を使っています", {w: moved("g_t / (sqrt(v_hat_next) + varepsilon)")}),
        ("one-hat", "分子と分母の補正が逆です(m̂ のところに v̂、v̂ のところに m̂)", {w: moved("v_hat_next / (sqrt(abs(m_hat_next)) + varepsilon)")}),
        ("hats-outside-root", "v の補正が、平方根の外にあります(√v を 1 - β₂ᵗ で割っています)", {w: moved("m_hat_next / (sqrt(v_next) / (1 - beta_2**(t + 1)) + varepsilon)")}),
        ("rate-corrected-twice", "補正を、学習率と m̂, v̂ の両方で行っています", {w: moved("sqrt(1 - beta_2**(t + 1)) / (1 - beta_1**(t + 1)) * m_hat_next / (sqrt(v_hat_next) + varepsilon)")}),
        ("rate-inverse", "学習率の補正の、分子と分母が逆です", {w: moved("(1 - beta_1**(t + 1)) / sqrt(1 - beta_2**(t + 1)) * m_next / (sqrt(v_next) + varepsilon)")}),
        ("rate-no-root", "学習率にまとめた補正の、1 - β₂ᵗ に平方根がありません", {w: moved("(1 - beta_2**(t + 1)) / (1 - beta_1**(t + 1)) * m_next / (sqrt(v_next) + varepsilon)")}),
        ("rate-root-of-both", "学習率にまとめた補正の、1 - β₁ᵗ まで平方根に入っています", {w: moved("sqrt((1 - beta_2**(t + 1)) / (1 - beta_1**(t + 1))) * m_next / (sqrt(v_next) + varepsilon)")}),
        ("current-square", "ためた二乗でなく、いまの勾配の二乗の平方根で割っています", {w: moved("m_hat_next / (sqrt(g_t**2) + varepsilon)")}),
        ("hat-missing-v", "v の補正がありません(√v̂ でなく √v で割っています)", {w: moved("m_hat_next / (sqrt(v_next) + varepsilon)")}),
        ("hat-missing-m", "m の補正がありません(m̂ でなく m を使っています)", {w: moved("m_next / (sqrt(v_hat_next) + varepsilon)")}),
        *((f"uncorrected-{name}", f"{name} のバイアス補正がありません", {hat: f"{name}_next"}) for name, hat in (("m", _MH), ("v", _VH))),  # もう 1 つの間違いとの組のために
        ("nadam", "Nadam(Nesterov の先読みをする Adam)の式です", {w: moved("(beta_1 * m_hat_next + (1 - beta_1) * g_t / (1 - beta_1**(t + 1))) / (sqrt(v_hat_next) + varepsilon)")}),
        *((f"amsgrad{slug}", f"v の、これまでの最大で割る AMSGrad です({where})", {"x_next": f"max(x_t, {new})", w: moved(step)}) for slug, where, new, step in _AMSGRAD),
        ("adamax", "AdaMax(勾配の絶対値の最大で割る Adam)の式です", {_AV: "max(beta_2 * v_t, abs(g_t))", w: moved("m_hat_next / (v_next + varepsilon)")}),
        ("adabelief", "AdaBelief(勾配と m の差の二乗をためる Adam)の式です", {_AV: "beta_2 * v_t + (1 - beta_2) * (g_t - m_next)**2"}),
        ("adabelief-epsilon", "AdaBelief(勾配と m の差の二乗をためる Adam)の式です", {_AV: "beta_2 * v_t + (1 - beta_2) * (g_t - m_next)**2 + varepsilon"}),
        ("absolute", "分子に、m̂ の絶対値を使っています", {w: moved("abs(m_hat_next) / (sqrt(v_hat_next) + varepsilon)")}),
        ("variance", "v から m の二乗を引いています", {w: moved("m_hat_next / (sqrt(v_hat_next - m_hat_next**2) + varepsilon)")}),
        *divided(w, "m_hat_next", "v_hat_next", weight),
    )  # fmt: skip


_ADAMW_W = "eq-adamw-w"
ADAMW: tuple[Row, ...] = (
    *adam(_ADAMW_W, "(1 - eta * lam) * w_t"),
    ("decay-without-rate", "減衰に、学習率が掛かっていません(λw を引いています。論文の Algorithm 2 の λ も、学習率 α でなくスケジュール η だけを掛けますが、この本と PyTorch の λ とは大きさが違います)", {_ADAMW_W: "(1 - lam) * w_t - eta * m_hat_next / (sqrt(v_hat_next) + varepsilon)"}),
    ("decay-doubled", "減衰が 2 倍です", {_ADAMW_W: "(1 - 2 * eta * lam) * w_t - eta * m_hat_next / (sqrt(v_hat_next) + varepsilon)"}),
    ("decay-grows", "減衰の符号が逆で、重みが大きくなります", {_ADAMW_W: "(1 + eta * lam) * w_t - eta * m_hat_next / (sqrt(v_hat_next) + varepsilon)"}),
    ("decay-of-gradient", "減衰に、重みでなく勾配を使っています", {_ADAMW_W: "w_t - eta * lam * g_t - eta * m_hat_next / (sqrt(v_hat_next) + varepsilon)"}),
    ("decay-divided", "減衰まで、√v で割っています", {_ADAMW_W: "w_t - eta * (m_hat_next + lam * w_t) / (sqrt(v_hat_next) + varepsilon)"}),
    ("decay-twice", "減衰に、学習率を 2 度掛けています", {_ADAMW_W: "(1 - eta**2 * lam) * w_t - eta * m_hat_next / (sqrt(v_hat_next) + varepsilon)"}),
)  # fmt: skip

_LC, _LM, _LW = "eq-lion-c", "eq-lion-m", "eq-lion-w"
LION: tuple[Row, ...] = (
    ("betas-exchanged", "β₁ と β₂ が入れ替わっています", {_LC: "beta_2 * m_t + (1 - beta_2) * g_t", _LM: "beta_1 * m_t + (1 - beta_1) * g_t"}),
    ("same-beta", "覚えておく平均にも、β₂ でなく β₁ を使っています", {_LM: "beta_1 * m_t + (1 - beta_1) * g_t"}),
    ("average-of-c", "歩みの向き c を、そのまま m として残しています", {_LM: "beta_1 * m_t + (1 - beta_1) * g_t", _LC: "beta_1 * m_t + (1 - beta_1) * g_t"}),
    ("overwritten", "m を c で上書きしてから、β₂ の平均をとっています(c は、m とは別の配列に作ります)", {_LM: "beta_2 * (beta_1 * m_t + (1 - beta_1) * g_t) + (1 - beta_2) * g_t"}),
    ("sign-of-m", "c でなく、更新した m の符号の向きに進んでいます", {_LC: "beta_2 * m_t + (1 - beta_2) * g_t"}),
    ("new-m-in-c", "c を作る前に、m を更新しています", {_LC: "beta_1 * m_next + (1 - beta_1) * g_t"}),
    ("sign-missing", "符号をとらず、c の大きさのまま進んでいます", {_LW: "(1 - eta * lam) * w_t - eta * c_next"}),
    ("sign-of-each", "混ぜてからでなく、勾配と m の符号を別々にとっています", {_LC: "beta_1 * sign(m_t) + (1 - beta_1) * sign(g_t)"}),
    ("sign-of-g-only", "c でなく、混ぜる前の勾配だけの符号をとっています", {_LC: "beta_1 * m_t + (1 - beta_1) * sign(g_t)", _LW: "(1 - eta * lam) * w_t - eta * c_next"}),
    ("sign-first", "混ぜる前の勾配の符号をとり、m にもその符号をためています。符号をとるのは、混ぜた c です", {_LM: "beta_2 * m_t + (1 - beta_2) * sign(g_t)", _LC: "beta_1 * m_t + (1 - beta_1) * sign(g_t)", _LW: "(1 - eta * lam) * w_t - eta * c_next"}),
    ("sign-in-m", "m に、勾配でなく符号をためています", {_LM: "beta_2 * m_t + (1 - beta_2) * sign(g_t)"}),
    ("step-in-m", "m に、勾配でなく歩みの向き sign(c) をためています", {_LM: "beta_2 * m_t + (1 - beta_2) * sign(beta_1 * m_t + (1 - beta_1) * g_t)"}),
    *((f"m-{slug}", f"m の式で、{words}", formulas) for slug, words, formulas in averaged(_LM, "beta_2", "m_t", "g_t", "β₂")),
    *((f"c-{slug}", f"c の式で、{words}", formulas) for slug, words, formulas in averaged(_LC, "beta_1", "m_t", "g_t", "β₁")),
    ("rate-twice", "学習率を 2 度掛けています(η が η² になっています)", {_LW: "(1 - eta * lam) * w_t - eta**2 * sign(c_next)"}),
    ("decay-grows", "減衰の符号が逆で、重みが大きくなります", {_LW: "(1 + eta * lam) * w_t - eta * sign(c_next)"}),
    ("decay-doubled", "減衰が 2 倍です", {_LW: "(1 - 2 * eta * lam) * w_t - eta * sign(c_next)"}),
    ("sign-of-g", "c でなく、いまの勾配の符号の向きに進んでいます", {_LC: "g_t"}),
    ("decay-without-rate", "減衰に、学習率が掛かっていません", {_LW: "(1 - lam) * w_t - eta * sign(c_next)"}),
    ("decay-in-sign", "減衰が、符号の中に入っています", {_LW: "w_t - eta * sign(c_next + lam * w_t)"}),
    ("decay-after", "更新したあとの重みに、減衰を掛けています", {_LW: "(1 - eta * lam) * (w_t - eta * sign(c_next))"}),
)  # fmt: skip

_MU, _MM, _MX, _MQ, _MN, _MW = "eq-muon-u", "eq-muon-m", "eq-muon-x", "eq-muon-q", "eq-muon-next", "eq-muon-w"
_STEP = "(1 - eta * lam) * w_t - eta * sqrt(max(1, m / n))"
MUON: tuple[Row, ...] = (
    ("no-momentum", "慣性がなく、いまの勾配だけを直交化しています", {_MU: "g_t"}),
    ("sum-then-average", "m は和なのに、先読みだけが平均です(勾配に 1 - α を掛けています)", {_MM: "alpha * m_t + g_t"}),
    ("average-then-sum", "m は平均なのに、先読みだけが和です(勾配に 1 - α が掛かっていません)", {_MU: "alpha * m_next + g_t"}),
    ("coefficients-exchanged", "反復の係数 -4.7750 と 2.0315 が入れ替わっています", {_MQ: "2.0315 * A - 4.7750 * A @ A"}),
    ("elementwise", "反復の A の 2 乗が、行列の積でなく、要素ごとの 2 乗です", {_MQ: "-4.7750 * A + 2.0315 * A * A"}),
    *((f"elementwise-{slug}", "反復の A の 2 乗が、行列の積でなく、要素ごとの 2 乗です", {_MX: f"wide(u) / {length}", "eq-muon-gram": "Z @ Z.T", _MQ: "-4.7750 * A + 2.0315 * A * A", _MN: "3.4445 * Z + Q @ Z", _MW: f"{_STEP} * turned(O_next, w_t)"}) for slug, length in (("wide", "max(G, varepsilon)"), ("wide-plus", "(G + varepsilon)"))),
    ("elementwise-both", "反復の積が、行列の積でなく、要素ごとの積です", {_MQ: "-4.7750 * A + 2.0315 * A * A", _MN: "3.4445 * Z + Q * Z"}),
    ("coefficient-sign", "反復の係数 -4.7750 の符号が逆です", {_MQ: "4.7750 * A + 2.0315 * A @ A"}),
    ("cubic", "反復の係数が、3.4445、-4.7750、2.0315 でなく、1.5 と -0.5 です", {_MQ: "-0.5 * A", _MN: "1.5 * Z + Q @ Z"}),
    ("identity-missing", "反復で、3.4445 Z の項が抜けています", {_MN: "Q @ Z"}),
    ("square-missing", "反復で、A の 2 乗の項が抜けています", {_MQ: "-4.7750 * A"}),
    ("square-forgotten", "反復の A の 2 乗が、2 乗でなく A です", {_MQ: "-4.7750 * A + 2.0315 * A"}),
    ("length-squared", "u を、長さでなく、長さの 2 乗で割っています(平方根が抜けています)", {_MX: "u / (G**2 + varepsilon)"}),
    ("length-missing", "反復の前に、u を長さで割っていません", {_MX: "u"}),
    ("length-of-sum", "u を、長さでなく、絶対値の和で割っています", {_MX: "u / (total(abs(u)) + varepsilon)"}),
    ("length-of-largest", "u を、長さでなく、いちばん大きな要素で割っています", {_MX: "u / largest(abs(u))"}),
    ("not-orthogonal", "直交化せず、長さで割っただけの u で進んでいます", {_MW: f"{_STEP} * u / max(G, varepsilon)"}),
    ("length-kept", "直交化せず、u のまま進んでいます(特異値を 1 にそろえていません)", {_MW: f"{_STEP} * u"}),
    ("sign", "直交化せず、u の符号で進んでいます", {_MW: f"{_STEP} * sign(u)"}),
    ("scale-root", "歩幅の max(1, m/n) の平方根が抜けています", {_MW: "(1 - eta * lam) * w_t - eta * max(1, m / n) * O_next"}),
    ("scale-not-limited", "歩幅の m/n を 1 より小さくもしています(max(1, …) がありません)", {_MW: "(1 - eta * lam) * w_t - eta * sqrt(m / n) * O_next"}),
    ("momentum-after", "勾配を先に直交化してから、慣性をかけています。直交化するのは、慣性をかけたものです", {_MU: "g_t", "a_next": "alpha * a_t + Z_hat", _MW: f"{_STEP} * (alpha * a_next + Z_hat)"}),
    ("momentum-after-average", "勾配を先に直交化してから、慣性をかけています。直交化するのは、慣性をかけたものです", {_MU: "g_t", "a_next": "alpha * a_t + (1 - alpha) * Z_hat", _MW: f"{_STEP} * (alpha * a_next + (1 - alpha) * Z_hat)"}),
    ("momentum-after-plain", "勾配を先に直交化してから、慣性をかけています。直交化するのは、慣性をかけたものです", {_MU: "g_t", "a_next": "alpha * a_t + Z_hat", _MW: f"{_STEP} * a_next"}),
    ("decay-without-rate", "減衰に、学習率が掛かっていません", {_MW: "(1 - lam) * w_t - eta * sqrt(max(1, m / n)) * O_next"}),
    ("decay-in-gradient", "減衰が、勾配に足されています(切り離した重み減衰は、重みに直接かけます)", {_MM: "alpha * m_t + (1 - alpha) * (g_t + lam * w_t)", _MU: "alpha * m_next + (1 - alpha) * (g_t + lam * w_t)", _MW: "w_t - eta * sqrt(max(1, m / n)) * O_next"}),
    ("decay-scaled", "減衰まで、√max(1, m/n) 倍しています", {_MW: "w_t - eta * sqrt(max(1, m / n)) * (O_next + lam * w_t)"}),
    ("decay-grows", "減衰の符号が逆で、重みが大きくなります", {_MW: "(1 + eta * lam) * w_t - eta * sqrt(max(1, m / n)) * O_next"}),
    ("decay-after", "更新したあとの重みに、減衰を掛けています", {_MW: "(1 - eta * lam) * (w_t - eta * sqrt(max(1, m / n)) * O_next)"}),
    ("rate-twice", "学習率を 2 度掛けています(η が η² になっています)", {_MW: "(1 - eta * lam) * w_t - eta**2 * sqrt(max(1, m / n)) * O_next"}),
)  # fmt: skip


def muon_rounds() -> Iterator[Candidate]:
    """ニュートン・シュルツ反復の回数の違うもの。"""
    for rounds in (1, 4, 6, 3, 10, 2, 7, 8):
        ends = "(return がループの中にありませんか)" if rounds == 1 else ""
        words = f"反復が、5 回でなく {rounds} 回です{ends}"
        yield Candidate(f"loop/rounds-{rounds}", words, handling=Handling(rounds=rounds))


def muon_states() -> Iterator[Candidate]:
    words = "直交化した行列を、m として残しています。残すのは、直交化する前の m です"
    yield Candidate("state/orthogonal-kept", words, handling=Handling(stored=(("m", "O_next"),)))


_ADAM_WITHOUT_HATS = {_MH: "m_next", _VH: "v_next"}
_STARTED = "はじめの勾配から始めています。0 から始めます"
_LEFT = "補正した値(ハットつき)を、状態として残しています。残すのは、補正する前の値です"
_COMPOUND = "eta * sqrt(1 - beta_2**(t + 1)) / (1 - beta_1**(t + 1))"


def adam_states(method: str) -> Iterator[Candidate]:
    w = "eq-adam-w" if method == "Adam" else _ADAMW_W
    for slug, stored in (
        ("both", (("m", "m_hat_next"), ("v", "v_hat_next"))),
        ("m", (("m", "m_hat_next"),)),
        ("v", (("v", "v_hat_next"),)),
    ):
        which = {"both": "m と v", "m": "m", "v": "v"}[slug]
        yield Candidate(f"state/hat-kept-{slug}", f"{which} に、{_LEFT}", handling=Handling(stored=stored))
    for slug, start in (("both", (("m", "g"), ("v", "g^2"))), ("m", (("m", "g"),)), ("v", (("v", "g^2"),))):
        which = {"both": "m と v", "m": "m", "v": "v"}[slug]
        handling = Handling(start=start)
        yield Candidate(f"state/{slug}-from-gradient", f"{which} を、{_STARTED}", handling=handling)
        words = f"{which} を、{_STARTED}(バイアス補正もありません)"
        yield Candidate(f"state/{slug}-from-gradient-uncorrected", words, _MH, tuple(_ADAM_WITHOUT_HATS.items()), handling)  # fmt: skip
    shared = Handling(stored=(("m", "v_next"),))
    formulas = ((_AV, "beta_2 * m_next + (1 - beta_2) * g_t**2"),)
    yield Candidate("state/m-and-v-shared", "m と v が、同じ 1 つの辞書(配列)です", None, formulas, shared)
    words = "m と v が、同じ 1 つのもの(配列、リスト、辞書)です。v を書くと、m も消えます"
    yield Candidate("state/m-is-v", words, None, (*formulas, (_MH, "v_next / (1 - beta_1**(t + 1))")), shared)
    weight = "w_t" if method == "Adam" else "(1 - eta * lam) * w_t"
    step = f"{weight} - eta_next * m_next / (sqrt(v_next) + varepsilon)"
    words = "補正した学習率を、学習率そのものに書き戻しているので、補正が毎回重なります"
    yield Candidate("state/rate-kept", words, None, (("eta_next", _COMPOUND), (w, step)), Handling(carried=(("eta", "eta_next"),)))  # fmt: skip
    words = "バイアス補正を、m と v を作る前の値に行っています"
    yield Candidate("state/hat-of-old", words, _MH, ((_MH, "m_t / (1 - beta_1**(t + 1))"), (_VH, "v_t / (1 - beta_2**(t + 1))")))  # fmt: skip
