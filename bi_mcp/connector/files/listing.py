"""What a folder holds at a moment: the tables that are served, all tables that there are, and what is left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from bi_mcp.connector.files.contents import Part
from bi_mcp.connector.files.kinds import plain_stem
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.unknown_names import UnknownName, unlisted, unmatched


@dataclass
class Listing:
    """Tables by their codes; `codes` are those of all tables, chosen or not. Reasons by the names of files."""

    parts: dict[str, Part] = field(default_factory=dict)
    codes: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def unknown_names(self, options: SourceOptions) -> Iterator[UnknownName]:
        """Find what the options name and the files have not. A file with faults is there."""
        faulty = [plain_stem(Path(name)) for name in self.left_out]
        yield from (
            unknown
            for unknown in unmatched("table", options.tables, self.codes)
            if not any(fnmatchcase(stem, unknown.name) for stem in faulty)
        )
        yield from unlisted("typed table", [*options.types, *options.titles], [*self.codes, *faulty])


def is_allowed(code: str, options: SourceOptions) -> bool:
    """Check whether a table is among the chosen ones."""
    return not options.tables or any(fnmatchcase(code, pattern) for pattern in options.tables)


def is_meant(path: Path, options: SourceOptions) -> bool:
    """Check whether a file could hold a chosen table: whoever chose others need not hear of its faults."""
    stems = [pattern.partition(".")[0] for pattern in options.tables]
    return not stems or any(fnmatchcase(plain_stem(path), stem) for stem in stems)
