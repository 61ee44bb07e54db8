"""Pure: what a connector serves -> a setup: the connector, its sources, and a dataset for each table, with remarks.

The connector is our own: it has the settings `source` and `key`, and announces codes that are legal names of columns.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bi_mcp.base.language import say
from bi_mcp.connector.service.endpoints import ENDPOINTS
from bi_mcp.diagnostics.tables.external import ExternalColumn
from bi_mcp.diagnostics.tables.naming import dataset_name
from bi_mcp.diagnostics.tables.proposal import propose_fields
from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.generation import PortalGeneration
from bi_mcp.rest.models.connector import Parameter
from bi_mcp.setup.file import Path
from bi_mcp.setup.keys import make_setup_key
from bi_mcp.setup.setup import ConnectorEntry, DatasetEntry, Setup, SourceEntry
from bi_mcp.vault.setting_values import SettingValue

CONNECTOR_KEY = "connector"

_PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path fill="#2067b0" d="M12 3c5 0 8 1.5 8 3v12c0 1.5-3 3-8 3'
    's-8-1.5-8-3V6c0-1.5 3-3 8-3z"/></svg>'
)
_LOGO = "data:image/svg+xml;base64," + base64.b64encode(_PICTURE.encode()).decode()


@dataclass(frozen=True)
class ServedTable:
    """A table as the connector lists and describes it."""

    code: str
    title: str
    columns: Sequence[ExternalColumn]


@dataclass(frozen=True)
class ServedSource:
    """A named source of the connector. `left_out` holds the reason of each table that gave no description, the notes what else is
    to be said about the source and its tables.
    """

    name: str
    tables: Sequence[ServedTable]
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    notes_of_tables: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class ProposedSetup:
    """A setup, and remarks by the place that they are about: what was changed, and what was left out."""

    setup: Setup
    remarks: Mapping[Path, Sequence[str]]


def endpoint_urls(url: str) -> dict[str, str]:
    """The addresses of the four endpoints of a connector at this address."""
    return {name: url.rstrip("/") + path for name, path in ENDPOINTS.items()}


def propose_setup(
    url: str, sources: Sequence[ServedSource], key: SettingValue, generation: PortalGeneration = "tables"
) -> ProposedSetup:
    """Propose the setup of a connector at `url`. `key` is the reference to its access key."""
    remarks = dict[Path, list[str]]()
    keys = _source_keys(sources)
    datasets = dict[str, DatasetEntry]()
    twice = _names_of_several(sources)
    for source in sources:
        notes = [*source.notes, *(_left_out(code, reason) for code, reason in source.left_out.items())]
        for table in source.tables:
            proposed = _propose_dataset(table, source.name, keys[source.name], twice, datasets, generation)
            if isinstance(proposed, str):
                notes.append(_left_out(table.code, proposed))
                continue
            name, entry, reasons = proposed
            datasets[name] = entry
            if about := [*source.notes_of_tables.get(table.code, ()), *reasons]:
                remarks["datasets", name] = about
        if notes:
            remarks["sources", keys[source.name]] = notes
    setup = Setup(
        version=1,
        connectors={CONNECTOR_KEY: _connector(url)},
        sources={
            keys[source.name]: SourceEntry(
                connector=CONNECTOR_KEY, title=source.name, settings={"source": source.name, "key": key}
            )
            for source in sources
        },
        datasets=datasets,
    )
    return ProposedSetup(setup, remarks)


def _connector(url: str) -> ConnectorEntry:
    host = url.partition("://")[2].partition("/")[0]
    return ConnectorEntry.model_validate(
        {
            "title": say("Databases and files of {host}", host=host),
            "logo": _LOGO,
            **endpoint_urls(url),
            "settings": [
                Parameter(code="source", name=say("Source"), type="STRING"),
                Parameter(code="key", name=say("Access key"), type="STRING"),
            ],
        }
    )


def _source_keys(sources: Sequence[ServedSource]) -> dict[str, str]:
    keys = dict[str, str]()
    for source in sources:
        keys[source.name] = make_setup_key(source.name, "source", set(keys.values()))
    return keys


def _names_of_several(sources: Sequence[ServedSource]) -> set[str]:
    """The names of datasets that tables of several sources would have: these begin with the source's name."""
    names = Counter(
        name
        for source in sources
        for name in {dataset_name(table.code, table.title).name for table in source.tables}
    )
    return {name for name, count in names.items() if count > 1}


def _propose_dataset(
    table: ServedTable,
    source_name: str,
    source_key: str,
    twice: set[str],
    taken: Mapping[str, object],
    generation: PortalGeneration,
) -> tuple[str, DatasetEntry, list[str]] | str:
    """A dataset by its name, with the reasons for changes; or the reason why there can be none."""
    try:
        proposal = propose_fields(table.code, table.title, table.columns, None, 0, taken, generation)
    except InvalidRequestError as error:
        return str(error)
    fields, reasons = proposal.fields, proposal.reasons
    name = str(fields["name"])
    if dataset_name(table.code, table.title).name in twice:
        name = dataset_name(f"{source_name}_{table.code}", table.title, taken).name
        reasons = [say("named after its source, too: another source has a table of this name"), *reasons]
    entry = DatasetEntry.model_validate(
        {
            "source": source_key,
            "externalCode": fields["externalCode"],
            "externalName": fields["externalName"],
            "columns": fields["fields"],
        }
    )
    return name, entry, reasons


def _left_out(code: str, reason: str) -> str:
    return say("table {code} is left out: {reason}", code=code, reason=reason)
