"""When the server refuses to start over HTTP, and what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.config import HttpSettings, http_settings
from bi_mcp.errors import ConfigError
from bi_mcp.server.http.options import HttpOptions
from bi_mcp.server.http.serving_rules import check_serving, require_servable

TOKEN = Secret("a-token-of-exactly-32-characters")
TEAM = HttpOptions(
    host="0.0.0.0", allowed_hosts=("bi.example",), behind_proxy=True, settings=HttpSettings(token=TOKEN)
)
OAUTH = HttpSettings(issuer="https://login.example/realm", audience="https://bi.example/mcp")
KEY = Secret("k" * 32)


def test_loopback_needs_nothing() -> None:
    assert check_serving(HttpOptions()) == []
    assert check_serving(HttpOptions(host="::1")) == []
    assert check_serving(HttpOptions(host="localhost", allowed_hosts=("localhost:8080",))) == []


@pytest.mark.parametrize(
    "options",
    [
        TEAM,
        replace(TEAM, settings=OAUTH),
        replace(TEAM, behind_proxy=False, tls_certificate=Path("c.pem"), tls_key=Path("k.pem")),
        replace(TEAM, host="::", allowed_hosts=("bi.example:8443", "[2001:db8::1]", "10.0.0.7")),
        replace(
            TEAM,
            settings=HttpSettings(
                token=TOKEN, shared_store=Secret("redis://:pw@store:6379/0"), shared_key=KEY
            ),
        ),
        replace(
            TEAM,
            settings=HttpSettings(token=TOKEN, shared_store=Secret("rediss://store"), shared_key=KEY),
        ),
    ],
)
def test_a_protected_server_may_start(options: HttpOptions) -> None:
    assert check_serving(options) == []


@pytest.mark.parametrize(
    "reachable",
    [
        {"host": "0.0.0.0"},
        {"host": "192.168.1.5"},
        {"behind_proxy": True},
        {"allowed_hosts": ("bi.example",)},
    ],
)
def test_whoever_may_be_reached_from_outside_needs_access_control(reachable: dict[str, Any]) -> None:
    problems = "\n".join(check_serving(HttpOptions(**reachable)))
    assert "BI_MCP_HTTP_TOKEN" in problems
    assert "BI_MCP_HTTP_ISSUER" in problems


def without(**changes: Any) -> HttpOptions:
    return replace(TEAM, **changes)


def with_settings(**changes: Any) -> HttpOptions:
    return replace(TEAM, settings=replace(HttpSettings(token=TOKEN), **changes))


REFUSALS: dict[str, tuple[HttpOptions, str]] = {
    "no token": (without(settings=HttpSettings()), "BI_MCP_HTTP_TOKEN"),
    "no name": (without(allowed_hosts=()), "--allow-host"),
    "no TLS": (without(behind_proxy=False), "--tls-cert"),
    "no TLS, no proxy": (without(behind_proxy=False), "--behind-proxy"),
    "an address for a name": (without(allowed_hosts=("https://bi.example/",)), "--allow-host"),
    "a wildcard": (without(allowed_hosts=("*",)), "--allow-host"),
    "certificate without key": (without(tls_certificate=Path("c.pem")), "--tls-key"),
    "key without certificate": (without(tls_key=Path("k.pem")), "--tls-cert"),
    "short token": (with_settings(token=Secret("short")), "at least 32 characters"),
    "token with a blank": (with_settings(token=Secret("two words " * 4)), "Authorization header"),
    "token and OAuth": (with_settings(issuer="https://login.example", audience="bi"), "Keep one"),
    "no audience": (with_settings(token=None, issuer="https://login.example"), "BI_MCP_HTTP_AUDIENCE"),
    "no issuer": (with_settings(audience="bi"), "BI_MCP_HTTP_ISSUER"),
    "issuer without TLS": (
        with_settings(token=None, issuer="http://login.example", audience="bi"),
        "BI_MCP_HTTP_ISSUER must be an https address",
    ),
    "keys without TLS": (
        with_settings(token=None, issuer="https://login.example", audience="bi", jwks="http://keys.example"),
        "BI_MCP_HTTP_JWKS must be an https address",
    ),
    "unknown store": (with_settings(shared_store=Secret("mongodb://store")), "BI_MCP_SHARED_STORE must be"),
    "store without host": (with_settings(shared_store=Secret("redis:///0")), "BI_MCP_SHARED_STORE must be"),
    "store in a folder": (
        with_settings(shared_store=Secret("file:///srv/bi-mcp")),
        "replicas share their state in Redis",
    ),
    "store with a bad port": (
        with_settings(shared_store=Secret("redis://a:b:c")),
        "BI_MCP_SHARED_STORE must",
    ),
    "metrics for anybody": (with_settings(metrics_token=Secret("short")), "BI_MCP_METRICS_TOKEN must have"),
    "redis in clear": (with_settings(shared_store=Secret("redis://store")), "BI_MCP_SHARED_KEY"),
    "TLS to Redis, values in clear": (
        with_settings(shared_store=Secret("rediss://store")),
        "BI_MCP_SHARED_KEY",
    ),
    "short key": (
        with_settings(shared_store=Secret("redis://store"), shared_key=Secret("short")),
        "BI_MCP_SHARED_KEY is too short",
    ),
    "key without store": (with_settings(shared_key=KEY), "BI_MCP_SHARED_STORE"),
    "no size": (without(max_request_bytes=0), "--max-request-bytes"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_it_refuses_and_names_what_to_set(name: str) -> None:
    options, expected = REFUSALS[name]
    problems = check_serving(options)
    assert len(problems) == 1
    assert expected in problems[0]


def test_all_reasons_are_told_at_once_and_no_secret_among_them() -> None:
    settings = HttpSettings(token=Secret("hunter2"), shared_store=Secret("redis://:hunter3@store"))
    with pytest.raises(ConfigError) as raised:
        require_servable(HttpOptions(host="0.0.0.0", settings=settings))
    text = str(raised.value)
    assert text.count("\n- ") == 4
    assert "hunter" not in text


@pytest.mark.parametrize(
    "origin",
    ["https://chat.example", "https://chat.example:8443/", "http://localhost:6274", "vscode-webview://x"],
)
def test_origins_of_pages_are_accepted(origin: str) -> None:
    assert check_serving(replace(TEAM, allowed_origins=(origin,))) == []


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ("*", "is not the origin of a page"),
        ("null", "is not the origin of a page"),
        ("https://*.example", "is not the origin of a page"),
        ("https://chat.example/path", "is not the origin of a page"),
        ("chat.example", "is not the origin of a page"),
        ("http://chat.example", "sent in clear text"),
    ],
)
def test_what_is_no_origin_or_could_be_changed_on_its_way_is_refused(origin: str, said: str) -> None:
    problems = check_serving(replace(TEAM, allowed_origins=(origin,)))
    assert len(problems) == 1
    assert said in problems[0]


def test_the_settings_come_from_the_environment() -> None:
    read = http_settings(
        {
            "BI_MCP_HTTP_TOKEN": "t",
            "BI_MCP_HTTP_ISSUER": "i",
            "BI_MCP_HTTP_AUDIENCE": "a",
            "BI_MCP_HTTP_JWKS": "j",
            "BI_MCP_SHARED_STORE": "s",
            "BI_MCP_SHARED_KEY": "k",
        }
    )
    assert read == HttpSettings(
        token=Secret("t"),
        issuer="i",
        audience="a",
        jwks="j",
        shared_store=Secret("s"),
        shared_key=Secret("k"),
    )
    assert http_settings({"BI_MCP_HTTP_TOKEN": ""}) == HttpSettings()
