"""Two people of one portal, and what their clients ask for."""

from __future__ import annotations

from bi_mcp.app.sign_in.asked import Asked
from bi_mcp.auth.person import Person
from bi_mcp.auth.token import Application, Grant, Token
from bi_mcp.base.secret import Secret

PORTAL = "https://acme.bitrix24.example"
ANNA = Person(portal=PORTAL, user_id=7, name="Anna Ivanova", administrator=True)
BORIS = Person(portal=PORTAL, user_id=8, name="Boris Petrov")


def asked(name: str) -> Asked:
    return Asked(
        client_id=f"https://{name.lower().replace(' ', '-')}.example/client.json",
        client_name=name,
        redirect_uri="http://127.0.0.1:33418/callback",
        redirect_uri_given=True,
        state="state-of-the-client",
        code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        scopes=("read", "write"),
        resource="https://bi.example/mcp",
    )


def grant(now: float, name: str = "1") -> Grant:
    """A portal login that was made now."""
    return Grant(
        Application("local.1", Secret("secret-of-the-application"), "https://oauth.bitrix24.tech"),
        Token(Secret(f"access-{name}"), Secret(f"refresh-{name}"), now + 3600, user_id=7),
    )
