"""Names in the options of a source that nothing in it has: misspelt ones, or those of a table that is gone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

from bi_mcp.base.language import say, text

What: TypeAlias = Literal["schema", "table", "typed table", "column"]

# So many of the known names are told.
_NAMED = 10
_SENTENCES: Mapping[What, str] = {
    "schema": text("The source {source} has no tables in a schema {name}; it has the schemas: {known}."),
    "table": text("The source {source} has no table {name}; it has: {known}."),
    "typed table": text(
        "`types` and `titles` of the source {source} name the table {name}, which it has not; it has: {known}."
    ),
    "column": text(
        "`types` of the source {source} name the column {name}, which the table has not; it has: {known}."
    ),
}


@dataclass(frozen=True)
class UnknownName:
    """A name that nothing has, and the names that it could have been."""

    what: What
    name: str
    known: Sequence[str]

    @property
    def is_choice(self) -> bool:
        """Whether it chooses what is served: without it less is served than was meant."""
        return self.what in {"schema", "table"}

    def describe(self, source: str) -> str:
        known = ", ".join(self.known[:_NAMED]) + (", …" if len(self.known) > _NAMED else "")
        return say(_SENTENCES[self.what], source=source, name=repr(self.name), known=known or "–")


def unmatched(what: What, patterns: Iterable[str], known: Collection[str]) -> Iterator[UnknownName]:
    """Find the patterns that match no known name."""
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            yield UnknownName(what, pattern, list(known))


def unlisted(what: What, names: Iterable[str], known: Collection[str]) -> Iterator[UnknownName]:
    """Find the names that are not among the known ones."""
    for name in dict.fromkeys(names):
        if name not in known:
            yield UnknownName(what, name, list(known))
