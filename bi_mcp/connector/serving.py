"""Serve the connector until a signal comes, and end in order."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import ssl
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType

import anyio
import uvicorn
from starlette.applications import Starlette

from bi_mcp.base.bounded_listener import open_listener
from bi_mcp.base.bounded_protocol import BoundedProtocol
from bi_mcp.base.complaints import Seldom
from bi_mcp.base.language import say
from bi_mcp.connector.app import is_loopback
from bi_mcp.connector.configuration import Listening
from bi_mcp.connector.service.service import BrokenAnswerError, Service
from bi_mcp.errors import ConfigError

logger = logging.getLogger("bi_mcp.connector")

# Proxies keep idle connections for a minute or two, and send a request on one that is just being closed.
_KEEP_ALIVE_S = 150
# What a query takes to notice that it was cancelled.
_CANCELLING_S = 5
# What sources take to be closed.
_CLOSING_S = 5
# Where proxies of ours are. The caller is whom the last of them names: what stands before that anyone can have written.
_OWN_NETWORKS = [
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "100.64.0.0/10",
    "::1",
    "fc00::/7",
    "fe80::/10",
]
# Loggers to which strangers can make the connector write.
_COMPLAINERS = ("asyncio", "bi_mcp.base.bounded_listener", "uvicorn.error")


def serve_app(app: Starlette, listening: Listening, started: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C. `started` gets the origin once clients may connect.

    The process must end soon after a signal: what hangs then is ended with it. Raises ConfigError where the connector must not
    or cannot start.
    """
    check_listening(listening)
    for name in _COMPLAINERS:
        logging.getLogger(name).addFilter(Seldom())
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    last = threading.Timer(listening.stop_seconds + _CANCELLING_S + _CLOSING_S, _end_process)
    last.daemon = True
    anyio.run(partial(_serve, app, listening, started, last.start))


def check_listening(listening: Listening) -> None:
    """Raise ConfigError for what the connector must not do: take keys in clear text from other machines."""
    if bool(listening.certificate) != bool(listening.key):
        raise ConfigError(say("A certificate needs its key, and a key its certificate. Give both."))
    if listening.certificate or listening.behind_proxy or is_loopback(listening.host):
        return
    raise ConfigError(
        say(
            "The connector does not start on {host}: access keys would travel in clear text. Give a certificate with --tls-cert and --tls-key, or say with --behind-proxy that a proxy in front of it ends TLS.",
            host=listening.host,
        )
    )


async def _serve(
    app: Starlette, listening: Listening, started: Callable[[str], None], stopping: Callable[[], None]
) -> None:
    with _listen(listening) as listener:
        scheme = "https" if listening.certificate else "http"
        host = f"[{listening.host}]" if ":" in listening.host else listening.host
        # Port 0 is whichever is free.
        origin = f"{scheme}://{host}:{listener.getsockname()[1]}"
        await _Server(app, listening, partial(started, origin), stopping).serve(sockets=[listener])


def _end_process() -> None:
    """End what no signal reaches: a thread that waits for a database, or within a library."""
    logger.warning("ended while something was still running")
    logging.shutdown()
    os._exit(1)


def _nothing() -> None:
    """Leave the process alone."""


class _Server(uvicorn.Server):
    """Ends in order at the first signal: answers that run have their time, then they break off."""

    def __init__(
        self,
        app: Starlette,
        listening: Listening,
        announce: Callable[[], None],
        stopping: Callable[[], None] = _nothing,
    ) -> None:
        self._announce = announce
        self._stopping = stopping
        self._service: Service = app.state.service
        self._stop_seconds = listening.stop_seconds
        super().__init__(
            uvicorn.Config(
                app,
                http=BoundedProtocol,
                ws="none",
                lifespan="on",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=listening.behind_proxy,
                forwarded_allow_ips=_OWN_NETWORKS,
                ssl_certfile=listening.certificate,
                ssl_keyfile=listening.key,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=round(listening.stop_seconds) + _CANCELLING_S,
            )
        )
        _load(self.config)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  the signature of a signal handler
        """Note the signal; a second Ctrl-C ends at once."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so: from here on signals are heard, too."""
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more requests; end the running ones when their time is over."""
        self._service.stopping = True
        self._stopping()
        overdue = asyncio.get_running_loop().call_later(self._stop_seconds, self._service.break_off)
        try:
            await super().shutdown(sockets)
        finally:
            overdue.cancel()


def _load(config: uvicorn.Config) -> None:
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            say(
                "--tls-cert and --tls-key cannot be used ({reason}). Both must be readable PEM files that belong together.",
                reason=error.strerror or type(error).__name__,
            )
        ) from None


def _listen(listening: Listening) -> socket.socket:
    try:
        return open_listener(listening.host, listening.port)
    except OSError as error:
        raise ConfigError(
            say(
                "{host} port {port} cannot be opened: {strerror}. Choose others with --host and --port.",
                host=listening.host,
                port=listening.port,
                strerror=os.strerror(error.errno) if error.errno else error,
            )
        ) from None


def _is_news(record: logging.LogRecord) -> bool:
    """Leave out what the connector's own log has told: that an answer broke off, and why."""
    return not (record.exc_info and isinstance(record.exc_info[1], BrokenAnswerError))
