"""Pure: the effects that the change of a connector has on the values that its sources hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.base.quoting import quote
from bi_mcp.base.secret import hide_logins
from bi_mcp.diagnostics.findings.endpoint_rules import ENDPOINTS
from bi_mcp.errors import EndpointError
from bi_mcp.rest.models import Connector
from bi_mcp.setup.difference import Comparison
from bi_mcp.vault.destinations import destination
from bi_mcp.vault.travel import addresses_of

if TYPE_CHECKING:
    from pydantic import BaseModel

    from bi_mcp.rest.kinds import Group
    from bi_mcp.setup.setup import ConnectorEntry, Setup


def tell_contacts(setup: Setup, group: Group, key: str) -> Iterator[str]:
    """Tell the hosts that a new connector makes Bitrix24 call, and the values that a new source sends there."""
    if group == "connector":
        yield say("Bitrix24 calls it at {hosts}.", hosts=_hosts(setup.connectors[key]))
    elif group == "source":
        yield from tell_values(setup, key, {f"settings.{code}" for code in setup.sources[key].settings})


def tell_values(setup: Setup, key: str, fields: Collection[str]) -> Iterator[str]:
    """Tell where the values of these settings of a source come from, by the names of references, and where they are sent."""
    entry = setup.sources[key]
    named = [
        f"{code}: {_name(value)}"
        for code, value in entry.settings.items()
        if f"settings.{code}" in fields and not isinstance(value, str | int)
    ]
    if named:
        hosts = _hosts(setup.connectors[entry.connector])
        yield say("Values sent to {hosts}: {values}.", hosts=hosts, values=", ".join(named))


def _hosts(connector: ConnectorEntry) -> str:
    return ", ".join(dict.fromkeys(hide_logins(_destination_or_address(url)) for url in connector.addresses))


def _name(reference: BaseModel) -> str:
    """The kind and the name of a reference: `secret PROD`, `env BI_MCP_SECRET_PROD`."""
    return " ".join(f"{kind} {quote(str(name))}" for kind, name in reference.model_dump().items())


def warn_of_travel(compared: Comparison, item: Connector) -> Iterator[str]:
    """Warn of hosts to which values of settings would be sent for the first time."""
    known = {_destination_or_address(address) for address in addresses_of(item)}
    hosts = {
        _destination_or_address(field.after) for field in compared.fields if field.field in ENDPOINTS
    } - known
    codes = ", ".join(parameter.code for parameter in item.settings or ())
    if hosts and codes:
        yield say(
            "The values that its sources hold ({codes}) would be sent to {hosts}.",
            codes=codes,
            hosts=", ".join(sorted(hosts)),
        )


def warn_of_losses(compared: Comparison) -> Iterator[str]:
    lost = [
        field.field for field in compared.fields if field.field.startswith("settings.") and not field.after
    ]
    if lost:
        yield say(
            "The values that its sources hold for {fields} are lost.",
            fields=", ".join(name.removeprefix("settings.") for name in lost),
        )


def _destination_or_address(address: object) -> str:
    try:
        # A way that is no longer encrypted is another one.
        return destination(str(address))
    except (EndpointError, ValueError):
        return str(address)
