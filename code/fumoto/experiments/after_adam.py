"""10 章: 切り離した重み減衰、学習率のスケジュール、勾配クリップ、Lion、Muon。"""

from dataclasses import dataclass

import numpy as np

from fumoto.hints import Arrays
from fumoto.optimizers import Adam, AdamW


@dataclass(frozen=True)
class DecayPaths:
    """勾配の大きさ ``sizes`` ごとの、重みの列 ``paths[手法]``(形は ``(歩数 + 1, 大きさの数)``)。"""

    paths: Arrays
    sizes: tuple[float, ...]
    lr: float
    beta1: float
    beta2: float
    weight_decay: float


def decay_paths(
    lr: float = 0.01,
    beta1: float = 0.9,
    beta2: float = 0.999,
    weight_decay: float = 0.1,
    sizes: tuple[float, ...] = (0.1, 1.0, 10.0),
    steps: int = 600,
) -> DecayPaths:
    """大きさの違う、符号が 1 歩ごとに替わる勾配を渡して、重み減衰だけで重みがどう縮むかを見る。

    L2 は、λw を勾配に足して Adam に渡す。AdamW は、渡さずに、重みを直接縮める。

    >>> result = decay_paths()
    >>> {name: path[-1].round(2) for name, path in result.paths.items()}
    {'L2': array([0.  , 0.54, 0.93]), 'AdamW': array([0.54, 0.54, 0.54])}
    """
    optimizers = {
        "L2": Adam(lr, beta1, beta2),
        "AdamW": AdamW(lr, beta1, beta2, weight_decay=weight_decay),
    }
    paths = {}
    for name, optimizer in optimizers.items():
        w = np.ones(len(sizes))
        path = [w.copy()]
        for step in range(steps):
            g = np.array(sizes) * (-1) ** step
            optimizer.update({"w": w}, {"w": g + weight_decay * w if name == "L2" else g})
            path.append(w.copy())
        paths[name] = np.array(path)
    return DecayPaths(paths, sizes, lr, beta1, beta2, weight_decay)
