"""The locked versions: every requirement, inside its range, with fingerprints, for every Python the book runs on."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ["3.11.7", "3.12.1", "3.13.0", "3.14.0"]
PLATFORMS = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}


def requirements(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    lines = [re.sub(r"\s+#.*", "", line).strip() for line in text.splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def locked(name):
    """(requirement, number of fingerprints) of each entry of a lock file."""
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = re.findall(r"^(\S+==[^\\\n]+?)\s*\\\n((?:    --hash=sha256:[0-9a-f]{64}.*\n)+)", text, re.M)
    return [(Requirement(entry), hashes.count("--hash")) for entry, hashes in entries]


def chosen(name, python, platform):
    environment = {
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
        "sys_platform": platform,
        "platform_system": PLATFORMS[platform],
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    versions = {}
    for requirement, _ in locked(name):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            key = canonicalize_name(requirement.name)
            assert key not in versions, f"{key} is pinned twice for Python {python} on {platform}"
            [pin] = requirement.specifier
            versions[key] = pin.version
    return versions


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    ("names", "locks"),
    [
        ("requirements.txt", ["requirements.lock"]),
        ("requirements-ci.txt", ["requirements.lock", "requirements-ci.lock"]),
    ],
)
def test_every_requirement_is_pinned_inside_its_range(names, locks, python, platform):
    versions = {}
    for lock in locks:
        pins = chosen(lock, python, platform)
        clash = {name for name in pins.keys() & versions.keys() if pins[name] != versions[name]}
        assert not clash
        versions |= pins
    wanted = requirements(names)
    assert wanted
    for requirement in wanted:
        version = versions[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} is locked to {version}; run make lock"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-ci.lock"])
def test_every_entry_has_fingerprints_and_names_no_place(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = locked(lock)
    assert len(entries) == len(re.findall(r"^[\w.-]+==", text, re.M)) > 10
    assert all(count >= 1 for _, count in entries)
    assert "://" not in text and "index-url" not in text


def test_a_requirement_outside_its_range_is_noticed(monkeypatch):
    monkeypatch.setitem(globals(), "requirements", lambda name: [Requirement("numpy<2")])
    with pytest.raises(AssertionError, match="numpy<2 is locked to"):
        test_every_requirement_is_pinned_inside_its_range(
            "requirements.txt", ["requirements.lock"], PYTHONS[0], "linux"
        )
