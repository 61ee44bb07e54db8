"""Stored secrets that a connector's changed address would take along, and the check that they are bound to its new host.

The sources' values are read from the portal and compared in this process; neither side of the comparison is ever shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import to_thread

from bi_mcp.base.language import say, text
from bi_mcp.base.quoting import quote
from bi_mcp.errors import BiMcpError, EndpointError, NotFoundError, SecretReferenceError
from bi_mcp.rest.models.connector import ADDRESSES
from bi_mcp.vault.destinations import destination
from bi_mcp.vault.stored_values import stored_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bi_mcp.base.secret import Secret
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.models import Connector, ConnectorChanges, Source
    from bi_mcp.vault.named_secrets import NamedSecrets
    from bi_mcp.vault.secret_index import NamedSecret
    from bi_mcp.vault.stored_values import StoredValues

_LONGEST_ADDRESS = 2048

# The key is True for a former value.
_TRAVELS = {
    False: text("The secret {name}, which source {id} {title} holds in {code}, would be sent to {hosts}."),
    True: text(
        "A former value of the secret {name}, which source {id} {title} holds in {code}, would be sent to {hosts}."
    ),
}
_UNBOUND = {
    False: text(
        "The connector was not changed: source {id} {title} holds the secret {name} in {code}, which is bound to {hosts} and would be sent to {unbound}."
    ),
    True: text(
        "The connector was not changed: source {id} {title} holds a former value of the secret {name} in {code}, which was bound to {hosts} and would be sent to {unbound}. Give the source its new value first."
    ),
}
_NOT_SENT = {
    False: text(
        "Nothing was sent: settings.{code} holds the secret {name}, which is bound to {hosts} and would be sent to {strange}."
    ),
    True: text(
        "Nothing was sent: settings.{code} holds a former value of the secret {name}, which was bound to {hosts} and would be sent to {strange}."
    ),
}


def addresses_of(item: Connector | ConnectorChanges) -> list[str]:
    """Return the addresses that a connector has, or that changes would set."""
    return [address for name in ADDRESSES if (address := getattr(item, name))]


async def tell_travel(
    bi: BIConnector, connector: Connector, changes: ConnectorChanges, named: NamedSecrets | None
) -> list[str]:
    """Call `find_travel` for a connector that was read already.

    Reads the sources of this connector only, and only if a host is new and a secret is stored.
    """
    before, after = addresses_of(connector), addresses_of(changes)
    if named is None or not new_hosts(before, after) or not await to_thread.run_sync(named.recognises_any):
        return []
    sources = await _sources_of(bi, connector.id)
    return await to_thread.run_sync(find_travel, named, sources, before, after)


def find_travel(
    named: NamedSecrets, sources: Sequence[Source], before: Sequence[str], after: Sequence[str]
) -> list[str]:
    """Describe the stored secrets that would go to a host which is among the addresses after and not among those before.

    `sources` are those of one connector, with their values. Raises `SecretReferenceError` for a secret that is not bound to
    that host.
    """
    strange = new_hosts(before, after)
    return list(_sentences(sources, stored_values(named), strange)) if strange else []


def check_values(named: NamedSecrets, settings: Mapping[str, Secret], addresses: Sequence[str]) -> None:
    """Raise `SecretReferenceError` if a value belongs to a stored secret that may not go to all these addresses."""
    stored = stored_values(named)
    for code, value in settings.items():
        for secret in stored.owners(value):
            strange = [host for host in _hosts(addresses) if not secret.may_go_to(host)]
            if strange:
                raise SecretReferenceError(
                    say(
                        _NOT_SENT[bool(secret.replaced_at)],
                        code=code,
                        name=secret.name,
                        hosts=", ".join(secret.hosts),
                        strange=", ".join(strange),
                    ),
                    secret.advise_binding(*strange),
                )


def new_hosts(before: Iterable[str], after: Iterable[str]) -> list[str]:
    """Return the hosts among the addresses after that are not among those before."""
    known = {_name_destination(address) for address in before}
    return [host for host in dict.fromkeys(map(_name_destination, after)) if host not in known]


def _sentences(sources: Iterable[Source], stored: StoredValues, hosts: Sequence[str]) -> Iterator[str]:
    for source in sources:
        for setting in source.settings or []:
            for secret in stored.owners(setting.value):
                _check(source, setting.code, secret, hosts)
                yield say(
                    _TRAVELS[bool(secret.replaced_at)],
                    name=secret.name,
                    id=source.id,
                    title=quote(source.title),
                    code=quote(setting.code),
                    hosts=", ".join(hosts),
                )


def _check(source: Source, code: str, secret: NamedSecret, hosts: Sequence[str]) -> None:
    unbound = [host for host in hosts if not secret.may_go_to(host)]
    if unbound:
        raise SecretReferenceError(
            say(
                _UNBOUND[bool(secret.replaced_at)],
                id=source.id,
                title=quote(source.title),
                name=secret.name,
                code=quote(code),
                hosts=", ".join(secret.hosts),
                unbound=", ".join(unbound),
            ),
            secret.advise_binding(*unbound),
        )


def _hosts(addresses: Sequence[str]) -> list[str]:
    try:
        return list(dict.fromkeys(map(destination, addresses)))
    except EndpointError as error:
        raise SecretReferenceError(
            say("Nothing was sent: a stored secret would have been sent as well. {error}", error=error)
        ) from None


def _name_destination(address: str) -> str:
    """Return the destination; an ambiguous address is returned in quotes, a form to which no secret is bound."""
    try:
        return destination(address)
    except EndpointError:
        return quote(address, _LONGEST_ADDRESS)


async def _sources_of(bi: BIConnector, connector_id: int) -> list[Source]:
    """Read the sources one by one, since lists do not promise their values. Sources deleted meanwhile are left out."""
    listed = bi.sources.iterate(select=["id"], filter={"connectorId": connector_id})
    outcomes = await bi.batch([bi.sources.commands.get(source.id) async for source in listed])
    sources = []
    for outcome in outcomes:
        if isinstance(outcome, NotFoundError):
            continue
        if isinstance(outcome, BiMcpError):
            raise outcome
        sources.append(outcome)
    return sources
