"""Pure: the effects that the change of a connector has on the values that its sources hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.base.secret import hide_logins
from bi_mcp.diagnostics.findings.endpoint_rules import ENDPOINTS
from bi_mcp.errors import EndpointError
from bi_mcp.rest.models import Connector
from bi_mcp.setup.difference import Comparison
from bi_mcp.setup.stored_choices import find_fitting
from bi_mcp.vault.destinations import destination
from bi_mcp.vault.known_values import NOTHING_KNOWN, KnownValues
from bi_mcp.vault.travel import addresses_of
from bi_mcp.vault.value_sources import name_values

if TYPE_CHECKING:
    from bi_mcp.errors import BiMcpError
    from bi_mcp.rest.kinds import Group
    from bi_mcp.setup.setup import ConnectorEntry, Setup
    from bi_mcp.vault.setting_values import SettingValues


@dataclass(frozen=True)
class Seen:
    """What a plan may show of plain values: the codes that the user chose, and the values that are known to be secret."""

    shown: frozenset[str] = frozenset()
    known: KnownValues = NOTHING_KNOWN


def tell_contacts(setup: Setup, group: Group, key: str, seen: Seen) -> Iterator[str]:
    """Tell the hosts that a new connector makes Bitrix24 call, and the values that a new source sends there."""
    if group == "connector":
        yield say("Bitrix24 calls it at {hosts}.", hosts=_hosts(setup.connectors[key]))
    elif group == "source":
        yield from tell_values(setup, key, {f"settings.{code}" for code in setup.sources[key].settings}, seen)


def tell_values(setup: Setup, key: str, fields: Collection[str], seen: Seen) -> Iterator[str]:
    """Tell the values of these settings of a source, those of references and secrets by their names, and where they are sent."""
    entry = setup.sources[key]
    sent = {code: value for code, value in entry.settings.items() if f"settings.{code}" in fields}
    if sent:
        connector = setup.connectors[entry.connector]
        names = {parameter.code: parameter.name for parameter in connector.settings}
        values = name_values(sent, names, seen.shown, seen.known)
        yield say("Values sent to {hosts}: {values}.", hosts=_hosts(connector), values=values)


def _hosts(connector: ConnectorEntry) -> str:
    return ", ".join(dict.fromkeys(hide_logins(_destination_or_address(url)) for url in connector.addresses))


def tell_trouble(error: BiMcpError, values: SettingValues, connector: ConnectorEntry) -> str:
    """Tell why a reference is of no use. Where secrets that may be sent there are stored already, nothing else has to be done."""
    fitting = find_fitting(values.named, connector.addresses)
    if not fitting:
        return str(error)
    return say(
        "{trouble} Stored secrets that may be sent there: {names}.",
        trouble=error.args[0],
        names=", ".join(fitting),
    )


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
