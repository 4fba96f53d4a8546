"""The surfaces: their gradients and their minima."""

import numpy as np
import pytest

from fumoto.surfaces import Surface, bowl, hollow, ravine, saddle, valleys


@pytest.mark.parametrize(
    "surface", [bowl, saddle, ravine, valleys, hollow(), hollow(1.5)], ids=lambda s: s.name
)
def test_surface_gradient_matches_central_differences(surface: Surface, rng):
    h = 1e-6
    for _ in range(20):
        w = rng.uniform(-2, 2, len(surface.start))
        for axis in range(len(w)):
            step = np.eye(len(w))[axis] * h
            slope = (surface(w + step) - surface(w - step)) / (2 * h)
            np.testing.assert_allclose(surface.gradient(w)[axis], slope, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("surface", [bowl, ravine, valleys], ids=lambda s: s.name)
def test_minimum_of_a_surface_is_where_it_says(surface):
    np.testing.assert_allclose(surface.gradient(np.array(surface.minimum)), 0, atol=1e-12)
    x, y = np.meshgrid(np.linspace(-2, 2, 81), np.linspace(-2, 2, 81))
    assert surface(np.array([x, y])).min() >= surface(np.array(surface.minimum))
