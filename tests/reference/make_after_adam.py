"""Regenerate after_adam.json from PyTorch: `python tests/reference/make_after_adam.py` (needs torch).

Learning-rate schedules: the rate of every step, as PyTorch's schedulers set it.
"""

import json
from pathlib import Path

import torch

schedulers = torch.optim.lr_scheduler
SCHEDULES = [
    ("StepDecay", {"lr": 0.5, "every": 3, "factor": 0.3}, 10),
    ("Cosine", {"lr": 0.5, "steps": 9}, 10),
    ("Warmup", {"lr": 0.5, "steps": 4}, 8),
]


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


def main():
    found = {
        "torch": torch.__version__.split("+")[0],
        "schedules": [
            {"name": name, "settings": settings, "rates": rates(name, settings, steps)}
            for name, settings, steps in SCHEDULES
        ],
    }
    text = json.dumps(found, indent=1) + "\n"
    Path(__file__).with_name("after_adam.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
