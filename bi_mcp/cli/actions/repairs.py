"""The commands that a person types in place of the calls that findings offer."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping

from bi_mcp.base.language import say
from bi_mcp.diagnostics.findings.finding import Finding

# By the tool that a call names; arguments are inserted by name.
COMMANDS = {
    "connector_check": ("check", "{source}"),
    "source_tables": ("tables", "{source}"),
    "dataset_propose": ("propose", "{source}", "{table}"),
    "dataset_diagnose": ("diagnose", "{id}"),
}
# What these change, the setup file says.
IN_THE_FILE = frozenset(
    {"connector_update", "source_update", "dataset_fields_update", "dataset_columns_replace"}
)


def commands_of(finding: Finding, profile: str | None) -> Iterator[str]:
    """The commands for what a finding offers, complete."""
    for offered in finding.offered:
        words = COMMANDS.get(str(offered["tool"]))
        if words is not None:
            arguments = _arguments(offered)
            typed = [word.format_map(arguments) for word in words]
            if "like" in arguments:
                typed += ["--like", str(arguments["like"])]
            yield shlex.join(["bi-mcp", *typed, *(("--profile", profile) if profile else ())])


def how_to_change(findings: Iterable[Finding]) -> str:
    """Say how the offered changes are made without an assistant; empty if no change is offered."""
    if any(offered["tool"] in IN_THE_FILE for finding in findings for offered in finding.offered):
        return say(
            "Repair the portal through its setup file: `bi-mcp export bi.yaml`, edit it, `bi-mcp apply bi.yaml`."
        )
    return ""


def _arguments(offered: Mapping[str, object]) -> Mapping[str, object]:
    arguments = offered["arguments"]
    return arguments if isinstance(arguments, Mapping) else {}
