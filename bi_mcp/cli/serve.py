"""`bi-mcp serve`."""

from __future__ import annotations

import gc
import logging
import signal
import sys

import click


@click.command(short_help="Run the MCP server.")
@click.option(
    "--http", is_flag=True, help="Serve streamable HTTP on loopback instead of standard input and output."
)
@click.option("--port", default=8765, show_default=True, help="Port of --http.")
@click.option(
    "--profile", "profiles", multiple=True, help="Work with this profile only; may be given several times."
)
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
    profiles: tuple[str, ...] = (),
    show_settings: str | None = None,
    secrets_dir: str | None = None,
    allow_literal_secrets: bool = False,
) -> None:
    """Run the MCP server, on standard input and output or, with --http, on http://127.0.0.1:PORT/mcp.

    The portal comes from BI_MCP_PORTAL_URL and BI_MCP_ACCESS_TOKEN (or BI_MCP_WEBHOOK, for the *.fields methods
    only), else from the profiles that `bi-mcp login` made: all of them, or those of --profile or BI_MCP_PROFILE.
    With none of these the server uses the embedded practice portal; `--profile embedded` chooses it all the same.
    """
    # A client waits for this with every chat: collecting garbage while modules load takes a tenth of the start.
    gc.disable()
    from bi_mcp.config import read_settings, with_options
    from bi_mcp.server import build_server

    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    settings = with_options(read_settings(), show_settings, secrets_dir, allow_literal_secrets, profiles)
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
