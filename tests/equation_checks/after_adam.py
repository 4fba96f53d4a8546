"""Chapter 10: what Adam makes of L2, schedules, clipping, and the iteration of Muon."""

import numpy as np

from equation_checks.registry import check, close
from fumoto.optimizers import Adam


@check("eq-adam-l2-rate")
def what_adam_makes_of_l2(equations):
    """A weight that hardly moves, with a gradient of mean 0 of its own, larger and smaller than the decay."""
    for eta, decay, size, start in ((1e-6, 0.5, 2.0, 3.0), (2e-6, 1.5, 1.0, 0.4), (1e-6, 2.0, 0.1, 0.3)):
        optimizer, w = Adam(eta, 0.5, 0.9999, eps=0.0), np.array(start)
        for step in range(600):
            if step == 200:
                before = w.copy()
            optimizer.update({"w": w}, {"w": size * (-1) ** step + decay * w})
        symbols = {"eta": eta, "lambda": decay, "mean_g_squared": size**2, "w": start}
        rate = equations["eq-adam-l2-rate"].evaluate(**symbols)
        close((before - w) / 400 / start, rate, rtol=2e-3)
