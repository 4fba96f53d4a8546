"""Regenerate layernorm.json from PyTorch: `python tests/pytorch_runs/make_layernorm.py` (needs torch).

Each case is one LayerNorm or RMSNorm layer and one batch, forward and backward. Inputs and PyTorch's answers are both
written, so that the test needs neither torch nor a random generator.
"""

import json
from pathlib import Path

import numpy as np
import torch

CASES = [  # layer, dtype, epsilon, samples, nodes
    ("LayerNorm", "float64", 1e-5, 6, 4),
    ("LayerNorm", "float64", 0.1, 1, 7),
    ("LayerNorm", "float64", 1e-3, 3, 2),
    ("LayerNorm", "float32", 1e-5, 6, 4),
    ("RMSNorm", "float64", 1e-5, 6, 4),
    ("RMSNorm", "float64", 0.1, 1, 7),
    ("RMSNorm", "float64", 1e-3, 3, 2),
    ("RMSNorm", "float32", 1e-5, 6, 4),
]


def run_case(name, dtype, eps, samples, nodes):
    """Rows of very different scales and means; the last of several is constant."""
    rng = np.random.default_rng(9)
    gamma, beta = rng.uniform(0.5, 2.0, nodes).astype(dtype), rng.normal(size=nodes).astype(dtype)
    scales, offsets = 10.0 ** np.linspace(-2, 1.5, samples)[:, None], np.linspace(-5, 3, samples)[:, None]
    if samples > 1:
        scales[-1] = 0.0
    x = (offsets + scales * rng.normal(size=(samples, nodes))).astype(dtype)
    dout = rng.normal(size=(samples, nodes)).astype(dtype)
    layer = getattr(torch.nn, name)(nodes, eps=eps, dtype=getattr(torch, dtype))
    params = dict(zip(("weight", "bias"), (gamma, beta), strict=True))
    with torch.no_grad():
        for key, tensor in layer.named_parameters():
            tensor.copy_(torch.tensor(params[key]))
    given = torch.tensor(x, requires_grad=True)
    y = layer(given)
    y.backward(torch.tensor(dout))
    found = {"y": y.detach(), "dx": given.grad}
    found |= {{"weight": "dgamma", "bias": "dbeta"}[key]: w.grad for key, w in layer.named_parameters()}
    arrays = {"gamma": gamma, "beta": beta, "x": x, "dout": dout}
    arrays |= {key: tensor.numpy() for key, tensor in found.items()}
    settings = {"layer": name, "dtype": dtype, "eps": eps}
    return {**settings, **{key: array.tolist() for key, array in arrays.items()}}


def main():
    lines = ",\n".join(json.dumps(run_case(*case)) for case in CASES)
    version = torch.__version__.split("+")[0]
    text = f'{{"torch": "{version}", "cases": [\n{lines}\n]}}\n'
    Path(__file__).with_name("layernorm.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
