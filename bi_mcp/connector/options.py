"""What may be said about a source beside its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from bi_mcp.connector.columns import Type
from bi_mcp.connector.question.dates import Culture

# `legal`: codes that are legal names of a dataset's columns. `original`: what the data calls its columns, unchanged.
Spelling: TypeAlias = Literal["legal", "original"]
# Numbers of more than 15 digits lose some in readers of JSON: they are sent as exact numbers, or as texts.
LongNumbers: TypeAlias = Literal["exact", "text"]


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """Options of a source.

    `schemas` and `tables` (codes, `*` stands for any text) are all that is served; empty means everything that is not the
    system's own. `titles` are given by table code, `types` by table code and column code and overrule what was found.
    Moments with a zone become those of `time_zone`. `encoding` is the one of files that do not say theirs, `culture` the one
    that slashed dates in files and filters are written in. `timeout` bounds a query, in seconds; `connections` the queries at
    once; `memory` what an engine for files may take, in megabytes.
    """

    schemas: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, Mapping[str, Type]] = field(default_factory=dict)
    spelling: Spelling = "legal"
    long_numbers: LongNumbers = "exact"
    time_zone: tzinfo = field(default_factory=lambda: ZoneInfo("UTC"))
    encoding: str | None = None
    culture: Culture | None = None
    timeout: float = 50.0
    connections: int = 8
    memory: int = 40
