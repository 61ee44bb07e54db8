"""The schemas of the tools as they are shipped: `make snapshots` derives them from the signatures, and a test compares.

Making them takes more than a tenth of the start of a server, which happens with every chat.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

FILE = "schemas.json"


@dataclass(frozen=True)
class Schemas:
    """JSON Schemas of a tool's parameters and of its answer."""

    parameters: dict[str, Any]
    answer: dict[str, Any]


def shipped_schemas(key: str) -> Schemas | None:
    """The schemas of a tool, None for a tool that is newer than they are."""
    schemas = _load_shipped().get(key)
    return None if schemas is None else Schemas(schemas["parameters"], schemas["answer"])


@cache
def _load_shipped() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(files("bi_mcp.server.tools").joinpath(FILE).read_bytes())
    return document
