"""The external side of a dataset: the external system's answers, and the objects that the dataset depends on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from bi_mcp.diagnostics.findings.finding import Finding, Who
from bi_mcp.diagnostics.tables.values import COLUMN_TYPES
from bi_mcp.endpoints.answers import ExternalTable
from bi_mcp.rest.generation import PortalGeneration
from bi_mcp.rest.models import Connector, Dataset, Source

DataEndpoint = Literal["urlTableDescription", "urlData"]


@dataclass(frozen=True)
class ExternalColumn:
    """A column as `urlTableDescription` answers it. `type` is spelled as in the answer, known or not."""

    code: str
    name: str
    type: str


@dataclass(frozen=True)
class Sample:
    """The first rows of `urlData`: the header (empty where there was none) and the rows of values below it.

    `selected` are the codes that were asked for and `mapped` is `{code: NAME}` as sent in `mapFields`; both may be empty.
    A connector without `supportMapping` may answer codes all the same.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[object]]
    selected: Sequence[str] = ()
    mapped: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def codes(self) -> list[str]:
        """The header with mapped names turned back into codes."""
        by_name = {name: code for code, name in self.mapped.items()}
        if all(entry in by_name for entry in self.header):
            return [by_name[entry] for entry in self.header]
        return [entry if entry in self.mapped else by_name.get(entry, entry) for entry in self.header]

    @cached_property
    def columns(self) -> Mapping[str, list[object]]:
        """The values by code, without ragged rows, since their values cannot be assigned to columns. Of two columns of one code the first counts."""
        whole = [row for row in self.rows if len(row) == len(self.header)]
        places = {code: place for place, code in reversed(list(enumerate(self.codes)))}
        return {code: [row[place] for row in whole] for code, place in places.items()}

    @cached_property
    def data_rows(self) -> list[int]:
        """The numbers of the rows that `columns` holds, from 1."""
        return [number for number, row in enumerate(self.rows, 1) if len(row) == len(self.header)]


@dataclass(frozen=True)
class DatasetContext:
    """The context of a dataset. `failures` holds the reason why an endpoint gave no answer, `remedies` the advice and
    `causes` what distinguishes one cause from another, `acting` who repairs it, `breaches` the broken rules that the parsed answers no longer show; all without values of the connection. `charts`
    are findings about the questions that charts ask. `tables` are those that the connector lists; None where they were
    not asked for, or not all are known. `candidates` are values by code of new columns, which may be lost ones. `taken` are
    the codes of the source's tables that have a dataset; None where they are not known.
    """

    dataset: Dataset
    source: Source | None = None
    connector: Connector | None = None
    generation: PortalGeneration = "tables"
    failures: Mapping[DataEndpoint, str] = field(default_factory=dict)
    breaches: Sequence[Finding] = ()
    charts: Sequence[Finding] = ()
    tables: Sequence[ExternalTable] | None = None
    remedies: Mapping[DataEndpoint, str] = field(default_factory=dict)
    causes: Mapping[DataEndpoint, str] = field(default_factory=dict)
    acting: Mapping[DataEndpoint, Who] = field(default_factory=dict)
    candidates: Mapping[str, Sequence[object]] = field(default_factory=dict)
    taken: Collection[str] | None = None


MAX_CODE = 512

# The types that classic portals use for the types that only newer ones have.
_ON_CLASSIC = {"money": "double", "timezone": "string"}


def portal_type(described: str, generation: PortalGeneration) -> str:
    """The portal's type for a described type: case does not matter, and an unknown one counts as `string`."""
    known = described.lower() if described.lower() in COLUMN_TYPES else "string"
    return _ON_CLASSIC.get(known, known) if generation == "classic" else known


def is_code(text: str) -> bool:
    """Return whether a portal can hold a text as the code of a table or a column: not blank, not too long, whole characters."""
    return (
        bool(text.strip())
        and len(text) <= MAX_CODE
        and not any("\ud800" <= sign <= "\udfff" for sign in text)
    )


def find_repeated(codes: Sequence[str]) -> list[str]:
    """The codes that occur more than once."""
    return [code for code, times in Counter(codes).items() if times > 1]
