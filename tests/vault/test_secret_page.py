"""The page that asks for a secret takes one value, from its own form, and answers nobody else."""

from __future__ import annotations

import logging
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import httpx
import pytest

from bi_mcp.base.bounded_protocol import BoundedProtocol
from bi_mcp.base.language import speaking
from bi_mcp.base.secret import Secret
from bi_mcp.vault import secret_page
from bi_mcp.vault.asking import WantedSecret
from bi_mcp.vault.loopback_page import listen
from bi_mcp.vault.named_secrets import NamedSecrets
from bi_mcp.vault.secret_page import MOST_PAGES, SecretPage, SecretPages
from tests.vault.keyrings import Keyring, system_keyring

pytestmark = pytest.mark.anyio

CANARY = "value-canary & пароль +%"
WANTED = WantedSecret("shop", ("shop.example", "b.example:8443"), "acme (acme.example)", '"<b>Shop</b>"')


@dataclass
class Scene:
    pages: SecretPages
    page: SecretPage
    stored: NamedSecrets
    browser: httpx.AsyncClient

    @property
    def origin(self) -> str:
        return self.page.url.rpartition("/")[0]

    async def token(self) -> str:
        found = re.search(r'name="token" value="([^"]+)"', (await self.browser.get(self.page.url)).text)
        assert found is not None
        return found[1]

    async def send(self, value: str = CANARY, **changes: str) -> httpx.Response:
        """Send the form as a browser does, but for the changes: `token`, or a header's name with `_`."""
        token = changes.pop("token", None) or await self.token()
        headers = {"origin": self.origin, "sec-fetch-site": "same-origin"}
        headers |= {name.replace("_", "-"): changed for name, changed in changes.items()}
        form = {"token": token, "value": value}
        return await self.browser.post(self.page.url, data=form, headers=headers)


@asynccontextmanager
async def a_scene(folder: Path, *, patience: float = 300) -> AsyncIterator[Scene]:
    stored = NamedSecrets(folder)
    with system_keyring(Keyring()):
        async with anyio.create_task_group() as group, httpx.AsyncClient(trust_env=False) as browser:
            pages = SecretPages(stored, group, patience=patience)
            yield Scene(pages, await pages.open(WANTED), stored, browser)
            group.cancel_scope.cancel()


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    with anyio.fail_after(30):
        async with a_scene(tmp_path) as scene:
            yield scene


async def test_the_page_says_who_asks_and_where_the_secret_may_go(scene: Scene) -> None:
    page = await scene.browser.get(scene.page.url)
    assert page.status_code == 200
    for told in (WANTED.name, WANTED.portal, WANTED.connector, ", ".join(WANTED.hosts)):
        assert told in unescape(page.text)
    assert "<b>" not in page.text
    assert page.headers["cache-control"] == "no-store"
    policy = page.headers["content-security-policy"]
    for rule in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert rule in policy
    assert urlsplit(scene.page.url).hostname == "127.0.0.1"
    assert len(urlsplit(scene.page.url).path) > 40


def sentences(page: str) -> set[str]:
    """What a page says, apart from the values that it shows."""
    said = {part.strip() for part in re.findall(r">([^<>]+)<", page.partition("<body>")[2])}
    values = {WANTED.name, WANTED.portal, WANTED.connector, ", ".join(WANTED.hosts)}
    return {unescape(part) for part in said if part} - values


async def test_a_russian_page_has_no_english_sentence(scene: Scene, tmp_path: Path) -> None:
    english = (await scene.browser.get(scene.page.url)).text
    with speaking("ru"):
        async with a_scene(tmp_path / "ru") as russian:
            form = (await russian.browser.get(russian.page.url)).text
            others = [await russian.browser.get(russian.origin), await russian.send(""), await russian.send()]
    assert '<html lang="en">' in english
    assert len(sentences(english)) == len(sentences(form)) == 9
    for page in (form, *(answer.text for answer in others)):
        assert '<html lang="ru">' in page
        for sentence in sentences(page):
            assert re.search("[а-яё]", sentence), sentence
    assert not sentences(english) & sentences(form)


async def test_a_value_is_stored_for_the_hosts_that_the_page_showed_and_the_page_is_gone(
    scene: Scene,
) -> None:
    answer = await scene.send()
    assert answer.status_code == 200
    assert "go back to the assistant" in answer.text
    assert CANARY not in answer.text
    await scene.page.closed.wait()
    shop = scene.stored.known()["shop"]
    assert (shop.hosts, scene.stored.value(shop)) == (WANTED.hosts, Secret(CANARY))
    with pytest.raises(httpx.TransportError):
        await scene.browser.get(scene.page.url)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"token": "wrong"}, 403),
        ({"token": "ü"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1"}, 403),
        ({"origin": "http://localhost:1"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "none"}, 403),
        ({"host": "evil.example"}, 404),
        ({"host": "localhost"}, 404),
    ],
)
async def test_a_form_of_a_stranger_stores_nothing_and_the_page_stays(
    scene: Scene, changes: dict[str, str], status: int
) -> None:
    answer = await scene.send(**changes)
    assert answer.status_code == status
    assert CANARY not in answer.text
    assert scene.stored.known() == {}
    assert (await scene.send()).status_code == 200
    assert list(scene.stored.known()) == ["shop"]


async def test_a_form_without_an_origin_stores_nothing(scene: Scene) -> None:
    form = {"token": await scene.token(), "value": CANARY}
    assert (await scene.browser.post(scene.page.url, data=form)).status_code == 403
    assert scene.stored.known() == {}


async def test_other_addresses_and_other_verbs_find_nothing(scene: Scene) -> None:
    token = await scene.token()
    own = urlsplit(scene.page.url).path
    for path in ("/", "/favicon.ico", f"{own}x", f"{own}?a=1", f"/%{ord(own[1]):x}{own[2:]}", "/" + "x" * 43):
        assert (await scene.browser.get(scene.origin + path)).status_code == 404
        answer = await scene.browser.post(
            scene.origin + path, data={"token": token, "value": CANARY}, headers={"origin": scene.origin}
        )
        assert answer.status_code == 404
    for verb in ("PUT", "DELETE", "OPTIONS"):
        answer = await scene.browser.request(verb, scene.page.url, headers={"origin": scene.origin})
        assert answer.status_code == 405
    rebound = await scene.browser.get(scene.page.url, headers={"host": "evil.example"})
    assert rebound.status_code == 404
    assert "name" not in rebound.text.lower().replace("shop", "")
    assert scene.stored.known() == {}


async def test_of_two_forms_at_once_one_counts(scene: Scene) -> None:
    token = await scene.token()
    answers: list[int] = []

    async def send(value: str) -> None:
        try:
            answers.append((await scene.send(value, token=token)).status_code)
        except httpx.TransportError:
            answers.append(0)

    async with anyio.create_task_group() as group:
        group.start_soon(send, "first")
        group.start_soon(send, "second")
    assert answers.count(200) == 1
    assert scene.stored.value(scene.stored.known()["shop"]) in (Secret("first"), Secret("second"))


async def test_what_is_no_value_may_be_corrected(scene: Scene) -> None:
    empty = await scene.send("")
    assert empty.status_code == 400
    assert "The value is empty" in empty.text
    # It is not read to its end, so the answer may not arrive.
    with suppress(httpx.TransportError):
        assert (await scene.send("x" * 250_000)).status_code == 413
    assert scene.stored.known() == {}
    assert (await scene.send("x" * 70_000)).status_code == 400
    assert (await scene.send()).status_code == 200


async def test_a_secret_that_was_stored_meanwhile_is_not_replaced(scene: Scene) -> None:
    token = await scene.token()
    scene.stored.store("shop", Secret("the user's own"), ["other.example"], "file")
    answer = await scene.send(token=token)
    assert answer.status_code == 400
    assert "has been stored in the meantime" in answer.text
    assert scene.stored.known()["shop"].hosts == ("other.example",)


@pytest.mark.parametrize(
    "sent", [b"", b"\r\n\r\n", b"GET\r\n\r\n", b"\xff\xfe\r\n\r\n", b"x" * 40_000, b"POST / HTTP/1.1\r\nHost"]
)
async def test_a_connection_that_makes_no_sense_does_not_disturb_the_page(scene: Scene, sent: bytes) -> None:
    port = urlsplit(scene.page.url).port
    assert port is not None
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(sent) if sent else None
    assert (await scene.send()).status_code == 200


@pytest.mark.parametrize(
    "sent", [b"", b"POST / HTTP/1.1\r\nHost", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"]
)
async def test_a_request_that_does_not_arrive_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(BoundedProtocol, "request_s", 0.1)
    with anyio.fail_after(30):
        async with a_scene(tmp_path) as scene:
            port = urlsplit(scene.page.url).port
            assert port is not None
            async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                await stream.send(sent) if sent else None
                with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                    await stream.receive()
            assert not scene.page.closed.is_set()


async def test_a_variable_of_other_servers_does_not_concern_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "auto")
    async with a_scene(tmp_path) as scene:
        assert (await scene.send()).status_code == 200


async def test_a_page_that_cannot_start_does_not_end_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr(secret_page, "serving", fail)
    with caplog.at_level(logging.DEBUG):
        async with a_scene(tmp_path) as scene:
            await scene.page.closed.wait()
            assert await scene.pages.open(WANTED) is not scene.page
            with pytest.raises(httpx.TransportError):
                await scene.browser.get(scene.page.url)
    assert "RuntimeError" in caplog.text
    assert "hunter2" not in caplog.text


async def test_the_page_logs_nothing_and_leaves_the_logs_of_other_servers_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loggers = [logging.getLogger(f"uvicorn.{name}") for name in ("error", "access", "asgi")]
    own_handler = logging.NullHandler()
    loggers[1].addHandler(own_handler)
    try:
        before = [(one.level, one.propagate, [*one.handlers]) for one in loggers]
        with caplog.at_level(logging.DEBUG):
            async with a_scene(tmp_path) as scene:
                await scene.browser.get(scene.page.url)
                during = [(one.level, one.propagate, [*one.handlers]) for one in loggers]
                port = urlsplit(scene.page.url).port
                assert port is not None
                async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                    await stream.send(b"GET\r\n\r\n")
                    assert b"400" in await stream.receive()
    finally:
        loggers[1].removeHandler(own_handler)
    assert during == before
    assert not [record for record in caplog.records if record.name == "uvicorn.access"]
    assert "Invalid HTTP request" not in caplog.text


async def test_no_other_program_can_listen_on_the_port_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    # An option that this system has stands for the one of Windows.
    monkeypatch.setattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_KEEPALIVE, raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    listener = listen()
    monkeypatch.undo()
    with listener:
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 0


async def test_a_page_that_nobody_answers_is_gone_in_time(tmp_path: Path) -> None:
    async with a_scene(tmp_path, patience=0) as scene:
        await scene.page.closed.wait()
        with pytest.raises(httpx.TransportError):
            await scene.browser.get(scene.page.url)


async def test_the_same_question_has_one_page_and_many_questions_not_many_pages(scene: Scene) -> None:
    assert await scene.pages.open(WANTED) is scene.page
    others = [
        await scene.pages.open(WantedSecret(f"other{number}", ("a.example",), "p", "c"))
        for number in range(MOST_PAGES)
    ]
    assert scene.page.closed.is_set()
    assert len({page.url for page in others}) == MOST_PAGES
    assert not any(page.closed.is_set() for page in others)
