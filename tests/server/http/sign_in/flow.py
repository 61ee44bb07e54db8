"""An MCP client's OAuth by hand, so that each step can be taken alone, twice, or wrongly."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import httpx2

from tests.server.http.serving import ACCEPT, HELLO

# Nobody listens here: the browser stops at this address, and the test reads what it was to bring.
RETURN = "http://127.0.0.1:41765/callback"
BOTH = "bi:read bi:write"


def challenge_of(verifier: str) -> str:
    """PKCE's S256."""
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class HandMadeClient:
    """A client of the server at `origin`. `verifier` and `state` are those of its last sign-in."""

    origin: str
    http: httpx2.AsyncClient
    redirect: str = RETURN
    name: str = "Hand-made client"
    id: str = ""
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    @property
    def resource(self) -> str:
        return f"{self.origin}/mcp"

    async def register(self, **changes: Any) -> httpx2.Response:
        """Register as a public client, and remember the id."""
        metadata = {
            "client_name": self.name,
            "redirect_uris": [self.redirect],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        }
        answer = await self.http.post(f"{self.origin}/register", json={**metadata, **changes})
        if answer.is_success:
            self.id = answer.json()["client_id"]
        return answer

    def address(self, **changes: str | None) -> str:
        """Where a sign-in begins; a parameter that is None is left out."""
        asked = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": self.redirect,
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            "scope": BOTH,
            "state": self.state,
            "resource": self.resource,
        }
        sent = {name: value for name, value in {**asked, **changes}.items() if value is not None}
        return f"{self.origin}/authorize?{urlencode(sent)}"

    async def exchange(self, code: str, **changes: str | None) -> httpx2.Response:
        """Exchange a code."""
        return await self._token(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self.redirect,
                "code_verifier": self.verifier,
                **changes,
            }
        )

    async def refresh(self, token: str, **changes: str | None) -> httpx2.Response:
        """Exchange a refresh token."""
        return await self._token({"grant_type": "refresh_token", "refresh_token": token, **changes})

    async def _token(self, grant: dict[str, str | None]) -> httpx2.Response:
        sent = {"client_id": self.id, "resource": self.resource, **grant}
        given = {name: value for name, value in sent.items() if value is not None}
        return await self.http.post(f"{self.origin}/token", data=given)

    async def greet(self, token: str) -> httpx2.Response:
        """Say the first words of MCP with an access token."""
        headers = ACCEPT | {"Authorization": f"Bearer {token}"}
        return await self.http.post(self.resource, json=HELLO, headers=headers)


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    """Status and error code of an answer in OAuth's form. It must hold nothing else than an error, and may not be kept."""
    assert answer.headers["cache-control"] == "no-store", answer.headers
    body = answer.json()
    assert set(body) <= {"error", "error_description", "error_uri"}, body
    return answer.status_code, body["error"]
