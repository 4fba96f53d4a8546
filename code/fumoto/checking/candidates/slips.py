"""手法ごとの、よくある書き間違いと、ほかの手法との取り違え。式の木の 1 か所の変更(``printed.mutation``)では作れないもの。"""

from collections.abc import Iterator

from fumoto.checking.candidates.before_adam import (
    ADADELTA,
    ADAGRAD,
    MOMENTUM,
    NESTEROV,
    RMSPROP,
    SGD,
    rate_kept,
)
from fumoto.checking.candidates.candidate import Candidate
from fumoto.checking.candidates.from_adam import (
    ADAMW,
    LION,
    MUON,
    adam,
    adam_states,
    muon_rounds,
    muon_states,
)
from fumoto.checking.candidates.patterns import Row

#: 間違いでなく、名前のある別の手法。
_PUBLISHED = ("amsgrad", "nadam", "adamax", "adabelief", "centered", "with-momentum", "with-average")

ROWS: dict[str, tuple[Row, ...]] = {
    "SGD": SGD,
    "Momentum": MOMENTUM,
    "Nesterov": NESTEROV,
    "AdaGrad": ADAGRAD,
    "RMSProp": RMSPROP,
    "AdaDelta": ADADELTA,
    "Adam": adam("eq-adam-w", "w_t"),
    "AdamW": ADAMW,
    "Lion": LION,
    "Muon": MUON,
}

#: 調べる手法 → (別の手法, 違いの現れる式のラベル, 読者に言う一文)。
OTHERS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Momentum": (
        (
            "SGD",
            "eq-momentum-v",
            "SGD と同じ動きで、慣性が効いていません(αv の項がないか、v を毎回 0 に戻しています)",
        ),
        ("Nesterov", "eq-momentum-w", "Nesterov の加速勾配法の式です"),
    ),
    "Nesterov": (
        (
            "SGD",
            "eq-nesterov-w",
            "SGD と同じ動きで、慣性が効いていません(αv の項がないか、v を毎回 0 に戻しています)",
        ),
        ("Momentum", "eq-nesterov-w", "モーメンタム法の式で、先読みがありません"),
    ),
    "AdaGrad": (("SGD", "eq-adagrad-w", "SGD と同じ動きで、h が使われていません"),),
    "RMSProp": (
        ("AdaGrad", "eq-rmsprop-h", "AdaGrad の式です(h が平均でなく和で、ρ が使われていません)"),
        ("SGD", "eq-rmsprop-w", "SGD と同じ動きで、h が使われていません"),
        ("AdaDelta", "eq-rmsprop-w", "AdaDelta の式です"),
    ),
    "AdaDelta": (
        ("RMSProp", "eq-adadelta-d", "RMSProp の式です(歩みの二乗平均 u が使われていません)"),
        ("AdaGrad", "eq-adadelta-d", "AdaGrad の式です"),
    ),
    "Adam": (("SGD", "eq-adam-w", "SGD と同じ動きです"),),
    "AdamW": (
        ("Adam", "eq-adamw-w", "Adam の式で、重み減衰がありません(λ が使われていません)"),
        ("SGD", "eq-adamw-w", "SGD と同じ動きです"),
    ),
    "Lion": (("SGD", "eq-lion-w", "SGD と同じ動きです"),),
}


def slips(method: str) -> Iterator[Candidate]:
    """``method`` の、式の書き間違いと取り違え。先のものほど、ありそうである。"""
    for other, label, words in OTHERS.get(method, ()):
        yield Candidate(f"method/{other}", words, label, method=other)
    for slug, words, formulas in ROWS[method]:
        label = next(label for label in formulas if label.startswith("eq-"))
        published = slug.startswith(_PUBLISHED)
        yield Candidate(f"{label}/{slug}", words, label, tuple(formulas.items()), published=published)
    if method in ("Adam", "AdamW"):
        yield from adam_states(method)
    if method == "Muon":
        yield from muon_rounds()
        yield from muon_states()
    if method in ("AdaGrad", "RMSProp"):
        yield rate_kept(f"eq-{method.lower()}-w")
