"""`bi-mcp export`, `plan`, `apply`, `adopt` and `schema`: a portal's setup as a file."""

from __future__ import annotations

import json
from typing import Any

import click

from bi_mcp.cli.options import add_options, profile_option

DEFAULT_FILE = "bi.yaml"

file_argument = click.argument("file", required=False)


plan_options = add_options(
    click.option(
        "--map-secret",
        "secrets",
        metavar="OLD=NEW",
        multiple=True,
        help="Refer to the secret NEW instead of OLD.",
    ),
    click.option(
        "--map-url",
        "urls",
        metavar="OLD=NEW",
        multiple=True,
        help="Let addresses of endpoints begin with NEW instead of OLD.",
    ),
    click.option("--prune", is_flag=True, help="Delete what the portal has and the file does not."),
)


@click.command(short_help="Write a portal's setup to a file.")
@file_argument
@click.option(
    "--show-settings", metavar="CODES", help="Codes of settings whose values may be written: host,region"
)
@profile_option
def export(**options: Any) -> None:
    r"""Write everything that the portal has to FILE, or print it.

    An existing file keeps its comments, its order and its keys. What may be a secret becomes a reference to a variable; the
    names of these variables are printed.

    \b
    Examples:
      bi-mcp export bi.yaml
      bi-mcp export --profile test > bi.yaml
    """
    from bi_mcp.cli.actions.setup import write_export

    write_export(**options)


@click.command(short_help="Show what applying a setup file would change.")
@file_argument
@plan_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="For a terminal, a pull request, or programs.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit status 0: nothing to do, 2: changes, 1: error.")
@profile_option
def plan(**options: Any) -> None:
    r"""Compare FILE (bi.yaml; - is standard input) with the portal and print what would be done. Does not change anything.

    \b
    Examples:
      bi-mcp plan
      bi-mcp plan bi.yaml --profile prod --detailed-exitcode
      bi-mcp plan --format markdown > comment.md
    """
    from bi_mcp.cli.actions.apply import show_plan

    show_plan(**options)


@click.command(short_help="Change a portal to match a setup file.")
@file_argument
@plan_options
@click.option("--checksum", help="Apply the plan that has this checksum, without asking.")
@click.option("--yes", is_flag=True, help="Apply any plan without asking.")
@click.option("--no-check", is_flag=True, help="Do not call the connectors' endpoints first.")
@click.option(
    "--max-deletions",
    default=10,
    show_default=True,
    help="Refuse a plan that deletes or replaces more objects.",
)
@click.option(
    "--settle",
    type=click.FloatRange(0),
    default=60.0,
    show_default=True,
    help="Seconds that the portal may still be working on a request that was cut off.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@profile_option
def apply(**options: Any) -> None:
    r"""Show the plan of FILE (bi.yaml; - is standard input), ask, and carry it out.

    A run that was interrupted continues where it ended. Exits with status 1 if something was not done.

    \b
    Examples:
      bi-mcp apply
      bi-mcp apply bi.yaml --profile prod --checksum 0123456789abcdef
      bi-mcp export --profile test | bi-mcp apply --profile prod --map-url https://test.example=https://prod.example
    """
    from bi_mcp.cli.actions.apply import apply_setup

    apply_setup(**options)


@click.command(short_help="Assign an existing object to a key of a setup file.")
@click.argument("assignments", metavar="GROUPS.KEY=ID...", nargs=-1, required=True)
@click.option("--file", default=DEFAULT_FILE, show_default=True, help="The setup file.")
@profile_option
def adopt(**options: Any) -> None:
    r"""Remember which object of the portal a key of the setup file stands for.

    \b
    Example:
      bi-mcp adopt connectors.sales=5 sources.sales_prod=12
    """
    from bi_mcp.cli.actions.setup import adopt_objects

    adopt_objects(**options)


@click.command(short_help="Print the JSON Schema of a setup file.")
def schema() -> None:
    r"""Print the JSON Schema of a setup file, for editors.

    \b
    Example:
      bi-mcp schema > bi-mcp.schema.json
    """
    from bi_mcp.setup.schema import setup_schema

    click.echo(json.dumps(setup_schema(), indent=1, ensure_ascii=False))
