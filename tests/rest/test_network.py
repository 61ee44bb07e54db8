"""The way out as the environment names it: proxies, hosts that need none, certificates; and what is said of faults in these."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx
import pytest
from anyio.abc import SocketStream

from bi_mcp.auth.client import OAuthClient
from bi_mcp.auth.token import Application
from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.secret import Secret
from bi_mcp.endpoints import exchange
from bi_mcp.errors import ConfigError, UnreachableError
from bi_mcp.rest import AccessToken, network
from bi_mcp.rest.methods import method
from bi_mcp.rest.network import WayOut, find_way_out, open_client
from bi_mcp.rest.patience import PatientTransport
from bi_mcp.rest.request import Command
from bi_mcp.rest.retry import may_repeat
from bi_mcp.rest.transport import HttpTransport
from bi_mcp.server.http.signing_keys import SigningKeys
from tests.endpoints.services import make_certificate
from tests.practice.portal.serving import served
from tests.rest.calling import TOKEN, UrlCheck, portal_app
from tests.server.http import certificate

pytestmark = pytest.mark.anyio

PORTAL = "https://portal.example/rest/"
PROXY = "http://proxy.example:3128"
LIST = method("connector", "list")
VARIABLES = (
    *network.PROXY_VARIABLES, "http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def transport(address: str = "https://portal.example") -> HttpTransport:
    return HttpTransport(address, AccessToken(Secret(TOKEN)))


def proxy_for(address: str, **environment: str) -> str | None:
    return find_way_out(address, environment).proxy


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (PROXY, PROXY),
        (" proxy.example:3128\n", PROXY),
        ("http://ann:p%40ss@proxy.example:3128/", "http://ann:p%40ss@proxy.example:3128"),
        ("https://[fd07::1]:3129", "https://[fd07::1]:3129"),
        ("socks5://127.0.0.1:1080", "socks5://127.0.0.1:1080"),
        ("socks5h://proxy:1080", "socks5h://proxy:1080"),
    ],
)
def test_a_proxy_is_read_as_people_write_it(value: str, read: str) -> None:
    assert proxy_for(PORTAL, HTTPS_PROXY=value) == read
    assert proxy_for(PORTAL, ALL_PROXY=value) == read


@pytest.mark.parametrize(
    "value",
    [
        "http://ann:canary@proxy.example:port", "http://ann:canary@[::1", "http://ann:can/ary@proxy:1",
        "socks4://canary:1080", "ftp://canary", "http://", "://", "http://canary:99999", "http://canary:0",
        "http://canary proxy:1", "http://proxy:1/?canary", "http://ann:canary\x07@proxy:1", "http://[::g]:1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("variable", network.PROXY_VARIABLES)
def test_a_proxy_that_cannot_be_read_is_refused_by_the_name_of_its_variable(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=rf"^{variable} does not name a proxy") as refused:
        transport()
    assert "canary" not in str(refused.value)


def test_a_socks_proxy_without_its_package_is_refused_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(network, "find_spec", lambda _: None)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    with pytest.raises(
        ConfigError, match=r'ALL_PROXY names a SOCKS proxy.*pip install "bitrix24-bi-mcp\[socks\]"'
    ):
        transport()


def test_the_proxy_of_https_counts_before_that_of_everything_and_lower_case_before_upper() -> None:
    both = {"ALL_PROXY": "http://all:1", "HTTPS_PROXY": "http://upper:1", "https_proxy": "http://lower:1"}
    assert [find_way_out(PORTAL, dict(list(both.items())[:count])).variable for count in (1, 2, 3)] == [
        "ALL_PROXY", "HTTPS_PROXY", "https_proxy",
    ]  # fmt: skip


def test_plain_http_knows_no_proxy_and_trusts_nobody() -> None:
    way = find_way_out("http://127.0.0.1/rest/", {"HTTPS_PROXY": PROXY, "ALL_PROXY": "http://[::1"})
    assert way.proxy is None
    assert way.certificates is not None
    assert way.certificates.get_ca_certs() == []


@pytest.mark.parametrize(
    ("host", "entries"),
    [
        ("portal.example", "*"), ("portal.example", "portal.example"), ("portal.example", "PORTAL.example."),
        ("portal.example", ".example"), ("portal.example", "*.example"), ("portal.example", "portal.example:443"),
        ("portal.example", "https://portal.example/"), ("portal.example:8443", "other,portal.example:8443"),
        ("portal.example", "fd07::/64 [::1]:80 portal.example"), ("10.1.2.3", "10.0.0.0/8"), ("10.1.2.3", "10.1.2.3"),
        ("[fd07::5]", "fd07::/64"), ("[::1]", "[::1]"), ("[::1]", "::1"), ("[::1]:80", "[::1]:80"),
    ],
)  # fmt: skip
def test_a_host_of_no_proxy_is_reached_directly(host: str, entries: str) -> None:
    assert proxy_for(f"https://{host}/rest/", HTTPS_PROXY=PROXY, NO_PROXY=entries) is None
    assert proxy_for(f"https://{host}/rest/", HTTPS_PROXY=PROXY, no_proxy=entries) is None


@pytest.mark.parametrize(
    ("host", "entries"),
    [
        ("portal.example", ""), ("portal.example", "[::1]:80,fd07::/64,[::1,http://[,:,://,%zz,10.0.0.0/99,[]"),
        ("portal.example", "tal.example"), ("portal.example", "portal.example:8443"), ("portal.example", ".,*."),
        ("10.1.2.3", "11.0.0.0/8,10.1.2,.3"), ("[::1]", "[::1]:80,127.0.0.1"), ("10.1.2.3", "portal.example,x/y"),
    ],
)  # fmt: skip
def test_other_hosts_and_entries_that_cannot_be_read_leave_the_proxy(host: str, entries: str) -> None:
    assert proxy_for(f"https://{host}/rest/", HTTPS_PROXY=PROXY, NO_PROXY=entries) == PROXY


def test_the_login_of_a_proxy_does_not_show() -> None:
    assert "canary" not in repr(WayOut(proxy="http://ann:canary@proxy:1"))


def _no_certificates(folder: Path) -> dict[str, str]:
    text = folder / "text.pem"
    text.write_text("canary", encoding="utf-8")
    return {
        "missing": str(folder / "missing.pem"),
        "a folder": str(folder),
        "no PEM": str(text),
        "null": "a\ud800b",
    }


@pytest.mark.parametrize("fault", ["missing", "a folder", "no PEM", "null"])
def test_certificates_that_cannot_be_read_are_refused_by_the_name_of_their_variable(
    fault: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"^SSL_CERT_FILE names certificates that cannot be read"):
        find_way_out(PORTAL, {"SSL_CERT_FILE": _no_certificates(tmp_path)[fault]})


def test_a_folder_of_certificates_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^SSL_CERT_DIR names certificates that cannot be read"):
        find_way_out(PORTAL, {"SSL_CERT_DIR": str(tmp_path / "missing")})
    assert find_way_out(PORTAL, {"SSL_CERT_DIR": str(tmp_path)}).certificates is not None


def test_a_log_of_keys_that_cannot_be_written_is_refused_by_everything_that_makes_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "missing" / "keys.log"))
    exchange.certificates_of_authorities.cache_clear()
    application = Application("id", Secret("app-secret"), "https://oauth.example")
    for connect in (
        transport,
        exchange.certificates_of_authorities,
        lambda: anyio.run(
            OAuthClient(login=advise(AdviceKind.LOG_IN)).refresh, application, Secret("refresh")
        ),
        lambda: SigningKeys("https://issuer.example"),
    ):
        with pytest.raises(ConfigError, match=r"^SSLKEYLOGFILE names a file that cannot be written"):
            connect()


def test_a_server_in_the_same_process_needs_no_log_of_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "missing" / "keys.log"))
    inside = httpx.MockTransport(lambda _: httpx.Response(200))
    client, variable = open_client("http://localhost", httpx.Timeout(1), inside)
    assert (client.is_closed, variable) == (False, "")


def files_for_loopback(folder: Path) -> tuple[str, str]:
    pem, key = certificate.make_certificate(folder)
    return str(pem), str(key)


@pytest.mark.parametrize("host", ["127.0.0.1", "portal.example"])
async def test_a_certificate_that_does_not_hold_is_named_and_not_tried_again(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, said = files_for_loopback(tmp_path), "is not trusted"
    if host == "portal.example":
        (files, _), said = make_certificate(tmp_path), "is for another name"
        monkeypatch.setenv("SSL_CERT_FILE", files[0])
    async with served(portal_app("tables", "result", UrlCheck()), certificate=files) as address:
        called = PatientTransport(transport(f"https://{address}"))
        with pytest.raises(UnreachableError) as failed:
            await called.send(Command(LIST, {}))
        await called.aclose()
        with pytest.raises(UnreachableError) as login:
            await OAuthClient(login=advise(AdviceKind.LOG_IN)).refresh(
                Application("id", Secret("app-secret"), f"https://{address}"), Secret("refresh")
            )
    for error in (failed.value, login.value):
        assert f"the certificate of {address} {said}" in str(error)
        assert "SSL_CERT_FILE" in str(error)
        assert "Tried" not in str(error)
        assert not error.may_have_happened
        assert not may_repeat(LIST, error)


async def test_an_authority_of_the_environment_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = files_for_loopback(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", files[0])
    async with served(portal_app("tables", "result", UrlCheck()), certificate=files) as address:
        called = transport(f"https://{address}")
        assert (await called.send(Command(LIST, {}))).result is not None
        await called.aclose()


@asynccontextmanager
async def answering_proxy(answers: Sequence[bytes], seen: list[bytes]) -> AsyncIterator[str]:
    """A proxy that writes down what it gets, gives these answers one after the other, and goes."""

    async def serve(stream: SocketStream) -> None:
        async with stream:
            for answer in answers:
                seen.append(await stream.receive())
                await stream.send(answer)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield f"127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}"  # noqa: S610 - not Django
        group.cancel_scope.cancel()


async def test_a_call_goes_through_the_proxy_and_its_refusal_names_the_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[bytes] = []
    refusing = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    async with answering_proxy([refusing], seen) as address:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ann:canary@{address}")
        called = transport()
        with pytest.raises(
            UnreachableError, match=r"goes through the proxy that HTTPS_PROXY names"
        ) as failed:
            await called.send(Command(LIST, {}))
        await called.aclose()
    assert seen[0].startswith(b"CONNECT portal.example:443 HTTP/1.1")
    assert b"Proxy-Authorization: Basic" in seen[0]
    assert "canary" not in str(failed.value)


async def test_a_socks_proxy_is_spoken_to_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    async with answering_proxy([b"\x05\x00", b"\x05\x00\x00\x01" + bytes(6)], seen) as address:
        monkeypatch.setenv("ALL_PROXY", f"socks5://{address}")
        called = transport()
        with pytest.raises(UnreachableError, match=r"goes through the proxy that ALL_PROXY names"):
            await called.send(Command(LIST, {}))
        await called.aclose()
    assert seen == [b"\x05\x01\x00", b"\x05\x01\x00\x03\x0eportal.example\x01\xbb"]


def test_the_certificates_of_a_browser_are_trusted_where_the_environment_names_none() -> None:
    assert find_way_out(PORTAL, {}).certificates is None
    context = transport()._client._transport._pool._ssl_context  # type: ignore[attr-defined]
    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
