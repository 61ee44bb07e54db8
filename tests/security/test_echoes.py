"""Portals and connectors that repeat the secrets they were sent, in every coding and place: no answer and no log line holds one."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from mcp import Client

from bi_mcp.base.logs import LOG_LEVELS, JsonFormatter
from bi_mcp.base.secret import MASK, Secret, redact
from bi_mcp.config import LocalPortalSettings, Settings
from bi_mcp.practice.portal import create_app
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.transport import HttpTransport
from bi_mcp.server.build import build_server
from tests.practice.portal.calling import ORIGIN, Connector
from tests.security.echoes import CODINGS, LOGIN, PAST_ALL_MASKS, SECRET, Coding
from tests.security.parrot import OF_CONNECTORS, OF_PORTALS, Repeated, a_parrot, reply
from tests.server.overhearing import CANARY, shop_fields
from tests.server.talking import Talk, text_of

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("echoes of secrets")]

TOKEN = 'canary\'s-<to/ken>&"ключ"+1%'
# So much of one end of a secret, however coded, must not be there either.
HALF = 10
SETTINGS = {"login": LOGIN, "password": SECRET}


@dataclass
class Repeating:
    """What is repeated next: where, in which codings, and what it was that came."""

    place: Repeated | None = None
    codings: Sequence[Coding] = ()
    sent: set[str] = field(default_factory=set)

    def answer(self, *secrets: str) -> bytes:
        assert self.place is not None
        self.sent |= set(secrets)
        return self.place.answer(
            " and ".join(coding(secret) for coding in self.codings for secret in secrets)
        )


@dataclass
class Heard:
    """What a client was told, and what was logged at each level."""

    talk: Talk
    logs: Mapping[str, io.StringIO]

    async def told(self, side: Side) -> str:
        result = await self.talk.call(side.tool, **side.arguments)
        structured = json.dumps(result.structured_content, ensure_ascii=False)
        return f"{text_of(result)}\n{structured}\n{result.meta}"

    def logged(self) -> dict[str, str]:
        """Return what was logged since the last time."""
        texts = {level: log.getvalue() for level, log in self.logs.items()}
        for log in self.logs.values():
            log.truncate(0)
            log.seek(0)
        return texts


@contextmanager
def every_level_logged() -> Iterator[Mapping[str, io.StringIO]]:
    """One log for each level that can be chosen, the wordiest as JSON as well."""
    logs = {level: io.StringIO() for level in (*LOG_LEVELS, "debug as JSON")}
    root, level = logging.getLogger(), logging.getLogger().level
    handlers = []
    for name, log in logs.items():
        handler = logging.StreamHandler(log)
        handler.setLevel(name.split()[0].upper())
        if name.endswith("JSON"):
            handler.setFormatter(JsonFormatter())
        handlers.append(handler)
        root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield logs
    finally:
        root.setLevel(level)
        for handler in handlers:
            root.removeHandler(handler)


def leaks(text: str, secrets: Iterable[str], codings: Iterable[Coding]) -> list[str]:
    """Find what is left of secrets in a text, whether they are coded in some way or not coded at all."""
    forms = [form for secret in secrets for form in (secret, *(coding(secret) for coding in codings))]
    whole = {form.strip().lower() for form in forms}
    ends = {CANARY, *(end for form in whole for end in (form[:HALF], form[-HALF:]))}
    return [end for end in ends if end in text.lower()]


@asynccontextmanager
async def beside_a_connector(folder: Path, repeating: Repeating) -> AsyncIterator[Heard]:
    """A server with its practice portal, and a source of a connector that repeats."""

    async def connector(_: str, body: bytes) -> bytes:
        if repeating.place is None:
            return reply("ok")
        sent = parse_qs(body.decode(), keep_blank_values=True)
        return repeating.answer(sent["connection[password]"][0])

    settings = Settings(secrets_folder=folder, allow_literal_secrets=True)
    async with a_parrot(connector) as address:
        with every_level_logged() as logs:
            async with Client(build_server(settings)) as client:
                talk = Talk(client)
                urls = {name: f"http://{address}/{name}" for name in shop_fields() if name.startswith("url")}
                await talk.done("connector_add", fields=shop_fields() | urls)
                fields = {"title": "One", "connectorId": 1, "settings": SETTINGS}
                await talk.done("source_add", fields=fields)
                yield Heard(talk, logs)


@asynccontextmanager
async def beside_a_portal(folder: Path, repeating: Repeating) -> AsyncIterator[Heard]:
    """A server with a portal that repeats what it is sent with a new source, and else does what it should."""
    local = LocalPortalSettings(access_token=Secret(TOKEN))
    app = create_app(local, connectors={ORIGIN: Connector()})

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as inner:

        async def portal(path: str, body: bytes) -> bytes:
            if repeating.place is not None and path.endswith("source.update"):
                sent = json.loads(body)
                return repeating.answer(sent["fields"]["settings"]["password"], sent["auth"])
            answer = await inner.post(path, content=body, headers={"Content-Type": "application/json"})
            return reply(answer.text, f"{answer.status_code} OK")

        settings = Settings(secrets_folder=folder, allow_literal_secrets=True)
        async with a_parrot(portal) as address:
            bi = BIConnector(HttpTransport(f"http://{address}", AccessToken(Secret(TOKEN))))
            with every_level_logged() as logs:
                async with Client(build_server(settings, connect=lambda: bi)) as client:
                    talk = Talk(client)
                    await talk.done("connector_add", fields=shop_fields())
                    fields = {"title": "One", "connectorId": 1, "settings": SETTINGS}
                    await talk.done("source_add", fields=fields)
                    yield Heard(talk, logs)


@dataclass(frozen=True)
class Side:
    """Who repeats, and the tool by whose call he is sent a secret."""

    beside: Callable[[Path, Repeating], AbstractAsyncContextManager[Heard]]
    tool: str
    arguments: Mapping[str, object]
    places: Mapping[str, Repeated]


SIDES = {
    "connector": Side(beside_a_connector, "connector_check", {"source": 1}, OF_CONNECTORS),
    "portal": Side(beside_a_portal, "source_update", {"id": 1, "fields": {"settings": SETTINGS}}, OF_PORTALS),
}


@pytest.mark.parametrize("name", SIDES)
async def test_no_answer_and_no_log_line_holds_a_secret_that_somebody_repeats(
    tmp_path: Path, name: str
) -> None:
    side, repeating = SIDES[name], Repeating()
    found = []
    async with side.beside(tmp_path, repeating) as heard:
        for place, repeating.place in side.places.items():
            # What is not shown at all needs no look at each coding of its own.
            one_by_one = [[coding] for coding in CODINGS.values()]
            for codings in one_by_one if repeating.place.quoted else [list(CODINGS.values())]:
                repeating.codings, repeating.sent = codings, set()
                texts = {"answer": await heard.told(side), **heard.logged()}
                assert SECRET in repeating.sent, place
                assert not repeating.place.quoted or MASK in texts["answer"], place
                for where, text in texts.items():
                    found += [(place, where, leak) for leak in leaks(text, repeating.sent, codings)]
    assert found == []


async def test_the_search_finds_what_is_hidden_from_all_masks(tmp_path: Path) -> None:
    side, repeating = SIDES["connector"], Repeating()
    async with side.beside(tmp_path, repeating) as heard:
        repeating.place = side.places["the text of a refusal"]
        for coding in PAST_ALL_MASKS.values():
            repeating.codings = [coding]
            assert leaks(await heard.told(side), [SECRET], [coding])


@pytest.mark.parametrize("name", CODINGS)
def test_no_coding_shows_the_end_of_a_text_that_was_cut(name: str) -> None:
    coded = CODINGS[name](SECRET).strip()
    first = len(CODINGS[name](SECRET[:6]).strip())
    for end in range(first, len(coded), 2):
        left = redact(f"no: {coded[:end]}", [Secret(SECRET)], cut=True)
        # Of the blanks at its end a sign may be left: trimmed, it was a whole secret.
        assert left.rstrip(" =") == f"no: {MASK}"
