"""What a forge and a contributor's git run: workflows, templates, hooks."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FORMS = sorted(path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*|\./\.github/workflows/\w+\.yml")


def read_yaml(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def steps(workflow: Any) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job.get("steps", [])]


def test_the_matrix_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [found[1] for each in project["classifiers"] if (found := re.search(r":: (3\.\d+)$", each))]
    matrix = read_yaml(ROOT / ".github/workflows/test.yml")["jobs"]["tests"]["strategy"]["matrix"]
    assert matrix["python"] == named
    assert [name.partition("-")[0] for name in matrix["os"]] == ["ubuntu", "macos", "windows"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_only_actions_of_a_fixed_commit(path: Path) -> None:
    used = re.findall(r"\buses: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert used
    assert [each for each in used if not PINNED.fullmatch(each)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_reads_only_but_for_the_jobs_that_publish(path: Path) -> None:
    workflow = read_yaml(path)
    assert workflow["permissions"] == {"contents": "read"}
    writing = {name: job["permissions"] for name, job in workflow["jobs"].items() if "permissions" in job}
    expected = {"index": {"id-token": "write"}, "forge": {"contents": "write"}}
    assert writing == (expected if path.stem == "release" else {})


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_what_there_is_and_puts_no_foreign_text_into_a_shell(path: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for step in steps(read_yaml(path)):
        command = step.get("run", "")
        assert "${{" not in command
        assert set(re.findall(r"^make ([\w-]+)", command, re.MULTILINE)) <= targets
        for module in re.findall(r"python -m (tests\.[\w.]+)", command):
            assert (ROOT / module.replace(".", "/")).with_suffix(".py").exists()
        assert all((ROOT / script).exists() for script in re.findall(r"^(\.ci/\S+)", command, re.MULTILINE))


def test_hooks_run_what_the_lock_installs() -> None:
    lock = (ROOT / "requirements/dev.txt").read_text(encoding="utf-8")
    (local,) = read_yaml(ROOT / ".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local"
    programs = [hook["entry"].split()[0] for hook in local["hooks"]]
    assert programs == [".venv/bin/ruff", ".venv/bin/ruff", ".venv/bin/mypy"]
    assert all(re.search(rf"^{Path(program).name}==", lock, re.MULTILINE) for program in programs)
    assert {hook["language"] for hook in local["hooks"]} == {"system"}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_of_an_issue_has_what_the_forge_demands(path: Path) -> None:
    form = read_yaml(path)
    assert {"name", "description", "body"} <= set(form)
    names = [part["id"] for part in form["body"] if part["type"] != "markdown"]
    assert len(names) == len(set(names)) > 0
    assert all(part["attributes"].get("label") or part["attributes"].get("value") for part in form["body"])
