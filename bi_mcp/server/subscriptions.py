"""Notifications about changed objects: the streams of the newest protocol version, and `resources/subscribe` of the older ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import anyio
from mcp import MCPError
from mcp.server.subscriptions import InMemorySubscriptionBus
from mcp.shared.subscriptions import ResourceUpdated
from mcp.types import (
    INVALID_PARAMS,
    EmptyResult,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    UnsubscribeRequestParams,
)

from bi_mcp.auth.caller import current_caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server import MCPServer
    from mcp.server.connection import Connection
    from mcp.server.context import HandlerResult, ServerRequestContext
    from mcp.server.subscriptions import ServerEvent

MOST_PER_CLIENT = 1000
# The SDK serves 1,024 streams in all; one person must not take them from the others.
MOST_STREAMS_PER_PERSON = 32
# A client that does not read must not block the call of another.
DELIVERED_WITHIN_S = 1.0
_LISTEN = "subscriptions/listen"
_OBJECT = re.compile(r"bi://(connector|source|dataset)/[1-9][0-9]{0,18}")


class Subscriptions(InMemorySubscriptionBus):
    """The bus of one process. A connection that is gone takes its subscriptions with it.

    What a person changes, only that person's own clients are told. Where nobody signs in, all clients work with the same
    credential, and all are told.
    """

    def __init__(self) -> None:
        super().__init__()
        self._watched: WeakKeyDictionary[Connection, set[tuple[str, str]]] = WeakKeyDictionary()
        self._streams: dict[Callable[[ServerEvent], None], str] = {}

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Register a listener for what its caller's own clients change. Returns what ends that."""
        audience = _audience()

        def deliver(event: ServerEvent) -> None:
            # Events are delivered in the task of whoever changed something.
            if _audience() == audience:
                listener(event)

        unsubscribe = super().subscribe(deliver)
        self._streams[deliver] = audience

        def end() -> None:
            unsubscribe()
            self._streams.pop(deliver, None)

        return end

    async def publish(self, event: ServerEvent) -> None:
        """Notify the caller's subscribers of an address."""
        await super().publish(event)
        if not isinstance(event, ResourceUpdated):
            return
        async with anyio.create_task_group() as group:
            for connection, watched in list(self._watched.items()):
                if (_audience(), event.uri) in watched:
                    group.start_soon(_notify, connection, event.uri)

    def serve(self, server: MCPServer) -> None:
        """Answer `resources/subscribe` and `resources/unsubscribe`, which the SDK leaves to the server, and bound its streams."""
        handlers = server._lowlevel_server  # noqa: SLF001  the SDK has no public way to set these two methods

        async def subscribe(
            ctx: ServerRequestContext[Any, Any], params: SubscribeRequestParams
        ) -> EmptyResult:
            listed = {resource.uri for resource in await server.list_resources()}
            if params.uri not in listed and not _OBJECT.fullmatch(params.uri):
                raise MCPError(
                    INVALID_PARAMS,
                    "Subscribe to bi://connector/ID, bi://source/ID, bi://dataset/ID or what resources/list names.",
                )
            return self._subscribe(ctx, params)

        listening = handlers.get_request_handler(_LISTEN)
        assert listening is not None  # noqa: S101  the SDK answers it where a server has a bus

        async def listen(
            ctx: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
        ) -> HandlerResult:
            self._check_streams()
            return await listening.handler(ctx, params)

        handlers.add_request_handler(_LISTEN, SubscriptionsListenRequestParams, listen)
        handlers.add_request_handler("resources/subscribe", SubscribeRequestParams, subscribe)
        handlers.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, self._unsubscribe)

    def _check_streams(self) -> None:
        """Refuse a person's stream that would be one too many."""
        audience = _audience()
        own = sum(1 for other in self._streams.values() if other == audience)
        if audience and own >= MOST_STREAMS_PER_PERSON:
            raise MCPError(INVALID_PARAMS, f"{own} streams are open; close one before you open another.")

    def _subscribe(self, ctx: ServerRequestContext[Any, Any], params: SubscribeRequestParams) -> EmptyResult:
        watched = self._watched.setdefault(_connection(ctx), set())
        if len(watched) >= MOST_PER_CLIENT:
            raise MCPError(INVALID_PARAMS, f"{MOST_PER_CLIENT} resources are watched; unsubscribe from some.")
        watched.add((_audience(), params.uri))
        return EmptyResult()

    async def _unsubscribe(
        self, ctx: ServerRequestContext[Any, Any], params: UnsubscribeRequestParams
    ) -> EmptyResult:
        self._watched.get(_connection(ctx), set()).discard((_audience(), params.uri))
        return EmptyResult()


def _audience() -> str:
    """Return the mark of the person who calls, empty where nobody signed in."""
    person = current_caller().person
    return "" if person is None else person.mark


def _connection(ctx: ServerRequestContext[Any, Any]) -> Connection:
    """A session object lives as long as its request; what lasts is the connection behind it."""
    return ctx.session._connection  # noqa: SLF001  the SDK shows it nowhere else


async def _notify(connection: Connection, uri: str) -> None:
    with anyio.move_on_after(DELIVERED_WITHIN_S):
        await connection.notify("notifications/resources/updated", {"uri": uri})
