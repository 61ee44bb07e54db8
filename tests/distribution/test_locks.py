"""The locks: everything that a command of the Makefile installs, with versions that fit the project, and hashes."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "requirements"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS: dict[str, list[str]] = PROJECT["dependency-groups"]
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
NODE_PROJECTS = [ROOT / "tests/clients", LOCKS / "bundle"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
# What `make locks` runs for each lock: the words behind `uv pip compile`.
COMPILED = {
    Path(words[-1]).name: words[:-2]
    for words in map(shlex.split, re.findall(r"^\t\$\(LOCK\) (.+)$", MAKEFILE, re.MULTILINE))
}


def locked(name: str) -> list[tuple[str, str]]:
    """Names and versions. A package has several where its version depends on the Python or the system."""
    text = (LOCKS / name).read_text(encoding="utf-8")
    return re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\\n]+)", text, re.MULTILINE)


def values_of(option: str, words: list[str]) -> list[str]:
    return [value for before, value in pairwise(words) if before == option]


def requirements(words: list[str]) -> list[Requirement]:
    """What the project declares for a lock that is made with these words."""
    extras = EXTRAS if "--all-extras" in words else values_of("--extra", words)
    texts = [text for group in values_of("--group", words) for text in GROUPS[group]]
    texts += PROJECT["project"]["dependencies"] if "pyproject.toml" in words else []
    texts += [text for extra in extras for text in EXTRAS[extra]]
    parsed = [Requirement(text) for text in texts]
    ourselves = [requirement for requirement in parsed if requirement.name == PROJECT["project"]["name"]]
    nested = [text for each in ourselves for extra in each.extras for text in EXTRAS[extra]]
    return [each for each in parsed if each not in ourselves] + list(map(Requirement, nested))


def test_make_locks_makes_every_lock_and_every_group_is_locked() -> None:
    assert {path.name for path in LOCKS.glob("*.txt")} == set(COMPILED)
    assert {group for words in COMPILED.values() for group in values_of("--group", words)} == set(GROUPS)


@pytest.mark.parametrize("name", COMPILED)
def test_a_lock_fits_the_project(name: str) -> None:
    wanted = requirements(COMPILED[name])
    assert wanted
    for requirement in wanted:
        versions = [
            version for package, version in locked(name) if package == canonicalize_name(requirement.name)
        ]
        assert versions, f"{requirement} is not in {name}: run `make locks`"
        assert all(map(requirement.specifier.contains, versions)), (
            f"{requirement}, {versions}: run `make locks`"
        )


@pytest.mark.parametrize("name", COMPILED)
def test_a_lock_was_made_of_what_is_declared_now(name: str) -> None:
    """uv writes down beside each package who wants it: what the project wants no more is noticed, too."""
    entries = re.split(r"\n(?=[a-z0-9])", (LOCKS / name).read_text(encoding="utf-8"))
    ours = {
        entry.split("==")[0] for entry in entries if f"{PROJECT['project']['name']} (pyproject.toml" in entry
    }
    assert ours == {canonicalize_name(each.name) for each in requirements(COMPILED[name])}, "run `make locks`"


@pytest.mark.parametrize("name", COMPILED)
def test_everything_in_a_lock_has_hashes_and_no_address(name: str) -> None:
    text = (LOCKS / name).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[A-Za-z0-9])", text)
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==\S+ .*\\\n    --hash=sha256:", entry), entry
    assert "://" not in text


def test_locks_of_one_environment_agree() -> None:
    """They are installed one after the other, and the later would replace what the earlier brought."""
    for names in (["backend.txt", "run.txt", "dev.txt", "docs.txt"], ["container.txt", "dev.txt"]):
        versions: dict[str, set[frozenset[str]]] = defaultdict(set)
        for name in names:
            for package in {package for package, _ in locked(name)}:
                found = frozenset(version for other, version in locked(name) if other == package)
                versions[package].add(found)
        assert {package: found for package, found in versions.items() if len(found) > 1} == {}


@pytest.mark.parametrize("folder", NODE_PROJECTS, ids=lambda folder: folder.name)
def test_a_lock_of_node_packages_fits_and_has_hashes_and_no_address(folder: Path) -> None:
    declared = json.loads((folder / "package.json").read_text(encoding="utf-8"))["dependencies"]
    packages = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert packages.pop("")["dependencies"] == declared, "run `make locks`"
    for name, version in declared.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    assert [name for name, package in packages.items() if not package.get("integrity")] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_nothing_is_installed_but_by_a_lock() -> None:
    """In the Makefile, the scripts of the gate and the workflows: each `pip install` takes a lock or only ourselves, each npm a lock."""
    scripts = [ROOT / "Makefile", ROOT / ".ci/run", ROOT / "tests/clients/install.sh"]
    scripts += sorted((ROOT / ".github/workflows").glob("*.yml"))
    lines = [line for path in scripts for line in path.read_text(encoding="utf-8").splitlines()]
    installing = [line for line in lines if re.search(r"\b(pip3?|uv) install|\buvx?\b tool|\bnpx\b", line)]
    assert installing
    loose = [
        line
        for line in installing
        if not ("--require-hashes" in line or "--no-deps --no-build-isolation" in line)
    ]
    assert loose == []
    npm = [line for line in lines if re.search(r"npm-cli\.js\b.* \S|\$\(NPM\)", line)]
    assert npm
    assert [line for line in npm if not re.search(r" ci |\$\(LOCK_NODE\)", line)] == []
    building = [line for line in lines if " -m build " in line]
    assert building
    assert [line for line in building if "--no-isolation" not in line] == []
