"""The portal's own calls: a connector's `urlCheck`."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlencode

import anyio
import httpx2
from starlette.types import ASGIApp

# Bitrix24 waits 250 s for a connection and 60 s for the body. Here whoever tries a connector out is waiting, and an
# address that does not answer within this time will not answer at all.
CHECK_TIMEOUT_S = 30.0


class Outbound:
    """`connectors` are in-process connectors by origin; every other address is called over the network.

    Unlike the cloud, this portal calls local addresses too: that is where connectors are developed.
    """

    def __init__(self, connectors: Mapping[str, ASGIApp], *, timeout_s: float = CHECK_TIMEOUT_S) -> None:
        self._connectors = connectors
        self._timeout_s = timeout_s

    async def url_check(self, url: str, connection: Mapping[str, str]) -> bool:
        """Say whether the connector accepts the connection: HTTP 200 itself, without a redirect, and a body."""
        try:
            with anyio.fail_after(self._timeout_s):
                return await self._answers(url, _form(connection))
        # ValueError: an address that is no URL at all.
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError):
            return False

    async def _answers(self, url: str, form: str) -> bool:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        async with (
            self._client() as client,
            client.stream("POST", url, content=form, headers=headers) as answer,
        ):
            if answer.status_code != 200:
                return False
            # The first bytes decide: a connector that never stops sending must not fill the memory.
            async for chunk in answer.aiter_bytes():
                if chunk:
                    return True
        return False

    def _client(self) -> httpx2.AsyncClient:
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
            follow_redirects=False,
        )


@lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    return httpx2.create_ssl_context(trust_env=False)


def _form(connection: Mapping[str, str]) -> str:
    return urlencode({f"connection[{code}]": value for code, value in connection.items()})
