from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Harness:
    """`run` takes any bytes. `seeds` are what is changed at random to find some that it does not bear."""

    name: str
    run: Callable[[bytes], None]
    seeds: Sequence[bytes]


@cache
def scratch_folder() -> Path:
    """Make a folder for the files that harnesses read; one for all of a process."""
    return Path(tempfile.mkdtemp(prefix="bi-mcp-fuzz-"))
