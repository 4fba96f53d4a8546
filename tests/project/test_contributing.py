"""What is written beside the code for those who carry on agrees with the code."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "book.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "task", ["節を足す", "式を足す", "主張を足す", "手法を足す", "図を足す", "実験を足す", "書く欄を足す"]
)
def test_each_task_takes_five_steps(task):
    part = re.search(rf"^## {task}\n(.*?)^## ", GUIDE, re.M | re.S)[1]
    assert re.findall(r"^(\d)\. ", part, re.M) == list("12345")


def test_the_guide_names_tests_and_files_that_exist():
    for file, function in re.findall(r"(tests/[\w/]+\.py)::(\w+)", GUIDE):
        assert f"def {function}(" in (ROOT / file).read_text(encoding="utf-8")
    for name in re.findall(r"`((?:book|code|tests|tools)/[\w./-]+)`", GUIDE):
        assert (ROOT / name).exists(), name
    for name in re.findall(r"\]\(([\w./-]+)\)", GUIDE):
        assert (ROOT / name).exists(), name


def test_pre_commit_has_the_ruff_of_the_lock():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    [version] = re.findall(r"^ruff==(\S+)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.M)
    assert [repo["rev"] for repo in hooks["repos"]] == [f"v{version}"]


def test_the_workflow_runs_the_two_commands_of_the_readme():
    commands = [step["run"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "run" in step]
    assert commands == ["make test", "make html"]


def test_the_workflow_pins_its_actions_and_asks_for_little():
    actions = [step["uses"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "uses" in step]
    assert all(re.search(r"@v\d+\.\d+\.\d+$", action) for action in actions), actions
    assert WORKFLOW["permissions"] == {"contents": "read"}
    asked = {name: job["permissions"] for name, job in WORKFLOW["jobs"].items() if "permissions" in job}
    assert asked == {"publish": {"pages": "write", "id-token": "write"}}


def test_the_workflow_tests_the_supported_versions_of_python():
    [lowest] = re.findall(
        r'requires-python = ">=(.*?)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    )
    versions = WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert versions[0] == lowest and len(versions) == 4
