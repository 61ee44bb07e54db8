"""The image, as far as no container engine is needed: what its file says, and that what it starts works that way.

With an engine, `make container-check` builds it and uses it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from bi_mcp.config import configuration_folder
from tests.connector.running import running_connector
from tests.server.http.processes import serving
from tests.server.processes import LIMIT_S, environment

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Containerfile").read_text(encoding="utf-8")
KNOWN = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "VOLUME", "USER", "ENTRYPOINT", "EXPOSE", "HEALTHCHECK"}
TOKEN = "a-token-of-exactly-32-characters"


def instructions() -> list[tuple[str, str]]:
    lines = re.sub(r"\\\n\s*", " ", TEXT).splitlines()
    split = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    return [(name, rest) for name, rest in split]


def stage(wanted: str) -> list[tuple[str, str]]:
    """The instructions of a stage."""
    found: list[tuple[str, str]] = []
    current = ""
    for name, rest in instructions():
        if name == "FROM":
            current = rest.rpartition(" ")[2]
        elif current == wanted:
            found.append((name, rest))
    return found


def last(name: str) -> str:
    """What counts for the default target."""
    return [rest for each, rest in instructions() if each == name][-1]


def variables() -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in last("ENV").split())


def test_only_known_instructions_are_used_and_each_stage_has_a_base_that_is_named() -> None:
    assert {name for name, _ in instructions()} <= KNOWN
    stages: list[str] = []
    for name, rest in instructions():
        if name != "FROM":
            continue
        found = re.fullmatch(r"(\S+) AS (\w+)", rest)
        assert found is not None
        assert found[1] in stages or re.fullmatch(r"docker\.io/library/python:3\.\d+-slim", found[1])
        stages.append(found[2])
    assert stages == ["build", "stdio", "connector", "http"]


def test_it_runs_as_a_user_without_rights_that_has_a_number() -> None:
    names = [name for name, _ in instructions()]
    assert last("USER") == "10001:10001"
    assert "RUN" not in names[names.index("USER") :]
    assert "--owner=10001" in TEXT


def test_commands_are_lists_so_that_signals_arrive() -> None:
    for name, rest in instructions():
        if name in {"ENTRYPOINT", "VOLUME"}:
            assert all(isinstance(word, str) for word in json.loads(rest))


def test_no_secret_is_baked_in_and_what_is_installed_is_locked() -> None:
    assert not re.search(r"TOKEN|SECRET|PASSWORD|KEY", " ".join(variables()))
    steps = [step for name, rest in instructions() if name == "RUN" for step in rest.split("&&")]
    fetching = [step for step in steps if re.search(r"pip (install|wheel)", step)]
    assert len(fetching) == 4
    locked = {step.split()[-1] for step in fetching if "--require-hashes" in step}
    assert locked == {"requirements/backend.txt", "requirements/container.txt"}
    ours = [step for step in fetching if "--require-hashes" not in step]
    assert all("--no-deps" in step for step in ours)
    assert all("--no-build-isolation" in step or "--no-index" in step for step in ours)


def test_the_locked_build_backend_is_the_one_that_the_package_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    backend, *_ = project["dependency-groups"]["backend"]
    assert [backend] == project["build-system"]["requires"]


def test_what_is_copied_is_there_and_let_through_by_the_ignore_file() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    allowed = [rule[1:] for rule in rules if rule.startswith("!")]
    assert "*" in rules
    for name, rest in instructions():
        if name != "COPY" or rest.startswith("--from"):
            continue
        for source in rest.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(fnmatch(source, rule) for rule in allowed), source


def test_what_the_server_keeps_lies_in_the_volume(tmp_path: Path) -> None:
    (volume,) = json.loads(last("VOLUME"))
    assert str(configuration_folder(variables())) == volume
    assert variables()["HOME"] == volume
    assert variables()["BI_MCP_PORTAL_DB"] == ":memory:"


def checked(target: str, usual_port: str, port: str) -> int:
    """The exit code of a stage's health check, for a port in place of the usual one."""
    (check,) = [rest for name, rest in stage(target) if name == "HEALTHCHECK"]
    words = json.loads(check.split(" CMD ", 1)[1])
    assert words[0] == "python"
    assert usual_port in check
    return subprocess.run(  # noqa: S603  the command of the Containerfile is what is tested
        [sys.executable, *(word.replace(usual_port, port) for word in words[1:])],
        check=False,
        capture_output=True,
        timeout=LIMIT_S,
        # The proxy by which the server would reach its portal.
        env={"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"},
    ).returncode


def entry_of(target: str) -> list[str]:
    (entry,) = [rest for name, rest in stage(target) if name == "ENTRYPOINT"]
    words: list[str] = json.loads(entry)
    return words


async def test_the_health_check_tells_a_server_from_none(tmp_path: Path) -> None:
    entry = entry_of("http")
    assert entry[:3] == ["bi-mcp", "serve", "--http"]
    async with serving(tmp_path, *entry[3:], "--allow-host", "bi.example", BI_MCP_HTTP_TOKEN=TOKEN) as server:
        port = server.address.rpartition(":")[2]
        assert checked("http", "8765", port) == 0
    assert checked("http", "8765", port) == 1


def test_the_health_check_tells_a_connector_from_none(tmp_path: Path) -> None:
    entry = entry_of("connector")
    assert entry[:3] == ["bi-mcp", "connector", "serve"]
    (tmp_path / "orders.csv").write_text("id,total\n1,2.5\n", encoding="utf-8")
    with running_connector(tmp_path, *entry[3:], "--source", "shop=orders.csv") as address:
        port = address.rpartition(":")[2]
        assert checked("connector", "8772", port) == 0
    assert checked("connector", "8772", port) == 1


async def test_nothing_is_written_outside_the_volume(tmp_path: Path) -> None:
    """As with a file system that cannot be written: the volume is the only folder that changes."""
    volume, elsewhere = tmp_path / "config", tmp_path / "elsewhere"
    volume.mkdir()
    elsewhere.mkdir()
    placed = {
        name: value.replace("/config", str(volume)) for name, value in variables().items() if name != "PATH"
    }
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "bi_mcp", "serve"],
        cwd=elsewhere,
        env=environment(elsewhere, **placed),
    )
    async with Client(server) as client:
        made = await client.call_tool("connector_list", {})
    assert not made.is_error
    assert list(elsewhere.iterdir()) == []
