"""The reference pages, made of the code that they describe: path below `docs` -> Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bi_mcp import errors
from bi_mcp.base.advice import use_words
from bi_mcp.cli import main
from bi_mcp.config import Settings
from bi_mcp.errors import PortalError
from bi_mcp.rest.error_codes import ERROR_CODES, UNCERTAIN_CODES, ErrorCode
from bi_mcp.rest.methods import METHODS, TABLE_METHODS
from bi_mcp.server.advice import WORDS
from bi_mcp.server.tools import TOOLSETS
from bi_mcp.setup.document import OF_A_COMMAND, OF_A_SERVER
from bi_mcp.setup.schema import setup_schema
from docs.making.assistant_tasks import evals_pages
from docs.making.findings import findings_page
from docs.making.markdown import Row, escaped, said, table

if TYPE_CHECKING:
    from mcp.types import Prompt, Resource, ResourceTemplate, Tool

ROOT = Path(__file__).parents[2]
MADE = "<!-- Made of the code by docs/making/reference.py. -->\n\n"
DEEPEST = 3


def build_pages() -> dict[str, str]:
    """Build the pages of the reference that are made of the code. Two are written by hand or by `make snapshots`."""
    import anyio

    offered = anyio.run(read_offered)
    pages = {
        "reference/tools.md": tools_page(offered.tools),
        "reference/prompts.md": prompts_page(offered),
        "reference/commands.md": commands_page(),
        "reference/findings.md": findings_page(),
        "reference/errors.md": errors_page(),
        "reference/setup-file.md": setup_file_page(setup_schema()),
        "reference/threats.md": threats_page(),
        **evals_pages(),
    }
    return {path: MADE + text for path, text in pages.items()}


@dataclass(frozen=True)
class Offered:
    """What a client is told of the server, with all groups of tools."""

    tools: list[Tool]
    prompts: list[Prompt]
    resources: list[Resource]
    templates: list[ResourceTemplate]


async def read_offered() -> Offered:
    """Ask as a client does."""
    from mcp import Client

    from bi_mcp.server.build import build_server

    async with Client(build_server(Settings(toolsets=tuple(TOOLSETS)))) as client:
        return Offered(
            (await client.list_tools()).tools,
            (await client.list_prompts()).prompts,
            (await client.list_resources()).resources,
            (await client.list_resource_templates()).resource_templates,
        )


def tools_page(tools: list[Tool]) -> str:
    """Each tool with its description and arguments."""
    return (
        "# Tools\n\nDescriptions and arguments as an assistant sees them. [In one table](tool-table.md).\n\n"
        + "\n".join(map(_tool, tools))
    )


def _tool(tool: Tool) -> str:
    methods = {method.tool: method for method in METHODS + TABLE_METHODS}
    method = methods.get(tool.name)
    rest = f"REST method: [`{method.name}`]({method.documentation})\n\n" if method else ""
    arguments = list(_arguments(tool.input_schema))
    takes = table(("argument", "type", "meaning"), arguments) if arguments else "No arguments.\n"
    return f"## {tool.name}\n\n{escaped(tool.description or '')}\n\n{rest}{takes}"


def prompts_page(offered: Offered) -> str:
    """Prompts with their arguments, all of which may be left out, and resources."""
    prompts = "\n".join(map(_prompt, offered.prompts))
    resources = [(f"`{each.uri}`", escaped(each.description or "")) for each in offered.resources]
    templates = [(f"`{each.uri_template}`", escaped(each.description or "")) for each in offered.templates]
    return (
        "# Prompts and resources\n\nEvery argument may be left out.\n\n"
        f"{prompts}\n## Resources\n\n{table(('address', 'what it holds'), [*resources, *templates])}"
    )


def _prompt(prompt: Prompt) -> str:
    rows = [(f"`{each.name}`", escaped(each.description or "")) for each in prompt.arguments or ()]
    return (
        f"## {prompt.name}\n\n{escaped(prompt.description or '')}\n\n{table(('argument', 'meaning'), rows)}"
    )


def _arguments(schema: Mapping[str, Any], prefix: str = "", depth: int = 1) -> Iterator[Row]:
    required = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        need = ", **required**" if name in required else ""
        yield f"`{prefix}{name}`", _type(part) + need, escaped(part.get("description", ""))
        if depth < DEEPEST:
            inner = part.get("items", part)
            yield from _arguments(inner, f"{prefix}{name}{'[]' if 'items' in part else ''}.", depth + 1)


def _type(schema: Mapping[str, Any]) -> str:
    if allowed := schema.get("enum") or ([schema["const"]] if "const" in schema else None):
        return ", ".join(f"`{value}`" for value in allowed)
    if several := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(map(_type, several)))
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"array of {_type(schema.get('items', {}))}"
    for values in (*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")):
        if isinstance(values, dict):
            return f"object of {_type(values)}"
    return kind


def commands_page() -> str:
    """Each command with its `--help`."""
    parts = [
        f"## {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
        for name, command, context in _commands()
    ]
    return f"{_COMMANDS}\n" + "\n".join(parts)


_COMMANDS = """# Commands

What `--help` says. What prints data also prints JSON (`--json`), and every command takes `--language`.

| Exit status | |
|---|---|
| 0 | done, or healthy |
| 1 | it failed or was declined; `check`, `diagnose` and `doctor` found something wrong; `apply` or `undo` left something undone |
| 2 | the arguments are wrong; `plan --detailed-exitcode`: there are changes |

On the tab key: `eval "$(bi-mcp completion bash)"` in `~/.bashrc`, the same with `zsh`, or
`bi-mcp completion fish > ~/.config/fish/completions/bi-mcp.fish`. To practise against servers on ports of their own: `bi-mcp portal` and
`bi-mcp sample`, also over your own data (`bi-mcp sample --data sales.csv`).
"""


def _commands() -> Iterator[tuple[str, click.Command, click.Context]]:
    top = click.Context(main, info_name="bi-mcp", terminal_width=90, **main.context_settings)
    yield "bi-mcp", main, top
    for name, command in sorted(main.commands.items()):
        context = click.Context(command, info_name=name, parent=top)
        yield f"bi-mcp {name}", command, context
        if isinstance(command, click.Group):
            for part, inner in sorted(command.commands.items()):
                yield f"bi-mcp {name} {part}", inner, click.Context(inner, info_name=part, parent=context)


def threats_page() -> str:
    """SECURITY.md, which stands where those who look for it expect it."""
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    return text.replace("# Security\n", "# Threats and limits\n", 1)


def errors_page() -> str:
    """The tree of exceptions, and the portal's codes by the exception that stands for them."""
    tree = "\n".join(line[4:] for line in (errors.__doc__ or "").splitlines() if line.startswith("    "))
    by_error: dict[type[PortalError], list[str]] = {}
    for code, each in ERROR_CODES.items():
        by_error.setdefault(each.error, []).append(_code(code, each))
    parts = [
        f"### {error.__name__}\n\n{(error.__doc__ or '').strip()}\n\n" + "\n".join(codes)
        for error, codes in by_error.items()
    ]
    return f"{_ERRORS}\n" + "\n".join(parts) + f"{_EXCEPTIONS}\n```text\n{tree}\n```\n"


_ERRORS = """# Errors

An error says what happened, where, and what to do next. Where the portal refused, it holds the portal's own code:

> biconnector.source.delete refused. BX_ERROR: Cannot delete source. Delete all related datasets first. …

Search this page for the code. What is wrong with a connector, a dataset or a portal without a call being refused is a
[finding](findings.md).

## Codes of the portal

By the exception that a Python program meets. A code that is not listed is a `RefusedError` with the portal's own words.
"""

_EXCEPTIONS = """
## Exceptions in Python

Those of `bi_mcp.errors`.
"""

_UNCERTAIN = (
    "After a call that changes something the error says how to look whether it was done: it may have been."
)


def _code(code: str, known: ErrorCode) -> str:
    uncertain = f"\n\n{_UNCERTAIN}" if code in UNCERTAIN_CODES else ""
    with use_words(WORDS):
        advice = "".join(f" {escaped(str(each))}" for each in known.advice)
    return f"#### {code}\n\n{said(known.hint)}{advice}{uncertain}\n"


def setup_file_page(schema: Mapping[str, Any]) -> str:
    """The parts of a setup file."""
    parts = {"The file": schema, **{name: schema["$defs"][name] for name in _order(schema)}}
    text = "".join(f"## {name}\n\n{_part(part)}\n" for name, part in parts.items())
    return (
        "# Setup file\n\nWhat `bi-mcp export` writes and `plan` and `apply` read. Editors complete it with "
        f"[the JSON Schema](../bi-mcp.schema.json): `bi-mcp schema > bi-mcp.schema.json`.\n\n{_largest()}\n\n{_example()}\n{text}"
    )


def _largest() -> str:
    return (
        "It is UTF-8, YAML or JSON, without anchors, aliases, tags and merges. The commands read at most "
        f"{OF_A_COMMAND.characters:,} characters; a server reads at most {OF_A_SERVER.characters:,}, and for {OF_A_SERVER.seconds:g} "
        "seconds. A thousand datasets with twenty columns have 1,400,000. What has each column on one line, as `bi-mcp export` "
        "writes it, or is JSON, is read some ten times as fast as other YAML. Line ends stay as they are."
    )


def _example() -> str:
    """Return the setup file that the README shows."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^```yaml\n# yaml-language-server.*?^```\n", readme, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError("README.md has no setup file.")
    return found[0]


def _order(schema: Mapping[str, Any]) -> list[str]:
    """Each part after the one that first refers to it."""
    found: list[str] = []
    waiting: list[object] = [{key: part for key, part in schema.items() if key != "$defs"}]
    while waiting:
        names = re.findall(r"#/\$defs/(\w+)", json.dumps(waiting.pop(0)))
        new = [name for name in dict.fromkeys(names) if name not in found]
        found += new
        waiting += [schema["$defs"][name] for name in new]
    return found


def _part(schema: Mapping[str, Any]) -> str:
    about = f"{escaped(schema['description'])}\n\n" if "description" in schema else ""
    rows = list(_arguments(schema, depth=DEEPEST))
    return about + (table(("key", "type", "meaning"), rows) if rows else f"{_type(schema)}\n")
