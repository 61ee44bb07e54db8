"""The JSON Schema of a setup file, for editors: completion, and errors while one types."""

from __future__ import annotations

from typing import Any

from bi_mcp.setup.setup import Setup


def setup_schema() -> dict[str, Any]:
    """The schema, as `bi-mcp schema` prints it and as it is published."""
    schema = Setup.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Setup of a portal for bi-mcp",
    }
