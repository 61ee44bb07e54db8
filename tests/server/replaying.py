"""Replays a prompt: its text names the tools line by line, and a script plays each line through a real MCP client.

The portal, its login and the external systems are real processes of HTTP: a local portal, and sample connectors over CSV files.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar

import pytest
from mcp import Client
from mcp.types import TextContent
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bi_mcp.auth.profiles import Profile, change_profiles
from bi_mcp.auth.store import FileTokenStore
from bi_mcp.auth.token import Application, Grant, Token
from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings, Settings
from bi_mcp.practice import sample
from bi_mcp.practice.portal import create_app
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.models import ConnectorFields, DatasetFields, NewColumn, Parameter, SourceFields
from bi_mcp.rest.transport import HttpTransport
from bi_mcp.server.build import build_server
from bi_mcp.server.tools import TOOLS
from bi_mcp.vault.destinations import destination
from bi_mcp.vault.named_secrets import NamedSecrets
from tests.practice.portal.serving import served
from tests.server.talking import LOGIN, PARAMETERS, text_of

TOKEN = Secret("token-of-the-tests")
OLD, NEW, WRONG = "old-canary", "new-canary", "wrong-canary"
ORDERS = "id,customer,total,paid_on\n1,Ann,10.5,2025-12-30\n2,Bob,7.25,2025-12-31\n"
WITHOUT_TOTAL = "id,customer,paid_on\n1,Ann,2025-12-30\n2,Bob,2025-12-31\n"
COLUMNS = {"ID": "int", "CUSTOMER": "string", "TOTAL": "double", "PAID_ON": "date"}
NEVER = 4e9
# Also those that a read-only server does not offer.
ALL_TOOLS = frozenset(tool.name for tool in TOOLS)


@dataclass
class Shop:
    """An external system: tables that may change and a password that may be replaced, behind the sample connector."""

    folder: Path
    address: str = ""
    app: ASGIApp | None = None
    # Every second answer to a question for data fails while it is set.
    is_flaky: bool = False
    _asked: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        self._asked += scope["path"] == sample.ENDPOINTS["urlData"]
        if self.is_flaky and scope["path"] == sample.ENDPOINTS["urlData"] and self._asked % 2:
            await Response("overloaded", 503)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def holds(self, password: str, **tables: str) -> None:
        """From now on it takes this password and holds these tables."""
        self.folder.mkdir(exist_ok=True)
        for file in self.folder.iterdir():
            file.unlink()
        for name, rows in (tables or {"orders": ORDERS}).items():
            (self.folder / f"{name}.csv").write_text(rows, encoding="utf-8")
        self.app = sample.create_app(self.folder, login=LOGIN, password=Secret(password))

    @property
    def urls(self) -> dict[str, str]:
        return {endpoint: f"http://{self.address}{path}" for endpoint, path in sample.ENDPOINTS.items()}


@dataclass
class World:
    """A portal, two external systems, and the user's folder. `behind` reaches the portal past the server."""

    folder: Path
    portal_url: str
    shop: Shop
    other: Shop
    behind: BIConnector

    async def connector(self, shop: Shop) -> int:
        return await self.behind.connectors.add(
            ConnectorFields.model_validate(
                {"title": "Shop", "logo": "data:image/png;base64,", "settings": _parameters()}
                | {name: shop.urls[name] for name in sample.ENDPOINTS}
            )
        )

    async def source(self, shop: Shop | None = None, title: str = "Shop") -> int:
        """A source of a system that takes the old password."""
        settings = {"login": Secret(LOGIN), "password": Secret(OLD)}
        connector = await self.connector(shop or self.shop)
        return await self.behind.sources.add(
            SourceFields(title=title, connector_id=connector, settings=settings)
        )

    async def dataset(self, source: int, name: str = "orders") -> int:
        columns = [
            NewColumn.model_validate({"name": name, "externalCode": name.lower(), "type": type})
            for name, type in COLUMNS.items()
        ]
        return await self.behind.datasets.add(
            DatasetFields(
                name=name, source_id=source, external_code="orders", external_name="Orders", fields=columns
            )
        )

    async def columns(self, dataset: int) -> dict[str, bool | None]:
        """Its columns by name, with whether each can be seen."""
        found = (await self.behind.datasets.get(dataset)).fields or []
        return {column.name or "": column.visible for column in found}

    async def column(self, dataset: int, name: str) -> int:
        found = (await self.behind.datasets.get(dataset)).fields or []
        return next(column.id for column in found if column.name == name)

    async def password(self, source: int) -> str:
        """What the portal holds."""
        settings = (await self.behind.sources.get(source)).settings or []
        return next(setting.value.reveal() for setting in settings if setting.code == "password")

    async def everything(self) -> str:
        """All that the portal holds, for comparison."""
        snapshot = await self.behind.snapshot()
        return repr([snapshot.connectors, snapshot.sources, snapshot.datasets])

    def store(self, name: str, value: str) -> None:
        """What the person does with `bi-mcp secret set`."""
        hosts = list({destination(url) for shop in (self.shop, self.other) for url in shop.urls.values()})
        NamedSecrets(self.folder).store(name, Secret(value), hosts, "file")

    async def log_in(self, *, token: Secret = TOKEN, locked: bool = False) -> None:
        """What the person does with `bi-mcp login` and `bi-mcp profiles lock`."""
        profile = Profile(
            name="shop", portal_url=self.portal_url, read_only=locked, allow_private_addresses=True
        )
        change_profiles(self.folder, lambda known: known.with_profile(profile))
        application = Application("local.tests", Secret("-"), self.portal_url)
        grant = Grant(application, Token(token, Secret("-"), expires_at=NEVER))
        await FileTokenStore(self.folder).save("shop", grant)


@asynccontextmanager
async def a_world(folder: Path) -> AsyncIterator[World]:
    shop, other = Shop(folder / "shop"), Shop(folder / "other")
    app = create_app(LocalPortalSettings(access_token=TOKEN))
    async with served(app) as portal, served(shop) as shop.address, served(other) as other.address:
        url = f"http://{portal}"
        shop.holds(OLD)
        other.holds(OLD)
        async with BIConnector(HttpTransport(url, AccessToken(TOKEN))) as behind:
            yield World(folder, url, shop, other, behind)


class LineEndedError(Exception):
    """A line of a prompt was not played to its end: a call was refused, or the person wants no more."""


@dataclass
class Script:
    """Plays a prompt's lines: method `step_3` plays step 3, `step_3b` its second *If*, with what earlier ones answered.

    `said` is all that the model saw, `refusal` why the last line ended early.
    """

    prompt: ClassVar[str]
    routes: ClassVar[list[str]]

    world: World
    client: Client
    said: str = ""
    refusal: str = ""
    meanwhile: dict[str, Callable[[], Awaitable[object]]] = field(default_factory=dict)
    _called: list[str] = field(default_factory=list)

    def __init_subclass__(cls) -> None:
        cls.routes = []

    @classmethod
    def route(cls, route: str) -> pytest.MarkDecorator:
        """Mark a test that walks this route, so that one can tell whether every line is walked."""
        cls.routes.append(route)
        return pytest.mark.parametrize("route", [route])

    @classmethod
    def walked(cls) -> set[str]:
        """The lines of all routes."""
        return {stop.key for route in cls.routes for stop in _stops(route)}

    async def lines_with_tools(self) -> set[str]:
        return {key for key, tools in (await self.lines()).items() if tools}

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool as the line's next one. Raises `LineEndedError` with the text of a refusal."""
        self._called.append(tool)
        result = await self.client.call_tool(tool, arguments)
        self.said += f"{text_of(result)}\n{result.structured_content}\n"
        if result.is_error:
            raise LineEndedError(text_of(result))
        assert result.structured_content is not None
        return dict(result.structured_content)

    async def walk(self, route: str) -> None:
        """Play lines such as `1 2a >4 5!` and compare the tools that each called with those that it names.

        `!`: the line ends early. `>`: the text says to go there. Otherwise steps follow each other, and none is left out.
        What stands in `meanwhile` happens before its line is first played.
        """
        lines = await self.lines()
        steps = [key for key, named in lines.items() if named and key.isdigit()]
        _check_order(route, steps)
        for stop in _stops(route):
            if stop.key in self.meanwhile:
                await self.meanwhile.pop(stop.key)()
            await self._play(stop, lines[stop.key])

    async def lines(self) -> dict[str, list[str]]:
        """The tools that each line names, in both languages alike."""
        english, russian = [parse_lines(await self._text(language), ALL_TOOLS) for language in ("en", "ru")]
        assert english == russian
        return english

    async def _text(self, language: str) -> str:
        content = (await self.client.get_prompt(self.prompt, {"language": language})).messages[0].content
        assert isinstance(content, TextContent)
        return content.text

    async def _play(self, stop: Stop, named: list[str]) -> None:
        self._called = []
        play: Callable[[], Awaitable[None]] = getattr(self, f"step_{stop.key}")
        if not stop.early:
            await play()
            assert once(self._called) == named, f"line {stop.key}"
            return
        with pytest.raises(LineEndedError) as ended:
            await play()
        self.refusal = str(ended.value)
        assert self._called, f"line {stop.key} ended before its first call"
        assert once(self._called) == named[: len(once(self._called))], f"line {stop.key}"


@dataclass(frozen=True)
class Stop:
    key: str
    early: bool
    jump: bool


def _stops(route: str) -> Iterator[Stop]:
    for part in route.split():
        yield Stop(part.strip(">!"), early=part.endswith("!"), jump=part.startswith(">"))


def _check_order(route: str, steps: Sequence[str]) -> None:
    reached = -1
    for stop in _stops(route):
        place = steps.index(re.sub(r"\D", "", stop.key))
        assert stop.jump or place <= reached + 1, f"{route}: a step before {stop.key} is left out"
        reached = place


def parse_lines(text: str, tools: Collection[str]) -> dict[str, list[str]]:
    """`{"3": [...], "3a": [...]}`: the tools that each step, and each *If* below it, names in backticks, in their order."""
    lines, step, key = dict[str, str](), "", ""
    for line in text.splitlines():
        if begins := re.match(r"(\d+)\. ", line):
            step = key = begins[1]
        elif line.startswith("   - *"):
            key = f"{step}{chr(ord(key[-1]) + 1)}" if key != step else f"{step}a"
        elif not line.startswith("   "):
            key = ""
        lines[key] = lines.get(key, "") + line
    lines.pop("", None)
    named = {key: re.findall(r"`([^`]+)`", line) for key, line in lines.items()}
    return {key: once([name for name in names if name in tools]) for key, names in named.items()}


def troubles(report: dict[str, Any]) -> list[str]:
    """What a check or a diagnosis found, but for the address: the systems of the tests are on this machine."""
    found = [finding for finding in report["findings"] if finding["level"] in {"warning", "error"}]
    return [f"{finding['where']}: {finding['what']}" for finding in found if finding["where"] != "address"]


def once(tools: Sequence[str]) -> list[str]:
    """What is called several times in a row, for several objects, is named once."""
    return [tool for tool, _ in groupby(tools)]


def _parameters() -> list[Parameter]:
    return [Parameter.model_validate(parameter) for parameter in PARAMETERS]


@asynccontextmanager
async def served_by_bi_mcp(world: World, *, read_only: bool = False) -> AsyncIterator[Client]:
    """The newest protocol only: that tools and prompts speak the others, too, other tests show."""
    settings = Settings(
        configuration_folder=world.folder,
        profiles=("shop",),
        limits="off",
        history=False,
        read_only=read_only,
    )
    async with Client(build_server(settings)) as client:
        yield client
