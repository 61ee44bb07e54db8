"""Answers to messages that cannot be served. For most of them the SDK says only that they are invalid, or nothing at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mcp import MCPError
from mcp.types import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
)
from pydantic import ValidationError

from bi_mcp.base.foreign_json import whole_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcp.server import MCPServer
    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

NO_MESSAGE = (
    'This is not a message of JSON-RPC 2.0: one object with jsonrpc "2.0", an id that is text or a whole number, '
    "a method that is text, and params that are an object. Batches are not served."
)
NO_HANDSHAKE = (
    "No handshake yet: send initialize first, or the protocol version and the client's capabilities in "
    "params._meta of each request, as protocol 2026-07-28 has it."
)
# What does not fit any of several shapes has complaints of each.
_MOST_PROBLEMS = 8


def add_refusals(server: MCPServer) -> None:
    """Let the server explain wrong params of a request. Arguments of tools are checked by the tools."""

    async def refuse(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.request_id is None:
            return await call_next(ctx)
        try:
            await _check(server, ctx.method, ctx.params or {})
            return await call_next(ctx)
        except ValidationError as error:
            # By place and problem, never by value: it may be a secret.
            problems = error.errors(include_url=False, include_input=False, include_context=False)
            lines = dict.fromkeys(
                f"{'.'.join(str(step)[:60] for step in problem['loc'])}: {problem['msg'][:200]}"
                for problem in problems
            )
            text = "; ".join(list(lines)[:_MOST_PROBLEMS])
            raise MCPError(INVALID_PARAMS, f"{ctx.method}: {text}.") from None
        except MCPError as refused:
            if refused.error.data == "":  # the SDK's way to say that the handshake is missing
                raise MCPError(INVALID_PARAMS, NO_HANDSHAKE) from None
            raise

    server.middleware.append(refuse)


def is_idless(message: JSONRPCMessage) -> bool:
    """Return whether a request has no id or an invalid one. The SDK takes it for a notification and would never answer."""
    return isinstance(message, JSONRPCNotification) and not message.method.startswith("notifications/")


def answer_to(problem: Exception) -> JSONRPCError | None:
    """Return the answer to a line that is not a message. None where the client does not expect one: blank lines, notifications, answers."""
    if not isinstance(problem, ValidationError):
        return None
    found = problem.errors(include_url=False, include_context=False)
    if found[0]["type"] == "json_invalid":
        if not str(found[0]["input"]).strip():
            return None
        return _unreadable(str(found[0]["input"]), found[0]["msg"])
    # A field is missing in each shape but one, and the error of that shape quotes the whole message.
    message = next((one["input"] for one in found if isinstance(one["input"], dict)), {})
    if {"result", "error"} & message.keys() or ("method" in message and "id" not in message):
        return None
    return refusal_of_request(message.get("id"), INVALID_REQUEST, NO_MESSAGE)


def _unreadable(line: str, problem: str) -> JSONRPCError | None:
    """Explain a line that cannot be parsed. pydantic rejects half a Unicode character as JSON, but the id can still be read."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        return refusal_of_request(None, PARSE_ERROR, f"{problem}. A line is one message.")
    if "id" not in message:
        return None
    return refusal_of_request(
        message["id"],
        PARSE_ERROR,
        f"{problem}: a text holds half a Unicode character. Leave it out, or write both of its halves.",
    )


def refusal_of_request(id: object, code: int, text: str) -> JSONRPCError:
    """Build an error that answers no request, or one whose id could be read."""
    usable = id if isinstance(id, str | int) and not isinstance(id, bool) else None
    if isinstance(usable, str) and whole_text(usable) != usable:
        # It could not be written either.
        usable = None
    return JSONRPCError(jsonrpc="2.0", id=usable, error=ErrorData(code=code, message=text))


async def _check(server: MCPServer, method: str, params: Mapping[str, Any]) -> None:
    """Refuse what the SDK takes without a word, or calls an internal error."""
    cursor, name = params.get("cursor"), params.get("name")
    if method.endswith("/list") and cursor and isinstance(cursor, str):
        raise MCPError(INVALID_PARAMS, f"{method} answers everything at once: leave out cursor.")
    if method == "prompts/get" and isinstance(name, str):
        known = [prompt.name for prompt in await server.list_prompts()]
        if name not in known:
            raise MCPError(INVALID_PARAMS, f"There is no such prompt. Known: {', '.join(known)}.")
