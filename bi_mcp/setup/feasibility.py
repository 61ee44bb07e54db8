"""Pure: parts of a setup that a portal may refuse, addresses that cannot be called, and names that others have. Sentences for a plan's obstacles and notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.diagnostics.findings.endpoint_rules import ENDPOINTS
from bi_mcp.endpoints.guard import check_addresses
from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.connectors import NEWER_FIELDS
from bi_mcp.rest.generation import PortalGeneration
from bi_mcp.rest.models import Source
from bi_mcp.rest.models.dataset import NEWER_TYPES
from bi_mcp.setup.difference import wire
from bi_mcp.setup.setup import ColumnEntry, ConnectorEntry

MOST_NAMED = 5


def unusable_addresses(key: str, entry: ConnectorEntry, names: Sequence[str] = ENDPOINTS) -> Iterator[str]:
    """Obstacles from addresses in the fields with these names. Addresses that a portal has already may stay as they are."""
    held = wire(entry)
    try:
        check_addresses({name: held[name] for name in names if name in ENDPOINTS})
    except InvalidRequestError as error:
        yield f"connectors.{key}.{error}"


def names_of_others(keys: Sequence[str], owner: Source, source: str, *, is_new: bool) -> str:
    """An obstacle: datasets for `source` whose names the portal has from `owner`, a source that the file does not have.

    Nobody who adds a source means to delete the datasets of another one.
    """
    sentences = [
        say(
            "{names}: the portal has datasets of these names from the source {owner} ({id}), which the file does not have; they would be deleted. Give other names in the file, or add that source to the file if the datasets shall move.",
            names=_name_datasets(keys),
            owner=owner.label,
            id=owner.id,
        )
    ]
    if is_new:
        advice = advise(AdviceKind.ADOPT, assignment=f"sources.{source}={owner.id}")
        sentences.append(
            say("If {key} is that source under another title, adopt it. {advice}", key=source, advice=advice)
        )
    return " ".join(sentences)


def names_exchanged(keys: Sequence[str], owner: Source) -> str:
    """An obstacle: the portal has datasets of these names from `owner`, and the file has their tables under other names."""
    return say(
        "{names}: the portal has datasets of these names from the source {owner} ({id}), and the file names the tables of that source otherwise; the datasets would be deleted. Let these tables keep their names in the file; `connector setup` gives them to the source that is named first.",
        names=_name_datasets(keys),
        owner=owner.label,
        id=owner.id,
    )


def _name_datasets(keys: Sequence[str]) -> str:
    named = ", ".join(f"datasets.{key}" for key in keys[:MOST_NAMED])
    return f"{named}, …" if len(keys) > MOST_NAMED else named


def doubtful_replacements(
    key: str, columns: Sequence[ColumnEntry], generation: PortalGeneration
) -> Iterator[str]:
    """Obstacles from columns that are deleted first and that the portal may refuse to add again."""
    for column in columns:
        if generation != "tables" and column.type in NEWER_TYPES:
            yield say(
                "datasets.{key}: this portal may not know the type {type} of the column {name}, and what it replaces would be deleted first. Choose another type.",
                key=key,
                type=column.type,
                name=column.name,
            )


def doubtful_fields(
    key: str, entry: ConnectorEntry, generation: PortalGeneration, names: Sequence[str] = NEWER_FIELDS
) -> Iterator[str]:
    """Fields of a connector that only newer portals have."""
    held = wire(entry)
    return _doubts(
        f"connectors.{key}", generation, [name for name in NEWER_FIELDS if name in names and held.get(name)]
    )


def doubtful_types(key: str, columns: Sequence[ColumnEntry], generation: PortalGeneration) -> Iterator[str]:
    """Types that only newer portals have."""
    types = dict.fromkeys(column.type for column in columns if column.type in NEWER_TYPES)
    return _doubts(f"datasets.{key}", generation, list(types))


def _doubts(where: str, generation: PortalGeneration, names: Sequence[str]) -> Iterator[str]:
    """Note that a portal may not have these parts. It is known only after the attempt, and nothing is lost by trying."""
    if names and generation != "tables":
        yield say(
            "{where}: this portal may be too old for {names} and refuse it.",
            where=where,
            names=", ".join(names),
        )
