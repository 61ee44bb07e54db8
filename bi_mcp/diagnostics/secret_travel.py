"""Which stored secrets a changed address of a connector would take along, and whether the user bound them to where it leads.

The sources' values are read from the portal and compared in this process; neither side of the comparison is ever shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import to_thread

from bi_mcp.diagnostics.quoting import quoted
from bi_mcp.errors import BiMcpError, EndpointError, NotFoundError, SecretReferenceError
from bi_mcp.language import say
from bi_mcp.rest.models.connector import ADDRESSES
from bi_mcp.secret_references.destinations import destination

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.models import Connector, ConnectorChanges, Source
    from bi_mcp.secret import Secret
    from bi_mcp.secret_references.named_secrets import NamedSecret, NamedSecrets

    Stored = Sequence[tuple[NamedSecret, Secret]]

_LONGEST_ADDRESS = 2048


def addresses_of(item: Connector | ConnectorChanges) -> list[str]:
    """The addresses that it has or would set."""
    return [address for name in ADDRESSES if (address := getattr(item, name))]


async def check_changes(
    bi: BIConnector, id: int, changes: ConnectorChanges, named: NamedSecrets | None
) -> None:
    """As `tell_travel`, for a connector that was not read yet."""
    if named is not None and addresses_of(changes):
        await tell_travel(bi, await bi.connectors.get(id), changes, named)


async def tell_travel(
    bi: BIConnector, connector: Connector, changes: ConnectorChanges, named: NamedSecrets | None
) -> list[str]:
    """As `find_travel`. Reads the sources of this connector only, and these only when a host is new and a secret is stored."""
    before, after = addresses_of(connector), addresses_of(changes)
    if named is None or not new_hosts(before, after) or not await to_thread.run_sync(named.known):
        return []
    sources = await _sources_of(bi, connector.id)
    return await to_thread.run_sync(find_travel, named, sources, before, after)


def find_travel(
    named: NamedSecrets, sources: Sequence[Source], before: Sequence[str], after: Sequence[str]
) -> list[str]:
    """Say in sentences which stored secrets would go to a host that is among the addresses after and was not before.

    `sources` are those of one connector, with their values. Raises `SecretReferenceError` for a secret that is not bound to
    that host.
    """
    strange = new_hosts(before, after)
    return list(_sentences(sources, _read(named), strange)) if strange else []


def new_hosts(before: Iterable[str], after: Iterable[str]) -> list[str]:
    """The hosts among the addresses after that are not among those before."""
    known = {_told(address) for address in before}
    return [host for host in dict.fromkeys(map(_told, after)) if host not in known]


def _read(named: NamedSecrets) -> Stored:
    return [(secret, named.value(secret)) for secret in named.known().values()]


def _sentences(sources: Iterable[Source], stored: Stored, hosts: Sequence[str]) -> Iterator[str]:
    for source in sources:
        for setting in source.settings or []:
            for secret, value in stored:
                if setting.value == value:
                    _check(source, setting.code, secret, hosts)
                    yield say(
                        "The secret {name}, which source {id} {title} holds in {code}, would be sent to {hosts}.",
                        name=secret.name,
                        id=source.id,
                        title=quoted(source.title),
                        code=quoted(setting.code),
                        hosts=", ".join(hosts),
                    )


def _check(source: Source, code: str, secret: NamedSecret, hosts: Sequence[str]) -> None:
    unbound = [host for host in hosts if not secret.may_go_to(host)]
    if unbound:
        raise SecretReferenceError(
            say(
                "The connector was not changed: source {id} {title} holds the secret {name} in {code}, which is bound to {hosts} and would be sent to {unbound}. Only the user can allow that, if they trust this address, in a terminal: `{command}`.",
                id=source.id,
                title=quoted(source.title),
                name=secret.name,
                code=quoted(code),
                hosts=", ".join(secret.hosts),
                unbound=", ".join(unbound),
                command=secret.command_for(*unbound),
            )
        )


def _told(address: str) -> str:
    """The destination; an address that readers might take differently is told in quotes, as which nothing is bound."""
    try:
        return destination(address)
    except EndpointError:
        return quoted(address, _LONGEST_ADDRESS)


async def _sources_of(bi: BIConnector, connector_id: int) -> list[Source]:
    """With their values, which no list promises. One that was deleted meanwhile holds nothing any more."""
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
