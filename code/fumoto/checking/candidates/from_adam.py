"""Adam、AdamW、Lion、Muon の、よくある書き間違い。右辺は ``Candidate.formulas`` の書き方で書く(λ は ``lam``)。"""

from collections.abc import Iterator

from fumoto.checking.candidates.candidate import Candidate, Handling
from fumoto.checking.candidates.patterns import Row, averaged, divided

_M, _AV, _MH, _VH = "eq-adam-m", "eq-adam-v", "eq-adam-mhat", "eq-adam-vhat"


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
        ("count-early", "バイアス補正の回数 t が 1 つ小さく、0 から始まっています", {_MH: "m_next / (1 - sign(t) * beta_1**t)", _VH: "v_next / (1 - sign(t) * beta_2**t)"}),
        *sided("over-count", "バイアス補正の代わりに、回数 t で割っています", {_MH: "m_next / (t + 1)", _VH: "v_next / (t + 1)"}),
        ("count-late", "バイアス補正の回数 t が 1 つ大きく、2 から始まっています", {_MH: "m_next / (1 - beta_1**(t + 2))", _VH: "v_next / (1 - beta_2**(t + 2))"}),
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
        ("v-total", "v に、勾配の二乗を、配列全体で足したものを使っています", {_AV: "beta_2 * v_t + (1 - beta_2) * total(g_t**2)"}),
        ("v-mean", "v に、勾配の二乗を、配列全体で平均したものを使っています", {_AV: "beta_2 * v_t + (1 - beta_2) * mean(g_t**2)"}),
        ("v-weights", "v に、勾配でなく、重みの二乗をためています", {_AV: "beta_2 * v_t + (1 - beta_2) * w_t**2"}),
        ("v-absolute", "v に、勾配の二乗でなく絶対値をためています", {_AV: "beta_2 * v_t + (1 - beta_2) * abs(g_t)"}),
        ("gradient-on-top", "分子に、m でなく、いまの勾配を使っています", {w: moved("g_t / (sqrt(v_hat_next) + varepsilon)")}),
        ("one-hat", "分子と分母の補正が逆です(m̂ のところに v̂、v̂ のところに m̂)", {w: moved("v_hat_next / (sqrt(abs(m_hat_next)) + varepsilon)")}),
        ("hats-outside-root", "v の補正が、平方根の外にあります(√v を 1 - β₂ᵗ で割っています)", {w: moved("m_hat_next / (sqrt(v_next) / (1 - beta_2**(t + 1)) + varepsilon)")}),
        ("rate-corrected-twice", "補正を、学習率と m̂, v̂ の両方で行っています", {w: moved("sqrt(1 - beta_2**(t + 1)) / (1 - beta_1**(t + 1)) * m_hat_next / (sqrt(v_hat_next) + varepsilon)")}),
        ("rate-inverse", "学習率の補正の、分子と分母が逆です", {w: moved("(1 - beta_1**(t + 1)) / sqrt(1 - beta_2**(t + 1)) * m_next / (sqrt(v_next) + varepsilon)")}),
        ("rate-no-root", "学習率にまとめた補正の、1 - β₂ᵗ に平方根がありません", {w: moved("(1 - beta_2**(t + 1)) / (1 - beta_1**(t + 1)) * m_next / (sqrt(v_next) + varepsilon)")}),
        ("rate-root-of-both", "学習率にまとめた補正の、1 - β₁ᵗ まで平方根に入っています", {w: moved("sqrt((1 - beta_2**(t + 1)) / (1 - beta_1**(t + 1))) * m_next / (sqrt(v_next) + varepsilon)")}),
        ("hat-missing-v", "v の補正がありません(√v̂ でなく √v で割っています)", {w: moved("m_hat_next / (sqrt(v_next) + varepsilon)")}),
        ("hat-missing-m", "m の補正がありません(m̂ でなく m を使っています)", {w: moved("m_next / (sqrt(v_hat_next) + varepsilon)")}),
        *((f"uncorrected-{name}", f"{name} のバイアス補正がありません", {hat: f"{name}_next"}) for name, hat in (("m", _MH), ("v", _VH))),  # もう 1 つの間違いとの組のために
        ("nadam", "Nadam(Nesterov の先読みをする Adam)の式です", {w: moved("(beta_1 * m_hat_next + (1 - beta_1) * g_t / (1 - beta_1**(t + 1))) / (sqrt(v_hat_next) + varepsilon)")}),
        ("amsgrad", "AMSGrad(v の、これまでの最大を使う Adam)の式です", {"x_next": "max(x_t, v_next)", w: moved("m_hat_next / (sqrt(x_next / (1 - beta_2**(t + 1))) + varepsilon)")}),
        ("amsgrad-hat", "AMSGrad(v̂ の、これまでの最大を使う Adam)の式です", {"x_next": "max(x_t, v_hat_next)", w: moved("m_hat_next / (sqrt(x_next) + varepsilon)")}),
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
    ("decay-without-rate", "減衰に、学習率が掛かっていません(λw を引いています)", {_ADAMW_W: "(1 - lam) * w_t - eta * m_hat_next / (sqrt(v_hat_next) + varepsilon)"}),
    ("decay-doubled", "減衰が 2 倍です", {_ADAMW_W: "(1 - 2 * eta * lam) * w_t - eta * m_hat_next / (sqrt(v_hat_next) + varepsilon)"}),
    ("decay-grows", "減衰の符号が逆で、重みが大きくなります", {_ADAMW_W: "(1 + eta * lam) * w_t - eta * m_hat_next / (sqrt(v_hat_next) + varepsilon)"}),
    ("decay-after", "更新したあとの重みに、減衰を掛けています", {_ADAMW_W: "(1 - eta * lam) * (w_t - eta * m_hat_next / (sqrt(v_hat_next) + varepsilon))"}),
    ("decay-divided", "減衰まで、√v で割っています", {_ADAMW_W: "w_t - eta * (m_hat_next + lam * w_t) / (sqrt(v_hat_next) + varepsilon)"}),
    ("decay-twice", "減衰に、学習率を 2 度掛けています", {_ADAMW_W: "(1 - eta**2 * lam) * w_t - eta * m_hat_next / (sqrt(v_hat_next) + varepsilon)"}),
)  # fmt: skip

_LC, _LM, _LW = "eq-lion-c", "eq-lion-m", "eq-lion-w"
LION: tuple[Row, ...] = (
    ("betas-exchanged", "β₁ と β₂ が入れ替わっています", {_LC: "beta_2 * m_t + (1 - beta_2) * g_t", _LM: "beta_1 * m_t + (1 - beta_1) * g_t"}),
    ("same-beta", "覚えておく平均にも、β₂ でなく β₁ を使っています", {_LM: "beta_1 * m_t + (1 - beta_1) * g_t"}),
    ("average-of-c", "歩みの向き c を、そのまま m として残しています", {_LM: "beta_1 * m_t + (1 - beta_1) * g_t", _LC: "beta_1 * m_t + (1 - beta_1) * g_t"}),
    ("sign-of-m", "c でなく、更新した m の符号の向きに進んでいます", {_LC: "beta_2 * m_t + (1 - beta_2) * g_t"}),
    ("sign-of-g", "c でなく、いまの勾配の符号の向きに進んでいます", {_LC: "g_t"}),
    ("decay-without-rate", "減衰に、学習率が掛かっていません", {_LW: "(1 - lam) * w_t - eta * sign(c_next)"}),
    ("decay-in-sign", "減衰が、符号の中に入っています", {_LW: "w_t - eta * sign(c_next + lam * w_t)"}),
    ("decay-after", "更新したあとの重みに、減衰を掛けています", {_LW: "(1 - eta * lam) * (w_t - eta * sign(c_next))"}),
)  # fmt: skip

_MU, _MM, _MW = "eq-muon-u", "eq-muon-m", "eq-muon-w"
MUON: tuple[Row, ...] = (
    ("no-nesterov", "先読みの式がなく、m をそのまま使っています", {_MU: "m_next"}),
    ("decay-without-rate", "減衰に、学習率が掛かっていません", {_MW: "(1 - lam) * w_t - eta * sqrt(max(1, m / n)) * O_next"}),
    ("decay-after", "更新したあとの重みに、減衰を掛けています", {_MW: "(1 - eta * lam) * (w_t - eta * sqrt(max(1, m / n)) * O_next)"}),
    ("rate-twice", "学習率を 2 度掛けています(η が η² になっています)", {_MW: "(1 - eta * lam) * w_t - eta**2 * sqrt(max(1, m / n)) * O_next"}),
)  # fmt: skip

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
    words = "m と v が、同じ 1 つの辞書(リスト)です。v を書くと、m も消えます"
    yield Candidate("state/m-is-v", words, None, (*formulas, (_MH, "v_next / (1 - beta_1**(t + 1))")), shared)
    weight = "w_t" if method == "Adam" else "(1 - eta * lam) * w_t"
    step = f"{weight} - eta_next * m_next / (sqrt(v_next) + varepsilon)"
    words = "補正した学習率を、学習率そのものに書き戻しているので、補正が毎回重なります"
    yield Candidate("state/rate-kept", words, None, (("eta_next", _COMPOUND), (w, step)), Handling(carried=(("eta", "eta_next"),)))  # fmt: skip
    words = "バイアス補正を、m と v を作る前の値に行っています"
    yield Candidate("state/hat-of-old", words, _MH, ((_MH, "m_t / (1 - beta_1**(t + 1))"), (_VH, "v_t / (1 - beta_2**(t + 1))")))  # fmt: skip
