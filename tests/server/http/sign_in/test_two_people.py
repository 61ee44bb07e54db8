"""People with different rights at two replicas: whatever they do and however it falls together, none of them hears, changes or
confirms what belongs to another.

Anna and Boris see only what they created. Vera sees everything that the portal holds, and changes nothing. Ivan, an administrator,
sees and may change everything. What one of them writes carries a mark; every byte that the replicas answer to one of them is searched
for the marks, the secrets and the tokens of the others.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Literal

import anyio
import anyio.lowlevel
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, ResourceTemplateReference
from redis.asyncio import Redis

from bi_mcp.practice.portal.users import PortalUser
from tests.practice.portal.calling import connector_fields, dataset_fields, source_fields
from tests.server.http.serving import LIMIT_S, http_client
from tests.server.http.sign_in.hosting import ANNA, BORIS, IVAN, VERA, Connected, Hosted, hosting
from tests.server.http.sign_in.wire import Wire

pytestmark = [pytest.mark.anyio, pytest.mark.needs("redis-server")]

PEOPLE = (ANNA, BORIS, VERA, IVAN)
CAREFREE = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
WATCHED = [f"bi://connector/{id}" for id in range(1, 40)]


@dataclass(repr=False)
class Member:
    """A person with two clients, one of each protocol. `mark` is in all that they name, `secret` in all that they hide."""

    user: PortalUser
    connected: Connected
    wire: Wire
    clients: list[Client] = field(default_factory=list)

    @property
    def mark(self) -> str:
        return f"named-by-{self.user.name.lower()}"

    @property
    def secret(self) -> str:
        return f"hidden-by-{self.user.name.lower()}"

    def heard(self, text: str) -> bool:
        """Whether any answer held this."""
        return text.encode() in self.wire.heard

    def around(self, text: str) -> str:
        """What the answers held around this, for the failure."""
        place = self.wire.heard.find(text.encode())
        return f"{self.user.name} heard {self.wire.heard[max(0, place - 500) : place + 300].decode(errors='replace')}"


@dataclass(frozen=True)
class Held:
    """Something that an answer gave one person to use: a token of a preview or of a plan, or an entry of the history."""

    owner: str
    value: str
    object: int = 0


@dataclass(repr=False)
class Office:
    """The people, and what they got so far."""

    hosted: Hosted
    members: list[Member]
    objects: list[tuple[str, int, str]] = field(default_factory=list)
    previews: list[Held] = field(default_factory=list)
    plans: list[Held] = field(default_factory=list)
    entries: list[Held] = field(default_factory=list)
    callers: set[int] = field(default_factory=set)
    _numbers: Any = field(default_factory=lambda: count(1))

    @property
    def number(self) -> int:
        return int(next(self._numbers))

    def note_callers(self) -> None:
        """Note from now on as whom the portal is called."""
        portal = self.hosted.portal.app.state.portal
        run = portal.run

        async def noted(method: str, parameters: Mapping[str, object], caller: Any) -> Any:
            self.callers.add(caller.user_id)
            return await run(method, parameters, caller)

        portal.run = noted

    def owners(self, kind: str) -> Mapping[int, int]:
        """Who created what, by the portal."""
        with self.hosted.portal.app.state.database.snapshot() as connection:
            table = {"connector": "connectors", "source": "sources", "dataset": "datasets"}[kind]
            return {
                row["id"]: row["createdById"]
                for row in connection.execute(f"SELECT id, createdById FROM {table}")  # noqa: S608  a name of ours
            }

    def tokens(self) -> list[str]:
        """All tokens of the portal and its application's secret: nobody ever sees one, not even their own."""
        with self.hosted.portal.app.state.database.snapshot() as connection:
            rows = connection.execute("SELECT access_token, refresh_token FROM oauth_tokens").fetchall()
        return [token for row in rows for token in row if token] + [self.hosted.portal.card.client_secret]


@pytest.fixture
async def office(tmp_path: Path, redis: str) -> AsyncIterator[Office]:
    async with AsyncExitStack() as stack:
        hosted = await stack.enter_async_context(hosting(tmp_path, replicas=2, redis=redis))
        office = Office(hosted, [])
        for user in PEOPLE:
            connected = await hosted.connect(user)
            member = Member(user, connected, Wire(hosted.replicas))
            office.members.append(member)
            for era in ("auto", "legacy"):
                member.clients.append(await stack.enter_async_context(opened(hosted, member, era)))
        for member in office.members:
            if member.user.may_change:
                await furnish(office, member)
        office.note_callers()
        yield office


def opened(hosted: Hosted, member: Member, era: Literal["auto", "legacy"]) -> Any:
    """An MCP client of this person."""
    http = http_client(hosted.host, member.connected.access)
    http._transport = member.wire
    hosted.opened.append(http)
    return Client(streamable_http_client(f"{hosted.origin}/mcp", http_client=http), mode=era)


async def furnish(office: Office, member: Member) -> None:
    """Give a person one object of each kind, with a secret in its settings, past the server."""
    portal = office.hosted.portal.caller(member.user)
    async with portal.http:
        title = f"{member.mark}-0"
        settings = [{"code": "login", "name": "Login", "type": "STRING"}]
        settings += [{"code": "password", "name": "Password", "type": "STRING"}]
        fields = connector_fields(title=title, settings=settings)
        connector = int((await portal.result("biconnector.connector.add", fields=fields))["id"])
        hidden = {"login": member.mark, "password": member.secret}
        fields = source_fields(connector, title=title, settings=hidden)
        source = int((await portal.result("biconnector.source.add", fields=fields))["id"])
        name = title.replace("-", "_")
        fields = dataset_fields(source, name=name, description=member.mark)
        dataset = int((await portal.result("biconnector.dataset.add", fields=fields))["id"])
    found = (("connector", connector), ("source", source), ("dataset", dataset))
    office.objects.extend((kind, id, member.user.name) for kind, id in found)


# What a person can do. Each act takes the office, the person, one of their clients, and a number that chooses among what there is.

Act = Callable[[Office, Member, Client, int], Coroutine[Any, Any, None]]


async def called(client: Client, tool: str, **arguments: Any) -> CallToolResult:
    return await client.call_tool(tool, arguments)


def content(result: CallToolResult) -> Mapping[str, Any]:
    assert result.structured_content is not None
    found: Mapping[str, Any] = result.structured_content
    return found


async def look(office: Office, member: Member, client: Client, pick: int) -> None:
    """Get any object, also by a guessed id."""
    kind, id, owner = office.objects[pick % len(office.objects)]
    result = await called(client, f"{kind}_get", id=id)
    if owner != member.user.name and not member.user.sees_all:
        assert result.is_error


async def read(office: Office, member: Member, client: Client, pick: int) -> None:
    kind, id, _ = office.objects[pick % len(office.objects)]
    try:
        await client.read_resource(f"bi://{kind}/{id}")
    except MCPError:
        assert not member.user.sees_all or id not in office.owners(kind)


async def list_all(office: Office, member: Member, client: Client, pick: int) -> None:
    tool = ("connector_list", "source_list", "dataset_list", "portal_map", "portal_status")[pick % 5]
    assert not (await called(client, tool)).is_error


async def complete(office: Office, member: Member, client: Client, pick: int) -> None:
    kind = ("connector", "source", "dataset")[pick % 3]
    reference = ResourceTemplateReference(type="ref/resource", uri=f"bi://{kind}/{{id}}")
    offered = (await client.complete(reference, {"name": "id", "value": ""})).completion.values
    owners = office.owners(kind)
    if not member.user.sees_all:
        assert {owners.get(int(id), member.user.id) for id in offered} <= {member.user.id}


async def add(office: Office, member: Member, client: Client, pick: int) -> None:
    fields = connector_fields(title=f"{member.mark}-{office.number}")
    result = await called(client, "connector_add", fields=fields)
    assert result.is_error is not member.user.may_change
    if not result.is_error:
        office.objects.append(("connector", content(result)["id"], member.user.name))


async def change(office: Office, member: Member, client: Client, pick: int) -> None:
    """Change a connector, also somebody else's; whoever may do that keeps to their own, so that marks stay where they are."""
    mine = member.user.name if member.user.administrator else None
    connectors = [(id, by) for kind, id, by in office.objects if kind == "connector" and by == (mine or by)]
    id, owner = connectors[pick % len(connectors)]
    result = await called(
        client, "connector_update", id=id, fields={"title": f"{member.mark}-{office.number}"}
    )
    if owner != member.user.name:
        assert result.is_error


async def preview(office: Office, member: Member, client: Client, pick: int) -> None:
    connectors = [
        id for kind, id, owner in office.objects if (kind, owner) == ("connector", member.user.name)
    ]
    if not connectors:
        return
    id = connectors[pick % len(connectors)]
    result = await called(client, "connector_delete", id=id)
    if not result.is_error:
        office.previews.append(Held(member.user.name, content(result)["preview"]["confirm"], id))


async def confirm(office: Office, member: Member, client: Client, pick: int) -> None:
    """Use any token of a preview, for the object that it is about."""
    if not office.previews:
        return
    held = office.previews[pick % len(office.previews)]
    before = office.owners("connector")
    result = await called(client, "connector_delete", id=held.object, confirm=held.value)
    if held.owner != member.user.name:
        assert result.is_error
        assert held.object not in before or "token" in str(result.content) or not member.user.administrator


async def plan(office: Office, member: Member, client: Client, pick: int) -> None:
    """Plan to rename what is one's own."""
    exported = await called(client, "workspace_export")
    if exported.is_error:
        return
    # Without the sources: their secrets are nowhere.
    connectors = content(exported)["setup"].partition("\nsources:")[0]
    setup = connectors.replace(f"title: {member.mark}-", f"title: {member.mark}-{office.number}-")
    result = await called(client, "workspace_plan", setup=setup)
    if not result.is_error and "token" in content(result):
        office.plans.append(Held(member.user.name, content(result)["token"]))


async def apply(office: Office, member: Member, client: Client, pick: int) -> None:
    if not office.plans:
        return
    held = office.plans[pick % len(office.plans)]
    result = await called(client, "workspace_apply", token=held.value)
    if held.owner != member.user.name or not member.user.may_change:
        assert result.is_error


async def tell_history(office: Office, member: Member, client: Client, pick: int) -> None:
    if pick % 2:
        await client.read_resource("bi://history")
        return
    for entry in content(await called(client, "history_list"))["entries"]:
        office.entries.append(Held(member.user.name, str(entry["id"])))


async def undo(office: Office, member: Member, client: Client, pick: int) -> None:
    """Preview an undo of any entry, and carry it out."""
    if not office.entries:
        return
    entry = office.entries[pick % len(office.entries)].value
    result = await called(client, "workspace_undo", entry=entry)
    if result.is_error or "preview" not in content(result):
        return
    token = content(result)["preview"]["confirm"]
    office.previews.append(Held(member.user.name, token, 0))
    await called(client, "workspace_undo", entry=entry, confirm=token)


async def watch(office: Office, member: Member, client: Client, pick: int) -> None:
    """Listen for changes of everything while others work; what is told is about what this person may see."""
    if client is not member.clients[0]:
        return
    told = set[str]()
    async with client.listen(resource_subscriptions=WATCHED) as events, anyio.create_task_group() as group:
        group.start_soon(note, events, told)
        # As long as it takes to ask for something; the others go on meanwhile.
        await called(client, "portal_map")
        group.cancel_scope.cancel()
    check_told(office, member, told)


async def note(events: AsyncIterator[object], told: set[str]) -> None:
    """Note which addresses are told, as they are told."""
    async for event in events:
        told.add(str(getattr(event, "uri", "")))


def check_told(office: Office, member: Member, told: set[str]) -> None:
    owners = office.owners("connector")
    ids = [int(found[1]) for uri in told if (found := re.fullmatch(r"bi://connector/(\d+)", uri))]
    if not member.user.sees_all:
        assert {owners.get(id, member.user.id) for id in ids} <= {member.user.id}


ACTS: tuple[Act, ...] = (
    look,
    read,
    list_all,
    complete,
    add,
    change,
    preview,
    confirm,
    plan,
    apply,
    tell_history,
    undo,
    watch,
)


@dataclass(frozen=True)
class Step:
    """One act: `who` and `what` are places in PEOPLE and ACTS, `client` is one of two, `pick` chooses among what there is."""

    who: int
    what: int
    client: int
    pick: int

    def __repr__(self) -> str:
        return f"{PEOPLE[self.who].name} {ACTS[self.what].__name__} ({self.client}, {self.pick})"


STEPS = st.builds(
    Step,
    who=st.integers(0, len(PEOPLE) - 1),
    what=st.integers(0, len(ACTS) - 1),
    client=st.integers(0, 1),
    pick=st.integers(0, 1000),
)
# Steps of one round run at once.
ROUNDS = st.lists(st.lists(STEPS, min_size=1, max_size=5), min_size=1, max_size=6)


async def play(office: Office, rounds: Sequence[Sequence[Step]]) -> None:
    with anyio.fail_after(LIMIT_S):
        for steps in rounds:
            office.callers.clear()
            async with anyio.create_task_group() as group:
                for step in steps:
                    member = office.members[step.who]
                    group.start_soon(ACTS[step.what], office, member, member.clients[step.client], step.pick)
            # Nobody's call went to the portal with the token of somebody who did nothing.
            assert office.callers <= {PEOPLE[step.who].id for step in steps}
    check_apart(office)


def check_apart(office: Office) -> None:
    """Nobody heard what is another's, and nothing was written in another's name."""
    for member in office.members:
        for other in office.members:
            assert not member.heard(other.secret), member.around(other.secret)
            if other is member:
                continue
            for token in (other.connected.access, other.connected.refresh):
                assert not member.heard(token)
            for held in [*office.previews, *office.plans]:
                assert held.owner != other.user.name or not member.heard(held.value)
            if not member.user.sees_all:
                assert not member.heard(other.mark), member.around(other.mark)
        for token in office.tokens():
            assert not member.heard(token)
    check_names(office)


def check_names(office: Office) -> None:
    """What a person created carries that person's mark and no other, and who may only read created nothing.

    An administrator may have undone what somebody deleted.
    """
    marks = {member.user.id: member.mark for member in office.members if member.user.may_change}
    marks[IVAN.id] = "named-by-"
    with office.hosted.portal.app.state.database.snapshot() as connection:
        for row in connection.execute("SELECT title, createdById FROM connectors"):
            assert row["title"].startswith(marks[row["createdById"]]), dict(row)


@settings(CAREFREE, max_examples=12)
@given(rounds=ROUNDS)
async def test_nobody_meets_what_is_anothers(office: Office, rounds: list[list[Step]]) -> None:
    await play(office, rounds)


@pytest.mark.campaign("random people")
@settings(CAREFREE, max_examples=60)
@given(rounds=ROUNDS)
async def test_nobody_meets_what_is_anothers_at_length(office: Office, rounds: list[list[Step]]) -> None:
    await play(office, rounds)


async def test_each_act_works_for_whom_it_should(office: Office) -> None:
    """Otherwise the tests above would say nothing: each person does everything in turn, and hears their own."""
    for act in ACTS:
        for who, member in enumerate(office.members):
            await play(office, [[Step(who, ACTS.index(act), who % 2, 0)]])
            assert member.heard(member.mark) or not member.user.may_change or act in {look, read}
    for held in (office.previews, office.plans, office.entries):
        assert {each.owner for each in held} >= {ANNA.name, BORIS.name}
    # Who may see everything does.
    assert all(member.heard("named-by-anna") for member in office.members if member.user is not BORIS)


async def test_nobody_is_told_when_something_of_another_changes(office: Office) -> None:
    """Boris changes one of his at each replica while Anna listens to all ids at both; then she changes one of hers.

    The first call of a client is accompanied by a second request: three of them reach both replicas.
    """
    anna, boris = office.members[:2]
    mine = {by: id for kind, id, by in office.objects if kind == "connector"}
    told = set[str]()

    async def rename(member: Member) -> None:
        for number in range(3):
            fields = {"title": f"{member.mark}-{number}"}
            changed = await called(
                member.clients[0], "connector_update", id=mine[member.user.name], fields=fields
            )
            assert not changed.is_error

    with anyio.fail_after(LIMIT_S):
        async with AsyncExitStack() as stack:
            group = await stack.enter_async_context(anyio.create_task_group())
            for _ in office.hosted.replicas:
                events = await stack.enter_async_context(
                    anna.clients[0].listen(resource_subscriptions=WATCHED)
                )
                group.start_soon(note, events, told)
            await rename(boris)
            await rename(anna)
            while not told:
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
    assert told == {f"bi://connector/{mine[ANNA.name]}"}


async def test_nothing_of_anybody_is_readable_at_rest(office: Office, redis: str, tmp_path: Path) -> None:
    """Neither in Redis nor in the files beside it."""
    for index in range(len(ACTS)):
        await play(office, [[Step(who, index, 0, 0) for who in range(len(PEOPLE))]])
    kept = content_of(tmp_path)
    async with Redis.from_url(redis) as raw:
        for key in await raw.keys():
            kept += as_bytes(key) + b"\n" + as_bytes(await raw.dump(key) or b"")
    for member in office.members:
        for token in (member.connected.access, member.connected.refresh, member.secret):
            assert token.encode() not in kept
    assert all(token.encode() not in kept for token in office.tokens())
    assert all(held.value.encode() not in kept for held in [*office.previews, *office.plans])


def content_of(folder: Path) -> bytes:
    """The names of all files below a folder, and what is in them."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return b"".join(str(path).encode() + path.read_bytes() for path in files)


def as_bytes(answer: bytes | str) -> bytes:
    return answer if isinstance(answer, bytes) else answer.encode()
