"""Chapter 10: what Adam makes of L2, schedules, clipping, and the iteration of Muon."""

import numpy as np

from equation_checks.registry import check, close
from fumoto.clipping import clip
from fumoto.optimizers import Adam, Lion
from fumoto.schedules import Cosine, StepDecay, Warmup


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


@check("eq-schedule-step")
def step_decay(equations):
    for eta, factor in ((0.5, 0.1), (2.0, 0.7)):
        schedule = StepDecay(eta, every=3, factor=factor)
        for t in range(12):
            close(schedule(t), equations["eq-schedule-step"].evaluate(eta=eta, phi=factor, k=t // 3))


@check("eq-schedule-cosine")
def half_a_period_of_a_cosine(equations):
    for eta, steps in ((0.5, 7), (2.0, 10)):
        for t in range(steps + 1):
            symbols = {"eta": eta, "t": t, "T": steps, "pi": np.pi}
            close(Cosine(eta, steps)(t), equations["eq-schedule-cosine"].evaluate(**symbols))


@check("eq-schedule-warmup")
def warm_up(equations):
    schedule = Cosine(0.5, 20)
    for steps in (1, 4, 9):
        for t in range(12):
            symbols = {"eta_t": schedule(t), "eta_next": schedule(t + 1), "t": t, "T_w": steps}
            known = {name: symbols[name] for name in equations["eq-schedule-warmup"].symbols}
            close(Warmup(schedule, steps)(t), equations["eq-schedule-warmup"].evaluate(**known))


@check("eq-adam-noise-rms")
def the_weights_of_a_corrected_mean(equations):
    """What a gradient of 1 at one step, and 0 at the others, leaves in the corrected mean: the weight of that step."""
    for eta, beta1 in ((1.0, 0.9), (0.3, 0.5)):
        for t in range(1, 9):
            optimizer, w = Adam(beta1=beta1), np.zeros(t)
            for impulse in np.eye(t):
                optimizer.update({"w": w}, {"w": impulse})
            weights = optimizer.state["m"]["w"] / (1 - beta1**t)
            symbols = {"eta": eta, "beta_1": beta1, "t": t}
            close(eta * np.linalg.norm(weights), equations["eq-adam-noise-rms"].evaluate(**symbols))


@check("eq-clip-norm")
def the_length_of_all_gradients(equations):
    """Only what is longer than this is changed by clipping."""
    g = np.random.default_rng(0).normal(size=7) * 3
    length = equations["eq-clip-norm"].evaluate(g=g, P=7).item()
    parts = {"a": g[:3], "b": g[3:].reshape(2, 2)}
    for limit in (0.3 * length, 0.9 * length):
        clipped = clip(parts, limit)
        close(np.concatenate([part.ravel() for part in clipped.values()]), g * limit / length)
    close(clip(parts, 1.1 * length)["a"], g[:3])


@check("eq-clip-g")
def clipped_gradients(equations):
    g = np.random.default_rng(0).normal(size=7) * 3
    norm = np.linalg.norm(g)
    for limit in (0.3, 1.2, 1.1 * norm):
        symbols = {"g": g, "G_max": limit, "G": norm}
        close(clip({"w": g}, limit)["w"], equations["eq-clip-g"].evaluate(**symbols))


@check("eq-lion-c")
def the_sign_of_the_mixed_mean(equations):
    """Only its sign is used, so of a thousand weights, for many of which the two parts have opposite signs."""
    rng = np.random.default_rng(0)
    for beta1, beta2 in ((0.9, 0.99), (0.3, 0.8)):
        optimizer, w = Lion(1.0, beta1, beta2), np.zeros(1000)
        optimizer.update({"w": w}, {"w": rng.normal(size=1000) / (1 - beta2)})
        before, m = w.copy(), optimizer.state["m"]["w"].copy()
        g = rng.normal(size=1000) * beta1 / (1 - beta1)
        optimizer.update({"w": w}, {"w": g})
        symbols = {"beta_1": beta1, "m_t": m, "g_t": g}
        close(before - w, np.sign(equations["eq-lion-c"].evaluate(**symbols)))
