"""One deterministic optimization problem that our optimizers and PyTorch's are both run on.

Parameters of several shapes, gradients that depend on the current parameters and on the step, of sizes from
1e-6 to 1e2, some exactly zero.
"""

import numpy as np

# Every case is well conditioned: rounding errors of 1e-15 in the gradients change the result by less than 2e-13.
SNAPSHOTS = (1, 2, 5, 20, 60, 200)  # early mistakes are forgotten by step 200, so look early too

CASES = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.9}),
    ("Momentum", {"lr": 0.02, "momentum": 0.9}),
    ("Momentum", {"lr": 0.05, "momentum": 0.5}),
    ("Momentum", {"lr": 0.05, "momentum": 0.0}),
    ("Nesterov", {"lr": 0.02, "momentum": 0.9}),
    ("Nesterov", {"lr": 0.05, "momentum": 0.5}),
    ("AdaGrad", {"lr": 0.1, "eps": 1e-10}),
    ("AdaGrad", {"lr": 0.5, "eps": 1e-3}),
    ("RMSProp", {"lr": 0.01, "decay_rate": 0.99, "eps": 1e-8}),
    ("RMSProp", {"lr": 0.02, "decay_rate": 0.9, "eps": 1e-3}),
    ("AdaDelta", {"lr": 1.0, "decay_rate": 0.9, "eps": 1e-6}),
    ("AdaDelta", {"lr": 0.5, "decay_rate": 0.95, "eps": 1e-3}),
    ("Adam", {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}),
    ("Adam", {"lr": 0.01, "beta1": 0.5, "beta2": 0.9, "eps": 1e-2}),
    ("Adam", {"lr": 0.02, "beta1": 0.0, "beta2": 0.99, "eps": 1e-8}),
    ("AdamW", {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.01}),
    ("AdamW", {"lr": 0.01, "beta1": 0.5, "beta2": 0.9, "eps": 1e-2, "weight_decay": 0.5}),
    ("Lion", {"lr": 0.003, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.1}),
    ("Lion", {"lr": 0.01, "beta1": 0.5, "beta2": 0.8, "weight_decay": 0.0}),
]

SHAPES = {"scalar": (), "vector": (5,), "matrix": (3, 4), "tensor": (2, 3, 2), "never": (2,)}


def start():
    rng = np.random.default_rng(1)
    return {key: rng.normal(size=shape) for key, shape in SHAPES.items()}


def gradients_at(params, step):
    """A quadratic's gradient per key, scaled by key, plus a step-dependent part; 'never' is always zero."""
    scales = {"scalar": 1.0, "vector": 0.3, "matrix": 1e-3, "tensor": 0.7, "never": 0.0}
    grads = {}
    for number, (key, w) in enumerate(params.items()):
        wave = np.sin(0.1 * step + number + np.arange(w.size).reshape(w.shape))
        grads[key] = scales[key] * (w + 0.5 * wave)
    if step % 7 == 3:
        grads["vector"] = np.zeros_like(grads["vector"])  # a feature that does not appear
    return grads


def follow(optimizer, steps=SNAPSHOTS[-1]):
    """Run the problem and return, per snapshot, {key: list of values}."""
    params = start()
    trajectory = []
    for step in range(steps):
        optimizer.update(params, gradients_at(params, step))
        if step + 1 in SNAPSHOTS:
            trajectory.append({key: w.ravel().tolist() for key, w in params.items()})
    return trajectory
