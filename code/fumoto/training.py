"""学習のループ。本の実験は、地形の上の 1 点でもネットワークでも、すべてここを通る。"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from fumoto.hints import Array, Arrays, Rng, Updates
from fumoto.network import MLP
from fumoto.optimizers import Optimizer
from fumoto.surfaces import Surface
from fumoto.validation import array, count

Gradient = Callable[[], tuple[float, Arrays]]  # () → (値, 勾配の辞書)


def optimize(optimizer: Updates, params: Arrays, gradient: Gradient, steps: int) -> Iterator[float]:
    """``gradient() -> (値, 勾配の辞書)`` を使って ``params`` を ``steps`` 回更新する。

    更新のたびに、更新する前の値を 1 つずつ返す(ジェネレータ)。呼んだ側は途中の ``params`` を見られる。

    >>> from fumoto.optimizers import SGD
    >>> params = {"w": np.array(4.0)}
    >>> half = lambda: (params["w"] ** 2 / 2, {"w": params["w"].copy()})
    >>> [float(value) for value in optimize(SGD(lr=0.5), params, half, steps=3)]
    [8.0, 2.0, 0.5]
    """
    return _optimize(optimizer, params, gradient, count("steps", steps, minimum=0))


def _optimize(optimizer: Updates, params: Arrays, gradient: Gradient, steps: int) -> Iterator[float]:
    for _ in range(steps):
        value, grads = gradient()
        optimizer.update(params, grads)
        yield value


def descend(optimizer: Updates, surface: Surface, start: Sequence[float] | Array, steps: int) -> Array:
    """地形の上を ``steps`` 歩進み、通った点を形 ``(steps + 1, 次元)`` の配列で返す。

    >>> from fumoto.optimizers import SGD
    >>> from fumoto.surfaces import bowl
    >>> descend(SGD(lr=0.5), bowl, (-7.0, 2.0), steps=2)
    array([[-7.    ,  2.    ],
           [-6.65  ,  0.    ],
           [-6.3175,  0.    ]])
    """
    w = np.array(start, dtype=np.float64)
    path = [w.copy()]

    def gradient() -> tuple[float, Arrays]:
        return surface(w), {"w": surface.gradient(w)}

    with np.errstate(all="ignore"):  # 発散した道は inf や nan のまま記録する
        for _ in optimize(optimizer, {"w": w}, gradient, steps):
            path.append(w.copy())
    return np.array(path)


def train(
    network: MLP,
    optimizer: Updates,
    x: Array,
    t: Array,
    *,
    steps: int,
    batch_size: int,
    rng: Rng,
    watch: Callable[[], object] | None = None,
) -> Array:
    """ミニバッチで学習し、各ステップの(更新前の)損失を形 ``(steps,)`` の配列で返す。

    ``x``: ``(N, D)``。``t``: ``(N,)`` の整数。ミニバッチは毎回 ``rng`` で復元抽出する。
    ``watch``: ステップごとに、更新する前のネットワークを見るための、引数のない関数。
    損失が nan になり、その更新で重みも全部 nan になったら、そこで止める。そのあとの損失は、続けても nan である。

    >>> from fumoto.optimizers import SGD
    >>> rng = np.random.default_rng(0)
    >>> x, t = rng.normal(size=(8, 4)).astype(np.float32), np.array([0, 1, 2, 3] * 2)
    >>> with np.errstate(all="ignore"):
    ...     losses = train(MLP([4, 5, 4], rng=rng), SGD(lr=1e20), x, t, steps=6, batch_size=4, rng=rng)
    >>> np.isnan(losses)
    array([False,  True,  True,  True,  True,  True])
    """
    batch_size = count("batch_size", batch_size)
    if len(array("x", x)) != len(array("t", t)) or len(x) == 0:
        raise ValueError(f"x と t は同じ 1 以上の長さでなければなりません(x: {len(x)}, t: {len(t)})")
    if watch is not None and not callable(watch):
        raise TypeError(f"watch は引数のない関数でなければなりません(渡されたもの: {watch!r})")
    if isinstance(network, MLP):
        network.check_data(x, t)
    if isinstance(optimizer, Optimizer):
        optimizer.check_params(network.params)

    def gradient() -> tuple[float, Arrays]:
        if watch is not None:
            watch()
        batch = rng.integers(0, len(x), batch_size)
        return network.gradient(x.take(batch, axis=0), t.take(batch))

    losses = np.full(count("steps", steps, minimum=0), np.nan)
    for step, loss in enumerate(optimize(optimizer, network.params, gradient, steps)):
        losses[step] = loss
        if np.isnan(loss) and all(np.isnan(w).all() for w in network.params.values()):
            break
    return losses
