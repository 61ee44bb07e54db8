"""World of a task: practice portals and connector services on ports, and a home with settings and stored secrets."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mcp import Client
from starlette.applications import Starlette
from starlette.types import ASGIApp

from bi_mcp.auth.login import keep
from bi_mcp.auth.profiles import Profile
from bi_mcp.auth.token import Application, Grant, parse_token
from bi_mcp.base.language import Language
from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings, read_settings
from bi_mcp.practice.portal import create_app
from bi_mcp.practice.portal.chart_question import parse_question
from bi_mcp.practice.portal.charts import Chart
from bi_mcp.practice.portal.identity import FIXED_USER
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.models import ConnectorFields, DatasetFields, SourceFields
from bi_mcp.rest.transport import HttpTransport
from bi_mcp.server.build import build_server
from bi_mcp.vault.named_secrets import NamedSecrets
from evals.service import LOGIN, PARAMETERS, ConnectorService
from tests.practice.portal.serving import served

LOGO = "data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'/%3E"


@dataclass
class PracticePortal:
    """A practice portal on a port, and a client of its REST API that belongs to the world and not to the assistant."""

    address: str
    app: Starlette
    bi: BIConnector
    ids: dict[str, int] = field(default_factory=dict)

    async def connect(self, title: str, service: ConnectorService, **fields: Any) -> int:
        """Add a connector to a service."""
        parameters = {"title": title, "logo": LOGO, "settings": list(PARAMETERS), **service.urls, **fields}
        self.ids[title] = await self.bi.connectors.add(ConnectorFields.model_validate(parameters))
        return self.ids[title]

    async def add_source(self, title: str, connector: str, service: ConnectorService) -> int:
        """Add a source with the service's present password."""
        settings = {"login": LOGIN, "password": service.password}
        fields = {"title": title, "connectorId": self.ids[connector], "settings": settings}
        self.ids[title] = await self.bi.sources.add(SourceFields.model_validate(fields))
        return self.ids[title]

    async def add_dataset(self, name: str, source: str, table: str, columns: str) -> int:
        """Add a dataset; `columns` are `NAME code type`, separated by commas."""
        parts = [column.split() for column in columns.split(",")]
        fields = {
            "name": name,
            "sourceId": self.ids[source],
            "externalCode": table,
            "externalName": table,
            "fields": [{"name": one, "externalCode": code, "type": kind} for one, code, kind in parts],
        }
        self.ids[name] = await self.bi.datasets.add(DatasetFields.model_validate(fields))
        return self.ids[name]

    async def chart(self, dataset: int | str, **question: Any) -> Chart:
        """Open a chart, as a user of BI Builder would."""
        chart: Chart = await self.app.state.charts.open(parse_question({"dataset": dataset, **question}))
        return chart

    def execute(self, statement: str, *values: object) -> None:
        """Change the portal's own database, for what the REST API has no method."""
        with self.app.state.database.transaction() as connection:
            connection.execute(statement, values)


@dataclass
class World:
    """Everything that there is outside the assistant. `environment` is what the user gave the server; `secrets` nobody may see."""

    folder: Path
    stack: AsyncExitStack
    language: Language = "en"
    portals: dict[str, PracticePortal] = field(default_factory=dict)
    services: dict[str, ConnectorService] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def portal(self) -> PracticePortal:
        """The portal that the task is about, or the first of several."""
        return next(iter(self.portals.values()))

    @property
    def configuration(self) -> Path:
        """The folder of profiles, stored secrets and history."""
        return self.folder / "configuration"

    def server_environment(self) -> dict[str, str]:
        """The environment in which a client starts the server."""
        return {
            "PATH": os.defpath,
            "HOME": str(self.folder),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "BI_MCP_CONFIG_DIR": str(self.configuration),
            "BI_MCP_LIMITS": "off",
            "BI_MCP_LANGUAGE": self.language,
            **self.environment,
        }

    async def open_portal(self, name: str = "portal") -> PracticePortal:
        """Serve a portal to which the user has logged in, with a profile of this name."""
        app = create_app(LocalPortalSettings())
        address = f"http://{await self.stack.enter_async_context(served(app))}"
        card = app.state.tokens.register("bi-mcp", "http://127.0.0.1:8776/")
        application = Application(card.client_id, Secret(card.client_secret), address)
        profile = Profile(
            name=name,
            portal_url=address,
            client_id=card.client_id,
            oauth_server=address,
            # The services of a world are on this machine.
            allow_private_addresses=True,
        )
        token = parse_token(app.state.tokens.issue(card, FIXED_USER), time.time())
        await keep(self.configuration, profile, Grant(application, token))
        bi = BIConnector(HttpTransport(address, AccessToken(token.access_token)))
        portal = PracticePortal(address, app, bi)
        self.stack.push_async_callback(portal.bi.aclose)
        self.portals[name] = portal
        return portal

    async def open_service(
        self, name: str, tables: Mapping[str, str], *, password: str = "", culture: str = "ru"
    ) -> ConnectorService:
        """Serve tables, CSV by name, behind a password of their own."""
        service = ConnectorService(
            self.folder / "services" / name, password or f"{name}-{secrets.token_hex(6)}", culture
        )
        service.write_tables(tables)
        service.address = await self.open_app(name, service)
        self.services[name] = service
        return service

    async def open_app(self, name: str, app: ASGIApp) -> str:
        """Serve any application and return its address."""
        self.addresses[name] = f"http://{await self.stack.enter_async_context(served(app))}"
        return self.addresses[name]

    def store_secret(self, name: str, value: str, *addresses: str) -> None:
        """Store a secret as the user does with the command, bound to the hosts of these addresses."""
        hosts = [address.removeprefix("http://") for address in addresses]
        NamedSecrets(self.configuration).store(name, Secret(value), hosts, keeper="file")
        self.secrets[name] = value

    @asynccontextmanager
    async def colleague(self) -> AsyncIterator[Client]:
        """A colleague who works with the same server and history."""
        environment = {**self.server_environment(), "BI_MCP_CONFIRM": "off"}
        async with Client(build_server(read_settings(environment))) as client:
            yield client


Build = Callable[[World], Awaitable[None]]


@asynccontextmanager
async def open_world(
    build: Build, language: Language = "en", settings: Mapping[str, str] | None = None
) -> AsyncIterator[World]:
    """Build a world and take it down afterwards."""
    with TemporaryDirectory(prefix="bi-mcp-evals-") as folder:
        async with AsyncExitStack() as stack:
            world = World(Path(folder), stack, language)
            await build(world)
            world.environment |= settings or {}
            yield world


def server_command() -> Sequence[str]:
    """Return the command that starts the server of this checkout."""
    return (sys.executable, "-m", "bi_mcp")
