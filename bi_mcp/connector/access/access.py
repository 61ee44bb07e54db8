"""What an access must be able to do: lead from the settings of a source to the data behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bi_mcp.connector.question.brackets import Form
from bi_mcp.connector.question.dates import Culture
from bi_mcp.connector.source import Source


def _nothing() -> None:
    """Release a source that stays open."""


@dataclass(frozen=True)
class Served:
    """A source as it is served.

    `name` stands in logs and metrics, and `place` in logs. `rows` bounds an answer, `answers` those that are read at once.
    `release` is called, once, when the request is over.
    """

    name: str
    source: Source
    culture: Culture | None = None
    rows: int | None = None
    answers: int | None = None
    place: str = ""
    release: Callable[[], None] = _nothing


@dataclass(frozen=True)
class Setting:
    """A setting that sources must have, as the connector declares it in Bitrix24."""

    code: str
    name: str


class Access(Protocol):
    """Access to sources. Its methods may block, and are called from worker threads."""

    @property
    def settings(self) -> Sequence[Setting]:
        """The settings by which requests are identified."""

    def identify(self, connection: Form) -> Served:
        """Find the source that the settings open. Raises RefusalError; with status 401 if they open none."""

    def close(self) -> None:
        """Close all sources."""
