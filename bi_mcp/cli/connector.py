"""`bi-mcp connector`: a connector of one's own over databases and files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bi_mcp.base.logs import LOG_FORMATS, LOG_LEVELS, LogFormat, LogLevel, write_logs
from bi_mcp.cli.options import add_options
from bi_mcp.config import CULTURES, log_settings


def _read_address(context: click.Context, parameter: click.Parameter, url: str | None) -> str | None:
    from bi_mcp.cli.actions.connector_address import read_address

    return read_address(context, parameter, url)


_what_is_served = add_options(
    click.option(
        "--source",
        "sources",
        metavar="NAME=ADDRESS",
        multiple=True,
        help="Database (postgresql://, mysql://, sqlite:///, …), file or folder to serve; may be given several times.",
    ),
    click.option(
        "--config",
        "file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="TOML file with sources, keys and limits. Options overrule it.",
    ),
    click.option("--schema", "schemas", multiple=True, help="Schema to serve; may be given several times."),
    click.option(
        "--table",
        "tables",
        multiple=True,
        help="Table to serve, by code; * stands for any text. May be given several times. Default: all.",
    ),
    click.option(
        "--culture",
        type=click.Choice(CULTURES),
        help="Culture of the portal and the files: how 01/02/2025 is read. Default: BI_MCP_CONNECTOR_CULTURE.",
    ),
    click.option(
        "--time-zone",
        metavar="ZONE",
        help="Zone into which moments with a zone are turned, such as Europe/Moscow. Default: UTC.",
    ),
    click.option("--encoding", help="Encoding of text files that do not tell theirs, such as cp1251."),
)

_who_may_ask = add_options(
    click.option(
        "--parametrised",
        metavar="KIND",
        help="Let the settings of sources name databases of this kind (postgresql, mysql, mariadb, mssql or oracle), on hosts of --allow-host.",
    ),
    click.option(
        "--allow-host",
        "allowed_hosts",
        metavar="HOST[:PORT]",
        multiple=True,
        help="Host that --parametrised may connect to, or *.domain; may be given several times.",
    ),
)

_how_it_listens = add_options(
    click.option("--host", help="Address to listen on. Default: 127.0.0.1."),
    click.option(
        "--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 is any free one. Default: 8772."
    ),
    click.option(
        "--public-url",
        metavar="URL",
        callback=_read_address,
        help="Address by which Bitrix24 reaches the connector, for what is printed.",
    ),
    click.option(
        "--tls-cert",
        "tls_certificate",
        type=click.Path(path_type=Path),
        help="Certificate with its chain, PEM.",
    ),
    click.option("--tls-key", type=click.Path(path_type=Path), help="Private key of the certificate, PEM."),
    click.option("--behind-proxy", is_flag=True, help="Take the address of callers from a proxy in front."),
    click.option(
        "--max-answers",
        type=click.IntRange(1),
        help="Answers at once; more are refused with status 503. Default: 16.",
    ),
    click.option(
        "--metrics",
        type=click.Choice(["local", "anyone", "off"]),
        help="Who may read /metrics: callers on this machine (default), anyone, nobody.",
    ),
    click.option(
        "--log-level", type=click.Choice(LOG_LEVELS), help="Minimum level of the logs on standard error."
    ),
    click.option(
        "--log-format", type=click.Choice(LOG_FORMATS), help="Plain lines, or one JSON object per line."
    ),
)


@click.group(short_help="Serve databases and files to Bitrix24.")
def connector() -> None:
    r"""Be the connector: serve the tables of databases and files at the four addresses that Bitrix24 asks.

    \b
    Example:
      bi-mcp connector serve --source shop=postgresql://bi@db.internal/shop
    """


@connector.command(short_help="Run the connector.")
@_what_is_served
@_who_may_ask
@_how_it_listens
def serve(*, log_level: LogLevel | None, log_format: LogFormat | None, **options: Any) -> None:
    r"""Serve databases and files to Bitrix24. Only reads; credentials of databases stay here.

    The settings of a source in Bitrix24 are `source`, the NAME, and `key`: what BI_MCP_CONNECTOR_KEY says, else a key that
    is made for this run and printed. The password of a source is what BI_MCP_CONNECTOR_PASSWORD_NAME says.

    \b
    Examples:
      bi-mcp connector serve --source shop=postgresql://bi@db.internal/shop
      bi-mcp connector serve --source sales=./exports --culture de --encoding cp1252
      bi-mcp connector serve --config connector.toml --host 0.0.0.0 --behind-proxy
    """
    from bi_mcp.cli.actions.connector_serve import serve_connector

    write_logs(*log_settings(log_format, log_level, default="info"))
    serve_connector(**options)


_which_runs = add_options(
    click.option(
        "--source-name",
        "names",
        metavar="NAME",
        multiple=True,
        help="Source of the connector that runs at --url, in place of --source; may be given several times.",
    ),
)


@connector.command(short_help="Ask everything that charts ask, of every table.")
@click.option(
    "--url",
    metavar="URL",
    callback=_read_address,
    help="Address of a connector that runs; without it nothing need run.",
)
@_which_runs
@_what_is_served
@click.option("--quick", is_flag=True, help="Leave out what charts ask: about 30 calls a table.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def check(**options: Any) -> None:
    r"""Ask a connector as Bitrix24 and its charts do, and show for each table what fails. Exits with status 1 if something is broken.

    Needs no portal. What --source or --config names is asked within this process; a connector that runs is asked with the key
    in BI_MCP_CONNECTOR_KEY.

    \b
    Examples:
      bi-mcp connector check --source shop=postgresql://bi@db.internal/shop
      bi-mcp connector check --source sales=./exports --table orders
      bi-mcp connector check --url https://bi.example.com --source-name shop
    """
    from bi_mcp.cli.actions.connector_address import refuse_both
    from bi_mcp.cli.actions.connector_check import check_tables

    refuse_both(options["url"], options["sources"], options["file"])
    check_tables(**options)


@connector.command(short_help="Write the setup file of a connector.")
@click.option(
    "--url",
    metavar="URL",
    required=True,
    callback=_read_address,
    help="Address by which Bitrix24 reaches the connector.",
)
@_which_runs
@_what_is_served
@click.option(
    "--secret",
    metavar="NAME",
    help="Refer to the access key as this stored secret. Default: the variable BI_MCP_SECRET_CONNECTOR_KEY.",
)
@click.option(
    "--title",
    help="Title of the connector in Bitrix24, by which it is known again. Only a second connector needs one.",
)
def setup(**options: Any) -> None:
    r"""Print a setup file: the connector at URL, its sources, and a dataset for each table, for `bi-mcp apply`.

    What is served is said by --source or --config, and the address need not answer yet; with --source-name the connector that
    runs there is asked, with the key in BI_MCP_CONNECTOR_KEY. Comments in the file say what was changed and left out. Where the
    address has changed, write the file again: applied, it updates the connector, and datasets stay.

    \b
    Examples:
      bi-mcp connector setup --url https://bi.example.com --source shop=postgresql://bi@db.internal/shop > bi.yaml
      bi-mcp connector setup --url https://bi.example.com --source-name shop --table orders > bi.yaml
      bi-mcp connector setup --url https://bi.example.com --config connector.toml --secret connector > bi.yaml
    """
    from bi_mcp.cli.actions.connector_setup import print_setup

    print_setup(**options)


@connector.command(short_help="Make an access key.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def key(as_json: bool) -> None:
    r"""Make an access key, and print it with its hash. It is kept nowhere: a configuration file holds the hash, Bitrix24 the key.

    \b
    Example:
      bi-mcp connector key
    """
    from bi_mcp.cli.actions.connector_key import print_key

    print_key(as_json=as_json)
