"""読者の最適化手法についての結論に、呼び方、書き込まれた値、走らせた範囲を書き足す。"""

from dataclasses import replace

from fumoto.checking.calling.optimizer import Observed
from fumoto.checking.calling.values import WORDS, meanings
from fumoto.checking.computing.comparison import Comparison
from fumoto.checking.computing.problems import STEPS
from fumoto.checking.report import Report

_USUAL_SHAPE = "update(params, grads) に、配列の辞書を渡し、書き換えられた重みを読みました。"


def told(
    report: Report, seen: Observed, reader: Comparison, hyperparameters: dict[str, float], before: list[str]
) -> Report:
    """呼び方、書き込まれた値、走らせた範囲を書き足した ``Report``。"""
    names = tuple(reader.method.hyperparameters)
    known = seen.values(names)
    constants = {
        n: reader.hyperparameters[n] for n in names if n not in known and n in reader.hyperparameters
    }
    if (report.variant or "").endswith("/epsilon-missing"):
        constants.pop("eps", None)
    notes = [*before, *sorted({note for path in seen.trajectories for note in path.notes})]
    if seen.how != _USUAL_SHAPE:
        notes.append(f"呼び方: {seen.how}")
    notes += [f"引数 {own} は、1 から引いた値({1 - seen.own[own]:g})を減衰率とみなしました。" for own in sorted(seen.inverted)]
    if others := [each for each in seen.others if not each.inverted]:
        notes.append(_two_ways(others))
    known_cause = report.ok or report.variant is not None
    if known_cause:  # 原因の分からないときに補った値は、書き込まれているとは言えない
        notes += [_constant(name, value) for name, value in constants.items()]
    for own in seen.unplaced:
        notes.append(f"{own}={hyperparameters[own]:g} は渡せませんでした(受け取る引数がありません)。")
    places = meanings(names, seen.own)
    for own in seen.ignored if not (report.variant or "").startswith("constant/") else ():
        notes.append(f"引数 {own} は受け取られますが、値を変えても動きが変わりません(使われていません)。")
    for ours, (own, _) in places.items():
        if own in seen.assumed and ours in reader.hyperparameters:
            notes.append(f"引数 {own} には {reader.hyperparameters[ours]:g} を渡しました。")
    same = len(seen.trajectories)
    tried = ", ".join(f"{n}={v:g}" for n, v in reader.hyperparameters.items())
    given = f"{tried} " if tried and (constants or not hyperparameters) else "この引数"
    notes.append(f"(重みの組 {same} 通り、それぞれ {STEPS} ステップ、{given}で確かめました)")
    return replace(report, notes=(*report.notes, *notes), how=seen.how, constants=constants, name=reader.method.name)


def _constant(name: str, value: float) -> str:
    if name == "lr" and value == 1:
        return "学習率は掛けられていません(η = 1 と同じです)。"
    if name == "weight_decay" and value == 0:
        return "重み減衰はかかっていません(λ = 0 と同じです)。"
    return f"{WORDS.get(name, name)} は {value:g} と書き込まれています。"


def _two_ways(others: list[Observed]) -> str:
    other = " ".join(each.how for each in others)
    return (
        f"ほかの呼び方もできて、動きが違います: {other}\n"
        "呼び方を決めるには、次の 2 行を持つクラスにして渡してください:\n"
        "def update(self, params, grads):\n    for key in params: params[key] = …  # ここで、あなたの関数を呼ぶ"
    )
