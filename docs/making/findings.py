"""The reference of findings: every kind that the checks declare, each with a heading by which it can be linked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import ModuleType

from bi_mcp.base.advice import AdviceKind
from bi_mcp.cli.actions.findings import MARKS
from bi_mcp.diagnostics.dataset.views import Verdict
from bi_mcp.diagnostics.findings import chart_rules, check_rules, dataset_rules, portal_rules, status_rules
from bi_mcp.diagnostics.findings.endpoint_rules import BREACHES, CONSEQUENCES, FAILURES
from bi_mcp.diagnostics.findings.finding import Kind, Level, Side
from bi_mcp.server.advice import WORDS
from docs.making.markdown import escaped, said, table

SIDES: dict[Side, str] = {
    "connector": "the **connector**: the service behind the four endpoints, or the system behind it",
    "setup": "the **setup**: the connector, source or dataset on the portal, with bi-mcp",
    "either": "the **connector or the setup**, whichever is wrong",
    "portal": "the **portal**: its administrator",
    "machine": "**this machine**: where bi-mcp runs, and its credential",
    "nobody": "nobody: nothing is wrong",
}
LEVELS: dict[Level, str] = {
    "ok": "As it should be.",
    "note": "Worth knowing. The verdict stays healthy, and the exit status 0.",
    "warning": "Some charts suffer, or will.",
    "error": "Rows are lost or wrong, or nothing works.",
}
VERDICTS: dict[Verdict, str] = {
    "healthy": "No finding, or notes only. The exit status is 0; for the others it is 1.",
    "degraded": "The gravest finding is a warning.",
    "broken": "The gravest finding is an error.",
    "table_gone": "The connector no longer lists the table and returns nothing for it.",
    "unreachable": "Neither `urlTableDescription` nor `urlData` gave a usable answer.",
}


def declared(module: ModuleType) -> list[Kind]:
    """All kinds of a module, so that none can be forgotten."""
    return [kind for kind in vars(module).values() if isinstance(kind, Kind)]


# What each family is about, and who tells it.
FAMILIES: Sequence[tuple[str, str, Sequence[Kind]]] = (
    (
        "An endpoint that does not answer",
        "Told by `check`, `connector_check` and `diagnose --all`, in the words of the error itself, such as "
        "“https://connector.example/check answered HTTP 401.” What follows from it depends on the endpoint:\n\n"
        + table(
            ("endpoint", "what follows"),
            [(f"`{endpoint}`", said(why)) for endpoint, why in CONSEQUENCES.items()],
        ),
        tuple(FAILURES.values()),
    ),
    (
        "A rule that an answer breaks",
        "Told by `check` and `connector_check`, with each place where the rule is broken; `diagnose` tells some of them, too.",
        tuple(BREACHES.values()),
    ),
    (
        "What the check of a connector tries",
        "Told by `check` and `connector_check`.",
        declared(check_rules),
    ),
    (
        "What charts ask",
        "Told by `check` and `connector_check` with what was sent and what came back; `diagnose` tells those that decide most.",
        declared(chart_rules),
    ),
    (
        "A dataset's columns and data",
        "Told by `diagnose` and `dataset_diagnose`, with the call that mends it where there is one.",
        declared(dataset_rules),
    ),
    (
        "Objects on the portal",
        "Told by `map`, `portal_map` and `diagnose`. No endpoint is called for them.",
        declared(portal_rules),
    ),
    ("The portal and the credential", "Told by `doctor` and `portal_status`.", declared(status_rules)),
)


def findings_page() -> str:
    """Levels, verdicts, sides, and each finding by its code."""
    families = [
        "\n".join((f"## {name}\n\n{about}\n", *map(_finding, kinds))) for name, about, kinds in FAMILIES
    ]
    return "\n".join((_INTRODUCTION, _verdicts(), *families))


_INTRODUCTION = """# Findings

What bi-mcp can find wrong with a connector, a source, a dataset or a portal. In a terminal each finding ends with its code in
brackets, in answers of tools and in JSON it is the field `code`; search for it here. `…` stands for names and numbers.
"""


def _verdicts() -> str:
    levels = [(f"{MARKS[level]} `{level}`", meaning) for level, meaning in LEVELS.items()]
    return "\n".join(
        (
            "## Levels and verdicts\n",
            table(("level", "what it means"), levels),
            "The verdict of `check`, `connector_check`, `map` and `portal_map` is the gravest level. A dataset has verdicts of its own:\n",
            table(
                ("verdict of `diagnose`", "when"), [(f"`{name}`", when) for name, when in VERDICTS.items()]
            ),
            "Each finding says who repairs it:\n",
            "".join(f"- {meaning}\n" for meaning in SIDES.values()),
        )
    )


def _finding(kind: Kind) -> str:
    side = SIDES[kind.side].split(":")[0]
    lines = [f"### {kind.code}\n", f"{MARKS[kind.level]} {kind.level} · repaired by {side}\n"]
    if kind.what:
        lines.append(f"> {_template(kind.what)}\n")
    if kind.means:
        lines.append(f"{kind.means}\n")
    if kind.fix:
        fix = WORDS[kind.fix] if isinstance(kind.fix, AdviceKind) else kind.fix
        lines.append(f"**To do:** {_template(fix)}\n")
    return "\n".join(lines)


def _template(template: str) -> str:
    """What a finding says, with `…` for what differs from one to the other."""
    shown = re.sub(r"(?<!\{)\{\w[^{}]*\}", "…", template)
    return escaped(shown.replace("{{", "{").replace("}}", "}")).removesuffix(" …")
