"""Users with different rights: what each may do, and who the portal says they are."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from html import unescape
from typing import Any

import httpx
import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings, local_portal_settings
from bi_mcp.errors import ConfigError
from bi_mcp.practice.portal import create_app
from bi_mcp.practice.portal.oauth import RegisteredApplication
from bi_mcp.practice.portal.users import PortalUser, PortalUsers, parse_users
from tests.practice.portal.calling import (
    ORIGIN,
    TOKEN,
    Caller,
    Connector,
    add_connector,
    add_dataset,
    add_source,
    connector_fields,
    dataset_fields,
    source_fields,
)

pytestmark = pytest.mark.anyio

IVAN = PortalUser(id=1, name="Ivan", last_name="Orlov", administrator=True)
ANNA = PortalUser(id=7, name="Anna", last_name="Petrova", departments=(3, 5), may_change=False)
BORIS = PortalUser(id=8, name="Boris", sees_all=False)
USERS = (IVAN, ANNA, BORIS)
HANDLER = "http://127.0.0.1:8765/sign-in/return"


class People:
    """One application on a portal with three users, and a caller for each."""

    def __init__(self, http: httpx.AsyncClient, app: Any, scope: str = "biconnector,user_brief") -> None:
        self.http, self.app = http, app
        self.card: RegisteredApplication = app.state.tokens.register("bi-mcp", HANDLER, scope=scope)
        self.ivan, self.anna, self.boris = (self.caller(user.id) for user in USERS)

    def caller(self, user_id: int) -> Caller:
        return Caller(self.http, self.app.state.tokens.issue(self.card, user_id)["access_token"])


@pytest.fixture(params=["tables", "classic"])
async def people(request: pytest.FixtureRequest) -> AsyncIterator[People]:
    settings = LocalPortalSettings(generation=request.param, access_token=Secret(TOKEN))
    app = create_app(settings, connectors={ORIGIN: Connector()}, users=USERS)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.localhost/rest/") as http:
        yield People(http, app)


@asynccontextmanager
async def called(app: Any) -> AsyncIterator[Caller]:
    """Call with the fixed token."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.localhost/rest/") as http:
        yield Caller(http)


async def ids(caller: Caller, kind: str) -> list[int]:
    listed = await caller.result(f"biconnector.{kind}.list", select=["id"])
    # Sources of the classic generation are nested.
    return [int(item.get("connection", item)["id"]) for item in listed]


async def test_a_reader_sees_everything_and_changes_nothing(people: People) -> None:
    dataset = await add_dataset(people.boris)
    [source], [connector] = await ids(people.ivan, "source"), await ids(people.ivan, "connector")
    one: dict[str, object] = {"id": dataset}
    changes: Sequence[tuple[str, dict[str, object]]] = [
        ("connector.add", {"fields": connector_fields()}),
        ("connector.update", {"id": connector, "fields": {"title": "Taken"}}),
        ("connector.delete", {"id": connector}),
        ("source.add", {"fields": source_fields(connector)}),
        ("source.update", {"id": source, "fields": {"title": "Taken"}}),
        ("source.delete", {"id": source}),
        ("dataset.add", {"fields": dataset_fields(source, name="more")}),
        ("dataset.update", one | {"fields": {"description": "Taken"}}),
        ("dataset.fields.update", one),
        ("dataset.delete", one),
    ]
    before = await people.ivan.result("biconnector.dataset.get", id=dataset)
    for method, parameters in changes:
        assert await people.anna.code(f"biconnector.{method}", **parameters) == "ACCESS_DENIED", method
    assert await people.anna.result("biconnector.dataset.get", id=dataset) == before
    assert await people.anna.result("biconnector.dataset.fields") == await people.ivan.result(
        "biconnector.dataset.fields"
    )
    for kind in ("connector", "source", "dataset"):
        assert await ids(people.anna, kind) == await ids(people.boris, kind) != []


async def test_who_sees_only_their_own_finds_nothing_else(people: People) -> None:
    dataset = await add_dataset(people.ivan)
    [source], [connector] = await ids(people.ivan, "source"), await ids(people.ivan, "connector")
    for kind, id in (("connector", connector), ("source", source), ("dataset", dataset)):
        missing = f"{kind.upper()}_NOT_FOUND"
        assert await ids(people.boris, kind) == []
        assert await people.boris.code(f"biconnector.{kind}.get", id=id) == missing
        fields = {"description": "Taken"}
        assert await people.boris.code(f"biconnector.{kind}.update", id=id, fields=fields) == missing
    assert (
        await people.boris.code("biconnector.source.add", fields=source_fields(connector))
        == "CONNECTOR_NOT_FOUND"
    )
    assert (
        await people.boris.code("biconnector.dataset.add", fields=dataset_fields(source))
        == "SOURCE_NOT_FOUND"
    )
    assert await people.boris.code("biconnector.dataset.fields.update", id=dataset) == "DATASET_NOT_FOUND"
    own = await add_source(people.boris)
    assert await ids(people.boris, "source") == [own]
    assert set(await ids(people.ivan, "source")) == {source, own}
    mine = await people.boris.result("biconnector.source.get", id=own)
    assert int(mine["item"]["connection"]["createdById"]) == BORIS.id


async def test_rights_hold_in_a_batch_and_in_charts(people: People) -> None:
    dataset = await add_dataset(people.ivan)
    commands = {
        "seen": f"biconnector.dataset.get?id={dataset}",
        "changed": "biconnector.connector.delete?id=1",
        "who": "profile",
    }
    done = (await people.anna.result("batch", cmd=commands))["result"]
    assert int(done["seen"]["item"]["id"]) == dataset
    assert done["changed"]["error"]["error"] == "ACCESS_DENIED"
    assert done["who"]["ID"] == "7"
    done = (await people.boris.result("batch", cmd=commands))["result"]
    assert done["seen"]["error"]["error"] == "DATASET_NOT_FOUND"
    asked = {"auth": people.boris.token, "dataset": dataset}
    answer = await people.http.post("http://portal.localhost/practice/charts", json=asked)
    assert answer.json()["error"] == "DATASET_NOT_FOUND"


async def test_the_portal_says_who_asks(people: People) -> None:
    assert await people.anna.result("profile") == {
        "ID": "7",
        "ADMIN": False,
        "NAME": "Anna",
        "LAST_NAME": "Petrova",
    }
    assert (await people.ivan.result("profile"))["ADMIN"] is True
    assert (await people.anna.result("user.current"))["UF_DEPARTMENT"] == [3, 5]
    assert await people.anna.result("scope") == ["biconnector", "user_brief"]
    # The fixed token acts for the first of them, and has no scope that shows users.
    fixed = Caller(people.http)
    assert (await fixed.result("profile"))["NAME"] == "Ivan"
    assert (await fixed.post("user.current")).json()["error"] == "insufficient_scope"


async def test_a_user_who_is_gone_has_no_access(people: People) -> None:
    answer = await people.caller(99).post("profile")
    assert (answer.status_code, answer.json()["error"]) == (403, "user_access_error")


async def test_without_users_everybody_is_the_local_administrator() -> None:
    app = create_app(LocalPortalSettings(), connectors={ORIGIN: Connector()})
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.localhost/rest/") as http:
        caller = People(http, app).caller(5)
        assert (await caller.result("profile"))["NAME"] == "Local"
        assert await add_connector(caller) == 1


async def test_a_person_chooses_who_is_logged_in(people: People) -> None:
    people.http.base_url = httpx.URL("http://portal.localhost")
    asked = {"client_id": people.card.client_id, "state": "s1"}

    async def sent(page: httpx.Response, **choice: str) -> httpx.Response:
        ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
        assert ticket is not None
        form = {**asked, "ticket": unescape(ticket[1]), **choice}
        return await people.http.post(
            "/oauth/authorize/", data=form, follow_redirects=not choice.get("decision")
        )

    page = await people.http.get("/oauth/authorize/", params=asked)
    assert all(user.full_name in page.text for user in USERS)
    # Nobody is logged in yet.
    assert "location" not in (await sent(page, decision="allow")).headers
    page = await sent(page, user="7")
    assert "Anna Petrova" in page.text
    assert "Boris" not in page.text
    page = await sent(await sent(page, decision="switch"), user="8")
    returned = (await sent(page, decision="allow")).headers["location"]
    code = httpx.URL(returned).params["code"]
    grant = {"grant_type": "authorization_code", "code": code}
    secrets = {"client_id": people.card.client_id, "client_secret": people.card.client_secret}
    answer = await people.http.get("/oauth/token/", params={**secrets, **grant})
    assert answer.json()["user_id"] == BORIS.id


@pytest.mark.parametrize(
    ("kind", "said", "real"), [("other_user", 1, 1), ("other_users_token", 7, 1), ("other_portal", 7, 7)]
)
async def test_the_token_endpoint_answers_wrongly_on_order(
    people: People, kind: Any, said: int, real: int
) -> None:
    people.app.state.faults.arm(kind, method="/oauth/token/")
    grant = {
        "grant_type": "authorization_code",
        "code": people.app.state.tokens.authorise(people.card, 7),
        "client_id": people.card.client_id,
        "client_secret": people.card.client_secret,
    }
    answer = (await people.http.get("http://portal.localhost/oauth/token/", params=grant)).json()
    assert answer["user_id"] == said
    assert (await Caller(people.http, answer["access_token"]).result("profile"))["ID"] == str(real)
    elsewhere = kind == "other_portal"
    assert (answer["domain"] != "portal.localhost") is elsewhere
    assert (answer["member_id"] != people.app.state.tokens.member_id) is elsewhere


def test_users_are_spelled_in_one_line() -> None:
    settings = local_portal_settings(
        {"BI_MCP_PORTAL_USERS": "1:Ivan Orlov:admin, 7:Anna Petrova:read:3+5,8:Boris:own"}
    )
    assert parse_users(settings.users) == USERS
    assert parse_users(["9:Vera van der Berg"])[0].last_name == "van der Berg"
    assert PortalUsers(parse_users(["9:Vera"])).first.id == 9


@pytest.mark.parametrize(
    "text", ["Anna", "0:Anna", "7:Anna:write", "7:Anna:read:sales", "7:", "x:Anna", "7:A:::"]
)
def test_a_user_that_is_spelled_wrongly_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="7:Anna Petrova:read"):
        parse_users([text])


def test_two_users_of_one_id_are_refused() -> None:
    with pytest.raises(ConfigError, match="same id"):
        parse_users(["7:Anna", "7:Boris"])


async def test_a_portal_of_an_older_version_learns_who_created_what(tmp_path: Any) -> None:
    """Its connectors belong to the one user that it had."""
    path = str(tmp_path / "portal.sqlite3")
    settings = LocalPortalSettings(database=path, access_token=Secret(TOKEN))
    app = create_app(settings)
    async with called(app) as caller:
        connector = await add_connector(caller)
    with app.state.database.transaction() as connection:
        connection.execute("ALTER TABLE connectors DROP COLUMN createdById")
    app.state.database.close()
    app = create_app(settings, users=[PortalUser(id=1, name="Ivan", sees_all=False)])
    async with called(app) as caller:
        assert await ids(caller, "connector") == [connector]
    app.state.database.close()
