"""The command line: parses and prints, decides nothing."""

from __future__ import annotations

import gc
import logging
import signal
import sys

import click

from bi_mcp import __version__
from bi_mcp.errors import BiMcpError

CONTEXT = {"help_option_names": ["-h", "--help"]}


class Commands(click.Group):
    """Shows errors raised on purpose as one message instead of a stack trace."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BiMcpError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=Commands, invoke_without_command=True, context_settings=CONTEXT)
@click.version_option(__version__, prog_name="bi-mcp")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Configure Bitrix24 BI connections from an assistant.

    Without a command bi-mcp is an MCP server on standard input and output, as Claude Code, Cursor and other
    clients start it. Without a configured portal it works on an embedded practice portal.
    """
    if ctx.invoked_subcommand is not None:
        return
    if sys.stdin.isatty():
        # A person typed it: waiting silently for JSON would look like a hang.
        click.echo(ctx.get_help())
        return
    ctx.invoke(serve)


@main.command(short_help="Run the MCP server.")
@click.option(
    "--http", is_flag=True, help="Serve streamable HTTP on loopback instead of standard input and output."
)
@click.option("--port", default=8765, show_default=True, help="Port of --http.")
@click.option(
    "--show-settings", metavar="CODES", help="Codes of source settings whose values may be shown: host,login"
)
@click.option(
    "--secrets-dir", type=click.Path(file_okay=False), help='Folder for {"file": "name"} references.'
)
@click.option(
    "--allow-literal-secrets", is_flag=True, help="Accept passwords and tokens as plain text in tool calls."
)
def serve(
    http: bool = False,
    port: int = 8765,
    show_settings: str | None = None,
    secrets_dir: str | None = None,
    allow_literal_secrets: bool = False,
) -> None:
    """Run the MCP server, on standard input and output or, with --http, on http://127.0.0.1:PORT/mcp.

    The portal comes from BI_MCP_PORTAL_URL and BI_MCP_ACCESS_TOKEN (or BI_MCP_WEBHOOK, for the *.fields methods
    only). With none of them set the server uses the embedded practice portal.
    """
    # A client waits for this with every chat: collecting garbage while modules load takes a tenth of the start.
    gc.disable()
    from bi_mcp.config import read_settings, with_options
    from bi_mcp.server import build_server

    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    settings = with_options(read_settings(), show_settings, secrets_dir, allow_literal_secrets)
    server = build_server(settings)
    gc.enable()
    gc.freeze()
    if http:
        click.echo(f"bi-mcp serves MCP on http://127.0.0.1:{port}/mcp (Ctrl-C stops it)", err=True)
        server.run("streamable-http", host="127.0.0.1", port=port)
        return
    # The SDK waits for the end of input even after Ctrl-C; a person in a terminal wants out at once.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    server.run("stdio")


@main.command(short_help="See the main job run, step by step.")
def demo() -> None:
    """Run the main job from end to end: a real MCP client onboards real data on a practice portal of its own.

    Touches nothing of yours. Ends with status 0 only if every step did what it should.
    """
    from bi_mcp.demo import main as tell

    tell()


@main.command(short_help="Run the local practice portal on a port.")
@click.option("--port", default=8770, show_default=True)
def portal(port: int) -> None:
    """Run the local portal, an imitation of Bitrix24's BIconnector REST API, on http://127.0.0.1:PORT/rest/.

    The BI_MCP_PORTAL_* variables say how it behaves: _DB, _GENERATION (classic, tables), _ERRORS (result, root),
    _LIMITS (off, standard, enterprise), _ACCESS_TOKEN, _WEBHOOK (USER/SECRET), _FAULTS (on, off).
    """
    from bi_mcp.embedded import serve_portal

    serve_portal(port, announce=click.echo)


@main.command(short_help="Run the sample connector on a port.")
@click.option(
    "--data",
    type=click.Path(exists=True),
    help="A CSV file, a folder of them, or a SQLite file. Default: the shipped data.",
)
@click.option("--port", default=8771, show_default=True)
@click.option("--login", default="demo", show_default=True, help="Login that `connection` must carry.")
def sample(data: str | None, port: int, login: str) -> None:
    """Run the sample connector: the four endpoints that Bitrix24 calls, over the shipped data or your own.

    The password is what BI_MCP_SAMPLE_PASSWORD says. Without it the shipped data, which is public, has
    demo-password; your own data gets a password made for this run, which is printed.
    """
    from bi_mcp.embedded import serve_sample

    serve_sample(port, data, login, announce=click.echo)
