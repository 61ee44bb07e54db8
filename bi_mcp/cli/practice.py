"""`bi-mcp demo`, `portal` and `sample`: what there is to try things out with."""

from __future__ import annotations

import click

from bi_mcp.base.language import say
from bi_mcp.config import CULTURES, Culture


@click.command(short_help="See the main job run, step by step.")
def demo() -> None:
    r"""Run the main job from end to end: a real MCP client onboards real data on a practice portal of its own.

    Touches nothing of yours. Ends with status 0 only if every step did what it should.

    \b
    Example:
      bi-mcp demo
    """
    from bi_mcp.practice.demo import run_demo as tell

    tell()


@click.command(short_help="Run the local practice portal on a port.")
@click.option("--port", default=8770, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--culture",
    type=click.Choice(CULTURES),
    help="How charts write dates to connectors. Default: BI_MCP_PORTAL_CULTURE, or ru (31.12.2025).",
)
def portal(port: int, culture: Culture | None) -> None:
    r"""Run the local portal, an imitation of Bitrix24's BIconnector REST API, on http://127.0.0.1:PORT/rest/.

    The BI_MCP_PORTAL_* variables say how it behaves: _DB, _GENERATION (classic, tables), _ERRORS (result, root),
    _LIMITS (off, standard, enterprise), _ACCESS_TOKEN, _WEBHOOK (USER/SECRET), _FAULTS (on, off), _CULTURE (ru, en,
    en-gb, de, iso). POST /practice/charts opens a chart, as `bi-mcp chart` does.

    \b
    Examples:
      bi-mcp portal
      BI_MCP_PORTAL_GENERATION=classic BI_MCP_PORTAL_LIMITS=standard bi-mcp portal --port 8080
    """
    from bi_mcp.practice.run import serve_portal

    _check_port(port)
    serve_portal(port, announce=click.echo, culture=culture)


@click.command(short_help="Run the sample connector on a port.")
@click.option(
    "--data",
    type=click.Path(exists=True),
    help="A CSV file, a folder of them, or a SQLite file. Default: the shipped data.",
)
@click.option("--port", default=8771, show_default=True, type=click.IntRange(0, 65535))
@click.option("--login", default="demo", show_default=True, help="Login that `connection` must carry.")
@click.option(
    "--culture",
    metavar="ru|en|en-gb|de|iso",
    help="Culture of the portal: how 01/02/2025 in a filter is read. Default: BI_MCP_SAMPLE_CULTURE.",
)
def sample(data: str | None, port: int, login: str, culture: str | None) -> None:
    r"""Run the sample connector: the four endpoints that Bitrix24 calls, over the shipped data or your own.

    The password is what BI_MCP_SAMPLE_PASSWORD says. Without it the shipped data, which is public, has
    demo-password; your own data gets a password made for this run, which is printed.

    \b
    Examples:
      bi-mcp sample
      bi-mcp sample --data sales.csv --login bi
    """
    from bi_mcp.practice.run import serve_sample

    _check_port(port)
    serve_sample(port, data, login, announce=click.echo, culture=culture)


def _check_port(port: int) -> None:
    """Check the port before anything is announced: an address on which another program answers would be taken for ours."""
    import socket
    import sys

    with socket.socket() as trial:
        if sys.platform != "win32":
            # As the server does: a port that was just left is free.
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            raise click.ClickException(
                say(
                    "Port {port} of 127.0.0.1 cannot be used ({reason}). End the program that uses it, or choose another: --port {other}.",
                    port=port,
                    reason=error.strerror or type(error).__name__,
                    other=port + 10 if port < 65000 else 8780,
                )
            ) from None
