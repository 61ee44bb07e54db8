"""The portal's own calls to a connector: its `urlCheck`, and its `urlData` when a chart is opened."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode

import anyio
import httpx2
from starlette.types import ASGIApp

from bi_mcp.practice.portal.chart_failures import ChartFailureError

# Bitrix24 waits 250 s for a connection and 60 s for the body. Here a person who tries a connector out is waiting, and
# an address that does not answer within this time will not answer at all.
CHECK_TIMEOUT_S = 30.0
DATA_TIMEOUT_S = 60.0
LARGEST_ANSWER = 256 * 1024 * 1024

_HEADERS = {"content-type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class ConnectorAnswer:
    """An HTTP answer of a connector, read to its end."""

    status: int
    body: bytes


class Outbound:
    """Caller of connectors. `connectors` are in-process ones by origin; other addresses are called over the network.

    Unlike the cloud, this portal calls local addresses too: connectors are developed there.
    """

    def __init__(
        self,
        connectors: Mapping[str, ASGIApp],
        *,
        timeout_s: float = CHECK_TIMEOUT_S,
        data_timeout_s: float = DATA_TIMEOUT_S,
    ) -> None:
        self._connectors = connectors
        self._timeout_s = timeout_s
        self._data_timeout_s = data_timeout_s

    async def url_check(self, url: str, connection: Mapping[str, str]) -> bool:
        """Check whether the connector accepts the connection: HTTP 200 itself, without a redirect, and a body."""
        form = urlencode({f"connection[{code}]": value for code, value in connection.items()})
        try:
            with anyio.fail_after(self._timeout_s):
                return await self._answers(url, form)
        # ValueError: an address that is not a URL.
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError):
            return False

    async def url_data(self, url: str, form: Sequence[tuple[str, str]]) -> ConnectorAnswer:
        """Post a chart's request. Redirects are followed.

        Raises `ChartFailureError` if no complete answer came.
        """
        try:
            with anyio.fail_after(self._data_timeout_s):
                return await self._whole_answer(url, urlencode(form))
        except (TimeoutError, httpx2.TimeoutException):
            raise ChartFailureError("timeout", seconds=int(self._data_timeout_s)) from None
        # The text of the exception may hold the address, and an address may hold a login.
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError):
            raise ChartFailureError("unreachable") from None

    async def _whole_answer(self, url: str, form: str) -> ConnectorAnswer:
        body = bytearray()
        async with (
            self._client(follow_redirects=True) as client,
            client.stream("POST", url, content=form, headers=_HEADERS) as answer,
        ):
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise ChartFailureError("too_large", megabytes=LARGEST_ANSWER // 2**20)
        return ConnectorAnswer(answer.status_code, bytes(body))

    async def _answers(self, url: str, form: str) -> bool:
        async with (
            self._client(follow_redirects=False) as client,
            client.stream("POST", url, content=form, headers=_HEADERS) as answer,
        ):
            if answer.status_code != 200:
                return False
            # The first bytes decide: a connector that never stops sending must not fill the memory.
            async for chunk in answer.aiter_bytes():
                if chunk:
                    return True
        return False

    def _client(self, *, follow_redirects: bool) -> httpx2.AsyncClient:
        """Build a client for one call: a pool that outlived its event loop would break the next server."""
        mounts = {
            origin: httpx2.ASGITransport(app=app, raise_app_exceptions=False)
            for origin, app in self._connectors.items()
        }
        return httpx2.AsyncClient(
            mounts=mounts,
            verify=_certificates(),
            timeout=self._timeout_s,
            trust_env=False,
            follow_redirects=follow_redirects,
        )


@lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    return httpx2.create_ssl_context(trust_env=False)
