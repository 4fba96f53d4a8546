"""The optimizers: against PyTorch, against their closed forms, and against bad input."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fumoto import optimizers
from fumoto.experiments import adagrad
from fumoto.optimizers import (
    BLOCK,
    SGD,
    AdaDelta,
    AdaGrad,
    Adam,
    AdamW,
    Lion,
    Momentum,
    Nesterov,
    Optimizer,
    RMSProp,
)
from fumoto.surfaces import bowl
from fumoto.training import descend
from trajectories import CASES, SNAPSHOTS, follow

ALL = [SGD, Momentum, Nesterov, AdaGrad, RMSProp, AdaDelta, Adam, AdamW, Lion]
REFERENCE = json.loads((Path(__file__).parent / "pytorch_runs" / "optimizers.json").read_text(encoding="utf-8"))


def assert_same_trajectory(ours, theirs):
    assert len(ours) == len(theirs) == len(SNAPSHOTS)
    for step, mine, reference in zip(SNAPSHOTS, ours, theirs, strict=True):
        assert mine.keys() == reference.keys()
        for key, values in mine.items():
            np.testing.assert_allclose(
                values, reference[key], rtol=1e-12, atol=1e-15, err_msg=f"{key} after step {step}"
            )


@pytest.mark.parametrize("case", REFERENCE["cases"], ids=lambda c: f"{c['name']}-{c['hyperparameters']}")
def test_trajectory_matches_committed_pytorch_numbers(case):
    optimizer = getattr(optimizers, case["name"])(**case["hyperparameters"])
    assert_same_trajectory(follow(optimizer), case["trajectory"])


def test_committed_numbers_cover_every_case_and_optimizer():
    assert [(c["name"], c["hyperparameters"]) for c in REFERENCE["cases"]] == [list(c) and c for c in CASES]
    assert {name for name, _ in CASES} == {cls.__name__ for cls in ALL}
    assert tuple(REFERENCE["snapshots"]) == SNAPSHOTS


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
@pytest.mark.parametrize(("name", "hyperparameters"), CASES, ids=lambda value: str(value))
def test_trajectory_matches_live_pytorch(name, hyperparameters):
    from pytorch_runs.make_optimizers import Adapter

    ours = follow(getattr(optimizers, name)(**hyperparameters))
    assert_same_trajectory(ours, follow(Adapter(name, hyperparameters)))


# --- properties -------------------------------------------------------------------------------------------

finite = st.floats(-1e3, 1e3, width=32)


@st.composite
def params_and_grads(draw):
    """A dict of 1 to 3 arrays of any shape (0-d and empty too), float32 or float64, with gradients."""
    params, grads = {}, {}
    for number in range(draw(st.integers(1, 3))):
        shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
        dtype = draw(st.sampled_from([np.float32, np.float64]))
        params[f"p{number}"] = draw(hnp.arrays(dtype, shape, elements=finite))
        grads[f"p{number}"] = draw(hnp.arrays(dtype, shape, elements=finite))
    return params, grads


@pytest.mark.parametrize("cls", ALL)
@given(data=params_and_grads())
def test_update_keeps_shape_dtype_and_identity(cls, data):
    params, grads = data
    before = {key: (id(w), w.shape, w.dtype) for key, w in params.items()}
    copies = {key: g.copy() for key, g in grads.items()}
    optimizer = cls()
    for _ in range(3):
        optimizer.update(params, grads)
    assert {key: (id(w), w.shape, w.dtype) for key, w in params.items()} == before
    for key, g in grads.items():
        np.testing.assert_array_equal(g, copies[key])
    for arrays in optimizer.state.values():
        for key, array in arrays.items():
            assert array.shape == params[key].shape
            assert array.dtype == params[key].dtype
            assert not np.shares_memory(array, params[key])
            assert not np.shares_memory(array, grads[key])


@pytest.mark.parametrize("cls", ALL)
@given(data=params_and_grads())
def test_update_moves_every_key_as_if_it_were_alone(cls, data):
    params, grads = data
    alone = {key: {key: w.copy()} for key, w in params.items()}
    together, separate = cls(), {key: cls() for key in params}
    for _ in range(3):
        together.update(params, grads)
        for key in params:
            separate[key].update(alone[key], {key: grads[key]})
    for key, w in params.items():
        np.testing.assert_array_equal(w, alone[key][key])


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize(
    "layout", [np.ascontiguousarray, np.asfortranarray, lambda a: np.repeat(a, 2, 0)[::2]]
)
def test_long_arrays_move_as_their_pieces_would(cls, layout, rng):
    shape = (7, BLOCK // 3)
    w, g = (rng.normal(size=shape).astype(np.float32) for _ in range(2))
    whole, rows = {"w": layout(w.copy())}, {str(i): row.copy() for i, row in enumerate(w)}
    first, second = cls(), cls()
    for _ in range(3):
        first.update(whole, {"w": layout(g)})
        second.update(rows, {str(i): row for i, row in enumerate(g)})
    np.testing.assert_array_equal(whole["w"], np.array(list(rows.values())))
    assert np.any(whole["w"] != w)


def test_a_rule_that_is_not_elementwise_sees_the_whole_array():
    class Normalized(Optimizer):
        def rule(self, w, g):
            return (w - g / np.sqrt(np.sum(g**2)),)

    params = {"w": np.zeros(4 * BLOCK)}
    Normalized().update(params, {"w": np.ones(4 * BLOCK)})
    np.testing.assert_allclose(params["w"], -1 / np.sqrt(4 * BLOCK))


def test_state_is_written_in_place():
    optimizer, params = Momentum(lr=1.0, momentum=0.5), {"w": np.zeros(2)}
    optimizer.update(params, {"w": np.ones(2)})
    v = optimizer.state["v"]["w"]
    optimizer.update(params, {"w": np.ones(2)})
    np.testing.assert_array_equal(v, -1.5)


@pytest.mark.parametrize("cls", ALL)
def test_params_may_also_be_the_gradient(cls):
    shared, apart = np.array([1.0, -2.0]), np.array([1.0, -2.0])
    first, second = cls(), cls()
    for _ in range(4):
        first.update({"w": shared}, {"w": shared})
        second.update({"w": apart}, {"w": apart.copy()})
    np.testing.assert_array_equal(shared, apart)


@pytest.mark.parametrize("cls", ALL)
def test_numpy_scalar_hyperparameters_do_not_widen_float32(cls):
    w = np.ones(3, np.float32)
    optimizer = cls(lr=np.float64(0.1))
    optimizer.update({"w": w}, {"w": np.ones(3, np.float32)})
    assert all(a["w"].dtype == np.float32 for a in optimizer.state.values())
    assert type(optimizer.lr) is float


def test_gradients_of_another_dtype_are_taken_in_the_dtype_of_the_parameters():
    for dtype in (np.float64, np.int64, np.float16):
        w, reference = np.ones(3, np.float32), np.ones(3, np.float32)
        first, second = Adam(), Adam()
        for _ in range(3):
            first.update({"w": w}, {"w": np.array([1, 2, 3], dtype)})
            second.update({"w": reference}, {"w": np.array([1, 2, 3], np.float32)})
        np.testing.assert_array_equal(w, reference)
        assert first.state["m"]["w"].dtype == np.float32


def test_a_gradient_too_large_for_float32_does_not_raise():
    params = {"w": np.ones(2, np.float32)}
    with np.errstate(all="raise"):
        SGD().update(params, {"w": np.full(2, 1e300)})
    assert not np.any(np.isfinite(params["w"]))


def test_matrices_are_updated_entry_by_entry():
    with pytest.warns(PendingDeprecationWarning):
        matrix = np.matrix([[1.0, 2.0], [3.0, 4.0]])
    array = np.array(matrix)
    AdaDelta().update({"w": matrix}, {"w": np.asarray(matrix).copy()})
    AdaDelta().update({"w": array}, {"w": array.copy()})
    np.testing.assert_array_equal(np.asarray(matrix), array)


@pytest.mark.parametrize("cls", ALL)
def test_rule_does_not_write_to_its_arguments(cls):
    optimizer = cls()
    arguments = [np.full(3, 0.5) for _ in range(2 + len(optimizer.state_names))]
    optimizer.rule(*arguments)
    for array in arguments:
        np.testing.assert_array_equal(array, 0.5)


DEFAULTS = {
    "SGD": {"lr": 0.01},
    "Momentum": {"lr": 0.01, "momentum": 0.9},
    "Nesterov": {"lr": 0.01, "momentum": 0.9},
    "AdaGrad": {"lr": 0.01, "eps": 1e-10},
    "RMSProp": {"lr": 0.01, "decay_rate": 0.99, "eps": 1e-8},
    "AdaDelta": {"lr": 1.0, "decay_rate": 0.9, "eps": 1e-6},
    "Adam": {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
    "AdamW": {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.01},
    "Lion": {"lr": 1e-4, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0},
}


@pytest.mark.parametrize("cls", ALL)
def test_defaults_are_those_of_pytorch_or_the_paper(cls):
    optimizer = cls()
    assert {name: getattr(optimizer, name) for name in DEFAULTS[cls.__name__]} == DEFAULTS[cls.__name__]


# --- bad input --------------------------------------------------------------------------------------------

FRACTIONS = {
    Momentum: ["momentum"],
    Nesterov: ["momentum"],
    RMSProp: ["decay_rate"],
    AdaDelta: ["decay_rate"],
    Adam: ["beta1", "beta2"],
    AdamW: ["beta1", "beta2"],
    Lion: ["beta1", "beta2"],
}


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("lr", [0, 0.0, -0.1, float("nan"), float("inf"), -float("inf"), 10**400])
def test_learning_rate_must_be_finite_and_positive(cls, lr):
    with pytest.raises(ValueError, match=rf"lr は.*{str(lr)[:30]}"):
        cls(lr=lr)


@pytest.mark.parametrize("lr", ["0.1", None, True, 1j, np.array([0.1])])
def test_learning_rate_must_be_a_real_number(lr):
    with pytest.raises(TypeError, match="lr は実数"):
        SGD(lr=lr)


@pytest.mark.parametrize(("cls", "name"), [(c, n) for c, names in FRACTIONS.items() for n in names])
@pytest.mark.parametrize("value", [-0.1, 1, 1.0, 1.5, float("nan")])
def test_fractions_must_be_in_the_half_open_unit_interval(cls, name, value):
    with pytest.raises(ValueError, match=rf"{name} は.*{value}"):
        cls(**{name: value})


@pytest.mark.parametrize("cls", [AdaGrad, RMSProp, AdaDelta, Adam, AdamW])
def test_eps_must_not_be_negative(cls):
    with pytest.raises(ValueError, match=r"eps は 0 以上.*-1e-08"):
        cls(eps=-1e-8)
    cls(eps=0)


@pytest.mark.parametrize("cls", [AdamW, Lion])
def test_weight_decay_must_not_be_negative(cls):
    with pytest.raises(ValueError, match=r"weight_decay は 0 以上.*-0\.1"):
        cls(weight_decay=-0.1)
    cls(weight_decay=0)


def used_optimizer(cls):
    optimizer = cls()
    params = {"a": np.ones(2), "b": np.ones((2, 3))}
    optimizer.update(params, {key: np.full_like(w, 0.5) for key, w in params.items()})
    return optimizer, params


BAD_CALLS = {
    "missing key": (lambda p, g: (p, {"a": g["a"]}), ValueError, r"足りないキー: \['b'\]"),
    "unknown key": (lambda p, g: (p, {**g, "c": g["a"]}), ValueError, r"余分なキー: \['c'\]"),
    "shape": (lambda p, g: (p, {**g, "b": np.ones((3, 2))}), ValueError, r"grads\['b'\].*\(2, 3\).*\(3, 2\)"),
    "scalar gradient": (lambda p, g: (p, {**g, "b": 1.0}), ValueError, r"grads\['b'\].*\(2, 3\).*\(\)"),
    "integer parameters": (
        lambda p, g: ({**p, "b": np.ones((2, 3), int)}, g),
        TypeError,
        r"params\['b'\].*int64",
    ),
    "list parameter": (lambda p, g: ({**p, "a": [1.0, 1.0]}, g), TypeError, r"params\['a'\].*list"),
    "complex gradient": (
        lambda p, g: (p, {**g, "a": np.ones(2, complex)}),
        TypeError,
        r"grads\['a'\].*complex",
    ),
    "boolean gradient": (lambda p, g: (p, {**g, "a": np.ones(2, bool)}), TypeError, r"grads\['a'\].*bool"),
    "ragged gradient": (
        lambda p, g: (p, {**g, "a": [[1.0], [1.0, 2.0]]}),
        TypeError,
        r"grads\['a'\].*不揃い",
    ),
    "half precision": (
        lambda p, g: ({**p, "a": np.ones(2, np.float16)}, g),
        TypeError,
        r"params\['a'\].*float16",
    ),
    "no gradients": (lambda p, g: (p, None), TypeError, "grads は辞書.*NoneType"),
    "list of gradients": (lambda p, g: (p, list(g.values())), TypeError, "grads は辞書.*list"),
    "text gradient": (lambda p, g: (p, {**g, "a": np.array(["x", "y"])}), TypeError, r"grads\['a'\]"),
    "fewer parameters": (lambda p, g: ({"a": p["a"]}, {"a": g["a"]}), ValueError, "最初の更新のとき"),
    "other dtype": (lambda p, g: ({**p, "b": p["b"].astype("f4")}, g), ValueError, "最初の更新のとき"),
    "other shape": (
        lambda p, g: ({**p, "a": np.ones(3)}, {**g, "a": np.ones(3)}),
        ValueError,
        "最初の更新のとき",
    ),
}


def read_only(array):
    array = array.copy()
    array.setflags(write=False)
    return array


BAD_CALLS["read-only"] = (
    lambda p, g: ({**p, "b": read_only(p["b"])}, g),
    ValueError,
    r"params\['b'\].*読み取り",
)


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("kind", BAD_CALLS)
def test_bad_call_is_one_clear_error_and_moves_nothing(cls, kind):
    spoil, error, message = BAD_CALLS[kind]
    optimizer, params = used_optimizer(cls)
    grads = {key: np.full_like(w, 0.25) for key, w in params.items()}
    bad_params, bad_grads = spoil(params, grads)
    params_before = {key: np.array(w) for key, w in bad_params.items()}
    state_before = {n: {k: a.copy() for k, a in arrays.items()} for n, arrays in optimizer.state.items()}
    with pytest.raises(error, match=message):
        optimizer.update(bad_params, bad_grads)
    assert optimizer.t == 1
    for key, w in params_before.items():
        np.testing.assert_array_equal(bad_params[key], w)
    for name, arrays in state_before.items():
        assert optimizer.state[name].keys() == arrays.keys()
        for key, array in arrays.items():
            np.testing.assert_array_equal(optimizer.state[name][key], array)
    reference, reference_params = used_optimizer(cls)
    optimizer.update(params, grads)
    reference.update(reference_params, grads)
    for key in params:
        np.testing.assert_array_equal(params[key], reference_params[key])


def test_update_is_all_or_nothing_when_a_rule_fails_half_way():
    class Fragile(Optimizer):
        state_names = ("v",)

        def rule(self, w, g, v):
            if np.any(g < 0):
                raise FloatingPointError("no")
            return w - g, v + g

    optimizer, params = Fragile(), {"a": np.ones(2), "b": np.ones(2)}
    with pytest.raises(FloatingPointError):
        optimizer.update(params, {"a": np.ones(2), "b": -np.ones(2)})
    np.testing.assert_array_equal(params["a"], 1.0)
    assert optimizer.t == 0
    assert optimizer.state == {"v": {}}


@pytest.mark.parametrize(
    "answer",
    [
        lambda w, g, v: (w - g,),
        lambda w, g, v: (w, v, v, v),
        lambda w, g, v: (np.ones(5), v),
        lambda w, g, v: (w, v, v),
    ],
)
def test_a_rule_that_answers_wrongly_moves_nothing(answer):
    class Wrong(Optimizer):
        state_names = ("v",)

        def rule(self, w, g, v):
            return (w - g, v + g) if w.size == 2 else answer(w, g, v)

    optimizer, params = Wrong(), {"a": np.ones(2), "b": np.ones(3)}
    with pytest.raises(ValueError, match=r"rule は形 .* 'b'"):
        optimizer.update(params, {"a": np.ones(2), "b": np.ones(3)})
    np.testing.assert_array_equal(params["a"], 1.0)
    assert optimizer.state == {"v": {}}


def test_state_never_shares_memory_even_if_the_rule_returns_its_arguments():
    class Lazy(Optimizer):
        state_names = ("v",)

        def rule(self, w, g, v):
            return w, g

    optimizer, w, g = Lazy(), np.ones(2), np.ones(2)
    optimizer.update({"w": w}, {"w": g})
    assert not np.shares_memory(optimizer.state["v"]["w"], g)


@pytest.mark.parametrize("views", [(slice(None), slice(None)), (slice(0, 2), slice(1, 3))])
def test_parameters_that_share_memory_are_refused(views):
    w = np.ones(3)
    params = {"a": w[views[0]], "b": w[views[1]]}
    with pytest.raises(ValueError, match=r"params\['a'\] と params\['b'\] が同じメモリー"):
        SGD().update(params, {key: np.ones_like(v) for key, v in params.items()})
    np.testing.assert_array_equal(w, 1.0)


def test_parameters_may_be_views_of_one_array_without_overlap():
    flat = np.ones(6)
    params = {"a": flat[:2], "b": flat[2:].reshape(2, 2)}
    SGD(lr=1.0).update(params, {"a": np.ones(2), "b": np.full((2, 2), 2.0)})
    np.testing.assert_array_equal(flat, [0, 0, -1, -1, -1, -1])


@pytest.mark.parametrize("cls", ALL)
def test_update_survives_errors_raised_for_floating_point(cls):
    params = {"a": np.ones(2), "b": np.ones(2)}
    with np.errstate(all="raise"):
        cls().update(params, {"a": np.zeros(2), "b": np.full(2, 1e300)})


# --- the package ------------------------------------------------------------------------------------------


def run_python(code):
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_code_is_still_the_standard_library_and_fumoto_is_ours():
    assert run_python("import code; print(code.InteractiveConsole.__module__)") == "code"
    expected = Path(__file__).resolve().parents[1] / "code" / "fumoto" / "__init__.py"
    assert Path(run_python("import fumoto; print(fumoto.__file__)")) == expected


def test_importing_optimizers_alone_does_not_import_sympy():
    assert run_python("import sys, fumoto.optimizers; print('sympy' in sys.modules)") == "False"


def test_every_rule_is_a_dozen_lines():
    import inspect

    for cls in ALL:
        lines = [line for line in inspect.getsource(cls.rule).splitlines() if line.strip()]
        assert len(lines) <= 12, cls


# --- limiting cases -----------------------------------------------------------------------------------------


def test_momentum_without_momentum_is_sgd():
    np.testing.assert_array_equal(
        descend(Momentum(lr=0.1, momentum=0.0), bowl, bowl.start, 50),
        descend(SGD(lr=0.1), bowl, bowl.start, 50),
    )


def test_adam_without_averaging_moves_by_the_sign_of_the_gradient():
    path = descend(Adam(lr=0.3, beta1=0.0, beta2=0.0, eps=0.0), bowl, bowl.start, 10)
    np.testing.assert_allclose(np.abs(np.diff(path, axis=0)), 0.3)


def test_adamw_without_decay_is_adam():
    np.testing.assert_array_equal(
        descend(AdamW(lr=0.1, weight_decay=0.0), bowl, bowl.start, 50),
        descend(Adam(lr=0.1), bowl, bowl.start, 50),
    )


def test_rmsprop_forgets_what_adagrad_remembers():
    gradients = np.concatenate([[100.0], np.ones(2000)])
    slow = np.diff(adagrad.follow(AdaGrad(lr=0.1), gradients))[-1]
    fast = np.diff(adagrad.follow(RMSProp(lr=0.1), gradients))[-1]
    assert -slow < 0.01 * -fast + 1e-2
    assert -fast == pytest.approx(0.1, rel=1e-3)
