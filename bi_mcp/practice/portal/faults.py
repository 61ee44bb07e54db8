"""Faults on order: damage that a network, a proxy or a bad day does to a portal's answers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import anyio
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, NonNegativeInt, PositiveInt, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bi_mcp.practice.portal.answers import ModuleFault, SystemFault, error_body

FaultKind = Literal[
    "expired_token",  # 401
    "query_limit",  # 503 QUERY_LIMIT_EXCEEDED
    "overload",  # 503 OVERLOAD_LIMIT
    "operation_limit",  # 429 with time.operating_reset_at
    "html_limit",  # a proxy's page with 429 and Retry-After, nothing happened
    "no_code",  # a refusal of the module whose code is the number 0, nothing happened
    "internal_error",  # 500, nothing happened
    "internal_error_after",  # 500, and the call took effect
    "html",  # a proxy's page with 502, nothing happened
    "html_ok",  # a page with 200, nothing happened
    "cut_before",  # the connection breaks, nothing happened
    "cut_after",  # the connection breaks, and the call took effect
    "slow",  # the call takes effect, its answer waits
    "truncated",  # the call takes effect, half of its answer arrives
    "empty",  # the call takes effect, its answer has no body
    "sync_failure",  # DATASET_UPDATE_ERROR after the columns were saved; the dataset methods ask for it
    "other_user",  # tokens of somebody else, as the answer says; /oauth/token/ asks for these three
    "other_users_token",  # tokens of somebody else, and the answer says they are the right person's
    "other_portal",  # the addresses of another portal
]

_ASKED_FOR = frozenset({"sync_failure", "other_user", "other_users_token", "other_portal"})
_INJECTED = frozenset(get_args(FaultKind)) - _ASKED_FOR
_AFTER_THE_CALL = frozenset({"internal_error_after", "cut_after", "slow", "truncated", "empty"})
_INTERNAL_ERROR = SystemFault(500, "INTERNAL_SERVER_ERROR", "Internal server error")
_REFUSALS: Mapping[str, ModuleFault | SystemFault] = {
    "no_code": ModuleFault(0, "All the fields are required."),
    "expired_token": SystemFault(401, "expired_token", "The access token provided has expired."),
    "query_limit": SystemFault(503, "QUERY_LIMIT_EXCEEDED", "Too many requests"),
    "overload": SystemFault(503, "OVERLOAD_LIMIT", "REST API is blocked due to overload."),
    "internal_error": _INTERNAL_ERROR,
    "internal_error_after": _INTERNAL_ERROR,
}
_PAGES = {
    "html_limit": (429, "Too Many Requests"),
    "html": (502, "Bad Gateway"),
    "html_ok": (200, "Maintenance"),
}


@dataclass(eq=False)
class PortalFault:
    """One order. `skip` calls pass unharmed, then `times` calls are hit.

    `reached` is set when a slow call has taken effect; its answer waits for `release`, at most `seconds`.
    """

    kind: FaultKind
    method: str | None
    times: int
    skip: int
    seconds: float | None
    operating_reset_at: int
    reached: anyio.Event = field(default_factory=anyio.Event)
    release: anyio.Event = field(default_factory=anyio.Event)

    def concerns(self, method: str) -> bool:
        if self.method is None:
            return not method.startswith("/")
        return self.method == method


class Faults:
    """The orders of one portal, taken in the sequence in which they were given.

    Only a real socket can be cut. For clients that call the portal in process, `connection_lost` makes the exception
    that such a client's transport would raise (`lambda: httpx.ReadError("cut")`).
    """

    def __init__(
        self,
        *,
        connection_lost: Callable[[], Exception] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.connection_lost = connection_lost
        self._clock = clock
        self._armed: list[PortalFault] = []
        self._slow: list[PortalFault] = []

    def arm(
        self,
        kind: FaultKind,
        *,
        method: str | None = None,
        times: int = 1,
        skip: int = 0,
        seconds: float | None = None,
        operating_reset_at: int | None = None,
    ) -> PortalFault:
        """Order a fault for a REST method (without `.json`; "batch" for batches) or, without one, for all of them.

        Other addresses are hit only when named with their slash: `method="/oauth/token/"`.
        """
        reset_at = math.ceil(self._clock()) + 60 if operating_reset_at is None else operating_reset_at
        fault = PortalFault(kind, method, times, skip, seconds, reset_at)
        self._armed.append(fault)
        if kind == "slow":
            self._slow.append(fault)
        return fault

    def take(self, kinds: str | Collection[str], method: str) -> PortalFault | None:
        """Use up one hit of the first order that fits, if there is one."""
        wanted = {kinds} if isinstance(kinds, str) else kinds
        for fault in list(self._armed):
            if fault.kind not in wanted or not fault.concerns(method):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            if not fault.times:
                self._armed.remove(fault)
            return fault
        return None

    def clear(self) -> None:
        """Drop all remaining orders and release the answers that wait."""
        self._armed.clear()
        for fault in self._slow:
            fault.release.set()
        self._slow.clear()


@dataclass
class _FaultyAnswer:
    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def collect(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [pair for pair in message["headers"] if pair[0].lower() != b"content-length"]
        else:
            self.body += message.get("body", b"")

    def with_body(self, body: bytes) -> Response:
        response = Response(body, self.status)
        response.raw_headers = [*self.headers, (b"content-length", str(len(body)).encode())]
        return response


class FaultInjector:
    """ASGI middleware that applies the ordered fault to a request."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        method = (
            path.rstrip("/").rpartition("/")[2].removesuffix(".json") if path.startswith("/rest/") else path
        )
        fault = self._faults.take(_INJECTED, method) if scope["type"] == "http" else None
        if fault is None:
            await self._app(scope, receive, send)
            return
        answer = _FaultyAnswer()
        if fault.kind in _AFTER_THE_CALL:
            await self._app(scope, receive, answer.collect)
        else:
            # The whole request: a socket closed with unread data resets the connection before the answer arrives.
            while (await receive()).get("more_body"):
                pass
        if fault.kind in {"cut_before", "cut_after"}:
            await self._cut(send)
            return
        response = await _spoil(fault, answer)
        await response(scope, receive, send)

    async def _cut(self, send: Send) -> None:
        if self._faults.connection_lost is not None:
            raise self._faults.connection_lost()
        # An answer that stops short of its length makes the server close the socket under the client.
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"result"', "more_body": True})


async def _spoil(fault: PortalFault, answer: _FaultyAnswer) -> Response:
    if fault.kind in _PAGES:
        status, title = _PAGES[fault.kind]
        # Only an answer that asks to wait says for how long.
        wait = {"Retry-After": f"{fault.seconds or 1:.0f}"} if status == 429 else None
        return Response(f"<html><h1>{title}</h1></html>", status, wait, media_type="text/html")
    if fault.kind in _REFUSALS:
        refusal = _REFUSALS[fault.kind]
        if isinstance(refusal, ModuleFault):
            return JSONResponse({"result": {"error": error_body(refusal)}})
        return JSONResponse(error_body(refusal), refusal.status)
    if fault.kind == "operation_limit":
        limit = SystemFault(429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.")
        time_left = {"operating_reset_at": fault.operating_reset_at}
        return JSONResponse({**error_body(limit), "time": time_left}, limit.status)
    if fault.kind == "slow":
        fault.reached.set()
        with anyio.move_on_after(math.inf if fault.seconds is None else fault.seconds):
            await fault.release.wait()
        return answer.with_body(answer.body)
    half = len(answer.body) // 2
    return answer.with_body(answer.body[:half] if fault.kind == "truncated" else b"")


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: FaultKind
    method: str | None = None
    times: PositiveInt = 1
    skip: NonNegativeInt = 0
    seconds: NonNegativeFloat | None = None
    operating_reset_at: int | None = None


def fault_routes(faults: Faults) -> list[Route]:
    """Build the route `/_portal/faults`: `POST` orders (JSON with the arguments of `Faults.arm`), `DELETE` drops all."""

    async def control(request: Request) -> Response:
        if request.method == "DELETE":
            faults.clear()
            return Response(status_code=204)
        try:
            order = _Order.model_validate_json(await request.body())
        except ValidationError as refusal:
            problems = refusal.errors(include_url=False, include_context=False, include_input=False)
            return JSONResponse({"error": "INVALID_ORDER", "problems": problems}, 400)
        faults.arm(**order.model_dump())
        return JSONResponse({"armed": order.model_dump()}, 201)

    return [Route("/_portal/faults", control, methods=["POST", "DELETE"])]
