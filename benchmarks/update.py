"""とても長い配列を 1 回更新する時間と、メモリーの速さ。"""

from functools import partial
from unittest.mock import patch

import numpy as np

from fumoto import optimizers
from fumoto.experiments.comparison import METHODS
from fumoto.optimizers import BLOCK

from . import pytorch
from .step import chosen
from .timing import interleaved, repeated, summaries, summary, timed

KINDS = ("default", "foreach", "fused")
ITEM = 4  # float32 のバイト数


def measure(torch, quick):
    """写す時間、手法ごとの更新の時間、区切りの長さごとの Adam の時間、PyTorch の時間(ミリ秒)。"""
    elements, rounds, n = (100_000, 2, 1) if quick else (10_000_000, 20, 2)
    rng = np.random.default_rng(0)
    w, g = (rng.standard_normal(elements, np.float32) for _ in range(2))
    target = np.empty_like(w)

    measures = {("copy",): timed(repeated(partial(np.copyto, target, g)))}
    for name, method in METHODS.items():
        measures["methods", name] = timed(repeated(partial(method().update, {"w": w}, {"w": g})))
    adam = METHODS["Adam"]()
    for block in block_sizes(elements):
        run = repeated(partial(adam.update, {"w": w}, {"w": g}))
        measures["blocks", str(block)] = timed(run, partial(patch.object, optimizers, "BLOCK", block))
    if torch:
        w_torch = torch.nn.Parameter(torch.from_numpy(w.copy()))
        w_torch.grad = torch.from_numpy(g)
        competitors = pytorch.contenders(torch, KINDS, lambda method: method([w_torch]).step)
        for key, (run, around) in competitors.items():
            measures["torch", *key] = timed(repeated(run), around)
    results = interleaved(measures, rounds, n)

    return {
        "elements": elements,
        "rounds": rounds,
        "copy": summary(results["copy",]),
        "copy_bytes": 2 * ITEM * elements,
        "methods": summaries(chosen(results, "methods")),
        "bytes": {name: least_bytes(method) * elements for name, method in METHODS.items()},
        "block": BLOCK,
        "blocks": summaries(chosen(results, "blocks")),
        "torch": pytorch.grouped(summaries(chosen(results, "torch"))),
    }


def least_bytes(method):
    """1 つの要素の更新で、少なくともメモリーと行き来するバイト数。重み・勾配・状態を読み、重みと状態を書く。"""
    states = len(method.state_names)
    return ITEM * ((2 + states) + (1 + states))


def block_sizes(elements):
    """試す区切りの長さ。最後の ``elements`` は、区切らないことを表す。"""
    sizes = [BLOCK * 4**power // 16 for power in range(8)]
    return [size for size in sizes if size < elements] + [elements]
