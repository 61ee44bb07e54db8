"""The practice portal together with the sample connector: built, served, and with charts opened on it."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.config import embedded_portal_settings, sample_culture, sample_password
from bi_mcp.errors import ConfigError, InvalidRequestError
from bi_mcp.practice import sample
from bi_mcp.practice.portal import create_app
from bi_mcp.practice.portal.answers import ModuleFault
from bi_mcp.practice.portal.chart_question import parse_question

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.applications import Starlette

    from bi_mcp.config import Culture, LocalPortalSettings
    from bi_mcp.practice.portal.charts import Chart
    from bi_mcp.practice.portal.oauth import IssuedTokenStore, RegisteredApplication

# Of the application for signing in, unless the settings name another: it stays registered from one run to the next.
APPLICATION = "local.sign-in"
# Of `bi-mcp serve --http`.
_USUAL_PORT = 8765


def build_portal(settings: LocalPortalSettings) -> Starlette:
    """Build a practice portal that knows the sample connector. Both use the same culture."""
    return create_app(settings, connectors={sample.ORIGIN: sample.create_app(culture=settings.culture)})


async def open_chart(settings: LocalPortalSettings, question: Mapping[str, object]) -> Chart:
    """Open a chart on the practice portal, as its route `/practice/charts` does.

    Raises `InvalidRequestError` for a question that BI Builder could not ask.
    """
    portal = build_portal(settings)
    try:
        chart: Chart = await portal.state.charts.open(parse_question(question))
    except ModuleFault as fault:
        if fault.code == "DATASET_NOT_FOUND":
            raise InvalidRequestError(
                say(
                    "The practice portal has no dataset {dataset!r}. `bi-mcp map` shows what it has.",
                    dataset=question["dataset"],
                )
            ) from None
        raise InvalidRequestError(fault.message) from None
    finally:
        portal.state.database.close()
    return chart


def serve_portal(
    port: int,
    announce: Callable[[str], None],
    culture: Culture | None = None,
    *,
    users: Sequence[str] = (),
    sign_in: str | None = None,
) -> None:
    """Run the practice portal on a port of loopback until it is stopped. It knows the sample connector, too.

    `users` are added to those of the settings. `sign_in` is the handler address of an application that is registered for
    a server to which people sign in.
    """
    import uvicorn

    if sign_in is not None and urlsplit(sign_in).scheme not in {"http", "https"}:
        raise ConfigError(
            say(
                "The handler address of --sign-in is a whole address, such as {example}, not {address!r}.",
                example="https://bi.acme.example/sign-in/return",
                address=sign_in,
            )
        )
    settings = embedded_portal_settings()
    settings = replace(settings, culture=culture or settings.culture, users=(*settings.users, *users))
    token = settings.access_token or Secret(secrets.token_urlsafe())
    app = build_portal(replace(settings, access_token=token))
    announce(f"Practice portal ({settings.generation}) on http://127.0.0.1:{port}")
    if settings.access_token is None:
        # Issued for this run and worth nothing elsewhere; without it the portal just started could not be called.
        announce(f"BI_MCP_PORTAL_URL=http://127.0.0.1:{port} BI_MCP_ACCESS_TOKEN={token.reveal()}")
    if sign_in is not None:
        _announce_application(_registered(app, settings, sign_in), port, announce)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


def _registered(app: Starlette, settings: LocalPortalSettings, handler: str) -> RegisteredApplication:
    """Register the application, or move its handler: who was started with its secret goes on."""
    tokens: IssuedTokenStore = app.state.tokens
    given = settings.application.reveal() if settings.application else ""
    client_id, _, secret = (given or APPLICATION).partition(":")
    known = tokens.application(client_id)
    return tokens.register(
        "bi-mcp",
        handler,
        scope="biconnector,user_brief",
        client_id=client_id,
        client_secret=secret or (known.client_secret if known else None),
    )


def _announce_application(
    application: RegisteredApplication, port: int, announce: Callable[[str], None]
) -> None:
    announce(
        f"An application for signing in is registered; it returns to {application.handler}. Start a server with it:"
    )
    announce(
        f"BI_MCP_SIGN_IN_CLIENT_ID={application.client_id} BI_MCP_SIGN_IN_CLIENT_SECRET={application.client_secret}"
        f" bi-mcp serve --http --sign-in --portal http://127.0.0.1:{port}{_port_option(application.handler)}"
    )


def _port_option(handler: str) -> str:
    """The option for a server to which the application returns on this machine, if it is not the usual port."""
    parts = urlsplit(handler)
    local = parts.hostname in {"127.0.0.1", "localhost"}
    return f" --port {parts.port}" if local and parts.port not in {None, _USUAL_PORT} else ""


def serve_sample(
    port: int, data: str | None, login: str, announce: Callable[[str], None], culture: str | None = None
) -> None:
    """Run the sample connector on a port of loopback until it is stopped."""
    import uvicorn

    password = sample_password() or (Secret(secrets.token_urlsafe(12)) if data else None)
    app = sample.create_app(
        Path(data) if data else None, login=login, password=password, culture=culture or sample_culture()
    )
    announce(f"Sample connector on http://127.0.0.1:{port}")
    if password is None:
        announce(f"  login {login}, password {sample.DEMO_PASSWORD} (it protects public data)")
    elif sample_password() is None:
        # Made for this run; unless it is shown, the connector just started cannot be used.
        announce(
            f"  login {login}, password {password.reveal()} (made for this run; BI_MCP_SAMPLE_PASSWORD sets your own)"
        )
    for field, path in sample.ENDPOINTS.items():
        announce(f"  {field}: http://127.0.0.1:{port}{path}")
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
