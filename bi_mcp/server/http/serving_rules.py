"""Pure: rules for starting the server. Each refusal names the option or variable that answers it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bi_mcp.base.language import say, text
from bi_mcp.base.web_address import split_address
from bi_mcp.errors import ConfigError
from bi_mcp.server.http.options import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bi_mcp.config import HttpSettings
    from bi_mcp.server.http.options import HttpOptions

SHORTEST_SECRET = 32
MAKE_ONE = text('Make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"')

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(:[0-9]{1,5})?")
_ORIGIN = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+)(:[0-9]{1,5})?/?"
)
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")


def require_servable(options: HttpOptions) -> None:
    """Raise `ConfigError` with every reason why the server does not start."""
    problems = check_serving(options)
    if problems:
        reasons = "".join(f"\n- {problem}" for problem in problems)
        raise ConfigError(
            say(
                "bi-mcp does not start on {host} port {port}:{reasons}",
                host=options.host,
                port=options.port,
                reasons=reasons,
            )
        )


def check_serving(options: HttpOptions) -> list[str]:
    """Return the problems that prevent the start, in the order in which one would fix them."""
    return [
        *_check_reach(options),
        *_check_hosts(options),
        *_check_origins(options),
        *_check_tls(options),
        *_check_token(options.settings),
        *_check_oauth(options.settings),
        *_check_store(options.settings),
        *_check_metrics(options.settings),
        *([] if options.max_request_bytes > 0 else [say("--max-request-bytes must be at least 1.")]),
    ]


def _check_reach(options: HttpOptions) -> Iterator[str]:
    if not options.serves_others:
        return
    if not (options.settings.token or options.settings.issuer or options.portals):
        yield (
            say(
                "Anyone could call it. Let people sign in with Bitrix24 (--sign-in), set BI_MCP_HTTP_TOKEN to a bearer token that clients must send, or BI_MCP_HTTP_ISSUER and BI_MCP_HTTP_AUDIENCE to accept the tokens of your OAuth server."
            )
        )
    if not options.allowed_hosts:
        yield say(
            "It does not know its own name. Say with --allow-host NAME which Host headers clients send."
        )
    if not (options.uses_tls or options.behind_proxy):
        yield (
            say(
                "Tokens would travel in clear text. Give a certificate with --tls-cert and --tls-key, or say with --behind-proxy that a proxy in front of it ends TLS."
            )
        )


def _check_hosts(options: HttpOptions) -> Iterator[str]:
    for host in options.allowed_hosts:
        if not _HOST.fullmatch(host):
            yield (
                say(
                    "--allow-host {host!r} is not a Host header. Write a name or a name and a port, such as bi.example or bi.example:8443, without https://, path or wildcard.",
                    host=host,
                )
            )


def _check_origins(options: HttpOptions) -> Iterator[str]:
    for origin in options.allowed_origins:
        found = _ORIGIN.fullmatch(origin)
        if not found:
            yield (
                say(
                    "--allow-origin {origin!r} is not the origin of a page. Write its scheme, name and port, such as https://chat.example or http://localhost:6274, without path or wildcard.",
                    origin=origin,
                )
            )
        elif found["scheme"].lower() == "http" and not is_loopback(found["host"]):
            yield (
                say(
                    "--allow-origin {origin!r} is a page sent in clear text: anyone who changes it on the way could call in its name. Serve it over https.",
                    origin=origin,
                )
            )


def _check_tls(options: HttpOptions) -> Iterator[str]:
    if options.tls_certificate and not options.tls_key:
        yield say(
            "--tls-cert is given without --tls-key. Name the file with the certificate's private key, too."
        )
    if options.tls_key and not options.tls_certificate:
        yield say("--tls-key is given without --tls-cert. Name the file with the certificate, too.")


def _check_token(settings: HttpSettings) -> Iterator[str]:
    if settings.token is None:
        return
    if settings.issuer:
        yield say(
            "BI_MCP_HTTP_TOKEN and BI_MCP_HTTP_ISSUER are both set. Keep one: a fixed token, or an OAuth server's."
        )
    token = settings.token.reveal()
    if len(token) < SHORTEST_SECRET:
        yield say(
            "BI_MCP_HTTP_TOKEN is too short: it takes at least {shortest} characters. {how}",
            shortest=SHORTEST_SECRET,
            how=say(MAKE_ONE),
        )
    if not _TOKEN.fullmatch(token):
        yield say(
            "BI_MCP_HTTP_TOKEN holds characters that an Authorization header cannot carry. {how}",
            how=say(MAKE_ONE),
        )


def _check_metrics(settings: HttpSettings) -> Iterator[str]:
    token = settings.metrics_token
    if token is not None and (len(token.reveal()) < SHORTEST_SECRET or not _TOKEN.fullmatch(token.reveal())):
        yield say(
            "BI_MCP_METRICS_TOKEN must have at least {shortest} characters that an Authorization header can carry. {how}",
            shortest=SHORTEST_SECRET,
            how=say(MAKE_ONE),
        )


def _check_oauth(settings: HttpSettings) -> Iterator[str]:
    if settings.issuer and not settings.audience:
        yield (
            say(
                "BI_MCP_HTTP_ISSUER is set without BI_MCP_HTTP_AUDIENCE. Name the audience that tokens for this server carry: without it a token for any other service of that issuer would be accepted."
            )
        )
    if not settings.issuer and (settings.audience or settings.jwks):
        yield say(
            "BI_MCP_HTTP_AUDIENCE or BI_MCP_HTTP_JWKS is set without BI_MCP_HTTP_ISSUER. Name the OAuth server, too."
        )
    for name, address in (("BI_MCP_HTTP_ISSUER", settings.issuer), ("BI_MCP_HTTP_JWKS", settings.jwks)):
        if address and not is_trustworthy(address):
            yield say(
                "{name} must be an https address: anyone who can change its answers can make tokens.",
                name=name,
            )


def is_trustworthy(address: str) -> bool:
    """Return whether the answer cannot be changed on the way: https, or http on this machine."""
    parts = split_address(address)
    if parts is None or not parts.hostname or parts.username or parts.query or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))


def _check_store(settings: HttpSettings) -> Iterator[str]:
    if settings.shared_store is None:
        if settings.shared_key:
            yield say(
                "BI_MCP_SHARED_KEY is set without BI_MCP_SHARED_STORE. Say where replicas keep what they share."
            )
        return
    parts = split_address(settings.shared_store.reveal())
    if parts is None or parts.scheme not in ("redis", "rediss") or not parts.hostname:
        yield say(
            "BI_MCP_SHARED_STORE must be redis://HOST:PORT/DATABASE, or rediss:// for TLS: replicas share their state in Redis. A single server needs no store; do not set the variable there."
        )
        return
    if settings.shared_key is None:
        yield say(
            "BI_MCP_SHARED_STORE is on the network and holds tokens. Set BI_MCP_SHARED_KEY, the same on every replica, to encrypt them. {how}",
            how=say(MAKE_ONE),
        )
    elif len(settings.shared_key.reveal()) < SHORTEST_SECRET:
        yield say(
            "BI_MCP_SHARED_KEY is too short: it takes at least {shortest} characters. {how}",
            shortest=SHORTEST_SECRET,
            how=say(MAKE_ONE),
        )
