"""Clients of other SDKs list everything, call every tool, read every resource and get every prompt.

A client that finds structured content unfit for the schema of its tool raises, and so fails.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bi_mcp.server.tools import TOOLSETS
from tests.clients.clients import CLIENTS, ROOT, RealClient, played
from tests.clients.conftest import Way
from tests.clients.journey import JOURNEY, Call, Complete, Read

pytestmark = pytest.mark.anyio

EVERY_TOOL = {declaration.name for declarations in TOOLSETS.values() for declaration in declarations}
RESOURCES = {
    "bi://history",
    "bi://connector/fields",
    "bi://source/fields",
    "bi://dataset/fields",
    "bi://connector/fields/full",
    "bi://source/fields/full",
    "bi://dataset/fields/full",
    "ui://bi-mcp/map.html",
    "ui://bi-mcp/profile.html",
}
TEMPLATES = {"bi://connector/{id}", "bi://source/{id}", "bi://dataset/{id}"}
PROMPTS = {path.stem for path in (ROOT / "prompts").glob("*.md") if "." not in path.stem}

CASES = [
    pytest.param(client, era, marks=client.needs, id=f"{client.name}-{era}")
    for client in CLIENTS
    for era in client.eras
]


def test_every_tool_has_a_row_in_the_journey() -> None:
    assert {step.tool for step in JOURNEY if isinstance(step, Call)} == EVERY_TOOL


def test_every_template_has_a_row_in_the_journey() -> None:
    read = {step.uri.rpartition("/")[0] for step in JOURNEY if isinstance(step, Read)}
    assert read == {template.rpartition("/")[0] for template in TEMPLATES}


def test_every_template_and_prompt_has_a_row_that_completes() -> None:
    assert {step.ref for step in JOURNEY if isinstance(step, Complete)} == TEMPLATES | PROMPTS


@pytest.mark.campaign("foreign clients and checkers")
@pytest.mark.parametrize(("client", "era"), CASES)
async def test_a_real_client_uses_all_that_there_is(
    client: RealClient, era: str, way: Way, server: dict[str, Any], tmp_path: Path
) -> None:
    report = await played(client, era, server, tmp_path)
    assert report["protocol"] == client.eras[era]
    check_all_used(report)
    assert set(report["completed"]) == TEMPLATES | PROMPTS


def check_all_used(report: dict[str, Any]) -> None:
    """What is listed is all that there is, and each of it was used."""
    assert set(report["tools"]) == set(report["called"]) == EVERY_TOOL
    assert set(report["resources"]) == RESOURCES
    assert set(report["templates"]) == TEMPLATES
    assert {*report["read"]} > RESOURCES
    assert len(report["read"]) == len(RESOURCES) + len(TEMPLATES)
    assert set(report["prompts"]) == set(report["got"]) == PROMPTS
