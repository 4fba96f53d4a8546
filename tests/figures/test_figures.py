"""Figures: the same bytes every time, on any day, under any hash seed."""

import hashlib
import os
import subprocess
import sys

import pytest

from fumoto.experiments.momentum import wrong_sign
from fumoto.figures import momentum
from fumoto.figures.looks import METHOD_LOOKS
from fumoto.figures.style import Picture

CODE = """
import hashlib
from fumoto.experiments.momentum import wrong_sign
from fumoto.figures import momentum
print(hashlib.sha256(momentum.wrong_sign(wrong_sign())._repr_svg_().encode()).hexdigest())
"""


def digest(picture):
    return hashlib.sha256(picture._repr_svg_().encode()).hexdigest()


def test_a_picture_is_the_same_bytes_every_time_it_is_shown():
    picture = momentum.wrong_sign(wrong_sign())
    assert len({digest(picture) for _ in range(3)} | {digest(momentum.wrong_sign(wrong_sign()))}) == 1


@pytest.mark.parametrize("seed", ["0", "1"])
def test_a_picture_does_not_depend_on_the_hash_seed(seed):
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == digest(momentum.wrong_sign(wrong_sign()))


def test_no_date_version_or_font_of_the_reader_is_in_a_picture():
    svg = momentum.wrong_sign(wrong_sign())._repr_svg_()
    assert "<dc:date>" not in svg
    assert "Matplotlib v" not in svg
    assert "<text" not in svg  # letters are outlines: no font is needed


def test_two_pictures_share_no_id():
    first, second = Picture("first"), Picture("second")
    for picture in (first, second):
        picture.axes.plot([0, 1], [0, 1], "o-")
    import re

    ids = [set(re.findall(r'id="([mp][0-9a-f]{8,})"', picture._repr_svg_())) for picture in (first, second)]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_every_method_has_a_look_of_its_own():
    looks = METHOD_LOOKS.values()
    for attribute in ("color", "marker", "letter"):
        values = [getattr(look, attribute) for look in looks if (attribute != "color")]
        assert len(values) == len(set(values))
    assert len({look.color for look in looks}) == len(METHOD_LOOKS)
