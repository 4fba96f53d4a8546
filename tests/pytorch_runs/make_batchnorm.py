"""Regenerate batchnorm.json from PyTorch: `python tests/pytorch_runs/make_batchnorm.py` (needs torch).

Each case is a BatchNorm layer that is trained on several batches (forward and backward), then used for inference
(forward and backward, once with a batch of one). Inputs and PyTorch's answers are both written, so that the test
needs neither torch nor a random generator.
"""

import json
from pathlib import Path

import numpy as np
import torch

FEATURES = 4
CASES = [  # dtype, decay rate of the running averages, epsilon, sizes of the training batches
    ("float64", 0.9, 1e-5, (6, 6, 6)),
    ("float64", 0.5, 0.1, (2, 7, 3, 5)),
    ("float64", 0.0, 1e-3, (5,)),
    ("float32", 0.9, 1e-5, (6, 6, 6)),
]


def make_batches(rng, dtype, sizes):
    """Columns of very different scales; the last one is constant."""
    scales, offsets = np.array([1.0, 30.0, 0.01, 0.0]), np.array([0.0, -5.0, 2.0, 3.0])
    batches = []
    for size in sizes:
        x = offsets + scales * rng.normal(size=(size, FEATURES))
        batches.append({"x": x.astype(dtype), "dout": rng.normal(size=(size, FEATURES)).astype(dtype)})
    return batches


def run_torch(layer, batch, training):
    """PyTorch's output, gradients and running averages for one batch."""
    layer.train(training)
    layer.zero_grad()
    x = torch.tensor(batch["x"], requires_grad=True)
    y = layer(x)
    y.backward(torch.tensor(batch["dout"]))
    found = {
        "y": y,
        "dx": x.grad,
        "dgamma": layer.weight.grad,
        "dbeta": layer.bias.grad,
        "running_mean": layer.running_mean,
        "running_var": layer.running_var,
    }
    return {name: tensor.detach().numpy().tolist() for name, tensor in found.items()}


def run_case(dtype, decay_rate, eps, sizes):
    """One layer through its training batches and two inference batches (five samples, one sample)."""
    rng = np.random.default_rng(9)
    gamma, beta = rng.uniform(0.5, 2.0, FEATURES).astype(dtype), rng.normal(size=FEATURES).astype(dtype)
    # PyTorch's momentum is the weight of the new value: 1 - decay_rate of this book
    layer = torch.nn.BatchNorm1d(FEATURES, eps=eps, momentum=1 - decay_rate, dtype=getattr(torch, dtype))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(gamma))
        layer.bias.copy_(torch.tensor(beta))
    steps = []
    for training, batch_sizes in ((True, sizes), (False, (5, 1))):
        for batch in make_batches(rng, dtype, batch_sizes):
            answers = run_torch(layer, batch, training)
            inputs = {name: array.tolist() for name, array in batch.items()}
            steps.append({"training": training, **inputs, **answers})
    settings = {"dtype": dtype, "decay_rate": decay_rate, "eps": eps}
    return {**settings, "gamma": gamma.tolist(), "beta": beta.tolist(), "steps": steps}


def main():
    lines = ",\n".join(json.dumps(run_case(*case)) for case in CASES)
    version = torch.__version__.split("+")[0]
    text = f'{{"torch": "{version}", "cases": [\n{lines}\n]}}\n'
    Path(__file__).with_name("batchnorm.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
