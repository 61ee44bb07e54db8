"""Pure: what changes of a connector do to its sources: where their values go, and which are lost."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bi_mcp.base.language import say
from bi_mcp.base.quoting import quote
from bi_mcp.base.secret import hide_logins
from bi_mcp.vault.secret_parameters import looks_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bi_mcp.rest.models import Connector, ConnectorChanges

ENDPOINTS = {
    "url_check": "urlCheck",
    "url_table_list": "urlTableList",
    "url_table_description": "urlTableDescription",
    "url_data": "urlData",
}

LONGEST_ADDRESS = 2048


def describe_moves(connector: Connector, changes: ConnectorChanges) -> list[str]:
    """Describe the endpoints that get another address, and the credentials that would go to a new host."""
    moved = {
        name: (getattr(connector, name) or "", getattr(changes, name))
        for name in ENDPOINTS
        if getattr(changes, name) not in {None, getattr(connector, name)}
    }
    sentences = [
        say(
            "{endpoint} changes from {old} to {new}.",
            endpoint=ENDPOINTS[name],
            old=quote(hide_logins(old), LONGEST_ADDRESS),
            new=quote(hide_logins(new), LONGEST_ADDRESS),
        )
        for name, (old, new) in moved.items()
    ]
    known = {_authority(getattr(connector, name) or "") for name in ENDPOINTS}
    strange = dict.fromkeys(_authority(new) for _, new in moved.values() if _authority(new) not in known)
    parameters = connector.settings or []
    if strange and parameters:
        codes = ", ".join(parameter.code for parameter in parameters)
        sentences.append(
            say(
                "The values that its sources hold ({codes}) would be sent to {hosts}.",
                codes=codes,
                hosts=", ".join(strange),
            )
        )
        sentences += tell_secrets({each.code: each.name or "" for each in parameters})
    return sentences


def tell_secrets(names: Mapping[str, str]) -> list[str]:
    """Name the parameters that hold a secret by their codes and names; no sentence where none does."""
    secret = [code for code, name in names.items() if looks_secret(code, name)]
    return [say("Secret by their names: {codes}.", codes=", ".join(secret))] if secret else []


def describe_losses(connector: Connector, changes: ConnectorChanges) -> list[str]:
    """Describe the values that go with removed parameters."""
    if changes.settings is None:
        return []
    codes = {parameter.code for parameter in changes.settings}
    lost = [parameter.code for parameter in connector.settings or [] if parameter.code not in codes]
    return (
        [say("Its sources lose their values of {codes}.", codes=", ".join(map(quote, lost)))] if lost else []
    )


def _authority(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower() or quote(url)
    except ValueError:
        return quote(url)
