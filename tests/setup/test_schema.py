"""The JSON Schema that editors complete a setup file with, as it is published."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bi_mcp.setup.schema import setup_schema

PUBLISHED = Path(__file__).parents[2] / "docs" / "bi-mcp.schema.json"


def test_the_published_schema_is_that_of_the_models(request: pytest.FixtureRequest) -> None:
    text = json.dumps(setup_schema(), indent=1, ensure_ascii=False) + "\n"
    if request.config.getoption("--update-contract"):
        PUBLISHED.parent.mkdir(exist_ok=True)
        PUBLISHED.write_text(text, encoding="utf-8")
    assert text == PUBLISHED.read_text(encoding="utf-8"), "meant? then run `make snapshots` and commit"
