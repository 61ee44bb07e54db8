"""The compose file of the hosted server, as far as no container engine is needed: what it names exists, and its command is understood."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bi_mcp.cli import main
from tests.distribution.test_container import stage

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/examples/hosted"
TEXT = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = YAML(typ="safe", pure=True).load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVER = SERVICES["bi-mcp"]
CADDY = (FOLDER / "Caddyfile").read_text(encoding="utf-8")
GIVEN = {"BI_HOST": "bi.example.com", "PORTAL": "https://acme.bitrix24.com", "CLIENT_ID": "local.xxx"}


def filled(text: str) -> str:
    return re.sub(r"\$\{(\w+):\?[^}]*\}", lambda found: GIVEN[found[1]], text)


def test_the_server_is_built_of_a_stage_that_is_there_and_others_are_one_version() -> None:
    build = SERVER["build"]
    context = (FOLDER / build["context"]).resolve()
    assert context == ROOT
    assert (context / build["dockerfile"]).is_file()
    assert stage(build["target"])
    others = [service["image"] for service in SERVICES.values() if "build" not in service]
    assert all(re.fullmatch(r"docker\.io/library/\w+:\d+\.\d+\.\d+-alpine", image) for image in others)
    assert len(others) == 2


def test_files_volumes_secrets_and_networks_that_are_named_are_there() -> None:
    mounts = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())]
    assert {mount for mount in mounts if not mount.startswith(".")} == set(COMPOSE["volumes"])
    assert all((FOLDER / mount).is_file() for mount in mounts if mount.startswith("."))
    for kind in ("secrets", "networks"):
        used = {name for service in SERVICES.values() for name in service.get(kind, ())}
        assert used == set(COMPOSE[kind])


def test_the_first_lines_make_every_secret_and_git_ignores_them() -> None:
    typed = [line[4:] for line in TEXT.splitlines() if line.startswith("#   ")]
    assert [shlex.split(line)[0] for line in typed] == [
        "mkdir",
        "for",
        "echo",
        "printf",
        "BI_HOST=bi.example.com",
    ]
    looped = re.search(r"for name in ([\w ]+);", TEXT)
    assert looped is not None
    made = {*looped[1].split(), *re.findall(r"> secrets/(\w+)", TEXT)}
    assert made == set(COMPOSE["secrets"])
    assert all(secret["file"] == f"secrets/{name}" for name, secret in COMPOSE["secrets"].items())
    assert (FOLDER / ".gitignore").read_text(encoding="utf-8") == "secrets/\n"


def test_no_secret_is_a_variable() -> None:
    files = {name: value for name, value in SERVER["environment"].items() if name.endswith("_FILE")}
    assert {value.removeprefix("/run/secrets/") for value in files.values()} == set(SERVER["secrets"])
    for service in SERVICES.values():
        assert not [
            name for name in service.get("environment", {}) if re.search("PASSWORD$|KEY$|SECRET$", name)
        ]


def test_nothing_is_written_outside_volumes_and_no_rights_are_left() -> None:
    for name, service in SERVICES.items():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "caddy" else [])


def test_only_caddy_is_reached_from_outside_and_redis_by_the_server_only() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["caddy"]
    assert [name for name, service in SERVICES.items() if "front" in service["networks"]] == ["caddy"]
    assert SERVICES["redis"]["networks"] == ["store"]
    assert [name for name, service in SERVICES.items() if "store" in service["networks"]] == [
        "bi-mcp",
        "redis",
    ]
    assert {name for name, network in COMPOSE["networks"].items() if network.get("internal")} == {
        "behind",
        "store",
    }


def test_redis_loses_and_evicts_nothing() -> None:
    (_, _, line) = SERVICES["redis"]["command"]
    assert "--appendonly yes" in line
    assert "--maxmemory-policy noeviction" in line


def test_two_replicas_are_started_with_a_command_that_the_server_understands() -> None:
    assert SERVER["deploy"]["replicas"] == 2
    (entry,) = [rest for name, rest in stage("http") if name == "ENTRYPOINT"]
    words = [*YAML(typ="safe", pure=True).load(entry), *map(filled, SERVER["command"])]
    assert words[:2] == ["bi-mcp", "serve"]
    chosen = main.commands["serve"].make_context("serve", words[2:]).params
    assert (chosen["http"], chosen["sign_in"], chosen["behind_proxy"]) == (True, True, True)
    assert (chosen["portal"], chosen["allowed_hosts"]) == (GIVEN["PORTAL"], (GIVEN["BI_HOST"],))


def test_caddy_keeps_health_and_metrics_inside_and_passes_the_rest() -> None:
    assert "@inside path /health /metrics" in CADDY
    (port,) = [rest for name, rest in stage("http") if name == "EXPOSE"]
    assert f"dynamic a bi-mcp {port}" in CADDY
    assert CADDY.count("{") == CADDY.count("}")
    assert "{$BI_HOST} {" in CADDY
    assert "BI_HOST" in SERVICES["caddy"]["environment"]
