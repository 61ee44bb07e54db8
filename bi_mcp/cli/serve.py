"""`bi-mcp serve`."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path
from types import FrameType
from typing import Any

import click

from bi_mcp.base.language import say, spoken
from bi_mcp.base.logs import LOG_FORMATS, LOG_LEVELS, LogFormat, LogLevel, write_logs
from bi_mcp.config import Settings, log_settings, read_settings

HTTP_OPTIONS = (
    "host",
    "port",
    "allowed_hosts",
    "allowed_origins",
    "tls_certificate",
    "tls_key",
    "behind_proxy",
    "max_request_bytes",
)


@click.command(short_help="Run the MCP server.")
@click.option("--http", is_flag=True, help="Serve streamable HTTP instead of standard input and output.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of --http to listen on.")
@click.option("--port", default=8765, show_default=True, help="Port of --http; 0 is any free one.")
@click.option(
    "--allow-host",
    "allowed_hosts",
    metavar="NAME[:PORT]",
    multiple=True,
    help="Name by which clients reach --http; may be given several times.",
)
@click.option(
    "--allow-origin",
    "allowed_origins",
    metavar="ORIGIN",
    multiple=True,
    help="Origin of another site whose pages may call --http, such as https://chat.example; may be given several times.",
)
@click.option(
    "--tls-cert",
    "tls_certificate",
    type=click.Path(path_type=Path),
    help="Certificate of --http with its chain, PEM.",
)
@click.option("--tls-key", type=click.Path(path_type=Path), help="Private key of the certificate, PEM.")
@click.option("--behind-proxy", is_flag=True, help="A proxy in front of --http ends TLS.")
@click.option(
    "--max-request-bytes", default=1024 * 1024, show_default=True, help="Largest request body of --http."
)
@click.option("--sign-in", is_flag=True, help="Let people sign in to --http with Bitrix24, each as themself.")
@click.option("--portal", metavar="URL", help="Portal of --sign-in, such as https://acme.bitrix24.com.")
@click.option(
    "--portals",
    type=click.Path(path_type=Path, dir_okay=False),
    help="TOML file with several portals of --sign-in instead, for agencies.",
)
@click.option(
    "--profile", "profiles", multiple=True, help="Work with this profile only; may be given several times."
)
@click.option(
    "--show-settings",
    metavar="CODES",
    help="Further codes of source settings whose values may be shown: region,tenant; none: not even host and login.",
)
@click.option(
    "--secrets-dir", type=click.Path(file_okay=False), help='Folder for {"file": "name"} references.'
)
@click.option(
    "--allow-literal-secrets", is_flag=True, help="Accept passwords and tokens as plain text in tool calls."
)
@click.option(
    "--confirm",
    type=click.Choice(["elicit", "token", "off"]),
    help="Before a delete: ask the user, preview and wait for its token, or (for scripts) do it at once.",
)
@click.option("--read-only", is_flag=True, help="Offer no tool that changes anything.")
@click.option(
    "--toolsets",
    metavar="NAMES",
    help="Groups of tools to offer, of connectors,sources,datasets,diagnostics,workspace,tables, or compact. Default: all but tables.",
)
@click.option(
    "--workspace", type=click.Path(file_okay=False), help="Folder whose setup files a model may read."
)
@click.option(
    "--log-level", type=click.Choice(LOG_LEVELS), help="Minimum level of the logs on standard error."
)
@click.option(
    "--log-format", type=click.Choice(LOG_FORMATS), help="Plain lines, or one JSON object per line."
)
def serve(
    *,
    http: bool,
    sign_in: bool,
    portal: str | None,
    portals: Path | None,
    log_level: LogLevel | None,
    log_format: LogFormat | None,
    **options: Any,
) -> None:
    r"""Run the MCP server, on standard input and output or, with --http, on http://HOST:PORT/mcp.

    The portal comes from BI_MCP_PORTAL_URL and BI_MCP_ACCESS_TOKEN (or BI_MCP_WEBHOOK, for the *.fields methods
    only), else from the profiles that `bi-mcp login` made: all of them, or those of --profile or BI_MCP_PROFILE.
    Without any of these the server uses the practice portal; `--profile embedded` always chooses it.

    Beyond this machine --http needs BI_MCP_HTTP_TOKEN, or BI_MCP_HTTP_ISSUER and BI_MCP_HTTP_AUDIENCE, or --sign-in; --allow-host;
    and --tls-cert with --tls-key, or --behind-proxy.

    With --sign-in each person signs in with Bitrix24 and works with their own rights. It needs the application that you
    registered in the portal: BI_MCP_SIGN_IN_CLIENT_ID and BI_MCP_SIGN_IN_CLIENT_SECRET (or …_SECRET_FILE).

    \b
    Examples:
      bi-mcp serve --profile test --read-only
      bi-mcp serve --http
      BI_MCP_HTTP_TOKEN=... bi-mcp serve --http --host 0.0.0.0 --allow-host bi.acme.example --behind-proxy
      bi-mcp serve --http --sign-in --portal https://acme.bitrix24.com --host 0.0.0.0 --allow-host bi.acme.example --behind-proxy
    """
    # A client waits for this with every chat: collecting garbage while modules load takes a tenth of the start.
    gc.disable()
    write_logs(*log_settings(log_format, log_level))
    settings = read_settings(
        profiles=options["profiles"],
        BI_MCP_SHOW_SETTINGS=options["show_settings"],
        BI_MCP_SECRETS_DIR=options["secrets_dir"] or None,
        BI_MCP_ALLOW_LITERAL_SECRETS="on" if options["allow_literal_secrets"] else None,
        BI_MCP_CONFIRM=options["confirm"],
        BI_MCP_READ_ONLY="on" if options["read_only"] else None,
        BI_MCP_TOOLSETS=options["toolsets"],
        BI_MCP_WORKSPACE=options["workspace"] or None,
        BI_MCP_LANGUAGE=spoken(),
    )
    if sign_in and not http:
        raise click.UsageError(say("People sign in over HTTP only. Add --http."))
    if (portal or portals) and not sign_in:
        raise click.UsageError(say("--portal and --portals say where people sign in. Add --http --sign-in."))
    if not http:
        _serve_stdio(settings)
        return
    from bi_mcp.cli.actions.http_server import find_portals, run_http_server

    http_options = {name: options[name] for name in HTTP_OPTIONS}
    http_options["portals"] = find_portals(portal, portals) if sign_in else ()
    run_http_server(settings, http_options, started=_collect_garbage_in_short_turns)


def _serve_stdio(settings: Settings) -> None:
    # The SDK waits for the end of input even after Ctrl-C; a person in a terminal wants out at once.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end_at_once)
    from bi_mcp.server.build import build_server
    from bi_mcp.server.stdio import serve_standard_streams

    server = build_server(settings)
    _collect_garbage_in_short_turns()
    serve_standard_streams(server)


def _collect_garbage_in_short_turns() -> None:
    """Leave out what lives as long as the server. All other objects are looked through ten times less often than usual:

    in the middle of a plan of 1,000 datasets that held up other calls for 60 ms.
    """
    gc.enable()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, 100)


def _end_at_once(number: int, _: FrameType | None) -> None:
    """End by the signal itself, as its sender expects. The first process of a container survives that and exits."""
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
    os._exit(128 + number)
