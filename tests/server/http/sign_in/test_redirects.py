from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bi_mcp.server.http.sign_in.redirects import (
    Kind,
    destination_of,
    find_registered,
    kind_of,
    with_parameters,
)

ALLOWED = {
    "https://claude.ai/api/mcp/auth_callback": Kind.WEB,
    "https://chat.example:8443/cb?from=bi": Kind.WEB,
    "http://127.0.0.1:33418/": Kind.LOOPBACK,
    "http://127.0.0.1/callback": Kind.LOOPBACK,
    "http://[::1]:1/cb": Kind.LOOPBACK,
    "http://localhost:6274/oauth/callback": Kind.LOOPBACK,
    "cursor://anysphere.cursor-retrieval/oauth/callback": Kind.PRIVATE,
    "vscode://vscode.github-authentication/did-authenticate": Kind.PRIVATE,
    "com.example.app:/cb": Kind.PRIVATE,
}
FORBIDDEN = [
    "",
    "/cb",
    "//evil.example/cb",
    "https://",
    "https:///cb",
    "http://evil.example/cb",
    "http://127.0.0.1.evil.example/cb",
    "http://localhost.evil.example/cb",
    "http://127.1/cb",
    "http://2130706433/cb",
    "http://0.0.0.0/cb",
    "http://[::ffff:127.0.0.1]/cb",
    "https://client.example/cb#fragment",
    "https://client.example/cb#",
    "https://user@client.example/cb",
    "https://client.example@evil.example/cb",
    "http://localhost:80@evil.example/cb",
    "https://client.example\\@evil.example/cb",
    "https://client.example/c b",
    "https://client.example/cb\r\nSet-Cookie: a=b",
    "https://client.example/кб",
    "https://client.example:99999/cb",
    "https://*.example/cb",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,hello",
    "file:///etc/passwd",
    "vbscript:x",
    "blob:https://client.example/1",
    "view-source:https://client.example",
    "intent://x#Intent;end",
    "ms-msdt:/id",
    "x-apple.systempreferences:com.apple.preference",
    "shortcuts://run-shortcut?name=x",
    "itms-services://?action=download-manifest",
    "appinstaller:?source=x",
    "search-ms:query=x",
    "ftp://client.example/cb",
    "ws://127.0.0.1/cb",
    "mailto:me@client.example",
    "urn:ietf:wg:oauth:2.0:oob",
    "c:/windows",
    f"https://client.example/{'x' * 2048}",
]


@pytest.mark.parametrize(("address", "kind"), ALLOWED.items())
def test_a_client_may_use_its_own_site_program_or_scheme(address: str, kind: Kind) -> None:
    assert kind_of(address) is kind
    assert find_registered(address, [address]) == address


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_client_may_not_use(address: str) -> None:
    assert kind_of(address) is None
    assert find_registered(address, [address]) is None


@pytest.mark.parametrize(
    ("asked", "registered"),
    [
        ("http://127.0.0.1:50000/cb", "http://127.0.0.1/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:3000/cb"),
        ("http://[::1]:50000/cb?a=b", "http://[::1]:1/cb?a=b"),
        ("http://localhost:50000/cb", "http://localhost:3000/cb"),
        ("http://LOCALHOST:50000/cb", "http://localhost:3000/cb"),
        ("http://127.0.0.1:33418/", "http://127.0.0.1"),
        ("http://127.0.0.1:33418", "http://127.0.0.1/"),
    ],
)
def test_a_program_on_this_machine_may_listen_on_any_port(asked: str, registered: str) -> None:
    assert find_registered(asked, ["https://client.example/cb", registered]) == registered


@pytest.mark.parametrize(
    ("asked", "registered"),
    [
        ("https://client.example/cb/", "https://client.example/cb"),
        ("https://client.example/CB", "https://client.example/cb"),
        ("https://client.example/cb?a=b", "https://client.example/cb"),
        ("https://client.example/x/../cb", "https://client.example/cb"),
        ("https://client.example/%63b", "https://client.example/cb"),
        ("https://client.example:8443/cb", "https://client.example/cb"),
        ("https://evil.client.example/cb", "https://client.example/cb"),
        ("http://client.example/cb", "https://client.example/cb"),
        ("https://localhost:2/cb", "https://localhost:1/cb"),
        ("http://127.0.0.1:1/other", "http://127.0.0.1:1/cb"),
        ("http://127.0.0.1:1/cb/x", "http://127.0.0.1:1/cb"),
        ("http://127.0.0.1:1/cb?a=b", "http://127.0.0.1:1/cb"),
        ("http://localhost:1/cb", "http://127.0.0.1:1/cb"),
        ("http://[::1]:1/cb", "http://127.0.0.1:1/cb"),
        ("cursor://a/cb", "cursor://b/cb"),
        ("cursor2://a/cb", "cursor://a/cb"),
    ],
)
def test_all_else_must_be_as_it_was_registered(asked: str, registered: str) -> None:
    assert find_registered(asked, [registered]) is None


def test_a_destination_is_named_by_its_host_or_scheme() -> None:
    assert destination_of("https://client.example:8443/cb?x=y") == "client.example:8443"
    assert destination_of("cursor://anysphere/cb") == "cursor:"


@pytest.mark.parametrize(
    ("address", "answer"),
    [
        ("https://a.example/cb", "https://a.example/cb?code=1&state=a+%26b"),
        ("https://a.example/cb?x=%20y", "https://a.example/cb?x=%20y&code=1&state=a+%26b"),
        ("https://a.example/cb?state=evil&c%6fde=2", "https://a.example/cb?code=1&state=a+%26b"),
        ("com.example.app:/cb", "com.example.app:/cb?code=1&state=a+%26b"),
    ],
)
def test_an_answer_has_each_parameter_once(address: str, answer: str) -> None:
    assert with_parameters(address, code="1", state="a &b", error=None) == answer


_PARTS = {
    "scheme": ["http", "https", "HTTP", "javascript", "cursor", "com.example.app"],
    "login": ["", "a@", "127.0.0.1@", "127.0.0.1:1@"],
    "host": ["127.0.0.1", "localhost", "[::1]", "a.example", "127.0.0.1.a.example", "evil.example", ""],
    "port": ["", ":1", ":2", ":65536", ":x", ":"],
    "path": ["", "/", "/cb", "/cb/", "/CB", "/x/../cb", "//evil.example", "\\@evil.example"],
    "rest": ["", "?", "?a=b", "#", "#x"],
}
_ADDRESSES = st.tuples(*map(st.sampled_from, _PARTS.values())).map(
    lambda parts: f"{parts[0]}://{''.join(parts[1:])}"
)


@settings(deadline=None, max_examples=500)
@given(asked=_ADDRESSES, registered=_ADDRESSES)
def test_what_agrees_differs_in_nothing_but_a_port_of_this_machine(asked: str, registered: str) -> None:
    if find_registered(asked, [registered]) is None or asked == registered:
        return
    ours, theirs = urlsplit(asked), urlsplit(registered)
    assert ours.scheme == theirs.scheme == "http"
    assert ours.hostname == theirs.hostname
    assert ours.hostname in {"127.0.0.1", "localhost", "::1"}
    assert (ours.username, ours.path, ours.query, ours.fragment) == (None, theirs.path, theirs.query, "")


@settings(deadline=None, max_examples=300)
@given(address=st.text(max_size=40) | _ADDRESSES)
def test_an_address_that_is_allowed_leads_where_it_says(address: str) -> None:
    kind = kind_of(address)
    if kind is None:
        return
    parts = urlsplit(address)
    assert address.isascii()
    assert address.isprintable()
    assert not set(address) & set(" \\#")
    assert parts.username is None
    if kind is Kind.LOOPBACK:
        assert parts.hostname in {"127.0.0.1", "localhost", "::1"}
