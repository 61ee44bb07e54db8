"""The actions of `bi-mcp sign-ins`."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

import anyio
import click

from bi_mcp.app.replicas import open_shared
from bi_mcp.app.sign_in.connected_clients import ConnectedClient
from bi_mcp.app.sign_in.sign_ins import SignIns, open_sign_ins
from bi_mcp.base.language import say, say_count
from bi_mcp.cli.actions.rows import print_rows
from bi_mcp.config import configuration_folder, http_settings
from bi_mcp.errors import ConfigError


def print_sign_ins(portal: str | None, *, as_json: bool) -> None:
    """Print the connected clients, of one portal or of all."""
    clients = anyio.run(_connected)
    _print([each for each in clients if portal in {None, _host(each)}], as_json=as_json)


def revoke(user: str | None, client: str | None, *, yes: bool) -> None:
    """Withdraw the tokens of a user's clients, of one client, or (with neither) of everybody's, and say how many there were."""
    anyio.run(_revoke, user, client, yes)


async def _connected() -> list[ConnectedClient]:
    async with _opened() as sign_ins:
        return await sign_ins.clients.everybodys()


async def _revoke(user: str | None, client: str | None, yes: bool) -> None:
    async with _opened() as sign_ins:
        clients = _choose(await sign_ins.clients.everybodys(), user, client)
        if clients:
            _print(clients, as_json=False)
        _confirm(len(clients), yes=yes)
        count = await _withdraw(sign_ins, clients, user, client)
    click.echo(
        say_count(
            "Revoked {count} client. Its tokens open nothing any more.",
            "Revoked {count} clients. Their tokens open nothing any more.",
            count,
        )
    )


async def _withdraw(
    sign_ins: SignIns, clients: Sequence[ConnectedClient], user: str | None, client: str | None
) -> int:
    if client is not None:
        return sum([await sign_ins.clients.disconnect(each.person, each.id) for each in clients])
    if user is not None:
        return await sign_ins.sign_out(clients[0].person)
    return await sign_ins.sign_everybody_out()


@asynccontextmanager
async def _opened() -> AsyncIterator[SignIns]:
    settings = http_settings()
    if settings.shared_store is not None and settings.shared_key is None:
        raise ConfigError(
            say("BI_MCP_SHARED_STORE is set without BI_MCP_SHARED_KEY. Set both as the server has them.")
        )
    async with open_shared(settings) as shared:
        yield open_sign_ins([], configuration_folder(), shared)


def _choose(
    clients: Sequence[ConnectedClient], user: str | None, client: str | None
) -> list[ConnectedClient]:
    chosen = [
        each
        for each in clients
        if user in {None, f"{_host(each)}:{each.person.user_id}"} and client in {None, each.id}
    ]
    if chosen or (user is None and client is None):
        return chosen
    asked_for = f"--user {user}" if client is None else f"--client {client}"
    raise click.ClickException(
        say(
            "Nobody has connected a client for {asked_for}. `bi-mcp sign-ins list` shows what there is.",
            asked_for=asked_for,
        )
    )


def _confirm(count: int, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.ClickException(
            say("Nothing was revoked: without a terminal nobody can confirm it. Add --yes.")
        )
    question = say_count("Revoke {count} client?", "Revoke {count} clients?", count)
    click.confirm(question, default=False, abort=True)


def _print(clients: Sequence[ConnectedClient], *, as_json: bool) -> None:
    if as_json:
        click.echo(
            json.dumps({"clients": [_to_json(each) for each in clients]}, ensure_ascii=False, indent=2)
        )
        return
    if not clients:
        click.echo(say("Nobody has connected a client."))
        return
    header = [
        say("portal"),
        say("user"),
        say("name"),
        say("client"),
        say("rights"),
        say("connected (UTC)"),
        say("last used (UTC)"),
        "id",
    ]
    print_rows(header, [_row(each) for each in clients])


def _row(client: ConnectedClient) -> list[object]:
    return [
        _host(client),
        client.person.user_id,
        _on_one_line(client.person.name),
        _on_one_line(client.client_name),
        ", ".join(client.scopes),
        _moment(client.connected_at),
        _moment(client.used_at),
        client.id,
    ]


def _to_json(client: ConnectedClient) -> dict[str, object]:
    return {
        "portal": client.person.portal,
        "user": client.person.user_id,
        "name": client.person.name,
        "client": client.client_name,
        "clientId": client.client_id,
        "rights": client.scopes,
        "connected": _moment(client.connected_at),
        "lastUsed": _moment(client.used_at),
        "id": client.id,
    }


def _on_one_line(name: str) -> str:
    """A program may call itself anything, also by signs that a terminal obeys."""
    return "".join(sign if sign.isprintable() else "�" for sign in name)


def _host(client: ConnectedClient) -> str:
    return urlsplit(client.person.portal).netloc


def _moment(unix_time: float) -> str:
    return f"{datetime.fromtimestamp(unix_time, UTC):%Y-%m-%d %H:%M}"
