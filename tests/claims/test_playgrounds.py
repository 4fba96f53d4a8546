"""What the captions of the playgrounds say a reader will see, with the settings of the pages."""

import re
from pathlib import Path

import numpy as np
import pytest

from fumoto.experiments.comparison import METHODS
from fumoto.printed.playground import PLAYED, SURFACES
from fumoto.surfaces import saddle
from fumoto.training import descend
from living import playground
from played import finite_steps, python_path

BOOK = Path(__file__).resolve().parents[2] / "book"


def config(name):
    """The settings of the playground called ``name``, read from its page."""
    [block] = [
        found
        for page in sorted(BOOK.glob("*.md"))
        for found in re.findall(
            rf"^```{{playground}} {name}\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S
        )
    ]
    return playground.settings(dict(re.findall(r"^:(\w+): *(.+)$", block, re.M)))


def path(name, method, start=None, **changes):
    """The path in the playground ``name``, with changed values."""
    settings = config(name)
    assert method in settings["methods"] + [other for _, other in settings["switch"]]
    values = (
        dict.fromkeys(("eta", "alpha", "rho", "beta_1", "beta_2", "varepsilon"), 0.0) | settings["values"]
    )
    for key, value in settings["values"].items():
        if key.startswith(f"{PLAYED[method].family}."):
            values[key.partition(".")[2]] = value
    for symbol, value in changes.items():
        slider = settings["sliders"][symbol]
        assert slider["low"] <= value <= slider["high"], "out of the reader's reach"
    start = settings["start"] if start is None else start
    return python_path(settings["surface"], method, start, settings["steps"], values | changes)


def height(name, points):
    return SURFACES[config(name)["surface"]].surface(points.T)


# --- front page -------------------------------------------------------------------------------------------


def test_at_first_only_momentum_reaches_the_deepest_valley():
    ends = {method: path("play-front", method)[-1] for method in config("play-front")["methods"]}
    reached = [method for method, end in ends.items() if np.linalg.norm(end) < 0.1]
    assert reached == ["Momentum"]


# --- chapter 1 --------------------------------------------------------------------------------------------

HOLLOW = -2.902  # the bottom of the hollow


def test_momentum_passes_the_hollow_and_sgd_stops_in_it():
    assert path("play-hollow", "SGD")[-1] == pytest.approx(HOLLOW, abs=1e-3)
    assert abs(path("play-hollow", "Momentum")[-1]) < 0.05


def test_with_less_momentum_it_stops_too():
    ends = [path("play-hollow", "Momentum", alpha=alpha)[-1, 0] for alpha in np.linspace(0.99, 0, 100)]
    caught = np.isclose(ends, HOLLOW, atol=1e-2)
    first = int(caught.argmax())
    assert not caught[:first].any() and caught[first:].all() and 0.6 < 0.99 - 0.01 * first < 0.8


def test_a_large_rate_can_carry_sgd_across():
    assert abs(path("play-hollow", "SGD", eta=1.0)[-1]) < 0.05
    assert path("play-hollow", "SGD", eta=0.1)[-1] == pytest.approx(HOLLOW, abs=1e-3)


@pytest.mark.parametrize("method", ["SGD", "Momentum"])
@pytest.mark.parametrize("start", [-3.0, -2.9, -2.8])
def test_nobody_leaves_the_bottom_of_the_hollow(method, start):
    assert path("play-hollow", method, (start,))[-1] == pytest.approx(HOLLOW, abs=1e-3)


# --- chapter 4 --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [(-7.0, 2.0), (-1.0, 3.0), (4.0, -0.5)])
@pytest.mark.parametrize("eta", [0.05, 0.4, 3.0])
def test_the_first_step_of_adagrad_is_the_rate_in_both_directions(start, eta):
    points = path("play-adagrad", "AdaGrad", start, eta=eta)
    np.testing.assert_allclose(np.abs(points[1] - points[0]), eta, rtol=1e-6)


def test_sgd_moves_far_more_up_and_down_and_adagrads_steps_shrink():
    across, along = np.abs(np.diff(path("play-adagrad", "SGD"), axis=0)[0])[::-1]
    assert across > 5 * along
    steps = np.linalg.norm(np.diff(path("play-adagrad", "AdaGrad"), axis=0), axis=1)
    assert np.all(np.diff(steps) < 0)


def test_a_large_rate_is_too_much_for_sgd_only_and_a_small_one_leaves_adagrad_behind():
    for eta in (1.1, 2.0, 3.0):
        assert height("play-adagrad", path("play-adagrad", "SGD", eta=eta))[-1] > 100
        assert height("play-adagrad", path("play-adagrad", "AdaGrad", eta=eta))[-1] < 0.01
    for eta in (0.05, 0.1, 0.2, 0.3):
        sgd, adagrad = (height("play-adagrad", path("play-adagrad", m, eta=eta)) for m in ("SGD", "AdaGrad"))
        assert sgd[-1] < adagrad[-1]


def test_without_epsilon_adagrad_is_lost_on_the_axis_and_the_same_beside_it():
    assert finite_steps(path("play-adagrad-notes", "AdaGrad/notes")) == 1
    assert finite_steps(path("play-adagrad-notes", "AdaGrad")) == config("play-adagrad-notes")["steps"] + 1
    for y in (-1.0, 0.1, 2.0):
        ours, theirs = (path("play-adagrad-notes", m, (-7.0, y)) for m in ("AdaGrad", "AdaGrad/notes"))
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


# --- chapter 5 --------------------------------------------------------------------------------------------


def test_the_first_step_of_adam_is_the_rate_and_without_correction_it_depends_on_beta_2():
    ratios, eta = [], config("play-adam-notes")["values"]["eta"]
    for beta_2 in (0.5, 0.9, 0.99, 0.999):
        right = path("play-adam-notes", "Adam", beta_2=beta_2)
        np.testing.assert_allclose(np.abs(right[1] - right[0]), eta, rtol=1e-6)
        wrong = path("play-adam-notes", "Adam/notes", beta_2=beta_2)
        ratios.append(np.abs(wrong[1] - wrong[0])[0] / eta)
        only = path("play-adam-notes", "Adam/uncorrected", beta_2=beta_2)
        np.testing.assert_allclose(only, wrong, atol=1e-3)
    assert ratios[0] < 0.5 and ratios[-1] > 3


def test_without_epsilon_adam_is_lost_on_the_axis_only():
    for method, lost in {
        "Adam": False,
        "Adam/uncorrected": False,
        "Adam/notes": True,
        "Adam/no-epsilon": True,
    }.items():
        assert (finite_steps(path("play-adam-notes", method, (-7.0, 0.0))) == 1) == lost
        assert finite_steps(path("play-adam-notes", method)) == 61


# --- chapter 6 --------------------------------------------------------------------------------------------


def test_a_start_a_little_lower_ends_in_another_valley():
    """Five of the seven methods; the other two have not arrived after the 100 steps."""
    settings = config("play-race")
    assert "valleys" in settings["surfaces"]
    values = {"alpha": 0.0, "beta_1": 0.0, "beta_2": 0.0} | settings["values"]
    for method in ("SGD", "Momentum", "Nesterov", "RMSProp", "Adam"):
        x, y = SURFACES["valleys"].surface.start
        for start, valley in {(x, y): (-2.84, 2.84), (x, y - 1): (-5.68, 0.0)}.items():
            end = python_path("valleys", method, start, settings["steps"], values)[-1]
            np.testing.assert_allclose(end, valley, atol=0.1, err_msg=method)


def escape(method, y):
    out = np.abs(path("play-saddle", method, (1.5, y))[:, 1]) >= 1
    return int(out.argmax()) if out.any() else None


def test_who_leaves_the_saddle_and_when():
    assert 140 < escape("SGD", 0.001) < 160
    assert all(escape(method, 0.0) is None for method in config("play-saddle")["methods"])
    steps = [escape("SGD", y) for y in (0.001, 0.01, 0.1, 0.5)]
    assert steps == sorted(steps, reverse=True) and len(set(steps)) == 4


@pytest.mark.parametrize("method", ["AdaGrad", "RMSProp", "Adam"])
def test_adaptive_methods_move_equally_far_in_both_directions_from_the_first_step(method):
    first = np.abs(np.diff(path("play-saddle", method), axis=0)[0])
    assert first[0] == pytest.approx(first[1], rel=1e-3)


@pytest.mark.parametrize("method", ["SGD", "Momentum", "Nesterov"])
def test_the_others_come_along_the_axis_to_the_saddle(method):
    points = path("play-saddle", method)
    near = points[: int((np.abs(points[:, 0]) < 0.1).argmax()) + 1]
    assert len(near) > 3 and np.abs(near[:, 1]).max() < 0.1


def test_the_still_figure_and_the_playground_of_the_saddle_show_the_same_paths():
    for name, method in METHODS.items():
        optimizer = method(lr=1.0 if name == "AdaDelta" else 0.05)
        ours = path("play-saddle", "Nesterov" if name == "NAG" else name)[:61]
        np.testing.assert_allclose(ours, descend(optimizer, saddle, (1.5, 1e-3), 60), rtol=1e-12)
