"""`bi-mcp demo`, `portal`, `sample` and `chart`: everything for trying bi-mcp out."""

from __future__ import annotations

from typing import Any

import click

from bi_mcp.cli.options import profile_option
from bi_mcp.config import CULTURES, Culture


@click.command(short_help="Watch the main job, step by step.")
def demo() -> None:
    r"""Run the main job from end to end: a real MCP client onboards real data on a practice portal of its own.

    Does not touch anything of yours. Exits with status 0 only if every step succeeded.

    \b
    Example:
      bi-mcp demo
    """
    from bi_mcp.practice.demo import run_demo

    run_demo()


@click.command(short_help="Run the practice portal on a port.")
@click.option("--port", default=8770, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--culture",
    type=click.Choice(CULTURES),
    help="How charts write dates to connectors. Default: BI_MCP_PORTAL_CULTURE, or ru (31.12.2025).",
)
@click.option(
    "--user",
    "users",
    metavar="ID:NAME[:RIGHTS]",
    multiple=True,
    help="A user of the portal; may be given several times. Default: BI_MCP_PORTAL_USERS, or one administrator.",
)
@click.option(
    "--sign-in",
    metavar="[ADDRESS]",
    is_flag=False,
    flag_value="http://127.0.0.1:8765/sign-in/return",
    help="Register an application for `bi-mcp serve --http --sign-in`, and print how to start that. ADDRESS is its handler address.",
)
def portal(port: int, culture: Culture | None, users: tuple[str, ...], sign_in: str | None) -> None:
    r"""Run the practice portal, an imitation of Bitrix24's BIconnector REST API, on http://127.0.0.1:PORT/rest/.

    The BI_MCP_PORTAL_* variables say how it behaves: _DB, _GENERATION (classic, tables), _ERRORS (result, root),
    _LIMITS (off, standard, enterprise), _ACCESS_TOKEN, _WEBHOOK (USER/SECRET), _FAULTS (on, off), _CULTURE (ru, en,
    en-gb, de, iso), _USERS, _APPLICATION (ID:SECRET). POST /practice/charts opens a chart, as `bi-mcp chart` does.

    RIGHTS of a user: admin, read (changes nothing), own (sees only what they created), joined by +. The ids of their
    departments may follow after a colon.

    \b
    Examples:
      bi-mcp portal
      bi-mcp portal --user "1:Ivan Orlov:admin" --user "7:Anna Petrova:read" --sign-in
      BI_MCP_PORTAL_GENERATION=classic BI_MCP_PORTAL_LIMITS=standard bi-mcp portal --port 8080
    """
    from bi_mcp.cli.actions.practice import run_portal

    run_portal(port, culture, users, sign_in)


@click.command(short_help="Run the sample connector on a port.")
@click.option(
    "--data",
    type=click.Path(exists=True),
    help="A CSV file, a folder of them, or a SQLite file. Default: the shipped data.",
)
@click.option("--port", default=8771, show_default=True, type=click.IntRange(0, 65535))
@click.option("--login", default="demo", show_default=True, help="Login that `connection` must contain.")
@click.option(
    "--culture",
    metavar="ru|en|en-gb|de|iso",
    help="Culture of the portal: how 01/02/2025 in a filter is read. Default: BI_MCP_SAMPLE_CULTURE.",
)
def sample(**options: Any) -> None:
    r"""Run the sample connector: the four endpoints that Bitrix24 calls, over the shipped data or your own.

    The password is what BI_MCP_SAMPLE_PASSWORD says. Without it the shipped data, which is public, has
    demo-password; your own data gets a password made for this run, which is printed.

    \b
    Examples:
      bi-mcp sample
      bi-mcp sample --data sales.csv --login bi
    """
    from bi_mcp.cli.actions.practice import run_sample

    run_sample(**options)


@click.command(short_help="Open a chart on the practice portal.")
@click.argument("dataset")
@click.option(
    "--column", "columns", multiple=True, help="Show this column; may be given several times. Default: all."
)
@click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), help="First day of a date range.")
@click.option("--to", "end", type=click.DateTime(["%Y-%m-%d"]), help="Last day of a date range.")
@click.option("--time-column", help="Column of the date range. Default: the first of type date or datetime.")
@click.option(
    "--where", "conditions", multiple=True, help="Condition; may be given several times: all must hold."
)
@click.option("--sum", "summed", help="Add up this column over the rows.")
@click.option("--limit", type=click.IntRange(1), help="Maximum number of rows.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the chart as JSON, with the request and the answer."
)
@profile_option
def chart(**options: Any) -> None:
    r"""Open a chart on a DATASET (its name or id) of the practice portal: the rows that BI Builder would show.

    The connector is asked as Bitrix24 asks when a chart is opened. If the chart stays empty, the command prints the
    reason, which Bitrix24 does not show, and exits with status 1.

    \b
    Conditions: CARRIER = UA, AA      CARRIER != UA             DELAY between 1 and 5
                DELAY >= 60           CARRIER contains U        TAIL_NUMBER is empty
    with `not` (DELAY not between 1 and 5, TAIL_NUMBER is not empty) and with `or` (DELAY > 60 or CARRIER = UA).

    \b
    Examples:
      bi-mcp chart flights --from 2013-01-01 --to 2013-01-02
      bi-mcp chart flights --where "CARRIER = UA, AA" --where "DELAY > 60" --sum DELAY
    """
    from bi_mcp.cli.actions.chart import show_chart

    show_chart(**options)
