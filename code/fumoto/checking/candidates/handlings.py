"""式は正しいのに、動かし方を間違えている: キーを回るループ、状態、回数、勾配や重みにする余計なこと、引数の値。"""

from collections.abc import Iterator
from itertools import combinations, product

from fumoto.checking.candidates.candidate import Candidate, Handling
from fumoto.hints import Hyperparameters
from fumoto.printed import Method
from fumoto.printed.equation import Equations
from fumoto.printed.methods import EVERY_METHOD

Row = tuple[str, str, Handling]  # 名前、読者に言う一文、動かし方

_COUNTED: tuple[Row, ...] = (
    ("loop/counter", "更新の回数が、update のたびではなくキーごとに増えています", Handling(clock="per key")),
    ("clock/never", "更新の回数 t が、1 のまま増えていません", Handling(clock="never")),
    ("clock/early", "更新の回数 t が 1 つ小さく、0 から始まっています", Handling(clock="minus one")),
    ("clock/index", "更新の回数 t の代わりに、重みの番号(1 から)を使っています", Handling(clock="index")),
    ("clock/epoch", "更新の回数 t の代わりに、エポックの番号を使っています", Handling(clock="each epoch")),
    ("clock/late", "更新の回数 t が 1 つ大きく、2 から始まっています", Handling(clock="plus one")),
)

_LOOPS: tuple[Row, ...] = (
    ("loop/last-key", "更新の行がループの外にあり、最後のキーの重みしか動きません", Handling(moves="last")),
    ("loop/first-key", "最初のキーの重みしか動きません(ループの中で return していませんか)", Handling(moves="first")),
    ("loop/twice", "1 度の update で、更新を 2 度しています", Handling(repeats=2)),
    ("loop/first-step", "はじめの update では、重みが動きません(状態を用意して、そのまま終わっています)", Handling(skips_first=True)),
    ("loop/sorted-keys", "勾配を、キーでなく並び順で対応させています(params だけを並べ替えて zip していませんか)", Handling(order="sorted keys")),
    ("loop/sorted-gradients", "勾配を、キーでなく並び順で対応させています(grads だけを並べ替えて zip していませんか)", Handling(order="sorted gradients")),
    ("loop/sorted-flat-gradients", "1 本につなげた勾配の順が、重みの順と違います(grads だけを並べ替えていませんか)", Handling(order="flat sorted gradients")),
    ("loop/sorted-flat-keys", "1 本につなげた重みの順が、勾配の順と違います(params だけを並べ替えていませんか)", Handling(order="flat sorted keys")),
    ("loop/reversed-keys", "勾配を、キーと逆の順に対応させています", Handling(order="reversed")),
)  # fmt: skip

_STATES: tuple[Row, ...] = (
    ("loop/shared-state", "速度などの状態が、キーごとに分かれていません(すべての重みで 1 つを使い回しています)", Handling(slot="nothing")),
    ("loop/shared-by-letter", "状態が、キーの 1 文字目ごとにしか分かれていません(W1 と W2 で 1 つを使い回します)", Handling(slot="letter")),
    ("loop/shared-by-shape", "状態が、キーごとでなく、配列の形ごとにしか分かれていません", Handling(slot="shape")),
    ("loop/shared-by-size", "状態が、キーごとでなく、要素の数ごとにしか分かれていません", Handling(slot="size")),
    ("loop/shared-by-elements", "状態が、要素ごとに分かれていません(1 つの数を、配列の要素の間で順に使い回しています)", Handling(slot="number")),
    ("loop/shared-head", "状態を 1 本につないだ配列の、どの重みも、はじめの同じところを使っています(位置を進めていません)", Handling(slot="head")),
    ("state/forgotten", "状態が次のステップに残っていません(しまい忘れているか、足さずに上書きしているか、毎回 0 に戻しています)", Handling(forgets=1)),
    ("state/integer", "状態が整数です(整数の配列に書き込んで、小数が切り捨てられています)", Handling(kept="integer")),
    ("state/float16", "状態が float16 です", Handling(kept="float16")),
    ("state/mean", "状態を、配列全体で平均しています。状態は要素ごとに持ちます", Handling(kept="mean")),
    ("state/sparse", "勾配が 0 の要素を飛ばしています。勾配が 0 でも、状態は減り、重みは動きます", Handling(weight=("sparse", 0.0))),
)  # fmt: skip

_STARTS: tuple[tuple[str, str, float | str], ...] = (
    ("ones", " 1 ", 1.0),
    ("tenth", " 0.1 ", 0.1),
    ("gradient", "はじめの勾配", "g"),
    ("square", "はじめの勾配の 2 乗", "g^2"),
    ("weight", "はじめの重み", "w"),
    ("minus-weight", "はじめの重み(符号は別として)", "-w"),
)

_ONCE: dict[str, tuple[tuple[str, str, str], ...]] = {  # 手法 → 状態を更新する (式のラベル, 状態, 印刷された右辺)
    "Momentum": (("eq-momentum-v", "v", "alpha * v_t - eta * g_t"),),
    "AdaGrad": (("eq-adagrad-h", "h", "h_t + g_t**2"),),
    "RMSProp": (("eq-rmsprop-h", "h", "rho * h_t + (1 - rho) * g_t**2"),),
    "Adam": (
        ("eq-adam-m", "m", "beta_1 * m_t + (1 - beta_1) * g_t"),
        ("eq-adam-v", "v", "beta_2 * v_t + (1 - beta_2) * g_t**2"),
    ),
}

_GRADIENTS: tuple[tuple[str, str, tuple[float, ...]], ...] = (
    ("mean", "勾配を、配列全体で平均しています(どの要素も同じだけ動きます)", (0.0,)),
    ("sum", "勾配を、配列全体で足しています(どの要素も同じだけ動きます)", (0.0,)),
    ("divided by size", "勾配を、要素の数で割っています", (0.0,)),
    ("divided by length", "勾配を、配列の長さ len で割っています", (0.0,)),
    ("sign", "勾配の大きさを使わず、符号だけを使っています", (0.0,)),
    ("abs", "勾配の絶対値を使っています", (0.0,)),
    ("square", "勾配を 2 乗しています", (0.0,)),
    ("unit", "勾配を、その大きさ(ノルム)で割っています", (1e-8, 1e-7, 1e-6, 1e-12, 1e-10)),
    ("l1", "L1 正則化が入っています(勾配に {c:g}×sign(w) を足しています)", (1e-3, 1e-4, 1e-2, 1e-5)),
    ("normalize", "勾配を、その大きさ(ノルム)で割っています", (0.0,)),
    ("integer", "勾配を整数に切り捨てています", (0.0,)),
    ("floor", "勾配を、小さい方の整数に丸めています(整数の割り算 // を使っていませんか)", (0.0,)),
    ("clip", "勾配の要素を ±{c:g} で切っています(クリッピング)", (1.0, 5.0, 0.5, 10.0, 0.1, 2.0, 100.0)),
    ("clip norm", "勾配の大きさを、配列ごとに {c:g} までに縮めています(クリッピング)", (1.0, 5.0, 0.5, 10.0)),
    ("clip global norm", "勾配の大きさを、全体で {c:g} までに縮めています(クリッピング)", (1.0, 5.0, 0.5, 10.0)),
    ("decay", "重み減衰が入っています(勾配に {c:g}×w を足しています)", (1e-4, 5e-4, 1e-3, 1e-5, 1e-2, 5e-3, 0.1)),
    ("double decay", "重み減衰が入っています(勾配に 2×{c:g}×w を足しています)", (1e-4, 1e-3, 1e-2)),
)  # fmt: skip

_WEIGHTS: tuple[tuple[str, str, tuple[float, ...]], ...] = (
    (
        "decay",
        "重み減衰が入っています(毎回 {c:g}×ηw を引いています)",
        (1e-2, 1e-4, 1e-3, 5e-4, 1e-5, 0.1, 5e-3),
    ),
    ("plain decay", "重み減衰が入っています(毎回 {c:g}×w を引いています)", (1e-4, 1e-3, 1e-2, 5e-4, 1e-5)),
    ("float16", "重みを float16 に丸めています", (0.0,)),
    ("integer", "重みを整数に切り捨てています", (0.0,)),
    ("integers", "重みが整数の配列です(小数が切り捨てられ、小さな歩みでは動きません)", (0.0,)),
    ("round", "重みを、小数第 {c:g} 位で丸めています", (2.0, 3.0, 4.0, 5.0, 6.0, 8.0)),
    ("clip", "重みを ±{c:g} で切っています", (1.0, 5.0, 10.0, 0.5)),
)

#: 引数によく書き込まれている値。
OFTEN_WRITTEN: dict[str, tuple[float, ...]] = {
    "eps": (1e-8, 1e-7, 1e-6, 1e-5, 1e-10, 1e-4, 1e-3, 1e-12, 1e-16, 1e-2, 0.1, 1.0),
    "momentum": (0.9, 0.99, 0.5, 0.95, 0.8, 0.0),
    "decay_rate": (0.9, 0.99, 0.95, 0.999, 0.5),
    "beta1": (0.9, 0.99, 0.95, 0.5, 0.8, 0.0),
    "beta2": (0.999, 0.99, 0.9, 0.95, 0.98, 0.9999),
    "lr": (0.01, 0.001, 0.1, 1e-4),
    "weight_decay": (0.01, 0.1, 1e-4, 1e-3),
}


def handlings(method: Method, names: list[str], counted: bool) -> Iterator[Candidate]:
    """``method`` の動かし方の間違い。``names``: 状態の名前。``counted``: 回数 t を使う手法か。"""
    rows = [*(_COUNTED if counted else ()), *_LOOPS, *(_STATES if names else ())]
    for identifier, words, handling in rows:
        label = method.labels[0] if identifier == "state/forgotten" else None
        yield Candidate(identifier, words, label, handling=handling)
    if method.name in _ONCE:
        words = "状態を、はじめの 1 歩でしか更新していません(if の中に入れていませんか)"
        kept = tuple((label, f"{name}_t") for label, name, _ in _ONCE[method.name])
        first = tuple((label, formula) for label, _, formula in _ONCE[method.name])
        yield Candidate("state/once", words, None, kept, Handling(first=first))
    if "lambda" in method.hyperparameters.values():
        yield _coupled(method)
    for name in names:
        for slug, words, start in _STARTS:
            text = f"{name} を、0 でなく{words}から始めています"
            yield Candidate(f"state/{name}-{slug}", text, handling=Handling(start=((name, start),)))
    if method.name in ("Momentum", "Nesterov"):
        words = "v を、0 でなくはじめの勾配(の -η 倍)から始めています"
        yield Candidate("state/v-step", words, handling=Handling(start=(("v", "-eta g"),)))
    if method.name == "Momentum":
        words = "慣性の項が、1 つ前の位置でなく、出発点からの変化です(前の位置を更新していません)"
        formulas = (("a_next", "a_t"), ("eq-momentum-v", "alpha * (w_t - a_t) - eta * g_t"))
        yield Candidate("state/from-start", words, None, formulas, Handling(start=(("a", "w"),)))
        words = "はじめの勾配の配列そのものを、写さずに速度にしています。速度を書き換えると勾配も変わり、はじめの勾配が 2α 倍で入ります"
        yield Candidate("state/v-is-gradient", words, handling=Handling(first=(("eq-momentum-v", "-2 * alpha * eta * g_t"),)))  # fmt: skip
    if len(names) > 1:
        for slug, words, start in _STARTS[:2]:
            text = f"{'、'.join(names)} を、0 でなく{words}から始めています"
            handling = Handling(start=tuple((name, start) for name in names))
            yield Candidate(f"state/all-{slug}", text, handling=handling)
    for what, words, constants in _GRADIENTS:
        for c in constants:
            yield Candidate(
                _named("gradient", what, c), words.format(c=c), handling=Handling(gradient=(what, c))
            )
    for what, words, constants in _WEIGHTS:
        for c in constants:
            yield Candidate(_named("weight", what, c), words.format(c=c), handling=Handling(weight=(what, c)))


def _coupled(method: Method) -> Candidate:
    words = "λw を勾配に足しています(切り離した重み減衰は、重みに直接かけます)"
    handling = Handling(gradient=("coupled", 0.0))
    return Candidate("loop/coupled-decay", words, handling=handling)


def _named(kind: str, what: str, constant: float) -> str:
    return f"{kind}/{what.replace(' ', '-')}" + (f"-{constant:g}" if constant else "")


#: 手法にない引数に、ほかの手法としてよく書き込まれている値。
_HARD_CODED: dict[str, tuple[float, ...]] = {
    "alpha": (0.9, 0.99, 0.5),
    "rho": (0.9, 0.99, 0.999, 0.95),
    "varepsilon": (1e-8, 1e-7),
}
_LETTERS = {"alpha": "α", "rho": "ρ", "varepsilon": "ε"}
_BORROWED = (
    ("SGD", "Momentum"),
    ("SGD", "Nesterov"),
    ("SGD", "AdaGrad"),
    ("SGD", "RMSProp"),
    ("AdaGrad", "RMSProp"),
)


def borrowed(method: Method) -> Iterator[Candidate]:
    """引数の足りない、ほかの手法。足りない値は、よく書き込まれているものを試す。"""
    for own, other in _BORROWED:
        if own != method.name:
            continue
        missing = [
            symbol
            for symbol in EVERY_METHOD[other].hyperparameters.values()
            if symbol not in method.hyperparameters.values()
        ]
        for values in product(*(_HARD_CODED[symbol] for symbol in missing)):
            given = tuple(zip(missing, values, strict=True))
            said = "、".join(f"{_LETTERS[symbol]} = {value:g}" for symbol, value in given)
            words = f"{other} の式です({said} が書き込まれています)"
            label = method.labels[-1]
            identifier = "-".join([f"method/{other}", *(f"{value:g}" for value in values)])
            yield Candidate(identifier, words, label, handling=Handling(values=given), method=other)


#: 引数の値の間違いについて、読者に言う一文。
OTHER_VALUE = "{name} に {given} を渡しましたが、{value} で計算しています"
EXCHANGED = "{one} と {other} が入れ替わっています(式の中か、引数の順を取り違えています)"


def other_values(method: Method, hyperparameters: Hyperparameters) -> Iterator[Candidate]:
    """渡された引数の代わりに、よく書き込まれている値を使うもの。"""
    for name, given in hyperparameters.items():
        symbol = method.hyperparameters[name]
        for value in OFTEN_WRITTEN.get(name, ()):
            if value != given:
                words = OTHER_VALUE.format(name=name, given=f"{given:g}", value=f"{value:g}")
                yield Candidate(f"value/{name}", words, handling=Handling(values=((symbol, value),)))


def exchanged_values(
    method: Method, equations: Equations, hyperparameters: Hyperparameters
) -> Iterator[Candidate]:
    """2 つの引数の値を取り違えたもの。"""
    for (one, first), (other, second) in combinations(hyperparameters.items(), 2):
        symbols = method.hyperparameters[one], method.hyperparameters[other]
        label = next(each for each in method.labels if {*symbols} & {*equations[each].symbols})
        words = EXCHANGED.format(one=one, other=other)
        if first != second:
            yield Candidate(f"value/{one}-{other}-exchanged", words, label, handling=Handling(exchanged=symbols))


#: 足どりから直に分かるふるまい(``computing.running`` が見つける)。名前 → 読者に言う一文。
FAULTS = {
    "loop/gradient-once": "勾配を、はじめの 1 度しか計算していません(ループの前で計算しているか、ループの中の return で 1 歩で終わっています)。ステップごとに、その重みのところで計算します",
    "loop/gradient-kept": "渡された勾配の配列を、写さずに取っておいています。次のステップで中身が変わると、状態も変わります(.copy() が要ります)",
    "loop/gradient-at-start": "勾配を、いつも出発点で計算しています。ステップごとに、今の重みのところで計算します",
    "loop/points-alike": "途中の点として、同じ 1 つの配列を並べています(x.copy() を並べます)。並べた点は、どれも終わりの点になります",
    "loop/shared-between-instances": "状態を、ほかのインスタンスと共有しています。作り直しても、前の状態が残っています(クラス変数、引数の既定値の {}、グローバル変数に置いていませんか)",
    "loop/kept-by-shape": "状態の辞書のキーが、配列の形です。形の同じ 2 つの重みが、1 つの状態を使い回します",
    "loop/float64": "float32 の重みが、float64 に変わります(更新の量は float32 のまま、重みだけを float64 にしています)",
}
