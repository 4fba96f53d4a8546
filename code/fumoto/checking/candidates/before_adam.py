"""SGD から AdaDelta までの、よくある書き間違い。右辺は ``Candidate.formulas`` の書き方で書く。"""

from fumoto.checking.candidates.candidate import Candidate, Handling
from fumoto.checking.candidates.patterns import Row, accumulated, averaged, divided

SGD: tuple[Row, ...] = (
    ("rate-twice", "学習率を 2 度掛けています(η が η² になっています)", {"eq-sgd-w": "w_t - eta**2 * g_t"}),
    ("rate-divides", "勾配に学習率を掛けず、学習率で割っています", {"eq-sgd-w": "w_t - g_t / eta"}),
    (
        "multiplied",
        "重みに 1 - ηg を掛けています。ηg は、重みから引きます",
        {"eq-sgd-w": "w_t * (1 - eta * g_t)"},
    ),
    ("bracket", "(w - η) に g を掛けています。括弧の位置が違います", {"eq-sgd-w": "(w_t - eta) * g_t"}),
    (
        "twice",
        "1 度の update で、重みを 2 度更新しています(歩幅が 2 倍です)",
        {"eq-sgd-w": "w_t - 2 * eta * g_t"},
    ),
    ("weight-too", "ηg のほかに、ηw も引いています", {"eq-sgd-w": "w_t - eta * (g_t + w_t)"}),
    (
        "accumulated",
        "勾配を足し合わせたままです(前の勾配を、0 に戻していません)",
        {"a_next": "a_t + g_t", "eq-sgd-w": "w_t - eta * a_next"},
    ),
    ("previous", "1 つ前のステップの勾配で動いています", {"a_next": "g_t", "eq-sgd-w": "w_t - eta * a_t"}),
)

_V, _W = "eq-momentum-v", "eq-momentum-w"
MOMENTUM: tuple[Row, ...] = (
    ("velocity-is-weight", "v と w が、同じ配列です(v = w とすると、写しでなく、同じものを指します)", {_W: "2 * (alpha * w_t - eta * g_t)"}),
    ("weight-shrinks", "速度でなく、重みそのものに α を掛けています", {_W: "alpha * w_t - eta * g_t"}),
    ("corrected", "速度を指数移動平均にして、Adam のバイアス補正 1 - αᵗ で割っています", {_V: "alpha * v_t - (1 - alpha) * eta * g_t", _W: "w_t + v_next / (1 - alpha**(t + 1))"}),
    ("rate-twice", "学習率を 2 度掛けています(η が η² になっています)", {_V: "alpha * v_t - eta**2 * g_t"}),
    ("one-minus", "前の速度に、α でなく 1 - α を掛けています", {_V: "(1 - alpha) * v_t - eta * g_t"}),
    ("reversed", "α と 1 - α が入れ替わっています", {_V: "(1 - alpha) * v_t - alpha * eta * g_t"}),
    ("added", "新しい速度を、前の速度に置きかえず、足しています(= のところが += です)", {_V: "(1 + alpha) * v_t - eta * g_t"}),
    ("only-last", "速度をためず、1 つ前の勾配だけを覚えています", {"a_next": "g_t", _V: "-eta * (g_t + alpha * a_t)"}),
    ("old-velocity", "速度を更新する前に、前の速度で動いています", {_W: "w_t + v_t"}),
    ("old-velocity-again", "更新した速度に、前の速度も足して動いています(慣性が 2 度入ります)", {_W: "w_t + alpha * v_t + v_next"}),
    ("alpha-again", "速度に、もう一度 α を掛けて足しています", {_W: "w_t + alpha * v_next"}),
    ("both", "α が、前の速度だけでなく勾配にも掛かっています", {_V: "alpha * (v_t - eta * g_t)"}),
    ("rate-on-both", "学習率が、勾配だけでなく前の速度にも掛かっています", {_V: "eta * (alpha * v_t - g_t)"}),
    ("rate-on-velocity", "学習率が、勾配でなく前の速度に掛かっています", {_V: "eta * alpha * v_t - g_t"}),
    ("squared", "前の速度に、α を 2 度掛けています", {_V: "alpha**2 * v_t - eta * g_t"}),
    ("power", "α が t 乗されています。慣性は、いつも同じ α です", {_V: "alpha**(t + 1) * v_t - eta * g_t"}),
    ("from-weight", "前の速度でなく、重みに α を掛けています", {_V: "alpha * w_t - eta * g_t"}),
    ("rate-again", "速度に、もう一度 学習率を掛けて足しています", {_W: "w_t + eta * v_next"}),
    ("change", "速度でなく、速度の増えた分だけ動いています", {_W: "w_t + v_next - v_t"}),
    ("both-velocities", "いまの速度のほかに、前の速度も足しています", {_W: "w_t + v_next + v_t"}),
    ("gradient-again", "速度のほかに、-ηg をもう一度足しています(勾配が 2 度効きます)", {_W: "w_t + v_next - eta * g_t"}),
)  # fmt: skip

_NV, _NW = "eq-nesterov-v", "eq-nesterov-w"
NESTEROV: tuple[Row, ...] = (
    ("velocity-again", "αv が 2 度入っています(先読みした点から、重みを戻さずに動いているか、-ηg のところに速度を足しています)", {_NW: "w_t + (1 + alpha) * v_next"}),
    ("lookback-sign", "前の速度の分を、引かずに足しています", {_NW: "w_t + alpha * v_t + (1 + alpha) * v_next"}),
    ("velocities-exchanged", "前の速度と、いまの速度が入れ替わっています", {_NW: "w_t - alpha * v_next + (1 + alpha) * v_t"}),
    ("only-change", "いまの速度に掛かる 1 + α が、α になっています", {_NW: "w_t - alpha * v_t + alpha * v_next"}),
    ("half-average", "速度だけが指数移動平均で、先読みの -ηg はそのままです", {_NV: "alpha * v_t - (1 - alpha) * eta * g_t"}),
    ("gradient-again", "速度に足すところで、α が勾配の方に掛かっています", {_NW: "w_t + v_next - alpha * eta * g_t"}),
    ("alpha-on-gradient", "-ηg にも α が掛かっています", {_NW: "w_t + alpha * (v_next - eta * g_t)"}),
    ("one-minus", "前の速度に、α でなく 1 - α を掛けています", {_NV: "(1 - alpha) * v_t - eta * g_t"}),
    ("reversed", "α と 1 - α が入れ替わっています", {_NV: "(1 - alpha) * v_t - alpha * eta * g_t"}),
    ("both", "α が、前の速度だけでなく勾配にも掛かっています", {_NV: "alpha * (v_t - eta * g_t)"}),
    ("rate-twice", "学習率を 2 度掛けています(η が η² になっています)", {_NV: "alpha * v_t - eta**2 * g_t", _NW: "w_t + alpha * v_next - eta**2 * g_t"}),
    ("rate-again", "学習率を、速度の式と重みの式の両方で掛けています", {_NV: "alpha * v_t - eta * g_t", _NW: "w_t + eta * (alpha * v_next - eta * g_t)"}),
    ("squared", "前の速度に、α を 2 度掛けています", {_NV: "alpha**2 * v_t - eta * g_t"}),
    ("old-velocity", "先読みに、更新した速度でなく前の速度を使っています。結果はモーメンタム法と同じです", {_NW: "w_t + alpha * v_t - eta * g_t"}),
    ("change", "速度の増えた分だけ動いています", {_NW: "w_t + v_next - v_t"}),
    *((f"looks-{slug}", f"αv だけ先でなく、{words}だけ先で勾配を見ています", {_NW: f"w_t - {c} * v_t + (1 + {c}) * v_next"}) for slug, words, c in (("one-step", "v ", "1"), ("squared", "α²v ", "alpha**2"), ("twice", "2αv ", "2 * alpha"), ("without-rate", "αv ÷ η (速度に学習率を掛けない分)", "alpha / eta"), ("rate-again", "ηαv ", "alpha * eta"))),
    ("looks-back", "先読みの符号が逆で、通り過ぎた方(w - αv)で勾配を見ています", {_NW: "w_t + alpha * v_t + (1 - alpha) * v_next"}),
    ("squared-new", "α²v に、前の速度でなく、更新した速度を使っています", {_NW: "w_t + alpha**2 * v_next - eta * g_t"}),
)  # fmt: skip


_H, _AW = "eq-adagrad-h", "eq-adagrad-w"


def _remembered(steps: int) -> dict[str, str]:
    """h が、終わりの ``steps`` 歩の二乗だけの和である式。"""
    letters = "abcdfijkl"[: steps - 1]
    kept = {f"{letter}_next": before for letter, before in zip(letters, ["g_t**2", *(f"{x}_t" for x in letters)], strict=False)}
    return {_H: " + ".join(["g_t**2", *(f"{letter}_t" for letter in letters)]), **kept}


ADAGRAD: tuple[Row, ...] = (
    *((f"last-{steps}", f"終わりの {steps} 歩の二乗しか足していません(AdaGrad の h は、はじめからの和です)", _remembered(steps)) for steps in (3, 5, 10, 2)),
    *accumulated(_H, "h_t"),
    *divided(_AW, "g_t", "h_next"),
    ("average", "二乗の和でなく、平均で割っています(回数で割る必要はありません)", {_AW: "w_t - eta * g_t / (sqrt(h_next / (t + 1)) + varepsilon)"}),
    ("gradient-sum", "勾配の二乗でなく、勾配そのものをためています", {_H: "h_t + g_t", _AW: "w_t - eta * g_t / (sqrt(abs(h_next)) + varepsilon)"}),
    ("gradient-sum-squared", "勾配を足してから 2 乗しています。足すのは、2 乗してからです", {_H: "h_t + g_t", _AW: "w_t - eta * g_t / (abs(h_next) + varepsilon)"}),
    ("gradient-sum-squared-inside", "勾配を足してから 2 乗しています。足すのは、2 乗してからです", {_H: "h_t + g_t", _AW: "w_t - eta * g_t / sqrt(h_next**2 + varepsilon)"}),
    ("squared-sum", "前の h まで 2 乗しています", {_H: "(h_t + g_t)**2"}),
    *((f"leaky-{c:g}", f"前の h に {c:g} を掛けています(AdaGrad の h は、減らない和です)", {_H: f"{c} * h_t + g_t**2"}) for c in (0.9, 0.99, 0.95, 0.999)),
    ("root-and-epsilon-kept", "√h + ε を、h として残しています。残すのは、平方根をとる前の値です", {_H: "sqrt(h_t + g_t**2) + varepsilon", _AW: "w_t - eta * g_t / h_next"}),
    ("root-kept", "平方根をとった値を、h として残しています。残すのは、平方根をとる前の値です", {_H: "sqrt(h_t + g_t**2)", _AW: "w_t - eta * g_t / (h_next + varepsilon)"}),
    ("old-h", "h を更新する前に、前の h で割っています", {_AW: "w_t - eta * g_t / (sqrt(h_t) + varepsilon)"}),
    ("norm", "勾配の二乗の平方根(大きさ)をためています", {_H: "h_t + norm(g_t)"}),
)  # fmt: skip

_RH, _RW = "eq-rmsprop-h", "eq-rmsprop-w"
RMSPROP: tuple[Row, ...] = (
    *accumulated(_RH, "rho * h_t"),
    *divided(_RW, "g_t", "h_next"),
    *averaged(_RH, "rho", "h_t", "g_t**2", "ρ"),
    ("root-and-epsilon-kept", "√h + ε を、h として残しています。残すのは、平方根をとる前の値です", {_RH: "sqrt(rho * h_t + (1 - rho) * g_t**2) + varepsilon", _RW: "w_t - eta * g_t / h_next"}),
    ("root-kept", "平方根をとった値を、h として残しています。残すのは、平方根をとる前の値です", {_RH: "sqrt(rho * h_t + (1 - rho) * g_t**2)", _RW: "w_t - eta * g_t / (h_next + varepsilon)"}),
    ("old-h", "h を更新する前に、前の h で割っています", {_RW: "w_t - eta * g_t / (sqrt(h_t) + varepsilon)"}),
    ("squared-average", "前の h も含めた全体を 2 乗しています", {_RH: "(rho * h_t + (1 - rho) * g_t)**2"}),
    ("largest-square", "平均でなく、ρh と g² の大きい方をとっています", {_RH: "max(rho * h_t, g_t**2)"}),
    ("current-square", "ためた二乗でなく、いまの勾配の二乗の平方根で割っています", {_RW: "w_t - eta * g_t / (sqrt(g_t**2) + varepsilon)"}),
    ("centered", "勾配の平均の 2 乗を引く RMSProp です(PyTorch の RMSprop の centered=True)", {"a_next": "rho * a_t + (1 - rho) * g_t", _RW: "w_t - eta * g_t / (sqrt(h_next - a_next**2) + varepsilon)"}),
    ("centered-inside", "勾配の平均の 2 乗を引く RMSProp です(Keras 3 の RMSprop の centered=True。ε は平方根の中)", {"a_next": "rho * a_t + (1 - rho) * g_t", _RW: "w_t - eta * g_t / sqrt(h_next - a_next**2 + varepsilon)"}),
    ("added-centered", "勾配の平均の 2 乗を、引かずに足しています(PyTorch の RMSprop の centered=True では、引きます)", {"a_next": "rho * a_t + (1 - rho) * g_t", _RW: "w_t - eta * g_t / (sqrt(h_next + a_next**2) + varepsilon)"}),
    *((f"with-momentum{slug}-{c:g}", f"慣性({c:g})が加わっています(PyTorch の RMSprop の momentum にあたる、別の手法です)", {"a_next": f"{c} * a_t + eta * g_t / {below}", _RW: "w_t - a_next"}) for c in (0.9, 0.5, 0.99) for slug, below in (("", "(sqrt(h_next) + varepsilon)"), ("-inside", "sqrt(h_next + varepsilon)"))),
    ("with-average", "分子にも、勾配の移動平均(0.9)を使っています(補正のない Adam の式です)", {"a_next": "0.9 * a_t + 0.1 * g_t", _RW: "w_t - eta * a_next / (sqrt(h_next) + varepsilon)"}),
    ("weight-squared", "1 - ρ まで 2 乗しています。2 乗するのは勾配だけです", {_RH: "rho * h_t + ((1 - rho) * g_t)**2"}),
    ("corrected", "Adam のバイアス補正 1 - ρᵗ で割っています。RMSProp には、補正がありません", {_RW: "w_t - eta * g_t / (sqrt(h_next / (1 - rho**(t + 1))) + varepsilon)"}),
    ("gradient-average", "勾配の二乗でなく、勾配そのものを平均しています", {_RH: "rho * h_t + (1 - rho) * g_t", _RW: "w_t - eta * g_t / (sqrt(abs(h_next)) + varepsilon)"}),
    ("gradient-average-squared", "勾配を平均してから 2 乗しています。平均するのは、2 乗してからです", {_RH: "rho * h_t + (1 - rho) * g_t", _RW: "w_t - eta * g_t / (abs(h_next) + varepsilon)"}),
    ("gradient-average-squared-inside", "勾配を平均してから 2 乗しています。平均するのは、2 乗してからです", {_RH: "rho * h_t + (1 - rho) * g_t", _RW: "w_t - eta * g_t / sqrt(h_next**2 + varepsilon)"}),
)  # fmt: skip


def rate_kept(w: str) -> Candidate:
    """``lr`` を書き換える AdaGrad と RMSProp。``w``: 重みの式のラベル。"""
    words = "h の平方根で割った学習率を、学習率そのものに書き戻しているので、割り算が毎回重なります"
    formulas = (("q_next", "q_t / (sqrt(h_next) + varepsilon)"), (w, "w_t - eta * q_next * g_t"))
    return Candidate("state/rate-kept", words, None, formulas, Handling(start=(("q", 1.0),)))


_DH, _DD, _DU, _DW = "eq-adadelta-h", "eq-adadelta-d", "eq-adadelta-u", "eq-adadelta-w"
ADADELTA: tuple[Row, ...] = (
    ("old-h", "いつも √u = √h で、SGD と同じ動きになります(h を更新する前に使っているか、u と h が同じ 1 つの配列です)", {_DD: "sqrt(u_t + varepsilon) / sqrt(h_t + varepsilon) * g_t"}),
    ("both-reversed", "ρ と 1 - ρ が、2 つの平均の両方で入れ替わっています", {_DH: "(1 - rho) * h_t + rho * g_t**2", _DU: "(1 - rho) * u_t + rho * d_next**2"}),
    ("both-one-minus", "前の値にも 1 - ρ を掛けています(2 つの平均の両方)", {_DH: "(1 - rho) * (h_t + g_t**2)", _DU: "(1 - rho) * (u_t + d_next**2)"}),
    ("both-rho", "新しい値にも ρ を掛けています(2 つの平均の両方)", {_DH: "rho * (h_t + g_t**2)", _DU: "rho * (u_t + d_next**2)"}),
    ("both-sums", "1 - ρ が、2 つの平均の両方で抜けています", {_DH: "rho * h_t + g_t**2", _DU: "rho * u_t + d_next**2"}),
    *averaged(_DH, "rho", "h_t", "g_t**2", "ρ"),
    *averaged(_DU, "rho", "u_t", "d_next**2", "ρ"),
    *accumulated(_DH, "rho * h_t"),
    ("epsilon-missing-top", "分子の根号の中の ε が抜けています。u がいつも 0 のままなので、重みが動きません", {_DD: "sqrt(u_t) / sqrt(h_next + varepsilon) * g_t"}),
    ("epsilon-outside", "ε が、2 つの根号の両方で外にあります", {_DD: "(sqrt(u_t) + varepsilon) / (sqrt(h_next) + varepsilon) * g_t"}),
    ("epsilon-outside-top", "ε が、分子の根号の外にあります", {_DD: "(sqrt(u_t) + varepsilon) / sqrt(h_next + varepsilon) * g_t"}),
    ("epsilon-outside-bottom", "ε が、分母の根号の外にあります", {_DD: "sqrt(u_t + varepsilon) / (sqrt(h_next) + varepsilon) * g_t"}),
    ("epsilon-squared", "ε が 2 乗されています", {_DD: "sqrt(u_t + varepsilon**2) / sqrt(h_next + varepsilon**2) * g_t"}),
    ("inverse", "分子と分母が逆です", {_DD: "sqrt(h_next + varepsilon) / sqrt(u_t + varepsilon) * g_t"}),
    ("gradients-in-u", "u に、歩み d の二乗でなく、勾配の二乗をためています", {_DU: "rho * u_t + (1 - rho) * g_t**2"}),
    ("ratio-in-u", "u に、歩み d の二乗でなく、勾配に掛ける率の二乗をためています", {_DU: "rho * u_t + (1 - rho) * (u_t + varepsilon) / (h_next + varepsilon)"}),
    ("scaled-in-u", "u に、学習率を掛けたあとの歩みをためています", {_DU: "rho * u_t + (1 - rho) * (eta * d_next)**2"}),
    ("weights-in-u", "u に、歩みの二乗でなく、重みの二乗をためています", {_DU: "rho * u_t + (1 - rho) * w_t**2"}),
    ("u-in-h", "h に、勾配の二乗でなく、前の u をためています", {_DH: "rho * u_t + (1 - rho) * g_t**2"}),
    ("rate-twice", "学習率を 2 度掛けています(η が η² になっています)", {_DW: "w_t - eta**2 * d_next"}),
    ("rate-as-numerator", "分子に、u の平方根でなく学習率を使っています", {_DD: "g_t / sqrt(h_next + varepsilon)"}),
    ("new-u", "歩みに、前の u でなく、更新した u を使っています", {_DW: "w_t - eta * sqrt(u_next + varepsilon) / sqrt(h_next + varepsilon) * g_t"}),
    ("sum-in-h", "h が平均でなく和です(ρ がありません)", {_DH: "h_t + g_t**2"}),
    ("latest-in-h", "h が、ためた平均でなく、いまの勾配の二乗だけです", {_DH: "g_t**2"}),
)  # fmt: skip
