"""The reference is made of the code: whatever a user can name stands in it."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from bi_mcp import errors
from bi_mcp.cli import main
from bi_mcp.rest.error_codes import ERROR_CODES
from bi_mcp.server.tools import TOOLSETS
from docs.making.reference import ROOT, build_pages, read_offered

pytestmark = pytest.mark.anyio

SETTINGS = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return build_pages()


async def test_every_tool_and_argument_is_described(pages: dict[str, str]) -> None:
    tools = (await read_offered()).tools
    assert len(tools) > sum(len(TOOLSETS[name]) for name in ("sources", "datasets"))
    for tool in tools:
        described = pages["reference/tools.md"].split(f"## {tool.name}\n")[1].split("\n## ")[0]
        for argument in tool.input_schema.get("properties", {}):
            assert f"| `{argument}` |" in described


async def test_every_prompt_and_resource_is_described(pages: dict[str, str]) -> None:
    offered = await read_offered()
    page = pages["reference/prompts.md"]
    assert all(f"## {prompt.name}\n" in page and prompt.arguments for prompt in offered.prompts)
    assert all(f"| `{resource.uri}` |" in page for resource in offered.resources)
    assert all(f"| `{template.uri_template}` |" in page for template in offered.templates)


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_is_described_with_its_options(pages: dict[str, str], command: str) -> None:
    described = pages["reference/commands.md"].split(f"## bi-mcp {command}\n")[1].split("\n## bi-mcp ")[0]
    options = [option for option in main.commands[command].params if isinstance(option, click.Option)]
    assert all(option.opts[0] in described for option in options)


def test_the_table_of_settings_has_the_variables_that_the_code_reads_and_no_other() -> None:
    read = _variables((ROOT / "bi_mcp" / "config" / "__init__.py").read_text(encoding="utf-8"))
    assert _variables(SETTINGS) == read


def test_the_settings_of_the_readme_are_settings() -> None:
    named = _variables((ROOT / "README.md").read_text(encoding="utf-8"))
    # What the owner names is set off by dots in the table.
    owned = {name for name in named if name.startswith(("BI_MCP_SECRET_", "BI_MCP_CONNECTOR_PASSWORD_"))}
    assert named - owned
    assert named - owned <= _variables(SETTINGS)


def _variables(text: str) -> set[str]:
    """A name with an end of its own: not what several begin with."""
    return set(re.findall(r"BI_MCP_[A-Z_]*[A-Z](?![A-Z_*])", text))


def test_every_option_of_serve_is_in_the_table_of_settings() -> None:
    told = set(re.findall(r"--[a-z-]+", SETTINGS))
    of_its_own = {"--http"}
    options = {option.opts[0] for option in main.commands["serve"].params if isinstance(option, click.Option)}
    assert options - of_its_own <= told


def test_every_code_of_the_portal_is_explained(pages: dict[str, str]) -> None:
    assert all(f"\n#### {code}\n" in pages["reference/errors.md"] for code in ERROR_CODES)


def test_every_exception_is_in_the_tree(pages: dict[str, str]) -> None:
    for name, error in vars(errors).items():
        if isinstance(error, type) and issubclass(error, errors.BiMcpError):
            assert name in pages["reference/errors.md"]


def test_texts_of_the_code_are_not_read_as_markdown(pages: dict[str, str]) -> None:
    assert re.search(
        r"^\| `connector` \|.*\| Key of a connector", pages["reference/setup-file.md"], re.MULTILINE
    )
    rows = re.findall(r"^\| .*$", pages["reference/tools.md"], re.MULTILINE)
    assert {len(re.split(r"(?<!\\)\|", row)) for row in rows} == {5}
    assert '{"status": "ok"}' in pages["reference/findings.md"]


def test_a_readme_without_a_setup_file_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# bi-mcp\n", encoding="utf-8")
    monkeypatch.setattr("docs.making.reference.ROOT", tmp_path)
    with pytest.raises(ValueError, match="no setup file"):
        build_pages()
