"""呼び方を、小さな問題で試して選ぶ。

3 歩だけ歩かせ、全部の重みが動き、形が変わらず、有限の値であることを見る。さらに、重みを 1 だけずらして始めると、1 歩あとの重みも
1 ほどずれることを見る。重みと勾配を取り違えた呼び方や、重みでないものを重みとして読む呼び方では、そうならない。
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fumoto.checking.calling import values
from fumoto.checking.calling.reading import Reading, nothing
from fumoto.checking.calling.safety import ReaderError
from fumoto.checking.calling.shapes.choosing import groups
from fumoto.checking.calling.shapes.looping import looping
from fumoto.checking.calling.shapes.loops import Loop
from fumoto.checking.calling.shapes.making import NOTHING, usual
from fumoto.checking.calling.shapes.roles import SIZE, Role
from fumoto.checking.calling.shapes.surroundings import rewinder
from fumoto.checking.calling.shapes.units import copy_of, example
from fumoto.checking.calling.shapes.walking import Plan, walking
from fumoto.hints import Array, Arrays

FAILED, STILL, SOME, EVERY, CERTAIN = -1, 0, 1, 2, 3  # どこまで確かめられたか
ALTERNATIVES = 3  # 区別できない呼び方は、ここまで試す
SHIFT = 1.0


@dataclass
class Wanted:
    """渡したい値。``given``: 読者の渡した値。``names``: 手法の引数(手法が決まっていなければ None)。``matrices``: 行列だけで試すか。``alike``: どれも同じ形の重みで試すか。``starts``: 読者の書いた、状態を作るもの。``rewind``: 読者の関数の外にある値を、はじめに戻す。"""

    given: Mapping[str, float]
    names: tuple[str, ...] | None
    method: str | None
    matrices: bool = False
    alike: bool = False
    starts: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    rewind: Callable[[], None] = nothing

    def for_(self, accepts: Mapping[str, Any], anything: bool, class_values: Mapping[str, Any] = {}) -> dict[str, Any]:
        """受け取る引数 ``accepts`` に渡す値(読者の名前)。``class_values``: クラスに書かれた値。頼まれなければ、渡さずに任せる。"""
        own: dict[str, Any] = {}
        shown = dict(accepts)
        for name in accepts:
            if values.normal(name) == "betas" and accepts[name] is NOTHING:
                shown[name] = (0.9, 0.999)
        names = self.names or tuple(values.NAMES)
        places = values.meanings(names, shown)
        for name, value in self.given.items():
            place = places.get(name) or values.meanings([name], shown).get(name)
            if name in accepts:
                own[name] = value
            elif place is not None:
                own = values.changed({**{place[0]: shown[place[0]]}, **own}, place, value)
            elif anything:
                own[name] = value
        for ours, (name, position) in places.items():
            core = self.names is not None and ours not in ("lr", "eps")
            if (
                name not in own
                and position is None
                and (shown[name] is NOTHING or (core and shown[name] == 0))
            ):
                own[name] = values.USUAL[ours][0]
        for name, default in shown.items():
            if accepts[name] is NOTHING and name not in own:
                own[name] = usual(name) if default is NOTHING else default
        if anything and not accepts and self.names:
            known = {**class_values, **own}
            usual_ones = {n: values.USUAL[n][0] for n in self.names if not values.meanings([n], known)}
            own = {**usual_ones, **own}
        return own


@dataclass
class Trial:
    """試した結果。

    ``path``: 1 歩ごとの重み。``own``: 渡した値。``settings``: 属性か、渡した辞書に見えた値。``config``: そのうち、渡した辞書に見えたもの。
    ``tried``: 全部で何通り試したか。``key_missing``: 辞書に、読者の引いた名前がなかったか。
    ``clashing``: 形の違う配列を計算しようとしたか。``alike``: どれも同じ形の重みで試したか。
    ``rewind``: 読者の関数の外にある値を、はじめに戻す。
    """

    plan: Plan | Loop
    own: dict[str, Any]
    rank: int
    path: list[Arrays]
    how: str = ""
    settings: dict[str, Any] | None = None
    config: dict[str, Any] | None = None
    tried: int = 1
    key_missing: bool = False
    clashing: bool = False
    alike: bool = False
    rewind: Callable[[], None] = nothing

    def reading(self, places: Mapping[str, values.Place]) -> Reading:
        """呼び方。値は、この本の名前で渡す。``places``: この本の名前 → 渡すところ。"""

        def start(params: Arrays, **given: float) -> Any:
            own = dict(self.own)
            for ours, value in given.items():
                name = places[ours][0]
                own = values.changed({name: self.plan.accepts.get(name), **own}, places[ours], value)
            return walker(self.plan, params, own)

        return Reading(self.how, start, self.rewind)


def walker(plan: Plan | Loop, params: Arrays, own: dict[str, Any]) -> Any:
    """``plan`` のとおりに、その重みから歩きはじめるもの。"""
    return walking(plan, params, own) if isinstance(plan, Plan) else looping(plan, params, own)


def choose(thing: Any, wanted: Wanted) -> list[Trial]:
    """``thing`` の呼び方。はじめのものが、もっともらしい。続くものは、それと区別できず、しかも動きの違うもの。

    小さな問題ではどれも走らなければ、いちばんもっともらしいもの。試せるものがなければ ``ReaderError``。
    """
    wanted = replace(wanted, rewind=rewinder(thing))
    best: list[Trial] = []
    tried = 0
    names_matter = False
    clashing: list[Plan] = []
    for group in groups(thing, wanted.for_, wanted.starts):
        if isinstance(group[0], Plan) and group[0].named and not names_matter:
            continue
        trials = [attempt(plan, wanted) for plan in group]
        tried += len(trials)
        clashing += [t.plan for t in trials if t.clashing and isinstance(t.plan, Plan) and t.plan.takes_many]
        names_matter = names_matter or any(trial.rank == SOME or trial.key_missing for trial in trials)
        rank = max(trial.rank for trial in trials)
        if not best or rank > best[0].rank:
            best = _different(trial for trial in trials if trial.rank == rank)
        if rank == CERTAIN:
            break
    if clashing and not (isinstance(best[0].plan, Plan) and best[0].plan.takes_many and best[0].rank == CERTAIN):
        equal = [attempt(plan, replace(wanted, alike=True)) for plan in clashing]
        best = [trial for trial in equal if trial.rank == CERTAIN][:1] or best
    best[0].tried = tried
    wanted.rewind()
    return best


def _different(trials: Iterable[Trial]) -> list[Trial]:
    """動きの違うものだけ。"""
    found: list[Trial] = []
    for trial in trials:
        if not any(_same(trial.path, other.path) for other in found):
            found.append(trial)
    return found[:ALTERNATIVES]


def _same(first: list[Arrays], second: list[Arrays]) -> bool:
    return all(
        np.array_equal(a[key], b[key]) for a, b in zip(first, second, strict=True) for key in a if key in b
    )


def gradients(start: Arrays, steps: int) -> list[Arrays]:
    """試すときの勾配。大きさは 1 から 2 で、向きはまちまち。"""
    rng = np.random.default_rng(1)
    signs = {key: np.sign(rng.normal(size=w.shape)) for key, w in start.items()}
    return [{key: signs[key] * rng.uniform(1, 2, w.shape) for key, w in start.items()} for _ in range(steps)]


def attempt(plan: Plan | Loop, wanted: Wanted) -> Trial:
    """1 つの呼び方を試す。渡した辞書から読者の引いた値があれば、それも渡す値とし、違う値を頼まれていれば試しなおす。"""
    own = wanted.for_(plan.accepts, plan.anything, plan.class_values)
    trial = _attempt(plan, wanted, own)
    asked = {name: value for name, value in (trial.config or {}).items() if name not in plan.accepts}
    if not asked:
        return trial
    seen = chosen = {**asked, **own}
    for name, value in wanted.given.items():
        place = (name, None) if name in asked else values.meanings([name], asked).get(name)
        if place is not None and name not in plan.accepts:
            chosen = values.changed(chosen, place, value)
    return _attempt(plan, wanted, chosen) if chosen != seen else replace(trial, own=seen)


def _attempt(plan: Plan | Loop, wanted: Wanted, own: dict[str, Any]) -> Trial:
    start = example(wanted.matrices, wanted.alike)
    walk = again = None
    try:
        wanted.rewind()
        walk = walker(plan, copied(start), own)
        again = walker(plan, {key: w + SHIFT for key, w in start.items()}, own)
        path = [_copies(walk.step(copied(grads))) for grads in gradients(start, 3)]
        wanted.rewind()
        shifted = _copies(again.step(copied(gradients(start, 1)[0])))
    except Exception as error:  # 読者のコードの誤りのほか、この呼び方には合わないものが返ったとき
        if isinstance(error, ReaderError) and error.variant == "loop/gradient-once":
            raise
        _refuse_the_same(plan, walk, again)
        said = str(error)
        missing, clashing = "KeyError" in said, "broadcast" in said
        return Trial(plan, own, FAILED, [], _how(plan, None), key_missing=missing, clashing=clashing, rewind=wanted.rewind)
    rank = _rank(start, path, shifted, isinstance(plan, Plan) and plan.change)
    if isinstance(plan, Plan) and plan.initial == "none" and not _finite(path):
        rank = CERTAIN  # None から自分で状態を作って走った。そこに間違いがあるのに、ほかの状態を渡して隠してはいけない
    how = _how(plan, walk) + ("どれも同じ形にしました(形の違う配列では走りません)。" if wanted.alike else "")
    return Trial(plan, own, rank, path, how, walk.settings(), walk.asked(), alike=wanted.alike, rewind=wanted.rewind)


def _finite(path: list[Arrays]) -> bool:
    return all(np.all(np.isfinite(w)) for params in path for w in params.values())


def _copies(params: Mapping[str, Any]) -> Arrays:
    return {key: copy_of(w) for key, w in params.items()}


def copied(arrays: Arrays) -> Arrays:
    return {key: w.copy() for key, w in arrays.items()}


def _refuse_the_same(plan: Plan | Loop, walk: Any, again: Any) -> None:
    if isinstance(plan, Loop) or not plan.making.arguments.listed or walk is None or again is None:
        return
    if walk.made[0] is again.made[0] and not inspect.isroutine(walk.made[0]):
        raise ReaderError("2 度作っても同じものが返ります。呼ばれるたびに新しく作ってください。")


def _rank(start: Arrays, path: list[Arrays], shifted: Arrays, change: bool) -> int:
    last = path[-1]
    if last.keys() != start.keys() or any(last[key].shape != w.shape or last[key].dtype.kind != "f" for key, w in start.items()):  # fmt: skip
        return STILL
    if not _finite([last]):
        return STILL
    if not change and not any(np.any(w) for w in last.values()):
        return FAILED  # どれも 0 なら、重みでなく、動かない変化
    if change and any(shifted[key].shape == w.shape and np.any(_apart(path[0][key] - w, shifted[key] - w - SHIFT) > SHIFT / 2) for key, w in start.items()):  # fmt: skip
        return STILL  # 重みとともに変わる「変化」は、重みそのもの
    if change and not any(np.any(path[0][key] != w) for key, w in start.items()):
        return STILL  # 返されたのは、手つかずの状態
    moved = [last[key] != w for key, w in start.items()]
    if not all(np.all(each) for each in moved):  # 配列を重みのリストとみなすと、一部の行だけが動くことがある
        return SOME if any(np.any(each) for each in moved) else STILL
    for key in start:
        if shifted[key].shape != start[key].shape:
            return EVERY
        difference = shifted[key] - path[0][key]
        rounding = 1e-9 * abs(path[0][key])  # 大きく跳ぶと、ずらした分は丸められて見えない
        if not np.all(abs(difference - SHIFT) < SHIFT / 2 + rounding):
            return EVERY
    return CERTAIN


def _apart(first: Array, second: Array) -> Array:
    """向きを除いた、2 つの変化の差。足すか引くかは、1 歩ごとに決めている。"""
    return np.minimum(abs(first - second), abs(first + second))


def _how(plan: Plan | Loop, walk: Any) -> str:
    """呼び方を言う一文。"""
    made = counted = ""
    if isinstance(plan, Plan):
        made = plan.making.words + (f"{plan.setup} で重みを渡しておき、" if plan.setup else "")
        times = [a.name for a in plan.verb.arguments.listed if a.role is Role.TIME]
        if times:
            counted = f"、{times[0]} には要素の数を渡し" if plan.first_t == SIZE else f"、{times[0]} は {plan.first_t} から数え"
    given = f"{made}{plan.called()} に、{plan.words}{_to(plan.words)}渡し{counted}"
    return f"{given}ました。" if walk is None else f"{given}、{walk.result()}。"


def _to(words: str) -> str:
    return "" if words.endswith(("ずつ", "て)")) else "を"
