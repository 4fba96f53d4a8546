"""6 章: 7 つの手法を、小さな地形と MNIST で比べる。"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from fumoto.experiments.kept import kept
from fumoto.experiments.momentum import escape_steps
from fumoto.experiments.protocol import (
    PILOT,
    RUNGS,
    Range,
    Report,
    Rung,
    Setting,
    Space,
    Tuned,
    report,
    seeds_needed,
    tune,
)
from fumoto.hints import Array, Arrays
from fumoto.network import MLP
from fumoto.optimizers import SGD, AdaDelta, AdaGrad, Adam, Momentum, Nesterov, Optimizer, RMSProp
from fumoto.surfaces import Surface, bowl, ravine
from fumoto.training import descend

METHODS = {
    "SGD": SGD,
    "Momentum": Momentum,
    "NAG": Nesterov,
    "AdaGrad": AdaGrad,
    "RMSProp": RMSProp,
    "AdaDelta": AdaDelta,
    "Adam": Adam,
}
# --- 小さな地形 -------------------------------------------------------------------------------------------

ARRIVED = 0.05  # 谷底からこの距離の中に入り、出なくなったら着いたとみなす
STEPS = 400  # これより遅く着いた設定は数えない
LONG = 1000  # この歩数まで、また離れないかを調べる
SETTINGS = 1000  # 手法ごとに試す設定の数

_INERTIA = Range(0.01, 0.99, from_one=True)
_MEMORY = Range(0.01, 0.9999, from_one=True)
_EPS = Range(1e-8, 10.0)
_SLIDING = Range(0.01, 5.0)  # SGD の学習率
_LARGE = 1000.0  # 分母の ε がこれだけ大きければ、割り算は効かず、η/ε の GD かモーメンタム法と同じになる
_SCALED = Range(10.0, 5000.0)
SURFACE_SPACES = {
    "SGD": Space(_SLIDING),
    "Momentum": Space(Range(0.001, 5.0), {"momentum": _INERTIA}, {"lr": _SLIDING, "momentum": 0.0}),
    "NAG": Space(Range(0.001, 5.0), {"momentum": _INERTIA}, {"lr": _SLIDING, "momentum": 0.0}),
    "AdaGrad": Space(Range(0.01, 20.0), {"eps": _EPS}, {"lr": _SCALED, "eps": _LARGE}),
    "RMSProp": Space(
        Range(0.001, 5.0),
        {"decay_rate": _MEMORY, "eps": _EPS},
        {"lr": _SCALED, "decay_rate": 0.99, "eps": _LARGE},
    ),
    "AdaDelta": Space(
        Range(0.01, 1000.0),
        {"decay_rate": _MEMORY, "eps": _EPS},
        {"lr": _SLIDING, "decay_rate": 0.99, "eps": _LARGE},
    ),
    "Adam": Space(
        Range(0.001, 50.0),
        {"beta1": _INERTIA, "beta2": _MEMORY, "eps": _EPS},
        {"lr": Range(1.0, 50_000.0), "beta1": _INERTIA, "beta2": 0.999, "eps": _LARGE},
    ),
}


@dataclass(frozen=True)
class Descents:
    """1 つの手法で、設定を変えて地形を下りた結果。どれも、試した設定の順に並ぶ。

    ``arrivals``: 着くまでの歩数。図の範囲から飛び出すか、``STEPS`` 歩までに着かなければ inf。
    ``overshoots``: 谷底を通り過ぎた割合。出発点から谷底までの距離を 1 として、座標ごとに測った大きい方。
    """

    settings: list[dict[str, float]]
    arrivals: Array
    overshoots: Array

    def fastest(self, overshoot: float = np.inf) -> int | None:
        """行き過ぎが ``overshoot`` までの設定のうち、いちばん早く着くものの番号。なければ None。"""
        allowed = np.where(self.overshoots <= overshoot, self.arrivals, np.inf)
        best = min(range(len(allowed)), key=lambda k: (allowed[k], self.overshoots[k]))
        return best if np.isfinite(allowed[best]) else None

    def front(self) -> list[int]:
        """より早く、より行き過ぎない設定がほかにないものの番号。早い順。"""
        order = sorted(range(len(self.arrivals)), key=lambda k: (self.arrivals[k], self.overshoots[k]))
        found: list[int] = []
        for k in order:
            least = self.overshoots[found[-1]] if found else np.inf
            if np.isfinite(self.arrivals[k]) and self.overshoots[k] < least:
                found.append(k)
        return found


@kept
def descents(
    method: Callable[..., Optimizer], space: Space, surface: Surface, number: int = SETTINGS, seed: int = 0
) -> Descents:
    """``space`` から取った ``number`` 個の設定で、地形の出発点から下りる。"""
    if surface.minimum is None:
        raise ValueError(f"surface には谷底のある地形を渡します(渡されたもの: {surface.name})")
    settings = space.everything(number, np.random.default_rng(seed))
    paths = all_paths(method, settings, surface, LONG)
    offset = np.subtract(surface.start, surface.minimum)[:, None]
    place = paths - np.array(surface.minimum)[:, None]
    low, high = np.reshape(surface.window, (2, 2)).T[..., None]
    inside = np.all((paths >= low) & (paths <= high), axis=(0, 1))
    away = ~(np.abs(place).max(axis=1) < ARRIVED)  # 大きい方の座標で測る
    arrivals = np.where(away.any(axis=0), len(away) - np.argmax(away[::-1], axis=0), 0)
    with np.errstate(all="ignore"):
        beyond = np.nanmax(-place * np.sign(offset) / np.abs(offset), axis=(0, 1))
    arrived = inside & (arrivals <= STEPS)
    return Descents(settings, np.where(arrived, arrivals, np.inf), np.maximum(beyond, 0.0))


def all_paths(
    method: Callable[..., Optimizer], settings: list[dict[str, float]], surface: Surface, steps: int
) -> Array:
    """設定ごとの道を、並べて一度に計算する(どの手法も、要素ごとの計算だけでできている)。``(steps + 1, 2, 設定の数)``。"""
    optimizer = method()
    for name in settings[0]:
        setattr(optimizer, name, np.array([setting[name] for setting in settings]))
    w = np.repeat(np.array(surface.start)[:, None], len(settings), axis=1)
    paths = np.empty((steps + 1, *w.shape))
    paths[0] = w
    with np.errstate(all="ignore"):  # 発散した道は inf や nan になる
        for path in paths[1:]:
            optimizer.update({"w": w}, {"w": surface.gradient(w)})
            path[...] = w
    return paths


@dataclass(frozen=True)
class Runner:
    """地形を下りた 1 つの手法の、いちばん早く着く設定と、その道 ``(LONG + 1, 2)``。"""

    name: str
    setting: dict[str, float]
    path: Array
    arrival: int
    overshoot: float


def all_descents(surface: Surface) -> dict[str, Descents]:
    """7 つの手法の ``descents``。手法の名前 → ``Descents``。"""
    return {name: descents(method, SURFACE_SPACES[name], surface) for name, method in METHODS.items()}


def race(found: Mapping[str, Descents], surface: Surface) -> dict[str, Runner]:
    """7 つの手法を、それぞれ、試したうちでいちばん早く着く設定で走らせる。手法の名前 → ``Runner``。"""
    runners = {}
    for name, tried in found.items():
        best = tried.fastest()
        if best is None:
            raise ValueError(f"{name} は、{surface.name}の谷底に、どの設定でも着きませんでした")
        path = descend(METHODS[name](**tried.settings[best]), surface, surface.start, LONG)
        runners[name] = Runner(
            name, tried.settings[best], path, int(tried.arrivals[best]), float(tried.overshoots[best])
        )
    return runners


def best_settings() -> dict[str, dict[str, dict[str, float]]]:
    """動かせる図がはじめに使う設定: 地形 → 手法のクラスの名前 → いちばん早く着いた引数。"""
    return {
        key: {
            METHODS[name].__name__: runner.setting
            for name, runner in race(all_descents(surface), surface).items()
        }
        for key, surface in (("bowl", bowl), ("ravine", ravine))
    }


@dataclass(frozen=True)
class SaddleRace:
    """鞍の軸からの距離ごとの、抜けるまでの歩数。手法 → ``(距離の数,)``。"""

    offsets: Array
    steps: Arrays
    paths: Arrays
    lr: float
    start: tuple[float, float]


def saddle_race(
    surface: Surface, lr: float = 0.05, start: tuple[float, float] = (1.5, 1e-3), steps: int = 120
) -> SaddleRace:
    """7 つの手法を同じ学習率で鞍に置き、軸からの距離を変えて、抜けるまでの歩数を数える。

    AdaDelta だけは学習率の意味が違うので、原論文どおり lr = 1 で走らせる。
    """
    offsets = 10.0 ** -np.arange(1, 11)
    rates = {name: 1.0 if name == "AdaDelta" else lr for name in METHODS}
    counts = {
        name: np.array([escape_steps(method(lr=rates[name]), offset, limit=5000) for offset in offsets])
        for name, method in METHODS.items()
    }
    paths = {name: descend(method(lr=rates[name]), surface, start, steps) for name, method in METHODS.items()}
    return SaddleRace(offsets, counts, paths, lr, start)


# --- MNIST ------------------------------------------------------------------------------------------------

MNIST_SIZES = [784, 100, 100, 100, 100, 10]
NETWORK = partial(MLP, MNIST_SIZES)
FEW = 3  # 全部は選ばないときの、報告する種の数
LINE, FREE = 7, 16  # 試す設定の数: η だけを変えたものと、全部を変えたもの
COMPARED = 2 * (len(METHODS) - 1)  # SGD と比べる区間の数: 損失と正解率
WIDTH = 0.01  # 正解率の差の区間の、半分の幅の目標

_PLAIN = Range(0.01, 3.0)  # SGD の学習率
_ALPHA = Range(0.5, 0.99, from_one=True)
_RHO = Range(0.9, 0.999, from_one=True)
_EPSILON = Range(1e-10, 1e-4)
# 分母の ε が √h よりずっと大きければ、割り算は効かず、SGD か Momentum と同じになる
SPACES = {
    "SGD": Space(_PLAIN),
    "Momentum": Space(Range(0.001, 1.0), {"momentum": _ALPHA}, {"lr": _PLAIN, "momentum": 0.0}),
    "NAG": Space(Range(0.001, 1.0), {"momentum": _ALPHA}, {"lr": _PLAIN, "momentum": 0.0}),
    "AdaGrad": Space(Range(0.001, 0.3), {"eps": _EPSILON}, {"lr": Range(0.1, 30.0), "eps": 10.0}),
    "RMSProp": Space(
        Range(0.0001, 0.03),
        {"decay_rate": _RHO, "eps": _EPSILON},
        {"lr": _PLAIN, "decay_rate": 0.99, "eps": 1.0},
    ),
    "AdaDelta": Space(
        Range(0.1, 30.0),
        {"decay_rate": _RHO, "eps": Range(1e-8, 1e-3)},
        {"lr": _PLAIN, "decay_rate": 0.99, "eps": 1.0},
    ),
    "Adam": Space(
        Range(0.0001, 0.03),
        {"beta1": _ALPHA, "beta2": _RHO, "eps": _EPSILON},
        {"lr": Range(0.1, 10.0), "beta1": _ALPHA, "beta2": 0.999, "eps": 1.0},
    ),
}
TUNED = ("既定のまま", "学習率だけ", "全部")  # どこまで選ぶか


def trials(name: str, seed: int = 0) -> dict[str, list[Setting]]:
    """手法 ``name`` の、どこまで選ぶか(``TUNED``)ごとの、試す設定。後のものは、前のものを含む。"""
    method, space, rng = METHODS[name], SPACES[name], np.random.default_rng(seed)
    default = {key: p.default for key, p in inspect.signature(method).parameters.items()}
    groups = ([default], space.rates_only(LINE, rng), space.everything(FREE, rng))
    found, nested = [], {}
    for tuned, values in zip(TUNED, groups, strict=True):
        found += [Setting(method, tuple((default | each).items()), NETWORK) for each in values]
        nested[tuned] = list(found)
    return nested


@dataclass(frozen=True)
class MnistComparison:
    """``tuned``, ``reports``: (どこまで選ぶか, 手法) → 選んだ設定と試した設定、使っていない種での結果。

    種は ``seeds``。全部は選ばないときは、そのはじめの ``FEW`` 個。
    """

    seeds: tuple[int, ...]
    tuned: dict[tuple[str, str], Tuned]
    reports: dict[tuple[str, str], Report]

    def best(self) -> dict[str, Report]:
        """引数を全部選んだときの結果。手法 → ``Report``。"""
        return {name: report for (tuned, name), report in self.reports.items() if tuned == TUNED[-1]}

    def work(self) -> tuple[int, int]:
        """学習の回数と、そのステップ数の合計。同じ設定と種の学習は、一度だけ数える。"""
        done = {
            (trial.setting, trial.steps, seed)
            for found in self.tuned.values()
            for trial in found.trials
            for seed in trial.seeds
        }
        for found in self.reports.values():
            used = self.seeds[: len(found.losses)]
            done |= {(found.setting, found.losses.shape[1], seed) for seed in used}
        return len(done), sum(steps for _, steps, _ in done)


def tuned_on_mnist(rungs: Sequence[Rung] = RUNGS, processes: int = -1) -> dict[tuple[str, str], Tuned]:
    """(どこまで選ぶか, 手法) → MNIST の検証データで選んだ設定。

    少なく選んだときに勝った設定は、多く選ぶときにも最後の段まで残る。検証用の損失は、多く選んで大きくなることはない。
    """
    found: dict[tuple[str, str], Tuned] = {}
    nested = {name: trials(name) for name in METHODS}
    for place, tuned in enumerate(TUNED):
        groups = {(tuned, name): nested[name][tuned] for name in METHODS}
        before = {(tuned, name): [found[less, name].setting for less in TUNED[:place]] for name in METHODS}
        found |= tune(groups, rungs, before, processes)
    return found


def mnist_comparison(rungs: Sequence[Rung] = RUNGS, processes: int = -1) -> MnistComparison:
    """7 つの手法を、どこまで選ぶかを変えて、MNIST で比べる(``fumoto.experiments.protocol``)。

    選んだ設定で、``rungs`` の最後の段と同じステップ数だけ学習し直す。
    """
    tuned, steps = tuned_on_mnist(rungs, processes), rungs[-1].steps
    chosen = {key: found.setting for key, found in tuned.items()}
    best = {key: setting for key, setting in chosen.items() if key[0] == TUNED[-1]}
    pilot = report(best, range(1, PILOT + 1), steps, processes)
    number = seeds_needed([found.validation_accuracy for found in pilot.values()], WIDTH, COMPARED)
    seeds = tuple(range(1, number + 1))
    fewer = report({key: chosen[key] for key in chosen if key not in best}, seeds[:FEW], steps, processes)
    return MnistComparison(seeds, tuned, fewer | report(best, seeds, steps, processes))
