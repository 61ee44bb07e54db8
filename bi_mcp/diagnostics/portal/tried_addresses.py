"""The reach of a source's values when other addresses are tried with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import to_thread

from bi_mcp.base.language import say
from bi_mcp.base.quoting import quote
from bi_mcp.diagnostics.portal.blast_radius import BlastRadius, Thing
from bi_mcp.diagnostics.portal.moved_addresses import tell_secrets
from bi_mcp.vault.travel import addresses_of, check_values, new_hosts
from bi_mcp.vault.value_sources import name_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bi_mcp.rest.models import Connector, Source
    from bi_mcp.vault.setting_values import SettingValue, SettingValues


async def of_tried_addresses(
    source: Source,
    connector: Connector,
    tried: Connector,
    values: SettingValues,
    passed: Mapping[str, SettingValue],
) -> BlastRadius | None:
    """The values that would go to the hosts of `tried`: those that are `passed`, and those of other codes that the source holds.

    None if no host is new. Raises `SecretReferenceError` for a stored secret that is not bound to such a host.
    """
    hosts = new_hosts(addresses_of(connector), addresses_of(tried))
    if not hosts:
        return None
    held = {each.code: each.value for each in source.settings or [] if each.code not in passed and each.value}
    if values.named is not None:
        await to_thread.run_sync(check_values, values.named, held, addresses_of(tried))
    names = {each.code: each.name or "" for each in connector.settings or []}
    parts = [
        say("held by the source: {codes}", codes=", ".join(held)) if held else "",
        say("passed with this call: {values}", values=name_values(passed, names, values.shown))
        if passed
        else "",
    ]
    return BlastRadius(
        act=say(
            "To try other addresses for source {id} {title}, these values would be sent to {hosts}: {values}. Nothing changes on the portal.",
            id=source.id,
            title=quote(source.title),
            hosts=", ".join(hosts),
            values="; ".join(filter(None, parts)) or say("no values"),
        ),
        target=Thing("source", source.id, source.title or "", {"changed": source.date_update}),
        dependents=None,
        consequences=tell_secrets({code: names.get(code, "") for code in (*held, *passed)}),
    )
