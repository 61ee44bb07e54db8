"""What a release is: one version everywhere, manifests as their specifications want them, locks that fit, an image that runs as nobody."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import bi_mcp
from bi_mcp.cli.clients.known_clients import DISTRIBUTION
from bi_mcp.config import Settings, read_settings
from tests.server.processes import LIMIT_S, environment

ROOT = Path(__file__).parents[2]
VERSION = bi_mcp.__version__
PACKER = ROOT / "build/bundle/node_modules/.bin/mcpb"
SECRETS = {"BI_MCP_ACCESS_TOKEN", "BI_MCP_WEBHOOK"}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


MANIFEST: dict[str, Any] = json.loads(read("manifest.json"))
SERVER: dict[str, Any] = json.loads(read("server.json"))
PACKAGE: dict[str, Any] = SERVER["packages"][0]
PROJECT: dict[str, Any] = tomllib.loads(read("pyproject.toml"))
LAUNCH: dict[str, Any] = MANIFEST["server"]["mcp_config"]

# What the registry demands of the fields that server.json has, by its schema of 2025-12-11.
TEXT = {"type": "string"}
SERVER_RULES = {
    "type": "object",
    "required": ["$schema", "name", "description", "version", "packages"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"const": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"},
        "name": {"type": "string", "pattern": r"^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$", "maxLength": 200},
        "title": {"type": "string", "minLength": 1, "maxLength": 100},
        "description": {"type": "string", "minLength": 1, "maxLength": 100},
        "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
        "packages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["registryType", "identifier", "version", "transport", "runtimeHint"],
                "additionalProperties": False,
                "properties": {
                    "registryType": {"const": "pypi"},
                    "identifier": TEXT,
                    "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
                    "runtimeHint": {"const": "uvx"},
                    "transport": {"const": {"type": "stdio"}},
                    "packageArguments": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["type", "value"],
                            "additionalProperties": False,
                            "properties": {"type": {"const": "positional"}, "value": TEXT},
                        },
                    },
                    "environmentVariables": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["name", "description"],
                            "additionalProperties": False,
                            "properties": {
                                "name": {"type": "string", "pattern": "^BI_MCP_[A-Z_]+$"},
                                "description": TEXT,
                                "default": TEXT,
                                "format": {"enum": ["string", "number", "boolean", "filepath"]},
                                "choices": {"type": "array", "items": TEXT},
                                "isSecret": {"type": "boolean"},
                            },
                        },
                    },
                },
            },
        },
    },
}


def test_there_is_one_version() -> None:
    newest = re.search(r"^## (\S+)", read("CHANGELOG.md"), re.MULTILINE)
    assert newest is not None
    versions = [newest[1], MANIFEST["version"], SERVER["version"], PACKAGE["version"]]
    assert versions == [VERSION] * 4
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "bi_mcp/__init__.py"


def test_the_entry_of_the_registry_keeps_to_its_rules() -> None:
    Draft202012Validator.check_schema(SERVER_RULES)
    assert list(Draft202012Validator(SERVER_RULES).iter_errors(SERVER)) == []


def test_the_package_names_its_entry_in_the_registry() -> None:
    assert f"mcp-name: {SERVER['name']} " in read("README.md")
    assert PACKAGE["identifier"] == PROJECT["project"]["name"] == MANIFEST["name"]


def test_the_distribution_has_a_script_of_its_own_name_for_what_runs_it_without_an_installation() -> None:
    name = PROJECT["project"]["name"]
    assert PROJECT["project"]["scripts"] == {"bi-mcp": "bi_mcp.cli:main", name: "bi_mcp.cli:main"}
    assert name == DISTRIBUTION


def test_variables_of_the_registry_and_the_bundle_are_read_by_bi_mcp_and_secret_where_they_are() -> None:
    listed = {each["name"]: each.get("isSecret", False) for each in PACKAGE["environmentVariables"]}
    fields = {
        name: value.removeprefix("${user_config.").removesuffix("}") for name, value in LAUNCH["env"].items()
    }
    assert set(fields.values()) == set(MANIFEST["user_config"])
    configured = {
        name: MANIFEST["user_config"][field].get("sensitive", False) for name, field in fields.items()
    }
    assert listed == configured
    source = read("bi_mcp/config/__init__.py")
    for name, secret in listed.items():
        assert f'"{name}"' in source
        assert secret == (name in SECRETS)


def filled_in(**values: str) -> Settings:
    """The settings that follow from what a person fills in; what they leave out has its default."""
    variables = {}
    for name, template in LAUNCH["env"].items():
        field = template.removeprefix("${user_config.").removesuffix("}")
        default = MANIFEST["user_config"][field]["default"]
        variables[name] = values.get(field, str(default).lower() if isinstance(default, bool) else default)
    return read_settings(variables)


def test_a_bundle_works_with_nothing_filled_in_and_with_a_portal() -> None:
    practice = filled_in()
    assert (practice.portal_url, practice.profiles, practice.read_only, practice.language) == (
        None,
        (),
        False,
        "en",
    )
    real = filled_in(portal_url="https://acme.example", access_token="t", read_only="true")
    assert (real.portal_url, real.read_only) == ("https://acme.example", True)
    assert filled_in(profile="test").profiles == ("test",)


@pytest.mark.needs(str(PACKER), called="what `make build/bundle/ready` installs")
@pytest.mark.needs("git")
def test_the_bundle_is_valid_to_its_own_tool_and_holds_a_server_that_starts(tmp_path: Path) -> None:
    made = subprocess.run(  # noqa: S603  our own Makefile
        [shutil.which("make") or "make", "bundle", f"OUT={tmp_path}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    with zipfile.ZipFile(tmp_path / f"bitrix24-bi-mcp-{VERSION}.mcpb") as bundle:
        names = bundle.namelist()
        bundle.extractall(tmp_path / "bundle")
    assert {"manifest.json", "pyproject.toml", "LICENSE", MANIFEST["server"]["entry_point"]} <= set(names)
    assert not [name for name in names if name.startswith(("tests/", ".git/"))]
    started = subprocess.run(
        [sys.executable, "-m", "bi_mcp", "map", "--json", "--profile", "embedded"],
        cwd=tmp_path / "bundle",
        env={
            **environment(tmp_path, BI_MCP_PORTAL_DB=":memory:"),
            "PYTHONPATH": str(tmp_path / "bundle"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert started.returncode == 0, started.stderr
    assert "verdict" in json.loads(started.stdout)
