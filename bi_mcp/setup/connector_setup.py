"""Pure: what a connector serves -> a setup: the connector, its sources, and a dataset for each table, with remarks.

The connector is our own: it has the settings `source` and `key`, and announces codes that are legal names of columns.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bi_mcp.base.language import say
from bi_mcp.connector.service.endpoints import ENDPOINTS
from bi_mcp.diagnostics.tables.external import ExternalColumn
from bi_mcp.diagnostics.tables.naming import LegalName, dataset_name
from bi_mcp.diagnostics.tables.proposal import propose_fields
from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.generation import PortalGeneration
from bi_mcp.rest.models.connector import Parameter
from bi_mcp.setup.equal_remarks import Remark, sum_up
from bi_mcp.setup.file import Path
from bi_mcp.setup.keys import make_setup_key
from bi_mcp.setup.setup import ConnectorEntry, DatasetEntry, Setup, SourceEntry
from bi_mcp.vault.setting_values import SettingValue

# A connector is known by these again, so they hold neither its address nor words of a language.
CONNECTOR_KEY = "connector"
CONNECTOR_TITLE = "bi-mcp connector"

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
    url: str,
    sources: Sequence[ServedSource],
    key: SettingValue,
    generation: PortalGeneration = "tables",
    title: str = CONNECTOR_TITLE,
) -> ProposedSetup:
    """Propose the setup of a connector at `url`. `key` is the reference to its access key.

    The same title, sources and tables give the same keys, titles and names, at whatever address they are.
    """
    remarks = dict[Path, list[str]]()
    connector = CONNECTOR_KEY if title == CONNECTOR_TITLE else make_setup_key(title, CONNECTOR_KEY, ())
    keys = _source_keys(sources)
    datasets = dict[str, DatasetEntry]()
    earlier = set[str]()
    for source in sources:
        naming = _Naming(source.name, frozenset(earlier), _exact_names(source), datasets)
        earlier |= _plain_names(source)
        notes = [*source.notes, *(_left_out(code, reason) for code, reason in source.left_out.items())]
        of_datasets = dict[str, list[Remark]]()
        for table in source.tables:
            proposed = _propose_dataset(table, keys[source.name], naming, generation)
            if isinstance(proposed, str):
                notes.append(_left_out(table.code, proposed))
                continue
            name, entry, reasons = proposed
            datasets[name] = entry
            of_datasets[name] = [*map(Remark, source.notes_of_tables.get(table.code, ())), *reasons]
        single, equal = sum_up(of_datasets)
        remarks |= {("datasets", name): lines for name, lines in single.items()}
        notes = [*equal, *notes]
        if notes:
            remarks["sources", keys[source.name]] = notes
    setup = Setup(
        version=1,
        connectors={connector: _connector(url, title)},
        sources={
            keys[source.name]: SourceEntry(
                connector=connector, title=source.name, settings={"source": source.name, "key": key}
            )
            for source in sources
        },
        datasets=datasets,
    )
    return ProposedSetup(setup, remarks)


def _connector(url: str, title: str) -> ConnectorEntry:
    return ConnectorEntry.model_validate(
        {
            "title": title,
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


@dataclass(frozen=True)
class _Naming:
    """How the tables of a source are told apart from each other and from those of the sources before it.

    `earlier` are the plain names of the tables of those, `exact` the codes of this source that are names as they are.
    """

    source: str
    earlier: Collection[str]
    exact: Collection[str]
    made: Mapping[str, object]

    def of_earlier(self, table: ServedTable) -> bool:
        """Return whether a source before this one has a table of that name."""
        return dataset_name(table.code, table.title).name in self.earlier

    def taken(self, table: ServedTable) -> Collection[str]:
        """The names that this table cannot have."""
        return self.made if table.code in self.exact else {*self.made, *self.exact}

    def with_source(self, table: ServedTable) -> str:
        """The name of a table that a source before this one has, too."""
        return dataset_name(f"{self.source}_{table.code}", table.title, {*self.made, *self.exact}).name


def _plain_names(source: ServedSource) -> set[str]:
    return {dataset_name(table.code, table.title).name for table in source.tables}


def _exact_names(source: ServedSource) -> set[str]:
    return {table.code for table in source.tables if dataset_name(table.code, table.title).name == table.code}


def _propose_dataset(
    table: ServedTable, source_key: str, naming: _Naming, generation: PortalGeneration
) -> tuple[str, DatasetEntry, list[Remark]] | str:
    """A dataset by its name, with the reasons for changes; or the reason why there can be none."""
    try:
        taken = () if naming.of_earlier(table) else naming.taken(table)
        proposal = propose_fields(table.code, table.title, table.columns, None, 0, taken, generation)
    except InvalidRequestError as error:
        return str(error)
    fields = proposal.fields
    name = str(fields["name"])
    about_name, others = _split(table, dataset_name(table.code, table.title, taken), proposal.reasons)
    if naming.of_earlier(table):
        name = naming.with_source(table)
        about_name = [Remark(say("named after its source, too: another source has a table of this name"))]
    entry = DatasetEntry.model_validate(
        {
            "source": source_key,
            "externalCode": fields["externalCode"],
            "externalName": fields["externalName"],
            "columns": fields["fields"],
        }
    )
    return name, entry, [*about_name, *map(Remark, others)]


def _split(table: ServedTable, name: LegalName, reasons: Sequence[str]) -> tuple[list[Remark], Sequence[str]]:
    """Put the reason of a dataset's name, which comes first, apart from those that are about its columns."""
    if not name.reasons or name.name.casefold() == table.code.casefold():
        return [], reasons
    gist = say("named otherwise than their tables: {reasons}", reasons=", ".join(name.reasons))
    return [Remark(reasons[0], gist)], reasons[1:]


def _left_out(code: str, reason: str) -> str:
    return say("table {code} is left out: {reason}", code=code, reason=reason)
