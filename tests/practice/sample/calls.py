"""Calls to a connector, written by hand as Bitrix24 writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

DEMO_CONNECTION = {"connection[login]": "demo", "connection[password]": "demo-password"}

Form = Mapping[str, str | list[str]]


async def call(client: httpx.AsyncClient, path: str, form: Form | None = None) -> httpx.Response:
    return await client.post(path, data={**DEMO_CONNECTION, **(form or {})})


async def rows(client: httpx.AsyncClient, table: str, form: Form | None = None) -> list[list[Any]]:
    """Rows of a table below the header."""
    response = await call(client, "/data", {"table": table, **(form or {})})
    assert response.status_code == 200, response.text
    answer: list[list[Any]] = json.loads(response.text)
    return answer[1:]


async def error(client: httpx.AsyncClient, path: str, form: Form | None = None) -> tuple[int, str]:
    """Status and sentence of a refusal, which holds nothing else."""
    response = await call(client, path, form)
    body = response.json()
    assert list(body) == ["error"]
    return response.status_code, body["error"]
