"""`bi-mcp check`, `tables`, `propose`, `preview`, `profile`, `diagnose`, `doctor` and `map`: they read a portal and its connectors."""

from __future__ import annotations

from typing import IO, Any

import click

from bi_mcp.base.language import say
from bi_mcp.cli.options import add_options, profile_option

result_options = add_options(
    profile_option,
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
)


@click.command(short_help="Check a connector's endpoints.")
@click.argument("source", type=click.IntRange(1))
@click.option("--table", help="External code of the table to read. Default: the first listed.")
@click.option("--quick", is_flag=True, help="Leave out what charts ask: about 30 calls.")
@click.option(
    "--repeat",
    type=click.IntRange(2, 20),
    default=None,
    help="Ask each endpoint one question that often instead, and say how often it answers.",
)
@result_options
def check(**options: Any) -> None:
    r"""Call the endpoints behind a SOURCE (its id) as Bitrix24 does, ask what charts ask, and name everything that fails.

    \b
    Examples:
      bi-mcp check 3
      bi-mcp check 3 --quick
      bi-mcp check 3 --repeat 10
      bi-mcp check 3 --table orders --json
    """
    from bi_mcp.cli.actions.connector import check_connector

    check_connector(**options)


@click.command(short_help="List external tables.")
@click.argument("source", type=click.IntRange(1))
@click.option("--search", default="", help="Text that the endpoint searches for.")
@result_options
def tables(**options: Any) -> None:
    r"""List the external tables of a SOURCE (its id): code and title.

    \b
    Examples:
      bi-mcp tables 3
      bi-mcp tables 3 --search orders --json
    """
    from bi_mcp.cli.actions.connector import list_tables

    list_tables(**options)


@click.command(short_help="Propose a dataset for an external table.")
@click.argument("source", type=click.IntRange(1))
@click.argument("table")
@click.option("--like", type=click.IntRange(1), help="Keep the names and types of this dataset.")
@profile_option
def propose(**options: Any) -> None:
    r"""Print the `fields` that dataset.add takes for a TABLE (its external code) of a SOURCE (its id), as JSON.

    \b
    Examples:
      bi-mcp propose 3 orders
      bi-mcp propose 3 orders_2026 --like 5
    """
    from bi_mcp.cli.actions.dataset import print_proposal

    print_proposal(**options)


@click.command(short_help="Show the first rows of a dataset.")
@click.argument("dataset", type=click.IntRange(1))
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True)
@result_options
def preview(**options: Any) -> None:
    r"""Show the first rows of a DATASET (its id) as Bitrix24 would get them.

    \b
    Examples:
      bi-mcp preview 5
      bi-mcp preview 5 --limit 50 --json
    """
    from bi_mcp.cli.actions.preview import print_preview

    print_preview(**options)


@click.command(short_help="Show what is in a dataset's columns, and a first chart.")
@click.argument("dataset")
@click.option(
    "--svg",
    "svg_file",
    type=click.File("w", encoding="utf-8", lazy=True, atomic=True),
    help="Write an SVG to this file.",
)
@result_options
def profile(dataset: str, svg_file: IO[str] | None, *, as_json: bool, **options: Any) -> None:
    r"""Show a DATASET (its id or name) as a chart would use it: of each column how much is empty, how many values differ,
    how they spread, and a first chart. Counts at most the first 1,000 rows.

    \b
    Examples:
      bi-mcp profile 5
      bi-mcp profile flights --svg flights.svg
      bi-mcp profile 5 --json
    """
    if svg_file is not None and as_json:
        raise click.UsageError(say("--svg and --json exclude each other. Choose one."))
    from bi_mcp.cli.actions.dataset_profile import print_profile

    print_profile(dataset, svg_file, as_json=as_json, **options)


@click.command(short_help="Find out what is broken in a dataset or a whole portal.")
@click.argument("dataset", required=False)
@click.option("--all", "whole", is_flag=True, help="Diagnose all datasets of the portal.")
@click.option("--source", type=click.IntRange(1), help="With --all: only the datasets of this source.")
@result_options
def diagnose(dataset: str | None, *, whole: bool, source: int | None, **options: Any) -> None:
    r"""Compare a DATASET (its id or name), or all of them, with what their connectors answer. Exits with status 1 unless healthy.

    \b
    Examples:
      bi-mcp diagnose 5
      bi-mcp diagnose flights
      bi-mcp diagnose --all --json
    """
    if whole == (dataset is not None):
        raise click.UsageError(say("Name one dataset, or pass --all."))
    if source is not None and not whole:
        raise click.UsageError(say("--source goes with --all. Add --all, or leave --source out."))
    if dataset is None:
        from bi_mcp.cli.actions.portal_diagnosis import diagnose_all

        diagnose_all(source, **options)
    else:
        from bi_mcp.cli.actions.dataset import diagnose_and_print

        diagnose_and_print(dataset, **options)


@click.command(short_help="Check the portal and the credential.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option(
    "--profile", "profiles", multiple=True, help="Check this profile only; may be given several times."
)
def doctor(as_json: bool, profiles: tuple[str, ...]) -> None:
    r"""Show each portal, what the credential may do there, and what is wrong.

    Does not change anything. Exits with status 1 if something is wrong.

    \b
    Examples:
      bi-mcp doctor
      BI_MCP_PORTAL_URL=https://portal.example BI_MCP_ACCESS_TOKEN=... bi-mcp doctor --json
    """
    from bi_mcp.cli.actions.doctor import print_status

    print_status(profiles, as_json=as_json)


@click.command("map", short_help="Show all connectors, sources and datasets with their health.")
@click.option(
    "--svg",
    "svg_file",
    type=click.File("w", encoding="utf-8", lazy=True, atomic=True),
    help="Write an SVG to this file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the map as JSON.")
@click.option("--mermaid", is_flag=True, help="Print the map as Mermaid text.")
@click.option("--diagnose", is_flag=True, help="Call the endpoints too, and check every dataset.")
@profile_option
def map_portal(svg_file: IO[str] | None, *, as_json: bool, mermaid: bool, **options: Any) -> None:
    r"""Show all connectors, sources and datasets as a tree, with what is wrong with each. Does not change anything.

    Endpoints are called only with --diagnose; without it an object without a fault is "not checked".

    \b
    Examples:
      bi-mcp map
      bi-mcp map --diagnose
      bi-mcp map --svg portal.svg
      bi-mcp map --mermaid > portal.mmd
      bi-mcp map --json
    """
    if (svg_file is not None) + mermaid + as_json > 1:
        raise click.UsageError(say("--svg, --mermaid and --json exclude each other. Choose one."))
    from bi_mcp.cli.actions.map import print_map

    print_map(svg_file, as_json=as_json, mermaid=mermaid, **options)
