"""Chapter 10: what Adam makes of L2, schedules, clipping, and the iteration of Muon."""

import numpy as np

from equation_checks.registry import check, close
from fumoto import clipping, optimizers, schedules
from fumoto.optimizers import Adam, Lion, newton_schulz


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
    check_step_decay(equations)


def check_step_decay(equations, module=schedules):
    for eta, factor in ((0.5, 0.1), (2.0, 0.7)):
        schedule = module.StepDecay(eta, every=3, factor=factor)
        for t in range(12):
            close(schedule(t), equations["eq-schedule-step"].evaluate(eta=eta, phi=factor, k=t // 3))


@check("eq-schedule-cosine")
def half_a_period_of_a_cosine(equations):
    check_cosine(equations)


def check_cosine(equations, module=schedules):
    for eta, steps in ((0.5, 7), (2.0, 10)):
        for t in range(steps + 1):
            symbols = {"eta": eta, "t": t, "T": steps, "pi": np.pi}
            close(module.Cosine(eta, steps)(t), equations["eq-schedule-cosine"].evaluate(**symbols))


@check("eq-schedule-warmup")
def warm_up(equations):
    check_warmup(equations)


def check_warmup(equations, module=schedules):
    schedule = schedules.Cosine(0.5, 20)
    for steps in (1, 4, 9):
        for t in range(12):
            symbols = {"eta_t": schedule(t), "eta_next": schedule(t + 1), "t": t, "T_w": steps}
            known = {name: symbols[name] for name in equations["eq-schedule-warmup"].symbols}
            close(module.Warmup(schedule, steps)(t), equations["eq-schedule-warmup"].evaluate(**known))


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
    check_length(equations)


def check_length(equations, module=clipping):
    """Only what is longer than this is changed by clipping."""
    g = np.random.default_rng(0).normal(size=7) * 3
    length = equations["eq-clip-norm"].evaluate(g=g, P=7).item()
    parts = {"a": g[:3], "b": g[3:].reshape(2, 2)}
    for limit in (0.3 * length, 0.9 * length):
        clipped = module.clip(parts, limit)
        close(np.concatenate([part.ravel() for part in clipped.values()]), g * limit / length)
    close(module.clip(parts, 1.1 * length)["a"], g[:3])


@check("eq-clip-g")
def clipped_gradients(equations):
    check_clip(equations)


def check_clip(equations, module=clipping):
    g = np.random.default_rng(0).normal(size=7) * 3
    norm = np.linalg.norm(g)
    for limit in (0.3, 1.2, 1.1 * norm):
        symbols = {"g": g, "G_max": limit, "G": norm}
        close(module.clip({"w": g}, limit)["w"], equations["eq-clip-g"].evaluate(**symbols))


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


SHAPES = ((3, 5), (5, 3), (4, 4), (1, 3))


def printed_iteration(equations, u, steps, eps):
    """The printed equations of the iteration, one after the other."""
    n, m = u.shape
    Z = equations["eq-muon-x"].evaluate(u=u, G=np.linalg.norm(u), varepsilon=eps)
    for _ in range(steps):
        A = equations["eq-muon-gram"].evaluate(Z=Z, m=m)
        Q = equations["eq-muon-q"].evaluate(A=A, n=n)
        Z = equations["eq-muon-next"].evaluate(Z=Z, Q=Q, n=n)
    return Z


@check("eq-muon-x", "eq-muon-gram", "eq-muon-q", "eq-muon-next")
def newton_schulz_iteration(equations):
    check_newton_schulz(equations)


def check_newton_schulz(equations, module=optimizers):
    rng = np.random.default_rng(0)
    for shape in SHAPES:
        for steps, eps in ((0, 1e-7), (1, 1e-7), (5, 1e-7), (2, 20.0)):  # the last is longer than the matrix
            u = rng.normal(size=shape)
            close(module.newton_schulz(u, steps, eps), printed_iteration(equations, u, steps, eps))
        default = module.newton_schulz(u)
        close(default, printed_iteration(equations, u, 5, 1e-7))
    assert np.all(module.newton_schulz(np.zeros((2, 2))) == 0)


@check("eq-muon-sigma")
def what_one_iteration_makes_of_singular_values(equations):
    u = np.random.default_rng(0).normal(size=(4, 4))
    left, sigma, right = np.linalg.svd(u / np.linalg.norm(u))
    after = np.diag(left.T @ newton_schulz(u, 1) @ right.T)
    close(after, equations["eq-muon-sigma"].evaluate(sigma=sigma))


@check("eq-muon-m", "eq-muon-u", "eq-muon-w")
def muon_follows_its_equations(equations):
    check_muon(equations)


def check_muon(equations, module=optimizers):
    """The printed equations with the code's iteration, which is compared above."""
    rng = np.random.default_rng(0)
    for lr, momentum, weight_decay in ((0.1, 0.9, 0.3), (0.5, 0.4, 0.0), (0.2, 0.0, 0.7)):
        optimizer = module.Muon(lr, momentum, weight_decay)
        params = {str(shape): rng.normal(size=shape) for shape in SHAPES}
        expected = {key: w.copy() for key, w in params.items()}
        means = {key: np.zeros_like(w) for key, w in params.items()}
        constants = {"eta": lr, "alpha": momentum, "lambda": weight_decay}
        for _ in range(4):
            grads = {key: rng.normal(size=w.shape) for key, w in params.items()}
            optimizer.update(params, grads)
            for key, w in expected.items():
                n, m = w.shape
                known = {**constants, "g_t": grads[key], "m_t": means[key], "w_t": w, "n": n, "m": m}
                for label in ("eq-muon-m", "eq-muon-u"):
                    known[equations[label].name] = _value(equations[label], known)
                known["O_next"] = newton_schulz(known["u_next"])
                expected[key], means[key] = _value(equations["eq-muon-w"], known), known["m_next"]
                close(params[key], expected[key], rtol=1e-9, atol=1e-10)
                close(optimizer.state["m"][key], means[key])


def _value(equation, known):
    return equation.evaluate(**{name: known[name] for name in equation.symbols})
