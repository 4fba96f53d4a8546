"""学習を比べる手順: 検証用の画像で選び、選ぶのに使っていない種とテスト画像で報告する。

1. 訓練の 60000 枚を一度だけ、学習用と検証用に分ける(``split``)。
2. 比べるものごとに、引数の探す範囲(``Box``)から、同じ数の設定を準乱数で取る(``spread``)。
3. 全部を短く学習し、検証用の損失の小さいものだけを、より長く学習する(``tune``)。
4. 選んだ設定を、選ぶのに使っていない種で学習し、テスト画像で一度だけ測る(``report``)。
5. 種ごとの差の平均と、その信頼区間を計算する(``difference``)。
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache, partial
from itertools import combinations
from typing import Any, TypeVar

import numpy as np
from scipy.special import stdtrit

from fumoto.datasets import features, mnist_bytes
from fumoto.experiments.kept import kept
from fumoto.experiments.parallel import run_parallel
from fumoto.hints import Array, Rng, Updates
from fumoto.network import MLP
from fumoto.training import train
from fumoto.validation import count, generator

K = TypeVar("K", bound=Hashable)  # 比べるものの名前

# --- 画像を分ける -----------------------------------------------------------------------------------------

VALIDATION = 10_000  # 検証用の画像の数
SPLIT_SEED = 0

Images = tuple[Array, Array]  # 画像 (N, 784) とラベル (N,)


@dataclass(frozen=True)
class Split:
    """``training``: 学習に使う画像。``validation``: 設定を選ぶ画像。``test``: 選んだあとで一度だけ使う画像。"""

    training: Images
    validation: Images
    test: Images


@cache
def split() -> Split:
    """MNIST の訓練の 60000 枚を、50000 枚と 10000 枚に、無作為に分ける。分け方はいつも同じである。

    >>> [len(t) for _, t in (split().training, split().validation, split().test)]
    [50000, 10000, 10000]
    """
    x, t, x_test, t_test = mnist_bytes()
    order = np.random.default_rng(SPLIT_SEED).permutation(len(x))
    chosen, rest = order[:VALIDATION], order[VALIDATION:]
    training, validation = ((features(x[part]), t[part]) for part in (rest, chosen))
    return Split(training, validation, (features(x_test), t_test))


# --- 学習する ---------------------------------------------------------------------------------------------

BATCH_SIZE = 128
CHECKS = 5  # 学習の終わりの方で、何回測るか。1 回ごとに、画像の別の 5 分の 1 で測る


@dataclass(frozen=True)
class Setting:
    """学習の設定 1 つ。

    ``optimizer``: 手法を作るもの(クラスなど)。``values``: その引数の ``(名前, 値)``。``network``: ``rng=`` からネットワークを作る関数。
    ``batch_size``: ミニバッチの画像の数。
    """

    optimizer: Callable[..., Updates]
    values: tuple[tuple[str, float], ...]
    network: Callable[..., MLP]
    batch_size: int = BATCH_SIZE

    def job(self, seed: int, steps: int, test: bool = False) -> tuple[Any, ...]:
        """``learn`` の引数。"""
        optimizer = partial(self.optimizer, **dict(self.values))
        return self.network, optimizer, seed, steps, test, self.batch_size


@dataclass(frozen=True)
class Outcome:
    """1 回の学習の結果。``losses``: ステップごとの訓練の損失 ``(steps,)``。

    ほかは、最後の 2 割のステップのあいだの平均である。1 回だけ測ると、最後の何ステップかの偶然に左右される。
    テスト画像で測っていなければ、``test_loss`` と ``test_accuracy`` は nan である。
    """

    losses: Array
    training_loss: float
    validation_loss: float
    validation_accuracy: float
    test_loss: float = np.nan
    test_accuracy: float = np.nan


@kept
def learn(
    network: Callable[..., MLP],
    optimizer: Callable[[], Updates],
    seed: int,
    steps: int,
    test: bool = False,
    batch_size: int = BATCH_SIZE,
) -> Outcome:
    """学習用の画像で ``steps`` ステップ学習し、検証用の画像で測る。``test`` なら、テスト画像でも測る。

    設定を選ぶとき(``test`` でないとき)は、検証用の画像を 1 枚おきに使う。短い学習では、測る方に時間がかかるからである。
    種が同じなら、ミニバッチの並びも、標準偏差を掛ける前の重みの乱数も同じである。
    """
    count("steps", steps, minimum=CHECKS)
    images, rng = split(), np.random.default_rng(seed)
    trained, updates = network(rng=rng), optimizer()
    x, t = images.validation
    judges = [images.validation, images.test] if test else [(x[::2], t[::2])]
    every = max(steps // CHECKS**2, 1)
    losses, judged = [], []
    with np.errstate(all="ignore"):  # 合わない設定では発散し、損失が nan になる
        for check in range(CHECKS):
            part = every if check else steps - (CHECKS - 1) * every
            losses.append(
                train(trained, updates, *images.training, steps=part, batch_size=batch_size, rng=rng)
            )
            judged.append([judge(trained, x[check::CHECKS], t[check::CHECKS]) for x, t in judges])
    values = np.concatenate(losses)
    return Outcome(values, float(values[-CHECKS * every :].mean()), *np.mean(judged, axis=0).ravel().tolist())


def judge(network: MLP, x: Array, t: Array) -> tuple[float, float]:
    """損失と正解率。"""
    y = network.predict(x)  # 損失と正解率のどちらも、同じ 1 回の順伝播から
    return float(network.loss_layer.forward(y, t)), float(np.mean(y.argmax(axis=1) == t))


# --- 探す範囲 ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Range:
    """引数 1 つの探す範囲。``low`` から ``high`` までを、対数の目盛りで一様に取る。

    ``from_one``: 1 との差を対数の目盛りで取る(α や β のように、1 との差が効く引数)。
    """

    low: float
    high: float
    from_one: bool = False

    def at(self, part: float) -> float:
        """``part``: 0(``low``)から 1(``high``)。値は 3 桁に丸める。

        >>> Range(0.001, 1.0).at(0.5), Range(0.9, 0.999, from_one=True).at(0.5)
        (0.0316, 0.99)
        """
        if self.from_one:
            return round(1 - Range(1 - self.low, 1 - self.high).at(part), 6)
        return float(f"{self.low * (self.high / self.low) ** part:.3g}")


Box = Mapping[str, Range | float]  # 引数の名前 → 探す範囲か、決まった値


def spread(box: Box, number: int, rng: Rng) -> list[dict[str, float]]:
    """``box`` から ``number`` 個の設定を、隙間なく覆う準乱数(ハルトン列)で取る。

    出典: Halton (1960) doi:10.1007/BF01386213。かき混ぜたものを SciPy で作る。

    >>> spread({"lr": Range(0.01, 1.0), "momentum": 0.9}, 3, np.random.default_rng(0))
    [{'lr': 0.26, 'momentum': 0.9}, {'lr': 0.026, 'momentum': 0.9}, {'lr': 0.821, 'momentum': 0.9}]
    """
    from scipy.stats import qmc  # 読み込みに 1 秒近くかかり、学習するだけのプロセスには要らない

    searched = [name for name, value in box.items() if isinstance(value, Range)]
    places = qmc.Halton(len(searched), rng=generator("rng", rng)).random(count("number", number))
    found = []
    for place in places:
        parts = dict(zip(searched, place, strict=True))
        found.append({name: v.at(parts[name]) if isinstance(v, Range) else v for name, v in box.items()})
    return found


@dataclass(frozen=True)
class Space:
    """1 つの手法の、探す範囲。

    ``rates``: 学習率の範囲。``own``: ほかの引数の範囲。``contained``: 別の手法と同じになる設定の範囲。
    """

    rates: Range
    own: Box = field(default_factory=dict)
    contained: Box | None = None

    def rates_only(self, number: int, rng: Rng) -> list[dict[str, float]]:
        """学習率だけを変えた、``number`` 個の設定。"""
        return spread({"lr": self.rates}, number, rng)

    def everything(self, number: int, rng: Rng) -> list[dict[str, float]]:
        """全部の引数を変えた、``number`` 個の設定。別の手法と同じになるものがあれば、4 分の 1 をそこから取る。"""
        same = number // 4 if self.contained else 0
        settings = spread({"lr": self.rates, **self.own}, number - same, rng)
        return settings + (spread(self.contained, same, rng) if self.contained else [])


# --- 選ぶ -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rung:
    """選ぶ 1 段: ``steps`` ステップの学習を ``seeds`` の種で行い、検証用の損失の平均の小さい方から ``keep`` 個を残す。"""

    steps: int
    seeds: tuple[int, ...]
    keep: int


STEPS = 400
RUNGS = (Rung(50, (1001,), 4), Rung(150, (1001,), 2), Rung(STEPS, (1002,), 1))


@dataclass(frozen=True)
class Trial:
    """試した設定と、そのステップ数と種、検証用の損失(種についての平均。発散したら inf)。"""

    setting: Setting
    steps: int
    seeds: tuple[int, ...]
    loss: float


@dataclass(frozen=True)
class Tuned:
    """選んだ設定 ``setting`` と、そのために試した全部 ``trials``。"""

    setting: Setting
    trials: list[Trial]


def tune(
    groups: Mapping[K, Sequence[Setting]],
    rungs: Sequence[Rung] = RUNGS,
    finalists: Mapping[K, Sequence[Setting]] | None = None,
    processes: int = -1,
    learning: Callable[..., Outcome] = learn,
) -> dict[K, Tuned]:
    """組ごとに、検証用の損失がいちばん小さくなる設定を 1 つ選ぶ。

    全部の設定を短く学習し、残したものだけを、はじめから、より長く学習し直す。違う組にある同じ設定は、一度だけ学習する。
    ``finalists``: 途中の段の成績によらず、最後の段まで残す設定。``learning``: 1 回の学習(``learn`` と同じ引数と結果)。
    出典: Jamieson and Talwalkar (2016) arXiv:1502.07943(逐次半減)
    """
    alive = {key: list(dict.fromkeys(group)) for key, group in groups.items()}
    trials: dict[K, list[Trial]] = {key: [] for key in groups}
    for rung in rungs:
        if rung is rungs[-1]:
            alive = {
                key: list(dict.fromkeys([*group, *(finalists or {}).get(key, [])]))
                for key, group in alive.items()
            }
        losses = _losses(
            dict.fromkeys(s for group in alive.values() for s in group), rung, processes, learning
        )
        for key, group in alive.items():
            trials[key] += [Trial(setting, rung.steps, rung.seeds, losses[setting]) for setting in group]
            alive[key] = sorted(group, key=losses.__getitem__)[: rung.keep]
    return {key: Tuned(group[0], trials[key]) for key, group in alive.items()}


def _losses(
    settings: Iterable[Setting], rung: Rung, processes: int, learning: Callable[..., Outcome]
) -> dict[Setting, float]:
    """設定ごとの、検証用の損失の、種についての平均。"""
    settings = list(settings)
    jobs = [setting.job(seed, rung.steps) for setting in settings for seed in rung.seeds]
    outcomes = run_parallel(learning, jobs, f"設定を選ぶ({rung.steps} ステップ)", processes)
    losses = np.array([outcome.validation_loss for outcome in outcomes]).reshape(len(settings), -1)
    return dict(zip(settings, np.nan_to_num(losses.mean(axis=1), nan=np.inf).tolist(), strict=True))


# --- 報告する ---------------------------------------------------------------------------------------------

PILOT = 5  # まずこの数の種で学習し、散らばりを見て、種を足す
MOST_SEEDS = 6
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Report:
    """選んだ設定を、選ぶのに使っていない種で学習した結果。``losses``: ``(種の数, ステップ数)``。ほかは ``(種の数,)``。"""

    setting: Setting
    losses: Array
    training_loss: Array
    validation_loss: Array
    validation_accuracy: Array
    test_loss: Array
    test_accuracy: Array


def report(
    chosen: Mapping[K, Setting],
    seeds: Iterable[int],
    steps: int = STEPS,
    processes: int = -1,
    learning: Callable[..., Outcome] = learn,
) -> dict[K, Report]:
    """選んだ設定を、``seeds`` の種ごとに学習し(``learning``)、テスト画像で測る。"""
    seeds = list(seeds)
    if used := sorted({seed for rung in RUNGS for seed in rung.seeds} & set(seeds)):
        raise ValueError(f"seeds に、選ぶのに使った種 {used} を入れてはいけません(渡された値: {seeds})")
    needed = list(dict.fromkeys(chosen.values()))
    jobs = [setting.job(seed, steps, test=True) for setting in needed for seed in seeds]
    outcomes = iter(run_parallel(learning, jobs, "選んだ設定で学習する", processes))
    reports = {setting: _gathered(setting, [next(outcomes) for _ in seeds]) for setting in needed}
    return {key: reports[setting] for key, setting in chosen.items()}


def _gathered(setting: Setting, outcomes: Sequence[Outcome]) -> Report:
    names = [field.name for field in fields(Report)[1:]]
    return Report(setting, *(np.array([getattr(outcome, name) for outcome in outcomes]) for name in names))


@dataclass(frozen=True)
class Interval:
    """種ごとの差の平均 ``mean`` と、その信頼区間 ``low`` から ``high``。"""

    mean: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """区間が 0 を含まないか。"""
        return self.low > 0 or self.high < 0


def difference(first: Array, second: Array, comparisons: int = 1) -> Interval:
    """同じ種どうしの差 ``first - second``: ``(種の数,)`` の平均と、その t 分布による信頼区間。

    ``comparisons``: 同じ図や表の中で比べる組の数。どれか 1 つでも区間が外れる確率が 5 % を超えないように、区間を広げる
    (ボンフェローニの補正)。

    >>> found = difference(np.array([3.0, 4.0, 5.0]), np.array([1.0, 2.0, 2.5]))
    >>> round(found.mean, 3), round(found.low, 3), round(found.high, 3), found.clear
    (2.167, 1.45, 2.884, True)
    """
    d = first - second
    half = _half_width(d.std(ddof=1), len(d), comparisons)
    return Interval(float(d.mean()), float(d.mean() - half), float(d.mean() + half))


def _half_width(spread: float, number: int, comparisons: int = 1) -> float:
    level = 1 - (1 - CONFIDENCE) / comparisons
    return stdtrit(number - 1, (1 + level) / 2) * spread / np.sqrt(number)


def seeds_needed(pilot: Iterable[Array], width: float, comparisons: int = 1) -> int:
    """どの 2 つの差の区間も、半分の幅が ``width`` に収まりそうな種の数。

    ``pilot``: 比べるものごとの、はじめの ``PILOT`` 個の種での値。差の散らばりを、そこから見積もる。
    """
    spread = max(np.std(a - b, ddof=1) for a, b in combinations(pilot, 2))
    enough = (n for n in range(PILOT, MOST_SEEDS) if _half_width(spread, n, comparisons) <= width)
    return next(enough, MOST_SEEDS)
