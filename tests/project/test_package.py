"""The package that is given away: installed without the checkout, it still has the pages its equations are read from."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from fumoto.printed import read

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the unpacked wheel, built from a copy of the project."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("code", "book"):
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT"):
        shutil.copy(ROOT / name, source)
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        folder,
    ]
    subprocess.run([*build, source], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def run_installed(folder, code):
    code = f"import sys; sys.path.insert(0, {str(folder)!r})\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_the_installed_package_reads_the_same_equations(installed):
    code = "import fumoto.printed as p; print(p.__file__, *(f'{k}:{v.line}' for k, v in p.read().items()))"
    path, *found = run_installed(installed, code)
    assert Path(path).is_relative_to(installed)
    assert found == [f"{label}:{equation.line}" for label, equation in read().items()]


def test_the_installed_package_says_that_it_has_type_hints(installed):
    assert (installed / "fumoto" / "py.typed").is_file()


def test_the_installed_package_checks_a_reader(installed):
    code = (
        "from fumoto import check; from fumoto.optimizers import SGD;"
        "print(check(SGD, 'SGD', lr=0.1).ok, check(SGD, 'Momentum', lr=0.1, momentum=0.9).ok)"
    )
    code = code.replace("check(SGD, 'Momentum'", "check(lambda lr, momentum: SGD(lr), 'Momentum'")
    assert run_installed(installed, code) == ["True", "False"]


def test_every_package_of_the_checkout_is_in_the_wheel(installed):
    for source in (ROOT / "code" / "fumoto").rglob("*.py"):
        assert (installed / source.relative_to(ROOT / "code")).is_file(), source
