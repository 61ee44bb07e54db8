"""The action of `bi-mcp serve --http`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from bi_mcp.app.sign_in.portals import SignInPortal, read_address, require_usable
from bi_mcp.app.sign_in.portals_file import load_portals
from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret, hide_logins
from bi_mcp.config import Settings, SignInSettings, http_settings, sign_in_settings
from bi_mcp.errors import ConfigError
from bi_mcp.server.build import build_server
from bi_mcp.server.http.options import HttpOptions
from bi_mcp.server.http.serving import serve_http
from bi_mcp.server.http.sign_in_rules import require_fit_for_sign_in


def find_portals(portal: str | None, file: Path | None) -> tuple[SignInPortal, ...]:
    """Find the portals that people sign in to: the one of `--portal`, or those of the file. Raises `ConfigError`."""
    if (portal is None) == (file is None):
        raise ConfigError(
            say(
                "--sign-in needs the portal: --portal URL, or --portals FILE for several. Give one of the two."
            )
        )
    application = sign_in_settings()
    if file is not None:
        _require_no_own_list(application, file)
        return load_portals(file)
    assert portal is not None  # noqa: S101  one of the two is given
    missing = [
        name
        for name, value in (
            ("BI_MCP_SIGN_IN_CLIENT_ID", application.client_id),
            ("BI_MCP_SIGN_IN_CLIENT_SECRET", application.client_secret),
        )
        if not value
    ]
    if missing:
        raise ConfigError(
            say(
                "{missing}: not set. Register an application in {portal} with the handler address https://NAME/sign-in/return, where NAME is this server's public name, and the scope biconnector; then set its id and its secret.",
                missing=", ".join(missing),
                portal=hide_logins(read_address(portal)),
            )
        )
    found = SignInPortal(
        url=read_address(portal),
        client_id=application.client_id or "",
        client_secret=application.client_secret or Secret(""),
        users=application.users,
        departments=application.departments,
    )
    require_usable(found)
    return (found,)


def _require_no_own_list(application: SignInSettings, file: Path) -> None:
    """Raise `ConfigError` for lists of people in variables: each portal's users have ids of their own, so none would be restricted."""
    if application.users or application.departments:
        raise ConfigError(
            say(
                "BI_MCP_SIGN_IN_USERS and BI_MCP_SIGN_IN_DEPARTMENTS do not apply to --portals. Write users = […] or departments = […] below each portal in {file}, and leave the variables out.",
                file=file,
            )
        )


def run_http_server(settings: Settings, options: Mapping[str, Any], started: Callable[[], None]) -> None:
    """Serve over HTTP until a signal comes. `started` is called once the server listens."""
    http_options = HttpOptions(
        **options, settings=http_settings(), configuration_folder=settings.configuration_folder
    )

    def announce(address: str) -> None:
        started()
        click.echo(f"bi-mcp serves MCP on {address} (Ctrl-C stops it)", err=True)
        if http_options.portals:
            _announce_sign_in(http_options)

    if http_options.portals:
        require_fit_for_sign_in(settings, http_options)
    serve_http(
        lambda shared, sign_ins: build_server(settings, shared=shared, sign_ins=sign_ins),
        http_options,
        announce=announce,
    )


def _announce_sign_in(options: HttpOptions) -> None:
    """Say the two addresses that have to be written elsewhere, where nobody can sign in if a letter differs."""
    # Imported here: only such a server has pages.
    from bi_mcp.server.http.sign_in.pages import RETURN_PATH

    told = say(
        "People add {resource} to their clients. The application's handler address in the portal is {handler}",
        resource=options.resource,
        handler=f"{options.origin}{RETURN_PATH}",
    )
    click.echo(told, err=True)
