"""Chapter 6 on seeds that neither its page nor its choice of settings used, and what its sentences say beside the claims."""

import numpy as np
import pytest

from claims import CLAIMS
from fumoto.experiments import comparison
from fumoto.experiments.choosing import TESTED
from fumoto.experiments.protocol import RUNGS
from fumoto.surfaces import bowl, ravine, saddle
from fumoto.training import descend

FRESH = (101, 102)  # a claim on means takes the four seeds after them, too


@pytest.mark.parametrize("method", TESTED)
def test_the_claim_on_the_range_test_holds_on_seeds_that_nobody_used(method):
    for seed in range(101, 107):
        one = CLAIMS["range-test"].function(method=method, seed=seed)
        assert one.margin > 0, f"{method}, seed {seed}: {one.said}"


@pytest.mark.parametrize("name", [name for name in CLAIMS if name.startswith("mnist-")])
def test_a_claim_on_mnist_holds_on_seeds_that_nobody_used(name):
    assert not {*range(101, 107)} & {seed for rung in RUNGS for seed in rung.seeds}
    for seed in FRESH:
        found = CLAIMS[name].function(seed=seed)
        for one in found if isinstance(found, list) else [found]:
            assert one.margin > 0, f"{name}, seed {seed}: {one.said}"


# --- the small surfaces -------------------------------------------------------------------------------------


@pytest.mark.parametrize("surface", [bowl, ravine], ids=lambda surface: surface.name)
def test_who_arrives_stays(surface):
    for name, runner in comparison.race(comparison.all_descents(surface), surface).items():
        path = descend(comparison.METHODS[name](**runner.setting), surface, surface.start, comparison.LONG)
        np.testing.assert_array_equal(path, runner.path)
        away = np.abs(path - surface.minimum).max(axis=1)
        assert np.all(away[runner.arrival :] < comparison.ARRIVED), name
        assert away[runner.arrival - 1] >= comparison.ARRIVED, name
        low, high = np.reshape(surface.window, (2, 2)).T
        assert np.all((path >= low) & (path <= high)), name


def test_all_settings_at_once_walk_as_one_by_one():
    settings = [{"lr": 0.1, "beta1": 0.5}, {"lr": 0.3, "beta1": 0.9}]
    paths = comparison.all_paths(comparison.METHODS["Adam"], settings, bowl, 30)
    for k, setting in enumerate(settings):
        alone = descend(comparison.METHODS["Adam"](**setting), bowl, bowl.start, 30)
        np.testing.assert_allclose(paths[:, :, k], alone, rtol=1e-12)


def test_nothing_tried_is_both_faster_and_nearer_than_the_front():
    found = comparison.all_descents(bowl)["Momentum"]
    front = found.front()
    assert list(found.arrivals[front]) == sorted(set(found.arrivals[front]))
    for k in front:
        better = (found.arrivals < found.arrivals[k]) & (found.overshoots <= found.overshoots[k])
        assert not better.any()
    assert found.fastest() == front[0]
    assert found.fastest(-1.0) is None


def test_a_surface_without_a_minimum_has_no_race():
    with pytest.raises(ValueError, match="谷底のある地形"):
        comparison.all_descents(saddle)


def test_the_figure_in_the_page_starts_with_the_fastest_settings():
    best = comparison.best_settings()
    assert list(best) == ["bowl", "ravine"]
    runners = comparison.race(comparison.all_descents(ravine), ravine)
    assert best["ravine"]["Nesterov"] == runners["NAG"].setting


# --- the saddle ---------------------------------------------------------------------------------------------


def test_leaving_the_saddle_takes_the_logarithm_for_gd_and_a_constant_for_adaptive_methods():
    saddles = comparison.saddle_race(saddle)
    expected = np.ceil(np.log(1 / saddles.offsets) / np.log(1 + saddles.lr))
    np.testing.assert_array_equal(saddles.steps["SGD"], expected)
    for name in ("Momentum", "NAG"):
        assert saddles.steps[name][-1] > 5 * saddles.steps[name][0]
    for name in ("AdaGrad", "RMSProp", "Adam"):
        assert saddles.steps[name][-1] - saddles.steps[name][0] <= 5
    for name in ("AdaGrad", "RMSProp", "AdaDelta", "Adam"):
        assert saddles.steps[name][-1] < saddles.steps["SGD"][-1] / 5
    for name in ("AdaGrad", "AdaDelta"):
        assert saddles.steps[name][0] > saddles.steps["SGD"][0]


def test_adadelta_starts_with_a_step_that_eps_decides():
    params = {"w": np.array(0.0)}
    comparison.METHODS["AdaDelta"](eps=1e-6, decay_rate=0.9).update(params, {"w": np.array(5.0)})
    assert -params["w"] == pytest.approx(np.sqrt(1e-6 / 0.1), rel=1e-3)
