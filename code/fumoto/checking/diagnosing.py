"""読者のものが式と違うときに、どの呼び方とどの値で、何が見つかるか。"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from fumoto.checking.calling.optimizer import Observed
from fumoto.checking.calling.values import WORDS, meanings, normal
from fumoto.checking.candidates.recognition import agreement, exact, numerical
from fumoto.checking.computing.comparison import Comparison
from fumoto.checking.computing.constants import missing, plausible
from fumoto.checking.report import Report
from fumoto.printed.methods import Method
from fumoto.printed.pages import book


def readers_of(seen: Observed, methods: Iterable[Method]) -> list[Comparison]:
    """手法ごとの比べる相手。値は、分かったものだけ。"""
    found = []
    for method in methods:
        names = tuple(method.hyperparameters)
        found.append(Comparison(method, seen.values(names), book(), seen.paths(names), seen.written))
    return found


def with_its_place(mistake: Report | None, edited: Report) -> Report:
    """名前のある間違いなら、それに直し方を言い添える。"""
    if mistake is None:
        return edited
    return replace(mistake, notes=(*mistake.notes, edited.verdict.partition("。")[2]))


def diagnosed(
    seen: Observed, method: Method, search: Callable[[Comparison], Report | None]
) -> tuple[Observed, Comparison, Report | None]:
    """見つかった間違いと、そのときの呼び方と値。区別できない呼び方は、間違いに名前のつくものを選ぶ。"""
    first: tuple[Observed, Comparison] | None = None
    for each in (seen, *seen.others):
        (reader,) = readers_of(each, [method])
        for candidate in plausible(reader) if missing(reader) else [reader]:
            first = first or (each, candidate)
            if (mistake := search(candidate)) is not None:
                return each, candidate, mistake
        first = first or (each, reader)
    assert first is not None
    return *first, None


def written_in(seen: Observed, reader: Comparison) -> tuple[Report, Observed, Comparison] | None:
    """受け取った値を使わず、別の値が書き込まれているという ``Report``。"""
    places = meanings(reader.method.hyperparameters, seen.own)
    ignored = [ours for ours, (own, _) in places.items() if own in seen.ignored]
    if not ignored:
        return None
    known = {ours: value for ours, value in reader.hyperparameters.items() if ours not in ignored}
    found = agreement(replace(reader, hyperparameters=known), (exact, numerical))
    if found is None:
        return None
    wrong = [
        ours for ours in ignored if found.reader.hyperparameters[ours] != reader.hyperparameters.get(ours)
    ]
    said = "、".join(
        f"{places[ours][0]} を受け取っていますが、使っていません({WORDS[ours]} は {found.reader.hyperparameters[ours]:g} と書き込まれています)"
        for ours in wrong
    )
    report = Report(False, f"既知の間違い: {said}。", variant=f"constant/{'+'.join(wrong)}")
    return report, seen, found.reader


def wrong_values(seen: Observed, reader: Comparison, hyperparameters: dict[str, float]) -> Report | None:
    """動きは式と同じでも、引数の値がおかしいという ``Report``。"""
    if _exchanged_defaults(seen, reader, hyperparameters):
        words = "β₁ と β₂ の既定値が入れ替わっています。既定値のほかは、式と同じ動きをします"
        return Report(False, f"既知の間違い: {words}。", variant="constant/betas-exchanged")
    if "momentum" not in reader.method.hyperparameters:
        for own in seen.idle:
            if normal(own) in _MOMENTUM and seen.own[own]:
                words = f"{own} を掛けていますが、値を変えても動きが変わりません(掛けている速度が、いつも 0 のままです)"
                return Report(False, f"既知の間違い: {words}。", variant="constant/momentum-idle")
    return None


_MOMENTUM = ("momentum", "mom", "momentumcoef", "momentumcoefficient", "momentumrate", "momentumfactor", "慣性")


def _exchanged_defaults(seen: Observed, reader: Comparison, hyperparameters: dict[str, float]) -> bool:
    """Adam の β₁ と β₂ の値が、渡されたものでなく、読者のコードのもので、しかも逆か。"""
    places = meanings(("beta1", "beta2"), seen.own)
    given = {"beta1", "beta2", *(own for own, _ in places.values())} & hyperparameters.keys()
    beta1, beta2 = (reader.hyperparameters.get(name, 0.0) for name in ("beta1", "beta2"))
    return reader.method.name in ("Adam", "AdamW") and not given and beta1 >= 0.99 > beta2
