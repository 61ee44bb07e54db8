"""The reach of a source's values when other addresses are tried with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import to_thread

from bi_mcp.base.language import say
from bi_mcp.base.quoting import quote
from bi_mcp.diagnostics.portal.blast_radius import BlastRadius, Thing
from bi_mcp.vault.secret_parameters import looks_secret
from bi_mcp.vault.travel import addresses_of, check_values, new_hosts

if TYPE_CHECKING:
    from collections.abc import Collection

    from bi_mcp.rest.models import Connector, Source
    from bi_mcp.vault.named_secrets import NamedSecrets


async def of_tried_addresses(
    source: Source,
    connector: Connector,
    tried: Connector,
    named: NamedSecrets | None,
    *,
    replaced: Collection[str] = (),
) -> BlastRadius | None:
    """The values that a source holds and that would go to the hosts of `tried`; those of the codes `replaced` do not go.

    None if no host is new. Raises `SecretReferenceError` for a stored secret that is not bound to such a host.
    """
    hosts = new_hosts(addresses_of(connector), addresses_of(tried))
    if not hosts:
        return None
    held = {each.code: each.value for each in source.settings or [] if each.code not in replaced}
    if named is not None:
        await to_thread.run_sync(check_values, named, held, addresses_of(tried))
    secret = [code for code in held if looks_secret(code)]
    consequences = [say("Secret by their names: {codes}.", codes=", ".join(secret))] if secret else []
    return BlastRadius(
        act=say(
            "The values that source {id} {title} holds ({codes}) would be sent to {hosts} to try it. Nothing changes on the portal.",
            id=source.id,
            title=quote(source.title),
            codes=", ".join(held),
            hosts=", ".join(hosts),
        ),
        target=Thing("source", source.id, source.title or "", {"changed": source.date_update}),
        dependents=None,
        consequences=consequences,
    )
