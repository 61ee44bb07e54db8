"""The browser of a person who signs in: it belongs to the test, follows the pages, and says where it ended."""

from __future__ import annotations

import asyncio
import urllib.request
from urllib.parse import parse_qs, urlsplit

# Nobody listens here: the browser stops at this address and says what it was to bring.
RETURN = "http://127.0.0.1:41765/callback"
NAME = "Client of a test"


class Browsing:
    """One sign-in. `browser` is the address of the test's browser, which takes an address and answers with another."""

    def __init__(self, browser: str) -> None:
        self.browser = browser
        self.returned: dict[str, str] = {}

    async def open(self, address: str) -> None:
        await asyncio.to_thread(self._open, address)

    def _open(self, address: str) -> None:
        with urllib.request.urlopen(self.browser, data=address.encode()) as answer:  # noqa: S310  the address of the test
            ended: str = answer.read().decode()
        if not ended.startswith(RETURN):
            raise SystemExit(f"The sign-in ended at {ended}")
        self.returned = {name: values[0] for name, values in parse_qs(urlsplit(ended).query).items()}
