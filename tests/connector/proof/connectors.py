"""The connector as a service over a source, and a portal that knows it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp

from bi_mcp.base.secret import Secret
from bi_mcp.config import Culture, Generation, LocalPortalSettings
from bi_mcp.connector.access.access import Served
from bi_mcp.connector.access.keys import key_from
from bi_mcp.connector.access.named import NamedAccess
from bi_mcp.connector.app import build_service_app
from bi_mcp.connector.source import Source
from bi_mcp.endpoints.caller import EndpointCaller
from bi_mcp.practice.portal import create_app
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.models import ConnectorFields, Parameter, SourceFields
from bi_mcp.rest.transport import HttpTransport

KEY = "a-key-of-the-tests-that-is-long"
CONNECTION = {"source": "shop", "key": KEY}
ORIGIN = "http://shop.localhost"
TOKEN = "token-of-the-tests"


class Kept:
    """A source that outlives the services over it."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def close(self) -> None:
        """Do nothing: the test closes it."""


def serve(source: Source, culture: Culture | None = None) -> ASGIApp:
    """Build the service over one source."""
    kept: Any = Kept(source)
    key = key_from(Secret(KEY), "the test")
    app: ASGIApp = build_service_app(NamedAccess({"shop": Served("shop", kept, culture)}, [key]))
    return app


@dataclass
class ShopPortal:
    """A portal with a source on the connector."""

    app: Any
    bi: BIConnector
    caller: EndpointCaller
    source: int


@asynccontextmanager
async def shop_portal(
    connector: ASGIApp, generation: Generation = "tables", culture: Culture = "ru"
) -> AsyncIterator[ShopPortal]:
    settings = LocalPortalSettings(generation=generation, culture=culture, access_token=Secret(TOKEN))
    app = create_app(settings, connectors={ORIGIN: connector})
    transport = HttpTransport("http://localhost", AccessToken(Secret(TOKEN)), app=app)
    async with BIConnector(transport) as bi:
        added = await bi.connectors.add(
            ConnectorFields(
                title="Shop",
                logo="data:image/png;base64,",
                url_check=f"{ORIGIN}/check",
                url_table_list=f"{ORIGIN}/tables",
                url_table_description=f"{ORIGIN}/table",
                url_data=f"{ORIGIN}/data",
                settings=[Parameter(code=code, name=code, type="STRING") for code in CONNECTION],
            )
        )
        secrets = {code: Secret(value) for code, value in CONNECTION.items()}
        source = await bi.sources.add(SourceFields(title="Shop", connector_id=added, settings=secrets))
        yield ShopPortal(app, bi, EndpointCaller(culture=culture, apps={ORIGIN: connector}), source)
    app.state.database.close()
