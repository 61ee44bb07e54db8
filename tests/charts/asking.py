"""Questions put to a connector, and what is wrong with its answers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import httpx
from starlette.types import ASGIApp

from tests.charts.connector import CONNECTION, PATHS, HonestConnector
from tests.charts.oracle import find_fault
from tests.charts.questions import Dialect, Question, body, encode
from tests.charts.tables import Table

Post: TypeAlias = Callable[[bytes], Awaitable[tuple[int, Any]]]
"""Sends a form to `urlData`; gives the status and the value that came back."""


async def find_fault_of(
    post: Post, table: Table, question: Question, dialect: Dialect, connection: Mapping[str, str] = CONNECTION
) -> str:
    """Ask, and say what is wrong with the answer; "" where nothing is."""
    status, value = await post(body(encode(table, question, dialect), connection))
    return find_fault(table, question, dialect, value) if status == 200 else f"status {status}: {value}"


def over_http(client: httpx.AsyncClient) -> Post:
    """Ask a service."""

    async def post(content: bytes) -> tuple[int, Any]:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await client.post(PATHS["urlData"], content=content, headers=kind)
        return answer.status_code, answer.json()

    return post


def over_asgi(app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.localhost")


def at_once(connector: HonestConnector) -> Post:
    """Ask without HTTP, for thousands of questions."""

    async def post(content: bytes) -> tuple[int, Any]:
        status, value = connector.answer(PATHS["urlData"], content)
        return status, json.loads(json.dumps(value))

    return post
