"""An OAuth server as far as a resource server meets it: metadata and keys. And the tokens it would issue."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

AUDIENCE = "https://bi.example/mcp"


@cache
def key(name: str) -> RSAPrivateKey:
    """A key of that name; made once, since it takes a while."""
    return generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Issuer:
    """An ASGI app. `address` is set once it listens; `asked` are the paths that were asked for."""

    keys: list[str] = field(default_factory=lambda: ["one"])
    address: str = ""
    metadata_path: str = "/.well-known/oauth-authorization-server"
    asked: list[str] = field(default_factory=list)
    down: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = Request(scope).url.path
        self.asked.append(path)
        await self._answer(path)(scope, receive, send)

    def _answer(self, path: str) -> Response:
        if self.down:
            return Response("down", 503)
        if path == self.metadata_path:
            return JSONResponse({"issuer": self.address, "jwks_uri": f"{self.address}/keys"})
        if path.endswith("/keys"):
            return JSONResponse({"keys": [public(name) for name in self.keys]})
        return Response("nothing here", 404)

    def token(
        self,
        scope: str | None = "bi:read bi:write",
        *,
        signed_by: str = "one",
        typ: str | None = "JWT",
        **claims: Any,
    ) -> str:
        """An access token. A claim of None is left out, and so is the type."""
        now = int(time.time())
        all_claims = {
            "iss": self.address,
            "aud": AUDIENCE,
            "sub": "anna",
            "client_id": "assistant",
            "exp": now + 3600,
            "scope": scope,
            **claims,
        }
        payload = {name: value for name, value in all_claims.items() if value is not None}
        return jwt.encode(payload, key(signed_by), algorithm="RS256", headers={"kid": signed_by, "typ": typ})


def public(name: str) -> dict[str, Any]:
    """The public half as the issuer shows it."""
    shown: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(key(name).public_key()))
    return shown | {"kid": name, "use": "sig", "alg": "RS256"}
