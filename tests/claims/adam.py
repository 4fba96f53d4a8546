"""Chapter 5: RMSProp and Adam: their steps, what a missing correction does, and the valley floor."""

from functools import cache

import numpy as np

from claims.registry import between, claim, close, equal, less
from claims.walking import along, walk
from fumoto.experiments.adam import dedented_adam
from fumoto.mistakes import DedentedAdam, StepSizeAdam, UncorrectedAdam
from fumoto.optimizers import Adam, Momentum, RMSProp
from fumoto.surfaces import bowl


class UncorrectedWithEpsilon(Adam):
    """Adam without the correction, and nothing else wrong."""

    def rule(self, w, g, m, v):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g**2
        return w - self.lr * m / (np.sqrt(v) + self.eps), m, v


def gradients(seed, steps):
    return np.random.default_rng(seed).normal(1.0, 1.0, steps)


# --- steps ------------------------------------------------------------------------------------------------


@claim("rmsprop-constant")
def along_a_constant_gradient_the_step_follows_the_missing_weight(rho, eta, t):
    steps = -np.diff(along(RMSProp(eta, rho, eps=0.0), np.ones(t)))
    return close(steps, eta / np.sqrt(1 - rho ** np.arange(1, t + 1)))


@claim("adam-first-step")
def the_first_step_of_adam_is_almost_the_rate(g, eta, beta_1, beta_2, varepsilon):
    step = along(Adam(eta, beta_1, beta_2, varepsilon), [g])[-1]
    return close(step, -eta * g / (abs(g) + varepsilon))


@claim("adam-parts")
def adam_is_made_of_momentum_and_rmsprop(beta_1, beta_2, eta, seed):
    adam, momentum, rmsprop = Adam(eta, beta_1, beta_2), Momentum(eta, beta_1), RMSProp(eta, beta_2)
    for optimizer in (adam, momentum, rmsprop):
        along(optimizer, gradients(seed, 60))
    velocity, mean_square = momentum.state["v"], rmsprop.state["h"]
    return [
        close(adam.state["m"], -(1 - beta_1) / eta * velocity),
        close(adam.state["v"], mean_square),
    ]


@cache
def noise(seed, steps=300, walks=800):
    return np.random.default_rng(seed).standard_normal((steps, walks))


@claim("adam-signal-to-noise")
def the_mean_step_is_a_signal_to_noise_ratio(mu, sigma, eta, seed):
    if sigma <= 0:
        raise ValueError("a standard deviation")
    places = along(Adam(eta), mu + sigma * noise(seed))
    step = (places[-1] - places[-2]).mean() / -eta
    return between(step - mu / np.hypot(mu, sigma), -0.03, 0.03)


# --- without the correction --------------------------------------------------------------------------------


@claim("adam-uncorrected")
def without_correction_every_step_is_wrong_by_the_same_factors(beta_1, beta_2, eta, t, seed):
    given = gradients(seed, t)
    right = np.diff(along(Adam(eta, beta_1, beta_2, eps=0.0), given))
    wrong = np.diff(along(UncorrectedAdam(eta, beta_1, beta_2), given))
    return close(wrong, right * factors(beta_1, beta_2, np.arange(1, t + 1)))


def factors(beta_1, beta_2, t):
    """eq-adam-overshoot."""
    return (1 - beta_1**t) / np.sqrt(1 - beta_2**t)


@claim("adam-always-too-far")
def the_uncorrected_step_is_always_too_long(beta_1, b):
    beta_2 = 1 - b * (1 - beta_1) ** 2
    t = np.arange(1, min(5 / (1 - beta_2), 20_000) + 1)
    return less(beta_1**t * (2 - beta_1**t), beta_2**t)  # (1 - β1^t)² > 1 - β2^t, free of rounding


@claim("adam-recovery")
def the_step_is_right_to_one_percent_after_four_windows(beta_1, beta_2):
    t = np.arange(1, 6 / (1 - beta_2))
    last = t[factors(beta_1, beta_2, t) > 1.01].max()
    return between(last * (1 - beta_2), 3.8, 4.0)


@claim("adam-two-forms")
def the_other_form_stops_at_larger_gradients(g, varepsilon, beta_2):
    steps = [-along(kind(1.0, 0.9, beta_2, varepsilon), [g])[-1] for kind in (StepSizeAdam, Adam)]
    return [less(*steps), close(steps[0], g / (g + varepsilon / np.sqrt(1 - beta_2)))]


@claim("adam-notes-path")
def without_epsilon_only_the_axis_shows_it(x, y, eta):
    paths = [walk(kind(eta), bowl.gradient, (x, y), 60) for kind in (UncorrectedAdam, UncorrectedWithEpsilon)]
    kinds = [UncorrectedAdam(eta), Adam(eta, eps=0.0), UncorrectedWithEpsilon(eta), Adam(eta)]
    lost = [np.isnan(walk(optimizer, bowl.gradient, (x, 0.0), 1)).any() for optimizer in kinds]
    return [close(*paths, rel=0.01), equal(np.array(lost).astype(int), [1, 1, 0, 0])]


# --- the valley floor --------------------------------------------------------------------------------------


START = 1e-6


def near_the_floor(c, beta_1, beta_2, lambda_, eps=1e-8):
    """Distances, in units of ε/λ, after a start very close to the minimum of λw²/2, late in the training."""
    eta = c * 2 * (1 + beta_1) * eps / (lambda_ * (1 - beta_1))
    optimizer = Adam(eta, beta_1, beta_2, eps)
    optimizer.t = 10**6  # the corrections are over
    steps = int(max(1500, 20 / (1 - beta_1)))
    return np.abs(walk(optimizer, lambda w: lambda_ * w, START * eps / lambda_, steps)) * lambda_ / eps


@claim("adam-unsettled", samples=30, searched=20)
def above_the_limit_adam_leaves_the_floor(c, beta_1, beta_2, lambda_):
    return less(0.5 * abs(c - 1), near_the_floor(c, beta_1, beta_2, lambda_).max())


@claim("adam-settles", samples=30, searched=20)
def below_the_limit_adam_stays_at_the_floor(c, beta_1, beta_2, lambda_):
    return less(near_the_floor(c, beta_1, beta_2, lambda_)[-200:].max(), START)


# --- the code of the notes ---------------------------------------------------------------------------------


@claim("adam-dedent")
def the_code_of_the_notes_moves_the_last_array_only(n):
    params = {f"w{k}": np.zeros(3) for k in range(n)}
    DedentedAdam().update(params, {name: np.ones(3) for name in params})
    moved = [name for name, w in params.items() if np.any(w != 0)]
    return [less(len(moved), n), equal(moved == [f"w{n - 1}"], 1)]


@claim("adam-dedent-loss", samples=0, searched=0)
def the_code_of_the_notes_does_not_learn(seed):
    dedented = dedented_adam(steps=100, seed=seed)
    right, notes = dedented.right_losses[-20:].mean(), dedented.notes_losses[-20:].mean()
    return [less(0.99 * np.log(10), notes), less(right, 0.5)]
