"""Documents by which clients describe themselves: fetched over real TLS, bounded in every way, and kept."""

from __future__ import annotations

import gzip
import json
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from bi_mcp.app.sign_in.document_folder import DocumentFolder
from bi_mcp.errors import AuthorisationError
from bi_mcp.server.http.sign_in import client_documents
from bi_mcp.server.http.sign_in.client_documents import (
    LARGEST_DOCUMENT,
    LONGEST_FRESH_S,
    REFUSED_S,
    SHORTEST_FRESH_S,
    STALE_S,
    ClientDocuments,
    is_document_address,
)
from bi_mcp.server.http.sign_in.fetch_allowance import MOST_AT_ONCE, MOST_FETCHES, WITHIN_S
from tests.endpoints.services import HOST, local, make_certificate
from tests.practice.portal.serving import served
from tests.server.http.sign_in.flow import refusal
from tests.server.http.sign_in.site import opened

pytestmark = pytest.mark.anyio

REDIRECTS = ["https://claude.example/callback", "http://127.0.0.1/callback", "cursor://anysphere.cursor/cb"]


@dataclass
class Host:
    """The host of a client's document. `answer` makes what it sends; `document` is the client's, changed by `changes`."""

    changes: dict[str, object] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    answer: Callable[[], Response] | None = None
    requests: list[Request] = field(default_factory=list)
    client_id: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests.append(Request(scope))
        response = self.answer() if self.answer else Response(self.body(), headers=self.all_headers())
        await response(scope, receive, send)

    def all_headers(self) -> dict[str, str]:
        return {"content-type": "application/json", **self.headers}

    def body(self) -> str:
        document = {
            "client_id": self.client_id,
            "client_name": "Claude",
            "redirect_uris": REDIRECTS,
            "token_endpoint_auth_method": "none",
            "scope": "openid",
            "logo_uri": "https://claude.example/logo.png",
        } | self.changes
        return json.dumps({name: value for name, value in document.items() if value is not ...})


@dataclass
class Scene:
    host: Host
    port: str
    trusting: ssl.SSLContext
    folder: Path
    now: float = 1000.0
    store: DocumentFolder = field(init=False)
    documents: ClientDocuments = field(init=False)

    def __post_init__(self) -> None:
        self.store = DocumentFolder(self.folder, clock=lambda: self.now)
        self.documents = self.replica()

    def replica(self) -> ClientDocuments:
        return ClientDocuments(
            self.store,
            allow_private=True,
            resolver=local,
            certificates=self.trusting,
            clock=lambda: self.now,
        )

    async def is_unknown(self, client_id: str) -> bool:
        """Whether there is no such client, or nobody can tell now."""
        try:
            return await self.documents.find(client_id) is None
        except AuthorisationError as error:
            return error.code == "CLIENT_UNREACHABLE"

    def address(self, path: str = "/client.json") -> str:
        return f"https://{HOST}:{self.port}{path}"


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    files, trusting = make_certificate(tmp_path)
    host = Host()
    async with served(host, certificate=files) as address:
        scene = Scene(host, address.rpartition(":")[2], trusting, tmp_path / "documents")
        host.client_id = scene.address()
        yield scene


async def test_a_client_is_what_its_document_says_and_no_more(scene: Scene) -> None:
    client = await scene.documents.find(scene.address())
    assert client is not None
    assert client.client_id == scene.address()
    assert client.client_name == "Claude"
    assert list(map(str, client.redirect_uris or [])) == REDIRECTS
    assert client.token_endpoint_auth_method == "none"
    assert client.validate_scope("bi:read bi:write") == ["bi:read", "bi:write"]
    assert client.logo_uri is None
    request = scene.host.requests[0]
    assert (request.method, request.url.path, request.headers["host"]) == (
        "GET",
        "/client.json",
        f"{HOST}:{scene.port}",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "https://other.example/client.json"},
        {"client_id": ...},
        {"redirect_uris": ...},
        {"redirect_uris": []},
        {"redirect_uris": "https://claude.example/callback"},
        {"redirect_uris": [*REDIRECTS, "javascript:alert(1)//"]},
        {"redirect_uris": ["https://claude.example/callback#x"]},
        {"redirect_uris": [f"https://claude.example/{number}" for number in range(51)]},
        {"redirect_uris": [7]},
        # What only some readers of addresses take for one.
        {"redirect_uris": [*REDIRECTS, "https://a.b.999/callback"]},
        {"redirect_uris": [*REDIRECTS, "https://xn--/callback"]},
        {"redirect_uris": [*REDIRECTS, "editor://:80"]},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_method": ["none"]},
        {"client_secret": "hunter2"},
        {"client_secret_expires_at": 0},
        {"grant_types": ["client_credentials"]},
        {"response_types": ["token"]},
        {"client_name": 7},
        {"client_name": "x" * 501},
    ],
    ids=str,
)
async def test_a_document_that_is_not_a_public_clients_own_is_refused(
    scene: Scene, changes: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    scene.host.changes = changes
    assert await scene.is_unknown(scene.address())
    assert len(scene.host.requests) == 1
    assert "was refused" in caplog.text
    assert "hunter2" not in caplog.text


def _trickle() -> Response:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" "
            await anyio.sleep(0.01)

    return StreamingResponse(parts(), media_type="application/json")


def _huge() -> Response:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 4096

    return StreamingResponse(parts(), media_type="application/json")


_DEEP = "[" * 100_000


@pytest.mark.parametrize(
    "answer",
    [
        lambda: RedirectResponse("https://other.example/client.json"),
        lambda: RedirectResponse("http://169.254.169.254/latest/meta-data", 301),
        lambda: Response("{}", 404, media_type="application/json"),
        lambda: Response("{}", 500, media_type="application/json"),
        lambda: Response("{}", 201, media_type="application/json"),
        lambda: Response("{}", media_type="text/html"),
        lambda: Response("{}", media_type="text/plain; a=application/json"),
        lambda: Response("{}", media_type="application/json"),
        lambda: Response("[]", media_type="application/json"),
        lambda: Response("", media_type="application/json"),
        lambda: Response(b"\xff\xfe", media_type="application/json"),
        lambda: Response(_DEEP[:16_000], media_type="application/json"),
        lambda: Response(
            gzip.compress(b" " * 1_000_000),
            media_type="application/json",
            headers={"content-encoding": "gzip"},
        ),
        _huge,
    ],
)
async def test_an_answer_that_is_not_a_document_is_refused_and_not_followed(
    scene: Scene, answer: Callable[[], Response]
) -> None:
    scene.host.answer = answer
    assert await scene.is_unknown(scene.address())
    assert len(scene.host.requests) == 1


async def test_a_document_is_not_waited_for_without_end(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_documents, "BODY_S", 0.2)
    scene.host.answer = _trickle
    with anyio.fail_after(30):
        assert await scene.is_unknown(scene.address())


async def test_a_document_that_is_as_large_as_allowed_is_read(scene: Scene) -> None:
    scene.host.headers = {"content-type": "application/client+json; charset=utf-8"}
    body = scene.host.body()
    scene.host.answer = lambda: Response(body.ljust(LARGEST_DOCUMENT), headers=scene.host.all_headers())
    assert await scene.documents.find(scene.address()) is not None
    scene.now += LONGEST_FRESH_S
    scene.host.answer = lambda: Response(body.ljust(LARGEST_DOCUMENT + 1), headers=scene.host.all_headers())
    assert await scene.is_unknown(scene.address())


@pytest.mark.parametrize(
    "client_id",
    [
        "claude",
        "",
        "http://shop.example/client.json",
        "https://shop.example",
        "https://shop.example/",
        "https://shop.example?client",
        "https://shop.example/client.json#x",
        "https://shop.example/client.json#",
        "https://user@shop.example/client.json",
        "https://user:pass@shop.example/client.json",
        "https://shop.example/a/../client.json",
        "https://shop.example/a/./client.json",
        "https://shop.example/%2e%2E/client.json",
        "https://shop.example/..%2fclient.json",
        "https://shop.example/..%5cclient.json",
        "https://shop.example/client json",
        "https://shop.example/client.json\n",
        "https://shop.example\\@evil.example/client.json",
        "https://Shop.example/client.json",
        "HTTPS://shop.example/client.json",
        "https://shop.example:443/client.json",
        "https://shop.example./client.json",
        "https://shop.example:99999/client.json",
        "https://магазин.example/client.json",
        "https://shop.example/клиент.json",
        "https://127.1/client.json",
        "https://0x7f000001/client.json",
        "https://[::0:1]/client.json",
        "https://shop.example/" + "x" * 1000,
        "ftp://shop.example/client.json",
        "data:application/json,{}",
    ],
)
async def test_what_is_not_a_documents_address_is_not_called(scene: Scene, client_id: str) -> None:
    assert not is_document_address(client_id)
    assert await scene.is_unknown(client_id)
    assert not scene.host.requests
    assert await scene.store.names("") == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "10.0.0.1",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "192.168.0.1",
        "0.0.0.0",
        "[fe80::1]",
        "100.64.0.1",
        "localhost",
        "private.example",
        "mixed.example",
    ],
)
async def test_a_private_address_is_not_called_however_it_is_spelled(scene: Scene, host: str) -> None:
    async def resolver(name: str, _port: int) -> Sequence[str]:
        return {"mixed.example": ["93.184.215.14", "127.0.0.1"]}.get(name, ["127.0.0.1"])

    guarded = ClientDocuments(scene.store, resolver=resolver, certificates=scene.trusting)
    assert await guarded.find(f"https://{host}:{scene.port}/client.json") is None
    assert not scene.host.requests


async def test_strangers_do_not_learn_which_names_there_are_inside(scene: Scene) -> None:
    async def resolver(name: str, _port: int) -> Sequence[str]:
        if name == "missing.example":
            raise OSError
        return ["10.0.0.1"]

    guarded = ClientDocuments(scene.store, resolver=resolver, certificates=scene.trusting)
    for name in ("missing.example", "inside.example"):
        assert await guarded.find(f"https://{name}/client.json") is None
    # Of a client that people use, a resolver that fails says nothing.
    await guarded.mark_used("https://missing.example/used.json")
    with pytest.raises(AuthorisationError):
        await guarded.find("https://missing.example/used.json")


async def test_a_name_that_changes_its_address_is_called_where_it_was_judged(scene: Scene) -> None:
    asked: list[str] = []

    async def rebinding(name: str, _port: int) -> Sequence[str]:
        asked.append(name)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    documents = ClientDocuments(
        scene.store, allow_private=True, resolver=rebinding, certificates=scene.trusting
    )
    assert await documents.find(scene.address()) is not None
    assert asked == [HOST]
    assert scene.host.requests[0].scope["server"][0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("told", "fresh_s"),
    [
        (None, SHORTEST_FRESH_S),
        ("max-age=0", SHORTEST_FRESH_S),
        ("no-store, max-age=900", SHORTEST_FRESH_S),
        ("public, max-age=900", 900),
        ("s-max-age=900", SHORTEST_FRESH_S),
        ("MAX-AGE=900", 900),
        ("max-age=999999999", LONGEST_FRESH_S),
        ("max-age=" + "9" * 5000, LONGEST_FRESH_S),
        ("max-age=-1", SHORTEST_FRESH_S),
    ],
)
async def test_a_document_is_kept_as_long_as_it_says_within_bounds(
    scene: Scene, told: str | None, fresh_s: float
) -> None:
    scene.host.headers = {"cache-control": told} if told else {}
    first = await scene.documents.find(scene.address())
    scene.host.changes = {"client_name": "Renamed"}
    scene.now += fresh_s - 1
    assert await scene.replica().find(scene.address()) == first
    assert len(scene.host.requests) == 1
    scene.now += 1
    renamed = await scene.documents.find(scene.address())
    assert renamed is not None
    assert renamed.client_name == "Renamed"


async def test_a_refusal_is_kept_for_a_while_and_a_withdrawn_client_is_gone(scene: Scene) -> None:
    assert await scene.documents.find(scene.address()) is not None
    scene.now += SHORTEST_FRESH_S
    scene.host.answer = lambda: Response(status_code=404)
    assert await scene.documents.find(scene.address()) is None
    scene.host.answer = None
    assert await scene.documents.find(scene.address()) is None
    assert len(scene.host.requests) == 2
    scene.now += REFUSED_S
    assert await scene.documents.find(scene.address()) is not None


async def test_a_known_client_stays_for_hours_while_its_host_is_down_and_not_longer(scene: Scene) -> None:
    first = await scene.documents.find(scene.address())
    scene.host.answer = lambda: Response(status_code=503)
    end = scene.now + SHORTEST_FRESH_S + STALE_S
    while scene.now + 600 < end:
        scene.now += 600
        assert await scene.documents.find(scene.address()) == first
    scene.now = end
    assert await scene.is_unknown(scene.address())


async def test_strangers_cannot_make_us_send_many_requests_and_known_clients_stay(scene: Scene) -> None:
    known = scene.address()
    assert await scene.documents.find(known) is not None
    for number in range(2 * MOST_FETCHES):
        assert await scene.is_unknown(scene.address(f"/{number}"))
    assert len(scene.host.requests) == MOST_FETCHES
    scene.now += SHORTEST_FRESH_S - 1
    for number in range(2 * MOST_FETCHES):
        assert await scene.is_unknown(scene.address(f"/later{number}"))
    assert len(scene.host.requests) == 2 * MOST_FETCHES
    scene.now += 1
    assert await scene.documents.find(known) is not None
    assert len(scene.host.requests) == 2 * MOST_FETCHES + 1
    # One that was only crowded out is not refused for longer than the crowd.
    scene.now += WITHIN_S
    scene.host.client_id = scene.address(f"/{2 * MOST_FETCHES - 1}")
    assert await scene.documents.find(scene.host.client_id) is not None


async def test_a_client_that_people_use_is_never_taken_for_one_that_is_gone(
    scene: Scene, tmp_path: Path
) -> None:
    async with opened(tmp_path / "site", documented=scene.documents) as site:
        client = site.client(id=scene.address(), redirect="http://127.0.0.1:41765/callback")
        await scene.documents.mark_used(client.id)
        # Nobody used it for a night, and its host is down. A client that hears invalid_client forgets its tokens.
        scene.host.answer = lambda: Response(status_code=503)
        assert refusal(await client.refresh("bi_rt_x")) == (503, "temporarily_unavailable")
        page = await site.browser().open(client.address())
        assert (page.status, "could not be asked" in page.words) == (503, True)
        # The host is back, and strangers use up what is fetched for them.
        scene.host.answer = None
        scene.now += REFUSED_S
        for number in range(2 * MOST_FETCHES):
            assert await scene.is_unknown(scene.address(f"/{number}"))
        assert refusal(await client.refresh("bi_rt_x")) == (400, "invalid_grant")
        stranger = site.client(id=scene.address("/new"), redirect="http://127.0.0.1:41765/callback")
        assert refusal(await stranger.refresh("bi_rt_x")) == (503, "temporarily_unavailable")


async def test_at_once_few_are_fetched_and_one_address_once(scene: Scene) -> None:
    all_arrived, go_on = anyio.Event(), anyio.Event()

    async def waiting() -> AsyncIterator[bytes]:
        if len(scene.host.requests) == MOST_AT_ONCE:
            all_arrived.set()
        await go_on.wait()
        yield scene.host.body().encode()

    scene.host.answer = lambda: StreamingResponse(waiting(), media_type="application/json")
    found: list[object] = []

    async def find(path: str) -> None:
        found.append(await scene.documents.find(scene.address(path)))

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for number in range(MOST_AT_ONCE - 1):
                group.start_soon(find, f"/{number}")
            for _ in range(5):
                group.start_soon(find, "/client.json")
            await all_arrived.wait()
            with pytest.raises(AuthorisationError):
                await find("/one-too-many")
            go_on.set()
    assert len([client for client in found if client is not None]) == 5
    assert len(scene.host.requests) == MOST_AT_ONCE


async def test_a_sign_in_shows_the_host_that_vouches_and_answers_go_where_the_document_says(
    scene: Scene, tmp_path: Path
) -> None:
    async with opened(tmp_path / "site", documented=scene.documents) as site:
        client = site.client(id=scene.address(), redirect="http://127.0.0.1:41765/callback")
        page = await site.browser().open(client.address())
        assert page.status == 200
        assert "Claude" in page.words
        assert f"{HOST}:{scene.port}" in page.words
        for foreign in ("https://evil.example/callback", "http://127.0.0.1:41765/other", REDIRECTS[0] + "/"):
            refused = await site.browser().open(client.address(redirect_uri=foreign))
            assert (refused.status, refused.left) == (400, False)
        scene.host.answer = lambda: Response(status_code=404)
        unknown = await site.browser().open(client.address(client_id=scene.address("/other.json")))
        assert (unknown.status, unknown.left) == (400, False)
        # The code is exchanged by the same document: an unknown code is refused for itself, not for its client.
        assert (await client.exchange("bi_code_unknown")).json()["error"] == "invalid_grant"
