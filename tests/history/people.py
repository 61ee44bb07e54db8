"""Two people of one portal: the same objects, of which the portal hides some from one of them."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.server.auth.middleware.auth_context import auth_context_var
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.types import CallToolResult
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bi_mcp.auth.caller import Caller, called_by
from bi_mcp.auth.person import Person
from bi_mcp.base.secret import MASK, Secret
from bi_mcp.config import Settings
from bi_mcp.rest import AccessToken as PortalToken
from bi_mcp.rest import BIConnector
from bi_mcp.rest.gather import GatheringTransport
from bi_mcp.server.build import build_server
from tests.rest.calling import Recorder, UrlCheck, connect, portal_app
from tests.server.talking import Talk

PORTAL = "https://portal.example"
NOBODYS = 10**9

Hidden = set[tuple[str, int]]
_METHOD = re.compile(r"biconnector\.(connector|source|dataset|table)\.(\w+)")


@dataclass
class Hiding:
    """A portal that shows not every user everything: an ASGI app around the practice portal.

    What is hidden from the holder of a token is not listed to them, and every other call finds nothing.
    """

    app: ASGIApp
    hidden: dict[str, Hidden] = field(default_factory=dict)
    has_administrators: bool = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = json.loads((await receive())["body"])
        hidden = self.hidden.get(body.get("auth", ""), set())
        method = scope["path"].rpartition("/")[2]
        calls = dict(body.get("cmd", {}))
        for name, text in calls.items():
            body["cmd"][name] = _aimed(text, hidden)
        if body.get("id") and _is_hidden(method, int(body["id"]), hidden):
            body["id"] = NOBODYS
        held: list[Message] = []

        async def replay() -> Message:
            return {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}

        async def hold(message: Message) -> None:
            held.append(message)

        await self.app({**scope, "headers": [(b"content-type", b"application/json")]}, replay, hold)
        answer = json.loads(b"".join(message.get("body", b"") for message in held[1:]))
        result = answer.get("result")
        if calls and isinstance(result, dict):
            results = result.get("result")
            if isinstance(results, dict):
                for name, each in results.items():
                    results[name] = _shown(calls[name], each, hidden)
        else:
            answer["result"] = _shown(method, result, hidden)
        if method == "profile" and not self.has_administrators:
            answer["result"]["ADMIN"] = False
        content = json.dumps(answer).encode()
        length = (b"content-length", str(len(content)).encode())
        await send({**held[0], "headers": [(b"content-type", b"application/json"), length]})
        await send({"type": "http.response.body", "body": content})


def _aimed(text: str, hidden: Hidden) -> str:
    id = re.search(r"[?&]id=(\d+)", text)
    if id is None or not _is_hidden(text, int(id[1]), hidden):
        return text
    return text.replace(f"id={id[1]}", f"id={NOBODYS}", 1)


def _is_hidden(call: str, id: int, hidden: Hidden) -> bool:
    method = _METHOD.match(call)
    return method is not None and (method[1].replace("table", "dataset"), id) in hidden


def _shown(call: str, result: Any, hidden: Hidden) -> Any:
    if not isinstance(result, list):
        return result
    return [item for item in result if not _is_hidden(call, int(item["id"]), hidden)]


class PersonsToken(AccessToken):
    """What the server knows of a person who signed in."""

    person: Person
    client_name: str


@contextmanager
def signed_in(caller: Caller) -> Iterator[None]:
    """Call with a token of this caller, as it is known once an HTTP request was let in."""
    client, person = caller.client or "", caller.person
    token = (
        AccessToken(token=MASK, client_id=client, scopes=[], subject=caller.subject)
        if person is None
        else PersonsToken(token=MASK, client_id="c1", scopes=[], person=person, client_name=client)
    )
    before = auth_context_var.set(AuthenticatedUser(token))
    try:
        with called_by(caller):
            yield
    finally:
        auth_context_var.reset(before)


class TalkAs(Talk):
    """Talks to a server as a caller. The SDK hands the context of each message on to the server."""

    def __init__(self, client: Client, caller: Caller) -> None:
        super().__init__(client)
        self.caller = caller

    async def call(self, tool: str, **arguments: Any) -> CallToolResult:
        with signed_in(self.caller):
            return await super().call(tool, **arguments)

    async def read(self, uri: str) -> str:
        with signed_in(self.caller):
            return await super().read(uri)


@dataclass
class Someone:
    """A person with a client of the server, and what the portal was asked on their behalf."""

    caller: Caller
    bi: BIConnector
    calls: Recorder
    hidden: Hidden
    talk: TalkAs = field(init=False)


@dataclass
class Company:
    """Anna and Boris, each with an own server, as behind two replicas that share the folder."""

    anna: Someone
    boris: Someone
    folder: Path
    portal: Hiding

    @property
    def audit(self) -> list[Mapping[str, Any]]:
        return [json.loads(line) for line in (self.folder / "audit.jsonl").read_text().splitlines()]


@asynccontextmanager
async def a_company(folder: Path, *, administrator: bool = False) -> AsyncIterator[Company]:
    """Serve the two; Boris may be an administrator."""
    app = portal_app("tables", "result", UrlCheck())
    application = app.state.tokens.register("bi-mcp", "https://bi.example/")
    hiding = Hiding(app)

    def someone(person: Person, client: str) -> Someone:
        token = str(app.state.tokens.issue(application, person.user_id)["access_token"])
        hidden = hiding.hidden.setdefault(token, set())
        calls = Recorder(hiding)
        bi = connect(calls, PortalToken(Secret(token))).through(GatheringTransport)
        return Someone(Caller(client=client, person=person), bi, calls, hidden)

    anna = someone(Person(portal=PORTAL, user_id=12, name="Anna Petrova"), "Claude")
    boris = someone(Person(portal=PORTAL, user_id=15, name="Boris", administrator=administrator), "Cursor")
    settings = Settings(
        configuration_folder=folder, audit_file=folder / "audit.jsonl", allow_literal_secrets=True
    )
    async with (
        Client(build_server(settings, connect=lambda: anna.bi)) as hers,
        Client(build_server(settings, connect=lambda: boris.bi)) as his,
    ):
        anna.talk, boris.talk = TalkAs(hers, anna.caller), TalkAs(his, boris.caller)
        yield Company(anna, boris, folder, hiding)
