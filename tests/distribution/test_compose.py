"""The compose file of the guide, as far as no container engine is needed: what it names exists, and its command is understood."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
from ruamel.yaml import YAML

from bi_mcp.cli import main
from bi_mcp.connector.service.endpoints import ENDPOINTS
from tests.distribution.test_container import stage

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/examples/compose"
TEXT = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = YAML(typ="safe", pure=True).load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
CADDY = (FOLDER / "Caddyfile").read_text(encoding="utf-8")
TOP = {"name", "services", "secrets", "networks", "volumes"}


def serve_command() -> click.Command:
    group = main.commands["connector"]
    assert isinstance(group, click.Group)
    return group.commands["serve"]


def mounts() -> list[str]:
    return [volume for service in SERVICES.values() for volume in service.get("volumes", ())]


def test_each_image_of_others_is_one_version() -> None:
    others = [service["image"] for service in SERVICES.values() if "build" not in service]
    assert others
    assert all(re.fullmatch(r"docker\.io/library/\w+:\d+\.\d+(\.\d+)?-alpine", image) for image in others)


def test_the_image_of_the_connector_is_built_of_a_stage_that_is_there() -> None:
    build = SERVICES["connector"]["build"]
    context = (FOLDER / build["context"]).resolve()
    assert context == ROOT
    assert (context / build["dockerfile"]).is_file()
    assert stage(build["target"])


def test_files_volumes_secrets_and_networks_that_are_named_are_there() -> None:
    assert set(COMPOSE) == TOP
    for source, _, _ in (mount.partition(":") for mount in mounts()):
        assert (FOLDER / source).is_file() if source.startswith(".") else source in COMPOSE["volumes"], source
    for kind in ("secrets", "networks"):
        used = {name for service in SERVICES.values() for name in service.get(kind, ())}
        assert used == set(COMPOSE[kind])
    waited_for = {name for service in SERVICES.values() for name in service.get("depends_on", {})}
    assert waited_for <= {name for name, service in SERVICES.items() if has_health(service)}


def has_health(service: dict[str, Any]) -> bool:
    return "healthcheck" in service or "HEALTHCHECK" in {
        name for name, _ in stage(service["build"]["target"])
    }


def test_the_first_lines_make_every_secret_and_git_ignores_them() -> None:
    made = re.search(r"for name in ([\w ]+); do .* > secrets/\$name", TEXT)
    assert made is not None
    assert set(made[1].split()) == set(COMPOSE["secrets"])
    assert all(secret["file"] == f"secrets/{name}" for name, secret in COMPOSE["secrets"].items())
    assert (FOLDER / ".gitignore").read_text(encoding="utf-8") == "secrets/\n"


def test_a_variable_that_names_a_secret_names_one_that_the_service_has() -> None:
    for service in SERVICES.values():
        environment = service.get("environment", {})
        files = {
            value.removeprefix("/run/secrets/")
            for name, value in environment.items()
            if name.endswith("_FILE")
        }
        assert files <= set(service.get("secrets", ()))
        assert not [name for name in environment if re.search("PASSWORD$|KEY$|TOKEN$", name)]


def test_nothing_is_written_outside_volumes_and_no_rights_are_left() -> None:
    for name, service in SERVICES.items():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "caddy" else [])
    assert SERVICES["database"]["user"] == "postgres"
    assert ("USER", "10001:10001") in stage("stdio")


def test_only_caddy_can_be_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["caddy"]
    assert [name for name, network in COMPOSE["networks"].items() if not network.get("internal")] == ["front"]
    assert [name for name, service in SERVICES.items() if "front" in service["networks"]] == ["caddy"]


def test_the_command_is_one_that_the_connector_understands() -> None:
    (entry,) = [rest for name, rest in stage("connector") if name == "ENTRYPOINT"]
    words = [*YAML(typ="safe", pure=True).load(entry), *SERVICES["connector"]["command"]]
    assert words[:3] == ["bi-mcp", "connector", "serve"]
    context = serve_command().make_context("serve", [str(word) for word in words[3:]])
    assert context.params["sources"] == ("shop=postgresql://bi_reader@database/shop",)
    assert context.params["host"] == "0.0.0.0"
    assert context.params["behind_proxy"] is True


def test_the_variables_are_those_of_the_connector() -> None:
    assert set(SERVICES["connector"]["environment"]) == {
        "BI_MCP_CONNECTOR_KEY_FILE",
        "BI_MCP_CONNECTOR_PASSWORD_SHOP_FILE",
    }


def test_caddy_passes_on_what_bitrix24_asks_and_nothing_else() -> None:
    asked = re.search(r"^\t\tpath (.+)$", CADDY, re.MULTILINE)
    assert asked is not None
    assert set(asked[1].split()) == set(ENDPOINTS.values())
    (port,) = [rest for name, rest in stage("connector") if name == "EXPOSE"]
    assert f"reverse_proxy connector:{port} " in CADDY
    assert CADDY.count("{") == CADDY.count("}")
    assert "{$CONNECTOR_HOST} {" in CADDY
    assert "CONNECTOR_HOST" in SERVICES["caddy"]["environment"]


@pytest.mark.parametrize("path", ["compose.yaml", "shop.sql"])
def test_the_login_of_the_connector_is_the_one_that_only_reads(path: str) -> None:
    assert "bi_reader" in (FOLDER / path).read_text(encoding="utf-8")


def test_lines_that_a_person_types_are_commands() -> None:
    typed = [line[4:] for line in TEXT.splitlines() if line.startswith("#   ")]
    assert [shlex.split(line)[0] for line in typed] == ["mkdir", "for", "CONNECTOR_HOST=bi.example.com"]
