"""Muon, which updates matrices only, and Split, which gives it the matrices: against PyTorch, and bad input."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest

from fumoto.network import MLP
from fumoto.optimizers import SGD, AdamW, Muon, Split, newton_schulz
from fumoto.schedules import Cosine, Scheduled
from fumoto.training import train
from muon_problem import STEPS, gradients, start

CASES = json.loads((Path(__file__).parent / "pytorch_runs" / "after_adam.json").read_text(encoding="utf-8"))[
    "muon"
]


def trajectory(hyperparameters):
    """The matrices after every step."""
    optimizer, params = Muon(**hyperparameters), {str(k): w for k, w in enumerate(start())}
    for step in range(STEPS):
        optimizer.update(params, {str(k): g for k, g in enumerate(gradients(step))})
        yield [w.copy() for w in params.values()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["hyperparameters"]))
def test_matrices_are_those_of_pytorch_iterating_in_float64(case):
    for ours, theirs in zip(trajectory(case["hyperparameters"]), case["float64"], strict=True):
        for mine, reference in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(mine, reference, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["hyperparameters"]))
def test_matrices_are_nearly_those_of_pytorch_iterating_in_bfloat16(case):
    """A part of a hundredth of every step; here of the first matrix."""
    lr = case["hyperparameters"]["lr"]
    for step, (ours, theirs) in enumerate(
        zip(trajectory(case["hyperparameters"]), case["bfloat16"], strict=True), start=1
    ):
        np.testing.assert_allclose(ours[0], theirs, rtol=0, atol=0.02 * lr * step)


def test_the_default_settings_are_those_of_the_authors():
    optimizer = Muon()
    assert (optimizer.lr, optimizer.momentum, optimizer.weight_decay) == (0.02, 0.95, 0.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 2), (2, 3), (1, 1), (0, 3), (3, 0)])
def test_shape_type_and_gradients_stay(shape, dtype, rng):
    w, g = rng.normal(size=shape).astype(dtype), rng.normal(size=shape).astype(dtype)
    before, optimizer, params = g.copy(), Muon(), {"w": w}
    for _ in range(3):
        optimizer.update(params, {"w": g})
    assert (w.shape, w.dtype) == (shape, dtype)
    assert (optimizer.state["m"]["w"].shape, optimizer.state["m"]["w"].dtype) == (shape, dtype)
    np.testing.assert_array_equal(g, before)


def test_a_gradient_of_zero_moves_nothing():
    w = np.ones((2, 3))
    Muon().update({"w": w}, {"w": np.zeros((2, 3))})
    np.testing.assert_array_equal(w, 1.0)


@pytest.mark.parametrize("shape", [(), (3,), (2, 2, 2)])
def test_other_weights_than_matrices_are_refused_and_nothing_moves(shape):
    params = {"W": np.ones((2, 2)), "b": np.ones(shape)}
    optimizer = Muon()
    with pytest.raises(ValueError, match=r"params\['b'\] は行列でなければなりません"):
        optimizer.update(params, {key: np.ones_like(w) for key, w in params.items()})
    assert all(np.all(w == 1) for w in params.values())
    assert optimizer.t == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"lr": 0.0}, "lr は正の数"),
        ({"momentum": 1.0}, "momentum は 0 以上 1 未満"),
        ({"weight_decay": -0.1}, "weight_decay は 0 以上"),
    ],
)
def test_bad_settings_are_named(settings, said):
    with pytest.raises(ValueError, match=said):
        Muon(**settings)


# --- Split --------------------------------------------------------------------------------------------------


def test_split_gives_matrices_to_the_one_and_the_others_to_the_other(rng):
    params = {"W": rng.normal(size=(3, 2)), "b": rng.normal(size=2)}
    grads = {key: rng.normal(size=w.shape) for key, w in params.items()}
    alone = copy.deepcopy(params)
    Split(Muon(0.1), AdamW(0.3)).update(params, grads)
    Muon(0.1).update({"W": alone["W"]}, {"W": grads["W"]})
    AdamW(0.3).update({"b": alone["b"]}, {"b": grads["b"]})
    for key, w in params.items():
        np.testing.assert_array_equal(w, alone[key])


def test_split_gives_the_named_matrices_only(rng):
    params = {"V": rng.normal(size=(3, 2)), "W": rng.normal(size=(2, 3)), "b": rng.normal(size=2)}
    grads = {key: rng.normal(size=w.shape) for key, w in params.items()}
    alone = copy.deepcopy(params)
    Split(Muon(0.1), AdamW(0.3), ["W"]).update(params, grads)
    Muon(0.1).update({"W": alone["W"]}, {"W": grads["W"]})
    rest = {key: alone[key] for key in ("V", "b")}
    AdamW(0.3).update(rest, {key: grads[key] for key in rest})
    for key, w in params.items():
        np.testing.assert_array_equal(w, alone[key])


def test_split_names_a_matrix_that_is_not_there_and_moves_nothing():
    params = {"W": np.ones((2, 2)), "b": np.ones(2)}
    with pytest.raises(ValueError, match=r"keys のキー \['V'\] が params にありません"):
        Split(Muon(), SGD(), ["W", "V"]).update(params, {key: np.ones_like(w) for key, w in params.items()})
    assert all(np.all(w == 1) for w in params.values())


def test_split_of_matrices_only_never_asks_the_other():
    optimizer, params = Split(Muon(0.1), AdamW()), {"W": np.ones((2, 2))}
    for _ in range(3):
        optimizer.update(params, {"W": np.ones((2, 2))})
    assert (optimizer.matrices.t, optimizer.others.t) == (3, 0)


def test_split_trains_a_network_with_schedules(rng):
    x, t = rng.normal(size=(60, 8)).astype(np.float32), rng.integers(0, 3, 60)
    network = MLP([8, 16, 3], rng=rng)
    optimizer = Split(Scheduled(Muon(), Cosine(0.1, 80)), Scheduled(AdamW(), Cosine(0.01, 80)))
    losses = train(network, optimizer, x, t, steps=80, batch_size=20, rng=rng)
    assert losses[-10:].mean() < 0.3 * losses[:10].mean()


@pytest.mark.parametrize(
    "grads",
    [
        {"W": np.ones((2, 2))},
        {"W": np.ones((2, 2)), "b": np.ones(2), "c": np.ones(2)},
        {"W": np.ones((2, 2)), "b": np.ones(3)},
    ],
)
def test_split_moves_nothing_if_a_gradient_does_not_fit(grads):
    params = {"W": np.ones((2, 2)), "b": np.ones(2)}
    with pytest.raises(ValueError, match="キーと形は params と同じ"):
        Split(Muon(), SGD()).update(params, grads)
    assert all(np.all(w == 1) for w in params.values())


def test_the_iteration_of_a_tall_matrix_is_the_transpose_of_the_wide_one(rng):
    u = rng.normal(size=(5, 2))
    np.testing.assert_array_equal(newton_schulz(u), newton_schulz(u.T).T)


def test_a_shallow_copy_of_a_split_has_its_own_optimizers():
    optimizer = Split(Muon(), AdamW())
    params = {"W": np.ones((2, 2)), "b": np.ones(2)}
    copy.copy(optimizer).update(params, {key: np.ones_like(w) for key, w in params.items()})
    assert (optimizer.matrices.t, optimizer.others.t) == (0, 0)
