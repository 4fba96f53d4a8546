"""読者の最適化手法の呼び方を決め、問題の上で走らせる。読者のコードに触れるのは、ここから先だけである。"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fumoto.checking.calling import values
from fumoto.checking.calling.safety import ReaderError, within_time_limit
from fumoto.checking.calling.shapes.loops import Loop
from fumoto.checking.calling.shapes.making import NOTHING
from fumoto.checking.calling.shapes.opening import starts_of
from fumoto.checking.calling.shapes.units import example
from fumoto.checking.calling.shapes.visible import written_numbers
from fumoto.checking.calling.shapes.walking import Plan
from fumoto.checking.calling.trying import FAILED, Trial, Wanted, choose, copied, walker
from fumoto.checking.computing.running import follow
from fumoto.hints import Array, Arrays, Hyperparameters

if TYPE_CHECKING:
    from fumoto.checking.computing.problems import Problem, Trajectory


@dataclass(frozen=True)
class Observed:
    """読者のものを走らせて、見えたこと。

    ``how``: 呼び方の一文。``trajectories``: 問題ごとの足どり。``own``: 読者の引数の名前 → 値(属性などから分かったものも)。
    ``passed``: ``own`` のうち、渡したか、引数の既定値であるもの。``ignored``: 受け取るのに、変えても動きの変わらない引数。
    ``idle``: そのうち、更新の計算の中で使われているもの。
    ``unplaced``: 渡された値のうち、受け取る引数のなかったもの。``assumed``: 既定値がないので、よくある値を渡した引数。
    ``places``: 少し違う引数で走らせたときの、引数の名前 → 渡したところ。
    ``inverted``: そのうち、値 v が、減衰率 1 - v を表すとみなす引数。``title``: クラスや関数の名前。``written``: コードに書かれた小数。``others``: 区別できない、ほかの呼び方で見えたこと。
    """

    how: str
    trajectories: "list[Trajectory]"
    own: dict[str, Any] = field(default_factory=dict)
    passed: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    unplaced: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    places: dict[str, values.Place] = field(default_factory=dict)
    inverted: frozenset[str] = frozenset()
    title: str = ""
    written: tuple[float, ...] = ()
    others: "tuple[Observed, ...]" = ()

    def values(self, names: Sequence[str], only_passed: bool = False) -> dict[str, float]:
        """手法の引数 ``names`` の値。分かったものだけ。"""
        passed = {name: v for name, v in self.own.items() if name in self.passed}
        seen = {} if only_passed else self._meant(names, self.own)
        return {**seen, **self._meant(names, passed)}  # 同じものを別の名前の属性にも持っていることがある

    def _meant(self, names: Sequence[str], own: dict[str, Any]) -> dict[str, float]:
        return values.values_of(names, {name: 1 - v if name in self.inverted else v for name, v in own.items()})

    def paths(self, names: Sequence[str]) -> "list[Trajectory]":
        """足どり。少し違う引数で走らせたものの引数は、手法の引数 ``names`` で言い直す。"""
        return [self._renamed(path, names) for path in self.trajectories]

    def _renamed(self, path: "Trajectory", names: Sequence[str]) -> "Trajectory":
        if path.elsewhere is None:
            return path
        own = {name: v for name, v in self.own.items() if name in self.passed}
        for ours, value in path.elsewhere.values.items():
            own = values.changed(own, self.places[ours], value)
        known = {**self.values(names), **self._meant(names, own)}
        return replace(path, elsewhere=replace(path.elsewhere, values=known))


def observe(
    thing: Any,
    hyperparameters: Hyperparameters,
    problems: "Sequence[Problem]",
    names: tuple[str, ...] | None = None,
    method: str | None = None,
) -> Observed:
    """読者のものを、問題の上で 1 つずつ走らせる。走らなければ ``ReaderError``。

    ``names``: 手法の引数の名前。``method``: 手法の名前。どちらも、決まっていなければ None。
    """
    return within_time_limit(_observe, thing, wanted_of(thing, hyperparameters, problems, names, method), problems)


def wanted_of(
    thing: Any,
    hyperparameters: Hyperparameters,
    problems: "Sequence[Problem]",
    names: tuple[str, ...] | None,
    method: str | None,
) -> Wanted:
    """``problems`` の上で走らせるときに、渡したい値と、読者のファイルから持っていくもの。"""
    matrices = all(problem.only_matrices for problem in problems)
    return Wanted(hyperparameters, names, method, matrices, starts=starts_of(thing))


def _observe(thing: Any, wanted: Wanted, problems: "Sequence[Problem]") -> Observed:
    try:
        first, *rest = chosen(thing, wanted, problems)
        seen = _first_seen(first, wanted, problems)
        title, written = _title(thing), written_numbers(thing)
        others = []
        for trial in rest:
            try:
                others.append(replace(seen_with(trial, wanted, problems), written=written))
            except ReaderError:  # 小さな問題では走っても、形がいろいろだと走らない
                continue
        first.rewind()
        others += [replace(each, written=written) for each in _with_complements(seen, wanted, first.plan)]
    except ReaderError:
        raise
    except Exception as error:  # 読者のものは、属性を見るだけでも例外を起こせる
        raise ReaderError(f"呼び方を調べるうちに {type(error).__name__} が起きました。") from None
    return replace(seen, others=tuple(others), title=title, written=written)


_RATES = ("momentum", "decay_rate", "beta1", "beta2")
_CLEAR = {"mu", "beta1", "beta2", "b1", "b2", "beta", "rho", "gamma", "decayrate", "rho1", "rho2", *values.NAMES["momentum"]} - {"decay", "alpha"}


def _with_complements(seen: Observed, wanted: Wanted, plan: Plan | Loop) -> list[Observed]:
    """読者の既定値が小さな減衰率は、この本の 1 - β のことかもしれない(``decay1=0.1`` や、平滑化の ``alpha=0.1``)。"""
    defaults = {name: values.number(value) for name, value in (plan.accepts | plan.unnamed).items()}
    unclear = {
        name: v
        for name, v in defaults.items()
        if v is not None and 0 < v < 0.5 and values.normal(name) not in _CLEAR
    }
    places = values.meanings(wanted.names or tuple(values.NAMES), seen.own)
    passed = values.meanings(wanted.names or tuple(values.NAMES), {n: seen.own[n] for n in seen.passed})
    small = {
        own
        for ours, (own, position) in (*places.items(), *passed.items())
        if ours in _RATES and position is None and not (ours == "momentum" and own == "alpha")
        if own in unclear or (own not in defaults and seen.own[own] in unclear.values())
    }
    return [replace(seen, inverted=frozenset(small))] if small else []


def chosen(thing: Any, wanted: Wanted, problems: "Sequence[Problem]") -> list[Trial]:
    """呼び方。どれも走らなければ、問題の重みがどれも同じ形なら、そういう重みで試す。"""
    found = choose(thing, wanted)
    alike = len({w.shape for problem in problems for w in problem.start.values()}) == 1
    return choose(thing, replace(wanted, alike=True)) if alike and found[0].rank == FAILED else found


ADAPTER = (
    "次の 2 行を持つクラスにして渡してください:\n"
    "def update(self, params, grads):\n    for key in params: params[key] -= …  # grads[key] から決まる量"
)


def _first_seen(trial: Trial, wanted: Wanted, problems: "Sequence[Problem]") -> Observed:
    try:
        return seen_with(trial, wanted, problems)
    except ReaderError as error:
        if trial.rank != FAILED or trial.tried == 1:
            raise
        tried = f"{error}\n(呼び方を {trial.tried} 通り試しましたが、どれも走りませんでした。この誤りは、{_when(trial.how)})"
        text = tried if "params, grads" in trial.how else f"{tried}\n{ADAPTER}"
        raise ReaderError(text, error.variant) from None


def _when(how: str) -> str:
    return how.removesuffix("ました。") + "たときのものです。"


def seen_with(trial: Trial, wanted: Wanted, problems: "Sequence[Problem]") -> Observed:
    """``trial`` の呼び方で、問題の上を走らせて見えたこと。走らなければ ``ReaderError``。"""
    accepts = trial.plan.accepts
    own = {**trial.plan.unnamed, **(trial.settings or {})}
    own |= {**{n: v for n, v in accepts.items() if _is_value(n, v)}, **trial.own}
    passed = [*(n for n, v in accepts.items() if _is_value(n, v)), *trial.own, *(trial.config or {})]
    placed = {*accepts, *trial.own}
    shown = {name: own.get(name) for name in placed}
    unplaced = [n for n in wanted.given if n not in placed and n not in values.meanings([n], shown)]
    chosen = {*wanted.given, *(place[0] for place in values.meanings(wanted.given, shown).values())}
    assumed = [name for name in trial.own if name not in chosen]
    places = values.meanings(
        wanted.names or tuple(values.NAMES), {n: own[n] for n in (*accepts, *trial.own) if n in own}
    )
    reading = trial.reading(places)
    if trial.alike:
        problems = [each for each in problems if len({w.shape for w in each.start.values()}) == 1]
    given = values.values_of(places, own)
    paths = [follow(reading, given, problem) for problem in problems]
    ignored = tuple(name for name in placed if name in own and _is_ignored(trial, name, own[name], wanted))
    return Observed(
        trial.how,
        paths,
        own,
        tuple(passed),
        ignored,
        tuple(name for name in ignored if name in _start(trial, trial.own, wanted).read()),
        tuple(unplaced),
        tuple(assumed),
        places,
    )


def _title(thing: Any) -> str:
    try:
        return str(getattr(thing, "__name__", type(thing).__name__))
    except Exception:  # 読者のものは、名前を聞くだけでも例外を起こせる
        return ""


def _is_value(name: str, value: object) -> bool:
    return value is not NOTHING and (values.number(value) is not None or values.pair(name, value) is not None)


def _is_ignored(trial: Trial, name: str, value: Any, wanted: Wanted) -> bool:
    """引数 ``name`` の値を変えても、動きが少しも変わらないか。"""
    try:
        other = {**trial.own, name: _another(name, value)}
        before = _path(trial, trial.own, wanted)
        finite = all(np.all(np.isfinite(w)) for w in before)  # 発散すれば、値によらず同じに見える
        return finite and all(map(np.array_equal, before, _path(trial, other, wanted)))
    except ReaderError:
        return False


def _another(name: str, value: Any) -> Any:
    if (both := values.pair(name, value)) is not None:
        return type(value)(_another("beta", each) for each in both)
    if values.normal(name) in values.NAMES["eps"]:
        return 1e-3 + 10.0 * value
    return 0.5 * value if value else 0.3


def _start(trial: Trial, own: dict[str, Any], wanted: Wanted) -> Any:
    """小さな重みから歩きはじめるもの。"""
    trial.rewind()
    return walker(trial.plan, copied(example(wanted.matrices, trial.alike)), own)


def _path(trial: Trial, own: dict[str, Any], wanted: Wanted) -> list[Array]:
    """大きな勾配も小さな勾配もある、短い足どり。"""
    start = example(wanted.matrices, trial.alike)
    rng = np.random.default_rng(2)
    walk, path = _start(trial, own, wanted), []
    for size in (1e-6, 1.0, 1e-3, 1.0, 1e-6):
        grads: Arrays = {key: size * rng.normal(size=w.shape) for key, w in start.items()}
        path += [np.array(w) for w in walk.step(grads).values()]
    return path
