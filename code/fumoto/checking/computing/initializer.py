"""重みの初期値を、要素の平均、標準偏差、分布で比べる。"""

from collections.abc import Callable

import numpy as np

from fumoto.checking.calling.weights.layer import Layer
from fumoto.hints import Array
from fumoto.printed import Equation

LABELS = {"xavier": "eq-xavier-std", "glorot": "eq-glorot-std", "he": "eq-he-std"}
SIGMAS = 5  # 標準偏差の推定が、まぐれでこれだけ外れることはない

#: 尖度(平均からのずれの 4 乗の平均 ÷ 分散の 2 乗)
KURTOSES = {"uniform": 1.8, "truncated": 2.366, "normal": 3.0}
TRUNCATED_STD = 0.87963  # 標準正規分布を ±2 で切ったものの標準偏差
KURTOSIS_ERROR = 0.2  # 正規乱数 20000 個から測った尖度の標準誤差は 0.035


def expected_std(equation: Equation, layer: Layer, n: Callable[[Layer], float] | None = None) -> float:
    """式の標準偏差。``n``: 式の n に入れる数を、層から決める関数(省くと ``n_in``)。"""
    values = {"n": layer.n_in if n is None else n(layer), "m": layer.n_out}
    with np.errstate(all="ignore"):
        return equation.evaluate(**{name: values[name] for name in equation.symbols}).item()


def agrees(
    equation: Equation, layers: list[Layer], n: Callable[[Layer], float] | None = None, scale: float = 1.0
) -> bool:
    """どの層の重みの標準偏差も、式の値の ``scale`` 倍と、誤差の範囲で同じか。"""
    for layer in layers:
        expected = scale * expected_std(equation, layer, n)
        allowed = SIGMAS * expected / np.sqrt(2 * layer.W.size)
        if not np.isfinite(expected) or not abs(layer.W.std() - expected) <= allowed:
            return False
    return True


def centered(W: Array) -> bool:
    """要素の平均が、誤差の範囲で 0 か。"""
    return not abs(W.mean()) > SIGMAS * W.std() / np.sqrt(W.size)


def distribution(layers: list[Layer]) -> str | None:
    """要素の分布: ``"uniform"``(一様分布)、``"normal"``(正規分布)、``"truncated"``(標準偏差の 2 倍で切った正規分布)。

    どれでもないようなら None。
    """
    weights = [layer.W for layer in layers]
    kurtoses = np.array([_kurtosis(W) for W in weights])
    cut = all(abs(W).max() < _slack(W) * 2 / TRUNCATED_STD * W.std() for W in weights)
    for name, kurtosis in KURTOSES.items():
        if np.all(abs(kurtoses - kurtosis) < KURTOSIS_ERROR) and (cut or name != "truncated"):
            return name
    return None


def _slack(W: Array) -> float:
    """標準偏差の推定の誤差。"""
    return 1 + SIGMAS / float(np.sqrt(2 * W.size))


def powers(layers: list[Layer]) -> tuple[float, float, float]:
    """標準偏差を c·n_in^a·n_out^b とみなしたときの (c, a, b)。"""
    logs = np.log([[layer.n_in, layer.n_out] for layer in layers])
    unknowns = np.column_stack([np.ones(len(logs)), logs])
    (c, a, b), *_ = np.linalg.lstsq(unknowns, np.log([layer.W.std() for layer in layers]), rcond=None)
    return float(np.exp(c)), float(a), float(b)


def _kurtosis(W: Array) -> float:
    squares = np.square(W - W.mean())
    return np.mean(np.square(squares)) / np.mean(squares) ** 2
