"""The sample connector, bent: a real HTTP service that differs from a healthy one in one way."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bi_mcp.base.secret import Secret
from bi_mcp.connector.question.brackets import parse_form
from bi_mcp.endpoints.form import encode_form
from bi_mcp.practice.sample import DEMO_PASSWORD, ENDPOINTS, create_app
from tests.practice.portal.serving import served

CONNECTION = {"login": Secret("demo"), "password": Secret(DEMO_PASSWORD)}
TABLE = "flights"


@dataclass(frozen=True)
class Question:
    """A call of an endpoint. `ask` puts it, or a changed one, to the healthy sample; `asked` counts for bends by turns."""

    path: str
    form: Mapping[str, Any]
    receive: Receive
    asked: dict[str, int]

    async def ask(self, **changes: Any) -> httpx.Response:
        """The sample's answer; a change to None leaves a parameter out."""
        form = {name: value for name, value in {**self.form, **changes}.items() if value is not None}
        transport = httpx.ASGITransport(create_app())
        async with httpx.AsyncClient(transport=transport, base_url="http://sample.localhost") as client:
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            return await client.post(self.path, content=encode_form(form), headers=kind)


Bend: TypeAlias = Callable[[Question], Awaitable[Response]]


async def healthy(question: Question) -> Response:
    answer = await question.ask()
    return Response(answer.content, answer.status_code)


def always(body: object, status: int = 200, **headers: str) -> Bend:
    """The same answer to everything; what is neither text nor bytes goes as JSON."""
    content = body if isinstance(body, str | bytes) else json.dumps(body)

    async def bend(_: Question) -> Response:
        return Response(content, status, {name.replace("_", "-"): value for name, value in headers.items()})

    return bend


def asking(**changes: Any) -> Bend:
    """The sample's answer to a changed question."""

    async def bend(question: Question) -> Response:
        answer = await question.ask(**changes)
        return Response(answer.content, answer.status_code)

    return bend


def rewritten(change: Callable[[Any], object]) -> Bend:
    """The sample's answer with its JSON changed; its refusals stay."""

    async def bend(question: Question) -> Response:
        answer = await question.ask()
        body = json.dumps(change(answer.json())) if answer.status_code == 200 else answer.text
        return Response(body, answer.status_code)

    return bend


def with_first(**changes: Any) -> Bend:
    """The first element of a list of objects changed; a change to None takes the key away."""

    def change(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not found:
            return found
        merged = {**found[0], **changes}
        return [{key: value for key, value in merged.items() if value is not None}, *found[1:]]

    return rewritten(change)


def valued(code: str, change: Callable[[Any], Any]) -> Bend:
    """The values of a column changed in every row, unless they are empty."""

    def changed(rows: list[list[Any]]) -> list[list[Any]]:
        if code not in rows[0]:
            return rows
        place = rows[0].index(code)
        return [
            rows[0],
            *(
                [*row[:place], None if row[place] is None else change(row[place]), *row[place + 1 :]]
                for row in rows[1:]
            ),
        ]

    return rewritten(changed)


def as_bytes(change: Callable[[bytes], bytes], **headers: str) -> Bend:
    """The sample's answer with its bytes changed."""

    async def bend(question: Question) -> Response:
        answer = await question.ask()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Response(change(answer.content), answer.status_code, named)

    return bend


def as_text(change: Callable[[str], bytes]) -> Bend:
    """The sample's answer as other bytes; its refusals stay."""

    async def bend(question: Question) -> Response:
        answer = await question.ask()
        body = change(answer.text) if answer.status_code == 200 else answer.content
        return Response(body, answer.status_code)

    return bend


def by_turns(*bends: Bend) -> Bend:
    """One after the other, and again; it starts anew with each service."""

    async def bend(question: Question) -> Response:
        asked = question.asked.get(question.path, 0)
        question.asked[question.path] = asked + 1
        return await bends[asked % len(bends)](question)

    return bend


def when(test: Callable[[Mapping[str, Any]], bool], bend: Bend) -> Bend:
    """Bent only where the question is such."""

    async def choose(question: Question) -> Response:
        return await (bend if test(question.form) else healthy)(question)

    return choose


async def never(question: Question) -> Response:
    """No answer before the caller hangs up."""
    while (await question.receive())["type"] != "http.disconnect":
        pass
    return Response()


@dataclass(frozen=True)
class BentSample:
    """The sample as an ASGI app, with some endpoints bent."""

    bends: Mapping[str, Bend]
    asked: dict[str, int] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        form = parse_form(await request.body())
        endpoint = next(name for name, path in ENDPOINTS.items() if path == scope["path"])
        response = await self.bends.get(endpoint, healthy)(Question(scope["path"], form, receive, self.asked))
        await response(scope, receive, send)


@asynccontextmanager
async def bent(bends: Mapping[str, Bend]) -> AsyncIterator[dict[str, str]]:
    """Serve it on a free port and give its four addresses."""
    async with served(BentSample(bends)) as address:
        yield {endpoint: f"http://{address}{path}" for endpoint, path in ENDPOINTS.items()}
