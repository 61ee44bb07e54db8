"""Pure: the effects that the change of a connector has on the values that its sources hold."""

from __future__ import annotations

from collections.abc import Iterator

from bi_mcp.base.language import say
from bi_mcp.diagnostics.findings.endpoint_rules import ENDPOINTS
from bi_mcp.errors import EndpointError
from bi_mcp.rest.models import Connector
from bi_mcp.setup.difference import Comparison
from bi_mcp.vault.destinations import destination
from bi_mcp.vault.travel import addresses_of


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
