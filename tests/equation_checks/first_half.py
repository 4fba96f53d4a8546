"""Chapters 1 to 6: update rules, surfaces, limits, moving averages."""

from itertools import combinations, product

import numpy as np

from equation_checks.registry import check, close, draw
from fumoto import optimizers as book_optimizers
from fumoto.experiments.adagrad import follow
from fumoto.experiments.adam import AMSGrad
from fumoto.experiments.momentum import best_gd, best_momentum, roots
from fumoto.layers import Affine, SoftmaxCrossEntropy
from fumoto.mistakes import NotesMomentum, StepSizeAdam, UncorrectedAdam
from fumoto.network import MLP
from fumoto.optimizers import SGD, AdaGrad, Adam, Momentum, RMSProp
from fumoto.printed import METHODS, Method, PrintedOptimizer
from fumoto.surfaces import bowl, hollow, narrow, ravine, saddle, valleys

# --- update rules: the equations' own optimizer against the code's --------------------------------------

SETTINGS = {
    "SGD": [{"lr": 0.1}, {"lr": 0.7}],
    "Momentum": [{"lr": 0.1, "momentum": 0.9}, {"lr": 0.03, "momentum": 0.4}],
    "Nesterov": [{"lr": 0.1, "momentum": 0.9}, {"lr": 0.03, "momentum": 0.4}],
    "AdaGrad": [{"lr": 0.1, "eps": 1e-3}, {"lr": 0.5, "eps": 0.1}],
    "RMSProp": [{"lr": 0.1, "decay_rate": 0.9, "eps": 1e-3}, {"lr": 0.5, "decay_rate": 0.6, "eps": 0.1}],
    "AdaDelta": [{"lr": 1.0, "decay_rate": 0.9, "eps": 1e-3}, {"lr": 0.5, "decay_rate": 0.6, "eps": 0.1}],
    "Adam": [
        {"lr": 0.1, "beta1": 0.9, "beta2": 0.99, "eps": 1e-3},
        {"lr": 0.5, "beta1": 0.5, "beta2": 0.7, "eps": 0.1},
    ],
    "AdamW": [
        {"lr": 0.1, "beta1": 0.9, "beta2": 0.99, "eps": 1e-3, "weight_decay": 0.3},
        {"lr": 0.5, "beta1": 0.5, "beta2": 0.7, "eps": 0.1, "weight_decay": 0.7},
    ],
    "Lion": [
        {"lr": 0.1, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.3},
        {"lr": 0.5, "beta1": 0.5, "beta2": 0.7, "weight_decay": 0.7},
    ],
}
SHAPES = {"scalar": (), "vector": (3,), "matrix": (2, 3)}


def compare_updates(equations, method, optimizer, hyperparameters, steps=6):
    """Run `optimizer` and the equations' own one side by side; parameters and every state must agree.

    Gradients of every size, some exactly zero, and several keys.
    """
    printed = PrintedOptimizer(method, equations, **hyperparameters)
    rng = np.random.default_rng(0)
    params = {key: np.asarray(rng.normal(size=shape)) for key, shape in SHAPES.items()}
    expected = {key: w.copy() for key, w in params.items()}
    for t in range(steps):
        grads = {key: rng.normal(size=shape) * 10.0 ** (t - 3) for key, shape in SHAPES.items()}
        grads["vector"][0] = 1.0 if t == 0 else 0.0
        optimizer.update(params, grads)
        printed.update(expected, grads)
        for key, w in params.items():
            close(w, expected[key])
            for name in optimizer.state_names:
                close(optimizer.state[name][key], printed.state[name][key])


def check_method(equations, name, module=book_optimizers):
    """One of the optimizers of `module` against its equations."""
    for hyperparameters in SETTINGS[name]:
        optimizer = getattr(module, name)(**hyperparameters)
        compare_updates(equations, METHODS[name], optimizer, hyperparameters)


def _check_of(name):
    def optimizer_follows_its_equations(equations):
        check_method(equations, name)

    return optimizer_follows_its_equations


_checked = {"eq-lion-c"}  # of which only the sign is used: it has a check of its own
for _method in METHODS.values():  # a label that a later method shares is checked by the first
    check(*(label for label in _method.labels if label not in _checked))(_check_of(_method.name))
    _checked |= set(_method.labels)


def _check_notes(equations, cls, labels, **hyperparameters):
    """An optimizer of fumoto.mistakes against the equations of the notes."""
    symbols = {
        "lr": "eta",
        "momentum": "alpha",
        "beta1": "beta_1",
        "beta2": "beta_2",
        "eps": "varepsilon_hat",
    }
    method = Method(cls.__name__, labels, {name: symbols[name] for name in hyperparameters})
    compare_updates(equations, method, cls(**hyperparameters), hyperparameters)


@check("eq-nesterov-expanded")
def nesterov_with_the_old_velocity(equations):
    method = Method(
        "Nesterov", ("eq-nesterov-v", "eq-nesterov-expanded"), METHODS["Nesterov"].hyperparameters
    )
    for hyperparameters in SETTINGS["Nesterov"]:
        optimizer = book_optimizers.Nesterov(**hyperparameters)
        compare_updates(equations, method, optimizer, hyperparameters)


@check("eq-notes-momentum-w")
def notes_momentum(equations):
    _check_notes(equations, NotesMomentum, ("eq-momentum-v", "eq-notes-momentum-w"), lr=0.1, momentum=0.9)


@check("eq-notes-adagrad-w")
def notes_adagrad(equations):
    method = Method("AdaGrad", ("eq-adagrad-h", "eq-notes-adagrad-w"), {"lr": "eta"})
    with np.errstate(invalid="ignore"):  # 0 / 0 where a gradient is zero from the start
        compare_updates(equations, method, AdaGrad(lr=0.1, eps=0.0), {"lr": 0.1})


@check("eq-notes-adam-w")
def notes_adam(equations):
    labels = ("eq-adam-m", "eq-adam-v", "eq-notes-adam-w")
    _check_notes(equations, UncorrectedAdam, labels, lr=0.1, beta1=0.9, beta2=0.999)


@check("eq-adam-lrt", "eq-adam-lrtw")
def step_size_adam(equations):
    labels = ("eq-adam-lrt", "eq-adam-m", "eq-adam-v", "eq-adam-lrtw")
    _check_notes(equations, StepSizeAdam, labels, lr=0.1, beta1=0.7, beta2=0.9, eps=0.05)


@check("eq-amsgrad-v", "eq-amsgrad-w")
def amsgrad(equations):
    labels = ("eq-adam-m", "eq-adam-v", "eq-adam-mhat", "eq-adam-vhat", "eq-amsgrad-v", "eq-amsgrad-w")
    method = Method("AMSGrad", labels, METHODS["Adam"].hyperparameters)
    for hyperparameters in SETTINGS["Adam"]:
        compare_updates(equations, method, AMSGrad(**hyperparameters), hyperparameters)


@check("eq-adam-epshat")
def the_two_forms_of_adam_agree(equations):
    """With epsilon-hat from the page, the lr_t form follows algorithm 1."""
    rng = np.random.default_rng(0)
    algorithm1, other = Adam(lr=0.1, eps=1e-3), StepSizeAdam(lr=0.1)
    first, second = np.zeros(4), np.zeros(4)
    for t in range(20):
        g = rng.normal(size=4) * 1e-3
        symbols = {"varepsilon": 1e-3, "beta_2": other.beta2, "t": t}
        other.eps = equations["eq-adam-epshat"].evaluate(**symbols).item()
        algorithm1.update({"w": first}, {"w": g})
        other.update({"w": second}, {"w": g})
        close(first, second)


# --- chapter 1 --------------------------------------------------------------------------------------------


def _compare_surface(equation, surface, **fixed):
    values = draw(equation, np.random.default_rng(0), shape=(50,), **fixed)
    coordinates = [name for name in ("w", "x", "y") if name in values]
    close(surface(np.array([values[name] for name in coordinates])), equation.evaluate(**values))


@check("eq-hollow-f")
def hollow_surface(equations):
    for depth in (0.3, 1.7):
        _compare_surface(equations["eq-hollow-f"], hollow(depth), D=depth)


@check("eq-narrow-f")
def narrow_surface(equations):
    for kappa in (1.7, 30.0):
        _compare_surface(equations["eq-narrow-f"], narrow(kappa), kappa=kappa)


@check("eq-bowl-f", "eq-saddle-f", "eq-ravine-f", "eq-valleys-f")
def plane_surfaces(equations):
    surfaces = {"eq-bowl-f": bowl, "eq-saddle-f": saddle, "eq-ravine-f": ravine, "eq-valleys-f": valleys}
    for label, surface in surfaces.items():
        _compare_surface(equations[label], surface)


@check("eq-affine-a")
def affine(equations):
    rng = np.random.default_rng(0)
    h, W, b = rng.normal(size=5), rng.normal(size=(5, 3)), rng.normal(size=3)
    close(Affine(W, b).forward(h[None])[0], equations["eq-affine-a"].evaluate(h=h, w=W, b=b, n=5))


@check("eq-softmax-y")
def softmax(equations):
    a, layer = np.random.default_rng(0).normal(size=6) * 3, SoftmaxCrossEntropy()
    layer.forward(a[None], np.array([0]))
    close(layer.y[0], equations["eq-softmax-y"].evaluate(a=a, K=6))


@check("eq-cross-entropy-E")
def cross_entropy(equations):
    rng, layer = np.random.default_rng(0), SoftmaxCrossEntropy()
    t = np.array([0, 1, 2, 1])
    loss = layer.forward(rng.normal(size=(4, 3)), t)
    close(loss, equations["eq-cross-entropy-E"].evaluate(p=layer.y[np.arange(4), t], N=4))


# --- chapter 2 --------------------------------------------------------------------------------------------


def _on_parabola(optimizer, curvature, steps):
    """Positions on curvature * w**2 / 2, from w = 1."""
    w, path = np.array(1.0), [1.0]
    for _ in range(steps):
        optimizer.update({"w": w}, {"w": curvature * w})
        path.append(float(w))
    return np.array(path)


@check("eq-gradient-g")
def gradient(equations):
    """The network's gradient against central differences of its loss."""
    rng = np.random.default_rng(0)
    network = MLP([3, 4, 2], rng=rng, dtype=np.float64)
    x, t, w = rng.normal(size=(5, 3)), rng.integers(0, 2, 5), network.params["W1"]

    def nabla(point):
        slopes, h = np.zeros_like(point), 1e-6
        for index in np.ndindex(point.shape):
            heights = []
            for sign in (1, -1):
                w[...] = point
                w[index] += sign * h
                heights.append(network.loss(x, t))
            slopes[index] = (heights[0] - heights[1]) / (2 * h)
        w[...] = point
        return slopes

    printed = equations["eq-gradient-g"].evaluate(grad_E=nabla, w_t=w.copy())
    close(network.gradient(x, t)[1]["W1"], printed, rtol=1e-6, atol=1e-8)


@check("eq-sgd-factor")
def sgd_factor(equations):
    for lr, curvature in ((0.1, 2.0), (0.9, 1.7), (1.5, 0.4)):
        path = _on_parabola(SGD(lr=lr), curvature, 3)
        close(path[1:] / path[:-1], equations["eq-sgd-factor"].evaluate(eta=lr, **{"lambda": curvature}))


def _check_limit(make, limit, curvature):
    """Just below the limit the distance shrinks, just above it grows."""
    exactly = np.abs(_on_parabola(make(limit), curvature, 2000))
    close(exactly[-1], exactly[-2], rtol=1e-9)
    below = np.abs(_on_parabola(make(0.99 * limit), curvature, 4000))
    above = np.abs(_on_parabola(make(1.01 * limit), curvature, 400))
    assert below[-50:].max() < 1e-3
    assert above[-50:].max() > 3


@check("eq-sgd-limit")
def sgd_limit(equations):
    for curvature in (0.5, 2.0):
        limit = equations["eq-sgd-limit"].evaluate(lambda_max=curvature).item()
        _check_limit(lambda lr: SGD(lr=lr), limit, curvature)


@check("eq-minibatch-g")
def minibatch(equations):
    rng = np.random.default_rng(0)
    network = MLP([4, 3], rng=rng, dtype=np.float64)
    x, t = rng.normal(size=(6, 4)), rng.integers(0, 3, 6)
    samples = np.array([network.gradient(x[i : i + 1], t[i : i + 1])[1]["W1"] for i in range(6)])
    close(network.gradient(x, t)[1]["W1"], equations["eq-minibatch-g"].evaluate(d=samples, B=6))


def _exact_spread(population, batches):
    means = np.array([np.mean(batch) for batch in batches])
    return np.sqrt(np.mean((means - np.mean(population)) ** 2))


@check("eq-noise-with", "eq-noise-without")
def sampling_noise(equations):
    """Against every possible batch of a population of six."""
    population = np.random.default_rng(0).normal(size=6)
    single = np.std(population)
    for size in (1, 2, 3, 4):
        expected = equations["eq-noise-with"].evaluate(s_1=single, B=size)
        close(_exact_spread(population, product(population, repeat=size)), expected)
        expected = equations["eq-noise-without"].evaluate(s_1=single, B=size, N=6)
        close(_exact_spread(population, combinations(population, size)), expected)


# --- chapter 3 --------------------------------------------------------------------------------------------


@check("eq-momentum-terminal")
def terminal_velocity(equations):
    for lr, momentum, g in ((0.1, 0.9, 2.0), (0.3, 0.5, -1.0)):
        velocity = np.diff(follow(Momentum(lr, momentum), np.full(800, g)))[-1]
        expected = equations["eq-momentum-terminal"].evaluate(eta=lr, alpha=momentum, g=g)
        close(velocity, expected, rtol=1e-9)


@check("eq-momentum-alternating")
def alternating_velocity(equations):
    for lr, momentum, g in ((0.1, 0.9, 2.0), (0.3, 0.5, 1.0)):
        velocity = np.diff(follow(Momentum(lr, momentum), g * (-1.0) ** np.arange(801)))
        expected = equations["eq-momentum-alternating"].evaluate(eta=lr, alpha=momentum, g=g)
        close(velocity[-2:], [expected, -expected], rtol=1e-9)


@check("eq-momentum-limit")
def momentum_limit(equations):
    for momentum, curvature in ((0.9, 2.0), (0.3, 0.7)):
        limit = equations["eq-momentum-limit"].evaluate(alpha=momentum, lambda_max=curvature).item()
        _check_limit(lambda lr, momentum=momentum: Momentum(lr, momentum), limit, curvature)


@check("eq-momentum-roots")
def characteristic_roots(equations):
    """The code's roots solve the printed equation, and what solves it is what the running code keeps repeating."""
    for lr, momentum, curvature in ((0.05, 0.5, 1.3), (0.4, 0.5, 2.0), (1.1, 0.3, 2.5)):
        both = roots(momentum, np.array([lr * curvature]))[:, 0]
        symbols = {"eta": lr, "alpha": momentum, "lambda": curvature}
        close(both**2, equations["eq-momentum-roots"].evaluate(r=both, **symbols))
        w = _on_parabola(Momentum(lr, momentum), curvature, 10)
        close(w[2:], both.sum().real * w[1:-1] - both.prod().real * w[:-2])


CURVATURES = (2.0, 0.1), (3.0, 0.4), (1.5, 0.3)  # the largest and the smallest


@check("eq-condition-kappa")
def condition_number(equations):
    """The bowl is 20 times as steep across as along; turned into other units, the ratio stays."""
    for scale in (1.0, 1.7):
        along, across = scale * bowl.gradient(np.ones(2))
        expected = equations["eq-condition-kappa"].evaluate(lambda_max=across, lambda_min=along)
        close(expected, 20)


@check("eq-gd-best", "eq-gd-rate")
def best_gradient_descent(equations):
    """Both directions shrink by the same printed factor; at any other rate one of them shrinks less."""
    for largest, smallest in CURVATURES:
        best = equations["eq-gd-best"].evaluate(lambda_max=largest, lambda_min=smallest).item()
        factor = equations["eq-gd-rate"].evaluate(kappa=largest / smallest).item()
        for curvature in (largest, smallest):
            path = _on_parabola(SGD(lr=best), curvature, 10)
            close(np.abs(path[1:] / path[:-1]), factor, rtol=1e-9)
        close(best_gd(largest / smallest) / largest, best)


@check("eq-momentum-best-eta", "eq-momentum-best-alpha", "eq-momentum-best-rate")
def best_heavy_ball(equations):
    """Both directions shrink by the printed factor; with either value moved, one of them shrinks less."""
    for largest, smallest in CURVATURES:
        kappa = largest / smallest
        eta = equations["eq-momentum-best-eta"].evaluate(lambda_max=largest, lambda_min=smallest).item()
        alpha = equations["eq-momentum-best-alpha"].evaluate(kappa=kappa).item()
        factor = equations["eq-momentum-best-rate"].evaluate(kappa=kappa).item()
        close(best_momentum(kappa), [eta * largest, alpha])

        def shrinking(eta, alpha, curvatures=(largest, smallest)):
            return max(_factor(Momentum(eta, alpha), curvature) for curvature in curvatures)

        close(shrinking(eta, alpha), factor, rtol=2e-3)
        for wrong in ((1.03 * eta, alpha), (0.97 * eta, alpha), (eta, 1.03 * alpha), (eta, 0.97 * alpha)):
            assert shrinking(*wrong) > 1.005 * factor


def _factor(optimizer, curvature, steps=150):
    """The factor per step, when the distance goes like t r**t (a double root) or r**t."""
    path = np.abs(_on_parabola(optimizer, curvature, 2 * steps))
    middle, last = path[steps - 9 : steps + 1].max(), path[-10:].max()
    return (last / middle / 2) ** (1 / steps)


@check("eq-saddle-steps")
def saddle_steps(equations):
    for offset, lr, curvature in ((1e-3, 0.1, 1.0), (1e-6, 0.05, 1.0), (1e-2, 0.3, 0.7)):
        symbols = {"delta": offset, "eta": lr, "lambda": curvature}
        path = offset * np.abs(_on_parabola(SGD(lr=lr), -curvature, 2000))
        steps = int(np.argmax(path > 1))
        k = equations["eq-saddle-steps"].evaluate(**symbols)
        assert steps == np.ceil(k)
        close(offset * (path[1] / path[0]) ** k, 1, rtol=1e-9)


@check("eq-saddle-root")
def saddle_root(equations):
    for lr, momentum, curvature in ((0.05, 0.9, 1.0), (0.2, 0.5, 1.3)):
        path = _on_parabola(Momentum(lr, momentum), -curvature, 300)
        symbols = {"eta": lr, "alpha": momentum, "lambda": curvature}
        close(path[-1] / path[-2], equations["eq-saddle-root"].evaluate(**symbols), rtol=1e-9)


# --- chapter 4 --------------------------------------------------------------------------------------------


@check("eq-adagrad-step", "eq-adagrad-distance")
def adagrad_on_a_slope(equations):
    for lr, slope in ((0.1, 1.0), (0.4, 7.0)):
        path = -follow(AdaGrad(lr=lr, eps=0.0), np.full(300, slope))
        for t in (1, 2, 50, 300):
            close(path[t] - path[t - 1], equations["eq-adagrad-step"].evaluate(eta=lr, t=t), atol=1e-12)
            close(path[t], equations["eq-adagrad-distance"].evaluate(eta=lr, t=t))


# --- chapter 5 --------------------------------------------------------------------------------------------


def _second_moments(decay_rate, gradients):
    optimizer, w, moments = RMSProp(decay_rate=decay_rate), np.array(0.0), []
    for g in gradients:
        optimizer.update({"w": w}, {"w": np.array(g)})
        moments.append(float(optimizer.state["h"]["w"]))
    return np.array(moments)


@check("eq-ema-weight", "eq-ema-sum", "eq-ema-total", "eq-ema-window")
def moving_average(equations):
    for decay_rate in (0.6, 0.9):
        weights = _second_moments(decay_rate, [1.0] + [0.0] * 500)
        totals = _second_moments(decay_rate, [1.0] * 100)
        for k in (0, 1, 7, 60):
            close(weights[k], equations["eq-ema-weight"].evaluate(rho=decay_rate, k=k))
        for t in (1, 2, 30, 100):
            close(totals[t - 1], equations["eq-ema-sum"].evaluate(rho=decay_rate, t=t))
            close(totals[t - 1], equations["eq-ema-total"].evaluate(rho=decay_rate, t=t))
        mean_age = np.sum(weights * np.arange(1, len(weights) + 1))
        close(mean_age, equations["eq-ema-window"].evaluate(rho=decay_rate), rtol=1e-9)


@check("eq-rmsprop-first")
def rmsprop_first_step(equations):
    for lr, decay_rate, g in ((0.1, 0.99, 3.0), (0.5, 0.6, 1e-4)):
        step = -follow(RMSProp(lr, decay_rate, eps=0.0), np.array([g]))[-1]
        close(step, equations["eq-rmsprop-first"].evaluate(eta=lr, rho=decay_rate))


@check("eq-adam-bias")
def first_moment_bias(equations):
    """Streams of gradients whose mean is exactly 3 at every step: the mean of m is linear in them."""
    rng = np.random.default_rng(0)
    optimizer, w = Adam(beta1=0.8), np.zeros(50)
    for t in range(1, 20):
        noise = rng.normal(size=50)
        optimizer.update({"w": w}, {"w": 3 + noise - noise.mean()})
        mean = optimizer.state["m"]["w"].mean()
        close(mean, equations["eq-adam-bias"].evaluate(beta_1=0.8, t=t, mean_g=3.0))


@check("eq-adam-overshoot")
def overshoot(equations):
    options = {"beta1": 0.9, "beta2": 0.99}
    plain = np.diff(follow(UncorrectedAdam(**options), np.full(200, 2.0)))
    corrected = np.diff(follow(Adam(eps=0.0, **options), np.full(200, 2.0)))
    for t in (1, 2, 30, 200):
        expected = equations["eq-adam-overshoot"].evaluate(beta_1=0.9, beta_2=0.99, t=t)
        close(plain[t - 1] / corrected[t - 1], expected, rtol=1e-9)


# --- chapter 6 --------------------------------------------------------------------------------------------


@check("eq-nesterov-original-v", "eq-nesterov-original-theta", "eq-nesterov-shift")
def nesterov_looks_ahead(equations):
    """The optimizer's w is the printed shift of the position that looks ahead."""
    lr, momentum, w = 0.1, 0.8, np.array([1.0, -2.0])

    def gradient(position):
        return np.array([1.5, 0.3]) * position + np.sin(position)

    values = {"theta_t": w.copy(), "v_t": np.zeros(2), "eta": lr, "alpha": momentum, "grad_E": gradient}
    optimizer = book_optimizers.Nesterov(lr, momentum)
    for _ in range(20):
        for label in ("eq-nesterov-original-v", "eq-nesterov-original-theta"):
            equation = equations[label]
            values[equation.name] = equation.evaluate(**{s: values[s] for s in equation.symbols})
        values["theta_t"], values["v_t"] = values.pop("theta_next"), values.pop("v_next")
        optimizer.update({"w": w}, {"w": gradient(w)})
        shift = equations["eq-nesterov-shift"]
        close(w, shift.evaluate(**{s: values[s] for s in shift.symbols}))
