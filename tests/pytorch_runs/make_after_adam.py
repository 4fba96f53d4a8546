"""Regenerate after_adam.json from PyTorch: `python tests/pytorch_runs/make_after_adam.py` (needs torch).

Learning-rate schedules: the rate of every step, as PyTorch's schedulers set it. Clipping: of two arrays together. Muon: the
matrices after each step of ``muon_problem``, of PyTorch's Muon as it is (which iterates in bfloat16), and of the same
code with ``Tensor.bfloat16`` replaced, so that it iterates in float64.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from muon_problem import STEPS, gradients, start

schedulers = torch.optim.lr_scheduler
SCHEDULES = [
    ("StepDecay", {"lr": 0.5, "every": 3, "factor": 0.3}, 10),
    ("Cosine", {"lr": 0.5, "steps": 9}, 10),
    ("Warmup", {"lr": 0.5, "steps": 4}, 8),
]
GRADIENTS = [[[1.0, -2.0], [0.5, 3.0]], [0.25, -4.0, 1.5]]


def scheduler(name, optimizer, settings):
    if name == "StepDecay":
        return schedulers.StepLR(optimizer, settings["every"], settings["factor"])
    if name == "Cosine":
        return schedulers.CosineAnnealingLR(optimizer, settings["steps"])
    if name == "Warmup":
        steps = settings["steps"]
        return schedulers.LinearLR(optimizer, start_factor=1 / steps, total_iters=steps - 1)
    raise KeyError(name)


def rates(name, settings, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=settings["lr"])
    schedule, found = scheduler(name, optimizer, settings), []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def clipped(limit):
    """``GRADIENTS``, clipped together; PyTorch divides by the norm plus 1e-6."""
    parameters = [torch.zeros(2, 2, requires_grad=True), torch.zeros(3, requires_grad=True)]
    for parameter, g in zip(parameters, GRADIENTS, strict=True):
        parameter.grad = torch.tensor(g)
    torch.nn.utils.clip_grad_norm_(parameters, limit)
    return [parameter.grad.tolist() for parameter in parameters]


MUON = [
    {"lr": 0.02, "momentum": 0.95, "weight_decay": 0.0},
    {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.3},
]


def muon(settings, rounded):
    """The matrices of PyTorch are the transposes of the book's: (n_out, n_in)."""
    bfloat16 = torch.Tensor.bfloat16
    if not rounded:
        torch.Tensor.bfloat16 = torch.Tensor.clone
    try:
        parameters = [torch.tensor(w.T.copy(), requires_grad=True) for w in start()]
        optimizer, found = torch.optim.Muon(parameters, **settings), []
        for step in range(STEPS):
            for parameter, g in zip(parameters, gradients(step), strict=True):
                parameter.grad = torch.tensor(g.T.copy())
            optimizer.step()
            found.append([parameter.detach().numpy().T.tolist() for parameter in parameters])
    finally:
        torch.Tensor.bfloat16 = bfloat16
    return found


def record():
    return {
        "torch": torch.__version__.split("+")[0],
        "schedules": [
            {"name": name, "settings": settings, "rates": rates(name, settings, steps)}
            for name, settings, steps in SCHEDULES
        ],
        "clipping": [
            {"gradients": GRADIENTS, "limit": limit, "clipped": clipped(limit)} for limit in (0.5, 4.0, 9.0)
        ],
        "muon": [
            {
                "hyperparameters": settings,
                "float64": muon(settings, rounded=False),
                "bfloat16": [
                    np.round(muon(settings, rounded=True)[step][0], 6).tolist() for step in range(STEPS)
                ],
            }
            for settings in MUON
        ],
    }


def main():
    text = json.dumps(record()) + "\n"
    Path(__file__).with_name("after_adam.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
