"""Regenerate optimizers.json from PyTorch: `python tests/pytorch_runs/make_optimizers.py` (needs torch).

Of Lion, which PyTorch does not have, the numbers come from the algorithm of the paper, written here once more.

The problem is the one of tests/trajectories.py; the parameters after each step of SNAPSHOTS are written.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from trajectories import CASES, SNAPSHOTS, follow


class Lion:
    """Algorithm 2 of Chen et al. (2023), written for PyTorch's tensors: PyTorch itself has no Lion."""

    def __init__(self, parameters, lr, beta1, beta2, weight_decay):
        self.parameters, self.momenta = parameters, [torch.zeros_like(p) for p in parameters]
        self.lr, self.beta1, self.beta2, self.weight_decay = lr, beta1, beta2, weight_decay

    @torch.no_grad()
    def step(self):
        for theta, m in zip(self.parameters, self.momenta, strict=True):
            c = torch.lerp(theta.grad, m, self.beta1)
            theta.sub_(self.lr * (torch.sign(c) + self.weight_decay * theta))
            m.copy_(torch.lerp(theta.grad, m, self.beta2))


def torch_optimizer(name, parameters, hyperparameters):
    h = dict(hyperparameters)
    lr = h.pop("lr")
    if name == "SGD":
        return torch.optim.SGD(parameters, lr=lr)
    if name == "Momentum":
        return torch.optim.SGD(parameters, lr=lr, momentum=h["momentum"])
    if name == "Nesterov":
        return torch.optim.SGD(parameters, lr=lr, momentum=h["momentum"], nesterov=h["momentum"] > 0)
    if name == "AdaGrad":
        return torch.optim.Adagrad(parameters, lr=lr, eps=h["eps"])
    if name == "RMSProp":
        return torch.optim.RMSprop(parameters, lr=lr, alpha=h["decay_rate"], eps=h["eps"])
    if name == "AdaDelta":
        return torch.optim.Adadelta(parameters, lr=lr, rho=h["decay_rate"], eps=h["eps"])
    if name == "Adam":
        return torch.optim.Adam(parameters, lr=lr, betas=(h["beta1"], h["beta2"]), eps=h["eps"])
    if name == "AdamW":
        betas = h["beta1"], h["beta2"]
        return torch.optim.AdamW(parameters, lr=lr, betas=betas, eps=h["eps"], weight_decay=h["weight_decay"])
    if name == "Lion":
        return Lion(parameters, **hyperparameters)
    raise KeyError(name)


class Adapter:
    """Gives PyTorch's optimizer the interface of this book."""

    def __init__(self, name, hyperparameters):
        self.name, self.hyperparameters, self.optimizer = name, hyperparameters, None

    def update(self, params, grads):
        if self.optimizer is None:
            self.tensors = {key: torch.from_numpy(w).requires_grad_() for key, w in params.items()}
            self.optimizer = torch_optimizer(self.name, list(self.tensors.values()), self.hyperparameters)
        for key, g in grads.items():
            self.tensors[key].grad = torch.tensor(np.asarray(g))
        self.optimizer.step()  # from_numpy shares memory: params have changed


def main():
    cases = []
    for name, hyperparameters in CASES:
        trajectory = follow(Adapter(name, hyperparameters))
        cases.append({"name": name, "hyperparameters": hyperparameters, "trajectory": trajectory})
    lines = ",\n".join(json.dumps(case) for case in cases)
    version = torch.__version__.split("+")[0]
    text = f'{{"torch": "{version}", "snapshots": {list(SNAPSHOTS)}, "cases": [\n{lines}\n]}}\n'
    Path(__file__).with_name("optimizers.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
