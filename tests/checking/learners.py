"""Optimizers as learners write them, for the tests of ``check``."""

import numpy as np

from fumoto.optimizers import newton_schulz

SETTINGS = {
    "SGD": {"lr": 0.1},
    "Momentum": {"lr": 0.1, "momentum": 0.9},
    "Nesterov": {"lr": 0.1, "momentum": 0.9},
    "AdaGrad": {"lr": 0.1, "eps": 1e-7},
    "RMSProp": {"lr": 0.1, "decay_rate": 0.9, "eps": 1e-7},
    "AdaDelta": {"lr": 1.0, "decay_rate": 0.9, "eps": 1e-6},
    "Adam": {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
    "AdamW": {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.1},
    "Lion": {"lr": 0.01, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.1},
    "Muon": {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1},
}


def learner(body, before=""):
    """A learner's optimizer: `body` is what stands inside the loop over the keys."""
    source = (
        "class Learner:\n"
        "    def __init__(self, **hyperparameters):\n"
        "        self.__dict__.update(hyperparameters)\n"
        "        self.iter = 0\n"
        "        self.h, self.u, self.v, self.m = {}, {}, {}, {}\n"
        "    def update(self, params, grads):\n"
        f"        {before or 'pass'}\n"
        "        for key in params:\n"
        "            for state in (self.h, self.u, self.v, self.m):\n"
        "                state.setdefault(key, np.zeros_like(params[key]))\n"
        "            g = grads[key]\n" + "".join(f"            {line}\n" for line in body.split("\n"))
    )
    namespace = {"np": np, "newton_schulz": newton_schulz}
    exec(source, namespace)
    return namespace["Learner"]


ADAM_M = "self.m[key] = self.beta1 * self.m[key] + (1 - self.beta1) * g\n"
ADAM_V = "self.v[key] = self.beta2 * self.v[key] + (1 - self.beta2) * g**2\n"
ADAM_HATS = "mh = self.m[key] / (1 - self.beta1**self.iter)\nvh = self.v[key] / (1 - self.beta2**self.iter)\n"
ADAM_W = "params[key] -= self.lr * mh / (np.sqrt(vh) + self.eps)"
RMS_H = "self.h[key] = self.decay_rate * self.h[key] + (1 - self.decay_rate) * g**2\n"
LION_C = "c = self.beta1 * self.m[key] + (1 - self.beta1) * g\n"
LION_M = "self.m[key] = self.beta2 * self.m[key] + (1 - self.beta2) * g\n"
MUON = "self.m[key] = self.momentum * self.m[key] + (1 - self.momentum) * g\n"
MUON += "u = self.momentum * self.m[key] + (1 - self.momentum) * g\n"
MUON += "n, m = g.shape\n"
COUNT = "self.iter += 1"
