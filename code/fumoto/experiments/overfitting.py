"""7 章: 多項式の過学習、間違いの混ざった少ない画像での学習と、過学習を抑える方法。"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from fumoto.experiments.kept import kept
from fumoto.experiments.protocol import (
    Images,
    Outcome,
    Range,
    Report,
    Rung,
    Setting,
    Space,
    Tuned,
    judge,
    report,
    split,
    spread,
    tune,
)
from fumoto.hints import Array, Initializer, Rng
from fumoto.initializers import he
from fumoto.network import MLP
from fumoto.optimizers import Adam, AdamW, Optimizer
from fumoto.training import train

# --- 多項式 -----------------------------------------------------------------------------------------------

POINTS = 11
DEGREES = range(1, 11)
NOISE = 0.3  # 観測値の雑音の標準偏差


def noisy_line(rng: Rng, u: Array) -> Array:
    """直線 s = u に正規分布の雑音を足した観測値。"""
    return u + rng.normal(0.0, NOISE, len(u))


def fit_polynomial(u: Array, s: Array, degree: int) -> Array:
    """二乗誤差をいちばん小さくする係数 ``(degree + 1,)``。

    >>> fit_polynomial(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0]), 1).round(6)
    array([1., 2.])
    """
    return np.linalg.lstsq(_powers(u, degree), s, rcond=None)[0]


def polynomial(coefficients: Array, u: Array) -> Array:
    """係数 ``(d + 1,)`` の多項式の、``u``: ``(N,)`` での値。"""
    return _powers(u, len(coefficients) - 1) @ coefficients  # eq-polynomial-f


def squared_error(f: Array, s: Array) -> float:
    """予測 ``f`` と観測値 ``s`` の、差の二乗の平均。"""
    return np.mean((f - s) ** 2)  # eq-squared-error-E


def _powers(u: Array, degree: int) -> Array:
    return u[:, None] ** np.arange(degree + 1)


@dataclass(frozen=True)
class PolynomialFits:
    """``points``, ``fresh``: 図に描く訓練の点と新しい点 ``(u, s)``。``curves``: 次数 → ``grid`` の上の値。

    ``train_errors``, ``validation_errors``, ``test_errors``: ``(引き直しの回数, 次数の数)``。0 行目が図に描いた点である。
    """

    noise: float

    points: tuple[Array, Array]
    fresh: tuple[Array, Array]
    grid: Array
    curves: dict[int, Array]
    degrees: Array
    train_errors: Array
    validation_errors: Array
    test_errors: Array

    @property
    def chosen(self) -> Array:
        """検証用の点での誤差がいちばん小さい次数 ``(引き直しの回数,)``。"""
        return self.degrees[self.validation_errors.argmin(axis=1)]

    def of_chosen(self, errors: Array) -> Array:
        """選んだ次数での誤差 ``(引き直しの回数,)``。``errors``: この結果の誤差の表。"""
        return errors[np.arange(len(errors)), self.validation_errors.argmin(axis=1)]


@kept
def polynomial_overfitting(draws: int = 100, seed: int = 0) -> PolynomialFits:
    """直線に雑音を足した 11 個の点に、1 次から 10 次の多項式を当てはめる。

    検証用の点も 11 個で、無作為な場所から取る。テストの誤差は、同じ作り方の新しい 1000 個の点で測る。
    点を ``draws`` 回引き直して繰り返す。
    """
    rng = np.random.default_rng(seed)
    u, fresh_u = np.linspace(-1, 1, POINTS), rng.uniform(-1, 1, 1000)
    data = [(noisy_line(rng, u), noisy_line(rng, fresh_u)) for _ in range(draws)]
    held = [rng.uniform(-1, 1, POINTS) for _ in range(draws)]
    held_out = [(held_u, noisy_line(rng, held_u)) for held_u in held]
    train_errors, validation_errors, test_errors = np.empty((3, draws, len(DEGREES)))
    for row, ((s, fresh_s), (held_u, held_s)) in enumerate(zip(data, held_out, strict=True)):
        for column, degree in enumerate(DEGREES):
            coefficients = fit_polynomial(u, s, degree)
            train_errors[row, column] = squared_error(polynomial(coefficients, u), s)
            validation_errors[row, column] = squared_error(polynomial(coefficients, held_u), held_s)
            test_errors[row, column] = squared_error(polynomial(coefficients, fresh_u), fresh_s)
    s, fresh_s = data[0]
    grid = np.linspace(-1, 1, 400)
    curves = {degree: polynomial(fit_polynomial(u, s, degree), grid) for degree in (DEGREES[0], DEGREES[-1])}
    fresh = (fresh_u[:60], fresh_s[:60])
    errors = (train_errors, validation_errors, test_errors)
    return PolynomialFits(NOISE, (u, s), fresh, grid, curves, np.array(DEGREES), *errors)


# --- 間違いの混ざった、少ない画像 -------------------------------------------------------------------------

IMAGES, WRONG = 300, 60  # 訓練画像の数と、そのうち、正解を書き換える数
JUDGED = 2000  # 検証用の画像のうち、使う数
SIZES = [784, 50, 50, 10]
STEPS, BATCH_SIZE = 240, 50
CHECKS = 12  # 早期終了で、検証用の損失を測る回数


def few_images(rng: Rng, images: int = IMAGES, wrong: int = WRONG) -> Images:
    """学習用の画像から無作為に選んだ ``images`` 枚。はじめの ``wrong`` 枚の正解は、無作為な別の数字に書き換える。

    >>> x, t = few_images(np.random.default_rng(0))
    >>> x.shape, t.shape
    ((300, 784), (300,))
    """
    x, t = split().training
    chosen = rng.choice(len(x), images, replace=False)
    x, t = x[chosen], t[chosen]
    t[:wrong] = (t[:wrong] + rng.integers(1, 10, wrong)) % 10
    return x, t


def judging() -> Images:
    """選ぶときと止めるときに使う、検証用の画像。"""
    x, t = split().validation
    return x[:JUDGED], t[:JUDGED]


def _course(
    network: Callable[..., MLP],
    optimizer: Callable[[], Optimizer],
    seed: int,
    steps: int,
    checks: int,
    batch_size: int = BATCH_SIZE,
    wrong: int = WRONG,
) -> Iterator[tuple[int, MLP, Images]]:
    """``checks`` 回に分けて学習する。はじめと、分けるたびに、``(歩数, ネットワーク, 訓練画像)``。"""
    rng = np.random.default_rng(seed)
    trained, updates, images = network(rng=rng), optimizer(), few_images(rng, wrong=wrong)
    yield 0, trained, images
    for check in range(1, checks + 1):
        part = steps * check // checks - steps * (check - 1) // checks
        with np.errstate(all="ignore"):
            train(trained, updates, *images, steps=part, batch_size=batch_size, rng=rng)
        yield steps * check // checks, trained, images


def _outcome(network: MLP, images: Images, test: bool) -> Outcome:
    loss, _ = judge(network, *images)
    judged = [judge(network, *judging()), *([judge(network, *split().test)] if test else [])]
    return Outcome(np.array([loss]), loss, *np.ravel(judged).tolist())


@kept
def learn_few(
    network: Callable[..., MLP],
    optimizer: Callable[[], Optimizer],
    seed: int,
    steps: int,
    test: bool = False,
    batch_size: int = BATCH_SIZE,
) -> Outcome:
    """``few_images`` で ``steps`` ステップ学習し、終わりの重みを測る(引数は ``protocol.learn`` と同じ)。"""
    *_, (_, trained, images) = _course(network, optimizer, seed, steps, 1, batch_size)
    return _outcome(trained, images, test)


@kept
def learn_stopped(
    network: Callable[..., MLP],
    optimizer: Callable[[], Optimizer],
    seed: int,
    steps: int,
    test: bool = False,
    batch_size: int = BATCH_SIZE,
) -> Outcome:
    """``learn_few`` と同じ学習で、検証用の損失がいちばん小さかったときの重みに戻して測る(早期終了)。"""
    best = np.inf
    for check in _course(network, optimizer, seed, steps, CHECKS, batch_size):
        _, trained, images = check
        loss, _ = judge(trained, *judging())
        if loss < best:
            best, weights = loss, trained.vector.copy()
    trained.vector[...] = weights
    return _outcome(trained, images, test)


@dataclass(frozen=True)
class Course:
    """学習の途中。``steps``: 測った歩数。ほかは、そのときの損失と、間違った正解のとおりに答えた割合(どれも ``(回数,)``)。"""

    lr: float
    seed: int
    images: int
    wrong: int
    judged: int
    steps: Array
    training_loss: Array
    validation_loss: Array
    memorized: Array

    @property
    def stop(self) -> int:
        """検証用の損失がいちばん小さい回。"""
        return int(self.validation_loss.argmin())


@kept
def course(
    lr: float = 0.001, seed: int = 1, steps: int = 600, checks: int = 30, wrong: int = WRONG
) -> Course:
    """Adam で学習しながら、訓練と検証の損失と、間違った正解を覚えた割合を測る。``wrong`` が 0 なら、割合は nan。"""
    rows = []
    for step, trained, (x, t) in _course(network(), partial(Adam, lr=lr), seed, steps, checks, wrong=wrong):
        memorized = trained.accuracy(x[:wrong], t[:wrong]) if wrong else np.nan
        rows.append((step, judge(trained, x, t)[0], judge(trained, *judging())[0], memorized))
    return Course(lr, seed, IMAGES, wrong, JUDGED, *np.array(rows).T)


# --- 過学習を抑える方法 -----------------------------------------------------------------------------------


def scaled_he(scale: float) -> Initializer:
    """He の初期値を ``scale`` 倍する初期値。"""
    return partial(_scaled_he, scale)


def _scaled_he(scale: float, rng: Rng, n_in: int, n_out: int) -> Array:
    return scale * he(rng, n_in, n_out)


@cache
def network(weight_decay: float = 0.0, dropout: float = 0.0, scale: float = 1.0) -> Callable[..., MLP]:
    """``rng=`` からネットワークを作る関数。"""
    return partial(MLP, SIZES, initializer=scaled_he(scale), weight_decay=weight_decay, dropout=dropout)


def plain(lr: float, scale: float = 1.0) -> Setting:
    """何も足さない Adam。``scale``: He の初期値の何倍から始めるか。"""
    return Setting(Adam, (("lr", lr),), network(0.0, 0.0, scale), BATCH_SIZE)


def _l2(lr: float, strength: float = 0.0) -> Setting:
    return Setting(Adam, (("lr", lr),), network(strength), BATCH_SIZE)


def _adamw(lr: float, strength: float = 0.0) -> Setting:
    return Setting(AdamW, (("lr", lr), ("weight_decay", strength)), network(), BATCH_SIZE)


def _dropout(lr: float, strength: float = 0.0) -> Setting:
    return Setting(Adam, (("lr", lr),), network(0.0, strength), BATCH_SIZE)


NONE, STOP, DROPOUT = "なし", "早期終了", "ドロップアウト"
METHODS: dict[str, tuple[Callable[..., Setting], Range | None]] = {  # 名前 → (設定を作る関数, 強さの範囲)
    NONE: (plain, None),
    STOP: (plain, None),
    "L2": (_l2, Range(0.003, 0.3)),
    "AdamW": (_adamw, Range(0.3, 30.0)),
    DROPOUT: (_dropout, Range(0.1, 0.7)),
}
SCALES = (0.1, 1.0, 4.0)  # He の初期値の何倍から始めるか
SLIGHTLY = 0.7  # He より少しだけ小さい初期値
DEFAULT_RATE, RATES = 0.001, Range(1e-4, 1e-2)  # Adam の既定の学習率と、探す範囲
TRIALS = 8  # 比べるものごとに試す設定の数
RUNGS = (Rung(STEPS, (1001,), 2), Rung(STEPS, (1002,), 1))
SEEDS = (1, 2, 3, 4, 5, 6)
FIXED, CHOSEN = "学習率は既定", "学習率も選ぶ"
Key = tuple[str, str | float]  # (FIXED か CHOSEN, 方法か、初期値の倍率)


@dataclass(frozen=True)
class Regularized:
    """``tuned``, ``reports``: 比べるもの → 試した設定と選んだもの、選ぶのに使っていない種 ``seeds`` 個での結果。"""

    lr: float
    trials: int
    seeds: int
    tuned: dict[Key, Tuned]
    reports: dict[Key, Report]


def candidates() -> dict[Key, list[Setting]]:
    """比べるものごとの、試す設定。学習率を既定のままにするものと、それも選ぶものと、初期値の大きさを変えるもの。

    ``CHOSEN`` では、設定の 4 分の 1 を、強さ 0(何もしない)から取る。
    """

    def space(method: str) -> Space:
        strengths = METHODS[method][1]
        return Space(RATES, {"strength": strengths}, {"lr": RATES}) if strengths else Space(RATES)

    def rng() -> Rng:
        return np.random.default_rng(0)

    found: dict[Key, list[Setting]] = {}
    for method, (make, strengths) in METHODS.items():
        fixed = [{"lr": DEFAULT_RATE}]
        if strengths:
            fixed = spread({"lr": DEFAULT_RATE, "strength": strengths}, TRIALS, rng())
        found[FIXED, method] = [make(**values) for values in fixed]
        found[CHOSEN, method] = [make(**values) for values in space(method).everything(TRIALS, rng())]
    for scale in SCALES:
        found[CHOSEN, scale] = [plain(scale=scale, **v) for v in space(NONE).everything(TRIALS, rng())]
    return found


def tuned_methods(processes: int = -1) -> dict[Key, Tuned]:
    """どれにも同じ数の設定を試し、検証用の損失がいちばん小さくなるものを選ぶ。"""
    found: dict[Key, Tuned] = {}
    for learning, groups in _by_learning(candidates()):
        found |= tune(groups, RUNGS, processes=processes, learning=learning)
    return found


def _by_learning(found: dict[Key, Any]) -> Iterator[tuple[Callable[..., Outcome], dict[Key, Any]]]:
    """早期終了だけは、学習のしかたが違う。"""
    for learning, stopped in ((learn_few, False), (learn_stopped, True)):
        yield learning, {key: value for key, value in found.items() if (key[1] == STOP) == stopped}


def regularization(processes: int = -1) -> Regularized:
    """過学習を抑える方法を、強さだけを選ぶときと、学習率も選ぶときで比べる。"""
    tuned = tuned_methods(processes)
    reports: dict[Key, Report] = {}
    for learning, groups in _by_learning(tuned):
        chosen = {key: found.setting for key, found in groups.items()}
        reports |= report(chosen, SEEDS, STEPS, processes, learning)
    return Regularized(DEFAULT_RATE, TRIALS, len(SEEDS), tuned, {key: reports[key] for key in tuned})
